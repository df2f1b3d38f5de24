"""Intra-abdominal pressure: where it rests, what bounds it, and what it does to the spine."""

import numpy as np
import pytest

import spinesim as ss
from spinesim.errors import InfeasibleError, InputError

BENT = {"stance": "forward_bend", "posture": {"trunk_flexion": 30}}
UPRIGHT = {"posture": {}}


def allowed(adult, dataset):
    """Rise that healthy obliques allow [kPa]."""
    chosen = np.isin(dataset.anatomical_muscle.values, adult.abdomen.wall)
    assert chosen.any()
    return 43.0 * float(dataset.activation.values[chosen].mean())


@pytest.mark.parametrize(("stance", "rest"), [("standing", 2.7), ("sitting", 2.2), ("forward_bend", None)])
def test_pressure__is_that_of_rest_and_of_the_transversus(adult, stance, rest):
    """p = p_rest(stance) + 20 kPa x activation."""
    rest = adult.stances[stance].rest_pressure / 1e3 if rest is None else rest
    dataset = ss.solve(adult, {"tone.transversus_abdominis": 0.05}, stance=stance, posture={"trunk_flexion": 0})
    assert float(dataset.transversus_activation) >= 0.05
    expected = rest + 20.0 * float(dataset.transversus_activation)
    assert float(dataset.intra_abdominal_pressure) == pytest.approx(expected, rel=1e-9)
    set_by_user = ss.solve(adult, {"iap.rest": 4.0}, stance=stance, posture={"trunk_flexion": 0})
    expected = 4.0 + 20.0 * float(set_by_user.transversus_activation)
    assert float(set_by_user.intra_abdominal_pressure) == pytest.approx(expected, rel=1e-9)


def test_pressure__is_switched_off_by_a_highest_of_zero(adult):
    dataset = ss.solve(adult, {"iap.highest": 0.0}, **BENT)
    assert float(dataset.intra_abdominal_pressure) == 0.0
    assert float(dataset.transversus_activation) == 0.0


@pytest.mark.parametrize("highest", [2.7, 6.0])
def test_pressure__does_not_exceed_its_highest(adult, highest):
    """Asked for at least as much, it stands exactly there."""
    dataset = ss.solve(adult, {"iap.highest": highest, "iap.lowest": highest}, **UPRIGHT)
    assert float(dataset.intra_abdominal_pressure) == pytest.approx(highest, abs=1e-9)


def test_imposed_valsalva__loads_the_upright_spine_and_relieves_the_bent_one(adult):
    """Upright the back muscles have to answer the wall that holds 10 kPa; far bent, 5 kPa do part of their work.

    The same directions as in Arjmand and Shirazi-Adl 2006, Eur Spine J 15:1265-1275 (from memory).
    """
    far = {"stance": "forward_bend", "posture": {"trunk_flexion": 60}}
    for options, kilopascal, sign in ((UPRIGHT, 10.0, 1.0), (far, 5.0, -1.0)):
        free, held = (ss.solve(adult, {"iap.lowest": lowest}, **options) for lowest in (0.0, kilopascal))
        assert float(held.intra_abdominal_pressure) == pytest.approx(kilopascal, abs=1e-6)
        assert float(free.intra_abdominal_pressure) < 4.0
        gained = (held.compression - free.compression).sel(level="L4_L5")
        assert sign * float(gained) > 50.0


@pytest.mark.parametrize("muscle", ["transversus_abdominis", "external_oblique", "internal_oblique"])
def test_pressure__rises_by_no_more_than_the_force_of_the_wall_holds(adult, muscle):
    """A Valsalva asks more of the obliques than standing does: the row is tight, at any strength of the transversus.

    p - p_rest = 43 kPa x mean of strength x activation over the obliques.
    """
    dataset = ss.solve(adult, {"iap.lowest": 10.0, f"strength.{muscle}": 0.6}, **UPRIGHT)
    rise = float(dataset.intra_abdominal_pressure) - 2.7
    assert rise == pytest.approx(7.3, abs=1e-6)
    chosen = np.isin(dataset.anatomical_muscle.values, adult.abdomen.wall)
    strength = np.where(dataset.anatomical_muscle.values == muscle, 0.6, 1.0)[chosen]
    assert rise == pytest.approx(43.0 * (strength * dataset.activation.values[chosen]).mean(), abs=1e-6)
    transversus = 0.6 if muscle == "transversus_abdominis" else 1.0
    assert float(dataset.transversus_activation) == pytest.approx(7.3 / (20.0 * transversus), abs=1e-7)


