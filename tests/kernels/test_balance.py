"""The force balance against closed forms, optimality conditions and other solvers."""

import itertools

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, lsq_linear

from spinesim.kernels.balance import INFEASIBLE, NOT_CONVERGED, SOLVED
from spinesim.kernels.case import SOFTEST
from tests.kernels.scene import random_free, scene
from tests.kernels.sharing import Problem, problem_of, random_problem


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
    status, _, _, _ = lever.solve()
    assert status == INFEASIBLE
    proof, _, left = lever.least_missing()
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


def test_balance__1000_random_cases_equal_other_solvers(adult):
    """Two interior point methods of different kind for all, an exact active-set method for some; who finds no balance
    is right by a linear programme, and by the direction (Farkas) that the multipliers have run off along."""
    rng = np.random.default_rng(99)
    solved = 0
    for case in range(1000):
        problem = random_problem(adult, rng, heavy=1.0 + 3.0 * (case % 2))
        status, activation, multiplier, _ = problem.solve()
        assert status in (SOLVED, INFEASIBLE), case
        assert problem.feasible() == (status == SOLVED), case
        if status == SOLVED:
            solved += 1
            problem.check_optimal(activation, multiplier)
            others = [problem.by_piqp(), problem.by_clarabel()]
            if case % 50 == 0:
                others.append(problem.by_quadprog())
            for other in others:
                assert problem.cost(activation) == pytest.approx(other, rel=1e-8), case
        else:
            direction = multiplier / np.abs(multiplier).max()
            shortage = problem.shortage_along(direction)
            assert shortage == pytest.approx(problem.shortage(direction), rel=1e-9, abs=1e-9)
            assert shortage > 0.0
    assert 300 <= solved <= 950  # both kinds are there


def test_least_missing__is_the_nearest_moment_and_its_own_proof(adult):
    rng = np.random.default_rng(4)
    found = 0
    while found < 60:
        problem = random_problem(adult, rng, heavy=3.0)
        if problem.feasible():
            continue
        found += 1
        proof, activation, missing = problem.least_missing()
        norm = np.linalg.norm(missing)
        nu = problem.tau.size
        left = problem.asked - problem.forces.T @ activation
        left[nu:] = np.maximum(left[nu:], 0.0)  # a row more than met is not missed
        assert missing == pytest.approx(left, rel=1e-6, abs=1e-5)
        assert proof == pytest.approx(problem.shortage(missing / norm), rel=1e-9)
        # no activations leave less than the proof; effort has a small price, so it is not quite the norm
        assert 0.9 * norm <= proof <= norm
        if found <= 5:
            spare = np.vstack([np.zeros((nu, problem.used)), -np.eye(problem.used)])  # by which rows are more than met
            m = problem.weight.size
            low, high = np.zeros(m + problem.used), np.full(m + problem.used, np.inf)
            low[:m], high[:m] = problem.lower - 1e-12, problem.upper
            nearest = lsq_linear(
                np.hstack([problem.forces.T, spare]), problem.asked, (low, high), method="bvls", tol=1e-12
            )  # fmt: skip
            assert proof <= np.linalg.norm(nearest.fun) * (1.0 + 1e-6)
            assert np.linalg.norm(nearest.fun) <= norm * (1.0 + 1e-6)


def test_balance__soft_trades_missing_moment_for_effort(adult):
    """1/2 sum w (a - t)^2 + |missing|^2 / (2 soft), with missing = soft * multiplier, against a quadratic programme."""
    rng = np.random.default_rng(12)
    for soft in (SOFTEST, SOFTEST, 1e-2, 1.0):
        problem = random_problem(adult, rng, heavy=2.0)
        status, activation, multiplier, _ = problem.solve(soft=soft)
        assert status == SOLVED
        nu, used = problem.tau.size, problem.used
        missing = problem.asked - problem.forces.T @ activation
        missing[nu:] = np.maximum(missing[nu:], 0.0)
        assert missing == pytest.approx(soft * multiplier, rel=1e-6, abs=1e-6)
        wider = Problem(
            np.vstack([problem.columns, np.eye(nu), np.zeros((used, nu))]),
            problem.tau,
            np.concatenate([problem.weight, np.full(nu + used, 1.0 / soft)]),
            lower=np.concatenate([problem.lower, np.full(nu, -1e4), np.zeros(used)]),
            upper=np.concatenate([problem.upper, np.full(nu + used, 1e4)]),
            rows=np.hstack([problem.rows, np.zeros((used, nu)), np.eye(used)]),
            bound=problem.bound,
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
        A_ub=np.hstack([-problem.rows, np.zeros((problem.used, 1))]),
        b_ub=-problem.bound,
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
