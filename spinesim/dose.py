"""How much is enough: the fewest weeks to a benefit, and the doses that no other beats, for mean responses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr

from spinesim.compare import benefits, find_outcome, origin, solved, study
from spinesim.errors import InputError
from spinesim.intervention import NOTHING, programme
from spinesim.kernels.arrays import Floats
from spinesim.model.parts import Model
from spinesim.variables import attributes

LONGEST = 104.0  #: weeks that a dose is searched for
SHORTEST = 1e-6  #: weeks at which the search begins: at none nothing has been done


@dataclass(frozen=True)
class Dose:
    """The least dose that reaches a target."""

    weeks: float  #: inf: none does
    benefit: float  #: there, or the largest found
    reached: bool


def least_weeks(
    model: Model,
    imbalance: str | Mapping[str, float],
    intervention: str,
    outcome: str,
    target: float,
    *,
    per_week: float = 3.0,
    longest: float = LONGEST,
) -> Dose:
    """Fewest weeks after which a body with mean responses is better than with nothing by a target.

    Parameters
    ----------
    intervention
        Interventions joined by ``+``, without weeks of their own.
    outcome
        Such as ``"anterior_pelvic_tilt"`` or ``"compression.L5_S1"``.
    target
        Benefit asked for, in the unit of the outcome; positive.

    Raises
    ------
    InputError
        For an unknown name, or a target that is not positive.
    """
    from scipy.optimize import brentq  # a third of a second, which few users need

    wanted = find_outcome(model, outcome)
    if not 0.0 < target < math.inf:
        raise InputError(f"target = {target:g} is not allowed: it must be a positive benefit in {wanted.unit}")
    if "@" in intervention:
        raise InputError(f"programme {intervention} has weeks of its own: leave them out, they are what is searched")
    of = study(model, imbalance, [intervention], weeks=longest, per_week=per_week, people=1)
    treatment = of.programmes[-1]
    both, _ = solved(model, [of.healthy, of.before], [wanted], 1)
    healthy, nothing = both[wanted.name].T

    def gain(week: float) -> float:
        values, _ = solved(model, [of.after(treatment, week, None)], [wanted], 1)
        return float(benefits(wanted, values[wanted.name][:, 0], nothing, healthy)[0])

    # a benefit need not grow throughout: look for the first crossing on a grid that grows with the time, then inside
    grid = np.concatenate([[0.0], np.geomspace(0.5, longest, 16)])
    gains = [0.0]
    for before, week in pairwise(grid):
        gains.append(gain(float(week)))
        if gains[-1] >= target:
            weeks = brentq(lambda w: gain(w) - target, max(float(before), SHORTEST), float(week), xtol=1e-3)
            return Dose(float(weeks), target, True)
    return Dose(math.inf, float(np.nanmax(gains)), False)


def pareto(
    model: Model,
    imbalance: str | Mapping[str, float],
    interventions: Sequence[str],
    outcome: str,
    *,
    weeks: Sequence[float] = (2.0, 4.0, 8.0, 12.0, 16.0),
    per_week: Sequence[float] = (1.0, 2.0, 3.0, 5.0),
) -> xr.Dataset:
    """Benefit of an outcome against sessions, over a grid of doses, for a body with mean responses.

    Parameters
    ----------
    interventions
        Such as ``["stretch.hip_flexors", "plank", "stretch.hip_flexors+plank"]``.
    outcome
        As in `least_weeks`.
    weeks, per_week
        Doses tried.

    Returns
    -------
    xarray.Dataset
        Dimension ``dose``: ``dose_benefit``, ``dose_sessions``, ``dose_weeks``, ``dose_per_week``, ``programme`` and
        ``on_front`` (1: no dose has at least the benefit for fewer sessions, or more for as many).

    Raises
    ------
    InputError
        For an unknown name or an empty grid.
    """
    wanted = find_outcome(model, outcome)
    plans = [
        (programme(model, {"name": each, "do": each}, weeks=week, per_week=times), week, times)
        for each in interventions
        for week in weeks
        for times in per_week
    ]
    if not plans:
        raise InputError("the grid of doses is empty: name interventions, weeks and sessions a week")
    of = study(model, imbalance, [NOTHING], people=1)
    states = [of.healthy, of.before, *(of.after(plan, week, None) for plan, week, _ in plans)]
    found, status = solved(model, states, [wanted], 1)
    values = found[wanted.name][0]
    gain = benefits(wanted, values[2:], values[1], values[0])
    sessions = np.array([plan.sessions(week) for plan, week, _ in plans])
    columns = {
        "dose_benefit": gain,
        "dose_sessions": sessions,
        "dose_weeks": np.array([week for _, week, _ in plans]),
        "dose_per_week": np.array([times for *_, times in plans]),
        "on_front": front(sessions, gain).astype(float),
    }
    return xr.Dataset(
        {
            **{name: ("dose", column, attributes(name)) for name, column in columns.items()},
            "status": ("dose", status[0, 2:], attributes("status")),
        },
        coords={
            "dose": ("dose", np.arange(len(plans)), attributes("dose")),
            "dose_programme": ("dose", [plan.name for plan, *_ in plans], attributes("dose_programme")),
        },
        attrs={"outcome": outcome, "unit": wanted.unit, **origin(model)},
    )


def front(effort: Floats, benefit: Floats) -> np.ndarray:
    """(d,) True for the doses that none beats with as much benefit for less effort, or with more for as much."""
    fine = np.isfinite(benefit)
    better = (effort[None] <= effort[:, None]) & (benefit[None] >= benefit[:, None]) & fine[None]
    strictly = (effort[None] < effort[:, None]) | (benefit[None] > benefit[:, None])
    result: np.ndarray = fine & ~(better & strictly).any(axis=1)
    return result
