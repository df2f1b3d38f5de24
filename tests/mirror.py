"""Cases and results seen in a mirror: left and right change places."""

from __future__ import annotations

import numpy as np

from spinesim.variables import VARIABLES

SWAP = {"left": "right", "right": "left"}
ENDS = {"_r": "_l", "_l": "_r"}
#: results that the mirror turns around, whole or by component
ODD = {"shear_lateral": -1.0, "pelvic_list": -1.0, "pelvic_turn": -1.0}
COMPONENTS = {"axis": [1.0, -1.0, -1.0], "xyz": [1.0, 1.0, -1.0]}
ODD_ENDS = ("bend", "turn", "list")  # motions that the mirror turns around
NAMED = ("muscle", "held", "coordinate", "joint_coordinate", "actuator", "contact", "support", "load")  # have a side


def mirrored_parameters(parameters):
    """The same settings on the other side."""
    swapped = {}
    for name, value in parameters.items():
        head, _, last = name.rpartition(".")
        swapped[f"{head}.{SWAP.get(last, last)}"] = value
    return swapped


def mirrored_name(name):
    """The name of the other side."""
    side, space, place = name.partition(" ")
    if space:  # right hand
        return SWAP.get(side, side) + space + place
    joint, dot, motion = name.partition(".")
    return joint[:-2] + ENDS.get(joint[-2:], joint[-2:]) + dot + motion


def mirrored_values(one, name, two):
    """Values of a result seen in the mirror, in the order of another result.

    Sides change places; lateral forces, bends, turns and lists change sign.
    """
    array = one[name]
    values = array.values * ODD.get(name, 1.0) * COMPONENTS.get(array.dims[-1] if array.dims else "", 1.0)
    for axis, dim in enumerate(array.dims):
        if dim == "side":
            values = np.flip(values, axis)
        elif dim in NAMED:
            place = {label: i for i, label in enumerate(one[dim].values.tolist())}
            labels = two[dim].values.tolist()
            values = np.take(values, [place[mirrored_name(label)] for label in labels], axis)
            odd = [label.endswith(ODD_ENDS) for label in labels]
            if dim in ("held", "coordinate", "joint_coordinate"):
                shape = [-1 if a == axis else 1 for a in range(values.ndim)]
                values = values * np.where(odd, -1.0, 1.0).reshape(shape)
    return values


def assert_mirrored(one, two, tolerance=1e-9):
    """Every variable of ``two`` is that of ``one`` seen in a mirror, relative to its largest entry beyond 1."""
    pictures = {"bone_position", "path_position", "healthy_bone_position", "buckled_bone_position"}
    # rounds and cuts are the way, not the answer; of a mode and its opposite either may be named; whether an
    # activation within rounding of its bound is on it, is not the answer either
    left_out = pictures | {"iterations", "stability_cuts", "buckling_mode", "active_bounds"}
    residuals = {"moment_residual", "stationarity", "duality_gap", "complementarity"}
    assert set(one.data_vars) == set(two.data_vars)
    for name in set(one.data_vars) - left_out - residuals:
        if VARIABLES[name].units:
            expected = mirrored_values(one, name, two)
            scale = max(1.0, np.abs(expected).max(initial=0.0))
            assert np.abs(two[name].values - expected).max(initial=0.0) <= tolerance * scale, name
