"""Size of the intervertebral foramina and of the canal: landmarks carried by both vertebrae and the disc between."""

import math

import numpy as np

from spinesim.kernels.jit import inner, kernel, stage

AREA, HEIGHT, WIDTH, DISC, CLOSED = range(5)  #: what `measures` gives


@kernel
def relative(model, level, turn, place, rotation, shift):
    """Pose of the upper body of a level in the frame of the lower, written in place (3, 3), (3,) [m]."""
    lower, upper = model.level_bodies[level, 0], model.level_bodies[level, 1]
    for i in range(3):
        shift[i] = 0.0
        for k in range(3):
            shift[i] += turn[lower, k, i] * (place[upper, k] - place[lower, k])
        for j in range(3):
            rotation[i, j] = 0.0
            for k in range(3):
                rotation[i, j] += turn[lower, k, i] * turn[upper, k, j]


@inner
def _moved(model, level, rotation, shift, disc, point, result):
    """A point of the upper body in the frame of the lower one, moved with the disc's lost height and slip, in place."""
    for i in range(3):
        result[i] = shift[i] - disc[0] * model.level_frame[level, 1, i] + disc[1] * model.level_frame[level, 0, i]
        for j in range(3):
            result[i] += rotation[i, j] * point[j]


@kernel
def disc_bulge(model, extension, height_loss):
    """Bulge of the posterior margin [m]: at rest, and with extension [rad] and lost height [m]."""
    return model.foramen_disc[0] + model.foramen_disc[1] * extension + model.foramen_disc[2] * height_loss


@kernel
def outline(model, f, side, rotation, shift, disc, flavum, points):
    """Outline of foramen ``f`` on a side (0 left, 1 right) in the frame of the lower body, in place (np, 3) [m].

    Parameters
    ----------
    rotation, shift : (3, 3), (3,) float64
        Pose of the upper body in the frame of the lower [1], [m].
    disc : (3,) float64 [m]
        Height loss beyond healthy standing (the upper vertebra comes down along the normal of the disc), slip (the
        upper vertebra goes forward in its plane), bulge (the posterior margin goes back, seen from the middle of the
        line between the corners).
    flavum : float [m]
        Thickening of the ligament, which moves the front of the superior articular process forward.
    """
    level = model.foramen_level[f]
    marks = model.foramen_marks
    for p in range(model.foramen_part.size):
        if model.foramen_part[p] == 1:
            _moved(model, level, rotation, shift, disc, model.foramen_points[f, side, p], points[p])
        elif model.foramen_part[p] == 0:
            forward = flavum if p > marks[4] else 0.0
            for i in range(3):
                points[p, i] = model.foramen_points[f, side, p, i] + forward * model.level_frame[level, 0, i]
    for i in range(3):
        points[marks[2], i] = 0.5 * (points[marks[1], i] + points[marks[3], i])
        points[marks[2], i] -= disc[2] * model.level_frame[level, 0, i]


@kernel
def flatten(model, points, scale, flat):
    """The outline in its own oblique plane, written in place (np, 2) [m]: behind and above the pedicle below.

    The normal of the plane is the vector area of the closed polygon; up is the direction from pedicle to pedicle.

    Parameters
    ----------
    scale : float
        Factor on the size of the outline.
    """
    count = points.shape[0]
    top, bottom = model.foramen_marks[0], model.foramen_marks[4]
    nx = ny = nz = 0.0
    for p in range(count):
        q = (p + 1) % count
        ax, ay, az = points[p, 0] - points[0, 0], points[p, 1] - points[0, 1], points[p, 2] - points[0, 2]
        bx, by, bz = points[q, 0] - points[0, 0], points[q, 1] - points[0, 1], points[q, 2] - points[0, 2]
        nx += ay * bz - az * by
        ny += az * bx - ax * bz
        nz += ax * by - ay * bx
    size = math.sqrt(nx * nx + ny * ny + nz * nz)
    nx, ny, nz = nx / size, ny / size, nz / size
    ux = points[top, 0] - points[bottom, 0]
    uy = points[top, 1] - points[bottom, 1]
    uz = points[top, 2] - points[bottom, 2]
    out = ux * nx + uy * ny + uz * nz
    ux, uy, uz = ux - out * nx, uy - out * ny, uz - out * nz
    size = math.sqrt(ux * ux + uy * uy + uz * uz)
    ux, uy, uz = ux / size, uy / size, uz / size
    bx, by, bz = uy * nz - uz * ny, uz * nx - ux * nz, ux * ny - uy * nx
    for p in range(count):
        x = points[p, 0] - points[bottom, 0]
        y = points[p, 1] - points[bottom, 1]
        z = points[p, 2] - points[bottom, 2]
        flat[p, 0] = scale * (x * bx + y * by + z * bz)
        flat[p, 1] = scale * (x * ux + y * uy + z * uz)


