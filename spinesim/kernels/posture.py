"""Posture problem: the free coordinates and activations that keep mass and trunk in place at least effort.

minimise over u   phi(u) = goals(u) + min over a { 1/2 sum w_i (a_i - t_i)^2 : moments balance at u }

subject, if asked, to held posture angles c(u) = 0. The inner problem is the force balance; with its multipliers lambda
and the tangent stiffness K(u, a) the gradient is  grad goals + K lambda,  and the second derivative follows from the
inner optimality conditions. They also predict the change of the multipliers, which at the edge of feasibility only the
posture determines. The change of K along lambda is a difference quotient: it enters the Newton matrix, never the
conditions that are tested for convergence.

Where stability is demanded, every trial posture is balanced with as many cuts as it takes (see `stability`), so phi is
that of the semidefinite programme. The gradient gains - mu d(v' K v)/du for every priced cut, the second derivative
what the turning of the mode v gives (`_rotations`) and how sharply discs and passive muscles bend.
"""

import math

import numpy as np

from spinesim.kernels.alignment import trunk_angles, trunk_curvature, trunk_gradient
from spinesim.kernels.balance import NOT_CONVERGED, SOLVED, Sharing, balance, cholesky, cholesky_solve
from spinesim.kernels.chain import square_to_free, to_free
from spinesim.kernels.gravity import add_turning, add_turning_curvature
from spinesim.kernels.jit import inner, kernel, stage
from spinesim.kernels.muscle import passive_bend
from spinesim.kernels.passive import add_diagonal, disc_bending, disc_moments
from spinesim.kernels.stability import (
    ALIKE,
    FOUND_MARGIN_TOLERANCE,
    THIRD,
    drop_cuts,
    place_cut,
    priced_cuts,
    stabilise,
    stable_modes,
    stiffness_shapes,
    turn_cut,
)
from spinesim.kernels.state import FIBRES, configure, cross_bridges, tangent
from spinesim.kernels.vector import copy, dot, fill, largest

GRADIENT_TOLERANCE = 1e-7  # [1/rad]; curvatures are 10 to 1e4 per rad2, so angles are met to 1e-8 rad or better
CUT_TOLERANCE = 1e-5  # [1/rad]; the same where a cut of stability has a price: its gradient is good to about 1e-6
ANGLE_TOLERANCE = 1e-11  # [rad]
ROUNDS = 200
HALVINGS = 30
LONGEST_STEP = 0.1  # [rad]; the curves are trusted no further in one step
GRADIENT_NOISE = 1e-6  # [1/rad], of rounding
LEARNED = 0.01  # [rad]; longer steps tell little of the second derivative; fewest rounds of 0.001 to 0.05 tried
TURNING = 48  # rows for the turning of modes: three cuts with a price
PROBE = 1e-5  # [rad]; forward difference of K, good to about 1e-5 of it, which costs no Newton round


@kernel(makes_arrays=True)
def goals(model, stance, work, carried, gradient, curvature):
    """Cost of leaving the support centre and the trunk's aim, its gradient and curvature by u.

    Parameters
    ----------
    work : Work as `configure` left it
    gradient : (nu,) float64 [1/rad], written in place
    curvature : (nu, nu) float64 [1/rad2], written in place; that of the trunk's angles themselves is left out
    """
    nq, nu = work.q.size, gradient.size
    off, by_q, by_u = np.empty(2), np.empty(nq), np.empty(nu)
    fill(0.0, gradient)
    weight = 1.0 / stance.sigma_centre**2
    cost = 0.0
    fill(0.0, work.square)
    for a in range(2):
        off[a] = dot(stance.ground[a], work.centre) - stance.centre_target[a]
        cost += 0.5 * weight * off[a] * off[a]
        factor = -weight * off[a] / carried
        add_turning_curvature(model, work.axes, work.leverage, stance.ground[a], factor, work.square)
    square_to_free(stance, work.square, curvature)
    for a in range(2):
        fill(0.0, by_q)
        add_turning(work.axes, work.leverage, stance.ground[a], -1.0 / carried, by_q)
        to_free(stance, by_q, by_u)
        for i in range(nu):
            gradient[i] += weight * off[a] * by_u[i]
            for j in range(nu):
                curvature[i, j] += weight * by_u[i] * by_u[j]
    weight = 1.0 / stance.sigma_trunk**2
    angles = trunk_angles(work.turn[model.trunk_body])
    for a in range(3):
        missed = angles[a] - stance.trunk_target[a]
        trunk_row(model, stance, work, a, by_q, by_u)
        cost += 0.5 * weight * missed * missed
        for i in range(nu):
            gradient[i] += weight * missed * by_u[i]
            for j in range(nu):
                curvature[i, j] += weight * by_u[i] * by_u[j]
    return cost


