"""One case: the stages in order, and a chain of cases each started where those before it lead."""

import math

import numpy as np

from spinesim.kernels import alignment, foramen, nerve, passive, reaction, sciatic
from spinesim.kernels.balance import (
    CAPS,
    INFEASIBLE,
    NOT_CONVERGED,
    SOLVED,
    UNSTABLE,
    Sharing,
    balance,
    certificate,
    least_missing,
)
from spinesim.kernels.jit import inner, kernel, stage
from spinesim.kernels.posture import LONGEST_STEP, posture
from spinesim.kernels.stability import ALIGNED, MARGIN_TOLERANCE, drop_cuts, stabilise, stiffness_shapes, weakest
from spinesim.kernels.state import configure, tangent
from spinesim.kernels.vector import copy, dot, fill, largest

# A missed moment m costs m^2 / (2 soft), where a whole body's effort is below 1000. Where forces exist, what is missed
# falls with soft; where it does not fall by half from one hardness to the next, no posture near by has a balance.
SOFTEST, HARDEST = 1.0, 1e-8
MISSED = 1e-6  # [N m] at most, for a posture found through a soft balance


@inner
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
        and math.isfinite(case.rest_pressure[row])
        and math.isfinite(case.short_range[row])
        and case.margin[row] < math.inf
        and math.isfinite(largest(case.load[row]))
        and math.isfinite(largest(case.load_point[row]))
        and math.isfinite(largest(case.contact_height[row]))
        and math.isfinite(largest(case.offset[row]))
        and math.isfinite(largest(case.held[row]))
    )


@stage
def excluding(lower, upper):
    """True if a lower bound of activation exceeds its upper one: a pressure that cannot be raised."""
    excess = 0.0
    for i in range(lower.size):
        excess = max(excess, lower[i] - upper[i])
    return excess > 0.0


@inner(makes_arrays=True)
def nerve_room(model, case, row, work, out):
    """Discs, foramina, canal and roots of a solved case, from its joint reactions, into row ``row`` of ``out``."""
    count = model.foramen_part.size
    points, rotation, shift = np.empty((count, 3)), np.empty((3, 3)), np.empty(3)
    ring, near, hold = np.empty((count, 2)), np.empty((count, 4)), np.empty(3)
    for v in range(model.level_area.size):
        disc, load = out.disc[row, v], out.reaction[row, v]
        flexion = work.q[model.body_coordinates[model.level_bodies[v, 1]]]
        disc[0] = (load[0] - model.level_reference[v]) / model.level_axial[v] + case.disc_loss[row, v]
        disc[1] = (load[1] - model.level_shear_reference[v]) / model.level_shear[v] + case.disc_slip[row, v]
        disc[2] = foramen.disc_bulge(model, -flexion, disc[0]) + case.disc_bulge[row, v]
    for f in range(model.foramen_level.size):
        level = model.foramen_level[f]
        disc = out.disc[row, level]
        foramen.relative(model, level, work.turn, work.place, rotation, shift)
        for side in range(2):
            flat, place = out.outline[row, f, side], out.root_place[row, f, side]
            foramen.outline(model, f, side, rotation, shift, disc, case.flavum[row], points)
            foramen.flatten(model, points, case.foramen_scale[row, f, side], flat)
            size = out.foramen[row, f, side]
            foramen.measures(model, points, flat, size)
            nerve.root(model, f, flat, size[foramen.AREA], ring, near, hold, place, out.root[row, f, side])
            place[1] *= model.root_law[0]
        out.canal[row, f] = foramen.canal_area(model, f, rotation, shift, disc, case.flavum[row])


