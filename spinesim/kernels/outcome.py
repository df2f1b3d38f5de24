"""What a posture with given activations gives, balanced or not: for differences of solutions by their conditions."""

import numpy as np

from spinesim.kernels import passive
from spinesim.kernels.balance import Sharing
from spinesim.kernels.case import derive
from spinesim.kernels.jit import kernel
from spinesim.kernels.posture import held_errors
from spinesim.kernels.state import configure


@kernel
def outcome(model, stance, case, held, free, multiplier, activation, work, out):
    """Loads, angles and foramina of one case, as of a solved one.

    Parameters
    ----------
    case, out : CaseArrays and Outputs of one case; certificate, prices and least effort in ``out`` have no meaning
    held : HeldAngles; their values are ``case.held[0]``
    free : (nu,) float64 [rad]
    multiplier : (nu + MAX_ROWS,) float64
    activation : (n + na,) float64
    work : Work, written in place

    Returns
    -------
    errors, rows : (nh,), (nh, nu) float64
        By how much held angles are missed [rad], and their gradients.
    """
    nu, nh = free.size, case.held.shape[1]
    errors, rows = np.empty(nh), np.empty((nh, nu))
    passive.disc_constants(model, case.preload[0], work.disc)
    configure(model, stance, case, 0, free, work)
    held_errors(model, stance, held, case.held[0], free, work, errors, rows)
    lower, upper = case.lower[0], case.upper[0]
    problem = Sharing(work.columns, stance.cost, stance.target, lower, upper, work.tau, work.rows, work.bound)
    fixed = 1 if model.pressure_line >= 0 else 0
    derive(
        model,
        stance,
        case,
        0,
        problem,
        fixed,
        2.0,
        fixed,
        free,
        multiplier,
        activation,
        True,
        activation,
        work,
        out,
    )
    out.status[0] = 0
    return errors, rows
