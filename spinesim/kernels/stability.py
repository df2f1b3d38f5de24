"""Stability: the least effort among the activations with which the posture would stand.

K(a) is the stiffness against small disturbances of tilt and spine [N m/rad]: gravity, discs, tissue and passive
muscles, plus, for every activation, the curvature of its line and the stiffness of its cross-bridges. It is linear in
the activations, so "K - margin I is positive semidefinite" is convex, and it is met by cuts: wherever an eigenvalue
falls below the margin, the activations are asked for v' K(a) v >= margin along its eigenvector v, and balanced again.
Near the end the priced cuts crowd around the true mode. The prices form the dual matrix Z = sum mu v v'; its own
eigenvectors then stand for them, as in the spectral bundle method (Helmberg and Rendl 2000, SIAM J Optim 10:673-696).

Triangles are packed: entry (j, k <= j) of a symmetric matrix stands at j (j + 1) / 2 + k.
"""

import math

import numpy as np

from spinesim.kernels.balance import INFEASIBLE, MAX_ROWS, NOT_CONVERGED, SOLVED, UNSTABLE, balance, cholesky
from spinesim.kernels.jit import inner, kernel, stage
from spinesim.kernels.muscle import line_curvature
from spinesim.kernels.state import cross_bridges, tangent
from spinesim.kernels.vector import copy, dot, dot_wide, fill, largest

MARGIN_TOLERANCE = 1e-5  # [N m/rad]; single muscles give up to 1e3, and effort changes by about 0.03 per N m/rad
NEAR = 3.0  # [N m/rad] below the margin: from here on cuts are gathered
GATHERED = 1e-6  # share of the largest eigenvalue of Z below which a direction is left out
EVERY = 3  # rounds between gatherings: cuts have to add up before they are put together
FOUND_MARGIN_TOLERANCE = 1e-6  # [N m/rad]; the same on the way to a posture
ALIKE = 0.01  # [N m/rad] gap below which two modes are both at the margin
TURNS = 30  # of a cut; typical 4-6 on the way to a posture
SHARES = (0.01, 2.0)  # of the way to the mode that a cut may be turned at once
ALIGNED = 0.9  # cosine below which the weakest mode is another one than the cut holds
TURNED = 1e-9  # [rad]; steep curves and dear cuts turn it into 1e-6 of the gradient [1/rad]
CUT_ROUNDS = 200  # typical 3-12; more near the largest margin that can be held
THIRD = 3e-4  # [rad]; step of the third derivatives, where truncation and rounding are both about 1e-7 of the value


@inner
def _at(j, k):
    """Place of an entry in a packed triangle."""
    return j * (j + 1) // 2 + k if j >= k else k * (k + 1) // 2 + j


@stage
def _hinges(stance, place, mover, rate):
    """Stable coordinate that moves each hinge, or -1, and by how much; in place (nq,).

    A hinge that several stable coordinates move would need their products; such stances are refused at the door.
    """
    for k in range(mover.size):
        mover[k], rate[k] = -1, 0.0
        for e in range(stance.rate_first[k], stance.rate_first[k + 1]):
            if place[stance.rate_index[e]] >= 0:
                mover[k], rate[k] = place[stance.rate_index[e]], stance.rate[e]


@kernel(makes_arrays=True)
def stiffness_shapes(model, stance, case, row, work):
    """Stiffness without activation, and its change with each activation, into ``work.base`` and ``work.shape``.

    Parameters
    ----------
    work : Work as `configure` left it
    """
    nu, nq = stance.n_free, work.q.size
    place, rest, stiffness = np.full(nu, -1), np.zeros(work.shape.shape[0]), np.empty((nu, nu))
    mover, rate = np.empty(nq, dtype=np.int64), np.empty(nq)
    crossed, met = np.empty(nq, dtype=np.int64), np.zeros(nq, dtype=np.bool_)
    _shapes(model, stance, case, row, work, place, rest, stiffness, mover, rate, crossed, met)


@inner
def _shapes(model, stance, case, row, work, place, rest, stiffness, mover, rate, crossed, met):
    """`stiffness_shapes`, in arrays made for it: ``place`` -1 and ``rest`` 0, ``met`` False throughout."""
    ns = stance.stable.size
    for s in range(ns):
        place[stance.stable[s]] = s
    _hinges(stance, place, mover, rate)
    tangent(model, stance, case, row, rest, case.short_range[row], work, stiffness)
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
        count = 0
        for s in range(model.muscle_segments[i], model.muscle_segments[i + 1]):
            for c in range(model.segment_first[s], model.segment_first[s + 1] + 1):
                k = model.segment_condition[s]
                if c < model.segment_first[s + 1]:
                    k = model.segment_coordinates[c]
                if k >= 0 and not met[k]:
                    met[k] = True
                    crossed[count] = k
                    count += 1
        for c in range(count):
            kc = crossed[c]
            met[kc] = False
            for d in range(c + 1):
                low, high = min(kc, crossed[d]), max(kc, crossed[d])
                value = work.square[low, high]
                if value != 0.0:
                    work.square[low, high] = 0.0
                    a, b = mover[low], mover[high]
                    if a >= 0 and b >= 0:
                        packed[_at(a, b)] += (2.0 if a == b and low != high else 1.0) * rate[low] * rate[high] * value
        bridges = cross_bridges(i == model.pressure_line, case.short_range[row], work.active[i], work.length[i])
        for j in range(stance.column_first[i], stance.column_last[i]):
            if place[j] >= 0 and work.arms[i, j] != 0.0:
                for k in range(stance.column_first[i], j + 1):
                    if place[k] >= 0:
                        packed[_at(place[j], place[k])] += bridges * work.arms[i, j] * work.arms[i, k]


