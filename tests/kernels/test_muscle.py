"""Paths of the fascicles against geometry computed independently from the tables, and the forces along them."""

import itertools

import numpy as np
import pytest

from spinesim.cases import path_lengths
from spinesim.kernels import chain, muscle
from spinesim.model.pack import pack
from tests.kernels.scene import differences, random_free, scene


def kernel_paths(adult, anatomy, q):
    """Lengths and their rates by the joint coordinates."""
    return path_lengths(pack(adult), np.array([q[name] for name in anatomy.coordinates]))


def test_paths__lengths_and_arms_in_50_random_postures_equal_mujoco(adult, anatomy, engine):
    rng = np.random.default_rng(2024)
    owner = [i for i, _, _ in anatomy.routes]
    for _ in range(50):
        q = anatomy.random_posture(rng, clear_of_blends=True)
        active = anatomy.route_weights(q)
        assert set(active) <= {0.0, 1.0}
        engine.settle(q)
        expected = np.bincount(owner, engine.route_lengths() * active)
        rates = np.zeros((expected.size, len(anatomy.coordinates)))
        np.add.at(rates, owner, engine.route_rates() * active[:, None])
        length, gradient = kernel_paths(adult, anatomy, q)
        # two exact computations differ by rounding alone
        assert np.abs(length - expected).max() <= 1e-12
        assert np.abs(gradient - rates).max() <= 1e-12


def test_paths__lengths_where_conditional_points_fade_equal_plain_geometry(adult, anatomy):
    rng = np.random.default_rng(7)
    for _ in range(20):
        q = anatomy.random_posture(rng, clear_of_blends=False)
        weights = anatomy.route_weights(q)
        assert np.any((weights > 0.0) & (weights < 1.0))
        length, _ = kernel_paths(adult, anatomy, q)
        assert np.abs(length - anatomy.lengths(q)).max() <= 1e-12


@pytest.mark.parametrize("clear", [True, False])
def test_paths__arm_is_minus_dlength_dangle(adult, anatomy, clear):
    rng = np.random.default_rng(11)
    for _ in range(2):
        q = anatomy.random_posture(rng, clear_of_blends=clear)
        _, gradient = kernel_paths(adult, anatomy, q)
        assert np.abs(gradient - anatomy.length_rates(q)).max() <= 1e-8


@pytest.mark.parametrize(("clear", "seed"), [(True, 0), (True, 1), (False, 2), (False, 3)])
def test_path_curvature__is_the_change_of_the_gradient(adult, anatomy, clear, seed):
    s = scene(adult)
    rng = np.random.default_rng(seed)
    posture = anatomy.random_posture(rng, clear_of_blends=clear)
    q = np.array([posture[name] for name in anatomy.coordinates])
    factor = rng.uniform(0.0, 200.0, s.n)
    factor[rng.random(s.n) < 0.2] = 0.0
    packed = s.packed.packed
    change = differences(lambda x: factor @ path_lengths(packed, x)[1], q)
    w = s.work
    chain.forward(s.model, q, w.turn, w.place, w.axes, w.centres)
    square = np.zeros((q.size, q.size))
    muscle.path_curvature(s.model, q, w.turn, w.place, w.axes, w.centres, w.velocity, w.slope, factor, square)
    assert np.tril(square, -1).any() == 0
    full = square + np.triu(square, 1).T
    assert full == pytest.approx(change, abs=1e-8 * np.abs(change).max())


