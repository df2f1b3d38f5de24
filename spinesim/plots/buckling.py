"""The body and the way it would buckle, from the side and from behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from spinesim.plots.body import REGIONS, SOLID, Look, check_region, draw_bones
from spinesim.plots.cases import (
    case_name,
    heading_of,
    no_solution,
    one_case,
    require,
    rounded,
    sentence,
    solved,
    sweep_axes,
)
from spinesim.plots.style import VERMILLION, legend_above, name_of, new_axes, unit_of
from spinesim.variables import BUCKLING_DEG

NEEDS = ("bone_position", "buckled_bone_position", "buckling_mode", "stability_margin")
BUCKLED = Look(VERMILLION, "none", (0, (4, 1.5)), 1.2, 3)
TICKS = {"whole": 0.3, "lumbar": 0.1}  #: [m] between ticks across
PLANES = {"turn": "turning about the long axis", "bend": "sideways", "flexion": "forward or backward"}
ZERO = 0.05  #: [N m/rad] a margin this small is none: the solver keeps the one demanded within 1e-5


def plane_of(mode: xr.DataArray) -> tuple[str, float]:
    """Where the mode mostly goes, in words, and its share there (squares of the entries)."""
    names = [str(name).rpartition(".")[2] for name in mode["coordinate"].values]
    squares = mode.values.astype(float) ** 2
    kinds = [name if name in PLANES else "flexion" for name in names]
    shares = {kind: float(squares[[each == kind for each in kinds]].sum() / squares.sum()) for kind in PLANES}
    most = max(shares, key=lambda kind: shares[kind])
    return PLANES[most], shares[most]


def largest_angle(mode: xr.DataArray) -> str:
    """Coordinate with the largest entry, in words."""
    name = str(mode["coordinate"].values[int(np.abs(mode.values).argmax())])
    return name.replace("_", "/", 1).replace(".", " ") if "." in name else name.replace("_", " ")


def buckling_mode(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    case: Mapping[str, float] | None = None,
    region: Literal["whole", "lumbar"] = "whole",
    title: str = "",
) -> Axes:
    """The body in its posture and displaced along its buckling mode, from the side and from behind.

    Parameters
    ----------
    case
        Values on the sweep axes; the last of each axis where none is given.
    region
        ``whole`` or ``lumbar``.
    title
        Words above the legend.
    """
    require(dataset, NEEDS)
    check_region(region)
    chosen = one_case(dataset, case)
    ax = new_axes(ax, (5.0, 7.4))
    ax.set_aspect("equal")
    (left, right), (bottom, top) = REGIONS[region]
    half = max(-left, right)
    aside = right + 1.1 * half  # [m]: the body from behind stands beside the one from the side
    if solved(chosen):
        for view, shift in (("sagittal", 0.0), ("frontal", aside)):
            draw_bones(ax, chosen["bone_position"], view, SOLID, shift)
            draw_bones(ax, chosen["buckled_bone_position"], view, BUCKLED, shift)
    else:
        ax.text(0.5, 0.5, no_solution(chosen), ha="center", va="center", transform=ax.transAxes)
    ax.set_xlim(left, aside + half)
    ax.set_ylim(bottom, top)
    places = np.array([-1.0, 0.0, 1.0]) * TICKS[region]
    ax.set_xticks([*places, *(places + aside)], [f"{place:g}" for place in (*places, *places)])
    ax.grid(True)
    ax.set_xlabel("from the side: forward [m]\nfrom behind: to the right [m]")
    ax.set_ylabel("above the hip axis [m]")
    text = f"buckling mode, largest angle {BUCKLING_DEG:g} deg"
    handles = [
        Patch(fc=SOLID.face, ec=SOLID.colour, label="bones of the model"),
        Line2D([], [], color=BUCKLED.colour, ls=BUCKLED.dashes, label=text),
    ]
    legend_above(ax, heading_of(title, case_name(chosen, sweep_axes(dataset))), handles=handles, columns=1)
    return ax


def buckling_mode_caption(
    dataset: xr.Dataset,
    *,
    case: Mapping[str, float] | None = None,
    region: str = "whole",
    title: str = "",
) -> str:
    """The margin, whether it would buckle, and where the mode goes."""
    require(dataset, NEEDS)
    chosen = one_case(dataset, case)
    heading = heading_of(title, case_name(chosen, sweep_axes(dataset)))
    if not solved(chosen):
        return sentence(heading, no_solution(chosen))
    margin, mode = float(chosen["stability_margin"]), chosen["buckling_mode"]
    verdict = "just stable" if abs(margin) < ZERO else "stable" if margin > 0.0 else "the posture would buckle"
    plane, share = plane_of(mode)
    text = (
        f"the {name_of(chosen['stability_margin'])} is {rounded(margin, 0):.0f} "
        f"{unit_of(chosen['stability_margin'])}, {verdict}; the motion with the least stiffness goes {plane} "
        f"({share:.0%} of the squared angles) with its largest angle at {largest_angle(mode)}, drawn as "
        f"{BUCKLING_DEG:g} deg"
    )
    return sentence(heading, text)
