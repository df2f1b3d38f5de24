"""Size of the intervertebral foramina: a closed outline of landmarks carried by both vertebrae and the disc between."""

import math

import numpy as np

from spinesim.kernels.chain import world
from spinesim.kernels.jit import inner, stage


@inner
def _between(p, q, r, s):
    """Least distance [m] between the segments p-q and r-s."""
    ux, uy, uz = q[0] - p[0], q[1] - p[1], q[2] - p[2]
    vx, vy, vz = s[0] - r[0], s[1] - r[1], s[2] - r[2]
    wx, wy, wz = p[0] - r[0], p[1] - r[1], p[2] - r[2]
    a, b, c = ux * ux + uy * uy + uz * uz, ux * vx + uy * vy + uz * vz, vx * vx + vy * vy + vz * vz
    d, e = ux * wx + uy * wy + uz * wz, vx * wx + vy * wy + vz * wz
    determinant = a * c - b * b
    along = 0.0
    if determinant > 1e-12 * a * c:
        along = min(max((b * e - c * d) / determinant, 0.0), 1.0)
    other = (b * along + e) / c
    if other < 0.0:
        other, along = 0.0, min(max(-d / a, 0.0), 1.0)
    elif other > 1.0:
        other, along = 1.0, min(max((b - d) / a, 0.0), 1.0)
    x, y, z = wx + along * ux - other * vx, wy + along * uy - other * vy, wz + along * uz - other * vz
    return math.sqrt(x * x + y * y + z * z)


@stage
def outline(model, f, side, extension, height_loss, turn, place, points):
    """World positions [m] of the outline of foramen ``f`` on a side (0 left, 1 right), written in place (np, 3).

    Parameters
    ----------
    extension : float, extension of the level from the reference [rad]
    height_loss : float, approach of the upper vertebra along the disc normal beyond healthy standing [m]
    """
    level = model.foramen_level[f]
    lower, upper = model.level_bodies[level, 0], model.level_bodies[level, 1]
    bulge = model.foramen_disc[0] + model.foramen_disc[1] * extension + model.foramen_disc[2] * height_loss
    for p in range(model.foramen_part.size):
        part = model.foramen_part[p]
        if part == 2:
            continue
        x, y, z = world(turn, place, upper if part == 1 else lower, model.foramen_points[f, side, p])
        points[p, 0], points[p, 1], points[p, 2] = x, y, z
        if part == 1:
            for i in range(3):
                for j in range(3):
                    points[p, i] -= height_loss * turn[lower, i, j] * model.level_frame[level, 1, j]
    above, margin, below = model.foramen_marks[1], model.foramen_marks[2], model.foramen_marks[3]
    for i in range(3):
        points[margin, i] = 0.5 * (points[above, i] + points[below, i])
        for j in range(3):
            points[margin, i] -= bulge * turn[lower, i, j] * model.level_frame[level, 0, j]


@stage
def measures(model, points, values):
    """Area [m2], height, least width and posterior disc height [m] of an outline, written in place (4,).

    The outline is seen in its own oblique plane, whose normal is the vector area of the closed polygon. Height is the
    distance between the pedicles, width the least distance between the vertebral bodies with the disc in front and
    the articular processes behind.
    """
    count = points.shape[0]
    normal = np.zeros(3)
    for p in range(count):
        q = (p + 1) % count
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            normal[i] += 0.5 * (
                (points[p, j] - points[0, j]) * (points[q, k] - points[0, k])
                - (points[p, k] - points[0, k]) * (points[q, j] - points[0, j])
            )
    area = math.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2)
    flat = np.empty((count, 3))
    for p in range(count):
        out = 0.0
        for i in range(3):
            out += (points[p, i] - points[0, i]) * normal[i] / area
        for i in range(3):
            flat[p, i] = points[p, i] - out * normal[i] / area
    marks = model.foramen_marks
    width = math.inf
    for p in range(marks[1], marks[3]):
        for q in range(marks[4] + 1, count - 1):
            width = min(width, _between(flat[p], flat[p + 1], flat[q], flat[q + 1]))
    height = disc = 0.0
    for i in range(3):
        height += (flat[marks[0], i] - flat[marks[4], i]) ** 2
        disc += (points[marks[1], i] - points[marks[3], i]) ** 2
    values[0] = area
    values[1] = math.sqrt(height)
    values[2] = width
    values[3] = math.sqrt(disc)