@inner(makes_arrays=True)
def derive(model, stance, case, row, problem, used, power, fixed, free, multiplier, activation, find, least, work, out):
    """Loads, angles and foramina of a solved case, from ``work`` as it was left, into row ``row`` of ``out``.

    ``least`` (n + na,) are the activations of least effort in this posture, stable or not.
    """
    n = work.length.size
    out.bounds[row] = 0
    carried = work.carried[0]
    tension = work.tension
    effort = 0.0
    for i in range(activation.size):
        effort += stance.cost[i] * activation[i] ** 2
        if not case.lower[row, i] < activation[i] < case.upper[row, i]:
            out.bounds[row] += 1
    residual, stationarity, complementarity, gap = certificate(problem, used, power, multiplier, activation, work.room)
    if not find:
        out.stationarity[row] = stationarity
    out.residual[row], out.complementarity[row], out.gap[row] = residual, complementarity, gap
    stiffness = np.empty((stance.n_free, stance.n_free))
    tangent(model, stance, case, row, activation, case.short_range[row], work, stiffness)
    out.smallest[row] = weakest(stance, stiffness, out.mode[row])
    out.cuts[row] = used - fixed
    out.stability_price[row] = 0.0
    for k in range(fixed, used):
        out.stability_price[row] += multiplier[stance.n_free + k]
    force = np.empty((model.body_mass.size, 3))
    share = np.empty(stance.support_share.size)
    loads = np.empty((model.level_area.size, 3))
    reaction.support_shares(stance, work.turn, work.place, work.centre, share)
    for i in range(n):
        tension[i] = least[i] * work.active[i] + work.passive[i]
    reaction.beyond_joints(model, stance, share, case.load[row], case.load_point[row], work, tension, carried, force)
    reaction.level_loads(model, work.turn, force, loads)
    copy(least, out.least[row])
    for v in range(loads.shape[0]):
        out.least_compression[row, v] = loads[v, 0]
    for i in range(n):
        tension[i] = activation[i] * work.active[i] + work.passive[i]
        out.force[row, i] = tension[i]
    copy(free, out.free[row])
    copy(activation, out.activation[row])
    copy(work.length, out.length[row])
    copy(work.fibre, out.fibre[row])
    scale = 1.0
    if power == 0.0:
        # prices of the least worst activation itself, not of its square times K
        scale, worst = 0.0, 0.0
        for i in range(activation.size):
            scale += CAPS[-1] * problem.weight[i]
            worst = max(worst, activation[i])
        scale = 1.0 / (scale * worst)
    for j in range(stance.n_free):
        out.multiplier[row, j] = scale * multiplier[j]
    out.missing[row] = 0.0
    out.proof[row] = 0.0
    out.effort[row] = effort
    copy(work.centre, out.centre[row])
    reaction.joint_moments(model, stance, share, case, row, work, activation, tension, out.held_moment[row])
    reaction.beyond_joints(model, stance, share, case.load[row], case.load_point[row], work, tension, carried, force)
    reaction.level_loads(model, work.turn, force, out.reaction[row])
    reaction.hip_flexor_moments(model, case.tissue_shift[row], work, out.hip_flexor_moment[row])
    for side in range(2):
        out.foot_force[row, side] = 0.0
        b = model.hip_body[side]
        out.hip_force[row, side] = math.sqrt(dot(force[b], force[b])) if b >= 0 else math.nan
        if model.hip_body[0] == model.hip_body[1]:
            out.hip_force[row, side] *= 0.5  # one body stands for both
    upward = carried  # what contacts leave to the supports
    for c in range(work.pressing.size):
        upward -= work.pressing[c] * dot(stance.contact_normal[c], stance.up)
    for s in range(share.size):
        if stance.support_side[s] >= 0:
            out.foot_force[row, stance.support_side[s]] += share[s] * upward
    for i in range(stance.actuator_strength.size):
        out.actuator_moment[row, i] = activation[n + i] * stance.actuator_strength[i] * case.strength[row, n + i]
    copy(work.pressing, out.contact_force[row])
    for s in range(share.size):
        for i in range(3):
            total = carried * stance.up[i]
            for c in range(work.pressing.size):
                total -= work.pressing[c] * stance.contact_normal[c, i]
            out.support_force[row, s, i] = share[s] * total
    copy(case.load[row], out.load[row])
    out.load_point[row] = case.load_point[row]
    copy(work.q, out.joint[row])
    alignment.alignment(model, work.turn, out.alignment[row])
    nerve_room(model, case, row, work, out)
    if model.piriformis[0] >= 0:
        sciatic.sciatic(model, case.variant[row], work.q, work.turn, work.place, tension, out.sciatic[row])
    copy(work.turn, out.body_rotation[row])
    copy(work.place, out.body_position[row])


