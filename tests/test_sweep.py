"""Many cases: the same numbers however they are run, stopped, resumed or shared out."""

import gc
import importlib
import itertools
import threading
import tracemalloc

import numpy as np
import pytest
import xarray as xr

import spinesim as ss
from spinesim.errors import InputError, ResultsFileError
from spinesim.solve import make_task
from spinesim.variables import VARIABLES

sweeping = importlib.import_module("spinesim.sweep")  # its name in the package is the function

FEW = ["anterior_pelvic_tilt", "compression", "foramen_area"]


@pytest.mark.parametrize(
    ("axis", "options"),
    [
        ({"tightness.hip_flexors": [13]}, {}),
        ({"load.hands": [6]}, {"stance": "forward_bend", "posture": {"trunk_flexion": 20}}),
        ({"load.hand.left": [4]}, {"stance": "sitting"}),
        ({"strength.core": [0.7]}, {"posture": {"anterior_pelvic_tilt": 4}, "complete": "find"}),
    ],
)
def test_sweep__of_one_case_equals_the_single_case(adult, axis, options):
    (name, (value,)), *_ = axis.items()
    single = ss.solve(adult, {name: value}, **options)
    swept = ss.sweep(adult, axis, variables=list(VARIABLES), **options).squeeze(name, drop=True)
    assert set(swept.data_vars) == set(single.data_vars)
    for variable in single.data_vars:
        np.testing.assert_array_equal(swept[variable].values, single[variable].values, err_msg=variable)
        assert swept[variable].attrs == single[variable].attrs
    for coordinate in single.coords:
        np.testing.assert_array_equal(swept[coordinate].values, single[coordinate].values)


def test_sweep__held_cases_equal_single_cases_along_a_chain(adult):
    """A held posture has one force balance: its place in a chain changes rounding alone."""
    axes = {"load.hands": [0, 3, 6, 9], "strength.erectors": [1.0, 0.8]}
    swept = ss.sweep(adult, axes, posture={"trunk_flexion": 15})
    assert (swept.status == "solved").all()
    for load, strength in itertools.product(*axes.values()):
        single = ss.solve(adult, {"load.hands": load, "strength.erectors": strength}, posture={"trunk_flexion": 15})
        case = swept.sel({"load.hands": load, "strength.erectors": strength})
        assert case.compression.values == pytest.approx(single.compression.values, rel=1e-9)
        assert case.activation.values == pytest.approx(single.activation.values, abs=1e-8)


def test_sweep__axes_stand_in_front_with_values_units_and_words(adult):
    swept = ss.sweep(
        adult, {"load.hands": (0, 5), "tightness.hip_flexors": range(0, 9, 4)}, variables=["compression"], posture={}
    )
    assert swept.compression.dims == ("load.hands", "tightness.hip_flexors", "level")
    assert swept["tightness.hip_flexors"].values.tolist() == [0, 4, 8]
    assert swept["tightness.hip_flexors"].attrs["units"] == "deg"
    assert swept["load.hands"].attrs["units"] == "kg"
    assert set(swept.data_vars) == {"compression", *sweeping.ALWAYS}
    assert "muscle" not in swept.coords


@pytest.mark.parametrize("options", [{}, {"posture": {"trunk_flexion": 10}}])
def test_sweep__same_bits_for_any_number_of_threads(adult, options):
    axes = {"strength.core": [1.0, 0.8, 0.6], "tightness.hip_flexors": np.linspace(0, 12, 70)}
    results = [ss.sweep(adult, axes, variables=[*FEW, "activation"], threads=n, **options) for n in (1, 2, 3)]
    assert (
        len(sweeping._blocks(sweeping._grid(adult, axes, None, make_task(adult, "standing", None, "rhythm"), FEW))) > 1
    )
    for other in results[1:]:
        xr.testing.assert_identical(other, results[0])


