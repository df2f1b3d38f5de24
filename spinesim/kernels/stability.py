"""Stability: the least effort among the activations with which the posture would stand.

K(a) is the stiffness against small disturbances of tilt and spine [N m/rad]: gravity, discs, tissue and passive
muscles, plus, for every activation, the curvature of its line and the stiffness of its cross-bridges. It is linear in
the activations, so "K - margin I is positive semidefinite" is convex, and it is met by cuts: wherever an eigenvalue
falls below the margin, the activations are asked for v' K(a) v >= margin along its eigenvector v, and balanced again.

Triangles are packed: entry (j, k <= j) of a symmetric matrix stands at j (j + 1) / 2 + k.
"""

import math

import numpy as np

from spinesim.kernels.balance import INFEASIBLE, MAX_ROWS, NOT_CONVERGED, SOLVED, UNSTABLE, balance
from spinesim.kernels.jit import inner, kernel, stage
from spinesim.kernels.muscle import line_curvature
from spinesim.kernels.state import cross_bridges, tangent
from spinesim.kernels.vector import dot_wide, fill

MARGIN_TOLERANCE = 1e-6  # [N m/rad]; single muscles give up to 1e3
CUT_ROUNDS = 60  # typical 3-12
THIRD = 3e-4  # [rad]; step of the third derivatives, where truncation and rounding are both about 1e-8 of the value


@inner
def _at(j, k):
    """Place of an entry in a packed triangle."""
    return j * (j + 1) // 2 + k if j >= k else k * (k + 1) // 2 + j


@inner
def _spread(stance, place, kc, kd, value, packed):
    """Add an entry (kc, kd) of a symmetric matrix over joint coordinates to a packed one over the stable ones."""
    for e in range(stance.rate_first[kc], stance.rate_first[kc + 1]):
        a = place[stance.rate_index[e]]
        for f in range(stance.rate_first[kd], e + 1 if kc == kd else stance.rate_first[kd + 1]):
            b = place[stance.rate_index[f]]
            if a >= 0 and b >= 0:
                part = stance.rate[e] * stance.rate[f] * value
                twice = a == b and (kc != kd or e != f)
                packed[_at(a, b)] += 2.0 * part if twice else part


@kernel
def stiffness_shapes(model, stance, case, row, work):
    """Stiffness without activation, and its change with each activation, into ``work.base`` and ``work.shape``.

    Parameters
    ----------
    work : Work as `configure` left it
    """
    nu, ns, m = stance.n_free, stance.stable.size, work.shape.shape[0]
    place, stiffness = np.full(nu, -1), np.empty((nu, nu))
    for s in range(ns):
        place[stance.stable[s]] = s
    tangent(model, stance, case, row, np.zeros(m), True, work, stiffness)
    for s in range(ns):
        for t in range(s + 1):
            work.base[_at(s, t)] = stiffness[stance.stable[s], stance.stable[t]]
    fill(0.0, work.square)
    for i in range(work.length.size):
        packed, force = work.shape[i], work.active[i]
        fill(0.0, packed)
        if force == 0.0:
            continue
        line_curvature(
            model,
            i,
            work.q,
            work.turn,
            work.place,
            work.axes,
            work.centres,
            work.velocity,
            work.slope,
            force,
            work.square,
        )
        for s in range(model.muscle_segments[i], model.muscle_segments[i + 1]):
            first, last = model.segment_first[s], model.segment_first[s + 1]
            for c in range(first, last):
                kc = model.segment_coordinates[c]
                for d in range(c, last):
                    kd = model.segment_coordinates[d]
                    if work.square[kc, kd] != 0.0:
                        _spread(stance, place, kc, kd, work.square[kc, kd], packed)
                        work.square[kc, kd] = 0.0  # segments share coordinates
                if model.segment_condition[s] >= 0:
                    kw = model.segment_condition[s]
                    low, high = min(kw, kc), max(kw, kc)
                    if work.square[low, high] != 0.0:
                        _spread(stance, place, low, high, work.square[low, high], packed)
                        work.square[low, high] = 0.0
            if model.segment_condition[s] >= 0:
                kw = model.segment_condition[s]
                if work.square[kw, kw] != 0.0:
                    _spread(stance, place, kw, kw, work.square[kw, kw], packed)
                    work.square[kw, kw] = 0.0
        bridges = cross_bridges(model, case.short_range[row], work, i)
        for j in range(stance.column_first[i], stance.column_last[i]):
            if place[j] >= 0:
                for k in range(stance.column_first[i], j + 1):
                    if place[k] >= 0:
                        packed[_at(place[j], place[k])] += bridges * work.arms[i, j] * work.arms[i, k]