@inner
def extrapolate(stride, fixed, used, free, multiplier, cuts, last_free, last_multiplier, last_cut):
    """Go on from the last case along the line through the last two, with posture, multipliers and the only cut.

    Parameters
    ----------
    stride : float, step to the next case over that between the last two
    free, multiplier, cuts : of the last case; where the line leads to in place
    last_free, last_multiplier, last_cut : of the case before it; of the last case in place

    Returns
    -------
    stride : float, 0 where the posture would go further than its curves are trusted: nothing has moved then
    """
    furthest = 0.0
    for j in range(free.size):
        furthest = max(furthest, abs(stride * (free[j] - last_free[j])))
    if furthest > LONGEST_STEP:
        stride = 0.0
    turned = dot(cuts[fixed], last_cut) if used == fixed + 1 else 0.0
    for j in range(free.size):
        now = free[j]
        free[j] += stride * (now - last_free[j])
        last_free[j] = now
    for j in range(free.size + used):
        now = multiplier[j]
        if j < free.size + fixed or turned > ALIGNED:
            multiplier[j] += stride * (now - last_multiplier[j])
        if j >= free.size:
            multiplier[j] = max(multiplier[j], 0.0)
        last_multiplier[j] = now
    if used != fixed + 1:
        fill(0.0, last_cut)
        return stride
    for s in range(last_cut.size):
        now = cuts[fixed, s]
        if turned > ALIGNED:
            cuts[fixed, s] += stride * (now - last_cut[s])
        last_cut[s] = now
    size = math.sqrt(dot(cuts[fixed], cuts[fixed]))
    for s in range(last_cut.size):
        cuts[fixed, s] /= size
    return stride


