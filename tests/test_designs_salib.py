"""Our estimators of sensitivity against SALib, an independent engine, on the same points and values."""

import numpy as np
import pytest
from SALib.analyze import morris, sobol
from SALib.sample.morris import sample

from spinesim import designs
from tests.ishigami import ishigami

SLOPES = np.array([2.0, -3.0, 0.5])
FUNCTIONS = pytest.mark.parametrize("function", [ishigami, lambda points: points @ SLOPES], ids=["ishigami", "linear"])
CUBE = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0.0, 1.0]] * 3}


def ours(points, values):
    """Effects of one outcome: mean, mean size and spread (k,), and half the width of the interval of the mean size."""
    found = designs.effects(points, values[..., None], seed=0)
    size = found.absolute
    return found.mean.value[0], size.value[0], found.spread[0], 0.5 * (size.high - size.low)[0]


def theirs(points, values):
    found = morris.analyze(CUBE, points.reshape(-1, 3), values.ravel(), num_levels=designs.LEVELS, seed=0)
    return tuple(np.asarray(found[name], dtype=float) for name in ("mu", "mu_star", "sigma", "mu_star_conf"))


@FUNCTIONS
def test_effects__are_those_of_salib(function):
    points = designs.trajectories(40, 3, seed=3)
    for own, other in zip(ours(points, function(points))[:3], theirs(points, function(points))[:3], strict=True):
        np.testing.assert_allclose(own, other, atol=1e-12)


@FUNCTIONS
def test_effects__of_trajectories_of_salib_are_those_of_salib(function):
    points = sample(CUBE, 40, num_levels=designs.LEVELS, seed=3).reshape(40, 4, 3)
    for own, other in zip(ours(points, function(points))[:3], theirs(points, function(points))[:3], strict=True):
        np.testing.assert_allclose(own, other, atol=1e-12)


def test_effects__have_intervals_as_wide_as_those_of_salib():
    """Percentiles of the bootstrap here, 1.96 standard deviations of it there: alike where means are nearly normal."""
    points = designs.trajectories(200, 3, seed=3)
    (*_, own), (*_, other) = ours(points, ishigami(points)), theirs(points, ishigami(points))
    np.testing.assert_allclose(own, other, rtol=0.15, atol=1e-12)


@FUNCTIONS
def test_indices__are_those_of_salib(function):
    points = designs.sobol_points(1024, 3, seed=4)
    values = function(points)
    own = designs.indices(points, values[..., None], seed=0)
    order = [0, 2, 3, 4, 1]  # A, A with each coordinate of B, B, row by row
    other = sobol.analyze(CUBE, values[order].T.ravel(), calc_second_order=False, num_resamples=1000, seed=0)
    np.testing.assert_allclose(own.total.value[0], other["ST"], rtol=1e-12, atol=1e-12)
    # SALib centres on all values, we on those of A and B
    shift = values.mean() - values[:2].mean()
    moved = shift * (values[2:] - values[0]).mean(axis=1) / values[:2].var()
    np.testing.assert_allclose(own.first.value[0] - moved, other["S1"], rtol=1e-12, atol=1e-12)
    assert np.abs(moved).max() < 1e-3
    for estimate, name in ((own.first, "S1_conf"), (own.total, "ST_conf")):
        np.testing.assert_allclose(0.5 * (estimate.high - estimate.low)[0], other[name], rtol=0.15, atol=1e-3)
