"""Derivatives of a solution by parameters, from the conditions of optimality that it meets: no case is solved again.

At a solution the free coordinates u, the prices lambda of the moments, mu of the pressure, eta of held angles, and
V V' = Z of the stability demanded are a root of

    d goals / du + K lambda - d <Z, K_s> / du + rows' eta = 0     (a held posture instead: u = that posture)
    sum_i a_i c_i - tau = 0,   (K_s - margin I) V = 0,   sum_i a_i g_i - b = 0,   c(u) = 0

where the activations follow from the prices, a_i = t_i + (c_i . lambda + g_i mu + <Z, S_i>) / w_i, or stay on the bound
they are on (see `kernels.balance`, `kernels.posture` and `kernels.stability` for the names). With F(z, p) = 0 for all
of it, dz/dp = -(dF/dz)^-1 dF/dp; an outcome y(z, p) changes by its difference along (dz, dp). The parts of F come from
the kernels; the derivatives of F are differences of F, which needs no further solve. It holds for as long as the same
lines are on their bounds and the same modes at the margin.

References
----------
Fiacco AV. Introduction to sensitivity and stability analysis in nonlinear programming. Academic Press, 1983 (from
memory).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from spinesim import parameters as register
from spinesim.cases import names, subject
from spinesim.errors import InputError, NotConvergedError
from spinesim.kernels import passive
from spinesim.kernels.arrays import CaseArrays, Floats, HeldAngles, ModelArrays, Outputs, StanceArrays
from spinesim.kernels.balance import MAX_ROWS
from spinesim.kernels.outcome import outcome
from spinesim.kernels.posture import goals
from spinesim.kernels.stability import THIRD, stiffness_shapes
from spinesim.kernels.state import FIBRES, configure, tangent
from spinesim.kernels.work import Work, workspace
from spinesim.labelled import quantities
from spinesim.model.pack import pack
from spinesim.outputs import empty_outputs
from spinesim.solve import Task, chain_cases, resized, run_chain, start_postures
from spinesim.stance import PackedStance, hold, no_held, pack_stance

STEP = 1e-4  # of the range of a parameter; curves bend over some per cent of it
TURN = 3e-5  # [rad] of a free coordinate; good to 1e-5, where 1e-4 and 1e-5 err by truncation and rounding
AT_MARGIN = 1e-2  # [N m/rad] above the margin, within which a mode may have a price
NO_PRICE = 1e-9  # of the largest price of stability, below which a mode has none
RENEWALS, ROUNDS = 3, 8  # of dF/dz and, with one dF/dz, of steps from a solution to an exact root; typical 1 and 2
EXACT = 1e-9  # step of coordinates [rad] and activations at which it ends
NEAR = 1e-6  # way of the same along which dF/dz is good to 1e-5
NEAR_EDGE = 1e-7  # by which the activation that a line on a bound would like must lie beyond it
NEAR_BOUND = 1e-7  # by which an activation may leave its bounds at the root
STENCILS = {  # offsets and weights of first derivatives of second order: inside a range and at its ends
    0: ((-1, -0.5), (1, 0.5)),
    1: ((0, -1.5), (1, 2.0), (2, -0.5)),
    -1: ((0, 1.5), (-1, -2.0), (-2, 0.5)),
}
#: Variables that come from a second solve or count something: they have no derivative here.
WITHOUT = (
    *("cocontraction", "group_cocontraction", "cocontraction_compression", "stability_price", "stability_cuts"),
    *("moment_residual", "stationarity", "complementarity", "duality_gap", "iterations", "active_bounds"),
    *("outside_curve_range", "status", "saturated", "branch", "missing_moment", "infeasibility_proof"),
)


@dataclass(frozen=True, eq=False)
class _Body:
    """All that parameters decide."""

    stance: PackedStance
    model: ModelArrays
    arrays: StanceArrays
    case: CaseArrays
    held: HeldAngles
    weight: Floats  #: (m,) of the activations
    target: Floats  #: (m,)
    posture: Floats | None  #: (nu,) that is held, or None where it is found
    work: Work
    out: Outputs


@dataclass(frozen=True, eq=False)
class _Active:
    """What a solution rests on; it stays so along derivatives."""

    inside: np.ndarray  #: (m,) lines between their bounds
    upper: np.ndarray  #: (m,) lines on the upper bound; the rest is on the lower
    reference: Floats  #: (ns, number of modes) V of the solution: the motions at the margin that have a price
    pressure: bool  #: whether the limit of the pressure has a price

    @property
    def modes(self) -> int:
        """Number of motions at the margin that have a price."""
        return int(self.reference.shape[1])


def derivatives(
    task: Task,
    settings: Mapping[str, float],
    widths: Mapping[str, float],
    pick: Callable[[Mapping[str, np.ndarray]], Floats],
) -> tuple[Floats, Floats]:
    """Values of outcomes (k,) at some settings, and their derivatives (k, number of parameters).

    Parameters
    ----------
    task
        A found posture, or a held one whose muscles minimise ``"effort2"``.
    settings
        Values by parameter name, those of ``widths`` among them; known to be legal.
    widths
        For every parameter to derive by, the width of the range that matters, in its unit.
    pick
        Outcomes (k,) from the arrays of result variables, one case in front.

    Raises
    ------
    InputError
        For another criterion.
    NotConvergedError
        If the case has no solution, or one at the edge between two sets of active bounds.
    """
    if not task.find and task.power != 2.0:
        raise InputError("local derivatives of a held posture need criterion = 'effort2'")
    base = _body(task, settings)
    columns = {name: np.array([value]) for name, value in settings.items()}
    out, _ = run_chain(replace(task, model=base.stance.packed.model), columns, 1)
    if out.status[0] != 0:
        raise NotConvergedError("the case about which derivatives are asked for has no solution")
    active, z = _start(base, out)
    z, square = _root(base, active, z)
    values = pick(_quantities(base, active, z))
    slopes = np.empty((values.size, len(widths)))
    for place, (name, width) in enumerate(widths.items()):
        step = STEP * width
        bodies = [
            (_body(task, {**settings, name: settings[name] + offset * step}), offset, weight / step)
            for offset, weight in STENCILS[_room(task, name, settings[name], step)]
        ]
        change = sum(weight * _conditions(body, active, z) for body, _, weight in bodies)
        along = _solved(square, -np.asarray(change))
        slopes[:, place] = sum(
            weight * pick(_quantities(body, active, z + offset * step * along)) for body, offset, weight in bodies
        )
    return values, slopes


def _room(task: Task, name: str, value: float, step: float) -> int:
    """On which side of a value the parameter may move: 0 both, 1 up, -1 down."""
    row = register.parameter(names(pack(task.model)), name)
    if value - step < row.lowest:
        return 1
    return -1 if value + step > row.highest else 0


def _body(task: Task, settings: Mapping[str, float]) -> _Body:
    person = resized(task.model, subject(task.model, settings))
    task = replace(task, model=person)
    stance = pack_stance(pack(person), task.stance)
    case, angles = chain_cases(task, {name: np.array([value]) for name, value in settings.items()}, 1)
    model = stance.packed.arrays._replace(level_reference=stance.compression, level_shear_reference=stance.shear)
    arrays = stance.arrays if task.volume else stance.arrays._replace(cost=np.ones_like(stance.arrays.cost))
    work = workspace(model, arrays)
    passive.disc_constants(model, case.preload[0], work.disc)
    found = task.find
    return _Body(
        stance,
        model,
        arrays,
        case,
        hold(stance, angles[0])[0] if found else no_held(arrays),
        arrays.cost / arrays.sigma_activation**2 if found else 2.0 * arrays.cost,
        arrays.target if found else np.zeros_like(arrays.cost),
        None if found else start_postures(stance, task, case, angles)[0],
        work,
        empty_outputs(model, arrays, 1),
    )


@dataclass(frozen=True, eq=False)
class _Point:
    """A guess of the solution."""

    free: Floats  #: (nu,)
    prices: Floats  #: (nu,) of the moments
    modes: Floats  #: (ns, number of modes) V
    pressure: float
    held: Floats  #: (nh,)


def _split(body: _Body, active: _Active, z: Floats) -> _Point:
    nu, ns = body.arrays.n_free, body.arrays.stable.size
    last = 2 * nu + ns * active.modes
    return _Point(
        z[:nu],
        z[nu : 2 * nu],
        z[2 * nu : last].reshape(ns, active.modes),
        float(z[last]) if active.pressure else 0.0,
        z[last + active.pressure :],
    )


def _triangle(square: Floats) -> Floats:
    """A symmetric matrix as the packed triangle whose product with another's is their scalar product."""
    low = np.tril_indices(len(square))
    factor = np.where(low[0] == low[1], 1.0, 2.0)
    packed: Floats = factor * square[low]
    return packed


