"""Weights, carried loads and support forces: moments, centre of mass and their changes."""

import numpy as np
import pytest

from spinesim.kernels import gravity
from spinesim.kernels.chain import forward
from tests.kernels.scene import differences, random_free, scene

STANCES = ["standing", "sitting", "single_leg_right", "gait_terminal_stance_left", "supine", "side_lying_left"]
LOADS = {"load.hand.right": 12.0, "load.hand.left": 3.0, "load.shoulder.left": 4.0, "load.back": 6.0, "load.reach": 0.4}


def weigh(s, q, share=None):
    """Moments of all vertical forces, centre of mass, carried weight."""
    w = s.work
    forward(s.model, q, w.turn, w.place, w.axes, w.centres)
    carried = gravity.weights(
        s.model, s.stance, s.stance.support_share if share is None else share, s.cases.load[0], s.cases.load_point[0],
        w.turn, w.place, w.centres, w.leverage, w.centre,
    )  # fmt: skip
    moment = np.zeros(q.size)
    gravity.add_turning(w.axes, w.leverage, s.stance.up, 1.0, moment)
    return moment, w.centre.copy(), carried


def hanging(s):
    """Carried loads as (force, body, point)."""
    body = s.packed.packed.bodies[s.model.load_body]
    return [(force, body, point) for force, point in zip(s.cases.load[0], s.cases.load_point[0], strict=True)]


def random_joints(s, anatomy, seed):
    q = anatomy.random_posture(np.random.default_rng(seed), clear_of_blends=False)
    return q, np.array([q[name] for name in anatomy.coordinates])


@pytest.mark.parametrize("seed", range(10))
def test_weight_moments__equal_mujoco(adult, anatomy, engine, seed):
    s = scene(adult)
    posture, q = random_joints(s, anatomy, seed)
    engine.settle(posture)
    moment, _, _ = weigh(s, q, share=np.zeros(2))
    assert moment == pytest.approx(engine.weight_moments(), abs=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_weight_moments__with_loads_are_minus_the_change_of_potential_energy(adult, anatomy, seed):
    s = scene(adult, settings=LOADS)
    _, q = random_joints(s, anatomy, seed)
    names = anatomy.coordinates
    change = differences(lambda x: anatomy.potential(dict(zip(names, x, strict=True)), hanging(s)), q)
    moment, _, _ = weigh(s, q, share=np.zeros(2))
    assert moment == pytest.approx(-change, abs=1e-6)


def test_hand_loads__hang_where_the_register_says(adult):
    s = scene(adult, settings={"load.hand.right": 12.0, "load.hands": 4.0, "load.reach": 0.4})
    x, y, z = adult.hand.shoulder_right
    assert s.cases.load[0, :2] == pytest.approx([14 * adult.gravity, 2 * adult.gravity])
    assert not s.cases.load[0, 2:].any()
    assert s.cases.load_point[0, :2] == pytest.approx(np.array([[x + 0.4, y, z], [x + 0.4, y, -z]]))
    assert z > 0.0


def test_shoulder_and_back_loads__hang_where_the_model_says_whatever_the_reach(adult):
    settings = {"load.shoulder.right": 3.0, "load.shoulder.left": 2.0, "load.back": 9.0, "load.reach": 0.4}
    s = scene(adult, settings=settings)
    x, y, z = adult.carry.strap_right
    assert s.cases.load[0] == pytest.approx(adult.gravity * np.array([0, 0, 3, 2, 9]))
    assert s.cases.load_point[0, 2:] == pytest.approx(np.array([[x, y, z], [x, y, -z], adult.carry.pack]))
    assert z > 0.0 > adult.carry.pack[0]


def test_weights__a_mass_on_a_level_arm_is_a_lever(adult, anatomy):
    """Moment of what lies above L5/S1 in the reference: weight times horizontal distance."""
    s = scene(adult, settings={"load.hands": 10.0, "load.reach": 0.5})
    q = np.zeros(s.stance.offset.size)
    joint = np.array(anatomy.joints["L5"].centre_neutral)
    lever = 0.0
    for body in adult.bodies:
        if body.name in ("L5", "L4", "L3", "L2", "L1", "thorax"):
            lever += body.mass * (body.origin_neutral[0] + body.centre_of_mass[0] - joint[0])
    shoulder = adult.hand.shoulder_right[0] + anatomy.joints["thorax"].centre_neutral[0]
    lever += 10.0 * (shoulder + 0.5 - joint[0])
    moment, _, _ = weigh(s, q)
    # flexion positive: a weight in front bends the trunk forward
    assert moment[anatomy.coordinates.index("L5_S1.flexion")] == pytest.approx(adult.gravity * lever, rel=1e-12)


@pytest.mark.parametrize("stance", STANCES)
def test_weights__the_support_carries_what_the_stance_gives_it(adult, anatomy, stance):
    s = scene(adult, stance, LOADS)
    description = adult.stances[stance]
    free = random_free(s, np.random.default_rng(1))
    posture = s.joints(free)
    _, centre, carried = weigh(s, np.array(list(posture.values())))
    parts = [
        (description.weight_factor * adult.gravity * body.mass, anatomy.world(posture, body.name, body.centre_of_mass))
        for body in adult.bodies
        if body.name not in description.unweighted
    ]
    parts += [(force, anatomy.world(posture, body, point)) for force, body, point in hanging(s)]
    weight = sum(force for force, _ in parts)
    middle = sum(p.share * anatomy.world(posture, p.body, p.position) for p in description.supports)
    assert carried == pytest.approx(weight, rel=1e-14)
    assert centre == pytest.approx(sum(force * point for force, point in parts) / weight - middle, abs=1e-14)


@pytest.mark.parametrize("stance", STANCES)
def test_centre_of_mass__gradient_and_curvature(adult, stance):
    s = scene(adult, stance, LOADS)
    q = s.stance.offset + s.rates @ random_free(s, np.random.default_rng(2))
    nq = q.size

    def gradients(x):
        _, _, carried = weigh(s, x)
        by_q = np.zeros((2, nq))
        for direction, row in zip(s.stance.ground, by_q, strict=True):
            gravity.add_turning(s.work.axes, s.work.leverage, direction, -1.0 / carried, row)
        return by_q, carried

    change = differences(lambda x: s.stance.ground @ weigh(s, x)[1], q)
    here, carried = gradients(q)
    assert here == pytest.approx(change, abs=1e-9)

    second = differences(lambda x: gradients(x)[0], q)
    factor = np.array([0.7, -1.3])
    weigh(s, q)
    square = np.zeros((nq, nq))
    for direction, size in zip(s.stance.ground, factor, strict=True):
        gravity.add_turning_curvature(s.model, s.work.axes, s.work.leverage, direction, -size / carried, square)
    assert not np.tril(square, -1).any()
    assert square + np.triu(square, 1).T == pytest.approx(np.einsum("a,aij->ij", factor, second), abs=1e-9)


def test_weight_curvature__is_the_change_of_the_moments(adult, anatomy):
    s = scene(adult, settings=LOADS)
    _, q = random_joints(s, anatomy, 5)
    change = differences(lambda x: weigh(s, x)[0], q)
    weigh(s, q)
    square = np.zeros_like(change)
    gravity.add_turning_curvature(s.model, s.work.axes, s.work.leverage, s.stance.up, -1.0, square)
    assert square + np.triu(square, 1).T == pytest.approx(-change, abs=1e-8 * np.abs(change).max())
