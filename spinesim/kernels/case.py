"""One case: the stages in order, and a chain of cases each started from the one before."""

import math

import numpy as np

from spinesim.kernels import alignment, foramen, passive, reaction
from spinesim.kernels.balance import INFEASIBLE, NOT_CONVERGED, SOLVED, balance, least_missing
from spinesim.kernels.jit import kernel, stage
from spinesim.kernels.posture import posture
from spinesim.kernels.state import configure
from spinesim.kernels.vector import copy, dot, fill, largest

# A missed moment m costs m^2 / (2 soft), where a whole body's effort is below 1000. Where forces exist, what is missed
# falls with soft; where it does not fall by half from one hardness to the next, no posture near by has a balance.
SOFTEST, HARDEST = 1.0, 1e-8
MISSED = 1e-6  # [N m] at most, for a posture found through a soft balance


@stage
def usable(case, row):
    """True if every number of a case is finite."""
    return (
        math.isfinite(largest(case.strength[row]))
        and math.isfinite(largest(case.stiffness[row]))
        and math.isfinite(largest(case.shift[row]))
        and math.isfinite(largest(case.lower[row]))
        and math.isfinite(largest(case.upper[row]))
        and math.isfinite(largest(case.tissue_shift[row]))
        and math.isfinite(case.preload[row])
        and math.isfinite(largest(case.load[row]))
        and math.isfinite(largest(case.load_point[row]))
        and math.isfinite(largest(case.held[row]))
    )


@stage
def derive(model, stance, case, row, free, multiplier, activation, find, work, out):
    """Loads, angles and foramina of a solved case, from ``work`` as it was left, into row ``row`` of ``out``."""
    n = work.length.size
    out.bounds[row] = 0
    carried = work.carried[0]
    tension = work.tension
    effort = gap = primal = 0.0
    weight = stance.cost / stance.sigma_activation**2 if find else 2.0 * stance.cost
    worst = np.empty(work.tau.size)
    copy(work.tau, worst)
    for i in range(activation.size):
        effort += stance.cost[i] * activation[i] ** 2
        for j in range(stance.column_first[i], stance.column_last[i]):
            worst[j] -= work.columns[i, j] * activation[i]
    # gap between the cost of the activations and the dual value of the multipliers
    for i in range(activation.size):
        target = stance.target[i] if find else 0.0
        pull = 0.0
        for j in range(stance.column_first[i], stance.column_last[i]):
            pull += work.columns[i, j] * multiplier[j]
        best = min(max(target + pull / weight[i], case.lower[row, i]), case.upper[row, i])
        if not find:
            slope = weight[i] * (activation[i] - target) - pull
            if activation[i] <= case.lower[row, i]:
                slope = min(slope, 0.0)
            if activation[i] >= case.upper[row, i]:
                slope = max(slope, 0.0)
            out.stationarity[row] = max(out.stationarity[row], abs(slope))
        primal += 0.5 * weight[i] * (activation[i] - target) ** 2
        gap += 0.5 * weight[i] * ((activation[i] - target) ** 2 - (best - target) ** 2) + best * pull
        if not case.lower[row, i] < activation[i] < case.upper[row, i]:
            out.bounds[row] += 1
    for j in range(multiplier.size):
        gap -= multiplier[j] * work.tau[j]
    for i in range(n):
        tension[i] = activation[i] * work.active[i] + work.passive[i]
        out.force[row, i] = tension[i]
    copy(free, out.free[row])
    copy(activation, out.activation[row])
    copy(work.length, out.length[row])
    copy(work.fibre, out.fibre[row])
    copy(multiplier, out.multiplier[row])
    out.missing[row] = 0.0
    out.residual[row] = largest(worst)
    out.gap[row] = abs(gap) / (1.0 + primal)
    out.effort[row] = effort
    copy(work.centre, out.centre[row])
    share = np.empty(stance.support_share.size)
    reaction.support_shares(stance, work.turn, work.place, work.centre[2], share)
    reaction.joint_moments(model, stance, share, case, row, work, activation, tension, out.held_moment[row])
    force = np.empty((model.body_mass.size, 3))
    reaction.beyond_joints(model, stance, share, case.load[row], case.load_point[row], work, tension, carried, force)
    reaction.level_loads(model, work.turn, force, out.reaction[row])
    reaction.hip_flexor_moments(model, case.tissue_shift[row], work, out.hip_flexor_moment[row])
    for side in range(2):
        out.foot_force[row, side] = 0.0
        b = model.hip_body[side]
        out.hip_force[row, side] = math.sqrt(dot(force[b], force[b])) if b >= 0 else math.nan
        if model.hip_body[0] == model.hip_body[1]:
            out.hip_force[row, side] *= 0.5  # one body stands for both
    for s in range(share.size):
        if stance.support_side[s] >= 0:
            out.foot_force[row, stance.support_side[s]] += share[s] * carried
    alignment.alignment(model, work.turn, out.alignment[row])
    points = np.empty((model.foramen_part.size, 3))
    for f in range(model.foramen_level.size):
        level = model.foramen_level[f]
        loss = (out.reaction[row, level, 0] - model.level_reference[level]) / model.level_axial[level]
        flexion = work.q[model.body_coordinates[model.level_bodies[level, 1]]]
        for side in range(2):
            foramen.outline(model, f, side, -flexion, loss, work.turn, work.place, points)
            foramen.measures(model, points, out.foramen[row, f, side])
    copy(work.turn, out.body_rotation[row])
    copy(work.place, out.body_position[row])


