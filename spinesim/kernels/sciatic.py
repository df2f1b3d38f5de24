"""Length and strain of the sciatic nerve, and what the piriformis may press on it.

The pressure of the piriformis is a hypothesis: no measurement of it is known.
"""

import math

import numpy as np

from spinesim.kernels.chain import world
from spinesim.kernels.jit import stage

LENGTHENING, STRAIN, PIRIFORMIS = range(3)  #: what `sciatic` gives


@stage
def canal_length(model, turn, place):
    """Length [m] of the midline of the canal from the upper vertebra of the highest foramen to the sacrum."""
    length = x = y = z = 0.0
    for f in range(-1, model.foramen_level.size):
        # the lower vertebra of the lowest foramen, then the upper one of every foramen
        first, upper = (2, 0) if f < 0 else (0, 1)
        g = max(f, 0)
        body = model.level_bodies[model.foramen_level[g], upper]
        ax, ay, az = world(turn, place, body, model.canal_points[g, first])
        bx, by, bz = world(turn, place, body, model.canal_points[g, first + 1])
        ax, ay, az = 0.5 * (ax + bx), 0.5 * (ay + by), 0.5 * (az + bz)
        if f >= 0:
            length += math.sqrt((ax - x) ** 2 + (ay - y) ** 2 + (az - z) ** 2)
        x, y, z = ax, ay, az
    return length


@stage
def piriformis_pressure(model, side, variant, turn, place, tension):
    """Pressure [Pa] of the piriformis of a side on the nerve: its force across the nerve over the area they share.

    The muscle bends at the greater sciatic notch, and over as much of the nerve as the variant puts into its way; with
    tension T the two straight parts of its path leave a force T (e2 - e1) there. What of it points forward in the
    pelvis, where the nerve lies, presses; none where the path bends the other way.

    Parameters
    ----------
    variant : int, 0 the nerve passes below the muscle, 1 through it, 2 above it
    tension : (n,) float64 [N]
    """
    first = model.muscle_segments[model.piriformis[side]]
    size = np.empty(2)
    forward = 0.0
    for s in range(2):
        a, b = model.segment_bodies[first + s, 0], model.segment_bodies[first + s, 1]
        ax, ay, az = world(turn, place, a, model.segment_points[first + s, 0])
        bx, by, bz = world(turn, place, b, model.segment_points[first + s, 1])
        x, y, z = bx - ax, by - ay, bz - az
        size[s] = math.sqrt(x * x + y * y + z * z)
        ahead = (turn[0, 0, 0] * x + turn[0, 1, 0] * y + turn[0, 2, 0] * z) / size[s]
        forward += ahead if s == 1 else -ahead
    share, engaged = model.sciatic_variant[variant, 0], model.sciatic_variant[variant, 1]
    bent = forward + engaged * model.sciatic_size[2] * (1.0 / size[0] + 1.0 / size[1])
    area = model.sciatic_size[0] * model.sciatic_size[1]
    return max(0.0, share * tension[model.piriformis[side]] * bent / area)


@stage
def sciatic(model, variant, q, turn, place, tension, values):
    """Lengthening [m], strain and piriformis pressure [Pa] of both sides, in place (2, 3).

    The way of the nerve is the canal, a stretch fixed to pelvis and thigh, and two arcs: behind the hip, longer as it
    flexes, and behind the knee, shorter as it flexes. It is taken as evenly strained from L1 to the ankle.
    """
    canal = canal_length(model, turn, place)
    rest, hip_arm, knee_arm = model.sciatic_way[0], model.sciatic_way[1], model.sciatic_way[2]
    for side in range(2):
        longer = canal + hip_arm * q[model.hip_flexion[side]] - knee_arm * q[model.knee_flexion[side]]
        longer -= model.sciatic_way[3]
        values[side, LENGTHENING] = longer
        values[side, STRAIN] = longer / rest
        values[side, PIRIFORMIS] = piriformis_pressure(model, side, variant, turn, place, tension)
