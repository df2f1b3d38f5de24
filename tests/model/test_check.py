import math

import pytest

from spinesim.model.check import check, normalised_fibre_length, pelvic_incidence, softened_tangent
from spinesim.model.parts import Sourced

DEGREE = math.pi / 180


def changed(model, table, name, **update):
    """The model with one row of a table changed, on both sides if it is a muscle."""
    rows = getattr(model, table)
    key = "full_name" if table == "coordinates" else "name"
    assert any(getattr(r, key) == name for r in rows)
    return model.model_copy(
        update={table: tuple(r.model_copy(update=update) if getattr(r, key) == name else r for r in rows)}
    )


def errors(model):
    return [f"{f.subject}: {f.message}" for f in check(model).of_level("error")]


def test_check__the_adult_passes(adult):
    report = check(adult)
    assert report.passed
    assert report.of_level("warning") == ()
    assert report.counts["muscles"] == 140
    assert report.counts["disc_laws"] == 108


def test_check__pelvic_incidence_of_the_adult_is_55_degrees(adult):
    assert pelvic_incidence(adult) == pytest.approx(55 * DEGREE, abs=0.05 * DEGREE)
    assert "pelvic incidence 55.0 deg" in [f.message for f in check(adult).findings]


def test_check__lists_where_numbers_come_from(adult):
    report = check(adult)
    assert sum(len(v) for v in report.provenance.values()) == sum(report.counts.values())
    assert "model: gravity_m_per_s2" in report.provenance["derived"]
    assert "actuators: vasti_r" in report.provenance["assumed"]
    assert "coordinates: knee_r.flexion" in report.provenance["literature-memory"]


def test_check__masses_must_add_up(adult):
    assert any(
        "the masses add up to 85.000 kg" in e for e in errors(changed(adult, "bodies", "thorax", mass=37.188727))
    )


def test_check__unlike_sides_are_found(adult):
    assert any("shank_l is not its mirror image" in e for e in errors(changed(adult, "bodies", "shank_l", mass=4.0)))
    assert any(
        "L3: a body of the middle" in e for e in errors(changed(adult, "bodies", "L3", centre_of_mass=(0, 0, 0.01)))
    )
    assert any("knee_r.flexion" in e for e in errors(changed(adult, "coordinates", "knee_l.flexion", highest=2.0)))
    assert any("hip_r.adduction" in e for e in errors(changed(adult, "coordinates", "hip_l.adduction", axis=(1, 0, 0))))
    assert any("muscles: piriformis_r" in e for e in errors(changed(adult, "muscles", "piriformis_l", pcsa=1e-4)))


def reflected(model, muscle, plane):
    """The model with one muscle laid to the other side of the frontal plane at x = ``plane`` [m]."""
    origin = {b.name: b.origin_neutral[0] for b in model.bodies}

    def point(p):
        x = 2 * plane - (origin[p.body] + p.position[0]) - origin[p.body]
        return p.model_copy(update={"position": (x, *p.position[1:])})

    return model.model_copy(
        update={
            "muscles": tuple(
                m.model_copy(update={"path": tuple(map(point, m.path))}) if m.muscle == muscle else m
                for m in model.muscles
            )
        }
    )


@pytest.mark.parametrize(
    ("muscle", "plane", "words"),
    [
        ("rectus_abdominis", -0.02, "must flex the spine, but its mean arm about L5_S1.flexion is -"),
        ("longissimus", -0.02, "must extend the spine, but its mean arm about L4_L5.flexion is "),
        ("gluteus_maximus", 0.0, "must extend the hip, but its mean arm about hip_r.flexion is "),
        ("iliacus", 0.0, "must flex the hip, but its mean arm about hip_r.flexion is -"),
        ("piriformis", 0.0, "must rotate the straight hip externally"),
    ],
)
def test_check__a_muscle_on_the_wrong_side_is_found(adult, muscle, plane, words):
    found = errors(reflected(adult, muscle, plane))
    assert any(f"muscles: {muscle}: {words}" in e for e in found)
    assert all(e.startswith(f"muscles: {muscle}: ") or "fibre length" in e for e in found)


def test_check__fibre_length_outside_its_range_is_found(adult):
    found = errors(changed(adult, "muscles", "iliacus_r", tendon_slack_length=0.25))
    assert any("normalised fibre length at reference is 0.000, must be between 0.5 and 1.5" in e for e in found)


def test_normalised_fibre_length__closed_form(adult):
    muscle = adult.muscles[0].model_copy(
        update={"optimal_fibre_length": 0.1, "tendon_slack_length": 0.2, "pennation": math.asin(0.6)}
    )
    # thickness 0.06, along 0.08: the fibre is 0.1 long
    assert normalised_fibre_length(muscle, 0.28) == pytest.approx(1.0)
    assert normalised_fibre_length(muscle, 0.19) == 0.0


def test_check__likely_wrong_unit_is_a_warning(adult):
    report = check(changed(adult, "muscles", "iliacus_r", pcsa=17.0))
    assert any("pcsa = 170000 cm2 is outside 0.01 to 100 cm2" in f.message for f in report.of_level("warning"))


def test_check__disc_law_that_softens_is_found(adult):
    laws = tuple(w.model_copy(update={"c2": -9000.0}) if w.level == "L4_L5" else w for w in adult.disc_laws)
    found = errors(adult.model_copy(update={"disc_laws": laws}))
    assert any(e.startswith("disc_laws: L4_L5 flexion positive") for e in found)
    assert all("L4_L5" in e for e in found)


def test_softened_tangent__is_the_slope_of_the_softened_law(adult):
    import numpy as np

    law, fraction, width = adult.disc_laws[0], 0.3, 2 * DEGREE

    def moment(t):
        share = fraction + (1 - fraction) * (1 - np.exp(-((t / width) ** 2)))
        return law.c1 * t * share + law.c2 * t**2 + law.c3 * t**3

    angle, step = np.linspace(0.001, 0.3, 50), 1e-6
    slope = (moment(angle + step) - moment(angle - step)) / (2 * step)
    assert softened_tangent(law, angle, fraction, width) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"amplitude": -4.0}, "limits the lower end, so its amplitude must be positive"),
        ({"rate": 4.0}, "limits the lower end, so its rate must be negative"),
        ({"limits": "none"}, "limits no end of the range, so its rate must be 0"),
    ],
)
def test_check__tissue_of_the_wrong_sign_is_found(adult, update, words):
    assert any(words in e for e in errors(changed(adult, "tissues", "hip_tissue_1_r", **update)))


def test_check__source_that_is_not_listed_is_found(adult):
    assert any("the source me2020 is not" in e for e in errors(changed(adult, "landmarks", "asis_r", source="me2020")))


def test_check__assumed_without_a_reason_is_a_warning(adult):
    constants = adult.constants | {"foot.back_m": Sourced(source="assumed", confidence="assumed")}
    report = check(adult.model_copy(update={"constants": constants}))
    assert [f.subject for f in report.of_level("warning")] == ["model: foot.back_m"]


def test_check__muscle_without_group_is_a_note(adult):
    groups = {k: v for k, v in adult.groups.items() if k != "piriformis"}
    report = check(adult.model_copy(update={"groups": groups}))
    assert "muscles: piriformis" in [f.subject for f in report.of_level("note")]