@kernel
def solve_chain(model, stance, case, held, find, start, work, out):
    """Solve a chain of cases: the first from ``start`` (cold), each further one from the last solved one.

    A found posture whose start has no balance is led by a soft balance that hardens in steps.

    Parameters
    ----------
    find : bool
        True: the posture is found (the values of ``case.held`` kept); False: ``start`` (nc, nu) is the posture of
        each case.
    start : (nc, nu) float64 [rad]
        The posture to hold, or the cold start of each case.
    work : Work
    out : Outputs, written in place; where a case fails, only status, iterations and missing moments are set
    """
    nu, m = stance.n_free, stance.cost.size
    free, multiplier, activation, missing = np.empty(nu), np.empty(nu), np.empty(m), np.empty(nu)
    rest, effort = np.zeros(m), 2.0 * stance.cost
    warm = False
    for row in range(case.strength.shape[0]):
        fill(math.nan, out.missing[row])
        out.stationarity[row] = math.nan
        out.iterations[row] = 0
        if not usable(case, row):
            out.status[row] = NOT_CONVERGED
            warm = False
            continue
        passive.disc_constants(model, case.preload[row], work.disc)
        if not warm:
            fill(0.0, multiplier)
        if not (find and warm):
            copy(start[row], free)
        status, worst, soft, left = NOT_CONVERGED, 0.0, 0.0, math.inf
        while True:
            if find:
                status, more, worst = posture(
                    model, stance, case, row, held, soft, free, multiplier, activation, missing, work
                )
            else:
                configure(model, stance, case, row, free, work)
                status, more = balance(
                    work.columns,
                    stance.column_first,
                    stance.column_last,
                    effort,
                    rest,
                    case.lower[row],
                    case.upper[row],
                    work.tau,
                    0.0,
                    multiplier,
                    activation,
                    missing,
                )
            out.iterations[row] += more
            left, before = soft * largest(multiplier), left
            if warm and status != SOLVED:
                warm = False
                copy(start[row], free)
                fill(0.0, multiplier)
            elif find and status == INFEASIBLE and soft == 0.0:
                soft, left = SOFTEST, math.inf
                fill(0.0, multiplier)
            elif status == SOLVED and soft > HARDEST and left <= 0.5 * before:
                soft *= 0.01
            else:
                break
        if soft > 0.0 and status == SOLVED and not left <= MISSED:
            status = INFEASIBLE
        out.status[row] = status
        out.stationarity[row] = worst
        warm = status == SOLVED
        if warm:
            derive(model, stance, case, row, free, multiplier, activation, find, work, out)
        elif status == INFEASIBLE:
            proof = least_missing(
                work.columns,
                stance.column_first,
                stance.column_last,
                effort,
                rest,
                case.lower[row],
                case.upper[row],
                work.tau,
                activation,
                out.missing[row],
            )
            if not proof > 0.0:
                out.status[row] = NOT_CONVERGED
            copy(free, out.free[row])
            copy(activation, out.activation[row])
