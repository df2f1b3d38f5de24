"""Scenario files and the report, with a made-up solver whose numbers are known."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spinesim import results
from spinesim.errors import InfeasibleError, InputError, ResultsFileError
from spinesim.model.read import load_model
from spinesim.plots.cases import four
from spinesim.report import experiment_names, experiments_folder, find_experiment, read_scenario, run_experiment
from spinesim.report import run as running
from spinesim.report.scenario import axis_values, line_of
from spinesim.report.text import report_text
from spinesim.sweep import swept_task
from spinesim.variables import attributes
from tests.synthetic import (
    synthetic_case,
    synthetic_comparison,
    synthetic_confusion,
    synthetic_course,
    synthetic_doses,
    synthetic_sensitivity,
    synthetic_sweep,
)

GOOD = """\
title = "A made-up experiment"
question = "What changes?"

[[run]]
name = "standing"
[run.axes]
"tightness.hip_flexors" = { start = 0, stop = 30, step = 3 }

[[run]]
name = "map"
title = "both at once"
[run.axes]
"strength.gluteals" = [1.0, 0.6, 0.2]
"tightness.hip_flexors" = [0, 15, 30]

[[run]]
name = "healthy"

[[run]]
name = "tight"
posture = { trunk_flexion = 30 }
[run.parameters]
"tightness.hip_flexors" = 30

[[figure]]
kind = "tilt_and_lordosis"
file = "tilt"
run = "standing"

[[figure]]
kind = "disc_loads"
file = "loads"
runs = ["healthy", "tight"]
healthy = "healthy"
formats = ["pdf", "png"]

[[figure]]
kind = "muscle_groups"
file = "muscles"
run = "standing"
case = { "tightness.hip_flexors" = 15 }

[[figure]]
kind = "heat_map"
file = "map"
run = "map"
options = { variable = "compression", at = { level = "L4_L5" } }

