"""The fit recovers constants that made its rows, keeps to the rows named for it, and goes through its file."""

import dataclasses
import shutil

import pytest
from typer.testing import CliRunner

from spinesim import calibration
from spinesim.calibration import CONSTANTS, ROWS, Objective, applied, calibrate, determination, present, recorded
from spinesim.errors import InputError, ModelError
from spinesim.measurements import read_measurements
from spinesim.model.read import load_model, model_folder


@pytest.fixture(scope="module")
def rows():
    return read_measurements()


def synthetic(model, rows, names, values):
    """Rows whose measured values are those of the model at given constants, with the bands of the real ones."""
    computed = Objective(model, {key: rows[key] for key in names})(values).computed
    return {key: dataclasses.replace(rows[key], value=repr(computed[key])) for key in names}


@pytest.fixture
def copy(tmp_path):
    """A folder with the adult in it."""
    folder = tmp_path / "model"
    shutil.copytree(model_folder("adult"), folder)
    return folder


# the fit


def test_calibrate__recovers_the_constants_that_made_the_rows(adult, rows):
    true = {"neutral_zone.fraction": 0.55, "stability.short_range": 22.0}
    made = synthetic(adult, rows, ("DP001", "TS047"), true)
    found = calibrate(adult, made, free=tuple(true))
    # the pull towards the design is worth 1e-2 of a half band, and three digits are kept
    assert found.fit.misfit < 1e-3
    for name, value in true.items():
        assert found.fit.values[name] == pytest.approx(value, rel=0.02)
    assert found.determined["stability.short_range"] == "both sides"
    assert found.alternatives == ()
    kept = {c.name for c in CONSTANTS} - set(true)
    assert {name: found.fit.values[name] for name in kept} == {name: present(adult)[name] for name in kept}


def test_calibrate__puts_a_constant_that_no_row_feels_back_to_its_design(adult, rows):
    made = synthetic(adult, rows, ("TS047",), {"neutral_zone.fraction": 0.5})
    found = calibrate(adult, made, free=("neutral_zone.fraction", "scatter.activation"))
    assert found.determined["scatter.activation"] == "not"  # no muscle acts in this row
    assert found.fit.values["scatter.activation"] == 0.05
    assert found.sensitivity["TS047"]["scatter.activation"] == 0.0
    assert found.sensitivity["TS047"]["neutral_zone.fraction"] > 1.0
    assert found.fit.values["neutral_zone.fraction"] == pytest.approx(0.5, rel=0.01)


def test_calibrate__of_a_model_without_the_joints_of_a_row_names_the_row(rows):
    teaching = load_model("teaching")
    with pytest.raises(InputError, match="teaching cannot be calibrated on TS047: its case has no solution"):
        calibrate(teaching, {"TS047": rows["TS047"]}, free=("stability.margin",))


@pytest.mark.parametrize("key", ["SL006", "DP004"])
def test_calibrate__refuses_a_row_of_evidence(adult, rows, key):
    with pytest.raises(InputError, match=f"{key} is not a row for calibration: they are DP001, TS001, TS003, TS047"):
        calibrate(adult, {key: rows[key]})


def test_calibrate__refuses_what_cannot_be_fitted(adult, rows):
    with pytest.raises(InputError, match=r"scatter\.trunk is not a constant to be fitted"):
        calibrate(adult, free=("scatter.trunk",))
    with pytest.raises(InputError, match="no row to calibrate on"):
        calibrate(adult, {})
    with pytest.raises(InputError, match="TS047 cannot be fitted: it must be a number with a band of two limits"):
        calibrate(adult, {"TS047": dataclasses.replace(rows["TS047"], band=None)})


def test_rows__are_marked_as_calibration_and_so_never_counted_as_evidence(rows):
    assert {rows[key].reach for key in ROWS} == {"calibration"}


def test_constant__place_and_value_are_inverse():
    for constant in CONSTANTS:
        for place in (0.0, 0.3, 1.0):
            assert constant.place(constant.at(place)) == pytest.approx(place, abs=1e-12)
        assert 0.0 <= constant.place(constant.design) <= 1.0


def test_determination__counts_the_sides_on_which_the_rows_object():
    constant = CONSTANTS[2]

    def fit(value, misfit):
        return calibration.Fit({constant.name: value}, {}, {}, misfit, misfit)

    best = fit(0.4, 0.5)
    assert determination((fit(0.1, 0.6), fit(1.0, 1.4)), best, constant) == "not"
    assert determination((fit(0.1, 1.6), fit(1.0, 1.4)), best, constant) == "one side"
    assert determination((fit(0.1, 1.6), fit(1.0, 9.0)), best, constant) == "both sides"


