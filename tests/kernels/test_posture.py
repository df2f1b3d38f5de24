"""The found posture: its goals, the gradient of its cost, and the optimum of a general solver."""

import numpy as np
import pytest
from scipy.optimize import minimize

from spinesim.kernels.alignment import trunk_angles
from spinesim.kernels.balance import SOLVED
from spinesim.kernels.case import solve_chain
from spinesim.kernels.posture import goals
from spinesim.outputs import empty_outputs
from spinesim.solve import make_task, run_chain
from tests.kernels.scene import differences, random_free, scene
from tests.kernels.sharing import Problem

SETTINGS = {"tightness.hip_flexors": 8, "load.hand.right": 4, "strength.gluteals": 0.8}


def goal(s, free):
    """Cost of leaving the goals and its gradient; the scene is left configured at ``free``."""
    gradient, curvature = np.empty(free.size), np.empty((free.size, free.size))
    carried = s.configure(free)
    return goals(s.model, s.stance, s.work, carried, gradient, curvature), gradient


def effort_weight(s):
    return s.stance.cost / s.stance.sigma_activation**2


def value(s, free):
    """Goals plus the least effort that balances the posture, and the gradient grad goals + K lambda."""
    cost, gradient = goal(s, free)
    weight = effort_weight(s)
    status, activation, multiplier, _ = s.balance(weight, s.stance.target)
    assert status == SOLVED
    cost += 0.5 * weight @ (activation - s.stance.target) ** 2
    return cost, gradient + s.tangent(activation) @ multiplier


def found(adult, settings, stance="standing", angles=None, stability=False):
    """Solve through the chain of stages: scene, free coordinates and activations."""
    task = make_task(adult, stance, angles, "find", stability=stability)
    out, _ = run_chain(task, {name: np.array([v], dtype=float) for name, v in settings.items()}, 1)
    assert out.status[0] == SOLVED
    held = {name: np.degrees(v) for name, v in task.angles.items()}
    return scene(adult, stance, settings, held), out.free[0], out.activation[0]


@pytest.mark.parametrize("stance", ["standing", "sitting"])
def test_goals__are_squares_of_what_is_missed(adult, anatomy, stance):
    s = scene(adult, stance, SETTINGS)
    free = random_free(s, np.random.default_rng(3))
    cost, gradient = goal(s, free)
    scatter, description = adult.scatter, adult.stances[stance]
    thorax = anatomy.pose(s.joints(free))[0]["thorax"]
    flexion = np.arctan2(thorax[0, 1], thorax[1, 1])
    turn = np.arctan2(-thorax[2, 0], thorax[2, 2])
    trunk = np.array([flexion - description.trunk_flexion, np.arcsin(thorax[2, 1]), turn])
    off = s.work.centre[[0, 2]] - s.stance.centre_target
    expected = 0.5 * off @ off / scatter.centre_of_mass**2 + 0.5 * trunk @ trunk / scatter.trunk**2
    assert cost == pytest.approx(expected, rel=1e-12)
    assert gradient == pytest.approx(differences(lambda u: goal(s, u)[0], free), rel=1e-6, abs=1e-4)


def test_goals__upright_aims_are_the_healthy_reference(adult):
    """Its activations, those of the stable balance, cost nothing and balance, so no moment has a price."""
    s = scene(adult)
    cost, gradient = goal(s, np.zeros(s.stance.n_free))
    assert cost == 0.0
    assert not gradient.any()
    status, activation, multiplier, _ = s.balance(effort_weight(s), s.stance.target)
    assert status == SOLVED
    assert activation == pytest.approx(s.stance.target, abs=1e-9)
    assert multiplier == pytest.approx(np.zeros(s.stance.n_free), abs=1e-6)


@pytest.mark.parametrize(("stance", "seed"), [("standing", 0), ("standing", 1), ("sitting", 2)])
def test_value__gradient_is_that_of_the_goals_plus_stiffness_times_multipliers(adult, stance, seed):
    s = scene(adult, stance, SETTINGS)
    free = random_free(s, np.random.default_rng(seed), 0.15)
    _, gradient = value(s, free)
    change = differences(lambda u: value(s, u)[0], free, 1e-6)
    assert gradient == pytest.approx(change, abs=1e-5 * np.abs(change).max())


