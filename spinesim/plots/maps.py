"""One number over two sweep axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from spinesim.errors import InputError
from spinesim.plots.cases import choose, one_number, place_words, require, rounded, sentence, sweep_axes, unsolved
from spinesim.plots.style import HATCHES, INK, VALUES, label_of, legend_above, new_axes, unit_of


def plane(
    dataset: xr.Dataset, variable: str, at: Mapping[str, str] | None, case: Mapping[str, float] | None
) -> tuple[xr.DataArray, xr.DataArray, str, str]:
    """Values and status over the two axes left open, with the names of the axes (upward, to the right).

    Raises
    ------
    InputError
        If the axes left are not two, or ``at`` does not pick one number per case.
    """
    require(dataset, (variable, "status"))
    chosen = choose(dataset, case or {})
    axes = sweep_axes(chosen)
    if len(axes) != 2:
        raise InputError(
            f"heat_map draws two sweep axes and the result has {len(axes)} ({', '.join(axes) or 'none'}): "
            "sweep two, or choose values on the others with 'case'."
        )
    values = chosen[variable]
    values = one_number(values, at, axes)
    upward, right = axes
    return values.transpose(upward, right), chosen["status"].transpose(upward, right), upward, right


def edges(grid: np.ndarray) -> np.ndarray:
    """Borders of the cells around grid values, halfway between neighbours."""
    if grid.size == 1:
        return np.array([grid[0] - 0.5, grid[0] + 0.5])
    middle = (grid[1:] + grid[:-1]) / 2
    return np.concatenate([[2 * grid[0] - middle[0]], middle, [2 * grid[-1] - middle[-1]]])


def common_span(
    datasets: Sequence[xr.Dataset],
    variable: str = "anterior_pelvic_tilt",
    at: Mapping[str, str] | None = None,
    case: Mapping[str, float] | None = None,
) -> tuple[float, float] | None:
    """Least and largest number of several maps, or None if nothing is solved."""
    solved = []
    for dataset in datasets:
        values, status, _, _ = plane(dataset, variable, at, case)
        solved.append(values.values[status.values.astype(str) == "solved"])
    numbers = np.concatenate(solved)
    return (float(numbers.min()), float(numbers.max())) if numbers.size else None


def heat_map(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    variable: str = "anterior_pelvic_tilt",
    at: Mapping[str, str] | None = None,
    case: Mapping[str, float] | None = None,
    span: Sequence[float] | None = None,
    title: str = "",
) -> Axes:
    """One number over two sweep axes; cases without a solution are hatched and the legend says why.

    Parameters
    ----------
    variable
        Name of a result variable.
    at
        Where a variable has one number per level, side or muscle: which one, as ``{"level": "L4_L5"}``.
    case
        Values on further axes.
    span
        Least and largest number of the colours; those of the data by default.
    title
        Words above the legend.
    """
    ax = new_axes(ax, (5.6, 4.4))
    values, status, upward, right = plane(dataset, variable, at, case)
    x, y = values[right].values.astype(float), values[upward].values.astype(float)
    x_edges, y_edges = edges(x), edges(y)
    good = status.values.astype(str) == "solved"
    numbers = np.ma.masked_where(~good, values.values.astype(float))
    ax.set_facecolor("white")
    mesh = ax.pcolormesh(x_edges, y_edges, numbers, cmap=VALUES, edgecolors="white", linewidth=0.3)
    if span is not None:
        mesh.set_clim(*span)
    handles = []
    for word, hatch in HATCHES.items():
        bad = status.values.astype(str) == word
        for row, column in np.argwhere(bad):
            corner = (min(x_edges[column : column + 2]), min(y_edges[row : row + 2]))
            width, height = abs(np.diff(x_edges)[column]), abs(np.diff(y_edges)[row])
            ax.add_patch(Rectangle(corner, width, height, fill=False, hatch=hatch, edgecolor=INK, lw=0.0))
        if bad.any():
            text = f"no solution: {word.replace('_', ' ')} ({bad.sum()} of {bad.size})"
            handles.append(Patch(fill=False, hatch=hatch, edgecolor=INK, lw=0.0, label=text))
    if good.any():
        bar = ax.figure.colorbar(mesh, ax=ax)
        unit = unit_of(values)
        bar.set_label(place_words(values, at) + (f" [{unit}]" if unit else ""))
    ax.set_xlim(x_edges[0], x_edges[-1])
    ax.set_ylim(y_edges[0], y_edges[-1])
    ax.set_xlabel(label_of(dataset[right]))
    ax.set_ylabel(label_of(dataset[upward]))
    if handles or title:
        legend_above(ax, title, handles=handles)
    return ax


def heat_map_caption(
    dataset: xr.Dataset,
    *,
    variable: str = "anterior_pelvic_tilt",
    at: Mapping[str, str] | None = None,
    case: Mapping[str, float] | None = None,
    span: Sequence[float] | None = None,
    title: str = "",
) -> str:
    """The smallest and the largest number and where they stand."""
    values, status, upward, right = plane(dataset, variable, at, case)
    if not (status.values.astype(str) == "solved").any():
        return sentence(title, "no case is solved") + unsolved(status.to_dataset(name="status"))
    numbers = values.values.astype(float)
    unit = f" {unit_of(values)}" if unit_of(values) else ""
    parts = []
    for index in (int(np.nanargmin(numbers)), int(np.nanargmax(numbers))):
        row, column = np.unravel_index(index, numbers.shape)
        place = f"{right} = {float(values[right][column]):g}, {upward} = {float(values[upward][row]):g}"
        parts.append(f"{rounded(numbers[row, column], 6):.4g}{unit} ({place})")
    text = sentence(title, f"{place_words(values, at)} lies between {parts[0]} and {parts[1]}")
    return text + unsolved(status.to_dataset(name="status"))
