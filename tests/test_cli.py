"""The command line against the real thing: what is printed, what is written, and the exit status."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import spinesim as ss
import spinesim.report
from spinesim.cli import app
from spinesim.model.read import load_model
from spinesim.parameters import FAMILIES, PARAMETERS
from spinesim.results import open_results, write
from spinesim.solve import solve
from spinesim.sweep import sweep

ROOT = Path(__file__).parents[1]
COMMANDS = [
    *("run", "solve", "sweep", "merge", "sensitivity", "assess", "validate", "calibrate", "check"),
    *("parameters", "imbalances", "stances", "models", "plot"),
    *("interventions", "compare", "dose", "claims"),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spinesim_command(*arguments):
    """Exit status, output and error output of a command, within this process."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def assert_refused(*arguments, words):
    status, output, complaint = spinesim_command(*arguments)
    assert status == 2
    assert output == ""
    assert words in complaint
    assert complaint.count("\n") == 1
    assert "Traceback" not in complaint


def start(*arguments):
    """The command in a process of its own, as ``python -m spinesim``."""
    program = [sys.executable, "-W", "error", "-m", "spinesim", *arguments]
    setting = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE

    def listen() -> None:
        # a shell without job control has its background processes, and theirs, ignore interrupts
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return subprocess.Popen(program, env=setting, stdout=pipe, stderr=pipe, text=True, preexec_fn=listen)


@pytest.mark.parametrize("command", COMMANDS)
def test_help__of_every_command_has_an_example_that_works_as_printed(here, command):
    status, output, _ = spinesim_command(command, "--help")
    assert status == 0
    (example,) = re.findall(r"Example: (.*)", output, re.DOTALL)  # it comes last, and may be wrapped
    for line in " ".join(example.split()).split("&&"):
        program, *arguments = shlex.split(line)
        assert program == "spinesim"
        assert spinesim_command(*arguments)[0] == 0
    assert command in example


