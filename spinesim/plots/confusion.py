"""What clinical tests take one imbalance for: a row for what the body has, a column for what it is called."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinesim.plots.cases import case_name, heading_of, one_case, require, sentence, sweep_axes
from spinesim.plots.style import INK, legend_above, name_of, new_axes

NEEDS = ("naming_probability", "separation")
COLOURS = "Blues"  #: lightness falls evenly from white, so that it also reads in black and white
SHOWN = 0.01  #: probabilities below stand for nothing and are not written
DARK = 0.5  #: probabilities above are written in white
KNOWN = 0.9  #: an imbalance that is named so often is told apart
ALIKE = 1e-3  #: distance in errors below which two imbalances read the same


def _words(name: str) -> str:
    """``near (left)`` for ``near.left``."""
    preset, _, side = name.replace("_", " ").partition(".")
    return f"{preset} ({side})" if side else preset


def _sorted(one: xr.Dataset) -> xr.Dataset:
    """Healthy and what reads exactly like it first, the rest as in the file."""
    apart = one["separation"].values[:, 0] >= ALIKE
    order = [*np.flatnonzero(~apart), *np.flatnonzero(apart)]
    return one.isel(true_imbalance=order, named_imbalance=order)


def confusion(
    dataset: xr.Dataset, ax: Axes | None = None, *, case: Mapping[str, float] | None = None, title: str = ""
) -> Axes:
    """How often a body with one imbalance (row) is named to have another (column), in per cent.

    Parameters
    ----------
    case
        Severity of the true imbalance, as ``{"severity": 0.5}``; the last of the file by default.
    title
        Words above the figure.
    """
    ax = new_axes(ax, (8.6, 7.4))
    require(dataset, NEEDS)
    one = _sorted(one_case(dataset, case))
    share = one["naming_probability"]
    numbers = share.values
    mesh = ax.pcolormesh(100.0 * numbers, cmap=COLOURS, vmin=0.0, vmax=100.0, edgecolors="white", linewidth=0.6)
    for row, column in np.argwhere(numbers >= SHOWN):
        value = numbers[row, column]
        ax.text(
            column + 0.5,
            row + 0.5,
            f"{100.0 * value:.0f}",
            ha="center",
            va="center",
            fontsize=8.0,
            color="white" if value > DARK else INK,
        )
    places = np.arange(len(numbers)) + 0.5
    true, named = (share[dim] for dim in ("true_imbalance", "named_imbalance"))
    ax.set_xticks(places, [_words(str(name)) for name in named.values], rotation=90)
    ax.set_yticks(places, [_words(str(name)) for name in true.values])
    ax.tick_params(length=0)
    ax.invert_yaxis()
    ax.set_xlabel(name_of(named))
    severity = case_name(one, sweep_axes(dataset))
    ax.set_ylabel(f"{name_of(true)}, {severity}" if severity else name_of(true))
    ax.figure.colorbar(mesh, ax=ax, shrink=0.6).set_label("probability of the name [%]")
    if title:
        legend_above(ax, title, handles=[])
    return ax


def confusion_caption(dataset: xr.Dataset, *, case: Mapping[str, float] | None = None, title: str = "") -> str:
    """Which imbalances are told apart, which read like health, and which are taken for each other most."""
    require(dataset, NEEDS)
    one = _sorted(one_case(dataset, case))
    names = [_words(str(name)) for name in one["true_imbalance"].values]
    share, distance = one["naming_probability"].values, one["separation"].values
    same = int((distance[:, 0] < ALIKE).sum())
    known = [names[i] for i in range(same, len(names)) if share[i, i] >= KNOWN]
    text = f"{len(known)} of {len(names) - 1} imbalances are named rightly in {100 * KNOWN:.0f} % or more"
    text += f": {', '.join(known)}" if known else ""
    if same > 1:
        text += f"; exactly as healthy read {', '.join(names[1:same])}"
    text += f"; of healthy bodies {100 * share[0, same:].sum():.0f} % are named to have an imbalance that can be read"
    off = share[same:, same:] * ~np.eye(len(names) - same, dtype=bool)
    if off.size and off.max() >= SHOWN:
        row, column = np.unravel_index(int(off.argmax()), off.shape)
        text += (
            f"; the commonest mistake takes {names[same + row]} for {names[same + column]} ({100 * off.max():.0f} %)"
        )
    return sentence(heading_of(title, case_name(one, sweep_axes(dataset))), text)
