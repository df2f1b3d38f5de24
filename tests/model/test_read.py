import hashlib
import math

import pytest

from spinesim.errors import ModelError
from spinesim.model.mirror import mirrored_stance
from spinesim.model.read import load_model, model_names, models_folder

DEGREE = math.pi / 180


def named(parts, name):
    return next(p for p in parts if p.name == name)


def test_load_model__adult_has_all_its_parts(adult):
    assert len(adult.bodies) == 11
    assert len(adult.coordinates) == 29
    assert len(adult.muscles) == 280
    assert len(adult.disc_laws) == 6 * 3 * 2 * 3
    assert len(adult.disc_springs) == 18
    assert len(adult.landmarks) == 45
    assert adult.levels == ("L5_S1", "L4_L5", "L3_L4", "L2_L3", "L1_L2", "T12_L1")
    assert set(adult.stances) == {
        *("standing", "forward_bend", "side_bend", "lift_stoop", "squat", "overhead_squat", "lift_squat"),
        *("sitting", "sitting_upright", "sitting_slumped", "sitting_backrest", "supine", "supine_harness", "prone"),
        *(
            f"{name}_{side}"
            for name in ("single_leg", "gait_mid_stance", "gait_terminal_stance", "side_lying")
            for side in ("left", "right")
        ),
    }
    assert {t.group for t in adult.tests} == {"hip_flexors", "hamstrings", "quadriceps", "adductors", "piriformis"}


def test_load_model__coordinates_stand_in_the_order_of_q(adult):
    names = [c.full_name for c in adult.coordinates]
    assert names[:6] == [
        "pelvis.tilt",
        "pelvis.list",
        "pelvis.turn",
        "L5_S1.flexion",
        "L5_S1.bend",
        "L5_S1.turn",
    ]
    assert names[21:] == [
        "hip_r.flexion",
        "hip_r.adduction",
        "hip_r.rotation",
        "knee_r.flexion",
        "hip_l.flexion",
        "hip_l.adduction",
        "hip_l.rotation",
        "knee_l.flexion",
    ]


# values typed from the publications' tables, so that a slip of conversion shows
def test_load_model__psoas_of_l1(adult):
    psoas = named(adult.muscles, "ps_l1_vb_r")
    assert psoas.muscle == "psoas"
    assert psoas.pcsa == pytest.approx(2.52784e-4)
    assert psoas.max_force == pytest.approx(101.1136)
    assert psoas.optimal_fibre_length == pytest.approx(0.20251)
    assert psoas.tendon_slack_length == pytest.approx(0.171246)
    assert psoas.pennation == pytest.approx(0.18675)
    assert [p.body for p in psoas.path] == ["L1", "pelvis", "pelvis", "femur_r", "femur_r"]
    assert psoas.path[0].position == pytest.approx((-0.012715, 0.029777, 0.022))
    assert psoas.path[2].condition == "hip_r.flexion"
    assert psoas.path[2].condition_highest == pytest.approx(45 * DEGREE, abs=1e-6)


def test_load_model__thorax(adult):
    thorax = named(adult.bodies, "thorax")
    assert thorax.mass == pytest.approx(27.188726)
    # centre (-0.018767, 0.417883), arms raised to the shoulders (+0.081708), less origin (-0.050247, 0.27048)
    assert thorax.centre_of_mass == pytest.approx((0.03148, 0.229111, 0.0))


def test_load_model__disc_law_and_spring_of_l4_l5(adult):
    law = next(
        w
        for w in adult.disc_laws
        if (w.level, w.coordinate, w.direction, w.preload) == ("T12_L1", "flexion", "negative", 250.0)
    )
    assert (law.c1, law.c2, law.c3) == pytest.approx((164.92742, 85.01705, 7306.67723))
    spring = next(s for s in adult.disc_springs if (s.level, s.preload) == ("L4_L5", 500.0))
    assert (spring.axial, spring.shear_anterior, spring.shear_lateral) == pytest.approx((2.42e6, 4.35e5, 5.23e5))
    assert named(adult.discs, "L4_L5").area == pytest.approx(15.4259e-4)


def test_load_model__ranges_of_motion(adult):
    ranges = {c.full_name: (c.lowest / DEGREE, c.highest / DEGREE) for c in adult.coordinates}
    assert ranges["L4_L5.flexion"] == pytest.approx((-2.0, 13.0), abs=1e-3)
    assert ranges["hip_r.flexion"] == pytest.approx((-20.0, 120.0))
    assert ranges["hip_l.adduction"] == pytest.approx((-45.0, 30.0))
    assert ranges["knee_l.flexion"] == pytest.approx((0.0, 140.0))


def test_load_model__rhythm_shares_add_up_to_one(adult):
    for axis in ("flexion", "bend", "turn"):
        shares = [c.rhythm_share for c in adult.coordinates if c.name == axis and c.joint in adult.levels]
        assert sum(shares) == pytest.approx(1.0, abs=1e-5)
        assert len(shares) == 6


def test_load_model__units_in_keys_are_converted(adult):
    assert adult.scatter.trunk == pytest.approx(2 * DEGREE)
    assert adult.scatter.centre_of_mass == pytest.approx(0.010)
    assert adult.bulge.rest == pytest.approx(1e-3)
    assert adult.bulge.per_extension == pytest.approx(0.12e-3 / DEGREE)
    assert adult.hand.shoulder_right == pytest.approx((0.039478, 0.250524, 0.185977))
    assert named(adult.stances.values(), "sitting").offsets["knee_l.flexion"] == pytest.approx(math.pi / 2)
    assert adult.stances["sitting"].trunk_flexion == pytest.approx(-7.5 * DEGREE)


