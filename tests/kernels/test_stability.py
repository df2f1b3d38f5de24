"""Stiffness as a linear function of the activations, and the least effort that is also stable."""

import clarabel
import numpy as np
import pytest
from scipy import sparse

from spinesim.kernels.balance import INFEASIBLE, MAX_ROWS, NOT_CONVERGED, SOLVED, UNSTABLE, Sharing, balance
from spinesim.kernels.stability import (
    FOUND_MARGIN_TOLERANCE,
    MARGIN_TOLERANCE,
    stabilise,
    stiffness_shapes,
    turn_cut,
    weakest,
)
from spinesim.kernels.work import workspace
from spinesim.outputs import empty_outputs
from spinesim.solve import make_task, run_chain
from tests.kernels.scene import random_free, scene
from tests.kernels.sharing import clarabel_settings, problem_of, random_settings

SETTINGS = {"load.hand.right": 6, "tightness.hip_flexors": 10, "muscle.short_range": 12, "disc.preload": 200}


def stiffness(s, activation):
    """K over the stable coordinates by the tangent."""
    return s.tangent(activation, short_range=True)[np.ix_(s.stance.stable, s.stance.stable)]


@pytest.mark.parametrize(("stance", "seed"), [("standing", 0), ("sitting", 1), ("forward_bend", 2)])
def test_shapes__are_the_change_of_the_tangent_by_each_activation(adult, stance, seed):
    s = scene(adult, stance, SETTINGS)
    s.configure(random_free(s, np.random.default_rng(seed), 0.7))
    base, shapes = s.shapes()
    none = np.zeros(s.stance.cost.size)
    assert base == pytest.approx(stiffness(s, none), abs=1e-12 * np.abs(base).max())
    for i in range(none.size):
        change = stiffness(s, np.eye(none.size)[i]) - base
        # the difference of two stiffnesses keeps ten digits of them
        scale = max(np.abs(base).max(), np.abs(change).max())
        assert shapes[i] == pytest.approx(change, abs=1e-10 * scale), i
    assert not shapes[s.n :].any()  # ideal actuators have no stiffness
    assert np.abs(shapes[s.model.pressure_line]).max() > 1.0  # its push along a turning line has


@pytest.mark.parametrize("seed", range(3))
def test_shapes__sum_up_to_the_tangent(adult, seed):
    s = scene(adult, settings=SETTINGS)
    rng = np.random.default_rng(seed)
    s.configure(random_free(s, rng, 0.5))
    activation = rng.uniform(0.0, 1.0, s.stance.cost.size)
    base, shapes = s.shapes()
    expected = stiffness(s, activation)
    assert base + np.tensordot(activation, shapes, 1) == pytest.approx(expected, abs=1e-12 * np.abs(expected).max())


class Pendulum:
    """A rod of mass m with its centre at height h over a hinge, and a muscle on either side.

    Each runs from the ground, a distance d beside the hinge, to the rod at height b. With the rod upright its length is
    L = sqrt(b^2 + d^2), its arm r = b d / L, its second derivative L'' = -r^2 / L, for L^2 = b^2 + d^2 - 2 b d sin x.
    The stiffness is K = -m g h + sum a F (L'' + kappa r^2 / L).
    """

    weight, height, beside, on_rod, force, kappa = 40.0 * 9.81, 0.4, 0.05, 0.3, 900.0, 20.0

    def __init__(self, adult, cost):
        s = scene(adult)
        length = np.hypot(self.on_rod, self.beside)
        self.arm = self.on_rod * self.beside / length
        self.each = self.force * (self.kappa - 1.0) * self.arm**2 / length
        self.fall = self.weight * self.height
        self.stance = s.stance._replace(
            n_free=1,
            stable=np.array([0]),
            lateral=np.array([True]),
            actuator_moment=np.zeros((0, 1)),
            cost=np.array(cost, dtype=np.float64),
        )
        self.work = workspace(s.model._replace(max_force=s.model.max_force[:2].copy(), pressure_line=-1), self.stance)
        self.work.base[:] = -self.fall
        self.work.shape[:, 0] = self.each
        self.work.columns[:, 0] = [self.force * self.arm, -self.force * self.arm]

    def solve(self, tau, margin):
        self.work.tau[0] = tau
        w = self.work
        problem = Sharing(
            w.columns, 2.0 * self.stance.cost, np.zeros(2), np.zeros(2), np.ones(2), w.tau, w.rows, w.bound
        )  # fmt: skip
        multiplier, missing, activation = np.zeros(1 + MAX_ROWS), np.zeros(1 + MAX_ROWS), np.empty(2)
        status, _ = balance(problem, 0, 0.0, 2.0, multiplier, activation, missing, w.room)
        assert status == SOLVED
        status, used, _ = stabilise(
            problem, 0, 0, 0.0, 2.0, margin, MARGIN_TOLERANCE, False, self.stance, w, multiplier, activation, missing
        )  # fmt: skip
        return status, activation, multiplier[: 1 + used]


