"""How much room a nerve root has in its foramen, and how hard it is squeezed where there is none.

The cut of the root by the plane of the foramen is an ellipse, upright in it. The root lies under the pedicle of the
upper vertebra, held there loosely, and gives way to what comes near: its place is where the least distance to the
outline, less what the hold takes for the way, is largest. With the plane shrunk along the height by the shape of the
root the ellipse is a circle. The room is that best least distance less hold. The least distance is taken softly, so
that the room changes smoothly with posture; the hold makes the place one and not several.
"""

import math

import numpy as np

from spinesim.kernels import foramen
from spinesim.kernels.jit import inner, kernel, stage

OCCUPANCY, GAP, STRAIN, PRESSURE, BAND = range(5)  #: what `root` gives
SOFTNESS = (0.4e-3, 0.1e-3, 0.03e-3)  # [m] of the least distance: first to find the way, last what counts
CLOSE = 1e-9  # [m] steps below this end the search
STEPS = 60
#: Where the place of a root is sought from: back and up of its hold [half widths]. Half a
#: half width ahead there is room before a process that has come forward through the hold; a whole one is in the body.
STARTS = ((0.0, 0.0), (0.0, 0.6), (-0.5, 0.0), (1.0, 0.0), (0.0, -2.0))
FLATTEST = 1.0  # [1/m] least curvature of a step


@inner
def _distances(ring, x, y, near):
    """Distance and direction from every side of a ring (np, 2) to a point, in place (np, 4); returns the least.

    The last column is the curvature of the distance across that direction: 0 beside a side, 1 / distance at its ends.
    """
    count = ring.shape[0]
    least = math.inf
    for p in range(count):
        q = p + 1 if p + 1 < count else 0
        px, py = ring[p, 0], ring[p, 1]
        ux, uy = ring[q, 0] - px, ring[q, 1] - py
        square = ux * ux + uy * uy
        along = ((x - px) * ux + (y - py) * uy) / square if square > 0.0 else 0.0
        corner = not 0.0 < along < 1.0
        along = min(max(along, 0.0), 1.0)
        dx, dy = x - px - along * ux, y - py - along * uy
        distance = math.sqrt(dx * dx + dy * dy)
        least = min(least, distance)
        distance = max(distance, 1e-12)
        near[p, 0], near[p, 1], near[p, 2] = distance, dx / distance, dy / distance
        near[p, 3] = 1.0 / distance if corner else 0.0
    return least


@inner
def _soft(near, least, softness, hold, x, y):
    """Soft least distance less the hold, its gradient and its curvature (xx, xy, yy)."""
    total = gx = gy = xx = xy = yy = cxx = cxy = cyy = 0.0
    for p in range(near.shape[0]):
        w = math.exp((least - near[p, 0]) / softness)
        if w < 1e-12:
            continue
        nx, ny = near[p, 1], near[p, 2]
        total += w
        gx += w * nx
        gy += w * ny
        xx += w * nx * nx
        xy += w * nx * ny
        yy += w * ny * ny
        k = w * near[p, 3]
        cxx += k * ny * ny
        cxy -= k * nx * ny
        cyy += k * nx * nx
    gx, gy = gx / total, gy / total
    xx = cxx / total - (xx / total - gx * gx) / softness
    xy = cxy / total - (xy / total - gx * gy) / softness
    yy = cyy / total - (yy / total - gy * gy) / softness
    ax, ay, stiff = x - hold[0], y - hold[1], 1.0 / hold[2]
    value = least - softness * math.log(total) - 0.5 * stiff * (ax * ax + ay * ay)
    return value, gx - stiff * ax, gy - stiff * ay, xx - stiff, xy, yy - stiff


@inner
def _uphill(gx, gy, xx, xy, yy):
    """Newton step to a maximum: along every principal direction by slope over size of the curvature."""
    half, apart = 0.5 * (xx + yy), math.hypot(0.5 * (xx - yy), xy)
    turn = 0.5 * math.atan2(2.0 * xy, xx - yy)
    c, s = math.cos(turn), math.sin(turn)
    one = (c * gx + s * gy) / max(abs(half + apart), FLATTEST)
    two = (c * gy - s * gx) / max(abs(half - apart), FLATTEST)
    return c * one - s * two, s * one + c * two


