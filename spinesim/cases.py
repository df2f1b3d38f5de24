"""From what a user sets to the rows of the kernels' case table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from spinesim import parameters, units
from spinesim.errors import InputError
from spinesim.imbalance import expand
from spinesim.kernels import chain, muscle
from spinesim.kernels.arrays import CaseArrays, Floats, Ints
from spinesim.model.mirror import mirrored_name
from spinesim.model.names import TRANSVERSUS, parameter_names
from spinesim.model.pack import Packed
from spinesim.model.parts import Model, TightnessTest
from spinesim.stance import PackedStance, default_cases, limit_ankles, two_sided


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


def line_forces(packed: Packed, cases: CaseArrays, length: Floats) -> tuple[Floats, Floats]:
    """Active force at full activation and passive force (n,) [N] of every line at its length, for the first case.

    The abdomen is relaxed: no pressure but what the transversus raises.
    """
    fibre, active, active_slope, tension, slope = (np.empty(length.size) for _ in range(5))
    muscle.tensions(
        packed.arrays,
        cases.strength[0],
        cases.stiffness[0],
        cases.shift[0],
        0.0,
        length,
        fibre,
        active,
        active_slope,
        tension,
        slope,
    )
    return active, tension


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
        (nh,) values of the held angles less those at u = 0 [rad], the same for all cases, or (count, nh).
    """
    packed = stance.packed
    known = names(packed)
    n = packed.lines
    cases = default_cases(packed, stance.arrays, stance.stance, count, held.shape[-1])
    full = {name: np.broadcast_to(column, count) for name, column in expand(packed.model, columns).items()}
    cases.strength[:, :n] = parameters.resolve_many(known, full, "strength")
    actuators = {actuator.name: actuator for actuator in packed.model.actuators}
    for i, name in enumerate(stance.actuators):
        group = actuators[name].group
        if group:
            cases.strength[:, n + i] = parameters.resolve_group(full, "strength", group, actuators[name].side)
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
    for place, mass in enumerate(parameters.carried_masses(full)):
        cases.load[:, place] = mass
    cases.load[:] *= packed.model.gravity * stance.stance.weight_factor
    cases.load_point[:, :2, 0] += np.broadcast_to(full.get("load.reach", 0.0), count)[:, None]
    _surfaces(stance, full, cases)
    _legs(stance, full, cases)
    _moved_by_others(stance, full, cases)
    cases.symmetric[:] &= symmetric(stance, cases) & (cases.offset == stance.arrays.offset).all(axis=1)
    limit_ankles(packed, stance.arrays, stance.stance, cases)
    return cases


def _surfaces(stance: PackedStance, full: Mapping[str, Floats], cases: CaseArrays) -> None:
    """Heights of bed and backrest over the support, in place."""
    names = {"bed": "bed.sag", "backrest": "backrest.forward"}
    for i, contact in enumerate(stance.stance.contacts):
        if contact.surface in names:
            cases.contact_height[:, i] += full.get(names[contact.surface], 0.0) * units.MILLIMETRE


def _legs(stance: PackedStance, full: Mapping[str, Floats], cases: CaseArrays) -> None:
    """A leg longer than the other lists the pelvis where both feet are on the ground, in place.

    The longer leg stands as if the ground under the other were lower: one hip is higher by the difference, and the
    legs stay parallel, because the hips turn back by as much as the pelvis lists.
    """
    longer = np.asarray(full.get("leg_length.left", 0.0)) - np.asarray(full.get("leg_length.right", 0.0))
    if not longer.any() or not stands_on_both(stance):
        return
    centres = {joint.name: joint.centre_neutral for joint in stance.packed.model.joints}
    apart = centres["hip_r"][2] - centres["hip_l"][2]
    angle = np.arcsin(longer * units.MILLIMETRE / apart)
    for name, sign in (("pelvis.list", 1.0), ("hip_r.adduction", -1.0), ("hip_l.adduction", 1.0)):
        cases.offset[:, stance.packed.coordinates.index(name)] += sign * angle


