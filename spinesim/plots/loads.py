"""Loads of the discs and room of the nerve roots, level by level, from the sacrum up."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from spinesim.errors import InputError
from spinesim.plots.cases import (
    case_name,
    first_case,
    heading_of,
    no_solution,
    require,
    rounded,
    sentence,
    solved,
    some_cases,
    sweep_axes,
)
from spinesim.plots.style import GHOST, INK, SERIES, label_of, legend_above, level_name, name_of, new_axes, unit_of

HEALTHY = (GHOST, "-", "v")
SIDE_OFFSET = {"right": 0.14, "left": -0.14}  #: rows of the two sides beside the row of their level


def series_of(
    dataset: xr.Dataset, case: Mapping[str, float] | None, healthy: xr.Dataset | None
) -> list[tuple[str, xr.Dataset, tuple[str, str, str]]]:
    """Cases to draw with their names and looks; the healthy one first."""
    cases = some_cases(dataset, case)
    varied = [name for name in sweep_axes(dataset) if len({float(one[name]) for one in cases}) > 1]
    rows = [(case_name(one, varied) or "this case", one, look) for one, look in zip(cases, SERIES, strict=False)]
    if healthy is not None:
        rows.insert(0, ("healthy", first_case(healthy), HEALTHY))
    return rows


def shared_words(dataset: xr.Dataset, case: Mapping[str, float] | None) -> str:
    """The values that all drawn cases share, in words."""
    cases = some_cases(dataset, case)
    return case_name(cases[0], [name for name in sweep_axes(dataset) if len({float(c[name]) for c in cases}) == 1])


def disc_loads(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    title: str = "",
) -> Axes:
    """Compression and anterior shear of every disc; in a sweep, at the ends and the middle of its first axis.

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
    quantities = ("compression", "shear_anterior")
    require(dataset, quantities)
    handles: list[Line2D] = []
    for name, one, (colour, dashes, marker) in series_of(dataset, case, healthy):
        if not solved(one):
            handles.append(Line2D([], [], ls="", label=f"{name}: {no_solution(one)}"))
            continue
        rows = np.arange(one.sizes["level"])
        for quantity in quantities:
            face = colour if quantity == "compression" else "white"
            values = one[quantity].values.astype(float)
            ax.plot(values, rows, color=colour, ls=dashes, marker=marker, mfc=face, ms=6, lw=1.2)
        handles.append(Line2D([], [], color=colour, ls=dashes, marker=marker, ms=6, lw=1.2, label=name))
    for quantity, face in zip(quantities, (INK, "white"), strict=True):
        text = f"{name_of(dataset[quantity])} ({'filled' if face == INK else 'open'})"
        handles.append(Line2D([], [], ls="", marker="o", ms=6, color=INK, mfc=face, label=text))
    ax.axvline(0.0, color=INK, lw=0.8)
    ax.set_yticks(np.arange(dataset.sizes["level"]), [level_name(level) for level in dataset["level"].values])
    ax.set_ylim(-0.5, dataset.sizes["level"] - 0.5)
    ax.set_xlabel(f"force on the lower vertebra [{unit_of(dataset['compression'])}]")
    ax.set_ylabel("level")
    ax.grid(True)
    legend_above(ax, heading_of(title, shared_words(dataset, case)), handles=handles)
    return ax


def disc_loads_caption(
    dataset: xr.Dataset,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    title: str = "",
) -> str:
    """The most compressed level, and by how much its load changes from the first case drawn to the last."""
    require(dataset, ("compression", "shear_anterior"))
    series = series_of(dataset, case, healthy)
    good = [(name, one) for name, one, _ in series if solved(one)]
    lost = "".join(f" {sentence(name, no_solution(one))}" for name, one, _ in series if not solved(one))
    if not good:
        return sentence(title, "no case is solved") + lost
    name, last = good[-1]
    load = last["compression"]
    level = str(load["level"].values[int(load.values.argmax())])
    most = float(load.sel(level=level))
    text = f"{level_name(level)} is compressed most, by {most:.0f} N ({name})"
    if len(good) > 1:
        first_name, first = good[0]
        before = float(first["compression"].sel(level=level))
        part = rounded(100.0 * (most / before - 1.0), 1)
        text += f" against {before:.0f} N ({first_name}), {f'a change of {part:+.1f} %' if part else 'unchanged'}"
    shear = last["shear_anterior"]
    strongest = str(shear["level"].values[int(np.abs(shear.values).argmax())])
    force = rounded(float(shear.sel(level=strongest)), 0)
    text += f"; the largest anterior shear is {force:+.0f} N at {level_name(strongest)}"
    return sentence(heading_of(title, shared_words(dataset, case)), text) + lost


def _relative(one: xr.Dataset, base: xr.Dataset) -> xr.DataArray:
    return 100.0 * (one["foramen_area"] / base["foramen_area"] - 1.0)


