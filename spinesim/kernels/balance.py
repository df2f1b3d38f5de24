"""Force balance: the least costly activations that balance every free coordinate.

minimise  1/2 sum w_i (a_i - t_i)^2   subject to   sum_i a_i c_i = tau  and  lower_i <= a_i <= upper_i

where c_i holds the moments of fascicle i at full activation and tau what they must give. For a multiplier vector
lambda the best activation is a_i = clip(t_i + c_i . lambda / w_i), so the problem is the maximum of the concave dual
function in the few multipliers, found by a semismooth Newton method. If a direction d exists with
d . tau > max_a d . sum a_i c_i, no activations balance the joints (Farkas): the problem is infeasible.

With ``soft`` > 0 the balance may be missed at the price |missing|^2 / (2 soft): missing = soft * lambda.
"""

import math

import numpy as np

from spinesim.kernels.jit import inner, kernel, stage
from spinesim.kernels.vector import dot, fill, largest

SOLVED, INFEASIBLE, NOT_CONVERGED = 0, 1, 2
TOLERANCE = 1e-9  # [N m]; the moments summed are below 1e3 N m, whose rounding is 1e-13
ACCEPTED = 1e-7  # [N m] where rounding, not the method, ends the search
ROUNDING = 1e-14  # of a soft balance, whose multipliers grow with what is missed
HALVINGS = 60
ROUNDS = 200  # typical 3-12; more only along the edge of feasibility


@inner
def cholesky(square, n):
    """Factor the lower triangle of a symmetric matrix in place; False if it is not positive definite."""
    for j in range(n):
        for k in range(j):
            factor = square[j, k]
            if factor != 0.0:
                for i in range(j, n):
                    square[i, j] -= factor * square[i, k]
        if not square[j, j] > 0.0:
            return False
        pivot = math.sqrt(square[j, j])
        for i in range(j, n):
            square[i, j] /= pivot
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
def _activations(columns, first, last, weight, target, lower, upper, tau, soft, multiplier, activation, missing):
    """Best activations of a multiplier vector and what is still missing; returns the dual value.

    ``missing`` (nu,) = tau - sum a c - soft * multiplier is the gradient of the dual function.
    """
    value = 0.0
    nu = tau.size
    for j in range(nu):
        missing[j] = tau[j] - soft * multiplier[j]
        value += multiplier[j] * (tau[j] - 0.5 * soft * multiplier[j])
    for i in range(weight.size):
        pull = 0.0
        for j in range(first[i], last[i]):
            pull += columns[i, j] * multiplier[j]
        a = min(max(target[i] + pull / weight[i], lower[i]), upper[i])
        activation[i] = a
        value += 0.5 * weight[i] * (a - target[i]) ** 2 - a * pull
        if a != 0.0:
            for j in range(first[i], last[i]):
                missing[j] -= a * columns[i, j]
    return value


@inner
def normal_matrix(columns, first, last, weight, target, lower, upper, multiplier, square):
    """sum over the activations that may move of c c' / w, in the lower triangle of ``square`` (nu, nu).

    Those whose unbounded best value is just on a bound count: from there they can move, as all do in a cold start.
    """
    fill(0.0, square)
    for i in range(weight.size):
        wish = target[i]
        for j in range(first[i], last[i]):
            wish += columns[i, j] * multiplier[j] / weight[i]
        if lower[i] <= wish <= upper[i]:
            for j in range(first[i], last[i]):
                factor = columns[i, j] / weight[i]
                if factor != 0.0:
                    for k in range(first[i], j + 1):
                        square[j, k] += factor * columns[i, k]


@inner
def _strongest(columns, first, last):
    """Largest moment at full activation [N m]; entries outside first .. last - 1 are never written."""
    value = 0.0
    for i in range(first.size):
        for j in range(first[i], last[i]):
            value = max(value, abs(columns[i, j]))
    return value


@kernel
def shortage_along(columns, first, last, lower, upper, tau, direction):
    """tau . d minus the most the activations can give along d; above 0 it proves that no balance exists."""
    value = 0.0
    for j in range(tau.size):
        value += tau[j] * direction[j]
    for i in range(lower.size):
        pull = 0.0
        for j in range(first[i], last[i]):
            pull += columns[i, j] * direction[j]
        value -= pull * (upper[i] if pull > 0.0 else lower[i])
    return value


