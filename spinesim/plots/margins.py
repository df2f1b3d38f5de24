"""Stability along a sweep, and what co-contraction adds to the least effort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from spinesim.errors import InputError
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
    unsolved,
)
from spinesim.plots.curves import line, mark_unsolved
from spinesim.plots.style import (
    BLUE,
    GHOST,
    INK,
    ORANGE,
    SERIES,
    label_of,
    legend_above,
    level_name,
    name_of,
    new_axes,
    parts_of,
    unit_of,
)

NEEDS = ("stability_margin", "group_cocontraction", "cocontraction_compression", "compression")
#: Least span of the panels [N m/rad], [1], [N]: rounding is not to be seen in them.
FLATTEST = ((-20.0, 20.0), (-0.001, 0.01), (-5.0, 20.0))
#: Bars of the activation of a group.
LOOKS: dict[str, dict[str, Any]] = {
    "least effort": {"fc": GHOST},
    "added by co-contraction": {"fc": BLUE, "hatch": "////", "ec": "white", "lw": 0.0},
    "taken away by it": {"fc": "none", "ec": ORANGE, "hatch": "....", "lw": 1.0},
}
LEAST = 5e-4  #: less co-contraction is none
SHOWN = 4  #: groups in the panel of co-contraction


def most_cocontracting(datasets: Sequence[xr.Dataset]) -> list[str]:
    """The muscle groups that co-contract most in any case of any dataset, in the order of the model."""
    tops = []
    for dataset in datasets:
        require(dataset, ("group_cocontraction",))
        values = (
            dataset["group_cocontraction"]
            .transpose(..., "muscle_group")
            .values.reshape(-1, dataset.sizes["muscle_group"])
        )
        tops.append(np.nan_to_num(values).max(axis=0))
    order = np.argsort(-np.max(tops, axis=0), kind="stable")[:SHOWN]
    return [str(datasets[0]["muscle_group"].values[i]) for i in sorted(order)]


def _groups(dataset: xr.Dataset, groups: Sequence[str] | None) -> list[str]:
    """The groups asked for, or those that co-contract most."""
    names = [str(name) for name in dataset["muscle_group"].values]
    for group in groups or ():
        if group not in names:
            raise InputError(f"There is no muscle group {group}: allowed are {', '.join(names)}.")
    if groups is not None and not 0 < len(groups) <= SHOWN:
        raise InputError(f"stability draws 1 to {SHOWN} muscle groups, not {len(groups)}.")
    return most_cocontracting([dataset]) if groups is None else list(groups)


def stability(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    case: Mapping[str, float] | None = None,
    groups: Sequence[str] | None = None,
    title: str = "",
) -> Axes:
    """Stability margin, co-contraction and the compression it costs along one sweep axis, in three panels.

    Parameters
    ----------
    case
        Values on the other axes, if the sweep has several.
    groups
        Muscle groups to show, at most four; those that co-contract most by default.
    title
        Words above the legend.

    Returns
    -------
    The axes of the lowest panel, the compression. Marks at its foot are cases without a solution.
    """
    chosen, axis = line(dataset, case, "stability", NEEDS)
    ax = new_axes(ax, (6.5, 7.2))
    top, middle, _ = parts_of(ax, 3, 1)
    for part in (top, middle):
        part.sharex(ax)
        part.tick_params(labelbottom=False)
    x = chosen[axis].values.astype(float)
    shown = x.size <= 40
    margin = chosen["stability_margin"]
    top.plot(x, margin.values, color=INK, marker="o" if shown else "")
    top.set_ylabel(label_of(margin))
    for group, (colour, dashes, marker) in zip(_groups(chosen, groups), SERIES, strict=False):
        values = chosen["group_cocontraction"].sel(muscle_group=group).values
        middle.plot(x, values, color=colour, ls=dashes, marker=marker if shown else "", label=group.replace("_", " "))
    middle.set_ylabel(label_of(chosen["group_cocontraction"]))
    for level, (colour, dashes, marker) in zip(chosen["level"].values[:2], SERIES, strict=False):
        values = chosen["cocontraction_compression"].sel(level=level).values
        ax.plot(x, values, color=colour, ls=dashes, marker=marker if shown else "", label=level_name(level))
    ax.set_ylabel(label_of(chosen["cocontraction_compression"]))
    mark_unsolved(ax, x, chosen["status"].values.astype(str))
    if x.size > 1 and x[-1] < x[0]:
        ax.set_xlim(x[0], x[-1])
    ax.set_xlabel(label_of(chosen[axis]))
    for part, (lowest, highest) in zip((top, middle, ax), FLATTEST, strict=True):
        drawn = [each.dataLim for each in part.get_shared_y_axes().get_siblings(part)]
        low, high = min(lowest, *(each.y0 for each in drawn)), max(highest, *(each.y1 for each in drawn))
        part.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        part.axhline(0.0, color=INK, lw=0.8, ls=":")
        part.grid(True)
    legend_above(middle, "", narrow=2)
    legend_above(ax, "", narrow=2)
    fixed = case_name(chosen, [name for name in sweep_axes(dataset) if name != axis])
    legend_above(top, heading_of(title, fixed), handles=[])
    return ax


def stability_caption(
    dataset: xr.Dataset,
    *,
    case: Mapping[str, float] | None = None,
    groups: Sequence[str] | None = None,
    title: str = "",
) -> str:
    """The margin and what it costs at both ends of the axis, and the group that co-contracts most."""
    chosen, axis = line(dataset, case, "stability", NEEDS)
    good = np.flatnonzero(chosen["status"].values.astype(str) == "solved")
    shown = _groups(chosen, groups)
    if good.size < 2:
        return f"Fewer than two cases are solved.{unsolved(chosen)}"
    ends = [chosen.isel({axis: index}) for index in (good[0], good[-1])]
    unit = unit_of(chosen[axis])
    values = [f"{float(end[axis]):g}{' ' + unit if unit else ''}" for end in ends]
    margin = chosen["stability_margin"]
    low, high = (rounded(float(end["stability_margin"]), 0) for end in ends)
    walk = f"stays at {low:.0f}" if low == high else f"goes from {low:.0f} to {high:.0f}"
    text = f"from {axis} = {values[0]} to {values[1]} the {name_of(margin)} {walk} {unit_of(margin)}"
    if float(chosen["group_cocontraction"].max()) < LEAST:
        text += ", and no group co-contracts"
    else:
        level = chosen["level"].values[0]
        costs = " to ".join(_cost(end.sel(level=level)) for end in ends)
        most = [max(shown, key=lambda group: float(end["group_cocontraction"].sel(muscle_group=group))) for end in ends]
        words = " and then the ".join(dict.fromkeys(group.replace("_", " ") for group in most))
        text += (
            f", and what co-contraction adds to the compression at {level_name(level)} from {costs}; "
            f"of the groups shown the {words} co-contract most"
        )
    fixed = case_name(chosen, [name for name in sweep_axes(dataset) if name != axis])
    return sentence(heading_of(title, fixed), text) + unsolved(chosen)


def _cost(end: xr.Dataset) -> str:
    """What co-contraction adds to the compression of least effort at one level, in words."""
    cost = float(end["cocontraction_compression"])
    part = rounded(100 * cost / (float(end["compression"]) - cost), 0)
    return f"{rounded(cost, 0):.0f} {unit_of(end['compression'])} ({part:.0f} %)"


def cocontraction(
    dataset: xr.Dataset, ax: Axes | None = None, *, case: Mapping[str, float] | None = None, title: str = ""
) -> Axes:
    """Activation of every muscle group: at the least effort, and what stability adds or takes, in one case.

    Parameters
    ----------
    case
        Values on the sweep axes; the last of each axis where none is given.
    title
        Words above the legend.
    """
    require(dataset, ("group_activation", "group_cocontraction"))
    chosen = one_case(dataset, case)
    ax = new_axes(ax, (6.5, 4.6))
    heading = heading_of(title, case_name(chosen, sweep_axes(dataset)))
    names = [str(name).replace("_", " ") for name in chosen["muscle_group"].values]
    rows = np.arange(len(names))
    if solved(chosen):
        added = chosen["group_cocontraction"].values
        total = chosen["group_activation"].values
        least = total - added
        more, less = added > 0.0, added < 0.0
        ax.barh(rows, np.minimum(least, total), 0.7, **LOOKS["least effort"])
        ax.barh(rows[more], added[more], 0.7, left=least[more], **LOOKS["added by co-contraction"])
        ax.barh(rows[less], -added[less], 0.7, left=total[less], **LOOKS["taken away by it"])
    else:
        ax.text(0.5, 0.5, no_solution(chosen), ha="center", va="center", transform=ax.transAxes)
    ax.set_yticks(rows, names)
    ax.set_ylim(len(names) - 0.4, -0.6)  # the first group on top
    ax.set_xlabel(label_of(chosen["group_activation"]))
    ax.grid(True, axis="x")
    legend_above(ax, heading, handles=[Patch(label=words, **look) for words, look in LOOKS.items()], columns=3)
    return ax


def cocontraction_caption(dataset: xr.Dataset, *, case: Mapping[str, float] | None = None, title: str = "") -> str:
    """The groups that co-contraction raises and lowers most."""
    require(dataset, ("group_activation", "group_cocontraction"))
    chosen = one_case(dataset, case)
    heading = heading_of(title, case_name(chosen, sweep_axes(dataset)))
    if not solved(chosen):
        return sentence(heading, no_solution(chosen))
    added, total = chosen["group_cocontraction"], chosen["group_activation"]
    most, least = (int(getattr(added.values, name)()) for name in ("argmax", "argmin"))
    if float(np.abs(added).max()) < LEAST:
        return sentence(heading, "no muscle group co-contracts")

    def words(group: int) -> str:
        before, after = 100 * (total - added).values[group], 100 * total.values[group]
        return f"the {str(added['muscle_group'].values[group]).replace('_', ' ')} from {before:.1f} to {after:.1f} %"

    text = f"co-contraction raises {words(most)}" if float(added[most]) > 0.0 else "co-contraction raises no group"
    if float(added[least]) < -LEAST:
        text += f" and lowers {words(least)}"
    return sentence(heading, text)
