"""Published measurements: what ships, verdicts at the edges of bands, changed verdicts, and the recorded table."""

import json
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import LineString, Polygon
from typer.testing import CliRunner

from spinesim import protocols, protocols_of_people, validation
from spinesim.capacity import measured_rows
from spinesim.cli import app
from spinesim.errors import InfeasibleError, InputError, ModelError
from spinesim.measurements import REACH, SCORED, Band, data_folder, read_measurements
from spinesim.model.read import load_model, models_folder
from spinesim.protocols import PROTOCOLS, Bench, activation, piriformis_arm
from spinesim.protocols_by_stance import greatest_width
from spinesim.solve import solve
from spinesim.stiffness import Stiffness, worth
from spinesim.validation import (
    Score,
    changes,
    hits,
    number,
    read_verdicts,
    score,
    scored,
    tables,
    validate,
    verdicts_file,
    write_verdicts,
)

# one process computes all rows, once
pytestmark = pytest.mark.xdist_group("validation")

PAGE = Path(__file__).parents[1] / "docs" / "validation.md"


@pytest.fixture(scope="module")
def rows():
    return read_measurements()


@pytest.fixture(scope="module")
def scores(adult, rows):
    return validate(adult, rows)


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped measurements."""
    shutil.copytree(data_folder(), tmp_path / "data")
    return tmp_path / "data"


def spinesim_command(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


# ------------------------------------------------------------------------------------------------ what is shipped


def test_measurements__every_row_has_a_source_a_class_and_its_reason(rows):
    assert len(rows) == 327
    for key, row in rows.items():
        assert re.fullmatch(r"(DP|SL|PO|TS|FN|SC|MA)\d{3}", key)
        assert row.source
        assert row.reach in REACH
        assert row.words


def test_measurements__at_least_sixty_rows_are_scored_or_wait_for_a_stance(rows):
    evidence = [row for row in rows.values() if row.reach == "evidence"]
    waiting = [row for row in rows.values() if row.reach == "waits" and row.words.startswith("stance")]
    assert len(evidence) >= 35
    assert len(evidence) + len(waiting) >= 60
    assert all(re.match("(stance|input|output): ", row.words) for row in rows.values() if row.reach == "waits")


def test_measurements__calibrated_rows_are_no_evidence(rows):
    assert {rows[key].reach for key in ("DP001", "TS001", "TS003", "TS047")} == {"calibration"}


def test_measurements__bands_are_those_of_the_load_rows(rows):
    for row in measured_rows("loads"):
        if row["use"] == "evidence":
            assert rows[row["id"]].band == Band(float(row["low"]), float(row["high"]))


def test_protocols__are_those_of_the_scored_rows(rows):
    assert set(PROTOCOLS) == {row.id for row in scored(rows)}


# ---------------------------------------------------------------------------------------------------- wrong files

WRONG = {
    "number": (
        "posture.csv",
        ",-25,-12,",
        ",-25 deg,-12,",
        "line 2: PO001: low = -25 deg, must be a finite",
    ),
    "order": ("posture.csv", ",-25,-12,", ",-10,-12,", "PO001: low = -10, must not be above high = -12"),
    "twice": ("posture.csv", "\nPO002,", "\nPO001,", "posture.csv line 3: PO001: the row appears twice"),
    "unknown": ("posture.csv", "\nPO002,", "\nPO999,", "PO999: reach.csv has no such row"),
    "kind": ("posture.csv", ",number,Endo", ",numbers,Endo", "PO001: kind = numbers, must be one of number, bound"),
    "confidence": ("sciatic.csv", ",read,", ",opened,", "SC001: confidence = opened, must be one of read"),
    "source": ("sciatic.csv", "Poutoglidou et al. 2020 Cureus 12:e11531", "", "SC001: source is empty"),
    "reach": ("../reach.csv", "DP002,evidence", "DP002,later", "reach.csv line 3: DP002: reach = later, must be one"),
    "criterion": ("../reach.csv", ",> 0,", ",positive,", "criterion = positive, must be of the form"),
    "both": ("../reach.csv", "DP004,evidence,,", "DP004,evidence,> 0,", "DP004: criterion = > 0, must be empty"),
    "neither": ("../reach.csv", ",> 0,", ",,", "a scored row without a band needs a criterion"),
    "missing": ("../reach.csv", "\nDP002,", "\nDP999,x,,x\nDP002,", "DP999: reach = x, must be one of"),
}


@pytest.mark.parametrize("case", WRONG)
def test_measurements__a_wrong_file_is_refused_in_one_sentence(folder, case):
    name, before, after, words = WRONG[case]
    file = folder / "measurements" / name
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(ModelError, match=re.escape(words)) as refused:
        read_measurements(folder)
    assert "\n" not in str(refused.value)


def test_measurements__a_planned_row_without_measurement_is_refused(folder):
    with (folder / "reach.csv").open("a", encoding="utf-8") as file:
        file.write("DP999,waits,,stance: none\n")
    with pytest.raises(ModelError, match="DP999: no file of measurements has such a row"):
        read_measurements(folder)


# -------------------------------------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("band", "value", "inside"),
    [
        (Band(1.0, 2.0), 1.0, True),
        (Band(1.0, 2.0), 2.0, True),
        (Band(1.0, 2.0), math.nextafter(2.0, 3.0), False),
        (Band(1.0, 2.0), math.nextafter(1.0, 0.0), False),
        (Band(80.0, math.inf), 80.0, True),
        (Band(-math.inf, 45.0), -1e9, True),
        (Band(80.0, math.inf), math.inf, False),
        (Band(-math.inf, math.inf), math.nan, False),
        (Band(0.0, math.inf, strict=True), 0.0, False),
        (Band(0.0, math.inf, strict=True), 1e-300, True),
        (Band(-math.inf, 0.0, strict=True), 0.0, False),
    ],
)
def test_band__edges_are_inside_and_a_sign_needs_more_than_zero(band, value, inside):
    assert band.holds(value) is inside


def test_score__a_failing_solve_is_failed_and_says_why(adult, rows, monkeypatch):
    def fail(bench):
        raise InfeasibleError("no muscle forces balance L4_L5")

    monkeypatch.setitem(PROTOCOLS, "DP004", fail)
    answer = score(rows["DP004"], Bench(adult))
    assert (answer.verdict, answer.why) == ("failed", "no muscle forces balance L4_L5")
    assert math.isnan(answer.computed)
    monkeypatch.setitem(PROTOCOLS, "DP004", lambda bench: math.nan)
    assert score(rows["DP004"], Bench(adult)).verdict == "failed"
    monkeypatch.setitem(PROTOCOLS, "DP004", lambda bench: math.inf)
    assert score(rows["DP004"], Bench(adult)).verdict == "miss"


def test_score__a_null_effect_counts_like_any_other_row(adult, rows, monkeypatch):
    for value, verdict in ((0.0, "hit"), (2.0, "hit"), (2.01, "miss"), (-2.01, "miss")):
        monkeypatch.setitem(PROTOCOLS, "TS020", lambda bench, value=value: value)
        assert score(rows["TS020"], Bench(adult)).verdict == verdict


def test_hits__leave_out_the_calibrated_rows(rows):
    each = [Score(rows["DP001"], 0.5, "hit"), Score(rows["DP004"], 1.0, "hit"), Score(rows["DP005"], 9.0, "miss")]
    assert hits(each) == (1, 2)
    assert hits(each, "calibration") == (1, 1)


def test_validate__a_scored_row_without_protocol_is_refused(adult, rows, monkeypatch):
    monkeypatch.delitem(PROTOCOLS, "DP004")
    with pytest.raises(InputError, match="DP004 is to be scored but has no protocol"):
        validate(adult, rows)


def test_validate__names_every_row_to_whom_it_reports(adult, rows):
    seen = []
    validate(adult, {key: rows[key] for key in ("DP001", "DP006", "DP004")}, progress=seen.append)
    assert seen == ["DP001", "DP004"]


def test_bench__solves_a_case_once_and_a_failed_one_too(adult, monkeypatch):
    bench, calls = Bench(adult), []

    def counted(model, parameters, **asked):
        calls.append(asked)
        raise InfeasibleError("never")

    monkeypatch.setattr("spinesim.protocols.solve", counted)
    for _ in range(2):
        with pytest.raises(InfeasibleError, match="never"):
            bench.held(trunk_flexion=10.0)
    assert len(calls) == 1
    assert calls[0]["stability"] is True


def test_validate__a_model_without_the_parts_fails_row_by_row(rows):
    answers = validate(load_model("teaching"), rows)
    assert len(answers) == len(scored(rows))
    assert {each.verdict for each in answers} == {"hit", "miss", "failed"}
    assert all(each.why for each in answers if each.verdict == "failed")


# ------------------------------------------------------------------------------------------------ how values are formed


def test_piriformis_arm__is_the_change_of_length_per_angle(adult):
    """External rotation shortens piriformis: with the coordinate positive inwards its length grows with the angle."""
    from spinesim.cases import path_lengths
    from spinesim.model.pack import pack

    packed = pack(adult)
    k, step = packed.coordinates.index("hip_r.rotation"), 1e-5
    lines = [i for i, m in enumerate(adult.muscles) if m.muscle == "piriformis" and m.name.endswith("_r")]
    q = np.zeros(len(packed.coordinates))
    q[k] = step
    arms = (path_lengths(packed, q)[0][lines] - path_lengths(packed, -q)[0][lines]) / (2 * step)
    force = [adult.muscles[i].max_force for i in lines]
    assert piriformis_arm(Bench(adult), 0.0) == pytest.approx(1e3 * np.average(arms, weights=force), rel=1e-6)


def test_radiographed_sitting__has_the_plumb_line_asked_for_or_fails_by_name(adult, monkeypatch):
    bench = Bench(adult)
    seated, standing = (protocols._plumb(case) for case in (protocols.radiographed_sitting(bench), bench.standing()))
    assert seated - standing == pytest.approx(protocols.SEATED_PLUMB, abs=0.1)  # a lean is met to 0.01 deg
    monkeypatch.setattr(protocols, "SEATED_PLUMB", 1e3)
    failed = score(read_measurements()["PO001"], bench)
    assert failed.verdict == "failed"
    assert failed.why.startswith("no lean of the trunk from 0 to 30 deg")


def test_seated_people__hold_their_trunk_and_find_the_rest(adult, monkeypatch):
    monkeypatch.setattr(protocols_of_people, "COUNT", 2)
    bench = Bench(adult)
    last = {name: float(values[-1]) for name, values in protocols_of_people.crowd(bench).columns.items()}
    alone = solve(adult, last, stance="sitting", posture={"trunk_flexion": 14.0}, complete="find")
    lordosis = protocols_of_people.postures(bench, seated=14.0)["lordosis"]
    assert lordosis[-1] == pytest.approx(float(alone.lumbar_lordosis), abs=0.05)  # the tolerance of a posture


def test_activation__of_a_group_is_that_of_the_result(adult):
    case = Bench(adult).standing()
    of_case = float(case.group_activation.sel(muscle_group="erectors"))
    assert activation(adult, case, adult.groups["erectors"]) == pytest.approx(100 * of_case, rel=1e-9)


def test_worth__of_all_active_muscles_is_the_whole(adult):
    case = Bench(adult).held()
    everything = np.ones(len(adult.muscles) + 1, dtype=bool)
    assert worth(adult, case, {"all": everything})["all"] == pytest.approx(100.0)
    assert worth(adult, case, {"none": ~everything})["none"] == pytest.approx(0.0, abs=1e-9)


def test_stiffness__margin_is_that_of_the_result(adult):
    case = Bench(adult).held()
    body = Stiffness(adult, lean=float(case.lean))
    # the margin of a case is met within the tolerance of its solver
    assert body.margin(body.of(case)) == pytest.approx(float(case.stability_margin), abs=0.01)


# ------------------------------------------------------------------------------------------------ recorded verdicts


def test_verdicts__recorded_equal_computed(scores):
    recorded = read_verdicts(verdicts_file("adult"))
    assert recorded is not None
    assert changes(scores, recorded) == []


def test_verdicts__written_are_read_back(tmp_path, scores):
    write_verdicts(tmp_path / "verdicts.csv", scores)
    assert read_verdicts(tmp_path / "verdicts.csv") == {each.row.id: each.verdict for each in scores}
    assert read_verdicts(tmp_path / "none.csv") is None
    with pytest.raises(InputError, match="cannot be written"):
        write_verdicts(tmp_path / "no" / "verdicts.csv", scores)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("DP001,evidence,1,good", "DP001: verdict = good, must be one of hit, miss, failed"),
        ("DP001,waits,1,hit", "DP001: reach = waits, must be one of evidence, calibration"),
        ("DP001,evidence,one,hit", "DP001: computed = one, must be a number, inf or empty"),
        ("DP001,evidence,1,hit\nDP001,evidence,1,hit", "DP001: the row appears twice"),
    ],
)
def test_verdicts__a_wrong_table_is_refused(tmp_path, line, words):
    file = tmp_path / "verdicts.csv"
    file.write_text(f"id,reach,computed,verdict\n{line}\n", encoding="utf-8")
    with pytest.raises(ModelError, match=re.escape(words)):
        read_verdicts(file)


def test_changes__name_new_changed_and_lost_rows(rows):
    now = [Score(rows["DP004"], 1.0, "hit"), Score(rows["DP005"], 1.0, "miss")]
    assert changes(now, {"DP004": "hit", "DP005": "miss"}) == []
    assert changes(now, {"DP004": "miss", "DP008": "hit"}) == [
        "DP004: miss before, hit now",
        "DP005: not recorded before, miss now",
        "DP008: hit before, not scored now",
    ]


# ------------------------------------------------------------------------------------------------ the command


@pytest.fixture
def computed(monkeypatch, scores):
    """The command finds all rows computed; that it computes them is seen where its example of --help is run."""
    monkeypatch.setattr(validation, "validate", lambda model, rows, progress: scores)


@pytest.fixture
def own_model(tmp_path):
    """A copy of the adult, with its recorded verdicts."""
    shutil.copytree(models_folder() / "adult", tmp_path / "own")
    return tmp_path / "own"


@pytest.mark.usefixtures("computed")
def test_validate_command__unchanged_has_status_0_and_prints_the_score(scores):
    status, output, complaint = spinesim_command("validate")
    assert (status, complaint) == (0, "")
    found, count = hits(scores)
    assert f"Evidence: {found} of {count} hit" in output
    titles = re.findall(r"^(Calibration: no evidence|Evidence|Not reached) *$", output, flags=re.MULTILINE)
    assert titles == ["Calibration: no evidence", "Evidence", "Not reached"]
    assert "stance: kneeling on one leg" in output


@pytest.mark.usefixtures("computed")
def test_validate_command__a_changed_verdict_has_status_1_and_names_the_row_until_recorded(own_model):
    file = own_model / "verdicts.csv"
    text = file.read_text(encoding="utf-8")
    (line,) = re.findall("^DP004,.*$", text, flags=re.MULTILINE)
    file.write_text(text.replace(line, "DP004,evidence,0.1,miss"), encoding="utf-8")
    status, _, complaint = spinesim_command("validate", str(own_model))
    assert status == 1
    assert complaint == "Verdicts that are not the recorded ones:\nDP004: miss before, hit now\n"
    assert spinesim_command("validate", str(own_model), "--record")[0] == 0
    assert file.read_text(encoding="utf-8") == text
    assert spinesim_command("validate", str(own_model))[0] == 0


@pytest.mark.usefixtures("computed")
def test_validate_command__without_a_recorded_table_says_so(own_model):
    (own_model / "verdicts.csv").unlink()
    status, _, complaint = spinesim_command("validate", str(own_model))
    assert status == 0
    assert "has no recorded verdicts" in complaint
    assert not (own_model / "verdicts.csv").exists()


def test_validate_command__bad_input_has_status_2(own_model):
    status, output, complaint = spinesim_command("validate", "adlut")
    assert (status, output) == (2, "")
    assert "did you mean 'adult'?" in complaint
    (own_model / "verdicts.csv").write_text("id,reach,computed,verdict\nDP001,evidence,1,good\n", encoding="utf-8")
    status, output, complaint = spinesim_command("validate", str(own_model))
    assert (status, output) == (2, "")
    assert complaint.count("\n") == 1


@pytest.mark.usefixtures("computed")
def test_validate_command__json_holds_every_row(rows, scores):
    status, output, _ = spinesim_command("validate", "--json")
    assert status == 0
    printed = json.loads(output)
    assert [row["id"] for row in printed["scored"]] == [each.row.id for each in scores]
    assert all(row["verdict"] == row["recorded"] for row in printed["scored"])
    assert len(printed["scored"]) + len(printed["not_reached"]) == len(rows)
    assert printed["changed"] == []


def test_model__recorded_verdicts_are_no_part_of_it(own_model):
    before = load_model(own_model).digest
    (own_model / "verdicts.csv").unlink()
    assert load_model(own_model).digest == before


def test_greatest_width__closed_form():
    """A rectangle, a kite that is widest between its ends, and a triangle that points down."""
    assert greatest_width(np.array([[0.0, 9.0], [0.0, 0.0], [6.0, 0.0], [6.0, 9.0]])) == pytest.approx(6.0)
    assert greatest_width(np.array([[3.0, 9.0], [1.0, 5.0], [3.0, 0.0], [8.0, 5.0]])) == pytest.approx(7.0)
    assert greatest_width(np.array([[0.0, 9.0], [2.0, 0.0], [5.0, 9.0]])) == pytest.approx(5.0)


def test_greatest_width__of_a_foramen_is_that_of_many_cuts(adult):
    case = Bench(adult).standing()
    for level in case.foramen.values:
        outline = case.foramen_outline.sel(foramen=level, side="right").values
        ring = Polygon(outline)
        left, low, right, high = ring.bounds
        cuts = [ring.intersection(LineString([(left, h), (right, h)])).length for h in np.linspace(low, high, 2001)]
        assert greatest_width(outline) == pytest.approx(max(cuts), abs=0.01)


# ------------------------------------------------------------------------------------------------ the written page


def test_page__says_why_of_every_miss_and_of_no_hit():
    recorded = read_verdicts(verdicts_file("adult"))
    words = PAGE.read_text(encoding="utf-8")
    part = words[words.index("## Why the misses") : words.index("## Calibration")]
    assert set(re.findall(r"\*\*([A-Z]{2}\d{3})\*\*", part)) == {k for k, v in recorded.items() if v != "hit"}


def test_page__tables_are_those_that_are_written(scores, rows):
    words = PAGE.read_text(encoding="utf-8")
    written = tables(scores, rows)
    for name in ("score", "reach", "not reached"):
        assert f"<!-- table: {name} -->\n\n{written[name]}\n\n<!-- end -->" in words
    shown = dict(re.findall(r"^\| ([A-Z]{2}\d{3}) \|.*?\| \**(hit|miss|failed)\** \|", words, flags=re.MULTILINE))
    assert shown == {each.row.id: each.verdict for each in scores}


def test_write__asks_for_the_marks_and_a_page(tmp_path, capsys, monkeypatch, scores):
    page = tmp_path / "page.md"
    page.write_text("a page", encoding="utf-8")
    with pytest.raises(InputError, match="the mark <!-- table: score --> is missing"):
        validation.write(page, {"score": "x"})
    page.write_text("a <!-- table: score --> old <!-- end --> z", encoding="utf-8")
    validation.write(page, {"score": "new"})
    assert page.read_text(encoding="utf-8") == "a <!-- table: score -->\n\nnew\n\n<!-- end --> z"
    assert validation.main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_number__shows_what_there_is():
    assert [number(x) for x in (math.nan, math.inf, 1234.5, 0.12345, 34.56)] == ["✗", "none", "1234", "0.123", "34.6"]


def test_scored_rows__have_a_band(rows):
    for row in rows.values():
        if row.reach in SCORED:
            assert row.band is not None
            assert str(row.band)
            assert replace(row, band=row.band) == row
