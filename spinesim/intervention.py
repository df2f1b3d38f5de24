"""Interventions with a dose: what so many weeks of so many sessions change in the parameters of a body.

``data/intervention_laws.csv`` has a row per law: by how much a dose changes one family of parameters, how that differs
between people, how it grows and how it is lost. With E the effect, d the strength of the stimulus (1 at the published
number of sessions a week, `frequency`), and tau and h the times of growth and decay, an effect that accumulates obeys

    dE/dt = (d A - E) / tau  while d A exceeds E,        dE/dt = -(ln 2 / h) (E - d A)  otherwise,

so it saturates, is kept up, and decays by halves after the last session. A is such that the published dose gives the
published effect. What does not accumulate is whole after every session and then decays by halves. Of several stimuli
that reach one muscle the strongest counts. Every parameter that changes is one of :mod:`spinesim.parameters`.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from spinesim import parameters
from spinesim.cases import names
from spinesim.clinical import CONFIDENCE, measures
from spinesim.errors import InputError
from spinesim.imbalance import expand
from spinesim.kernels.arrays import Floats
from spinesim.model.files import PROVENANCE, Row, number, read_table, text
from spinesim.model.pack import pack
from spinesim.model.parts import Model
from spinesim.units import PERCENT

FAMILIES = ("tightness", "stiffness", "strength", "tone")
ACTS = {
    "adds": "the effect is added to the value",
    "multiplies": "the value is multiplied by 1 + effect",
    "removes": "the effect is the share of the value that goes",
}
UNITS = ("1", "deg", "spread")
ONCE = "once"  #: frequency of a law of single sessions
NOTHING = "nothing"
#: Activation below which an exercise trains no strength, and from which it trains as a lifted weight does (assumed: of
#: what sedentary beginners are told to lift, 40 to 50 % and 60 to 70 % of the largest weight, ACSM 2009 from memory).
TRAINS = (0.2, 0.6)
#: What carries a weight otherwise; it needs no dose, and lasts as long as it is done.
LOADS = {
    "split_load": "what one hand or shoulder carries is shared by both",
    "backpack": "what hands and shoulders carry goes on the back",
}
_PLACES = ("load.hand", "load.shoulder")
_BLOCK = re.compile(r"(?P<name>[a-z_A-Z0-9.]+)(@(?P<start>[\d.]+)-(?P<stop>[\d.]+))?(:(?P<times>[\d.]+))?")
_LAW_COLUMNS = (
    *(text(name) for name in ("intervention", "family")),
    text("target", optional=True),
    text("acts"),
    *(number(name, "number") for name in ("mean", "sd")),
    text("unit"),
    *(number(name, "number") for name in ("weeks", "per_week")),
    text("frequency"),
    *(number(name, "number") for name in ("build_weeks", "half_life_days")),
    *PROVENANCE,
)
_FREQUENCY_COLUMNS = (text("frequency"), number("per_week", "number"), number("relative", "number"), *PROVENANCE)
_EXERCISE_COLUMNS = (
    *(text(name) for name in ("exercise", "target")),
    number("activation", "number", stem="activation_percent"),
    number("sd", "number", stem="sd_percent"),
    *PROVENANCE,
)


@dataclass(frozen=True)
class Law:
    """How a dose changes one family of parameters."""

    intervention: str
    family: str
    target: str  #: group or muscle, "all", or "" where the user names it
    acts: str  #: one of `ACTS`
    mean: float  #: effect of the published dose, in ``unit``
    sd: float  #: between people
    unit: str  #: "1", "deg", or "spread": SD of the clinical test of the group among healthy people
    weeks: float  #: of the published dose; 0: single sessions, nothing accumulates
    per_week: float  #: sessions of the published dose
    frequency: str  #: what the number of sessions a week does
    build_weeks: float  #: time of growth
    half_life_days: float  #: of what is lost after the last session
    source: str
    confidence: str
    notes: str

    def drawn(self, standard: Floats) -> Floats:
        """Effects of the published dose on people who stand ``standard`` SDs from the mean, within what is possible."""
        from scipy.special import ndtr  # with stats half a second, which few users need
        from scipy.stats import truncnorm

        lowest = 0.0 if self.acts == "removes" else -0.9 if self.acts == "multiplies" else -math.inf
        highest = 1.0 if self.acts == "removes" else math.inf
        if not self.sd:
            return np.full(np.shape(standard), self.mean)
        low, high = (lowest - self.mean) / self.sd, (highest - self.mean) / self.sd
        effects: Floats = truncnorm.ppf(ndtr(standard), low, high, loc=self.mean, scale=self.sd)
        return effects


@dataclass(frozen=True)
class Exercise:
    """How hard an exercise uses one muscle."""

    exercise: str
    target: str
    activation: float  #: of a maximal voluntary contraction [1]
    sd: float  #: between people [1]
    source: str
    confidence: str
    notes: str

    @property
    def share(self) -> float:
        """Stimulus over that of a lifted weight [1]."""
        low, high = TRAINS
        return min(max((self.activation - low) / (high - low), 0.0), 1.0)


@dataclass(frozen=True)
class Block:
    """One intervention from one week to another."""

    intervention: str  #: such as "stretch.hip_flexors" or "plank"
    start: float  #: [weeks]
    stop: float  #: [weeks]
    per_week: float  #: sessions


@dataclass(frozen=True)
class Programme:
    """Interventions that run side by side or one after the other."""

    name: str
    blocks: tuple[Block, ...]

    def sessions(self, until: float) -> float:
        """Sessions of all its interventions up to a week; of a load carried otherwise and of nothing, none."""
        return sum(
            max(min(block.stop, until) - block.start, 0.0) * block.per_week
            for block in self.blocks
            if block.intervention not in (*LOADS, NOTHING, "natural_course")
        )


@cache
def laws() -> tuple[Law, ...]:
    """Every law, in the order of the file.

    Raises
    ------
    ModelError
        If the file is wrong; names file, line, entry, value and what is allowed.
    """
    label = "intervention_laws.csv"
    known = {row.frequency for row in frequencies()} | {ONCE}
    return tuple(
        _law(row, known) for row in read_table(_data() / label, label, _LAW_COLUMNS, "{intervention} {family}")
    )


def _law(row: Row, known: Iterable[str]) -> Law:
    for name, allowed in (
        ("family", FAMILIES),
        ("acts", tuple(ACTS)),
        ("unit", UNITS),
        ("frequency", tuple(known)),
        ("confidence", CONFIDENCE),
    ):
        if row.fields[name] not in allowed:
            row.fail(name, f"must be one of {', '.join(allowed)}")
    for name in ("sd", "weeks", "build_weeks"):
        if row.fields[name] < 0.0:
            row.fail(name, "must not be negative")
    for name in ("per_week", "half_life_days"):
        if not row.fields[name] > 0.0:
            row.fail(name, "must be positive")
    if (row.fields["weeks"] > 0.0) != (row.fields["build_weeks"] > 0.0):
        row.fail("build_weeks", "must be positive where weeks is, else 0")
    return Law(**row.fields)


@dataclass(frozen=True)
class Frequency:
    """One point of what the number of sessions a week does."""

    frequency: str
    per_week: float
    relative: float  #: stimulus over that of the published number
    source: str
    confidence: str
    notes: str


@cache
def frequencies() -> tuple[Frequency, ...]:
    """Every point, in the order of the file."""
    label = "intervention_frequency.csv"
    rows = read_table(_data() / label, label, _FREQUENCY_COLUMNS, "{frequency} {per_week}")
    return tuple(Frequency(**row.fields) for row in rows)


@cache
def exercises() -> tuple[Exercise, ...]:
    """Every muscle of every exercise, in the order of the file."""
    label = "exercises.csv"
    found = []
    for row in read_table(_data() / label, label, _EXERCISE_COLUMNS, "{exercise} {target}"):
        shares = {name: row.fields[name] * PERCENT for name in ("activation", "sd")}
        found.append(Exercise(**{**row.fields, **shares}))
    return tuple(found)


def stimulus(frequency: str, per_week: float) -> float:
    """Stimulus of so many sessions a week over that of the published number; nothing beyond the last point."""
    if frequency == ONCE:
        return 1.0 if per_week > 0.0 else 0.0
    points = [(row.per_week, row.relative) for row in frequencies() if row.frequency == frequency]
    times, relative = zip((0.0, 0.0), *points, strict=True)
    return float(np.interp(per_week, times, relative))


def intervention_words() -> dict[str, str]:
    """Every intervention with what it changes, such as ``stretch.GROUP``: tightness, stiffness."""
    rows: dict[str, list[str]] = {NOTHING: ["nothing"]}
    for law in laws():
        target = f".{law.target}" if law.target else ".GROUP"
        name = law.intervention if law.target else f"{law.intervention}.GROUP"
        rows.setdefault(name, []).append(law.family + (target if law.target else ""))
    for exercise in dict.fromkeys(each.exercise for each in exercises()):
        trained = [each.target for each in exercises() if each.exercise == exercise and each.share]
        rows[exercise] = [f"strength of {', '.join(trained)}"]
    return {**{name: ", ".join(words) for name, words in rows.items()}, **LOADS}


# ------------------------------------------------------------------------------------------------------- programmes


def programme(
    model: Model,
    wanted: str | Mapping[str, object] | Programme,
    *,
    weeks: float = 8.0,
    per_week: float = 3.0,
) -> Programme:
    """A checked programme.

    Parameters
    ----------
    wanted
        Interventions joined by ``+``, each ``NAME``, ``NAME@FROM-TO`` [weeks], ``NAME:TIMES`` (sessions a week) or
        both, such as ``"plank@0-4:2+bird_dog@4-8:3"``; or ``{"name": ..., "do": ...}`` with such a text.
    weeks, per_week
        Where an intervention names neither.

    Raises
    ------
    InputError
        For an unknown intervention or target, or a dose that is no dose.
    """
    if isinstance(wanted, Programme):
        for block in wanted.blocks:
            targets(model, block.intervention)
        return wanted
    if isinstance(wanted, Mapping):
        if set(wanted) != {"name", "do"} or not all(isinstance(value, str) for value in wanted.values()):
            raise InputError(f"programme {dict(wanted)!r} is not allowed: it must have the texts name and do")
        return Programme(
            str(wanted["name"]), programme(model, str(wanted["do"]), weeks=weeks, per_week=per_week).blocks
        )
    if not isinstance(wanted, str):
        raise InputError(f"programme {wanted!r} is not allowed: it must be a text such as 'stretch.hip_flexors'")
    _dose("weeks", weeks)
    _dose("per_week", per_week)
    blocks = []
    for part in wanted.split("+"):
        found = _BLOCK.fullmatch(part.strip())
        try:
            start, stop, times = (
                float(found[key]) if found and found[key] else default
                for key, default in (("start", 0.0), ("stop", weeks), ("times", per_week))
            )
        except ValueError:
            found = None
        if not found:
            raise InputError(f"programme {wanted}: {part.strip() or 'nothing'} must have the form NAME@FROM-TO:TIMES")
        if not start < stop or not times > 0.0:
            raise InputError(
                f"programme {wanted}: {part.strip()} has no dose: it must end after it begins, with sessions"
            )
        targets(model, found["name"])
        blocks.append(Block(found["name"], start, stop, times))
    return Programme(wanted, tuple(blocks))


def _dose(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < math.inf:
        raise InputError(f"{name} = {value!r} is not allowed: it must be a positive number")


def targets(model: Model, intervention: str) -> list[tuple[Law, str, float]]:
    """The laws of an intervention, each with what it reaches and its share of the stimulus.

    Raises
    ------
    InputError
        For an unknown intervention or target; gives the nearest name.
    """
    if intervention in (NOTHING, *LOADS):
        return []
    known = names(pack(model))
    trained = [each for each in exercises() if each.exercise == intervention]
    if trained:
        law = next(law for law in laws() if law.family == "strength")
        return [(law, each.target, each.share) for each in trained if each.share and each.target in known.targets]
    fixed = [law for law in laws() if law.intervention == intervention and law.target]
    if fixed:
        return [(law, law.target, 1.0) for law in fixed if law.target == "all" or law.target in known.targets]
    kind, _, target = intervention.partition(".")
    free = [law for law in laws() if law.intervention == kind and not law.target]
    if not free:
        raise InputError(f"There is no intervention {intervention}: {_hint(known, intervention)}")
    if not target:
        raise InputError(f"{intervention} needs a group or muscle, such as {kind}.hip_flexors")
    if target not in known.targets:
        raise InputError(f"There is no intervention {intervention}: {_hint(known, intervention)}")
    tested = target.partition(".")[0] in known.tests and target.count(".") <= 1
    reached = [(law, target, 1.0) for law in free if law.family != "tightness" or tested]
    if not reached:
        raise InputError(
            f"{intervention} changes nothing: {target} has no clinical test; groups with a test are "
            f"{', '.join(known.tests)}"
        )
    return reached


def _hint(known: parameters.Names, name: str) -> str:
    kinds = dict.fromkeys(law.intervention for law in laws() if not law.target)
    fixed = [law.intervention for law in laws() if law.target] + [each.exercise for each in exercises()]
    allowed = [*fixed, *LOADS, NOTHING, *(f"{kind}.{target}" for kind in kinds for target in known.targets)]
    near = difflib.get_close_matches(name, allowed, n=1)
    return f"did you mean {near[0]}?" if near else "`spinesim interventions` lists them."


# ----------------------------------------------------------------------------------------------------------- effects


def course(
    law: Law, stimuli: Sequence[tuple[float, float, float, float]], week: float, rest: float | None = None
) -> float:
    """Effect at a week over that of the published dose.

    Parameters
    ----------
    stimuli
        Beginning and end [weeks], sessions a week and share of the stimulus of everything that works by this law.
    week
        Time since the beginning.
    rest
        Hours since the last session for what does not accumulate; by default so many as lie between two sessions.
    """
    if not law.weeks:
        return max((_fading(law, each, week, rest) for each in stimuli), default=0.0)
    edges = sorted({0.0, week, *(t for start, stop, *_ in stimuli for t in (start, stop) if t < week)})
    effect = 0.0
    for begin, end in pairwise(edges):
        drive = max(
            (share * stimulus(law.frequency, times) for start, stop, times, share in stimuli if start <= begin < stop),
            default=0.0,
        )
        rate = 1.0 / law.build_weeks if drive > effect else 7.0 * math.log(2.0) / law.half_life_days
        effect = drive + (effect - drive) * math.exp(-rate * (end - begin))
    return effect / (stimulus(law.frequency, law.per_week) * -math.expm1(-law.weeks / law.build_weeks))


def _fading(law: Law, each: tuple[float, float, float, float], week: float, rest: float | None) -> float:
    """What is left of the last session before ``week``."""
    start, stop, times, share = each
    if week <= start:
        return 0.0
    count = math.ceil(min(week, stop) * times - start * times - 1e-9)  # sessions at the start and every 1 / times weeks
    if count < 1:
        return 0.0
    days = 7.0 * (week - start - (count - 1) / times)
    if rest is not None and week <= stop:
        days = rest / 24.0
    return share * math.exp2(-days / law.half_life_days)


def typical() -> dict[Law, Floats]:
    """The mean effect of every law, as one person."""
    return {law: np.array([law.mean]) for law in laws()}


def applied(
    model: Model,
    columns: Mapping[str, parameters.Values],
    wanted: Programme,
    week: float,
    effects: Mapping[Law, Floats],
    *,
    rest: float | None = None,
) -> dict[str, Floats]:
    """Parameter values of people after so many weeks of a programme.

    Parameters
    ----------
    columns
        Checked values by parameter name before it, one or one per person; imbalances are replaced by what they set.
    effects
        Of the published dose of every law on every person, (n,), as `typical` or a population gives them.
    rest
        Hours since the last session; by default so many as lie between two.

    Returns
    -------
    dict
        (n,) float64 by parameter name: what ``columns`` set, and beside it, by muscle and side, what has changed.
    """
    known, count = names(pack(model)), next(iter(effects.values())).size
    values = {name: np.broadcast_to(column, count).astype(float) for name, column in expand(model, columns).items()}
    values = {name: np.where(np.isnan(column), _default(name), column) for name, column in values.items()}
    reached: dict[Law, list[tuple[str, tuple[float, float, float, float]]]] = {}
    for block in wanted.blocks:
        for law, target, share in targets(model, block.intervention):
            reached.setdefault(law, []).append((target, (block.start, block.stop, block.per_week, share)))
        if block.intervention in LOADS and block.start <= week <= block.stop:
            _carry(values, block.intervention)
    for law, stimuli in reached.items():
        if law.family == "tightness":
            _loosen(known, values, law, stimuli, week, effects[law], rest)
        else:
            _strengthen(model, known, values, law, stimuli, week, effects[law], rest)
    return values


def _default(name: str) -> float:
    """What a name that is set in some cases only has in the others."""
    row = parameters.FAMILIES.get(name.partition(".")[0])
    return float(row.default or 0.0) if row else 0.0


def _carry(values: dict[str, Floats], how: str) -> None:
    """Weights carried otherwise, in place."""
    for place in _PLACES:
        one, other = (values.get(f"{place}.{side}", np.zeros(1)) for side in ("right", "left"))
        total = one + other
        if not total.any():
            continue
        if how == "split_load":
            values[f"{place}.right"] = values[f"{place}.left"] = 0.5 * total
            continue
        values["load.back"] = values.get("load.back", 0.0) + total
        values[f"{place}.right"], values[f"{place}.left"] = np.zeros_like(total), np.zeros_like(total)
    if how == "backpack" and "load.hands" in values:
        values["load.back"] = values.get("load.back", 0.0) + values["load.hands"]
        values["load.hands"] = np.zeros_like(values["load.hands"])


_Stimuli = Sequence[tuple[str, tuple[float, float, float, float]]]


def _loosen(
    known: parameters.Names,
    values: dict[str, Floats],
    law: Law,
    stimuli: _Stimuli,
    week: float,
    effect: Floats,
    rest: float | None,
) -> None:
    """Change the range of every group and side reached, in place; range lost and gained end where the register does."""
    row = parameters.FAMILIES["tightness"]
    before = parameters.tightness(known, values)
    for (group, side), value in before.items():
        mine = [each for target, each in stimuli if target in (group, f"{group}.{side}")]
        if not mine:
            continue
        size = _spread(group) if law.unit == "spread" else 1.0
        after = value + size * course(law, mine, week, rest) * effect
        values[f"tightness.{group}.{side}"] = np.clip(after, row.lowest, row.highest)


def _spread(group: str) -> float:
    """SD of the clinical test of a group among healthy people [deg]."""
    return next(measure.spread for measure in measures() if measure.kind == "range" and measure.of == group)


def _strengthen(
    model: Model,
    known: parameters.Names,
    values: dict[str, Floats],
    law: Law,
    stimuli: _Stimuli,
    week: float,
    effect: Floats,
    rest: float | None,
) -> None:
    """Change strength, stiffness or tone of every fascicle reached, in place, under the most specific names needed."""
    lines = list(known.muscles)
    mine: dict[int, list[tuple[float, float, float, float]]] = {}
    for target, each in stimuli:
        for i in range(len(lines)) if target == "all" else known.targets[target][1]:
            mine.setdefault(int(i), []).append(each)
    sizes = {key: course(law, key, week, rest) for key in {tuple(each) for each in mine.values()}}
    before = np.broadcast_to(parameters.resolve_many(known, values, law.family), (effect.size, len(lines)))
    after = {i: changed(law, before[:, i], sizes[tuple(each)] * effect) for i, each in mine.items()}
    after = {i: column for i, column in after.items() if not np.array_equal(column, before[:, i])}
    for group, side in dict.fromkeys((a.group, a.side) for a in model.actuators if a.group):
        # an actuator that stands for a group follows what names the group
        whole = tuple(each for target, each in stimuli if target in ("all", group, f"{group}.{side}"))
        if whole and law.family == "strength":
            value = np.broadcast_to(parameters.resolve_group(values, law.family, group, side), effect.size)
            values[f"strength.{group}.{side}"] = changed(law, value, course(law, whole, week, rest) * effect)
    own = {name.partition(".")[2] for name in values if name.startswith(f"{law.family}.")}
    for place in dict.fromkeys(known.muscles[lines[i]] for i in after):
        name = ".".join(place)
        members = [int(i) for i in known.targets[name][1]]
        alike = all(i in after and np.array_equal(after[i], after[members[0]]) for i in members)
        if alike and not own & {lines[i] for i in members}:
            values[f"{law.family}.{name}"] = after[members[0]]
        else:
            values |= {f"{law.family}.{lines[i]}": after[i] for i in members if i in after}


def changed(law: Law, value: Floats, effect: Floats) -> Floats:
    """A value once an effect has acted on it, within the range of the register."""
    row = parameters.FAMILIES[law.family]
    if law.acts == "adds":
        after = value + effect
    elif law.acts == "multiplies":
        after = value * (1.0 + effect)
    else:
        after = value * (1.0 - np.clip(effect, 0.0, 1.0))
    result: Floats = np.clip(after, row.lowest, row.highest)
    return result


def _data() -> Path:
    return Path(__file__).with_name("data")
