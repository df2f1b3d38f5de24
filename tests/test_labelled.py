"""Kernel outputs as named results."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import spinesim as ss
from spinesim.variables import BUCKLING_DEG


def rotations(case):
    """Rotation of every body from the reference to the displaced posture, fitted to its landmarks."""
    found = {}
    for body, marks in case.groupby("bone_body"):
        places = [marks[name].values for name in ("buckled_bone_position", "healthy_bone_position")]
        if len(places[0]) > 2:
            found[body] = Rotation.align_vectors(*(place - place.mean(axis=0) for place in places))[0]
    return found


@pytest.mark.parametrize("stability", [False, True])
def test_buckled_bones__are_turned_by_the_angles_of_the_mode(adult, stability):
    case = ss.solve(adult, posture={"trunk_flexion": 0}, stability=stability)  # the reference posture
    mode = case.buckling_mode.to_series()
    angle = mode * BUCKLING_DEG / mode.abs().max()
    turned = rotations(case)
    assert np.degrees(turned["pelvis"].magnitude()) == pytest.approx(abs(angle["pelvic_tilt"]), abs=1e-6)
    for level in case.level.values:
        upper, lower = ("thorax" if name == "T12" else "pelvis" if name == "S1" else name for name in level.split("_"))
        relative = np.degrees((turned[lower].inv() * turned[upper]).magnitude())
        # the three hinges of a level are perpendicular; the order in which they turn matters in the second order
        assert relative == pytest.approx(np.linalg.norm(angle.filter(like=level)), abs=0.02)


def test_buckled_bones__of_a_case_without_solution_are_missing(adult):
    case = ss.solve(adult, {"strength.erectors": 0}, posture={"trunk_flexion": 90}, raise_on_failure=False)
    assert case.status.item() != "solved"
    assert case.buckled_bone_position.isnull().all()