[[figure]]
kind = "body_sagittal"
file = "body"
run = "tight"
"""


@pytest.fixture
def experiment(tmp_path) -> Path:
    folder = tmp_path / "made_up"
    folder.mkdir()
    (folder / "scenario.toml").write_text(GOOD, encoding="utf-8")
    return folder


@pytest.fixture
def calls(monkeypatch):
    """A solver that makes its numbers up; returns the list of what was asked of it."""
    asked = []

    def made_up_solve(model, parameters, **options):
        asked.append((dict(parameters), options))
        dataset = synthetic_case(len(parameters))
        dataset.attrs["parameters"] = json.dumps(dict(parameters))
        dataset.attrs["held_angles_deg"] = json.dumps(options["posture"] or {})
        return dataset

    def made_up_sweep(model, axes, *, output, **options):
        asked.append((dict(axes), options))
        failed = {(2, 2): "infeasible"} if len(axes) == 2 else {}
        dataset = synthetic_sweep(axes, failed=failed)
        results.write(dataset, output)
        return dataset

    monkeypatch.setattr(running, "load_model", lambda name: name)
    monkeypatch.setattr(running, "check_settings", lambda model, settings: None)
    monkeypatch.setattr(running, "swept_task", lambda *given, **task: None)
    monkeypatch.setattr(running, "solve", made_up_solve)
    monkeypatch.setattr(running, "sweep", made_up_sweep)
    return asked


def changed(folder: Path, old: str, new: str, count: int = 1) -> Path:
    """The experiment with ``count`` replacements in its scenario."""
    path = folder / "scenario.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")
    return folder


# What is written


def test_run_experiment__leaves_data_figures_and_a_report(experiment, calls, tmp_path):
    target = run_experiment(experiment, tmp_path / "out")
    assert target == tmp_path / "out"
    assert sorted(path.name for path in target.iterdir()) == sorted(
        ["standing.nc", "map.nc", "healthy.nc", "tight.nc", "report.md", "loads.png", "loads.pdf"]
        + [f"{name}.{ending}" for name in ("tilt", "muscles", "map", "body") for ending in ("png", "svg")]
    )
    assert results.open_results(target / "standing.nc").sizes["tightness.hip_flexors"] == 11


def test_run_experiment__asks_the_solver_for_what_the_scenario_says(experiment, calls, tmp_path):
    run_experiment(experiment, tmp_path / "out")
    (standing, options), (both, _), (healthy, _), (tight, held) = calls
    assert standing == {"tightness.hip_flexors": [3.0 * i for i in range(11)]}
    assert options["stance"] == "standing"
    assert options["posture"] is None
    assert list(both) == ["strength.gluteals", "tightness.hip_flexors"]
    assert healthy == {}
    assert tight == {"tightness.hip_flexors": 30}
    assert held["posture"] == {"trunk_flexion": 30}
    assert held["raise_on_failure"] is False


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        ("", {"criterion": "effort2", "weights": "volume", "stability": None}),
        ("stability = true", {"stability": True}),
        ("stability = false", {"stability": False}),
        ("stability = -50", {"stability": -50.0}),
        ('criterion = "effort3"\nweights = "unit"', {"criterion": "effort3", "weights": "unit"}),
    ],
)
def test_run_experiment__hands_on_stability_criterion_and_weights(experiment, calls, tmp_path, lines, asked):
    changed(experiment, 'name = "healthy"', f'name = "healthy"\n{lines}')
    run_experiment(experiment, tmp_path / "out")
    options = calls[2][1]
    assert {name: options[name] for name in asked} == asked
    assert all(type(options[name]) is type(value) for name, value in asked.items())


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('criterion = "effort1"', r"run healthy: criterion = 'effort1' is not allowed: it must be 'effort' and a pow"),
        ('criterion = "effort3"', r"run healthy: criterion = 'effort3' with weights = 'volume' needs a held posture"),
        ("stability = 1e6", r"run healthy: stability = 1000000\.0 is not allowed: it must be True, False or a margin"),
    ],
)
def test_scenario__demands_the_model_cannot_meet_are_refused_before_solving(
    experiment, calls, monkeypatch, tmp_path, lines, message
):
    monkeypatch.setattr(running, "load_model", load_model)
    monkeypatch.setattr(running, "swept_task", swept_task)
    changed(experiment, 'name = "healthy"', f'name = "healthy"\n{lines}')
    changed(experiment, "posture = { trunk_flexion = 30 }\n", "")
    with pytest.raises(InputError, match=rf"scenario\.toml: {message}") as caught:
        run_experiment(experiment, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert calls == []


def test_report__says_criterion_and_stability(calls):
    case = synthetic_case(1.0)
    case.attrs |= {"criterion": "effort3", "weights": "unit", "stability_demanded": "0 N m/rad"}
    text = report_text("Title", "Question?", [("run.nc", "run", case)], [])
    assert "| run | standing | found; effort3, unit weights | 0 N m/rad | defaults |" in text


def test_run_experiment__small_keeps_ends_and_middle(experiment, calls, tmp_path):
    run_experiment(experiment, tmp_path / "out", small=True)
    assert calls[0][0] == {"tightness.hip_flexors": [0.0, 15.0, 30.0]}
    assert calls[1][0] == {"strength.gluteals": [1.0, 0.6, 0.2], "tightness.hip_flexors": [0.0, 15.0, 30.0]}


def test_report__holds_question_numbers_figures_failures_and_limits(experiment, calls, tmp_path):
    text = (run_experiment(experiment, tmp_path / "out") / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# A made-up experiment\n\nWhat changes?\n")
    assert "digest `0123456789abcdef`; spinesim 0.1.0" in text
    assert "| standing | standing | found | none | defaults | tightness.hip_flexors 0 to 30 deg (11) | 11 of" in text
    assert "with trunk_flexion = 30 deg | none | tightness.hip_flexors = 30 | none | 1 of 1 | `tight.nc` |" in text
    # 600 N at L5/S1 and 580 N at L4/L5 with s = 1; pressures over 0.66 x 1540 mm2; the right L5/S1 foramen is 95 mm2
    assert "| 30 | 3.00 | 61.7 | 600 | 580 | 0.59 | 0.57 | 0.00 | 95.0 | 0.00 | solved |" in text
    assert "| tight | 3.00 | 61.7 | 600 | 580 | 0.59 | 0.57 | 0.00 | 95.0 | 0.00 | solved |" in text
    assert f"| 0.2 | 30 |{9 * ' — |'} infeasible |" in text
    assert "21 of 22 cases are solved (95%)." in text
    assert "- both at once, strength.gluteals = 0.2, tightness.hip_flexors = 30: infeasible, T12_L1.fl" in text
    assert "T12_L1.flexion lacks 12.50 N m\n" in text
    assert text.count("not asked for a margin of stability") == 1
    assert "Anterior pelvic tilt rises by 3.0 deg" not in text  # panels are named, so captions begin with the name
    assert "standing: anterior pelvic tilt rises by 3.0 deg" in text


def test_report__every_picture_exists_and_carries_its_caption(experiment, calls, tmp_path):
    target = run_experiment(experiment, tmp_path / "out")
    text = (target / "report.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]+\]\((.*?)\)\n\n\*(.*?)\*\n", text)
    assert [file for file, _ in pictures] == ["tilt.png", "loads.png", "muscles.png", "map.png", "body.png"]
    for file, words in pictures:
        with Image.open(target / file) as image:
            assert image.text["Description"] == words


def test_report__lists_many_failures_shortly_and_flags():
    failed = {(i,): "not_converged" for i in range(25)}
    sweep = synthetic_sweep({"load.hands": range(30)}, failed=failed)
    sweep["outside_curve_range"][27] = 4.0
    sweep["branch"][28:] = 1.0
    text = report_text("Title", "Question?", [("run.nc", "run", sweep)], [])
    assert text.count(": not converged\n") == 10
    assert "- run: and 15 more, see `status` in `run.nc`" in text
    assert "In 1 of 30 cases of run, up to 4 fascicles" in text
    assert "2 of 30 cases of run are marked: there, or at the end of their chain of solves, another solution" in text
    assert "## Figures" not in text


def test_report__says_how_runs_over_one_axis_run():
    even = synthetic_sweep({"load.hands": range(11)}, failed={(10,): "infeasible"})
    still = synthetic_sweep({"strength.gluteals": [1, 0.5, 0]})
    still["anterior_pelvic_tilt"] *= 0.1
    still["branch"][1:] = 1.0
    text = report_text("Title", "Question?", [("even.nc", "even", even), ("still.nc", "still", still)], [])
    rows = [line.strip("| ").split(" | ") for line in text.partition("along their axis")[2].splitlines()[2:6]]
    assert rows[0][5:] == [
        "anterior pelvic tilt [deg]",
        "lumbar lordosis [deg]",
        "L5/S1 compression [N]",
        "L4/L5 compression [N]",
        "stability margin [N·m/rad]",
    ]
    assert rows[2] == [
        *("even", "`even.nc`", "load.hands 0 to 10 kg (11)", "10", "0", "0.00 to 2.70, linear", "57.7 to 61.3, linear"),
        *("500 to 590, linear", "480 to 570, linear", "-100 to -10.00, linear"),
    ]
    assert rows[3][3:6] == ["3", "2", "0.00 to 0.30, null"]
    assert "Null: no change by 5 N, 0.5 deg" in text
    alone = report_text("Title", "Question?", [("case.nc", "case", synthetic_case(1.0))], [])
    assert "along their axis" not in alone


def test_run_experiment__draws_runs_together(experiment, calls, tmp_path):
    changed(
        experiment,
        'kind = "body_sagittal"\nfile = "body"\nrun = "tight"',
        'kind = "lines"\nfile = "body"\nruns = ["standing", "map"]\n'
        'options = { variable = "compression", at = { level = "L4_L5" } }',
    )
    report = (run_experiment(experiment, tmp_path / "out") / "report.md").read_text(encoding="utf-8")
    assert "Compression at L4/L5 along tightness.hip_flexors, 0 to 30 deg: standing 480 to 580 N (linear); " in report
    assert "both at once, strength.gluteals = 0.6 530 to 630 N (linear)" in report


@pytest.mark.parametrize(("value", "text"), [(523.4, "523"), (57.74, "57.7"), (-3.456, "-3.46"), (-1e-13, "0.00")])
def test_numbers__have_about_four_figures(value, text):
    assert four(value) == text


# Where it is written


def test_output__is_below_the_current_folder_by_default(experiment, calls, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_experiment("made_up") == Path("output/made_up")
    assert (tmp_path / "output" / "made_up" / "report.md").exists()


def test_output__that_cannot_be_written_stops_before_anything_is_computed(experiment, calls, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ResultsFileError, match=r"The output folder .*file/out cannot be written: "):
        run_experiment(experiment, tmp_path / "file" / "out")
    assert calls == []


# Which experiment is meant


def test_experiments__are_found_by_name_and_by_path(experiment):
    assert {"hip_flexor_tightness", "core_weakness", "asymmetric_load"} <= set(experiment_names())
    assert find_experiment("core_weakness") == experiments_folder() / "core_weakness"
    assert find_experiment("experiments/core_weakness/").name == "core_weakness"
    assert find_experiment(experiment) == experiment


def test_experiments__unknown_ones_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no experiment core_weaknes: did you mean core_weakness\?"):
        find_experiment("core_weaknes")
    with pytest.raises(InputError, match="no experiment zzz: those with spinesim are assessments, asymmetric_load"):
        find_experiment("zzz")
    with pytest.raises(InputError, match="There is no experiment elsewhere/core_weakness"):
        find_experiment("elsewhere/core_weakness")
    with pytest.raises(InputError, match=r"holds no scenario\.toml"):
        find_experiment(tmp_path)


def test_experiments__a_packaged_folder_comes_first(tmp_path, monkeypatch):
    package = tmp_path / "spinesim"
    (package / "report").mkdir(parents=True)
    monkeypatch.setattr(running, "__file__", str(package / "report" / "run.py"))
    assert experiments_folder() == tmp_path / "experiments"
    (package / "experiments").mkdir()
    assert experiments_folder() == package / "experiments"


# Damaged scenarios


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "A made-up experiment"\n', "", r"scenario\.toml: title: the entry is missing\."),
        ("question", "questoin", r"scenario\.toml line 2: questoin: unknown entry, allowed are title, question, model"),
        ('name = "healthy"', 'name = "healthy"\nstanse = "sitting"', r"line 18: run 3, stanse: unknown entry, allowed"),
        ('name = "healthy"', 'name = "../healthy"', r"line 17: run 3, name: '../healthy' is not a name, allowed are"),
        ('name = "healthy"', "name = 3", r"line 17: run 3, name: 3: input should be a valid string\."),
        ('name = "healthy"', 'name = "tight"', r"line 20: run 4, name: tight stands twice"),
        ("step = 3", "step = 4", r"line 7: run 1, axes, tightness\.hip_flexors: .* is not an axis: it must be a list"),
        ("step = 3", "step = 0", r"is not an axis: it must be a list of numbers"),
        ("step = 3", "step = -3", r"is not an axis"),
        ("step = 3", "steps = 3", r"is not an axis"),
        ("[1.0, 0.6, 0.2]", "[]", r"line 13: run 2, axes, strength\.gluteals: \[\] is not an axis"),
        ("[1.0, 0.6, 0.2]", "[1.0, 1.0]", r"line 13: .*is not an axis: it must be a list of numbers without repet"),
        ("[1.0, 0.6, 0.2]", '"many"', r"'many' is not an axis"),
        ("[1.0, 0.6, 0.2]", "[1.0, nan]", r"is not an axis"),
        ('"tightness.hip_flexors" = 30', '"tightness.hip_flexors" = "much"', r"line 23: run 4, parameters, tightness"),
        ("trunk_flexion = 30", "trunk_flexion = inf", r"line 21: run 4, posture, trunk_flexion: inf: input should be"),
        ('kind = "disc_loads"', 'kind = "disc_load"', r"line 31: figure 2, kind: there is no figure kind disc_load: "),
        ('run = "tight"', 'run = "tigth"', r"line 52: figure 5, run: there is no run tigth: did you mean tight\?"),
        ('healthy = "healthy"', 'healthy = "sound"', r"figure 2, healthy: there is no run sound, allowed are"),
        ('run = "tight"', "", r"line 49: figure 5: give either run, or runs with at least one name\."),
        ('run = "tight"', 'run = "tight"\nruns = ["tight"]', r"figure 5: give either run, or runs"),
        ('file = "body"', 'file = "map"', r"line 51: figure 5, file: map stands twice"),
        ('at = {', 'on = {', r"line 47: figure 4, options: heat_map has no option on: allowed are variable, at"),
        ('variable = "compression"', 'variable = "pain"', r"figure 4, options: there is no result variable pain"),
        ('run = "map"', 'run = "standing"', r"figure 4, kind: heat_map draws 2 axes and run standing leaves 1 open"),
        ('{ "tightness.hip_flexors" = 15 }', '{ "strength.core" = 1 }', r"run standing has no axis strength\.core"),
        ('run = "tight"', 'run = "standing"', r"body_sagittal draws bone_position, which run standing does not"),
        ('kind = "body_sagittal"', 'kind = "lines"', r"figure 5, kind: lines draws 1 or 2 axes and run tight leaves 0"),
        ('name = "map"', 'name = "map"\nvariables = ["effort"]', r"heat_map draws compression, which run map does not"),
        ('name = "map"', 'name = "map"\nvariables = ["efort"]', r"run 2, variables: there is no result variable efort"),
        ('formats = ["pdf", "png"]', 'formats = ["bmp"]', r"figure 2, formats 1: 'bmp': input should be 'png', 's"),
        ('healthy = "healthy"\nformats', 'options = 3\nformats', r"figure 2, options: 3: input should be a valid dict"),
        ('name = "healthy"', 'name = "healthy"\nstability = "yes"', r"line 18: run 3, stability: 'yes' is not a"),
        ('name = "healthy"', 'name = "healthy"\nstability = nan', r"stability: nan is not a demand of stabil"),
        ('name = "healthy"', 'name = "healthy"\nstability = [0]', r"\[0\] is not .* true .*, false .* or a n"),
        ('name = "healthy"', 'name = "healthy"\ncriterion = 2', r"line 18: run 3, criterion: 2: input"),
        ('name = "healthy"', 'name = "healthy"\nweights = "mass"', r"'mass': input should be 'volume' or 'unit'"),
        ("[[run]]\n", "[[run]\n", r"scenario\.toml is not valid TOML: .*line 4"),
    ],
)  # fmt: skip
def test_scenario__damage_is_one_sentence_with_place_and_remedy(experiment, calls, tmp_path, old, new, message):
    changed(experiment, old, new)
    with pytest.raises(InputError, match=message) as caught:
        run_experiment(experiment, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert calls == []
    assert not (tmp_path / "out").exists()


def test_scenario__needs_a_run(experiment):
    (experiment / "scenario.toml").write_text('title = "t"\nquestion = "q"\nrun = []\n', encoding="utf-8")
    with pytest.raises(
        InputError, match=r"line 3: run: the entry is missing; so are sensitivity, confusion, compare, dose and adap"
    ):
        read_scenario(experiment)


TABLES = """
title = "t"
question = "q"
[[confusion]]
name = "own"
severities = [1.0]
tests = ["thomas"]
draws = 50
[[figure]]
kind = "confusion"
file = "own"
run = "own"
"""


def test_run_experiment__of_a_confusion_saves_draws_and_reports_it(experiment, monkeypatch, tmp_path):
    (experiment / "scenario.toml").write_text(TABLES, encoding="utf-8")
    asked = {}

    def made_up(model, tests, **given):
        asked.update(given, tests=tests)
        return (
            synthetic_confusion()
            .assign_attrs(
                {"against": "own", "draws": 50, "seed": 0, "left_out": "{}", "versions": "{}", "model_digest": "0" * 64}
            )
            .assign_coords(reading=("reading", ["thomas.right"], attributes("reading")))
        )

    monkeypatch.setattr(running, "load_model", lambda name: name)
    monkeypatch.setattr(running, "patterns", lambda model, tests, nodes: "readings")
    monkeypatch.setattr(running, "confusion", made_up)
    target = run_experiment(experiment, tmp_path / "out")
    assert {path.name for path in target.iterdir()} == {"own.nc", "own.png", "own.svg", "report.md"}
    assert asked == {
        "tests": ("thomas",), "severities": [1.0], "against": "own", "draws": 50, "seed": 0, "table": "readings"
    }  # fmt: skip
    text = (target / "report.md").read_text(encoding="utf-8")
    assert "| own | thomas | healthy readings of the same person | none | 50 (seed 0) | `own.nc` |" in text
    assert "| near.left | 40 | near.right 30 | 60 | near.right 40 |" in text
    assert "## Cases without a solution" not in text
    assert text.count("A table.") == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"thomas"', '"thoma"', r"confusion own: There is no clinical test thoma: did you mean thomas\?"),
        ("[1.0]", "[0.0]", r"confusion own: severity = 0 is not allowed"),
        ("draws = 50", "draws = 0", r"confusion own: draws = 0 is not allowed"),
        ("draws = 50", "draw = 50", r"line 8: confusion 1, draw: unknown entry, allowed are name, title, tests, sever"),
        ('kind = "confusion"', 'kind = "disc_loads"', r"disc_loads draws compression, which confusion own does not"),
        ("[[figure]]", '[[run]]\nname = "own"\n[[figure]]', r"confusion 1, name: own stands twice"),
        ("[[figure]]", '[[run]]\nname = "x"\n[[figure]]', None),
    ],
)
def test_scenario__damage_of_a_confusion_is_one_sentence(experiment, tmp_path, old, new, message):
    text = TABLES.replace(old, new)
    if message is None:  # a run cannot be drawn as a confusion
        text, message = text.replace('run = "own"', 'run = "x"'), r"confusion draws a confusion, and x is a run\."
    (experiment / "scenario.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        run_experiment(experiment, tmp_path / "out")
    assert not (tmp_path / "out").exists()


TREATED = """
title = "t"
question = "q"
[[compare]]
name = "help"
imbalance = "weak_core"
programmes = ["strengthen.core"]
times = [0, 8]
people = 5
[[dose]]
name = "doses"
parameters = { "tightness.hip_flexors" = 10 }
interventions = ["stretch.hip_flexors"]
outcome = "anterior_pelvic_tilt"
[[figure]]
kind = "forest"
file = "forest"
run = "help"
options = { outcome = "compression.L4_L5" }
[[figure]]
kind = "pareto"
file = "front"
run = "doses"
"""


def test_run_experiment__of_programmes_saves_draws_and_reports_them(experiment, monkeypatch, tmp_path):
    (experiment / "scenario.toml").write_text(TREATED, encoding="utf-8")
    asked = {}

    def courses(model, who, programmes, **given):
        asked["compare"] = (who, programmes, given["people"], given["times"])
        return synthetic_comparison()

    def doses(model, who, interventions, outcome, **given):
        asked["dose"] = (who, interventions, outcome, given["weeks"], given["per_week"])
        return synthetic_doses()

    monkeypatch.setattr(running, "course", courses)
    monkeypatch.setattr(running, "pareto", doses)
    target = run_experiment(experiment, tmp_path / "out", small=True)
    files = {"help.nc", "doses.nc", "forest.png", "forest.svg", "front.png", "front.svg", "report.md"}
    assert {path.name for path in target.iterdir()} == files
    assert asked == {
        "compare": ("weak_core", ["strengthen.core"], 3, [0.0, 8.0]),
        "dose": (
            {"tightness.hip_flexors": 10.0},
            ["stretch.hip_flexors"],
            "anterior_pelvic_tilt",
            [2, 8, 16],
            [1, 2, 5],
        ),
    }
    text = (target / "report.md").read_text(encoding="utf-8")
    assert "## Against nothing" in text
    assert "| compression L4/L5 [N] | **10.0 (" in text
    assert "[0.50 (" in text  # a benefit of 0.5 N does not matter, and stands in brackets
    assert "| stretch.hip_flexors | 4 | 2 | 8 | 2.00 |" in text
    assert "12 people (seed 0)" in text
    assert "## Cases without a solution" not in text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("strengthen.core", "strengthn.core", r"compare help: There is no intervention strengthn.core: did you mean"),
        ('outcome = "anterior_pelvic_tilt"', 'outcome = "pain"', "dose doses: There is no outcome pain"),
        ('imbalance = "weak_core"', "", r"compare 1: give either imbalance or parameters\."),
        (
            'kind = "pareto"',
            'kind = "forest"',
            r"forest draws benefit_mean, which dose doses does not have: draw it as pareto",
        ),
        ('kind = "forest"', 'kind = "disc_loads"', "disc_loads has no option outcome"),
        ("people = 5", "people = 0", "compare help: people = 0 is not allowed"),
        ("people = 5", "persons = 5", r"compare 1, persons: unknown entry, allowed are name, title, imbalance"),
        ('name = "doses"', 'name = "help"', "dose 1, name: help stands twice"),
        ("[[figure]]", '[[run]]\nname = "x"\n[[figure]]', None),
    ],
)
def test_scenario__damage_of_programmes_is_one_sentence(experiment, tmp_path, old, new, message):
    text = TREATED.replace(old, new, 1)
    if message is None:  # a run cannot be drawn as a comparison
        text, message = text.replace('run = "help"', 'run = "x"'), r"forest draws a comparison, and x is a run\."
    (experiment / "scenario.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        run_experiment(experiment, tmp_path / "out")
    assert not (tmp_path / "out").exists()


STUDIED = """
title = "t"
question = "q"
[[sensitivity]]
name = "moved"
title = "what moves it"
method = "morris"
n = 3
outcomes = ["anterior_pelvic_tilt", "compression.L4_L5"]
posture = { trunk_flexion = 10 }
[sensitivity.ranges]
"tightness.hip_flexors" = [0, 15]
"load.hands" = [0, 8]
[[adaptation]]
name = "circle"
start = { "strength.core" = 0.6 }
habit = { standing = 2, sitting = 10 }
laws = { strength_exponent = 4 }
weeks = 12
[[figure]]
kind = "tornado"
file = "tornado"
run = "moved"
options = { outcome = "compression.L4_L5" }
[[figure]]
kind = "lines"
file = "core"
run = "circle"
options = { variable = "strength", at = { muscle_group = "core" } }
"""


@pytest.fixture
def studied(experiment, monkeypatch):
    """The folder of `STUDIED` with made-up answers, and what was asked for them."""
    (experiment / "scenario.toml").write_text(STUDIED, encoding="utf-8")
    asked = {}

    def moved(model, ranges, outcomes, **given):
        asked["sensitivity"] = (ranges, outcomes, given)
        more = {"model": "adult", "model_digest": "0" * 64, "versions": "{}", "note": "A study.", "method": "morris"}
        more |= {"stance": "standing", "stability_demanded": "none", "parameters": "{}", "seed": 0}
        return synthetic_sensitivity().drop_vars(["first_order", "total_order"]).assign_attrs(more)

    def adapted(circle, start, weeks):
        asked["adaptation"] = (circle.habit, circle.rules.strength_exponent, start, weeks)
        return synthetic_course()

    monkeypatch.setattr(running, "sensitivity", moved)
    monkeypatch.setattr(running, "adapt", adapted)
    monkeypatch.setattr(running, "loop_gain", lambda circle: {"gain": 0.25, "exponent_that_runs_away": np.inf})
    return experiment, asked


def test_run_experiment__of_sensitivities_and_courses_saves_draws_and_reports_them(studied, tmp_path):
    folder, asked = studied
    target = run_experiment(folder, tmp_path / "out")
    files = {"moved.nc", "circle.nc", "tornado.png", "tornado.svg", "core.png", "core.svg", "report.md"}
    assert {path.name for path in target.iterdir()} == files
    ranges, outcomes, given = asked["sensitivity"]
    assert ranges == {"tightness.hip_flexors": [0, 15], "load.hands": [0, 8]}
    assert outcomes == ["anterior_pelvic_tilt", "compression.L4_L5"]
    expected = {"method": "morris", "n": 3, "seed": 0, "output": target / "moved.cases.nc", "stance": "standing"}
    assert expected.items() <= given.items()
    assert given["posture"] == {"trunk_flexion": 10}
    assert asked["adaptation"] == ({"standing": 2, "sitting": 10}, 4.0, {"strength.core": 0.6}, 12)
    assert results.open_results(target / "circle.nc").attrs["gain"] == 0.25
    text = (target / "report.md").read_text(encoding="utf-8")
    assert "| what moves it | morris (seed 0) | standing | none | defaults | 381 of 384 | `moved.nc` |" in text
    assert "| parameter | range | anterior pelvic tilt [deg] | compression L4/L5 [N] |" in text
    assert "| load.hands | 0 to 8 kg | -0.50 (-0.53 to -0.47) | 70.0 (66.5 to 73.5) |" in text
    assert (
        "| circle | strength.core = 0.6 | 2 h standing, 10 h sitting | strength_exponent = 4 | defaults | 2 of 3 |"
        in text
    )
    assert "| 0.25 | — | `circle.nc` |" in text
    assert "| 1 | 0.80 | 5.00 | 1.00 | solved |" in text
    assert "| 2 | — | — | — | infeasible |" in text
    assert "circle: strength of core along week, 0 to 2 week: the line 0.60 to 0.80." in text


def test_run_experiment__tries_sensitivities_and_courses_with_few_cases(studied, tmp_path):
    folder, asked = studied
    run_experiment(folder, tmp_path / "out", small=True)
    assert asked["sensitivity"][2]["n"] == 2
    assert asked["adaptation"][3] == 4


def test_run_experiment__of_a_course_without_health_has_no_gain(studied, monkeypatch, tmp_path):
    def no_health(circle):
        raise InfeasibleError("nobody stands like this")

    monkeypatch.setattr(running, "loop_gain", no_health)
    text = (run_experiment(studied[0], tmp_path / "out") / "report.md").read_text(encoding="utf-8")
    assert "| — | — | `circle.nc` |" in text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[0, 15]", "[15, 0]", r"sensitivity moved: range tightness.hip_flexors = 15 to 0 is not allowed"),
        ("[0, 15]", "[0, 7, 15]", r"sensitivity moved: range tightness.hip_flexors = \[0.0, 7.0, 15.0\] is not"),
        ("[0, 15]", "[0, 500]", "sensitivity moved: tightness.hip_flexors = 500 deg is not allowed"),
        ('"load.hands"', '"load.hand"', "sensitivity moved: There is no parameter load.hand"),
        ('["anterior_pelvic_tilt"', '["anterior_pelvic_tlt"', "sensitivity moved: outcome anterior_pelvic_tlt: there"),
        ("n = 3", "n = 1", "sensitivity moved: n = 1 is not allowed: Morris' method needs 2 trajectories"),
        ("n = 3", 'parameters = { "load.hands" = 1 }', "sensitivity moved: load.hands is both sampled"),
        ('"morris"', '"moris"', r"line 7: sensitivity 1, method: 'moris': input should be 'local', 'morris' or"),
        ("trunk_flexion", "trunk_flexon", "sensitivity moved: .*trunk_flexon"),
        ("n = 3", "rows = 3", r"line 8: sensitivity 1, rows: unknown entry, allowed are name, title, stance"),
        ('kind = "tornado"', 'kind = "sobol"', "sobol draws first_order, which sensitivity moved does not have"),
        ('"compression.L4_L5" }', '"compression.L4" }', "figure 1, options: moved has no outcome compression.L4: did"),
        ('run = "circle"', 'run = "moved"', "lines draws 1 or 2 axes and run moved leaves 0 open"),
        ('name = "circle"', 'name = "moved"', "adaptation 1, name: moved stands twice"),
        ("weeks = 12", "weeks = 0", "adaptation circle: weeks = 0 is not allowed: it must be a whole number from 1 to"),
        ("weeks = 12", "years = 12", r"line 19: adaptation 1, years: unknown entry, allowed are name, title, start"),
        ("strength.core", "strength.psoas", "adaptation circle: strength.psoas does not adapt: allowed are"),
        ("strength_exponent", "exponent", "adaptation circle: there is no law exponent: allowed are strength_exponent"),
        ("sitting = 10", "sitting = 20", "adaptation circle: habit sitting = 20.0 is not allowed"),
        ("sitting = 10", "flying = 1", "adaptation circle: stance flying is unknown"),
        ('"strength", at', '"strngth", at', "there is no result variable strngth"),
        ('"strength", at', '"effort", at', "lines draws effort, which adaptation circle does not have: draw it as"),
    ],
)  # fmt: skip
def test_scenario__damage_of_studies_is_one_sentence(experiment, tmp_path, old, new, message):
    assert old in STUDIED
    (experiment / "scenario.toml").write_text(STUDIED.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        run_experiment(experiment, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("kind", "of"), [("tornado", "a sensitivity"), ("sobol", "a sensitivity")])
def test_scenario__a_run_is_no_study(experiment, kind, of):
    text = STUDIED.replace('kind = "tornado"', f'kind = "{kind}"').replace('run = "moved"', 'run = "x"')
    (experiment / "scenario.toml").write_text(text + '[[run]]\nname = "x"\n', encoding="utf-8")
    with pytest.raises(InputError, match=rf"{kind} draws {of}, and x is a run\."):
        read_scenario(experiment)


def test_scenario__that_is_no_text_is_refused(experiment):
    (experiment / "scenario.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not valid TOML"):
        read_scenario(experiment)


def test_scenario__model_refusals_name_the_run(experiment, calls, monkeypatch, tmp_path):
    def refuse(model, settings):
        if "strength.gluteals" in settings:
            raise InputError("strength.gluteals = 7 is not allowed.")

    monkeypatch.setattr(running, "check_settings", refuse)
    with pytest.raises(InputError, match=r"scenario\.toml: run map: strength\.gluteals = 7 is not allowed\."):
        run_experiment(experiment, tmp_path / "out")
    assert calls == []


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"start": 0, "stop": 3, "step": 1}, [0, 1, 2, 3]),
        ({"start": 1.0, "stop": 0.2, "step": -0.2}, [1.0, 0.8, 0.6, 0.4, 0.2]),
        ({"start": 2, "stop": 2, "step": 1}, [2]),
        ([3, 1, 2.5], [3, 1, 2.5]),
    ],
)
def test_axis__includes_its_end(given, values):
    np.testing.assert_allclose(axis_values(given), values, atol=1e-12)


def test_line_of__finds_entries_and_the_table_of_missing_ones():
    assert line_of(GOOD, ("title",)) == 1
    assert line_of(GOOD, ("run", 1, "title")) == 11
    assert line_of(GOOD, ("run", 1, "axes", "tightness.hip_flexors")) == 14
    assert line_of(GOOD, ("figure", 4, "case")) == 49
    assert line_of(GOOD, ("figure", 9, "case")) is None
    assert line_of(GOOD, ("colour",)) is None
