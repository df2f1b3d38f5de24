"""Designs of samples on the unit cube, and what the values at their points tell of every coordinate.

Values are NaN where a case has no solution. A pair of which one value is missing is left out and counted; nothing is
put in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinesim.kernels.arrays import Floats

LEVELS = 4  # of the grid of Morris' trajectories, as usual; a step is 2/3 of a range
DRAWS = 1000  # of the bootstrap
COVERED = 0.95  # of an interval

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Estimate:
    """A number with its bootstrap interval, each (s, k): s outcomes, k coordinates."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Effects:
    """What Morris' trajectories tell, each (s, k), in the unit of the outcome over the whole range."""

    mean: Estimate
    absolute: Estimate
    spread: Floats  #: standard deviation
    used: Floats  #: number of pairs


@dataclass(frozen=True, eq=False)
class Indices:
    """What Sobol's design tells, each (s, k) unless said otherwise."""

    first: Estimate
    total: Estimate
    slope: Estimate  #: least-squares slope of the pairs, over the whole range
    used: Floats  #: number of rows of which all three values are there


def trajectories(count: int, k: int, seed: int) -> Floats:
    """Morris' trajectories: (count, k + 1, k), one coordinate changed from each point to the next.

    References
    ----------
    Morris 1991, Technometrics 33:161-174.
    """
    rng = np.random.default_rng(seed)
    step = LEVELS / (2.0 * (LEVELS - 1))
    low = rng.integers(LEVELS // 2, size=(count, k)) / (LEVELS - 1)
    up = rng.random((count, k)) < 0.5
    order = np.argsort(rng.random((count, k)), axis=1)
    place = np.argsort(order, axis=1)  # when a coordinate is changed
    moved = np.arange(k + 1)[None, :, None] > place[:, None, :]
    high = moved == up[:, None, :]
    points: Floats = low[:, None, :] + step * high
    return points


def effects(points: Floats, values: Floats, seed: int) -> Effects:
    """Elementary effects of `trajectories`.

    Parameters
    ----------
    values : (count, k + 1, s)

    References
    ----------
    Morris 1991, Technometrics 33:161-174; absolute mean: Campolongo et al. 2007, Environ Model Softw 22:1509-1518.
    """
    count = len(points)
    change = np.diff(points, axis=1)
    which = np.abs(change).argmax(axis=2)
    size = np.take_along_axis(change, which[:, :, None], axis=2)
    ratio = np.diff(values, axis=1) / size  # (count, k, s), in the order of the changes
    sorted_ratio = np.empty_like(ratio)
    np.put_along_axis(sorted_ratio, which[:, :, None], ratio, axis=1)
    weights = _resampled(count, seed)

    def mean(of: Floats) -> Estimate:
        there = np.isfinite(of)
        filled = np.where(there, of, 0.0)

        def averages(w: Floats) -> Floats:
            return _ratio(np.einsum("dc,cks->dsk", w, filled), np.einsum("dc,cks->dsk", w, there.astype(float)))

        return _estimate(averages, weights)

    used = np.isfinite(sorted_ratio).sum(axis=0).T.astype(float)
    average = mean(sorted_ratio)
    squares = np.where(np.isfinite(sorted_ratio), (sorted_ratio - average.value.T) ** 2, 0.0).sum(axis=0).T
    return Effects(average, mean(np.abs(sorted_ratio)), np.sqrt(_ratio(squares, np.maximum(used - 1.0, 0.0))), used)


def sobol_points(count: int, k: int, seed: int) -> Floats:
    """Sobol's design: (k + 2, count, k) of A, B and A with every coordinate in turn from B.

    The first half, quarter and so on of the rows are designs, too.

    References
    ----------
    Saltelli et al. 2010, Comput Phys Commun 181:259-270.
    """
    from scipy.stats import qmc  # only here: it takes long to import

    both = qmc.Sobol(2 * k, rng=np.random.default_rng(seed), bits=64).random(count)
    first, second = both[:, :k], both[:, k:]
    points = np.tile(first, (k + 2, 1, 1))
    points[1] = second
    for i in range(k):
        points[2 + i, :, i] = second[:, i]
    return points


def indices(points: Floats, values: Floats, seed: int, draws: int = DRAWS) -> Indices:
    """First and total order indices of `sobol_points`.

    Parameters
    ----------
    values : (k + 2, count, s)

    References
    ----------
    Saltelli et al. 2010, Comput Phys Commun 181:259-270, Table 2 (b) and (f); as `scipy.stats.sobol_indices`.
    """
    k, count = values.shape[0] - 2, values.shape[1]
    weights = _resampled(count, seed, draws)
    parts = [
        _indices_of(values[0, :, s], values[1, :, s], values[2:, :, s], (points[1] - points[0]).T, weights)
        for s in range(values.shape[2])
    ]
    names = ("first", "total", "slope")
    joined = {
        name: Estimate(*(np.array([getattr(part[name], each) for part in parts]) for each in ("value", "low", "high")))
        for name in names
    }
    there = np.isfinite(values[0]) & np.isfinite(values[1]) & np.isfinite(values[2:])
    return Indices(**joined, used=there.sum(axis=1).T.astype(float).reshape(-1, k))


def _indices_of(a: Floats, b: Floats, mixed: Floats, step: Floats, weights: Floats) -> dict[str, Estimate]:
    """Indices of one outcome: a, b (n,), mixed and step (k, n), weights (d, n)."""
    there = (np.isfinite(a) & np.isfinite(b) & np.isfinite(mixed)).astype(float)
    centre = np.nanmean([a, b]) if np.isfinite([a, b]).any() else 0.0
    a, b, mixed = (np.nan_to_num(each - centre) for each in (a, b, mixed))
    change = (mixed - a) * there

    def sums(of: Floats, w: Floats) -> Floats:
        """(d, k) of (k, n)."""
        result: Floats = w @ of.T
        return result

    def variance(w: Floats) -> tuple[Floats, Floats]:
        number = 2.0 * sums(there, w)
        mean = _ratio(sums((a + b) * there, w), number)
        return _ratio(sums((a**2 + b**2) * there, w), number) - mean**2, mean

    def first(w: Floats) -> Floats:
        spread, mean = variance(w)
        number = sums(there, w)
        return _ratio(_ratio(sums(b * change, w) - mean * sums(change, w), number), spread)

    def total(w: Floats) -> Floats:
        return _ratio(0.5 * _ratio(sums(change**2, w), sums(there, w)), variance(w)[0])

    def slope(w: Floats) -> Floats:
        return _ratio(sums(change * step, w), sums(step**2 * there, w))

    return {name: _estimate(each, weights) for name, each in (("first", first), ("total", total), ("slope", slope))}


def _ratio(over: Floats, under: Floats) -> Floats:
    """Quotient; NaN where the denominator is nothing."""
    result: Floats = np.divide(over, under, out=np.full(np.broadcast(over, under).shape, np.nan), where=under > 0.0)
    return result


def _resampled(count: int, seed: int, draws: int = DRAWS) -> Floats:
    """How often each row is drawn: once in the first line, and with replacement in the others, (1 + draws, count)."""
    rng = np.random.default_rng([seed, 1])
    return np.vstack([np.ones(count), rng.multinomial(count, np.full(count, 1.0 / count), size=draws)])


def _estimate(function: Callable[[Floats], Floats], weights: Floats) -> Estimate:
    """A function of row weights (d, n) at the data, and the percentiles of its bootstrap."""
    found = function(weights)
    with np.errstate(invalid="ignore"):
        tail = 0.5 * (1.0 - COVERED)
        low, high = np.quantile(found[1:], (tail, 1.0 - tail), axis=0)
    return Estimate(found[0], low, high)
