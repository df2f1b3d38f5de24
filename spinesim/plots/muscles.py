"""Muscle forces by group and side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinesim.plots.cases import (
    case_name,
    first_case,
    heading_of,
    no_solution,
    one_case,
    require,
    rounded,
    sentence,
    solved,
    sweep_axes,
)
from spinesim.plots.style import BLUE, INK, ORANGE, legend_above, new_axes, unit_of

SIDES = {"left": (BLUE, ""), "right": (ORANGE, "////"), "midline": (INK, "")}


def group_forces(case: xr.Dataset) -> dict[str, dict[str, float]]:
    """Sum of the forces along the lines of all fascicles, by side and group [N]."""
    groups = case["group"].values.astype(str)
    sides = case["muscle_side"].values.astype(str)
    force = case["muscle_force"].values.astype(float)
    names = list(dict.fromkeys(groups))
    return {
        side: {name: float(force[(groups == name) & (sides == side)].sum()) for name in names}
        for side in SIDES
        if (sides == side).any()
    }


def muscle_groups(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    title: str = "",
) -> Axes:
    """Force of every muscle group, left and right, in one case.

    Parameters
    ----------
    case
        Values on the sweep axes; the last of each axis where none is given.
    healthy
        A case, or a sweep whose first case, stands behind as an outline.
    title
        Words above the legend.
    """
    ax = new_axes(ax, (6.5, 4.6))
    require(dataset, ("muscle_force",))
    chosen = one_case(dataset, case)
    heading = heading_of(title, case_name(chosen, sweep_axes(dataset)))
    if not solved(chosen):
        return _blank(ax, heading, no_solution(chosen))
    forces = group_forces(chosen)
    before = group_forces(first_case(healthy)) if healthy is not None and solved(first_case(healthy)) else {}
    names = list(next(iter(forces.values())))
    rows = np.arange(len(names))
    height = 0.8 / len(forces)
    for number, (side, values) in enumerate(forces.items()):
        colour, hatch = SIDES[side]
        y = rows + (number - (len(forces) - 1) / 2) * height
        widths = [values[name] for name in names]
        ax.barh(y, widths, height, color=colour, hatch=hatch, edgecolor="white", lw=0.0, label=side)
        if side in before:
            ghost = [before[side].get(name, np.nan) for name in names]
            label = "healthy" if number == 0 else None
            ax.barh(y, ghost, height, fill=False, edgecolor=INK, lw=1.0, ls="--", label=label)
    ax.set_yticks(rows, [name.replace("_", " ") for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)  # the first group on top
    ax.set_xlabel(f"sum of muscle forces [{unit_of(chosen['muscle_force'])}]")
    ax.grid(True, axis="x")
    legend_above(ax, heading)
    return ax


def muscle_groups_caption(
    dataset: xr.Dataset,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    title: str = "",
) -> str:
    """The strongest group, the largest left-right difference and the largest change from healthy."""
    chosen = one_case(dataset, case)
    heading = heading_of(title, case_name(chosen, sweep_axes(dataset)))
    if not solved(chosen):
        return sentence(heading, no_solution(chosen))
    forces = group_forces(chosen)
    total = {name: sum(values[name] for values in forces.values()) for name in next(iter(forces.values()))}
    strongest = max(total, key=lambda name: total[name])
    text = f"the {strongest.replace('_', ' ')} pull hardest, {total[strongest]:.0f} N in sum"
    if {"left", "right"} <= set(forces):
        gaps = {name: forces["right"][name] - forces["left"][name] for name in total}
        widest = max(gaps, key=lambda name: abs(gaps[name]))
        if abs(gaps[widest]) < 0.5:
            text += "; left and right pull alike"
        else:
            side = "right" if gaps[widest] > 0 else "left"
            text += f"; the largest difference between the sides is {abs(gaps[widest]):.0f} N more on the {side}"
            text += f" in the {widest.replace('_', ' ')}"
    if healthy is not None and solved(first_case(healthy)):
        before = group_forces(first_case(healthy))
        steps = {name: total[name] - sum(values.get(name, np.nan) for values in before.values()) for name in total}
        moved = max(steps, key=lambda name: abs(steps[name]))
        text += f"; against healthy the {moved.replace('_', ' ')} change most, by {rounded(steps[moved], 0):+.0f} N"
    return sentence(heading, text)


def _blank(ax: Axes, heading: str, words: str) -> Axes:
    ax.set_title(heading, loc="left")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.text(0.5, 0.5, words, ha="center", va="center", transform=ax.transAxes)
    return ax