@pytest.mark.parametrize("cost", [(1.0, 1.0), (0.5, 3.0)])
@pytest.mark.parametrize("tau", [0.0, 8.0, -5.0])
@pytest.mark.parametrize("margin", [0.0, 12.0])
def test_pendulum__least_effort_that_stands_has_a_closed_form(adult, cost, tau, margin):
    """a1 - a2 = tau / (F r) balances, a1 + a2 = (m g h + margin) / (F (kappa - 1) r^2 / L) holds it up."""
    p = Pendulum(adult, cost)
    together = (p.fall + margin) / p.each
    apart = tau / (p.force * p.arm)
    status, activation, multiplier = p.solve(tau, margin)
    expected = 0.5 * np.array([together + apart, together - apart])
    assert status == SOLVED
    assert expected.min() > 0.0
    assert expected.max() < 1.0
    assert activation == pytest.approx(expected, abs=2e-5 / p.each + 1e-12)  # margins are met to 1e-5
    # its price: d(sum v a^2)/d(margin) with a1 - a2 fixed is sum 2 v a (1/2) / each
    price = np.sum(2.0 * np.array(cost) * expected) / (2.0 * p.each)
    assert multiplier[1:].sum() == pytest.approx(price, rel=1e-5)


def test_pendulum__stands_by_itself_where_balance_is_stiff_enough(adult):
    p = Pendulum(adult, (1.0, 1.0))
    tau = 0.9 * p.force * p.arm
    status, activation, multiplier = p.solve(tau, 0.9 * p.each - p.fall - 1.0)
    assert status == SOLVED
    assert activation == pytest.approx([tau / (p.force * p.arm), 0.0], abs=1e-12)
    assert multiplier.size == 1  # no cut was needed


def test_pendulum__that_full_activation_cannot_hold_is_unstable(adult):
    p = Pendulum(adult, (1.0, 1.0))
    assert p.solve(0.0, 2.0 * p.each - p.fall - 1e-3)[0] == SOLVED
    assert p.solve(0.0, 2.0 * p.each - p.fall + 1e-3)[0] == UNSTABLE


def scaled_triangle(square):
    """Upper triangles of symmetric matrices (..., k, k) by columns, off-diagonal entries times sqrt 2."""
    k = square.shape[-1]
    column, row = np.tril_indices(k)
    return square[..., row, column] * np.where(row == column, 1.0, np.sqrt(2.0))


def by_semidefinite_cone(problem, base, shapes, margin):
    """Least cost with base + sum a K - margin I in the semidefinite cone, or None if that is infeasible."""
    m, ns = problem.weight.size, base.shape[0]
    one = sparse.identity(m)
    matrix = sparse.vstack([problem.columns.T, -problem.rows, -one, one, -scaled_triangle(shapes).T], format="csc")
    right = np.concatenate(
        [problem.tau, -problem.bound, -problem.lower, problem.upper, scaled_triangle(base - margin * np.eye(ns))]
    )
    cones = [
        clarabel.ZeroConeT(problem.tau.size),
        clarabel.NonnegativeConeT(problem.used + 2 * m),
        clarabel.PSDTriangleConeT(ns),
    ]
    cost = sparse.diags(problem.weight, format="csc")
    found = clarabel.DefaultSolver(cost, np.zeros(m), matrix, right, cones, clarabel_settings(1e-9)).solve()
    if found.status in (clarabel.SolverStatus.PrimalInfeasible, clarabel.SolverStatus.AlmostPrimalInfeasible):
        return None
    assert found.status in (clarabel.SolverStatus.Solved, clarabel.SolverStatus.AlmostSolved)
    return problem.cost(np.array(found.x))


