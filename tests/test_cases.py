"""From parameter values to the rows of the case table."""

import numpy as np
import pytest

from spinesim import cases as tables
from spinesim.cases import case_arrays, path_lengths, shifts
from spinesim.model.pack import pack
from spinesim.stance import default_cases, pack_stance


def table(adult, columns, stance="standing"):
    """Case table of columns of equal length."""
    arrays = {name: np.atleast_1d(np.asarray(column, dtype=float)) for name, column in columns.items()}
    count = max((a.size for a in arrays.values()), default=1)
    return case_arrays(pack_stance(pack(adult), stance), arrays, count, np.zeros(0))


def of(adult, muscle, side=None):
    """Indices of the fascicles of an anatomical muscle."""
    return [i for i, m in enumerate(adult.muscles) if m.muscle == muscle and (side is None or m.side == side)]


def test_no_columns__are_the_defaults(adult):
    stance = pack_stance(pack(adult), "standing")
    for ours, default in zip(
        table(adult, {}), default_cases(stance.packed, stance.arrays, stance.stance, 1, 0), strict=True
    ):
        np.testing.assert_array_equal(ours, default)


def test_muscle_parameters__reach_their_fascicles_case_by_case(adult):
    cases = table(adult, {"strength.psoas": [1.0, 0.5], "stiffness.psoas.left": [2.0, 3.0], "tone.psoas.right": 0.1})
    psoas, left, right = of(adult, "psoas"), of(adult, "psoas", "left"), of(adult, "psoas", "right")
    others = np.setdiff1d(np.arange(pack(adult).lines), psoas)
    assert cases.strength[:, psoas].tolist() == [[1.0] * len(psoas), [0.5] * len(psoas)]
    assert (cases.strength[:, others] == 1.0).all()
    assert (cases.stiffness[0, left] == 2.0).all()
    assert (cases.stiffness[1, left] == 3.0).all()
    assert (cases.stiffness[:, right] == 1.0).all()
    assert (cases.lower[:, right] == 0.1).all()
    assert (cases.lower[:, left] == 0.0).all()


def test_inhibition__bounds_activation_from_above(adult):
    cases = table(adult, {"inhibition.multifidus.left": 0.4})
    assert (cases.upper[0, of(adult, "multifidus", "left")] == 0.4).all()
    assert (cases.upper[0, of(adult, "multifidus", "right")] == 1.0).all()


def test_tightness__shifts_each_fascicle_by_its_arm_and_the_tissue_by_the_same_angle(adult):
    """s = gain |r| theta / l_opt, with the arm at the healthy reading of the group's test."""
    packed = pack(adult)
    theta = np.radians(12.5)
    cases = table(adult, {"tightness.hip_flexors.right": 12.5})
    test = next(t for t in adult.tests if t.group == "hip_flexors")
    gain = np.interp(theta, test.theta, test.gain)
    _, gradient = path_lengths(packed, tables.test_pose(packed, test, test.reference))
    k = packed.coordinates.index(test.coordinate)
    for i, muscle in enumerate(adult.muscles):
        tight = muscle.muscle in adult.groups["hip_flexors"] and muscle.side == "right"
        expected = gain * abs(gradient[i, k]) * theta / muscle.optimal_fibre_length if tight else 0.0
        assert cases.shift[0, i] == pytest.approx(expected, rel=1e-12)
    for t, tissue in enumerate(adult.tissues):
        tight = tissue.tightness_group == "hip_flexors" and "_r." in tissue.coordinate
        sign = 1.0 if tissue.limits == "lower" else -1.0
        assert cases.tissue_shift[0, t] == pytest.approx(gain * theta * sign if tight else 0.0, rel=1e-12)
    assert any(t.tightness_group == "hip_flexors" for t in adult.tissues)


def test_tightness__left_and_right_are_alike(adult):
    for (group, side), shift in shifts(pack(adult)).items():
        if side == "right":
            other = shifts(pack(adult))[group, "left"]
            assert other.per_radian == pytest.approx(shift.per_radian, rel=1e-12)
            assert other.signs.tolist() == shift.signs.tolist()


