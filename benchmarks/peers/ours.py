"""spinesim's own kernels, called many times inside compiled code."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks.peers.peer import Peer, Run
from benchmarks.peers.problem import ForceSharing, Held, Stability
from spinesim.kernels.arrays import Floats
from spinesim.kernels.balance import MAX_ROWS, SOLVED, Scratch, Sharing, balance, scratch
from spinesim.kernels.jit import kernel
from spinesim.kernels.stability import MARGIN_TOLERANCE, stabilise, stiffness_shapes
from spinesim.kernels.state import configure
from spinesim.kernels.vector import copy, fill

FEW = 8  # of the problem with stability, which takes longer
CALLS = 48  # solutions in one timed call: a few milliseconds, far above the resolution of the clock
NEIGHBOURS = 16
NOISE = 0.05  # standard deviation of a neighbouring problem's moments, relative to each moment


def data_of(problem: ForceSharing) -> Sharing:
    """The problem as the kernel takes it."""
    m, count = problem.rows.shape
    rows, bound = np.zeros((MAX_ROWS, m)), np.zeros(MAX_ROWS)
    rows[:count], bound[:count] = problem.rows.T, problem.bound
    zero = np.zeros(m)
    columns = np.ascontiguousarray(problem.columns)
    return Sharing(columns, problem.weight, zero, problem.lower, problem.upper, problem.tau, rows, bound)


@kernel
def solve(data, used, multiplier, activation, missing, room):
    """One force balance from given multipliers. This is the only call of the balance kernel here."""
    status, _ = balance(data, used, 0.0, 2.0, multiplier, activation, missing, room)
    return status


@kernel
def solve_many(data, used, taus, starts, count, multiplier, activation, missing, room):
    """Solve ``count`` problems one after another, taking moments and starts in turn; returns how many were solved."""
    solved = 0
    for k in range(count):
        copy(starts[k % starts.shape[0]], multiplier)
        copy(taus[k % taus.shape[0]], data.tau)
        if solve(data, used, multiplier, activation, missing, room) == SOLVED:
            solved += 1
    return solved


@kernel
def stabilise_many(data, fixed, margin, symmetric, stance, work, count, multiplier, activation, missing):
    """Balance and stabilise ``count`` times from a cold start; returns how many were solved, and the last's cuts."""
    solved, used = 0, fixed
    for _ in range(count):
        fill(0.0, multiplier)
        if solve(data, fixed, multiplier, activation, missing, work.room) != SOLVED:
            continue
        status, used, _ = stabilise(
            data, fixed, fixed, 0.0, 2.0, margin, MARGIN_TOLERANCE, symmetric, stance, work, multiplier, activation,
            missing,
        )  # fmt: skip
        if status == SOLVED:
            solved += 1
    return solved, used - fixed


@kernel
def configure_many(model, stance, case, free, count, work):
    """Move to ``count`` postures one after another, in turn."""
    for k in range(count):
        configure(model, stance, case, 0, free[k % free.shape[0]], work)


@kernel
def frames(model, stance, case, free, count, data, used, work, multiplier, activation, missing):
    """Move to ``count`` postures in turn and balance each from a cold start; ``data`` is on the arrays of ``work``."""
    solved = 0
    for k in range(count):
        configure(model, stance, case, 0, free[k % free.shape[0]], work)
        fill(0.0, multiplier)
        if solve(data, used, multiplier, activation, missing, work.room) == SOLVED:
            solved += 1
    return solved


@kernel
def _zero(vector):
    fill(0.0, vector)


def _answer(problem: ForceSharing) -> tuple[Floats, Floats, Floats]:
    """Multipliers, activations and what is missing."""
    size = problem.tau.size + MAX_ROWS
    return np.zeros(size), np.zeros(problem.weight.size), np.zeros(size)


def _room(problem: ForceSharing) -> Scratch:
    return scratch(problem.weight.size, problem.tau.size)


def neighbours(problem: ForceSharing, count: int, seed: int = 0) -> Floats:
    """Moments (count, nu) of problems that differ from this one by 5 % noise [N m]."""
    noise = np.random.default_rng(seed).normal(size=(count, problem.tau.size))
    return problem.tau * (1.0 + NOISE * noise)


