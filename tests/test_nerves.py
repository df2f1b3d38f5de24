"""Distributions of root pressure over anatomies, and nerve tests."""

import numpy as np
import pytest

from spinesim import InputError, load_model, solve, sweep
from spinesim.nerves import QUANTILES, anatomy_factors, nerve_tension, piriformis_variants, root_pressures

STENOSED = {f"foramen.{level}.left.scale": 0.7 for level in ("L5_S1", "L4_L5", "L3_L4", "L2_L3", "L1_L2")}


def test_root_pressures__without_spread_are_those_of_the_solve(adult):
    """With every spread at 0 each anatomy is the model: all quantiles are the pressure that solve gives."""
    law = adult.root_law.model_copy(update={"stiffness_sd": 0.0, "foramen_height_sd": 0.0, "foramen_width_sd": 0.0})
    roots = tuple(root.model_copy(update={"width_sd": 0.0}) for root in adult.roots)
    alike = adult.model_copy(update={"root_law": law, "roots": roots})
    found, one = root_pressures(alike, STENOSED, count=3), solve(alike, STENOSED)
    for q in QUANTILES:
        assert found.pressure.sel(quantile=q).values == pytest.approx(one.root_contact_pressure.values, abs=1e-3)
    assert (found.probability.values == (one.root_contact_pressure.values > 30.0)).all()
    assert one.root_contact_pressure.sel(side="left").max() > 30.0


def test_root_pressures__healthy_standing(adult):
    """No root reaches the venular threshold in the median anatomy; the share above it grows downward."""
    found = root_pressures(adult, count=4000)
    assert (found.pressure.sel(quantile=0.5).values < 30.0).all()
    assert np.diff(found.probability.mean("side").values).max() < 0.02  # from below upward
    assert (found.pressed >= found.probability).all()
    assert (np.diff(found.pressure.values, axis=0) >= 0.0).all()
    assert found.probability.sel(side="left").values == pytest.approx(
        found.probability.sel(side="right").values, abs=0.04
    )


def test_root_pressures__rise_where_a_foramen_is_stenosed_and_follow_the_threshold(adult):
    wide, narrow = root_pressures(adult, count=500), root_pressures(adult, STENOSED, count=500)
    assert (narrow.probability.sel(side="left") > wide.probability.sel(side="left")).all()
    assert narrow.probability.sel(side="right").values == pytest.approx(
        wide.probability.sel(side="right").values, abs=0.05
    )
    strict = root_pressures(adult, count=500, threshold=127)
    assert (strict.probability <= wide.probability).all()
    assert strict.attrs["threshold_mmHg"] == 127.0


def test_root_pressures__one_seed_gives_one_answer(adult):
    one, two, three = (root_pressures(adult, count=200, seed=seed) for seed in (1, 1, 2))
    assert one.identical(two)
    assert not one.identical(three)


def test_anatomy_factors__have_the_spread_of_the_model(adult):
    logs = np.log(anatomy_factors(adult, 20000, 0))
    assert logs.mean(axis=(0, 1, 2)) == pytest.approx(np.zeros(4), abs=0.01)
    assert logs.std(axis=(0, 1, 2)) == pytest.approx([0.17, 0.11, 0.15, 0.5], rel=0.02)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 0}, "count = 0 is not allowed: it must be a whole number from 1 to 1000000"),
        ({"count": 10.0}, "count = 10.0 is not allowed"),
        ({"threshold": -1}, "threshold = -1 is not allowed: it must be a pressure of 0 mmHg or more"),
        ({"threshold": float("nan")}, "threshold = nan is not allowed"),
        ({"parameters": {"disc.L4_L5.height_los": 1}}, "did you mean disc.L4_L5.height_loss"),
    ],
)
def test_root_pressures__refuse_bad_settings(adult, options, words):
    with pytest.raises(InputError, match=words):
        root_pressures(adult, **options)


def test_nerves__of_a_model_without_them_are_refused():
    teaching = load_model("teaching")
    with pytest.raises(InputError, match="model teaching has no nerve roots"):
        root_pressures(teaching)
    with pytest.raises(InputError, match="model teaching has no sciatic nerves"):
        nerve_tension(teaching)
    with pytest.raises(InputError, match=r"piriformis.variant: the model teaching has no sciatic nerves"):
        solve(teaching, {"piriformis.variant": 1})
    assert "sciatic_strain" not in solve(teaching)


def test_piriformis_variants__are_those_of_the_parameter_with_frequencies_that_add_up(adult):
    """What is in the way of the muscle is pressed more; tone presses more than rest."""
    rest, tense = piriformis_variants(adult), piriformis_variants(adult, {"tone.piriformis": 0.3})
    assert list(rest.variant.values) == ["below", "through", "above"]
    assert rest.frequency.sum() == pytest.approx(1.0)
    assert (np.diff(rest.piriformis_pressure.values, axis=0) > 0.0).all()
    assert (tense.piriformis_pressure > rest.piriformis_pressure).all()
    above = solve(adult, {"piriformis.variant": 2}).piriformis_pressure.values
    assert rest.piriformis_pressure.sel(variant="above").values == pytest.approx(above, rel=1e-12)


