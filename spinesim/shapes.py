"""How a line of results runs along an axis: not at all, evenly, ever faster or slower, beyond a threshold, or back."""

from __future__ import annotations

import numpy as np

#: A change smaller than this is none (assumed): 1 % of the compression of a lumbar disc in quiet standing, half of what
#: a clinician reads, a small part of the stiffness that co-contraction gives.
LEAST = {"N": 5.0, "deg": 0.5, "N m/rad": 1.0}
PART = 0.01  #: of the largest number, for other units (assumed)
TOLERANCE = 0.1  #: share of the whole change by which an even line may stray, or step back (assumed)
LATE = 0.4  #: a line that has hardly changed up to this share of the axis has a threshold (assumed)


def least_change(y: np.ndarray, unit: str) -> float:
    """Smallest change that counts as one, in the unit of the line; NaN has no size."""
    return LEAST.get(unit, PART * float(np.abs(y[np.isfinite(y)]).max(initial=0.0)))


def shape(x: np.ndarray, y: np.ndarray, unit: str) -> str:
    """How a line runs, in a word or two.

    Parameters
    ----------
    x
        (n,) values of the axis, rising or falling throughout.
    y
        (n,) numbers in ``unit``, without gaps.

    Returns
    -------
    ``null``: it never leaves its first value by the least change that counts. ``not monotone``: it goes back by more
    than a tenth of its range. Else, with the axis and the whole change both counted from 0 to 1: ``linear``, within a
    tenth of the straight line; ``beyond X only``, where not even a tenth of the change has come by 0.4 of the axis, nor
    by X; ``accelerating``, below the straight line; ``saturating``, above it; ``in steps``, both. Two points or one
    have no shape but null: the text is empty.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if not y.size or np.abs(y - y[0]).max() < least_change(y, unit):
        return "null"
    if y.size < 3:
        return ""
    steps = np.diff(y)
    if min(steps[steps > 0].sum(), -steps[steps < 0].sum()) > TOLERANCE * np.ptp(y):
        return "not monotone"
    share = (y - y[0]) / (y[-1] - y[0])
    place = (x - x[0]) / (x[-1] - x[0])
    stray = share - place
    if np.abs(stray).max() <= TOLERANCE:
        return "linear"
    quiet = int(np.argmax(share > TOLERANCE)) - 1  # last point before the change has begun
    if place[quiet] >= LATE:
        return f"beyond {x[quiet]:g} only"
    if stray.max() <= TOLERANCE:
        return "accelerating"
    return "saturating" if stray.min() >= -TOLERANCE else "in steps"
