"""The file ``scenario.toml`` of an experiment: what to solve, and what to draw of it.

A wrong entry raises ``InputError`` with file, line, entry and what is allowed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from spinesim.errors import InputError
from spinesim.plots import KINDS, check_options
from spinesim.variables import ADAPTATIONS, ASSESSMENTS, COMPARISONS, SENSITIVITIES, VARIABLES

FILE = "scenario.toml"
AXIS = "a list of numbers without repetition, or { start, stop, step } with a whole number of steps"
STABILITY = "true (the margin of the model), false (none) or a number of N m/rad"

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


def axis_values(given: object) -> list[float]:
    """Values of an axis from a list or a ``{start, stop, step}`` table; ``stop`` is the last value.

    Raises
    ------
    ValueError
        With what is allowed.
    """
    if isinstance(given, dict):
        if set(given) != {"start", "stop", "step"} or not all(_is_number(value) for value in given.values()):
            raise ValueError(f"it must be {AXIS}")
        start, stop, step = (float(given[key]) for key in ("start", "stop", "step"))
        count = (stop - start) / step if step else -1.0
        if count < 0 or abs(count - round(count)) > 1e-6:
            raise ValueError(f"it must be {AXIS}")
        return [round(start + i * step, 12) for i in range(round(count) + 1)]
    if not isinstance(given, list) or not given or not all(_is_number(value) for value in given):
        raise ValueError(f"it must be {AXIS}")
    values = [float(value) for value in given]
    if len(set(values)) < len(values):
        raise ValueError(f"it must be {AXIS}")
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


def stability_value(given: object) -> object:
    """What a run demands of stability: true, false or a number.

    Raises
    ------
    ValueError
        With what is allowed.
    """
    if not isinstance(given, bool) and not _is_number(given):
        raise ValueError(f"it must be {STABILITY}")
    return given


class _Named(_Entry):
    """What leaves a results file."""

    name: Name  #: of the results file
    title: str = ""  #: in words, for figures and tables; the name by default

    @property
    def words(self) -> str:
        """What figures and tables call it."""
        return self.title or self.name.replace("_", " ")


class _Solved(_Named):
    """How cases are solved."""

    stance: str = "standing"
    posture: dict[str, float] | None = None  #: angles to hold [deg]
    complete: Literal["rhythm", "find"] = "rhythm"
    criterion: str = "effort2"  #: what the activations of a held posture minimise
    weights: Literal["volume", "unit"] = "volume"
    #: least stiffness demanded [N m/rad]; the model's margin or none; by default the model's where the posture is found
    stability: Annotated[float | bool | None, BeforeValidator(stability_value)] = None
    parameters: dict[str, float] = {}

    @property
    def task(self) -> dict[str, Any]:
        """Options of a solve, but for the parameters."""
        names = ("stance", "posture", "complete", "criterion", "weights", "stability")
        return {name: getattr(self, name) for name in names}


class Run(_Solved):
    """One solve, or one sweep if it has axes."""

    axes: dict[str, Annotated[list[float], BeforeValidator(axis_values)]] = {}
    variables: list[str] | None = None


class Sensitivity(_Solved):
    """Which parameters move which outcomes."""

    ranges: dict[str, list[float]]  #: lower and upper end by parameter
    outcomes: list[str]
    method: Literal["local", "morris", "sobol"] = "sobol"
    n: int | None = None  #: trajectories or rows
    seed: int = 0

    @property
    def axes(self) -> dict[str, list[float]]:
        """No axis that a figure may choose cases on."""
        return {}


class Confusion(_Named):
    """What clinical tests take the named imbalances of the model for."""

    tests: list[str] | None = None
    severities: list[float] = [0.5, 1.0]
    against: Literal["own", "norms"] = "own"
    draws: int = 10_000
    seed: int = 0

    @property
    def axes(self) -> dict[str, list[float]]:
        """Its one axis."""
        return {"severity": self.severities}


class _Treated(_Named):
    """People with an imbalance for whom something is done."""

    imbalance: str | None = None
    parameters: dict[str, float] = {}  #: in place of a named imbalance

    @property
    def who(self) -> str | dict[str, float]:
        """The imbalance."""
        return self.imbalance or self.parameters

    @property
    def axes(self) -> dict[str, list[float]]:
        """No axis that a figure may choose cases on."""
        return {}


class Compare(_Treated):
    """Programmes against nothing."""

    programmes: list[str] = Field(min_length=1)
    weeks: float = 8.0
    per_week: float = 3.0
    times: list[float] | None = None  #: weeks at which people are compared; only the end by default
    people: int = 64
    seed: int = 0
    stance: str = "standing"


class DoseGrid(_Treated):
    """Benefit of an outcome over a grid of doses."""

    interventions: list[str] = Field(min_length=1)
    outcome: str
    weeks: list[float] = Field(default=[2.0, 4.0, 8.0, 12.0, 16.0], min_length=1)
    per_week: list[float] = Field(default=[1.0, 2.0, 3.0, 5.0], min_length=1)


class Adaptation(_Named):
    """A course in weeks of muscles that adapt to how they are used."""

    start: dict[str, float] = {}  #: strength or tightness of groups at the beginning
    habit: dict[str, float] | None = None  #: hours a day by stance
    laws: dict[str, float] = {}  #: in place of the assumed ones
    parameters: dict[str, float] = {}  #: that do not adapt
    weeks: int = 104

    @property
    def axes(self) -> dict[str, list[float]]:
        """Its one axis, by its ends."""
        return {"week": [0.0, float(self.weeks)]}


class FigureEntry(_Entry):
    """One figure; several runs stand side by side."""

    kind: str
    file: Name  #: without ending
    run: str | None = None
    runs: list[str] | None = None
    healthy: str | None = None  #: run whose first case stands behind
    case: dict[str, float] | None = None  #: values on the axes
    options: dict[str, Any] = {}
    formats: list[Literal["png", "svg", "pdf"]] = Field(default=["png", "svg"], min_length=1)

    @property
    def names(self) -> list[str]:
        """Names of its runs."""
        return self.runs or ([self.run] if self.run else [])


AnyRun: TypeAlias = Run | Sensitivity | Confusion | Compare | DoseGrid | Adaptation


class Scenario(_Entry):
    """An experiment."""

    title: str
    question: str
    model: str = "adult"
    run: list[Run] = []
    sensitivity: list[Sensitivity] = []
    confusion: list[Confusion] = []
    compare: list[Compare] = []
    dose: list[DoseGrid] = []
    adaptation: list[Adaptation] = []
    figure: list[FigureEntry] = []

    @property
    def treated(self) -> list[Compare | DoseGrid]:
        """Comparisons and grids of doses."""
        return [*self.compare, *self.dose]

    @property
    def everything(self) -> list[AnyRun]:
        """All that leaves a results file."""
        return [entry for head in TABLES for entry in getattr(self, head)]


def read_scenario(folder: Path) -> Scenario:
    """The checked scenario of an experiment folder.

    Raises
    ------
    InputError
        Naming file, line, entry and what is allowed.
    """
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from error
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        first = min(
            error.errors(), key=lambda each: each["type"] != "extra_forbidden"
        )  # a misspelt entry, then the rest
        raise InputError(f"{_place(path, text, first['loc'])}: {_message(first)}.") from error
    for place, message in _contradictions(scenario):
        raise InputError(f"{_place(path, text, place)}: {message}")
    return scenario


#: What leaves a results file, by its heading.
TABLES: dict[str, type[_Named]] = {
    "run": Run,
    "sensitivity": Sensitivity,
    "confusion": Confusion,
    "compare": Compare,
    "dose": DoseGrid,
    "adaptation": Adaptation,
}


def _message(error: Mapping[str, Any]) -> str:
    """One pydantic error in words, with what is allowed."""
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        return f"unknown entry, allowed are {', '.join(_owner(error['loc']).model_fields)}"
    if kind == "missing":
        return "the entry is missing"
    if kind == "string_pattern_mismatch":
        return f"{value!r} is not a name, allowed are letters, digits, _ and -"
    if kind == "value_error":
        what = "an axis" if "axes" in error["loc"] else "a demand of stability"
        return f"{value!r} is not {what}: {error['ctx']['error']}"
    text = str(error["msg"])
    return f"{value!r}: {text[0].lower()}{text[1:]}"


def _owner(place: Sequence[int | str]) -> type[_Entry]:
    for head, entry in TABLES.items():
        if len(place) > 2 and place[0] == head:
            return entry
    return FigureEntry if len(place) > 2 and place[0] == "figure" else Scenario


def _place(path: Path, text: str, place: Sequence[int | str]) -> str:
    """``scenario.toml line 12: run 2, stance``."""
    words = ", ".join(_entries(place))
    line = line_of(text, place)
    return f"{path} line {line}: {words}" if line else f"{path}: {words}"


def _entries(place: Sequence[int | str]) -> Iterable[str]:
    for part, after in zip(place, [*place[1:], None], strict=True):
        if isinstance(part, str):
            yield f"{part} {after + 1}" if isinstance(after, int) else part


def line_of(text: str, place: Sequence[int | str]) -> int | None:
    """Line of an entry such as ``("run", 1, "stance")``, or of the table it should stand in."""
    lines = text.splitlines()
    start, end, keys = 0, len(lines), list(place)
    if len(place) > 1 and isinstance(place[1], int):
        heads = [i for i, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{place[0]}\s*\]\]", line)]
        if place[1] >= len(heads):
            return None
        start, keys = heads[place[1]], keys[2:]
        end = next((i for i in range(start + 1, end) if re.match(r"\s*\[\[", lines[i])), end)
        found: int | None = start
    else:
        end = next((i for i, line in enumerate(lines) if line.lstrip().startswith("[")), end)
        found = None
    for key in keys:
        pattern = rf"\s*(\[[\w.]*\b{re.escape(str(key))}\]|\"?{re.escape(str(key))}\"?\s*=)"
        hit = next((i for i in range(found if found is not None else start, end) if re.match(pattern, lines[i])), None)
        if hit is None:
            break
        found = hit
    return None if found is None else found + 1


def _contradictions(scenario: Scenario) -> Iterable[tuple[tuple[int | str, ...], str]]:
    """What pydantic cannot see, as place and sentence."""
    runs: dict[str, AnyRun] = {}
    if not scenario.everything:
        *others, last = (head for head in TABLES if head != "run")
        missing = f"{', '.join(others)} and {last}"
        yield ("run",), f"the entry is missing; so are {missing}: give at least one of any."
    for head in TABLES:
        for i, table in enumerate(getattr(scenario, head)):
            if table.name in runs:
                yield (head, i, "name"), f"{table.name} stands twice, names of runs must differ."
            runs[table.name] = table
            if isinstance(table, _Treated) and bool(table.imbalance) == bool(table.parameters):
                yield (head, i), "give either imbalance or parameters."
    for i, run in enumerate(scenario.run):
        for name in run.variables or ():
            if name not in VARIABLES:
                yield ("run", i, "variables"), f"there is no result variable {name}{_nearest(name, VARIABLES)}"
    files: set[str] = set()
    for i, entry in enumerate(scenario.figure):
        if entry.kind not in KINDS:
            allowed = _nearest(entry.kind, KINDS)
            yield ("figure", i, "kind"), f"there is no figure kind {entry.kind}{allowed}"
        if entry.file in files:
            yield ("figure", i, "file"), f"{entry.file} stands twice, files of figures must differ."
        files.add(entry.file)
        if (entry.run is None) == (entry.runs is None) or not entry.names:
            yield ("figure", i), "give either run, or runs with at least one name."
        for name in (*entry.names, *([entry.healthy] if entry.healthy else [])):
            if name not in runs:
                key = "healthy" if name == entry.healthy else "runs" if entry.runs else "run"
                yield ("figure", i, key), f"there is no run {name}{_nearest(name, runs)}"
        for name in entry.names:
            for key, sentence in _unsuited(entry, runs[name]):
                yield ("figure", i, key), sentence


def _unsuited(entry: FigureEntry, run: AnyRun) -> Iterable[tuple[str, str]]:
    """Why a figure cannot be drawn of a run, as entry and sentence."""
    kind = KINDS[entry.kind]
    given = {**entry.options, **({"healthy": None} if entry.healthy else {}), **({"case": None} if entry.case else {})}
    try:
        check_options(entry.kind, given)
    except InputError as error:
        yield "options", str(error)
    for name in entry.case or {}:
        if name not in run.axes:
            yield "case", f"run {run.name} has no axis {name}{_nearest(name, run.axes)}"
    left = len(run.axes) - len(entry.case or {})
    if kind.axes is not None and left not in kind.axes:
        drawn = " or ".join(map(str, kind.axes))
        yield (
            "kind",
            f"{entry.kind} draws {drawn} {'axis' if drawn == '1' else 'axes'} and run {run.name} "
            f"leaves {left} open: change its axes, or choose values with case.",
        )
    needs = [*kind.needs, *([str(entry.options["variable"])] if "variable" in entry.options else [])]
    for name in needs:
        of = next((words for words, register in OF.items() if name in register), "")
        if name not in VARIABLES and not of:
            yield "options", f"there is no result variable {name}{_nearest(name, VARIABLES)}"
        elif not isinstance(run, Run) and name not in _kept(run):
            head, drawn = OWN_FIGURES[type(run)]
            yield "kind", f"{entry.kind} draws {name}, which {head} {run.name} does not have: draw it as {drawn}."
        elif of and isinstance(run, Run):
            yield "kind", f"{entry.kind} draws {of}, and {run.name} is a run."
        elif run.axes and name != "status" and name not in _kept(run):
            yield "kind", f"{entry.kind} draws {name}, which run {run.name} does not keep: add it to its variables."
    if isinstance(run, Sensitivity) and entry.options.get("outcome", run.outcomes[0]) not in run.outcomes:
        name = str(entry.options["outcome"])
        yield "options", f"{run.name} has no outcome {name}{_nearest(name, run.outcomes)}"


#: Registers of variables that no run has, by what has them.
OF = {
    "a sensitivity": SENSITIVITIES,
    "a confusion": ASSESSMENTS,
    "a comparison": COMPARISONS,
    "an adaptation": ADAPTATIONS,
}
#: Heading and figures of what is no run.
OWN_FIGURES: dict[type[AnyRun], tuple[str, str]] = {
    Sensitivity: ("sensitivity", "tornado, or as sobol if that is its method"),
    Confusion: ("confusion", "confusion"),
    Compare: ("compare", "forest, time_course or responders"),
    DoseGrid: ("dose", "pareto"),
    Adaptation: ("adaptation", "lines or tilt_and_lordosis"),
}


def _kept(run: AnyRun) -> set[str]:
    if isinstance(run, Sensitivity):
        indices = {"first_order", "total_order"} if run.method == "sobol" else set()
        return {"effect", *indices, "status"}
    if isinstance(run, Confusion):
        return {*ASSESSMENTS, "status"}
    if isinstance(run, Adaptation):
        return {*ADAPTATIONS, "anterior_pelvic_tilt", "lumbar_lordosis", "compression", "status"}
    if isinstance(run, Compare | DoseGrid):
        doses = {name for name, variable in COMPARISONS.items() if variable.dims == ("dose",)}
        return {"status", *(doses if isinstance(run, DoseGrid) else COMPARISONS.keys() - doses)}
    if run.variables is not None:
        return set(run.variables)
    return {name for name, variable in VARIABLES.items() if not variable.large}


def _nearest(name: str, allowed: Iterable[str]) -> str:
    names = list(allowed)
    near = get_close_matches(name, names, 1)
    return f": did you mean {near[0]}?" if near else f", allowed are {', '.join(names) or 'none'}."
