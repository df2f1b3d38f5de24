"""Force balance: the least costly activations that balance every free coordinate.

minimise  cost(a)   subject to   sum_i a_i c_i = tau,   sum_i a_i g_i >= b   and   lower_i <= a_i <= upper_i

where c_i holds the moments of line i at full activation and tau what they must give; the rows g of the inequalities
are few (intra-abdominal pressure, stability). For multipliers lambda of the moments and mu >= 0 of the rows the best
activation of every line is known by itself from its pull c_i . lambda + g_i . mu, so the problem is the maximum of a
concave dual function of the few multipliers, found by a projected semismooth Newton method. If a direction (d, e >= 0)
exists with d . tau + e . b > max_a sum a_i (c_i . d + g_i . e), no activations do (Farkas): the problem is infeasible.

Three costs share this one method::

    power 2     1/2 sum w_i (a_i - t_i)^2
    power p     sum w_i a_i^p / p,  through the shifted power  w (a + e^q)^p / p  with q = 1 / (p - 1), e falling to 0:
                the curvature of a power has no bound, or no floor, at a = 0
    worst       1/2 K s^2 + 1/2 sum w_i a_i^2  with all a_i <= s and K rising: the least s, ties broken by effort

With ``soft`` > 0 moments and rows may be missed at the price |missing|^2 / (2 soft): missing = soft * multiplier.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinesim.kernels.arrays import Floats, Ints
from spinesim.kernels.jit import inner, kernel, stage
from spinesim.kernels.vector import dot, dot_wide, fill, largest

SOLVED, INFEASIBLE, NOT_CONVERGED, UNSTABLE = 0, 1, 2, 3
TOLERANCE = 1e-9  # [N m]; the moments summed are below 1e3 N m, whose rounding is 1e-13
ACCEPTED = 1e-7  # [N m] where rounding, not the method, ends the search
ROUNDING = 1e-14  # of a soft balance, whose multipliers grow with what is missed
HALVINGS = 60
ROUNDS = 200  # typical 3-12; more only along the edge of feasibility
OFFSETS = (1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)  # e^q of the power cost; at 1 it is all but quadratic
CAPS = (0.1, 1.0, 10.0, 1e2, 1e3, 1e4)  # K over the sum of the weights: s is met to a few times its inverse
HARDENINGS = 10  # of the least missing moments, most of them only where next to nothing is missing
PROVED = 0.95  # of the missing moment that the proof reaches: effort still has a small price
MAX_ROWS = 64  # stability needs 1 to 20


class Sharing(NamedTuple):
    """A force-sharing problem of ``m`` lines and ``nu`` coordinates."""

    columns: Floats  #: (m, nu) moments at full activation [N m]
    weight: Floats  #: (m,)
    target: Floats  #: (m,) of the quadratic cost
    lower: Floats  #: (m,) bounds of activation
    upper: Floats
    tau: Floats  #: (nu,) moments to be given [N m]
    rows: Floats  #: (MAX_ROWS, m) inequalities, the first few in use
    bound: Floats  #: (MAX_ROWS,)


class Scratch(NamedTuple):
    """Work space of the balance, made once so that no solve allocates."""

    square: Floats  #: (N, N), N = nu + MAX_ROWS
    kept: Floats  #: (N, N)
    step: Floats  #: (N,)
    trial: Floats
    trial_missing: Floats
    before: Floats
    earlier: Floats
    along: Floats
    across: Floats  #: (nu, m) columns the other way round
    pull: Floats  #: (m,)
    slope: Floats  #: (m,) change of the activation per pull
    counted: Floats  #: (m,) slopes that ``square`` holds
    held: Ints  #: (N,) multipliers of the step, in order
    pinned: NDArray[np.bool_]  #: (N,) rows whose price stays or goes to 0


def scratch(lines: int, coordinates: int) -> Scratch:
    """Work space for a number of lines and free coordinates."""
    size = coordinates + MAX_ROWS
    return Scratch(
        square=np.zeros((size, size)),
        kept=np.zeros((size, size)),
        step=np.zeros(size),
        trial=np.zeros(size),
        trial_missing=np.zeros(size),
        before=np.zeros(size),
        earlier=np.zeros(size),
        along=np.zeros(size),
        across=np.zeros((coordinates, lines)),
        pull=np.zeros(lines),
        slope=np.zeros(lines),
        counted=np.zeros(lines),
        held=np.zeros(size, dtype=np.int64),
        pinned=np.zeros(size, dtype=np.bool_),
    )


@inner
def cholesky(square, n):
    """Factor the lower triangle of a symmetric matrix in place; False if it is not positive definite."""
    for j in range(n):
        if not square[j, j] > 0.0:
            return False
        pivot = math.sqrt(square[j, j])
        for i in range(j, n):
            square[i, j] /= pivot
        for i in range(j + 1, n):
            factor = square[i, j]
            for k in range(j + 1, i + 1):
                square[i, k] -= factor * square[k, j]
    return True


@inner
def cholesky_solve(factor, n, x):
    """Solve L L' y = x in place."""
    for i in range(n):
        value = x[i]
        for k in range(i):
            value -= factor[i, k] * x[k]
        x[i] = value / factor[i, i]
    for i in range(n - 1, -1, -1):
        value = x[i]
        for k in range(i + 1, n):
            value -= factor[k, i] * x[k]
        x[i] = value / factor[i, i]


