"""One number along one axis, several runs or the values of a second axis in one frame, each named at its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy.optimize import isotonic_regression

from spinesim.errors import InputError
from spinesim.jumps import SMALLEST, jumps
from spinesim.plots.cases import (
    case_name,
    choose,
    four,
    heading_of,
    one_number,
    place_words,
    require,
    sentence,
    sweep_axes,
)
from spinesim.plots.style import (
    BLUE,
    GHOST,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    UNSOLVED_MARKS,
    VERMILLION,
    legend_above,
    level_name,
    new_axes,
    unit_of,
)
from spinesim.shapes import least_change, shape

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK, GHOST)
MARKERS = ("o", "s", "^", "D", "v", "<", "p", "h")
DASHES = ("-", "--", "-.", ":")
MOST = 16  #: lines in one frame
WIDTH = 26  #: of the names beside the frame [characters]
ROOM = 0.145  #: height of a line of such a name [inch]
BESIDE = 1.04  #: where names begin, in widths of the frame
MARKED = 40  #: a line of more points has no marker at each


@dataclass(frozen=True)
class Curve:
    """One line: its name, and number and status of every case along it."""

    name: str
    axis: xr.DataArray
    values: xr.DataArray
    status: np.ndarray
    branch: np.ndarray

    @property
    def good(self) -> np.ndarray:
        """Where there are numbers."""
        return np.asarray(self.status == "solved")

    @property
    def x(self) -> np.ndarray:
        """Values of the axis."""
        return self.axis.values.astype(float)

    @property
    def y(self) -> np.ndarray:
        """Numbers, NaN where there is no solution."""
        return np.where(self.good, self.values.values.astype(float), np.nan)


def look(number: int) -> dict[str, str]:
    """Colour, line and marker of the line of that number; no two of the first `MOST` share them all."""
    return {
        "color": COLOURS[number % 8],
        "ls": DASHES[(number + number // 8) % 4],
        "marker": MARKERS[number % 8],
    }


def curves(
    datasets: Sequence[xr.Dataset],
    titles: Sequence[str],
    variable: str,
    at: Mapping[str, str] | None,
    case: Mapping[str, float] | None,
    along: str | None,
    over: str | None,
    most: int,
) -> list[Curve]:
    """All lines, those of the first result first.

    Raises
    ------
    InputError
        If a result leaves no axis or more than two, its variable more than one number per case, or the axes of the
        results have different units.
    """
    found: list[Curve] = []
    for number, dataset in enumerate(datasets):
        require(dataset, (variable, "status"))
        chosen = choose(dataset, case or {})
        axes = sweep_axes(chosen)
        if len(axes) not in (1, 2):
            raise InputError(
                f"lines draws one sweep axis, with a second one as several lines, and the result has {len(axes)} "
                f"({', '.join(axes) or 'none'}): sweep one, or choose values on the others with 'case'."
            )
        if along is not None and along not in axes:
            raise InputError(f"The result has no axis {along} to draw 'along': it has {', '.join(axes)}.")
        right = along or axes[-1]
        own = titles[number] if titles and len(datasets) > 1 else ""
        others = [name for name in axes if name != right]
        for index in range(chosen.sizes[others[0]] if others else 1):
            one = chosen.isel(dict.fromkeys(others, index))
            branch = one["branch"].values == 1 if "branch" in one else np.zeros(one.sizes[right], dtype=bool)
            name = heading_of(own, case_name(one, others))
            status = one["status"].values.astype(str)
            for entry in _entries(datasets, variable, at, over, most) if over else [None]:
                place = dict(at or {}) if entry is None else {**(at or {}), str(over): entry}
                words = heading_of(name, level_name(entry)) if entry is not None else name
                found.append(Curve(words, one[right], one_number(one[variable], place, (right,)), status, branch))
    units = {unit_of(each.axis) for each in found}
    if len(units) > 1:
        both = ", ".join(dict.fromkeys(f"{each.axis.name} [{unit_of(each.axis) or '1'}]" for each in found))
        raise InputError(f"lines draws results over axes with one unit, not over {both}.")
    if len(found) > MOST:
        raise InputError(f"lines draws {MOST} lines at most, not {len(found)}: choose values with 'case'.")
    return found


def _entries(
    datasets: Sequence[xr.Dataset], variable: str, at: Mapping[str, str] | None, over: str, most: int
) -> list[str]:
    """Entries of a dimension with the largest numbers in any result, in their order."""
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= MOST:
        raise InputError(f"lines draws from 1 to {MOST} entries of {over}, not most = {most!r}.")
    sizes: dict[str, float] = {}
    for dataset in datasets:
        values = dataset[variable]
        if over not in values.dims or over in sweep_axes(dataset):
            others = ", ".join(str(dim) for dim in values.dims if dim not in sweep_axes(dataset)) or "none"
            raise InputError(f"{variable} has no dimension '{over}' to draw lines 'over': it has {others}.")
        for word in values[over].values.astype(str):
            own = one_number(values, {**(at or {}), over: word}, sweep_axes(dataset)).values.astype(float)
            sizes[word] = max(sizes.get(word, 0.0), float(np.nanmax(np.abs(own), initial=0.0)))
    chosen = sorted(sizes, key=lambda word: -sizes[word])[:most]
    return [word for word in sizes if word in chosen and sizes[word] > 0.0]


def axis_name(lines: Sequence[Curve]) -> str:
    """The name of the axis that all lines share; of different axes their common beginning."""
    names = list(dict.fromkeys(str(each.axis.name) for each in lines))
    if len(names) == 1:
        return names[0]
    first = {name.partition(".")[0] for name in names}
    return f"{first.pop() if len(first) == 1 else 'parameter'} named at each line"


def _found_jumps(each: Curve) -> list[int]:
    """Jumps between solved points, as indices of the solved points."""
    x, y = each.x[each.good], each.y[each.good]
    if y.size < 2:
        return []
    unit = str(each.values.attrs.get("units", ""))
    return jumps(x, y, smallest=SMALLEST if unit == "deg" else least_change(y, unit))


def lines(
    datasets: xr.Dataset | Sequence[xr.Dataset],
    ax: Axes | None = None,
    *,
    variable: str = "anterior_pelvic_tilt",
    at: Mapping[str, str] | None = None,
    case: Mapping[str, float] | None = None,
    along: str | None = None,
    over: str | None = None,
    most: int = 8,
    change: bool = False,
    titles: Sequence[str] = (),
) -> Axes:
    """One number along one sweep axis, a line for every result, or for every value of a second axis.

    Parameters
    ----------
    datasets
        One result or several; their axes may have different names with the same unit.
    variable
        Name of a result variable.
    at
        Where a variable has one number per level, side or muscle: which one, as ``{"level": "L4_L5"}``.
    case
        Values on further axes.
    along
        The axis drawn to the right, where two are left; the last by default.
    over
        A dimension of the variable, such as ``"level"``: every entry is a line.
    most
        How many entries of ``over``, those with the largest numbers.
    change
        Draw the change from the first solved case of each line.
    titles
        A name per result, written at the end of its line; of a single result, above the frame.

    Returns
    -------
    The axes. Marks at the foot, a row per line in its colour, are cases without a solution; open diamonds are cases
    where, or at the end of whose chain of solves, another solution was found; a dotted piece of a line is a jump.
    """
    given = [datasets] if isinstance(datasets, xr.Dataset) else list(datasets)
    drawn = curves(given, titles, variable, at, case, along, over, most)
    ax = new_axes(ax, (7.2, 4.6))
    ends: list[tuple[float, float, str, str]] = []
    jumped, doubled, rows = False, False, 0
    for number, each in enumerate(drawn):
        looks = look(number)
        x, y, good = each.x, each.y, each.good
        if change and good.any():
            y = y - y[good][0]
        gaps = _found_jumps(each)
        solid_x, solid_y = x[good], y[good]
        broken = np.insert(y, [int(np.flatnonzero(good)[i]) + 1 for i in gaps], np.nan)
        places = np.insert(x, [int(np.flatnonzero(good)[i]) + 1 for i in gaps], np.nan)
        marker = looks["marker"] if x.size <= MARKED else ""
        ax.plot(places, broken, color=looks["color"], ls=looks["ls"], marker=marker, label=each.name)
        for i in gaps:
            ax.plot(solid_x[i : i + 2], solid_y[i : i + 2], color=looks["color"], ls=(0, (1, 2)), lw=0.8)
            jumped = True
        second = good & each.branch
        if second.any():
            ax.plot(x[second], y[second], ls="", marker="D", ms=8, mfc="none", mec=looks["color"], mew=0.9)
            doubled = True
        if not good.all():
            _mark(ax, x, each.status, looks["color"], rows)
            rows += 1
        if good.any() and each.name:
            ends.append((solid_x[-1], solid_y[-1], each.name, looks["color"]))
    first = drawn[0].x
    low, high = min(each.x.min() for each in drawn), max(each.x.max() for each in drawn)
    margin = 0.02 * (high - low) or 0.5
    span = (low - margin, high + margin)
    ax.set_xlim(span if first[-1] >= first[0] else span[::-1])
    ax.margins(y=0.08)
    ax.autoscale_view(scalex=False)
    ax.set_ylim(ax.get_ylim())
    _name_lines(ax, ends)
    unit = unit_of(drawn[0].axis)
    ax.set_xlabel(axis_name(drawn) + (f" [{unit}]" if unit and unit != axis_name(drawn) else ""))
    words, unit = place_words(drawn[0].values, at), unit_of(drawn[0].values)
    label = f"change of {words}" if change else words
    ax.set_ylabel(label + (f" [{unit}]" if unit else ""))
    ax.grid(True)
    _explain(ax, titles[0] if titles and len(given) == 1 else "", drawn, jumped, doubled)
    return ax


def _mark(ax: Axes, x: np.ndarray, status: np.ndarray, colour: str, row: int) -> None:
    """Marks at the foot where a line has no solution; every such line has a row."""
    for word, marker in UNSOLVED_MARKS.items():
        bad = status == word
        if bad.any():
            height = np.full(bad.sum(), 0.03 + 0.035 * row)
            ax.plot(x[bad], height, transform=ax.get_xaxis_transform(), ls="", marker=marker, color=colour, ms=6)


def _name_lines(ax: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Names beside the frame, at the height of the line's end or as near as they find room."""
    order = sorted(range(len(ends)), key=lambda i: ends[i][1])
    if not order:
        return
    texts = ["\n".join(wrap(ends[i][2], WIDTH)) for i in order]
    frame = 0.7 * ax.figure.bbox.height / ax.figure.dpi  # [inch], about
    low, high = ax.get_ylim()
    heights = np.array([ROOM * (text.count("\n") + 1) / frame for text in texts])
    wanted = np.array([(ends[i][1] - low) / (high - low) for i in order])
    for i, text, place in zip(order, texts, spread(wanted, heights), strict=True):
        x, y, _, colour = ends[i]
        ax.text(BESIDE, place, text, transform=ax.transAxes, color=INK, va="center")
        leader = {"arrowstyle": "-", "color": colour, "lw": 0.8, "shrinkA": 1.0, "shrinkB": 3.0}
        ax.annotate(
            "", (x, y), (BESIDE - 0.01, place), textcoords="axes fraction", annotation_clip=False, arrowprops=leader
        )


