"""Programmes against nothing: pairs, intervals, verdicts, doses and the front, each against a known answer."""

import math

import numpy as np
import pytest

import spinesim as ss
from spinesim import parameters, results
from spinesim.cases import names
from spinesim.compare import (
    NERVES,
    Outcome,
    benefits,
    compare,
    course,
    find_outcome,
    outcomes,
    sentences,
    solved,
    study,
    summarised,
    together,
    verdict,
)
from spinesim.dose import front, least_weeks, pareto
from spinesim.errors import InputError
from spinesim.intervention import applied, programme, typical
from spinesim.model.pack import pack
from spinesim.population import one_body, paired, people, with_settings

TIGHT = {"tightness.hip_flexors": 20.0, "strength.gluteals": 0.6}
PLANS = ["stretch.hip_flexors", "strengthen.gluteals", "soft_tissue.hip_flexors"]


@pytest.fixture(scope="module")
def table(adult):
    return compare(adult, TIGHT, PLANS, people=8, seed=1)


def test_compare__of_one_body_is_the_difference_of_two_solves(adult):
    found = compare(adult, TIGHT, ["stretch.hip_flexors"], people=1)
    changed = applied(adult, TIGHT, programme(adult, "stretch.hip_flexors"), 8.0, typical())
    before, after = ss.solve(adult, TIGHT), ss.solve(adult, {n: float(v[0]) for n, v in changed.items()})
    one = found.sel(programme="stretch.hip_flexors", person=0)
    for name in ("anterior_pelvic_tilt", "effort"):
        assert float(one.value_after.sel(outcome=name)) == pytest.approx(float(after[name]), abs=1e-9)
        assert float(one.change_mean.sel(outcome=name)) == pytest.approx(float(after[name] - before[name]), abs=1e-9)
    load = float(before.compression.sel(level="L4_L5") - after.compression.sel(level="L4_L5"))
    assert float(one.benefit.sel(outcome="compression.L4_L5")) == pytest.approx(load, abs=1e-6)
    area = after.foramen_area.sel(foramen="L4_L5") - before.foramen_area.sel(foramen="L4_L5")
    assert float(one.benefit.sel(outcome="foramen_area.L4")) == pytest.approx(float(area.min()), abs=1e-6)
    tilt = float(abs(before.anterior_pelvic_tilt) - abs(after.anterior_pelvic_tilt))  # healthy is 0
    assert float(one.benefit.sel(outcome="anterior_pelvic_tilt")) == pytest.approx(tilt, abs=1e-9)


def test_compare__the_margin_is_that_of_a_body_which_demands_none(adult):
    found = compare(adult, TIGHT, ["nothing"], people=1)
    bare = ss.solve(adult, TIGHT, stability=False)
    assert float(found.value_before.sel(outcome="stability_margin")[0]) == pytest.approx(float(bare.stability_margin))


def test_compare__nothing_is_no_better_than_nothing(table):
    nothing = table.sel(programme="nothing")
    assert (nothing.benefit == 0.0).all()
    assert set(nothing.verdict.values.tolist()) == {"no better than nothing"}


def test_compare__a_massage_two_days_ago_is_no_better_than_nothing(table):
    massage = table.sel(programme="soft_tissue.hip_flexors")
    assert (massage.benefit == 0.0).all()
    assert "soft_tissue.hip_flexors: no better than nothing in any outcome." in sentences(table)


def test_compare__right_after_a_massage_something_is_left(adult):
    found = compare(adult, TIGHT, ["soft_tissue.hip_flexors"], people=1, rest=0.0)
    assert abs(float(found.change_mean.sel(programme="soft_tissue.hip_flexors", outcome="effort"))) > 0.0


def test_compare__stretching_takes_tilt_away(table):
    """Of most people: a person may be loose, or respond with the wrong sign."""
    one = table.sel(programme="stretch.hip_flexors", outcome="anterior_pelvic_tilt")
    assert float(one.benefit_mean) > 1.0
    assert float(one.share_better) >= 0.75
    assert float(one["rank"]) == 1.0
    lordosis = table.sel(programme="stretch.hip_flexors", outcome="lumbar_lordosis")
    assert float(lordosis.benefit_low) > 0.0
    assert lordosis.verdict.item() == "better than nothing"
    far = np.abs(table.value_before - table.value_healthy).sel(outcome="anterior_pelvic_tilt")
    assert (one.benefit <= far + 1e-9).all()  # nobody is nearer to healthy than healthy