def test_chains__are_fixed_by_the_grid_alone(adult):
    """Lines along the last axis, at most 64 cases; each first case is solved cold."""
    axes = {"strength.core": [1.0, 0.7], "tightness.hip_flexors": np.linspace(0, 20, 70)}
    grid = sweeping._grid(adult, axes, None, make_task(adult, "standing", None, "rhythm"), FEW)
    chains = [(c.start, c.stop) for c in sweeping._chains(grid)]
    assert chains == [(0, 64), (64, 70), (70, 134), (134, 140)]
    blocks = sweeping._blocks(grid)
    assert [c for block in blocks for c in block] == sweeping._chains(grid)
    swept = ss.sweep(adult, axes, variables=FEW)
    part = ss.sweep(
        adult,
        {"tightness.hip_flexors": axes["tightness.hip_flexors"][64:]},
        parameters={"strength.core": 0.7},
        variables=FEW,
    )
    np.testing.assert_array_equal(swept.compression.values[1, 64:], part.compression.values)


# files: stopped and resumed

LONG = {"strength.core": [1.0, 0.9, 0.8, 0.7], "tightness.hip_flexors": np.linspace(0, 9, 100)}


def stop_after(monkeypatch, blocks):
    """Let the user press Ctrl-C once so many blocks are solved."""
    solve_block, solved = sweeping._solve_block, []

    def interrupted(grid, block):
        if len(solved) >= blocks:
            raise KeyboardInterrupt
        result = solve_block(grid, block)
        solved.append(block)
        return result

    monkeypatch.setattr(sweeping, "_solve_block", interrupted)
    return solved


def test_interrupted_sweep__leaves_a_valid_file_and_goes_on(adult, tmp_path, monkeypatch):
    path = tmp_path / "sweep.nc"
    whole = ss.sweep(adult, LONG, variables=FEW)
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            ss.sweep(adult, LONG, variables=FEW, output=path, threads=1)
    part = ss.open_results(path)
    finished = (part.status == "solved").values
    assert set(np.unique(part.status)) == {"solved", "pending"}
    assert 0 < finished.sum() < finished.size
    assert np.isnan(part.compression.values[~finished]).all()
    np.testing.assert_array_equal(part.compression.values[finished], whole.compression.values[finished])

    with monkeypatch.context() as patch:
        solved = stop_after(patch, 10**6)
        resumed = ss.sweep(adult, LONG, variables=FEW, output=path)
        assert sum(c.stop - c.start for block in solved for c in block) == (~finished).sum()
    xr.testing.assert_identical(resumed, whole)
    xr.testing.assert_identical(ss.open_results(path), whole)
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.nc"]


def test_interrupted_sweep__before_its_first_block_leaves_nothing_in_the_way(adult, tmp_path, monkeypatch):
    path = tmp_path / "sweep.nc"
    with monkeypatch.context() as patch:
        stop_after(patch, 0)
        with pytest.raises(KeyboardInterrupt):
            ss.sweep(adult, LONG, variables=FEW, output=path)
    assert list(tmp_path.iterdir()) == []


def test_stopped_sweep__does_not_take_the_blocks_of_another(adult, tmp_path, monkeypatch):
    path = tmp_path / "sweep.nc"
    with monkeypatch.context() as patch:
        stop_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            ss.sweep(adult, LONG, variables=FEW, output=path, threads=1)
    with pytest.raises(ResultsFileError, match="another sweep"):
        ss.sweep(adult, LONG, variables=FEW, output=path, stance="sitting")
    variant = adult.model_copy(update={"pressure_factor": 0.7})
    with pytest.raises(ResultsFileError, match="another sweep"):
        ss.sweep(variant, LONG, variables=FEW, output=path)


def test_sweep__to_a_file_is_the_sweep_in_memory(adult, tmp_path):
    axes = {"load.hands": [0, 4], "tightness.hip_flexors": [0, 10]}
    inside = ss.sweep(adult, axes)
    written = ss.sweep(adult, axes, output=tmp_path / "a.nc")
    xr.testing.assert_identical(inside, written)
    xr.testing.assert_identical(ss.open_results(tmp_path / "a.nc"), inside)


def test_sweep__refuses_a_folder_that_is_not_there(adult, tmp_path):
    with pytest.raises(ResultsFileError, match="does not exist"):
        ss.sweep(adult, {"load.hands": [0]}, output=tmp_path / "none" / "a.nc", posture={})


# samples


def drawn(count, **ranges):
    rng = np.random.default_rng(3)
    return {name.replace("__", "."): rng.uniform(low, high, count) for name, (low, high) in ranges.items()}


