"""Moments of discs (with ligaments and facets) and of the passive tissue around hips and knees."""

import math

from spinesim.kernels.derived import disc_law
from spinesim.kernels.jit import kernel, stage
from spinesim.kernels.vector import fill

PROBE = 1e-6  # [rad]; the stiffness of a disc bends within 5e-3 rad, and rounding leaves ten digits


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
def disc_bending(model, stance, constants, q, along, by_joint):
    """Change of v' K v by the joint coordinates, K the stiffness of the discs [N m/rad2], in place (nq,).

    Parameters
    ----------
    along : (nu,) float64, v over the free coordinates
    """
    fill(0.0, by_joint)
    for d in range(constants.shape[0]):
        k = model.disc_coordinate[d]
        rate = 0.0
        for e in range(stance.rate_first[k], stance.rate_first[k + 1]):
            rate += stance.rate[e] * along[stance.rate_index[e]]
        p1, p2, p3, n1, n2, n3 = constants[d]
        zone, width, blend = model.zone_fraction, model.zone_width, model.zone_blend
        _, above = disc_law(q[k] + PROBE, p1, p2, p3, n1, n2, n3, zone, width, blend)
        _, below = disc_law(q[k] - PROBE, p1, p2, p3, n1, n2, n3, zone, width, blend)
        by_joint[k] = rate * rate * (above - below) / (2.0 * PROBE)


@kernel
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