def test_stable_balance__50_random_cases_equal_a_semidefinite_programme(adult):
    rng = np.random.default_rng(17)
    count = {SOLVED: 0, UNSTABLE: 0}
    cuts = edges = 0
    while sum(count.values()) < 50:
        stance = str(rng.choice(["standing", "sitting", "forward_bend"]))
        s = scene(adult, stance, random_settings(rng, 0.5) | {"muscle.short_range": rng.uniform(5, 40)})
        s.configure(random_free(s, rng, rng.uniform(0.0, 0.2)))
        margin = rng.uniform(-20.0, 150.0)
        status, activation, multiplier, used = s.stable_balance(margin)
        if status == INFEASIBLE:
            continue
        problem = problem_of(s)
        best = by_semidefinite_cone(problem, *s.shapes(), margin)
        if status == NOT_CONVERGED:  # known: within a few N m/rad of what muscles can give at all
            assert by_semidefinite_cone(problem, *s.shapes(), margin + 5.0) is None
            edges += 1
            continue
        count[status] += 1
        assert (best is None) == (status == UNSTABLE)
        if status == SOLVED:
            cuts += used - s.fixed
            least = np.linalg.eigvalsh(stiffness(s, activation))[0]
            assert least >= margin - 1.1 * MARGIN_TOLERANCE
            # the margin is met to its tolerance, and the cost to as much times its price
            owed = 1.1 * MARGIN_TOLERANCE * multiplier[s.stance.n_free + s.fixed :].sum()
            assert problem.cost(activation) == pytest.approx(best, rel=1e-6, abs=owed)
            if used > s.fixed:
                assert least == pytest.approx(margin, abs=1e-3)
    assert min(count.values()) >= 3  # both kinds are there
    assert cuts >= 50
    assert edges <= 3


@pytest.mark.parametrize("power", [1.5, 2.0, 3.0])
def test_stable_balance__cuts_and_moments_meet_the_conditions_of_optimality(adult, power):
    """For any power: with its cuts as rows the answer is optimal, and no other motion falls short."""
    s = scene(adult, settings={"load.hands": 5})
    s.configure(np.zeros(s.stance.n_free))
    status, activation, multiplier, used = s.stable_balance(8.0, power)
    assert status == SOLVED
    assert used > s.fixed
    assert np.linalg.eigvalsh(stiffness(s, activation))[0] == pytest.approx(8.0, abs=1.1 * MARGIN_TOLERANCE)
    problem = problem_of(s)
    problem.weight = power * s.stance.cost
    problem.rows, problem.bound = s.work.rows[:used].copy(), s.work.bound[:used].copy()
    base, shapes = s.shapes()
    for k in range(s.fixed, used):
        v = s.work.cuts[k]
        assert problem.rows[k] == pytest.approx(np.einsum("iab,a,b->i", shapes, v, v), abs=1e-9)
        assert problem.bound[k] == pytest.approx(8.0 - v @ base @ v, abs=1e-9)
    left = problem.asked - problem.forces.T @ activation
    assert np.abs(left[: s.stance.n_free]).max() <= 1e-7
    assert left[s.stance.n_free :].max() <= 1e-7
    assert multiplier[s.stance.n_free :].min() >= 0.0
    pull = problem.forces @ multiplier
    slope = problem.slope(activation, power) - pull
    inside = (activation > 0.0) & (activation < problem.upper)
    # the cost of power 3 is met through a shift of 1e-6 of the activation
    assert np.abs(slope[inside]).max() <= (1e-4 if power == 3.0 else 1e-9) * np.abs(pull).max()


def test_stable_balance__of_a_symmetric_posture_is_symmetric_with_its_cuts(adult):
    s = scene(adult, settings={"load.hands": 8, "strength.core": 0.7})
    free = random_free(s, np.random.default_rng(3), 0.2)
    free[s.stance.lateral] = 0.0
    s.configure(free)
    assert s.cases.symmetric[0]
    status, activation, _, used = s.stable_balance(20.0)
    assert status == SOLVED
    names = [m.name for m in adult.muscles]
    image = [names.index(n[:-2] + {"_r": "_l", "_l": "_r"}[n[-2:]]) for n in names]
    # two exact solves of mirrored problems; margins are met to 1e-5
    assert activation[: len(names)] == pytest.approx(activation[image], abs=1e-7)
    aside = s.stance.lateral[s.stance.stable]
    assert used - s.fixed >= 1
    for k in range(s.fixed, used):
        v = s.work.cuts[k]
        assert np.linalg.norm(v) == pytest.approx(1.0, abs=1e-12)
        assert min(np.abs(v[aside]).max(), np.abs(v[~aside]).max()) <= 1e-9  # within the plane or out of it


