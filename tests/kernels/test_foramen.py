"""Size of the foramina against plane geometry by another library."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Polygon

from spinesim.kernels.foramen import measures, outline
from tests.kernels.scene import random_free, scene

AREA, HEIGHT, WIDTH, DISC = range(4)


def shape(s, f, side, loss=0.0):
    """Outline of a foramen in the posture configured last."""
    level = s.model.foramen_level[f]
    flexion = s.work.q[s.model.body_coordinates[s.model.level_bodies[level, 1]]]
    points = np.empty((s.model.foramen_part.size, 3))
    outline(s.model, f, side, -flexion, loss, s.work.turn, s.work.place, points)
    return points


def measured(s, points):
    values = np.empty(4)
    measures(s.model, points, values)
    return values


def in_plane(points):
    """Two coordinates in the plane whose normal is the vector area of the outline."""
    centred = points - points.mean(axis=0)
    normal = 0.5 * np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0)
    normal /= np.linalg.norm(normal)
    first = np.cross(normal, [0.0, 1.0, 0.0])
    first /= np.linalg.norm(first)
    return centred @ np.stack([first, np.cross(normal, first)], axis=1)


def compare(s, points):
    values = measured(s, points)
    flat = in_plane(points)
    names = {"pedicle_inferior": 0, "body_inferior": 1, "body_superior": 3, "pedicle_superior": 4}
    ring = Polygon(flat)
    assert ring.is_valid
    assert values[AREA] == pytest.approx(ring.area, rel=1e-10)
    front = LineString(flat[names["body_inferior"] : names["body_superior"] + 1])
    behind = LineString(flat[names["pedicle_superior"] + 1 :])
    assert values[WIDTH] == pytest.approx(front.distance(behind), abs=1e-12)
    pedicles = flat[names["pedicle_inferior"]] - flat[names["pedicle_superior"]]
    assert values[HEIGHT] == pytest.approx(np.linalg.norm(pedicles), abs=1e-12)
    margins = points[names["body_inferior"]] - points[names["body_superior"]]
    assert values[DISC] == pytest.approx(np.linalg.norm(margins), abs=1e-12)


def test_outline__points_are_in_the_order_the_measures_take(adult):
    names = [point.name for point in adult.foramen_outline]
    assert names[:5] == ["pedicle_inferior", "body_inferior", "disc_bulge", "body_superior", "pedicle_superior"]


@pytest.mark.parametrize("seed", range(4))
def test_measures__equal_plane_geometry_in_any_posture(adult, seed):
    s = scene(adult)
    s.configure(random_free(s, np.random.default_rng(seed), 0.7))
    for f in range(len(s.packed.packed.foramina)):
        for side in (0, 1):
            compare(s, shape(s, f, side, 2e-4))


@given(st.lists(st.floats(-1.5e-3, 1.5e-3), min_size=33, max_size=33))
def test_measures__equal_plane_geometry_for_distorted_outlines(adult, shifts):
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    compare(s, shape(s, 1, 0) + np.reshape(shifts, (11, 3)))


def test_measures__closed_form_of_a_rectangle(adult):
    """10 mm wide and 20 mm high, whatever its place and direction in space."""
    s = scene(adult)
    front = [(0, 20), (0, 14), (0, 10), (0, 6), (0, 0)]
    behind = [(10, 0), (10, 5), (10, 10), (10, 15), (10, 18), (10, 20)]
    flat = 1e-3 * np.array(front + behind)
    first, second = np.array([0.6, 0.0, 0.8]), np.array([0.0, 1.0, 0.0])
    values = measured(s, flat @ np.stack([first, second]) + [0.1, -0.2, 0.3])
    assert values == pytest.approx([200e-6, 20e-3, 10e-3, 8e-3], rel=1e-12)


def test_outline__reference_is_the_table(adult):
    """Without motion the outline lies in a sagittal plane, the corners apart by the posterior height of the disc."""
    s = scene(adult)
    s.configure(np.zeros(s.stance.n_free))
    discs = {disc.name: disc for disc in adult.discs}
    widths = {pedicle.vertebra: pedicle.width for pedicle in adult.pedicles}
    back = {point.name: point for point in adult.foramen_outline}
    for f, level in enumerate(s.packed.packed.foramina):
        points = shape(s, f, 1)
        upper = next(j.child for j in adult.joints if j.name == level)
        assert points[:, 2] == pytest.approx(np.full(11, 0.5 * widths[upper] + 0.004), abs=1e-12)
        values = measured(s, points)
        assert values[DISC] == pytest.approx(discs[level].height_posterior, rel=1e-12)
        expected = discs[level].height_posterior + back["pedicle_inferior"].up - back["pedicle_superior"].up
        assert values[HEIGHT] == pytest.approx(expected, rel=1e-12)
        assert 60e-6 < values[AREA] < 200e-6


@pytest.mark.parametrize("side", [0, 1])
def test_foramen__opens_in_flexion_and_closes_in_extension(adult, side):
    s = scene(adult)
    areas = {}
    for angle in (-4.0, 0.0, 4.0):
        s.configure(np.radians([angle if name.endswith(".flexion") else 0.0 for name in s.packed.free]))
        areas[angle] = np.array([measured(s, shape(s, f, side))[AREA] for f in range(5)])
    assert (areas[4.0] > areas[0.0]).all()
    assert (areas[-4.0] < areas[0.0]).all()


def test_foramen__closes_on_the_side_of_the_bend_and_with_lost_height(adult):
    s = scene(adult)
    s.configure(np.radians([3.0 if name.endswith(".bend") else 0.0 for name in s.packed.free]))
    for f in range(5):
        left, right = (measured(s, shape(s, f, side))[AREA] for side in (0, 1))
        assert right < left  # bent to the right
        assert measured(s, shape(s, f, 1, 1e-3))[AREA] < right


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
