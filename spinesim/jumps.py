"""Where a line of results jumps: a step far steeper than the steps beside it."""

from __future__ import annotations

import numpy as np

RATIO = 5.0  #: a step this many times steeper than the steps beside it is called a jump (assumed)
SMALLEST = 0.05  #: [deg] a smaller step is never a jump: the agreement asked of two solves of one case


def jumps(x: np.ndarray, y: np.ndarray, ratio: float = RATIO, smallest: float = SMALLEST) -> list[int]:
    """Indices i where angles, or other numbers, jump between the points i and i + 1 of a line.

    Parameters
    ----------
    x
        (n,) values of the axis, all different.
    y
        (n,) or (n, k) angles [deg]; of several, the one that moves most counts.
    ratio
        How many times steeper than the steps beside it a step must be.
    smallest
        A smaller step is no jump, in the unit of ``y``.
    """
    if len(x) < 4:
        return []
    steps = np.abs(np.diff(y, axis=0)).reshape(len(x) - 1, -1).max(axis=1)
    slopes = steps / np.abs(np.diff(x))
    around = np.pad(slopes, 1, mode="edge")
    around[[0, -1]] = slopes[[1, -2]]
    beside = np.maximum(around[:-2], around[2:])
    return [int(index) for index in np.flatnonzero((slopes > ratio * beside) & (steps > smallest))]
