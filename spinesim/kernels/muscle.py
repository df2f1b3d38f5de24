"""Lengths, moment arms and second derivatives of the fascicle paths, and the forces along them.

A path is a chain of straight segments. A conditional point fades in and out over a range of one joint coordinate: the
two segments through it count with weight w, the direct one with 1 - w, where w is a C2 step of that coordinate.
"""

import math

from spinesim.kernels.chain import world
from spinesim.kernels.derived import active_curve, passive_curve, smooth_step
from spinesim.kernels.jit import inner, kernel, stage
from spinesim.kernels.vector import fill

SLACK = 1e-30  # [N]; a smooth curve never ends, but processors take a hundred times as long over smaller numbers
# [1] steps of first and second differences of a curve that bends within 1e-2: ten and five digits are left
NEAR, FAR = 1e-6, 2e-5


@inner
def fade(model, s, q):
    """Weight of a segment and its first two derivatives by the coordinate of its condition."""
    k = model.segment_condition[s]
    if k < 0:
        return 1.0, 0.0, 0.0
    width = 2.0 * model.condition_blend
    up, up1, up2 = smooth_step((q[k] - model.segment_range[s, 0]) / width + 0.5)
    down, down1, down2 = smooth_step((model.segment_range[s, 1] - q[k]) / width + 0.5)
    w = up * down
    w1 = (up1 * down - up * down1) / width
    w2 = (up2 * down - 2.0 * up1 * down1 + up * down2) / (width * width)
    if model.segment_with[s]:
        return w, w1, w2
    return 1.0 - w, -w1, -w2


@inner
def _segment(model, s, turn, place, axes, centres, velocity, slope):
    """Length of a segment, its unit direction, and per hinge that changes it the end's velocity and dlength/dq.

    ``velocity`` (nq, 3) and ``slope`` (nq,) are filled for entries 0 .. count - 1 in the order of the hinges; the
    velocity is that of the second end relative to the first.
    """
    ax, ay, az = world(turn, place, model.segment_bodies[s, 0], model.segment_points[s, 0])
    bx, by, bz = world(turn, place, model.segment_bodies[s, 1], model.segment_points[s, 1])
    ex, ey, ez = bx - ax, by - ay, bz - az
    length = math.sqrt(ex * ex + ey * ey + ez * ez)
    ex /= length
    ey /= length
    ez /= length
    first = model.segment_first[s]
    for c in range(first, model.segment_first[s + 1]):
        k = model.segment_coordinates[c]
        if model.segment_ends[c] == 1:
            px, py, pz = bx - centres[k, 0], by - centres[k, 1], bz - centres[k, 2]
        else:
            px, py, pz = centres[k, 0] - ax, centres[k, 1] - ay, centres[k, 2] - az
        vx = axes[k, 1] * pz - axes[k, 2] * py
        vy = axes[k, 2] * px - axes[k, 0] * pz
        vz = axes[k, 0] * py - axes[k, 1] * px
        velocity[c - first, 0] = vx
        velocity[c - first, 1] = vy
        velocity[c - first, 2] = vz
        slope[c - first] = ex * vx + ey * vy + ez * vz
    return length, ex, ey, ez


@kernel
def paths(model, q, turn, place, axes, centres, velocity, slope, length, gradient):
    """Musculotendon length of every fascicle and its derivatives by the joint coordinates, written in place.

    Parameters
    ----------
    velocity, slope : (nq, 3), (nq,) float64, work space
    length : (n,) float64 [m], written in place
    gradient : (n, nq) float64, dL/dq [m/rad], written in place; the moment arm is its negative
    """
    fill(0.0, gradient)
    for i in range(length.size):
        total = 0.0
        for s in range(model.muscle_segments[i], model.muscle_segments[i + 1]):
            w, w1, _ = fade(model, s, q)
            if w == 0.0 and w1 == 0.0:
                continue
            span, _, _, _ = _segment(model, s, turn, place, axes, centres, velocity, slope)
            total += w * span
            first = model.segment_first[s]
            for c in range(first, model.segment_first[s + 1]):
                gradient[i, model.segment_coordinates[c]] += w * slope[c - first]
            if w1 != 0.0:
                gradient[i, model.segment_condition[s]] += w1 * span
        length[i] = total


@stage
def line_curvature(model, i, q, turn, place, axes, centres, velocity, slope, factor, square):
    """Add factor d2L_i/dq2 of one line to the upper triangle of ``square`` (nq, nq).

    Parameters
    ----------
    velocity, slope : (nq, 3), (nq,) float64, work space
    """
    for s in range(model.muscle_segments[i], model.muscle_segments[i + 1]):
        w, w1, w2 = fade(model, s, q)
        if w == 0.0 and w1 == 0.0 and w2 == 0.0:
            continue
        span, ex, ey, ez = _segment(model, s, turn, place, axes, centres, velocity, slope)
        first = model.segment_first[s]
        count = model.segment_first[s + 1] - first
        scale = w * factor
        for d in range(count):
            kd = model.segment_coordinates[first + d]
            vx, vy, vz = velocity[d, 0], velocity[d, 1], velocity[d, 2]
            # e . (a_i x v) = a_i . (v x e)
            cx = vy * ez - vz * ey
            cy = vz * ex - vx * ez
            cz = vx * ey - vy * ex
            end = model.segment_ends[first + d]
            for c in range(d + 1):
                kc = model.segment_coordinates[first + c]
                value = (velocity[c, 0] * vx + velocity[c, 1] * vy + velocity[c, 2] * vz - slope[c] * slope[d]) / span
                if model.segment_ends[first + c] == end:
                    value += axes[kc, 0] * cx + axes[kc, 1] * cy + axes[kc, 2] * cz
                square[kc, kd] += scale * value
        if model.segment_condition[s] >= 0 and (w1 != 0.0 or w2 != 0.0):
            kw = model.segment_condition[s]
            square[kw, kw] += factor * w2 * span
            for d in range(count):
                kd = model.segment_coordinates[first + d]
                part = factor * w1 * slope[d]
                square[min(kw, kd), max(kw, kd)] += part if kw != kd else 2.0 * part


