"""Every shipped experiment runs on a small grid, leaves what it promises, and its README speaks of it."""

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import spinesim as ss
from spinesim import results
from spinesim.report import experiment_names, experiments_folder, read_scenario, run_experiment


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Output folder of an experiment by name; each is run once."""

    @cache
    def run(name: str) -> Path:
        target = tmp_path_factory.mktemp(name)
        assert run_experiment(name, target, small=True) == target
        return target

    return run


every_experiment = pytest.mark.parametrize("name", experiment_names())


@every_experiment
def test_experiment__leaves_data_figures_and_report(name, outputs):
    scenario, target = read_scenario(experiments_folder() / name), outputs(name)
    for run in scenario.run:
        dataset = results.open_results(target / f"{run.name}.nc")
        assert tuple(dataset["status"].dims) == tuple(run.axes)
        solved = dataset["status"] == "solved"
        assert float(dataset["moment_residual"].where(solved, 0.0).max()) <= 1e-6
    for entry in scenario.figure:
        assert (target / f"{entry.file}.svg").exists()
        with Image.open(target / f"{entry.file}.png") as image:
            assert min(image.size) > 500
            assert image.text["Description"]
    report = (target / "report.md").read_text(encoding="utf-8")
    assert report.startswith(f"# {scenario.title}\n")
    assert "never a diagnosis" in report
    assert " nan " not in report
    assert all(f"({entry.file}.png)" in report for entry in scenario.figure)


@every_experiment
def test_readme__opens_with_the_finding_and_explains_every_run(name):
    folder = experiments_folder() / name
    scenario = read_scenario(folder)
    text = (folder / "README.md").read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[:2] == [f"# {scenario.title}", "## What was found"]
    assert "## Limits" in headings
    assert f"spinesim run {name}" in text
    assert all(f"`{run.name}`" in text for run in scenario.run)


def test_hip_flexor_tightness__tilts_the_standing_pelvis_forward(outputs):
    tilt = results.open_results(outputs("hip_flexor_tightness") / "standing.nc")["anterior_pelvic_tilt"].values
    assert np.all(np.diff(tilt) > 0)


def test_hip_flexor_tightness__hardly_moves_the_sitting_pelvis(outputs):
    sitting = results.open_results(outputs("hip_flexor_tightness") / "sitting.nc").isel(
        {"tightness.hip_flexors": slice(2)}
    )
    assert abs(float(sitting["anterior_pelvic_tilt"].diff("tightness.hip_flexors").item())) < 0.5
    assert float(np.abs(sitting["passive_moment_hip_flexors"]).max()) < 1.0  # slack hip flexors explain it


def test_hip_flexor_tightness__sitting_turns_the_pelvis_back(outputs):
    folder = outputs("hip_flexor_tightness")
    sitting, standing = (results.open_results(folder / f"{name}.nc") for name in ("sitting_30", "standing_0"))
    assert float(sitting["sacral_slope"] - standing["sacral_slope"]) < -5.0


def test_asymmetric_load__one_hand_compresses_more_than_the_same_weight_in_both(outputs):
    one, both, none = (
        results.open_results(outputs("asymmetric_load") / f"upright_{name}.nc")["compression"]
        for name in ("right_10kg", "both_10kg", "nothing")
    )
    assert np.all(one > both)
    assert np.all(both > none)


def test_asymmetric_load__balanced_loads_cost_more_cocontraction_than_one_sided_ones(outputs):
    one, both = (
        results.open_results(outputs("asymmetric_load") / f"upright_{name}_10kg.nc")["cocontraction_compression"]
        for name in ("right", "both")
    )
    assert np.all(both > one)


def test_asymmetric_load__weight_on_the_right_is_carried_by_the_left_trunk_muscles(outputs):
    case = results.open_results(outputs("asymmetric_load") / "upright_right_10kg.nc")
    for group in ("core", "erectors", "quadratus_lumborum"):
        chosen = case["muscle_force"].where(case["group"] == group, 0.0)
        left, right = (float(chosen.where(case["muscle_side"] == side, 0.0).sum()) for side in ("left", "right"))
        assert left > right


def test_core_weakness__a_weak_core_stays_stable_at_more_effort_and_less_load(outputs):
    upright = results.open_results(outputs("core_weakness") / "upright.nc")
    assert np.all(upright["status"] == "solved")
    np.testing.assert_allclose(upright["stability_margin"], 0.0, atol=2e-5)
    assert np.all(upright["effort"].diff("strength.core") > 0)  # the core runs from strong to weak
    assert np.all(upright["compression"].sel(level="L5_S1").diff("strength.core") < 0)
    assert np.all(upright["group_activation"].sel(muscle_group="abdominals").diff("strength.core") > 0)


def test_core_weakness__least_effort_would_buckle_upright_and_stand_bent(outputs):
    upright, bent = (
        results.open_results(outputs("core_weakness") / f"{name}_relaxed.nc")["stability_margin"]
        for name in ("upright", "bent")
    )
    assert np.all(upright < -200)
    assert np.all(bent.sel({"load.hands": 0}) > 0)


def test_core_weakness__bracing_stiffens_and_compresses(outputs):
    braced = results.open_results(outputs("core_weakness") / "bracing.nc")
    assert np.all(braced["stability_margin"].diff("tone.abdominals") > 0)
    assert np.all(braced["compression"].diff("tone.abdominals") > 0)


@pytest.fixture(scope="module")
def anchors():
    """The script of the anchors as a module."""
    path = experiments_folder() / "core_weakness" / "anchors.py"
    spec = importlib.util.spec_from_file_location("anchors", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("load", [0, 10])
@pytest.mark.parametrize("stability", [False, True])
def test_anchors__stiffness_is_that_of_the_result(anchors, adult, load, stability):
    case = ss.solve(adult, {"load.hands": load}, posture=anchors.UPRIGHT, stability=stability)
    body = anchors.Stiffness(adult, load=load, lean=case.lean.item())
    assert body.margin(body.of(case)) == pytest.approx(case.stability_margin.item(), abs=1e-6)


def test_anchors__readme_gives_what_is_printed(anchors, adult):
    text = (experiments_folder() / "core_weakness" / "README.md").read_text(encoding="utf-8")
    activity = dict(anchors.activity(adult))
    for name in ("TS048 trunk muscles, mean by volume", "TS048 the same with 32 kg", "MA047 abdominals"):
        assert activity[name] in text
    spine = dict(anchors.bare_spine(adult))
    assert all(weight in text for weight in spine.values())
    worth = dict(anchors.removal(adult))
    for group, percent in (("abdominals", 43), ("erectors", 24), ("gluteals", 21)):
        assert f"{percent}%" in worth[f"without {group}, 0 kg"]
        assert f"{group} {percent} %" in text


def test_lower_crossed__in_standing_is_the_work_of_the_hip_flexors(outputs):
    folder = outputs("lower_crossed")

    def tilt(run):
        values = results.open_results(folder / f"{run}.nc")["anterior_pelvic_tilt"].values
        return values[-1] - values[0]

    parts = {name: tilt(name) for name in ("tight_hip_flexors", "weak_gluteals", "weak_abdominals", "stiff_erectors")}
    assert max(parts, key=parts.__getitem__) == "tight_hip_flexors"
    assert abs(parts["stiff_erectors"]) < 0.2
    assert parts["tight_hip_flexors"] < tilt("standing") < sum(parts.values())
    assert tilt("sitting") < 0.25 * tilt("standing")


def test_hamstring_quadriceps__is_a_null_at_the_pelvis_and_flattens_the_sitting_spine(outputs):
    folder = outputs("hamstring_quadriceps")

    def change(run, name):
        values = results.open_results(folder / f"{run}.nc")[name].values
        return values[-1] - values[0]

    assert abs(change("tight_hamstrings", "anterior_pelvic_tilt")) < 0.5
    assert 0 < change("weak_quadriceps", "anterior_pelvic_tilt") < 0.5
    assert abs(change("sitting", "anterior_pelvic_tilt")) < 0.5
    assert change("sitting", "lumbar_lordosis") < -2
    assert np.abs(change("bent_by_rhythm", "compression")).max() < 1.0


def test_erector_compensation__erectors_hardly_make_up_for_others_and_press_when_they_never_relax(outputs):
    folder = outputs("erector_compensation")

    def gain(run, *muscles):
        dataset = results.open_results(folder / f"{run}.nc")
        force = dataset["muscle_force"].values[:, np.isin(dataset["anatomical_muscle"].values, muscles)].sum(axis=1)
        return force[-1] / force[0] - 1

    erectors, hamstrings = ("longissimus", "iliocostalis"), ("biceps_femoris_long", "semitendinosus", "semimembranosus")
    assert 0 < gain("weak_core", *erectors) < 0.1
    assert 0 < gain("weak_gluteals", *erectors) < 0.2
    assert abs(gain("weak_gluteals_bent", *erectors)) < 1e-6
    assert gain("weak_gluteals_bent", *hamstrings) > 0.2
    for run in ("standing", "sitting"):
        load = results.open_results(folder / f"{run}.nc")["compression"].sel(level="L4_L5").values
        assert load[-1] > 2 * load[0]


def test_piriformis_posture__presses_its_own_hip_and_nothing_else_in_standing(outputs):
    folder = outputs("piriformis_posture")
    for run in ("overactive_standing", "tight_standing", "overactive_sitting"):
        dataset = results.open_results(folder / f"{run}.nc")
        for name, limit in (("anterior_pelvic_tilt", 0.2), ("lumbar_lordosis", 0.3)):
            assert np.abs(dataset[name].values - dataset[name].values[0]).max() < limit, (run, name)
        load = dataset["compression"].values
        assert np.abs(load / load[0] - 1).max() < 0.01  # as the page says
    hip = results.open_results(folder / "overactive_standing.nc")["hip_contact_force"]
    assert float(hip.sel(side="right")[-1] - hip.sel(side="right")[0]) > 50
    assert abs(float(hip.sel(side="left")[-1] - hip.sel(side="left")[0])) < 5


def test_disc_height__alone_does_not_press_and_with_a_thick_ligament_does(outputs):
    folder = outputs("disc_height")

    def pressures(run):
        return results.open_results(folder / f"{run}.nc").root_contact_pressure.sel(foramen="L4_L5", side="right")

    alone = pressures("height")
    assert float(alone.max()) < 30.0
    both = pressures("height_and_ligament")
    thick = {"ligamentum_flavum.thickening": 1.5}
    assert (both.sel(thick) > both.isel({"ligamentum_flavum.thickening": 0}) + 30.0).all()
    bulging = pressures("height_and_bulge")
    assert float((bulging - bulging.isel({"disc.L4_L5.bulge": 0})).max()) < 10.0