def multipliers(problem: ForceSharing, taus: Floats) -> Floats:
    """Multipliers (k, nu + MAX_ROWS) of the neighbouring problems that have a solution."""
    data, room = data_of(problem), _room(problem)
    found = []
    for tau in taus:
        multiplier, activation, missing = _answer(problem)
        mine = data._replace(tau=tau.copy())
        if solve(mine, problem.bound.size, multiplier, activation, missing, room) == SOLVED:
            found.append(multiplier)
    return np.array(found)


def _repeated(problem: ForceSharing, starts: Floats) -> Run:
    data, taus, room = data_of(problem), problem.tau[None].copy(), _room(problem)
    data = data._replace(tau=problem.tau.copy())
    multiplier, activation, missing = _answer(problem)
    used = problem.bound.size

    def run():
        if solve_many(data, used, taus, starts, CALLS, multiplier, activation, missing, room) < CALLS:
            activation[:] = np.nan
        return activation

    return run


def cold(problem: ForceSharing) -> Run:
    """The problem again and again, from multipliers of zero."""
    return _repeated(problem, np.zeros((1, problem.tau.size + MAX_ROWS)))


def warm(problem: ForceSharing) -> Run:
    """The problem again and again, each time from the solution of another neighbour."""
    return _repeated(problem, multipliers(problem, neighbours(problem, NEIGHBOURS)))


def from_python(problem: ForceSharing) -> Run:
    """One cold solution per call from Python, as the peers are called."""
    data, room = data_of(problem), _room(problem)
    multiplier, activation, missing = _answer(problem)

    def run():
        _zero(multiplier)
        solve(data, problem.bound.size, multiplier, activation, missing, room)
        return activation

    return run


def stable(given: tuple[ForceSharing, Stability]) -> Run:
    """The problem with stability again and again, from multipliers of zero; stiffnesses are in memory, as for all."""
    problem, stiffness = given
    held = stiffness.held
    stance, work, used = held.packed.arrays, held.work, problem.bound.size
    held.configure(held.free)
    stiffness_shapes(held.packed.packed.arrays, stance, held.cases, 0, work)
    mine = Sharing(
        work.columns, problem.weight, np.zeros(problem.weight.size), problem.lower, problem.upper, work.tau, work.rows,
        work.bound,
    )  # fmt: skip
    multiplier, activation, missing = _answer(problem)
    symmetric = bool(held.cases.symmetric[0])

    def run():
        solved, _ = stabilise_many(
            mine, used, stiffness.margin, symmetric, stance, work, FEW, multiplier, activation, missing
        )
        if solved < FEW:
            activation[:] = np.nan
        return activation

    return run


COLD = Peer("spinesim", "cold, in compiled code", cold, "spinesim", count=CALLS)
WARM = Peer("spinesim", "warm, in compiled code", warm, "spinesim", count=CALLS)
PEERS = (COLD, WARM, Peer("spinesim", "cold, called from Python", from_python, "spinesim"))

#: Solvers of the problem with stability.
STABLE = (Peer("spinesim", "cold, in compiled code", stable, "spinesim", count=FEW),)


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
    empty = np.zeros((1, problem.tau.size + MAX_ROWS))
    starts = empty if start == "cold" else multipliers(problem, problem.tau[None])
    taus = [neighbours(problem, count, seed) for seed in range(1, threads + 1)]

    def work(mine: Floats) -> int:
        data = data_of(problem)._replace(tau=problem.tau.copy())
        return solve_many(data, problem.bound.size, mine, starts, count, *_answer(problem), _room(problem))

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
    stance, work = held.packed.arrays, held.work
    mine = data_of(problem)._replace(columns=work.columns, tau=work.tau)
    multiplier, activation, missing = _answer(problem)
    free = held.free[None].copy()

    def run():
        arrays = held.packed.packed.arrays
        used = problem.bound.size
        solved = frames(arrays, stance, held.cases, free, CALLS, mine, used, work, multiplier, activation, missing)
        if solved < CALLS:
            activation[:] = np.nan
        return activation

    return run


def configure_in_turn(held: Held, free: Floats) -> tuple[Callable[[], None], int]:
    """Kinematics, lengths, arms, forces and all moments, in compiled code; and how many postures one call takes."""
    arrays, stance = held.packed.packed.arrays, held.packed.arrays
    return partial(configure_many, arrays, stance, held.cases, free, CALLS, held.work), CALLS
