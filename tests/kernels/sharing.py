"""Force sharing as plain matrices: the kernel, its conditions of optimality written out, and other solvers."""

from __future__ import annotations

import clarabel
import numpy as np
import piqp
import quadprog
from scipy import sparse
from scipy.optimize import linprog

from spinesim.kernels.balance import MAX_ROWS, Sharing, balance, certificate, least_missing, scratch, shortage_along
from tests.kernels.scene import random_free, scene

INFINITE = 1e30
QUADRATIC, WORST = 2.0, 0.0


class Problem:
    """minimise the cost of a subject to C' a = tau, rows a >= bound and lower <= a <= upper.

    The cost is 1/2 sum w (a - t)^2 for power 2, sum w a^p / p for another power, max a for power 0.
    """

    def __init__(self, columns, tau, weight, target=None, lower=0.0, upper=1.0, rows=None, bound=()):
        self.columns = np.ascontiguousarray(columns, dtype=np.float64)
        m, _ = self.columns.shape
        self.tau = np.array(tau, dtype=np.float64)
        self.weight = np.broadcast_to(weight, m).astype(np.float64)
        self.target = np.zeros(m) if target is None else np.array(target, dtype=np.float64)
        self.lower = np.broadcast_to(lower, m).astype(np.float64)
        self.upper = np.broadcast_to(upper, m).astype(np.float64)
        self.rows = np.zeros((0, m)) if rows is None else np.array(rows, dtype=np.float64).reshape(-1, m)
        self.bound = np.array(bound, dtype=np.float64)
        self.room = scratch(m, self.tau.size)

    @property
    def used(self):
        """Number of inequality rows."""
        return self.bound.size

    @property
    def asked(self):
        """Moments and bounds of the rows in one."""
        return np.concatenate([self.tau, self.bound])

    @property
    def forces(self):
        """(m, nu + used) what every activation gives to them."""
        return np.hstack([self.columns, self.rows.T])

    # the kernels

    def sharing(self):
        m = self.weight.size
        rows, bound = np.zeros((MAX_ROWS, m)), np.zeros(MAX_ROWS)
        rows[: self.used], bound[: self.used] = self.rows, self.bound
        return Sharing(self.columns, self.weight, self.target, self.lower, self.upper, self.tau, rows, bound)

    def _padded(self, multiplier):
        full = np.zeros(self.tau.size + MAX_ROWS)
        full[: multiplier.size] = multiplier
        return full

    def solve(self, multiplier=None, soft=0.0, power=QUADRATIC):
        """Status, activation, multiplier, missing of the kernel."""
        size = self.tau.size + self.used
        lam = self._padded(np.zeros(size) if multiplier is None else multiplier)
        activation, missing = np.empty(self.weight.size), np.zeros(lam.size)
        status, _ = balance(self.sharing(), self.used, soft, power, lam, activation, missing, self.room)
        return status, activation, lam[:size], missing[:size]

    def certificate(self, activation, multiplier, power=QUADRATIC):
        """Residual, stationarity, complementarity and gap by the kernel, after `solve`."""
        return certificate(self.sharing(), self.used, power, self._padded(multiplier), activation, self.room)

    def shortage_along(self, direction):
        return shortage_along(self.sharing(), self.used, self._padded(direction))

    def least_missing(self):
        """Proof, activation and what is missing."""
        size = self.tau.size + self.used
        activation, missing, multiplier = (
            np.empty(self.weight.size),
            self._padded(np.zeros(0)),
            self._padded(np.zeros(0)),
        )
        proof = least_missing(self.sharing(), self.used, activation, missing, multiplier, self.room)
        return proof, activation, missing[:size]

    # written out

    def cost(self, activation, power=QUADRATIC):
        if power == WORST:
            return activation.max()
        if power == QUADRATIC:
            return 0.5 * self.weight @ (activation - self.target) ** 2
        return self.weight @ activation**power / power

    def slope(self, activation, power=QUADRATIC):
        """Change of the cost by every activation."""
        if power == QUADRATIC:
            return self.weight * (activation - self.target)
        return self.weight * activation ** (power - 1.0)

    def shortage(self, direction):
        """What is asked along a direction (rows not against their sense) less the most that activations give."""
        assert (direction[self.tau.size :] >= 0.0).all()
        pull = self.forces @ direction
        return self.asked @ direction - np.where(pull > 0, self.upper, self.lower) @ pull

    def check_optimal(self, activation, multiplier, power=QUADRATIC):
        """Feasible, and no activation wants to move: the conditions of Karush, Kuhn and Tucker."""
        left = self.asked - self.forces.T @ activation
        price = multiplier[self.tau.size :]
        assert np.abs(left[: self.tau.size]).max() <= 1e-6
        assert left[self.tau.size :].max(initial=0.0) <= 1e-6
        assert price.min(initial=0.0) >= 0.0
        assert np.abs(price * left[self.tau.size :]).max(initial=0.0) <= 1e-6 * max(1.0, price.max(initial=0.0))
        assert (activation >= self.lower).all()
        assert (activation <= self.upper).all()
        pull = self.forces @ multiplier
        slope = self.slope(activation, power) - pull
        scale = np.abs(pull).max() + self.weight.max()
        inside = (activation > self.lower) & (activation < self.upper)
        assert np.abs(slope[inside]).max(initial=0.0) <= 1e-9 * scale
        assert slope[(activation == self.lower) & (self.lower < self.upper)].min(initial=0.0) >= -1e-9 * scale
        assert slope[(activation == self.upper) & (self.lower < self.upper)].max(initial=0.0) <= 1e-9 * scale

    # other solvers

    def by_quadprog(self):
        """Optimal cost by an exact active-set method, or None if there is none."""
        m = self.weight.size
        matrix = np.hstack([self.columns, self.rows.T, np.eye(m), -np.eye(m)])
        bounds = np.concatenate([self.asked, self.lower, -self.upper])
        try:
            found = quadprog.solve_qp(np.diag(self.weight), self.weight * self.target, matrix, bounds, self.tau.size)[0]
        except ValueError:  # its only complaint about a well-formed problem: the constraints are inconsistent
            return None
        return self.cost(found)

    def by_piqp(self):
        """Optimal cost by a proximal interior point method, or None if there is none."""
        solver = piqp.SparseSolver()
        solver.settings.eps_abs = solver.settings.eps_duality_gap_abs = 1e-11
        solver.settings.eps_rel = solver.settings.eps_duality_gap_rel = 1e-12
        rows = (None, None, None)
        if self.used:
            rows = (sparse.csc_matrix(self.rows), self.bound, np.full(self.used, INFINITE))
        solver.setup(
            sparse.diags(self.weight, format="csc"), -self.weight * self.target, sparse.csc_matrix(self.columns.T),
            self.tau, *rows, self.lower, self.upper,
        )  # fmt: skip
        status = solver.solve()
        if status == piqp.PIQP_PRIMAL_INFEASIBLE:
            return None
        assert status == piqp.PIQP_SOLVED
        return self.cost(np.array(solver.result.x))

    def by_clarabel(self):
        """Optimal cost by an interior point method on the homogeneous embedding, or None if there is none."""
        m = self.weight.size
        one = sparse.identity(m)
        matrix = sparse.vstack([self.columns.T, -self.rows, -one, one], format="csc")
        right = np.concatenate([self.tau, -self.bound, -self.lower, self.upper])
        cones = [clarabel.ZeroConeT(self.tau.size), clarabel.NonnegativeConeT(self.used + 2 * m)]
        solver = clarabel.DefaultSolver(
            sparse.diags(self.weight, format="csc"), -self.weight * self.target, matrix, right, cones,
            clarabel_settings(1e-11),
        )  # fmt: skip
        found = solver.solve()
        if found.status == clarabel.SolverStatus.PrimalInfeasible:
            return None
        assert found.status in (clarabel.SolverStatus.Solved, clarabel.SolverStatus.AlmostSolved)
        return self.cost(np.array(found.x))

    def feasible(self):
        """By a linear programme."""
        status = linprog(
            np.zeros(self.weight.size), A_ub=-self.rows, b_ub=-self.bound, A_eq=self.columns.T, b_eq=self.tau,
            bounds=np.c_[self.lower, self.upper],
        ).status  # fmt: skip
        assert status in (0, 2)
        return status == 0

    def least_worst(self):
        """The least largest activation, by a linear programme."""
        m = self.weight.size
        most = sparse.hstack([sparse.identity(m), -np.ones((m, 1))])
        rows = sparse.hstack([sparse.csc_matrix(-self.rows), sparse.csc_matrix((self.used, 1))])
        found = linprog(
            np.append(np.zeros(m), 1.0), A_ub=sparse.vstack([most, rows], format="csc"),
            b_ub=np.concatenate([np.zeros(m), -self.bound]),
            A_eq=np.hstack([self.columns.T, np.zeros((self.tau.size, 1))]), b_eq=self.tau,
            bounds=[*np.c_[self.lower, self.upper], (None, None)], options={"primal_feasibility_tolerance": 1e-10},
        )  # fmt: skip
        assert found.status == 0
        return found.fun


