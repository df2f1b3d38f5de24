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
    packed: Floats  #: (nt,) scratch of the cuts
    moment: Floats  #: (nq,) joint moments of everything but activations
    tau: Floats  #: (nu,) moments that activations must give
    disc: Floats  #: (nd, 6)
    velocity: Floats  #: (nq, 3) scratch of the paths
    slope: Floats  #: (nq,) scratch of the paths
    tension: Floats  #: (n,)
    square: Floats  #: (nq, nq)
    pressing: Floats  #: (nk,) forces of the contacts
    lever: Floats  #: (nq, 3) scratch of the contacts
    turning: Floats  #: (nq,) scratch of the contacts
    room: Scratch


def workspace(model: ModelArrays, stance: StanceArrays) -> Work:
    """Arrays for a model in a stance."""
    nb, nq, n, nu = model.body_parent.size, model.axis.shape[0], model.max_force.size, stance.n_free
    m, ns = n + stance.actuator_moment.shape[0], stance.stable.size
    return Work(
        q=np.zeros(nq),
        turn=np.zeros((nb, 3, 3)),
        place=np.zeros((nb, 3)),
        axes=np.zeros((nq, 3)),
        centres=np.zeros((nq, 3)),
        leverage=np.zeros((nq, 3)),
        centre=np.zeros(3),
        carried=np.zeros(1),
        length=np.zeros(n),
        gradient=np.zeros((n, nq)),
        fibre=np.zeros(n),
        active=np.zeros(n),
        active_slope=np.zeros(n),
        passive=np.zeros(n),
        passive_slope=np.zeros(n),
        arms=np.zeros((n, nu)),
        columns=np.zeros((m, nu)),
        rows=np.zeros((MAX_ROWS, m)),
        bound=np.zeros(MAX_ROWS),
        cuts=np.zeros((MAX_ROWS, ns)),
        base=np.zeros(ns * (ns + 1) // 2),
        shape=np.zeros((m, ns * (ns + 1) // 2)),
        packed=np.zeros(ns * (ns + 1) // 2),
        moment=np.zeros(nq),
        tau=np.zeros(nu),
        disc=np.zeros((model.disc_coordinate.size, 6)),
        velocity=np.zeros((nq, 3)),
        slope=np.zeros(nq),
        tension=np.zeros(n),
        square=np.zeros((nq, nq)),
        pressing=np.zeros(stance.contact_body.size),
        lever=np.zeros((nq, 3)),
        turning=np.zeros(nq),
        room=scratch(m, nu),
    )
