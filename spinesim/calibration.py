"""The constants that no table gives, fitted to the few measurements that are named for it.

    python -m spinesim.calibration docs/calibration.md

writes the tables of the shipped adult into that page. The rows used here are never evidence. Four rows cannot
determine five constants. So all are fitted first, with a weak pull towards the values of the design, and the profile of
each is drawn; a constant whose profile is flat goes back to its design, and the others are fitted again.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinesim.errors import InputError, SpinesimError
from spinesim.kernels.arrays import Floats
from spinesim.measurements import Measurement, read_measurements
from spinesim.model.files import Document, Section, parse_number
from spinesim.model.folder import CALIBRATED, CALIBRATION, ModelFolder
from spinesim.model.parts import Model
from spinesim.model.read import load_model, model_folder
from spinesim.protocols import PROTOCOLS, Bench
from spinesim.validation import markdown, number, write

#: The measurements that constants may be fitted to.
ROWS = ("DP001", "TS001", "TS003", "TS047")
PULL = 0.1  #: half bands that a constant costs at the far end of its range (assumed): rows decide where they can
FAILED = 10.0  #: half bands by which a row without a value is off: far beyond what any solved case misses
DIFFERENCE = 0.02  #: step of a constant over its range: the rows are smooth to about 1e-4 of their half band
ROUNDS = 12  #: of the fit; it ends long before unless two rows disagree along a curved valley
STARTS = 5  #: first the design, the others spread over the ranges
POINTS = 7  #: of a profile
DISTINCT = 0.1  #: of the range of a constant: nearer fits are the same
SAME = 0.02  #: of the range of a constant: by how much a recorded value may differ from a new one
DIGITS = 3  #: of a recorded value


@dataclass(frozen=True)
class Constant:
    """A constant that may be fitted, in SI, with its range and the value it is pulled to."""

    section: str
    stem: str
    symbol: str
    low: float
    high: float
    design: float
    unit: str  #: of the key in calibration.toml, "" for a pure number
    logarithmic: bool  #: whether ratios count, or differences
    words: str

    @property
    def name(self) -> str:
        """Dotted name, as in the file."""
        return f"{self.section}.{self.stem}"

    def place(self, value: float) -> float:
        """Place in the range, 0 to 1."""
        low, high, x = (math.log(v) if self.logarithmic else v for v in (self.low, self.high, value))
        return (x - low) / (high - low)

    def at(self, place: float) -> float:
        """Value at a place."""
        if self.logarithmic:
            return math.exp(math.log(self.low) + place * math.log(self.high / self.low))
        return self.low + place * (self.high - self.low)


CONSTANTS = (
    Constant("scatter", "activation", "σ_a", 0.01, 0.2, 0.05, "", True, "scatter of activation"),
    Constant("scatter", "centre_of_mass", "σ_com", 0.005, 0.015, 0.010, "m", True, "scatter of the centre of mass"),
    Constant("neutral_zone", "fraction", "η", 0.1, 1.0, 0.3, "", True, "slope of the discs left near neutral"),
    Constant("stability", "margin", "ε₀", 0.0, 20.0, 0.0, "Nm_per_rad", False, "stability margin"),
    Constant("stability", "short_range", "κ", 10.0, 40.0, 10.0, "", True, "short-range stiffness"),
)


def applied(model: Model, values: Mapping[str, float]) -> Model:
    """The model with other constants, by dotted name [SI]."""
    parts = {}
    for section, stems in CALIBRATED.items():
        changed = {stem: values[f"{section}.{stem}"] for stem in stems if f"{section}.{stem}" in values}
        parts[section] = getattr(model, section).model_copy(update=changed)
    return model.model_copy(update=parts)


def present(model: Model) -> dict[str, float]:
    """The constants of a model by dotted name [SI]."""
    return {c.name: float(getattr(getattr(model, c.section), c.stem)) for c in CONSTANTS}


@dataclass(frozen=True)
class Fit:
    """Constants with what the rows say to them."""

    values: dict[str, float]  #: by dotted name [SI]
    computed: dict[str, float]  #: by row, in its unit; NaN where a case failed
    residuals: dict[str, float]  #: by row: computed less measured, in half widths of the band
    misfit: float  #: sum of the squared residuals of the rows
    cost: float  #: the same with the pull towards the design: what is minimised


@dataclass(frozen=True)
class Calibration:
    """What a calibration found."""

    fit: Fit  #: undetermined constants at their design, the others fitted and rounded
    loose: Fit  #: all constants fitted
    alternatives: tuple[Fit, ...]  #: other local minima of that, by cost
    profiles: dict[str, tuple[Fit, ...]]  #: by constant: it is held at places of its range, the others fitted
    sensitivity: dict[str, dict[str, float]]  #: by row and constant: half bands per whole range of the constant
    determined: dict[str, str]  #: by constant: "both sides", "one side" or "not"


class Objective:
    """Residuals of the rows at given constants; every set of constants is solved once.

    Parameters
    ----------
    rows
        Measurements by id, all among `ROWS`, each a number with a band of two limits.

    Raises
    ------
    InputError
        For another row, or one that is no number with two limits.
    """

    def __init__(self, model: Model, rows: Mapping[str, Measurement]) -> None:
        self.model = model
        self.measured: dict[str, tuple[float, float]] = {}
        for key, row in rows.items():
            if key not in ROWS:
                raise InputError(
                    f"{key} is not a row for calibration: they are {', '.join(ROWS)}; all others are evidence"
                )
            value, half = parse_number(row.value), math.nan if row.band is None else (row.band.high - row.band.low) / 2
            if value is None or not 0.0 < half < math.inf:
                raise InputError(f"{key} cannot be fitted: it must be a number with a band of two limits")
            self.measured[key] = value, half
        if not self.measured:
            raise InputError(f"no row to calibrate on: give at least one of {', '.join(ROWS)}")
        self.solved: dict[tuple[float, ...], Fit] = {}

    def __call__(self, values: Mapping[str, float]) -> Fit:
        """The rows at these constants; those not named are the model's."""
        complete = present(self.model) | dict(values)
        key = tuple(complete.values())
        if key not in self.solved:
            bench = Bench(applied(self.model, complete))
            computed = {row: _value(bench, row) for row in self.measured}
            residuals = {
                row: FAILED if math.isnan(computed[row]) else (computed[row] - value) / half
                for row, (value, half) in self.measured.items()
            }
            misfit = math.fsum(r * r for r in residuals.values())
            pull = math.fsum(p * p for p in pulls(complete))
            self.solved[key] = Fit(complete, computed, residuals, misfit, misfit + pull)
        return self.solved[key]


