"""Which parameter moves which outcome: the model's own answers against plain sweeps."""

import numpy as np
import pytest
import xarray as xr

import spinesim as ss
from spinesim import results
from spinesim.errors import InputError
from spinesim.model.pack import pack
from spinesim.sensitivity import parse_outcome, sensitivity
from spinesim.stance import pack_stance

RANGES = {"load.hands": (0.0, 8.0), "strength.erectors": (0.7, 1.2), "tightness.hip_flexors": (0.0, 15.0)}
OUTCOMES = ["compression.L4_L5", "anterior_pelvic_tilt"]
HELD = {"posture": {"trunk_flexion": 15.0}}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("anterior_pelvic_tilt", {}),
        ("compression.L4_L5", {"level": "L4_L5"}),
        ("foramen_area.L5_S1.left", {"foramen": "L5_S1", "side": "left"}),
        ("segment_angle.L3_L4.bend", {"level": "L3_L4", "axis": "bend"}),
        ("joint_angle.L3_L4.flexion", {"joint_coordinate": "L3_L4.flexion"}),
        ("group_activation.core", {"muscle_group": "core"}),
    ],
)
def test_outcome__is_the_number_of_that_name(adult, name, place):
    case = ss.solve(adult, {"load.hand.right": 5.0}, **HELD)
    outcome = parse_outcome(pack_stance(pack(adult), "standing"), name)
    variable = name.split(".")[0]
    assert outcome.of(case[variable].values[None]).item() == case[variable].sel(place).item()
    assert outcome.units == case[variable].attrs["units"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("compresion", "there is no result variable compresion"),
        ("status", "there is no result variable status"),
        ("bone_position.S1.x", "there is no result variable bone_position"),
        ("compression", "it needs a level, one of L5_S1, L4_L5"),
        ("compression.L4", "it needs a level"),
        ("compression.L4_L5.left", "compression has no left"),
        ("foramen_area.L4_L5", "it needs a side, one of left, right"),
        ("lean.left", "lean has no left"),
    ],
)
def test_outcome__that_is_none(adult, name, words):
    with pytest.raises(InputError, match=words):
        sensitivity(adult, RANGES, [name], method="local")


def test_morris__effects_are_those_of_its_own_cases(adult, tmp_path):
    found = sensitivity(adult, RANGES, OUTCOMES, method="morris", n=4, output=tmp_path / "cases.nc", **HELD)
    cases = ss.open_results(tmp_path / "cases.nc")
    assert cases.sizes["sample"] == 4 * 4
    assert found.unsolved_cases == 0
    assert (found.pairs_used == 4).all()
    load = cases["load.hands"].values.reshape(4, 4)
    compression = cases.compression.sel(level="L4_L5").values.reshape(4, 4)
    rows, steps = np.nonzero(np.diff(load, axis=1))
    ratio = (np.diff(compression, axis=1) / (np.diff(load, axis=1) + (np.diff(load, axis=1) == 0)))[rows, steps] * 8.0
    one = found.sel(outcome="compression.L4_L5", parameter="load.hands")
    assert one.effect == pytest.approx(ratio.mean())
    assert one.effect_spread == pytest.approx(ratio.std(ddof=1))
    assert one.effect_low <= one.effect <= one.effect_high


def test_local__effects_are_slopes_in_the_middle_times_the_range(adult):
    found = sensitivity(adult, RANGES, OUTCOMES, method="local", **HELD)
    middle = {name: 0.5 * (low + high) for name, (low, high) in RANGES.items()}
    for name, (low, high) in RANGES.items():
        step = 1e-4 * (high - low)
        ends = [ss.solve(adult, {**middle, name: middle[name] + sign * step}, **HELD) for sign in (-1, 1)]
        slope = np.diff([end.compression.sel(level="L4_L5").item() for end in ends])[0] / (2 * step)
        one = found.sel(outcome="compression.L4_L5", parameter=name)
        assert one.derivative == pytest.approx(slope, rel=1e-4)
        assert one.effect == pytest.approx(slope * (high - low), rel=1e-4)
    assert found.outcome_middle.sel(outcome="compression.L4_L5") == pytest.approx(
        ss.solve(adult, middle, **HELD).compression.sel(level="L4_L5").item()
    )


