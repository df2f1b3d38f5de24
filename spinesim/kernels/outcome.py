"""What a posture with given activations gives, balanced or not: for differences of solutions by their conditions."""

import numpy as np

from spinesim.kernels import passive
from spinesim.kernels.balance import Sharing
from spinesim.kernels.case import derive
from spinesim.kernels.jit import kernel
from spinesim.kernels.posture import held_errors
from spinesim.kernels.state import configure


@kernel(makes_arrays=True)
def outcome(model, stance, case, row, held, find, free, multiplier, activation, work, out):
    """Loads, angles and foramina of one case, as of a solved one.

    Parameters
    ----------
    case, row : CaseArrays and the row to take
        Constants in place of ``row`` and ``find`` would compile all that they are handed to for them, and again.
    held : HeldAngles; their values are ``case.held[row]``
    find : bool, whether the posture is found
    free : (nu,) float64 [rad]
    multiplier : (nu + MAX_ROWS,) float64
    activation : (n + na,) float64
    work : Work, written in place
    out : Outputs, written in place into ``row``; certificate, prices and least effort have no meaning

    Returns
    -------
    errors, rows : (nh,), (nh, nu) float64
        By how much held angles are missed [rad], and their gradients.
    """
    nu, nh = free.size, case.held.shape[1]
    errors, rows = np.empty(nh), np.empty((nh, nu))
    passive.disc_constants(model, case.preload[row], work.disc)
    configure(model, stance, case, row, free, work)
    held_errors(model, stance, held, case.held[row], free, work, errors, rows)
    lower, upper = case.lower[row], case.upper[row]
    problem = Sharing(work.columns, stance.cost, stance.target, lower, upper, work.tau, work.rows, work.bound)
    fixed = 1 if model.pressure_line >= 0 else 0
    derive(
        model,
        stance,
        case,
        row,
        problem,
        fixed,
        2.0,
        fixed,
        free,
        multiplier,
        activation,
        find,
        activation,
        work,
        out,
    )
    out.status[row] = 0
    return errors, rows
