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

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr

from spinesim.errors import InputError, SpinesimError
from spinesim.kernels.arrays import Floats
from spinesim.model.files import PROVENANCE, number, read_table, text
from spinesim.model.parts import Model
from spinesim.solve import check_settings, solve

STRENGTHS = ("core", "erectors", "gluteals", "hip_flexors", "hamstrings")  #: groups whose strength adapts
RANGES = ("hip_flexors", "hamstrings")  #: groups whose range adapts
WAKING = 16.0  #: hours of a day that a habit fills with stances, the rest of them lying free of use (assumed)
HABIT = {"standing": 4.0, "sitting": 6.0}  #: hours a day of a healthy habit (assumed)
STEP = 1e-2  #: of strengths [1], and of tightness in tens of degrees, for the slopes of the circle
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


def _check(habit: Mapping[str, float]) -> dict[str, float]:
    for stance, hours in habit.items():
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
        self.model, self.settings = model, check_settings(model, parameters)
        self.habit, self.rules = _check(HABIT if habit is None else habit), laws() if rules is None else rules
        self.healthy = np.array([1.0] * len(STRENGTHS) + [0.0] * len(RANGES))
        self.reference = _day(model, self.healthy, {}, HABIT)
        weeks = [self.rules.strength_weeks] * len(STRENGTHS) + [self.rules.range_weeks] * len(RANGES)
        self.weeks = np.array(weeks)  #: time constant of every part of the state

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
        return law / largest if largest > 0.0 else math.inf

    return {
        "gain": whole,
        "growth_per_week": float(np.linalg.eigvals(dynamics).real.max()),
        "exponent_that_runs_away": limit(slopes[:n, :n], circle.rules.strength_exponent),
        "range_that_runs_away": limit(slopes[n:, n:], circle.rules.range_per_degree),
    }


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
        Along ``week``: ``strength`` (group) [1], ``tightness`` (short_group) [deg], ``anterior_pelvic_tilt`` and
        ``lumbar_lordosis`` [deg], ``compression`` (level) [N] of standing, and ``status``. Where a day has no solution
        the status says so and the rest of the course is NaN.

    Raises
    ------
    InputError
        For a name that does not adapt, or a number of weeks that is not allowed.
    """
    if isinstance(weeks, bool) or not isinstance(weeks, int | np.integer) or not 1 <= weeks <= 1000:
        raise InputError(f"weeks = {weeks!r} is not allowed: it must be a whole number from 1 to 1000")
    known = [*(f"strength.{name}" for name in STRENGTHS), *(f"tightness.{name}" for name in RANGES)]
    state = circle.healthy.copy()
    for name, value in (start or {}).items():
        if name not in known:
            raise InputError(f"{name} does not adapt: allowed are {', '.join(known)}")
        state[known.index(name)] = float(value)
    share = 1.0 - np.exp(-1.0 / circle.weeks)
    levels = [str(level) for level in circle.reference.standing.level.values]
    states = np.full((weeks + 1, state.size), np.nan)
    tilt, lordosis = np.full(weeks + 1, np.nan), np.full(weeks + 1, np.nan)
    compression, status = np.full((weeks + 1, len(levels)), np.nan), np.full(weeks + 1, "not reached", dtype="<U13")
    for week in range(weeks + 1):
        states[week] = state
        try:
            target, day = circle.wanted(state)
        except InputError:
            status[week] = "out of range"  # the register knows no such strength or tightness
            break
        except SpinesimError as error:
            status[week] = type(error).__name__.removesuffix("Error").lower()
            break
        status[week] = "solved"
        tilt[week], lordosis[week] = float(day.standing.anterior_pelvic_tilt), float(day.standing.lumbar_lordosis)
        compression[week] = day.standing.compression.values
        state = state + share * (target - state)
    n = len(STRENGTHS)
    return xr.Dataset(
        {
            "strength": (("week", "group"), states[:, :n], {"units": "1", "long_name": "strength"}),
            "tightness": (("week", "short_group"), states[:, n:], {"units": "deg", "long_name": "tightness"}),
            "anterior_pelvic_tilt": ("week", tilt, {"units": "deg", "long_name": "anterior pelvic tilt, standing"}),
            "lumbar_lordosis": ("week", lordosis, {"units": "deg", "long_name": "lumbar lordosis, standing"}),
            "compression": (("week", "level"), compression, {"units": "N", "long_name": "compression, standing"}),
            "status": ("week", status),
        },
        coords={
            "week": ("week", np.arange(weeks + 1), {"units": "week", "long_name": "time"}),
            "group": list(STRENGTHS),
            "short_group": list(RANGES),
            "level": levels,
        },
        attrs={"model": circle.model.name, "note": "A hypothesis: no measurement of such a loop is known."},
    )


def stronger(rules: Laws, **changes: float) -> Laws:
    """The laws with some values changed.

    Raises
    ------
    InputError
        For a value that is no positive number.
    """
    for name, value in changes.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0.0 < value < math.inf:
            raise InputError(f"{name} = {value!r} is not allowed: it must be a positive number")
    return replace(rules, **changes)