def test_local__is_about_the_values_that_are_given(adult):
    at = sensitivity(adult, RANGES, OUTCOMES, method="local", parameters={"load.hands": 1.0}, **HELD)
    other = {**RANGES, "load.hands": (0.5, 1.5)}
    near = sensitivity(adult, other, OUTCOMES, method="local", **HELD)
    np.testing.assert_allclose(at.derivative, near.derivative, rtol=1e-5, atol=1e-6)


def test_sobol__of_held_loads_finds_what_carries_them(adult, tmp_path):
    found = sensitivity(adult, RANGES, OUTCOMES[:1], n=64, output=tmp_path / "cases.nc", **HELD)
    one = found.sel(outcome="compression.L4_L5")
    assert one.total_order.sel(parameter="load.hands") > 0.9
    assert (one.total_order_low <= one.total_order).all()
    assert (one.total_order <= one.total_order_high).all()
    assert found.rows.values.tolist() == [16, 32, 64]
    np.testing.assert_array_equal(found.total_order_by_size.isel(rows=-1), found.total_order)
    np.testing.assert_array_equal(found.first_order_by_size.isel(rows=-1), found.first_order)
    local = sensitivity(adult, RANGES, OUTCOMES[:1], method="local", **HELD)
    np.testing.assert_allclose(one.effect, local.effect[0], rtol=0.2, atol=10.0)
    results.write(found, tmp_path / "table.nc")
    xr.testing.assert_identical(ss.open_results(tmp_path / "table.nc"), found)
    again = sensitivity(adult, RANGES, OUTCOMES[:1], n=64, threads=1, **HELD)
    xr.testing.assert_identical(again, found)


@pytest.mark.parametrize(("method", "n"), [("morris", 30), ("sobol", 32)])
def test_unsolved_cases__are_left_out_in_pairs_and_counted(adult, method, n, tmp_path):
    ranges = {"load.hands": (0.0, 50.0), "strength.erectors": (0.7, 1.2)}
    options = {"parameters": {"load.reach": 0.5}, "posture": {}, "output": tmp_path / "cases.nc"}
    found = sensitivity(adult, ranges, ["compression.L4_L5"], method=method, n=n, **options)
    status = ss.open_results(tmp_path / "cases.nc").status.values
    assert 0 < found.unsolved_cases == (status != "solved").sum() < status.size
    assert (found.pairs_used < n).all()
    assert (found.pairs_used > 0).all()
    assert np.isfinite(found.effect).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "fast"}, "method = 'fast' is not allowed"),
        ({"n": 100}, "n = 100 is not allowed: Sobol' indices need a power of two from 16"),
        ({"n": 8}, "need a power of two from 16"),
        ({"n": 0}, "it must be a whole number from 1"),
        ({"n": 1, "method": "morris"}, "needs 2 trajectories"),
        ({"ranges": {}}, "the range of at least one parameter"),
        ({"ranges": {"load.hands": (1, 1)}}, "range load.hands = 1 to 1 is not allowed: the first must be smaller"),
        ({"ranges": {"load.hands": (0, 500)}}, "load.hands = 500 kg is not allowed"),
        ({"ranges": {"load.hand": (0, 5)}}, "There is no parameter load.hand"),
        ({"ranges": {"load.hands": 3}}, "it must be two numbers"),
        ({"outcomes": []}, "one or more different names"),
        ({"outcomes": ["lean", "lean"]}, "one or more different names"),
        ({"parameters": {"load.hands": 2}}, "both sampled and a fixed parameter"),
        ({"method": "local", "outcomes": ["cocontraction_compression.L4_L5"]}, "has no local derivative"),
        (
            {"method": "local", "ranges": {"posture.trunk_flexion": (0, 5)}},
            "an angle that is held has no local derivative",
        ),
    ],
)
def test_bad_requests__are_refused_in_one_sentence(adult, change, words):
    asked = {"ranges": RANGES, "outcomes": OUTCOMES, "method": "sobol", "n": 16, **change}
    with pytest.raises(InputError, match=words) as caught:
        sensitivity(adult, asked.pop("ranges"), asked.pop("outcomes"), **asked)
    assert "\n" not in str(caught.value)