@kernel
def most_room(ring, hold, first, centre, near):
    """Least distance [m] from the place of the root to a ring (np, 2), less its hold; the place is sought uphill.

    Parameters
    ----------
    ring : (np, 2) float64 [m]
    hold : (3,) float64 [m]
        Where the root is held, and the length R of the hold: a way w takes w^2 / 2 R off the room it leads to.
    first : int
        With which of `SOFTNESS` to begin.
    centre : (2,) float64 [m]
        Where the search starts, inside the ring; in place, where it ends.
    near : (np, 4) float64, scratch
    """
    x, y = centre[0], centre[1]
    value = 0.0
    for search in range(first, len(SOFTNESS)):
        softness = SOFTNESS[search]
        least = _distances(ring, x, y, near)
        value, gx, gy, xx, xy, yy = _soft(near, least, softness, hold, x, y)
        for _ in range(STEPS):
            dx, dy = _uphill(gx, gy, xx, xy, yy)
            size = math.hypot(dx, dy)
            if size < CLOSE:
                break
            # no step reaches the wall
            share, higher = min(1.0, 0.7 * least / size), value
            while share * size >= 0.1 * CLOSE:
                least = _distances(ring, x + share * dx, y + share * dy, near)
                higher, gx, gy, xx, xy, yy = _soft(near, least, softness, hold, x + share * dx, y + share * dy)
                if higher > value:
                    break
                share *= 0.3
            if not higher > value:
                break
            x, y, value = x + share * dx, y + share * dy, higher
    centre[0], centre[1] = x, y
    return value


@kernel
def encloses(ring, x, y):
    """True if a ring (np, 2) goes around the point once in its own sense: back of the front wall, before the back wall.

    Where walls have passed through each other the ring goes around backwards, and there is no room but bone.
    """
    count, around = ring.shape[0], 0
    for p in range(count):
        q = (p + 1) % count
        if (ring[p, 1] > y) != (ring[q, 1] > y):
            if x < ring[p, 0] + (y - ring[p, 1]) * (ring[q, 0] - ring[p, 0]) / (ring[q, 1] - ring[p, 1]):
                around += 1 if ring[q, 1] > y else -1
    return around == 1


@kernel
def squeeze(half, cushion, room):
    """Transverse strain of a root: its share of width lost where it has less room than it needs, 0 where it has room.

    The fat about it flows away and presses on nothing; what of it is caught on the root softens the first contact:
    strain rises from 0 with zero slope (so that it is smooth) to half of the overlap, then with all of it.

    Parameters
    ----------
    half, cushion, room : float [m]
        Half the width of the root, fat on each side, half the width of the largest root of its shape that fits.
    """
    overlap = half - room
    if overlap <= 0.0:
        return 0.0
    if overlap < cushion:
        return 0.5 * overlap * overlap / (cushion * half)
    return (overlap - 0.5 * cushion) / half


@kernel
def roomiest(ring, hold, half, centre, near):
    """Most room [m] that a search finds from the hold and from all sides of it; 0 if there is none.

    The bone that comes up into a foramen passes through the place where the root is held, and the root goes to the
    better side of it: the best of the searches changes smoothly where one of them would not.

    Parameters
    ----------
    ring, hold, near : as for `most_room`
    half : float [m]
        Half the width of the root.
    centre : (2,) float64 [m], in place: where the root ends
    """
    best, x, y = 0.0, hold[0], hold[1]
    for aside, above in STARTS:
        centre[0], centre[1] = hold[0] + aside * half, hold[1] + above * half
        if encloses(ring, centre[0], centre[1]):
            room = most_room(ring, hold, 0, centre, near)
            if room > best:
                best, x, y = room, centre[0], centre[1]
    centre[0], centre[1] = x, y
    return best


@kernel
def shrunk(flat, across, along, ring):
    """An outline (np, 2) multiplied across and along its height, in place."""
    for p in range(flat.shape[0]):
        ring[p, 0], ring[p, 1] = across * flat[p, 0], along * flat[p, 1]


@kernel
def home(model, f, ring, wide, hold):
    """Where the root of foramen ``f`` is held in a shrunk outline (np, 2), and how, in place (3,) [m].

    Under the pedicle with its fat, midway between the vertebral body and the inferior facet.

    Parameters
    ----------
    wide : float
        Width of the root over that of the model.
    """
    marks = model.foramen_marks
    hold[0] = 0.5 * (ring[marks[1], 0] + ring[marks[5], 0])
    hold[1] = ring[marks[0], 1] - 0.5 * wide * model.root_width[f] - model.root_law[1]
    hold[2] = model.root_law[3]