def test_nerve_tension__straight_leg_raise_and_slump(adult):
    """90 deg of hip flexion ask 64 mm (Robinson and Probyn 2019: 64); slump asks more than the raise alone."""
    raised, strain = nerve_tension(adult, hip_flexion=90.0)
    assert raised == pytest.approx(64.4, abs=0.1)
    assert 0.03 < strain < 0.08
    assert nerve_tension(adult, hip_flexion=90.0, knee_flexion=90.0)[0] < 0.5 * raised
    assert nerve_tension(adult, hip_flexion=90.0, lumbar_flexion=40.0)[0] > raised + 5.0
    assert nerve_tension(adult) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_nerve_tension__is_what_a_solve_gives_in_that_posture(adult):
    held = solve(adult, posture={"trunk_flexion": 20.0})
    angle = held.joint_angle
    lumbar = float(held.segment_angle.sel(axis="flexion", level=held.foramen.values).sum())
    hip, knee = (float(angle.sel(joint_coordinate=f"{joint}_r.flexion")) for joint in ("hip", "knee"))
    imposed = nerve_tension(adult, hip_flexion=hip, knee_flexion=knee, lumbar_flexion=lumbar)
    assert float(held.sciatic_lengthening.sel(side="right")) == pytest.approx(imposed[0], abs=1e-6)
    assert float(held.sciatic_strain.sel(side="right")) == pytest.approx(imposed[1], abs=1e-9)


@pytest.mark.parametrize("name", ["hip_flexion", "knee_flexion", "lumbar_flexion"])
def test_nerve_tension__refuses_angles_nobody_has(adult, name):
    with pytest.raises(InputError, match=f"{name} = 200 is not allowed: it must be a number from -180 to 180 deg"):
        nerve_tension(adult, **{name: 200})


def test_variant__is_a_whole_number(adult):
    with pytest.raises(
        InputError, match=r"piriformis.variant = 0.5 is not allowed: it must be a whole number from 0 to 2"
    ):
        solve(adult, {"piriformis.variant": 0.5})


def test_passive_hip_flexion__raises_one_leg_and_turns_the_lying_pelvis_back(adult):
    flat, raised = (solve(adult, {"passive.hip_flexion.right": angle}, stance="supine") for angle in (0.0, 70.0))
    turned = raised.anterior_pelvic_tilt - flat.anterior_pelvic_tilt
    assert -20.0 < float(turned) < -3.0
    joint = raised.joint_angle - flat.joint_angle
    assert float(joint.sel(joint_coordinate="hip_r.flexion")) == pytest.approx(70.0 + float(turned), abs=1e-9)
    assert float(joint.sel(joint_coordinate="hip_l.flexion")) == pytest.approx(float(turned), abs=1e-9)
    longer = raised.sciatic_lengthening.sel(side="right") - flat.sciatic_lengthening.sel(side="right")
    way = [
        np.linalg.norm(np.diff(case.sciatic_position.sel(side="right"), axis=0), axis=1).sum()
        for case in (flat, raised)
    ]
    hip = 41.0 * np.radians(float(joint.sel(joint_coordinate="hip_r.flexion")))
    assert 5.0 < float(longer) - hip < 10.0  # what the lumbar spine adds as it flexes
    assert 1e3 * (way[1] - way[0]) == pytest.approx(float(longer), abs=1.5)  # chords of the arcs


def test_passive_movement__of_left_and_right_are_mirror_images(adult):
    right, left = (solve(adult, {f"passive.hip_flexion.{side}": 40.0}, stance="supine") for side in ("right", "left"))
    assert float(right.anterior_pelvic_tilt) == pytest.approx(float(left.anterior_pelvic_tilt), abs=1e-6)
    np.testing.assert_allclose(
        right.sciatic_strain.values, left.sciatic_strain.isel(side=slice(None, None, -1)).values, atol=1e-9
    )


@pytest.mark.parametrize(
    ("stance", "settings", "words"),
    [
        ("standing", {"passive.knee_extension.right": 20.0}, "in standing the legs carry the body"),
        (
            "sitting",
            {"passive.hip_flexion.left": 60.0},
            "passive.hip_flexion.left = 60 deg is not allowed in sitting: it must be from -110 to 30 deg",
        ),
        ("supine", {"passive.knee_extension.right": 30.0}, "it must be from -140 to 0 deg"),
    ],
)
def test_passive_movement__is_refused_where_legs_stand_or_joints_end(adult, stance, settings, words):
    with pytest.raises(InputError, match=words):
        solve(adult, settings, stance=stance)
    with pytest.raises(InputError, match=words):
        sweep(adult, {name: [0.0, value] for name, value in settings.items()}, stance=stance)