def test_help__lists_the_commands_without_importing_what_draws():
    code = (
        "import sys, contextlib, spinesim.cli\n"
        "sys.argv = ['spinesim', '--help']\n"
        "with contextlib.suppress(SystemExit): spinesim.cli.main()\n"
        "print([name for name in ('matplotlib', 'sympy', 'spinesim.report') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(f"\n  {command} " in done.stdout for command in COMMANDS)
    assert done.stdout.endswith("[]\n")


def test_module__is_the_same_as_the_command():
    process = start("--version")
    output, complaint = process.communicate()
    assert process.returncode == 0, complaint
    assert output.startswith("spinesim")
    process = start("solve", "--set", "load.hand=1")
    output, complaint = process.communicate()
    assert (process.returncode, output) == (2, "")
    assert complaint == "There is no parameter load.hand: did you mean load.hands?\n"


def test_solve__prints_posture_loads_muscles_and_certificate():
    status, output, complaint = spinesim_command("solve", "--set", "tightness.hip_flexors=15")
    assert (status, complaint) == (0, "")
    assert output.startswith("adult, standing, posture found\n")
    tilt = float(re.search(r"anterior pelvic tilt +([\d.]+) +deg", output).group(1))
    assert 0.5 < tilt < 15
    assert all(level in output for level in ("L5_S1", "L4_L5", "L3_L4", "L2_L3", "L1_L2", "T12_L1"))
    residual = float(re.search(r"moment residual +(\S+) +N m", output).group(1))
    assert 0 <= residual <= 1e-6
    assert output.count("multifidus") + output.count("longissimus") >= 3
    assert "never a diagnosis" in output


def test_assess__prints_readings_marks_what_is_beyond_error_and_says_what_is_missing():
    status, output, complaint = spinesim_command(
        "assess", "adult", "--set", "tightness.hip_flexors.left=15", "--set", "load.hands=2", "--test", "thomas"
    )
    assert (status, complaint) == (0, "")
    assert output.startswith("adult, tightness.hip_flexors.left = 15, load.hands = 2\n")
    rows = {line.split()[2]: line.split()[3:] for line in output.splitlines() if line.startswith("Thomas test")}
    assert rows["right"] == ["-11.9", "-11.9", "0.0", "3.9"]
    assert rows["left"][2].endswith("*")
    assert "Largest moments" not in output
    assert "Put down before the tests: load.hands." in output
    assert "never a diagnosis" in output
    _, output, _ = spinesim_command("assess", "teaching", "--test", "ely")
    assert "Not formed: ely.right, ely.left: the model teaching has no test of quadriceps." in output


def test_assess__json_holds_every_reading(adult):
    status, output, _ = spinesim_command("assess", "--json", "--set", "strength.gluteals=0.5", "--test", "ely")
    assert status == 0
    direct = ss.assess(adult, {"strength.gluteals": 0.5}, ["ely"])
    assert json.loads(output)["data_vars"]["value"]["data"] == direct.value.values.tolist()


def test_assess__confusion_names_what_is_taken_for_what(here):
    arguments = ("--confusion", "--test", "thomas", "--severity", "1", "--output", "found.nc")
    status, output, _ = spinesim_command("assess", *arguments)
    assert status == 0
    assert re.search(r"\nSeverity 1 *\n", output)
    assert re.search(r"lower_crossed +\d+  ", output)
    saved = open_results(here / "found.nc")
    assert saved.attrs["against"] == "own"
    assert spinesim_command("plot", "found.nc")[0] == 0
    assert (here / "found_confusion.png").exists()


def test_interventions__lists_laws_and_exercises():
    status, output, _ = spinesim_command("interventions")
    assert status == 0
    assert "stretch.GROUP: tightness, stiffness" in output
    assert "bird_dog" in output


def test_compare__prints_a_ranked_table_tests_and_sentences(here):
    plans = ("--programme", "stretch.hip_flexors", "--programme", "soft_tissue.hip_flexors")
    asked = ("--people", "1", "--time", "4", "--outcome", "anterior_pelvic_tilt", "--output", "found.nc")
    status, output, complaint = spinesim_command("compare", "lower_crossed", *plans, *asked)
    assert (status, complaint) == (0, "")
    assert "adult, standing, week 8, one body with mean responses" in output
    assert "\nstretch.hip_flexors: better than nothing in anterior_pelvic_tilt (" in output
    assert "\nsoft_tissue.hip_flexors: no better than nothing in any outcome." in output
    assert "thomas.right" in re.sub(r"\s+", " ", output) or "thomas.rig" in output
    saved = open_results(here / "found.nc")
    assert saved.week.values.tolist() == [4.0, 8.0]
    assert spinesim_command("plot", "found.nc", "--outcome", "effort")[0] == 0
    assert (here / "found_forest.png").exists()


def test_compare__json_holds_every_number(adult):
    status, output, _ = spinesim_command(
        "compare", "--set", "strength.core=0.5", "--programme", "plank", "--people", "1", "--json"
    )
    assert status == 0
    direct = ss.compare(adult, {"strength.core": 0.5}, ["plank"], people=1)
    assert json.loads(output)["data_vars"]["benefit_mean"]["data"] == direct.benefit_mean.values.tolist()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--programme", "plank"), "Name an imbalance, such as lower_crossed, or set parameters"),
        (("weak_core", "--set", "strength.core=1", "--programme", "plank"), "one of the two"),
        (("weak_core",), "--programme is missing"),
        (("weak_core", "--programme", "plonk"), "did you mean plank?"),
        (("weak_core", "--programme", "plank", "--outcome", "pain"), "There is no outcome pain"),
        (("weak_core", "--programme", "plank", "--people", "0"), "people = 0 is not allowed"),
    ],
)
def test_compare__bad_input_is_refused(arguments, words):
    assert_refused("compare", *arguments, words=words)


