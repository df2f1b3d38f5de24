"""Length of the sciatic nerve and pressure of the piriformis, in closed form and against plain geometry."""

import math

import numpy as np
import pytest

from spinesim.kernels.sciatic import LENGTHENING, PIRIFORMIS, STRAIN, canal_length, piriformis_pressure, sciatic
from tests.kernels.scene import differences, random_free, scene


def posed(model, **angles):
    """A scene in the posture of the joint coordinates named with __ for the dot [deg]; all others at the reference."""
    from spinesim.kernels import chain

    s = scene(model)
    q = np.zeros(s.stance.offset.size)
    for name, angle in angles.items():
        q[s.packed.packed.coordinates.index(name.replace("__", "."))] = math.radians(angle)
    chain.forward(s.model, q, s.work.turn, s.work.place, s.work.axes, s.work.centres)
    s.work.q[:] = q
    return s


def nerve(s, variant=0, tension=0.0):
    values = np.empty((2, 3))
    forces = np.full(s.n, tension)
    sciatic(s.model, variant, s.work.q, s.work.turn, s.work.place, forces, values)
    return values


def test_sciatic__the_reference_is_without_strain(adult):
    assert np.abs(nerve(posed(adult))).max() < 1e-12


def test_sciatic__hip_and_knee_are_arcs_of_their_own_side(adult):
    """90 deg of hip flexion ask 64 mm (41 mm times the angle); the flexed knee gives some back."""
    bent = nerve(posed(adult, hip_r__flexion=90.0))
    assert bent[1, LENGTHENING] == pytest.approx(41e-3 * math.pi / 2.0, rel=1e-9)
    assert abs(bent[0, LENGTHENING]) < 1e-12
    both = nerve(posed(adult, hip_r__flexion=90.0, knee_r__flexion=90.0))
    assert both[1, LENGTHENING] == pytest.approx((41e-3 - 30e-3) * math.pi / 2.0, rel=1e-9)
    assert both[1, STRAIN] == pytest.approx(both[1, LENGTHENING] / s_rest(adult), rel=1e-12)


def s_rest(model):
    return scene(model).model.sciatic_way[0]


def test_sciatic__flexed_levels_lengthen_the_canal_by_arm_times_angle(adult):
    """The canal lies behind the joints, so flexion lengthens it by the arm of its midline."""
    s = scene(adult)
    free = np.zeros(s.stance.n_free)

    def length(u):
        s.configure(u)
        return np.array([canal_length(s.model, s.work.turn, s.work.place)])

    slope = differences(length, free)[0]
    for level in s.packed.packed.foramina:
        assert 0.01 < slope[s.packed.free.index(f"{level}.flexion")] < 0.05
        for other in ("bend", "turn"):
            assert abs(slope[s.packed.free.index(f"{level}.{other}")]) < 1e-6
    s.configure(free)
    assert length(free)[0] == pytest.approx(s.model.sciatic_way[3], rel=1e-12)


def test_piriformis__is_the_force_of_its_bend_over_the_area(adult):
    """Against plain geometry of its path in random postures, for every variant."""
    s = scene(adult)
    nerve_part = adult.sciatic
    for seed in range(5):
        s.configure(random_free(s, np.random.default_rng(seed), 0.5))
        for side, name in enumerate(("left", "right")):
            muscle = next(m for m in adult.muscles if m.muscle == "piriformis" and m.side == name)
            bodies = s.packed.packed.bodies
            points = [
                s.work.place[bodies.index(p.body)] + s.work.turn[bodies.index(p.body)] @ np.array(p.position)
                for p in muscle.path
            ]
            ways = np.diff(points, axis=0)
            sizes = np.linalg.norm(ways, axis=1)
            forward = (ways[1] / sizes[1] - ways[0] / sizes[0]) @ s.work.turn[0][:, 0]
            tension = np.zeros(s.n)
            tension[s.model.piriformis[side]] = 40.0
            for variant in range(3):
                bend = forward + nerve_part.engaged[variant] * nerve_part.thickness * (1.0 / sizes).sum()
                area = nerve_part.width * nerve_part.breadth
                expected = max(0.0, nerve_part.share[variant] * 40.0 * bend / area)
                found = piriformis_pressure(s.model, side, variant, s.work.turn, s.work.place, tension)
                assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_piriformis__presses_more_with_tension_and_where_the_nerve_is_in_its_way(adult):
    s = posed(adult)
    below, through, above = (nerve(s, variant, 10.0)[1, PIRIFORMIS] for variant in range(3))
    assert 0.0 <= below < through < above
    assert nerve(s, 2, 20.0)[1, PIRIFORMIS] == pytest.approx(2.0 * above, rel=1e-12)
    assert nerve(s, 2, 0.0)[1, PIRIFORMIS] == 0.0


def test_piriformis__changes_with_rotation_of_its_own_hip(adult):
    neutral, turned = nerve(posed(adult), 2, 10.0), nerve(posed(adult, hip_r__rotation=30.0), 2, 10.0)
    assert turned[0, PIRIFORMIS] == pytest.approx(neutral[0, PIRIFORMIS], rel=1e-12)
    assert abs(turned[1, PIRIFORMIS] - neutral[1, PIRIFORMIS]) > 10.0


def test_sciatic__left_and_right_are_mirror_images(adult):
    right = nerve(posed(adult, hip_r__flexion=40.0, hip_r__rotation=15.0, L4_L5__bend=5.0), 1, 30.0)
    left = nerve(posed(adult, hip_l__flexion=40.0, hip_l__rotation=15.0, L4_L5__bend=-5.0), 1, 30.0)
    assert right == pytest.approx(left[::-1], rel=1e-9)
