"""The force balance against closed forms, optimality conditions and other solvers."""

import itertools

import numpy as np
import piqp
import pytest
import quadprog
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, lsq_linear

from spinesim.kernels.balance import INFEASIBLE, NOT_CONVERGED, SOLVED, balance, least_missing, shortage_along
from spinesim.kernels.case import SOFTEST
from tests.kernels.scene import random_free, scene


class Problem:
    """minimise 1/2 sum w (a - t)^2 with C' a = tau and bounds."""

    def __init__(self, columns, tau, weight, target=None, lower=0.0, upper=1.0, first=None, last=None):
        self.columns = np.ascontiguousarray(columns, dtype=np.float64)
        m, nu = self.columns.shape
        self.tau = np.array(tau, dtype=np.float64)
        self.weight = np.broadcast_to(weight, m).astype(np.float64)
        self.target = np.zeros(m) if target is None else np.array(target, dtype=np.float64)
        self.lower = np.broadcast_to(lower, m).astype(np.float64)
        self.upper = np.broadcast_to(upper, m).astype(np.float64)
        self.first = np.zeros(m, dtype=np.int64) if first is None else first
        self.last = np.full(m, nu) if last is None else last

    def solve(self, multiplier=None, soft=0.0):
        """Status, activation, multiplier, missing of the kernel."""
        lam = np.zeros(self.tau.size) if multiplier is None else multiplier.copy()
        activation, missing = np.empty(self.weight.size), np.empty(self.tau.size)
        status, _ = balance(
            self.columns, self.first, self.last, self.weight, self.target, self.lower, self.upper, self.tau, soft,
            lam, activation, missing,
        )  # fmt: skip
        return status, activation, lam, missing

    def cost(self, activation):
        return 0.5 * self.weight @ (activation - self.target) ** 2

    def shortage(self, direction):
        """tau . d less the most that activations give along d, written out."""
        pull = self.columns @ direction
        return self.tau @ direction - np.where(pull > 0, self.upper, self.lower) @ pull

    def by_quadprog(self):
        """Optimal cost, or None if there is none."""
        m = self.weight.size
        rows = np.hstack([self.columns, np.eye(m), -np.eye(m)])
        bounds = np.concatenate([self.tau, self.lower, -self.upper])
        try:
            found = quadprog.solve_qp(np.diag(self.weight), self.weight * self.target, rows, bounds, self.tau.size)[0]
        except ValueError:  # its only complaint about a well-formed problem: the constraints are inconsistent
            return None
        return self.cost(found)

    def by_piqp(self):
        solver = piqp.DenseSolver()
        solver.settings.eps_abs = solver.settings.eps_duality_gap_abs = 1e-11
        solver.settings.eps_rel = solver.settings.eps_duality_gap_rel = 1e-12
        solver.setup(
            np.diag(self.weight), -self.weight * self.target, np.ascontiguousarray(self.columns.T), self.tau,
            None, None, None, self.lower, self.upper,
        )  # fmt: skip
        status = solver.solve()
        if status == piqp.PIQP_PRIMAL_INFEASIBLE:
            return None
        assert status == piqp.PIQP_SOLVED
        return self.cost(solver.result.x)

    def feasible(self):
        """By a linear programme."""
        status = linprog(
            np.zeros(self.weight.size), A_eq=self.columns.T, b_eq=self.tau, bounds=np.c_[self.lower, self.upper]
        ).status
        assert status in (0, 2)
        return status == 0

    def check_optimal(self, activation, multiplier):
        """Feasible, and no activation wants to move: the conditions of Karush, Kuhn and Tucker."""
        assert np.abs(self.tau - self.columns.T @ activation).max() <= 1e-6
        assert (activation >= self.lower).all()
        assert (activation <= self.upper).all()
        slope = self.weight * (activation - self.target) - self.columns @ multiplier
        scale = np.abs(self.columns @ multiplier).max() + self.weight.max()
        inside = (activation > self.lower) & (activation < self.upper)
        assert np.abs(slope[inside]).max(initial=0.0) <= 1e-9 * scale
        assert slope[(activation == self.lower) & (self.lower < self.upper)].min(initial=0.0) >= -1e-9 * scale
        assert slope[(activation == self.upper) & (self.lower < self.upper)].max(initial=0.0) <= 1e-9 * scale