@pytest.mark.parametrize(
    ("stance", "settings"),
    [
        ("standing", {"tightness.hip_flexors": 15}),
        ("standing", {"load.hand.right": 10, "strength.core": 0.6}),
        ("sitting", {}),
        ("sitting", {"tightness.hip_flexors.left": 20, "load.hand.left": 5}),
    ],
)
def test_posture__is_a_minimum(adult, stance, settings):
    """No gradient is left, and every small change of posture costs more."""
    s, free, _ = found(adult, settings, stance)
    least, gradient = value(s, free)
    assert np.abs(gradient).max() <= 1e-5
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-2):
        for _ in range(20):
            direction = rng.normal(size=free.size)
            assert value(s, free + size * direction / np.linalg.norm(direction))[0] > least


@pytest.mark.parametrize(
    ("stance", "settings"),
    [("standing", {"tightness.hip_flexors": 10}), ("standing", SETTINGS | {"stiffness.erectors": 2}), ("sitting", {})],
)
def test_posture__equals_a_general_solver_over_posture_and_activations(adult, stance, settings):
    """Sequential quadratic programming on all unknowns at once, from the reference posture, with the same physics."""
    s, free, activation = found(adult, settings, stance)
    general = General(s)
    other_free, other_activation, least = general.solve()
    assert value(s, free)[0] == pytest.approx(least, rel=1e-6)
    assert np.degrees(free - other_free) == pytest.approx(np.zeros(free.size), abs=0.02)
    assert activation == pytest.approx(other_activation, abs=2e-3)


class General:
    """Posture and activations at once by sequential quadratic programming (SLSQP).

    ``margin`` asks for K(u, a) >= margin: after every search the eigenvectors below it become rows v' K(u, a) v >=
    margin of the next, nonlinear in posture and activations, until none is below.
    """

    def __init__(self, s, margin=-np.inf):
        self.s, self.margin = s, margin
        self.nu, self.weight, self.target = s.stance.n_free, effort_weight(s), s.stance.target
        # makes all curvatures of order one
        self.scale = np.concatenate([np.full(self.nu, 0.02), 1.0 / np.sqrt(self.weight)])
        self.vectors = []

    def apart(self, x):
        return np.split(x * self.scale, [self.nu])

    def cost(self, x):
        free, activation = self.apart(x)
        off = activation - self.target
        goals_cost, gradient = goal(self.s, free)
        return goals_cost + 0.5 * self.weight @ off**2, np.concatenate([gradient, self.weight * off]) * self.scale

    def moments(self, x):
        return self.s.moments(*self.apart(x))

    def rates(self, x):
        self.moments(x)
        return np.hstack([-self.s.tangent(self.apart(x)[1]), self.s.columns().T]) * self.scale

    def pressure(self, x):
        fixed = self.s.fixed
        return self.s.work.rows[:fixed] @ self.apart(x)[1] - self.s.work.bound[:fixed]

    def pressure_rates(self, x):
        fixed = self.s.fixed
        return np.hstack([np.zeros((fixed, self.nu)), self.s.work.rows[:fixed]]) * self.scale

    def stiffness(self, free, activation):
        self.s.configure(free)
        base, shapes = self.s.shapes()
        return base + np.tensordot(activation, shapes, 1)

    def along(self, free, activation):
        """Stiffness along every vector."""
        square = self.stiffness(free, activation)
        return np.array([v @ square @ v for v in self.vectors])

    def cuts(self, x):
        return self.along(*self.apart(x)) - self.margin

    def cut_rates(self, x):
        free, activation = self.apart(x)
        by_free = differences(lambda u: self.along(u, activation), free)
        self.s.configure(free)
        _, shapes = self.s.shapes()
        return np.hstack([by_free, [np.einsum("iab,a,b->i", shapes, v, v) for v in self.vectors]]) * self.scale

    def solve(self, free=None):
        """Posture, activations and cost, from the reference or a posture given."""
        s, nu = self.s, self.nu
        free = np.zeros(nu) if free is None else free
        s.configure(free)
        _, first, _, _ = s.balance(self.weight, self.target)
        x = np.concatenate([free, first]) / self.scale
        low = np.concatenate([np.full(nu, -1.0), s.cases.lower[0]]) / self.scale
        high = np.concatenate([np.full(nu, 1.0), s.cases.upper[0]]) / self.scale
        for _ in range(40):
            rows = [{"type": "eq", "fun": self.moments, "jac": self.rates}]
            if s.fixed:
                rows.append({"type": "ineq", "fun": self.pressure, "jac": self.pressure_rates})
            if self.vectors:
                rows.append({"type": "ineq", "fun": self.cuts, "jac": self.cut_rates})
            result = minimize(
                self.cost, np.clip(x, low, high), jac=True, method="SLSQP", bounds=np.c_[low, high], constraints=rows,
                options={"ftol": 1e-12, "maxiter": 200},
            )  # fmt: skip
            assert result.success, result.message
            x = result.x
            if self.margin == -np.inf:
                break
            values, vectors = np.linalg.eigh(self.stiffness(*self.apart(x)))
            if values[0] >= self.margin - 1e-4:
                break
            self.vectors += [vectors[:, e] for e in np.flatnonzero(values < self.margin - 1e-4)]
        else:
            raise AssertionError("the general solver found no stable posture in 40 rounds")
        return *self.apart(x), result.fun