@pytest.mark.parametrize("seed", range(3))
def test_paths__virtual_work_of_the_pulls_equals_tension_times_shortening(adult, anatomy, seed):
    """Forces at the points, as a free-body diagram has them, against - F dL/dq."""
    rng = np.random.default_rng(seed)
    q = anatomy.random_posture(rng, clear_of_blends=True)
    tension = rng.uniform(-300.0, 300.0, len(anatomy.lines))  # a pressure pushes
    turn, place = anatomy.pose(q)
    bodies = anatomy.bodies
    points = np.array(
        [turn[bodies[b]] @ p + place[bodies[b]] for b, p in zip(anatomy.point_body, anatomy.point_local, strict=True)]
    )
    pull = np.zeros_like(points)
    for (i, kept, _), share in zip(anatomy.routes, anatomy.route_weights(q), strict=True):
        for a, b in itertools.pairwise(kept):
            line = share * tension[i] * (points[b] - points[a]) / np.linalg.norm(points[b] - points[a])
            pull[a] += line
            pull[b] -= line
    moment = []
    for c in adult.coordinates:
        body = anatomy.child(c)
        beyond = [b for b in bodies if body in ancestry(adult, b)]
        moved = np.isin(anatomy.point_body, [bodies.index(b) for b in beyond])
        # the hinge axis stands in the frame that the hinges before it have already turned
        k = [h.full_name for h in anatomy.hinges[body]].index(c.full_name)
        earlier = {h.full_name: q[h.full_name] for h in anatomy.hinges[body][:k]}
        later = {h.full_name: 0.0 for h in anatomy.hinges[body][k:]}
        frame, _ = anatomy.pose({**q, **earlier, **later})
        axis = frame[body] @ anatomy.axis(c)
        moment.append(axis @ np.cross(points[moved] - place[body], pull[moved]).sum(axis=0))
    _, gradient = kernel_paths(adult, anatomy, q)
    expected = -gradient.T @ tension
    assert moment == pytest.approx(expected, abs=1e-10 * np.abs(expected).max())


def ancestry(model, body):
    """A body and all bodies between it and the ground."""
    parents = {b.name: b.parent for b in model.bodies}
    chain_down = [body]
    while parents[chain_down[-1]] in parents:
        chain_down.append(parents[chain_down[-1]])
    return chain_down


@pytest.mark.parametrize("stance", ["standing", "sitting"])
def test_arms_to_free__are_minus_the_change_of_length_by_the_free_coordinates(adult, anatomy, stance):
    s = scene(adult, stance)
    free = random_free(s, np.random.default_rng(5))
    s.configure(free)
    change = differences(lambda u: anatomy.lengths(s.joints(u)), free)
    assert np.abs(s.work.arms + change).max() <= 1e-9
    # a fascicle acts on no free coordinate outside its columns
    assert not s.work.arms[~s.used[: s.n]].any()


def tensions(s, strength, stiffness, shift, length, rest_pressure=0.0):
    """Fibre length, active force and slope, passive force and slope of every line."""
    values = [np.empty(s.n) for _ in range(5)]
    muscle.tensions(s.model, strength, stiffness, shift, rest_pressure, length, *values)
    return values


def test_tensions__are_the_hill_law_and_its_slopes(adult):
    """A straight transcription of the law, in the sharp and in the flat parts of both curves."""
    s = scene(adult)
    rng = np.random.default_rng(8)
    count = len(adult.muscles)
    strength, stiffness, shift = rng.uniform(0.3, 2.0, s.n), rng.uniform(0.3, 3.0, s.n), rng.uniform(-0.1, 0.3, s.n)
    unit = np.ones(s.n)
    unit[:count] = [m.optimal_fibre_length * np.cos(m.pennation) for m in adult.muscles]
    slack = np.ones(s.n)
    slack[:count] = [m.tendon_slack_length for m in adult.muscles]
    stretch = rng.uniform(0.2, 1.9, s.n)
    length = slack + stretch * unit
    fibre, active, active_slope, passive, passive_slope = tensions(s, strength, stiffness, shift, length)
    strength, stiffness, shift, stretch = (x[:count] for x in (strength, stiffness, shift, stretch))
    assert fibre[:count] == pytest.approx(stretch, abs=1e-12)

    curves = adult.curves
    corner = curves.softplus
    b = np.reshape(curves.active, (3, 4))
    floored = curves.length_floor + corner * np.logaddexp(0.0, (stretch - curves.length_floor) / corner)
    hill = sum(b1 * np.exp(-0.5 * ((floored - b2) / (b3 + b4 * floored)) ** 2) for b1, b2, b3, b4 in b)
    assert active[:count] == pytest.approx(
        [m.max_force * np.cos(m.pennation) for m in adult.muscles] * strength * hill, rel=1e-11
    )
    strain = np.array([m.passive_strain for m in adult.muscles])
    begin = np.array([m.passive_slack for m in adult.muscles])
    beyond = corner * np.logaddexp(0.0, (stretch + shift - begin) / corner)
    over = corner * (np.logaddexp(0.0, (beyond - strain) / corner) - np.logaddexp(0.0, -strain / corner))
    shape = curves.passive_shape
    rise = (np.expm1(shape * (beyond - over) / strain) + shape / strain * np.exp(shape) * over) / np.expm1(shape)
    assert passive[:count] == pytest.approx(
        [m.passive_force * np.cos(m.pennation) for m in adult.muscles] * stiffness * rise, rel=1e-10, abs=1e-29
    )

    probe = 1e-6 * unit
    arguments = (np.append(x, 1.0) for x in (strength, stiffness, shift))
    strength, stiffness, shift = arguments
    ahead, behind = (tensions(s, strength, stiffness, shift, length + sign * probe) for sign in (1.0, -1.0))
    scale = np.abs(ahead[1] / unit)[:count].max()
    assert np.abs((ahead[1] - behind[1]) / (2 * probe) - active_slope).max() <= 1e-6 * scale
    assert (ahead[3] - behind[3]) / (2 * probe) == pytest.approx(passive_slope, rel=1e-5, abs=1e-6)