def test_dose__says_the_weeks_or_that_there_are_none():
    asked = ("--outcome", "anterior_pelvic_tilt", "--target", "1")
    status, output, _ = spinesim_command("dose", "lower_crossed", "stretch.hip_flexors", *asked)
    assert status == 0
    assert re.fullmatch(
        r"stretch.hip_flexors, 3 times a week: 1 deg in anterior_pelvic_tilt after [\d.]+ weeks.\n", output
    )
    status, _, complaint = spinesim_command("dose", "lower_crossed", "plank", *asked)
    assert status == 1
    assert complaint.startswith("No solution: no dose reaches 1 deg in anterior_pelvic_tilt; the most is ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--test", "thoma"), "There is no clinical test thoma: did you mean thomas?"),
        (("--set", "tightness.psoas=3"), "psoas has no clinical test"),
        (("--severity", "1"), "--severity needs --confusion."),
        (("--against", "norms"), "--against needs --confusion."),
        (("--confusion", "--set", "load.hands=1"), "--set load.hands=1 has no meaning with --confusion"),
        (("--confusion", "--severity", "2"), "severity = 2 is not allowed"),
        (("--confusion", "--against", "me"), "against = 'me' is not allowed"),
        (("teaching", "--confusion"), "the model teaching has no named imbalances"),
    ],
)
def test_assess__bad_input_is_refused(arguments, words):
    assert_refused("assess", *arguments, words=words)


def test_solve__json_holds_every_number_of_the_dataset(here, adult):
    arguments = ("--set", "strength.core=0.9", "--set", "load.hands=2", "--stance", "standing")
    status, output, _ = spinesim_command("solve", *arguments, "--json", "--output", "case.nc")
    assert status == 0
    direct = solve(adult, {"strength.core": 0.9, "load.hands": 2}, stance="standing")
    printed = xr.Dataset.from_dict(json.loads(output))
    xr.testing.assert_identical(printed, direct)
    xr.testing.assert_identical(open_results("case.nc"), direct)


def test_solve__a_held_posture_is_held():
    status, output, _ = spinesim_command("solve", "--stance", "forward_bend", "--posture", "trunk_flexion=5", "--json")
    assert status == 0
    case = json.loads(output)
    assert case["attrs"]["posture"] == "held"
    assert case["data_vars"]["trunk_inclination"]["data"] == pytest.approx(5, abs=1e-6)


def test_solve__a_load_nobody_can_hold_is_named_and_has_status_1(here):
    arguments = ("solve", "--stance", "forward_bend", "--posture", "trunk_flexion=60", "--set", "load.hands=100")
    status, output, complaint = spinesim_command(*arguments)
    assert (status, output) == (1, "")
    assert re.fullmatch(r"No solution: no muscle forces balance \S+ in forward_bend: .* N m .*\n", complaint)
    status, output, _ = spinesim_command(*arguments, "--json", "--output", "case.nc")
    assert status == 1
    assert json.loads(output)["data_vars"]["status"]["data"] == "infeasible"
    assert json.loads(output)["data_vars"]["effort"]["data"] is None
    assert open_results("case.nc")["status"].item() == "infeasible"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "strength.hip_flexor=1"], "did you mean strength.hip_flexors"),
        (["--set", "strength.core=4"], "strength.core = 4 is not allowed: it must be a number from 0 to 3."),
        (["--set", "strength.core=nan"], "strength.core = nan is not allowed"),
        (["--set", "strength.core=strong"], "--set strength.core=strong: strong is not a number."),
        (["--set", "strength.core"], "--set strength.core: it must have the form name=value."),
        (["--set", "strength.core=1", "--set", "strength.core=2"], "strength.core is set twice."),
        (["--set", "tightness.gluteals=5"], "gluteals has no clinical test"),
        (["--set", "tone.psoas=0.5", "--set", "inhibition.psoas=0.4"], "above its inhibition"),
        (["--set", "imbalance.weak_cor=1"], "did you mean imbalance.weak_core?"),
        (
            ["--set", "imbalance.weak_core=2"],
            "imbalance.weak_core = 2 is not allowed: it must be a number from 0 to 1.",
        ),
        (["--set", "imbalance.tight_piriformis=1"], "needs a side: imbalance.tight_piriformis.left or"),
        (["--set", "imbalance.erector_overactivity=1", "--set", "inhibition.erectors=0.05"], "above its inhibition"),
        (["--stance", "standin"], "standin"),
        (["--posture", "knee=3"], "posture angle knee"),
        (["--posture", "trunk_flexion=300"], "it must be a number from -180 to 180 deg"),
        (["--complete", "guess"], "must be 'rhythm' or 'find'"),
        (["--model", "adlt"], "did you mean 'adult'"),
        (["--output", "nowhere/case.nc"], "the folder nowhere does not exist."),
    ],
)
def test_solve__bad_input_is_one_sentence_and_status_2(here, arguments, words):
    assert_refused("solve", *arguments, words=words)


