"""The generated kernels against arbitrary precision, complex steps and closed forms."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from spinesim.kernels import derived

# De Groote et al. (2016), doi:10.1007/s10439-016-1591-9
GAUSSIANS = np.array(
    [
        *(0.8150671134243542, 1.055033428970575, 0.162384573599574, 0.063303448465465),
        *(0.433004984392647, 0.71677541339776, -0.029947116970696, 0.200356847296188),
        *(0.1, 1.0, 0.353553390593274, 0.0),
    ]
)
FLOOR, SOFTPLUS = 0.3, 0.01
SHAPE, STRAIN = 4.0, 0.6

# |M| = c1 t + c2 t^2 + c3 t^3 at 500 N, positive direction then negative [N m/rad, N m/rad2, N m/rad3], and twice the
# range of motion [rad]: the softest and the stiffest levels of each axis (Heuer et al. 2007 scaled by Yamamoto 1989).
DISCS = {
    "T12_L1 flexion": (207.418624, -1932.340303, 19000.584439, 203.506934, 179.385976, 15417.088956),
    "L3_L4 flexion": (160.403736, -1494.343168, 14693.7853, 236.508058, 208.475593, 17917.157435),
    "L4_L5 flexion": (135.171687, -1259.27795, 12382.403342, 150.87583, 132.993051, 11429.910778),
    "L5_S1 flexion": (120.302802, -1120.757376, 11020.338975, 112.18972, 98.892269, 8499.164424),
    "L2_L3 bend": (47.490309, 813.256464, 2663.577422, 47.490309, 813.256464, 2663.577422),
    "T12_L1 bend": (67.158013, 1150.059646, 3766.675143, 67.158013, 1150.059646, 3766.675143),
    "L2_L3 turn": (262.847011, -25.788717, 9772.207372, 262.847011, -25.788717, 9772.207372),
    "L5_S1 turn": (488.144449, -47.893331, 18148.385119, 488.144449, -47.893331, 18148.385119),
}
TWICE_RANGE = math.radians(34)
WIDTH, BLEND = math.radians(2), math.radians(0.5)

angles = st.floats(-math.pi, math.pi)
parts = st.floats(-1, 1)


def unit(vector):
    length = math.hypot(*vector)
    assume(length > 0.1)
    return np.array(vector) / length


def precise_softplus(x):
    return mpmath.log(1 + mpmath.exp(x))


def precise_active(length):
    floored = FLOOR + SOFTPLUS * precise_softplus((length - FLOOR) / mpmath.mpf(SOFTPLUS))
    total = mpmath.mpf(0)
    for b1, b2, b3, b4 in GAUSSIANS.reshape(3, 4):
        total += b1 * mpmath.exp(-(((floored - b2) / (b3 + b4 * floored)) ** 2) / 2)
    return total


def precise_passive(length, slack=1.0):
    stretch = SOFTPLUS * precise_softplus((length - slack) / mpmath.mpf(SOFTPLUS))
    start = precise_softplus(-mpmath.mpf(STRAIN) / SOFTPLUS)
    beyond = SOFTPLUS * (precise_softplus((stretch - STRAIN) / mpmath.mpf(SOFTPLUS)) - start)
    tangent = SHAPE * mpmath.exp(SHAPE) / STRAIN
    return (mpmath.exp(SHAPE * (stretch - beyond) / STRAIN) - 1 + tangent * beyond) / (mpmath.exp(SHAPE) - 1)


def precise_disc(angle, coefficients, fraction):
    t = mpmath.tanh(angle / mpmath.mpf(BLEND))
    p, n = coefficients[:3], coefficients[3:]
    c1, c2, c3 = ((mpmath.mpf(p[i]) + n[i]) / 2 + (mpmath.mpf(p[i]) - n[i]) / 2 * t for i in range(3))
    soft = fraction + (1 - fraction) * (1 - mpmath.exp(-((angle / mpmath.mpf(WIDTH)) ** 2)))
    return c1 * angle * soft + c2 * angle**2 * t + c3 * angle**3


# rotation


@given(st.tuples(parts, parts, parts), angles)
def test_rotation__is_orthonormal_and_leaves_its_axis(axis, angle):
    axis = unit(axis)
    matrix = np.reshape(derived.rotation.py_func(*axis, angle), (3, 3))
    assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-14)
    assert_allclose(np.linalg.det(matrix), 1, atol=1e-14)
    assert_allclose(matrix @ axis, axis, atol=1e-14)
    assert_allclose(np.trace(matrix), 1 + 2 * math.cos(angle), atol=1e-14)


def test_rotation__about_z_takes_forward_to_up():
    matrix = np.reshape(derived.rotation.py_func(0.0, 0.0, 1.0, math.pi / 2), (3, 3))
    assert_allclose(matrix @ [1, 0, 0], [0, 1, 0], atol=1e-15)


# straight path

points = st.tuples(parts, parts, parts).map(np.array)


def turned_length(origin, insertion, centre, axis, angle):
    """Length by Rodrigues' formula on vectors; complex angles are welcome."""
    lever = insertion - centre
    turned = lever * np.cos(angle) + np.cross(axis, lever) * np.sin(angle) + axis * (axis @ lever) * (1 - np.cos(angle))
    line = centre + turned - origin
    return np.sqrt(np.sum(line * line))


