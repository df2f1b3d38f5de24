"""Intra-abdominal pressure: where it rests, what bounds it, and what it does to the spine."""

import numpy as np
import pytest

import spinesim as ss
from spinesim.errors import InfeasibleError, InputError

BENT = {"stance": "forward_bend", "posture": {"trunk_flexion": 30}}
UPRIGHT = {"posture": {}}


def wall(adult, dataset):
    """Mean activation of the fascicles of the wall."""
    chosen = np.isin(dataset.anatomical_muscle.values, adult.abdomen.wall)
    assert chosen.any()
    return float(dataset.activation.values[chosen].mean())


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


@pytest.mark.parametrize("options", [UPRIGHT, BENT])
def test_imposed_valsalva__raises_the_load_of_the_discs(adult, options):
    """The wall that holds 10 kPa presses the trunk together by more than the pressure lifts it."""
    free, held = (ss.solve(adult, {"iap.lowest": lowest}, **options) for lowest in (0.0, 10.0))
    assert float(held.intra_abdominal_pressure) >= 10.0 - 1e-6
    assert float(free.intra_abdominal_pressure) < 9.0
    gained = (held.compression - free.compression).sel(level="L4_L5")
    assert float(gained) > 50.0


@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_pressure__rises_by_no_more_than_the_wall_holds(adult, strength):
    """p - p_rest <= 20 kPa x mean activation of the obliques, however strong the transversus; a Valsalva needs it all.

    A pressure of 10 kPa at rest 2.7 asks 7.3 / 20 of the obliques, far beyond what standing takes: the row is tight.
    """
    settings = {"iap.lowest": 10.0, "strength.transversus_abdominis": strength}
    dataset = ss.solve(adult, settings, **UPRIGHT)
    rise = float(dataset.intra_abdominal_pressure) - 2.7
    assert rise == pytest.approx(7.3, abs=1e-6)
    assert rise == pytest.approx(20.0 * wall(adult, dataset), abs=1e-6)
    assert float(dataset.transversus_activation) == pytest.approx(7.3 / (20.0 * strength), abs=1e-7)
    for parameters, options in (({}, UPRIGHT), ({"load.hands": 10}, BENT), ({"tone.transversus_abdominis": 0.1}, BENT)):
        other = ss.solve(adult, parameters, **options)
        over = float(other.intra_abdominal_pressure) - adult.stances[other.attrs["stance"]].rest_pressure / 1e3
        assert over <= 20.0 * wall(adult, other) + 1e-6


def test_pressure__is_used_only_where_it_saves_effort(adult):
    """With the transversus the same posture takes no more effort than without, as there is more to choose from."""
    with_it, without = (
        ss.solve(adult, {"inhibition.transversus_abdominis": most, "load.hands": 15}, **BENT) for most in (1.0, 0.0)
    )
    assert float(without.transversus_activation) == 0.0
    assert float(with_it.effort) <= float(without.effort) * (1.0 + 1e-9)


def test_a_wall_that_is_inhibited__cannot_hold_a_valsalva(adult):
    """Obliques of at most 0.2 hold a rise of 4 kPa: 6.6 kPa can be held, 6.8 cannot, whatever the transversus does."""
    weak = {f"inhibition.{muscle}": 0.2 for muscle in adult.abdomen.wall}
    for lowest, status in ((6.6, "solved"), (6.8, "infeasible")):
        dataset = ss.solve(adult, {**weak, "iap.lowest": lowest}, **UPRIGHT, raise_on_failure=False)
        assert dataset.status.item() == status, lowest


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