@pytest.mark.parametrize(
    ("samples", "options"),
    [
        (drawn(4, tightness__hip_flexors=(0, 20), strength__core=(0.6, 1.2), load__hand__right=(-0.0, 8)), {}),
        (drawn(3, subject__stature=(1.5, 1.9), subject__mass=(50, 95), leg_length__left=(0, 12)), {}),
        (drawn(3, imbalance__lower_crossed=(0, 1), load__hands=(0, 5)), {"stability": False, "stance": "sitting"}),
        (drawn(3, posture__trunk_flexion=(5, 30), stiffness__erectors=(0.7, 1.4)), {"stance": "forward_bend"}),
        (
            drawn(3, strength__core=(0.5, 1.2), iap__highest=(2, 20)),
            {"posture": {"anterior_pelvic_tilt": 3}, "complete": "find"},
        ),
    ],
)
def test_samples__are_single_solves_to_the_bit(adult, samples, options):
    swept = ss.sweep(adult, samples=samples, variables=list(VARIABLES), **options)
    assert swept.status.dims == ("sample",)
    assert (swept.status == "solved").all()
    for case in range(swept.sizes["sample"]):
        values = {name: float(column[case]) for name, column in samples.items()}
        angles = {name.removeprefix("posture."): value for name, value in values.items() if name.startswith("posture.")}
        settings = {name: value for name, value in values.items() if not name.startswith("posture.")}
        held = {**options.get("posture", {}), **angles}
        single = ss.solve(adult, settings, **{**options, "posture": held or None})
        one = swept.isel(sample=case)
        assert set(swept.data_vars) == set(single.data_vars)
        for variable in single.data_vars:
            np.testing.assert_array_equal(one[variable].values, single[variable].values, err_msg=variable)
        assert {name: one[name].item() for name in samples} == values


def test_samples__stand_along_one_dimension_with_units_and_words(adult):
    swept = ss.sweep(
        adult, samples={"load.hands": (0, 5, 5), "tightness.hip_flexors": range(3)}, variables=["compression"]
    )
    assert swept.compression.dims == ("sample", "level")
    assert swept["sample"].values.tolist() == [0, 1, 2]
    assert swept["load.hands"].dims == ("sample",)
    assert swept["load.hands"].values.tolist() == [0, 5, 5]
    assert swept["tightness.hip_flexors"].attrs["units"] == "deg"
    assert swept.attrs["chain_length"] == "1"


def test_samples__keep_going_past_cases_nobody_can_hold(adult):
    """A case behind one that fails is as if it were alone."""
    swept = ss.sweep(adult, samples={"load.hands": [5, 90, 5]}, parameters={"load.reach": 0.5}, posture={})
    assert swept.status.values.tolist() == ["solved", "infeasible", "solved"]
    assert np.isnan(swept.compression.values[1]).all()
    np.testing.assert_array_equal(swept.activation.values[2], swept.activation.values[0])


def test_samples__stop_go_on_and_give_the_same_file_for_any_threads(adult, tmp_path, monkeypatch):
    path = tmp_path / "samples.nc"
    samples = drawn(300, strength__core=(0.7, 1.2), load__hands=(0, 6))
    options = {"posture": {"trunk_flexion": 10}, "variables": FEW}
    whole = ss.sweep(adult, samples=samples, threads=1, **options)
    xr.testing.assert_identical(ss.sweep(adult, samples=samples, threads=3, **options), whole)
    with monkeypatch.context() as patch:
        stop_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            ss.sweep(adult, samples=samples, output=path, threads=1, **options)
    assert set(np.unique(ss.open_results(path).status)) == {"solved", "pending"}
    with pytest.raises(ResultsFileError, match="another sweep"):
        ss.sweep(adult, {name: np.unique(v) for name, v in samples.items()}, output=path, **options)
    xr.testing.assert_identical(ss.sweep(adult, samples=samples, output=path, **options), whole)
    xr.testing.assert_identical(ss.open_results(path), whole)


# failures and flags


