"""Time many calls in turn, so that what else the machine does falls on all alike, and judge their answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.peers.peer import Peer
from benchmarks.peers.problem import ForceSharing, Stability
from spinesim.kernels.arrays import Floats


@dataclass
class Timed:
    """A call, how often the work is done in it, and the times of that work [s]."""

    name: str
    what: str
    run: Callable[[], object]
    count: int = 1
    slow: bool = False
    times: list[float] = field(default_factory=list)
    answer: object = None

    def call(self) -> None:
        """Once more, on the clock."""
        begin = time.perf_counter()
        self.answer = self.run()
        self.times.append((time.perf_counter() - begin) / self.count)


def in_turn(calls: Sequence[Timed], rounds: int, slow_rounds: int) -> None:
    """Time all calls, one after another, round by round; the first call of each that is fast does not count."""
    for call in calls:
        if not call.slow:
            call.run()
    for r in range(rounds):
        for call in calls:
            if not call.slow or r < slow_rounds:
                call.call()


@dataclass
class Score:
    """What a solver took and gave, over all postures."""

    name: str
    what: str
    times: list[list[float]] = field(default_factory=list)  #: [s] by posture
    gap: list[float] = field(default_factory=list)  #: objective over the certified bound, less 1, by posture
    residual: list[float] = field(default_factory=list)  #: largest moment not balanced [N m], by posture
    violation: list[float] = field(default_factory=list)  #: largest step over a bound [1], by posture
    shortage: list[float] = field(default_factory=list)  #: missing stability [N m/rad], by posture

    @property
    def least(self) -> float:
        """Shortest time [s]."""
        return min(min(t) for t in self.times)

    @property
    def median(self) -> float:
        """Median of all times [s]."""
        return float(np.median(np.concatenate(self.times)))

    @property
    def accurate(self) -> bool:
        """Whether all answers are worth comparing: 1e-6 in objective, balance [N m] and bounds."""
        worst = np.abs([*self.gap, *self.residual, *self.violation])
        return bool(np.max(worst) <= 1e-6 and max(self.shortage, default=0.0) <= 1e-4)

    def ratio(self, to: Score) -> float:
        """Median time over another's."""
        return self.median / to.median

    def least_ratio(self, to: Score) -> float:
        """The same in the posture where it is smallest."""
        return float(min(np.median(a) / np.median(b) for a, b in zip(self.times, to.times, strict=True)))


def widest(values: Sequence[float]) -> float:
    """The entry that is furthest from 0, with its sign."""
    return max(values, key=abs)


def judge(score: Score, call: Timed, problem: ForceSharing, bound: float, stability: Stability | None = None) -> None:
    """Add a posture to a score; an answer that is not one counts as infinitely bad."""
    a: Floats = np.asarray(call.answer, dtype=np.float64)
    score.times.append(call.times)
    usable = a.shape == problem.weight.shape and bool(np.isfinite(a).all())
    score.gap.append(problem.objective(a) / bound - 1.0 if usable else np.inf)
    score.residual.append(problem.residual(a) if usable else np.inf)
    score.violation.append(problem.violation(a) if usable else np.inf)
    if stability is not None:
        score.shortage.append(stability.shortage(a) if usable else np.inf)


def compare(
    peers: Sequence[Peer],
    problems: Sequence[tuple[ForceSharing, Stability | None, float]],
    rounds: int,
    slow_rounds: int,
) -> list[Score]:
    """Time peers on problems, each with its certified bound (nan: the best that the answers themselves certify)."""
    scores = [Score(p.name, p.setting) for p in peers]
    for problem, stability, bound in problems:
        given = problem if stability is None else (problem, stability)
        calls = [Timed(p.name, p.setting, p.prepare(given), p.count, p.slow) for p in peers]
        in_turn(calls, rounds, slow_rounds)
        if np.isnan(bound):
            answers = [np.asarray(call.answer) for call in calls]
            bound = max(problem.least(a) for a in answers if np.isfinite(a).all())
        for score, call in zip(scores, calls, strict=True):
            judge(score, call, problem, bound, stability)
    return scores