@inner
def trunk_row(model, stance, work, which, by_q, by_u):
    """Change of one trunk angle (0 flexion, 1 bend, 2 turn) by the free coordinates, written into ``by_u``."""
    for k in range(by_q.size):
        by_q[k] = 0.0
        if model.moves[model.trunk_body, k]:
            by_q[k] = trunk_gradient(work.turn[model.trunk_body], work.axes[k])[which]
    to_free(stance, by_q, by_u)


@inner(makes_arrays=True)
def held_errors(model, stance, held, values, free, work, errors, rows):
    """By how much the held angles are missed [rad] and their gradients, written in place (nh,), (nh, nu)."""
    by_q = np.empty(work.q.size)
    angles = trunk_angles(work.turn[model.trunk_body])
    for h in range(errors.size):
        if held.trunk[h] >= 0:
            errors[h] = angles[held.trunk[h]] - values[h]
            trunk_row(model, stance, work, held.trunk[h], by_q, rows[h])
        else:
            errors[h] = -values[h]
            for j in range(free.size):
                rows[h, j] = held.rows[h, j]
                errors[h] += held.rows[h, j] * free[j]


@inner(makes_arrays=True)
def _remaining(gradient, errors, rows, price):
    """Largest gradient along directions that the held angles leave free [1/rad], and largest error of those [rad].

    ``price`` (nh,) is the least-squares price of the held angles, written in place.
    """
    nu, nh = gradient.size, errors.size
    if nh == 0:
        return largest(gradient), 0.0
    small = np.empty((nh, nh))
    for h in range(nh):
        price[h] = 0.0
        for j in range(nu):
            price[h] -= rows[h, j] * gradient[j]
        for g in range(nh):
            small[h, g] = 0.0
            for j in range(nu):
                small[h, g] += rows[h, j] * rows[g, j]
    cholesky(small, nh)
    cholesky_solve(small, nh, price)
    worst = 0.0
    for j in range(nu):
        left = gradient[j]
        for h in range(nh):
            left += price[h] * rows[h, j]
        worst = max(worst, abs(left))
    return worst, largest(errors)


@inner(makes_arrays=True)
def add_trunk_curvature(model, stance, held, price, work, scratch, curvature):
    """Add the curvature of the trunk's angles, weighed by how far they are off and by the price of those held."""
    factor = np.empty(3)
    angles = trunk_angles(work.turn[model.trunk_body])
    for a in range(3):
        factor[a] = (angles[a] - stance.trunk_target[a]) / stance.sigma_trunk**2
    for h in range(price.size):
        if held.trunk[h] >= 0:
            factor[held.trunk[h]] += price[h]
    fill(0.0, work.square)
    for j in range(work.q.size):
        for i in range(j + 1):
            if model.moves[model.trunk_body, i] and model.moves[model.trunk_body, j]:
                work.square[i, j] = trunk_curvature(work.turn[model.trunk_body], work.axes[i], work.axes[j], factor)
    square_to_free(stance, work.square, scratch)
    for i in range(scratch.shape[0]):
        for j in range(scratch.shape[0]):
            curvature[i, j] += scratch[i, j]


@inner
def _without_muscles(stance, work, bare):
    """Moments that activations must give [N m] less those of the passive muscles, in place (nu,)."""
    copy(work.tau, bare)
    for i in range(work.length.size):
        for j in range(stance.column_first[i], stance.column_last[i]):
            bare[j] += work.arms[i, j] * work.passive[i]


