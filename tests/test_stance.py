"""Stances as arrays, and how a few named angles become a posture."""

import gc
import math
import weakref

import numpy as np
import pytest
from scipy.integrate import quad

from spinesim.errors import InputError, ModelError
from spinesim.model.pack import pack
from spinesim.model.parts import FreeCoordinate
from spinesim.solve import make_task, start_postures
from spinesim.stance import completion, lumbar_flexion, pack_stance, posture_names
from tests.kernels.scene import scene


def completed(adult, angles, stance="standing"):
    """Free coordinates of the completed posture, by name [deg], and the scene configured there."""
    s = scene(adult, stance)
    start = start_postures(s.packed, make_task(adult, stance, angles, "rhythm"), s.cases)[0]
    s.configure(start)
    return dict(zip(s.packed.free, np.degrees(start), strict=True)), s


def test_lumbar_flexion__is_the_integral_of_the_published_shares():
    """0.67 to 30 deg, 0.50 to 60 deg, 0.30 beyond, each step smoothed by a logistic function 3 deg wide."""

    def share(angle):
        steps = [(30.0, 0.17), (60.0, 0.20)]
        return 0.67 - sum(drop / (1.0 + math.exp(-(angle - step) / 3.0)) for step, drop in steps)

    for angle in (5.0, 25.0, 40.0, 75.0, 110.0):
        expected, _ = quad(share, 0.0, angle, points=[30.0, 60.0], epsabs=1e-11)
        assert math.degrees(lumbar_flexion(math.radians(angle))) == pytest.approx(expected, abs=1e-8)
        assert lumbar_flexion(-math.radians(angle)) == -lumbar_flexion(math.radians(angle))
    assert lumbar_flexion(0.0) == 0.0


@pytest.mark.parametrize("trunk", [-8.0, 12.0, 40.0, 70.0])
def test_completion__trunk_flexion_is_shared_by_spine_and_pelvis(adult, trunk):
    free, s = completed(adult, {"trunk_flexion": trunk})
    flexions = {name: value for name, value in free.items() if name.endswith(".flexion")}
    lumbar = math.degrees(lumbar_flexion(math.radians(trunk)))
    below = {name: value for name, value in flexions.items() if name != "T12_L1.flexion"}
    assert sum(below.values()) == pytest.approx(lumbar, abs=1e-9)
    shares = {
        c.full_name: c.rhythm_share_negative if trunk < 0 else c.rhythm_share
        for c in adult.coordinates
        if c.full_name in flexions
    }
    total = sum(shares[name] for name in below)
    for name, value in flexions.items():
        assert value == pytest.approx(lumbar * shares[name] / total, abs=1e-9)
    assert free["pelvic_tilt"] + sum(flexions.values()) == pytest.approx(trunk, abs=1e-9)
    assert s.work.centre[0] == pytest.approx(s.stance.centre_target[0], abs=1e-11)
    assert all(abs(free[name]) < 1e-9 for name in free if name.endswith(("bend", "turn")))


def test_completion__bend_and_turn_follow_the_ranges_of_motion(adult):
    free, s = completed(adult, {"trunk_bend": 8.0, "trunk_turn": 3.0})
    for motion in ("bend", "turn"):
        shares = {c.full_name: c.rhythm_share for c in adult.coordinates if c.name == motion and c.rhythm_share}
        unit = {free[name] / share for name, share in shares.items()}
        assert max(unit) - min(unit) < 1e-9
    up = s.work.turn[s.model.trunk_body][:, 1]
    assert math.degrees(math.asin(up[2])) == pytest.approx(8.0, abs=1e-9)


def test_completion__named_levels_stand_and_the_rest_share_what_is_left(adult):
    free, _ = completed(adult, {"trunk_flexion": 20.0, "L4_L5.flexion": 1.0})
    assert free["L4_L5.flexion"] == pytest.approx(1.0, abs=1e-9)
    lumbar = sum(free[f"{level}.flexion"] for level in ("L5_S1", "L4_L5", "L3_L4", "L2_L3", "L1_L2"))
    assert lumbar == pytest.approx(math.degrees(lumbar_flexion(math.radians(20.0))), abs=1e-9)


def test_completion__named_hips_decide_the_lean(adult):
    free, s = completed(adult, {"hip_flexion.left": 12.0})
    hips = [s.packed.packed.coordinates.index(f"hip_{side}.flexion") for side in "lr"]
    assert np.degrees(s.work.q[hips]) == pytest.approx([12.0, 12.0], abs=1e-9)
    assert abs(s.work.centre[0] - s.stance.centre_target[0]) > 1e-3
    both, _ = completed(adult, {"hip_flexion.left": 12.0, "hip_flexion.right": 12.0})
    assert both == pytest.approx(free, abs=1e-9)


def test_completion__of_nothing_is_the_upright_reference(adult):
    free, _ = completed(adult, {})
    assert np.abs(list(free.values())).max() < 1e-9
    seated, _ = completed(adult, {"trunk_flexion": 0.0}, "sitting")
    assert np.abs(list(seated.values())).max() < 1e-9


