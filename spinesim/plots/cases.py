"""Which cases of a result a figure shows: sweep axes, one case, the ends and the middle of an axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import numpy as np
import xarray as xr

from spinesim.errors import InputError
from spinesim.plots.style import level_name, name_of, unit_of

#: Dimensions whose entries have a quantity, instead of being where it is.
OWNERS = ("muscle", "muscle_group", "short_group")


def sweep_axes(dataset: xr.Dataset) -> tuple[str, ...]:
    """Names of the sweep axes: a status is given per case, so its dimensions are the axes."""
    if "status" not in dataset:
        raise InputError("The file holds no variable 'status', so it is not a result of spinesim.")
    return tuple(str(name) for name in dataset["status"].dims)


def require(dataset: xr.Dataset, names: Iterable[str]) -> None:
    """Raise InputError unless the dataset holds all variables ``names``."""
    missing = [name for name in names if name not in dataset]
    if missing:
        raise InputError(
            f"The result holds no {', '.join(missing)}, which this figure draws; "
            f"it holds {', '.join(sorted(str(name) for name in dataset.data_vars))}."
        )


def choose(dataset: xr.Dataset, case: Mapping[str, float]) -> xr.Dataset:
    """The part of a sweep at the grid values nearest to ``case`` (axis name -> value in the axis' unit).

    Raises
    ------
    InputError
        If an axis does not exist or a value lies outside it.
    """
    axes = sweep_axes(dataset)
    for name, value in case.items():
        if name not in axes:
            near = get_close_matches(name, axes, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(axes) or 'none'}."
            raise InputError(f"The result has no axis {name}: {hint}")
        grid = dataset[name].values.astype(float)
        if not grid.min() <= value <= grid.max():
            raise InputError(f"{name} = {value:g} lies outside the axis, {grid.min():g} to {grid.max():g}.")
        dataset = dataset.isel({name: int(np.argmin(np.abs(grid - value)))})
    return dataset


def one_case(dataset: xr.Dataset, case: Mapping[str, float] | None) -> xr.Dataset:
    """One case: ``case`` where it says so, the last value on every other axis."""
    chosen = choose(dataset, case or {})
    return chosen.isel(dict.fromkeys(sweep_axes(chosen), -1))


def one_number(values: xr.DataArray, at: Mapping[str, str] | None, axes: Iterable[str]) -> xr.DataArray:
    """A variable reduced to one number per case by ``at``, as ``{"level": "L4_L5"}``.

    Raises
    ------
    InputError
        If ``at`` names what is not there, or leaves more than one number.
    """
    name, axes = values.name, tuple(axes)
    for dim, word in (at or {}).items():
        if dim not in values.dims or dim in axes:
            others = ", ".join(str(each) for each in values.dims if each not in axes) or "none"
            raise InputError(f"{name} has no dimension '{dim}' to choose 'at': it has {others}.")
        words = values[dim].values.astype(str)
        if word not in words:
            raise InputError(f"{name} has no {dim} '{word}': allowed are {', '.join(words[:12])}.")
        values = values.isel({dim: int(np.flatnonzero(words == word)[0])})
    left = [str(each) for each in values.dims if each not in axes]
    if left:
        raise InputError(f"{name} has one number per {' and '.join(left)}: choose with 'at', as level = \"L4_L5\".")
    return values


def place_words(variable: xr.DataArray, at: Mapping[str, str] | None) -> str:
    """A quantity with its place or its owner, such as ``compression at L4/L5`` or ``strength of gluteals``."""
    places = ", ".join(level_name(word) for word in (at or {}).values())
    owned = any(dim in OWNERS for dim in at or {})
    return name_of(variable) + (f" {'of' if owned else 'at'} {places}" if places else "")


def ends_and_middle(length: int) -> list[int]:
    """Indices of the first, the middle and the last of ``length`` values."""
    return sorted({0, (length - 1) // 2, length - 1})


def some_cases(dataset: xr.Dataset, case: Mapping[str, float] | None) -> list[xr.Dataset]:
    """Ends and middle of the first axis that ``case`` leaves open, the last value on every other axis."""
    chosen = choose(dataset, case or {})
    axes = sweep_axes(chosen)
    if not axes:
        return [chosen]
    chosen = chosen.isel(dict.fromkeys(axes[1:], -1))
    return [chosen.isel({axes[0]: index}) for index in ends_and_middle(chosen.sizes[axes[0]])]


def case_name(case: xr.Dataset, axes: Iterable[str]) -> str:
    """A case in words, such as ``tightness.hip_flexors = 30 deg``."""
    parts = []
    for name in axes:
        unit = unit_of(case[name])
        parts.append(f"{name} = {float(case[name]):g}{' ' + unit if unit else ''}")
    return ", ".join(parts)


def first_case(dataset: xr.Dataset) -> xr.Dataset:
    """The first case of a sweep, or the only one."""
    return dataset.isel(dict.fromkeys(sweep_axes(dataset), 0))


def status_of(case: xr.Dataset) -> str:
    """``solved``, ``infeasible``, ``unstable``, ``not_converged`` or ``pending``."""
    return str(case["status"].item())


def solved(case: xr.Dataset) -> bool:
    """Whether a single case has numbers."""
    return status_of(case) == "solved"


def no_solution(case: xr.Dataset) -> str:
    """What is said in place of the numbers of a case that has none."""
    return f"no solution ({status_of(case).replace('_', ' ')})"


def unsolved(dataset: xr.Dataset) -> str:
    """How many cases have no solution and why, as a sentence that starts with a space; empty if all are solved."""
    status = dataset["status"].values.astype(str).ravel()
    failed = status[status != "solved"]
    if not failed.size:
        return ""
    words, counts = np.unique(failed, return_counts=True)
    reasons = ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in zip(words, counts, strict=True))
    return f" {failed.size} of {status.size} cases have no solution ({reasons})."


def change(before: float, after: float, unit: str, digits: int) -> str:
    """``rises by 3.1 deg``, ``falls by 2 N``, or that it changes by less than what ``digits`` decimals show."""
    text = f" {unit}" if unit else ""
    smallest = 0.5 * 10.0**-digits
    if abs(after - before) < smallest:
        return f"changes by less than {smallest:g}{text}"
    return f"{'rises' if after > before else 'falls'} by {abs(after - before):.{digits}f}{text}"


def rounded(value: float, digits: int) -> float:
    """A number to print, never minus zero."""
    return round(float(value), digits) + 0.0


def four(value: float) -> str:
    """A number to about four figures without an exponent."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{rounded(value, digits):.{digits}f}"


def heading_of(*parts: str) -> str:
    """The parts that say something, separated by commas."""
    return ", ".join(part for part in parts if part)


def sentence(heading: str, text: str) -> str:
    """``Heading: text.``, or ``Text.`` without a heading."""
    return f"{heading}: {text}." if heading else f"{text[0].upper()}{text[1:]}."