def test_sweep__keeps_going_past_cases_nobody_can_hold(adult):
    swept = ss.sweep(adult, {"load.hands": [0, 90, 5]}, parameters={"load.reach": 0.5}, posture={})
    assert swept.status.values.tolist() == ["solved", "infeasible", "solved"]
    assert np.isnan(swept.compression.values[1]).all()
    assert np.isfinite(swept.compression.values[[0, 2]]).all()
    missing = swept.missing_moment
    worst = missing.isel({"load.hands": 1})
    assert np.abs(worst.values).max() > 1.0
    assert str(worst.coordinate[np.abs(worst.values).argmax()].values) in adult_free(adult)
    assert not missing.values[[0, 2]].any()


def adult_free(adult):
    return [coordinate.name for coordinate in adult.stances["standing"].free]


def test_branch__marks_a_chain_whose_end_disagrees_with_a_cold_start(adult, monkeypatch):
    run_chain = sweeping.run_chain

    def strayed(task, columns, count, first=None):
        out, cases = run_chain(task, columns, count, first)
        if count > 1:
            out.free[-1] += 2 * sweeping.APART
        return out, cases

    axes = {"tightness.hip_flexors": [0, 2, 4]}
    assert not ss.sweep(adult, axes, variables=FEW).branch.values.any()
    monkeypatch.setattr(sweeping, "run_chain", strayed)
    assert ss.sweep(adult, axes, variables=FEW).branch.values.all()


def test_branch__marks_both_sides_of_a_jump_behind_which_another_solution_is_found(adult):
    """On one leg, from a severity of 0.875 to 0.9, the pelvis tips at once; back at 0.875 from there it stays so."""
    axis = {"imbalance.lower_crossed": np.linspace(0.8, 1.0, 9)}
    swept = ss.sweep(adult, axis, stance="single_leg_right", variables=["anterior_pelvic_tilt"])
    assert (swept.status == "solved").all()
    marked = swept["imbalance.lower_crossed"].values[swept.branch.values == 1.0]
    assert marked.tolist() == pytest.approx([0.875, 0.9])
    step = np.abs(np.diff(swept.anterior_pelvic_tilt.values))
    assert step[3] > 2 * step[4]


def test_chain__of_a_symmetric_case_from_a_bent_posture_ends_in_symmetry(adult):
    """As a jump beside it is tried backwards: the bend of a loaded neighbour is no second solution."""
    task = sweeping.make_task(adult, "standing", None, "rhythm")
    bent = sweeping.run_chain(task, {"load.hand.right": np.array([6.0])}, 1)[0].free[0]
    none = {"load.hand.right": np.zeros(1)}
    np.testing.assert_allclose(
        sweeping.run_chain(task, none, 1, bent)[0].free, sweeping.run_chain(task, none, 1)[0].free, atol=1e-7
    )


@pytest.mark.parametrize("posture", [None, {}])
def test_sweep__from_a_load_on_one_side_to_none_ends_in_symmetry(adult, posture):
    """A symmetric case that follows an asymmetric one is that of a single solve, to the bit."""
    swept = ss.sweep(adult, {"load.hand.right": [6, 3, 0]}, posture=posture, stability=True)
    alone = ss.solve(adult, posture=posture, stability=True)
    last = swept.isel({"load.hand.right": -1})
    for name in ("segment_angle", "compression", "shear_lateral", "muscle_force"):
        np.testing.assert_array_equal(last[name], alone[name], err_msg=name)