@stage
def root(model, f, flat, area, ring, near, hold, centre, values):
    """Occupancy, gap [m], strain, contact pressure [Pa] and band of the root in foramen ``f``, in place (5,).

    The gap is what the half width of the root could still grow; below 0 it is squeezed beyond its own width. Pressure
    is transverse stiffness times strain; the band counts the thresholds it reaches. In a foramen that is closed
    elsewhere the root has what is left on its side.

    Parameters
    ----------
    flat : (np, 2) float64 [m], from `foramen.flatten`
    area : float [m2]
        0 where the foramen is closed; the occupancy is then missing.
    ring, near, hold, centre : (np, 2), (np, 4), (3,), (2,) float64, scratch
        ``centre`` ends as the place of the root in the plane shrunk by its shape.
    """
    half, shape, cushion = 0.5 * model.root_width[f], model.root_law[0], model.root_law[1]
    shrunk(flat, 1.0, 1.0 / shape, ring)
    home(model, f, ring, 1.0, hold)
    room = roomiest(ring, hold, half, centre, near)
    strain = squeeze(half, cushion, room)
    pressure = model.root_law[2] * strain
    band = 0.0
    for threshold in model.root_threshold:
        if pressure >= threshold:
            band += 1.0
    values[OCCUPANCY] = math.pi * half * half * shape / area if area > 0.0 else math.nan
    values[GAP] = room - half
    values[STRAIN] = strain
    values[PRESSURE] = pressure
    values[BAND] = band


@kernel(makes_arrays=True)
def anatomies(model, f, flat, factors, pressure):
    """Contact pressure [Pa] of the root in foramen ``f`` in many anatomies of one posture, in place (na,).

    Parameters
    ----------
    flat : (np, 2) float64 [m], outline of the model itself, from `foramen.flatten`
    factors : (na, 4) float64
        Of each anatomy: width and height of the foramen, width of the root, transverse stiffness, over the model's.
    """
    count = flat.shape[0]
    ring, near, hold, centre = np.empty((count, 2)), np.empty((count, 4)), np.empty(3), np.empty(2)
    half, shape, cushion = 0.5 * model.root_width[f], model.root_law[0], model.root_law[1]
    shrunk(flat, 1.0, 1.0 / shape, ring)
    home(model, f, ring, 1.0, hold)
    roomiest(ring, hold, half, centre, near)
    x, y = centre[0], centre[1]
    for k in range(factors.shape[0]):
        across, along, wide = factors[k, 0], factors[k, 1], factors[k, 2]
        shrunk(flat, across, along / shape, ring)
        home(model, f, ring, wide, hold)
        # the place in the model itself is near, and where it has room enough none with more is sought
        centre[0], centre[1] = across * x, along * y
        room = 0.0
        if encloses(ring, centre[0], centre[1]):
            least = _distances(ring, centre[0], centre[1], near)
            room, _, _, _, _, _ = _soft(near, least, SOFTNESS[-1], hold, centre[0], centre[1])
            if room < half * wide:
                room = most_room(ring, hold, 1, centre, near)
        if room < half * wide and not encloses(ring, hold[0], hold[1]):
            room = max(room, roomiest(ring, hold, half * wide, centre, near))
        pressure[k] = model.root_law[2] * factors[k, 3] * squeeze(half * factors[k, 2], cushion, room)


@kernel(makes_arrays=True)
def population(model, turn, place, disc, flavum, scale, factors, pressure):
    """Contact pressure [Pa] of every root in many anatomies of one posture, in place (nf, 2, na).

    Parameters
    ----------
    turn, place : (nb, 3, 3), (nb, 3) float64, poses of the bodies
    disc : (nl, 3) float64, height loss, slip and bulge of every level [m]
    flavum : float, thickening of the ligament [m]
    scale : (nf, 2) float64, factors on the size of the foramina
    factors : (nf, 2, na, 4) float64, see `anatomies`
    """
    count = model.foramen_part.size
    points, flat, rotation, shift = np.empty((count, 3)), np.empty((count, 2)), np.empty((3, 3)), np.empty(3)
    for f in range(model.foramen_level.size):
        level = model.foramen_level[f]
        foramen.relative(model, level, turn, place, rotation, shift)
        for side in range(2):
            foramen.outline(model, f, side, rotation, shift, disc[level], flavum, points)
            foramen.flatten(model, points, scale[f, side], flat)
            anatomies(model, f, flat, factors[f, side], pressure[f, side])
