"""What the tests tell apart: closed forms of the naming, the table of readings, symmetry, and bad input."""

import math
from dataclasses import replace

import numpy as np
import pytest

from spinesim import results
from spinesim.assessment import errors, readings
from spinesim.clinical import chosen, side_names
from spinesim.confusion import DRAWS, LIKELY, NODES, Patterns, _evidence, _named, confusion, patterns
from spinesim.errors import InputError
from spinesim.model.read import load_model
from spinesim.solve import check_settings

COUCH = ["thomas", "straight_leg_raise", "ely", "abduction_90", "prone_hip_rotation", "manual_muscle_test"]
WIDE = 0.5 / math.sqrt(DRAWS)  # largest standard error of a probability


@pytest.fixture(scope="module")
def table(adult) -> Patterns:
    return patterns(adult, COUCH)


@pytest.fixture(scope="module")
def found(adult, table):
    return confusion(adult, COUCH, table=table)


def normal(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


@pytest.mark.parametrize("distance", [0.5, 1.0, 3.0])
def test_named__two_points_are_confused_by_the_normal_tail_beyond_half_their_distance(distance):
    means = np.array([[[0.0, 0.0]], [[0.6 * distance, 0.8 * distance]]])
    draws = np.random.default_rng(1).standard_normal((DRAWS, 2))
    assert _named(draws, means)[1] == pytest.approx(normal(-distance / 2.0), abs=4.0 * WIDE)


def test_named__equals_share():
    means = np.zeros((4, 1, 3))
    means[3] = 50.0
    draws = np.random.default_rng(1).standard_normal((100, 3))
    assert _named(draws, means) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.0])


def test_evidence__is_the_logarithm_of_the_mean_likelihood():
    random = np.random.default_rng(2)
    draws, means = random.normal(size=(5, 3)), random.normal(size=(7, 3))
    plain = [np.log(np.mean([np.exp(-0.5 * ((d - m) ** 2).sum()) for m in means])) + 0.5 * (d**2).sum() for d in draws]
    assert _evidence(draws, means) == pytest.approx(plain)


def test_patterns__between_the_nodes_are_what_the_tests_read(adult, table):
    """Linear interpolation costs less than a tenth of an error of measurement."""
    error = errors(table.names, table.healthy)
    for severity in (0.125, 0.625):
        between = table.at(np.array([severity]))[:, 0]
        for i, name in enumerate(table.imbalances[1:], 1):
            settings = check_settings(adult, {f"imbalance.{name}": severity})
            read, _ = readings(adult, settings, table.names)
            assert np.abs(read - between[i]).max() < 0.1 * error[np.abs(read - between[i]).argmax()], name
    assert table.at(np.array(NODES)) == pytest.approx(table.values)


def test_patterns__at_two_nodes_are_straight_lines_through_the_same_ends(adult, table):
    straight = patterns(adult, ["thomas"], nodes=(0.0, 1.0))
    thomas = [r for r, (measure, _) in enumerate(table.names) if measure.test == "thomas"]
    ends = np.array([0.0, 1.0])
    assert np.array_equal(straight.at(ends), table.at(ends)[:, :, thomas])
    assert straight.at(np.array([0.5]))[:, 0] == pytest.approx(straight.values.mean(axis=1))


def test_covariance__of_norms_adds_what_people_share_over_their_sides(table):
    own, norms = table.covariance("own"), table.covariance("norms")
    assert np.array_equal(own, np.diag(np.diag(own)))
    assert own[0, 0] == pytest.approx(3.9**2)
    assert norms[0, 0] == pytest.approx(3.9**2 + 5.6**2)
    assert norms[0, 1] == pytest.approx(0.9 * 5.6**2)  # right and left Thomas test
    assert norms[0, 2] == 0.0  # Thomas test and straight-leg raise
    assert np.linalg.eigvalsh(norms).min() > 0.0


def test_confusion__rows_are_probabilities_and_the_sides_mirror_each_other(found):
    share = found.naming_probability
    assert share.sum("named_imbalance").values == pytest.approx(1.0)
    names = [str(name) for name in found.true_imbalance.values]
    other = {"left": "right", "right": "left"}
    image = [names.index(n if "." not in n else f"{n.split('.')[0]}.{other[n.split('.')[1]]}") for n in names]
    assert share.values[:, image][:, :, image] == pytest.approx(share.values, abs=6.0 * WIDE)


def test_confusion__weights_alone_read_exactly_as_health(found):
    for name in ("heavy_lifting", "one_sided_carrying.left", "one_sided_carrying.right"):
        assert not found.separation.sel(true_imbalance=name, named_imbalance="healthy").values.any()
        same = found.naming_probability.sel(true_imbalance=name).values
        assert np.array_equal(same, found.naming_probability.sel(true_imbalance="healthy").values)