@inner(makes_arrays=True)
def cut_slopes(
    model, stance, case, row, free, k, price, activation, work, side, store, slopes, cross, change, below_k, curvature
):
    """Change of a cut v' K v >= margin by the posture.

    ``cross`` (nu,) is that of what is still missing of it, minus d(v' K(u, a) v)/du at fixed activations, written in
    place; ``slopes`` (m, nu) gains ``price`` times the change of what every line gives to it. Third derivatives of
    lengths and of the energy of weights and tissue along v are differences of moment arms and moments at u + h v and
    u - h v; curves that bend within a few degrees, those of discs and passive muscles, are taken by themselves.

    Parameters
    ----------
    work : Work at ``free``; ``side`` (Work), ``store`` (n, nu) and ``below_k`` (nu, nu) are work space
    change : (nu, nu) float64, change along v of the stiffness without cross-bridges, written in place
    curvature : (nu, nu) float64, gains what the bending of discs and passive muscles gives to the second derivative of
        the Lagrangian
    """
    nu = free.size
    along, near, above, middle, below = np.zeros(nu), np.empty(nu), np.empty(nu), np.empty(nu), np.empty(nu)
    by_disc, by_joint = np.empty(nu), np.zeros(work.q.size)
    turning, curving = np.empty(work.q.size), np.empty(work.q.size)
    for s in range(stance.stable.size):
        along[stance.stable[s]] = work.cuts[k, s]
    disc_moments(model, work.disc, work.q, by_joint)
    to_free(stance, by_joint, near)
    disc_bending(model, stance, work.disc, work.q, along, turning, by_joint, curving)
    to_free(stance, by_joint, by_disc)
    _without_muscles(stance, work, middle)
    for j in range(nu):
        middle[j] += near[j]
    fill(0.0, side.disc)
    for j in range(nu):
        near[j] = free[j] + THIRD * along[j]
    configure(model, stance, case, row, near, side)
    tangent(model, stance, case, row, activation, 0.0, side, change)
    _without_muscles(stance, side, above)
    copy(side.arms, store)
    for j in range(nu):
        near[j] = free[j] - THIRD * along[j]
    configure(model, stance, case, row, near, side)
    tangent(model, stance, case, row, activation, 0.0, side, below_k)
    _without_muscles(stance, side, below)
    copy(work.disc, side.disc)
    for j in range(nu):
        for i in range(nu):
            change[i, j] = (change[i, j] - below_k[i, j]) / (2.0 * THIRD)
    add_diagonal(stance, turning, 1.0, change)
    add_diagonal(stance, curving, -price, curvature)
    for j in range(nu):
        cross[j] = -(above[j] - 2.0 * middle[j] + below[j]) / THIRD**2 - by_disc[j]
    _line_slopes(model, stance, case, row, price, activation, along, work, side, store, slopes, cross, curvature)


@inner
def _line_slopes(model, stance, case, row, price, activation, along, work, side, store, slopes, cross, curvature):
    """What the lines give to `cut_slopes`; ``store`` and ``side`` hold the moment arms at u + h v and u - h v."""
    for i in range(work.length.size):
        active, passive, a = work.active[i], work.passive[i], activation[i]
        first, last = stance.column_first[i], stance.column_last[i]
        arm = curve = 0.0
        for j in range(first, last):
            arm += along[j] * work.arms[i, j]
            curve -= along[j] * (store[i, j] - side.arms[i, j]) / (2.0 * THIRD)
        bridges = cross_bridges(i == model.pressure_line, case.short_range[row], work.active[i], work.length[i])
        slope, passive_slope, length = work.active_slope[i], work.passive_slope[i], work.length[i]
        bend, twist = passive_bend(model, i, case.stiffness[row, i], case.shift[row, i], work.fibre[i], passive)
        softening = bridges / length - bridges * slope / active if active != 0.0 else 0.0
        for j in range(first, last):
            r = work.arms[i, j]
            second = -(store[i, j] - side.arms[i, j]) / (2.0 * THIRD)
            third = -(store[i, j] - 2.0 * r + side.arms[i, j]) / THIRD**2
            given = active * third - slope * r * curve + softening * r * arm * arm - 2.0 * bridges * arm * second
            slopes[i, j] += price * given
            cross[j] -= a * given
            cross[j] -= passive * third - passive_slope * (r * curve + 2.0 * arm * second) - bend * r * arm * arm
            if twist != 0.0:
                for o in range(first, last):
                    curvature[j, o] -= price * twist * arm * arm * r * work.arms[i, o]


@inner
def _packed_times(packed, x, y):
    """Product of a symmetric matrix, of which the lower triangle is packed, and a vector; into ``y``."""
    fill(0.0, y)
    place = 0
    for s in range(x.size):
        for t in range(s + 1):
            y[s] += packed[place] * x[t]
            if t < s:
                y[t] += packed[place] * x[s]
            place += 1