def test_load_model__ankles_bear_the_body_at_their_place_in_space(adult):
    right = named(adult.stances["standing"].supports, "ankle_r")
    shank = named(adult.bodies, "shank_r")
    place = [a + b for a, b in zip(shank.origin_neutral, right.position, strict=True)]
    assert place == pytest.approx([-0.02, -0.87, 0.0835], abs=1e-8)


@pytest.mark.parametrize(("name", "held"), [("forward_bend", {"trunk_flexion": 40}), ("side_bend", {"trunk_bend": 10})])
def test_load_model__a_bend_is_standing_with_the_trunk_held(adult, name, held):
    bend, standing = adult.stances[name], adult.stances["standing"]
    assert bend.held == pytest.approx({angle: value * DEGREE for angle, value in held.items()})
    assert bend.free == standing.free
    assert bend.supports == standing.supports
    assert standing.held == {}


def test_load_model__every_muscle_belongs_to_a_group(adult):
    grouped = {muscle for muscles in adult.groups.values() for muscle in muscles}
    assert {m.muscle for m in adult.muscles} == grouped


def test_load_model__left_fascicles_mirror_the_right(adult):
    right, left = adult.muscles[:140], adult.muscles[140:]
    for r, l in zip(right, left, strict=True):  # noqa: E741
        assert (r.side, l.side) == ("right", "left")
        assert l.name == r.name[:-2] + "_l"
        assert (l.pcsa, l.optimal_fibre_length, l.passive_force) == (r.pcsa, r.optimal_fibre_length, r.passive_force)
        for p, q in zip(r.path, l.path, strict=True):
            assert q.position == (p.position[0], p.position[1], -p.position[2])
            assert q.body == p.body.replace("_r", "_l")
            assert q.condition == p.condition.replace("_r", "_l")


def test_load_model__left_tissues_landmarks_and_actuators_are_added(adult):
    assert named(adult.tissues, "hip_tissue_6_l").coordinate == "hip_l.flexion"
    assert named(adult.tissues, "hip_tissue_6_l").second == "knee_l.flexion"
    assert named(adult.landmarks, "asis_l").position[2] == -named(adult.landmarks, "asis_r").position[2]
    assert named(adult.actuators, "vasti_l").coordinate == "knee_l.flexion"
    assert named(adult.actuators, "vasti_l").side == "left"
    assert named(adult.actuators, "ankle_plantarflexion_l").coordinate == "lean"


def test_load_model__sources_stand_for_every_constant(adult):
    assert "neutral_zone.fraction" in adult.constants
    assert all(c.source in adult.sources or "+" in c.source for c in adult.constants.values())


def test_load_model__a_folder_gives_the_shipped_model(adult):
    again = load_model(models_folder() / "adult")
    assert again.digest == adult.digest
    assert again.muscles == adult.muscles


def test_load_model__digest_follows_every_file(adult):
    folder = models_folder() / "adult"
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".csv", ".toml") and path.name != "verdicts.csv":  # these follow from the model
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    assert adult.digest == digest.hexdigest()


def test_model_names__are_the_shipped_folders():
    assert "adult" in model_names()


def test_load_model__unknown_name_offers_the_nearest():
    with pytest.raises(ModelError, match=r"there is no model 'adlut' \(did you mean 'adult'\?\)"):
        load_model("adlut")


def test_load_model__folder_without_model_toml_is_no_model(tmp_path):
    with pytest.raises(ModelError, match=r"model\.toml is missing, so this folder is not a model"):
        load_model(tmp_path)


MIRRORED = [name for name in load_model("adult").stances if name.endswith(("_left", "_right"))]


@pytest.mark.parametrize("name", MIRRORED)
def test_stances__of_one_side_are_the_mirror_image_of_the_other(adult, name):
    head, _, side = name.rpartition("_")
    other = adult.stances[f"{head}_{'left' if side == 'right' else 'right'}"]
    words = {key: getattr(other, key) for key in ("name", "description", "source", "confidence", "notes")}
    seen = mirrored_stance(adult.stances[name]).model_copy(update=words)
    assert seen == other
    assert mirrored_stance(mirrored_stance(other)) == other


def test_stances__the_word_spine_stands_for_every_rotation_of_every_level(adult):
    for stance in adult.stances.values():
        spinal = [f.name for f in stance.free if f.name.partition(".")[0] in adult.levels]
        assert spinal == [f"{level}.{axis}" for level in adult.levels for axis in ("flexion", "bend", "turn")]


def test_stances__up_is_a_unit_vector(adult):
    for stance in adult.stances.values():
        assert sum(x * x for x in stance.up) == pytest.approx(1.0, abs=1e-15)
    # the force of walking is given to two digits
    assert adult.stances["gait_terminal_stance_right"].up == pytest.approx((0.17, 0.984, -0.05), abs=1e-3)


def test_stances__one_like_another_takes_over_what_it_does_not_say(adult):
    squat, overhead = adult.stances["squat"], adult.stances["overhead_squat"]
    assert overhead.shifts == {"thorax": (0.0, 0.0818, 0.0)}
    assert not squat.shifts
    # arms of 7.41 kg, whose weight hangs at the height of the shoulders, are stretched 0.30 m above them
    thorax = next(body for body in adult.bodies if body.name == "thorax")
    assert overhead.shifts["thorax"][1] * thorax.mass == pytest.approx(7.41 * 0.30, rel=1e-3)
    own = {
        "shifts": {},
        **{key: getattr(squat, key) for key in ("name", "description", "source", "confidence", "notes", "trusted")},
    }
    assert overhead.model_copy(update=own) == squat
