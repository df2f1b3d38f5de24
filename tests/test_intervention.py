"""Doses: closed forms of growth and decay, which parameters change, how programmes combine, and bad input."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import spinesim as ss
from spinesim import parameters
from spinesim.cases import names
from spinesim.errors import InputError
from spinesim.intervention import (
    LOADS,
    Block,
    Programme,
    applied,
    changed,
    course,
    exercises,
    intervention_words,
    laws,
    programme,
    stimulus,
    targets,
    typical,
)
from spinesim.model.pack import pack
from spinesim.solve import check_settings


def law(intervention, family):
    return next(each for each in laws() if (each.intervention, each.family) == (intervention, family))


STRETCH = law("stretch", "tightness")
STRENGTH = law("strengthen", "strength")
MASSAGE = law("soft_tissue", "stiffness")
SPREAD = 5.6  # [deg] of the Thomas test among healthy people, Harvey 1998


def after(adult, wanted, before=None, week=8.0, **options):
    values = applied(adult, before or {}, programme(adult, wanted), week, typical(), **options)
    return {name: float(column[0]) for name, column in values.items()}


def muscle_value(adult, values, family, fascicle):
    known = names(pack(adult))
    return float(parameters.resolve(known, values, family)[list(known.muscles).index(fascicle)])


@pytest.mark.parametrize("each", [each for each in laws() if each.weeks], ids=lambda e: f"{e.intervention} {e.family}")
def test_course__the_published_dose_has_the_published_effect(each):
    assert course(each, [(0.0, each.weeks, each.per_week, 1.0)], each.weeks) == pytest.approx(1.0)


def test_course__saturates_and_halves():
    plateau = 1.0 / -math.expm1(-STRETCH.weeks / STRETCH.build_weeks)
    assert course(STRETCH, [(0.0, 200.0, 3.0, 1.0)], 200.0) == pytest.approx(plateau)
    stopped = course(STRETCH, [(0.0, 200.0, 3.0, 1.0)], 200.0 + STRETCH.half_life_days / 7.0)
    assert stopped == pytest.approx(plateau / 2.0)


def test_course__of_changing_doses_is_that_of_the_differential_equation():
    stimuli = [(0.0, 4.0, 3.0, 1.0), (2.0, 6.0, 6.0, 0.5), (9.0, 12.0, 4.0, 1.0)]

    def slope(week, effect):
        drive = max((s * stimulus("stretch", f) for a, b, f, s in stimuli if a <= week < b), default=0.0)
        rate = 1.0 / STRETCH.build_weeks if drive > effect[0] else 7.0 * math.log(2.0) / STRETCH.half_life_days
        return [rate * (drive - effect[0])]

    solution = solve_ivp(slope, (0.0, 14.0), [0.0], max_step=1e-2, rtol=1e-9, dense_output=True)
    scale = -math.expm1(-STRETCH.weeks / STRETCH.build_weeks)
    for week in (1.0, 3.0, 5.0, 8.0, 11.0, 14.0):
        assert course(STRETCH, stimuli, week) == pytest.approx(float(solution.sol(week)[0]) / scale, abs=2e-3)


def test_course__the_strongest_stimulus_counts():
    one = [(0.0, 8.0, 3.0, 1.0)]
    assert course(STRENGTH, [*one, (0.0, 8.0, 3.0, 0.5)], 8.0) == course(STRENGTH, one, 8.0)


def test_course__a_massage_is_gone_before_the_next_and_whole_right_after():
    often = [(0.0, 8.0, 3.0, 1.0)]
    assert course(MASSAGE, often, 8.0) < 1e-9
    assert course(MASSAGE, often, 8.0, rest=0.0) == 1.0
    three_minutes = course(MASSAGE, often, 8.0, rest=0.05)
    assert 0.1 < three_minutes < 0.3  # "no difference" after 3 min of rest, of an effect of 0.6 SD


def test_course__nothing_happens_before_it_begins():
    for each in (STRETCH, MASSAGE):
        assert course(each, [(4.0, 8.0, 3.0, 1.0)], 4.0) == 0.0


def test_stimulus__is_the_published_one():
    assert [stimulus("strength", n) for n in (0, 1, 2, 3, 4, 7)] == pytest.approx(
        [0, 0.74 / 0.93, 0.82 / 0.93, 1, 1.08 / 0.93, 1.08 / 0.93], abs=1e-3
    )


def test_drawn__has_the_mean_and_the_spread_of_the_law():
    from scipy.special import ndtri

    drawn = STRETCH.drawn(ndtri((np.arange(2000) + 0.5) / 2000))
    assert drawn.mean() == pytest.approx(STRETCH.mean, abs=1e-3)
    assert drawn.std() == pytest.approx(STRETCH.sd, rel=5e-3)
    shares = law("posture_training", "tone").drawn(np.array([-5.0, 0.0, 5.0]))
    assert 0.0 <= shares.min() < shares.max() <= 1.0


def test_stretch__takes_the_published_effect_from_the_tightness_and_softens_the_muscle(adult):
    values = after(adult, "stretch.hip_flexors", {"tightness.hip_flexors": 20.0}, week=6.0)
    assert values["tightness.hip_flexors.left"] == pytest.approx(
        20.0 - 0.96 * SPREAD * (1 - math.exp(-2)) / (1 - math.exp(-2))
    )
    assert muscle_value(adult, values, "stiffness", "ps_l1_vb_r") == pytest.approx(1.0 - 0.11)
    assert muscle_value(adult, values, "stiffness", "ps_l1_vb_l") == pytest.approx(1.0 - 0.11)


def test_stretch__of_one_side_leaves_the_other(adult):
    values = after(adult, "stretch.hip_flexors.right", {"tightness.hip_flexors": 20.0})
    assert values["tightness.hip_flexors.right"] < 20.0
    assert "tightness.hip_flexors.left" not in values
    assert muscle_value(adult, values, "stiffness", "ps_l1_vb_l") == 1.0


def test_stretch__of_a_group_without_a_test_only_softens(adult):
    values = after(adult, "stretch.erectors")
    assert not any(name.startswith("tightness") for name in values)
    assert {name.partition(".")[0] for name in values} == {"stiffness"}


@pytest.mark.parametrize(
    "weak",
    [
        {"strength.gluteals": 0.6},
        {"strength.gluteus_maximus.left": 0.6, "strength.gluteals": 0.6},
        {"imbalance.lower_crossed": 1.0},
    ],
)
def test_strengthen__multiplies_whatever_strength_there_was(adult, weak):
    before = {name: float(value) for name, value in check_settings(adult, weak).items()}
    values = after(adult, "strengthen.gluteals", before)
    known = names(pack(adult))
    start = applied(adult, before, programme(adult, "nothing"), 8.0, typical())
    one = parameters.resolve(known, {k: float(v[0]) for k, v in start.items()}, "strength")
    two = parameters.resolve(known, values, "strength")
    gain = course(STRENGTH, [(0.0, 8.0, 3.0, 1.0)], 8.0) * STRENGTH.mean
    reached = known.targets["gluteals"][1]
    np.testing.assert_allclose(two[reached], one[reached] * (1.0 + gain))
    rest = np.setdiff1d(np.arange(len(one)), reached)
    np.testing.assert_array_equal(two[rest], one[rest])


def test_strengthen__a_single_fascicle_that_was_set_is_reached_too(adult):
    values = after(adult, "strengthen.hip_flexors", {"strength.ps_l1_vb_r": 0.5})
    gain = course(STRENGTH, [(0.0, 8.0, 3.0, 1.0)], 8.0) * STRENGTH.mean
    assert muscle_value(adult, values, "strength", "ps_l1_vb_r") == pytest.approx(0.5 * (1.0 + gain))


def test_strengthen__of_the_quadriceps_reaches_the_vasti(adult):
    values = after(adult, "strengthen.quadriceps", {"strength.quadriceps": 0.5})
    assert values["strength.quadriceps.right"] > 0.5


def test_exercises__train_what_they_use(adult):
    plank, dog = (after(adult, each) for each in ("plank", "bird_dog"))
    assert "strength.rectus_abdominis.right" in plank
    assert not any("multifidus" in name for name in plank)  # 6 % of a contraction train nothing
    assert dog["strength.gluteus_maximus.right"] > dog["strength.gluteus_medius.right"] > 1.0
    lifted = after(adult, "strengthen.gluteals")["strength.gluteus_maximus.right"]
    assert dog["strength.gluteus_maximus.right"] < lifted


def test_programmes__combine_and_the_strongest_stimulus_of_a_muscle_counts(adult):
    both = after(adult, "stretch.hip_flexors+strengthen.gluteals")
    alone = after(adult, "stretch.hip_flexors") | after(adult, "strengthen.gluteals")
    assert both == pytest.approx(alone)
    core, more = after(adult, "strengthen.core"), after(adult, "strengthen.core+plank")
    assert {name: more[name] for name in core} == pytest.approx(core)
    assert set(more) - set(core) == {"strength.gluteus_medius.right", "strength.gluteus_medius.left"}


def test_programmes__progress_in_time(adult):
    wanted = programme(adult, "plank@0-4:2+bird_dog@4-8:3")
    assert wanted.blocks == (Block("plank", 0.0, 4.0, 2.0), Block("bird_dog", 4.0, 8.0, 3.0))
    assert wanted.sessions(4.0) == 8.0
    assert wanted.sessions(8.0) == 20.0
    early, late = (applied(adult, {}, wanted, week, typical()) for week in (4.0, 8.0))
    assert "strength.gluteus_maximus.right" not in early
    assert late["strength.gluteus_maximus.right"] > 1.0
    assert 1.0 < late["strength.rectus_abdominis.right"] < early["strength.rectus_abdominis.right"]


def test_posture_training__lowers_activity_at_rest_and_teaches_a_habit(adult):
    values = after(adult, "posture_training", {"tone.erectors": 0.1})
    assert (
        muscle_value(
            adult, values, "tone", next(n for n, (m, _) in names(pack(adult)).muscles.items() if m == "longissimus")
        )
        < 0.1
    )
    assert values["tone.multifidus.right"] > 0.0


def test_loads__are_carried_otherwise(adult):
    one = {"load.hand.right": 12.0, "load.shoulder.left": 4.0}
    shared = after(adult, "split_load", one)
    assert (shared["load.hand.right"], shared["load.hand.left"]) == (6.0, 6.0)
    assert (shared["load.shoulder.right"], shared["load.shoulder.left"]) == (2.0, 2.0)
    packed = after(adult, "backpack", {**one, "load.hands": 4.0})
    assert packed["load.back"] == 20.0
    assert not any(packed[name] for name in packed if name != "load.back")
    assert after(adult, "backpack@0-4", one, week=5.0) == one  # put down again


def test_nothing__changes_nothing(adult):
    before = {"tightness.hip_flexors": 20.0, "strength.core": 0.5}
    assert after(adult, "nothing", before) == before


def test_natural_course__only_calms(adult):
    assert after(adult, "natural_course", {"strength.core": 0.5, "tightness.hip_flexors": 9.0}) == {
        "strength.core": 0.5,
        "tightness.hip_flexors": 9.0,
    }
    assert after(adult, "natural_course", {"tone.erectors": 0.1})["tone.longissimus.right"] < 0.1


def test_changed__stays_within_the_register():
    assert changed(replace(STRENGTH), np.array([2.9]), np.array([0.5])) == 3.0
    assert changed(STRETCH, np.array([-19.0]), np.array([-9.0])) == -20.0


@pytest.mark.parametrize(
    "name", [*(n for n in intervention_words() if "GROUP" not in n), "stretch.psoas", "foam_rolling.hamstrings"]
)
def test_every_intervention__gives_parameters_that_the_model_takes(adult, name):
    before = {"tightness.hip_flexors": 10.0, "tone.erectors": 0.05, "tone.piriformis": 0.1, "load.hand.right": 5.0}
    values = after(adult, name, before, rest=0.0)
    checked = check_settings(adult, values)
    changes = {k for k, v in checked.items() if before.get(k) != v}
    assert bool(changes) == (name != "nothing")


def test_words__name_every_law_exercise_and_load():
    words = intervention_words()
    assert {law.intervention for law in laws()} <= {name.removesuffix(".GROUP") for name in words}
    assert {each.exercise for each in exercises()} | set(LOADS) | {"nothing"} <= set(words)


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("strech.hip_flexors", "did you mean stretch.hip_flexors"),
        ("stretch", "needs a group or muscle"),
        ("stretch.nobody", "There is no intervention stretch.nobody"),
        ("foam_rolling.erectors", "has no clinical test"),
        ("plank@4-4", "has no dose"),
        ("plank:0", "has no dose"),
        ("plank@1.2.3-4", "must have the form NAME@FROM-TO:TIMES"),
        ("plank++bridge", "nothing must have the form"),
        ({"name": "mine"}, "must have the texts name and do"),
        (3, "it must be a text"),
    ],
)
def test_programme__bad_ones_are_refused(adult, wanted, part):
    with pytest.raises(InputError, match=part):
        programme(adult, wanted)


@pytest.mark.parametrize("dose", [{"weeks": 0}, {"per_week": -1}, {"weeks": True}, {"weeks": "8"}])
def test_programme__bad_doses_are_refused(adult, dose):
    with pytest.raises(InputError, match="must be a positive number"):
        programme(adult, "plank", **dose)


def test_targets__a_programme_of_another_model_is_refused(adult):
    with pytest.raises(InputError, match="There is no intervention"):
        targets(ss.load_model("teaching"), "stretch.gemelli")
    with pytest.raises(InputError, match="There is no intervention"):
        programme(adult, Programme("mine", (Block("nobody", 0.0, 1.0, 1.0),)))
