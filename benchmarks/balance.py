"""The force balance by itself, inside compiled code: cold, from a neighbour's multipliers, and with stability."""

import time

import numpy as np

import spinesim
from benchmarks.peers.ours import data_of, neighbours, solve_many, stabilise_many
from benchmarks.peers.problem import POSTURES, force_sharing, hold
from spinesim.kernels.balance import MAX_ROWS, Sharing, scratch
from spinesim.kernels.stability import stiffness_shapes

MARGIN = 10.0  # [N m/rad]


class _Balance:
    """A posture's problem, many times with 5 % noise on its moments."""

    params = ([100, 1000],)
    param_names = ("problems",)
    number = 1
    repeat = (3, 7, 10.0)
    warmup_time = 0.0
    warm = False

    def setup(self, problems):
        held = hold(spinesim.load_model("adult"), POSTURES[1])
        self.problem = force_sharing(held)
        self.data = data_of(self.problem)._replace(tau=self.problem.tau.copy())
        self.used = self.problem.bound.size
        m, nu = self.problem.columns.shape
        self.answer = np.zeros(nu + MAX_ROWS), np.zeros(m), np.zeros(nu + MAX_ROWS), scratch(m, nu)
        self.taus = neighbours(self.problem, problems)
        self.starts = np.zeros((1, nu + MAX_ROWS))
        self.solve(1)  # compiles the kernels
        if self.warm:
            self.solve_one(self.problem.tau)
            self.starts = self.answer[0][None].copy()

    def solve(self, count):
        return solve_many(self.data, self.used, self.taus, self.starts, count, *self.answer)

    def solve_one(self, tau):
        return solve_many(self.data, self.used, tau[None].copy(), self.starts, 1, *self.answer)

    def time_solve(self, problems):
        self.solve(problems)

    def track_microseconds_per_problem(self, problems):
        start = time.perf_counter()
        self.solve(problems)
        return 1e6 * (time.perf_counter() - start) / problems

    def track_share_solved(self, problems):
        return self.solve(problems) / problems

    def track_worst_residual(self, problems):
        worst = 0.0
        for tau in self.taus[:20]:
            if self.solve_one(tau):
                worst = max(worst, float(np.abs(self.problem.columns.T @ self.answer[1] - tau).max()))
        return worst

    track_microseconds_per_problem.unit = "us"
    track_share_solved.unit = "1"
    track_worst_residual.unit = "N m"
    for _tracked in (track_microseconds_per_problem, track_share_solved, track_worst_residual):
        _tracked.params = ([100],)


class BalanceCold(_Balance):
    """From multipliers of zero."""


class BalanceWarm(_Balance):
    """From the multipliers of the problem without noise."""

    warm = True


class BalanceStable:
    """With a margin of stability demanded, from multipliers of zero, stiffnesses in memory."""

    params = ([10, 100],)
    param_names = ("problems",)
    number = 1
    repeat = (3, 7, 10.0)
    warmup_time = 0.0

    def setup(self, problems):
        held = hold(spinesim.load_model("adult"), POSTURES[0])
        problem, work, stance = force_sharing(held), held.work, held.packed.arrays
        stiffness_shapes(held.packed.packed.arrays, stance, held.cases, 0, work)
        m, nu = problem.columns.shape
        data = Sharing(
            work.columns, problem.weight, np.zeros(m), problem.lower, problem.upper, work.tau, work.rows, work.bound
        )
        answer = np.zeros(nu + MAX_ROWS), np.zeros(m), np.zeros(nu + MAX_ROWS)
        self.solve = lambda count: stabilise_many(data, problem.bound.size, MARGIN, True, stance, work, count, *answer)
        self.solve(1)

    def time_solve(self, problems):
        self.solve(problems)

    def track_share_solved(self, problems):
        return self.solve(problems)[0] / problems

    def track_cuts(self, problems):
        return self.solve(1)[1]

    for _tracked in (track_share_solved, track_cuts):
        _tracked.params = ([10],)
    track_share_solved.unit = "1"
    track_cuts.unit = "1"
