"""Angles of pelvis, spine and trunk."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from spinesim.kernels.alignment import alignment, trunk_angles, trunk_gradient
from tests.kernels.scene import random_free, scene

TILT, SLOPE, RADIOGRAPHIC, INCIDENCE, LORDOSIS, FLEXION, BEND, TURN = range(8)


def angles(s):
    values = np.empty(8)
    alignment(s.model, s.work.turn, values)
    return values


def turned(flexion, bend, turn):
    """Flexion forward, then bend to the right, then turn to the left, each about the axes left by the one before."""
    return Rotation.from_euler("ZXY", [-flexion, bend, turn]).as_matrix()


@given(st.floats(-3.0, 3.0), st.floats(-1.5, 1.5), st.floats(-3.0, 3.0))
def test_trunk_angles__come_back(flexion, bend, turn):
    assert trunk_angles(turned(flexion, bend, turn)) == pytest.approx((flexion, bend, turn), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_trunk_gradient__is_the_change_by_a_rotation_in_the_world(seed):
    rng = np.random.default_rng(seed)
    turn = turned(*rng.uniform(-1.0, 1.0, 3))
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    ahead, behind = (np.array(trunk_angles(Rotation.from_rotvec(h * axis).as_matrix() @ turn)) for h in (1e-5, -1e-5))
    assert trunk_gradient(turn, axis) == pytest.approx((ahead - behind) / 2e-5, abs=1e-9)


@pytest.mark.parametrize("stance", ["standing", "sitting", "forward_bend"])
@pytest.mark.parametrize("seed", range(3))
def test_alignment__incidence_is_tilt_plus_slope_in_any_posture(adult, stance, seed):
    s = scene(adult, stance)
    s.configure(random_free(s, np.random.default_rng(seed), 1.5))
    values = angles(s)
    assert values[INCIDENCE] == pytest.approx(values[RADIOGRAPHIC] + values[SLOPE], abs=1e-12)
    assert values[INCIDENCE] == pytest.approx(math.radians(55.0), abs=math.radians(0.1))


def test_alignment__incidence_is_tilt_plus_slope_with_a_listed_and_turned_pelvis(adult):
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    still = angles(s)
    s.work.turn[0] = turned(0.4, -0.5, 0.7)
    values = angles(s)
    assert values[INCIDENCE] == pytest.approx(values[RADIOGRAPHIC] + values[SLOPE], abs=1e-12)
    # the plane of the pelvis turns with it, so what tilts forward is lost from the radiographic tilt
    assert values[TILT] == pytest.approx(still[RADIOGRAPHIC] - values[RADIOGRAPHIC], abs=1e-12)


def test_alignment__a_tilt_forward_raises_slope_and_lowers_radiographic_tilt_by_itself(adult):
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    still = angles(s)
    s.configure(0.1 * np.eye(s.stance.n_free)[s.packed.free.index("pelvic_tilt")])
    tilted = angles(s)
    expected = np.zeros(8)
    expected[[TILT, SLOPE, RADIOGRAPHIC, FLEXION]] = 0.1, 0.1, -0.1, 0.1
    assert tilted - still == pytest.approx(expected, abs=1e-12)


def test_alignment__flexing_a_level_takes_lordosis_and_inclines_the_trunk(adult):
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    still = angles(s)
    s.configure(0.1 * np.eye(s.stance.n_free)[s.packed.free.index("L3_L4.flexion")])
    expected = np.zeros(8)
    expected[[LORDOSIS, FLEXION]] = -0.1, 0.1
    assert angles(s) - still == pytest.approx(expected, abs=1e-12)
    s.configure(0.1 * np.eye(s.stance.n_free)[s.packed.free.index("T12_L1.flexion")])
    expected[LORDOSIS] = 0.0  # above the end-plate from which lordosis is measured
    assert angles(s) - still == pytest.approx(expected, abs=1e-12)


def test_alignment__reference_is_as_measured(adult):
    """Published means of standing adults, as the model's landmarks were set; within 1 deg of PI 55, PT 18, SS 37."""
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    values = np.degrees(angles(s))
    marks = {m.name: np.array(m.position) for m in adult.landmarks}
    plate = marks["S1_sup_ant"] - marks["S1_sup_post"]
    assert values[SLOPE] == pytest.approx(math.degrees(math.atan2(-plate[1], plate[0])), abs=1e-10)
    top = marks["L1_sup_ant"] - marks["L1_sup_post"]
    assert values[LORDOSIS] == pytest.approx(values[SLOPE] - math.degrees(math.atan2(-top[1], top[0])), abs=1e-10)
    middle = 0.5 * (marks["S1_sup_ant"] + marks["S1_sup_post"])
    assert values[RADIOGRAPHIC] == pytest.approx(math.degrees(math.atan2(-middle[0], middle[1])), abs=1e-10)
    assert not values[[TILT, FLEXION, BEND, TURN]].any()
