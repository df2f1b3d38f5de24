"""What a solved case says of itself in words: what a newton metre costs, how the posture would buckle."""

from __future__ import annotations

import numpy as np
import xarray as xr

#: Words for the positive and the negative direction of a motion.
DIRECTIONS = {
    "lean": ("forward lean", "backward lean"),
    "pelvic_tilt": ("forward tilt of the pelvis", "backward tilt of the pelvis"),
    "flexion": ("flexion", "extension"),
    "bend": ("bend to the right", "bend to the left"),
    "turn": ("turn to the left", "turn to the right"),
}


def motion(coordinate: str, positive: bool = True) -> str:
    """A free coordinate in words, such as "extension at L4_L5"."""
    joint, _, name = coordinate.rpartition(".")
    words = DIRECTIONS.get(name, (f"+{name.replace('_', ' ')}", f"-{name.replace('_', ' ')}"))[0 if positive else 1]
    return f"{words} at {joint}" if joint else words


def prices(case: xr.Dataset, most: int = 3) -> list[str]:
    """What the dearest newton metres of a solved case cost, a sentence each.

    Parameters
    ----------
    case
        One solved case. The multiplier of a coordinate is the change of the cost per newton metre that muscles and
        actuators must give in its positive direction.
    most
        Number of sentences.
    """
    multiplier = case["multiplier"].values
    held = case.attrs["posture"] == "held"
    cost = {"minmax": "largest activation"}.get(case.attrs["criterion"], "effort") if held else "cost of the posture"
    plain = cost == "effort" and case.attrs["criterion"] == "effort2" and case.attrs["weights"] == "volume"
    whole = float(case["effort"]) if plain else np.nan
    sentences = []
    for j in np.argsort(-np.abs(multiplier), kind="stable")[:most]:
        value = float(multiplier[j])
        if value == 0.0:
            break
        share = (
            f", {100 * abs(value) / whole:.2g} % of it" if case.attrs["criterion"] == "effort2" and whole > 0 else ""
        )
        where = motion(str(case["coordinate"].values[j]), value > 0.0)
        sentences.append(f"Holding one more newton metre of {where} raises the {cost} by {abs(value):.2g}{share}.")
    return sentences


def buckling(case: xr.Dataset, most: int = 3) -> str:
    """How a solved case would give way, a sentence."""
    mode, margin = case["buckling_mode"].values, float(case["stability_margin"])
    order = np.argsort(-np.abs(mode), kind="stable")[:most]
    parts = [
        f"{motion(str(case['coordinate'].values[j]), mode[j] > 0.0)} ({abs(mode[j]):.2f})"
        for j in order
        if abs(mode[j]) >= 0.1
    ]
    start = "The posture would buckle" if margin < -1e-3 else "The softest motion is"
    verb = " by " if margin < -1e-3 else " "
    return f"{start}{verb}{', '.join(parts)}: {margin + 0.0:.3g} N m/rad."