def _unpacked(triangle: Floats, size: int) -> Floats:
    square = np.zeros((size, size))
    square[np.tril_indices(size)] = triangle
    whole: Floats = square + np.tril(square, -1).T
    return whole


def _activations(body: _Body, active: _Active, point: _Point) -> Floats:
    """Activations (m,) of the prices; leaves ``body.work`` at the posture, with its shapes of stiffness."""
    arrays, work, case = body.arrays, body.work, body.case
    configure(body.model, arrays, case, 0, np.ascontiguousarray(point.free), work)
    pull = work.columns @ point.prices + work.rows[0] * point.pressure
    if active.modes:
        stiffness_shapes(body.model, arrays, case, 0, work)
        pull += work.shape @ _triangle(point.modes @ point.modes.T)
    bound = np.where(active.upper, case.upper[0], case.lower[0])
    activation: Floats = np.where(active.inside, body.target + pull / body.weight, bound)
    return activation


def _stiffness(body: _Body, free: Floats, activation: Floats, short_range: float) -> Floats:
    """Stiffness (nu, nu) at a posture."""
    stiffness = np.empty((free.size, free.size))
    configure(body.model, body.arrays, body.case, 0, np.ascontiguousarray(free), body.work)
    tangent(body.model, body.arrays, body.case, 0, activation, short_range, body.work, stiffness)
    return stiffness


