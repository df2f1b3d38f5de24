"""Another pelvis and another reference posture: the angles asked for, what stays, and that it is a reference."""

import math

import numpy as np
import pytest

import spinesim as ss
from spinesim.errors import InputError
from spinesim.model.mirror import mirrored_name
from spinesim.model.pack import pack
from spinesim.model.sagittal import (
    LORDOSIS_BY_INCIDENCE,
    SLOPE_BY_INCIDENCE,
    aligned,
    reference_lengths,
    sagittal_angles,
)

PEOPLE = [(40.0, 35.0, 50.0), (55.0, 30.0, 45.0), (75.0, 50.0, 75.0)]


def degrees(model):
    return {name: math.degrees(angle) for name, angle in sagittal_angles(model).items()}


def test_sagittal_angles__of_the_adult_are_those_of_its_results(adult):
    healthy = ss.solve(adult)
    for name, angle in degrees(adult).items():
        assert angle == pytest.approx(float(healthy[name]), abs=1e-9)


@pytest.mark.parametrize(("incidence", "slope", "lordosis"), PEOPLE)
def test_aligned__has_the_angles_asked_for(adult, incidence, slope, lordosis):
    person = aligned(adult, pelvic_incidence=incidence, sacral_slope=slope, lumbar_lordosis=lordosis)
    assert degrees(person) == pytest.approx(
        {
            "pelvic_incidence": incidence,
            "pelvic_tilt_radiographic": incidence - slope,
            "sacral_slope": slope,
            "lumbar_lordosis": lordosis,
        }
    )


@pytest.mark.parametrize(("incidence", "slope", "lordosis"), PEOPLE)
def test_aligned__found_posture_with_everything_healthy_is_the_reference(adult, incidence, slope, lordosis):
    person = {
        "subject.pelvic_incidence": incidence,
        "subject.sacral_slope": slope,
        "subject.lumbar_lordosis": lordosis,
    }
    found = ss.solve(adult, person)
    np.testing.assert_allclose(found.joint_angle, 0.0, atol=1e-6)
    assert float(found.pelvic_incidence) == pytest.approx(incidence, abs=1e-9)
    assert float(found.sacral_slope) == pytest.approx(slope, abs=1e-6)
    assert float(found.lumbar_lordosis) == pytest.approx(lordosis, abs=1e-6)
    tight = ss.solve(adult, {**person, "tightness.hip_flexors": 15.0})
    total = float(tight.pelvic_tilt_radiographic + tight.sacral_slope)
    assert total == pytest.approx(incidence, abs=1e-10)


def test_aligned__incidence_alone_takes_slope_and_lordosis_along(adult):
    before, after = degrees(adult), degrees(aligned(adult, pelvic_incidence=65.0))
    more = 65.0 - before["pelvic_incidence"]
    assert after["sacral_slope"] - before["sacral_slope"] == pytest.approx(SLOPE_BY_INCIDENCE * more)
    assert after["lumbar_lordosis"] - before["lumbar_lordosis"] == pytest.approx(LORDOSIS_BY_INCIDENCE * more)


def test_aligned__own_angles_leave_the_model_as_it_is(adult):
    own = {k: v for k, v in degrees(adult).items() if k != "pelvic_tilt_radiographic"}
    assert aligned(adult) is adult
    np.testing.assert_allclose(reference_lengths(aligned(adult, **own)), reference_lengths(adult), atol=1e-12)


def test_aligned__ilia_legs_and_clinical_tests_stay(adult):
    person = aligned(adult, pelvic_incidence=70.0)
    for before, after in zip(adult.landmarks, person.landmarks, strict=True):
        if before.name.startswith(("asis", "psis", "hip", "pubic")):
            assert after == before
    for group in ("hip_flexors", "hamstrings"):
        assert ss.reading(person, group) == pytest.approx(ss.reading(adult, group), abs=0.3)


def test_aligned__bones_keep_their_shape(adult):
    person = aligned(adult, pelvic_incidence=70.0, lumbar_lordosis=50.0)
    for body in ("L5", "L3", "L1", "thorax"):
        points = [
            np.array([p.position for m in model.muscles for p in m.path if p.body == body]) for model in (adult, person)
        ]
        apart = [np.linalg.norm(p[:, None] - p[None], axis=-1) for p in points]
        np.testing.assert_allclose(apart[1], apart[0], atol=1e-12)


def test_aligned__no_muscle_is_pulled_out_by_its_own_posture(adult):
    person = aligned(adult, pelvic_incidence=70.0, lumbar_lordosis=50.0)
    for before, after, one, two in zip(
        adult.muscles, person.muscles, reference_lengths(adult), reference_lengths(person), strict=True
    ):
        stretch = [
            (length - m.tendon_slack_length) / m.optimal_fibre_length for m, length in ((before, one), (after, two))
        ]
        assert stretch[1] == pytest.approx(stretch[0])


def test_aligned__left_and_right_stay_mirror_images(adult):
    person = aligned(adult, pelvic_incidence=70.0)
    lengths = dict(zip((m.name for m in person.muscles), reference_lengths(person), strict=True))
    for name, length in lengths.items():
        assert lengths.get(mirrored_name(name), length) == pytest.approx(length, abs=1e-12)


def test_aligned__trunk_stays_upright_and_moves_little(adult):
    person = aligned(adult, pelvic_incidence=75.0)
    before, after = (pack(model).model.bodies[6] for model in (adult, person))
    assert before.centre_of_mass == after.centre_of_mass
    assert abs(after.origin_neutral[0] - before.origin_neutral[0]) < 0.03


@pytest.mark.parametrize("name", ["pelvic_incidence", "sacral_slope", "lumbar_lordosis"])
def test_aligned__impossible_angles_are_refused(adult, name):
    with pytest.raises(InputError, match=rf"{name} = 120 deg, must be between"):
        aligned(adult, **{name: 120.0})
    with pytest.raises(InputError, match=rf"subject.{name} = 120 deg is not allowed"):
        ss.solve(adult, {f"subject.{name}": 120.0})


def test_aligned__needs_a_whole_lumbar_spine(adult):
    with pytest.raises(InputError, match="another posture needs six"):
        aligned(ss.load_model("teaching"), pelvic_incidence=50.0)
