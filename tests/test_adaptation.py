"""The circle of use, strength, range and posture: its state of rest, closed forms, and what would make it run away."""

import json
import math

import numpy as np
import pytest
import xarray as xr

from spinesim import InputError, load_model, results
from spinesim.adaptation import HABIT, RANGES, STRENGTHS, Circle, adapt, laws, loop_gain, stronger


@pytest.fixture(scope="module")
def circle(adult):
    return Circle(adult)


def test_wanted__the_healthy_body_with_the_healthy_habit_stays_as_it_is(circle):
    np.testing.assert_array_equal(circle.wanted(circle.healthy)[0], circle.healthy)


def test_adapt__from_health_nothing_changes(circle):
    course = adapt(circle, weeks=3)
    assert (course.status == "solved").all()
    np.testing.assert_array_equal(course.strength, 1.0)
    np.testing.assert_array_equal(course.tightness, 0.0)
    np.testing.assert_allclose(course.anterior_pelvic_tilt, 0.0, atol=1e-6)


def test_adapt__is_an_exponential_where_use_does_not_matter(adult):
    """With tiny exponent and no range law every state falls to health with its own time constant."""
    rules = stronger(laws(), strength_exponent=1e-12, range_per_degree=1e-12, strength_weeks=5.0, range_weeks=3.0)
    course = adapt(Circle(adult, rules=rules), {"strength.core": 0.7, "tightness.hip_flexors": 10.0}, weeks=4)
    week = course.week.values
    np.testing.assert_allclose(course.strength.sel(muscle_group="core"), 1.0 - 0.3 * np.exp(-week / 5.0), rtol=1e-9)
    np.testing.assert_allclose(
        course.tightness.sel(short_group="hip_flexors"), 10.0 * np.exp(-week / 3.0), rtol=1e-6, atol=1e-9
    )


def test_adapt__a_weak_tight_body_with_a_healthy_habit_gets_well(circle):
    start = {"strength.core": 0.6, "strength.gluteals": 0.6, "tightness.hip_flexors": 15.0}
    course = adapt(circle, start, weeks=12)
    away = np.abs(course.strength - 1.0).sum("muscle_group") + course.tightness.clip(min=0.0).sum("short_group") / 15.0
    assert (away.diff("week") < 0.0).all()
    assert float(course.anterior_pelvic_tilt[-1]) < 0.3 * float(course.anterior_pelvic_tilt[0])


def test_adapt__long_sitting_shortens_hip_flexors_and_settles(adult):
    course = adapt(Circle(adult, habit={"standing": 2.0, "sitting": 10.0}), weeks=40)
    tight = course.tightness.sel(short_group="hip_flexors")
    assert (tight.diff("week") > 0.0).all()
    assert 3.0 < float(tight[-1]) < 8.0
    assert float(tight[-1] - tight[-2]) < 0.05


def test_adapt__can_be_saved(circle, tmp_path):
    course = adapt(circle, {"strength.core": 0.8}, weeks=1)
    results.write(course, tmp_path / "course.nc")
    xr.testing.assert_identical(results.open_results(tmp_path / "course.nc"), course)
    assert json.loads(course.attrs["start"]) == {"strength.core": 0.8}
    assert json.loads(course.attrs["habit_hours"]) == HABIT
    assert json.loads(course.attrs["laws"])["strength_exponent"] == laws().strength_exponent


def test_loop_gain__is_far_below_one_and_says_what_would_reach_it(circle, adult):
    found = loop_gain(circle)
    assert abs(found["gain"]) < 0.2
    assert found["growth_per_week"] < 0.0
    assert found["range_that_runs_away"] == math.inf  # hip and knee go as one: an eigenvalue that is 0 but for rounding
    runaway = found["exponent_that_runs_away"]
    assert runaway > 10.0 * laws().strength_exponent
    at = loop_gain(Circle(adult, rules=stronger(laws(), strength_exponent=1.1 * runaway)))
    # slopes over a step of 1 % of strength curve by the exponent
    assert at["exponent_that_runs_away"] == pytest.approx(runaway, rel=1e-3)
    assert at["gain"] > 1.0
    assert at["growth_per_week"] > 0.0


def test_gain__is_the_slope_of_what_is_wanted(circle):
    slopes = circle.gain()
    step = np.zeros(slopes.shape[0])
    step[STRENGTHS.index("core")] = 2e-2
    change = circle.wanted(circle.healthy + step)[0] - circle.healthy
    np.testing.assert_allclose(change, slopes @ step, atol=2e-3 * np.abs(slopes).max())


def test_adapt__a_day_without_a_solution_ends_the_course_by_name(adult):
    weak = Circle(adult, {"load.hands": 100.0, "load.reach": 0.4}, habit={"standing": 8.0})
    course = adapt(weak, {"strength.erectors": 0.1, "strength.core": 0.1}, weeks=3)
    assert course.status.values[0] in ("infeasible", "unstable", "not_converged")
    assert (course.status[1:] == "not_reached").all()
    assert np.isnan(course.compression[1:]).all()


@pytest.mark.parametrize(
    ("habit", "words"),
    [
        ({"sitting": 6.0}, "must name standing"),
        ({"standing": 10.0, "sitting": 10.0}, "fill at most 16 hours, not 20"),
        ({"standing": -1.0}, "habit standing = -1.0 is not allowed: it must be hours from 0 to 16"),
        ({"standing": math.nan}, "it must be hours from 0 to 16"),
        ({"standing": 4.0, "siting": 6.0}, "stance siting is unknown"),
    ],
)
def test_circle__refuses_habits_nobody_has(adult, habit, words):
    with pytest.raises(InputError, match=words):
        Circle(adult, habit=habit)


def test_adapt__refuses_what_does_not_adapt(circle):
    with pytest.raises(InputError, match=r"strength.psoas does not adapt: allowed are strength.core, "):
        adapt(circle, {"strength.psoas": 0.5})
    with pytest.raises(InputError, match="weeks = 0 is not allowed"):
        adapt(circle, weeks=0)
    with pytest.raises(InputError, match=r"strength.core = -1 is not allowed"):
        adapt(circle, {"strength.core": -1})
    with pytest.raises(InputError, match="there is no law strength_weks: allowed are strength_exponent, "):
        stronger(laws(), strength_weks=3)
    with pytest.raises(InputError, match="strength_weeks = 0 is not allowed: it must be a positive number"):
        stronger(laws(), strength_weeks=0)


def test_circle__of_a_model_without_the_tests_is_refused():
    with pytest.raises(InputError, match="hamstrings has no clinical test"):
        Circle(load_model("teaching"))


def test_habit__is_that_of_the_tables():
    assert set(HABIT) == {"standing", "sitting"}
    assert set(RANGES) <= set(STRENGTHS)
