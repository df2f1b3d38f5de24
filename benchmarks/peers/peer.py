"""What every peer is to the measurement: a name, its setting, and a way to its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spinesim.kernels.arrays import Floats

Run = Callable[[], Floats]


@dataclass(frozen=True)
class Peer:
    """A solver in one setting.

    ``prepare`` puts a problem into the solver's own matrix types, which is not timed, and returns what is: the
    solver's set-up and solution. That call returns the activations; they are judged outside, whatever the solver
    says about them.
    """

    name: str
    setting: str
    prepare: Callable[[Any], Run]
    package: str  #: whose version is printed
    slow: bool = False  #: takes a tenth of a second or more, and is repeated less often
    count: int = 1  #: solutions in one timed call