@inner
def pulls(problem, used, across, multiplier, pull):
    """c_i . lambda + g_i . mu of every line, in place (m,)."""
    nu, m = problem.tau.size, pull.size
    fill(0.0, pull)
    for j in range(nu):
        factor = multiplier[j]
        if factor != 0.0:
            for i in range(m):
                pull[i] += factor * across[j, i]
    for k in range(used):
        factor = multiplier[nu + k]
        if factor != 0.0:
            for i in range(m):
                pull[i] += factor * problem.rows[k, i]


@inner
def _cap(problem, pull, stiffness):
    """The s that minimises 1/2 K s^2 + sum min over a_i <= s of (1/2 w a^2 - pull a), and K + the capped weights.

    The derivative by s is increasing, so bisection finds its zero; s is at least every lower bound and at most 1.
    """
    low, high = 0.0, 0.0
    for i in range(pull.size):
        low = max(low, problem.lower[i])
        high = max(high, problem.upper[i])
    floor = low
    for _ in range(60):
        s = 0.5 * (low + high)
        value = stiffness * s
        for i in range(pull.size):
            if s < problem.upper[i] and pull[i] > problem.weight[i] * s:
                value -= pull[i] - problem.weight[i] * s
        if value < 0.0:
            low = s
        else:
            high = s
    s = 0.5 * (low + high)
    whole = stiffness
    for i in range(pull.size):
        if s < problem.upper[i] and pull[i] > problem.weight[i] * s:
            whole += problem.weight[i]
    return s, whole if s > floor + 1e-12 else math.inf


@inner
def _activations(problem, used, soft, power, shape, multiplier, activation, missing, across, pull, slope):
    """Best activations of the multipliers, what is still missing, and the slopes da/dpull.

    ``missing`` (N,) is the gradient of the dual function: tau - sum a c and b - sum a g, less soft * multiplier.

    Returns
    -------
    value, cap, whole : float
        Dual value; of the worst cost, s and the stiffness against which all lines at s move together.
    """
    value, nu = 0.0, problem.tau.size
    for j in range(nu):
        missing[j] = problem.tau[j] - soft * multiplier[j]
        value += multiplier[j] * (problem.tau[j] - 0.5 * soft * multiplier[j])
    for k in range(used):
        missing[nu + k] = problem.bound[k] - soft * multiplier[nu + k]
        value += multiplier[nu + k] * (problem.bound[k] - 0.5 * soft * multiplier[nu + k])
    pulls(problem, used, across, multiplier, pull)
    cap, whole = math.inf, math.inf
    if power == 0.0:
        cap, whole = _cap(problem, pull, shape)
        value += 0.5 * shape * cap * cap
    exponent = 1.0 / (power - 1.0)
    offset = shape**exponent
    for i in range(pull.size):
        low, high, w = problem.lower[i], problem.upper[i], problem.weight[i]
        if power == 2.0 or power == 0.0:
            wish = problem.target[i] + pull[i] / w
            slope[i] = 1.0 / w if low <= wish <= high else 0.0
            if cap < high and wish > cap:
                high, slope[i] = max(cap, low), -1.0
            a = min(max(wish, low), high)
            value += 0.5 * w * (a - problem.target[i]) ** 2 - a * pull[i]
        else:
            z = max(pull[i] / w, 0.0) + shape
            wish = z**exponent - offset
            slope[i] = exponent * (wish + offset) / (z * w) if pull[i] >= 0.0 and low <= wish <= high else 0.0
            a = min(max(wish, low), high)
            value += w * (((a + offset) ** power - offset**power) / power - shape * a) - a * pull[i]
        activation[i] = a
        if a != 0.0:
            for j in range(nu):
                missing[j] -= a * problem.columns[i, j]
    for k in range(used):
        missing[nu + k] -= dot_wide(activation, problem.rows[k])
    return value, cap, whole


