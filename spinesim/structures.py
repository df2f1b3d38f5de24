"""Which structure gives which moment: weights, contacts, discs, tissue of hips and knees, active and passive muscle."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from spinesim.kernels import passive
from spinesim.kernels.arrays import CaseArrays, Floats, ModelArrays, Outputs, StanceArrays
from spinesim.kernels.state import configure
from spinesim.kernels.work import workspace
from spinesim.model.pack import Packed
from spinesim.stance import PackedStance

#: Structures that are no muscles, in order; those of the muscles come behind.
BARE = ("weights", "contacts", "discs", "hip_and_knee_tissue", "abdominal_pressure", "actuators")


@lru_cache(maxsize=16)
def muscle_structures(packed: Packed) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Groups that the fascicles are sorted into, and the place (n,) of every fascicle's: the smallest that holds it."""
    groups = packed.model.groups
    chosen = []
    for muscle in packed.model.muscles:
        holding = [name for name, members in groups.items() if muscle.muscle in members]
        chosen.append(min(holding, key=lambda name: len(groups[name]), default=muscle.muscle))
    names = tuple(dict.fromkeys(chosen))
    return names, tuple(names.index(name) for name in chosen)


def structures(packed: Packed) -> tuple[str, ...]:
    """Names of all structures of a model."""
    groups, _ = muscle_structures(packed)
    return (*BARE, *(f"{group}.{part}" for group in groups for part in ("active", "passive")))


def rates(stance: PackedStance) -> Floats:
    """The matrix B of a stance, (nq, nu)."""
    arrays = stance.arrays
    matrix = np.zeros((arrays.offset.size, arrays.n_free))
    for k in range(matrix.shape[0]):
        for e in range(arrays.rate_first[k], arrays.rate_first[k + 1]):
            matrix[k, arrays.rate_index[e]] = arrays.rate[e]
    return matrix


def structure_moments(stance: PackedStance, cases: CaseArrays, out: Outputs) -> Floats:
    """Moment of every structure about every free coordinate of solved cases.

    Parameters
    ----------
    cases
        Case table from which ``out`` was solved.

    Returns
    -------
    (nc, nu, structures) float64 [N m], in the direction of the coordinate and in the order of `structures`; their sum
    is zero within the residual of the balance. NaN where a case failed.
    """
    packed, arrays = stance.packed, stance.arrays
    n = len(packed.muscles)
    groups, place = muscle_structures(packed)
    by_free = rates(stance).T
    work = workspace(packed.arrays, arrays)
    moments = np.full((out.status.size, arrays.n_free, len(BARE) + 2 * len(groups)), np.nan)
    model, lines = packed.arrays, packed.lines
    line = model.pressure_line
    no_tissue = model._replace(tissue_amplitude=np.zeros_like(model.tissue_amplitude))
    no_contact = arrays._replace(contact_stiffness=np.zeros_like(arrays.contact_stiffness))

    def bare(row: int, model: ModelArrays, support: StanceArrays, discs: float) -> Floats:
        """Moments (nu,) of everything but muscles, of some parts."""
        passive.disc_constants(model, cases.preload[row], work.disc)
        work.disc[:] *= discs
        configure(model, support, cases, row, out.free[row], work)
        moment: Floats = by_free @ work.moment
        return moment

    for row in np.flatnonzero(out.status == 0).tolist():
        weights = bare(row, no_tissue, no_contact, 0.0)
        parts = [
            weights,
            bare(row, no_tissue, arrays, 0.0) - weights,
            bare(row, no_tissue, no_contact, 1.0) - weights,
            bare(row, model, no_contact, 0.0) - weights,
        ]
        activation = out.activation[row]
        pushed = work.arms[line] * out.force[row, line] if line >= 0 else np.zeros(arrays.n_free)
        parts += [pushed, activation[lines:] @ work.columns[lines:]]
        for active in (True, False):
            force = activation[:n] * work.active[:n] if active else work.passive[:n]
            by_group = np.zeros((len(groups), arrays.n_free))
            np.add.at(by_group, np.array(place), work.arms[:n] * force[:, None])
            moments[row][:, len(BARE) + (0 if active else 1) :: 2] = by_group.T
        moments[row][:, : len(BARE)] = np.array(parts).T
    return moments + 0.0