# the file


def test_shipped_record__is_what_the_shipped_model_computes(adult, rows):
    """Fails when a table changed and ``spinesim calibrate adult --record`` was not run."""
    now = Objective(adult, {key: rows[key] for key in ROWS})(present(adult))
    assert recorded("adult").computed == {row: pytest.approx(value, rel=2e-3) for row, value in now.computed.items()}
    for entry in ("scatter.activation", "neutral_zone.fraction", "stability.short_range"):
        assert adult.constants[entry].source == "calibration"


def test_record__goes_through_the_file(adult, copy, rows):
    true = {"neutral_zone.fraction": 0.55, "stability.short_range": 22.0}
    found = calibrate(adult, synthetic(adult, rows, ("TS047",), true), free=("neutral_zone.fraction",))
    calibration.record(copy, load_model(copy), found)
    again = load_model(copy)
    assert present(again) == pytest.approx(found.fit.values, rel=1e-12)
    assert recorded(copy).misfit == pytest.approx(found.fit.misfit, rel=1e-3, abs=1e-6)
    assert calibration.differences(found, again) == []
    moved = applied(again, {"neutral_zone.fraction": 0.2})
    assert calibration.differences(found, moved) == [
        f"neutral_zone.fraction: 0.2 in the model, {found.fit.values['neutral_zone.fraction']:g} found"
    ]


def test_inputs__follow_the_tables_and_not_the_constants(copy, rows):
    named = {key: rows[key] for key in ROWS}
    before = calibration.inputs(copy, named)
    file = copy / "calibration.toml"
    file.write_text(file.read_text().replace("[fit]", "# more words\n[fit]"))
    assert calibration.inputs(copy, named) == before
    muscles = copy / "muscles.csv"
    muscles.write_text(muscles.read_text().replace("0.32846", "0.32847"))
    assert calibration.inputs(copy, named) != before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[scatter]\nactivation = { value = 0.05",
            "[scatter]\nactivation = { value = -1",
            "scatter.activation = .* must be",
        ),
        ("[neutral_zone]\nfraction = { value = ", "[neutral_zone]\nfraction = { value = 9", "neutral_zone.fraction = "),
        ("[stability]", "[stability]\nshort = 1", "unknown key stability.short"),
        ("[neutral_zone]", "[neutral]", "neutral_zone is missing"),
    ],
)
def test_reading__names_the_file_and_the_entry(copy, old, new, message):
    file = copy / "calibration.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(ModelError, match=f"calibration.toml line .*{message}"):
        load_model(copy)


def test_reading__says_when_the_file_is_missing_or_says_the_same_twice(copy):
    file, top = copy / "calibration.toml", copy / "model.toml"
    text = top.read_text()
    top.write_text(
        text.replace(
            "[neutral_zone]",
            '[neutral_zone]\nfraction = { value = 0.3, source = "assumed", confidence = "assumed" }\n#',
        )
    )
    with pytest.raises(ModelError, match=r"model\.toml line .*unknown key neutral_zone\.fraction"):
        load_model(copy)
    top.write_text(text)
    file.unlink()
    with pytest.raises(ModelError, match=r"calibration\.toml: the file is missing"):
        load_model(copy)


def test_recorded__refuses_a_row_that_is_none_for_calibration(copy):
    file = copy / "calibration.toml"
    file.write_text(file.read_text() + "SL006 = 1.0\n")
    with pytest.raises(ModelError, match=r"fit.computed.SL006 = 1.0, is not a row for calibration"):
        recorded(copy)


# the command


def test_command__compares_and_names_what_differs(adult, copy, monkeypatch, rows):
    """The fit is replaced by a short one: what is tested is what the command does with its answer."""
    from spinesim.cli import app

    found = calibrate(adult, {"TS047": rows["TS047"]}, free=("neutral_zone.fraction",))
    monkeypatch.setattr(calibration, "calibrate", lambda model, progress: found)
    runner = CliRunner()
    file = copy / "calibration.toml"
    text = file.read_text()
    file.write_text(
        text.replace(
            "fraction = { value = ",
            'fraction = { value = 0.2, notes = "", source = "calibration", confidence = "assumed" }\n#',
        )
    )
    answer = runner.invoke(app, ["calibrate", str(copy)])
    assert answer.exit_code == 1
    assert "neutral_zone.fraction: 0.2 in the model" in answer.stderr
    assert runner.invoke(app, ["calibrate", str(copy), "--record"]).exit_code == 0
    assert runner.invoke(app, ["calibrate", str(copy)]).exit_code == 0
