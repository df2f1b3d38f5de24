"""Weights, carried loads and the upward force of the support, and the centre of mass they define.

All these forces are parallel, so one vector per hinge serves everything: ``leverage[k]`` = sum over the points beyond
hinge k of their upward force times (point - centre of k). The moment of the hinge is the component of axis x leverage
along ``up``; its other components divided by the carried weight are minus the change of the centre of mass relative to
the support centre.
"""

from spinesim.kernels.chain import world
from spinesim.kernels.jit import inner, kernel
from spinesim.kernels.vector import fill


@inner
def add_force(model, body, x, y, z, force, centres, leverage):
    """Add an upward force [N] at a world point carried by a body."""
    for k in range(centres.shape[0]):
        if model.moves[body, k]:
            leverage[k, 0] += force * (x - centres[k, 0])
            leverage[k, 1] += force * (y - centres[k, 1])
            leverage[k, 2] += force * (z - centres[k, 2])


@kernel
def weights(model, stance, share, load, load_point, turn, place, centres, leverage, centre):
    """Leverage of all vertical forces about every hinge, and the centre of mass relative to the support centre.

    Parameters
    ----------
    share : (ns,) float64, share of the carried weight at each support
    load : (nw,) float64, weights of carried loads [N]
    load_point : (nw, 3) float64, where they hang, thorax frame [m]
    leverage : (nq, 3) float64 [N m], written in place
    centre : (3,) float64, world frame [m], written in place

    Returns
    -------
    carried : float, weight that the support carries through the chain [N]
    """
    fill(0.0, leverage)
    fill(0.0, centre)
    carried = 0.0
    for b in range(model.body_mass.size):
        force = model.gravity * model.body_mass[b] * stance.weight[b]
        if force > 0.0:
            x, y, z = world(turn, place, b, stance.body_centre[b])
            add_force(model, b, x, y, z, -force, centres, leverage)
            carried += force
            centre[0] += force * x
            centre[1] += force * y
            centre[2] += force * z
    for h in range(load.size):
        if load[h] > 0.0:
            x, y, z = world(turn, place, model.load_body, load_point[h])
            add_force(model, model.load_body, x, y, z, -load[h], centres, leverage)
            carried += load[h]
            centre[0] += load[h] * x
            centre[1] += load[h] * y
            centre[2] += load[h] * z
    for i in range(3):
        centre[i] /= carried
    for s in range(stance.support_body.size):
        b = stance.support_body[s]
        x, y, z = world(turn, place, b, stance.support_point[s])
        add_force(model, b, x, y, z, share[s] * carried, centres, leverage)
        centre[0] -= share[s] * x
        centre[1] -= share[s] * y
        centre[2] -= share[s] * z
    return carried


@kernel
def add_turning(axes, leverage, direction, factor, moment):
    """Add factor * (axis x leverage) . direction of every hinge to ``moment`` (nq,).

    With ``up`` and 1 these are the moments of all parallel forces [N m]; with a horizontal direction and minus one over
    the carried weight, the change of the centre of mass along it, from the support centre [m/rad].
    """
    x, y, z = direction[0], direction[1], direction[2]
    for k in range(axes.shape[0]):
        moment[k] += factor * (
            x * (axes[k, 1] * leverage[k, 2] - axes[k, 2] * leverage[k, 1])
            + y * (axes[k, 2] * leverage[k, 0] - axes[k, 0] * leverage[k, 2])
            + z * (axes[k, 0] * leverage[k, 1] - axes[k, 1] * leverage[k, 0])
        )


@kernel
def add_turning_curvature(model, axes, leverage, direction, factor, square):
    """Add the derivatives of `add_turning` by the joint coordinates to the upper triangle of ``square`` (nq, nq).

    With ``up`` and -1 this is the second derivative of the potential energy [N m/rad2].
    """
    factor_x, factor_y, factor_z = factor * direction[0], factor * direction[1], factor * direction[2]
    nq = axes.shape[0]
    for j in range(nq):
        gx, gy, gz = leverage[j]
        bx = axes[j, 1] * gz - axes[j, 2] * gy
        by = axes[j, 2] * gx - axes[j, 0] * gz
        bz = axes[j, 0] * gy - axes[j, 1] * gx
        for i in range(j + 1):
            if model.moves[model.coordinate_body[j], i]:
                square[i, j] += (
                    factor_x * (axes[i, 1] * bz - axes[i, 2] * by)
                    + factor_y * (axes[i, 2] * bx - axes[i, 0] * bz)
                    + factor_z * (axes[i, 0] * by - axes[i, 1] * bx)
                )
