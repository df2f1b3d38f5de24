"""The clinical tests as data: complete, sourced, and wrong files are refused."""

import shutil

import pytest

from spinesim import clinical
from spinesim.errors import InputError, ModelError
from spinesim.isometric import LIMB_EFFORTS, TRUNK_EFFORTS
from spinesim.variables import VARIABLES


def test_measures__every_number_says_where_it_comes_from():
    for measure in clinical.measures():
        assert measure.source
        assert measure.protocol
        assert measure.error < measure.spread  # else the test could tell no two people apart
        assert measure.notes or measure.confidence == "read"
        assert "assumed" in measure.notes + measure.source or measure.confidence != "assumed"


def test_measures__know_what_they_read(adult):
    groups = {test.group for test in adult.tests}
    for measure in clinical.measures():
        if measure.kind == "range":
            assert measure.of in groups
        elif measure.kind == "strength":
            assert measure.of in TRUNK_EFFORTS | LIMB_EFFORTS
        else:
            assert measure.of == "pelvic_drop" or measure.of in VARIABLES
    assert {measure.of for measure in clinical.measures() if measure.kind == "range"} == groups
    assert {measure.of for measure in clinical.measures() if measure.kind == "strength"} == {
        *TRUNK_EFFORTS,
        *LIMB_EFFORTS,
    }


@pytest.mark.parametrize(
    ("share", "grade"),
    [(1.2, 5), (0.5, 5), (0.499, 4), (0.1, 4), (0.0999, 3), (0.048, 3), (0.047, 2), (0.019, 1), (0.0, 0)],
)
def test_grade__is_that_of_the_least_share(share, grade):
    assert clinical.grade(share) == grade


def test_grade__refuses_less_than_nothing():
    with pytest.raises(InputError, match=r"share = -0\.1 is not allowed"):
        clinical.grade(-0.1)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("clinical_tests", ",3.9,5.6,", ",0,5.6,", r"line 2: thomas : error = 0, must be positive"),
        ("clinical_tests", "Thomas test,range", "Thomas test,rang", r"kind = rang, must be one of range, strength"),
        (
            "clinical_tests",
            "hip_flexors,both,deg,1",
            "hip_flexors,both,rad,1",
            r"unit = rad, must be N m for a str",
        ),
        ("clinical_tests", "hip_flexors,both,deg,1", "hip_flexors,both,deg,2", r"sign = 2, must be 1 or -1"),
        ("clinical_tests", "hip_flexors,both", "hip_flexors,neither", r"sides = neither, must be one of both, midline"),
        ("clinical_tests", "\nely,", "\nthomas,", r"line 4: thomas : the row appears twice"),
        ("muscle_grades", "3,4.8", "3,48", r"line 4: grade 3: grades and shares must fall from line to line"),
    ],
)
def test_measures__a_wrong_file_is_refused(tmp_path, file, old, new, message):
    for name in ("clinical_tests.csv", "muscle_grades.csv"):
        shutil.copy(clinical._data() / name, tmp_path / name)
    path = tmp_path / f"{file}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        (clinical.grades if file == "muscle_grades" else clinical.measures)(tmp_path)
