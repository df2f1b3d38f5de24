"""Positions of the bodies and how the hinges move them."""

import math

import numpy as np
import pytest

from spinesim.kernels.chain import forward, joint_coordinates, square_to_free, to_free, world
from tests.kernels.scene import differences, random_free, scene


def settle(s, q):
    """Poses, axes and centres at joint coordinates, as the kernel sees them."""
    forward(s.model, q, s.work.turn, s.work.place, s.work.axes, s.work.centres)
    return s.work


@pytest.mark.parametrize("seed", range(5))
def test_forward__equals_plain_kinematics(adult, anatomy, seed):
    s = scene(adult)
    q = anatomy.random_posture(np.random.default_rng(seed), clear_of_blends=False)
    work = settle(s, np.array([q[name] for name in anatomy.coordinates]))
    turn, place = anatomy.pose(q)
    for b, body in enumerate(anatomy.bodies):
        assert work.turn[b] == pytest.approx(turn[body], abs=1e-14)
        assert work.place[b] == pytest.approx(place[body], abs=1e-14)


def test_forward__quarter_turns_have_closed_forms(adult, anatomy):
    s = scene(adult)
    q = np.zeros(s.stance.offset.size)
    q[anatomy.coordinates.index("hip_r.flexion")] = math.pi / 2  # the thigh points forward
    q[anatomy.coordinates.index("knee_r.flexion")] = math.pi / 2  # the shank hangs down again
    work = settle(s, q)
    femur, shank = anatomy.bodies.index("femur_r"), anatomy.bodies.index("shank_r")
    hip, knee = (np.array(anatomy.joints[b].centre_neutral) for b in ("femur_r", "shank_r"))
    back, down, _ = knee - hip
    assert work.place[shank] == pytest.approx(hip + [-down, back, 0.0], abs=1e-15)
    assert work.turn[femur] @ [1, 0, 0] == pytest.approx([0, 1, 0], abs=1e-15)
    assert work.turn[shank] == pytest.approx(np.eye(3), abs=1e-15)


@pytest.mark.parametrize(
    ("coordinate", "point", "moves"),
    [
        ("pelvis.tilt", (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),  # anterior: what is above goes forward
        ("pelvis.list", (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),  # right side down
        ("pelvis.turn", (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),  # to the left
        ("hip_r.adduction", (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)),  # the right foot goes to the middle
        ("hip_l.adduction", (0.0, -1.0, 0.0), (0.0, 0.0, 1.0)),
        ("hip_r.rotation", (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),  # internal: the right foot points to the left
        ("hip_l.rotation", (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
        ("knee_r.flexion", (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0)),  # the heel goes back
    ],
)
def test_forward__positive_coordinates_move_as_named(adult, anatomy, coordinate, point, moves):
    s = scene(adult)
    q = np.zeros(s.stance.offset.size)
    k = anatomy.coordinates.index(coordinate)
    body = s.model.coordinate_body[k]
    before = settle(s, q).turn[body] @ point
    q[k] = 1e-3
    assert (settle(s, q).turn[body] @ point - before) / 1e-3 == pytest.approx(moves, abs=1e-3)


def test_hinges__first_and_second_derivatives_of_a_point_are_axis_times_lever(adult, anatomy):
    s = scene(adult)
    q = anatomy.random_posture(np.random.default_rng(3), clear_of_blends=False)
    names = ["pelvis.tilt", "L5_S1.flexion", "L4_L5.bend", "T12_L1.turn"]
    thorax, point = anatomy.bodies.index("thorax"), np.array([0.1, 0.2, 0.05])
    index = [anatomy.coordinates.index(name) for name in names]

    def position(angles):
        return anatomy.world({**q, **dict(zip(names, angles, strict=True))}, "thorax", point)

    at = np.array([q[name] for name in names])
    work = settle(s, np.array([q[name] for name in anatomy.coordinates]))
    here = np.array(world(work.turn, work.place, thorax, point))
    assert here == pytest.approx(position(at), abs=1e-14)
    rates = np.stack([np.cross(work.axes[k], here - work.centres[k]) for k in index], axis=-1)
    assert rates == pytest.approx(differences(position, at), abs=1e-9)

    second = differences(lambda x: differences(position, x, 1e-4), at, 1e-4)
    for i, ki in enumerate(index):
        for j, kj in enumerate(index[i:], i):
            assert second[:, i, j] == pytest.approx(np.cross(work.axes[ki], rates[:, j]), abs=1e-6), (ki, kj)


@pytest.mark.parametrize("stance", ["standing", "sitting", "forward_bend"])
def test_free_coordinates__move_the_joints_as_the_stance_says(adult, stance):
    s = scene(adult, stance)
    rng = np.random.default_rng(1)
    free = random_free(s, rng)
    q = np.empty(s.stance.offset.size)
    joint_coordinates(s.stance, s.cases.offset[0], free, q)
    description = adult.stances[stance]
    expected = dict.fromkeys(s.packed.packed.coordinates, 0.0) | description.offsets
    for value, coordinate in zip(free, description.free, strict=True):
        for name, rate in coordinate.moves.items():
            expected[name] += rate * value
    assert q == pytest.approx(list(expected.values()), abs=1e-15)

    moment = rng.normal(size=q.size)
    by_free = np.empty(free.size)
    to_free(s.stance, moment, by_free)
    assert by_free == pytest.approx(s.rates.T @ moment, abs=1e-14)

    square = rng.normal(size=(q.size, q.size))
    square += square.T
    reduced = np.empty((free.size, free.size))
    square_to_free(s.stance, np.triu(square), reduced)
    assert reduced == pytest.approx(s.rates.T @ square @ s.rates, abs=1e-12)


def test_free_coordinates__pelvic_tilt_leaves_the_legs_and_lean_moves_them_alone(adult, anatomy):
    s = scene(adult)
    still, _ = anatomy.pose(s.joints(np.zeros(s.stance.n_free)))
    tilted, _ = anatomy.pose(s.joints(np.eye(s.stance.n_free)[1] * 0.2))
    leaning, _ = anatomy.pose(s.joints(np.eye(s.stance.n_free)[0] * 0.2))
    for leg in ("femur_r", "femur_l", "shank_r", "shank_l"):
        assert tilted[leg] == pytest.approx(still[leg], abs=1e-15)
        # the leg leans forward seen from the foot: its upper end goes forward of its lower end
        assert leaning[leg] @ [0, 1, 0] == pytest.approx([math.sin(0.2), math.cos(0.2), 0], abs=1e-15)
    assert tilted["thorax"] @ [0, 1, 0] == pytest.approx([math.sin(0.2), math.cos(0.2), 0], abs=1e-15)
    assert leaning["thorax"] == pytest.approx(still["thorax"], abs=1e-15)
