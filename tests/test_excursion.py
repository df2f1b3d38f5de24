import numpy as np
import pytest

from spinesim import load_model, solve
from spinesim.excursion import held_fibre_lengths, walk


@pytest.fixture(scope="module")
def findings(adult):
    return walk(adult)


@pytest.mark.parametrize("stance", ["standing", "sitting"])
def test_walk__the_adult_finds_its_posture_within_the_muscle_curves(findings, stance):
    assert [f.message for f in findings if f.subject == f"stances: {stance}"] == []


def test_walk__every_clinical_test_of_the_adult_reads_back(adult, findings):
    read = {f.subject: f.message for f in findings if f.subject.startswith("tests: ")}
    assert set(read) == {f"tests: {test.group}" for test in adult.tests}
    assert all("reads 0, 10, 20, 30 deg of tightness within " in message for message in read.values())


def test_walk__a_test_with_a_wrong_gain_is_a_warning(adult):
    tests = tuple(
        t.model_copy(update={"gain": tuple(0.5 * g for g in t.gain)}) if t.group == "hamstrings" else t
        for t in adult.tests
    )
    found = walk(adult.model_copy(update={"tests": tests}))
    assert [f.subject for f in found if f.level == "warning" and f.subject.startswith("tests")] == ["tests: hamstrings"]


def test_walk__a_fascicle_beyond_the_muscle_curves_is_listed_once(adult):
    short = tuple(
        m.model_copy(update={"tendon_slack_length": 1.05 * m.tendon_slack_length, "optimal_fibre_length": 0.05})
        if m.muscle == "piriformis"
        else m
        for m in adult.muscles
    )
    found = [f.message for f in walk(adult.model_copy(update={"muscles": short})) if "piri" in f.message]
    assert any("fibre length outside 0.4 to 1.8" in message for message in found)
    sides = [{side for side in "lr" if f"piriformis_{side} " in message} for message in found if "fibre" in message]
    # the left is said where it stands alone, as in a stance on one side
    assert {"r"} in sides
    assert {"l", "r"} not in sides


def test_held_fibre_lengths__are_those_of_the_solved_case(adult):
    case = solve(adult, stance="forward_bend", posture={"trunk_flexion": 20})
    lengths = held_fibre_lengths(adult, "forward_bend", {"trunk_flexion": 20})
    assert tuple(lengths) == tuple(case.muscle.values)
    assert np.array(list(lengths.values())) == pytest.approx(case.fibre_length.values, abs=1e-9)


def test_walk__the_teaching_model_stands():
    assert [f for f in walk(load_model("teaching")) if f.level == "warning"] == []