@inner(makes_arrays=True)
def _rotations(
    model,
    stance,
    kappa,
    work,
    symmetric,
    k,
    price,
    margin,
    values,
    vectors,
    change,
    activation,
    inside,
    count,
    above,
    below,
    extra,
    bend,
    softness,
):
    """What the turning of a mode adds to the second derivative of its stiffness.

    The smallest eigenvalue curves by -2 (w' dK v)^2 / (gap) for every other mode w. To second order that is a row
    w' K v = 0 which may be missed at the price of softness gap / (2 price): appended to ``extra`` (q, m), what every
    line inside its bounds gives to it, ``bend`` (q, nu), its change by the posture, and ``softness`` (q,).

    Parameters
    ----------
    kappa : float, short-range stiffness
    values, vectors : eigenvalues and eigenvectors of K over the stable coordinates
    change : (nu, nu) float64, change of K without cross-bridges along v; where it is not the third derivative of an
        energy (cross-bridges, and forces that change with length), lines are taken one by one
    above, below : (n, nu) float64, moment arms at u + h v and u - h v, as `cut_slopes` left them

    Returns
    -------
    count : int, number of rows now in use
    """
    nu, ns, v = stance.n_free, stance.stable.size, work.cuts[k]
    moved, along, arm_row = np.empty(ns), np.empty(ns), np.empty(ns)
    by_lines, by_curves = np.zeros((ns, ns)), np.zeros(work.base.size)
    first, aside = count, False
    others = np.empty((softness.size, ns))
    for s in range(ns):
        aside = aside or (stance.lateral[stance.stable[s]] and abs(v[s]) > 1e-9)
    for e in range(ns):
        gap, beside = values[e] - margin, False
        for s in range(ns):
            beside = beside or (stance.lateral[stance.stable[s]] and abs(vectors[s, e]) > 1e-9)
        if count == softness.size or gap < ALIKE or (symmetric and beside != aside):
            continue
        softness[count] = gap / (2.0 * price)
        fill(0.0, extra[count])
        for s in range(ns):
            others[count, s] = vectors[s, e]
        for j in range(nu):
            bend[count, j] = 0.0
            for s in range(ns):
                bend[count, j] -= vectors[s, e] * change[stance.stable[s], j]
        count += 1
    _turning_lines(
        model,
        stance,
        kappa,
        work,
        v,
        activation,
        inside,
        above,
        below,
        others[first:count],
        moved,
        along,
        arm_row,
        by_lines,
        by_curves,
        extra[first:count],
        bend[first:count],
    )
    return count


@inner
def _turning_lines(
    model,
    stance,
    kappa,
    work,
    v,
    activation,
    inside,
    above,
    below,
    others,
    moved,
    along,
    arm_row,
    by_lines,
    by_curves,
    extra,
    bend,
):
    """What the lines give to `_rotations`, about the cut ``v``; ``by_lines`` and ``by_curves`` are 0."""
    ns = v.size
    for i in range(work.length.size):
        a, active = activation[i], work.active[i]
        if active == 0.0 or (a == 0.0 and not inside[i]):
            continue
        # shape = active H + bridges r r', with H the second derivative of the length; along = active H v
        packed, length = work.shape[i], work.length[i]
        bridges = cross_bridges(i == model.pressure_line, kappa, active, length)
        for s in range(ns):
            j = stance.stable[s]
            arm_row[s] = work.arms[i, j]
            along[s] = -active * (above[i, j] - below[i, j]) / (2.0 * THIRD)
        arm = dot(arm_row, v)
        if inside[i]:
            for s in range(ns):
                moved[s] = along[s] + bridges * arm * arm_row[s]
            for r in range(extra.shape[0]):
                extra[r, i] = dot(others[r], moved)
        if a == 0.0:
            continue
        steep, bridged = work.active_slope[i] / active, bridges / active
        stiff, curved = bridges * (1.0 / length - steep + bridged - steep) * arm, (bridged - steep) * arm
        for t in range(packed.size):
            by_curves[t] += a * curved * packed[t]
        for s in range(ns):
            r = a * arm_row[s]
            if r != 0.0:
                for t in range(ns):
                    by_lines[s, t] += r * (stiff * arm_row[t] - steep * along[t])
                    by_lines[t, s] -= r * bridged * along[t]
    for r in range(extra.shape[0]):
        _packed_times(by_curves, others[r], moved)
        for s in range(ns):
            bend[r, stance.stable[s]] += moved[s] - dot(by_lines[s], others[r])


