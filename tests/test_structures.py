"""Which structure gives which moment."""

import numpy as np
import pytest

import spinesim as ss
from spinesim.model.pack import pack
from spinesim.structures import muscle_structures


@pytest.mark.parametrize(
    ("stance", "settings", "options"),
    [
        ("standing", {"load.hand.right": 5}, {}),
        ("sitting", {"tightness.hamstrings": 15}, {}),
        ("side_lying_left", {"bed.sag": 40}, {}),
        ("sitting", {}, {"posture": {"anterior_pelvic_tilt": -20, "trunk_flexion": 0}, "complete": "find"}),
    ],
)
def test_structure_moments__of_a_solved_case_sum_to_zero(adult, stance, settings, options):
    moments = ss.solve(adult, settings, stance=stance, **options).structure_moment
    assert float(np.abs(moments).max()) > 5.0
    np.testing.assert_allclose(moments.sum("structure"), 0.0, atol=1e-6)


def test_structure_moments__discs_and_weights_are_those_of_closed_forms(adult):
    """At the reference the discs carry nothing, and the weights above T12/L1 turn it by weight times lever."""
    case = ss.solve(adult, posture={"trunk_flexion": 0})
    moments = case.structure_moment
    np.testing.assert_allclose(moments.sel(structure="discs"), 0.0, atol=1e-9)
    np.testing.assert_allclose(moments.sel(structure="contacts"), 0.0, atol=0.0)
    thorax = next(body for body in adult.bodies if body.name == "thorax")
    joint = next(joint for joint in adult.joints if joint.name == "T12_L1")
    lever = thorax.origin_neutral[0] + thorax.centre_of_mass[0] - joint.centre_neutral[0]
    weight = float(moments.sel(coordinate="T12_L1.flexion", structure="weights"))
    assert weight == pytest.approx(adult.gravity * thorax.mass * lever, rel=1e-9)


def test_structure_moments__contacts_act_in_lying_only(adult):
    lying, sitting = (ss.solve(adult, stance=stance).structure_moment for stance in ("supine", "sitting"))
    assert float(np.abs(lying.sel(structure="contacts")).max()) > 5.0
    assert float(np.abs(sitting.sel(structure="contacts")).max()) == 0.0


def test_structure_moments__a_fascicle_counts_in_the_smallest_of_its_groups(adult):
    names, place = muscle_structures(pack(adult))
    group = {m.muscle: names[k] for m, k in zip(adult.muscles, place, strict=True)}
    assert group["rectus_femoris"] == "quadriceps"  # one muscle, where the hip flexors are five
    assert group["multifidus"] == "multifidus"
    assert group["external_oblique"] == "abdominals"
    assert group["psoas"] == "hip_flexors"
    case = ss.solve(adult)
    moments = case.structure_moment.sel(coordinate="pelvic_tilt")
    both = moments.sel(structure="hamstrings.active") + moments.sel(structure="hamstrings.passive")
    assert float(both) < 0.0  # they turn the pelvis back
    assert float(moments.sel(structure="hip_flexors.passive")) > 0.0