def test_check__counts_the_rows_and_lists_what_was_not_read_from_a_source():
    status, output, _ = spinesim_command("check", "adult")
    assert status == 0
    assert "140 muscles" in output
    assert re.search(r"^derived: \d+$", output, re.MULTILINE)
    assert "ps_l1_vb_r" in output
    assert "note: tests: hip_flexors: the Thomas test reads 0, 10, 20, 30 deg of tightness within" in output
    assert output.endswith("adult passes.\n")


def test_check__a_broken_model_is_one_sentence_and_status_2(here):
    broken = here / "broken"
    broken.mkdir()
    for path in (ROOT / "models" / "adult").rglob("*.*"):
        target = broken / path.relative_to(ROOT / "models" / "adult")
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    table = (broken / "bodies.csv").read_text().splitlines()
    table[1] = re.sub(r",\d+\.?\d*,", ",-3,", table[1], count=1)
    (broken / "bodies.csv").write_text("\n".join(table) + "\n")
    assert_refused("check", "broken", words="broken/bodies.csv line 2")
    assert_refused("check", "nothing", words="there is no model 'nothing'")


def test_solve__takes_criterion_weights_and_stability(here):
    status, output, _ = spinesim_command(
        "solve",
        "--posture",
        "trunk_flexion=10",
        "--criterion",
        "effort3",
        "--weights",
        "unit",
        "--stability",
        "2",
        "--json",
    )
    assert status == 0
    case = json.loads(output)
    assert case["attrs"]["criterion"] == "effort3"
    assert case["attrs"]["weights"] == "unit"
    assert case["data_vars"]["stability_margin"]["data"] >= 2.0 - 1e-4


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--criterion", "effort7", "power from 1.5 to 4"),
        ("--criterion", "least", "'minmax'"),
        ("--weights", "mass", "'volume' or 'unit'"),
        ("--stability", "much", "yes, no or a margin"),
        ("--stability", "1e9", "a margin from"),
    ],
)
def test_solve__refuses_what_it_cannot_minimise_or_demand(here, option, value, words):
    assert_refused("solve", "--posture", "trunk_flexion=10", option, value, words=words)


def test_parameters__lists_names_units_ranges_and_targets():
    status, output, _ = spinesim_command("parameters")
    assert status == 0
    assert all(name in output for name in PARAMETERS)
    assert all(f"{family}.NAME" in output for family in FAMILIES)
    assert re.search(r"load\.reach +m +0 to 0\.8 +0 +Distance", output)
    assert re.search(r"hip_flexors +\.right \.left +group: psoas", output)
    assert "281 single names" in " ".join(output.split())  # 280 fascicles and the transversus


def test_imbalances__lists_name_title_values_and_sources():
    status, output, _ = spinesim_command("imbalances")
    assert status == 0
    for name, imbalance in load_model("adult").imbalances.items():
        assert f"imbalance.{name}" in output
        assert f": {imbalance.title}\n" in output
        assert all(f"    {parameter} = " in output for parameter in imbalance.settings)
    assert "    tightness.hip_flexors = 6.1 deg    (boukabache2021, read)\n" in output
    assert "    load.hand = 30 kg on that side    (mcgill2013, read)\n" in output
    assert "\nmcgill2013: McGill, Marshall, Andersen." in output
    assert spinesim_command("imbalances", "teaching") == (0, "teaching has no named imbalances.\n", "")
    assert_refused("imbalances", "adlt", words="did you mean 'adult'")


def test_stances__lists_roles_carriers_and_what_is_believed():
    status, output, _ = spinesim_command("stances")
    assert status == 0
    for name, stance in load_model("adult").stances.items():
        assert f"{name}: {stance.description}\n" in output
    assert "    free: lean, pelvic_tilt, 18 rotations of the spine\n" in output
    assert "    locked: knees.flexion\n" in output
    assert "    posture held: trunk_bend 10 deg\n" in output
    assert "    trusted: trunk bend to 20 deg; the relaxed" in output
    assert "carried at: ankle_r (50%), ankle_l (50%)" in spinesim_command("stances", "teaching")[1]
    assert_refused("stances", "adlt", words="did you mean 'adult'")


