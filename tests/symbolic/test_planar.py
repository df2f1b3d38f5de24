"""The printed equations of the teaching model: hand values, virtual work, invariance."""

import math

import numpy as np
import pytest
import sympy as sp

from spinesim.symbolic import planar

# A person of 75 kg drawn on paper [m, kg]
NUMBERS = {
    planar.gravity: 9.81,
    planar.leg_length: 0.87,
    **dict(zip(planar.lumbar, (-0.05, 0.10), strict=True)),
    **{planar.mass[body]: value for body, value in {"legs": 24.0, "pelvis": 9.0, "trunk": 42.0}.items()},
    **dict(zip(planar.centre["legs"], (0.01, -0.35), strict=True)),
    **dict(zip(planar.centre["pelvis"], (-0.03, 0.04), strict=True)),
    **dict(zip(planar.centre["trunk"], (0.04, 0.30), strict=True)),
}
POINTS = {
    "hip_flexor": ((0.04, 0.05), (0.02, -0.06)),
    "hip_extensor": ((-0.08, 0.02), (-0.03, -0.10)),
    "psoas": ((0.02, 0.05), (0.03, -0.05)),
    "back_extensor": ((-0.09, 0.05), (-0.05, 0.15)),
    "abdominal": ((0.06, 0.00), (0.12, 0.20)),
}


def numbers(muscle):
    origin, insertion = POINTS[muscle.name]
    return {
        **NUMBERS,
        **dict(zip(muscle.origin, origin, strict=True)),
        **dict(zip(muscle.insertion, insertion, strict=True)),
    }


def posture(values):
    return dict(zip(planar.COORDINATES, values, strict=True))


def test_gravity__upright_moments_by_hand():
    moments = planar.gravity_moments().subs(NUMBERS).subs(posture((0, 0, 0))).evalf()
    assert moments[2] == pytest.approx(42 * 9.81 * 0.04, abs=1e-12)
    assert moments[1] == pytest.approx(9.81 * (42 * (-0.05 + 0.04) + 9 * -0.03), abs=1e-12)
    assert moments[0] == pytest.approx(9.81 * 24 * 0.01, abs=1e-12)


def test_gravity__leaning_forward_topples_forward():
    moments = planar.gravity_moments().subs(NUMBERS).subs(posture((0.1, 0, 0))).evalf()
    above = (42 + 9) * 0.87 * math.sin(0.1) + 24 * ((0.87 - 0.35) * math.sin(0.1) + 0.01 * math.cos(0.1))
    assert moments[0] == pytest.approx(9.81 * above, abs=1e-12)


@pytest.mark.parametrize("muscle", planar.MUSCLES, ids=lambda muscle: muscle.name)
def test_muscle__arms_are_minus_the_change_of_length_in_the_world(muscle):
    known = numbers(muscle)
    line = planar.in_world(muscle.insertion_body, muscle.insertion)
    line = line - planar.in_world(muscle.origin_body, muscle.origin)
    length = sp.lambdify(planar.COORDINATES, sp.sqrt(line.dot(line)).subs(known))
    here = np.array([0.05, 0.2, -0.3])
    assert float(muscle.length.subs(known).subs(posture(here))) == pytest.approx(length(*here), abs=1e-15)
    arms = muscle.arms.subs(known).subs(posture(here)).evalf()
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-6
        slope = (length(*(here + step)) - length(*(here - step))) / 2e-6
        assert float(arms[k]) == pytest.approx(-slope, abs=1e-9)  # rounding 1e-16 / 1e-6


@pytest.mark.parametrize(
    ("name", "signs"),
    [
        ("hip_flexor", (-1, 1, 0)),
        ("hip_extensor", (1, -1, 0)),
        ("psoas", (-1, 1, 1)),
        ("back_extensor", (0, 0, -1)),
        ("abdominal", (0, 0, 1)),
    ],
)
def test_muscle__arm_signs_are_those_of_its_name(name, signs):
    muscle = next(muscle for muscle in planar.MUSCLES if muscle.name == name)
    arms = muscle.arms.subs(numbers(muscle)).subs(posture((0, 0, 0))).evalf()
    assert [int(sp.sign(arm)) for arm in arms] == list(signs)


def test_residual__is_the_slope_of_potential_and_muscle_work():
    known = {key: value for muscle in planar.MUSCLES for key, value in numbers(muscle).items()}
    work = -planar.potential() - sum(muscle.force * muscle.length for muscle in planar.MUSCLES)
    tensions = {muscle.force: 100.0 + 50 * i for i, muscle in enumerate(planar.MUSCLES)}
    passive = {planar.ankle_moment: 0, planar.hip_passive: sp.Lambda(planar.tilt, 0)}
    passive[planar.disc_passive] = sp.Lambda(planar.tilt, 0)
    total = planar.residual().subs(passive).subs(tensions).subs(known)
    slopes = sp.Matrix([sp.diff(work, angle) for angle in planar.COORDINATES]).subs(tensions).subs(known)
    here = posture((0.02, -0.1, 0.15))
    assert np.allclose(np.array(total.subs(here), float), np.array(slopes.subs(here), float), atol=1e-10)


def test_equilibrium__with_its_symbols_filled_in_is_the_residual():
    weights = zip(planar.COORDINATES, planar.gravity_moments(), strict=True)
    fill = {sp.Symbol(f"G_{angle}", real=True): moment for angle, moment in weights}
    for muscle in planar.MUSCLES:
        for angle, arm in zip(planar.COORDINATES, muscle.arms, strict=True):
            fill[sp.Symbol(f"r_{muscle.name}_{angle}", real=True)] = arm
    residual = planar.residual()
    for k, equation in enumerate(planar.equilibrium()):
        assert sp.expand(equation.lhs.subs(fill) - residual[k]) == 0


def test_print_equations__shows_every_balance(capsys):
    planar.print_equations(planar.MUSCLES[:1])
    text = capsys.readouterr().out
    for angle in planar.COORDINATES:
        assert f"moment balance about {angle}" in text
    assert "F_hip_flexor*r_hip_flexor_tilt" in text
    assert "r_hip_flexor_flexion" not in text  # it does not cross the lumbar joint
