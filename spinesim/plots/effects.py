"""What parameters do to one outcome: bars of effects, and points of Sobol' indices, the largest on top."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinesim.errors import InputError
from spinesim.plots.cases import heading_of, require, sentence
from spinesim.plots.style import BLUE, GHOST, INK, VERMILLION, legend_above, new_axes

TORNADO_NEEDS = ("effect",)
SOBOL_NEEDS = ("first_order", "total_order")
MOST = 15  #: parameters shown; those that move the outcome least are left out
NEXT = 2  #: parameters that a caption names behind the first
SMALL = 0.05  #: of the variance: less counts as nothing
#: What an effect is, by the method that found it.
EFFECTS = {
    "local": "along the derivative in the middle of the ranges",
    "morris": "mean over Morris' trajectories",
    "sobol": "mean over the ranges of the others",
}


def ranked(datasets: Sequence[xr.Dataset], by: str, outcome: str | None) -> list[str]:
    """Parameters by the largest size of a variable in any of several files, the largest first."""
    size: dict[str, float] = {}
    for dataset in datasets:
        require(dataset, [by])
        one = _of(dataset, outcome)
        for name, value in zip(one["parameter"].values.astype(str), np.abs(one[by].values), strict=True):
            size[name] = max(size.get(name, 0.0), float(np.nan_to_num(value)))
    return sorted(size, key=lambda name: -size[name])


def _of(dataset: xr.Dataset, outcome: str | None) -> xr.Dataset:
    """The part of one outcome.

    Raises
    ------
    InputError
        If the outcome is not in the file.
    """
    names = [str(name) for name in dataset["outcome"].values]
    if outcome is not None and outcome not in names:
        raise InputError(f"The result has no outcome {outcome}: it has {', '.join(names)}.")
    return dataset.isel(outcome=names.index(outcome or names[0]))


def _chosen(dataset: xr.Dataset, outcome: str | None, by: str, order: Sequence[str] | None) -> xr.Dataset:
    """The part of one outcome, with the first parameters of an order; by the size of a variable by default.

    Raises
    ------
    InputError
        If the outcome or a parameter is not in the file.
    """
    names = [str(name) for name in dataset["parameter"].values]
    wanted = ranked([dataset], by, outcome) if order is None else list(order)
    for name in wanted:
        if name not in names:
            raise InputError(f"The result has no parameter {name}: it has {', '.join(names)}.")
    return _of(dataset, outcome).isel(parameter=[names.index(name) for name in wanted[:MOST]])


def _unit(text: str) -> str:
    return "" if text == "1" else f" {text.replace('mm2', 'mm²').replace('N m', 'N·m')}"


def _words(name: str) -> str:
    """``compression, L4/L5`` for ``compression.L4_L5``."""
    variable, _, rest = name.partition(".")
    place = rest.replace("_", "/") if rest[:1].isupper() else rest.replace("_", " ")
    return variable.replace("_", " ") + (f", {place.replace('.', ', ')}" if place else "")


def _rows(one: xr.Dataset) -> list[str]:
    """Parameters with their ranges, for the axis."""
    return [
        f"{name}\n{low:g} to {high:g}{_unit(str(unit))}"
        for name, low, high, unit in zip(
            one["parameter"].values.astype(str),
            one["range_low"].values,
            one["range_high"].values,
            one["parameter_unit"].values,
            strict=True,
        )
    ]


def _whiskers(one: xr.Dataset, name: str) -> np.ndarray | None:
    """Lengths (2, k) of the interval below and above a value, if the file has it."""
    if f"{name}_low" not in one:
        return None
    value = one[name].values
    ends = np.stack([value - one[f"{name}_low"].values, one[f"{name}_high"].values - value])
    lengths: np.ndarray = np.maximum(ends, 0.0)  # a percentile may lie on the other side of the value by rounding
    return lengths


def _end(ax: Axes, one: xr.Dataset, title: str) -> Axes:
    places = np.arange(one.sizes["parameter"])
    ax.set_yticks(places, _rows(one))
    ax.set_ylim(places.size - 0.5, -0.5)
    ax.set_ylabel("parameter and its range")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    handles = ax.get_legend_handles_labels()[0]
    if handles or title:
        legend_above(ax, title, handles=handles)
    return ax


def tornado(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    outcome: str | None = None,
    order: Sequence[str] | None = None,
    title: str = "",
) -> Axes:
    """Change of one outcome over the range of every parameter, with its 95 % interval where cases were drawn.

    Parameters
    ----------
    outcome
        One of the file; its first by default.
    order
        Parameters from above; the largest first by default.
    title
        Words above the figure.
    """
    ax = new_axes(ax, (7.2, 5.2))
    require(dataset, TORNADO_NEEDS)
    one = _chosen(dataset, outcome, "effect", order)
    effect = one["effect"].values
    places = np.arange(effect.size)
    for up, colour, hatch, words in ((True, BLUE, "", "rises with it"), (False, VERMILLION, "///", "falls with it")):
        rows = (effect >= 0.0) == up
        if rows.any():
            ax.barh(
                places[rows],
                effect[rows],
                height=0.62,
                color=colour,
                hatch=hatch,
                edgecolor="white",
                lw=0.0,
                label=words,
            )
    lengths = _whiskers(one, "effect")
    if lengths is not None:
        ax.errorbar(effect, places, xerr=lengths, fmt="none", ecolor=INK, elinewidth=1.2, capsize=3.0)
    ax.axvline(0.0, color=INK, linewidth=0.8)
    unit = _unit(str(one["outcome_unit"].item())).strip()
    ax.set_xlabel(f"change of {_words(str(one['outcome'].item()))} over the range" + (f" [{unit}]" if unit else ""))
    return _end(ax, one, title)


def tornado_caption(
    dataset: xr.Dataset, *, outcome: str | None = None, order: Sequence[str] | None = None, title: str = ""
) -> str:
    """Which parameters move the outcome most, over which range, by how much."""
    require(dataset, TORNADO_NEEDS)
    one = _chosen(dataset, outcome, "effect", None)
    unit = _unit(str(one["outcome_unit"].item()))
    parts = []
    for k in range(min(1 + NEXT, one.sizes["parameter"])):
        row = one.isel(parameter=k)
        ends = f"{row['range_low'].item():g} to {row['range_high'].item():g}{_unit(str(row['parameter_unit'].item()))}"
        parts.append(
            f"{row['parameter'].item()} from {ends} by {row['effect'].item():+.3g}{unit}{_span(row, 'effect')}"
        )
    text = f"{_words(str(one['outcome'].item()))} is moved most by {'; then '.join(parts)}"
    if "method" in dataset.attrs:
        text += f" ({EFFECTS[dataset.attrs['method']]})"
    return sentence(heading_of(title), text[0].upper() + text[1:]) + _lost(one)


def _span(row: xr.Dataset, name: str) -> str:
    """The interval of a number in brackets, if the file has it."""
    if f"{name}_low" not in row:
        return ""
    return f" ({row[f'{name}_low'].item():.3g} to {row[f'{name}_high'].item():.3g})"


def _lost(one: xr.Dataset) -> str:
    """How many cases have no solution, as a sentence that starts with a space; empty if all have one."""
    if "unsolved_cases" not in one or not one["unsolved_cases"].item():
        return ""
    return (
        f" {one['unsolved_cases'].item():.0f} of {one['cases'].item():.0f} cases have no solution; the pairs they "
        "belong to are left out."
    )


def sobol(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    outcome: str | None = None,
    order: Sequence[str] | None = None,
    title: str = "",
) -> Axes:
    """First and total order Sobol' index of every parameter for one outcome, with 95 % intervals.

    Parameters
    ----------
    outcome
        One of the file; its first by default.
    order
        Parameters from above; the largest first by default.
    title
        Words above the figure.
    """
    ax = new_axes(ax, (7.2, 5.2))
    require(dataset, SOBOL_NEEDS)
    one = _chosen(dataset, outcome, "total_order", order)
    places = np.arange(one.sizes["parameter"])
    for name, shift, colour, marker, words in (
        ("first_order", -0.16, BLUE, "o", "first order: by itself"),
        ("total_order", 0.16, VERMILLION, "s", "total order: with its interactions"),
    ):
        ax.errorbar(
            one[name].values,
            places + shift,
            xerr=_whiskers(one, name),
            fmt=marker,
            color=colour,
            ecolor=colour,
            elinewidth=1.4,
            capsize=2.5,
            label=words,
        )
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.axvline(1.0, color=GHOST, linewidth=0.8, linestyle=":")
    ax.set_xlabel(f"share of the variance of {_words(str(one['outcome'].item()))}")
    return _end(ax, one, title)


def sobol_caption(
    dataset: xr.Dataset, *, outcome: str | None = None, order: Sequence[str] | None = None, title: str = ""
) -> str:
    """What explains the variance of the outcome, how much is interaction, and what counts for nothing."""
    require(dataset, SOBOL_NEEDS)
    one = _chosen(dataset, outcome, "total_order", None)
    parts = []
    for k in range(min(1 + NEXT, one.sizes["parameter"])):
        row = one.isel(parameter=k)
        parts.append(f"{row['parameter'].item()} {row['total_order'].item():.2f}{_span(row, 'total_order')}")
    unit = _unit(str(one["outcome_unit"].item()))
    text = f"Of the variance of {_words(str(one['outcome'].item()))}"
    if "outcome_spread" in one:
        text += f" (standard deviation {one['outcome_spread'].item():.3g}{unit})"
    text += f" the largest shares, interactions included, are due to {', '.join(parts)}"
    text += f"; by themselves the parameters explain {np.nansum(one['first_order'].values):.2f} in all"
    high = one["total_order_high"].values if "total_order_high" in one else one["total_order"].values
    nothing = one["parameter"].values[high < SMALL]
    if nothing.size:
        text += f"; below {SMALL:g} with their interval: {', '.join(str(name) for name in nothing)}"
    return sentence(heading_of(title), text) + _lost(one)