def _conditions(body: _Body, active: _Active, z: Floats) -> Floats:
    """F(z): what is left of every condition."""
    point, arrays, work = _split(body, active, z), body.arrays, body.work
    nu, stable = arrays.n_free, arrays.stable
    activation = _activations(body, active, point)
    balance = activation @ work.columns - work.tau
    pressure = [float(work.rows[0] @ activation - work.bound[0])] if active.pressure else []
    kappa, margin = float(body.case.short_range[0]), float(body.case.margin[0])
    at_margin = np.zeros(0)
    if active.modes:
        square = _unpacked(work.base + activation @ work.shape, stable.size)
        turned = active.reference.T @ point.modes  # V may be turned, V R, without a change of Z: it is not
        at_margin = np.concatenate(
            [
                (square @ point.modes - margin * point.modes).ravel(),
                (turned - turned.T)[np.tril_indices(active.modes, -1)],
            ]
        )
    errors = np.zeros(0)
    if body.posture is not None:
        stationary = point.free - body.posture
    else:
        stationary, curvature = np.empty(nu), np.empty((nu, nu))
        goals(body.model, arrays, work, work.carried[0], stationary, curvature)
        stationary += _stiffness(body, point.free, activation, FIBRES) @ point.prices
        if active.modes:
            whole = np.zeros((nu, nu))
            whole[np.ix_(stable, stable)] = point.modes @ point.modes.T
            for j in range(nu):
                for sign in (-1.0, 1.0):
                    moved = point.free.copy()
                    moved[j] += sign * THIRD
                    stationary[j] -= sign / (2.0 * THIRD) * (whole * _stiffness(body, moved, activation, kappa)).sum()
        if point.held.size:
            errors, rows = _outcome(body, point, activation)
            stationary += rows.T @ point.held
    return np.concatenate([stationary, balance, at_margin, pressure, errors])


def _outcome(body: _Body, point: _Point, activation: Floats) -> tuple[Floats, Floats]:
    """Fill ``body.out``; errors of held angles and their gradients."""
    prices = np.concatenate([point.prices, np.zeros(MAX_ROWS)])
    free = np.ascontiguousarray(point.free)
    found: tuple[Floats, Floats] = outcome(
        body.model,
        body.arrays,
        body.case,
        0,
        body.held,
        body.posture is None,
        free,
        prices,
        activation,
        body.work,
        body.out,
    )
    return found


def _quantities(body: _Body, active: _Active, z: Floats) -> dict[str, np.ndarray]:
    point = _split(body, active, z)
    _outcome(body, point, _activations(body, active, point))
    return quantities(body.stance, body.out, pictures=False)