def spread(wanted: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Places (n,) nearest to the ``wanted`` ones, rising, at which things of these ``heights`` do not overlap.

    In the sense of least squares; kept between 0 and 1 as long as there is room.
    """
    offsets = np.concatenate([[0.0], np.cumsum((heights[1:] + heights[:-1]) / 2)])
    free = np.asarray(isotonic_regression(wanted - offsets).x)
    top = 1.0 - heights[-1] / 2 - offsets[-1]
    places: np.ndarray = np.clip(free, min(heights[0] / 2, top), top) + offsets
    return places


def _explain(ax: Axes, title: str, drawn: Sequence[Curve], jumped: bool, doubled: bool) -> None:
    """Legend of the marks, where there are any."""
    handles = []
    if doubled:
        handles.append(Line2D([], [], ls="", marker="D", ms=8, mfc="none", mec=INK, label="another solution exists"))
    if jumped:
        handles.append(Line2D([], [], color=INK, ls=(0, (1, 2)), lw=0.8, label="jump"))
    for word, marker in UNSOLVED_MARKS.items():
        count = sum(int((each.status == word).sum()) for each in drawn)
        if count:
            text = f"no solution: {word.replace('_', ' ')} ({count})"
            handles.append(Line2D([], [], ls="", marker=marker, color=INK, ms=6, label=text))
    if handles or title:
        legend_above(ax, title, handles=handles)


def lines_caption(
    datasets: xr.Dataset | Sequence[xr.Dataset],
    *,
    variable: str = "anterior_pelvic_tilt",
    at: Mapping[str, str] | None = None,
    case: Mapping[str, float] | None = None,
    along: str | None = None,
    over: str | None = None,
    most: int = 8,
    change: bool = False,
    titles: Sequence[str] = (),
) -> str:
    """First and last number of every line and how it runs between them, with jumps and failures."""
    given = [datasets] if isinstance(datasets, xr.Dataset) else list(datasets)
    drawn = curves(given, titles, variable, at, case, along, over, most)
    unit = f" {unit_of(drawn[0].values)}" if unit_of(drawn[0].values) else ""
    runs, still, notes = [], [], []
    for each in drawn:
        x, y = each.x[each.good], each.y[each.good]
        who = each.name or "the line"
        if y.size < 2:
            notes.append(f"fewer than two cases of {who} are solved")
            continue
        word = shape(x, y, str(each.values.attrs.get("units", "")))
        if word == "null":
            still.append((who, float(y[0]), float(np.abs(y - y[0]).max())))
        else:
            runs.append(f"{who} {four(y[0])} to {four(y[-1])}{unit}" + (f" ({word})" if word else ""))
        for i in _found_jumps(each):
            notes.append(f"{who} jumps by {y[i + 1] - y[i]:+.3g}{unit} between {x[i]:g} and {x[i + 1]:g}")
        marked = int((each.good & each.branch).sum())
        if marked:
            notes.append(f"{marked} of {y.size} cases of {who} have another solution, there or at the end of the chain")
        if not each.good.all():
            words, counts = np.unique(each.status[~each.good], return_counts=True)
            reasons = ", ".join(f"{n} {word.replace('_', ' ')}" for word, n in zip(words, counts, strict=True))
            notes.append(f"{int((~each.good).sum())} of {each.good.size} cases of {who} have no solution ({reasons})")
    if still:
        names = ", ".join(name for name, _, _ in still)
        runs.append(f"null for {names}, at {four(still[0][1])} to within {max(size for *_, size in still):.2g}{unit}")
    ends = [drawn[0].x[0], drawn[0].x[-1]]
    tail = f" {unit_of(drawn[0].axis)}" if unit_of(drawn[0].axis) else ""
    heading = titles[0] if titles and len(given) == 1 else ""
    first = f"{place_words(drawn[0].values, at)} along {axis_name(drawn)}, {ends[0]:g} to {ends[1]:g}{tail}: "
    text = sentence(heading, first + "; ".join(runs)) if runs else sentence(heading, "no line has two solved cases")
    return " ".join([text, *(f"{note[0].upper()}{note[1:]}." for note in notes)])