def test_compare__people_keep_their_bodies_and_their_responses(adult, table):
    again = compare(adult, TIGHT, PLANS[:1], people=people(adult, 8, seed=1))
    for name in ("value_before", "value_healthy"):
        np.testing.assert_array_equal(again[name], table[name])
    same = {"programme": "stretch.hip_flexors"}
    np.testing.assert_array_equal(again.benefit.sel(same), table.benefit.sel(same))


def test_compare__says_of_every_programme_where_it_helps(table):
    found = sentences(table)
    assert len(found) == len(PLANS)
    assert found[0].startswith("stretch.hip_flexors: better than nothing in lumbar_lordosis (")
    assert "no better than nothing in the rest." in found[0]
    assert all(sentence.endswith(".") for sentence in found)


def test_compare__is_saved_and_read_again(table, tmp_path):
    results.write(table, tmp_path / "table.nc")
    again = results.open_results(tmp_path / "table.nc")
    np.testing.assert_array_equal(again.benefit, table.benefit)
    assert again.verdict.values.tolist() == table.verdict.values.tolist()


def test_compare__of_a_load_carried_otherwise(adult):
    found = compare(adult, {"load.hand.right": 20.0}, ["split_load", "backpack"], people=1)
    for name in ("split_load", "backpack"):
        assert float(found.benefit_mean.sel(programme=name, outcome="compression.L4_L5")) > 100.0


def test_compare__in_another_stance(adult):
    found = compare(adult, "weak_core", ["strengthen.core"], people=1, stance="sitting")
    assert found.attrs["stance"] == "sitting"
    assert np.isfinite(found.benefit).all()


def test_course__rises_with_the_programme_and_is_lost_after_it(adult):
    found = course(adult, TIGHT, ["stretch.hip_flexors"], times=[0, 4, 8, 40], people=1)
    gain = found.benefit_mean.sel(programme="stretch.hip_flexors", outcome="anterior_pelvic_tilt").values
    assert gain[0] == 0.0
    assert 0.0 < gain[1] < gain[2]
    assert 0.0 < gain[3] < gain[1]
    reads = found.test_value.sel(programme="stretch.hip_flexors", reading="thomas.right").values
    tight = found.test_value.sel(programme="nothing", reading="thomas.right").values
    assert tight == pytest.approx(20.0 - 11.9, abs=0.1)
    assert reads[2] < reads[1] < reads[3] < reads[0] + 1e-9


def test_course__at_the_week_of_compare_is_compare(adult, table):
    found = course(adult, TIGHT, PLANS, times=[8.0], people=8, seed=1, tests=["thomas"])
    np.testing.assert_array_equal(found.benefit.isel(week=0), table.benefit)


def test_outcomes__have_every_level_and_root(adult):
    found = {outcome.name for outcome in outcomes(adult)}
    assert {"compression.L5_S1", "foramen_area.L5", "foramen_area.L1", "stability_margin", "effort"} <= found
    assert "foramen_area" in NERVES


def test_outcomes__take_the_worse_side():
    import xarray as xr

    both = xr.Dataset({"foramen_area": (("sample", "foramen", "side"), [[[3.0, 2.0]]]), "effort": ("sample", [1.0])})
    both["foramen"] = ["L4_L5"]
    assert Outcome("a", "foramen_area", (("foramen", "L4_L5"),), "more").values(both).tolist() == [2.0]
    assert Outcome("a", "foramen_area", (("foramen", "L4_L5"),), "less").values(both).tolist() == [3.0]


@pytest.mark.parametrize(
    ("better", "value", "expected"),
    [("less", 8.0, 2.0), ("more", 8.0, -2.0), ("healthy", 8.0, 2.0), ("healthy", 3.0, 3.0)],
)
def test_benefits__positive_is_better(better, value, expected):
    """Nothing gives 10, health 5."""
    outcome = Outcome("x", "anterior_pelvic_tilt", (), better)
    assert benefits(outcome, np.array([value]), np.array([10.0]), np.array([5.0])) == pytest.approx(expected)


def test_benefits__less_than_a_fiftieth_of_what_matters_is_nothing():
    outcome = Outcome("x", "compression", (), "less")
    assert benefits(outcome, np.array([500.05]), np.array([500.0]), np.array([400.0])) == 0.0


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        ((2.0, 1.0, 3.0), "better than nothing"),
        ((-2.0, -3.0, -1.0), "worse than nothing"),
        ((2.0, 0.0, 3.0), "no better than nothing"),
        ((2.0, -1.0, 5.0), "no better than nothing"),
        ((0.2, 0.1, 0.3), "better than nothing, too little to matter"),
        ((-0.2, -0.3, -0.1), "worse than nothing, too little to matter"),
        ((math.nan, math.nan, math.nan), "cannot be said"),
    ],
)
def test_verdict__follows_the_interval(numbers, word):
    assert verdict(*numbers, 0.5) == word