@given(points, points, points, st.tuples(parts, parts, parts))
def test_straight_path__arm_is_minus_dlength_dangle(origin, insertion, centre, axis):
    axis = unit(axis)
    assume(np.linalg.norm(insertion - origin) > 0.05)
    length, arm, _ = derived.straight_path.py_func(origin, insertion, centre, axis)
    step = 1e-30
    assert length == pytest.approx(np.linalg.norm(insertion - origin), abs=1e-14)
    # complex step: exact to rounding, levers here are below 4 m
    assert arm == pytest.approx(-turned_length(origin, insertion, centre, axis, 1j * step).imag / step, abs=1e-13)


@given(points, points, points, st.tuples(parts, parts, parts))
def test_straight_path__curvature_is_the_change_of_the_arm(origin, insertion, centre, axis):
    axis = unit(axis)
    assume(np.linalg.norm(insertion - origin) > 0.05)
    _, _, curvature = derived.straight_path.py_func(origin, insertion, centre, axis)

    def arm(angle):
        matrix = np.reshape(derived.rotation.py_func(*axis, angle), (3, 3))
        return derived.straight_path.py_func(origin, centre + matrix @ (insertion - centre), centre, axis)[1]

    step = 1e-4  # fourth-order difference: the truncation is below 1e-16 (4 m / 0.05 m)^4, rounding 1e-14 / step
    slope = (8 * (arm(step) - arm(-step)) - (arm(2 * step) - arm(-2 * step))) / (12 * step)
    assert -slope == pytest.approx(curvature, abs=1e-6, rel=1e-6)


def test_straight_path__quarter_turn_lever_has_closed_form():
    # insertion 0.3 m forward of the joint, origin 0.4 m above it: L = 0.5, arm = 0.4 * 0.3 / 0.5
    origin, insertion = np.array([0.0, 0.4, 0.0]), np.array([0.3, 0.0, 0.0])
    length, arm, curvature = derived.straight_path.py_func(origin, insertion, np.zeros(3), np.array([0.0, 0.0, 1.0]))
    assert length == pytest.approx(0.5, abs=1e-15)
    assert arm == pytest.approx(0.24, abs=1e-15)  # the pull lifts the insertion: right-handed about z
    assert curvature == pytest.approx(-(0.24**2) / 0.5, abs=1e-15)


# muscle curves


@pytest.mark.parametrize("length", [-1.0, 0.05, 0.15, 0.29, 0.3, 0.31, 0.4, 0.7, 1.0, 1.4, 1.8, 3.0])
def test_active_curve__value_and_slope_to_thirty_digits(length):
    force, slope = derived.active_curve.py_func(length, GAUSSIANS, FLOOR, SOFTPLUS)
    with mpmath.workdps(30):
        assert force == pytest.approx(float(precise_active(mpmath.mpf(length))), abs=1e-15, rel=1e-12)
        assert slope == pytest.approx(float(mpmath.diff(precise_active, mpmath.mpf(length))), abs=1e-13, rel=1e-10)