@inner
def _normal_matrix(problem, used, slope, counted, square):
    """Bring sum slope [c; g][c; g]' over the lines up to date, in the lower triangle of ``square`` (N, N).

    Only lines whose slope is not what ``counted`` (m,) says are added or taken away: a step moves few of them. Lines
    whose unbounded best value is just on a bound count: from there they can move, as all do in a cold start.
    """
    nu, m = problem.tau.size, slope.size
    for i in range(m):
        change = max(slope[i], 0.0) - counted[i]
        if change != 0.0:
            counted[i] += change
            for j in range(nu):
                factor = change * problem.columns[i, j]
                if factor != 0.0:
                    for k in range(nu):
                        square[j, k] += factor * problem.columns[i, k]
            for k in range(used):
                factor = change * problem.rows[k, i]
                if factor != 0.0:
                    for j in range(nu):
                        square[nu + k, j] += factor * problem.columns[i, j]
                    for other in range(k + 1):
                        square[nu + k, nu + other] += factor * problem.rows[other, i]


@inner
def _capped_together(problem, used, slope, whole, together, square):
    """Add to ``square`` that the lines held by the cap of the worst cost (slope -1) move as one."""
    nu = problem.tau.size
    size = nu + used
    for j in range(size):
        together[j] = 0.0
    for i in range(slope.size):
        if slope[i] < 0.0:
            for j in range(nu):
                together[j] += problem.columns[i, j]
            for k in range(used):
                together[nu + k] += problem.rows[k, i]
    for j in range(size):
        for k in range(j + 1):
            square[j, k] += together[j] * together[k] / whole


@inner
def _shortage(problem, used, direction, pull):
    """tau . d + b . e less the most that lines of these pulls c . d + g . e can give along (d, e)."""
    value, nu = 0.0, problem.tau.size
    for j in range(nu):
        value += problem.tau[j] * direction[j]
    for k in range(used):
        value += problem.bound[k] * direction[nu + k]
    for i in range(pull.size):
        value -= pull[i] * (problem.upper[i] if pull[i] > 0.0 else problem.lower[i])
    return value


@kernel(makes_arrays=True)
def shortage_along(problem, used, direction):
    """tau . d + b . e less the most the activations can give along (d, e); above 0 it proves that no balance exists."""
    nu = problem.tau.size
    pull = np.zeros(problem.lower.size)
    for i in range(pull.size):
        for j in range(nu):
            pull[i] += problem.columns[i, j] * direction[j]
        for k in range(used):
            pull[i] += problem.rows[k, i] * direction[nu + k]
    return _shortage(problem, used, direction, pull)


@inner
def _shortest(missing, multiplier, nu, size):
    """Largest missing moment or row; a row that is more than met and has no price is not missed."""
    value = 0.0
    for j in range(size):
        x = missing[j]
        if not abs(x) < math.inf:
            return math.nan
        if j < nu or x > 0.0 or multiplier[j] > 0.0:
            value = max(value, abs(x))
    return value