@inner(makes_arrays=True)
def newton_matrix(
    stance, weight, inside, slopes, work, used, turning, extra, bend, softness, soft, multiplier, cross, square, gain
):
    """Turn ``square`` = goals'' + K'[lambda] into the second derivative of phi, in place.

    ``slopes`` (m, nu) is the change of the pulls by u, ``cross`` (N, nu) that of what is missing at fixed activations;
    ``gain`` (N, nu), the change of the multipliers by u, is written in place. Rows without a price do not count;
    ``turning`` rows of `_rotations` come last.
    """
    nu = stance.n_free
    priced, count = np.empty(nu + used, dtype=np.int64), 0
    for j in range(nu + used):
        if j < nu or multiplier[j] > 0.0:
            priced[count] = j
            count += 1
        fill(0.0, gain[j])
    size = count + turning
    normal, line, moving = np.zeros((size, size)), np.empty(size), np.empty((size, nu))
    for r in range(size):
        for k in range(nu):
            moving[r, k] = cross[priced[r], k] if r < count else bend[r - count, k]
    _normal_lines(stance, weight, inside, slopes, work, priced[:count], extra, line, normal, moving, square)
    diagonal = 0.0
    for r in range(count):
        diagonal = max(diagonal, normal[r, r])
    for r in range(size):
        normal[r, r] += soft + 1e-10 * diagonal + 1e-14 + (softness[r - count] if r >= count else 0.0)
    if not cholesky(normal, size):
        return False
    for k in range(nu):
        for r in range(size):
            line[r] = moving[r, k]
        cholesky_solve(normal, size, line)
        for r in range(size):
            if r < count:
                gain[priced[r], k] = line[r]
            for i in range(nu):
                square[i, k] += moving[r, i] * line[r]
    return True


@inner
def _normal_lines(stance, weight, inside, slopes, work, priced, extra, line, normal, moving, square):
    """What the lines inside their bounds give to `newton_matrix`: to its rows, their change and the matrix."""
    nu, count, size = stance.n_free, priced.size, line.size
    for i in range(weight.size):
        if inside[i]:
            first, last = stance.column_first[i], stance.column_last[i]
            for r in range(size):
                if r >= count:
                    line[r] = extra[r - count, i]
                else:
                    j = priced[r]
                    line[r] = work.columns[i, j] if j < nu else work.rows[j - nu, i]
            for r in range(size):
                c = line[r] / weight[i]
                if c != 0.0:
                    for t in range(r + 1):
                        normal[r, t] += c * line[t]
                    for k in range(first, last):
                        moving[r, k] -= c * slopes[i, k]
            for j in range(first, last):
                for k in range(first, last):
                    square[j, k] -= slopes[i, j] / weight[i] * slopes[i, k]


@inner(makes_arrays=True)
def newton_step(square, gradient, errors, rows, step):
    """Newton step of phi along which the held angles are met; where phi curves down, its curvature is taken as up."""
    nu, nh = gradient.size, errors.size
    factor, kept = np.empty((nu, nu)), np.empty((nu, nu))
    basis, slope, along = np.empty((nh, nu)), np.empty(nu), np.empty(nu)
    fill(0.0, step)
    for h in range(nh):
        # orthonormal directions of the held angles, and the shortest step that meets them
        short = -errors[h] - dot(rows[h], step)
        copy(rows[h], basis[h])
        for _ in range(2):
            for g in range(h):
                part = dot(basis[h], basis[g])
                for j in range(nu):
                    basis[h, j] -= part * basis[g, j]
        size = math.sqrt(dot(basis[h], basis[h]))
        for j in range(nu):
            basis[h, j] /= size
        part = dot(rows[h], basis[h])
        for j in range(nu):
            step[j] += short / part * basis[h, j]
    size = 0.0
    for i in range(nu):
        size = max(size, abs(square[i, i]))
        slope[i] = gradient[i]
        for j in range(nu):
            factor[i, j] = 0.5 * (square[i, j] + square[j, i])
            slope[i] += factor[i, j] * step[j]
    for h in range(nh):
        # the held directions leave the matrix; they get a curvature of their own size
        part = dot(slope, basis[h])
        for i in range(nu):
            slope[i] -= part * basis[h, i]
            along[i] = dot(factor[i], basis[h])
        middle = dot(along, basis[h])
        for i in range(nu):
            for j in range(nu):
                factor[i, j] += (middle + size) * basis[h, i] * basis[h, j]
                factor[i, j] -= along[i] * basis[h, j] + basis[h, i] * along[j]
    copy(factor, kept)
    if not cholesky(factor, nu):
        values, vectors = np.linalg.eigh(kept)
        top = largest(values)
        fill(0.0, factor)
        for e in range(nu):
            value = max(abs(values[e]), 1e-6 * top)
            for i in range(nu):
                for j in range(nu):
                    factor[i, j] += value * vectors[i, e] * vectors[j, e]
        cholesky(factor, nu)
    cholesky_solve(factor, nu, slope)
    for h in range(nh):
        part = dot(slope, basis[h])
        for j in range(nu):
            slope[j] -= part * basis[h, j]
    for j in range(nu):
        step[j] -= slope[j]


