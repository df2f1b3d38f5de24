"""Maximal isometric moments: closed forms, scaling, symmetry, and the force balance as judge."""

import math

import numpy as np
import pytest

from spinesim.capacity import with_tension
from spinesim.cases import path_lengths
from spinesim.errors import InfeasibleError, InputError
from spinesim.isometric import LIMB_EFFORTS, SIDED, TRUNK_EFFORTS, Capacity, maximal_moment
from spinesim.kernels.balance import SOLVED, Sharing, balance, scratch
from spinesim.model.pack import pack
from spinesim.model.read import load_model


@pytest.fixture(scope="module")
def teaching():
    return load_model("teaching")


def balanced(capacity: Capacity, share: float) -> bool:
    """True if forces give the posture's moment and a share of the largest effort, by another solver's judgement."""
    m, k = capacity.columns.shape
    rows, bound = np.zeros((64, m)), np.zeros(64)
    used = len(capacity.bound)
    rows[:used], bound[:used] = capacity.rows, capacity.bound
    tau = capacity.posture_moment + share * capacity.moment * capacity.direction
    columns = np.ascontiguousarray(capacity.columns)
    problem = Sharing(columns, np.ones(m), np.zeros(m), capacity.lower, capacity.upper, tau, rows, bound)
    left, activation, missing = np.zeros(k + 64), np.empty(m), np.empty(k + 64)
    status, _ = balance(problem, used, 0.0, 2.0, left, activation, missing, scratch(m, k))
    return bool(status == SOLVED)


def test_maximal_moment__of_one_muscle_is_force_times_arm(teaching):
    """One spinal hinge and longissimus alone: F_max f_L cos(pennation) times -dL/dq, less what the posture asks."""
    packed = pack(teaching)
    i, k = packed.muscles.index("longissimus"), packed.coordinates.index("L5_S1.flexion")
    q = np.zeros(len(packed.coordinates))
    length = path_lengths(packed, q)[0][i]
    q[k] = 1e-5
    arm = (path_lengths(packed, -q)[0][i] - path_lengths(packed, q)[0][i]) / 2e-5
    muscle, b = teaching.muscles[i], np.reshape(teaching.curves.active, (3, 4))
    fibre = (length - muscle.tendon_slack_length) / (muscle.optimal_fibre_length * math.cos(muscle.pennation))
    active = sum(b1 * math.exp(-0.5 * ((fibre - b2) / (b3 + b4 * fibre)) ** 2) for b1, b2, b3, b4 in b)
    force = muscle.max_force * active * math.cos(muscle.pennation)
    off = {f"inhibition.{m.name}": 0.0 for m in teaching.muscles if m.name != "longissimus"}
    capacity = maximal_moment(teaching, "trunk_extension", off, load="couple")
    # flexion is positive: extending muscles have negative arms, and weight asks for a negative moment
    assert capacity.moment == pytest.approx(-force * arm + capacity.posture_moment[0], rel=1e-6)


def test_maximal_moment__lever_of_many_muscles_has_closed_form(teaching):
    """Flat model: one spinal hinge, so all extensors pull at full activation and s is what weight leaves of them."""
    capacity = maximal_moment(teaching, "trunk_extension", load="couple")
    pull = capacity.columns[:, 0] * np.sign(capacity.direction[0])
    most = np.where(pull > 0.0, pull * capacity.upper, pull * capacity.lower).sum()
    expected = most - capacity.posture_moment[0] * np.sign(capacity.direction[0])
    assert capacity.moment == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("effort", [*TRUNK_EFFORTS, *LIMB_EFFORTS])
def test_maximal_moment__the_force_balance_agrees_just_below_and_refuses_just_above(adult, effort):
    capacity = maximal_moment(adult, effort)
    assert balanced(capacity, 0.999)
    assert not balanced(capacity, 1.001)


@pytest.mark.parametrize("effort", [effort for effort in LIMB_EFFORTS if effort.startswith("hip_")])
def test_maximal_moment__of_the_hip_is_proportional_to_specific_tension(adult, effort):
    stronger = with_tension(adult, {m.muscle: 1.5e-6 * m.specific_tension for m in adult.muscles})
    assert maximal_moment(stronger, effort).moment == pytest.approx(1.5 * maximal_moment(adult, effort).moment)


def test_maximal_moment__gains_ever_less_from_strength(adult):
    """The optimum of a linear programme is concave in its bounds, which weight and passive structures do not share."""

    def moment(strength):
        groups = {f"strength.{group}": strength for group in adult.groups}
        return maximal_moment(adult, "trunk_extension", {**groups, "iap.highest": 0.0}).moment

    weak, middle, strong = moment(1.0), moment(1.25), moment(1.5)
    assert weak < middle < strong
    assert middle >= 0.5 * (weak + strong) - 1e-6


@pytest.mark.parametrize("effort", [*SIDED, *LIMB_EFFORTS])
def test_maximal_moment__is_the_same_to_the_left_and_to_the_right(adult, effort):
    right, left = (maximal_moment(adult, effort, side=side).moment for side in ("right", "left"))
    assert right == pytest.approx(left, rel=1e-6)


