"""A model in a stance with one case, ready for single kernels to be called on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinesim import parameters
from spinesim.cases import case_arrays, names
from spinesim.kernels import passive
from spinesim.kernels.arrays import CaseArrays, HeldAngles, ModelArrays, StanceArrays
from spinesim.kernels.balance import MAX_ROWS, SOLVED, Sharing, balance
from spinesim.kernels.stability import MARGIN_TOLERANCE, stabilise, stiffness_shapes
from spinesim.kernels.state import FIBRES, configure, tangent
from spinesim.kernels.work import Work, workspace
from spinesim.model.pack import pack
from spinesim.stance import PackedStance, check_posture, hold, pack_stance


@dataclass(frozen=True)
class Scene:
    """One case of a model in a stance."""

    packed: PackedStance
    model: ModelArrays
    stance: StanceArrays
    cases: CaseArrays
    held: HeldAngles
    work: Work
    side: Work

    @property
    def n(self):
        """Number of lines: the fascicles and, last, that of the intra-abdominal pressure."""
        return self.model.max_force.size

    @property
    def fixed(self):
        """Inequalities that hold in every posture: the pressure, where there is one."""
        return int(self.model.pressure_line >= 0)

    @property
    def rates(self):
        """The matrix B of q = offset + B u."""
        matrix = np.zeros((self.stance.offset.size, self.stance.n_free))
        for k in range(matrix.shape[0]):
            entries = slice(self.stance.rate_first[k], self.stance.rate_first[k + 1])
            matrix[k, self.stance.rate_index[entries]] = self.stance.rate[entries]
        return matrix

    @property
    def used(self):
        """(n + na, nu) True where a line or actuator acts on a free coordinate."""
        column = np.arange(self.stance.n_free)
        return (column >= self.stance.column_first[:, None]) & (column < self.stance.column_last[:, None])

    def configure(self, free):
        """Move to a posture; returns the carried weight."""
        return configure(self.model, self.stance, self.cases, 0, free, self.work)

    def columns(self):
        """Moments of all lines and actuators at full activation [N m] in the posture configured last."""
        return np.where(self.used, self.work.columns, 0.0)

    def moments(self, free, activation):
        """Generalised moments of everything at a posture with given activations [N m]."""
        self.configure(free)
        return self.columns().T @ activation - self.work.tau

    def tangent(self, activation, short_range=False):
        """Tangent stiffness in the posture configured last."""
        stiffness = np.empty((self.stance.n_free, self.stance.n_free))
        kappa = self.cases.short_range[0] if short_range else FIBRES
        tangent(self.model, self.stance, self.cases, 0, activation, kappa, self.work, stiffness)
        return stiffness

    def shapes(self):
        """Stiffness over the stable coordinates without activation, and its change by each, from the packed kernel."""
        stiffness_shapes(self.model, self.stance, self.cases, 0, self.work)
        ns = self.stance.stable.size
        lower = np.tril_indices(ns)
        square = np.zeros((1 + self.stance.cost.size, ns, ns))
        for matrix, packed in zip(square, [self.work.base, *self.work.shape], strict=True):
            matrix[lower] = packed
            matrix.T[lower] = packed
        return square[0], square[1:]

    def sharing(self, weight, target):
        """The force sharing of the posture configured last."""
        lower, upper = self.cases.lower[0], self.cases.upper[0]
        return Sharing(
            self.work.columns, weight, target, lower, upper, self.work.tau, self.work.rows, self.work.bound
        )  # fmt: skip

    def balance(self, weight, target, soft=0.0):
        """Cold force balance in the posture configured last: status, activation, multiplier, remaining moment."""
        multiplier, missing = (np.zeros(self.stance.n_free + MAX_ROWS) for _ in range(2))
        activation, problem = np.empty(weight.size), self.sharing(weight, target)
        status, _ = balance(problem, self.fixed, soft, 2.0, multiplier, activation, missing, self.work.room)
        nu = self.stance.n_free
        return status, activation, multiplier[:nu], missing[:nu]

    def stable_balance(self, margin, power=2.0):
        """Cold least effort that is also stable: status, activation, multiplier and number of rows in use."""
        nu, cost = self.stance.n_free, self.stance.cost
        multiplier, missing, activation = np.zeros(nu + MAX_ROWS), np.zeros(nu + MAX_ROWS), np.empty(cost.size)
        problem, used = self.sharing(power * cost, np.zeros(cost.size)), self.fixed
        status, _ = balance(problem, used, 0.0, power, multiplier, activation, missing, self.work.room)
        if status == SOLVED:
            stiffness_shapes(self.model, self.stance, self.cases, 0, self.work)
            status, used, _ = stabilise(
                problem, used, used, 0.0, power, margin, MARGIN_TOLERANCE, self.cases.symmetric[0], self.stance,
                self.work, multiplier, activation, missing,
            )  # fmt: skip
        return status, activation, multiplier[: nu + used], used

    def joints(self, free):
        """Joint coordinates by full name."""
        q = self.cases.offset[0] + self.rates @ free
        return dict(zip(self.packed.packed.coordinates, q.tolist(), strict=True))


def scene(model, stance="standing", settings=None, posture=None):
    """A scene with parameter values and held posture angles [deg]."""
    packed = pack_stance(pack(model), stance)
    checked = parameters.check(names(packed.packed), settings or {})
    held, values = hold(packed, check_posture(packed, posture or {}))
    columns = {name: np.array([value]) for name, value in checked.items()}
    cases = case_arrays(packed, columns, 1, values)
    work, side = (workspace(packed.packed.arrays, packed.arrays) for _ in range(2))
    for space in (work, side):
        passive.disc_constants(packed.packed.arrays, cases.preload[0], space.disc)
    arrays = packed.packed.arrays._replace(level_reference=packed.compression, level_shear_reference=packed.shear)
    return Scene(packed, arrays, packed.arrays, cases, held, work, side)


def random_free(scene, rng, share=0.6):
    """Free coordinates at random within a share of the spine's range of motion; 10 deg for the others."""
    ranges = {c.full_name: (c.lowest, c.highest) for c in scene.packed.packed.model.coordinates}
    levels = scene.packed.packed.levels
    low = [ranges[f][0] if f.split(".")[0] in levels else -0.17 for f in scene.packed.free]
    high = [ranges[f][1] if f.split(".")[0] in levels else 0.17 for f in scene.packed.free]
    return share * rng.uniform(low, high)


def differences(function, at, probe=1e-5):
    """Change of a function (array) by every entry of ``at``, by central differences; that entry is the last axis."""
    columns = []
    for j in range(at.size):
        offset = np.zeros(at.size)
        offset[j] = probe
        columns.append((np.asarray(function(at + offset)) - np.asarray(function(at - offset))) / (2 * probe))
    return np.stack(columns, axis=-1)