def _value(bench: Bench, row: str) -> float:
    try:
        return float(PROTOCOLS[row](bench))
    except SpinesimError:
        return math.nan


def pulls(values: Mapping[str, float]) -> list[float]:
    """Distance of every constant from the design, times `PULL` over the longer way to an end of its range."""
    found = []
    for constant in CONSTANTS:
        design = constant.place(constant.design)
        found.append(PULL * (constant.place(values[constant.name]) - design) / max(design, 1.0 - design))
    return found


def descend(objective: Objective, start: Mapping[str, float], free: tuple[Constant, ...]) -> Fit:
    """The local minimum of the cost that a start leads to; the constants that are not free stay."""
    from scipy.optimize import least_squares  # a third of a second, which few users need

    def residuals(places: Floats) -> Floats:
        values = {**start, **{c.name: c.at(float(p)) for c, p in zip(free, places, strict=True)}}
        fit = objective(values)
        return np.array([*fit.residuals.values(), *pulls(fit.values)])

    places = np.clip([c.place(start[c.name]) for c in free], 1e-3, 1.0 - 1e-3)  # the method starts inside
    found = least_squares(
        residuals, places, bounds=(0.0, 1.0), diff_step=DIFFERENCE, xtol=1e-3, ftol=1e-4, max_nfev=ROUNDS
    )
    return objective({**start, **{c.name: c.at(float(p)) for c, p in zip(free, found.x, strict=True)}})