@pytest.mark.parametrize(
    ("stance", "angles"),
    [
        ("standing", {"anterior_pelvic_tilt": 8}),
        ("standing", {"trunk_flexion": 15, "trunk_bend": 4, "trunk_turn": -3}),
        ("standing", {"L4_L5.flexion": 3, "lumbar_flexion": 10}),
        ("standing", {"hip_flexion.left": 10}),
        ("standing", {"hip_flexion.left": 10, "hip_flexion.right": 10}),
        ("sitting", {"lumbar_flexion": 10}),
        ("forward_bend", {"trunk_flexion": 25}),
    ],
)
def test_posture__keeps_held_angles_exactly(adult, stance, angles):
    s, free, _ = found(adult, {}, stance, angles)
    assert missed(s, free) == pytest.approx(np.zeros(s.held.trunk.size), abs=1e-10)
    rows = differences(lambda u: missed(s, u), free)
    # the gradient has no part along directions that the held angles leave free
    _, gradient = value(s, free)
    prices = np.linalg.lstsq(rows.T, gradient, rcond=None)[0]
    assert np.abs(gradient - rows.T @ prices)[~s.stance.lateral].max() <= 1e-5


def missed(s, free):
    """By how much the held angles are missed [rad]."""
    s.configure(free)
    trunk = np.array(trunk_angles(s.work.turn[s.model.trunk_body]))
    linear = s.held.rows @ free
    return np.where(s.held.trunk >= 0, trunk[s.held.trunk], linear) - s.cases.held[0]


def test_posture__follows_from_any_start(adult):
    """The same optimum from starts a little away."""
    s, free, activation = found(adult, {"tightness.hip_flexors": 10})
    rng = np.random.default_rng(5)
    s.cases.symmetric[0] = False  # the starts are not
    for _ in range(3):
        start = free + np.radians(0.4) * rng.uniform(-1, 1, free.size)
        out = empty_outputs(s.model, s.stance, 1)
        solve_chain(s.model, s.stance, s.cases, s.held, True, 2.0, start[None], np.zeros(1), s.work, s.side, out)
        assert out.status[0] == SOLVED
        assert out.stationarity[0] <= 1e-6
        assert out.free[0] == pytest.approx(free, abs=1e-8)
        assert out.activation[0] == pytest.approx(activation, abs=1e-7)


# with stability

