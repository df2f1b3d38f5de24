"""The found posture: its goals, the gradient of its cost, and the optimum of a general solver."""

import numpy as np
import pytest
from scipy.optimize import minimize

from spinesim.kernels.alignment import trunk_angles
from spinesim.kernels.balance import SOLVED
from spinesim.kernels.posture import goals, posture
from spinesim.solve import make_task, run_chain
from tests.kernels.scene import differences, random_free, scene

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


def found(adult, settings, stance="standing", angles=None):
    """Solve through the chain of stages: scene and free coordinates."""
    task = make_task(adult, stance, angles, "find")
    out = run_chain(task, {name: np.array([v], dtype=float) for name, v in settings.items()}, 1)
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
    nu, weight, target = s.stance.n_free, effort_weight(s), s.stance.target
    scale = np.concatenate([np.full(nu, 0.02), 1.0 / np.sqrt(weight)])  # makes all curvatures of order one
    lower, upper = s.cases.lower[0], s.cases.upper[0]

    def cost(x):
        free, off = x[:nu] * scale[:nu], x[nu:] * scale[nu:] - target
        goals_cost, gradient = goal(s, free)
        return goals_cost + 0.5 * weight @ off**2, np.concatenate([gradient, weight * off]) * scale

    def moments(x):
        return s.moments(x[:nu] * scale[:nu], x[nu:] * scale[nu:])

    def rates(x):
        moments(x)
        return np.hstack([-s.tangent(x[nu:] * scale[nu:]), s.columns().T]) * scale

    s.configure(np.zeros(nu))
    _, first, _, _ = s.balance(weight, target)
    result = minimize(
        cost,
        np.concatenate([np.zeros(nu), first]) / scale,
        jac=True,
        method="SLSQP",
        bounds=np.c_[np.concatenate([np.full(nu, -1.0), lower]), np.concatenate([np.full(nu, 1.0), upper])]
        / scale[:, None],
        constraints={"type": "eq", "fun": moments, "jac": rates},
        options={"ftol": 1e-12, "maxiter": 200},
    )
    assert result.success, result.message
    ours = value(s, free)[0]
    assert ours == pytest.approx(result.fun, rel=1e-6)
    assert np.degrees(free - result.x[:nu] * scale[:nu]) == pytest.approx(np.zeros(nu), abs=0.02)
    assert activation == pytest.approx(result.x[nu:] * scale[nu:], abs=2e-3)


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
        multiplier, missing = np.zeros(free.size), np.empty(free.size)
        again = np.empty(activation.size)
        status, _, stationarity = posture(
            s.model, s.stance, s.cases, 0, s.held, 0.0, start, multiplier, again, missing, s.work
        )
        assert status == SOLVED
        assert stationarity <= 1e-6
        assert start == pytest.approx(free, abs=1e-8)
        assert again == pytest.approx(activation, abs=1e-7)
