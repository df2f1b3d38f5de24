"""Virtual clinical tests, and the passive hip law that they read."""

import math

import numpy as np
import pytest

import spinesim as ss
from spinesim.assessment import find_reading, passive_moments
from spinesim.cases import case_arrays
from spinesim.errors import InputError, NotConvergedError
from spinesim.model.pack import pack
from spinesim.stance import pack_stance

#: Published readings of the healthy model [deg]: Harvey 1998; clinical literature.
HEALTHY = {"hip_flexors": -11.9, "hamstrings": 75.0}


def relaxed(adult, parameters=None):
    """Case arrays with all muscles relaxed."""
    stance = pack_stance(pack(adult), "standing")
    columns = {name: np.array([float(value)]) for name, value in (parameters or {}).items()}
    return case_arrays(stance, columns, 1, np.zeros(0))


def hip_moment(adult, hip, knee, cases=None):
    """Passive moment about the right hip [N m], flexion positive; angles in deg."""
    packed = pack(adult)
    q = np.zeros(len(packed.coordinates))
    q[packed.coordinates.index("hip_r.flexion")] = math.radians(hip)
    q[packed.coordinates.index("knee_r.flexion")] = math.radians(knee)
    moment = passive_moments(packed, cases or relaxed(adult), q)
    return moment[packed.coordinates.index("hip_r.flexion")]


def riener_edrich(hip, knee):
    """Measured passive hip moment [N m]: Riener and Edrich 1999, J Biomech 32:539-544."""
    return math.exp(1.4655 - 0.0034 * knee - 0.0750 * hip) - math.exp(1.3403 - 0.0226 * knee + 0.0305 * hip) + 8.072


@pytest.mark.parametrize("knee", range(0, 91, 10))
def test_passive_hip__of_muscles_and_tissue_is_the_measured_law(adult, knee):
    for hip in range(-20, 121, 5):
        measured = riener_edrich(hip, knee)
        assert hip_moment(adult, hip, knee) == pytest.approx(measured, abs=1.5 * (1.0 + 0.1 * abs(measured))), hip


def test_passive_hip__muscles_carry_a_part_and_the_tissue_stops_the_ends(adult):
    """The tissue alone turns the hip back from either end."""
    loose = relaxed(adult)
    loose.stiffness[:] = 0.0
    assert hip_moment(adult, -20, 0, loose) > 2.0
    assert hip_moment(adult, 90, 0, loose) < -2.0
    assert hip_moment(adult, -20, 0) > hip_moment(adult, -20, 0, loose)
    assert hip_moment(adult, 90, 0) < hip_moment(adult, 90, 0, loose)


@pytest.mark.parametrize("group", HEALTHY)
@pytest.mark.parametrize("side", ["right", "left"])
def test_reading__of_the_healthy_model_is_the_published_one(adult, group, side):
    assert ss.reading(adult, group, side=side) == pytest.approx(HEALTHY[group], abs=1e-6)


@pytest.mark.parametrize(("group", "sign"), [("hip_flexors", 1.0), ("hamstrings", -1.0)])
@pytest.mark.parametrize("side", ["right", "left"])
def test_reading__a_tightness_of_x_degrees_reads_x_degrees(adult, group, sign, side):
    """Thomas test and straight-leg raise; tightness takes range from extension and from flexion."""
    healthy = ss.reading(adult, group, side=side)
    for x in range(31):
        lost = sign * (ss.reading(adult, group, {f"tightness.{group}": x}, side=side) - healthy)
        assert lost == pytest.approx(x, abs=1.0)


@pytest.mark.parametrize("test", ["quadriceps", "adductors", "piriformis"])
def test_reading__the_other_tests_read_their_tightness_too(adult, test):
    lower = next(t for t in adult.tests if t.group == test).limits == "lower"
    healthy = ss.reading(adult, test)
    for x in (2.5, 10, 20, 30):
        lost = ss.reading(adult, test, {f"tightness.{test}": x}) - healthy
        assert lost * (1 if lower else -1) == pytest.approx(x, abs=1.0)


def test_reading__tightness_of_one_side_leaves_the_other(adult):
    tight = {"tightness.hip_flexors.left": 20}
    assert ss.reading(adult, "hip_flexors", tight, side="right") == pytest.approx(HEALTHY["hip_flexors"], abs=1e-6)
    assert ss.reading(adult, "hip_flexors", tight, side="left") == pytest.approx(HEALTHY["hip_flexors"] + 20, abs=1)


def test_reading__strength_and_tone_are_not_felt_by_the_examiner(adult):
    """The limb is relaxed: active force has no part in the test, stiffness has."""
    relaxed_reading = ss.reading(adult, "hip_flexors")
    assert ss.reading(adult, "hip_flexors", {"strength.hip_flexors": 0.5}) == relaxed_reading
    assert ss.reading(adult, "hip_flexors", {"tone.psoas": 0.3}) == relaxed_reading
    assert ss.reading(adult, "hip_flexors", {"stiffness.hip_flexors": 2}) > relaxed_reading + 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gluteals",), "gluteals has no clinical test: groups with a test are hip_flexors"),
        (("hip_flexors", {"tightness.hip_flexor": 3}), "did you mean tightness.hip_flexors"),
        (("hip_flexors", {"tightness.hip_flexors": 99}), "tightness.hip_flexors = 99 deg is not allowed"),
    ],
)
def test_reading__bad_input_is_refused(adult, arguments, message):
    with pytest.raises(InputError, match=message):
        ss.reading(adult, *arguments)


def test_reading__refuses_an_unknown_side(adult):
    with pytest.raises(InputError, match="middle"):
        ss.reading(adult, "hip_flexors", side="middle")


def test_reading__says_when_the_limb_never_stops(adult):
    """Slack muscles and a capsule that begins far beyond the range."""
    test = next(t for t in adult.tests if t.group == "hip_flexors")
    loose = relaxed(adult)
    loose.stiffness[:] = 0.0
    loose.tissue_shift[:] = -10.0
    with pytest.raises(NotConvergedError, match="Thomas test: the passive moment never reaches"):
        find_reading(pack(adult), test, relaxed(adult), loose)