@inner
def _eigen(stance, work, activation, symmetric):
    """Eigenvalues and eigenvectors of K(a) over the stable coordinates.

    In a symmetric posture motions within the plane of symmetry and out of it do not mix; rounding must not mix them.
    """
    ns = stance.stable.size
    total, square = work.base.copy(), np.empty((ns, ns))
    for i in range(work.length.size):
        if activation[i] != 0.0:
            for t in range(total.size):
                total[t] += activation[i] * work.shape[i, t]
    for s in range(ns):
        for t in range(s + 1):
            value = total[_at(s, t)]
            if symmetric and stance.lateral[stance.stable[s]] != stance.lateral[stance.stable[t]]:
                value = 0.0
            square[s, t] = value
            square[t, s] = value
    return np.linalg.eigh(square)


@inner
def place_cut(work, margin, k):
    """Row and bound of v' K(a) v >= margin for the vector of cut ``k``, from ``work.base`` and ``work.shape``."""
    ns = work.cuts.shape[1]
    packed = np.empty(work.base.size)
    for s in range(ns):
        for t in range(s + 1):
            product = work.cuts[k, s] * work.cuts[k, t]
            packed[_at(s, t)] = product if s == t else 2.0 * product
    work.bound[k] = margin - dot_wide(work.base, packed)
    for i in range(work.length.size):
        work.rows[k, i] = dot_wide(work.shape[i], packed)


@inner
def drop_cuts(work, fixed, used, nu, multiplier):
    """Forget the cuts that have no price; returns how many rows are left in use."""
    kept = fixed
    for k in range(fixed, used):
        if multiplier[nu + k] > 0.0:
            work.bound[kept] = work.bound[k]
            multiplier[nu + kept] = multiplier[nu + k]
            for i in range(work.rows.shape[1]):
                work.rows[kept, i] = work.rows[k, i]
            for s in range(work.cuts.shape[1]):
                work.cuts[kept, s] = work.cuts[k, s]
            kept += 1
    for k in range(kept, used):
        multiplier[nu + k] = 0.0
    return kept


@kernel
def add_cuts(stance, work, margin, symmetric, fixed, used, multiplier, activation):
    """Cut off every motion whose stiffness is below the margin; returns how many rows are in use, or -1 if too many.

    Parameters
    ----------
    work : Work as `stiffness_shapes` left it
    fixed, used : int, rows that are no cuts, and rows in use
    """
    values, vectors = _eigen(stance, work, activation, symmetric)
    for e in range(values.size):
        if not values[e] < margin - MARGIN_TOLERANCE:
            break
        if used == MAX_ROWS:
            used = drop_cuts(work, fixed, used, stance.n_free, multiplier)
            if used == MAX_ROWS:
                return -1
        for s in range(values.size):
            work.cuts[used, s] = vectors[s, e]
        multiplier[stance.n_free + used] = 0.0
        place_cut(work, margin, used)
        used += 1
    return used


@kernel
def stabilise(problem, fixed, used, power, margin, symmetric, stance, work, multiplier, activation, missing):
    """Raise the activations of a balance until every motion has the stiffness demanded.

    Parameters
    ----------
    problem : Sharing, on the arrays of ``work``, which `stiffness_shapes` has filled
    fixed, used : int, rows that are no cuts, and rows in use

    Returns
    -------
    status, used, rounds : int
        0 solved, 2 not converged, 3 activations that balance exist, but none that are also stable.
    """
    rounds = 0
    for _ in range(CUT_ROUNDS):
        more = add_cuts(stance, work, margin, symmetric, fixed, used, multiplier, activation)
        if more == used:
            return SOLVED, used, rounds
        if more < 0:
            break
        used = more
        status, again = balance(problem, used, 0.0, power, multiplier, activation, missing, work.room)
        rounds += again
        if status != SOLVED:
            return UNSTABLE if status == INFEASIBLE else status, used, rounds
    return NOT_CONVERGED, used, rounds


@stage
def weakest(stance, stiffness, mode):
    """Smallest eigenvalue of a stiffness (nu, nu) over the stable coordinates; its vector into ``mode`` (nu,)."""
    ns = stance.stable.size
    square = np.empty((ns, ns))
    for s in range(ns):
        for t in range(ns):
            square[s, t] = 0.5 * (stiffness[stance.stable[s], stance.stable[t]])
            square[s, t] += 0.5 * (stiffness[stance.stable[t], stance.stable[s]])
    fill(0.0, mode)
    for s in range(ns):
        for t in range(ns):
            if not math.isfinite(square[s, t]):
                return math.nan
    values, vectors = np.linalg.eigh(square)
    largest, sign = 0.0, 1.0
    for s in range(ns):
        # of the two directions the one whose largest entry is positive
        if abs(vectors[s, 0]) > largest + 1e-9:
            largest, sign = abs(vectors[s, 0]), 1.0 if vectors[s, 0] > 0.0 else -1.0
    for s in range(ns):
        mode[stance.stable[s]] = sign * vectors[s, 0]
    return values[0]