def problem_of(s):
    """The force balance of a scene in the posture configured last."""
    return Problem(
        s.columns(), s.work.tau, 2.0 * s.stance.cost, None, s.cases.lower[0], s.cases.upper[0],
        s.stance.column_first, s.stance.column_last,
    )  # fmt: skip


def random_problem(adult, rng, heavy=1.0):
    settings = {
        "load.hands": rng.uniform(0, 25 * heavy),
        "load.hand.right": rng.uniform(0, 10 * heavy),
        "load.reach": rng.uniform(0, 0.4),
        "strength.erectors": rng.uniform(0.3, 3.0),
        "strength.core": rng.uniform(0.3, 3.0),
        "tone.gluteals": rng.uniform(0, 0.05),
        "inhibition.psoas": rng.uniform(0.3, 1.0),
    }
    s = scene(adult, str(rng.choice(["standing", "sitting", "forward_bend"])), settings)
    s.configure(random_free(s, rng, rng.uniform(0.02, 0.4)))
    return problem_of(s)


def test_balance__two_muscle_lever_has_closed_form():
    """One joint, two muscles of moments M1, M2 and weights w1, w2: a_i = tau (M_i / w_i) / sum (M^2 / w)."""
    lever = Problem([[30.0], [20.0]], [12.0], [2.0, 1.0])
    status, activation, multiplier, _ = lever.solve()
    share = np.array([30.0 / 2.0, 20.0 / 1.0])
    expected = 12.0 * share / (share @ [30.0, 20.0])
    assert status == SOLVED
    assert activation == pytest.approx(expected, rel=1e-9)
    # the multiplier is the change of the least cost by the moment asked for
    assert multiplier[0] == pytest.approx(12.0 / (share @ [30.0, 20.0]), rel=1e-9)


def test_balance__a_muscle_at_its_bound_leaves_the_rest_to_the_other():
    lever = Problem([[30.0], [20.0]], [45.0], [2.0, 1.0])
    status, activation, _, _ = lever.solve()
    assert status == SOLVED
    assert activation == pytest.approx([25.0 / 30.0, 1.0], rel=1e-9)


def test_balance__antagonist_rests_and_tone_costs():
    pair = [[30.0], [-20.0]]
    _, activation, _, _ = Problem(pair, [12.0], 1.0).solve()
    assert activation == pytest.approx([0.4, 0.0], abs=1e-9)
    _, activation, _, _ = Problem(pair, [12.0], 1.0, lower=[0.0, 0.3]).solve()
    assert activation == pytest.approx([0.6, 0.3], abs=1e-9)


def test_balance__target_is_kept_where_it_balances():
    target = [0.1, 0.4]
    status, activation, multiplier, _ = Problem([[30.0], [-20.0]], [-5.0], 1.0, target).solve()
    assert status == SOLVED
    assert activation == pytest.approx(target, abs=1e-15)
    assert multiplier == pytest.approx([0.0], abs=1e-15)


@pytest.mark.parametrize(("tau", "missing"), [(50.1, 0.1), (-0.2, -0.2), (1000.0, 950.0)])
def test_balance__what_no_muscle_can_give_is_infeasible_with_its_shortage(tau, missing):
    lever = Problem([[30.0], [20.0]], [tau], 1.0)
    status, activation, _, _ = lever.solve()
    assert status == INFEASIBLE
    left = np.empty(1)
    proof = least_missing(
        lever.columns, lever.first, lever.last, lever.weight, lever.target, lever.lower, lever.upper, lever.tau,
        activation, left,
    )  # fmt: skip
    assert left[0] == pytest.approx(missing, rel=1e-3)
    assert proof == pytest.approx(abs(missing), rel=1e-3)


def test_balance__a_coordinate_without_muscles_must_need_none():
    columns = [[30.0, 0.0], [20.0, 0.0]]
    assert Problem(columns, [12.0, 0.0], 1.0).solve()[0] == SOLVED
    assert Problem(columns, [12.0, 0.1], 1.0).solve()[0] == INFEASIBLE