def _base(dataset: xr.Dataset, case: Mapping[str, float] | None, healthy: xr.Dataset | None) -> xr.Dataset:
    """What changes are counted from: the healthy case, else the first solved case drawn."""
    cases = [first_case(healthy)] if healthy is not None else some_cases(dataset, case)
    base = next((one for one in cases if solved(one)), cases[0])
    if healthy is None and not sweep_axes(dataset):
        raise InputError("foramen_area with change = true needs a healthy result or a sweep to count the change from.")
    return base


def foramen_area(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    change: bool = False,
    title: str = "",
) -> Axes:
    """Area of every foramen, left and right; in a sweep, at the ends and the middle of its first axis.

    Parameters
    ----------
    case
        Values on the sweep axes.
    healthy
        A case, or a sweep whose first case, is drawn in grey, or is what the change is counted from.
    change
        Draw the change [%] from the healthy case, or from the first case of the sweep without one.
    title
        Words above the legend.
    """
    ax = new_axes(ax, (6.5, 4.2))
    require(dataset, ("foramen_area",))
    base = _base(dataset, case, healthy) if change else None
    handles: list[Line2D] = []
    for name, one, (colour, _, marker) in series_of(dataset, case, None if change else healthy):
        if not solved(one):
            handles.append(Line2D([], [], ls="", label=f"{name}: {no_solution(one)}"))
            continue
        area = one["foramen_area"] if base is None else _relative(one, base)
        rows = np.arange(one.sizes["foramen"])
        for side, offset in SIDE_OFFSET.items():
            face = colour if side == "right" else "white"
            ax.plot(area.sel(side=side), rows + offset, color=colour, ls="", marker=marker, mfc=face, ms=6)
        handles.append(Line2D([], [], color=colour, ls="", marker=marker, ms=6, label=name))
    for side, face in (("right", INK), ("left", "white")):
        words = f"{side} (filled, upper row)" if side == "right" else f"{side} (open, lower row)"
        handles.append(Line2D([], [], ls="", marker="o", ms=6, color=INK, mfc=face, label=words))
    names = [level_name(level) for level in dataset["foramen"].values]
    if "exiting_root" in dataset.coords:
        names = [f"{name} (root {root})" for name, root in zip(names, dataset["exiting_root"].values, strict=True)]
    ax.set_yticks(np.arange(len(names)), names)
    ax.set_ylim(-0.5, len(names) - 0.5)
    for edge in np.arange(len(names) - 1) + 0.5:
        ax.axhline(edge, color="#DDDDDD", lw=0.6)
    ax.set_xlabel(
        f"change of area from {'healthy' if healthy is not None else 'first case'} [%]"
        if change
        else label_of(dataset["foramen_area"])
    )
    ax.set_ylabel("foramen")
    if change:
        ax.axvline(0.0, color=INK, lw=0.8)
    ax.grid(True, axis="x")
    legend_above(ax, heading_of(title, shared_words(dataset, case)), handles=handles)
    return ax


def foramen_area_caption(
    dataset: xr.Dataset,
    *,
    case: Mapping[str, float] | None = None,
    healthy: xr.Dataset | None = None,
    change: bool = False,
    title: str = "",
) -> str:
    """The smallest foramen and the largest change."""
    require(dataset, ("foramen_area",))
    if change:
        _base(dataset, case, healthy)
    series = series_of(dataset, case, healthy)
    good = [(name, one) for name, one, _ in series if solved(one)]
    lost = "".join(f" {sentence(name, no_solution(one))}" for name, one, _ in series if not solved(one))
    if not good:
        return sentence(title, "no case is solved") + lost
    name, last = good[-1]
    least = last["foramen_area"].stack(place=("foramen", "side"))
    foramen, side = least["place"].values[int(least.values.argmin())]
    where = f"{level_name(foramen)}" + ("" if _symmetric(last) else f" {side}")
    text = f"the smallest foramen is {where}, {float(least.min()):.0f} {unit_of(last['foramen_area'])} ({name})"
    if len(good) > 1:
        first_name, first = good[0]
        steps = _relative(last, first).stack(place=("foramen", "side"))
        most = int(np.abs(steps.values).argmax())
        foramen, side = steps["place"].values[most]
        where = f"{level_name(foramen)}" + ("" if _symmetric(last) and _symmetric(first) else f" {side}")
        largest = rounded(float(steps[most]), 1)
        text += f"; from {first_name} to {name} " + (
            f"the area changes most at {where}, by {largest:+.1f} %" if largest else "no area changes by 0.05 %"
        )
    return sentence(heading_of(title, shared_words(dataset, case)), text) + lost


def _symmetric(one: xr.Dataset) -> bool:
    """Whether left and right agree within 0.1 %."""
    area = one["foramen_area"]
    return bool(np.allclose(area.sel(side="left"), area.sel(side="right"), rtol=1e-3))