@pytest.mark.parametrize(("effort", "group"), [("hip_abduction", "gluteals"), ("knee_extension", "quadriceps")])
def test_maximal_moment__weakness_of_one_side_is_felt_on_that_side(adult, effort, group):
    healthy = maximal_moment(adult, effort).moment
    weak = {f"strength.{group}.left": 0.5}
    assert maximal_moment(adult, effort, weak).moment == pytest.approx(healthy, rel=1e-9)
    assert maximal_moment(adult, effort, weak, side="left").moment < 0.8 * healthy


def test_maximal_moment__of_a_knee_is_quadriceps_and_vasti_less_nothing(adult):
    """All that extends pulls fully: rectus femoris by force times arm, and the actuator of the vasti."""
    joints = {"hip.flexion": 90.0, "knee.flexion": 60.0}
    capacity = maximal_moment(adult, "knee_extension", joints=joints)
    pull = -capacity.columns[:, 0]
    assert capacity.moment == pytest.approx(pull[pull > 0.0].sum(), rel=1e-9)
    vasti = next(each for each in adult.actuators if each.name == "vasti_r")
    weak = maximal_moment(adult, "knee_extension", {"strength.quadriceps": 0.5}, joints=joints)
    assert weak.moment < capacity.moment + 0.5 * vasti.max_moment
    off = maximal_moment(adult, "knee_extension", {"inhibition.quadriceps": 0.5}, joints=joints)
    assert off.moment <= weak.moment + 1e-6


def test_maximal_moment__depends_on_the_angle_of_the_limb(adult):
    straight = maximal_moment(adult, "hip_external_rotation")
    seated = maximal_moment(adult, "hip_external_rotation", joints={"hip.flexion": 90, "knee.flexion": 90})
    assert abs(straight.moment - seated.moment) > 5.0


def test_maximal_moment__sagittal_efforts_need_no_side(adult):
    for effort in ("trunk_extension", "trunk_flexion"):
        capacity = maximal_moment(adult, effort)
        lateral = [k for k, c in enumerate(capacity.price) if c.endswith((".bend", ".turn"))]
        assert capacity.direction[lateral] == pytest.approx(0.0, abs=1e-12)


def test_maximal_moment__a_disc_that_gives_way_helps_at_most_by_its_price(adult):
    """Concave in what the discs may give: the prices at zero bound the gain."""
    strict = maximal_moment(adult, "trunk_extension")
    soft = maximal_moment(adult, "trunk_extension", yielding=0.1)
    assert 0.0 < soft.moment - strict.moment <= 0.1 * sum(abs(p) for p in strict.price.values()) + 1e-6


def test_maximal_moment__harness_counts_its_moment_about_l5_s1(adult):
    capacity = maximal_moment(adult, "trunk_extension")
    lowest = list(capacity.price).index("L5_S1.flexion")
    # the axis of the coordinate is flexion positive and across the trunk: the moment itself, with the sign turned
    assert capacity.direction[lowest] == pytest.approx(-1.0, abs=1e-12)


def test_maximal_moment__passive_force_does_not_follow_specific_tension(adult):
    stronger = with_tension(adult, {m.muscle: 1.0 for m in adult.muscles})
    assert [m.passive_force for m in stronger.muscles] == [m.passive_force for m in adult.muscles]
    one, other = (maximal_moment(m, "trunk_flexion").posture_moment for m in (adult, stronger))
    assert one == pytest.approx(other, abs=1e-12)


def test_maximal_moment__refuses_what_it_does_not_know(adult, teaching):
    with pytest.raises(InputError, match="effort trunk_twist is unknown"):
        maximal_moment(adult, "trunk_twist")
    with pytest.raises(InputError, match="load = 'belt' is not allowed"):
        maximal_moment(adult, "trunk_turn", load="belt")
    with pytest.raises(InputError, match="side = 'middle' is not allowed"):
        maximal_moment(adult, "trunk_turn", side="middle")
    with pytest.raises(InputError, match="trunk_turn takes no angles of a limb"):
        maximal_moment(adult, "trunk_turn", joints={"hip.flexion": 90})
    with pytest.raises(InputError, match="hip_flexion takes no posture"):
        maximal_moment(adult, "hip_flexion", posture={"trunk_flexion": 20})
    with pytest.raises(InputError, match=r"hip\.bend = 3 deg is not allowed: angles of the limb are hip\.flexion"):
        maximal_moment(adult, "hip_flexion", joints={"hip.bend": 3})
    with pytest.raises(InputError, match=r"hip\.flexion = 130 deg is not allowed: its range is -20 to 120 deg"):
        maximal_moment(adult, "hip_flexion", joints={"hip.flexion": 130})
    bare = adult.model_copy(update={"landmarks": tuple(m for m in adult.landmarks if m.name != "t7_body_centre")})
    with pytest.raises(InputError, match="no landmark t7_body_centre"):
        maximal_moment(bare, "trunk_extension")
    with pytest.raises(InputError, match=r"no coordinate hip_r\.rotation"):
        maximal_moment(teaching, "hip_internal_rotation")


def test_maximal_moment__a_body_without_muscle_holds_nothing(adult):
    with pytest.raises(InfeasibleError, match="no muscle forces hold the posture"):
        maximal_moment(adult, "trunk_extension", {f"inhibition.{g}": 0.0 for g in adult.groups})