@inner(makes_arrays=True)
def _stable_stiffness(stance, work, activation, symmetric):
    """K(a) over the stable coordinates.

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
    return square


@inner(makes_arrays=True)
def stable_modes(stance, work, activation, symmetric):
    """Eigenvalues and eigenvectors of K(a) over the stable coordinates."""
    return np.linalg.eigh(_stable_stiffness(stance, work, activation, symmetric))


@inner(makes_arrays=True)
def _holds(stance, work, activation, symmetric, least):
    """Whether no eigenvalue of K(a) is below ``least``: a factorisation tells, at a fraction of the modes' cost."""
    square = _stable_stiffness(stance, work, activation, symmetric)
    for s in range(square.shape[0]):
        square[s, s] -= least
    return cholesky(square, square.shape[0])


@inner
def place_cut(work, margin, k):
    """Row and bound of v' K(a) v >= margin for the vector of cut ``k``, from ``work.base`` and ``work.shape``."""
    ns, packed = work.cuts.shape[1], work.packed
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


@inner(makes_arrays=True)
def _gather(work, margin, fixed, used, nu, multiplier):
    """Put the eigenvectors of Z in the place of the priced cuts, with its eigenvalues as their prices."""
    ns = work.cuts.shape[1]
    dual = np.zeros((ns, ns))
    for k in range(fixed, used):
        if multiplier[nu + k] > 0.0:
            for s in range(ns):
                for t in range(ns):
                    dual[s, t] += multiplier[nu + k] * work.cuts[k, s] * work.cuts[k, t]
        multiplier[nu + k] = 0.0
    values, vectors = np.linalg.eigh(dual)
    used = fixed
    for e in range(ns - 1, -1, -1):
        if values[e] <= GATHERED * values[ns - 1]:
            break
        for s in range(ns):
            work.cuts[used, s] = vectors[s, e]
        place_cut(work, margin, used)
        multiplier[nu + used] = values[e]
        used += 1
    return used


@inner
def priced_cuts(fixed, used, nu, multiplier):
    """Number of cuts that have a price."""
    count = 0
    for k in range(fixed, used):
        if multiplier[nu + k] > 0.0:
            count += 1
    return count


@kernel(makes_arrays=True)
def add_cuts(stance, work, margin, tolerance, symmetric, gather, fixed, used, multiplier, activation):
    """Cut off every motion whose stiffness is below the margin.

    Parameters
    ----------
    work : Work as `stiffness_shapes` left it
    gather : bool, whether priced cuts may be replaced by fewer
    fixed, used : int, rows that are no cuts, and rows in use

    Returns
    -------
    done, used : bool, int
        True: every motion has the stiffness demanded; the rows now in use, or -1 if they are too many.
    """
    if _holds(stance, work, activation, symmetric, margin - tolerance):
        return True, used
    values, vectors = stable_modes(stance, work, activation, symmetric)
    if not values[0] < margin - tolerance:
        return True, used
    nu = stance.n_free
    if gather and priced_cuts(fixed, used, nu, multiplier) > 1 and values[0] > margin - NEAR:
        used = _gather(work, margin, fixed, used, nu, multiplier)
    for e in range(values.size):
        if not values[e] < margin - tolerance:
            break
        if used == MAX_ROWS:
            used = drop_cuts(work, fixed, used, nu, multiplier)
            if used == MAX_ROWS:
                return False, -1
        for s in range(values.size):
            work.cuts[used, s] = vectors[s, e]
        multiplier[nu + used] = 0.0
        place_cut(work, margin, used)
        used += 1
    return False, used