def test_subject_axes__make_a_person_of_each_value(adult):
    axes = {"subject.mass": [60, 90], "load.hands": [0, 5], "subject.stature": [1.6, 1.8]}
    swept = ss.sweep(adult, axes, posture={}, variables=["compression", "foot_force"])
    assert (swept.status == "solved").all()
    for values in itertools.product(*axes.values()):
        settings = dict(zip(axes, values, strict=True))
        single = ss.solve(adult, settings, posture={})
        np.testing.assert_array_equal(swept.compression.sel(settings).values, single.compression.values)
    total = swept.foot_force.sum("side")
    assert (total.sel({"subject.mass": 90}) - total.sel({"subject.mass": 60})).values == pytest.approx(
        30 * adult.gravity, abs=1e-3
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axes": {}}, "at least one axis"),
        ({"axes": {"load.hands": []}}, "axis load.hands has no values"),
        ({"axes": {"load.hand": [1]}}, "There is no parameter load.hand: did you mean load.hand"),
        ({"axes": {"load.hands": [1, 1.0]}}, "axis load.hands holds a value twice"),
        ({"axes": {"load.hands": [1, float("nan")]}}, "load.hands = nan kg is not allowed"),
        ({"axes": {"load.hands": [-1]}}, "load.hands = -1 kg is not allowed"),
        ({"axes": {"load.hands": ["heavy"]}}, "load.hands = 'heavy' is not a number"),
        ({"axes": {"load.hands": [1]}, "parameters": {"load.hands": 2}}, "both an axis and a fixed parameter"),
        ({"axes": {"load.hands": [1]}, "threads": 0}, "threads = 0 is not allowed: it must be a whole number from 1"),
        ({"axes": {"load.hands": [1]}, "threads": 1.5}, "threads = 1.5 is not allowed"),
        ({"axes": {"load.hands": [1]}, "threads": True}, "threads = True is not allowed"),
        ({"axes": {"load.hands": [1]}, "variables": ["compresion"]}, "there is no result variable compresion"),
        ({"axes": {"load.hands": [1]}, "stance": "floating"}, "stance floating is unknown"),
        ({"axes": {"load.hands": [1]}, "posture": {"trunk": 3}}, "posture angle trunk cannot be set"),
        ({"axes": {"load.hands": [1]}, "criterion": "minmax"}, "criterion = 'minmax' .* needs a held posture"),
        ({"axes": {"load.hands": [1]}, "criterion": "least"}, "criterion = 'least' is not allowed"),
        ({"axes": {"tone.psoas": [0.1, 0.6]}, "parameters": {"inhibition.psoas": 0.5}}, "above its inhibition of 0.5"),
    ],
)
def test_bad_sweeps__are_refused_in_one_sentence(adult, arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        ss.sweep(adult, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ({}, "at least one sample column"),
        ({"load.hands": [1, 2], "strength.core": [1]}, "sample column strength.core has 1 values, load.hands has 2"),
        ({"load.hands": []}, "sample column load.hands has no values"),
        ({"load.hands": 4}, "sample column load.hands = 4 is not allowed: it must be a list of numbers"),
        ({"load.hands": [1, -1]}, "load.hands = -1 kg is not allowed"),
        ({"strength.cor": [1]}, "There is no parameter strength.cor"),
        ({"load.reach": [0.2]}, "load.reach is both sampled and a fixed parameter"),
        ({"tone.psoas": [0.1, 0.6], "inhibition.psoas": [0.5, 0.5]}, "above its inhibition of 0.5"),
    ],
)
def test_bad_samples__are_refused_in_one_sentence(adult, samples, message):
    with pytest.raises(InputError, match=message) as caught:
        ss.sweep(adult, samples=samples, parameters={"load.reach": 0.3})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [{}, {"axes": {"load.hands": [1]}, "samples": {"load.hands": [1]}}])
def test_sweep__takes_either_axes_or_samples(adult, given):
    with pytest.raises(InputError, match="either axes or samples"):
        ss.sweep(adult, **given)


@pytest.mark.parametrize("axes", [{"load.hands": 5}, {"load.hands": "12"}, {"load.hands": None}])
def test_an_axis_that_is_no_list__is_refused_by_name(adult, axes):
    with pytest.raises(InputError, match=r"load\.hands"):
        ss.sweep(adult, axes, posture={})


