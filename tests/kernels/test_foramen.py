"""Size of the foramina against plane geometry by another library."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Polygon

from spinesim.kernels.foramen import canal_area, disc_bulge, flatten, measures, outline, relative
from spinesim.model.pack import foramen_corners
from tests.kernels.scene import random_free, scene

AREA, HEIGHT, WIDTH, DISC, CLOSED = range(5)
MARKS = {"pedicle_inferior": 0, "body_inferior": 1, "disc_bulge": 2, "body_superior": 3, "pedicle_superior": 4}


def pose(s, f):
    """Rotation and shift of the upper on the lower body of a foramen in the posture configured last."""
    rotation, shift = np.empty((3, 3)), np.empty(3)
    relative(s.model, s.model.foramen_level[f], s.work.turn, s.work.place, rotation, shift)
    return rotation, shift


def shape(s, f, side, loss=0.0, slip=0.0, bulge=0.0, flavum=0.0):
    """Outline of a foramen in the posture configured last."""
    level = s.model.foramen_level[f]
    flexion = s.work.q[s.model.body_coordinates[s.model.level_bodies[level, 1]]]
    points = np.empty((s.model.foramen_part.size, 3))
    disc = np.array([loss, slip, disc_bulge(s.model, -flexion, loss) + bulge])
    outline(s.model, f, side, *pose(s, f), disc, flavum, points)
    return points


def measured(s, points, scale=1.0):
    values, flat = np.empty(5), np.empty((len(points), 2))
    flatten(s.model, points, scale, flat)
    measures(s.model, points, flat, values)
    return values


def in_plane(points):
    """Two coordinates in the plane whose normal is the vector area of the outline."""
    centred = points - points.mean(axis=0)
    normal = 0.5 * np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0)
    normal /= np.linalg.norm(normal)
    first = np.cross(normal, [0.0, 1.0, 0.0])
    first /= np.linalg.norm(first)
    return centred @ np.stack([first, np.cross(normal, first)], axis=1)


def compare(s, points, scale=1.0):
    """The kernel against shapely; True if the outline is open: its front wall meets the rest at its ends only."""
    values = measured(s, points, scale)
    flat = in_plane(points) * scale
    ring = Polygon(flat)
    front = LineString(flat[MARKS["body_inferior"] : MARKS["body_superior"] + 1])
    behind = LineString(flat[MARKS["pedicle_superior"] + 1 :])
    pedicles = flat[MARKS["pedicle_inferior"]] - flat[MARKS["pedicle_superior"]]
    margins = points[MARKS["body_inferior"]] - points[MARKS["body_superior"]]
    assert values[HEIGHT] == pytest.approx(np.linalg.norm(pedicles), abs=1e-12)
    assert values[DISC] == pytest.approx(np.linalg.norm(margins), abs=1e-12)
    wall = LineString(flat[: MARKS["pedicle_superior"] + 1])
    rest = LineString([*flat[MARKS["pedicle_superior"] :], flat[0]])
    is_open = wall.is_simple and not wall.crosses(rest)
    assert values[CLOSED] == (0.0 if is_open else 1.0)
    assert values[AREA] == pytest.approx(ring.area if is_open else 0.0, rel=1e-10)
    assert values[WIDTH] == pytest.approx(front.distance(behind) if is_open else 0.0, abs=1e-12)
    return is_open


def test_outline__every_level_has_the_points_in_the_order_the_measures_take(adult):
    for level in ("L5_S1", "L4_L5", "L3_L4", "L2_L3", "L1_L2"):
        names = [point.name for point in adult.foramen_outline if point.level == level]
        assert names[:5] == list(MARKS)
        assert len(names) == 11


@pytest.mark.parametrize("seed", range(4))
def test_measures__equal_plane_geometry_in_any_posture(adult, seed):
    s = scene(adult)
    s.configure(random_free(s, np.random.default_rng(seed), 0.7))
    for f in range(len(s.packed.packed.foramina)):
        for side in (0, 1):
            assert compare(s, shape(s, f, side, 2e-4))


@given(
    st.integers(0, 4),
    st.integers(0, 1),
    st.lists(st.floats(-0.3, 0.3), min_size=18, max_size=18),
    st.floats(-2e-3, 9e-3),
    st.floats(-8e-3, 8e-3),
    st.floats(0.0, 6e-3),
    st.floats(0.0, 4e-3),
    st.floats(0.3, 1.5),
)
def test_measures__equal_plane_geometry_for_random_poses_open_or_closed(
    adult, f, side, angles, loss, slip, bulge, flavum, scale
):
    s = scene(adult)
    s.configure(np.array([0.0, 0.0, *angles]))
    compare(s, shape(s, f, side, loss, slip, bulge, flavum), scale)


@given(st.lists(st.floats(-1.5e-3, 1.5e-3), min_size=33, max_size=33))
def test_measures__equal_plane_geometry_for_distorted_outlines(adult, shifts):
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    compare(s, shape(s, 1, 0) + np.reshape(shifts, (11, 3)))


@pytest.mark.parametrize(("bulge", "closed"), [(0.0, 0.0), (5e-3, 0.0), (12e-3, 1.0)])
def test_measures__a_disc_that_passes_the_back_wall_closes_the_foramen(adult, bulge, closed):
    """A bulge of 12 mm is wider than the foramen: no area is left, and none is negative."""
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    for f in range(5):
        values = measured(s, shape(s, f, 1, bulge=bulge))
        assert values[CLOSED] == closed
        assert (values[AREA] == 0.0) == (values[WIDTH] == 0.0) == bool(closed)
        assert values[AREA] >= 0.0


def test_measures__articular_processes_that_slide_past_each_other_close_nothing(adult):
    """The facet of L5 comes down behind the process of the sacrum and slips past its tip: a fold of the back wall."""
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    before, folded = (shape(s, 0, 1, 4e-3, slip) for slip in (0.8e-3, 1.4e-3))
    assert Polygon(in_plane(before)).is_valid
    assert not Polygon(in_plane(folded)).is_valid
    assert measured(s, folded)[CLOSED] == 0.0
    assert measured(s, folded)[AREA] == pytest.approx(measured(s, before)[AREA], rel=0.1)  # nothing jumps


def test_measures__closed_form_of_a_rectangle(adult):
    """10 mm wide and 20 mm high, whatever its place and direction in space."""
    s = scene(adult)
    front = [(0, 20), (0, 14), (0, 10), (0, 6), (0, 0)]
    behind = [(10, 0), (10, 5), (10, 10), (10, 15), (10, 18), (10, 20)]
    flat = 1e-3 * np.array(front + behind)
    first, second = np.array([0.6, 0.0, 0.8]), np.array([0.0, 1.0, 0.0])
    points = flat @ np.stack([first, second]) + [0.1, -0.2, 0.3]
    assert measured(s, points) == pytest.approx([200e-6, 20e-3, 10e-3, 8e-3, 0.0], rel=1e-12)
    assert measured(s, points, 0.5) == pytest.approx([50e-6, 10e-3, 5e-3, 8e-3, 0.0], rel=1e-12)


def test_flatten__is_seen_from_the_pedicle_below_behind_first_then_up(adult):
    s = scene(adult)
    s.configure(random_free(s, np.random.default_rng(3), 0.7))
    flat = np.empty((11, 2))
    for side in (0, 1):
        flatten(s.model, shape(s, 1, side), 1.0, flat)
        assert flat[MARKS["pedicle_superior"]] == pytest.approx([0.0, 0.0], abs=1e-15)
        assert flat[MARKS["pedicle_inferior"], 0] == pytest.approx(0.0, abs=1e-15)
        assert flat[MARKS["pedicle_inferior"], 1] > 0.015
        assert (flat[5:, 0] > 0.004).all()


def test_outline__reference_is_the_table(adult):
    """Without motion the outline lies in a sagittal plane, the corners apart by the posterior height of the disc."""
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    discs = {disc.name: disc for disc in adult.discs}
    widths = {pedicle.vertebra: pedicle.width for pedicle in adult.pedicles}
    for f, level in enumerate(s.packed.packed.foramina):
        points = shape(s, f, 1)
        upper, lower = next((j.child, j.parent) for j in adult.joints if j.name == level)
        origin = next(np.array(b.origin_neutral) for b in adult.bodies if b.name == lower)
        back = {point.name: point for point in adult.foramen_outline if point.level == level}
        assert points[:, 2] == pytest.approx(np.full(11, 0.5 * widths[upper] + 0.004), abs=1e-12)
        above, below = foramen_corners(adult, level)
        assert (points[MARKS["body_inferior"]] + origin)[:2] == pytest.approx(above[:2], abs=1e-9)
        assert (points[MARKS["body_superior"]] + origin)[:2] == pytest.approx(below[:2], abs=1e-9)
        values = measured(s, points)
        assert values[DISC] == pytest.approx(discs[level].height_posterior, rel=1e-12)
        expected = discs[level].height_posterior + back["pedicle_inferior"].up - back["pedicle_superior"].up
        assert values[HEIGHT] == pytest.approx(expected, rel=1e-12)
        assert 60e-6 < values[AREA] < 200e-6


@pytest.mark.parametrize("side", [0, 1])
def test_foramen__opens_in_flexion_and_closes_in_extension(adult, side):
    s = scene(adult)
    areas, canals = {}, {}
    for angle in (-4.0, 0.0, 4.0):
        s.configure(np.radians([angle if name.endswith(".flexion") else 0.0 for name in s.packed.free]))
        areas[angle] = np.array([measured(s, shape(s, f, side))[AREA] for f in range(5)])
        disc = np.array([0.0, 0.0, disc_bulge(s.model, np.radians(-angle), 0.0)])
        canals[angle] = np.array([canal_area(s.model, f, *pose(s, f), disc, 0.0) for f in range(5)])
    for area in (areas, canals):
        assert (area[4.0] > area[0.0]).all()
        assert (area[-4.0] < area[0.0]).all()


@pytest.mark.parametrize(("angle", "low", "high"), [(5.0, 5.0, 20.0), (-5.0, -22.0, -8.0)])
def test_foramen__changes_by_what_segments_of_cadavers_show(adult, angle, low, high):
    """Bands of Inufusa et al. (1996), FN052 and FN053: single segments bent; 5 deg at each level are assumed."""
    s = scene(adult)
    areas = []
    for each in (0.0, angle):
        s.configure(np.radians([each if name.endswith(".flexion") else 0.0 for name in s.packed.free]))
        areas.append(np.array([measured(s, shape(s, f, 1))[AREA] for f in range(5)]))
    change = 100.0 * (areas[1] / areas[0] - 1.0)
    assert ((low <= change) & (change <= high)).sum() >= 4, change


def test_foramen__closes_on_the_side_of_the_bend_and_with_lost_height(adult):
    s = scene(adult)
    s.configure(np.radians([3.0 if name.endswith(".bend") else 0.0 for name in s.packed.free]))
    for f in range(5):
        left, right = (measured(s, shape(s, f, side))[AREA] for side in (0, 1))
        assert right < left  # bent to the right
        assert measured(s, shape(s, f, 1, 1e-3))[AREA] < right


def test_foramen__bulge_and_ligament_take_their_own_room(adult):
    """A bulge adds a triangle over the disc; a thickened ligament makes the least width smaller by its thickness."""
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    for f in range(5):
        free = measured(s, shape(s, f, 0))
        gone = free[AREA] - measured(s, shape(s, f, 0, bulge=1e-3))[AREA]
        assert gone == pytest.approx(0.5 * 1e-3 * free[DISC], rel=1e-9)
        assert measured(s, shape(s, f, 0, flavum=1e-3))[WIDTH] == pytest.approx(free[WIDTH] - 1e-3, abs=1e-4)


def test_foramen__height_loss_brings_the_corners_together_along_the_disc_normal(adult):
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    for f in range(5):
        gone = measured(s, shape(s, f, 0))[DISC] - measured(s, shape(s, f, 0, 1e-3))[DISC]
        assert gone == pytest.approx(1e-3, rel=1e-9)


def test_foramen__left_and_right_are_mirror_images(adult):
    s = scene(adult)
    free = random_free(s, np.random.default_rng(8), 0.7)
    mirror = np.where([name.endswith(("bend", "turn")) for name in s.packed.free], -1.0, 1.0)
    s.configure(free)
    one = [measured(s, shape(s, f, 0)) for f in range(5)]
    s.configure(free * mirror)
    two = [measured(s, shape(s, f, 1)) for f in range(5)]
    assert np.array(one) == pytest.approx(np.array(two), rel=1e-12)


def test_canal__closed_form_at_rest(adult):
    """An ellipse of the bony width whose depth is that of the bone less bulge and ligament; a slip takes its length."""
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    for f, canal in enumerate(sorted(adult.canals, key=lambda c: s.packed.packed.foramina.index(c.level))):
        for slip in (0.0, 2e-3, -2e-3):
            area = canal_area(s.model, f, *pose(s, f), np.array([0.0, slip, 1e-3]), 5e-4)
            apart = s.model.canal_points[f, 1] + s.model.body_offset[s.model.level_bodies[s.model.foramen_level[f], 1]]
            rest = np.linalg.norm(apart - s.model.canal_points[f, 3])
            thick = (canal.flavum + 5e-4) * rest / np.hypot(rest, slip)
            depth = canal.depth - 1e-3 - abs(slip) - thick
            assert area == pytest.approx(np.pi / 4.0 * canal.width * depth, rel=1e-9)


def test_canal__nothing_is_left_of_it_behind_a_large_bulge(adult):
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    assert canal_area(s.model, 1, *pose(s, 1), np.array([0.0, 0.0, 18e-3]), 0.0) == 0.0
