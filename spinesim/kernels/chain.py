"""Positions of a tree of bodies, and how each hinge moves them.

Body frames are parallel in the reference posture, so a point of a body at q = 0 stands at its offset. A hinge k turns
everything beyond it about the axis ``axes[k]`` through ``centres[k]``: a point P that it moves has dP/dq = a x (P - c),
and for two hinges i before j in the chain d2P/dqi dqj = a_i x (a_j x (P - c_j)).
"""

from spinesim.kernels.derived import rotation
from spinesim.kernels.jit import kernel
from spinesim.kernels.vector import fill


@kernel
def joint_coordinates(stance, offset, free, q):
    """Joint coordinates q = offset + B u, written in place.

    Parameters
    ----------
    offset : (nq,) float64, joint coordinates at u = 0 [rad]
    free : (nu,) float64 [rad]
    q : (nq,) float64 [rad], written in place
    """
    for k in range(q.size):
        value = offset[k]
        for e in range(stance.rate_first[k], stance.rate_first[k + 1]):
            value += stance.rate[e] * free[stance.rate_index[e]]
        q[k] = value


@kernel
def forward(model, q, turn, place, axes, centres):
    """Pose of every body and world axis and centre of every hinge, written in place.

    Parameters
    ----------
    q : (nq,) float64, joint coordinates [rad]
    turn : (nb, 3, 3) float64, rotation from body to world
    place : (nb, 3) float64, body origins, world frame [m]
    axes, centres : (nq, 3) float64, world frame [1], [m]
    """
    for b in range(model.body_parent.size):
        p = model.body_parent[b]
        if p < 0:
            for i in range(3):
                place[b, i] = 0.0
                for j in range(3):
                    turn[b, i, j] = 1.0 if i == j else 0.0
        else:
            for i in range(3):
                place[b, i] = place[p, i]
                for j in range(3):
                    place[b, i] += turn[p, i, j] * model.body_offset[b, j]
                    turn[b, i, j] = turn[p, i, j]
        for k in range(model.body_coordinates[b], model.body_coordinates[b + 1]):
            x, y, z = model.axis[k]
            for i in range(3):
                centres[k, i] = place[b, i]
                axes[k, i] = turn[b, i, 0] * x + turn[b, i, 1] * y + turn[b, i, 2] * z
            r00, r01, r02, r10, r11, r12, r20, r21, r22 = rotation(x, y, z, q[k])
            for i in range(3):
                t0, t1, t2 = turn[b, i, 0], turn[b, i, 1], turn[b, i, 2]
                turn[b, i, 0] = t0 * r00 + t1 * r10 + t2 * r20
                turn[b, i, 1] = t0 * r01 + t1 * r11 + t2 * r21
                turn[b, i, 2] = t0 * r02 + t1 * r12 + t2 * r22


@kernel
def world(turn, place, body, point):
    """World position (x, y, z) [m] of a point given in the frame of a body."""
    x, y, z = point[0], point[1], point[2]
    return (
        place[body, 0] + turn[body, 0, 0] * x + turn[body, 0, 1] * y + turn[body, 0, 2] * z,
        place[body, 1] + turn[body, 1, 0] * x + turn[body, 1, 1] * y + turn[body, 1, 2] * z,
        place[body, 2] + turn[body, 2, 0] * x + turn[body, 2, 1] * y + turn[body, 2, 2] * z,
    )


@kernel
def to_free(stance, by_joint, by_free):
    """Generalised forces (or gradients) of the free coordinates from those of the joints: B' Q, written in place."""
    fill(0.0, by_free)
    for k in range(by_joint.size):
        for e in range(stance.rate_first[k], stance.rate_first[k + 1]):
            by_free[stance.rate_index[e]] += stance.rate[e] * by_joint[k]


@kernel
def square_to_free(stance, by_joint, by_free):
    """A symmetric matrix over joint coordinates (upper triangle given) in free coordinates: B' K B, in place."""
    fill(0.0, by_free)
    nq = by_joint.shape[0]
    for i in range(nq):
        for j in range(i, nq):
            value = by_joint[i, j]
            if value == 0.0:
                continue
            for e in range(stance.rate_first[i], stance.rate_first[i + 1]):
                for f in range(stance.rate_first[j], stance.rate_first[j + 1]):
                    part = stance.rate[e] * stance.rate[f] * value
                    by_free[stance.rate_index[e], stance.rate_index[f]] += part
                    if i != j:
                        by_free[stance.rate_index[f], stance.rate_index[e]] += part