@pytest.mark.parametrize(
    ("stance", "posture", "margin"),
    [("standing", {}, True), ("standing", {"trunk_flexion": 10}, False), ("forward_bend", {"trunk_flexion": 25}, 15.0)],
)
def test_margin__reported_is_the_smallest_eigenvalue_and_its_mode(adult, stance, posture, margin):
    task = make_task(adult, stance, posture, "rhythm", stability=margin)
    settings = {"load.hand.left": 4.0}
    out, _ = run_chain(task, {name: np.array([v]) for name, v in settings.items()}, 1)
    assert out.status[0] == SOLVED
    s = scene(adult, stance, settings)
    s.configure(out.free[0])
    values, vectors = np.linalg.eigh(stiffness(s, out.activation[0]))
    assert out.smallest[0] == pytest.approx(values[0], abs=1e-9)
    mode = out.mode[0, s.stance.stable]
    assert abs(mode @ vectors[:, 0]) == pytest.approx(1.0, abs=1e-9)
    assert mode[np.abs(mode).argmax()] > 0.0
    assert not np.delete(out.mode[0], s.stance.stable).any()
    # co-contraction: what least effort in the same posture would not need
    s.configure(out.free[0])
    _, least, _, _ = s.balance(2.0 * s.stance.cost, np.zeros(s.stance.cost.size))
    assert out.least[0] == pytest.approx(least, abs=1e-9)


def test_weakest__of_a_stiffness_that_is_not_a_number_is_none(adult):
    s = scene(adult)
    mode = np.ones(s.stance.n_free)
    square = np.eye(s.stance.n_free)
    square[3, 3] = np.nan
    assert np.isnan(weakest(s.stance, square, mode))
    assert empty_outputs(s.model, s.stance, 1).mode.shape == (1, mode.size)


@pytest.mark.parametrize(
    ("stance", "settings", "margin", "modes"),
    [
        ("standing", {"load.hand.right": 6}, 0.0, 1),
        ("standing", {"strength.core": 0.5, "load.hand.left": 3}, 5.0, 1),
        ("sitting", {}, 5.0, 1),
        ("sitting", {"load.hand.right": 6}, 0.0, 1),
        ("standing", {}, 5.0, 2),  # the whole body forward and aside
    ],
)
def test_turn_cut__ends_with_the_mode_as_its_cut(adult, stance, settings, margin, modes):
    """`stabilise` leaves the only cut a little off the mode that it holds; turned, it is the mode."""
    s = scene(adult, stance, settings)
    nu, cost, fixed = s.stance.n_free, s.stance.cost, s.fixed
    s.configure(np.zeros(nu))
    multiplier, missing, activation = np.zeros(nu + MAX_ROWS), np.zeros(nu + MAX_ROWS), np.empty(cost.size)
    problem, symmetric = s.sharing(2.0 * cost, np.zeros(cost.size)), s.cases.symmetric[0]
    status, _ = balance(problem, fixed, 0.0, 2.0, multiplier, activation, missing, s.work.room)
    assert status == SOLVED
    stiffness_shapes(s.model, s.stance, s.cases, 0, s.work)
    base, shapes = s.shapes()
    status, used, _ = stabilise(
        problem, fixed, fixed, 0.0, 2.0, margin, FOUND_MARGIN_TOLERANCE, symmetric, s.stance, s.work, multiplier,
        activation, missing,
    )  # fmt: skip
    assert status == SOLVED
    before = activation.copy()
    status, used = turn_cut(
        problem,
        fixed,
        used,
        0.0,
        margin,
        FOUND_MARGIN_TOLERANCE,
        symmetric,
        s.stance,
        s.work,
        multiplier,
        activation,
        missing,
    )
    assert status == SOLVED
    assert used == fixed + modes
    values, vectors = np.linalg.eigh(base + np.tensordot(activation, shapes, 1))
    assert values[:modes] == pytest.approx(np.full(modes, margin), abs=1e-11 if modes == 1 else 2e-6)
    assert cost @ activation**2 == pytest.approx(cost @ before**2, rel=1e-5)
    if modes == 1:
        cut = s.work.cuts[fixed] * np.sign(s.work.cuts[fixed] @ vectors[:, 0])
        assert cut == pytest.approx(vectors[:, 0], abs=1e-8)
        assert np.abs(activation - before).max() > 1e-8
