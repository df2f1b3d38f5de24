"""Estimators of sensitivity on functions whose answers are known."""

import numpy as np
import pytest
from scipy.stats import sobol_indices

from spinesim import designs
from tests.ishigami import FIRST, TOTAL, ishigami


def test_trajectories__change_every_coordinate_once_by_two_thirds_within_the_cube():
    points = designs.trajectories(50, 7, seed=1)
    assert points.shape == (50, 8, 7)
    assert points.min() == 0.0
    assert points.max() == 1.0
    moved = np.abs(np.diff(points, axis=1))
    assert np.sort(moved, axis=2)[:, :, :-1].max() == 0.0
    np.testing.assert_allclose(moved.sum(axis=1), 2 / 3)
    assert {round(value, 9) for value in np.unique(points).tolist()} <= {0.0, 0.333333333, 0.666666667, 1.0}
    assert (np.diff(points, axis=1).sum(axis=1) > 0).mean() == pytest.approx(0.5, abs=0.1)


def test_effects__of_a_linear_function_are_its_slopes_without_spread():
    points = designs.trajectories(10, 3, seed=2)
    values = points @ np.array([[2.0, 0.0], [-3.0, 0.0], [0.5, 7.0]])
    found = designs.effects(points, values, seed=0)
    np.testing.assert_allclose(found.mean.value, [[2.0, -3.0, 0.5], [0.0, 0.0, 7.0]], atol=1e-12)
    np.testing.assert_allclose(found.absolute.value, [[2.0, 3.0, 0.5], [0.0, 0.0, 7.0]], atol=1e-12)
    np.testing.assert_allclose(found.spread, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.mean.low, found.mean.high, atol=1e-12)


def test_effects__leave_out_the_pairs_that_a_missing_value_belongs_to():
    points = designs.trajectories(6, 3, seed=2)
    values = (points @ np.array([2.0, -3.0, 0.5]))[:, :, None]
    values[2, 1] = np.nan  # of two pairs
    values[4, 3] = np.nan  # of one
    found = designs.effects(points, values, seed=0)
    assert found.used.sum() == 18 - 3
    np.testing.assert_allclose(found.mean.value, [[2.0, -3.0, 0.5]], atol=1e-12)


def test_effects__of_nothing_solved_are_nan():
    points = designs.trajectories(3, 2, seed=2)
    found = designs.effects(points, np.full((3, 3, 1), np.nan), seed=0)
    assert not found.used.any()
    assert np.isnan(found.mean.value).all()


def test_indices__are_those_of_scipy_on_complete_data():
    points = designs.sobol_points(256, 3, seed=4)
    values = np.stack([ishigami(points), points[..., 0] ** 2 + points[..., 1]], axis=-1)
    found = designs.indices(points, values, seed=0)
    ours = {"f_A": values[0].T, "f_B": values[1].T, "f_AB": values[2:].transpose(0, 2, 1)}
    theirs = sobol_indices(func=ours, n=256)
    np.testing.assert_allclose(found.first.value, theirs.first_order, atol=1e-12)
    np.testing.assert_allclose(found.total.value, theirs.total_order, atol=1e-12)
    assert (found.used == 256).all()


def test_indices__of_ishigami_come_to_the_closed_form():
    points = designs.sobol_points(8192, 3, seed=4)
    found = designs.indices(points, ishigami(points)[..., None], seed=0)
    np.testing.assert_allclose(found.first.value[0], FIRST, atol=0.01)
    np.testing.assert_allclose(found.total.value[0], TOTAL, atol=0.01)


def test_indices__leave_out_the_rows_of_missing_values():
    """As if the rows had not been there; other parameters keep theirs."""
    points = designs.sobol_points(256, 3, seed=4)
    values = ishigami(points)[..., None]
    missing = values.copy()
    missing[0, 10], missing[1, 20], missing[2, 30], missing[4, 40] = (np.nan,) * 4
    found = designs.indices(points, missing, seed=0)
    assert found.used.tolist() == [[253, 254, 253]]
    kept = np.setdiff1d(np.arange(256), [10, 20, 30])
    alone = designs.indices(points[:, kept], values[:, kept], seed=0)
    np.testing.assert_allclose(found.first.value[0, 0], alone.first.value[0, 0], atol=1e-3)
    np.testing.assert_allclose(found.total.value[0, 0], alone.total.value[0, 0], rtol=1e-9)


def test_indices__of_a_constant_and_of_nothing_solved_are_nan():
    points = designs.sobol_points(16, 2, seed=4)
    values = np.stack([np.ones(points.shape[:2]), np.full(points.shape[:2], np.nan)], axis=-1)
    found = designs.indices(points, values, seed=0)
    assert np.isnan(found.first.value).all()
    assert found.used.tolist() == [[16, 16], [0, 0]]


def test_slope__of_a_linear_function_is_exact():
    points = designs.sobol_points(64, 2, seed=4)
    found = designs.indices(points, (points @ np.array([3.0, -4.0]))[..., None], seed=0)
    np.testing.assert_allclose(found.slope.value, [[3.0, -4.0]])


def test_intervals__cover_the_closed_form_of_ishigami():
    """Of independent rows, on which the bootstrap rests: 95 % of 300 seeds, within three standard errors (1.3 %)."""
    hits, count, n = np.zeros((2, 3)), 300, 256
    for seed in range(count):
        points = designs.sobol_points(n, 3, seed)
        first, second = np.random.default_rng(seed).random((2, n, 3))
        points[:] = first
        points[1] = second
        for i in range(3):
            points[2 + i, :, i] = second[:, i]
        found = designs.indices(points, ishigami(points)[..., None], seed, draws=300)
        for row, (estimate, exact) in enumerate(((found.first, FIRST), (found.total, TOTAL))):
            hits[row] += (estimate.low[0] <= exact) & (exact <= estimate.high[0])
    assert (hits / count > 0.95 - 3 * 0.0126).all()
    assert (hits / count < 0.95 + 3 * 0.0126).all()