@inner(makes_arrays=True)
def learn(before, now, step, changed, lacking):
    """Symmetric rank-one update of what the second derivative lacks, from what a step showed of it, in place.

    Of the change of the gradient, the mean of the derivatives known at both ends of the step explains a part, good to
    the third power of the step; the rest is due to what they both lack.

    Parameters
    ----------
    before, now : (nu, nu) float64, second derivative as known at both ends [1/rad2]
    step : (nu,) float64 [rad]
    changed : (nu,) float64, change of the gradient [1/rad]
    lacking : (nu, nu) float64, written in place

    References
    ----------
    Nocedal and Wright 2006, Numerical Optimization, 6.2; structured: Dennis, Gay and Welsch 1981, ACM TOMS 7:348-368.
    """
    rest = np.empty(step.size)
    for j in range(step.size):
        rest[j] = changed[j]
        for k in range(step.size):
            rest[j] -= (0.5 * (before[j, k] + now[j, k]) + lacking[j, k]) * step[k]
    along = dot(rest, step)
    if largest(rest) > GRADIENT_NOISE and abs(along) > 1e-8 * math.sqrt(dot(rest, rest) * dot(step, step)):
        for j in range(step.size):
            for k in range(step.size):
                lacking[j, k] += rest[j] * rest[k] / along


