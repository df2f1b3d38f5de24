"""From what a user sets to the rows of the kernels' case table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from spinesim import parameters, units
from spinesim.imbalance import expand
from spinesim.kernels import chain, muscle
from spinesim.kernels.arrays import CaseArrays, Floats
from spinesim.model.names import TRANSVERSUS, parameter_names
from spinesim.model.pack import Packed
from spinesim.model.parts import Model, TightnessTest
from spinesim.stance import PackedStance, default_cases, limit_ankles


@lru_cache(maxsize=16)
def names(packed: Packed) -> parameters.Names:
    """Names that parameters of this model may go on with."""
    model = packed.model
    return parameter_names(model.muscles, model.groups, model.tests, model.abdomen, model.imbalances, packed.foramina)


@dataclass(frozen=True, eq=False)
class Shift:
    """What a tightness of a group on one side moves."""

    muscles: Floats  #: (k,) fascicle indices
    per_radian: Floats  #: (k,) shift of the normalised fibre length per radian of gain x tightness
    tissues: Floats  #: (t,) tissue indices
    signs: Floats  #: (t,) +1 where the branch limits the lower end of its coordinate, -1 the upper
    theta: Floats
    gain: Floats


@lru_cache(maxsize=16)
def shifts(packed: Packed) -> dict[tuple[str, str], Shift]:
    """For every group with a test, by side, what its tightness moves (s_i = gain |r_i| theta / l_opt,i)."""
    found = {}
    for test in packed.model.tests:
        for side, suffix in sides_of(test):
            arms = np.abs(_arms(packed, mirrored_test(test, suffix)))
            members = packed.model.groups[test.group]
            chosen = [
                i for i, m in enumerate(packed.model.muscles) if m.muscle in members and m.side in (side, "midline")
            ]
            tissues = [
                t
                for t, tissue in enumerate(packed.model.tissues)
                if tissue.tightness_group == test.group and suffix + "." in tissue.coordinate
            ]
            found[test.group, side] = Shift(
                muscles=np.array(chosen, dtype=np.int64),
                per_radian=arms[chosen] / packed.arrays.optimal_length[chosen],
                tissues=np.array(tissues, dtype=np.int64),
                signs=np.array([1.0 if packed.model.tissues[t].limits == "lower" else -1.0 for t in tissues]),
                theta=np.array(test.theta),
                gain=np.array(test.gain),
            )
    return found


def sides_of(test: TightnessTest) -> tuple[tuple[str, str], ...]:
    """Sides on which a test is read, with the suffix of their joints; one in the midline stands for both sides."""
    return (("right", "_r"), ("left", "_l")) if "_r." in test.coordinate else (("midline", ""),)


def mirrored_test(test: TightnessTest, suffix: str) -> TightnessTest:
    """The test on the side of ``suffix`` ("_r" or "_l")."""

    def other(name: str) -> str:
        return name.replace("_r.", f"{suffix}.")

    return test.model_copy(
        update={"coordinate": other(test.coordinate), "pose": {other(k): v for k, v in test.pose.items()}}
    )


def test_pose(packed: Packed, test: TightnessTest, reading: float) -> Floats:
    """Joint coordinates of a clinical test at a reading [rad], the rest of the body in the reference posture."""
    q = np.zeros(len(packed.coordinates))
    for name, value in test.pose.items():
        q[packed.coordinates.index(name)] = value
    q[packed.coordinates.index(test.coordinate)] = reading
    return q


def path_lengths(packed: Packed, q: Floats) -> tuple[Floats, Floats]:
    """Lengths (n,) [m] of all fascicles at joint coordinates q, and their derivatives (n, nq) [m/rad]."""
    arrays = packed.arrays
    nb, nq = arrays.moves.shape
    n = arrays.max_force.size
    turn, place = np.empty((nb, 3, 3)), np.empty((nb, 3))
    axes, centres = np.empty((nq, 3)), np.empty((nq, 3))
    length, gradient = np.empty(n), np.empty((n, nq))
    chain.forward(arrays, q, turn, place, axes, centres)
    muscle.paths(arrays, q, turn, place, axes, centres, np.empty((nq, 3)), np.empty(nq), length, gradient)
    return length, gradient


def _arms(packed: Packed, test: TightnessTest) -> Floats:
    """Moment arms (n,) [m] about the coordinate of a test at its healthy reading."""
    _, gradient = path_lengths(packed, test_pose(packed, test, test.reference))
    return -gradient[:, packed.coordinates.index(test.coordinate)]


def case_arrays(stance: PackedStance, columns: Mapping[str, Floats], count: int, held: Floats) -> CaseArrays:
    """Case table of ``count`` cases.

    Parameters
    ----------
    columns
        Checked values by parameter name, (count,) each, in the units of the register; named imbalances are expanded;
        those of the subject are ignored here (they make another model).
    held
        (nh,) values of the held angles less those at u = 0 [rad], the same for all cases.
    """
    packed = stance.packed
    known = names(packed)
    n = packed.lines
    cases = default_cases(packed, stance.arrays, stance.stance, count, held.size)
    full = {name: np.broadcast_to(column, count) for name, column in expand(packed.model, columns).items()}
    cases.strength[:] = parameters.resolve_many(known, full, "strength")
    cases.stiffness[:] = parameters.resolve_many(known, full, "stiffness")
    cases.lower[:, :n] = parameters.resolve_many(known, full, "tone")
    cases.upper[:, :n] = parameters.resolve_many(known, full, "inhibition")
    cases.held[:] = held
    if "disc.preload" in full:
        cases.preload[:] = full["disc.preload"]
    if "muscle.short_range" in full:
        cases.short_range[:] = full["muscle.short_range"]
    if packed.model.abdomen is not None:
        _pressure(packed, full, cases)
    for key, tightness in parameters.tightness(known, full).items():
        theta = np.broadcast_to(tightness, count) * units.DEGREE
        if not theta.any():
            continue
        shift = shifts(packed)[key]
        angle = np.interp(theta, shift.theta, shift.gain) * theta
        # a fascicle of two groups takes the larger tightness: shifts of loosened groups are negative
        current = cases.shift[:, shift.muscles]
        wanted = angle[:, None] * shift.per_radian
        cases.shift[:, shift.muscles] = np.where(np.abs(wanted) > np.abs(current), wanted, current)
        cases.tissue_shift[:, shift.tissues] = angle[:, None] * shift.signs
    _nerve_room(packed, full, cases)
    right, left = parameters.hand_masses(full)
    cases.load[:, 0] = right
    cases.load[:, 1] = left
    cases.load[:] *= packed.model.gravity
    cases.load_point[:, :, 0] += np.broadcast_to(full.get("load.reach", 0.0), count)[:, None]
    cases.symmetric[:] = symmetric(packed, cases)
    limit_ankles(packed, stance.arrays, stance.stance, cases)
    return cases


def _pressure(packed: Packed, full: Mapping[str, Floats], cases: CaseArrays) -> None:
    """Intra-abdominal pressure at rest and its limits, as bounds of the transversus, in place."""
    line, reach = packed.arrays.pressure_line, packed.arrays.pressure_range
    highest = np.broadcast_to(full.get("iap.highest", reach / units.KILOPASCAL), len(cases.margin)) * units.KILOPASCAL
    lowest = np.broadcast_to(full.get("iap.lowest", 0.0), len(cases.margin)) * units.KILOPASCAL
    if "iap.rest" in full:
        cases.rest_pressure[:] = full["iap.rest"] * units.KILOPASCAL
    cases.rest_pressure[:] = np.minimum(cases.rest_pressure, highest)
    rise = np.maximum(reach * cases.strength[:, line], 1e-9)
    cases.upper[:, line] = np.minimum(cases.upper[:, line], (highest - cases.rest_pressure) / rise)
    least = np.maximum(cases.lower[:, line], (lowest - cases.rest_pressure) / rise)
    # what rounding alone puts above the highest is the highest
    near = np.abs(least - cases.upper[:, line]) <= 1e-9
    cases.lower[:, line] = np.where(near, cases.upper[:, line], least)


def _nerve_room(packed: Packed, full: Mapping[str, Floats], cases: CaseArrays) -> None:
    """What is set of discs, foramina, ligament and sciatic nerve, in place."""
    for f, level in enumerate(packed.foramina):
        v = packed.levels.index(level)
        for part, values in (("height_loss", cases.disc_loss), ("bulge", cases.disc_bulge), ("slip", cases.disc_slip)):
            values[:, v] = full.get(f"disc.{level}.{part}", np.zeros(1)) * units.MILLIMETRE
        for s, side in enumerate(("left", "right")):
            cases.foramen_scale[:, f, s] = full.get(f"foramen.{level}.{side}.scale", np.ones(1))
    cases.variant[:] = full.get("piriformis.variant", np.zeros(1))
    cases.flavum[:] = full.get("ligamentum_flavum.thickening", np.zeros(1)) * units.MILLIMETRE


@lru_cache(maxsize=16)
def _images(packed: Packed) -> tuple[Floats, Floats]:
    """Index of the mirror image of every fascicle and of every tissue branch."""

    def image(names: tuple[str, ...]) -> Floats:
        other = {"_r": "_l", "_l": "_r"}
        return np.array(
            [names.index(name[:-2] + other[name[-2:]]) if name[-2:] in other else i for i, name in enumerate(names)]
        )

    lines = (*packed.muscles, *([TRANSVERSUS] if packed.model.abdomen else []))
    return image(lines), image(packed.tissues)


def symmetric(packed: Packed, cases: CaseArrays) -> np.ndarray:
    """(nc,) True where the settings of a case are their own mirror image."""
    n = packed.lines
    muscles, tissues = _images(packed)
    same: np.ndarray = cases.load[:, 0] == cases.load[:, 1]
    for values in (cases.strength, cases.stiffness, cases.shift, cases.lower[:, :n], cases.upper[:, :n]):
        same = same & (values == values[:, muscles]).all(axis=1)
    same &= (cases.tissue_shift == cases.tissue_shift[:, tissues]).all(axis=1)
    return same


def subject(model: Model, settings: Mapping[str, float]) -> tuple[float, float]:
    """Body mass [kg] and stature [m] that the settings ask for."""
    return settings.get("subject.mass", model.body_mass), settings.get("subject.stature", model.stature)
