"""Which parameter moves which outcome: derivatives at a point, Morris' effects and Sobol' indices over ranges."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from spinesim import parameters as register
from spinesim.cases import names
from spinesim.derivatives import WITHOUT, derivatives
from spinesim.designs import Estimate, effects, indices, sobol_points, trajectories
from spinesim.errors import InputError
from spinesim.kernels.arrays import Floats
from spinesim.labelled import coordinates, versions
from spinesim.model.pack import pack
from spinesim.model.parts import Model
from spinesim.solve import POSTURE, check_parts, check_settings, make_task
from spinesim.stance import PackedStance, pack_stance
from spinesim.sweep import ANGLE, sweep, swept_task
from spinesim.variables import VARIABLES, attributes

Method = Literal["local", "morris", "sobol"]
SIZES = {"local": 1, "morris": 20, "sobol": 1024}  #: rows of a design by default
SMALLEST = 16  # rows of a Sobol' design; fewer say nothing
NOTE = (
    "Ranges are uniform and parameters independent of each other; a model's answer, not a body's. A research and "
    "teaching model, never a diagnosis."
)


@dataclass(frozen=True)
class Outcome:
    """One number of a result."""

    name: str  #: as asked for, such as ``compression.L4_L5``
    variable: str
    index: tuple[int, ...]  #: place along the dimensions of the variable
    units: str

    def of(self, values: np.ndarray) -> np.ndarray:
        """The number (nc,) of every case, of values with the cases in front."""
        place: tuple[Any, ...] = (slice(None), *self.index)
        picked: np.ndarray = values[place]
        return picked


def parse_outcome(stance: PackedStance, name: str) -> Outcome:
    """The number that a variable and, where it has dimensions, one name for each, joined by dots, stand for.

    Raises
    ------
    InputError
        If there is no such variable, or no such place of it.
    """
    variable, _, rest = name.partition(".")
    if variable not in VARIABLES or VARIABLES[variable].large or not VARIABLES[variable].units:
        raise InputError(f"outcome {name}: there is no result variable {variable} with a number")
    known = coordinates(stance, pictures=False)
    index: list[int] = []
    for dim in VARIABLES[variable].dims:
        words = [str(word) for word in known[dim].values] if dim in known else []
        found = [word for word in words if rest == word or rest.startswith(f"{word}.")]
        if not found:
            raise InputError(f"outcome {name}: it needs a {dim.replace('_', ' ')}, one of {', '.join(words[:12])}")
        word = max(found, key=len)
        index.append(words.index(word))
        rest = rest[len(word) + 1 :]
    if rest:
        raise InputError(f"outcome {name}: {variable} has no {rest}")
    return Outcome(name, variable, tuple(index), VARIABLES[variable].units)


def sensitivity(
    model: Model,
    ranges: Mapping[str, Sequence[float]],
    outcomes: Sequence[str],
    *,
    method: Method = "sobol",
    n: int | None = None,
    seed: int = 0,
    parameters: Mapping[str, float] | None = None,
    stance: str = "standing",
    posture: Mapping[str, float] | None = None,
    complete: Literal["rhythm", "find"] = "rhythm",
    criterion: str = "effort2",
    weights: str = "volume",
    stability: float | bool | None = None,
    output: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    executor: Executor | str | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Which parameters move which outcomes, and by how much.

    Parameters
    ----------
    ranges
        Lower and upper end by parameter name, or by ``posture.`` and the name of a posture angle [deg]; the parameters
        are independent and every value is as likely as another.
    outcomes
        Numbers of a result, such as ``"anterior_pelvic_tilt"``, ``"compression.L4_L5"`` or
        ``"foramen_area.L5_S1.left"``.
    method
        ``"local"``: derivatives in the middle of the ranges (of a parameter that ``parameters`` names, at its value
        there), from the conditions of the solution. ``"morris"``: elementary effects of trajectories over the ranges.
        ``"sobol"``: shares of the variance.
    n
        Number of trajectories (20), or rows of the Sobol' design (1024), a power of two. k parameters take n (k + 1) or
        n (k + 2) cases.
    seed
        Of the design and the bootstrap.
    parameters, stance, posture, complete, criterion, weights, stability, threads, executor, progress
        As in `sweep`.
    output
        File in which the solved cases are kept; a stopped run goes on from there.

    Returns
    -------
    xarray.Dataset
        Dimensions ``outcome`` and ``parameter``: ``effect``, and ``derivative``, ``absolute_effect`` or
        ``first_order`` and ``total_order``, with 95 % bootstrap intervals where cases were drawn. Cases without a
        solution are left out in pairs and counted (``pairs_used``, ``unsolved_cases``).

    Raises
    ------
    InputError
        For an unknown name, a range that is empty or not allowed, a number of rows that cannot be, or an outcome that
        has no derivative.
    NotConvergedError
        If the point of the derivatives has no solution.
    """
    asked: dict[str, Any] = {
        "stance": stance,
        "posture": posture,
        "complete": complete,
        "criterion": criterion,
        "weights": weights,
        "stability": stability,
    }
    wanted, count = check_request(model, ranges, outcomes, method=method, n=n, parameters=parameters, **asked)
    low, high = np.array(list(ranges.values()), dtype=float).T
    head = _head(model, method, ranges, wanted, low, high)
    head.attrs |= {"stance": stance, "seed": seed, "parameters": json.dumps(dict(parameters or {}))}
    if method == "local":
        task = make_task(model, **asked)
        return head.assign(_local(model, task, ranges, wanted, parameters)).assign_attrs(task.words())
    k = len(ranges)
    points = trajectories(count, k, seed) if method == "morris" else sobol_points(count, k, seed)
    flat = low + points.reshape(-1, k) * (high - low)
    cases = sweep(
        model,
        # a range times 1 may end beyond it by rounding
        samples={name: np.clip(flat[:, i], low[i], high[i]) for i, name in enumerate(ranges)},
        parameters=parameters,
        variables=list(dict.fromkeys(outcome.variable for outcome in wanted)),
        output=None if output is None else Path(output),
        threads=threads,
        executor=executor,
        progress=progress,
        **asked,
    )
    words = {key: cases.attrs[key] for key in make_task(model, stance, None, "rhythm").words()}
    values = np.stack([outcome.of(cases[outcome.variable].values) for outcome in wanted], axis=-1)
    shaped = values.reshape(*points.shape[:2], len(wanted))
    found = _morris(points, shaped, seed) if method == "morris" else _sobol(points, shaped, seed)
    solved = cases["status"].values == "solved"
    some = values if solved.any() else np.full((1, len(wanted)), np.nan)
    drawn = {
        "outcome_mean": (("outcome",), np.nanmean(some[solved], axis=0) if solved.any() else some[0]),
        "outcome_spread": (("outcome",), np.nanstd(some[solved], axis=0) if solved.any() else some[0]),
        "cases": ((), np.float64(solved.size)),
        "unsolved_cases": ((), np.float64(solved.size - solved.sum())),
    }
    return head.assign(_named(found | drawn)).assign_attrs(words)


