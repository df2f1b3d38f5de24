"""Work space of one chain of cases, made once so that no stage allocates."""

from typing import NamedTuple

import numpy as np

from spinesim.kernels.arrays import Floats, ModelArrays, StanceArrays


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
    moment: Floats  #: (nq,) joint moments of everything but activations
    tau: Floats  #: (nu,) moments that activations must give
    disc: Floats  #: (nd, 6)
    velocity: Floats  #: (nq, 3) scratch of the paths
    slope: Floats  #: (nq,) scratch of the paths
    tension: Floats  #: (n,)
    square: Floats  #: (nq, nq)


def workspace(model: ModelArrays, stance: StanceArrays) -> Work:
    """Arrays for a model in a stance."""
    nb, nq, n, nu = model.body_parent.size, model.axis.shape[0], model.max_force.size, stance.n_free
    na = stance.actuator_moment.shape[0]
    return Work(
        np.empty(nq),
        np.empty((nb, 3, 3)),
        np.empty((nb, 3)),
        np.empty((nq, 3)),
        np.empty((nq, 3)),
        np.empty((nq, 3)),
        np.empty(3),
        np.empty(1),
        np.empty(n),
        np.empty((n, nq)),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty((n, nu)),
        np.empty((n + na, nu)),
        np.empty(nq),
        np.empty(nu),
        np.empty((model.disc_coordinate.size, 6)),
        np.empty((nq, 3)),
        np.empty(nq),
        np.empty(n),
        np.empty((nq, nq)),
    )