def apart(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Largest difference of a constant over its range."""
    return max(abs(c.place(one[c.name]) - c.place(other[c.name])) for c in CONSTANTS)


def rounded(values: Mapping[str, float]) -> dict[str, float]:
    """Values to the digits that are recorded."""
    return {name: float(f"{value:.{DIGITS}g}") if abs(value) > 1e-6 else 0.0 for name, value in values.items()}


def starts(free: tuple[Constant, ...], count: int) -> list[dict[str, float]]:
    """The design, then places spread over the ranges (the same every time)."""
    from scipy.stats import qmc

    places = qmc.Halton(len(free), scramble=False).random(count)[1:]
    return [
        {c.name: c.design for c in free},
        *({c.name: c.at(p) for c, p in zip(free, row, strict=True)} for row in places),
    ]


def steps(free: tuple[Constant, ...] = CONSTANTS) -> int:
    """How often `calibrate` reports progress."""
    return STARTS + len(free) + 1


def calibrate(
    model: Model,
    rows: Mapping[str, Measurement] | None = None,
    *,
    free: tuple[str, ...] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Calibration:
    """Constants at which the rows are met best, how well each is determined, and other answers.

    Minimised is the sum over the rows of ((computed - measured) / half width of the band)^2 and, over the constants, of
    (`PULL` x distance from the design / longer way to an end of the range)^2. A constant is determined on a side where
    the part of the rows rises by 1 or more within its range, the others fitted again; one that is on neither goes back
    to its design.

    Parameters
    ----------
    model
        A checked model. Its own constants do not matter unless they are kept.
    rows
        Measurements by id, by default those of the package named in `ROWS`.
    free
        Dotted names of the constants to fit, by default all; the others are kept.
    progress
        Called with a word before every part, `steps` times.

    Raises
    ------
    InputError
        For a row or a constant that is not to be fitted, or a row that has no value at the end.
    """
    known = {c.name: c for c in CONSTANTS}
    for name in free or ():
        if name not in known:
            raise InputError(f"{name} is not a constant to be fitted: they are {', '.join(known)}")
    chosen = CONSTANTS if free is None else tuple(known[name] for name in free)
    if rows is None:
        shipped = read_measurements()
        rows = {key: shipped[key] for key in ROWS}
    objective, step = Objective(model, rows), progress or (lambda _: None)
    found: list[Fit] = []
    for k, start in enumerate(starts(chosen, STARTS), 1):
        step(f"fit {k}")
        found.append(descend(objective, present(model) | start, chosen))
    found.sort(key=lambda fit: fit.cost)
    loose = found[0]
    others: list[Fit] = []
    for fit in found[1:]:
        if all(apart(fit.values, each.values) > DISTINCT for each in (loose, *others)):
            others.append(fit)
    profiles = {}
    for constant in chosen:
        step(f"profile of {constant.symbol}")
        profiles[constant.name] = profile(objective, loose, constant, chosen)
    determined = {name: determination(line, loose, known[name]) for name, line in profiles.items()}
    step("last fit")
    design = {c.name: c.design for c in chosen if determined[c.name] == "not"}
    left = tuple(c for c in chosen if c.name not in design)
    start = loose.values | design
    best = objective(rounded(descend(objective, start, left).values if left else start))
    for row, value in best.computed.items():
        if math.isnan(value):
            raise InputError(f"{model.name} cannot be calibrated on {row}: its case has no solution")
    return Calibration(
        fit=best,
        loose=loose,
        alternatives=tuple(others),
        profiles=profiles,
        sensitivity=sensitivity(objective, best, chosen),
        determined=determined,
    )


def profile(objective: Objective, best: Fit, constant: Constant, free: tuple[Constant, ...]) -> tuple[Fit, ...]:
    """The others fitted while one constant is held at places of its range, in their order.

    Each point starts from its neighbour on the side of the best fit.
    """
    others = tuple(c for c in free if c is not constant)
    here = constant.place(best.values[constant.name])
    places = np.linspace(0.0, 1.0, POINTS)
    found: dict[float, Fit] = {}
    for side in (places[places >= here], places[places < here][::-1]):
        near = best
        for place in side:
            held = {**near.values, constant.name: constant.at(float(place))}
            near = descend(objective, held, others) if others else objective(held)
            found[float(place)] = near
    return tuple(found[place] for place in sorted(found))


def determination(line: tuple[Fit, ...], best: Fit, constant: Constant) -> str:
    """On which sides of the best value the misfit of the rows rises by 1 or more within the range."""
    here = constant.place(best.values[constant.name])
    rises = {constant.place(fit.values[constant.name]) > here for fit in line if fit.misfit >= best.misfit + 1.0}
    return ("not", "one side", "both sides")[len(rises)]


def sensitivity(objective: Objective, best: Fit, free: tuple[Constant, ...]) -> dict[str, dict[str, float]]:
    """Slope of every residual by every constant at the best fit: half bands per whole range."""
    found: dict[str, dict[str, float]] = {row: {} for row in best.residuals}
    for constant in free:
        here = constant.place(best.values[constant.name])
        ends = max(here - DIFFERENCE, 0.0), min(here + DIFFERENCE, 1.0)
        low, high = (objective({**best.values, constant.name: constant.at(end)}) for end in ends)
        for row in found:
            found[row][constant.name] = (high.residuals[row] - low.residuals[row]) / (ends[1] - ends[0])
    return found


# ---------------------------------------------------------------------------------------------------------- the file


def inputs(folder: Path, rows: Mapping[str, Measurement]) -> str:
    """SHA-256 over what a calibration depends on: its rows, and the model without stances and imbalances not used."""
    result = hashlib.sha256()
    for file in ModelFolder(folder, folder.as_posix()).files():
        name = file.relative_to(folder).as_posix()
        used = name == "stances/standing.toml" or not name.startswith(("stances/", "imbalances/"))
        if used and name not in (CALIBRATION, "sources.toml"):
            result.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    for key in sorted(rows):
        result.update(f"{key} {rows[key].value} {rows[key].band}".encode() + b"\0")
    return result.hexdigest()


def written(model: Model, found: Calibration, digest: str) -> str:
    """Text of calibration.toml."""
    lines = [f"# The constants that `spinesim calibrate {model.name} --record` finds (docs/calibration.md).", ""]
    for section in CALIBRATED:
        lines.append(f"[{section}]")
        for constant in CONSTANTS:
            if constant.section == section:
                key = f"{constant.stem}_{constant.unit}" if constant.unit else constant.stem
                sides = found.determined.get(constant.name, "not")
                confidence = "assumed" if sides == "not" else "fitted"
                notes = f"{constant.words}; determined by the rows: {sides}" + ", so that it has its design" * (
                    sides == "not"
                )
                entry = (
                    f'value = {found.fit.values[constant.name]:g}, source = "calibration", confidence = "{confidence}"'
                )
                lines.append(f'{key} = {{ {entry}, notes = "{notes}" }}')
        lines.append("")
    lines += [
        "[fit]  # the rows are no evidence",
        f'inputs = "{digest}"',
        f"misfit = {found.fit.misfit:.4g}",
        "",
        "[fit.computed]",
    ]
    lines += [f"{row} = {value:.4g}" for row, value in found.fit.computed.items()]
    return "\n".join(lines) + "\n"


def record(name_or_path: str | Path, model: Model, found: Calibration) -> Path:
    """Write calibration.toml of a model; the file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    folder = model_folder(name_or_path)
    shipped = read_measurements()
    text = written(model, found, inputs(folder, {key: shipped[key] for key in ROWS}))
    file = folder / CALIBRATION
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}") from error
    return file


