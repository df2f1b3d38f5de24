"""Protocols in lying, leaning, lifting, one-legged and walking stances; `PROTOCOLS` from here has them all."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from spinesim.kernels.arrays import Floats
from spinesim.protocols import (
    IN_FRONT,
    PROTOCOLS,
    Bench,
    activation,
    at_foramen,
    at_level,
    change,
    force_from_pressure,
    group,
    held_load,
    percent,
    protocol,
    resultant,
    sizes,
)

__all__ = ["PROTOCOLS"]

LOSS = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.0)  # strength in steps, as in the experiment single_leg
BLOCKED = ("gluteus_medius", "gluteus_minimus", "tensor_fasciae_latae")  # superior gluteal nerve
STOOP, SQUAT = (52.0, 10.0), (39.0, 45.0)  # trunk and knees [deg] of SL009


def gait(bench: Bench) -> tuple[xr.Dataset, xr.Dataset]:
    """Mid-stance and terminal stance of walking on the right leg."""
    return bench.case(stance="gait_mid_stance_right"), bench.case(stance="gait_terminal_stance_right")


def bent(bench: Bench, angles: tuple[float, float], settings: dict[str, float]) -> xr.Dataset:
    """Feet on the ground, trunk and knees held [deg], the rest found."""
    trunk, knees = angles
    held = {"trunk_flexion": trunk, "knee_flexion.left": knees, "knee_flexion.right": knees}
    return bench.case(settings, stance="squat", posture=held, complete="find")


def _lifted(bench: Bench, stance: str, settings: dict[str, float]) -> float:
    return at_level(bench.case(settings, stance=stance), "compression", "L5_S1")


def _of_standing(bench: Bench, stance: str) -> float:
    lying = at_level(bench.case(stance=stance), "compression", "L3_L4")
    return percent(lying, at_level(bench.held(), "compression", "L3_L4"))


# ------------------------------------------------------------------------------------------------ lying and leaning


def _found(bench: Bench, stance: str) -> float:
    """Pressure at L4/L5 [MPa], posture found."""
    return at_level(bench.case(stance=stance), "disc_pressure", "L4_L5")


for _name, _stance in (
    ("DP002", "prone"),
    ("DP034", "prone"),
    ("DP011", "supine"),
    ("DP013", "supine"),
    ("DP035", "side_lying_left"),
    ("DP007", "sitting_backrest"),
):
    PROTOCOLS[_name] = partial(_found, stance=_stance)


@protocol("DP042")
def _force_prone(bench: Bench) -> float:
    return force_from_pressure(bench, PROTOCOLS["DP002"](bench))


@protocol("DP043")
def _force_on_the_side(bench: Bench) -> float:
    return force_from_pressure(bench, PROTOCOLS["DP035"](bench))


@protocol("DP026")
def _supine_of_standing(bench: Bench) -> float:
    return percent(PROTOCOLS["DP013"](bench), held_load(bench, "DP001"))


@protocol("DP027")
def _leaning_of_standing(bench: Bench) -> float:
    return percent(PROTOCOLS["DP007"](bench), held_load(bench, "DP001"))


@protocol("DP049")
def _supine_of_standing_at_l3(bench: Bench) -> float:
    return _of_standing(bench, "supine")


@protocol("DP050")
def _side_lying_of_standing_at_l3(bench: Bench) -> float:
    return _of_standing(bench, "side_lying_left")


@protocol("SL016")
def _leaning_on_implant(bench: Bench) -> float:
    return change(resultant(bench.case(stance="sitting_backrest")), resultant(bench.sitting()))


@protocol("SL053")
def _supine_on_implant(bench: Bench) -> float:
    return percent(resultant(bench.case(stance="supine")), resultant(bench.held()))


@protocol("FN004")
def _area_supine(bench: Bench) -> float:
    return float(bench.case(stance="supine").foramen_area.sel(foramen="L5_S1", side="right"))


@protocol("FN007")
def _width_supine(bench: Bench) -> float:
    return float(bench.case(stance="supine").foramen_width.sel(foramen="L5_S1", side="right"))


def _pressed_lying(bench: Bench, level: str, variable: str) -> float:
    """Change [%] of a foramen when a harness presses the spine of a lying body together."""
    pressed, free = bench.case(stance="supine_harness"), bench.case(stance="supine")
    return change(at_foramen(pressed, variable, level), at_foramen(free, variable, level))


for _name, _level, _variable in (
    ("FN010", "L1_L2", "foramen_height"),
    ("FN011", "L2_L3", "foramen_height"),
    ("FN013", "L4_L5", "foramen_height"),
    ("FN015", "L3_L4", "foramen_area"),
):
    PROTOCOLS[_name] = partial(_pressed_lying, level=_level, variable=_variable)


def greatest_width(outline: Floats) -> float:
    """Greatest width of a closed outline (n, 2), back and up; found at the height of one of its corners."""
    back, up = outline.T
    next_back, next_up = np.roll(outline, -1, axis=0).T
    widths = []
    for height in up:
        meets = (np.minimum(up, next_up) <= height) & (height <= np.maximum(up, next_up)) & (up != next_up)
        share = (height - up[meets]) / (next_up - up)[meets]
        widths.append(np.ptp(back[meets] + share * (next_back - back)[meets]))
    return float(max(widths))


@protocol("FN017")
def _widest_pressed_lying(bench: Bench) -> float:
    def width(case: xr.Dataset) -> float:
        sizes(case)  # refuses a model without them
        sides = case.foramen_outline.sel(foramen="L5_S1").transpose("side", "outline_point", "plane").values
        return float(np.mean([greatest_width(outline) for outline in sides]))

    return change(width(bench.case(stance="supine_harness")), width(bench.case(stance="supine")))


# ---------------------------------------------------------------------------------------------------------- lifting


@protocol("SL009")
def _stoop_against_squat(bench: Bench) -> float:
    weight = {"load.hands": 10.0}
    return change(resultant(bent(bench, STOOP, weight)), resultant(bent(bench, SQUAT, weight)))


@protocol("SL010")
def _beside_against_in_front(bench: Bench) -> float:
    beside = bent(bench, SQUAT, {"load.hand.right": 10.0})
    return change(resultant(beside), resultant(bent(bench, SQUAT, IN_FRONT)))


@protocol("SL035")
def _stoop_lift(bench: Bench) -> float:
    return _lifted(bench, "lift_stoop", {"load.hands": 20.0, "load.reach": 0.2})


@protocol("SL040")
def _squat_lift(bench: Bench) -> float:
    return _lifted(bench, "lift_squat", {"load.hands": 20.0, "load.reach": 0.4})


@protocol("SL041")
def _split_load(bench: Bench) -> float:
    beside = {"load.hand.right": 10.0, "load.hand.left": 10.0}
    return change(_lifted(bench, "lift_squat", beside), _squat_lift(bench))


@protocol("SL042")
def _one_hand_less_two(bench: Bench) -> float:
    one = bench.case({"load.hand.right": 10.0, "load.reach": 0.2}, stance="lift_squat")
    two = bench.case({"load.hands": 10.0, "load.reach": 0.2}, stance="lift_squat")
    return at_level(one, "compression", "L4_L5") - at_level(two, "compression", "L4_L5")


@protocol("TS017")
def _gluteus_maximus_with_tight_flexors(bench: Bench) -> float:
    tight = bench.case({"tightness.hip_flexors": 20.0}, stance="squat")
    muscle = ("gluteus_maximus",)
    return activation(bench.model, tight, muscle) - activation(bench.model, bench.case(stance="squat"), muscle)


# ------------------------------------------------------------------------------------------- one leg and walking


@protocol("DP022")
def _pressure_walking(bench: Bench) -> float:
    return sum(at_level(case, "disc_pressure", "L4_L5") for case in gait(bench)) / 2


@protocol("SL051")
def _walking_on_implant(bench: Bench) -> float:
    return percent(max(resultant(case) for case in gait(bench)), resultant(bench.held()))


def _of_weight(bench: Bench, case: xr.Dataset) -> float:
    """Force in the right hip [% of body weight]."""
    weight = bench.model.body_mass * bench.model.gravity
    return percent(float(case.hip_contact_force.sel(side="right")), weight)


@protocol("SL064")
def _hip_on_one_leg(bench: Bench) -> float:
    return _of_weight(bench, bench.case(stance="single_leg_right"))


@protocol("SL065")
def _hip_walking(bench: Bench) -> float:
    return max(_of_weight(bench, case) for case in gait(bench))


@protocol("TS052")
def _drop_of_blocked_pelvis(bench: Bench) -> float:
    group(bench.model, "gluteals")
    weakest, *others = BLOCKED
    dead = {f"strength.{name}.right": 0.0 for name in others}
    blocked = bench.along(f"strength.{weakest}.right", LOSS, dead, stance="gait_mid_stance_right")
    healthy = bench.case(stance="gait_mid_stance_right")
    return float(healthy.pelvic_list) - float(blocked.pelvic_list)


@protocol("MA050")
def _gluteus_medius_on_one_leg(bench: Bench) -> float:
    return activation(bench.model, bench.case(stance="single_leg_right"), ("gluteus_medius",), side="right")
