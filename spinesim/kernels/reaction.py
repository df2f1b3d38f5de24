"""Forces that the joints carry, from the free-body balance of everything beyond them."""

import math

from spinesim.kernels import contact, gravity, muscle, passive
from spinesim.kernels.chain import world
from spinesim.kernels.jit import stage
from spinesim.kernels.vector import copy, dot, fill


@stage
def support_shares(stance, turn, place, centre, share):
    """Share of the carried weight at each support, written in place.

    Two supports on the two sides split it so that it passes under the centre of mass (assumed: no other moment is
    exchanged with the ground about x); else the shares of the stance hold. A share below 0 means that foot would lift.

    Parameters
    ----------
    centre : (3,) float64, centre of mass from the support centre at the shares of the stance, world frame [m]
    """
    copy(stance.support_share, share)
    if share.size == 2 and stance.support_side[0] != stance.support_side[1]:
        side = stance.ground[1]
        x0, y0, z0 = world(turn, place, stance.support_body[0], stance.support_point[0])
        x1, y1, z1 = world(turn, place, stance.support_body[1], stance.support_point[1])
        apart = side[0] * (x1 - x0) + side[1] * (y1 - y0) + side[2] * (z1 - z0)
        share[1] = dot(side, centre) / apart + stance.support_share[1]
        share[0] = 1.0 - share[1]


@stage
def beyond_joints(model, stance, share, load, load_point, work, tension, carried, force):
    """Force of weights, loads, supports and muscles on everything beyond the joint of each body, in place (nb, 3).

    World frame [N]; the joint itself gives the opposite. ``work.pressing`` must hold the forces of the contacts.
    """
    fill(0.0, force)
    nb = model.body_mass.size
    for b in range(nb):
        weight = model.gravity * model.body_mass[b] * stance.weight[b]
        if b == model.load_body:
            for h in range(load.size):
                weight += load[h]
        for s in range(share.size):
            if stance.support_body[s] == b:
                weight -= share[s] * carried
        for c in range(nb):
            first = model.body_coordinates[c]
            if model.moves[b, first]:
                for i in range(3):
                    force[c, i] -= weight * stance.up[i]
    contact.contact_forces(model, stance, share, work, force)
    for i in range(tension.size):
        for s in range(model.muscle_segments[i], model.muscle_segments[i + 1]):
            a, b = model.segment_bodies[s, 0], model.segment_bodies[s, 1]
            w, _, _ = muscle.fade(model, s, work.q)
            if w == 0.0 or a == b:
                continue
            ax, ay, az = world(work.turn, work.place, a, model.segment_points[s, 0])
            bx, by, bz = world(work.turn, work.place, b, model.segment_points[s, 1])
            pull = w * tension[i] / math.sqrt((bx - ax) ** 2 + (by - ay) ** 2 + (bz - az) ** 2)
            for c in range(nb):
                first = model.body_coordinates[c]
                if model.moves[a, first] != model.moves[b, first]:
                    sign = 1.0 if model.moves[a, first] else -1.0
                    force[c, 0] += sign * pull * (bx - ax)
                    force[c, 1] += sign * pull * (by - ay)
                    force[c, 2] += sign * pull * (bz - az)


@stage
def level_loads(model, turn, force, loads):
    """Compression, anterior and lateral shear of every level on its lower vertebra, in place (nl, 3) [N].

    Disc frame fixed to the lower body. Compression is positive when the disc is squeezed, anterior shear when the
    upper vertebra is pushed forward on the lower, lateral shear when it is pushed to the right.
    """
    for v in range(loads.shape[0]):
        lower, upper = model.level_bodies[v, 0], model.level_bodies[v, 1]
        for axis in range(3):
            value = 0.0
            for i in range(3):
                direction = 0.0
                for j in range(3):
                    direction += turn[lower, i, j] * model.level_frame[v, axis, j]
                value += direction * force[upper, i]
            if axis == 1:
                loads[v, 0] = -value
            else:
                loads[v, 1 if axis == 0 else 2] = value


@stage
def joint_moments(model, stance, share, case, row, work, activation, tension, moment):
    """Moment about every joint coordinate of all forces but those that hold it, in place (nq,) [N m].

    The opposite is what a support or an internal ideal moment must give at a held coordinate.
    """
    fill(0.0, moment)
    passive.disc_moments(model, work.disc, work.q, moment)
    passive.tissue_moments(model, case.tissue_shift[row], work.q, moment)
    gravity.weights(
        model,
        stance,
        share,
        case.load[row],
        case.load_point[row],
        work.turn,
        work.place,
        work.centres,
        work.leverage,
        work.centre,
    )
    gravity.add_turning(work.axes, work.leverage, stance.up, 1.0, moment)
    contact.contact_moments(model, stance, share, case.contact_height[row], work, moment)
    for i in range(tension.size):
        for k in range(moment.size):
            moment[k] -= work.gradient[i, k] * tension[i]
    n = tension.size
    for i in range(stance.actuator_body.size):
        b = stance.actuator_body[i]
        if b >= 0:
            couple = activation[n + i] * stance.actuator_strength[i] * case.strength[row, n + i]
            for k in range(moment.size):
                if model.moves[b, k]:
                    moment[k] += couple * dot(stance.actuator_axis[i], work.axes[k])


@stage
def hip_flexor_moments(model, shift, work, moment):
    """Passive moment of hip flexors and the tissue their tightness shifts, flexion positive, in place (2,) [N m]."""
    fill(0.0, moment)
    for i in range(model.flexor_side.size):
        side = model.flexor_side[i]
        if side == 2:
            for half in range(2):
                moment[half] -= 0.5 * work.gradient[i, model.hip_flexion[half]] * work.passive[i]
        elif side >= 0:
            moment[side] -= work.gradient[i, model.hip_flexion[side]] * work.passive[i]
    for t in range(model.flexor_tissue.size):
        side = model.flexor_tissue[t]
        if side == 2:
            for half in range(2):
                moment[half] += 0.5 * passive.tissue_moment(model, t, shift[t], work.q)
        elif side >= 0:
            moment[side] += passive.tissue_moment(model, t, shift[t], work.q)
