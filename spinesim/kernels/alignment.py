"""Angles of trunk, pelvis and spine in the world."""

import math

import numpy as np

from spinesim.kernels.jit import inner, kernel, stage


@kernel
def trunk_angles(turn):
    """Flexion (forward positive), bend (to the right) and turn (to the left) of a body in the world [rad].

    The rotation matrix is taken as flexion about -z, then bend about x, then turn about y.
    """
    return math.atan2(turn[0, 1], turn[1, 1]), math.asin(turn[2, 1]), math.atan2(-turn[2, 0], turn[2, 2])


@kernel
def trunk_gradient(turn, axis):
    """Change of the trunk angles per rotation about a world axis."""
    x, y, z = axis[0], axis[1], axis[2]
    # columns of d(turn)/dangle = axis x columns of turn
    d01 = y * turn[2, 1] - z * turn[1, 1]
    d11 = z * turn[0, 1] - x * turn[2, 1]
    d21 = x * turn[1, 1] - y * turn[0, 1]
    d20 = x * turn[1, 0] - y * turn[0, 0]
    d22 = x * turn[1, 2] - y * turn[0, 2]
    flexion = (d01 * turn[1, 1] - turn[0, 1] * d11) / (turn[0, 1] ** 2 + turn[1, 1] ** 2)
    bend = d21 / math.sqrt(1.0 - turn[2, 1] ** 2)
    twist = (-d20 * turn[2, 2] + turn[2, 0] * d22) / (turn[2, 0] ** 2 + turn[2, 2] ** 2)
    return flexion, bend, twist


@inner
def _arctangent_curvature(s, t, si, ti, sj, tj, sij, tij):
    """Second derivative of atan2(s, t)."""
    size = s * s + t * t
    slope = si * t - s * ti
    return (sij * t + si * tj - sj * ti - s * tij) / size - slope * 2.0 * (s * sj + t * tj) / (size * size)


@inner(makes_arrays=True)
def trunk_curvature(turn, outer, near, factor):
    """Second derivative of factor . (flexion, bend, turn) by two world axes, ``outer`` the earlier in the chain."""
    first, second, both = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    for c in range(3):
        for target, axis, source in ((first, outer, turn), (second, near, turn), (both, outer, second)):
            x, y, z = source[0, c], source[1, c], source[2, c]
            target[0, c] = axis[1] * z - axis[2] * y
            target[1, c] = axis[2] * x - axis[0] * z
            target[2, c] = axis[0] * y - axis[1] * x
    value = factor[0] * _arctangent_curvature(
        turn[0, 1], turn[1, 1], first[0, 1], first[1, 1], second[0, 1], second[1, 1], both[0, 1], both[1, 1]
    )
    value += factor[2] * _arctangent_curvature(
        -turn[2, 0], turn[2, 2], -first[2, 0], first[2, 2], -second[2, 0], second[2, 2], -both[2, 0], both[2, 2]
    )
    left = 1.0 - turn[2, 1] ** 2
    value += factor[1] * (both[2, 1] / math.sqrt(left) + turn[2, 1] * first[2, 1] * second[2, 1] / left**1.5)
    return value


@inner
def _plate_angle(plate, turn, up_x, up_y, pelvis):
    """Inclination [rad] of a plate (front, back) in the sagittal plane of the pelvis, front down positive.

    ``up_x, up_y`` is the world vertical in that plane, ``pelvis`` the rotation of the pelvis to the world.
    """
    wx = wy = 0.0
    for i in range(3):
        d = 0.0
        for j in range(3):
            d += turn[i, j] * (plate[0, j] - plate[1, j])
        wx += pelvis[i, 0] * d
        wy += pelvis[i, 1] * d
    # forward direction of that plane is (up_y, -up_x)
    return math.atan2(-(wx * up_x + wy * up_y), wx * up_y - wy * up_x)


@stage
def alignment(model, turn, values):
    """Sagittal angles of pelvis and spine and trunk angles [rad], written in place (8,).

    0 anterior pelvic tilt from the reference, 1 sacral slope, 2 radiographic pelvic tilt, 3 pelvic incidence,
    4 lumbar lordosis L1-S1, 5 trunk flexion, 6 trunk bend, 7 trunk turn. All pelvic angles are taken in the sagittal
    plane of the pelvis, so that incidence = tilt + slope.
    """
    pelvis = turn[0]
    up_x, up_y = pelvis[1, 0], pelvis[1, 1]
    size = math.sqrt(up_x * up_x + up_y * up_y)
    up_x /= size
    up_y /= size
    front, back = model.sacral_plate[0], model.sacral_plate[1]
    middle_x, middle_y = 0.5 * (front[0] + back[0]), 0.5 * (front[1] + back[1])
    slope = _plate_angle(model.sacral_plate, pelvis, up_x, up_y, pelvis)
    tilt = math.atan2(-(middle_x * up_y - middle_y * up_x), middle_x * up_x + middle_y * up_y)
    plate_x, plate_y = front[0] - back[0], front[1] - back[1]
    # incidence from geometry alone: angle between the plate's normal and the line from its middle to the hips
    incidence = math.atan2(-(plate_x * middle_x + plate_y * middle_y), plate_x * middle_y - plate_y * middle_x)
    upper = _plate_angle(model.top_plate, turn[model.top_body], up_x, up_y, pelvis)
    values[0] = math.atan2(-up_x, up_y)
    values[1] = slope
    values[2] = tilt
    values[3] = incidence
    values[4] = slope - upper
    values[5], values[6], values[7] = trunk_angles(turn[model.trunk_body])
