"""Force sharing of the adult in a few postures, as plain matrices that any solver can take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import lsq_linear, minimize

from spinesim import parameters
from spinesim.cases import case_arrays, names
from spinesim.kernels import gravity, passive
from spinesim.kernels.arrays import CaseArrays, Floats
from spinesim.kernels.stability import stiffness_shapes
from spinesim.kernels.state import configure
from spinesim.kernels.work import Work, workspace
from spinesim.model.pack import pack
from spinesim.model.parts import Model
from spinesim.solve import make_task, start_postures
from spinesim.stance import PackedStance, pack_stance

INSIDE = 1e-6  # distance from its bounds at which an activation is free; interior point codes stop that near


@dataclass(frozen=True)
class Posture:
    """A case that all solvers are given: settings as in ``spinesim.solve``, angles [deg]."""

    name: str
    stance: str = "standing"
    settings: Mapping[str, float] = field(default_factory=dict)
    angles: Mapping[str, float] = field(default_factory=dict)


#: All of these can be balanced with the strength that the adult has now.
POSTURES = (
    Posture("standing"),
    Posture("standing, 10 kg in both hands", settings={"load.hands": 10}),
    Posture("standing, 5 kg in the right hand", settings={"load.hand.right": 5}),
    Posture("trunk 10 deg forward", "forward_bend", angles={"trunk_flexion": 10}),
    Posture("trunk 20 deg forward", "forward_bend", angles={"trunk_flexion": 20}),
    Posture("trunk 30 deg forward", "forward_bend", angles={"trunk_flexion": 30}),
)


@dataclass(frozen=True, eq=False)
class Held:
    """A posture as the kernels left it, with everything that other engines need to stand in it too."""

    name: str
    model: Model
    packed: PackedStance
    cases: CaseArrays
    free: Floats  #: (nu,) [rad]
    work: Work

    @property
    def joints(self) -> dict[str, float]:
        """Joint coordinates [rad] by full name."""
        return dict(zip(self.packed.packed.coordinates, self.work.q.tolist(), strict=True))

    def configure(self, free: Floats) -> None:
        """Move the work space to another posture."""
        configure(self.packed.packed.arrays, self.packed.arrays, self.cases, 0, free, self.work)

    @property
    def vertical_forces(self) -> list[tuple[str, Floats, float]]:
        """Forces beside the weights of the bodies: body, point in its frame [m], upward force [N]."""
        stance, bodies = self.packed.arrays, self.packed.packed.bodies
        carried = self.work.carried[0]
        hand = bodies[self.packed.packed.arrays.load_body]
        return [
            *((hand, p, -w) for p, w in zip(self.cases.load_point[0], self.cases.load[0], strict=True) if w),
            *(
                (bodies[b], p, share * carried)
                for b, p, share in zip(stance.support_body, stance.support_point, stance.support_share, strict=True)
            ),
        ]

    @property
    def weight_moments(self) -> Floats:
        """Moments of weights, hand loads and feet about all joint coordinates [N m]."""
        moment = np.zeros(self.work.q.size)
        gravity.add_turning(self.work.axes, self.work.leverage, self.packed.arrays.up, 1.0, moment)
        return moment

    @property
    def passive_moments(self) -> Floats:
        """Moments of discs, tissue and passive muscles about all joint coordinates [N m]."""
        return self.work.moment - self.weight_moments - self.work.gradient.T @ self.work.passive


@dataclass(frozen=True, eq=False)
class ForceSharing:
    """minimise 1/2 sum w a^2 subject to columns' a = tau, lower <= a <= upper and rows' a >= bound."""

    name: str
    columns: Floats  #: (m, nu) moments at full activation [N m]
    tau: Floats  #: (nu,) moments that the activations must give [N m]
    weight: Floats  #: (m,) twice the cost v of an activation [1]
    lower: Floats  #: (m,)
    upper: Floats  #: (m,)
    rows: Floats  #: (m, nk)
    bound: Floats  #: (nk,)

    def objective(self, a: Floats) -> float:
        """Cost of activations."""
        return float(0.5 * self.weight @ (a * a))

    def residual(self, a: Floats) -> float:
        """Largest moment that is not balanced [N m]."""
        return float(np.abs(self.columns.T @ a - self.tau).max())

    def violation(self, a: Floats) -> float:
        """Largest step over a bound of an activation or of a row."""
        return float(
            max(np.max(self.lower - a), np.max(a - self.upper), np.max(self.bound - self.rows.T @ a, initial=0))
        )

    def least(self, a: Floats) -> float:
        """A cost that no feasible activations can undercut, read from activations that are nearly optimal.

        Weak duality: any multipliers give such a bound. Those taken first make the activations inside their bounds
        stationary as well as they can; where rows are at their limit too, that leaves their prices open, and the
        bound is raised from there. It is tight where the activations are optimal, and true anyway.
        """
        inside = (a > self.lower + INSIDE) & (a < self.upper - INSIDE)
        # a row that is more than met has no price
        tight = self.rows.T @ a <= self.bound + INSIDE * (1.0 + np.abs(self.bound))
        forces = np.hstack([self.columns, self.rows[:, tight]])
        asked = np.concatenate([self.tau, self.bound[tight]])
        lowest = np.concatenate([np.full(self.tau.size, -np.inf), np.zeros(tight.sum())])
        start = lsq_linear(forces[inside], (self.weight * a)[inside], (lowest, np.inf), method="bvls", tol=1e-14).x

        def below(multiplier: Floats) -> tuple[float, Floats]:
            """Minus the bound, and minus its gradient."""
            pull = forces @ multiplier
            best = np.clip(pull / self.weight, self.lower, self.upper)
            value = multiplier @ asked + np.sum(0.5 * self.weight * best * best - best * pull)
            return -value, forces.T @ best - asked

        if not tight.any():
            return -below(start)[0]
        limits = list(zip(np.where(np.isfinite(lowest), lowest, None), [None] * lowest.size, strict=True))
        found = minimize(
            below, start, jac=True, bounds=limits, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 0, "gtol": 1e-9}
        )
        return float(-min(found.fun, below(start)[0]))

    def with_rows(self, rows: Floats, bound: Floats) -> ForceSharing:
        """The same with other inequality rows."""
        return replace(self, rows=rows, bound=bound)

    def unweighted(self) -> ForceSharing:
        """The same with the plain sum of squares as its cost: w = 2."""
        return replace(self, weight=np.full(self.weight.size, 2.0))


@dataclass(frozen=True, eq=False)
class Stability:
    """base + sum a per_activation - margin I must be positive semidefinite, over tilt and spinal rotations."""

    base: Floats  #: (ns, ns) stiffness without activation [N m/rad]
    per_activation: Floats  #: (m, ns, ns) [N m/rad]
    margin: float  #: [N m/rad]
    held: Held  #: where it comes from

    def stiffness(self, a: Floats) -> Floats:
        """Stiffness at given activations."""
        return self.base + np.tensordot(a, self.per_activation, axes=1)

    def shortage(self, a: Floats) -> float:
        """By how much the smallest eigenvalue misses the margin [N m/rad]; 0 if it does not."""
        return max(0.0, self.margin - float(np.linalg.eigvalsh(self.stiffness(a))[0]))

    def row(self, direction: Floats) -> tuple[Floats, float]:
        """What direction' stiffness direction >= margin |direction|^2 asks of the activations: row, bound."""
        row = np.einsum("iab,a,b->i", self.per_activation, direction, direction)
        return row, float(self.margin * direction @ direction - direction @ self.base @ direction)