@stage
def path_curvature(model, q, turn, place, axes, centres, velocity, slope, factor, square):
    """Add sum_i factor_i d2L_i/dq2 to the upper triangle of ``square`` (nq, nq); a factor of 0 costs nothing.

    Parameters
    ----------
    velocity, slope : (nq, 3), (nq,) float64, work space
    factor : (n,) float64, such as the tensions [N]
    """
    for i in range(factor.size):
        if factor[i] != 0.0:
            line_curvature(model, i, q, turn, place, axes, centres, velocity, slope, factor[i], square)


@stage
def tensions(
    model, strength, stiffness, shift, rest_pressure, length, fibre, active, active_slope, passive, passive_slope
):
    """Active force at full activation and passive force of every line, written in place.

    Fascicle: F = cos(pennation) [F_max strength a f_L(l) + F_pas stiffness f_P(l + s)], l = (L - L_slack)/(l_opt cos).
    Pressure: it pushes with -(p_rest + p_range strength a) area, whatever the length of its line.

    Parameters
    ----------
    strength, stiffness, shift, length : (n,) float64 [1], [1], [1], [m]
    rest_pressure : float [Pa]
    fibre : (n,) float64, normalised fibre length, written in place
    active, passive : (n,) float64 [N]
    active_slope, passive_slope : (n,) float64, derivatives by musculotendon length [N/m]

    References
    ----------
    De Groote et al. 2016, Ann Biomed Eng 44:2922-2936; rigid tendon, constant pennation.
    """
    for i in range(length.size):
        if i == model.pressure_line:
            fibre[i] = 1.0
            active[i] = -model.pressure_range * strength[i] * model.pressure_area
            passive[i] = -rest_pressure * model.pressure_area
            active_slope[i] = passive_slope[i] = 0.0
            continue
        c = model.cos_pennation[i]
        unit = model.optimal_length[i] * c
        stretch = (length[i] - model.slack_length[i]) / unit
        fibre[i] = stretch
        f, df = active_curve(stretch, model.active_constants, model.length_floor, model.softplus)
        force = c * model.max_force[i] * strength[i]
        active[i] = force * f
        active_slope[i] = force * df / unit
        g, dg = passive_curve(
            stretch + shift[i],
            model.passive_slack[i],
            model.passive_strain[i],
            model.passive_shape,
            model.softplus,
        )
        force = c * model.passive_force[i] * stiffness[i]
        passive[i] = force * g
        passive_slope[i] = force * dg / unit
        if passive[i] < SLACK:
            passive[i] = passive_slope[i] = 0.0


@stage
def pressure_row(model, strength, row):
    """The inequality by which the obliques bound the pressure: what they can hold of it less its rise, in place.

    The wall holds a pressure by its force: a fascicle of half the strength holds half as much at the same activation.

    Parameters
    ----------
    strength : (n or more,) float64, those of the lines first
    row : (n or more,) float64 [1], coefficients of the activations over ``pressure_range``; kept without a pressure
    """
    if model.pressure_line >= 0:
        for i in range(model.pressure_share.size):
            row[i] = model.pressure_share[i] * strength[i]
        row[model.pressure_line] = -strength[model.pressure_line]


@stage
def passive_bend(model, i, stiffness, shift, fibre, passive):
    """Second [N/m2] and third derivative [N/m3] of the passive force of line i by its length; 0 for a pressure.

    ``passive`` is that force [N]: where it is 0 the line is slack.
    """
    if i == model.pressure_line or passive == 0.0:
        return 0.0, 0.0
    unit = model.optimal_length[i] * model.cos_pennation[i]
    slack, strain, shape, softplus = (
        model.passive_slack[i],
        model.passive_strain[i],
        model.passive_shape,
        model.softplus,
    )
    force = model.cos_pennation[i] * model.passive_force[i] * stiffness
    _, above = passive_curve(fibre + shift + NEAR, slack, strain, shape, softplus)
    _, below = passive_curve(fibre + shift - NEAR, slack, strain, shape, softplus)
    bend = force * (above - below) / (2.0 * NEAR * unit**2)
    _, above = passive_curve(fibre + shift + FAR, slack, strain, shape, softplus)
    _, here = passive_curve(fibre + shift, slack, strain, shape, softplus)
    _, below = passive_curve(fibre + shift - FAR, slack, strain, shape, softplus)
    return bend, force * (above - 2.0 * here + below) / (FAR**2 * unit**3)


@stage
def arms_to_free(stance, gradient, arms):
    """Moment arms about the free coordinates, -B' dL/dq, written in place (n, nu)."""
    fill(0.0, arms)
    for i in range(gradient.shape[0]):
        for k in range(gradient.shape[1]):
            value = gradient[i, k]
            if value != 0.0:
                for e in range(stance.rate_first[k], stance.rate_first[k + 1]):
                    arms[i, stance.rate_index[e]] -= stance.rate[e] * value
