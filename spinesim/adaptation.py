"""A hypothesis: muscles adapt to how they are used, posture follows, and with it their use. Does that run away?

Clinicians describe a circle: a weak muscle is used less, others take over and get short, the posture gets worse, and so
on. Here the circle is closed. Of a habit, hours a day in some stances, the model gives how much every muscle group is
active and at which angles hip and knee are held. Strength follows use, range follows the angles:

    dS/dt = (u^β − S) / τ_S,        dT/dt = (γ (x − x₀) − T) / τ_T

with u the mean activation of a group over the day in parts of its healthy one, x the mean angle that keeps a group
short and x₀ its healthy value. The state of rest is the healthy body with the healthy habit. The laws are in
``data/adaptation.csv``; **no measurement of such a loop is known**, so what comes out is what these assumptions mean.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import xarray as xr

from spinesim.errors import InfeasibleError, InputError, NotConvergedError, SpinesimError, UnstableError
from spinesim.kernels.arrays import Floats
from spinesim.labelled import versions
from spinesim.model.files import PROVENANCE, number, read_table, text
from spinesim.model.pack import pack
from spinesim.model.parts import Model
from spinesim.solve import check_settings, make_task, solve
from spinesim.variables import attributes

STRENGTHS = ("core", "erectors", "gluteals", "hip_flexors", "hamstrings")  #: groups whose strength adapts
RANGES = ("hip_flexors", "hamstrings")  #: groups whose range adapts
STATE = (*(f"strength.{name}" for name in STRENGTHS), *(f"tightness.{name}" for name in RANGES))  #: what adapts
WAKING = 16.0  #: hours of a day that a habit fills with stances, the rest of them lying free of use (assumed)
HABIT = {"standing": 4.0, "sitting": 6.0}  #: hours a day of a healthy habit (assumed)
LONGEST = 1000  #: course [week]
STEP = 1e-2  #: of strengths [1], and of tightness in tens of degrees, for the slopes of the circle
ROUNDING = 1e-6  #: a smaller eigenvalue of slopes, which are differences of solves, is none
#: Status of a day whose solve ends with an error.
FAILURES: dict[type[SpinesimError], str] = {
    InfeasibleError: "infeasible",
    UnstableError: "unstable",
    NotConvergedError: "not_converged",
}
NOTE = "A hypothesis: no measurement of such a loop is known. A research and teaching model, never a diagnosis."
COLUMNS = (text("law"), number("value", "number"), text("unit"), *PROVENANCE)


@dataclass(frozen=True)
class Laws:
    """How fast and how far muscles adapt; `laws` reads them."""

    strength_exponent: float  #: β [1]
    strength_weeks: float  #: τ_S [week]
    range_per_degree: float  #: γ [deg/deg]
    range_weeks: float  #: τ_T [week]


@cache
def laws() -> Laws:
    """The laws of ``data/adaptation.csv``."""
    rows = read_table(Path(__file__).with_name("data") / "adaptation.csv", "adaptation.csv", COLUMNS, "{law}")
    return Laws(**{row.fields["law"]: row.fields["value"] for row in rows})


@dataclass(frozen=True)
class _Day:
    """What a day of a habit asks of the groups."""

    use: Floats  #: (strengths,) mean activation over the waking hours [1]
    short: Floats  #: (ranges,) mean angle that keeps a group short [deg]
    standing: xr.Dataset


def _check(model: Model, habit: Mapping[str, float]) -> dict[str, float]:
    for stance, hours in habit.items():
        make_task(model, stance, None, "rhythm")
        if isinstance(hours, bool) or not isinstance(hours, int | float | np.number) or not 0.0 <= hours <= WAKING:
            raise InputError(f"habit {stance} = {hours!r} is not allowed: it must be hours from 0 to {WAKING:g}")
    if "standing" not in habit or not sum(habit.values()) > 0.0 or sum(habit.values()) > WAKING:
        raise InputError(f"a habit must name standing and fill at most {WAKING:g} hours, not {sum(habit.values()):g}")
    return {stance: float(hours) for stance, hours in habit.items()}


def _day(model: Model, state: Floats, settings: Mapping[str, float], habit: Mapping[str, float]) -> _Day:
    own = {f"strength.{name}": value for name, value in zip(STRENGTHS, state, strict=False)}
    own |= {f"tightness.{name}": value for name, value in zip(RANGES, state[len(STRENGTHS) :], strict=True)}
    for name, value in settings.items():
        own[name] = own[name] * value if name.startswith("strength.") and name in own else own.get(name, 0.0) + value
    use, short, standing = np.zeros(len(STRENGTHS)), np.zeros(len(RANGES)), None
    for stance, hours in habit.items():
        case = solve(model, own, stance=stance)
        standing = case if stance == "standing" else standing
        share = hours / WAKING
        use += share * case.group_activation.sel(muscle_group=list(STRENGTHS)).values
        hip, knee = float(case.hip_flexion.mean()), float(case.knee_flexion.mean())
        short += share * np.array([hip, knee - hip])
    assert standing is not None
    return _Day(use, short, standing)


class Circle:
    """The closed circle of a model: what a state of the muscles asks them to become.

    Parameters
    ----------
    model
        As for `spinesim.solve`.
    parameters
        What stays as it is set, beside the state: strengths multiply those of the state, tightness adds to it.
    habit
        Hours a day by stance; ``standing`` must be named.
    rules
        Laws of adaptation; those of ``data/adaptation.csv`` by default.

    Raises
    ------
    InputError
        For a bad habit or parameter, or a model without the groups.
    """

    def __init__(
        self,
        model: Model,
        parameters: Mapping[str, float] | None = None,
        *,
        habit: Mapping[str, float] | None = None,
        rules: Laws | None = None,
    ) -> None:
        lacking = [name for name in STRENGTHS if name not in model.groups]
        if lacking:
            raise InputError(f"model {model.name} has no muscle group {lacking[0]}, whose strength would adapt")
        self.healthy = np.array([1.0] * len(STRENGTHS) + [0.0] * len(RANGES))
        check_settings(model, dict(zip(STATE, self.healthy, strict=True)))
        self.model, self.settings = model, check_settings(model, parameters)
        self.habit, self.rules = _check(model, HABIT if habit is None else habit), laws() if rules is None else rules
        weeks = [self.rules.strength_weeks] * len(STRENGTHS) + [self.rules.range_weeks] * len(RANGES)
        self.weeks = np.array(weeks)  #: time constant of every part of the state

    @cached_property
    def reference(self) -> _Day:
        """The healthy day of the healthy body."""
        return _day(self.model, self.healthy, {}, HABIT)

    def wanted(self, state: Floats) -> tuple[Floats, _Day]:
        """The state that a day with this state would lead to if it went on for ever, and the day."""
        day = _day(self.model, state, self.settings, self.habit)
        strength = (day.use / self.reference.use) ** self.rules.strength_exponent
        return np.concatenate([strength, self.rules.range_per_degree * (day.short - self.reference.short)]), day

    def gain(self, state: Floats | None = None) -> Floats:
        """Derivatives of the wanted state by the state, (7, 7), by central differences; healthy by default."""
        at = self.healthy if state is None else state
        scale = np.array([1.0] * len(STRENGTHS) + [10.0] * len(RANGES))
        columns = []
        for k in range(at.size):
            step = np.zeros(at.size)
            step[k] = STEP * scale[k]
            columns.append((self.wanted(at + step)[0] - self.wanted(at - step)[0]) / (2.0 * step[k]))
        found: Floats = np.stack(columns, axis=1)
        return found


def loop_gain(circle: Circle, state: Floats | None = None) -> dict[str, float]:
    """How strongly the circle feeds itself.

    Returns
    -------
    dict
        ``gain``: largest real part of the eigenvalues of the circle's slopes; from 1 it runs away. ``growth_per_week``:
        the same of the whole dynamics, positive where it runs away. ``exponent_that_runs_away`` and
        ``range_that_runs_away``: values of β and of γ at which the part of strength and that of range, each alone,
        would reach a gain of 1; infinite if they feed nothing back.
    """
    slopes = circle.gain(state)
    n = len(STRENGTHS)
    whole = float(np.linalg.eigvals(slopes).real.max())
    dynamics = (slopes - np.eye(slopes.shape[0])) / circle.weeks[:, None]

    def limit(part: Floats, law: float) -> float:
        largest = float(np.linalg.eigvals(part).real.max())
        return law / largest if largest > ROUNDING else math.inf

    return {
        "gain": whole,
        "growth_per_week": float(np.linalg.eigvals(dynamics).real.max()),
        "exponent_that_runs_away": limit(slopes[:n, :n], circle.rules.strength_exponent),
        "range_that_runs_away": limit(slopes[n:, n:], circle.rules.range_per_degree),
    }


def check_start(model: Model, start: Mapping[str, float] | None) -> dict[str, float]:
    """The named strengths and tightnesses of a beginning, once they are known to adapt and to be legal.

    Raises
    ------
    InputError
        For a name that does not adapt, or a value that is not allowed.
    """
    for name in start or {}:
        if name not in STATE:
            raise InputError(f"{name} does not adapt: allowed are {', '.join(STATE)}")
    return check_settings(model, start)


def check_weeks(weeks: int) -> int:
    """The number of weeks, once it is known to be one.

    Raises
    ------
    InputError
        If it is no whole number from 1 to 1000.
    """
    if isinstance(weeks, bool) or not isinstance(weeks, int | np.integer) or not 1 <= weeks <= LONGEST:
        raise InputError(f"weeks = {weeks!r} is not allowed: it must be a whole number from 1 to {LONGEST}")
    return int(weeks)


def adapt(circle: Circle, start: Mapping[str, float] | None = None, *, weeks: int = 104) -> xr.Dataset:
    """Step the circle week by week.

    Parameters
    ----------
    start
        Strength or tightness of groups at the beginning, as ``{"strength.core": 0.7}``; healthy where not named.
    weeks
        Number of weeks, 1 to 1000.

    Returns
    -------
    xarray.Dataset
        Along ``week``: ``strength`` (muscle_group) [1], ``tightness`` (short_group) [deg], ``anterior_pelvic_tilt`` and
        ``lumbar_lordosis`` [deg], ``compression`` (level) [N] of standing, and ``status``. Where a day has no solution
        the status says so and the rest of the course is NaN.

    Raises
    ------
    InputError
        For a name that does not adapt, or a number of weeks that is not allowed.
    """
    check_weeks(weeks)
    began = check_start(circle.model, start)
    state = circle.healthy.copy()
    for name, value in began.items():
        state[STATE.index(name)] = value
    share = 1.0 - np.exp(-1.0 / circle.weeks)
    levels = [str(level) for level in circle.reference.standing.level.values]
    states = np.full((weeks + 1, state.size), np.nan)
    tilt, lordosis = np.full(weeks + 1, np.nan), np.full(weeks + 1, np.nan)
    compression, status = np.full((weeks + 1, len(levels)), np.nan), np.full(weeks + 1, "not_reached", dtype="<U13")
    for week in range(weeks + 1):
        states[week] = state
        try:
            target, day = circle.wanted(state)
        except InputError:
            status[week] = "out_of_range"  # the register knows no such strength or tightness
            break
        except SpinesimError as error:
            status[week] = FAILURES[type(error)]
            break
        status[week] = "solved"
        tilt[week], lordosis[week] = float(day.standing.anterior_pelvic_tilt), float(day.standing.lumbar_lordosis)
        compression[week] = day.standing.compression.values
        state = state + share * (target - state)
    n = len(STRENGTHS)
    data: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        "strength": (("week", "muscle_group"), states[:, :n]),
        "tightness": (("week", "short_group"), states[:, n:]),
        "anterior_pelvic_tilt": (("week",), tilt),
        "lumbar_lordosis": (("week",), lordosis),
        "compression": (("week", "level"), compression),
        "status": (("week",), status),
    }
    coords = {
        "week": np.arange(weeks + 1),
        "muscle_group": list(STRENGTHS),
        "short_group": list(RANGES),
        "level": levels,
    }
    return xr.Dataset(
        {name: (dims, values, attributes(name)) for name, (dims, values) in data.items()},
        coords={name: (name, values, attributes(name)) for name, values in coords.items()},
        attrs={
            "title": f"spinesim {circle.model.name}, adaptation",
            "model": circle.model.name,
            "model_digest": pack(circle.model).digest,
            "start": json.dumps(began),
            "habit_hours": json.dumps(circle.habit),
            "laws": json.dumps(asdict(circle.rules)),
            "parameters": json.dumps(circle.settings),
            "versions": versions(),
            "note": NOTE,
        },
    )


def stronger(rules: Laws, **changes: float) -> Laws:
    """The laws with some values changed.

    Raises
    ------
    InputError
        For an unknown law, or a value that is no positive number.
    """
    known = [field.name for field in fields(rules)]
    for name, value in changes.items():
        if name not in known:
            raise InputError(f"there is no law {name}: allowed are {', '.join(known)}")
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0.0 < value < math.inf:
            raise InputError(f"{name} = {value!r} is not allowed: it must be a positive number")
    return replace(rules, **changes)