def test_tensions__the_pressure_pushes_with_its_area_whatever_the_length_of_its_line(adult):
    """-(p_rest + range x strength x a) x area; a passive stiffness and a tightness of muscles have no part in it."""
    s = scene(adult)
    line, abdomen = s.model.pressure_line, adult.abdomen
    assert line == len(adult.muscles) == s.n - 1
    rng = np.random.default_rng(1)
    for _ in range(3):
        strength, stiffness, shift, length = rng.uniform(0.2, 2.0, (4, s.n))
        rest = rng.uniform(0.0, 9e3)
        _, active, active_slope, passive, passive_slope = tensions(s, strength, stiffness, shift, length, rest)
        assert active[line] == pytest.approx(-abdomen.highest * strength[line] * abdomen.area, rel=1e-14)
        assert passive[line] == pytest.approx(-rest * abdomen.area, rel=1e-14)
        assert active_slope[line] == passive_slope[line] == 0.0


def test_passive_bend__is_the_change_of_the_passive_slope(adult):
    s = scene(adult)
    rng = np.random.default_rng(4)
    stiffness, shift = rng.uniform(0.3, 3.0, s.n), rng.uniform(-0.1, 0.3, s.n)
    unit = s.model.optimal_length * s.model.cos_pennation
    length = s.model.slack_length + rng.uniform(0.8, 1.6, s.n) * unit
    fibre, _, _, force, here = tensions(s, np.ones(s.n), stiffness, shift, length)
    probe = 3e-6 * unit
    ahead, behind = (tensions(s, np.ones(s.n), stiffness, shift, length + sign * probe)[4] for sign in (1.0, -1.0))
    bends, twists = np.transpose(
        [muscle.passive_bend(s.model, i, stiffness[i], shift[i], fibre[i], force[i]) for i in range(s.n)]
    )
    # the curve bends within its softplus of 0.01: the truncation of a step of 3e-6 is (3e-4)^2 of that
    assert bends == pytest.approx((ahead - behind) / (2 * probe), rel=1e-5, abs=1e-6 * np.abs(here / unit).max())
    probe = 1e-4 * unit
    ahead, behind = (tensions(s, np.ones(s.n), stiffness, shift, length + sign * probe)[4] for sign in (1.0, -1.0))
    second = (ahead - 2 * here + behind) / probe**2
    assert twists == pytest.approx(second, rel=1e-2, abs=1e-3 * np.abs(second).max())


def test_tensions__are_finite_for_a_path_shorter_than_its_tendon(adult):
    s = scene(adult)
    one, zero = np.ones(s.n), np.zeros(s.n)
    values = tensions(s, one, one, zero, 0.5 * s.model.slack_length)
    _, active, _, passive, _ = values
    count = len(adult.muscles)
    assert np.isfinite(values).all()
    assert (active[:count] >= 0.0).all()
    assert (passive[:count] >= 0.0).all()
