"""Moments of discs and of the tissue around hips and knees."""

import itertools
import math

import numpy as np
import pytest

from spinesim.kernels import passive
from tests.kernels.scene import differences, random_free, scene


def disc_moments(s, q):
    moment = np.zeros(q.size)
    passive.disc_moments(s.model, s.work.disc, q, moment)
    return moment


def tissue_moments(s, q, shift):
    moment = np.zeros(q.size)
    passive.tissue_moments(s.model, shift, q, moment)
    return moment


def disc_angles(s, rng, share=2.0):
    """Joint coordinates within a multiple of the range of motion of the spine, legs in the reference."""
    return s.stance.offset + s.rates @ random_free(s, rng, share)


def test_disc_moments__vanish_in_the_reference_and_restore_elsewhere(adult):
    s = scene(adult)
    assert not disc_moments(s, np.zeros(s.stance.offset.size)).any()
    q = disc_angles(s, np.random.default_rng(0))
    moment = disc_moments(s, q)
    discs = s.model.disc_coordinate
    assert (moment[discs] * q[discs] < 0.0).all()
    assert not np.delete(moment, discs).any()


def test_disc_moments__follow_the_table_beyond_the_neutral_zone(adult):
    """Far from neutral the softening and the blend of the two directions are gone: |M| = c1 t + c2 t^2 + c3 t^3."""
    s = scene(adult, settings={"disc.preload": 500})
    names = s.packed.packed.coordinates
    for law in adult.disc_laws:
        if law.preload != 500.0:
            continue
        angle = math.radians(12.0)  # exp(-(12/2)^2) and 1 - tanh(12/0.5) are below 1e-15
        q = np.zeros(len(names))
        k = names.index(f"{law.level}.{law.coordinate}")
        sign = 1.0 if law.direction == "positive" else -1.0
        q[k] = sign * angle
        expected = law.c1 * angle + law.c2 * angle**2 + law.c3 * angle**3
        assert disc_moments(s, q)[k] == pytest.approx(-sign * expected, rel=1e-12)


@pytest.mark.parametrize(
    ("preload", "below", "above"), [(0, 0, 250), (100, 0, 250), (250, 0, 250), (400, 250, 500), (500, 250, 500)]
)
def test_disc_constants__are_interpolated_between_the_preloads_of_the_table(adult, preload, below, above):
    s = scene(adult, settings={"disc.preload": preload})
    laws = {(law.level, law.coordinate, law.direction, law.preload): law for law in adult.disc_laws}
    share = (preload - below) / (above - below)
    names = s.packed.packed.coordinates
    for d, k in enumerate(s.model.disc_coordinate):
        level, coordinate = names[k].split(".")
        expected = [
            (1 - share) * getattr(laws[level, coordinate, direction, below], c)
            + share * getattr(laws[level, coordinate, direction, above], c)
            for direction in ("positive", "negative")
            for c in ("c1", "c2", "c3")
        ]
        assert s.work.disc[d] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("preload", [0, 130, 500])
def test_disc_stiffness__is_minus_the_change_of_the_moment_and_positive(adult, preload):
    s = scene(adult, settings={"disc.preload": preload})
    q = disc_angles(s, np.random.default_rng(4))
    square = np.zeros((q.size, q.size))
    passive.disc_stiffness(s.model, s.work.disc, q, square)
    change = differences(lambda x: disc_moments(s, x), q)
    assert square == pytest.approx(-change, abs=1e-6 * np.abs(change).max())
    assert (np.diag(square)[s.model.disc_coordinate] > 0.0).all()


def leg_angles(adult, names, rng):
    ranges = {c.full_name: (c.lowest, c.highest) for c in adult.coordinates}
    return np.array([rng.uniform(*ranges[n]) if n.startswith(("hip", "knee")) else 0.0 for n in names])


def test_tissue_moments__are_the_exponentials_of_the_table(adult):
    """Every branch and its coupled moment, transcribed."""
    s = scene(adult)
    rng = np.random.default_rng(2)
    names = s.packed.packed.coordinates
    q = leg_angles(adult, names, rng)
    shift = rng.uniform(-0.2, 0.3, len(adult.tissues))
    angle = dict(zip(names, q, strict=True))
    expected = dict.fromkeys(names, 0.0)
    for tissue, moved in zip(adult.tissues, shift, strict=True):
        own = tissue.amplitude * math.exp(
            tissue.rate * (angle[tissue.coordinate] - moved)
            + (tissue.coupling * angle[tissue.second] if tissue.second else 0.0)
        )
        expected[tissue.coordinate] += own
        if tissue.second:
            expected[tissue.second] += tissue.coupling / tissue.rate * own
    assert tissue_moments(s, q, shift) == pytest.approx(list(expected.values()), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_tissue__is_conservative_and_its_stiffness_is_minus_the_change_of_the_moment(adult, seed):
    s = scene(adult)
    rng = np.random.default_rng(seed)
    q = leg_angles(adult, s.packed.packed.coordinates, rng)
    shift = rng.uniform(-0.2, 0.3, len(adult.tissues))
    change = differences(lambda x: tissue_moments(s, x, shift), q)
    assert np.abs(change - change.T).max() <= 1e-7 * np.abs(change).max()
    square = np.zeros((q.size, q.size))
    passive.tissue_stiffness(s.model, shift, q, square)
    assert not np.tril(square, -1).any()
    assert square + np.triu(square, 1).T == pytest.approx(-change, abs=1e-7 * np.abs(change).max())


def test_tissue__gives_no_energy_on_a_closed_way(adult):
    """Work of the moments around a square in hip and knee flexion [N m], by Gauss quadrature."""
    s = scene(adult)
    names = s.packed.packed.coordinates
    hip, knee = names.index("hip_r.flexion"), names.index("knee_r.flexion")
    at, weight = np.polynomial.legendre.leggauss(40)
    corners = np.radians([(-10.0, 5.0), (80.0, 5.0), (80.0, 90.0), (-10.0, 90.0), (-10.0, 5.0)])
    work, largest = 0.0, 0.0
    for (h0, k0), (h1, k1) in itertools.pairwise(corners):
        side = 0.0
        for x, w in zip(0.5 * (at + 1.0), 0.5 * weight, strict=True):
            q = np.zeros(len(names))
            q[hip], q[knee] = h0 + x * (h1 - h0), k0 + x * (k1 - k0)
            moment = tissue_moments(s, q, np.zeros(len(adult.tissues)))
            side += w * (moment[hip] * (h1 - h0) + moment[knee] * (k1 - k0))
        work += side
        largest = max(largest, abs(side))
    assert largest > 0.5
    assert abs(work) <= 1e-10 * largest


def test_tissue__limits_the_range_on_the_side_it_is_named_for(adult):
    """A branch that limits the lower end pushes up, and more so further down; coupling changes no sign."""
    for tissue in adult.tissues:
        if tissue.limits != "none":
            assert (tissue.limits == "lower") == (tissue.amplitude > 0.0)
            assert tissue.amplitude * tissue.rate < 0.0