@stage
def _newton_step(problem, used, soft, power, whole, ahead, multiplier, missing, room):
    """Newton step of the multipliers that may move, in ``room.step``, and the slope of the dual along it.

    Rows that are met and have no price stay out. With ``ahead``, prices that the step would bring below 0 go to 0 and
    the others are sought anew; nearly parallel cuts need that, but now and then it leads nowhere. Returns nan if the
    matrix cannot be factored.
    """
    nu = problem.tau.size
    size = nu + used
    if power != 2.0:
        _forget(room)  # these slopes change everywhere and by orders of magnitude
    _normal_matrix(problem, used, room.slope, room.counted, room.square)
    if whole < math.inf:
        _capped_together(problem, used, room.slope, whole, room.step, room.square)
    diagonal = 0.0
    for j in range(size):
        room.step[j] = 0.0
        room.pinned[j] = j >= nu and not (multiplier[j] > 0.0 or missing[j] > 0.0)
        if not room.pinned[j]:
            diagonal = max(diagonal, room.square[j, j])
    for _ in range(used + 1):
        count = 0
        for j in range(size):
            if not room.pinned[j]:
                room.held[count] = j
                count += 1
        for a in range(count):
            j = room.held[a]
            for b in range(a + 1):
                room.kept[a, b] = room.square[j, room.held[b]]
            # where no free line acts on a coordinate the matrix is singular: a small ridge keeps the step finite
            room.kept[a, a] += soft + 1e-10 * diagonal + 1e-14
            room.before[a] = missing[j]
            for k in range(nu, size):
                if room.pinned[k] and room.step[k] != 0.0:
                    room.before[a] -= room.square[max(j, k), min(j, k)] * room.step[k]
        if not cholesky(room.kept, count):
            return math.nan
        cholesky_solve(room.kept, count, room.before)
        clear = True
        for a in range(count):
            j = room.held[a]
            room.step[j] = room.before[a]
            if ahead and j >= nu and multiplier[j] + room.step[j] < 0.0:
                room.pinned[j], room.step[j] = True, -multiplier[j]
                clear = False
        if clear:
            break
    slope = 0.0
    for j in range(size):
        slope += room.step[j] * missing[j]
    return slope


@inner
def _forget(room):
    """Begin the normal matrix anew."""
    fill(0.0, room.square)
    fill(0.0, room.counted)


@inner
def _maximise(problem, used, soft, power, shape, multiplier, activation, missing, room):
    """Maximise the dual function from the multipliers given; status and rounds as `balance`."""
    nu = problem.tau.size
    size = nu + used
    value, _, whole = _activations(
        problem, used, soft, power, shape, multiplier, activation, missing, room.across, room.pull, room.slope
    )
    strongest = largest(problem.columns) if soft > 0.0 else 0.0
    _forget(room)
    rounds, ahead = 0, True
    for rounds in range(ROUNDS):
        worst = _shortest(missing, multiplier, nu, size)
        if not worst < math.inf:
            return NOT_CONVERGED, rounds
        most = 0.0
        for j in range(size):
            most = max(most, abs(multiplier[j]))
        if worst <= TOLERANCE or (soft > 0.0 and worst <= ROUNDING * strongest * strongest * most):
            return SOLVED, rounds
        if soft == 0.0 and rounds > 1 and _shortage(problem, used, multiplier, room.pull) > 1e3 * TOLERANCE * most:
            return INFEASIBLE, rounds
        slope = _newton_step(problem, used, soft, power, whole, ahead, multiplier, missing, room)
        if not slope < math.inf:
            return NOT_CONVERGED, rounds
        length, better, new = 1.0, False, value
        for _ in range(HALVINGS):
            gain = 0.0
            for j in range(size):
                room.trial[j] = multiplier[j] + length * room.step[j]
                if j >= nu:
                    room.trial[j] = max(room.trial[j], 0.0)
                gain += missing[j] * (room.trial[j] - multiplier[j])
            new, _, whole = _activations(
                problem,
                used,
                soft,
                power,
                shape,
                room.trial,
                activation,
                room.trial_missing,
                room.across,
                room.pull,
                room.slope,
            )
            # below the precision of the dual value the missing moment itself decides
            fine = gain <= 1e-12 * (1.0 + abs(value))
            if (new > value and new >= value + 1e-4 * gain) or (
                fine and _shortest(room.trial_missing, room.trial, nu, size) < worst
            ):
                better = True
                break
            along = 0.0
            for j in range(size):
                along += room.step[j] * room.trial_missing[j]
            # the dual is concave and its slope along the step known at both ends: secant, kept inside the step
            length *= min(max(slope / (slope - along), 0.05), 0.5) if along < 0.0 else 0.5
        if not better and ahead and used > 0:
            ahead = False
            _, _, whole = _activations(
                problem, used, soft, power, shape, multiplier, activation, missing, room.across, room.pull, room.slope
            )
            continue
        if not better:
            break
        value = new
        for j in range(size):
            multiplier[j] = room.trial[j]
            missing[j] = room.trial_missing[j]
    # neither the value nor the missing moment has more digits to give, or the problem is at the edge of its strength
    _activations(problem, used, soft, power, shape, multiplier, activation, missing, room.across, room.pull, room.slope)
    worst, most = _shortest(missing, multiplier, nu, size), 0.0
    for j in range(size):
        most = max(most, abs(multiplier[j]))
    if worst <= ACCEPTED * (1.0 + soft * most):
        return SOLVED, rounds
    if soft == 0.0 and worst < math.inf:
        for j in range(size):
            room.trial[j] = missing[j] / worst if j < nu else max(missing[j], 0.0) / worst
        if shortage_along(problem, used, room.trial) > TOLERANCE:
            return INFEASIBLE, rounds
    return NOT_CONVERGED, rounds