@kernel(makes_arrays=True)
def solve_chain(model, stance, case, held, find, power, start, stride, work, side, out):
    """Solve a chain of cases: the first from ``start`` (cold), each further one from the solved ones before it.

    A found posture whose start has no balance is led by a soft balance that hardens in steps.

    Parameters
    ----------
    find : bool
        True: the posture is found (the values of ``case.held`` kept); False: ``start`` (nc, nu) is the posture of
        each case.
    power : float
        Cost of the activations of a held posture, see `balance`; a found posture has its own.
    start : (nc, nu) float64 [rad]
        The posture to hold, or the cold start of each case.
    stride : (nc,) float64 [1]
        Step from the case before to each case over the one before that, for found postures; 0 starts from the case
        before.
    work, side : Work
    out : Outputs, written in place; where a case fails, only status, iterations and missing moments are set
    """
    nu, m = stance.n_free, stance.cost.size
    size = nu + work.bound.size
    free, multiplier, activation, missing = np.empty(nu), np.empty(size), np.empty(m), np.empty(size)
    least, other = np.empty(m), np.empty(size)
    rest, effort = np.zeros(m), (power if power > 0.0 else 2.0) * stance.cost
    pull = 2.0 * stance.cost
    fixed = 1 if model.pressure_line >= 0 else 0
    used, warm, line = fixed, False, False
    last_free, last_multiplier, last_cut = np.zeros(nu), np.zeros(size), np.zeros(stance.stable.size)
    lacking = np.zeros((nu, nu))
    for row in range(case.strength.shape[0]):
        fill(math.nan, out.missing[row])
        out.stationarity[row] = math.nan
        out.iterations[row] = 0
        if not usable(case, row):
            out.status[row] = NOT_CONVERGED
            warm = False
            continue
        lower, upper = case.lower[row], case.upper[row]
        if excluding(lower, upper):
            out.status[row] = INFEASIBLE
            fill(0.0, out.missing[row])
            warm = False
            continue
        passive.disc_constants(model, case.preload[row], work.disc)
        copy(work.disc, side.disc)
        held_problem = Sharing(work.columns, effort, rest, lower, upper, work.tau, work.rows, work.bound)
        # a symmetric case is solved within the symmetric postures, and must start from one
        warm = warm and not (case.symmetric[row] and not case.symmetric[row - 1])
        along = 0.0
        if warm:
            used = drop_cuts(work, fixed, used, nu, multiplier)
            if find:
                along = stride[row] if line else 0.0
                along = extrapolate(
                    along, fixed, used, free, multiplier, work.cuts, last_free, last_multiplier, last_cut
                )
                line = True
        else:
            line = False
            used = fixed
            fill(0.0, multiplier)
            fill(0.0, lacking)
        if not (find and warm):
            copy(start[row], free)
        status, worst, soft, left, shaky = NOT_CONVERGED, 0.0, 0.0, math.inf, used < 0
        margin, led = case.margin[row], False
        while True:
            if find:
                status, more, worst, used = posture(
                    model,
                    stance,
                    case,
                    row,
                    held,
                    margin,
                    soft,
                    fixed,
                    used,
                    free,
                    multiplier,
                    lacking,
                    activation,
                    missing,
                    work,
                    side,
                )
            else:
                configure(model, stance, case, row, free, work)
                status, more = balance(held_problem, fixed, 0.0, power, multiplier, activation, missing, work.room)
                copy(activation, least)
                used = fixed
                if status == SOLVED and case.margin[row] > -math.inf:
                    stiffness_shapes(model, stance, case, row, work)
                    status, used, again = stabilise(
                        held_problem,
                        fixed,
                        used,
                        0.0,
                        power,
                        case.margin[row],
                        MARGIN_TOLERANCE,
                        case.symmetric[row],
                        stance,
                        work,
                        multiplier,
                        activation,
                        missing,
                    )
                    more += again
            out.iterations[row] += more
            left, before = soft * largest(multiplier[: nu + used]), left
            if warm and status != SOLVED and along != 0.0:
                # the line led astray: from the last case itself
                along, used = 0.0, fixed
                copy(last_free, free)
                copy(last_multiplier, multiplier)
                fill(0.0, multiplier[nu + fixed :])
            elif warm and status != SOLVED:
                warm = line = False
                copy(start[row], free)
                fill(0.0, multiplier)
                used = fixed
            elif find and status in (INFEASIBLE, UNSTABLE) and soft == 0.0:
                soft, left, shaky = SOFTEST, math.inf, status == UNSTABLE
                fill(0.0, multiplier)
            elif status == SOLVED and soft > HARDEST and left <= 0.5 * before:
                soft *= 0.01
            elif find and status == NOT_CONVERGED and margin > -math.inf and not led:
                # the posture that needs only balance leads to the one that is also stable
                margin, led, soft, used = -math.inf, True, 0.0, fixed
                copy(start[row], free)
                fill(0.0, multiplier)
            elif status == SOLVED and margin < case.margin[row] and not (soft > 0.0 and not left <= MISSED):
                margin, soft = case.margin[row], 0.0
            else:
                break
            fill(0.0, lacking)
        if soft > 0.0 and status == SOLVED and not left <= MISSED:
            status = INFEASIBLE
        if shaky and status != SOLVED:
            # the start balances and cannot be made stable, and no posture that can was found from there
            status = UNSTABLE
        out.status[row] = status
        out.stationarity[row] = worst
        warm = status == SOLVED
        if warm:
            problem = held_problem
            if find:
                weight = stance.cost / stance.sigma_activation**2
                problem = Sharing(work.columns, weight, stance.target, lower, upper, work.tau, work.rows, work.bound)
                least_problem = Sharing(work.columns, pull, rest, lower, upper, work.tau, work.rows, work.bound)
                fill(0.0, other)
                held_status, _ = balance(least_problem, fixed, 0.0, 2.0, other, least, missing, work.room)
                if held_status != SOLVED:
                    fill(math.nan, least)
            derive(
                model,
                stance,
                case,
                row,
                problem,
                used,
                2.0 if find else power,
                fixed,
                free,
                multiplier,
                activation,
                find,
                least,
                work,
                out,
            )
        elif status in (INFEASIBLE, UNSTABLE):
            problem = Sharing(work.columns, pull, rest, lower, upper, work.tau, work.rows, work.bound)
            proof = least_missing(problem, fixed, activation, missing, other, work.room)
            if status == INFEASIBLE and used > fixed and not proof > MISSED:
                # forces exist in the posture where the search ended; what is missing is stability
                status = UNSTABLE
            if status == INFEASIBLE and not proof > 0.0:
                status = NOT_CONVERGED
            if status == UNSTABLE:
                proof = 0.0
                fill(0.0, missing)
            out.status[row] = status
            out.proof[row] = proof
            copy(missing[:nu], out.missing[row])
            copy(free, out.free[row])
            copy(activation, out.activation[row])