def test_confusion__what_is_told_apart_and_what_is_not(found):
    """Regression of the finding in experiments/assessments."""
    right = found.naming_probability.values.diagonal(axis1=1, axis2=2)
    half, full = (dict(zip(found.true_imbalance.values.tolist(), row, strict=True)) for row in right)
    for name in ("lower_crossed", "hamstring_quadriceps"):
        assert half[name] > 0.95
    for name in ("left_right_strength.left", "tight_piriformis.right", "erector_overactivity"):
        assert full[name] > 0.95
    assert half["erector_overactivity"] < 0.6
    assert half["prolonged_sitting"] < 0.5
    assert full["healthy"] < 0.15


def test_confusion__more_severe_is_further_from_health_and_norms_are_nearer(adult, table, found):
    apart = found.separation.sel(named_imbalance="healthy").values
    real = apart[1] > 0.0
    assert np.all(apart[1][real] > apart[0][real])
    norms = confusion(adult, COUCH, table=table, against="norms", draws=200)
    assert np.all(norms.separation.sel(named_imbalance="healthy").values[1][real] < apart[1][real])


def test_confusion__an_examiner_without_error_names_all_that_differ(adult, table):
    exact = replace(table, names=tuple((replace(m, error=1e-3 * m.error), side) for m, side in table.names))
    sure = confusion(adult, COUCH, table=exact, draws=100)
    apart = sure.separation.sel(named_imbalance="healthy").values[1] > 0.0
    right = sure.naming_probability.values.diagonal(axis1=1, axis2=2)
    # at severity 1 the mean over severities is one-sided: what is left of the curve counts for less, but still wins
    assert np.all(right[:, apart] > 0.99)


def test_confusion__range_of_motion_does_not_see_strength_or_tone(adult):
    ranges = confusion(adult, COUCH[:-1], draws=100)
    for name in ("weak_core", "erector_overactivity", "left_right_strength.left", "overactive_piriformis.right"):
        assert ranges.separation.sel(true_imbalance=name, named_imbalance="healthy").values == pytest.approx(0.0)


def test_confusion__the_seed_decides_the_draws(adult, table):
    one, again, other = (confusion(adult, COUCH, table=table, draws=300, seed=seed) for seed in (1, 1, 2))
    assert one.identical(again)
    assert not one.naming_probability.equals(other.naming_probability)


def test_confusion__comes_back_from_a_file(found, tmp_path):
    results.write(found, tmp_path / "found.nc")
    assert results.open_results(tmp_path / "found.nc").identical(found)


def test_patterns__leave_out_what_cannot_be_formed_for_everyone(adult):
    """A body without the stance keeps the other tests, and the file says what is missing."""
    short = adult.model_copy(update={"tests": tuple(test for test in adult.tests if test.group != "hamstrings")})
    kept = {name: each for name, each in adult.imbalances.items() if name == "weak_core"}
    found = patterns(short.model_copy(update={"imbalances": kept}), ["thomas", "straight_leg_raise"])
    assert [m.name for m, _ in found.names] == ["thomas", "thomas"]
    assert set(found.left_out) == {"straight_leg_raise.right", "straight_leg_raise.left"}
    assert "has no test of hamstrings" in found.left_out["straight_leg_raise.left"]


def test_likely__severities_are_spread_evenly():
    assert LIKELY.mean() == pytest.approx(0.5)
    assert np.diff(LIKELY) == pytest.approx(1.0 / len(LIKELY))
    assert len(side_names(chosen(COUCH))) == 10 + 16 + 6


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"severities": [0.0]}, "severity = 0 is not allowed: it must be above 0"),
        ({"severities": [1.5]}, "severity = 1.5 is not allowed"),
        ({"severities": []}, "severities must be one or more different numbers"),
        ({"severities": [1.0, 1.0]}, "severities must be one or more different numbers"),
        ({"against": "others"}, "against = 'others' is not allowed: it must be 'own' or 'norms'"),
        ({"draws": 0}, "draws = 0 is not allowed"),
        ({"tests": ["thoma"]}, "did you mean thomas"),
    ],
)
def test_confusion__bad_input_is_refused(adult, asked, message):
    with pytest.raises(InputError, match=message):
        confusion(adult, **asked)


def test_patterns__of_a_model_without_imbalances_are_refused():
    with pytest.raises(InputError, match="the model teaching has no named imbalances"):
        patterns(load_model("teaching"))