@inner
def _turn(p, q, r):
    """Twice the signed area of a triangle."""
    return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])


@inner
def _to_segment(x, y, p, q):
    """Distance from a point to the segment p-q, and the share of the way at which its nearest point lies."""
    ux, uy = q[0] - p[0], q[1] - p[1]
    square = ux * ux + uy * uy
    along = ((x - p[0]) * ux + (y - p[1]) * uy) / square if square > 0.0 else 0.0
    along = min(max(along, 0.0), 1.0)
    dx, dy = x - p[0] - along * ux, y - p[1] - along * uy
    return math.sqrt(dx * dx + dy * dy), along


@inner
def _cross(p, q, r, s):
    """True if the segments p-q and r-s pass through each other."""
    return _turn(p, q, r) * _turn(p, q, s) < 0.0 and _turn(r, s, p) * _turn(r, s, q) < 0.0


@inner
def _walls_cross(model, flat):
    """True if the front wall of an outline (np, 2), from pedicle to pedicle, passes through the back wall or itself.

    Articular processes that slide past each other fold the back wall; that closes nothing.
    """
    count = flat.shape[0]
    for i in range(model.foramen_marks[4]):
        for j in range(i + 2, count if i > 0 else count - 1):
            if _cross(flat[i], flat[i + 1], flat[j], flat[(j + 1) % count]):
                return True
    return False


@inner
def _between(p, q, r, s):
    """Least distance [m] between the segments p-q and r-s."""
    if _cross(p, q, r, s):
        return 0.0
    least, _ = _to_segment(p[0], p[1], r, s)
    other, _ = _to_segment(q[0], q[1], r, s)
    least = min(least, other)
    other, _ = _to_segment(r[0], r[1], p, q)
    least = min(least, other)
    other, _ = _to_segment(s[0], s[1], p, q)
    return min(least, other)


@kernel
def measures(model, points, flat, values):
    """Area [m2], height, least width, posterior disc height [m] and closure of an outline, written in place (5,).

    Height is the distance between the pedicles, width the least distance between the vertebral bodies with the disc
    in front and the articular processes behind. Where the front wall passes through the back wall it is closed:
    area and width 0, closure 1.

    Parameters
    ----------
    points : (np, 3) float64 [m], from `outline`
    flat : (np, 2) float64 [m], from `flatten`
    """
    count = flat.shape[0]
    marks = model.foramen_marks
    area, width = 0.0, math.inf
    for p in range(count):
        q = (p + 1) % count
        area += 0.5 * (flat[p, 0] * flat[q, 1] - flat[p, 1] * flat[q, 0])
    for p in range(marks[1], marks[3]):
        for q in range(marks[4] + 1, count - 1):
            width = min(width, _between(flat[p], flat[p + 1], flat[q], flat[q + 1]))
    disc = 0.0
    for i in range(3):
        disc += (points[marks[1], i] - points[marks[3], i]) ** 2
    closed = _walls_cross(model, flat)
    values[AREA] = 0.0 if closed else abs(area)
    values[HEIGHT] = flat[marks[0], 1] - flat[marks[4], 1]
    values[WIDTH] = 0.0 if closed else width
    values[DISC] = math.sqrt(disc)
    values[CLOSED] = 1.0 if closed else 0.0


@stage
def canal_area(model, f, rotation, shift, disc, flavum):
    """Area [m2] of the central canal at the disc of foramen ``f``; 0 where nothing of its depth is left.

    An ellipse as wide as the bony canal and as deep as the way from the bulging disc to the ligamentum flavum, which
    spans the two laminae and keeps its volume: it thickens as they come together. A slip, either way, takes its length
    off the depth, which ends between the body of one vertebra and the lamina of the other.

    Parameters
    ----------
    rotation, shift, disc, flavum : as for `outline`
    """
    level = model.foramen_level[f]
    points = np.empty((4, 3))
    for p in range(4):
        if p < 2:
            _moved(model, level, rotation, shift, disc, model.canal_points[f, p], points[p])
        else:
            for i in range(3):
                points[p, i] = model.canal_points[f, p, i]
    way = -abs(disc[1])
    rest = gap = 0.0
    for i in range(3):
        forward = model.level_frame[level, 0, i]
        way += forward * (0.5 * (points[0, i] + points[2, i] - points[1, i] - points[3, i]) - disc[2] * forward)
        gap += (points[1, i] - points[3, i]) ** 2
        apart = model.canal_points[f, 1, i] + model.body_offset[model.level_bodies[level, 1], i]
        rest += (apart - model.canal_points[f, 3, i]) ** 2
    thick = (model.canal_size[f, 1] + flavum) * math.sqrt(rest / gap)
    return 0.25 * math.pi * model.canal_size[f, 0] * max(0.0, way - thick)
