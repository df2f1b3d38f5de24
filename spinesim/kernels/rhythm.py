"""Completion of a held posture: named angles met, the rest moved along a few given directions."""

import math

import numpy as np

from spinesim.kernels.chain import forward, joint_coordinates, to_free
from spinesim.kernels.gravity import add_turning, weights
from spinesim.kernels.jit import inner, kernel
from spinesim.kernels.posture import held_errors
from spinesim.kernels.vector import dot, fill, largest

ROUNDS = 50
TOLERANCE = 1e-12  # [rad], and [m] for the centre of mass


@inner(makes_arrays=True)
def complete(model, stance, case, row, held, modes, centred, free, work):
    """Solve for the posture that meets the held angles and, if asked, keeps the centre of mass over its support.

    Parameters
    ----------
    case, row, held : values of the held angles are ``case.held[row]``
    modes : (nh + c, nu) float64, directions in which the posture may move; as many as conditions
    centred : (c,) int64, directions of the ground in which the centre of mass must stand over its aim
    free : (nu,) float64 [rad], start and result

    Returns
    -------
    bool : False if no such posture was found
    """
    nh, nu, count = case.held.shape[1], free.size, modes.shape[0]
    carried = 1.0
    errors, rows = np.empty(nh), np.empty((nh, nu))
    conditions, left = np.empty((count, count)), np.empty(count)
    by_q, by_u = np.empty(work.q.size), np.empty(nu)
    for _ in range(ROUNDS):
        joint_coordinates(stance, case.offset[row], free, work.q)
        forward(model, work.q, work.turn, work.place, work.axes, work.centres)
        held_errors(model, stance, held, case.held[row], free, work, errors, rows)
        for h in range(nh):
            left[h] = -errors[h]
            for m in range(count):
                conditions[h, m] = dot(rows[h], modes[m])
        if centred.size > 0:
            carried = weights(
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
        for a in range(centred.size):
            direction = stance.ground[centred[a]]
            fill(0.0, by_q)
            add_turning(work.axes, work.leverage, direction, -1.0 / carried, by_q)
            to_free(stance, by_q, by_u)
            left[nh + a] = stance.centre_target[centred[a]] - dot(direction, work.centre)
            for m in range(count):
                conditions[nh + a, m] = dot(by_u, modes[m])
        size = largest(left)
        if size <= TOLERANCE:
            return True
        if not size < math.inf or not abs(np.linalg.det(conditions)) > 0.0:
            return False
        step = np.linalg.solve(conditions, left)
        for m in range(count):
            for j in range(nu):
                free[j] += step[m] * modes[m, j]
    return False


@kernel
def complete_chain(model, stance, case, held, modes, centred, work, free, found):
    """`complete` for every row of a case table; ``free`` (nc, nu) start and result, ``found`` (nc,) success."""
    for row in range(free.shape[0]):
        found[row] = complete(model, stance, case, row, held, modes, centred, free[row], work)