@pytest.mark.parametrize("slack", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("length", [-1.0, 0.05, 0.5, 0.95, 1.0, 1.05, 1.4, 1.8, 3.0])
def test_passive_curve__value_and_slope_to_thirty_digits(length, slack):
    force, slope = derived.passive_curve.py_func(length, slack, STRAIN, SHAPE, SOFTPLUS)
    with mpmath.workdps(30):
        exact = precise_passive(mpmath.mpf(length), slack)
        tangent = mpmath.diff(lambda x: precise_passive(x, slack), mpmath.mpf(length))
        # far below slack the exact values are of the order of exp(-200): only their smallness is asked
        assert force == pytest.approx(float(exact), abs=1e-18, rel=1e-12)
        assert slope == pytest.approx(float(tangent), abs=1e-16, rel=1e-12)


@pytest.mark.parametrize("length", [-1.0, 0.05, 3.0])
def test_curves__compiled_extremes_are_finite(length):
    assert np.isfinite(derived.active_curve(length, GAUSSIANS, FLOOR, SOFTPLUS)).all()
    assert np.isfinite(derived.passive_curve(length, 1.0, STRAIN, SHAPE, SOFTPLUS)).all()


def test_active_curve__peaks_at_one_near_the_optimal_length():
    lengths = np.linspace(0.4, 1.8, 1401)
    forces = np.array([derived.active_curve(x, GAUSSIANS, FLOOR, SOFTPLUS)[0] for x in lengths])
    assert forces.max() == pytest.approx(1.0, abs=0.01)  # the published fit, not a normalised one
    assert lengths[forces.argmax()] == pytest.approx(1.0, abs=0.05)
    assert forces.min() >= 0


def test_passive_curve__is_one_at_its_strain_grows_everywhere_and_never_more_slowly():
    # the corner at the strain lowers the exponential by (shape w ln 2 / strain)^2 / 2 = 1e-3 at most
    assert derived.passive_curve(1.0 + STRAIN, 1.0, STRAIN, SHAPE, SOFTPLUS)[0] == pytest.approx(1, abs=1.1e-3)
    samples = np.array([derived.passive_curve(x, 1.0, STRAIN, SHAPE, SOFTPLUS) for x in np.linspace(-1, 3, 2001)])
    assert (samples > 0).all()
    assert (np.diff(samples[:, 0]) > 0).all()
    assert (np.diff(samples[:, 1]) > -1e-12).all()


def test_passive_curve__is_the_published_exponential_below_its_strain():
    for x in (0.1, 0.3, 0.5):
        published = math.expm1(SHAPE * x / STRAIN) / math.expm1(SHAPE)
        # ten widths below the join the softplus has faded to exp(-10) of its width
        assert derived.passive_curve(1.0 + x, 1.0, STRAIN, SHAPE, SOFTPLUS)[0] == pytest.approx(published, rel=1e-3)


def test_passive_curve__is_the_tangent_of_the_exponential_beyond_its_strain():
    tangent = SHAPE / STRAIN * math.exp(SHAPE) / math.expm1(SHAPE)
    for x in (0.2, 0.5, 1.0, 5.0):
        force, slope = derived.passive_curve(1.0 + STRAIN + x, 1.0, STRAIN, SHAPE, SOFTPLUS)
        assert force == pytest.approx(1.0 + tangent * x, rel=1e-8)
        assert slope == pytest.approx(tangent, rel=1e-7)


@pytest.mark.parametrize("strain", [0.15, 0.6, 2.3])
def test_passive_curve__a_slack_fibre_has_no_force(strain):
    # a straight line begun at the strain would leave a constant below it
    assert abs(derived.passive_curve(0.5, 1.5, strain, SHAPE, SOFTPLUS)[0]) < 1e-20


# disc law


@pytest.mark.parametrize("name", DISCS)
@pytest.mark.parametrize("fraction", [0.1, 0.4, 1.0])
def test_disc_law__moment_and_tangent_to_thirty_digits(name, fraction):
    for degrees in (-20, -7.3, -2, -0.5, -0.01, 0, 0.01, 0.5, 2, 7.3, 20):
        angle = math.radians(degrees)
        moment, stiffness = derived.disc_law.py_func(angle, *DISCS[name], fraction, WIDTH, BLEND)
        with mpmath.workdps(30):
            exact = float(precise_disc(mpmath.mpf(angle), DISCS[name], fraction))
            tangent = mpmath.diff(lambda x: precise_disc(x, DISCS[name], fraction), mpmath.mpf(angle))
        assert moment == pytest.approx(exact, abs=1e-12, rel=1e-12)
        assert stiffness == pytest.approx(float(tangent), abs=1e-10, rel=1e-11)


@pytest.mark.parametrize("name", DISCS)
def test_disc_law__away_from_neutral_is_the_published_cubic(name):
    p, n = DISCS[name][:3], DISCS[name][3:]
    t = math.radians(8)  # four widths: the softening has faded to exp(-16)
    for sign, c in ((1, p), (-1, n)):
        moment, _ = derived.disc_law(sign * t, *DISCS[name], 0.1, WIDTH, BLEND)
        assert sign * moment == pytest.approx(c[0] * t + c[1] * t**2 + c[2] * t**3, rel=1e-6)


@pytest.mark.parametrize("name", DISCS)
@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.4, 0.7, 1.0])
def test_disc_law__tangent_is_positive_over_twice_the_range(name, fraction):
    tangents = [
        derived.disc_law(angle, *DISCS[name], fraction, WIDTH, BLEND)[1]
        for angle in np.linspace(-TWICE_RANGE, TWICE_RANGE, 2721)
    ]
    assert min(tangents) > 0


