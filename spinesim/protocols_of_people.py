"""Protocols of rows between people: correlations and effects over virtual adults; `PROTOCOLS` from here has them all.

What an inclinometer reads of a pelvis is the line of its spines, whose inclination differs between people by the shape
of the bone; the model turns that line by the pelvic tilt that it finds.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial

import numpy as np

from spinesim.intervention import applied, programme
from spinesim.kernels.arrays import Floats
from spinesim.population import People, people, with_settings
from spinesim.protocols import Bench, need, protocol, radiographed_lean
from spinesim.protocols_by_stance import PROTOCOLS
from spinesim.sweep import sweep

__all__ = ["PROTOCOLS"]

COUNT, SEED = 128, 0
SESSION = 2.6  # [deg] of range gained in one session of stretching (TS002)
WEEKS, PER_WEEK = 8.0, 3.0  # of a programme
POSTURE = ("anterior_pelvic_tilt", "lumbar_lordosis")


@lru_cache(maxsize=4)
def crowd(bench: Bench) -> People:
    """The virtual adults of all these rows."""
    return people(bench.model, COUNT, seed=SEED)


@lru_cache(maxsize=16)
def postures(bench: Bench, done: str = "", seated: float | None = None) -> dict[str, Floats]:
    """(n,) pelvic inclination and lordosis [deg] of everybody, once something has been done.

    All stand, or sit with the trunk held at an angle ``seated`` [deg]; the rest is found.
    """
    who = crowd(bench)
    columns = dict(who.columns)
    if done == "session":
        columns = with_settings(bench.model, who, {"tightness.hip_flexors": -SESSION})
    elif done:
        plan = programme(bench.model, done, weeks=WEEKS, per_week=PER_WEEK)
        columns = applied(bench.model, columns, plan, WEEKS, who.effects)
    stance, held = ("standing", None) if seated is None else ("sitting", {"trunk_flexion": seated})
    found = sweep(bench.model, samples=columns, stance=stance, posture=held, complete="find", variables=POSTURE)
    tilt, lordosis = (found[name].values for name in POSTURE)
    return {"inclination": who.traits["ilium_inclination"] + tilt, "lordosis": lordosis}


def extension(bench: Bench) -> Floats:
    """(n,) passive hip extension [deg] that the Thomas test reads, mean of both sides, from that of the reference."""
    return -0.5 * (column(bench, "tightness.hip_flexors.left") + column(bench, "tightness.hip_flexors.right"))


def column(bench: Bench, name: str) -> Floats:
    """(n,) a parameter of everybody.

    Raises
    ------
    InputError
        If people of this model have it not.
    """
    need((name,), crowd(bench).columns, "people who differ in", bench.model.name)
    return crowd(bench).columns[name]


def correlation(one: Floats, other: Floats) -> float:
    """Pearson's r over the people who have both; NaN of fewer than three."""
    fine = np.isfinite(one) & np.isfinite(other)
    return float(np.corrcoef(one[fine], other[fine])[0, 1]) if fine.sum() > 2 else math.nan


@protocol("TS005")
def _range_and_tilt(bench: Bench) -> float:
    return correlation(extension(bench), postures(bench)["inclination"])


@protocol("TS006")
def _range_and_lordosis(bench: Bench) -> float:
    return correlation(extension(bench), postures(bench)["lordosis"])


@protocol("PO027")
def _tilt_and_lordosis(bench: Bench) -> float:
    return correlation(postures(bench)["inclination"], postures(bench)["lordosis"])


@protocol("PO028")
def _incidence_and_change(bench: Bench) -> float:
    change = postures(bench)["lordosis"] - postures(bench, seated=radiographed_lean(bench))["lordosis"]
    return correlation(column(bench, "subject.pelvic_incidence"), change)


def _explained(bench: Bench, sex: float) -> float:
    """Variance of the inclination of the pelvis that the strength of the abdominals explains [%]."""
    chosen = crowd(bench).traits["sex"] == sex
    r = correlation(column(bench, "strength.abdominals")[chosen], postures(bench)["inclination"][chosen])
    return 100.0 * r**2


PROTOCOLS["TS008"] = partial(_explained, sex=1.0)
PROTOCOLS["TS009"] = partial(_explained, sex=0.0)


def _effect(bench: Bench, done: str) -> float:
    """Mean change over the SD between people, of inclination or lordosis, whichever is larger in magnitude."""
    before, after = postures(bench), postures(bench, done=done)
    sizes = []
    for name in before:
        fine = np.isfinite(before[name]) & np.isfinite(after[name])
        if fine.sum() < 3:
            return math.nan
        spread = before[name][np.isfinite(before[name])].std()
        sizes.append(float((after[name] - before[name])[fine].mean() / spread))
    return max(sizes, key=abs)


PROTOCOLS["TS011"] = partial(_effect, done="session")
PROTOCOLS["TS012"] = partial(_effect, done="stretch.hip_flexors")
PROTOCOLS["TS013"] = partial(_effect, done="strengthen.core+strengthen.gluteals")