def test_summarised__interval_covers_the_middle_of_a_known_spread():
    gain = np.random.default_rng(0).normal(1.0, 2.0, (1, 1, 1, 200_000))
    found = summarised(gain, gain, np.array([0.5]))
    assert found["benefit_mean"].item() == pytest.approx(1.0, abs=0.02)
    assert found["benefit_low"].item() == pytest.approx(1.0 - 1.96 * 2.0, abs=0.05)
    assert found["benefit_high"].item() == pytest.approx(1.0 + 1.96 * 2.0, abs=0.05)
    assert found["share_better"].item() == pytest.approx(0.5987, abs=0.005)  # P(z > -0.25)


def interval_of(gain):
    """Lower and upper end of the interval of the benefit of people (n,)."""
    found = summarised(gain[None, None, None], -gain[None, None, None], np.array([0.5]))
    return found["benefit_low"].item(), found["benefit_high"].item()


def test_summarised__interval_of_few_people_holds_the_share_of_all_that_percentiles_hold():
    """Of independent people with a uniform benefit 0.95 (n - 1) / (n + 1) on average, by order statistics."""
    for n in (16, 64, 128):
        held = []
        for seed in range(400):
            low, high = interval_of(np.random.default_rng(seed).random(n))
            held.append(high - low)
        assert np.mean(held) == pytest.approx(0.95 * (n - 1) / (n + 1), abs=3 * np.std(held) / 20)


def test_summarised__interval_covers_another_person_of_a_linear_outcome():
    """Benefit 3 + 2 w.z of people drawn as ours are; 400 times another person, within three binomial errors (1.1 %)."""
    weights = np.array([0.6, 0.5, 0.4, 0.35, 0.33])
    weights /= np.linalg.norm(weights)
    hits, means, count = 0, [], 400
    for seed in range(count):
        gain = 3.0 + 2.0 * paired(128, np.eye(weights.size), seed) @ weights
        low, high = interval_of(gain)
        hits += low < 3.0 + 2.0 * np.random.default_rng([seed, 1]).standard_normal() < high
        means.append(gain.mean())
    assert hits / count == pytest.approx(0.95, abs=3 * 0.0109)
    np.testing.assert_allclose(means, 3.0, atol=0.05)  # the mean difference that was put in


def test_summarised__ranks_by_mean_and_says_nothing_of_too_few():
    gain = np.array([[[[1.0, 1.0]], [[3.0, 3.0]], [[2.0, np.nan]]]])
    found = summarised(gain, gain, np.array([0.5]))
    assert found["rank"].ravel()[:2].tolist() == [2.0, 1.0]
    assert np.isnan(found["benefit_mean"].ravel()[2])


def test_together__keeps_the_meaning_of_every_state(adult):
    who = people(adult, 4, seed=2)
    known = names(pack(adult))
    states = [
        with_settings(adult, who, settings)
        for settings in (
            {},
            {"imbalance.lower_crossed": 1.0},
            {"strength.ps_l1_vb_r": 0.5, "strength.quadriceps.left": 0.7, "tone.erectors": 0.1},
            {"tightness.hamstrings": 7.0, "load.hand.right": 3.0, "inhibition.piriformis.right": 0.4},
        )
    ]
    states.append(applied(adult, states[1], programme(adult, "plank+stretch.hip_flexors"), 8.0, who.effects))
    stacked = together(adult, states)
    for s, state in enumerate(states):
        joint = {name: values[:, s] for name, values in stacked.items()}
        for family in ("strength", "stiffness", "tone", "inhibition"):
            alone = np.broadcast_to(parameters.resolve_many(known, state, family), (4, len(known.muscles)))
            np.testing.assert_allclose(parameters.resolve_many(known, joint, family), alone, rtol=1e-14)
        for side in ("left", "right"):
            one, two = (parameters.resolve_group(each, "strength", "quadriceps", side) for each in (state, joint))
            np.testing.assert_allclose(two, np.broadcast_to(one, 4))
        for key, value in parameters.tightness(known, state).items():
            np.testing.assert_array_equal(parameters.tightness(known, joint)[key], np.broadcast_to(value, 4))
        assert joint["load.hand.right"].tolist() == np.broadcast_to(state.get("load.hand.right", 0.0), 4).tolist()


