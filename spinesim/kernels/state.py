"""The stages from free coordinates to the equations of balance: chain, muscle, passive, gravity, contact."""

from spinesim.kernels import chain, contact, gravity, muscle, passive
from spinesim.kernels.jit import inner, kernel
from spinesim.kernels.vector import fill

FIBRES = -1.0  # stands for the force-length curve where a short-range stiffness is asked for


@kernel
def configure(model, stance, case, row, free, work):
    """Everything the force balance needs at a posture, written into ``work``.

    Parameters
    ----------
    case, row : CaseArrays and the row to take
    free : (nu,) float64, free coordinates [rad]
    work : Work, written in place; ``work.disc`` must hold the disc constants of the case

    Returns
    -------
    carried : float, weight that the support carries through the chain [N]
    """
    chain.joint_coordinates(stance, case.offset[row], free, work.q)
    chain.forward(model, work.q, work.turn, work.place, work.axes, work.centres)
    muscle.paths(
        model,
        work.q,
        work.turn,
        work.place,
        work.axes,
        work.centres,
        work.velocity,
        work.slope,
        work.length,
        work.gradient,
    )
    muscle.tensions(
        model,
        case.strength[row],
        case.stiffness[row],
        case.shift[row],
        case.rest_pressure[row],
        work.length,
        work.fibre,
        work.active,
        work.active_slope,
        work.passive,
        work.passive_slope,
    )
    muscle.pressure_row(model, case.strength[row], work.rows[0])
    muscle.arms_to_free(stance, work.gradient, work.arms)
    fill(0.0, work.moment)
    passive.disc_moments(model, work.disc, work.q, work.moment)
    passive.tissue_moments(model, case.tissue_shift[row], work.q, work.moment)
    carried = gravity.weights(
        model,
        stance,
        stance.support_share,
        case.load[row],
        case.load_point[row],
        work.turn,
        work.place,
        work.centres,
        work.leverage,
        work.centre,
    )
    gravity.add_turning(work.axes, work.leverage, stance.up, 1.0, work.moment)
    contact.contact_moments(model, stance, stance.support_share, case.contact_height[row], work, work.moment)
    work.carried[0] = carried
    chain.to_free(stance, work.moment, work.tau)
    nu = stance.n_free
    n = work.length.size
    for j in range(nu):
        work.tau[j] = -work.tau[j]
    for i in range(n):
        for j in range(stance.column_first[i], stance.column_last[i]):
            work.columns[i, j] = work.arms[i, j] * work.active[i]
            work.tau[j] -= work.arms[i, j] * work.passive[i]
    for i in range(stance.actuator_moment.shape[0]):
        for j in range(nu):
            work.columns[n + i, j] = stance.actuator_moment[i, j] * case.strength[row, n + i]
    return carried


@kernel
def tangent(model, stance, case, row, activation, short_range, work, stiffness):
    """Tangent stiffness at fixed activations, minus the change of all moments by the free coordinates, in place.

    Parameters
    ----------
    activation : (n + na,) float64
    short_range : float
        Below 0 (`FIBRES`): an active fibre follows its force-length curve, as from one posture to another. Else kappa:
        its cross-bridges hold, with the stiffness kappa F / L of a small disturbance.
    work : Work as `configure` left it
    stiffness : (nu, nu) float64 [N m/rad], written in place
    """
    square = work.square
    fill(0.0, square)
    for i in range(work.tension.size):
        work.tension[i] = activation[i] * work.active[i] + work.passive[i]
    muscle.path_curvature(
        model,
        work.q,
        work.turn,
        work.place,
        work.axes,
        work.centres,
        work.velocity,
        work.slope,
        work.tension,
        square,
    )
    passive.disc_stiffness(model, work.disc, work.q, square)
    passive.tissue_stiffness(model, case.tissue_shift[row], work.q, square)
    gravity.add_turning_curvature(model, work.axes, work.leverage, stance.up, -1.0, square)
    contact.contact_stiffness(model, stance, case.contact_height[row], work, square)
    chain.square_to_free(stance, square, stiffness)
    for i in range(work.tension.size):
        slope = work.active_slope[i]
        if short_range >= 0.0:
            slope = cross_bridges(i == model.pressure_line, short_range, work.active[i], work.length[i])
        slope = activation[i] * slope + work.passive_slope[i]
        if slope != 0.0:
            for j in range(stance.column_first[i], stance.column_last[i]):
                factor = slope * work.arms[i, j]
                for k in range(stance.column_first[i], stance.column_last[i]):
                    stiffness[j, k] += factor * work.arms[i, k]


@inner
def cross_bridges(pressure, short_range, active, length):
    """Stiffness kappa F / L [N/m] of a line at full activation, with its musculotendon length L; none of a pressure.

    References
    ----------
    Bergmark 1989, Acta Orthop Scand Suppl 230; Cholewicki and McGill 1996, Clin Biomech 11:1-15 (both from memory).
    """
    return 0.0 if pressure else short_range * active / length