def test_solve__an_imbalance_is_a_parameter():
    status, output, _ = spinesim_command("solve", "--set", "imbalance.lower_crossed=0.5", "--json")
    assert status == 0
    case = json.loads(output)
    assert json.loads(case["attrs"]["parameters"]) == {"imbalance.lower_crossed": 0.5}
    assert case["data_vars"]["anterior_pelvic_tilt"]["data"] > 1.0


def test_run__an_imbalance_may_be_an_axis(here):
    folder = write_experiment(here / "severity")
    scenario = (folder / "scenario.toml").read_text().replace('"load.hands" = [0, 2]', '"imbalance.weak_core" = [0, 1]')
    (folder / "scenario.toml").write_text(scenario)
    assert spinesim_command("run", folder)[0] == 0
    assert open_results("output/severity/loads.nc")["imbalance.weak_core"].values.tolist() == [0, 1]
    (folder / "scenario.toml").write_text(scenario.replace("weak_core", "weak_cor"))
    assert_refused("run", folder, words="run loads: There is no parameter imbalance.weak_cor: did you mean")


def test_models__lists_the_shipped_models():
    status, output, _ = spinesim_command("models")
    assert status == 0
    assert re.search(r"^adult +280 ", output, re.MULTILINE)


def write_experiment(folder, posture=5, loads="[0, 2]"):
    """A small experiment without figures: one held sweep, one held case."""
    folder.mkdir()
    held = f'stance = "forward_bend"\nposture = {{ trunk_flexion = {posture} }}\n'
    (folder / "scenario.toml").write_text(
        'title = "Held"\nquestion = "How much load?"\n'
        f'[[run]]\nname = "loads"\n{held}variables = ["compression", "missing_moment"]\n'
        f'[run.axes]\n"load.hands" = {loads}\n'
        f'[[run]]\nname = "one"\n{held}'
    )
    return folder


def test_run__leaves_files_and_a_report(here):
    status, output, complaint = spinesim_command("run", write_experiment(here / "small"), "--output", "there")
    assert (status, complaint) == (0, "")
    assert output == "there/loads.nc: 2 of 2 cases solved\nthere/one.nc: 1 of 1 cases solved\nReport: there/report.md\n"
    assert open_results("there/loads.nc")["compression"].sizes == {"load.hands": 2, "level": 6}
    assert (here / "there" / "report.md").read_text().startswith("# Held")


def test_run__counts_the_weeks_of_a_course_and_names_a_study(here):
    folder = write_experiment(here / "more", loads="[0]")
    with (folder / "scenario.toml").open("a", encoding="utf-8") as file:
        file.write('[[adaptation]]\nname = "course"\nweeks = 1\n')
        file.write('[[sensitivity]]\nname = "study"\nmethod = "local"\noutcomes = ["lean"]\n')
        file.write('ranges = { "strength.core" = [0.6, 1.2] }\n')
    status, output, _ = spinesim_command("run", folder)
    assert status == 0
    assert "output/more/course.nc: 2 of 2 cases solved\noutput/more/study.nc: study\n" in output


def test_run__names_the_cases_without_a_solution_and_has_status_1(here):
    folder = write_experiment(here / "heavy", posture=90, loads="[0, 80, 100]")
    status, output, complaint = spinesim_command("run", folder)
    assert status == 1
    assert re.match(r"output/heavy/loads\.nc: [01] of 3 cases solved\n", output)
    assert "loads: load.hands = 100 kg: infeasible\n" in complaint
    assert complaint.endswith("\none: infeasible\n")


def test_run__bad_input_is_one_sentence_and_status_2(here):
    assert_refused("run", "hip_flexor_tigtness", words="did you mean hip_flexor_tightness?")
    folder = write_experiment(here / "wrong", loads="[0, 500]")
    assert_refused("run", folder, words="run loads: load.hands = 500 kg is not allowed")
    (folder / "scenario.toml").write_text("title = \n")
    assert_refused("run", folder, words="scenario.toml is not valid TOML")


