"""Room of the nerve roots: the outline of every foramen with its root, and the pressure on the roots."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, Patch, Polygon

from spinesim.plots.cases import first_case, heading_of, no_solution, one_case, require, sentence, solved
from spinesim.plots.loads import HEALTHY, SIDE_OFFSET, series_of, shared_words
from spinesim.plots.style import BLUE, GHOST, INK, label_of, legend_above, level_name, new_axes, unit_of

OUTLINE_NEEDS = (
    "foramen_outline",
    "root_place",
    "root_size",
    "root_contact_pressure",
    "root_band",
    "foramen_area",
    "foramen_closed",
)
PRESSURE_NEEDS = ("root_contact_pressure", "root_band")
#: What the bands of ``root_band`` are called, and their fills: ever darker, so that they also read in black and white.
BANDS = ("no threshold", "venular", "capillary", "conduction", "arteriolar")
FILLS = ("#FFFFFF", "#F2D49B", "#F2B84B", "#D55E00", "#4A1500")
APART, ROW = 21.0, 35.0  #: of the foramina side by side, of the rows of the two sides [mm]


def foramen_outlines(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    title: str = "",
) -> Axes:
    """The outline of every foramen in its own plane with its root, right above, left below; front to the left.

    Beside each stands the pressure on its root, with × where the foramen is closed.

    Parameters
    ----------
    case
        Values on the sweep axes.
    healthy
        A case, or a sweep whose first case, is drawn in grey.
    title
        Words above the legend.
    """
    ax = new_axes(ax, (7.5, 5.6))
    require(dataset, OUTLINE_NEEDS)
    one = one_case(dataset, case)
    handles: list[Line2D | Patch] = []
    if healthy is not None:
        require(healthy, OUTLINE_NEEDS)
        _draw(ax, first_case(healthy), GHOST, ghost=True)
        handles.append(Line2D([], [], color=GHOST, ls="--", label="healthy"))
    if solved(one):
        _draw(ax, one, BLUE, ghost=False)
        handles.append(Line2D([], [], color=BLUE, label="this case"))
        used = np.unique(one["root_band"].values[np.isfinite(one["root_band"].values)]).astype(int)
        handles += [Patch(fc=FILLS[band], ec=INK, label=f"root: {BANDS[band]}") for band in used]
    else:
        handles.append(Line2D([], [], ls="", label=no_solution(one)))
    levels = one["foramen"].values
    ax.set_xticks(APART * np.arange(len(levels)) + 5.0, [level_name(level) for level in levels])
    ax.set_yticks([0.0, 10.0, 20.0, ROW, ROW + 10.0, ROW + 20.0], ["0", "10", "20", "0", "10", "20"])
    for side, above in (("right", ROW), ("left", 0.0)):
        ax.text(-6.0, above + 27.0, side, ha="left", va="top", fontsize=8.0)
    ax.set_ylabel("above the pedicle below [mm]")
    ax.set_xlabel("foramen, front to the left\n(number: pressure on its root in mmHg)")
    ax.set_xlim(-7.0, APART * (len(levels) - 1) + 15.0)
    ax.set_ylim(-7.0, ROW + 28.0)
    ax.set_aspect("equal")
    legend_above(ax, heading_of(title, shared_words(dataset, case)), handles=handles, columns=3)
    return ax


def _draw(ax: Axes, one: xr.Dataset, colour: str, *, ghost: bool) -> None:
    """Outlines and roots of one case; the healthy one thin and behind."""
    for f, level in enumerate(one["foramen"].values):
        for side, above in (("right", ROW), ("left", 0.0)):
            here = one.sel(foramen=level, side=side)
            offset = np.array([APART * f, above])
            outline = here["foramen_outline"].values + offset
            if not np.isfinite(outline).all():
                continue
            look = {"lw": 1.0, "ls": "--", "zorder": 1} if ghost else {"lw": 1.6, "zorder": 2}
            ax.add_patch(Polygon(outline, closed=True, fill=False, ec=colour, **look))
            middle = here["root_place"].values + offset
            width, height = here["root_size"].values
            fill = "none" if ghost else FILLS[int(here["root_band"])]
            ax.add_patch(Ellipse(tuple(middle), width, height, fc=fill, ec=GHOST if ghost else INK, lw=0.9, zorder=3))
            if not ghost:
                words = f"{float(here['root_contact_pressure']):.0f}" + ("×" if here["foramen_closed"] > 0.0 else "")
                ax.text(offset[0] + 4.0, above - 1.5, words, ha="center", va="top", fontsize=8.0)


def foramen_outlines_caption(
    dataset: xr.Dataset,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    title: str = "",
) -> str:
    """The most pressed root and the largest loss of area."""
    require(dataset, OUTLINE_NEEDS)
    one = one_case(dataset, case)
    heading = heading_of(title, shared_words(dataset, case))
    if not solved(one):
        return sentence(heading, no_solution(one))
    text = _most_pressed(one)
    closed = int((one["foramen_closed"] > 0.0).sum())
    if closed:
        text += f"; closed foramina (×): {closed}"
    if healthy is not None and solved(first_case(healthy)):
        before = first_case(healthy)["foramen_area"]
        lost = (100.0 * (one["foramen_area"] / before.where(before > 0.0) - 1.0)).fillna(
            0.0
        )  # closed ones cannot change
        flat = lost.stack(place=("foramen", "side"))
        foramen, side = flat["place"].values[int(np.abs(flat.values).argmax())]
        most = float(lost.sel(foramen=foramen, side=side))
        text += f"; the area changes most at {level_name(foramen)} {side}, by {most:+.0f} %"
    return sentence(heading, text)


def _most_pressed(one: xr.Dataset) -> str:
    """The root with the highest pressure, in words."""
    pressure = one["root_contact_pressure"].stack(place=("foramen", "side"))
    worst = int(pressure.values.argmax())
    value = float(pressure[worst])
    if not value > 0.0:
        return "every root has room"
    foramen, side = pressure["place"].values[worst]
    band = BANDS[int(one["root_band"].sel(foramen=foramen, side=side))]
    root = str(one["exiting_root"].sel(foramen=foramen).item()) if "exiting_root" in one.coords else "root"
    return f"the most pressed root is {root} at {level_name(foramen)} {side}, {value:.0f} mmHg ({band})"


def root_pressure(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    title: str = "",
) -> Axes:
    """Pressure on every root, left and right; in a sweep, at the ends and the middle of its first axis.

    Parameters
    ----------
    case
        Values on the sweep axes.
    healthy
        A case, or a sweep whose first case, is drawn in grey.
    title
        Words above the legend.
    """
    ax = new_axes(ax, (6.5, 4.2))
    require(dataset, PRESSURE_NEEDS)
    handles: list[Line2D] = []
    for name, one, (colour, _, marker) in series_of(dataset, case, healthy):
        if not solved(one):
            handles.append(Line2D([], [], ls="", label=f"{name}: {no_solution(one)}"))
            continue
        rows = np.arange(one.sizes["foramen"])
        for side, offset in SIDE_OFFSET.items():
            pressure = one["root_contact_pressure"].sel(side=side)
            face = colour if side == "right" else "white"
            ax.plot(pressure, rows + offset, color=colour, ls="", marker=marker, mfc=face, ms=6, clip_on=False)
        handles.append(
            Line2D([], [], color=colour, ls="", marker=HEALTHY[2] if colour == GHOST else marker, label=name)
        )
    for side, face in (("right", INK), ("left", "white")):
        words = f"{side} (filled, upper row)" if side == "right" else f"{side} (open, lower row)"
        handles.append(Line2D([], [], ls="", marker="o", ms=6, color=INK, mfc=face, label=words))
    names = [level_name(level) for level in dataset["foramen"].values]
    if "exiting_root" in dataset.coords:
        names = [f"{name} (root {root})" for name, root in zip(names, dataset["exiting_root"].values, strict=True)]
    ax.set_yticks(np.arange(len(names)), names)
    ax.set_ylim(-0.5, len(names) - 0.5)
    ax.set_xlim(left=0.0)
    ax.set_ylabel("foramen")
    ax.set_xlabel(label_of(dataset["root_contact_pressure"]))
    ax.grid(True, axis="x")
    legend_above(ax, heading_of(title, shared_words(dataset, case)), handles=handles)
    return ax


def root_pressure_caption(
    dataset: xr.Dataset,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    title: str = "",
) -> str:
    """The most pressed root of the last case drawn."""
    require(dataset, PRESSURE_NEEDS)
    series = series_of(dataset, case, healthy)
    good = [(name, one) for name, one, _ in series if solved(one)]
    lost = "".join(f" {sentence(name, no_solution(one))}" for name, one, _ in series if not solved(one))
    heading = heading_of(title, shared_words(dataset, case))
    if not good:
        return sentence(heading, "no case is solved") + lost
    name, last = good[-1]
    text = f"{_most_pressed(last)} ({name})"
    if len(good) > 1:
        first_name, first = good[0]
        text += f"; the highest of {first_name} is {float(first['root_contact_pressure'].max()):.0f} "
        text += unit_of(last["root_contact_pressure"])
    return sentence(heading, text) + lost