@kernel
def stabilise(
    problem,
    fixed,
    used,
    soft,
    power,
    margin,
    tolerance,
    symmetric,
    stance,
    work,
    multiplier,
    activation,
    missing,
):
    """Raise the activations of a balance until every motion has the stiffness demanded.

    Parameters
    ----------
    problem : Sharing, on the arrays of ``work``, which `stiffness_shapes` has filled
    fixed, used : int, rows that are no cuts, and rows in use
    soft, power : float, as in `balance`
    margin, tolerance : float, least eigenvalue demanded, and by how much it may be missed [N m/rad]

    Returns
    -------
    status, used, rounds : int
        0 solved, 2 not converged, 3 activations that balance exist, but none that are also stable.
    """
    rounds = 0
    for turn in range(CUT_ROUNDS):
        done, more = add_cuts(
            stance,
            work,
            margin,
            tolerance,
            symmetric,
            turn < 12 or turn % EVERY == 0,
            fixed,
            used,
            multiplier,
            activation,
        )
        if done:
            return SOLVED, used, rounds
        if more < 0:
            break
        used = more
        status, again = balance(problem, used, soft, power, multiplier, activation, missing, work.room)
        rounds += again
        if status == NOT_CONVERGED and priced_cuts(fixed, used, stance.n_free, multiplier) > 1:
            # nearly parallel cuts can hold each other up; their eigenvectors cannot
            used = _gather(work, margin, fixed, used, stance.n_free, multiplier)
            status, again = balance(problem, used, soft, power, multiplier, activation, missing, work.room)
            rounds += again
        if status != SOLVED:
            return UNSTABLE if status == INFEASIBLE else status, used, rounds
    return NOT_CONVERGED, used, rounds


@inner(makes_arrays=True)
def _turn(problem, fixed, used, soft, margin, symmetric, stance, work, multiplier, activation, missing):
    """Turn the only cut that has a price until it stays, for `turn_cut`; status of the last balance, and used rows."""
    nu, ns = stance.n_free, work.cuts.shape[1]
    used = drop_cuts(work, fixed, used, nu, multiplier)
    if used > fixed + 1:
        used = _gather(work, margin, fixed, used, nu, multiplier)
        status, _ = balance(problem, used, soft, 2.0, multiplier, activation, missing, work.room)
        if status != SOLVED:
            return status, used
        used = drop_cuts(work, fixed, used, nu, multiplier)
    off, last, share = np.empty(ns), np.empty(ns), 0.5
    for turn in range(TURNS):
        if used != fixed + 1:
            break
        values, vectors = stable_modes(stance, work, activation, symmetric)
        along = dot(vectors[:, 0], work.cuts[fixed])
        for s in range(ns):
            off[s] = math.copysign(1.0, along) * vectors[s, 0] - work.cuts[fixed, s]
        if largest(off) <= TURNED or abs(along) < ALIGNED or values[1] - values[0] < ALIKE:
            break
        if turn > 0:
            gained, change = 0.0, 0.0
            for s in range(ns):
                gained += last[s] * (last[s] - off[s])
                change += (last[s] - off[s]) ** 2
            share = min(max(share * gained / change, SHARES[0]), SHARES[1])
        copy(off, last)
        for s in range(ns):
            off[s] = work.cuts[fixed, s] + share * off[s]
        size = math.sqrt(dot(off, off))
        for s in range(ns):
            work.cuts[fixed, s] = off[s] / size
        place_cut(work, margin, fixed)
        status, _ = balance(problem, used, soft, 2.0, multiplier, activation, missing, work.room)
        if status != SOLVED:
            return status, used
    return SOLVED, used


@kernel(makes_arrays=True)
def turn_cut(problem, fixed, used, soft, margin, tolerance, symmetric, stance, work, multiplier, activation, missing):
    """Turn the only cut that has a price to the mode that it holds, balance again, and so on until it stays.

    The cut of activations that miss the margin by 1e-6 N m/rad may be 3e-4 rad off the mode, and so much of the
    gradient of a posture is then wrong. A cut turned all the way stiffens its own direction and swings the mode
    back: it goes part of the way, by Aitken's rule. Where several modes are at the margin, their cuts are gathered and
    not turned. Where the margin is not met in the end, the cuts are again those of the start.

    Parameters
    ----------
    problem, fixed, used, soft, margin, tolerance, symmetric : as in `stabilise`, which has solved the problem

    Returns
    -------
    status, used : int
        0 solved, 2 not converged; rows now in use.
    """
    start, prices, first = work.cuts[:used].copy(), multiplier.copy(), used
    status, used = _turn(problem, fixed, used, soft, margin, symmetric, stance, work, multiplier, activation, missing)
    if status == SOLVED:
        if _holds(stance, work, activation, symmetric, margin - tolerance):
            return SOLVED, used
    for k in range(fixed, first):
        copy(start[k], work.cuts[k])
        place_cut(work, margin, k)
    copy(prices, multiplier)
    status, _ = balance(problem, first, soft, 2.0, multiplier, activation, missing, work.room)
    return status if status == SOLVED else NOT_CONVERGED, first


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
    most, sign = 0.0, 1.0
    for s in range(ns):
        # of the two directions the one whose largest entry is positive
        if abs(vectors[s, 0]) > most + 1e-9:
            most, sign = abs(vectors[s, 0]), 1.0 if vectors[s, 0] > 0.0 else -1.0
    for s in range(ns):
        mode[stance.stable[s]] = sign * vectors[s, 0]
    return values[0]
