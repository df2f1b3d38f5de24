"""Derivatives by the conditions of optimality against differences of solved cases."""

import numpy as np
import pytest

import spinesim as ss
from spinesim.derivatives import derivatives
from spinesim.errors import InputError, NotConvergedError
from spinesim.solve import make_task

BASE = {
    "tightness.hip_flexors": 7.0,
    "strength.core": 0.9,
    "load.hand.right": 3.0,
    "strength.psoas.left": 1.0,
    "tone.psoas": 0.02,
    "subject.stature": 1.75,
}
WIDTHS = {
    "tightness.hip_flexors": 15.0,
    "strength.core": 0.4,
    "load.hand.right": 6.0,
    "strength.psoas.left": 0.5,
    "tone.psoas": 0.2,
    "subject.stature": 0.05,
}
#: What is derived, and what counts as no change of it.
SCALES = {
    "anterior_pelvic_tilt": 0.1,
    "compression": 10.0,
    "shear_anterior": 1.0,
    "foramen_area": 0.5,
    "effort": 0.01,
    "multiplier": 0.1,
    "hip_contact_force": 10.0,
}


def pick(values):
    return np.concatenate([np.ravel(values[name][0]) for name in SCALES])


def picked(dataset):
    return np.concatenate([np.ravel(dataset[name].values) for name in SCALES])


def scale(dataset):
    return np.concatenate([np.full(dataset[name].size, size) for name, size in SCALES.items()])


def asked(adult, options):
    return make_task(
        adult,
        options.get("stance", "standing"),
        options.get("posture"),
        options.get("complete", "rhythm"),
        stability=options.get("stability"),
    )


def worst_error(slopes, widths, scale, step, solved):
    """By parameter the largest difference from central differences, over their size plus what counts as no change."""
    worst = {}
    for column, (name, width) in enumerate(widths.items()):
        low, high = (solved({name: BASE[name] + sign * step * width}) for sign in (-1, 1))
        change = (high - low) / (2.0 * step)
        worst[name] = float((np.abs(slopes[:, column] * width - change) / (np.abs(change) + scale)).max())
    return worst


@pytest.mark.parametrize(
    "options",
    [
        {"stability": False},
        {"stability": False, "stance": "sitting"},
        {"stability": False, "stance": "squat"},
        {"stability": False, "posture": {"anterior_pelvic_tilt": 3.0}, "complete": "find"},
        {"posture": {"trunk_flexion": 20.0}},
        {"posture": {}},
    ],
)
def test_derivatives__are_those_of_central_differences(adult, options):
    values, slopes = derivatives(asked(adult, options), BASE, WIDTHS, pick)
    one = ss.solve(adult, BASE, **options)
    np.testing.assert_allclose(values, picked(one), rtol=1e-8, atol=1e-8)
    worst = worst_error(
        slopes, WIDTHS, scale(one), 1e-4, lambda change: picked(ss.solve(adult, {**BASE, **change}, **options))
    )
    assert max(worst.values()) < 1e-4, worst


@pytest.mark.parametrize(
    ("hands", "options"),
    [(4.0, {}), (0.0, {"posture": {}, "stability": 50.0}), (0.0, {"stance": "single_leg_right"})],
)
def test_derivatives__hold_with_the_stability_demanded(adult, hands, options):
    """Solves meet the margin to a tolerance that such differences would show; so each is brought to the exact root."""
    task, widths = asked(adult, options), {k: WIDTHS[k] for k in ("strength.core", "load.hand.right")}
    settings = {**BASE, "load.hands": hands}
    values, slopes = derivatives(task, settings, widths, pick)
    one = ss.solve(adult, settings, **options)
    assert one.stability_price > 0.0
    assert (np.abs(values - picked(one)) / (np.abs(values) + scale(one))).max() < 5e-3
    worst = worst_error(
        slopes, widths, scale(one), 3e-4, lambda change: derivatives(task, {**settings, **change}, {}, pick)[0]
    )
    assert max(worst.values()) < 1e-4, worst


def test_derivatives__of_symmetry_left_and_right_are_mirror_images(adult):
    task = make_task(adult, "standing", None, "rhythm")
    both = {"strength.psoas.left": 1.0, "strength.psoas.right": 1.0}
    _, slopes = derivatives(
        task, {"tightness.hip_flexors": 6.0, **both}, dict.fromkeys(both, 0.5), lambda v: v["foramen_area"][0].ravel()
    )
    left, right = slopes.reshape(-1, 2, 2).transpose(2, 0, 1)
    np.testing.assert_allclose(left, right[:, ::-1], rtol=1e-4, atol=1e-6)


def test_derivatives__at_the_end_of_a_range_look_inwards(adult):
    """No load is less than none."""
    task = make_task(adult, "standing", None, "rhythm", stability=False)
    tight = {"tightness.hip_flexors": 6.0}
    settings = {**tight, "load.hands": 0.0}
    value, slope = derivatives(task, settings, {"load.hands": 5.0}, lambda v: v["compression"][0])
    step = 1e-3
    cases = [ss.solve(adult, {**tight, "load.hands": k * step}, stability=False) for k in (0, 1, 2)]
    near = [case.compression.values for case in cases]
    np.testing.assert_allclose(slope[:, 0], (-1.5 * near[0] + 2.0 * near[1] - 0.5 * near[2]) / step, rtol=1e-4)
    np.testing.assert_allclose(value, near[0], rtol=1e-9)


def test_derivatives__of_healthy_standing_itself_do_not_exist(adult):
    """Loads and unloads wake different muscles there."""
    task = make_task(adult, "standing", None, "rhythm", stability=False)
    with pytest.raises(NotConvergedError, match="at the edge between two sets of active muscles"):
        derivatives(task, {"strength.core": 1.0}, {"strength.core": 1.0}, lambda v: v["effort"])


def test_derivatives__of_a_case_without_a_solution(adult):
    task = make_task(adult, "standing", {}, "rhythm")
    with pytest.raises(NotConvergedError, match="has no solution"):
        derivatives(task, {"load.hands": 90.0, "load.reach": 0.5}, {"load.hands": 1.0}, lambda v: v["effort"])


def test_derivatives__of_another_criterion_are_refused(adult):
    task = make_task(adult, "standing", {}, "rhythm", "effort3")
    with pytest.raises(InputError, match="criterion = 'effort2'"):
        derivatives(task, {"load.hands": 1.0}, {"load.hands": 1.0}, lambda v: v["effort"])