def check_request(
    model: Model,
    ranges: Mapping[str, Sequence[float]],
    outcomes: Sequence[str],
    *,
    method: str = "sobol",
    n: int | None = None,
    parameters: Mapping[str, float] | None = None,
    stance: str = "standing",
    **task: Any,
) -> tuple[list[Outcome], int]:
    """Refuse what cannot be asked, before anything is solved.

    Parameters
    ----------
    task
        ``posture``, ``complete``, ``criterion``, ``weights`` and ``stability``, as in `sensitivity`.

    Returns
    -------
    outcomes, count
        The numbers asked for, and the number of rows of the design.

    Raises
    ------
    InputError
        As `sensitivity`.
    """
    if method not in SIZES:
        raise InputError(f"method = {method!r} is not allowed: it must be 'local', 'morris' or 'sobol'")
    if not outcomes or len(set(outcomes)) < len(outcomes):
        raise InputError("outcomes must be one or more different names")
    packed = pack_stance(pack(model), stance)
    wanted = [parse_outcome(packed, name) for name in outcomes]
    count = _size(method, n)
    _check_ranges(model, ranges)
    check_settings(model, parameters)
    swept_task(model, ranges, stance, **task)
    if method == "local":
        for outcome in wanted:
            if outcome.variable in WITHOUT:
                raise InputError(f"outcome {outcome.name} has no local derivative: choose method = 'morris' or 'sobol'")
        for name in ranges:
            if name.startswith(POSTURE):
                raise InputError(f"{name}: an angle that is held has no local derivative: use 'morris' or 'sobol'")
        return wanted, count
    for name in ranges:
        if name in (parameters or {}):
            raise InputError(f"{name} is both sampled and a fixed parameter")
    return wanted, count


