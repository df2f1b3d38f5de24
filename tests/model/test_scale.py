import math

import pytest

from spinesim.errors import InputError
from spinesim.model.check import check
from spinesim.model.scale import scaled


@pytest.fixture(scope="module")
def large(adult):
    return scaled(adult, body_mass=96.0, stature=1.925)


LENGTH, MASS = 1.1, 96.0 / 75.0
FORCE = MASS ** (2 / 3)


def ratios(large, adult, table, field):
    """Ratios of a number, or of the components of a vector, over all rows."""
    pairs = zip(getattr(large, table), getattr(adult, table), strict=True)
    numbers = []
    for big, small in pairs:
        a, b = getattr(big, field), getattr(small, field)
        numbers += zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]
    return [a / b for a, b in numbers if b]


LAWS = [
    ("bodies", "mass", MASS),
    ("bodies", "centre_of_mass", LENGTH),
    ("bodies", "origin_neutral", LENGTH),
    ("joints", "centre_neutral", LENGTH),
    ("joints", "frame_angle", 1.0),
    ("coordinates", "highest", 1.0),
    ("landmarks", "position", LENGTH),
    ("discs", "centre_neutral", LENGTH),
    ("discs", "area", LENGTH**2),
    ("discs", "height_middle", LENGTH),
    ("discs", "depth", LENGTH),
    ("disc_laws", "c1", LENGTH**3),
    ("disc_laws", "c2", LENGTH**3),
    ("disc_laws", "c3", LENGTH**3),
    ("disc_laws", "preload", 1.0),
    ("disc_springs", "axial", LENGTH),
    ("disc_springs", "shear_lateral", LENGTH),
    ("muscles", "pcsa", FORCE),
    ("muscles", "max_force", FORCE),
    ("muscles", "passive_force", FORCE),
    ("muscles", "optimal_fibre_length", LENGTH),
    ("muscles", "tendon_slack_length", LENGTH),
    ("muscles", "specific_tension", 1.0),
    ("muscles", "pennation", 1.0),
    ("tissues", "amplitude", FORCE * LENGTH),
    ("tissues", "rate", 1.0),
    ("actuators", "max_moment", FORCE * LENGTH),
    ("foramen_outline", "back", LENGTH),
    ("foramen_outline", "up", LENGTH),
    ("pedicles", "width", LENGTH),
    ("tests", "reference", 1.0),
]


@pytest.mark.parametrize(("table", "field", "factor"), LAWS)
def test_scaled__law_of_each_table(large, adult, table, field, factor):
    found = ratios(large, adult, table, field)
    assert found
    assert found == pytest.approx([factor] * len(found), rel=1e-12)


def test_scaled__single_numbers(large, adult):
    assert (large.body_mass, large.stature) == (96.0, 1.925)
    assert large.foot.front == pytest.approx(adult.foot.front * LENGTH)
    assert large.hand.shoulder_right == pytest.approx([LENGTH * x for x in adult.hand.shoulder_right])
    assert large.bulge.per_extension == pytest.approx(adult.bulge.per_extension * LENGTH)
    assert large.scatter.centre_of_mass == pytest.approx(adult.scatter.centre_of_mass * LENGTH)
    assert large.neutral_zone == adult.neutral_zone
    assert large.curves == adult.curves


def test_scaled__paths_and_supports_grow_with_stature(large, adult):
    for big, small in zip(large.muscles, adult.muscles, strict=True):
        for p, q in zip(big.path, small.path, strict=True):
            assert p.position == pytest.approx([LENGTH * x for x in q.position])
            assert (p.condition_lowest, p.condition_highest) == (q.condition_lowest, q.condition_highest)
    big, small = large.stances["standing"], adult.stances["standing"]
    assert big.supports[0].position == pytest.approx([LENGTH * x for x in small.supports[0].position])
    assert big.free == small.free


def test_scaled__masses_add_up_and_the_model_stays_believable(large):
    assert sum(b.mass for b in large.bodies) == pytest.approx(96.0, rel=1e-6)
    assert check(large).passed


def test_scaled__by_its_own_values_is_the_same_model(adult):
    assert scaled(adult) is adult
    assert scaled(adult, body_mass=75.0, stature=1.75) is adult


def test_scaled__in_two_steps_is_scaled_at_once(adult, large):
    steps = scaled(scaled(adult, body_mass=60.0, stature=1.6), body_mass=96.0, stature=1.925)
    for table, field, _ in LAWS:
        found = ratios(steps, large, table, field)
        assert found == pytest.approx([1.0] * len(found), rel=1e-12)


def test_scaled__there_and_back(adult, large):
    back = scaled(large, body_mass=75.0, stature=1.75)
    for table, field, _ in LAWS:
        found = ratios(back, adult, table, field)
        assert found == pytest.approx([1.0] * len(found), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"body_mass": 12}, "body_mass = 12 kg, must be between 30 and 200 kg"),
        ({"body_mass": 201}, "must be between 30 and 200 kg"),
        ({"stature": 175}, "stature = 175 m, must be between 1.2 and 2.2 m"),
        ({"stature": math.nan}, "stature = nan, must be a number between"),
        ({"body_mass": "heavy"}, "body_mass = 'heavy', must be a number"),
        ({"body_mass": True}, "body_mass = True, must be a number"),
    ],
)
def test_scaled__refuses_bodies_nobody_has(adult, values, words):
    with pytest.raises(InputError) as caught:
        scaled(adult, **values)
    assert words in str(caught.value)