def test_tightness__a_fascicle_of_two_tight_groups_takes_the_larger_shift(adult):
    rectus = of(adult, "rectus_femoris", "right")
    one = table(adult, {"tightness.hip_flexors": 10}).shift[0, rectus]
    two = table(adult, {"tightness.quadriceps": 30}).shift[0, rectus]
    both = table(adult, {"tightness.hip_flexors": 10, "tightness.quadriceps": 30}).shift[0, rectus]
    assert both.tolist() == np.maximum(one, two).tolist()


def test_hand_loads__are_weights_at_the_hands(adult):
    cases = table(adult, {"load.hand.right": [0, 4], "load.hands": [0, 6], "load.reach": [0, 0.3]})
    assert cases.load == pytest.approx(adult.gravity * np.array([[0, 0, 0, 0, 0], [7, 3, 0, 0, 0]]))
    # the reach moves the hands, not what shoulders and back carry
    assert cases.load_point[1, :, 0] - cases.load_point[0, :, 0] == pytest.approx([0.3, 0.3, 0, 0, 0])
    assert cases.load_point[0, 0] == pytest.approx(cases.load_point[0, 1] * [1, 1, -1])


def test_ankles__keep_the_centre_of_pressure_under_the_foot(adult):
    """Moment at full activation: weight of body and load times the reach of the foot, or the muscle's own limit."""
    load = np.array([0.0, 30.0])
    cases = table(adult, {"load.hands": load})
    weight = adult.gravity * (sum(body.mass for body in adult.bodies) + load)
    stance = pack_stance(pack(adult), "standing")
    known = {a.name: a for a in adult.actuators}
    for reach, name in ((adult.foot.front, "plantarflexion"), (adult.foot.back, "dorsiflexion")):
        pair = [i for i, a in enumerate(stance.actuators) if name in a]
        most = sum(abs(known[stance.actuators[i]].max_moment) for i in pair)
        expected = np.minimum(most, reach * weight)
        for i in pair:
            assert cases.upper[:, pack(adult).lines + i] * most == pytest.approx(expected, rel=1e-12)


def test_preload__is_the_users_or_the_models(adult):
    assert table(adult, {}).preload.tolist() == [adult.neutral_zone.preload]
    assert table(adult, {"disc.preload": [0, 120]}).preload.tolist() == [0, 120]


# intra-abdominal pressure: the bounds of the transversus


def test_pressure__highest_and_lowest_bound_the_transversus(adult):
    """p = p_rest + range x strength x a, so a lies between (lowest - p_rest) and (highest - p_rest) over the rest."""
    line, most = pack(adult).arrays.pressure_line, adult.abdomen.highest
    rest = adult.stances["standing"].rest_pressure
    cases = table(
        adult,
        {
            "iap.highest": [20.0, 12.0, 12.0, 0.0],
            "iap.lowest": [0.0, 10.0, 10.0, 0.0],
            "strength.transversus_abdominis": [1.0, 1.0, 0.5, 1.0],
        },
    )
    assert cases.rest_pressure.tolist() == [rest, rest, rest, 0.0]  # a switched-off pressure does not even rest
    assert cases.upper[:, line] == pytest.approx(
        [1.0 - rest / most, (12e3 - rest) / most, 2 * (12e3 - rest) / most, 0.0], abs=1e-12
    )
    assert cases.lower[:, line] == pytest.approx([0.0, (10e3 - rest) / most, 2 * (10e3 - rest) / most, 0.0], abs=1e-12)
    assert cases.strength[:, line].tolist() == [1.0, 1.0, 0.5, 1.0]


@pytest.mark.parametrize(("stance", "expected"), [("standing", 2.7e3), ("sitting", 2.2e3)])
def test_pressure__rests_at_the_stances_value_or_the_users(adult, stance, expected):
    cases = table(adult, {"iap.rest": [1.5, 4.0]}, stance)
    assert table(adult, {}, stance).rest_pressure == pytest.approx([expected], rel=1e-12)
    assert cases.rest_pressure == pytest.approx([1.5e3, 4e3], rel=1e-12)


def test_short_range_stiffness__is_the_users_or_the_models(adult):
    assert table(adult, {}).short_range.tolist() == [adult.stability.short_range]
    assert table(adult, {"muscle.short_range": [5, 40]}).short_range.tolist() == [5, 40]