def test_run__stopped_by_the_user_says_so_and_has_status_130(here, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(spinesim.report, "run_experiment", stop)
    status, output, complaint = spinesim_command("run", "core_weakness")
    assert (status, output) == (130, "")
    assert complaint == "Stopped. Finished cases are kept, and the same command goes on from there.\n"


def test_run__a_real_interrupt_leaves_a_valid_file_that_a_second_run_completes(here):
    loads = "{ start = 0, stop = 2, step = 0.00005 }"  # seconds of work, so that the interrupt comes before the end
    folder = write_experiment(here / "long", loads=loads)
    assert spinesim_command("solve", "--stance", "forward_bend", "--posture", "trunk_flexion=5")[0] == 0  # compiled
    process = start("run", str(folder))
    parts = here / "output" / "long" / "loads.nc.parts"
    deadline = time.monotonic() + 100
    while len(list(parts.glob("*.npz"))) < 2 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate()
    assert process.returncode == 130, complaint
    assert "Stopped. Finished cases are kept" in complaint
    assert "Traceback" not in complaint
    partial = open_results(parts.with_suffix(""))
    solved = partial["status"] == "solved"
    assert set(partial["status"].values) == {"solved", "pending"}
    status, _, complaint = spinesim_command("run", folder)
    assert status == 0, complaint
    complete = open_results(parts.with_suffix(""))
    assert (complete["status"] == "solved").all()
    xr.testing.assert_identical(complete["compression"][solved.values], partial["compression"][solved.values])
    assert not parts.exists()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A single case and a sweep over two axes on disk."""
    folder = tmp_path_factory.mktemp("files")
    model = load_model("adult")
    write(solve(model), folder / "case.nc")
    axes = {"load.hands": [0, 5], "tightness.hip_flexors": [0, 5, 10]}
    sweep(model, axes, output=folder / "sweep.nc")
    return folder


def test_plot__chooses_the_figure_and_puts_it_beside_the_file(files):
    status, output, _ = spinesim_command("plot", files / "case.nc")
    assert status == 0
    assert output.endswith(f"{files}/case_body_sagittal.png\n")
    assert (files / "case_body_sagittal.png").read_bytes().startswith(b"\x89PNG")
    status, output, _ = spinesim_command("plot", files / "sweep.nc", "--variable", "lumbar_lordosis")
    assert status == 0
    assert output.startswith("Lumbar lordosis")
    assert (files / "sweep_heat_map.png").stat().st_size > 10_000


def test_plot__draws_the_kind_case_and_format_asked_for(files):
    target = files / "curve.svg"
    arguments = ("--kind", "tilt_and_lordosis", "--case", "load.hands=5", "--output", target)
    status, output, _ = spinesim_command("plot", files / "sweep.nc", *arguments)
    assert status == 0, output
    assert "<svg" in target.read_text()


def test_plot__bad_input_is_one_sentence_and_status_2(files):
    case = files / "case.nc"
    assert_refused("plot", case, "--kind", "heat_mop", words="did you mean heat_map?")
    assert_refused("plot", case, "--output", "picture.gif", words="figures are saved as png, svg, pdf")
    assert_refused("plot", case, "--output", files / "nowhere" / "a.png", words="cannot be written")
    assert_refused("plot", case, "--case", "load.hands", words="it must have the form name=value.")
    assert_refused("plot", case, "--variable", "lean", words="has no option variable")
    assert_refused("plot", files / "missing.nc", words="There is no results file")
    broken = files / "broken.nc"
    broken.write_bytes(case.read_bytes()[:5000])
    assert_refused("plot", broken, words="it is cut off, damaged or not a results file.")


def test_sweep__of_axes_in_shards_that_are_merged(here):
    for shard in ("1/2", "2/2"):
        name = f"{shard[0]}.nc"
        axes = ["--axis", "load.hands=0:4:130", "--axis", "strength.core=1,0.9", "--posture", "trunk_flexion=5"]
        status, output, _ = spinesim_command(
            "sweep", *axes, "--output", name, "--shard", shard, "--variables", "effort"
        )
        assert status == 0
        assert output.startswith(name)
    status, output, _ = spinesim_command("merge", "whole.nc", "2.nc", "1.nc")
    assert (status, output) == (0, "whole.nc: 260 of 260 cases solved\n")
    whole = open_results("whole.nc")
    assert whole.effort.dims == ("load.hands", "strength.core")
    assert whole["load.hands"].values.tolist() == np.linspace(0, 4, 130).tolist()
    assert_refused("merge", "again.nc", "1.nc", words="Of 2 shards, shard 2 is missing")


def test_sweep__of_samples_names_those_without_a_solution(here):
    Path("s.csv").write_text("load.hands,strength.core\n2,1\n90,1\n", encoding="utf-8")
    options = ["--samples", "s.csv", "--set", "load.reach=0.5", "--posture", "trunk_flexion=0", "--output", "s.nc"]
    status, output, complaint = spinesim_command("sweep", *options)
    assert (status, output) == (1, "s.nc: 1 of 2 cases solved\n")
    assert complaint == "No solution for:\nsample = 1: infeasible\n"
    assert open_results("s.nc")["load.hands"].values.tolist() == [2, 90]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "either axes or samples"),
        (["--axis", "load.hands"], "it must be name=v1,v2,... or name=low:high:count"),
        (["--axis", "load.hands=0:4"], "it must be name=v1,v2,..."),
        (["--axis", "load.hands=0:4:1"], "it must be name=v1,v2,..."),
        (["--axis", "load.hands=0,x"], "it must be name=v1,v2,..."),
        (["--axis", "load.hands=0", "--axis", "load.hands=1"], "load.hands comes twice"),
        (["--axis", "load.hands=-1"], "load.hands = -1 kg is not allowed"),
        (["--samples", "none.csv"], "none.csv cannot be read"),
        (["--axis", "load.hands=0", "--shard", "2/1"], "it must be i/n"),
        (["--axis", "load.hands=0", "--cluster", "nowhere"], "cluster nowhere does not answer"),
    ],
)
def test_sweep__refuses_in_one_sentence(here, options, words):
    assert_refused("sweep", "--output", "x.nc", *options, words=words)


@pytest.mark.parametrize(
    ("method", "size", "kinds"), [("local", [], ["tornado"]), ("sobol", ["-n", "16"], ["tornado", "sobol"])]
)
def test_sensitivity__writes_cases_table_and_figures(here, method, size, kinds):
    ranges = ["--parameters", "load.hands=0:8", "--parameters", "strength.erectors=0.7:1.2"]
    asked = ["--outcomes", "compression.L4_L5,lean", "--posture", "trunk_flexion=10", "--method", method, *size]
    status, output, _ = spinesim_command("sensitivity", "adult", *ranges, *asked, "--output", "s")
    assert status == 0
    files = {f"{kind}_{name}.png" for kind in kinds for name in ("compression.L4_L5", "lean")}
    files |= {"sensitivity.nc"} | ({"cases.nc"} if method == "sobol" else set())
    assert {path.name for path in Path("s").iterdir()} == files
    assert "Compression, L4/L5 is moved most by load.hands from 0 to 8 kg by +" in output
    drawn, _, _ = spinesim_command("plot", "s/sensitivity.nc")
    assert drawn == 0
    assert Path(f"s/sensitivity_{kinds[-1]}.png").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--parameters", "load.hands"], "it must have the form name=low:high"),
        (["--parameters", "load.hands=1"], "it must have the form name=low:high"),
        (["--parameters", "=1:2"], "it must have the form name=low:high"),
        (["--parameters", "load.hands=0:1", "--parameters", "load.hands=0:2"], "load.hands comes twice"),
        (["--parameters", "load.hands=0:1", "-n", "100"], "Sobol' indices need a power of two"),
        (["--parameters", "load.hands=0:1", "--outcomes", "lea"], "there is no result variable lea"),
    ],
)
def test_sensitivity__refuses_in_one_sentence(here, options, words):
    assert_refused("sensitivity", "adult", "--outcomes", "lean", "--output", "s", *options, words=words)
