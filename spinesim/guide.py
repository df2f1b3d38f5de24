"""A better start for many samples: the found postures of some of them, continued in a straight line.

A sample is solved by itself, and from the healthy posture a good part of its rounds go into getting near. Where there
are many samples, the postures of a few, solved so, are fitted by least squares as a linear function of the sampled
values, from which the others start. That changes where a search begins, not what it looks for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spinesim.jumps import SMALLEST
from spinesim.kernels.arrays import Floats
from spinesim.solve import Task, run_alone

PER_COEFFICIENT = 4  # samples that are fitted
WORTH = 16  # times as many samples as are fitted: below, the fit costs more than it saves
APART = math.radians(SMALLEST)  # disagreement of an angle at which two solves have found different postures


@dataclass(frozen=True, eq=False)
class Guide:
    """Linear function from sampled values to a posture to start from."""

    names: tuple[str, ...]
    coefficients: Floats  #: (1 + names, nu) [rad per unit of the value], of the constant first

    def starts(self, columns: Mapping[str, Floats]) -> Floats:
        """Postures (nc, nu) to start from [rad]."""
        return _rows(columns, self.names) @ self.coefficients


def fit(task: Task, columns: Mapping[str, Floats]) -> Guide | None:
    """A guide for samples of one person, or None where it is of no use or not safe.

    It is of no use where the posture is held or the samples are few. It is not safe where a sample that was fitted ends
    elsewhere if it starts from what was fitted.

    Parameters
    ----------
    columns
        Values of all samples, by parameter name.
    """
    count = len(next(iter(columns.values())))
    names = tuple(name for name, column in columns.items() if column.min() < column.max())
    size = PER_COEFFICIENT * (1 + len(names))
    if not task.find or count < WORTH * size:
        return None
    chosen = np.linspace(0, count - 1, size).astype(int)
    some = {name: column[chosen] for name, column in columns.items()}
    cold, _ = run_alone(task, some, size)
    solved = cold.status == 0
    if solved.sum() < size / 2:
        return None
    fitted = np.linalg.lstsq(_rows(some, names)[solved], cold.free[solved], rcond=None)[0]
    guide = Guide(names, fitted)
    led, _ = run_alone(task, some, size, guide.starts(some))
    same = (led.status == cold.status).all() and np.abs(led.free - cold.free)[solved].max() <= APART
    return guide if same else None


def _rows(columns: Mapping[str, Floats], names: tuple[str, ...]) -> Floats:
    return np.column_stack([np.ones(len(next(iter(columns.values())))), *(columns[name] for name in names)])
