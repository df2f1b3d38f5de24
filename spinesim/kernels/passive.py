"""Moments of discs (with ligaments and facets) and of the passive tissue around hips and knees."""

import math

from spinesim.kernels.derived import disc_law
from spinesim.kernels.jit import kernel, stage
from spinesim.kernels.vector import fill

# [rad] steps of first and second differences of a stiffness that bends within 5e-3 rad: ten and five digits are left
NEAR, FAR = 1e-6, 2e-5


@stage
def disc_constants(model, preload, constants):
    """Constants of the disc laws at an axial preload [N], interpolated between the tables; written in place (nd, 6)."""
    table = model.disc_preload
    upper = 1
    while upper < table.size - 1 and preload > table[upper]:
        upper += 1
    share = (preload - table[upper - 1]) / (table[upper] - table[upper - 1])
    for d in range(constants.shape[0]):
        for c in range(6):
            constants[d, c] = (1.0 - share) * model.disc_law[d, upper - 1, c] + share * model.disc_law[d, upper, c]


@kernel
def disc_moments(model, constants, q, moment):
    """Add the moments of the discs about their hinges [N m] to ``moment`` (nq,)."""
    for d in range(constants.shape[0]):
        k = model.disc_coordinate[d]
        p1, p2, p3, n1, n2, n3 = constants[d]
        resisting, _ = disc_law(q[k], p1, p2, p3, n1, n2, n3, model.zone_fraction, model.zone_width, model.zone_blend)
        moment[k] -= resisting


@stage
def disc_stiffness(model, constants, q, square):
    """Add the tangent stiffness of the discs [N m/rad] to the diagonal of ``square`` (nq, nq)."""
    for d in range(constants.shape[0]):
        k = model.disc_coordinate[d]
        p1, p2, p3, n1, n2, n3 = constants[d]
        _, stiffness = disc_law(q[k], p1, p2, p3, n1, n2, n3, model.zone_fraction, model.zone_width, model.zone_blend)
        square[k, k] += stiffness


@stage
def disc_bending(model, stance, constants, q, along, turning, bending, curving):
    """First and second change of the stiffness of the discs along a motion; in place (nq,), 0 but at discs.

    Parameters
    ----------
    along : (nu,) float64, the motion v over the free coordinates
    turning, bending, curving : (nq,) float64
        k' v [N m/rad2], k' v^2 [N m/rad2] and k'' v^2 [N m/rad3] of the tangent stiffness k of every hinge.
    """
    fill(0.0, turning)
    fill(0.0, bending)
    fill(0.0, curving)
    zone, width, blend = model.zone_fraction, model.zone_width, model.zone_blend
    for d in range(constants.shape[0]):
        k = model.disc_coordinate[d]
        rate = 0.0
        for e in range(stance.rate_first[k], stance.rate_first[k + 1]):
            rate += stance.rate[e] * along[stance.rate_index[e]]
        p1, p2, p3, n1, n2, n3 = constants[d]
        _, above = disc_law(q[k] + NEAR, p1, p2, p3, n1, n2, n3, zone, width, blend)
        _, below = disc_law(q[k] - NEAR, p1, p2, p3, n1, n2, n3, zone, width, blend)
        slope = (above - below) / (2.0 * NEAR)
        _, above = disc_law(q[k] + FAR, p1, p2, p3, n1, n2, n3, zone, width, blend)
        _, here = disc_law(q[k], p1, p2, p3, n1, n2, n3, zone, width, blend)
        _, below = disc_law(q[k] - FAR, p1, p2, p3, n1, n2, n3, zone, width, blend)
        turning[k], bending[k] = slope * rate, slope * rate * rate
        curving[k] = (above - 2.0 * here + below) / (FAR * FAR) * rate * rate


@stage
def add_diagonal(stance, by_joint, factor, by_free):
    """Add factor B' diag(by_joint) B to a matrix over the free coordinates (nu, nu)."""
    for k in range(by_joint.size):
        if by_joint[k] != 0.0:
            for e in range(stance.rate_first[k], stance.rate_first[k + 1]):
                for f in range(stance.rate_first[k], stance.rate_first[k + 1]):
                    part = stance.rate[e] * stance.rate[f] * by_joint[k]
                    by_free[stance.rate_index[e], stance.rate_index[f]] += factor * part


@stage
def tissue_moment(model, t, shift, q):
    """Moment of one tissue branch about its own coordinate [N m]; ``shift`` moves the branch along it [rad]."""
    exponent = model.tissue_rate[t] * (q[model.tissue_coordinate[t]] - shift)
    if model.tissue_second[t] >= 0:
        exponent += model.tissue_coupling[t] * q[model.tissue_second[t]]
    return model.tissue_amplitude[t] * math.exp(exponent)


@kernel
def tissue_moments(model, shift, q, moment):
    """Add the moments of the hip and knee tissue [N m] to ``moment`` (nq,); ``shift`` (nt,) is the tightness."""
    for t in range(model.tissue_amplitude.size):
        own = tissue_moment(model, t, shift[t], q)
        moment[model.tissue_coordinate[t]] += own
        if model.tissue_second[t] >= 0:
            moment[model.tissue_second[t]] += model.tissue_coupling[t] / model.tissue_rate[t] * own


@stage
def tissue_stiffness(model, shift, q, square):
    """Add the tangent stiffness of the tissue [N m/rad] to the upper triangle of ``square`` (nq, nq)."""
    for t in range(model.tissue_amplitude.size):
        own = tissue_moment(model, t, shift[t], q)
        k, second = model.tissue_coordinate[t], model.tissue_second[t]
        square[k, k] -= model.tissue_rate[t] * own
        if second >= 0:
            coupling = model.tissue_coupling[t]
            square[min(k, second), max(k, second)] -= coupling * own
            square[second, second] -= coupling * coupling / model.tissue_rate[t] * own
