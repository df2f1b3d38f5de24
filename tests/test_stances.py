"""Every stance of the adult: equilibrium of every body, mirror images, contacts, legs, and what cannot be solved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spinesim as ss
from spinesim.cases import case_arrays
from spinesim.labelled import labelled
from spinesim.model.pack import pack
from spinesim.model.scale import scaled
from spinesim.solve import Task, make_task, run_chain
from spinesim.stance import pack_stance, posture_names
from tests.kernels.freebody import FreeBody
from tests.mirror import ODD_ENDS, assert_mirrored, mirrored_name, mirrored_parameters, mirrored_values

ADULT = ss.load_model("adult")
STANCES = tuple(ADULT.stances)
SWAP = {"left": "right", "right": "left"}
SIDED = [name for name in STANCES if name.rpartition("_")[2] in SWAP]
WEIGHTY = {
    "load.hand.right": 2,
    "load.reach": 0.1,
    "load.shoulder.left": 3,
    "load.back": 4,
    "leg_length.right": 8,
    "tightness.hip_flexors.left": 8,
    "strength.quadriceps.right": 0.9,
    "bed.sag": 15,
    "backrest.forward": 10,
}
CASES = {"plain": {}, "loaded, uneven": WEIGHTY}


def other_side(stance):
    """The stance of the other side; a stance of both sides is its own."""
    head, _, side = stance.rpartition("_")
    return f"{head}_{SWAP[side]}" if side in SWAP else stance


@pytest.fixture(scope="module")
def results():
    """Cases solved once each, when they are first asked for."""
    known = {}

    def result(stance, name):
        if (stance, name) not in known:
            known[stance, name] = ss.solve(ADULT, CASES[name], stance=stance, raise_on_failure=False)
        return known[stance, name]

    return result


def columns(parameters):
    return {name: np.array([float(value)]) for name, value in parameters.items()}


def free_body(dataset, parameters):
    cases = case_arrays(pack_stance(pack(ADULT), dataset.attrs["stance"]), columns(parameters), 1, np.zeros(0))
    places = ("hand.right", "hand.left", "shoulder.right", "shoulder.left", "back")
    loads = {place: parameters[f"load.{place}"] for place in places if f"load.{place}" in parameters}
    return FreeBody(ADULT, dataset, loads, parameters.get("load.reach", 0.0), cases.tissue_shift[0])


every_case = pytest.mark.parametrize("name", CASES)
every_stance = pytest.mark.parametrize("stance", STANCES)


@every_case
@every_stance
def test_result__every_body_is_in_free_body_equilibrium(results, stance, name):
    dataset = results(stance, name)
    assert dataset.status.item() == "solved"
    body = free_body(dataset, CASES[name])
    force, moment, hinges, hip_force = body.residuals(500.0)
    for part in ("L5", "L4", "L3", "L2", "L1", "thorax"):
        assert np.abs(force[part]).max() <= 1e-6, part
        assert np.abs(moment[part]).max() <= 1e-6, part
    assert np.abs(force["pelvis"]).max() <= 1e-6
    for side in ("left", "right"):
        assert float(dataset.hip_contact_force.sel(side=side)) == pytest.approx(hip_force[side], abs=1e-6)
    held = dict(zip(dataset.held.values.tolist(), dataset.locked_moment.values.tolist(), strict=True))
    for coordinate, needed in hinges.items():
        if coordinate in held:
            assert needed == pytest.approx(held[coordinate], abs=1e-6), coordinate
    # no motion that the stance leaves free needs anything else: the hinges it moves do no work together, but for what
    # the balance assumes of ankles and feet
    for free in ADULT.stances[stance].free:
        work = sum(rate * hinges.get(coordinate, 0.0) for coordinate, rate in free.moves.items())
        aside = body.assumed_work(free)
        assert work == pytest.approx(aside, abs=1e-6), free.name
        # one foot: of the order of the ankle's moment times list, turn and sway in radians; both: next to nothing
        ankle = sum(np.linalg.norm(couple) for couple, _, _ in body.ankles)
        assert abs(aside) <= (0.2 * ankle if len(ADULT.stances[stance].supports) == 1 else 0.3) + 1e-9, free.name


@every_case
@every_stance
def test_result__supports_and_contacts_carry_weights_and_loads(results, stance, name):
    dataset, description = results(stance, name), ADULT.stances[stance]
    body = free_body(dataset, CASES[name])
    mass = sum(b.mass for b in ADULT.bodies if b.name not in description.unweighted) + sum(body.loads.values())
    weight = mass * ADULT.gravity * description.weight_factor
    assert body.weight == pytest.approx(weight, rel=1e-12)
    pressed = sum(force for _, force, _ in body.contacts) + sum(force for _, force, _ in body.supports)
    assert pressed == pytest.approx(weight * body.up, abs=1e-9)
    if "lean" in [free.name for free in description.free]:
        assert float(dataset.foot_force.sum()) == pytest.approx(weight, rel=1e-12)
        assert (dataset.foot_force.values >= 0.0).all()
    else:
        assert not dataset.foot_force.values.any()


@every_case
@pytest.mark.parametrize("stance", [name for name in STANCES if ADULT.stances[name].contacts])
def test_result__contacts_press_by_their_law_and_never_pull(results, stance, name):
    dataset = results(stance, name)
    body = free_body(dataset, CASES[name])
    settings = {"bed": "bed.sag", "backrest": "backrest.forward", "harness": "none"}
    moved = {surface: CASES[name].get(setting, 0) / 1e3 for surface, setting in settings.items()}
    for contact in ADULT.stances[stance].contacts:
        depth = body.depth(contact, contact.height + moved[contact.surface])
        force = float(dataset.contact_force.sel(contact=contact.name))
        assert force == pytest.approx(
            contact.stiffness * contact.blend * np.logaddexp(0.0, depth / contact.blend), rel=1e-9
        )
        assert force > 0.0
    assert float(dataset.contact_force.sum()) > 0.1 * 75 * ADULT.gravity


@every_case
@every_stance
def test_result__angles_are_those_of_the_free_coordinates(results, stance, name):
    """Lean, sway, tilt, list and turn, and the knees, move hips and knees as the stance says."""
    dataset, description = results(stance, name), ADULT.stances[stance]
    q = {coordinate: np.degrees(value) for coordinate, value in free_body(dataset, CASES[name]).q.items()}
    offset = {coordinate: np.degrees(description.offsets.get(coordinate, 0.0)) for coordinate in q}
    longer = CASES[name].get("leg_length.left", 0) - CASES[name].get("leg_length.right", 0)
    if longer and {s.side for s in description.supports} == {"left", "right"} and float(dataset.foot_force.sum()):
        listed = float(dataset.pelvic_list)
        offset["pelvis.list"] += listed
        offset["hip_r.adduction"] -= listed
        offset["hip_l.adduction"] += listed
    value = {"lean": float(dataset.lean), "sway": float(dataset.sway)}
    for free in description.free:
        own = {"pelvic_tilt": "pelvis.tilt", "pelvic_list": "pelvis.list", "pelvic_turn": "pelvis.turn"}
        own = own.get(free.name, {"knees": "knee_r.flexion"}.get(free.name, free.name))
        if free.name not in value:
            value[free.name] = q[own] - offset[own]
    for coordinate, angle in q.items():
        moved = sum(free.moves.get(coordinate, 0.0) * value[free.name] for free in description.free)
        assert angle == pytest.approx(offset[coordinate] + moved, abs=1e-9), coordinate


@every_stance
def test_result__holds_what_the_stance_holds(results, stance):
    dataset = results(stance, "loaded, uneven")
    read = {
        "trunk_flexion": dataset.trunk_inclination,
        "lumbar_flexion": dataset.segment_angle.sel(axis="flexion", level=dataset.level != "T12_L1").sum(),
        **{f"{joint}_flexion.{side}": dataset[f"{joint}_flexion"].sel(side=side)
           for joint in ("hip", "knee") for side in SWAP},
    }  # fmt: skip
    for name, angle in ADULT.stances[stance].held.items():
        if name in read:
            assert np.radians(float(read[name])) == pytest.approx(angle, abs=1e-9), name
        else:
            assert name == "trunk_bend"


# mirror images


@every_case
@every_stance
def test_mirror__the_stance_of_the_other_side_gives_the_mirror_image(results, stance, name):
    one = results(stance, name)
    posture = None
    if stance == "side_bend":  # it bends to the right
        posture = {"trunk_bend": -np.degrees(ADULT.stances[stance].held["trunk_bend"])}
    two = ss.solve(ADULT, mirrored_parameters(CASES[name]), stance=other_side(stance), posture=posture, complete="find")
    if max(float(one.stationarity), float(two.stationarity)) <= 1e-5:
        assert_mirrored(one, two, 1e-6)
    else:
        # several modes share the margin: the cost has a crease along which the search stops where it is met to its
        # tolerance, and two searches stop up to 1 deg and a thousandth of the cost apart
        assert float(two.effort) == pytest.approx(float(one.effort), rel=0.02)
        for angle in ("segment_angle", "pelvic_list", "hip_flexion", "anterior_pelvic_tilt", "trunk_inclination"):
            assert two[angle].values == pytest.approx(mirrored_values(one, angle, two), abs=1.0), angle


@every_case
@every_stance
def test_mirror__the_same_posture_takes_the_same_forces(results, stance, name):
    """The posture that was found, held and seen in the mirror: forces have one answer however the search went."""
    here, there = (pack_stance(pack(ADULT), which) for which in (stance, other_side(stance)))
    found = run_chain(make_task(ADULT, stance, None, "rhythm"), columns(CASES[name]), 1)[0].free[0]
    turned = [found[here.free.index(mirrored_name(n))] * (-1.0 if n.endswith(ODD_ENDS) else 1.0) for n in there.free]
    one, two = (
        labelled(
            packed,
            run_chain(Task(ADULT, packed.stance.name, {}, False), columns(parameters), 1, np.array(free))[0],
            settings=parameters,
            task={},
            pictures=False,
        )
        for packed, parameters, free in (
            (here, CASES[name], found),
            (there, mirrored_parameters(CASES[name]), turned),
        )
    )
    assert one.status.item() == two.status.item() == "solved"
    assert_mirrored(one, two, 1e-6)


@pytest.mark.parametrize("stance", [name for name in STANCES if name not in SIDED and name != "side_bend"])
def test_mirror__a_stance_of_both_sides_keeps_its_symmetry(results, stance):
    dataset = results(stance, "plain")
    assert np.abs(dataset.segment_angle.sel(axis=["bend", "turn"]).values).max() <= 1e-7
    assert_mirrored(dataset, dataset, 1e-6)


# unequal legs


def hip_heights(dataset):
    """Heights of the right and the left hip over the origin, and directions of both thighs [m]."""
    body = free_body(dataset, {})
    turned = [body.turn[f"femur_{side}"] @ [0.0, 1.0, 0.0] for side in "rl"]
    return [body.place[f"femur_{side}"][1] for side in "rl"], turned


FEET = ["standing", "squat"]


@pytest.mark.parametrize("stance", FEET)
@settings(max_examples=4)
@given(right=st.floats(-60, 60), left=st.floats(-60, 60))
def test_leg_length__lists_the_pelvis_by_the_difference_over_the_distance_of_the_hips(stance, right, left):
    dataset = ss.solve(
        ADULT, {"leg_length.right": right, "leg_length.left": left}, stance=stance, raise_on_failure=False
    )
    assert dataset.status.item() == "solved"
    hips = {j.name: np.array(j.centre_neutral) for j in ADULT.joints}
    distance = (hips["hip_r"] - hips["hip_l"])[2]
    expected = np.degrees(np.arcsin((left - right) / 1e3 / distance))
    assert float(dataset.pelvic_list) == pytest.approx(expected, abs=1e-9)
    (height_right, height_left), (thigh_right, thigh_left) = hip_heights(dataset)
    # the list is that of an untilted pelvis and tilts with it
    tilt = free_body(dataset, {}).q["pelvis.tilt"]
    assert height_right - height_left == pytest.approx((right - left) / 1e3 * np.cos(tilt), abs=1e-12)
    assert thigh_right == pytest.approx(thigh_left, abs=1e-12)


def test_leg_length__both_alike_change_nothing():
    both = ss.solve(ADULT, {"leg_length.right": 20, "leg_length.left": 20})
    healthy = ss.solve(ADULT)
    for name in healthy.data_vars:
        np.testing.assert_array_equal(both[name].values, healthy[name].values, err_msg=name)


@pytest.mark.parametrize("stance", ["single_leg_right", "sitting", "supine"])
def test_leg_length__lists_nothing_where_the_feet_do_not_carry(stance):
    uneven, even = (ss.solve(ADULT, p, stance=stance) for p in ({"leg_length.left": 20}, {}))
    assert float(uneven.pelvic_list) == float(even.pelvic_list)
    assert uneven.compression.values == pytest.approx(even.compression.values, abs=1e-9)


# actuators


def test_strength_of_quadriceps__scales_the_vasti_of_its_side():
    """A squat needs the same moment of the knees whatever they can give, and refuses what they cannot."""
    moment = {}
    for strength in (1.0, 0.8):
        case = ss.solve(ADULT, {"strength.quadriceps.right": strength}, stance="squat", raise_on_failure=False)
        assert case.status.item() == "solved"
        moment[strength] = case.actuator_moment
    known = {a.name: a.max_moment for a in ADULT.actuators}
    packed = pack_stance(pack(ADULT), "squat")
    cases = case_arrays(packed, columns({"strength.quadriceps.right": 0.5, "strength.quadriceps": 0.8}), 1, np.zeros(0))
    scale = dict(zip(packed.actuators, cases.strength[0, packed.packed.lines :], strict=True))
    for name in packed.actuators:
        # most specific wins: that of the side
        expected = {"vasti_r": 0.5, "vasti_l": 0.8}.get(name, 1.0)
        assert scale[name] == pytest.approx(expected), name
    total = {s: float(m.sel(actuator="vasti_r") + m.sel(actuator="vasti_l")) for s, m in moment.items()}
    assert total[0.8] == pytest.approx(total[1.0], rel=0.05)
    ratio = {s: float(m.sel(actuator="vasti_r") / m.sel(actuator="vasti_l")) for s, m in moment.items()}
    assert ratio[1.0] == pytest.approx(1.0, abs=1e-6)
    assert ratio[0.8] < 0.9
    assert (abs(moment[0.8].sel(actuator="vasti_r")) <= 0.8 * abs(known["vasti_r"]) + 1e-9).all()
    upright = {"trunk_flexion": 35}
    weak = ss.solve(ADULT, {"strength.quadriceps": 0.1}, stance="squat", posture=upright, raise_on_failure=False)
    assert weak.status.item() == "infeasible"
    assert np.abs(weak.missing_moment.sel(coordinate="knees").item()) > 1.0


@pytest.mark.parametrize("stance", [name for name in STANCES if ADULT.stances[name].weight_factor and "sway" in
                                    [free.name for free in ADULT.stances[name].free]])  # fmt: skip
@every_case
def test_single_leg__the_pressure_stays_under_the_foot_and_abductors_hold_the_pelvis(results, stance, name):
    dataset, side = results(stance, name), stance.rpartition("_")[2]
    body = free_body(dataset, CASES[name])
    moment = {n: float(m) for n, m in zip(dataset.actuator.values, dataset.actuator_moment.values, strict=True)}
    lean = sum(m for n, m in moment.items() if "flexion" in n)
    sway = sum(m for n, m in moment.items() if "version" in n)
    # the ground pushes ahead of the ankle where the calf pulls, and to the outside where the peronei do
    assert -ADULT.foot.back - 1e-9 <= -lean / body.weight <= ADULT.foot.front + 1e-9
    assert abs(sway) / body.weight <= ADULT.foot.side + 1e-9
    assert float(dataset.foot_force.sel(side=SWAP[side])) == 0.0
    assert float(dataset.hip_contact_force.sel(side=side)) > 1.5 * body.weight
    force = dataset.muscle_force.where(dataset.anatomical_muscle == "gluteus_medius", drop=True)
    mine, other = (float(force.where(force.muscle_side == s, drop=True).sum()) for s in (side, SWAP[side]))
    assert mine > 2.0 * other


# held angles


@pytest.mark.parametrize("complete", ["rhythm", "find"])
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("angles", [{"pelvic_list": 0.0}, {"pelvic_list": -4.0, "pelvic_turn": 3.0}])
def test_single_leg__a_held_pelvis_is_held(side, angles, complete):
    dataset = ss.solve(ADULT, stance=f"single_leg_{side}", posture=angles, complete=complete)
    for name, value in angles.items():
        assert float(dataset[name]) == pytest.approx(value, abs=1e-8)


@pytest.mark.parametrize("depth", [60.0, 75.0])
def test_squat__is_as_deep_as_it_is_named(depth):
    dataset = ss.solve(ADULT, stance="squat", posture={"knee_flexion.left": depth}, complete="find")
    assert dataset.knee_flexion.values == pytest.approx([depth, depth], abs=1e-8)


def test_held_posture__keeps_what_the_stance_holds_unless_it_is_named():
    bent = ss.solve(ADULT, stance="squat", posture={"trunk_flexion": 30})
    assert bent.knee_flexion.values == pytest.approx([90.0, 90.0], abs=1e-9)
    assert float(bent.trunk_inclination) == pytest.approx(30.0, abs=1e-9)
    slumped = ss.solve(ADULT, stance="sitting_slumped", posture={"anterior_pelvic_tilt": -12})
    assert float(slumped.anterior_pelvic_tilt) == pytest.approx(-12.0, abs=1e-9)
    assert float(slumped.trunk_inclination) == pytest.approx(15.0, abs=1e-9)


@pytest.mark.parametrize("stance", STANCES)
def test_posture_names__are_those_of_what_the_stance_moves(stance):
    packed = pack_stance(pack(ADULT), stance)
    moved = {name for free in packed.stance.free for name in free.moves}
    names = set(posture_names(packed))
    assert ("pelvic_list" in names) == ("pelvis.list" in moved)
    assert ("pelvic_turn" in names) == ("pelvis.turn" in moved)
    for side in SWAP:
        assert (f"knee_flexion.{side}" in names) == (f"knee_{side[0]}.flexion" in moved)


# beds


@pytest.mark.parametrize("stance", ["supine", "prone", "side_lying_left"])
def test_bed__gives_way_without_a_jump(stance):
    """From 0 to 100 mm of sag: every angle changes by little from one step to the next, one way and back."""
    sag = np.linspace(0.0, 100.0, 21)
    there = ss.sweep(ADULT, {"bed.sag": sag}, stance=stance)
    back = ss.sweep(ADULT, {"bed.sag": sag[::-1]}, stance=stance)
    assert (there.status == "solved").all()
    assert not there.branch.values.any()
    angles = there.segment_angle.values
    assert back.segment_angle.values[::-1] == pytest.approx(angles, abs=0.05)
    steps = np.abs(np.diff(angles, axis=0)).max(axis=(1, 2))
    assert steps.max() <= 1.0  # 5 mm over a spine of some 0.2 m are 1.4 deg in all its six levels
    # no step is much larger than its neighbours
    assert (steps[1:] <= 3.0 * steps[:-1] + 0.1).all()


@pytest.mark.parametrize("stance", ["supine", "prone", "side_lying_left"])
def test_bed__that_gives_way_under_the_pelvis_carries_more_of_the_weight_at_thorax_and_head(stance):
    sag = ss.sweep(ADULT, {"bed.sag": [0.0, 10.0, 20.0, 30.0]}, stance=stance)
    assert (np.diff(sag.contact_force.sum("contact").values) > 0.0).all()


# harness


def without_harness(model):
    """The model whose stance with a harness has none."""
    pressed = model.stances["supine_harness"]
    bed = tuple(contact for contact in pressed.contacts if contact.surface == "bed")
    return model.model_copy(
        update={"stances": {**model.stances, "supine_harness": pressed.model_copy(update={"contacts": bed})}}
    )


def test_harness__left_out_is_lying_on_the_back():
    free, lying = ss.solve(without_harness(ADULT), stance="supine_harness"), ss.solve(ADULT, stance="supine")
    for name in ("segment_angle", "compression", "contact_force", "foramen_area"):
        np.testing.assert_array_equal(free[name].values, lying[name].values, err_msg=name)


@pytest.mark.parametrize(("mass", "stature"), [(75, 1.75), (100, 1.75), (60, 1.6)])
def test_harness__presses_with_half_the_weight_of_any_body(mass, stature):
    body = scaled(ADULT, body_mass=mass, stature=stature)
    case = ss.solve(body, stance="supine_harness")
    half = 0.5 * mass * ADULT.gravity
    for name in ("strap", "footplate"):
        force = sum(float(case.contact_force.sel(contact=f"{name}_{side}")) for side in "rl")
        assert force == pytest.approx(half, rel=0.02), name  # springs, not weights: 1 % for each 7 mm
    # what the harness gives goes through the spine, and hardly any of it into the bed
    added = case.compression - ss.solve(body, stance="supine").compression
    assert ((0.8 * half < added) & (added < 1.15 * half)).all()
    assert abs(float(case.support_force.sel(xyz="y").sum())) < 0.02 * half


def test_harness__bends_the_levels_as_kimura2001_saw_it_but_by_less():
    """Volunteers under half their weight: L5/S1 flexed by 5.0 deg, L4/L5 to L2/L3 extended by 0.6, 3.2 and 2.6 deg."""
    pressed, lying = (ss.solve(ADULT, stance=stance) for stance in ("supine_harness", "supine"))
    flexed = (pressed.segment_angle - lying.segment_angle).sel(axis="flexion")
    assert 2.0 < float(flexed.sel(level="L5_S1")) < 5.0
    for level, extended in (("L4_L5", 0.6), ("L3_L4", 3.2), ("L2_L3", 2.6)):
        assert -extended - 0.1 < float(flexed.sel(level=level)) < -0.3, level


# every preset in every stance


def presets():
    """Every imbalance at severity 1, one-sided ones on both sides."""
    return [f"imbalance.{name}" for imbalance in ADULT.imbalances.values() for name in imbalance.names]


@every_stance
def test_presets__are_solved_or_say_by_name_what_is_missing(stance):
    for preset in presets():
        case = ss.solve(ADULT, {preset: 1.0}, stance=stance, raise_on_failure=False)
        status = case.status.item()
        assert status in ("solved", "infeasible", "unstable"), (preset, status)
        if status == "solved":
            assert float(case.moment_residual) <= 1e-6, preset
            for name, array in case.data_vars.items():
                if array.dtype.kind == "f":
                    assert np.isfinite(array.values).all(), (preset, name)
        elif status == "infeasible":
            assert np.abs(case.missing_moment.values).max() > 1e-6, preset
            with pytest.raises(ss.InfeasibleError, match=rf"no muscle forces balance \S+ in {stance}"):
                ss.solve(ADULT, {preset: 1.0}, stance=stance)


# bad input


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"leg_length.left": 10}, "leg_length.left: the model teaching has no pelvis that lists"),
        ({"load.back": 10}, "load.back: the model teaching has no back that carries"),
        ({"load.shoulder.right": 10}, "load.shoulder.right: the model teaching has no shoulders that carry"),
    ],
)
def test_bad_input__of_parts_that_the_planar_model_lacks(parameters, words):
    with pytest.raises(ss.InputError) as caught:
        ss.solve(ss.load_model("teaching"), parameters)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("stance", "posture", "words"),
    [
        ("standing", {"pelvic_list": 0}, "pelvic_list cannot be set in standing; names are trunk_flexion"),
        ("standing", {"knee_flexion.left": 20}, "posture angle knee_flexion.left cannot be set in standing"),
        ("supine", {"pelvic_turn": 2}, "posture angle pelvic_turn cannot be set in supine"),
        ("single_leg_right", {"knee_flexion.left": 60}, "knee_flexion.left cannot be set in single_leg_right"),
        ("squat", {"knee_flexion.left": 60, "knee_flexion.right": 70}, "in squat both sides flex alike"),
        ("supine", {"hip_flexion.left": 30}, "hip_flexion.left: in supine the hips follow the pelvis"),
        ("single_leg", {}, "stance single_leg is unknown: adult has"),
    ],
)  # fmt: skip
def test_bad_input__of_angles_that_the_stance_does_not_free(stance, posture, words):
    with pytest.raises(ss.InputError, match=words.replace(".", r"\.")) as caught:
        ss.solve(ADULT, stance=stance, posture=posture)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "parameters",
    [
        {"leg_length.left": 61},
        {"bed.sag": float("nan")},
        {"backrest.forward": 151},
        {"load.back": -1},
        {"load.shoulder": 3},
    ],
)
def test_bad_input__of_values_is_one_sentence_that_names_them(parameters):
    (name,) = parameters
    with pytest.raises(ss.InputError, match=name.replace(".", r"\.")) as caught:
        ss.solve(ADULT, parameters, stance="supine")
    assert "\n" not in str(caught.value)