@kernel
def balance(columns, first, last, weight, target, lower, upper, tau, soft, multiplier, activation, missing):
    """Solve the force balance from the multipliers given (0 for a cold start).

    Parameters
    ----------
    columns : (m, nu) float64, moments at full activation [N m]; row i acts on columns first[i] .. last[i] - 1
    weight, target, lower, upper : (m,) float64
    tau : (nu,) float64, moments to be given [N m]
    soft : float, 0 for an exact balance
    multiplier : (nu,) float64, start and result
    activation : (m,) float64, written in place
    missing : (nu,) float64, written in place: remaining moment less soft times the multiplier [N m]

    Returns
    -------
    status, rounds : int
        0 solved, 1 infeasible (proved), 2 not converged.
    """
    nu = tau.size
    square = np.empty((nu, nu))
    step = np.empty(nu)
    trial = np.empty(nu)
    trial_missing = np.empty(nu)
    value = _activations(columns, first, last, weight, target, lower, upper, tau, soft, multiplier, activation, missing)
    strongest = _strongest(columns, first, last) if soft > 0.0 else 0.0
    rounds = 0
    for rounds in range(ROUNDS):
        worst = largest(missing)
        if not worst < math.inf:
            return NOT_CONVERGED, rounds
        if worst <= TOLERANCE or (soft > 0.0 and worst <= ROUNDING * strongest * strongest * largest(multiplier)):
            return SOLVED, rounds
        if soft == 0.0 and rounds > 1:
            size = largest(multiplier)
            if size > 0.0:
                for j in range(nu):
                    trial[j] = multiplier[j] / size
                if shortage_along(columns, first, last, lower, upper, tau, trial) > 1e3 * TOLERANCE:
                    return INFEASIBLE, rounds
        normal_matrix(columns, first, last, weight, target, lower, upper, multiplier, square)
        diagonal = 0.0
        for j in range(nu):
            diagonal = max(diagonal, square[j, j])
        for j in range(nu):
            # where no free muscle acts on a coordinate the matrix is singular: a small ridge keeps the step finite
            square[j, j] += soft + 1e-10 * diagonal + 1e-14
            step[j] = missing[j]
        if not cholesky(square, nu):
            return NOT_CONVERGED, rounds
        cholesky_solve(square, nu, step)
        slope = 0.0
        for j in range(nu):
            slope += step[j] * missing[j]
        length, better = 1.0, False
        for _ in range(HALVINGS):
            for j in range(nu):
                trial[j] = multiplier[j] + length * step[j]
            new = _activations(
                columns, first, last, weight, target, lower, upper, tau, soft, trial, activation, trial_missing
            )
            # rounding of the dual value allows for the last steps, where its change is below its own precision
            gain = 1e-4 * length * slope
            # below the precision of the dual value the missing moment itself decides
            fine = length * slope <= 1e-12 * (1.0 + abs(value))
            if (new > value and new >= value + gain) or (fine and largest(trial_missing) < worst):
                better = True
                break
            along = 0.0
            for j in range(nu):
                along += step[j] * trial_missing[j]
            # the dual is concave and its slope along the step known at both ends: secant, kept inside the step
            length *= min(max(slope / (slope - along), 0.05), 0.5) if along < 0.0 else 0.5
        if not better:
            break
        value = new
        for j in range(nu):
            multiplier[j] = trial[j]
            missing[j] = trial_missing[j]
    # neither the value nor the missing moment has more digits to give, or the problem is at the edge of its strength
    _activations(columns, first, last, weight, target, lower, upper, tau, soft, multiplier, activation, missing)
    size = largest(missing)
    if size <= ACCEPTED * (1.0 + soft * largest(multiplier)):
        return SOLVED, rounds
    if soft == 0.0 and size < math.inf:
        for j in range(nu):
            trial[j] = missing[j] / size
        if shortage_along(columns, first, last, lower, upper, tau, trial) > TOLERANCE:
            return INFEASIBLE, rounds
    return NOT_CONVERGED, rounds


@stage
def least_missing(columns, first, last, weight, target, lower, upper, tau, activation, missing):
    """Activations that leave the least moment (2-norm) unbalanced, and that moment.

    The missing moment d is its own proof: d . tau exceeds what any activations give along d by |d|^2.

    Returns
    -------
    proof : float, shortage along the missing moment over its norm [N m]; above 0 the balance is impossible
    """
    nu = tau.size
    multiplier = np.zeros(nu)
    soft = 1.0
    for _ in range(5):
        balance(columns, first, last, weight, target, lower, upper, tau, soft, multiplier, activation, missing)
        for j in range(nu):
            missing[j] += soft * multiplier[j]
            multiplier[j] *= 10.0
        soft *= 0.1
    norm = math.sqrt(dot(missing, missing))
    if norm == 0.0:
        return 0.0
    return shortage_along(columns, first, last, lower, upper, tau, missing) / norm
