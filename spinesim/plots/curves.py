"""Pelvic tilt and lumbar lordosis along one sweep axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinesim.errors import InputError
from spinesim.jumps import jumps
from spinesim.plots.cases import case_name, change, choose, heading_of, require, rounded, sentence, sweep_axes, unsolved
from spinesim.plots.style import INK, SERIES, UNSOLVED_MARKS, label_of, legend_above, name_of, new_axes, unit_of

QUANTITIES = ("anterior_pelvic_tilt", "lumbar_lordosis")


def line(
    dataset: xr.Dataset,
    case: Mapping[str, float] | None,
    kind: str = "tilt_and_lordosis",
    needs: Iterable[str] = QUANTITIES,
) -> tuple[xr.Dataset, str]:
    """The part of a sweep with one axis left, and the name of that axis.

    Parameters
    ----------
    kind, needs
        The figure that asks, and the variables it draws.

    Raises
    ------
    InputError
        If no axis or more than one is left.
    """
    require(dataset, (*needs, "status"))
    chosen = choose(dataset, case or {})
    axes = sweep_axes(chosen)
    if len(axes) != 1:
        raise InputError(
            f"{kind} draws one sweep axis and the result has {len(axes)} ({', '.join(axes) or 'none'}): "
            "sweep one, or choose values on the others with 'case'."
        )
    return chosen, axes[0]


def mark_unsolved(ax: Axes, x: np.ndarray, status: np.ndarray) -> None:
    """Marks at the foot of the axes where a case has no solution, one label per reason."""
    for word, marker in UNSOLVED_MARKS.items():
        bad = status == word
        if bad.any():
            ax.plot(
                x[bad],
                np.full(bad.sum(), 0.03),
                transform=ax.get_xaxis_transform(),
                ls="",
                marker=marker,
                color=INK,
                ms=6,
                clip_on=False,
                label=f"no solution: {word.replace('_', ' ')} ({bad.sum()})",
            )


def tilt_and_lordosis(
    dataset: xr.Dataset, ax: Axes | None = None, *, case: Mapping[str, float] | None = None, title: str = ""
) -> Axes:
    """Change of anterior pelvic tilt and lumbar lordosis along one sweep axis, from its first solved case.

    Parameters
    ----------
    case
        Values on the other axes, if the sweep has several.
    title
        Words above the legend.

    Returns
    -------
    The axes. Crosses at the foot are cases without a solution, open diamonds cases
    where, or at the end of whose chain of solves, another solution was found, dotted lines jumps
    from one case to the next.
    """
    ax = new_axes(ax, (6.5, 4.0))
    chosen, axis = line(dataset, case)
    x = chosen[axis].values.astype(float)
    status = chosen["status"].values.astype(str)
    good = status == "solved"
    jumped: set[float] = set()
    for name, (colour, dashes, marker) in zip(QUANTITIES if good.any() else (), SERIES, strict=False):
        y = chosen[name].values.astype(float)
        first = y[good][0]
        shown = marker if x.size <= 40 else ""
        text = f"{name_of(chosen[name])}, from {rounded(first, 1):.1f} {unit_of(chosen[name])}"
        ax.plot(x, np.where(good, y - first, np.nan), color=colour, ls=dashes, marker=shown, label=text)
        solved_x, solved_y = x[good], y[good]
        jumped |= {float(solved_x[i] + solved_x[i + 1]) / 2 for i in jumps(solved_x, solved_y)}
        if "branch" in chosen:
            second = good & (chosen["branch"].values == 1)
            if second.any():
                label = "another solution exists" if name == QUANTITIES[0] else None
                ax.plot(x[second], y[second] - first, ls="", marker="D", ms=8, mfc="none", mec=INK, label=label)
    for number, where in enumerate(sorted(jumped)):
        ax.axvline(where, color=INK, ls=":", lw=1.2, label="jump" if number == 0 else None)
    mark_unsolved(ax, x, status)
    if x.size > 1 and x[-1] < x[0]:
        ax.set_xlim(x[0], x[-1])
    ax.set_xlabel(label_of(chosen[axis]))
    ax.set_ylabel(f"change from the first case [{unit_of(chosen[QUANTITIES[0]])}]")
    ax.grid(True)
    fixed = case_name(chosen, [name for name in sweep_axes(dataset) if name != axis])
    legend_above(ax, heading_of(title, fixed))
    return ax


def tilt_and_lordosis_caption(dataset: xr.Dataset, *, case: Mapping[str, float] | None = None, title: str = "") -> str:
    """The change of tilt and lordosis over the axis, per unit of the axis, with jumps and failures."""
    chosen, axis = line(dataset, case)
    good = chosen["status"].values.astype(str) == "solved"
    if good.sum() < 2:
        return f"Fewer than two cases are solved.{unsolved(chosen)}"
    x = chosen[axis].values.astype(float)[good]
    unit = unit_of(chosen[axis])
    suffix = f" {unit}" if unit else ""
    parts, warnings = [], ""
    for name in QUANTITIES:
        y = chosen[name].values.astype(float)[good]
        degrees = unit_of(chosen[name])
        text = f"{name_of(chosen[name])} {change(y[0], y[-1], degrees, 1)}"
        if unit and abs(y[-1] - y[0]) >= 0.05:
            text += f" ({rounded((y[-1] - y[0]) / (x[-1] - x[0]), 2):.2f} {degrees} per {unit})"
        parts.append(text)
        steps = np.diff(y)
        back = min(steps[steps > 0].sum(), -steps[steps < 0].sum())
        if back > 0.05:
            low, high = (f"{rounded(value, 1):.1f}" for value in (y.min(), y.max()))
            warnings += f" The {name_of(chosen[name])} turns back on the way, between {low} and {high}."
        for index in jumps(x, y):
            warnings += (
                f" The {name_of(chosen[name])} jumps by {y[index + 1] - y[index]:+.2f} {degrees}"
                f" between {x[index]:g} and {x[index + 1]:g}{suffix}."
            )
    if "branch" in chosen and (chosen["branch"].values[good] == 1).any():
        count = int((chosen["branch"].values[good] == 1).sum())
        warnings += (
            f" {count} of the {good.sum()} solved cases are marked: there, or at the end of their chain of solves, "
            "another solution was found."
        )
    fixed = case_name(chosen, [name for name in sweep_axes(dataset) if name != axis])
    text = f"{' and '.join(parts)} from {axis} = {x[0]:g}{suffix} to {x[-1]:g}{suffix}"
    return sentence(heading_of(title, fixed), text) + warnings + unsolved(chosen)
