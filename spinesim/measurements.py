"""Published measurements, and which of them the model ought to reach.

``data/measurements/*.csv`` hold the measurements as they stand in the literature, ``data/reach.csv`` says for every one
what the model has to do with it: how its value is formed, or why it is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from spinesim.model.files import Row, parse_number, read_table, text

#: What the model has to do with a measurement.
REACH = {
    "evidence": "scored",
    "calibration": "scored, but a constant is or will be chosen on it: no evidence",
    "waits": "within reach once the stance, input or output exists",
    "population": "needs people who differ",
    "definition": "an input of the model",
    "out_of_scope": "out of scope",
}
SCORED = ("evidence", "calibration")
KINDS = ("number", "bound", "multiple", "regression", "sign", "rank", "class")
CONFIDENCE = ("read", "literature-memory")
FILES = (
    "disc_pressure",
    "spinal_loads",
    "posture",
    "tightness_and_strength",
    "foramen_and_nerve",
    "sciatic",
    "muscle_activity",
)
COLUMNS = (
    *(text(name) for name in ("id", "quantity", "site", "condition", "value")),
    *(text(name, optional=True) for name in ("low", "high")),
    text("unit"),
    *(text(name, optional=True) for name in ("spread", "n")),
    *(text(name) for name in ("kind", "source", "confidence")),
    text("notes", optional=True),
)
REACH_COLUMNS = (text("id"), text("reach"), text("criterion", optional=True), text("words"))


@dataclass(frozen=True)
class Band:
    """What a computed value must meet, in the unit of its row."""

    low: float  #: -inf: no lower limit
    high: float  #: inf: no upper limit
    strict: bool = False  #: the limits themselves are outside; so are signs

    def holds(self, value: float) -> bool:
        """Whether a value meets it; NaN and values without limit never do."""
        if not math.isfinite(value):
            return False
        return self.low < value < self.high if self.strict else self.low <= value <= self.high

    def __str__(self) -> str:
        if math.isinf(self.low):
            return f"{'<' if self.strict else '<='} {self.high:g}"
        if math.isinf(self.high):
            return f"{'>' if self.strict else '>='} {self.low:g}"
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Measurement:
    """One published measurement."""

    id: str
    quantity: str
    site: str
    condition: str
    value: str  #: as published, in ``unit``: a number, several, or a word
    band: Band | None  #: admissible values in ``unit``; None where the row is not scored and has none
    unit: str
    kind: str  #: one of `KINDS`
    source: str
    confidence: str  #: "read" or "literature-memory"
    notes: str
    reach: str  #: one of `REACH`
    words: str  #: how the value is formed, or why it is not
    assumed: bool  #: the band is none of the table but the sign that the row asks for, or assumed


def data_folder() -> Path:
    """Folder of the shipped measurements."""
    return Path(__file__).with_name("data")


def read_measurements(folder: Path | None = None) -> dict[str, Measurement]:
    """Every measurement by its id, in the order of the files.

    Parameters
    ----------
    folder
        With ``reach.csv`` and ``measurements/*.csv``; by default those of the package.

    Raises
    ------
    ModelError
        If a file is wrong; names file, line, row, value and what is allowed.
    """
    folder = folder or data_folder()
    plans: dict[str, Row] = {}
    for row in read_table(folder / "reach.csv", "reach.csv", REACH_COLUMNS, "{id}"):
        if row.fields["id"] in plans:
            row.refuse("the row appears twice")
        if row.fields["reach"] not in REACH:
            row.fail("reach", f"must be one of {', '.join(REACH)}")
        plans[row.fields["id"]] = row
    found: dict[str, Measurement] = {}
    for name in FILES:
        label = f"measurements/{name}.csv"
        for row in read_table(folder / label, label, COLUMNS, "{id}"):
            if row.fields["id"] in found:
                row.refuse("the row appears twice")
            if row.fields["id"] not in plans:
                row.refuse("reach.csv has no such row")
            found[row.fields["id"]] = _measurement(row, plans[row.fields["id"]])
    for key, row in plans.items():
        if key not in found:
            row.refuse("no file of measurements has such a row")
    return found


def _measurement(row: Row, plan: Row) -> Measurement:
    """One row with what reach.csv says of it."""
    if row.fields["kind"] not in KINDS:
        row.fail("kind", f"must be one of {', '.join(KINDS)}")
    if row.fields["confidence"] not in CONFIDENCE:
        row.fail("confidence", f"must be one of {', '.join(CONFIDENCE)}")
    band, criterion = _band(row), plan.fields["criterion"]
    if criterion and band is not None:
        plan.fail("criterion", "must be empty: the measurement has a band of its own")
    assumed = bool(criterion)
    if assumed:
        band = _criterion(plan)
    if band is None and plan.fields["reach"] in SCORED:
        plan.refuse("a scored row without a band needs a criterion")
    fields = {k: str(v) for k, v in row.fields.items() if k not in ("low", "high", "spread", "n")}
    return Measurement(**fields, band=band, reach=plan.fields["reach"], words=plan.fields["words"], assumed=assumed)


def _limit(row: Row, name: str, missing: float) -> float:
    if not row.fields[name]:
        return missing
    value = parse_number(row.fields[name])
    if value is None:
        row.fail(name, "must be a finite number or empty")
    return value


def _band(row: Row) -> Band | None:
    """Band of the table, None if it gives neither limit."""
    low, high = _limit(row, "low", -math.inf), _limit(row, "high", math.inf)
    if low > high:
        row.fail("low", f"must not be above high = {high:g}")
    return None if math.isinf(low) and math.isinf(high) else Band(low, high)


def _criterion(plan: Row) -> Band:
    """``> 0``, ``< 0`` or ``80 to 125`` as a band."""
    sign, _, limit = str(plan.fields["criterion"]).partition(" ")
    low, _, high = str(plan.fields["criterion"]).partition(" to ")
    numbers = [parse_number(word) for word in ((limit,) if sign in ("<", ">") else (low, high))]
    values = [value for value in numbers if value is not None]
    if len(values) < len(numbers):
        plan.fail("criterion", "must be of the form '> 0', '< 0' or '80 to 125'")
    if sign == ">":
        return Band(values[0], math.inf, strict=True)
    if sign == "<":
        return Band(-math.inf, values[0], strict=True)
    return Band(values[0], values[1])
