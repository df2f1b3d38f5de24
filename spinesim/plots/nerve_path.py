"""The way of the sciatic nerve from the canal to the ankle, with the piriformis on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from spinesim.errors import InputError
from spinesim.plots.body import HEALTHY, SOLID, VIEWS, draw_bones
from spinesim.plots.cases import (
    case_name,
    first_case,
    heading_of,
    no_solution,
    one_case,
    require,
    sentence,
    solved,
    sweep_axes,
)
from spinesim.plots.style import BLUE, BONE, GHOST, INK, VERMILLION, legend_above, new_axes

NEEDS = (
    "sciatic_position",
    "bone_position",
    "path_position",
    "sciatic_lengthening",
    "sciatic_strain",
    "piriformis_pressure",
)
ABOVE = 0.06  #: shown above the highest point of the nerve, and around it [m]


def sciatic_path(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    side: Literal["left", "right"] = "right",
    title: str = "",
) -> Axes:
    """The sciatic nerve of one side from the right, with the bones and the piriformis, the healthy one in grey.

    Parameters
    ----------
    case
        Values on the sweep axes.
    healthy
        A case, or a sweep whose first case, is drawn in grey.
    side
        Whose nerve.
    title
        Words above the legend.

    Raises
    ------
    InputError
        If there is no such side.
    """
    ax = new_axes(ax, (5.6, 6.4))
    require(dataset, NEEDS)
    _check(side)
    one = one_case(dataset, case)
    ax.set_aspect("equal")
    handles: list[Line2D | Patch] = []
    seen: list[np.ndarray] = []
    if healthy is not None:
        require(healthy, NEEDS)
        ghost = first_case(healthy)
        if solved(ghost):
            draw_bones(ax, ghost["bone_position"], "sagittal", HEALTHY)
            seen.append(_nerve(ax, ghost, side, GHOST, "--"))
        state = _state(ghost, side) if solved(ghost) else no_solution(ghost)
        handles.append(Line2D([], [], color=GHOST, ls="--", lw=2.0, label=f"for comparison, {state}"))
    if solved(one):
        draw_bones(ax, one["bone_position"], "sagittal", SOLID)
        muscle = one["path_position"].values[_of_piriformis(one, side)]
        flat = muscle @ VIEWS["sagittal"].T
        ax.plot(flat[:, 0], flat[:, 1], color=VERMILLION, lw=4.0, solid_capstyle="butt", zorder=4)
        seen.append(_nerve(ax, one, side, BLUE, "-"))
        pressure = float(one["piriformis_pressure"].sel(side=side))
        handles = [
            Patch(fc=BONE, ec=INK, label="bones of the model"),
            *handles,
            Line2D([], [], color=BLUE, lw=2.4, label=f"sciatic nerve, {side}, {_state(one, side)}"),
            Line2D([], [], color=VERMILLION, lw=4.0, label=f"piriformis, {pressure:.0f} mmHg on it (hypothesis)"),
        ]
    else:
        handles.append(Line2D([], [], ls="", label=no_solution(one)))
    if seen:
        points = np.concatenate(seen)
        (left, low), (right, high) = points.min(axis=0) - ABOVE, points.max(axis=0) + ABOVE
        ax.set_xlim(left - 0.06, right + 0.06)
        ax.set_ylim(low, high)
    ax.set_xlabel("forward [m]")
    ax.set_ylabel("above the hip axis [m]")
    ax.grid(True)
    legend_above(ax, heading_of(title, case_name(one, sweep_axes(dataset))), handles=handles, columns=1)
    return ax


def _check(side: str) -> None:
    if side not in ("left", "right"):
        raise InputError(f"side = {side!r} is not allowed: it must be left or right.")


def _of_piriformis(one: xr.Dataset, side: str) -> np.ndarray:
    """Whether each path point belongs to the piriformis of a side."""
    own = (one["anatomical_muscle"].values == "piriformis") & (one["muscle_side"].values == side)
    found: np.ndarray = np.isin(one["path_muscle"].values, one["muscle"].values[own])
    return found


def _nerve(ax: Axes, one: xr.Dataset, side: str, colour: str, dashes: str) -> np.ndarray:
    """Draw the nerve; returns its points in the plane."""
    flat: np.ndarray = one["sciatic_position"].sel(side=side).values @ VIEWS["sagittal"].T
    ax.plot(flat[:, 0], flat[:, 1], color=colour, ls=dashes, lw=2.4, zorder=5 if dashes == "-" else 1)
    return flat


def _state(one: xr.Dataset, side: str) -> str:
    longer = round(float(one["sciatic_lengthening"].sel(side=side))) + 0.0  # adding 0 turns -0.0 into 0.0
    strain = round(100.0 * float(one["sciatic_strain"].sel(side=side)), 1) + 0.0
    return f"{longer:+.0f} mm, strain {strain:+.1f} %"


def sciatic_path_caption(
    dataset: xr.Dataset,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    side: str = "right",
    title: str = "",
) -> str:
    """How much longer the way of the nerve is, and what the piriformis may press."""
    require(dataset, NEEDS)
    _check(side)
    one = one_case(dataset, case)
    heading = heading_of(title, case_name(one, sweep_axes(dataset)))
    if not solved(one):
        return sentence(heading, no_solution(one))
    text = f"the way of the {side} sciatic nerve differs from healthy standing by {_state(one, side)}"
    if healthy is not None and solved(first_case(healthy)):
        text += f" (compared case: {_state(first_case(healthy), side)})"
    pressure = float(one["piriformis_pressure"].sel(side=side))
    text += f"; the piriformis presses on it with {pressure:.0f} mmHg, a hypothesis that nobody has measured"
    return sentence(heading, text)