@inner(makes_arrays=True)
def posture(
    model,
    stance,
    case,
    row,
    held,
    margin,
    soft,
    fixed,
    used,
    free,
    multiplier,
    lacking,
    activation,
    missing,
    work,
    side,
):
    """Find the posture from a start.

    Parameters
    ----------
    case, row : CaseArrays and the row to take
    held : HeldAngles; their values are ``case.held[row]``
        A case that is its own mirror image is solved within the symmetric postures.
    margin : float, stability demanded [N m/rad], -inf for none
    soft : float, 0 for exact balance; above 0 moments may be missed at a price (see `balance`)
    fixed, used : int, rows that are no cuts of stability, and rows in use (see `stability`)
    free : (nu,) float64 [rad], start and result
    multiplier : (nu + MAX_ROWS,) float64, start and result
    lacking : (nu, nu) float64 [1/rad2], 0 or what was learned in a case near by; what has been learned (see `learn`)
    activation : (n + na,) float64, written in place
    missing : (nu + MAX_ROWS,) float64, written in place
    work : Work, left at the result; ``work.disc`` must hold the disc constants of the case
    side : Work, scratch; its ``disc`` likewise

    Returns
    -------
    status, rounds, stationarity, used : int, int, float, int
        0 solved, 1 the posture it stopped at has no balance, 2 not converged; the largest remaining gradient [1/rad]
        along directions that the held angles leave free; rows in use.
    """
    nu, m, nh = free.size, activation.size, case.held.shape[1]
    lower, upper, values = case.lower[row], case.upper[row], case.held[row]
    weight = stance.cost / stance.sigma_activation**2
    problem = Sharing(work.columns, weight, stance.target, lower, upper, work.tau, work.rows, work.bound)
    gradient, step, trial, price = np.empty(nu), np.empty(nu), np.empty(nu), np.zeros(nh)
    trial_multiplier, change = multiplier.copy(), np.zeros(multiplier.size)
    curvature, stiffness, probe = np.empty((nu, nu)), np.empty((nu, nu)), np.empty((nu, nu))
    below_k = np.empty((nu, nu))
    eigenvalues, modes = np.empty(0), np.empty((0, 0))
    gain, cross = np.empty((multiplier.size, nu)), np.empty((multiplier.size, nu))
    slopes, store = np.empty((m, nu)), np.empty((work.length.size, nu))
    extra, bend, softness = np.zeros((TURNING, m)), np.empty((TURNING, nu)), np.empty(TURNING)
    inside = np.empty(m, dtype=np.bool_)
    errors, rows = np.empty(nh), np.empty((nh, nu))
    trial_activation = np.empty(m)
    copy(free, trial)
    before, gradient_before, rows_before = np.empty((nu, nu)), np.empty(nu), np.empty((nh, nu))
    changed, priced_before = np.empty(nu), priced_cuts(fixed, used, nu, multiplier)
    penalty, merit, slope, length, longest = 0.0, math.inf, 0.0, 1.0, 0.0
    worst, cost, rounds, halvings = math.nan, 0.0, 0, 0
    while True:
        configure(model, stance, case, row, trial, work)
        if used > fixed:
            stiffness_shapes(model, stance, case, row, work)
            for k in range(fixed, used):
                place_cut(work, margin, k)
        status, _ = balance(problem, used, soft, 2.0, trial_multiplier, trial_activation, missing, work.room)
        allowed = merit + 1e-4 * length * slope + 1e-11 * abs(merit) + 1e-14
        for k in range(fixed, used):
            # cuts meet the margin to their tolerance, and the merit to as much times their price
            allowed += 2.0 * FOUND_MARGIN_TOLERANCE * trial_multiplier[nu + k]
        aim = missed = 0.0
        if status == SOLVED:
            aim = goals(model, stance, work, work.carried[0], gradient, curvature)
            held_errors(model, stance, held, values, trial, work, errors, rows)
            for h in range(nh):
                missed += penalty * abs(errors[h])
            cost = aim + _effort(weight, stance.target, trial_activation, trial_multiplier, soft)
            if margin > -math.inf and cost + missed <= allowed:
                if used == fixed:
                    stiffness_shapes(model, stance, case, row, work)
                status, used, _ = stabilise(
                    problem,
                    fixed,
                    used,
                    soft,
                    2.0,
                    margin,
                    FOUND_MARGIN_TOLERANCE,
                    case.symmetric[row],
                    stance,
                    work,
                    trial_multiplier,
                    trial_activation,
                    missing,
                )
                cost = aim + _effort(weight, stance.target, trial_activation, trial_multiplier, soft)
                if status == SOLVED and cost + missed <= allowed:
                    status, used = turn_cut(
                        problem,
                        fixed,
                        used,
                        soft,
                        margin,
                        FOUND_MARGIN_TOLERANCE,
                        case.symmetric[row],
                        stance,
                        work,
                        trial_multiplier,
                        trial_activation,
                        missing,
                    )
                    cost = aim + _effort(weight, stance.target, trial_activation, trial_multiplier, soft)
        # rounding of the merit allows for the last steps, where its change is below its own precision
        if status != SOLVED or cost + missed > allowed:
            if merit == math.inf:
                return status, rounds, worst, used
            if halvings == HALVINGS:
                return NOT_CONVERGED, rounds, worst, used
            halvings += 1
            length *= 0.5
            for j in range(nu):
                trial[j] = free[j] + length * step[j]
            for j in range(nu + used):
                trial_multiplier[j] = multiplier[j] + length * change[j]
                if j >= nu:
                    trial_multiplier[j] = max(trial_multiplier[j], 0.0)
            continue
        used = drop_cuts(work, fixed, used, nu, trial_multiplier)
        copy(trial, free)
        copy(trial_multiplier, multiplier)
        copy(trial_activation, activation)
        tangent(model, stance, case, row, activation, FIBRES, work, stiffness)
        fill(0.0, slopes)
        for i in range(nu):
            copy(stiffness[i], cross[i])
            for j in range(nu):
                gradient[i] += stiffness[i, j] * multiplier[j]
        priced = 0
        turning = 0 * used  # a number of its type, or the rows below would be compiled for a constant and again
        for i in range(m):
            inside[i] = lower[i] < activation[i] < upper[i]
        for k in range(fixed, used):
            if multiplier[nu + k] > 0.0:
                priced += 1
        if priced > 0:
            eigenvalues, modes = stable_modes(stance, work, activation, case.symmetric[row])
        for k in range(used):
            fill(0.0, cross[nu + k])
            charge = multiplier[nu + k]
            if k >= fixed and charge > 0.0:
                cut_slopes(
                    model,
                    stance,
                    case,
                    row,
                    free,
                    k,
                    charge,
                    activation,
                    work,
                    side,
                    store,
                    slopes,
                    cross[nu + k],
                    probe,
                    below_k,
                    curvature,
                )
                turning = _rotations(
                    model,
                    stance,
                    case.short_range[row],
                    work,
                    case.symmetric[row],
                    k,
                    charge,
                    margin,
                    eigenvalues,
                    modes,
                    probe,
                    activation,
                    inside,
                    turning,
                    store,
                    side.arms,
                    extra,
                    bend,
                    softness,
                )
                for j in range(nu):
                    gradient[j] += charge * cross[nu + k, j]
        if case.symmetric[row]:
            for j in range(nu):
                if stance.lateral[j]:
                    gradient[j] = 0.0
                    for h in range(nh):
                        rows[h, j] = 0.0
        worst, off = _remaining(gradient, errors, rows, price)
        moved = largest(step) if rounds > 0 and halvings == 0 and merit < math.inf else math.inf
        settled = moved <= ANGLE_TOLERANCE and largest(change) <= 1e-9 * (1.0 + largest(multiplier))
        fine = CUT_TOLERANCE if priced > 0 else GRADIENT_TOLERANCE
        if off <= ANGLE_TOLERANCE and (worst <= fine or settled):
            return SOLVED, rounds, worst, used
        if rounds == ROUNDS or not math.isfinite(worst):
            return NOT_CONVERGED, rounds, worst, used
        add_trunk_curvature(model, stance, held, price, work, probe, curvature)
        size = largest(multiplier[:nu])
        if size > 0.0:
            for j in range(nu):
                trial[j] = free[j] + PROBE * multiplier[j] / size
            configure(model, stance, case, row, trial, side)
            tangent(model, stance, case, row, activation, FIBRES, side, probe)
            factor = size / PROBE
            for i in range(nu):
                for j in range(nu):
                    curvature[i, j] += factor * (probe[i, j] - stiffness[i, j])
            for i in range(m):
                for j in range(stance.column_first[i], stance.column_last[i]):
                    slopes[i, j] += factor * (side.columns[i, j] - work.columns[i, j])
        if not newton_matrix(
            stance,
            weight,
            inside,
            slopes,
            work,
            used,
            turning,
            extra,
            bend,
            softness,
            soft,
            multiplier,
            cross,
            curvature,
            gain,
        ):
            return NOT_CONVERGED, rounds, worst, used
        if case.symmetric[row]:
            for j in range(nu):
                if stance.lateral[j]:
                    for i in range(nu):
                        curvature[i, j] = 0.0
                        curvature[j, i] = 0.0
                    curvature[j, j] = 1.0
        if priced != priced_before:
            fill(0.0, lacking)
        elif priced > 0 and rounds > 0 and length * longest <= LEARNED:
            # of the Lagrangian: with the held angles at their present price at both ends
            for j in range(nu):
                step[j] *= length
                changed[j] = gradient[j] - gradient_before[j]
                for h in range(nh):
                    changed[j] += price[h] * (rows[h, j] - rows_before[h, j])
            learn(before, curvature, step, changed, lacking)
        priced_before = priced
        copy(gradient, gradient_before)
        for h in range(nh):
            copy(rows[h], rows_before[h])
        for j in range(nu):
            copy(curvature[j], before[j])
            for k in range(nu):
                curvature[j, k] += lacking[j, k]
        newton_step(curvature, gradient, errors, rows, step)
        longest = largest(step)
        if not longest < math.inf:
            return NOT_CONVERGED, rounds, worst, used
        for h in range(nh):
            penalty = max(penalty, 2.0 * abs(price[h]))
        merit, slope = cost, 0.0
        for h in range(nh):
            merit += penalty * abs(errors[h])
            slope -= penalty * abs(errors[h])
        for j in range(nu):
            slope += gradient[j] * step[j]
        if priced > 1 and off <= ANGLE_TOLERANCE:
            # cuts that share the margin are not turned: they hold it, and the cost, to their tolerance
            worth = 0.0
            for k in range(fixed, used):
                worth += FOUND_MARGIN_TOLERANCE * multiplier[nu + k]
            if -slope <= worth:
                return SOLVED, rounds, worst, used
        length = min(1.0, LONGEST_STEP / longest) if longest > 0.0 else 1.0
        halvings = 0
        rounds += 1
        for j in range(nu):
            trial[j] = free[j] + length * step[j]
        fill(0.0, change)
        for j in range(nu + used):
            change[j] = dot(gain[j], step)
            trial_multiplier[j] = multiplier[j] + length * change[j]
            if j >= nu:
                trial_multiplier[j] = max(trial_multiplier[j], 0.0)


@stage
def _effort(weight, target, activation, multiplier, soft):
    """Cost of the activations and, where allowed, of missed moments."""
    value = 0.0
    for i in range(weight.size):
        value += 0.5 * weight[i] * (activation[i] - target[i]) ** 2
    for j in range(multiplier.size):
        value += 0.5 * soft * multiplier[j] ** 2
    return value