def test_disc_law__mirror_image_for_equal_directions():
    moment, stiffness = derived.disc_law(0.05, *DISCS["L2_L3 turn"], 0.2, WIDTH, BLEND)
    assert derived.disc_law(-0.05, *DISCS["L2_L3 turn"], 0.2, WIDTH, BLEND) == (-moment, stiffness)


# smooth step


def test_smooth_step__ends_and_middle():
    assert derived.smooth_step.py_func(-0.5) == (0.0, 0.0, 0.0)
    assert derived.smooth_step.py_func(1.5) == (1.0, 0.0, 0.0)
    assert derived.smooth_step.py_func(0.5) == pytest.approx((0.5, 1.875, 0.0), abs=1e-15)


@given(st.floats(0, 1))
def test_smooth_step__derivatives_and_antisymmetry(x):
    weight, slope, curvature = derived.smooth_step.py_func(x)
    polynomial = np.polynomial.Polynomial([0, 0, 0, 10, -15, 6])
    assert weight == pytest.approx(polynomial(x), abs=1e-14)
    assert slope == pytest.approx(polynomial.deriv()(x), abs=1e-13)
    assert curvature == pytest.approx(polynomial.deriv(2)(x), abs=1e-12)
    assert derived.smooth_step.py_func(1 - x)[0] == pytest.approx(1 - weight, abs=1e-14)
    assert slope >= 0


# smoothness of every law


def jump(law, at, order):
    """Difference of the one-sided derivatives of a given order, from the analytic first derivative."""
    step = 1e-7
    if order == 1:
        return abs(law(at + step)[1] - law(at - step)[1])
    right = (law(at + 2 * step)[1] - law(at + step)[1]) / step
    left = (law(at - step)[1] - law(at - 2 * step)[1]) / step
    return abs(right - left)


@pytest.mark.parametrize(
    ("law", "at"),
    [
        (lambda x: derived.active_curve(x, GAUSSIANS, FLOOR, SOFTPLUS), FLOOR),
        (lambda x: derived.passive_curve(x, 1.0, STRAIN, SHAPE, SOFTPLUS), 1.0),
        (lambda x: derived.passive_curve(x, 1.0, STRAIN, SHAPE, SOFTPLUS), 1.0 + STRAIN),
        (lambda x: derived.disc_law(x, *DISCS["L3_L4 flexion"], 0.1, WIDTH, BLEND), 0.0),
        (derived.smooth_step, 0.0),
        (derived.smooth_step, 1.0),
    ],
)
def test_laws__first_and_second_derivative_are_continuous_at_the_corners(law, at):
    scale = max(abs(law(at + x)[1]) for x in (-0.02, -0.01, 0, 0.01, 0.02))
    assert jump(law, at, 1) <= 1e-4 * scale
    # the second derivative changes by about its own rate over 3e-7; a kink would show as scale / width
    assert jump(law, at, 2) <= 1e-2 * scale / BLEND


def test_disc_law__tangent_is_positive_for_every_level_axis_and_preload_of_the_adult(adult):
    laws = {(law.level, law.coordinate, law.preload, law.direction): law for law in adult.disc_laws}
    zone = adult.neutral_zone
    for level, coordinate, preload, direction in laws:
        if direction == "negative":
            continue
        both = [laws[level, coordinate, preload, side] for side in ("positive", "negative")]
        coefficients = [value for law in both for value in (law.c1, law.c2, law.c3)]
        limits = next(c for c in adult.coordinates if c.joint == level and c.name == coordinate)
        for fraction in (0.1, 0.2, 0.5, 1.0):
            for angle in np.linspace(2 * limits.lowest, 2 * limits.highest, 201):
                _, stiffness = derived.disc_law(angle, *coefficients, fraction, zone.width, zone.blend)
                assert stiffness > 0, (level, coordinate, preload, fraction, angle)
