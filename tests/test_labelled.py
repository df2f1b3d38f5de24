"""Kernel outputs as named results."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import spinesim as ss
from spinesim.labelled import bone_points, quantities
from spinesim.model.pack import pack
from spinesim.solve import make_task, run_chain
from spinesim.stance import pack_stance
from spinesim.variables import BUCKLING_DEG


def rotations(stance, values):
    """Rotation of every body from the reference to the displaced posture, fitted to its landmarks."""
    bodies = np.array([body for _, body, _ in bone_points(stance.packed)])
    places = [values[name][0] for name in ("buckled_bone_position", "healthy_bone_position")]
    found = {}
    for body in stance.packed.bodies:
        marks = [place[bodies == body] for place in places]
        if len(marks[0]) > 2:
            found[body] = Rotation.align_vectors(*(mark - mark.mean(axis=0) for mark in marks))[0]
    return found


@pytest.mark.parametrize("motion", ["flexion", "bend", "turn", "all"])
def test_buckled_bones__are_turned_by_the_angles_of_the_mode(adult, motion):
    stance = pack_stance(pack(adult), "standing")
    out, _ = run_chain(make_task(adult, "standing", {"trunk_flexion": 0}, "rhythm"), {}, 1)  # the reference posture
    chosen = [name == "pelvic_tilt" or motion == "all" or name.endswith(motion) for name in stance.free]
    out.mode[0] = np.where(chosen, np.random.default_rng(5).normal(size=len(chosen)), 0.0)
    angle = dict(zip(stance.free, BUCKLING_DEG * out.mode[0] / np.abs(out.mode[0]).max(), strict=True))
    turned = rotations(stance, quantities(stance, out, pictures=True))
    assert np.degrees(turned["pelvis"].magnitude()) == pytest.approx(abs(angle["pelvic_tilt"]), abs=1e-6)
    for level in stance.packed.levels:
        upper, lower = ({"T12": "thorax", "S1": "pelvis"}.get(name, name) for name in level.split("_"))
        relative = np.degrees((turned[lower].inv() * turned[upper]).magnitude())
        # the three hinges of a level are perpendicular; the order in which they turn matters in the second order
        size = np.linalg.norm([angle[f"{level}.{axis}"] for axis in ("flexion", "bend", "turn")])
        assert relative == pytest.approx(size, abs=0.15 if motion == "all" else 1e-6)


def test_buckled_bones__of_a_case_without_solution_are_missing(adult):
    case = ss.solve(adult, {"strength.erectors": 0}, posture={"trunk_flexion": 90}, raise_on_failure=False)
    assert case.status.item() != "solved"
    assert case.buckled_bone_position.isnull().all()
