"""spinesim's own kernels, called many times inside compiled code."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks.peers.peer import Peer, Run
from benchmarks.peers.problem import ForceSharing, Held
from spinesim.kernels.arrays import Floats, Ints
from spinesim.kernels.balance import SOLVED, balance
from spinesim.kernels.jit import kernel
from spinesim.kernels.state import configure
from spinesim.kernels.vector import copy, fill

CALLS = 48  # solutions in one timed call: a few milliseconds, far above the resolution of the clock
NEIGHBOURS = 16
NOISE = 0.05  # standard deviation of a neighbouring problem's moments, relative to each moment


class Data(NamedTuple):
    """A force balance as the kernel takes it."""

    columns: Floats
    first: Ints
    last: Ints
    weight: Floats
    target: Floats
    lower: Floats
    upper: Floats


def data_of(problem: ForceSharing) -> Data:
    """The arrays of a problem, with the free coordinates on which each activation acts."""
    used = problem.columns != 0.0
    first = np.where(used.any(axis=1), used.argmax(axis=1), 0)
    last = np.where(used.any(axis=1), used.shape[1] - used[:, ::-1].argmax(axis=1), 0)
    zero = np.zeros(problem.weight.size)
    return Data(problem.columns, first, last, problem.weight, zero, problem.lower, problem.upper)


@kernel
def solve(data, tau, multiplier, activation, missing):
    """One force balance from given multipliers. This is the only call of the balance kernel here."""
    status, _ = balance(
        data.columns,
        data.first,
        data.last,
        data.weight,
        data.target,
        data.lower,
        data.upper,
        tau,
        0.0,
        multiplier,
        activation,
        missing,
    )
    return status


@kernel
def solve_many(data, taus, starts, count, multiplier, activation, missing):
    """Solve ``count`` problems one after another, taking moments and starts in turn; returns how many were solved."""
    solved = 0
    for k in range(count):
        copy(starts[k % starts.shape[0]], multiplier)
        if solve(data, taus[k % taus.shape[0]], multiplier, activation, missing) == SOLVED:
            solved += 1
    return solved


@kernel
def configure_many(model, stance, case, free, count, work):
    """Move to ``count`` postures one after another, in turn."""
    for k in range(count):
        configure(model, stance, case, 0, free[k % free.shape[0]], work)


@kernel
def frames(model, stance, case, free, count, data, work, multiplier, activation, missing):
    """Move to ``count`` postures in turn and balance each from a cold start; ``data`` holds the columns of ``work``."""
    solved = 0
    for k in range(count):
        configure(model, stance, case, 0, free[k % free.shape[0]], work)
        fill(0.0, multiplier)
        if solve(data, work.tau, multiplier, activation, missing) == SOLVED:
            solved += 1
    return solved


@kernel
def _zero(vector):
    fill(0.0, vector)


def _scratch(problem: ForceSharing) -> tuple[Floats, Floats, Floats]:
    return np.zeros(problem.tau.size), np.zeros(problem.weight.size), np.zeros(problem.tau.size)


def neighbours(problem: ForceSharing, count: int, seed: int = 0) -> Floats:
    """Moments (count, nu) of problems that differ from this one by 5 % noise [N m]."""
    noise = np.random.default_rng(seed).normal(size=(count, problem.tau.size))
    return problem.tau * (1.0 + NOISE * noise)


def multipliers(problem: ForceSharing, taus: Floats) -> Floats:
    """Multipliers (k, nu) of the neighbouring problems that have a solution."""
    data = data_of(problem)
    found = []
    for tau in taus:
        multiplier, activation, missing = _scratch(problem)
        if solve(data, tau, multiplier, activation, missing) == SOLVED:
            found.append(multiplier)
    return np.array(found)


def _repeated(problem: ForceSharing, starts: Floats) -> Run:
    data, taus = data_of(problem), problem.tau[None].copy()
    multiplier, activation, missing = _scratch(problem)

    def run():
        if solve_many(data, taus, starts, CALLS, multiplier, activation, missing) < CALLS:
            activation[:] = np.nan
        return activation

    return run


def cold(problem: ForceSharing) -> Run:
    """The problem again and again, from multipliers of zero."""
    return _repeated(problem, np.zeros((1, problem.tau.size)))


def warm(problem: ForceSharing) -> Run:
    """The problem again and again, each time from the solution of another neighbour."""
    return _repeated(problem, multipliers(problem, neighbours(problem, NEIGHBOURS)))


def from_python(problem: ForceSharing) -> Run:
    """One cold solution per call from Python, as the peers are called."""
    data = data_of(problem)
    multiplier, activation, missing = _scratch(problem)

    def run():
        _zero(multiplier)
        solve(data, problem.tau, multiplier, activation, missing)
        return activation

    return run


COLD = Peer("spinesim", "cold, in compiled code", cold, "spinesim", count=CALLS)
WARM = Peer("spinesim", "warm, in compiled code", warm, "spinesim", count=CALLS)
PEERS = (COLD, WARM, Peer("spinesim", "cold, called from Python", from_python, "spinesim"))

#: Solvers of the problem with stability. Empty while the balance kernel takes no inequality rows.
STABLE: tuple[Peer, ...] = ()


class Throughput(NamedTuple):
    """Neighbouring problems solved on several threads."""

    rate: float  #: solved per second
    share: float  #: solved of all that were tried
    cores: float  #: processor time over wall time: what the rest of the machine left to the threads


def throughput(problem: ForceSharing, *, start: str, count: int, threads: int) -> Throughput:
    """Solve ``count`` neighbouring problems on each of several threads.

    ``start`` is "cold", from zero, or "warm", from the multipliers of the problem itself. Problems found infeasible
    count in the time and not among the solved.
    """
    data = data_of(problem)
    starts = np.zeros((1, problem.tau.size)) if start == "cold" else multipliers(problem, problem.tau[None])
    taus = [neighbours(problem, count, seed) for seed in range(1, threads + 1)]

    def work(mine: Floats) -> int:
        return solve_many(data, mine, starts, count, *_scratch(problem))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: work(taus[0][:1]), range(threads)))  # threads are up before the clock starts
        begin, used = time.perf_counter(), time.process_time()
        solved = sum(pool.map(work, taus))
        elapsed, used = time.perf_counter() - begin, time.process_time() - used
    return Throughput(solved / elapsed, solved / (count * threads), used / elapsed)


def postures_near(held: Held, count: int = NEIGHBOURS) -> Floats:
    """Free coordinates (count, nu) near a posture, so that no engine can reuse what it knows [rad]."""
    return held.free + np.random.default_rng(0).normal(scale=1e-3, size=(count, held.free.size))


def frame(held: Held, problem: ForceSharing) -> Run:
    """A whole frame, from the posture to the activations, again and again from a cold start."""
    stance, data = held.packed.arrays, data_of(problem)
    mine = data._replace(columns=held.work.columns, first=stance.column_first, last=stance.column_last)
    multiplier, activation, missing = _scratch(problem)
    free = held.free[None].copy()

    def run():
        arrays = held.packed.packed.arrays
        solved = frames(arrays, stance, held.cases, free, CALLS, mine, held.work, multiplier, activation, missing)
        if solved < CALLS:
            activation[:] = np.nan
        return activation

    return run


def configure_in_turn(held: Held, free: Floats) -> tuple[Callable[[], None], int]:
    """Kinematics, lengths, arms, forces and all moments, in compiled code; and how many postures one call takes."""
    arrays, stance = held.packed.packed.arrays, held.packed.arrays
    return partial(configure_many, arrays, stance, held.cases, free, CALLS, held.work), CALLS
