"""How every figure looks: colours that colour-blind readers tell apart, markers and lines that survive grey print."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.legend import Legend

from spinesim.errors import InputError

# Okabe and Ito (2008), Color universal design, without the yellow that vanishes on white paper.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
INK, GHOST, BONE = "#222222", "#8C8C8C", "#EFEAE0"

#: One (colour, line style, marker) per series; no two share any of the three.
SERIES = ((BLUE, "-", "o"), (VERMILLION, "--", "s"), (GREEN, "-.", "^"), (PURPLE, ":", "D"))

#: Light grey at zero, then darker all the way, so that it also reads in black and white.
ACTIVATION = LinearSegmentedColormap.from_list("activation", ["#DCDCDC", "#F2B84B", "#D55E00", "#4A1500"])
#: Values; lightness rises evenly.
VALUES = "cividis"

#: Hatch of the cases without a solution, by their status.
HATCHES = {"infeasible": "////", "unstable": "\\\\\\\\", "not_converged": "xxxx", "pending": "...."}
#: Marker of the cases without a solution at the foot of a line, by their status.
UNSOLVED_MARKS = {"infeasible": "x", "unstable": "1", "not_converged": "+", "pending": "|"}

PART = "part"  #: label of axes that belong to a figure of several axes

SETTINGS: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.titlesize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.title_fontsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "hatch.linewidth": 0.7,
    "svg.fonttype": "none",  # text stays text: it can be searched and restyled
    "svg.hashsalt": "spinesim",  # the same figure gives the same file
}


def style() -> AbstractContextManager[None]:
    """Context in which figures are drawn and saved in the style of this package."""
    return mpl.rc_context(SETTINGS)


def new_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The given axes, or those of a new pyplot figure of ``size`` [inch]."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt  # only here: it chooses a window system

    return plt.subplots(figsize=size, layout="constrained")[1]


def parts_of(ax: Axes, rows: int, columns: int) -> list[Axes]:
    """The place of ``ax`` divided into ``rows`` x ``columns`` axes, row by row; ``ax`` itself is the last left one.

    Raises
    ------
    InputError
        If ``ax`` has no place in a grid of subplots that could be divided.
    """
    spec = ax.get_subplotspec()
    if spec is None:
        raise InputError("This figure consists of several axes: give it axes of a grid of subplots.")
    inner = spec.subgridspec(rows, columns)
    main = (rows - 1) * columns
    parts = []
    for place in range(rows * columns):
        if place == main:
            ax.set_subplotspec(inner[place])
            parts.append(ax)
        else:
            parts.append(ax.figure.add_subplot(inner[place], label=f"{PART} {place}"))
    return parts


def unit_of(array: xr.DataArray) -> str:
    """Unit as written in figures; empty for pure numbers."""
    unit = str(array.attrs.get("units", "1"))
    return "" if unit == "1" else unit.replace("mm2", "mm²").replace("N m", "N·m")


def name_of(array: xr.DataArray) -> str:
    """Name of a quantity as words, from the file itself."""
    return str(array.attrs.get("long_name") or array.name)


def label_of(array: xr.DataArray) -> str:
    """Axis label: name and unit."""
    unit = unit_of(array)
    return f"{name_of(array)} [{unit}]" if unit else name_of(array)


def level_name(level: object) -> str:
    """``L4_L5`` as clinicians write it, ``L4/L5``; other names as words, such as ``hip flexors active``."""
    return re.sub(r"\b([TLS]\d+)_([TLS]\d+)", r"\1/\2", str(level)).replace("_", " ").replace(".", " ")


def legend_above(
    ax: Axes, title: str, handles: Sequence[Artist] | None = None, columns: int = 2, narrow: int = 1
) -> Legend:
    """Legend with its title, wrapped to the panel, in the free space above the axes, where it covers no data.

    Parameters
    ----------
    columns, narrow
        Columns of the legend; ``narrow`` where panels stand side by side.
    """
    alone = sum(not str(each.get_label()).startswith(PART) for each in ax.figure.axes) == 1
    return ax.legend(
        handles=handles,
        title="\n".join(wrap(title, 60 if alone else 34)) or None,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns if alone else narrow,
        frameon=False,
        alignment="left",
        borderaxespad=0.2,
        handlelength=2.6,
    )