def moved_by_others(stance: PackedStance, full: Mapping[str, float | Floats]) -> dict[str, Floats]:
    """What someone else adds to joint coordinates [rad], by their names, where bed or seat carries the legs.

    Raises
    ------
    InputError
        If the legs carry the body, or the joint would leave its range.
    """
    added: dict[str, Floats] = {}
    ranges = {c.full_name: (c.lowest, c.highest) for c in stance.packed.model.coordinates}
    for part, joint, sign in (("hip_flexion", "hip", 1.0), ("knee_extension", "knee", -1.0)):
        for side in ("left", "right"):
            name, coordinate = f"passive.{part}.{side}", f"{joint}_{side[0]}.flexion"
            angle = np.atleast_1d(full.get(name, 0.0))
            if not angle.any():
                continue
            if f"femur_{side[0]}" not in stance.stance.unweighted:
                raise InputError(
                    f"{name}: in {stance.stance.name} the legs carry the body; bed or seat must carry them"
                )
            low, high = ranges[coordinate]
            start = stance.stance.offsets.get(coordinate, 0.0)
            least, most = sorted(((low - start) * sign / units.DEGREE, (high - start) * sign / units.DEGREE))
            least, most = least + 0.0, most + 0.0  # -0.0 reads as 0
            for value in angle[(angle < least - 1e-9) | (angle > most + 1e-9)]:
                raise InputError(
                    f"{name} = {value:g} deg is not allowed in {stance.stance.name}: it must be from {least:g} to "
                    f"{most:g} deg"
                )
            added[coordinate] = sign * angle * units.DEGREE
    return added


def _moved_by_others(stance: PackedStance, full: Mapping[str, Floats], cases: CaseArrays) -> None:
    """Turn the hips and knees that someone else moves, in place."""
    for coordinate, angle in moved_by_others(stance, full).items():
        cases.offset[:, stance.packed.coordinates.index(coordinate)] += angle


def stands_on_both(stance: PackedStance) -> bool:
    """Whether both feet are on the ground and the closed loop of the legs holds the pelvis level."""
    return "lean" in stance.free and two_sided(stance.stance) and "pelvis.list" in stance.stance.held_by_support


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
def _images(packed: Packed) -> tuple[Ints, Ints]:
    """Index of the mirror image of every fascicle and of every tissue branch."""
    lines = (*packed.muscles, *([TRANSVERSUS] if packed.model.abdomen else []))
    return _images_of(lines), _images_of(packed.tissues)


def _images_of(names: tuple[str, ...]) -> Ints:
    """Index of the mirror image of every name; one without an image is its own."""
    images = [mirrored_name(name) for name in names]
    return np.array([names.index(image) if image in names else i for i, image in enumerate(images)], dtype=np.int64)


def symmetric(stance: PackedStance, cases: CaseArrays) -> np.ndarray:
    """(nc,) True where the settings of a case are their own mirror image."""
    packed = stance.packed
    n = packed.lines
    muscles, tissues = _images(packed)
    twins = n + _images_of(stance.actuators)
    same: np.ndarray = (cases.load[:, 0] == cases.load[:, 1]) & (cases.load[:, 2] == cases.load[:, 3])
    same &= (cases.strength[:, n:] == cases.strength[:, twins]).all(axis=1)
    for values in (cases.strength[:, :n], cases.stiffness, cases.shift, cases.lower[:, :n], cases.upper[:, :n]):
        same = same & (values == values[:, muscles]).all(axis=1)
    same &= (cases.tissue_shift == cases.tissue_shift[:, tissues]).all(axis=1)
    return same


class Subject(NamedTuple):
    """The person that settings ask for."""

    body_mass: float  #: [kg]
    stature: float  #: [m]
    pelvic_incidence: float | None  #: [deg]; None: that of the model
    sacral_slope: float | None  #: [deg]
    lumbar_lordosis: float | None  #: [deg]
    root_size: float  #: factor on the width of the nerve roots


def subject(model: Model, settings: Mapping[str, float]) -> Subject:
    """Size, pelvis and reference posture that the settings ask for."""
    return Subject(
        settings.get("subject.mass", model.body_mass),
        settings.get("subject.stature", model.stature),
        settings.get("subject.pelvic_incidence"),
        settings.get("subject.sacral_slope"),
        settings.get("subject.lumbar_lordosis"),
        settings.get("subject.root_size", 1.0),
    )