def test_posture_names__are_those_the_stance_can_move(adult):
    standing = posture_names(pack_stance(pack(adult), "standing"))
    assert standing[:5] == ["trunk_flexion", "trunk_bend", "trunk_turn", "anterior_pelvic_tilt", "lumbar_flexion"]
    assert {"hip_flexion.left", "hip_flexion.right", "L5_S1.flexion", "T12_L1.turn"} <= set(standing)
    assert "knee_flexion.left" not in standing


def test_every_level_named__is_refused(adult):
    packed = pack_stance(pack(adult), "standing")
    flexions = {f"{level}.flexion": 0.0 for level in packed.packed.levels}
    with pytest.raises(InputError, match="every level's flexion is named"):
        completion(packed, flexions)


def test_stance__of_an_unknown_joint_is_refused(adult):
    standing = adult.stances["standing"]
    lean = standing.free[0].model_copy(update={"moves": {"ankle_r.flexion": 1.0}})
    wrong = standing.model_copy(update={"name": "odd", "free": (lean, *standing.free[1:])})
    model = adult.model_copy(update={"stances": {**adult.stances, "odd": wrong}})
    with pytest.raises(ModelError, match=r"stance odd: ankle_r\.flexion is not a joint coordinate of adult"):
        pack_stance(pack(model), "odd")


def test_targets__upright_stances_aim_at_the_reference_and_supported_ones_at_rest(adult):
    packed = pack(adult)
    standing, bend, sitting = (pack_stance(packed, name) for name in ("standing", "forward_bend", "sitting"))
    assert standing.arrays.target[: len(adult.muscles)].max() > 0.01
    np.testing.assert_array_equal(bend.arrays.target, standing.arrays.target)
    assert not sitting.arrays.target.any()
    assert sitting.arrays.centre_target.tolist() == [0.0, 0.0]
    assert np.degrees(sitting.arrays.trunk_target) == pytest.approx([-7.5, 0.0, 0.0])
    np.testing.assert_array_equal(sitting.compression, standing.compression)


def test_stable_coordinates__are_all_but_lean(adult):
    packed = pack_stance(pack(adult), "standing")
    assert [packed.free[j] for j in packed.arrays.stable] == [name for name in packed.free if name != "lean"]
    lateral = [name for name, aside in zip(packed.free, packed.arrays.lateral, strict=True) if aside]
    assert lateral == [name for name in packed.free if name.endswith(("bend", "turn"))]


def test_reference__has_the_stability_margin_of_the_model(adult):
    """The activations aimed at are those with which the reference posture just stands, and the discs' load with it."""
    standing = pack_stance(pack(adult), "standing")
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    stable = np.ix_(s.stance.stable, s.stance.stable)
    stiffness = s.tangent(standing.arrays.target, short_range=True)[stable]
    assert np.linalg.eigvalsh(stiffness)[0] == pytest.approx(adult.stability.margin, abs=1e-4)
    status, least, _, _ = s.balance(2.0 * s.stance.cost, np.zeros(s.stance.cost.size))
    assert status == 0
    # least effort alone would buckle: the difference is co-contraction
    assert np.linalg.eigvalsh(s.tangent(least, short_range=True)[stable])[0] < adult.stability.margin - 10.0
    assert s.stance.cost @ least**2 < s.stance.cost @ standing.arrays.target**2


def test_cost__is_force_times_fibre_length_over_its_mean(adult):
    stance = pack_stance(pack(adult), "standing")
    volume = np.array([m.max_force * m.optimal_fibre_length for m in adult.muscles])
    n, line = volume.size, stance.packed.arrays.pressure_line
    assert stance.arrays.cost[:n] == pytest.approx(volume / volume.mean(), rel=1e-12)
    recti = sum(v for v, m in zip(volume, adult.muscles, strict=True) if m.muscle == "rectus_abdominis")
    assert stance.arrays.cost[line] == pytest.approx(3.0 * recti / volume.mean(), rel=1e-12)
    actuators = {a.name: a for a in adult.actuators}
    moments = [abs(actuators[name].max_moment) for name in stance.actuators]
    assert stance.arrays.cost[line + 1 :] == pytest.approx(moments / volume.mean(), rel=1e-12)


def test_packing__is_done_once_and_forgotten_after_a_while(adult):
    assert pack(adult) is pack(adult)
    variant = adult.model_copy(update={"description": "a passing variant"})
    packed = weakref.ref(pack(variant))
    assert packed() is pack(variant)
    del variant
    for mass in range(20):
        pack(adult.model_copy(update={"body_mass": 60.0 + mass}))
    gc.collect()
    assert packed() is None


def test_stance__with_a_joint_that_two_free_coordinates_move_is_refused(adult):
    standing = adult.stances["standing"]
    twice = FreeCoordinate(name="curl", moves={"L4_L5.flexion": 1.0, "L3_L4.flexion": 1.0})
    free = (*standing.free, twice)
    model = adult.model_copy(
        update={"stances": {**adult.stances, "standing": standing.model_copy(update={"free": free})}}
    )
    with pytest.raises(ModelError, match=r"L4_L5\.flexion is moved by L4_L5\.flexion and curl"):
        pack_stance(pack(model), "standing")