def clarabel_settings(tolerance):
    """Quiet, one thread, all tolerances alike."""
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
    return settings


def problem_of(s):
    """The force balance of a scene in the posture configured last."""
    return Problem(
        s.columns(), s.work.tau, 2.0 * s.stance.cost, None, s.cases.lower[0], s.cases.upper[0],
        s.work.rows[: s.fixed].copy(), s.work.bound[: s.fixed].copy(),
    )  # fmt: skip


def random_settings(rng, heavy=1.0):
    """Load, strength, tightness, tone, inhibition and pressure at random."""
    return {
        "load.hands": rng.uniform(0, 25 * heavy),
        "load.hand.right": rng.uniform(0, 10 * heavy),
        "load.reach": rng.uniform(0, 0.4),
        "strength.erectors": rng.uniform(0.3, 3.0),
        "strength.core": rng.uniform(0.3, 3.0),
        "tightness.hip_flexors": rng.uniform(0, 25),
        "tone.gluteals": rng.uniform(0, 0.05),
        "inhibition.psoas": rng.uniform(0.3, 1.0),
        "iap.lowest": rng.choice([0.0, 0.0, 4.0]),
    }


def random_scene(adult, rng, heavy=1.0, share=(0.02, 0.4)):
    """A stance, settings and a posture at random."""
    stance = str(rng.choice(["standing", "sitting", "forward_bend"]))
    s = scene(adult, stance, random_settings(rng, heavy))
    s.configure(random_free(s, rng, rng.uniform(*share)))
    return s


def random_problem(adult, rng, heavy=1.0):
    return problem_of(random_scene(adult, rng, heavy))
