"""Programmes against nothing: the same people with the same imbalance, with and without, after so many weeks.

The interval of a difference is where the middle 95 % of the people lie: they differ in body, strength, stiffness and
range (:mod:`spinesim.population`) and in how they respond to every law of :mod:`spinesim.intervention`. Differences are
taken person by person, so what is peculiar to a person falls out. A programme is *no better than nothing* in an outcome
if that interval includes zero.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from spinesim import parameters
from spinesim.assessment import label, readings
from spinesim.cases import names
from spinesim.clinical import chosen, side_names
from spinesim.errors import InputError
from spinesim.imbalance import PREFIX
from spinesim.intervention import LOADS, NOTHING, Programme, applied, programme
from spinesim.kernels.arrays import Floats
from spinesim.labelled import versions
from spinesim.model.pack import foramen_levels, pack
from spinesim.model.parts import Model
from spinesim.population import People, one_body, with_settings
from spinesim.population import people as draw_people
from spinesim.shapes import least_change
from spinesim.solve import check_settings
from spinesim.sweep import sweep
from spinesim.variables import VARIABLES, attributes

INTERVAL = (2.5, 97.5)  #: percentiles of the people
NOISE = 0.02  #: of the least change that matters: smaller differences are none (assumed; 0.01 deg, 0.1 N)
FEW = 0.5  #: share of people with a solution below which nothing is said
COURSE_TESTS = ("thomas", "straight_leg_raise")
#: Outcomes of the nerves, one per root, and which way is better.
NERVES = {"foramen_area": "more", "root_occupancy": "less", "root_contact_pressure": "less"}
BETTER = {
    "less": "a smaller value is better",
    "more": "a larger value is better",
    "healthy": "nearer to healthy is better",
}


NOTE = "Differences of a model under published laws of training, never a forecast of a treatment and never a diagnosis."


@dataclass(frozen=True)
class Outcome:
    """One number of a body that a programme may change."""

    name: str  #: such as "compression.L4_L5"
    variable: str
    at: tuple[tuple[str, str], ...]  #: dimension and place
    better: str  #: one of `BETTER`

    @property
    def unit(self) -> str:
        """Unit of its numbers."""
        return VARIABLES[self.variable].units

    def values(self, dataset: xr.Dataset) -> Floats:
        """(n,) one number per sample; of two sides the worse one."""
        chosen_places = dataset[self.variable].sel(dict(self.at))
        if "side" in chosen_places.dims:
            chosen_places = chosen_places.min("side") if self.better == "more" else chosen_places.max("side")
        numbers: Floats = np.asarray(chosen_places.values, dtype=np.float64)
        return numbers


def outcomes(model: Model) -> tuple[Outcome, ...]:
    """What is compared on a model: posture, loads of every level, room of every root, stability and effort."""
    found = [
        Outcome("anterior_pelvic_tilt", "anterior_pelvic_tilt", (), "healthy"),
        Outcome("lumbar_lordosis", "lumbar_lordosis", (), "healthy"),
        *(Outcome(f"compression.{level}", "compression", (("level", level),), "less") for level in model.levels),
    ]
    for variable, better in NERVES.items():
        found += [
            Outcome(f"{variable}.{level.partition('_')[0]}", variable, (("foramen", level),), better)
            for level in foramen_levels(model)
        ]
    return (
        *found,
        Outcome("stability_margin", "stability_margin", (), "more"),
        Outcome("effort", "effort", (), "less"),
    )


def find_outcome(model: Model, name: str) -> Outcome:
    """The outcome of that name.

    Raises
    ------
    InputError
        If there is none; names those there are.
    """
    known = {outcome.name: outcome for outcome in outcomes(model)}
    if name not in known:
        raise InputError(f"There is no outcome {name}: outcomes are {', '.join(known)}.")
    return known[name]


# ------------------------------------------------------------------------------------------------------------ states


@dataclass(frozen=True, eq=False)
class Study:
    """People with an imbalance, and the programmes that they follow."""

    model: Model
    who: People
    healthy: dict[str, Floats]  #: (n,) by parameter name, without the imbalance
    before: dict[str, Floats]  #: with it
    programmes: tuple[Programme, ...]
    stance: str

    def after(self, wanted: Programme, week: float, rest: float | None) -> dict[str, Floats]:
        """Values after so many weeks."""
        return applied(self.model, self.before, wanted, week, self.who.effects, rest=rest)


def study(
    model: Model,
    imbalance: str | Mapping[str, float],
    programmes: Iterable[str | Mapping[str, object] | Programme],
    *,
    weeks: float = 8.0,
    per_week: float = 3.0,
    people: int | People = 64,
    seed: int = 0,
    stance: str = "standing",
) -> Study:
    """Check what is asked for, and draw the people.

    Raises
    ------
    InputError
        As `compare`.
    """
    settings = _settings(model, imbalance)
    if isinstance(programmes, str):
        raise InputError(f"programmes = {programmes!r} is not allowed: it must be a list, as [{programmes!r}]")
    wanted = [programme(model, each, weeks=weeks, per_week=per_week) for each in programmes]
    if not wanted:
        raise InputError(f"programmes is empty: name some, such as {NOTHING} and stretch.hip_flexors")
    if all(each.name != NOTHING for each in wanted):
        wanted.insert(0, programme(model, NOTHING, weeks=weeks, per_week=per_week))
    for each in wanted:
        if sum(other.name == each.name for other in wanted) > 1:
            raise InputError(f"programme {each.name} stands twice")
    if stance not in model.stances:
        raise InputError(f"stance {stance} is unknown: {model.name} has {', '.join(model.stances)}")
    if isinstance(people, People):
        who = people
    else:
        who = one_body(model) if people == 1 and not isinstance(people, bool) else draw_people(model, people, seed=seed)
    kept = {
        n: v for n, v in settings.items() if n in parameters.PARAMETERS and parameters.PARAMETERS[n].default is None
    }
    healthy, before = (with_settings(model, who, each) for each in (kept, settings))
    return Study(model, who, healthy, before, tuple(wanted), stance)


def _settings(model: Model, imbalance: str | Mapping[str, float]) -> dict[str, float]:
    """Parameters of a named imbalance at severity 1, or those given."""
    if isinstance(imbalance, str):
        name = imbalance if imbalance.startswith(PREFIX) else f"{PREFIX}{imbalance}"
        return check_settings(model, {name: 1.0})
    return check_settings(model, imbalance)


def together(model: Model, states: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """(n, s) columns of several states of the same people under the same names, each with the meaning it had alone."""
    found: dict[str, Floats] = {}
    for name in dict.fromkeys(name for state in states for name in state):
        columns = [state[name] if name in state else _meant(model, state, name) for state in states]
        found[name] = np.stack(np.broadcast_arrays(*columns), axis=-1)
    return found


def _meant(model: Model, state: Mapping[str, Floats], name: str) -> Floats:
    """What a state that does not set a name has there."""
    known = names(pack(model))
    family, _, target = name.partition(".")
    if family == "tightness":
        group, _, side = target.partition(".")
        return np.asarray(parameters.tightness(known, state)[group, side] if side else 0.0)
    if family in parameters.FAMILIES:
        group, _, side = target.partition(".")
        default = np.asarray(float(parameters.FAMILIES[family].default or 0.0))
        if group in known.groups and group not in {muscle for muscle, _ in known.muscles.values()}:
            # beside other groups the default changes nothing; a side must repeat what its group has
            return np.asarray(parameters.resolve_group(state, family, group, side)) if side else default
        return parameters.resolve_many(known, state, family)[:, known.targets[target][1][0]]
    return np.asarray(float(parameters.PARAMETERS[name].default or 0.0))


def solved(
    model: Model,
    states: Sequence[Mapping[str, Floats]],
    wanted: Sequence[Outcome],
    count: int,
    *,
    stance: str = "standing",
    threads: int | None = None,
    progress: bool = False,
) -> tuple[dict[str, Floats], np.ndarray]:
    """(n, s) every outcome of ``count`` people in every state, NaN where there is no solution, and the status of each.

    Where a margin is demanded it is met by construction: what is left is asked of a body that demands none, and the
    status is that of the first of the two solves that failed.
    """
    shape = (count, len(states))
    joint = together(model, states)
    columns = {name: np.broadcast_to(values.ravel(), math.prod(shape)) for name, values in joint.items()}
    if not columns:  # the model itself, with nothing out of order
        columns = {"load.hands": np.zeros(math.prod(shape))}
    asked: dict[str, Any] = {"samples": columns, "stance": stance, "threads": threads, "progress": progress}
    kept = [v for v in dict.fromkeys(outcome.variable for outcome in wanted) if v != "stability_margin"]
    found = sweep(model, variables=kept, **asked)
    status = found["status"].values
    bare = found
    if any(outcome.variable == "stability_margin" for outcome in wanted):
        bare = sweep(model, variables=["stability_margin"], stability=False, **asked)
        status = np.where(status == "solved", bare["status"].values, status)
    values = {
        outcome.name: outcome.values(bare if outcome.variable == "stability_margin" else found).reshape(shape)
        for outcome in wanted
        if outcome.variable in found or outcome.variable in bare
    }
    return values, status.reshape(shape)


def benefits(outcome: Outcome, values: Floats, nothing: Floats, healthy: Floats) -> Floats:
    """By how much a value is better than that of nothing: positive is better."""
    if outcome.better == "healthy":
        better = np.abs(nothing - healthy) - np.abs(values - healthy)
    else:
        better = values - nothing if outcome.better == "more" else nothing - values
    noise = NOISE * least_change(nothing, outcome.unit)
    result: Floats = np.where(np.abs(better) < noise, 0.0, better)
    return result


def verdict(mean: float, low: float, high: float, least: float) -> str:
    """Better, worse or no better than nothing, in words; ``least`` is the smallest change that matters."""
    if not all(math.isfinite(value) for value in (mean, low, high)):
        return "cannot be said"
    if low <= 0.0 <= high:
        return "no better than nothing"
    word = "better than nothing" if low > 0.0 else "worse than nothing"
    return word if abs(mean) >= least else f"{word}, too little to matter"


# ----------------------------------------------------------------------------------------------------------- compare


def compare(
    model: Model,
    imbalance: str | Mapping[str, float],
    programmes: Iterable[str | Mapping[str, object] | Programme],
    *,
    weeks: float = 8.0,
    per_week: float = 3.0,
    people: int | People = 64,
    seed: int = 0,
    stance: str = "standing",
    rest: float | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """What programmes change in people with an imbalance, against nothing.

    Parameters
    ----------
    model
        A checked model, such as ``load_model("adult")``.
    imbalance
        Name of a preset, such as ``"lower_crossed"`` (severity 1), or parameter values by name.
    programmes
        Texts such as ``"nothing"``, ``"stretch.hip_flexors"``, ``"stretch.hip_flexors+strengthen.core"`` or
        ``"plank@0-4:2+bird_dog@4-8:3"`` (weeks 0 to 4 twice a week, then the other); see
        `spinesim.intervention.programme`. ``nothing`` is added if it is missing.
    weeks, per_week
        Dose of interventions that name none, and the week in which people are compared.
    people
        Number of virtual adults; 1: the body of the model itself with mean responses; or people drawn before.
    seed
        Of their random numbers.
    stance
        In which they are compared, posture found.
    rest
        Hours since the last session; by default so many as lie between two sessions.
    threads, progress
        As in `spinesim.sweep`.

    Returns
    -------
    xarray.Dataset
        Dimensions ``programme``, ``outcome`` and ``person``. ``value_after``, ``value_before`` and
        ``value_healthy`` in the ``unit`` of the outcome; ``benefit``, person by person against nothing, positive is
        better; over the people ``benefit_mean``, ``benefit_low`` and ``benefit_high`` (middle 95 %),
        ``share_better``, ``change_mean`` (value less that of nothing) and ``rank`` (1: largest mean benefit). The
        coordinate ``verdict`` says in words whether a programme is better than nothing.

    Raises
    ------
    InputError
        For an unknown imbalance, programme, stance or number of people.

    Examples
    --------
    >>> import spinesim as ss
    >>> model = ss.load_model("adult")
    >>> table = ss.compare(model, "lower_crossed", ["stretch.hip_flexors", "strengthen.core"], people=1)
    >>> table.verdict.sel(programme="nothing", outcome="effort").item()
    'no better than nothing'
    """
    of = study(model, imbalance, programmes, weeks=weeks, per_week=per_week, people=people, seed=seed, stance=stance)
    return _over(of, [weeks], rest, threads, progress).isel(week=0).assign_attrs(weeks=float(weeks))


def course(
    model: Model,
    imbalance: str | Mapping[str, float],
    programmes: Iterable[str | Mapping[str, object] | Programme],
    *,
    times: Sequence[float] = (0.0, 2.0, 4.0, 8.0, 12.0, 20.0),
    weeks: float = 8.0,
    per_week: float = 3.0,
    people: int | People = 64,
    seed: int = 0,
    stance: str = "standing",
    tests: Sequence[str] = COURSE_TESTS,
    rest: float | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """The same along the weeks, with what clinical tests read of a body with mean responses on the way.

    Parameters
    ----------
    times
        Weeks at which people are compared; those beyond a programme show what is left of it.
    tests
        As in `spinesim.assess`.

    Returns
    -------
    xarray.Dataset
        As that of `compare`, with the dimension ``week`` in front, and ``test_value`` (week, programme, reading).
    """
    if not len(times) or any(not 0.0 <= time < math.inf for time in times):
        raise InputError(f"times = {list(times)} is not allowed: it must name weeks from 0")
    of = study(model, imbalance, programmes, weeks=weeks, per_week=per_week, people=people, seed=seed, stance=stance)
    dataset = _over(of, list(times), rest, threads, progress)
    read = _read(of, _settings(model, imbalance), list(times), tests, rest)
    return dataset.merge(read).assign_attrs(weeks=float(weeks))


def _over(of: Study, weeks: Sequence[float], rest: float | None, threads: int | None, progress: bool) -> xr.Dataset:
    """All outcomes of all people after every programme at every week."""
    states: list[Mapping[str, Floats]] = [of.healthy, of.before]
    place = np.ones((len(weeks), len(of.programmes)), dtype=np.int64)  # of the state; 1: as before
    for w, week in enumerate(weeks):
        for p, plan in enumerate(of.programmes):
            if plan.name != NOTHING and (week > 0.0 or any(b.intervention in LOADS for b in plan.blocks)):
                place[w, p] = len(states)
                states.append(of.after(plan, week, rest))
    wanted = outcomes(of.model)
    values, status = solved(
        of.model, states, wanted, of.who.count, stance=of.stance, threads=threads, progress=progress
    )
    named = [outcome for outcome in wanted if outcome.name in values]
    table = np.stack([values[outcome.name] for outcome in named])  # outcome, person, state
    healthy, before, after = table[:, :, 0], table[:, :, 1], np.moveaxis(table[:, :, place], 1, -1)
    nothing = after[:, :, [each.name == NOTHING for each in of.programmes].index(True)]
    gain = np.stack([benefits(outcome, after[o], nothing[o][:, None], healthy[o]) for o, outcome in enumerate(named)])
    gain, change = (np.moveaxis(each, 0, 2) for each in (gain, after - nothing[:, :, None]))  # week, programme, outcome
    least = np.array([least_change(before[o], outcome.unit) for o, outcome in enumerate(named)])
    summary = summarised(gain, change, least)
    dims = ("week", "programme", "outcome")
    data: dict[str, Any] = {
        "value_after": ((*dims, "person"), np.moveaxis(after, 0, 2), attributes("value_after")),
        "value_before": (("outcome", "person"), before, attributes("value_before")),
        "value_healthy": (("outcome", "person"), healthy, attributes("value_healthy")),
        "benefit": ((*dims, "person"), gain, attributes("benefit")),
        **{name: (dims, numbers, attributes(name)) for name, numbers in summary.items()},
    }
    words = np.vectorize(verdict, otypes=[object])(
        summary["benefit_mean"], summary["benefit_low"], summary["benefit_high"], least
    ).astype(str)
    coords: dict[str, Any] = {
        "week": ("week", np.asarray(weeks, dtype=float), attributes("week")),
        "programme": ("programme", [each.name for each in of.programmes], attributes("programme")),
        "outcome": ("outcome", [outcome.name for outcome in named], attributes("outcome")),
        "person": ("person", np.arange(of.who.count), attributes("person")),
        "unit": ("outcome", [outcome.unit for outcome in named], attributes("unit")),
        "better": ("outcome", [outcome.better for outcome in named], attributes("better")),
        "least_change": ("outcome", least, attributes("least_change")),
        "sessions": (
            ("week", "programme"),
            np.array([[each.sessions(week) for each in of.programmes] for week in weeks]),
            attributes("sessions"),
        ),
        "verdict": (dims, words, attributes("verdict")),
        "sex": ("person", of.who.traits["sex"], attributes("sex")),
    }
    incidence = of.healthy.get("subject.pelvic_incidence")
    if incidence is not None:
        coords["person_incidence"] = ("person", incidence, attributes("person_incidence"))
    data["status"] = (("week", "programme", "person"), np.moveaxis(status[:, place], 0, -1), attributes("status"))
    attrs = {
        **origin(of.model),
        "stance": of.stance,
        "imbalance": json.dumps({n: v.tolist() if v.size == 1 else "of every person" for n, v in of.before.items()}),
        "people": str(of.who.count),
        "seed": str(of.who.seed),
        "axes": json.dumps(["week", "programme", "person"]),
    }
    return xr.Dataset(data, coords, attrs)


def origin(model: Model) -> dict[str, str]:
    """What made the numbers, as attributes."""
    return {"model": model.name, "model_digest": pack(model).digest, "note": NOTE, "versions": versions()}


def summarised(gain: Floats, change: Floats, least: Floats) -> dict[str, Floats]:
    """Means, intervals and ranks over the people, the last axis; NaN where too few of them have a solution.

    Parameters
    ----------
    gain, change
        (week, programme, outcome, person) benefit, and value less that of nothing.
    least
        (outcome,) smallest change that matters.
    """
    enough = np.isfinite(gain).mean(axis=-1) > FEW
    safe = np.where(enough[..., None], gain, 0.0)
    moved = np.where(enough[..., None], change, 0.0)
    low, high = np.nanpercentile(safe, INTERVAL, axis=-1)
    numbers = {
        "benefit_mean": np.nanmean(safe, axis=-1),
        "benefit_low": low,
        "benefit_high": high,
        "change_mean": np.nanmean(moved, axis=-1),
        "share_better": np.nanmean(np.where(np.isnan(safe), np.nan, safe >= least[:, None]), axis=-1),
    }
    order = np.argsort(np.argsort(-numbers["benefit_mean"], axis=1, kind="stable"), axis=1) + 1.0
    return {name: np.where(enough, value, np.nan) for name, value in {**numbers, "rank": order}.items()}


def _read(
    of: Study, settings: Mapping[str, float], weeks: Sequence[float], tests: Sequence[str], rest: float | None
) -> xr.Dataset:
    """What tests read of the body of the model with mean responses."""
    measures = side_names(chosen(list(tests)))
    body = Study(of.model, one_body(of.model), {}, with_settings(of.model, one_body(of.model), settings), (), of.stance)
    values = np.empty((len(weeks), len(of.programmes), len(measures)))
    for w, week in enumerate(weeks):
        for p, wanted in enumerate(of.programmes):
            state = {name: float(column[0]) for name, column in body.after(wanted, week, rest).items()}
            values[w, p], _ = readings(of.model, state, measures)
    return xr.Dataset(
        {"test_value": (("week", "programme", "reading"), values, attributes("test_value"))},
        coords={
            "reading": ("reading", [label(*each) for each in measures], attributes("reading")),
            "reading_unit": ("reading", [measure.unit for measure, _ in measures], attributes("reading_unit")),
        },
    )


def sentences(dataset: xr.Dataset) -> list[str]:
    """Every programme in a sentence: where it is better, worse or no better than nothing.

    Parameters
    ----------
    dataset
        Of `compare`, or one week of `course`.
    """
    found = []
    for name in dataset.programme.values.astype(str):
        if name == NOTHING:
            continue
        one = dataset.sel(programme=name)
        words = one.verdict.values.astype(str)
        parts = []
        for word in ("better than nothing", "worse than nothing"):
            places = [i for i, each in enumerate(words) if each == word]
            parts += [f"{word} in {', '.join(_benefit_words(one.isel(outcome=i)) for i in places)}"] if places else []
        small = [str(one.outcome.values[i]) for i, each in enumerate(words) if each.endswith("matter")]
        parts += [f"differs from nothing by too little to matter in {', '.join(small)}"] if small else []
        if not parts:
            parts = ["no better than nothing in any outcome"]
        elif (words == "no better than nothing").any():
            parts.append("no better than nothing in the rest")
        found.append(f"{name}: {'; '.join(parts)}.")
    return found


def _benefit_words(one: xr.Dataset) -> str:
    unit = "" if one.unit.item() == "1" else f" {one.unit.item()}"
    numbers = (one.benefit_mean.item(), one.benefit_low.item(), one.benefit_high.item())
    mean, low, high = (f"{value:.3g}" for value in numbers)
    return f"{one.outcome.item()} ({mean}{unit}, {low} to {high})"