def _size(method: str, n: int | None) -> int:
    count = SIZES[method] if n is None else n
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise InputError(f"n = {count!r} is not allowed: it must be a whole number from 1")
    if method == "morris" and count < 2:
        raise InputError(f"n = {count} is not allowed: Morris' method needs 2 trajectories or more")
    if method == "sobol" and (count < SMALLEST or count & (count - 1)):
        raise InputError(f"n = {count} is not allowed: Sobol' indices need a power of two from {SMALLEST}")
    return int(count)


def _check_ranges(model: Model, ranges: Mapping[str, Sequence[float]]) -> None:
    if not ranges:
        raise InputError("sensitivity needs the range of at least one parameter")
    known = names(pack(model))
    check_parts(model, ranges)
    for name, pair in ranges.items():
        try:
            low, high = (float(end) for end in pair)
        except (TypeError, ValueError) as error:
            raise InputError(f"range {name} = {pair!r} is not allowed: it must be two numbers") from error
        if not name.startswith(POSTURE):
            for end in (low, high):
                register.check(known, {name: end})
        if not low < high:
            raise InputError(f"range {name} = {low:g} to {high:g} is not allowed: the first must be smaller")


def _head(
    model: Model,
    method: str,
    ranges: Mapping[str, Sequence[float]],
    wanted: Sequence[Outcome],
    low: Floats,
    high: Floats,
) -> xr.Dataset:
    known = names(pack(model))
    rows = [ANGLE if name.startswith(POSTURE) else register.parameter(known, name) for name in ranges]
    coords: dict[str, tuple[str, Any]] = {
        "outcome": ("outcome", [outcome.name for outcome in wanted]),
        "outcome_unit": ("outcome", [outcome.units for outcome in wanted]),
        "parameter": ("parameter", list(ranges)),
        "parameter_unit": ("parameter", [row.units for row in rows]),
        "range_low": ("parameter", low),
        "range_high": ("parameter", high),
    }
    return xr.Dataset(
        {"status": ((), np.array("solved"), attributes("status"))},
        coords={name: (dims, values, attributes(name)) for name, (dims, values) in coords.items()},
        attrs={
            "title": f"spinesim {model.name}, sensitivity",
            "model": model.name,
            "model_digest": pack(model).digest,
            "method": method,
            "versions": versions(),
            "note": NOTE,
        },
    )


def _named(found: Mapping[str, tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    return {name: (dims, values, attributes(name)) for name, (dims, values) in found.items()}


def _local(
    model: Model,
    task: Any,
    ranges: Mapping[str, Sequence[float]],
    wanted: Sequence[Outcome],
    parameters: Mapping[str, float] | None,
) -> dict[str, Any]:
    middle = {name: 0.5 * (low + high) for name, (low, high) in ranges.items()}
    settings = check_settings(model, {**middle, **(parameters or {})})
    widths = {name: float(high - low) for name, (low, high) in ranges.items()}

    def pick(values: Mapping[str, np.ndarray]) -> Floats:
        return np.array([outcome.of(values[outcome.variable])[0] for outcome in wanted])

    value, slope = derivatives(task, settings, widths, pick)
    both = ("outcome", "parameter")
    return _named(
        {
            "effect": (both, slope * np.array(list(widths.values()))),
            "derivative": (both, slope),
            "outcome_middle": (("outcome",), value),
        }
    )


def _morris(points: Floats, values: Floats, seed: int) -> dict[str, Any]:
    found, both = effects(points, values, seed), ("outcome", "parameter")
    return {
        **_interval("effect", found.mean),
        **_interval("absolute_effect", found.absolute),
        "effect_spread": (both, found.spread),
        "pairs_used": (both, found.used),
    }


def _sobol(points: Floats, values: Floats, seed: int) -> dict[str, Any]:
    found, both = indices(points, values, seed), ("outcome", "parameter")
    count = points.shape[1]
    sizes = [SMALLEST * 2**power for power in range(int(math.log2(count / SMALLEST)) + 1)]
    parts = [indices(points[:, :size], values[:, :size], seed, draws=1) for size in sizes]
    return {
        **_interval("effect", found.slope),
        **_interval("first_order", found.first),
        **_interval("total_order", found.total),
        "pairs_used": (both, found.used),
        "rows": (("rows",), np.array(sizes)),
        "first_order_by_size": (("rows", *both), np.array([part.first.value for part in parts])),
        "total_order_by_size": (("rows", *both), np.array([part.total.value for part in parts])),
    }


def _interval(name: str, estimate: Estimate) -> dict[str, Any]:
    both = ("outcome", "parameter")
    parts = {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return {key: (both, values) for key, values in parts.items()}