@pytest.mark.parametrize("where", ["columns", "tau", "weight", "target"])
def test_balance__nan_ends_as_not_converged(where):
    lever = Problem([[30.0], [20.0]], [12.0], 1.0)
    getattr(lever, where).flat[0] = np.nan
    assert lever.solve()[0] == NOT_CONVERGED


@settings(max_examples=60, phases=[Phase.generate])  # shrinking a failure takes longer than it helps
@given(
    st.lists(st.integers(-9, 9).filter(bool), min_size=8, max_size=8),
    st.lists(st.floats(0.05, 20.0), min_size=4, max_size=4),
    st.lists(st.floats(0.1, 0.9), min_size=4, max_size=4),
)
def test_balance__small_problems_equal_the_best_of_all_active_sets(columns, weight, balanced):
    """Four muscles, two joints: every choice of muscles on their bounds tried in turn."""
    columns = 5.0 * np.reshape(columns, (4, 2))
    small = Problem(columns, columns.T @ balanced, weight)
    best = np.inf
    for choice in itertools.product((0.0, 1.0, None), repeat=4):
        free = [i for i, c in enumerate(choice) if c is None]
        fixed = np.array([0.0 if c is None else c for c in choice])
        if len(free) < 2:
            if np.abs(columns.T @ fixed - small.tau).max() <= 1e-9:
                best = min(best, small.cost(fixed))
            continue
        inside = columns[free]
        gram = inside.T @ (inside / np.array(weight)[free, None])
        if np.linalg.cond(gram) > 1e10:
            continue
        fixed[free] = inside @ np.linalg.solve(gram, small.tau - columns.T @ fixed) / np.array(weight)[free]
        if (fixed > -1e-9).all() and (fixed < 1 + 1e-9).all():
            best = min(best, small.cost(fixed))
    status, activation, _, _ = small.solve()
    assert status == SOLVED
    assert small.cost(activation) == pytest.approx(best, rel=1e-7, abs=1e-9)


def test_balance__200_random_cases_equal_other_solvers(adult):
    rng = np.random.default_rng(99)
    solved = 0
    for case in range(200):
        problem = random_problem(adult, rng)
        status, activation, multiplier, _ = problem.solve()
        assert status in (SOLVED, INFEASIBLE)
        assert problem.feasible() == (status == SOLVED)
        others = [problem.by_piqp()]
        if case % 5 == 0:  # an exact active-set method, ten times slower
            others.append(problem.by_quadprog())
        if status == SOLVED:
            solved += 1
            problem.check_optimal(activation, multiplier)
            for other in others:
                assert problem.cost(activation) == pytest.approx(other, rel=1e-8)
        else:
            assert others == [None] * len(others)
            # the multipliers have run off along a direction that proves it (Farkas)
            direction = multiplier / np.abs(multiplier).max()
            shortage = shortage_along(
                problem.columns, problem.first, problem.last, problem.lower, problem.upper, problem.tau, direction
            )
            assert shortage == pytest.approx(problem.shortage(direction), rel=1e-9, abs=1e-9)
            assert shortage > 0.0
    assert 60 <= solved <= 180  # both kinds are there


def test_least_missing__is_the_nearest_moment_and_its_own_proof(adult):
    rng = np.random.default_rng(4)
    found = 0
    while found < 60:
        problem = random_problem(adult, rng, heavy=3.0)
        if problem.feasible():
            continue
        found += 1
        activation, missing = np.empty(problem.weight.size), np.empty(problem.tau.size)
        proof = least_missing(
            problem.columns, problem.first, problem.last, problem.weight, problem.target, problem.lower, problem.upper,
            problem.tau, activation, missing,
        )  # fmt: skip
        norm = np.linalg.norm(missing)
        assert missing == pytest.approx(problem.tau - problem.columns.T @ activation, rel=1e-6, abs=1e-5)
        assert proof == pytest.approx(problem.shortage(missing / norm), rel=1e-9)
        # no activations leave less than the proof; effort has a small price, so it is not quite the norm
        assert 0.9 * norm <= proof <= norm
        if found <= 5:
            nearest = lsq_linear(
                problem.columns.T, problem.tau, (problem.lower - 1e-12, problem.upper), method="bvls", tol=1e-12
            )
            assert proof <= np.linalg.norm(nearest.fun) * (1.0 + 1e-6)
            assert np.linalg.norm(nearest.fun) <= norm * (1.0 + 1e-6)


