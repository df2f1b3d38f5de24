"""The equations of balance in free coordinates, and their tangent stiffness."""

import numpy as np
import pytest

from tests.kernels.scene import differences, random_free, scene

SETTINGS = {
    "tightness.hip_flexors": 12,
    "tightness.hamstrings.left": 8,
    "stiffness.erectors": 2.5,
    "strength.multifidus": 0.6,
    "load.hand.right": 8,
    "load.reach": 0.3,
    "disc.preload": 320,
    "iap.rest": 4,
    "muscle.short_range": 17,
}


@pytest.mark.parametrize(
    ("stance", "posture", "seed"),
    [("standing", {}, 0), ("sitting", {}, 1), ("forward_bend", {"trunk_flexion": 40}, 2), ("standing", {}, 3)],
)
def test_tangent__is_minus_the_change_of_all_moments(adult, stance, posture, seed):
    s = scene(adult, stance, SETTINGS, posture)
    rng = np.random.default_rng(seed)
    free = random_free(s, rng, 0.9)
    activation = rng.uniform(0.0, 1.0, s.stance.cost.size)
    change = differences(lambda u: s.moments(u, activation), free)
    s.configure(free)
    stiffness = s.tangent(activation)
    assert stiffness == pytest.approx(stiffness.T, abs=1e-9)
    assert stiffness == pytest.approx(-change, abs=2e-7 * np.abs(change).max())


def test_tangent__of_short_range_adds_what_the_cross_bridges_hold(adult):
    """With short range the active part of every fascicle's own stiffness is kappa F / L, from the stated law."""
    s = scene(adult, "standing", SETTINGS)
    rng = np.random.default_rng(7)
    s.configure(random_free(s, rng))
    activation = rng.uniform(0.0, 1.0, s.stance.cost.size)
    count, w = len(adult.muscles), s.work
    kappa = SETTINGS["muscle.short_range"]
    held = activation[:count] * (kappa * w.active[:count] / w.length[:count] - w.active_slope[:count])
    expected = s.tangent(activation) + np.einsum("i,ij,ik->jk", held, w.arms[:count], w.arms[:count])
    assert s.tangent(activation, short_range=True) == pytest.approx(expected, abs=1e-12 * np.abs(expected).max())


def test_configure__moments_are_minus_the_change_of_an_energy_without_activation(adult, anatomy):
    """Weights against plain potential energy; the passive parts then are what is left and have a symmetric tangent."""
    s = scene(adult, settings=SETTINGS)
    free = random_free(s, np.random.default_rng(6))
    none = np.zeros(s.stance.cost.size)
    without = scene(adult, settings=SETTINGS | {"load.hand.right": 0, "load.reach": 0})
    difference = s.moments(free, none) - without.moments(free, none)

    def energy(u):
        """Potential energy of the load, which the feet lift by an equal force."""
        posture = s.joints(u)
        force, point = s.cases.load[0, 0], s.cases.load_point[0, 0]
        height = anatomy.world(posture, "thorax", point)[1]
        supports = adult.stances["standing"].supports
        feet = sum(p.share * anatomy.world(posture, p.body, p.position)[1] for p in supports)
        return force * (height - feet)

    assert difference == pytest.approx(-differences(energy, free), abs=1e-7)


def test_configure__activation_acts_through_the_arms(adult):
    s = scene(adult)
    free = random_free(s, np.random.default_rng(9))
    s.configure(free)
    columns = s.columns()
    arms = s.work.arms
    assert columns[: s.n] == pytest.approx(arms * s.work.active[:, None], abs=1e-12)
    assert columns[s.n :] == pytest.approx(s.stance.actuator_moment, abs=0)
    actuators = {a.name: a for a in adult.actuators}
    for row, name in zip(s.stance.actuator_moment, s.packed.actuators, strict=True):
        expected = [actuators[name].max_moment if f == "lean" else 0.0 for f in s.packed.free]
        assert row.tolist() == expected


def test_reference__discs_carry_no_moment(adult, anatomy):
    """At u = 0 the activations along the spine give what weight, passive muscles and resting pressure ask, no more."""
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    spine = [j for j, name in enumerate(s.packed.free) if "_" in name and "." in name]
    passive = s.work.arms.T @ s.work.passive  # of muscles and the pressure at rest
    weights = differences(lambda u: anatomy.potential(s.joints(u)), np.zeros(s.stance.n_free))
    assert s.work.tau[spine] == pytest.approx((weights - passive)[spine], abs=1e-6)


@pytest.mark.parametrize("stance", ["standing", "squat", "single_leg_right"])
def test_configure__the_limit_of_the_pressure_knows_muscles_only(adult, stance):
    """Obliques by their strength and the transversus; no ankle or knee actuator holds a pressure."""
    s = scene(adult, stance, {"strength.core": 0.6, "strength.quadriceps": 0.5})
    s.configure(np.zeros(s.stance.n_free))
    row = s.work.rows[0]
    assert row.size == s.n + len(s.packed.actuators)
    assert row[: s.n] == pytest.approx(
        s.model.pressure_share * s.cases.strength[0, : s.n]
        - (np.arange(s.n) == s.model.pressure_line) * s.cases.strength[0, s.model.pressure_line],
        abs=0,
    )
    assert not row[s.n :].any()
    assert row[s.model.pressure_line] < 0.0 < row.max()