def _start(body: _Body, out: Outputs) -> tuple[_Active, Floats]:
    """The active set of a solved case, and z with the prices that its outputs do not hold."""
    arrays, work, case = body.arrays, body.work, body.case
    free, activation, prices = out.free[0], out.activation[0], out.multiplier[0]
    inside = (case.lower[0] < activation) & (activation < case.upper[0])
    upper = ~inside & (activation >= case.upper[0])
    configure(body.model, arrays, case, 0, free, work)
    stiffness_shapes(body.model, arrays, case, 0, work)
    left = (body.weight * (activation - body.target) - work.columns @ prices)[inside]
    vectors = np.zeros((arrays.stable.size, 0))
    if case.margin[0] > -math.inf and out.cuts[0] > 0:
        eigenvalues, all_vectors = np.linalg.eigh(_unpacked(work.base + activation @ work.shape, arrays.stable.size))
        vectors = all_vectors[:, eigenvalues <= case.margin[0] + AT_MARGIN]
    count = vectors.shape[1]
    places = [(k, m) for k in range(count) for m in range(k + 1)]
    columns = []
    for k, m in places:
        pair = np.outer(vectors[:, k], vectors[:, m])
        columns.append((work.shape @ _triangle(0.5 * (pair + pair.T)))[inside] * (1.0 if k == m else 2.0))
    limited = body.model.pressure_line >= 0 and work.rows[0] @ activation - work.bound[0] <= NEAR_BOUND
    if limited:
        columns.append(work.rows[0][inside])
    found = np.linalg.lstsq(np.array(columns).T, left, rcond=None)[0] if columns else np.zeros(0)
    dual = np.zeros((count, count))
    for (k, m), value in zip(places, found[: len(places)], strict=True):
        dual[k, m] = dual[m, k] = value
    worth, turned = np.linalg.eigh(dual) if count else (np.zeros(0), dual)
    priced = worth > NO_PRICE * max(worth.max(initial=0.0), 1e-6)
    modes = vectors @ turned[:, priced] * np.sqrt(worth[priced])
    limited = bool(limited and found[-1] > 0.0)
    active = _Active(inside, upper, modes, limited)
    pressure = [float(found[-1])] if limited else []
    z = np.concatenate([free, prices, modes.ravel(), pressure, np.zeros(case.held.shape[1])])
    if case.held.shape[1]:
        # least-squares price of held angles
        _, rows = _outcome(body, _split(body, active, z), activation)
        slope = _conditions(body, active, z)[: free.size]
        z[z.size - len(rows) :] = np.linalg.lstsq(rows.T, -slope, rcond=None)[0]
    return active, z


def _root(body: _Body, active: _Active, z: Floats) -> tuple[Floats, Floats]:
    """The exact root near a solution, and dF/dz there."""

    def state(z: Floats) -> Floats:
        """Coordinates [rad] and activations: what a root is good for."""
        return np.concatenate([z[: body.arrays.n_free], _activations(body, active, _split(body, active, z))])

    for _ in range(RENEWALS):
        square, begin, change = _slopes(body, active, z), state(z), math.inf
        for _ in range(ROUNDS):
            before = state(z)
            z = z + _solved(square, -_conditions(body, active, z))
            change = float(np.abs(state(z) - before).max())
            if change <= EXACT:
                break
        if change <= EXACT and np.abs(state(z) - begin).max() <= NEAR:
            if _at_edge(body, active, z):
                break
            return z, square
    raise NotConvergedError(
        "the solution lies at the edge between two sets of active muscles, as healthy standing itself does, and has no "
        "derivative there: move a parameter a little"
    )


def _at_edge(body: _Body, active: _Active, z: Floats) -> bool:
    """Whether a line inside its bounds is beyond them, or one on a bound could as well leave it.

    So it is in healthy standing itself, where every moment has the price 0 and lines of no activation no preference.
    """
    everywhere = replace(active, inside=np.ones_like(active.inside))
    free = _activations(body, everywhere, _split(body, active, z))
    low, high = body.case.lower[0], body.case.upper[0]
    beyond = np.where(active.upper, free - high, low - free)
    matters = ~active.inside & (low < high) & (np.abs(body.work.columns).max(axis=1) > 0.0)
    room = np.minimum(free - low, high - free)[active.inside]
    return bool((beyond[matters] < NEAR_EDGE).any() or (room < -NEAR_BOUND).any())


def _slopes(body: _Body, active: _Active, z: Floats) -> Floats:
    """dF/dz by central differences; F is at most cubic in all but the coordinates."""
    nu = body.arrays.n_free
    scale = np.concatenate([np.full(nu, TURN), np.full(z.size - nu, 1e-4)])
    for part in (slice(nu, 2 * nu), slice(2 * nu, None)):
        scale[part] *= max(np.abs(z[part]).max(initial=0.0), 1e-3)
    square = np.empty((_conditions(body, active, z).size, z.size))
    for k in range(z.size):
        moved = [z.copy(), z.copy()]
        moved[0][k] -= scale[k]
        moved[1][k] += scale[k]
        low, high = (_conditions(body, active, each) for each in moved)
        square[:, k] = (high - low) / (2.0 * scale[k])
    return square


def _solved(square: Floats, right: Floats) -> Floats:
    """Solution of square x = right, its units taken out, in least squares where several modes repeat conditions."""
    across = np.abs(square).max(axis=0)
    across[across == 0.0] = 1.0
    rows = np.abs(square / across).max(axis=1)
    rows[rows == 0.0] = 1.0
    scaled = np.linalg.lstsq(square / across / rows[:, None], right / rows, rcond=1e-13)[0]
    result: Floats = scaled / across
    return result