@kernel
def balance(problem, used, soft, power, multiplier, activation, missing, room):
    """Solve the force balance from the multipliers given (0 for a cold start).

    Parameters
    ----------
    problem : Sharing
    used : int, number of rows of inequalities in use
    soft : float, 0 for an exact balance
    power : float
        2: quadratic about the target; p > 1: w a^p / p; 0: the least worst activation, ties broken by effort.
    multiplier : (nu + MAX_ROWS,) float64, start and result
    activation : (m,) float64, written in place
    missing : (nu + MAX_ROWS,) float64, written in place: remaining moments and rows less soft times the multiplier
    room : Scratch

    Returns
    -------
    status, rounds : int
        0 solved, 1 infeasible (proved), 2 not converged.
    """
    nu, m = problem.tau.size, problem.weight.size
    for i in range(m):
        for j in range(nu):
            room.across[j, i] = problem.columns[i, j]
    if power == 2.0:
        return _maximise(problem, used, soft, power, 1.0, multiplier, activation, missing, room)
    total, status, rounds = 0, SOLVED, 0
    if power > 0.0:
        for offset in OFFSETS:
            shift = min(offset ** (power - 1.0), offset * offset)
            status, rounds = _maximise(problem, used, soft, power, shift, multiplier, activation, missing, room)
            total += rounds
            if status != SOLVED:
                break
        return status, total
    whole = 0.0
    for i in range(m):
        whole += problem.weight[i]
    fill(0.0, multiplier)  # a start from the last stage is worth nothing in the first
    for turn in range(len(CAPS)):
        if turn > 1:
            # the multipliers are all but linear in K: go on along the line through the last two stages
            factor = (CAPS[turn] - CAPS[turn - 1]) / (CAPS[turn - 1] - CAPS[turn - 2])
            for j in range(nu + used):
                room.along[j] = (multiplier[j] - room.earlier[j]) * factor
        for j in range(nu + used):
            room.earlier[j] = multiplier[j]
            if turn > 1:
                multiplier[j] += room.along[j]
        status, rounds = _maximise(
            problem, used, soft, power, CAPS[turn] * whole, multiplier, activation, missing, room
        )
        total += rounds
        if status != SOLVED:
            break
    return status, total