def test_two_sweeps_at_once__in_two_threads(adult):
    axes = {"tightness.hip_flexors": np.linspace(0, 10, 20)}
    alone = {stance: ss.sweep(adult, axes, stance=stance, variables=FEW) for stance in ("standing", "sitting")}
    found = {}

    def work(stance):
        found[stance] = ss.sweep(adult, axes, stance=stance, variables=FEW)

    threads = [threading.Thread(target=work, args=(stance,)) for stance in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for stance, dataset in alone.items():
        xr.testing.assert_identical(found[stance], dataset)


def test_memory__of_a_sweep_grows_with_its_output(adult):
    """20 000 held cases of three variables: 43 numbers a case are 7 MB; the blocks in work come on top once."""
    few = ["compression", "anterior_pelvic_tilt"]
    axes = {"load.hands": np.linspace(0, 5, 100), "strength.core": np.linspace(0.8, 1.2, 20)}
    ss.sweep(adult, axes, posture={}, variables=few)  # everything that is made once
    peaks = []
    for erectors in (1, 10):
        more = {"strength.erectors": np.linspace(0.9, 1.1, erectors), **axes}
        gc.collect()
        tracemalloc.start()
        dataset = ss.sweep(adult, more, posture={}, variables=few)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (dataset.status == "solved").all()
    assert dataset.status.size == 20_000
    assert peaks[1] - peaks[0] <= 4 * dataset.nbytes
    assert peaks[1] <= 100e6


@pytest.mark.parametrize(
    ("axis", "options"),
    [
        ({"posture.trunk_flexion": [0, 12, 25]}, {"stance": "forward_bend"}),
        ({"posture.anterior_pelvic_tilt": [5, -5, -15]}, {"stance": "sitting", "complete": "find"}),
        (
            {"posture.trunk_bend": [0, 5]},
            {"stance": "side_bend", "posture": {"trunk_flexion": 2}, "parameters": {"load.hand.right": 3}},
        ),
    ],
)
def test_sweep__over_a_posture_angle_equals_single_cases_with_that_angle(adult, axis, options):
    (name, values), *_ = axis.items()
    swept = ss.sweep(adult, axis, variables=["anterior_pelvic_tilt", "compression", "segment_angle"], **options)
    assert (swept.status == "solved").all()
    assert swept[name].attrs["units"] == "deg"
    posture = options.pop("posture", {})
    for value in values:
        angles = {**posture, name.removeprefix("posture."): value}
        single = ss.solve(adult, posture=angles, **options)
        case = swept.sel({name: value})
        np.testing.assert_allclose(case.segment_angle, single.segment_angle, atol=1e-3)
        np.testing.assert_allclose(case.compression, single.compression, rtol=1e-4)


def test_sweep__a_posture_angle_is_what_the_result_says(adult):
    tilts = [6.0, 0.0, -6.0]
    swept = ss.sweep(adult, {"posture.anterior_pelvic_tilt": iter(tilts)}, stance="sitting", complete="find")
    np.testing.assert_allclose(swept.anterior_pelvic_tilt, tilts, atol=1e-6)
    assert "anterior_pelvic_tilt" not in swept.attrs["held_angles_deg"]


def test_sweep__posture_angles_that_no_posture_meets_leave_their_cases_unsolved(adult):
    swept = ss.sweep(adult, {"posture.trunk_bend": [0, 150, 2]}, stance="side_bend", variables=["compression"])
    assert swept.status.values.tolist() == ["solved", "not_converged", "solved"]
    assert np.isnan(swept.compression[1]).all()


@pytest.mark.parametrize(
    ("axes", "options", "message"),
    [
        ({"posture.nose": [1]}, {}, "posture angle nose cannot be set in standing"),
        ({"posture.trunk_flexion": [0, 200]}, {}, r"trunk_flexion = 200 is not allowed: it must be a number from -180"),
        ({"posture.trunk_flexion": ["x"]}, {}, "trunk_flexion = 'x' is not allowed"),
        (
            {"posture.trunk_flexion": "x"},
            {},
            "posture.trunk_flexion = 'x' is not allowed: it must be a list of numbers",
        ),
        ({"posture.trunk_flexion": []}, {}, "posture.trunk_flexion has no values"),
        ({"posture.trunk_flexion": [1, 1.0]}, {}, "posture.trunk_flexion holds a value twice"),
        (
            {"posture.trunk_flexion": [1]},
            {"posture": {"trunk_flexion": 2}},
            "posture.trunk_flexion is both an axis and a posture angle that is held",
        ),
        (
            {"posture.lumbar_flexion": [1]},
            {"posture": {"trunk_flexion": 2, "anterior_pelvic_tilt": 1}},
            "name at most two of",
        ),
    ],
)
def test_sweep__refuses_posture_angles_that_cannot_be(adult, axes, options, message):
    with pytest.raises(InputError, match=message):
        ss.sweep(adult, axes, **options)