def test_balance__soft_trades_missing_moment_for_effort(adult):
    """1/2 sum w (a - t)^2 + |missing|^2 / (2 soft), with missing = soft * multiplier, against a quadratic programme."""
    rng = np.random.default_rng(12)
    for soft in (SOFTEST, SOFTEST, 1e-2, 1.0):
        problem = random_problem(adult, rng, heavy=2.0)
        status, activation, multiplier, _ = problem.solve(soft=soft)
        assert status == SOLVED
        missing = problem.tau - problem.columns.T @ activation
        assert missing == pytest.approx(soft * multiplier, rel=1e-6, abs=1e-6)
        nu = problem.tau.size
        wider = Problem(
            np.vstack([problem.columns, np.eye(nu)]),
            problem.tau,
            np.concatenate([problem.weight, np.full(nu, 1.0 / soft)]),
            lower=np.concatenate([problem.lower, np.full(nu, -1e4)]),
            upper=np.concatenate([problem.upper, np.full(nu, 1e4)]),
        )
        assert problem.cost(activation) + missing @ missing / (2 * soft) == pytest.approx(wider.by_piqp(), rel=1e-7)


def test_balance__warm_equals_cold(adult):
    rng = np.random.default_rng(21)
    checked = 0
    while checked < 20:
        problem = random_problem(adult, rng, heavy=0.3)
        status, cold, multiplier, _ = problem.solve()
        if status != SOLVED:
            continue
        checked += 1
        for start in (
            multiplier,
            multiplier * rng.uniform(0.5, 1.5, multiplier.size),
            rng.normal(size=multiplier.size),
        ):
            status, warm, again, _ = problem.solve(start)
            assert status == SOLVED
            # the cost is strictly convex, so the activations are unique
            assert warm == pytest.approx(cold, abs=1e-8)
            problem.check_optimal(warm, again)


def test_balance__multiplier_is_the_price_of_a_newton_metre(adult):
    rng = np.random.default_rng(30)
    problem = random_problem(adult, rng, heavy=0.2)
    status, _, multiplier, _ = problem.solve()
    assert status == SOLVED
    probe, tau = 1e-4, problem.tau.copy()
    for j in range(tau.size):
        costs = []
        for sign in (1, -1):
            problem.tau = tau + sign * probe * np.eye(tau.size)[j]
            costs.append(problem.cost(problem.solve()[1]))
        assert (costs[0] - costs[1]) / (2 * probe) == pytest.approx(multiplier[j], abs=1e-4 * np.abs(multiplier).max())


def test_balance__near_the_edge_of_strength(adult):
    """A load a little below what the muscles can hold is balanced, a little above it is not."""
    s = scene(adult, "standing", {"load.hands": 10.0, "load.reach": 0.4})
    s.configure(random_free(s, np.random.default_rng(2), 0.1))
    problem = problem_of(s)
    # the longest multiple of the moments that can be given, by a linear programme
    most = linprog(
        np.append(np.zeros(problem.weight.size), -1.0),
        A_eq=np.hstack([problem.columns.T, -problem.tau[:, None]]),
        b_eq=np.zeros(problem.tau.size),
        bounds=[*np.c_[problem.lower, problem.upper], (0.0, None)],
    )
    assert most.status == 0
    edge, tau = -most.fun, problem.tau
    for below in (1e-2, 1e-3, 1e-4, 1e-5):
        problem.tau = tau * edge * (1.0 - below)
        status, activation, multiplier, _ = problem.solve()
        assert status == SOLVED
        problem.check_optimal(activation, multiplier)
    for above in (1e-3, 1e-2, 0.1, 1.0):
        problem.tau = tau * edge * (1.0 + above)
        assert problem.solve()[0] == INFEASIBLE
