"""Every shipped experiment runs on a small grid, leaves what it promises, and its README speaks of it."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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


def test_asymmetric_load__one_hand_compresses_more_than_the_same_weight_in_both(outputs):
    one, both, none = (
        results.open_results(outputs("asymmetric_load") / f"{name}.nc")["compression"]
        for name in ("right_10kg", "both_10kg", "nothing")
    )
    assert np.all(one > both)
    assert np.all(both > none)


def test_asymmetric_load__weight_on_the_right_is_carried_by_the_left_trunk_muscles(outputs):
    case = results.open_results(outputs("asymmetric_load") / "right_10kg.nc")
    for group in ("erectors", "quadratus_lumborum"):
        chosen = case["muscle_force"].where(case["group"] == group, 0.0)
        left, right = (float(chosen.where(case["muscle_side"] == side, 0.0).sum()) for side in ("left", "right"))
        assert left > right
