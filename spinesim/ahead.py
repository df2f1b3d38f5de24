"""The other end of the first compilation: kernels that a first solve needs late, compiled by a second process.

numba compiles one function at a time in a process, and keeps each in the cache folder, where the first process finds
it when it gets there. Nothing waits for the second process, and nothing is wrong without it: what it has not kept in
time is compiled by the first. `jit.announce` starts it.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from spinesim.kernels import balance, case, posture, stability, state
from spinesim.kernels.arrays import HeldAngles
from spinesim.kernels.work import workspace
from spinesim.model.pack import pack
from spinesim.model.read import load_model
from spinesim.outputs import empty_outputs
from spinesim.stance import bare_arrays, default_cases, find_stance


def calls() -> list[tuple[Any, tuple[Any, ...]]]:
    """Kernels with arguments of the types that they get, in the order in which a first solve comes to lack them."""
    packed = pack(load_model("teaching"))
    standing = find_stance(packed, "standing")
    model, stance = packed.arrays, bare_arrays(packed, standing)
    cases, work = default_cases(packed, stance, standing, 1, 0), workspace(model, stance)
    out = empty_outputs(model, stance, 1)
    flat, square, flags = np.zeros(1), np.zeros((1, 1)), np.zeros(1, dtype=np.bool_)
    held = HeldAngles(square, np.zeros(1, dtype=np.int64))
    problem = balance.Sharing(work.columns, flat, flat, flat, flat, work.tau, work.rows, work.bound)
    body = (model, stance, cases, 0)
    matrices = (square, square, square)
    return [
        (state.tangent, (*body, flat, 0.0, work, square)),
        (stability.stiffness_shapes, (*body, work)),
        (posture.cut_slopes, (*body, flat, 0, 0.0, flat, work, work, square, square, flat, *matrices)),
        (posture.newton_step, (square, flat, flat, square, flat)),
        (
            posture.newton_matrix,
            (stance, flat, flags, square, work, 0, 0, square, square, flat, 0.0, flat, *matrices),
        ),
        (posture.add_trunk_curvature, (model, stance, held, flat, work, square, square)),
        (posture.learn, (square, square, flat, flat, square)),
        (stability.turn_cut, (problem, 0, 0, 0.0, 0.0, 0.0, True, stance, work, flat, flat, flat)),
        (case.derive, (*body, problem, 0, 0.0, 0, flat, flat, flat, True, flat, work, out)),
        (balance.least_missing, (problem, 0, flat, flat, flat, work.room)),
    ]


def main() -> None:
    """Compile and keep them."""
    for kernel, arguments in calls():
        kernel.compile(tuple(numba.typeof(argument) for argument in arguments))