def test_solved__healthy_body_needs_no_settings(adult):
    of = study(adult, {}, ["nothing"], people=1)
    values, status = solved(adult, [of.healthy], outcomes(adult), 1)
    assert status.item() == "solved"
    assert values["anterior_pelvic_tilt"].item() == pytest.approx(0.0, abs=1e-9)


def test_solved__a_body_without_a_solution_has_its_status_by_name(adult):
    slack = {"strength.core": np.array([1.0, 0.0]), "strength.erectors": np.array([1.0, 0.0])}
    wanted = [find_outcome(adult, name) for name in ("compression.L5_S1", "stability_margin")]
    values, status = solved(adult, [slack], wanted, 2)
    assert status[:, 0].tolist() == ["solved", "unstable"]
    assert np.isnan(values["compression.L5_S1"][1, 0])


def test_least_weeks__is_where_the_benefit_is_the_target(adult):
    dose = least_weeks(adult, TIGHT, "stretch.hip_flexors", "anterior_pelvic_tilt", 1.0)
    assert dose.reached
    found = compare(adult, TIGHT, [f"stretch.hip_flexors@0-{dose.weeks:.6f}"], weeks=dose.weeks, people=1)
    assert float(found.benefit_mean[1].sel(outcome="anterior_pelvic_tilt")) == pytest.approx(1.0, abs=0.01)
    more = least_weeks(adult, TIGHT, "stretch.hip_flexors", "anterior_pelvic_tilt", 1.0, per_week=6.0)
    assert more.weeks < dose.weeks


def test_least_weeks__says_when_no_dose_reaches_it(adult):
    dose = least_weeks(adult, TIGHT, "stretch.hip_flexors", "anterior_pelvic_tilt", 30.0)
    assert not dose.reached
    assert dose.weeks == math.inf
    assert 0.0 < dose.benefit < 30.0


def test_front__no_dose_on_it_is_beaten():
    effort = np.array([1.0, 2.0, 3.0, 3.0, 4.0, 0.0])
    benefit = np.array([1.0, 3.0, 3.0, 4.0, np.nan, 0.0])
    assert front(effort, benefit).tolist() == [True, True, False, True, False, True]


def test_pareto__more_sessions_on_the_front_give_more(adult):
    found = pareto(
        adult, TIGHT, ["stretch.hip_flexors", "plank"], "anterior_pelvic_tilt", weeks=[2, 8], per_week=[1, 3]
    )
    assert found.sizes["dose"] == 8
    chosen = found.isel(dose=np.flatnonzero(found.on_front == 1.0)).sortby("dose_sessions")
    assert (np.diff(chosen.dose_benefit) > 0.0).all()
    assert set(chosen.dose_programme.values.tolist()) == {"stretch.hip_flexors"}


@pytest.mark.parametrize(
    ("imbalance", "plans", "options", "part"),
    [
        ("lower_cross", ["nothing"], {}, "did you mean imbalance.lower_crossed"),
        ({"strength.core": 9.0}, ["nothing"], {}, "strength.core = 9 is not allowed"),
        ("weak_core", [], {}, "programmes is empty"),
        ("weak_core", "plank", {}, r"it must be a list, as \['plank'\]"),
        ("weak_core", ["plank", "plank"], {}, "programme plank stands twice"),
        ("weak_core", ["plonk"], {}, "did you mean plank"),
        ("weak_core", ["plank"], {"people": 0}, "people = 0 is not allowed"),
        ("weak_core", ["plank"], {"weeks": 0}, "weeks = 0 is not allowed"),
        ("weak_core", ["plank"], {"stance": "flying"}, "stance flying is unknown"),
    ],
)
def test_compare__bad_requests_are_refused(adult, imbalance, plans, options, part):
    with pytest.raises(InputError, match=part):
        compare(adult, imbalance, plans, **options)


def test_searches__bad_requests_are_refused(adult):
    with pytest.raises(InputError, match="There is no outcome pain"):
        find_outcome(adult, "pain")
    with pytest.raises(InputError, match="must be a positive benefit in deg"):
        least_weeks(adult, TIGHT, "plank", "anterior_pelvic_tilt", 0.0)
    with pytest.raises(InputError, match="leave them out"):
        least_weeks(adult, TIGHT, "plank@0-4", "effort", 0.1)
    with pytest.raises(InputError, match="grid of doses is empty"):
        pareto(adult, TIGHT, [], "effort")
    with pytest.raises(InputError, match="must name weeks from 0"):
        course(adult, TIGHT, ["plank"], times=[-1.0])


def test_study__one_body_is_the_model_itself(adult):
    of = study(adult, "weak_core", ["nothing"], people=1)
    assert one_body(adult).columns == {}
    assert of.healthy == {}