@dataclass(frozen=True)
class Recorded:
    """How the constants in calibration.toml were found."""

    inputs: str
    misfit: float
    computed: dict[str, float]


def recorded(name_or_path: str | Path) -> Recorded | None:
    """The record of a model; None if its constants were not fitted.

    Raises
    ------
    ModelError
        If the file is wrong; names file, line, entry, value and what is allowed.
    """
    file = model_folder(name_or_path) / CALIBRATION
    top = Section(Document.read(file, file.as_posix()))
    if not top.has("fit"):
        return None
    section = top.section("fit")
    computed = section.section("computed")
    for row in computed.data:
        if row not in ROWS:
            computed.fail(row, f"is not a row for calibration: they are {', '.join(ROWS)}")
    values = {row: computed.finite(row, value) for row, value in computed.data.items()}
    result = Recorded(section.text("inputs"), section.number("misfit", "number"), values)
    section.close()
    return result


def differences(found: Calibration, model: Model) -> list[str]:
    """One phrase for every constant of the model that is not the one found, beyond `SAME` of its range."""
    own = present(model)
    return [
        f"{c.name}: {own[c.name]:g} in the model, {found.fit.values[c.name]:g} found"
        for c in CONSTANTS
        if abs(c.place(own[c.name]) - c.place(found.fit.values[c.name])) > SAME
    ]