def hold(model: Model, posture: Posture) -> Held:
    """The kernels in a posture, its unnamed angles completed as ``spinesim.solve`` completes them."""
    task = make_task(model, posture.stance, posture.angles, "rhythm")
    packed = pack_stance(pack(model), posture.stance)
    checked = parameters.check(names(packed.packed), posture.settings)
    cases = case_arrays(packed, {k: np.array([v]) for k, v in checked.items()}, 1, np.zeros(0))
    work = workspace(packed.packed.arrays, packed.arrays)
    passive.disc_constants(packed.packed.arrays, cases.preload[0], work.disc)
    held = Held(posture.name, model, packed, cases, start_postures(packed, task, cases)[0], work)
    held.configure(held.free)
    return held


def force_sharing(held: Held) -> ForceSharing:
    """The force balance of a posture."""
    stance = held.packed.arrays
    used = 1 if held.packed.packed.arrays.pressure_line >= 0 else 0  # what the obliques allow of the pressure
    return ForceSharing(
        name=held.name,
        columns=held.work.columns.copy(),
        tau=held.work.tau.copy(),
        weight=2.0 * stance.cost,
        lower=held.cases.lower[0].copy(),
        upper=held.cases.upper[0].copy(),
        rows=held.work.rows[:used].T.copy(),
        bound=held.work.bound[:used].copy(),
    )


def stability(held: Held, margin: float) -> Stability:
    """Stiffness of a posture as a linear function of the activations, as the kernels have it."""
    packed, work = held.packed, held.work
    stiffness_shapes(packed.packed.arrays, packed.arrays, held.cases, 0, work)
    size = packed.arrays.stable.size

    def whole(packed_triangle: Floats) -> Floats:
        square = np.zeros((*packed_triangle.shape[:-1], size, size))
        row, column = np.tril_indices(size)
        square[..., row, column] = square[..., column, row] = packed_triangle
        return square

    return Stability(whole(work.base), whole(work.shape), margin, held)
