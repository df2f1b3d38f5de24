"""What a stance does with every joint coordinate, in words and in results."""

import itertools
from functools import cache

import numpy as np
import pytest

import spinesim as ss
from spinesim import results
from spinesim.model.pack import pack
from spinesim.plots import figure
from spinesim.plots.stances import sides
from spinesim.roles import ROLES, carrier_words, free_words, held_words, movers, role, stance_rows

MODELS = {name: ss.load_model(name) for name in ("adult", "teaching")}
EVERY = [(model, stance) for model, described in MODELS.items() for stance in described.stances]
every_stance = pytest.mark.parametrize(("model", "stance"), EVERY)


@cache
def solved(model, stance):
    """The found, or held, posture of the healthy body in a stance."""
    return ss.solve(MODELS[model], stance=stance)


@every_stance
def test_result__says_what_every_joint_coordinate_is(model, stance):
    case, described = solved(model, stance), MODELS[model].stances[stance]
    names = [coordinate.full_name for coordinate in MODELS[model].coordinates]
    assert sorted(case.joint_coordinate.values) == sorted(names)
    moved = {name for free in described.free for name in free.moves}
    for name, what, by in zip(case.joint_coordinate.values, case.role.values, case.moved_by.values, strict=True):
        assert what in ROLES
        assert (what == "free") == (name in moved) == bool(by)
        assert (what == "support") == (name in described.held_by_support)
        assert (what == "locked") == (name in described.locked)
        assert all(free.name in by for free in described.free if name in free.moves)
    held = dict(zip(case.held.values, case.held_by.values, strict=True)) if "held" in case else {}
    roles = dict(zip(case.joint_coordinate.values, case.role.values, strict=True))
    assert held == {name: what for name, what in roles.items() if what != "free"}


@every_stance
def test_joint_angle__of_held_coordinates_stays_and_of_free_ones_is_that_of_the_segments(model, stance):
    case, described = solved(model, stance), MODELS[model].stances[stance]
    angle = dict(zip(case.joint_coordinate.values, case.joint_angle.values, strict=True))
    for name in (*described.held_by_support, *described.locked):
        assert angle[name] == pytest.approx(np.degrees(described.offsets.get(name, 0.0)), abs=1e-9)
    for level in case.level.values:
        assert angle[f"{level}.flexion"] == pytest.approx(float(case.segment_angle.sel(level=level, axis="flexion")))


@every_stance
def test_forces__that_carry_the_body_balance_all_weights(model, stance):
    case, described = solved(model, stance), MODELS[model].stances[stance]
    mass = sum(body.mass for body in MODELS[model].bodies if body.name not in described.unweighted)
    weight = mass * MODELS[model].gravity * described.weight_factor
    total = case.support_force.sum("support").values
    if "contact_force" in case:
        total = total + (case.contact_force * case.contact_direction).sum("contact").values
    np.testing.assert_allclose(total, weight * case.up_direction.values, atol=1e-6)
    np.testing.assert_allclose(case.up_direction, described.up)


def test_mass_position__is_that_of_all_bodies_and_loads(adult):
    case = ss.solve(adult, {"load.hand.right": 10}, stance="forward_bend")
    assert case.load_weight.values.tolist() == pytest.approx([10 * adult.gravity, 0, 0, 0, 0])
    # the weights and the supports have no moment about the support centre but that of the ankles
    centre = case.support_position.mean("support").values
    moved = case.mass_position.values - centre
    np.testing.assert_allclose(moved, case.centre_of_mass, atol=1e-12)
    right = case.support_force.sel(support="ankle_r", xyz="y").item()
    left = case.support_force.sel(support="ankle_l", xyz="y").item()
    apart = np.ptp(case.support_position.sel(xyz="z").values)
    assert (right - left) / (right + left) == pytest.approx(2 * moved[2] / apart, abs=1e-9)