STABLE = [
    ("standing", {"load.hand.right": 5}, 5.0),
    ("standing", {"load.hands": 20}, 0.0),
    ("sitting", {}, 0.0),
]


def stable_problem(s, margin, vectors):
    """Force sharing in the posture configured last, with the stiffness along some vectors bounded from below."""
    base, shapes = s.shapes()
    rows = [np.einsum("iab,a,b->i", shapes, v, v) for v in vectors]
    fixed = s.fixed
    return Problem(
        s.columns(), s.work.tau, effort_weight(s), s.stance.target, s.cases.lower[0], s.cases.upper[0],
        np.array([*s.work.rows[:fixed], *rows]),
        [*s.work.bound[:fixed], *(margin - v @ base @ v for v in vectors)],
    )  # fmt: skip


@pytest.mark.parametrize(("stance", "settings", "margin"), STABLE)
def test_stable_posture__has_no_gradient_left_with_its_cuts(adult, stance, settings, margin):
    """phi(u), by balancing anew at each posture with the cuts of the answer, is flat there: central differences."""
    s, free, activation = found(adult, settings, stance, stability=margin)
    s.configure(free)
    base, shapes = s.shapes()
    values, vectors = np.linalg.eigh(base + np.tensordot(activation, shapes, 1))
    assert values[0] == pytest.approx(margin, abs=1e-4)  # it is what holds the posture up
    cuts = vectors[:, values < margin + 1e-3].T

    def phi(u):
        s.configure(u)
        problem = stable_problem(s, margin, cuts)
        status, a, multiplier, _ = problem.solve()
        assert status == SOLVED
        return goal(s, u)[0] + problem.cost(a), a, multiplier[-len(cuts) :]

    _, again, prices = phi(free)
    assert prices.max() > 1e-3
    assert again == pytest.approx(activation, abs=1e-6)
    change = differences(lambda u: phi(u)[0], free, 1e-5)
    change[s.stance.lateral] = 0.0  # by symmetry; modes to either side are a pair
    # rounding of the difference: single terms are 1e3
    assert np.abs(change).max() <= 1e-3
    # the same differences without the cuts are not flat: the cuts carry their part of the gradient
    without = differences(lambda u: value(s, u)[0], free, 1e-5)
    assert np.abs(without[~s.stance.lateral]).max() > 1e-2


@pytest.mark.parametrize(("stance", "settings", "margin"), STABLE[:1])
def test_stable_posture__equals_a_general_solver(adult, stance, settings, margin):
    s, free, activation = found(adult, settings, stance, stability=margin)
    general = General(s, margin)
    other_free, other_activation, least = general.solve()
    s.configure(free)
    ours = goal(s, free)[0] + 0.5 * effort_weight(s) @ (activation - s.stance.target) ** 2
    assert ours == pytest.approx(least, rel=1e-4)
    assert np.degrees(free - other_free) == pytest.approx(np.zeros(free.size), abs=0.05)
    assert activation == pytest.approx(other_activation, abs=5e-3)


@pytest.mark.parametrize(
    ("stance", "settings", "angles"),
    [
        (
            "standing",
            {"strength.gluteals": 0.4},
            None,
        ),  # a cut left a little off its mode sent Newton's method in circles
        ("sitting", {"load.hand.right": 7.6, "tightness.hip_flexors": 7.9, "tightness.hamstrings": 16}, None),
        ("sitting", {"tightness.hip_flexors": 27.6, "strength.core": 0.34, "load.hands": 7.6}, None),  # modes close by
        ("sitting", {"load.hands": 8.3}, {"trunk_flexion": 7.15}),  # two modes at the margin
    ],
)
def test_stable_posture__is_found_where_it_is_hard(adult, stance, settings, angles):
    s, free, activation = found(adult, settings, stance, angles, stability=True)
    s.configure(free)
    base, shapes = s.shapes()
    values = np.linalg.eigvalsh(base + np.tensordot(activation, shapes, 1))
    assert values[0] == pytest.approx(adult.stability.margin, abs=2e-6)
