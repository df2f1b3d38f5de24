"""Room for what a chain of cases leaves."""

from __future__ import annotations

import numpy as np

from spinesim.kernels.arrays import LOADS, ModelArrays, Outputs, StanceArrays


def empty_outputs(model: ModelArrays, stance: StanceArrays, count: int) -> Outputs:
    """Output arrays of ``count`` cases, NaN wherever nothing has been solved yet."""
    nb, nq = model.moves.shape
    n, m, nu = model.max_force.size, stance.cost.size, stance.n_free
    shapes = {
        "free": (nu,),
        "activation": (m,),
        "force": (n,),
        "length": (n,),
        "fibre": (n,),
        "multiplier": (nu,),
        "missing": (nu,),
        "proof": (),
        "residual": (),
        "stationarity": (),
        "complementarity": (),
        "gap": (),
        "smallest": (),
        "mode": (nu,),
        "stability_price": (),
        "least": (m,),
        "least_compression": (model.level_area.size,),
        "effort": (),
        "held_moment": (nq,),
        "reaction": (model.level_area.size, 3),
        "hip_force": (2,),
        "foot_force": (2,),
        "contact_force": (stance.contact_body.size,),
        "support_force": (stance.support_share.size, 3),
        "load": (LOADS,),
        "load_point": (LOADS, 3),
        "actuator_moment": (stance.actuator_strength.size,),
        "joint": (nq,),
        "hip_flexor_moment": (2,),
        "alignment": (8,),
        "centre": (3,),
        "disc": (model.level_area.size, 3),
        "foramen": (model.foramen_level.size, 2, 5),
        "canal": (model.foramen_level.size,),
        "outline": (model.foramen_level.size, 2, model.foramen_part.size, 2),
        "root_place": (model.foramen_level.size, 2, 2),
        "sciatic": (2, 3),
        "root": (model.foramen_level.size, 2, 5),
        "body_rotation": (nb, 3, 3),
        "body_position": (nb, 3),
    }
    return Outputs(
        status=np.full(count, -1, dtype=np.int64),
        iterations=np.zeros(count, dtype=np.int64),
        bounds=np.zeros(count, dtype=np.int64),
        cuts=np.zeros(count, dtype=np.int64),
        **{name: np.full((count, *shape), np.nan) for name, shape in shapes.items()},
    )
