"""Room and squeeze of the nerve roots against plane geometry by another library, and in closed form."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely import Point, Polygon, maximum_inscribed_circle

from spinesim.kernels import nerve
from spinesim.kernels.foramen import AREA, disc_bulge, flatten, measures, outline, relative
from spinesim.units import MMHG
from tests.kernels.scene import random_free, scene

SOFT = nerve.SOFTNESS[-1] * math.log(5.0)  # [m] by which the least of five equal distances is softened
POSE = {
    "f": st.integers(0, 4),
    "side": st.integers(0, 1),
    "angles": st.lists(st.floats(-0.2, 0.2), min_size=18, max_size=18),
    "loss": st.floats(-2e-3, 6e-3),
    "bulge": st.floats(0.0, 4e-3),
}


def flat_outline(s, f, side, loss=0.0, bulge=0.0, slip=0.0, flavum=0.0):
    """Outline in its plane in the posture configured last."""
    level = s.model.foramen_level[f]
    rotation, shift, points, flat = np.empty((3, 3)), np.empty(3), np.empty((11, 3)), np.empty((11, 2))
    relative(s.model, level, s.work.turn, s.work.place, rotation, shift)
    flexion = s.work.q[s.model.body_coordinates[s.model.level_bodies[level, 1]]]
    disc = np.array([loss, slip, disc_bulge(s.model, -flexion, loss) + bulge])
    outline(s.model, f, side, rotation, shift, disc, flavum, points)
    flatten(s.model, points, 1.0, flat)
    values = np.empty(5)
    measures(s.model, points, flat, values)
    return flat, values[AREA]


def shrunk(s, flat):
    """The plane in which the root is round."""
    return flat / [1.0, s.model.root_law[0]]


def search(s, f, ring, start=None):
    """Room, place and hold that the kernel finds."""
    hold, near = np.empty(3), np.empty((11, 4))
    nerve.home(s.model, f, ring, 1.0, hold)
    centre = hold[:2].copy() if start is None else np.array(start)
    return nerve.most_room(ring, hold, 0, centre, near), centre, hold


def root(s, f, flat, area):
    values = np.empty(5)
    nerve.root(s.model, f, flat, area, np.empty((11, 2)), np.empty((11, 4)), np.empty(3), np.empty(2), values)
    return values


def posture(s, free=None):
    s.configure(np.zeros(s.stance.n_free) if free is None else free)


@pytest.mark.parametrize("f", range(5))
def test_most_room__is_nearly_that_of_the_largest_inscribed_circle(adult, f):
    """The hold keeps the root from the very roomiest place, by little, and it is never roomier."""
    s = scene(adult)
    posture(s)
    ring = shrunk(s, flat_outline(s, f, 1)[0])
    room, _, _ = search(s, f, ring)
    largest = maximum_inscribed_circle(Polygon(ring), tolerance=1e-7).length
    assert largest - 6e-4 < room < largest


@given(**POSE)
def test_most_room__is_the_best_distance_less_hold_of_all_places(adult, f, side, angles, loss, bulge):
    """Against shapely in random poses, over a grid of places and a finer one around the place found."""
    s = scene(adult)
    posture(s, np.array([0.0, 0.0, *angles]))
    ring = shrunk(s, flat_outline(s, f, side, loss, bulge)[0])
    polygon, hold = Polygon(ring), np.empty(3)
    assume(polygon.is_valid)
    nerve.home(s.model, f, ring, 1.0, hold)
    assert nerve.encloses(ring, *hold[:2]) == polygon.contains(Point(hold[:2]))
    assume(nerve.encloses(ring, *hold[:2]))
    room, centre, _ = search(s, f, ring)
    shapely.prepare(polygon)

    def worth(places):
        inside = shapely.contains_xy(polygon, *places.T)
        clear = shapely.distance(polygon.exterior, shapely.points(places[inside]))
        return clear - ((places[inside] - hold[:2]) ** 2).sum(axis=1) / (2.0 * hold[2])

    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 41)), axis=-1).reshape(-1, 2)
    best = max(worth(hold[:2] + 5e-3 * grid).max(), worth(centre + 2e-4 * grid).max())
    assert best - SOFT < room < best + 1e-9


@pytest.mark.parametrize("size", [1.0, 0.75])
@pytest.mark.parametrize("f", range(5))
def test_most_room__is_one_place_wherever_the_search_starts(adult, f, size):
    s = scene(adult)
    posture(s)
    ring = shrunk(s, size * flat_outline(s, f, 1)[0])
    room, centre, _ = search(s, f, ring)
    rng, polygon = np.random.default_rng(f), Polygon(ring)
    for start in rng.uniform(ring.min(axis=0), ring.max(axis=0), (40, 2)):
        if polygon.contains(Point(start)):
            again, place, _ = search(s, f, ring, start)
            assert again == pytest.approx(room, abs=1e-8)
            assert place == pytest.approx(centre, abs=1e-7)


def test_most_room__closed_form_in_a_corridor_and_in_a_triangle():
    loose, near = 1e3, np.empty((4, 4))
    corridor = 1e-3 * np.array([(0, 0), (6, 0), (6, 20), (0, 20)], dtype=float)
    centre = 1e-3 * np.array([2.0, 8.0])
    held = np.array([2e-3, 9e-3, 2e-3])  # a way of 1 mm, which takes 0.25 mm
    assert nerve.most_room(corridor, held, 0, centre, near) == pytest.approx(2.75e-3, abs=SOFT)
    assert centre == pytest.approx([3e-3, 9e-3], abs=1e-4)  # amid the walls, at the height where it is held
    triangle = 1e-3 * np.array([(0, 0), (12, 0), (0, 5)], dtype=float)  # sides 5, 12, 13: inscribed radius 2
    centre = 1e-3 * np.array([1.0, 3.0])
    hold = np.array([1e-3, 3e-3, loose])
    assert nerve.most_room(triangle, hold, 0, centre, np.empty((3, 4))) == pytest.approx(2e-3, abs=SOFT)
    assert centre == pytest.approx([2e-3, 2e-3], abs=2e-4)


@given(st.floats(1e-3, 5e-3), st.floats(1e-4, 1e-3), st.floats(0.0, 8e-3))
def test_squeeze__is_zero_with_room_rises_with_lost_room_and_has_no_corner(half, cushion, room):
    strain = nerve.squeeze(half, cushion, room)
    assert (strain == 0.0) == (room >= half)
    assert nerve.squeeze(half, cushion, room * 0.99) >= strain
    for kink in (half, half - cushion):
        step = 1e-9
        before, at, after = (nerve.squeeze(half, cushion, kink + d) for d in (-step, 0.0, step))
        assert (before - at) / step == pytest.approx((at - after) / step, abs=1e-4 / cushion)


def test_squeeze__a_root_squeezed_by_a_tenth_of_its_width_has_a_tenth_of_its_stiffness():
    """Where the fat is thin, the pressure is that of the root: 10 % of 50 kPa is 38 mmHg."""
    assert 50e3 * nerve.squeeze(3e-3, 1e-9, 2.7e-3) / MMHG == pytest.approx(37.5, abs=0.1)


def test_root__healthy_standing_reaches_no_threshold(adult):
    s = scene(adult)
    posture(s)
    for f in range(5):
        flat, area = flat_outline(s, f, 1)
        occupancy, gap, _, pressure, band = root(s, f, flat, area)
        half = 0.5 * s.model.root_width[f]
        assert occupancy == pytest.approx(math.pi * half**2 * s.model.root_law[0] / area, rel=1e-12)
        assert gap > 0.0
        assert pressure < 30.0 * MMHG
        assert band == 0.0


def test_root__bands_follow_the_thresholds(adult):
    s = scene(adult)
    posture(s)
    flat, area = flat_outline(s, 1, 0)
    bands = []
    for scale in np.linspace(1.0, 0.4, 200):
        values = root(s, 1, flat * scale, area * scale**2)
        assert values[nerve.BAND] == np.count_nonzero(values[nerve.PRESSURE] >= np.array([30, 40, 50, 127]) * MMHG)
        assert values[nerve.PRESSURE] == pytest.approx(s.model.root_law[2] * values[nerve.STRAIN], rel=1e-12)
        bands.append(values[nerve.BAND])
    assert sorted(bands) == bands
    assert set(bands) == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_root__has_no_room_where_bone_has_taken_its_place(adult):
    s = scene(adult)
    posture(s)
    flat, _ = flat_outline(s, 1, 0, slip=-12e-3)
    values = root(s, 1, flat, 0.0)
    assert math.isnan(values[nerve.OCCUPANCY])
    assert values[nerve.GAP] == -0.5 * s.model.root_width[1]
    assert values[nerve.BAND] == 4.0


@pytest.mark.parametrize("f", range(5))
def test_root__pressure_is_smooth_in_posture(adult, f):
    """Over 8 deg of flexion and extension at a narrowed foramen the slope has no jump: it changes with the step."""
    s = scene(adult)
    level = s.packed.packed.foramina[f]
    index = s.packed.free.index(f"{level}.flexion")
    free = np.zeros(s.stance.n_free)

    def pressures(step):
        found = []
        for angle in np.arange(-8.0, 8.0, step):
            free[index] = math.radians(angle)
            posture(s, free)
            flat, area = flat_outline(s, f, 1)
            found.append(root(s, f, 0.6 * flat, 0.36 * area)[nerve.PRESSURE] / MMHG)
        return np.array(found)

    coarse, fine = (np.abs(np.diff(pressures(step), 2)).max() / step for step in (0.1, 0.02))
    assert pressures(1.0).max() > 30.0
    assert fine < 0.4 * coarse


def test_root__finds_the_room_that_searches_from_everywhere_find(adult):
    """Foramina bent, low, narrow and with thick ligaments, as long as the root has less room than it needs."""
    s, draw, pressed = scene(adult), np.random.default_rng(1), 0
    everywhere = [(aside, above) for aside in np.linspace(-1.6, 1.6, 9) for above in np.linspace(-3.5, 1.0, 10)]
    flexions = [k for k, name in enumerate(s.packed.free) if name.endswith(".flexion")]
    free = np.zeros(s.stance.n_free)
    near, hold, centre = np.empty((11, 4)), np.empty(3), np.empty(2)
    for _ in range(40):
        free[flexions] = np.radians(draw.uniform(-8.0, 5.0, len(flexions)))
        posture(s, free)
        for f in range(5):
            flat, _ = flat_outline(s, f, 1, draw.uniform(0.0, 6e-3), flavum=draw.uniform(0.0, 3e-3))
            ring, half = shrunk(s, draw.uniform(0.6, 1.0) * flat), 0.5 * s.model.root_width[f]
            nerve.home(s.model, f, ring, 1.0, hold)
            found = nerve.roomiest(ring, hold, half, centre, near)
            starts = [hold[:2] + half * np.array(start) for start in everywhere]
            rooms = [nerve.most_room(ring, hold, 0, p, near) for p in starts if nerve.encloses(ring, *p)]
            best = max([0.0, *rooms])
            assert min(found, half) >= min(best, half) - 2e-5
            pressed += found < half
    assert pressed > 100


def test_root__left_and_right_are_mirror_images(adult):
    s = scene(adult)
    free = random_free(s, np.random.default_rng(5), 0.5)
    mirror = np.where([name.endswith(("bend", "turn")) for name in s.packed.free], -1.0, 1.0)
    posture(s, free)
    one = [root(s, f, *flat_outline(s, f, 0)) for f in range(5)]
    posture(s, free * mirror)
    two = [root(s, f, *flat_outline(s, f, 1)) for f in range(5)]
    assert np.array(one) == pytest.approx(np.array(two), rel=1e-6, abs=1e-12)


def test_anatomies__of_the_model_itself_and_of_one_twice_the_size(adult):
    s = scene(adult)
    posture(s)
    flat, area = flat_outline(s, 0, 1)
    flat, area = 0.8 * flat, 0.64 * area
    pressure = np.empty(4)
    factors = np.array([[1.0, 1, 1, 1], [1, 1, 1, 2], [2, 2, 1, 1], [0.9, 1.1, 1.1, 1]])
    nerve.anatomies(s.model, 0, flat, factors, pressure)
    own = root(s, 0, flat, area)[nerve.PRESSURE]
    assert own > 0.0
    assert pressure[:2] == pytest.approx([own, 2.0 * own], rel=1e-5)
    assert pressure[2] == 0.0
    narrow = root(s, 0, flat * [0.9, 1.1], area)  # there the root is wider too
    assert pressure[3] > narrow[nerve.PRESSURE] > 0.0


def test_root__goes_round_the_bone_that_takes_its_place_without_a_jump(adult):
    """A thick ligament and a disc that gets ever lower: the process passes through where the root is held."""
    s = scene(adult)
    posture(s)
    enclosed = []

    def pressures(step):
        found = []
        for loss in np.arange(0.0, 6e-3, step):
            flat, area = flat_outline(s, 1, 1, loss, flavum=3e-3)
            ring, hold = shrunk(s, flat), np.empty(3)
            nerve.home(s.model, 1, ring, 1.0, hold)
            enclosed.append(nerve.encloses(ring, *hold[:2]))
            found.append(root(s, 1, flat, area)[nerve.PRESSURE])
        return np.array(found)

    coarse, fine = (np.abs(np.diff(pressures(step))).max() for step in (2e-4, 5e-5))
    assert {True, False} == set(enclosed)
    assert fine < 0.4 * coarse
