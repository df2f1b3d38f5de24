"""What a case says of itself in words, and that the words follow the signs of the numbers."""

import numpy as np
import pytest

import spinesim as ss
from spinesim.report.words import buckling, motion, prices


@pytest.fixture(scope="module")
def relaxed(adult):
    return ss.solve(adult, {"load.hands": 5}, posture={"trunk_flexion": 0})


def test_motion__names_both_directions():
    assert motion("L4_L5.flexion") == "flexion at L4_L5"
    assert motion("L4_L5.flexion", positive=False) == "extension at L4_L5"
    assert motion("T12_L1.turn", positive=False) == "turn to the right at T12_L1"
    assert motion("pelvic_tilt", positive=False) == "backward tilt of the pelvis"


def test_prices__name_the_dearest_direction_and_its_share_of_the_effort(relaxed):
    multiplier = relaxed.multiplier.to_series()
    dearest = multiplier.abs().idxmax()
    (first,) = prices(relaxed, most=1)
    assert motion(dearest, multiplier[dearest] > 0.0) in first
    assert f"by {abs(multiplier[dearest]):.2g}" in first
    assert f"{100 * abs(multiplier[dearest]) / float(relaxed.effort):.2g} % of it" in first


def test_prices__follow_the_sign_of_the_multiplier(relaxed):
    turned = relaxed.assign(multiplier=-relaxed.multiplier)
    assert prices(turned, most=1) != prices(relaxed, most=1)
    assert not prices(relaxed.assign(multiplier=0.0 * relaxed.multiplier))


def test_buckling__says_whether_the_posture_would_fall(adult, relaxed):
    assert float(relaxed.stability_margin) < -100.0
    assert buckling(relaxed).startswith("The posture would buckle by ")
    held = ss.solve(adult, {"load.hands": 5}, posture={"trunk_flexion": 0}, stability=5)
    assert buckling(held).startswith("The softest motion is ")
    strongest = held.coordinate.values[int(np.abs(held.buckling_mode.values).argmax())]
    assert motion(str(strongest)) in buckling(held)  # the largest entry of a mode is positive
