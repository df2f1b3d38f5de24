"""The clinical tests: what is done, what is read, and how far a reading can be trusted; all of it data.

``data/clinical_tests.csv`` has a row for every number that a clinician reads, ``data/muscle_grades.csv`` the least
share of healthy strength of every grade [%].
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from spinesim.errors import InputError
from spinesim.model.files import PROVENANCE, Row, number, read_table, text
from spinesim.units import PERCENT

KINDS = ("range", "strength", "posture")
SIDES = {"both": ("right", "left"), "midline": ("midline",)}
CONFIDENCE = ("read", "literature-memory", "derived", "assumed")
#: Smallest change beyond error at 95 %: 1.96 sqrt(2) standard errors of measurement, for a difference of two readings.
DETECTABLE = 1.96 * math.sqrt(2.0)
_TEXTS = ("title", "kind", "of", "sides", "unit")
_COLUMNS = (
    text("test"),
    text("item", optional=True),
    *(text(name) for name in _TEXTS),
    number("sign", "number"),
    *(number(name, "angle", optional=True) for name in ("hip_flexion", "knee_flexion")),
    text("protocol"),
    *(number(name, "number") for name in ("error", "spread")),
    *PROVENANCE,
)
_GRADES = (
    number("grade", "number"),
    number("least_share", "number", stem="least_share_percent"),
    *PROVENANCE,
)


@dataclass(frozen=True)
class Measure:
    """One number that a clinical test reads, on either side or in the midline."""

    test: str  #: such as "thomas" or "manual_muscle_test"
    item: str  #: which number of the test, or "" where there is one
    title: str
    kind: str  #: "range": angle where a relaxed limb stops; "strength": largest moment; "posture": angle of a stance
    of: str  #: group whose tightness is read, effort, or result variable
    sides: tuple[str, ...]
    unit: str  #: of the reading: "deg" or "N m"
    sign: float  #: of the reading in the direction of the joint coordinate
    hip_flexion: float | None  #: of the limb in a strength test [rad]
    knee_flexion: float | None
    protocol: str  #: in words
    error: float  #: standard error of measurement between sessions or examiners: deg, or % of the healthy moment
    spread: float  #: standard deviation among healthy people, in the unit of the error
    source: str  #: of the error
    confidence: str
    notes: str

    @property
    def name(self) -> str:
        """``thomas`` or ``manual_muscle_test.hip_flexion``."""
        return f"{self.test}.{self.item}" if self.item else self.test

    @property
    def relative(self) -> bool:
        """Whether error and spread are shares of the healthy reading."""
        return self.kind == "strength"


@cache
def measures(folder: Path | None = None) -> tuple[Measure, ...]:
    """Every measure, in the order of the file.

    Parameters
    ----------
    folder
        With ``clinical_tests.csv``; by default that of the package.

    Raises
    ------
    ModelError
        If the file is wrong; names file, line, entry, value and what is allowed.
    """
    label = "clinical_tests.csv"
    found: dict[str, Measure] = {}
    for row in read_table((folder or _data()) / label, label, _COLUMNS, "{test} {item}"):
        measure = _measure(row)
        if measure.name in found:
            row.refuse("the row appears twice")
        found[measure.name] = measure
    return tuple(found.values())


def _measure(row: Row) -> Measure:
    fields = dict(row.fields)
    for name, allowed in (("kind", KINDS), ("sides", tuple(SIDES)), ("confidence", CONFIDENCE)):
        if fields[name] not in allowed:
            row.fail(name, f"must be one of {', '.join(allowed)}")
    if fields["unit"] != ("N m" if fields["kind"] == "strength" else "deg"):
        row.fail("unit", "must be N m for a strength and deg for the others")
    if abs(fields["sign"]) != 1.0:
        row.fail("sign", "must be 1 or -1")
    for name in ("error", "spread"):
        if not fields[name] > 0.0:
            row.fail(name, "must be positive")
    angles = {name: fields.pop(name, None) for name in ("hip_flexion", "knee_flexion")}
    return Measure(**{**fields, **angles, "sides": SIDES[fields["sides"]]})


def names_of_tests() -> tuple[str, ...]:
    """Names of the tests, each once."""
    return tuple(dict.fromkeys(measure.test for measure in measures()))


def chosen(tests: Collection[str] | None) -> tuple[Measure, ...]:
    """The measures of some tests, in the order of the file; all of them for None.

    Raises
    ------
    InputError
        For an unknown test; gives the nearest name.
    """
    if tests is None:
        return measures()
    if isinstance(tests, str):
        raise InputError(f"tests = {tests!r} is not allowed: it must be a list of names, as [{tests!r}]")
    for name in tests:
        if name not in names_of_tests():
            near = difflib.get_close_matches(str(name), names_of_tests(), n=1)
            hint = f"did you mean {near[0]}?" if near else f"tests are {', '.join(names_of_tests())}."
            raise InputError(f"There is no clinical test {name}: {hint}")
    if not tests:
        raise InputError(f"tests is empty: name some of {', '.join(names_of_tests())}")
    return tuple(measure for measure in measures() if measure.test in tests)


@dataclass(frozen=True)
class Grade:
    """A grade of the manual muscle test."""

    grade: int  #: 0 to 5
    least_share: float  #: of healthy strength [1]
    source: str
    confidence: str
    notes: str


@cache
def grades(folder: Path | None = None) -> tuple[Grade, ...]:
    """Every grade, from the strongest down.

    Parameters
    ----------
    folder
        With ``muscle_grades.csv``; by default that of the package.

    Raises
    ------
    ModelError
        If the file is wrong, or a lower grade asks for more than a higher one.
    """
    label = "muscle_grades.csv"
    found: list[Grade] = []
    for row in read_table((folder or _data()) / label, label, _GRADES, "grade {grade}"):
        texts = {name: str(row.fields[name]) for name in ("source", "confidence", "notes")}
        each = Grade(int(row.fields["grade"]), row.fields["least_share"] * PERCENT, **texts)
        if found and not (each.grade < found[-1].grade and each.least_share < found[-1].least_share):
            row.refuse("grades and shares must fall from line to line")
        found.append(each)
    return tuple(found)


def grade(share: float) -> int:
    """Grade 0 to 5 of a muscle that has a share of its healthy strength [1].

    Raises
    ------
    InputError
        If the share is negative or no number.
    """
    if not share >= 0.0:
        raise InputError(f"share = {share:g} is not allowed: it must be 0 or more")
    return next(each.grade for each in grades() if share >= each.least_share)


def _data() -> Path:
    return Path(__file__).with_name("data")


def side_names(chosen_measures: Sequence[Measure]) -> list[tuple[Measure, str]]:
    """Every measure with each of its sides."""
    return [(measure, side) for measure in chosen_measures for side in measure.sides]
