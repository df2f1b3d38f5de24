"""Work space of one chain of cases, made once so that no stage allocates."""

from typing import NamedTuple

import numpy as np

from spinesim.kernels.arrays import Floats, ModelArrays, StanceArrays
from spinesim.kernels.balance import MAX_ROWS, Scratch, scratch


class Work(NamedTuple):
    """The state of the body at one posture, and scratch space; sizes as in `arrays`."""

    q: Floats  #: (nq,)
    turn: Floats  #: (nb, 3, 3)
    place: Floats  #: (nb, 3)
    axes: Floats  #: (nq, 3)
    centres: Floats  #: (nq, 3)
    leverage: Floats  #: (nq, 3)
    centre: Floats  #: (3,)
    carried: Floats  #: (1,) weight that the support carries through the chain [N]
    length: Floats  #: (n,)
    gradient: Floats  #: (n, nq)
    fibre: Floats
    active: Floats  #: (n,) active force at full activation
    active_slope: Floats
    passive: Floats
    passive_slope: Floats
    arms: Floats  #: (n, nu)
    columns: Floats  #: (n + na, nu) moments at full activation
    rows: Floats  #: (MAX_ROWS, n + na) inequalities of the activations: pressure first, then the cuts of stability
    bound: Floats  #: (MAX_ROWS,)
    cuts: Floats  #: (MAX_ROWS, ns) unit vectors along which the stiffness is bounded
    base: Floats  #: (nt,) stiffness without activation, lower triangle over the ``ns`` stable coordinates
    shape: Floats  #: (n + na, nt) its change with each activation
    moment: Floats  #: (nq,) joint moments of everything but activations
    tau: Floats  #: (nu,) moments that activations must give
    disc: Floats  #: (nd, 6)
    velocity: Floats  #: (nq, 3) scratch of the paths
    slope: Floats  #: (nq,) scratch of the paths
    tension: Floats  #: (n,)
    square: Floats  #: (nq, nq)
    room: Scratch


def workspace(model: ModelArrays, stance: StanceArrays) -> Work:
    """Arrays for a model in a stance."""
    nb, nq, n, nu = model.body_parent.size, model.axis.shape[0], model.max_force.size, stance.n_free
    m, ns = n + stance.actuator_moment.shape[0], stance.stable.size
    rows = np.zeros((MAX_ROWS, m))
    if model.pressure_line >= 0:
        # the rise of the pressure stays below what the obliques allow
        rows[0, :n] = model.pressure_share
        rows[0, model.pressure_line] = -1.0
    shapes = (
        *((nq,), (nb, 3, 3), (nb, 3), (nq, 3), (nq, 3), (nq, 3), (3,), (1,)),
        *((n,), (n, nq), (n,), (n,), (n,), (n,), (n,), (n, nu), (m, nu)),
    )
    return Work(
        *(np.zeros(shape) for shape in shapes),
        rows,
        np.zeros(MAX_ROWS),
        np.zeros((MAX_ROWS, ns)),
        np.zeros(ns * (ns + 1) // 2),
        np.zeros((m, ns * (ns + 1) // 2)),
        np.zeros(nq),
        np.zeros(nu),
        np.zeros((model.disc_coordinate.size, 6)),
        np.zeros((nq, 3)),
        np.zeros(nq),
        np.zeros(n),
        np.zeros((nq, nq)),
        scratch(m, nu),
    )