@kernel
def certificate(problem, used, power, multiplier, activation, room):
    """How far a solution is from the conditions of Karush, Kuhn and Tucker.

    Returns
    -------
    residual : float [N m], largest moment left
    stationarity : float, largest slope of the cost less the pull that no bound holds
    complementarity : float, largest product of a price (of a bound or a row) and the room left there
    gap : float, cost of the activations less the dual value of the multipliers, over 1 + the cost; of the worst
        activation, its excess over the least value that the multipliers prove
    """
    nu, m = problem.tau.size, problem.weight.size
    size = nu + used
    residual = complementarity = stationarity = 0.0
    dual, primal = 0.0, 0.0
    for j in range(size):
        left = problem.tau[j] if j < nu else problem.bound[j - nu]
        dual += multiplier[j] * left
        for i in range(m):
            left -= activation[i] * (problem.columns[i, j] if j < nu else problem.rows[j - nu, i])
        if j >= nu:
            complementarity = max(complementarity, abs(multiplier[j] * left))
        else:
            residual = max(residual, abs(left))
    worst = 0.0
    for i in range(m):
        worst = max(worst, activation[i])
    pulls(problem, used, room.across, multiplier, room.pull)
    for i in range(m):
        w, a, pull = problem.weight[i], activation[i], room.pull[i]
        low, high = problem.lower[i], problem.upper[i]
        if power == 0.0:
            high = max(low, min(high, worst))
        if power == 2.0 or power == 0.0:
            t = problem.target[i]
            best = min(max(t + pull / w, low), high)
            slope = w * (a - t)
            primal += 0.5 * w * (a - t) ** 2
            dual += 0.5 * w * (best - t) ** 2 - best * pull
        else:
            best = min(max(max(pull / w, 0.0) ** (1.0 / (power - 1.0)), low), high)
            slope = w * a ** (power - 1.0)
            primal += w * a**power / power
            dual += w * best**power / power - best * pull
        force = pull - slope  # above 0 the upper bound holds the activation back, below 0 the lower one
        if a <= low:
            force = max(force, 0.0)
        if a >= high:
            force = min(force, 0.0)
        stationarity = max(stationarity, abs(force))
        held = max(pull - slope, 0.0) * (high - a) if a > 0.5 * (low + high) else max(slope - pull, 0.0) * (a - low)
        complementarity = max(complementarity, held)
    if power == 0.0:
        return residual, stationarity, complementarity, worst - _least_worst(problem, used, multiplier, room.pull)
    return residual, stationarity, complementarity, abs(primal - dual) / (1.0 + primal)


@inner
def _least_worst(problem, used, multiplier, pull):
    """Least worst activation for which the multipliers, as a direction, prove no shortage (see `_shortage`)."""
    nu = problem.tau.size
    low, high = 0.0, 1.0
    asked = 0.0
    for j in range(nu):
        asked += problem.tau[j] * multiplier[j]
    for k in range(used):
        asked += problem.bound[k] * multiplier[nu + k]
    for i in range(pull.size):
        low = max(low, problem.lower[i])
    for _ in range(60):
        s = 0.5 * (low + high)
        given = 0.0
        for i in range(pull.size):
            given += pull[i] * (max(problem.lower[i], min(s, problem.upper[i])) if pull[i] > 0.0 else problem.lower[i])
        if given < asked:
            low = s
        else:
            high = s
    return low


@kernel
def least_missing(problem, used, activation, missing, multiplier, room):
    """Activations that leave the least moments and rows (2-norm) unbalanced, and what they leave.

    What is left is its own proof: d . tau exceeds what any activations give along d by |d|^2.

    Returns
    -------
    proof : float, shortage along what is missing over its norm [N m]; above 0 the balance is impossible
    """
    size = problem.tau.size + used
    fill(0.0, multiplier)
    soft, proof = 1.0, 0.0
    for turn in range(HARDENINGS):
        balance(problem, used, soft, 2.0, multiplier, activation, missing, room)
        for j in range(size):
            # the activations leave this within rounding, which would spoil the proof: strong muscles multiply it
            missing[j] = soft * multiplier[j]
            multiplier[j] *= 10.0
        soft *= 0.1
        norm = math.sqrt(dot(missing[:size], missing[:size]))
        if norm == 0.0:
            return 0.0
        proof = shortage_along(problem, used, missing) / norm
        if turn >= 4 and proof >= PROVED * norm:
            break
    return proof