def test_pressure__stays_within_what_the_wall_holds(adult):
    for parameters, options in (({}, UPRIGHT), ({"load.hands": 10}, BENT), ({"tone.transversus_abdominis": 0.1}, BENT)):
        other = ss.solve(adult, parameters, **options)
        over = float(other.intra_abdominal_pressure) - adult.stances[other.attrs["stance"]].rest_pressure / 1e3
        assert over <= allowed(adult, other) + 1e-6


def test_pressure__is_used_only_where_it_saves_effort(adult):
    """With the transversus the same posture takes no more effort than without, as there is more to choose from."""
    with_it, without = (
        ss.solve(adult, {"inhibition.transversus_abdominis": most, "load.hands": 15}, **BENT) for most in (1.0, 0.0)
    )
    assert float(without.transversus_activation) == 0.0
    assert float(with_it.effort) <= float(without.effort) * (1.0 + 1e-9)


def test_a_wall_that_is_inhibited__cannot_hold_a_valsalva(adult):
    """Obliques that give 0.1 of their force hold a rise of 4.3 kPa: 6.9 kPa can be held, 7.1 cannot."""
    for setting in ("inhibition", "strength"):
        weak = {f"{setting}.{muscle}": 0.1 for muscle in adult.abdomen.wall}
        for lowest, status in ((6.9, "solved"), (7.1, "infeasible")):
            dataset = ss.solve(adult, {**weak, "iap.lowest": lowest}, **UPRIGHT, raise_on_failure=False)
            assert dataset.status.item() == status, (setting, lowest)


def test_a_pressure_that_the_transversus_cannot_raise__is_infeasible_with_a_sentence(adult):
    weak = {"iap.lowest": 10.0, "strength.transversus_abdominis": 0.3}  # at most 2.7 + 6 kPa
    with pytest.raises(InfeasibleError, match=r"transversus abdominis cannot raise the pressure that iap\.lowest asks"):
        ss.solve(adult, weak, **UPRIGHT)
    dataset = ss.solve(adult, weak, **UPRIGHT, raise_on_failure=False)
    assert dataset.status.item() == "infeasible"
    assert not dataset.missing_moment.values.any()
    assert np.isnan(float(dataset.intra_abdominal_pressure))


def test_lowest_above_highest__is_refused(adult):
    with pytest.raises(InputError, match=r"iap\.lowest is 10 kPa, above iap\.highest of 8 kPa"):
        ss.solve(adult, {"iap.lowest": 10.0, "iap.highest": 8.0}, **UPRIGHT)
    with pytest.raises(InputError, match=r"iap\.lowest is 9 kPa, above iap\.highest of 8 kPa"):
        ss.sweep(adult, {"iap.lowest": [0.0, 9.0]}, parameters={"iap.highest": 8.0}, **UPRIGHT)


@pytest.mark.parametrize("name", ["iap.rest", "iap.lowest", "iap.highest"])
def test_a_model_without_an_abdomen__refuses_pressures(name):
    teaching = ss.load_model("teaching")
    with pytest.raises(InputError, match=rf"{name}: the model teaching has no abdomen"):
        ss.solve(teaching, {name: 3.0}, **UPRIGHT)
    with pytest.raises(InputError, match="no abdomen"):
        ss.sweep(teaching, {name: [1.0, 3.0]}, **UPRIGHT)
    assert "intra_abdominal_pressure" not in ss.solve(teaching)
    assert "intra_abdominal_pressure" not in ss.sweep(teaching, {"load.hands": [0.0, 1.0]}, **UPRIGHT)