# ---------------------------------------------------------------------------------------------------------- the page


def shown(constant: Constant, value: float) -> str:
    """A value with the unit in which it is read."""
    if constant.unit == "m":
        return f"{1e3 * value:.3g} mm"
    return f"{value:.3g} N m/rad" if constant.unit else f"{value:.3g}"


def tables(found: Calibration, rows: Mapping[str, Measurement]) -> dict[str, str]:
    """The tables of docs/calibration.md as Markdown, by name."""
    fit = found.fit
    constants = [c for c in CONSTANTS if c.name in found.profiles]
    return {
        "constants": markdown(
            ["constant", "meaning", "found", "range", "design", "determined by the rows"],
            [
                [
                    *(c.symbol, c.words, shown(c, fit.values[c.name]), f"{shown(c, c.low)} to {shown(c, c.high)}"),
                    *(shown(c, c.design), found.determined[c.name]),
                ]
                for c in constants
            ],
        ),
        "rows": markdown(
            ["id", "quantity", "computed", "measured", "band", "unit", "residual", "confidence"],
            [
                [
                    *(row, f"{rows[row].quantity}, {rows[row].condition}", number(fit.computed[row]), rows[row].value),
                    *(str(rows[row].band), rows[row].unit, f"{off:+.2f}", rows[row].confidence),
                ]
                for row, off in fit.residuals.items()
            ],
        ),
        "sensitivity": markdown(
            ["id", *(c.symbol for c in constants)],
            [[row, *(f"{slopes[c.name]:+.2f}" for c in constants)] for row, slopes in found.sensitivity.items()],
        ),
        "alternatives": markdown(
            ["fit", *(c.symbol for c in constants), "misfit", "cost"],
            [
                [name, *(shown(c, each.values[c.name]) for c in constants), f"{each.misfit:.3f}", f"{each.cost:.3f}"]
                for name, each in (
                    ("chosen", fit),
                    ("all fitted", found.loose),
                    *((f"other {k}", o) for k, o in enumerate(found.alternatives, 1)),
                )
            ],
        ),
        "profiles": markdown(
            ["constant held", *(f"{100 * p:.0f} % of its range" for p in np.linspace(0.0, 1.0, POINTS))],
            [
                [c.symbol, *(f"{shown(c, each.values[c.name])}: {each.misfit:.2f}" for each in found.profiles[c.name])]
                for c in constants
            ],
        ),
    }


def main(arguments: list[str]) -> int:
    """Write the tables into the page named; the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        sys.stderr.write("usage: python -m spinesim.calibration PAGE, with the page to write to\n")
        return 2
    write(Path(arguments[0]), tables(calibrate(load_model("adult")), read_measurements()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
