"""Elastic contacts: a bed, a backrest or another surface that presses a point of a body and never pulls.

A surface stands at a height over the support centre, along its normal n; a point that sinks into it by d is pressed
with N = k w log(1 + exp(d / w)), which is k d but for a soft beginning of width w. The support gives -N n, so the
contact has a potential energy of the posture alone.
"""

import math

from spinesim.kernels.chain import world
from spinesim.kernels.gravity import add_force, add_turning, add_turning_curvature
from spinesim.kernels.jit import inner, stage
from spinesim.kernels.vector import fill


@inner
def _sink(model, stance, share, height, c, work):
    """How deep a point is in its surface [m]; leaves the lever of a unit force in ``work.lever`` [m]."""
    fill(0.0, work.lever)
    normal = stance.contact_normal[c]
    x, y, z = world(work.turn, work.place, stance.contact_body[c], stance.contact_point[c])
    add_force(model, stance.contact_body[c], x, y, z, 1.0, work.centres, work.lever)
    depth = height - (normal[0] * x + normal[1] * y + normal[2] * z)
    for s in range(share.size):
        x, y, z = world(work.turn, work.place, stance.support_body[s], stance.support_point[s])
        add_force(model, stance.support_body[s], x, y, z, -share[s], work.centres, work.lever)
        depth += stance.support_share[s] * (normal[0] * x + normal[1] * y + normal[2] * z)
    return depth


@inner
def _press(depth, stiffness, blend):
    """Force [N] of a surface, and its change with the depth [N/m]."""
    x = depth / blend
    soft = max(x, 0.0) + math.log1p(math.exp(-abs(x)))
    return stiffness * blend * soft, stiffness * math.exp(x - soft)


@stage
def contact_moments(model, stance, share, height, work, moment):
    """Add the moments of all contacts about the hinges [N m] to ``moment`` (nq,), and leave their forces.

    Parameters
    ----------
    share : (ns,) float64, share of the support reaction at each support
    height : (nk,) float64, of the surfaces over the support centre [m]
    work : Work; ``work.pressing`` (nk,) gets the forces [N]
    """
    for c in range(height.size):
        depth = _sink(model, stance, share, height[c], c, work)
        force, _ = _press(depth, stance.contact_stiffness[c], stance.contact_blend[c])
        work.pressing[c] = force
        add_turning(work.axes, work.lever, stance.contact_normal[c], force, moment)


@stage
def contact_stiffness(model, stance, height, work, square):
    """Add the tangent stiffness of all contacts [N m/rad] to the upper triangle of ``square`` (nq, nq)."""
    for c in range(height.size):
        depth = _sink(model, stance, stance.support_share, height[c], c, work)
        force, slope = _press(depth, stance.contact_stiffness[c], stance.contact_blend[c])
        add_turning_curvature(model, work.axes, work.lever, stance.contact_normal[c], -force, square)
        fill(0.0, work.turning)
        add_turning(work.axes, work.lever, stance.contact_normal[c], 1.0, work.turning)
        for i in range(work.turning.size):
            for j in range(i, work.turning.size):
                square[i, j] += slope * work.turning[i] * work.turning[j]


@stage
def contact_forces(model, stance, share, work, force):
    """Add the forces of all contacts to those on everything beyond the joint of each body, in place (nb, 3) [N]."""
    for c in range(work.pressing.size):
        normal = stance.contact_normal[c]
        for b in range(force.shape[0]):
            part = 0.0
            first = model.body_coordinates[b]
            if model.moves[stance.contact_body[c], first]:
                part += work.pressing[c]
            for s in range(share.size):
                if model.moves[stance.support_body[s], first]:
                    part -= share[s] * work.pressing[c]
            for i in range(3):
                force[b, i] += part * normal[i]