def test_load_position__is_below_the_shoulder_in_reach(adult):
    near, far = (
        ss.solve(adult, {"load.hands": 10, "load.reach": reach}, posture={"trunk_flexion": 0}) for reach in (0.0, 0.3)
    )
    shoulder = near.bone_position.sel(bone_point="shoulder_centre_r").values
    np.testing.assert_allclose(near.load_position.sel(load="right hand"), shoulder, atol=1e-9)
    moved = far.load_position.sel(load="right hand") - near.load_position.sel(load="right hand")
    assert float(np.linalg.norm(moved)) == pytest.approx(0.3, abs=0.02)


def test_roles__are_kept_by_sweeps_and_files(adult, tmp_path):
    sweep = ss.sweep(adult, {"tightness.hip_flexors": [0, 10]})
    assert sweep.joint_angle.dims == ("tightness.hip_flexors", "joint_coordinate")
    assert sweep.support_force.dims == ("tightness.hip_flexors", "support", "xyz")
    results.write(sweep, tmp_path / "sweep.nc")
    again = results.open_results(tmp_path / "sweep.nc")
    for name in ("role", "moved_by", "held_by"):
        np.testing.assert_array_equal(again[name].values, sweep[name].values)
    assert (sweep.moved_by.sel(joint_coordinate="pelvis.list") == "").all()


def test_movers__gives_rates_and_signs(adult):
    standing = adult.stances["standing"]
    assert movers(standing, "hip_r.flexion") == "pelvic_tilt - lean"
    assert movers(standing, "pelvis.tilt") == "pelvic_tilt"
    assert movers(standing, "pelvis.list") == ""
    first, *rest = standing.free
    odd = standing.model_copy(update={"free": (first.model_copy(update={"moves": {"knee_r.flexion": -0.5}}), *rest)})
    assert movers(odd, "knee_r.flexion") == "-0.5 lean"


def test_words__of_standing(adult):
    standing = adult.stances["standing"]
    assert free_words(adult, standing) == "lean, pelvic_tilt, 18 rotations of the spine"
    assert held_words(standing, "support") == "pelvis.list, pelvis.turn, hips.adduction, hips.rotation"
    assert held_words(standing, "locked") == "knees.flexion"
    assert held_words(adult.stances["sitting"], "locked") == "none"
    assert carrier_words(standing) == "ankle_r (50%), ankle_l (50%)"
    assert role(standing, "knee_l.flexion") == "locked"


@every_stance
def test_rows__say_something_of_every_stance(model, stance):
    rows = stance_rows(MODELS[model], MODELS[model].stances[stance])
    assert {"free", "held by support", "locked", "carried at", "trusted"} <= rows.keys()
    assert all(rows.values())


def test_stances__are_those_of_the_model(adult):
    assert ss.stances(adult) == adult.stances
    assert set(pack(adult).coordinates) == {coordinate.full_name for coordinate in adult.coordinates}


def test_trusted__is_not_taken_over_from_another_stance(adult):
    assert adult.stances["standing"].trusted
    assert adult.stances["forward_bend"].trusted != adult.stances["standing"].trusted


@every_stance
def test_picture__of_every_stance_stands_or_lies_under_gravity_with_readable_numbers(model, stance):
    case = solved(model, stance)
    whole = figure("stance", case)
    whole.draw_without_rendering()
    boxes = [text.get_window_extent() for ax in whole.axes for text in ax.texts if text.get_text()]
    assert boxes
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    bones = case.bone_position.values
    for side in sides(case.up_direction.values):
        if side.viewer != "from above":
            drawn = bones @ side.plane.T
            lowest = (case.support_position.values @ side.plane.T)[:, 1].min()
            mass = side.plane @ case.mass_position.values
            assert mass[1] > lowest
            # lying bodies lie, the others stand or sit
            assert (np.ptp(drawn[:, 0]) > 2 * np.ptp(drawn[:, 1])) == (abs(case.up_direction.values[1]) < 0.5)
