"""Stances as arrays: free coordinates, supports, goals, and the angles by which a user may name a posture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from spinesim.errors import InputError, ModelError, NotConvergedError
from spinesim.kernels import jit
from spinesim.kernels.arrays import LOADS, CaseArrays, Floats, HeldAngles, Ints, StanceArrays
from spinesim.kernels.case import solve_chain
from spinesim.kernels.work import workspace
from spinesim.model.mirror import mirrored_stance
from spinesim.model.pack import Packed
from spinesim.model.parts import Stance
from spinesim.outputs import empty_outputs

#: Free coordinates of the legs under the pelvis: they balance the body, and stability leaves them out.
LEGS = ("lean", "sway", "knees")
#: World axis about which the ground turns a right shank for a positive moment of an ankle.
ANKLE_AXES = {"lean": (0.0, 0.0, -1.0), "sway": (1.0, 0.0, 0.0)}

#: Angles of the pelvis that may be held where the stance leaves them free.
PELVIC_ANGLES = {"pelvic_list": "pelvis.list", "pelvic_turn": "pelvis.turn"}
TRUNK_ANGLES = ("trunk_flexion", "trunk_bend", "trunk_turn")
SAGITTAL = ("lumbar_flexion", "trunk_flexion", "anterior_pelvic_tilt")  #: at most two of these may be held
SIDES = {"left": 0, "right": 1, "midline": -1}

# Lumbar share of trunk flexion: 0.67 to 30 deg, 0.50 to 60 deg, 0.30 beyond (Esola et al. 1996, Spine 21:71-78, from
# memory); the steps are smoothed over a few degrees (assumed).
SHARES = (0.67, 0.50, 0.30)
SHARE_STEPS = (math.radians(30.0), math.radians(60.0))
SHARE_SMOOTHING = math.radians(3.0)


@dataclass(frozen=True, eq=False)
class PackedStance:
    """A model in a stance, as arrays with the names of their entries."""

    packed: Packed
    stance: Stance
    arrays: StanceArrays
    free: tuple[str, ...]
    actuators: tuple[str, ...]
    compression: Floats  #: (nl,) compression in healthy standing [N]
    shear: Floats  #: (nl,) anterior shear in healthy standing [N]


def lumbar_flexion(trunk: float) -> float:
    """Lumbar flexion [rad] that goes with a trunk flexion [rad] by the published rhythm, the integral of its share."""

    def softplus(x: float) -> float:
        return max(x, 0.0) + math.log1p(math.exp(-abs(x)))

    size, w = abs(trunk), SHARE_SMOOTHING
    value = SHARES[0] * size
    for before, after, step in zip(SHARES[:-1], SHARES[1:], SHARE_STEPS, strict=True):
        value -= (before - after) * w * (softplus((size - step) / w) - softplus(-step / w))
    return math.copysign(value, trunk)


def find_stance(packed: Packed, name: str) -> Stance:
    """The stance of that name.

    Raises
    ------
    InputError
        If the model has no such stance.
    """
    if name not in packed.model.stances:
        raise InputError(f"stance {name} is unknown: {packed.model.name} has {', '.join(packed.model.stances)}")
    return packed.model.stances[name]


@lru_cache(maxsize=16)
def pack_stance(packed: Packed, name: str) -> PackedStance:
    """Arrays of a stance; upright stances aim at the reference activation, supported ones at rest."""
    stance = find_stance(packed, name)
    bare = bare_arrays(packed, stance)
    actuators = tuple(stance.actuators)
    reference = _reference(packed)
    target = np.zeros(bare.cost.size)
    centre = (0.0, 0.0)
    if stance.upright:
        apart = reference.centre[0] @ bare_arrays(packed, _reference_stance(packed)).ground.T
        # over one foot as far in front of the ankle as over two, and right above it
        centre = stance.centre or (apart[0], apart[1] if two_sided(stance) else 0.0)
        n = packed.lines
        target[:n] = reference.activation[0, :n]
        named = dict(zip(_reference_stance(packed).actuators, reference.activation[0, n:], strict=True))
        for i, actuator in enumerate(actuators):
            target[n + i] = named.get(actuator, 0.0)
    trunk = stance.held.get("trunk_flexion", stance.trunk_flexion)
    arrays = bare._replace(target=target, centre_target=np.array(centre), trunk_target=np.array([trunk, 0.0, 0.0]))
    return PackedStance(
        packed=packed,
        stance=stance,
        arrays=arrays,
        free=tuple(coordinate.name for coordinate in stance.free),
        actuators=actuators,
        compression=reference.reaction[0, :, 0].copy(),
        shear=reference.reaction[0, :, 1].copy(),
    )


def bare_arrays(packed: Packed, stance: Stance) -> StanceArrays:
    """Arrays of a stance with its goals still at zero."""
    model = packed.model
    names = [coordinate.name for coordinate in stance.free]
    rate_first, rate_index, rate = [0], [], []
    for coordinate in packed.coordinates:
        for j, free in enumerate(stance.free):
            if coordinate in free.moves:
                rate_index.append(j)
                rate.append(free.moves[coordinate])
        rate_first.append(len(rate))
    unknown = [c for free in stance.free for c in free.moves if c not in packed.coordinates]
    if unknown:
        raise ModelError(f"stance {stance.name}: {unknown[0]} is not a joint coordinate of {model.name}")
    for coordinate in packed.coordinates:
        movers = [free.name for free in stance.free if coordinate in free.moves and free.name not in LEGS]
        if len(movers) > 1:
            raise ModelError(
                f"stance {stance.name}: {coordinate} is moved by {' and '.join(movers)}: beside {', '.join(LEGS)} only "
                "one free coordinate may move a joint coordinate"
            )
    matrix = np.zeros((len(packed.coordinates), len(names)))
    for k in range(len(packed.coordinates)):
        for e in range(rate_first[k], rate_first[k + 1]):
            matrix[k, rate_index[e]] = rate[e]
    first, last = _columns(packed, matrix)
    actuators = {actuator.name: actuator for actuator in model.actuators}
    moment = np.zeros((len(stance.actuators), len(names)))
    cost = [m.max_force * m.optimal_fibre_length for m in model.muscles]
    mean = float(np.mean(cost))
    if model.abdomen is not None:
        like = [value for value, m in zip(cost, model.muscles, strict=True) if m.muscle == model.abdomen.cost_like]
        cost.append(model.abdomen.cost_factor * sum(like))
    for i, name in enumerate(stance.actuators):
        actuator = actuators[name]
        if actuator.coordinate in names:
            moment[i, names.index(actuator.coordinate)] = actuator.max_moment
        else:
            moment[i] = actuator.max_moment * matrix[packed.coordinates.index(actuator.coordinate)]
        used = np.flatnonzero(moment[i])
        first.append(int(used[0]))
        last.append(int(used[-1]) + 1)
        # as a muscle whose optimal fibre length equals its lever arm (assumed)
        cost.append(abs(actuator.max_moment))
    carrier = {support.side: packed.bodies.index(support.body) for support in stance.supports}
    grounds = {
        name: carrier.get(actuators[name].side, packed.bodies.index(stance.supports[0].body))
        for name in stance.actuators
        if actuators[name].coordinate in ANKLE_AXES
    }
    up = np.array(stance.up)
    # the direction of the ground next to x where the body lies on its side, else that across z
    across = np.array([1.0, 0.0, 0.0]) - up[0] * up if abs(up[2]) > math.sqrt(0.5) else np.cross(up, [0.0, 0.0, 1.0])
    forward = across / np.linalg.norm(across)
    ground = np.array([forward, np.cross(forward, up)])
    centre = np.array([body.centre_of_mass for body in model.bodies])
    for body, shift in stance.shifts.items():
        centre[packed.bodies.index(body)] += shift
    factor = stance.weight_factor
    ankle = np.zeros((len(stance.actuators), 3))
    for i, name in enumerate(stance.actuators):
        ankle[i] = ANKLE_AXES.get(actuators[name].coordinate, (0.0, 0.0, 0.0))
        if actuators[name].side == "left":
            ankle[i, :2] *= -1.0  # the mirror image of a turn about x or y
    return StanceArrays(
        offset=np.array([stance.offsets.get(name, 0.0) for name in packed.coordinates]),
        rate_first=np.array(rate_first),
        rate_index=np.array(rate_index, dtype=np.int64),
        rate=np.array(rate, dtype=np.float64),
        n_free=len(names),
        stable=np.array([j for j, name in enumerate(names) if name not in LEGS], dtype=np.int64),
        lateral=np.array([name.endswith((".bend", ".turn")) for name in names]),
        up=up,
        ground=ground,
        weight=np.array([0.0 if body in stance.unweighted else factor for body in packed.bodies]),
        body_centre=centre,
        support_body=np.array([packed.bodies.index(support.body) for support in stance.supports]),
        support_point=np.array([support.position for support in stance.supports]),
        support_share=np.array([support.share for support in stance.supports]),
        support_side=np.array([SIDES[support.side] for support in stance.supports]),
        contact_body=np.array([packed.bodies.index(c.body) for c in stance.contacts], dtype=np.int64),
        contact_point=np.array([c.position for c in stance.contacts]).reshape(-1, 3),
        contact_normal=np.array([c.normal for c in stance.contacts]).reshape(-1, 3),
        contact_stiffness=np.array([c.stiffness for c in stance.contacts]),
        contact_blend=np.array([c.blend for c in stance.contacts]),
        column_first=np.array(first),
        column_last=np.array(last),
        actuator_moment=moment,
        actuator_body=np.array([grounds.get(name, -1) for name in stance.actuators], dtype=np.int64),
        actuator_axis=ankle,
        actuator_strength=np.array([actuators[name].max_moment for name in stance.actuators]),
        cost=np.array(cost) / mean,
        target=np.zeros(len(cost)),
        centre_target=np.zeros(2),
        trunk_target=np.zeros(3),
        sigma_activation=model.scatter.activation,
        sigma_centre=math.inf if stance.supported else model.scatter.centre_of_mass,
        sigma_trunk=math.inf if stance.supported else model.scatter.trunk,
    )


def two_sided(stance: Stance) -> bool:
    """Whether the stance is carried on both sides."""
    return {support.side for support in stance.supports} >= {"left", "right"}


def _columns(packed: Packed, matrix: Floats) -> tuple[list[int], list[int]]:
    """First and one past the last free coordinate that each fascicle acts on."""
    arrays = packed.arrays
    moved = [np.flatnonzero(row).tolist() for row in matrix]
    segments, starts = arrays.muscle_segments.tolist(), arrays.segment_first.tolist()
    coordinates, conditions = arrays.segment_coordinates.tolist(), arrays.segment_condition.tolist()
    first, last = [], []
    for i in range(packed.lines):
        used: set[int] = set()
        for s in range(segments[i], segments[i + 1]):
            crossed = coordinates[starts[s] : starts[s + 1]]
            if conditions[s] >= 0:
                crossed.append(conditions[s])
            for k in crossed:
                used.update(moved[k])
        first.append(min(used, default=0))
        last.append(max(used, default=-1) + 1)
    return first, last


def _reference_stance(packed: Packed) -> Stance:
    return find_stance(packed, "standing")


@lru_cache(maxsize=16)
def _reference(packed: Packed):  # type: ignore[no-untyped-def]
    """Least-effort stable balance of the reference posture with every parameter at its default."""
    stance = _reference_stance(packed)
    arrays = bare_arrays(packed, stance)
    cases = default_cases(packed, arrays, stance, 1, 0)
    cases.margin[:] = packed.model.stability.margin
    out = empty_outputs(packed.arrays, arrays, 1)
    jit.announce()
    solve_chain(
        packed.arrays,
        arrays,
        cases,
        no_held(arrays),
        False,
        2.0,
        np.zeros((1, arrays.n_free)),
        np.zeros(1),
        workspace(packed.arrays, arrays),
        workspace(packed.arrays, arrays),
        out,
    )
    if out.status[0] != 0:
        raise NotConvergedError(
            f"the reference posture of {packed.model.name} has no force balance with a stability margin of "
            f"{packed.model.stability.margin:g} N m/rad"
        )
    return out


def default_cases(packed: Packed, arrays: StanceArrays, stance: Stance, count: int, held: int) -> CaseArrays:
    """Case arrays with every parameter at its default."""
    n, m = packed.lines, arrays.cost.size
    model = packed.model
    points = np.zeros((LOADS, 3))
    if model.hand is not None:
        x, y, z = model.hand.shoulder_right
        points[:2] = [[x, y, z], [x, y, -z]]
    if model.carry is not None:
        x, y, z = model.carry.strap_right
        points[2:] = [[x, y, z], [x, y, -z], model.carry.pack]
    cases = CaseArrays(
        offset=np.tile(arrays.offset, (count, 1)),
        strength=np.ones((count, m)),
        stiffness=np.ones((count, n)),
        shift=np.zeros((count, n)),
        lower=np.zeros((count, m)),
        upper=np.ones((count, m)),
        tissue_shift=np.zeros((count, len(model.tissues))),
        preload=np.full(count, model.neutral_zone.preload),
        rest_pressure=np.full(count, stance.rest_pressure),
        short_range=np.full(count, model.stability.short_range),
        margin=np.full(count, -np.inf),
        load=np.zeros((count, LOADS)),
        load_point=np.tile(points, (count, 1, 1)),
        contact_height=np.tile(np.array([c.height for c in stance.contacts]), (count, 1)),
        symmetric=np.full(count, own_mirror(stance)),
        held=np.zeros((count, held)),
        disc_loss=np.zeros((count, len(packed.levels))),
        disc_bulge=np.zeros((count, len(packed.levels))),
        disc_slip=np.zeros((count, len(packed.levels))),
        foramen_scale=np.ones((count, len(packed.foramina), 2)),
        flavum=np.zeros(count),
        variant=np.zeros(count, dtype=np.int64),
    )
    if model.abdomen is not None:
        # the highest pressure is that of rest and transversus together
        cases.upper[:, packed.arrays.pressure_line] = max(0.0, 1.0 - stance.rest_pressure / model.abdomen.highest)
    limit_ankles(packed, arrays, stance, cases)
    return cases


def limit_ankles(packed: Packed, arrays: StanceArrays, stance: Stance, cases: CaseArrays) -> None:
    """Bound the ankle actuators so that the centre of pressure stays under the foot, in place."""
    foot, model = packed.model.foot, packed.model
    if foot is None:
        return
    weight = model.gravity * stance.weight_factor * sum(body.mass for body in model.bodies) + cases.load.sum(axis=1)
    names = [coordinate.name for coordinate in stance.free]
    for name, sign, reach in (
        ("lean", -1.0, foot.front),
        ("lean", 1.0, foot.back),
        ("sway", -1.0, foot.side),
        ("sway", 1.0, foot.side),
    ):
        if name not in names:
            continue
        moment = np.where(arrays.actuator_body >= 0, arrays.actuator_moment[:, names.index(name)], 0.0)
        chosen = np.flatnonzero(moment * sign > 0.0)
        if chosen.size:
            share = np.minimum(1.0, reach * weight / np.abs(moment[chosen]).sum())
            for i in chosen:
                cases.upper[:, packed.lines + i] = share


def own_mirror(stance: Stance) -> bool:
    """Whether a stance, but for the angles that it holds, is its own mirror image."""

    def drawn(stance: Stance) -> tuple[object, ...]:
        supports = sorted((s.body, *s.position, s.share) for s in stance.supports)
        contacts = sorted((c.body, *c.position, *c.normal, c.height, c.stiffness, c.blend) for c in stance.contacts)
        free = sorted((f.name, sorted(f.moves.items())) for f in stance.free)
        named = [sorted(names) for names in (stance.unweighted, stance.actuators)]
        return stance.up, stance.centre, supports, contacts, free, named, stance.offsets, stance.shifts

    return drawn(stance) == drawn(mirrored_stance(stance))


def no_held(arrays: StanceArrays) -> HeldAngles:
    """No held posture angles."""
    return HeldAngles(rows=np.zeros((0, arrays.n_free)), trunk=np.zeros(0, dtype=np.int64))


def posture_names(stance: PackedStance) -> list[str]:
    """Names by which the angles of a posture may be set in this stance."""
    levels = [name for name in stance.packed.coordinates if name.split(".")[0] in stance.packed.levels]
    legs = [f"{joint}_flexion.{side}" for joint in ("hip", "knee") for side in ("left", "right")]
    legs = [name for name in legs if _coordinate(name) in _moved(stance)]
    pelvis = [name for name, coordinate in PELVIC_ANGLES.items() if coordinate in _moved(stance)]
    return [*TRUNK_ANGLES, "anterior_pelvic_tilt", "lumbar_flexion", *pelvis, *legs, *levels]


def _coordinate(name: str) -> str:
    """Joint coordinate of a posture angle such as ``hip_flexion.left`` or ``knee_flexion.left``."""
    joint, side = name.split(".")
    return f"{joint.removesuffix('_flexion')}_{side[0]}.flexion"


def _moved(stance: PackedStance) -> set[str]:
    return {name for free in stance.stance.free for name in free.moves}


def check_posture(stance: PackedStance, posture: Mapping[str, float]) -> dict[str, float]:
    """Posture angles in radians, once their names and values are known to be legal [deg in, rad out].

    Raises
    ------
    InputError
        For an unknown name, a value that is not a finite number within 180 deg, or an angle the stance fixes.
    """
    known = posture_names(stance)
    checked = {}
    for name, value in posture.items():
        if name not in known:
            raise InputError(
                f"posture angle {name} cannot be set in {stance.stance.name}; names are {', '.join(known)}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not abs(float(value)) <= 180.0:
            raise InputError(
                f"posture angle {name} = {value!r} is not allowed: it must be a number from -180 to 180 deg"
            )
        checked[name] = math.radians(float(value))
    return checked


def with_held(stance: PackedStance, angles: Mapping[str, float]) -> dict[str, float]:
    """Named angles and, beside them, those that the stance holds [rad].

    What is named goes before: pelvis and lumbar spine add up to the trunk, so of these at most two are kept, and where
    both legs move alike, a named one speaks for the other.
    """
    own = {name: value for name, value in stance.stance.held.items() if name not in angles}
    for name in SAGITTAL:
        if name in own and len(set(SAGITTAL) & {*own, *angles}) > 2:
            del own[name]
    for name in [name for name in angles if "_flexion." in name]:
        row, _ = angle_row(stance, name)
        own = {other: value for other, value in own.items() if not _alike(stance, other, row)}
    return {**own, **angles}


def angle_row(stance: PackedStance, name: str) -> tuple[Floats, float]:
    """Gradient of a linear posture angle by the free coordinates, and its value at u = 0 [rad]."""
    if name == "anterior_pelvic_tilt":
        wanted = [f"{stance.packed.model.joints[0].name}.tilt"]
    elif name == "lumbar_flexion":
        wanted = [f"{level}.flexion" for level in lumbar_levels(stance)]
    elif "_flexion." in name:
        wanted = [_coordinate(name)]
    elif name in PELVIC_ANGLES:
        wanted = [PELVIC_ANGLES[name]]
    else:
        wanted = [name]
    row = np.zeros(len(stance.free))
    offset = 0.0
    for coordinate in wanted:
        k = stance.packed.coordinates.index(coordinate)
        offset += stance.arrays.offset[k]
        for e in range(stance.arrays.rate_first[k], stance.arrays.rate_first[k + 1]):
            row[stance.arrays.rate_index[e]] += stance.arrays.rate[e]
    return row, offset


def lumbar_levels(stance: PackedStance) -> list[str]:
    """Levels between the sacrum and the upper end of L1."""
    top = stance.packed.bodies[stance.packed.arrays.top_body]
    levels = []
    for joint in stance.packed.model.joints:
        if joint.name in stance.packed.levels:
            levels.append(joint.name)
            if joint.child == top:
                break
    return levels


def hold(stance: PackedStance, angles: Mapping[str, float]) -> tuple[HeldAngles, Floats]:
    """Held angles as arrays, and their values less those at u = 0 [rad]."""
    rows, trunk, values = [], [], []
    for name, value in angles.items():
        if name in TRUNK_ANGLES:
            rows.append(np.zeros(len(stance.free)))
            trunk.append(TRUNK_ANGLES.index(name))
            values.append(value)
        else:
            row, offset = angle_row(stance, name)
            if any(np.array_equal(row, other) for other in rows):
                continue  # both hips follow the pelvis alike
            rows.append(row)
            trunk.append(-1)
            values.append(value - offset)
    return (
        HeldAngles(rows=np.array(rows).reshape(len(rows), len(stance.free)), trunk=np.array(trunk, dtype=np.int64)),
        np.array(values),
    )


@dataclass(frozen=True)
class Completion:
    """How a posture of few named angles is made whole."""

    angles: dict[str, float]  #: conditions [rad]: the named angles and what the rhythm adds
    modes: Floats  #: (conditions + centred.size, nu)
    centred: Ints  #: directions of the ground, 0 forward or 1 aside, in which the centre of mass stands over its aim


def completion(stance: PackedStance, angles: Mapping[str, float]) -> Completion:
    """Directions and conditions that complete named angles by the published rhythm.

    The trunk keeps the stance's own flexion, no bend and no turn unless they are named. The lumbar spine takes its
    share of the trunk's flexion and the pelvis the rest, unless either is named; the levels share lumbar flexion,
    bend and turn as in their published ranges of motion, less those that are named; the legs lean so that the centre
    of mass stays over the support.

    Raises
    ------
    InputError
        If the named angles contradict each other.
    """
    if "anterior_pelvic_tilt" in angles and "lumbar_flexion" in angles and "trunk_flexion" in angles:
        raise InputError("name at most two of trunk_flexion, anterior_pelvic_tilt and lumbar_flexion")
    named = dict(angles)
    conditions = dict(angles)
    both = "anterior_pelvic_tilt" in named and "lumbar_flexion" in named
    if not both:
        trunk = conditions.setdefault("trunk_flexion", float(stance.arrays.trunk_target[0]))
        if "anterior_pelvic_tilt" not in named and "lumbar_flexion" not in named:
            conditions["lumbar_flexion"] = lumbar_flexion(trunk)
    modes = [_mode(stance, {f"{stance.packed.model.joints[0].name}.tilt": 1.0})]
    backward = conditions.get("lumbar_flexion", conditions.get("trunk_flexion", 0.0)) < 0.0
    for motion in ("flexion", "bend", "turn"):
        shares = {
            coordinate.full_name: coordinate.rhythm_share_negative
            if backward and motion == "flexion"
            else coordinate.rhythm_share
            for coordinate in stance.packed.model.coordinates
            if coordinate.name == motion and coordinate.joint in stance.packed.levels
        }
        if not shares:
            continue  # a planar model neither bends nor turns
        if motion != "flexion":
            conditions.setdefault(f"trunk_{motion}", 0.0)
        loose = {name: share for name, share in shares.items() if name not in named and share > 0.0}
        if not loose:
            raise InputError(f"every level's {motion} is named: leave at least one to complete the posture")
        modes.append(_mode(stance, loose))
    for name in named:
        if name in PELVIC_ANGLES:
            modes.append(_unit(stance, name))
        if name.split(".")[0] in stance.packed.levels:
            modes.append(_mode(stance, {name: 1.0}))
    leaning = "lean" in stance.free
    for name in [name for name in named if "_flexion." in name]:
        row, _ = angle_row(stance, name)
        twin = next((other for other in conditions if other != name and _alike(stance, other, row)), None)
        if twin is not None:
            if named[twin] != named[name]:
                raise InputError(f"{name}: in {stance.stance.name} both sides flex alike")
            del conditions[name]
        elif (own := _own_mode(stance, name)) is not None:
            modes.append(own)
        elif leaning:
            leaning = False  # the legs lean as the hips ask
            modes.append(_unit(stance, "lean"))
        else:
            raise InputError(f"{name}: in {stance.stance.name} the hips follow the pelvis")
    centred = []
    for axis, name in enumerate(("lean", "sway")):
        if name in stance.free and (name == "sway" or leaning):
            modes.append(_unit(stance, name))
            centred.append(axis)
    return Completion(conditions, np.array(modes), np.array(centred, dtype=np.int64))


def _unit(stance: PackedStance, name: str) -> Floats:
    """Direction of one free coordinate."""
    direction: Floats = np.eye(len(stance.free))[stance.free.index(name)]
    return direction


def _alike(stance: PackedStance, name: str, row: Floats) -> bool:
    """Whether a named angle of the legs is moved like one of the other side."""
    return "_flexion." in name and np.array_equal(angle_row(stance, name)[0], row)


def _own_mode(stance: PackedStance, name: str) -> Floats | None:
    """Direction of the free coordinate that moves an angle of the legs but not the pelvis, if there is one."""
    for free in stance.stance.free:
        if free.name not in ("lean", "sway", "pelvic_tilt") and _coordinate(name) in free.moves:
            return _unit(stance, free.name)
    return None


def _mode(stance: PackedStance, rates: Mapping[str, float]) -> Floats:
    """Direction in the free coordinates that moves joint coordinates at given rates."""
    direction = np.zeros(len(stance.free))
    for j, free in enumerate(stance.stance.free):
        shared = [name for name in free.moves if name in rates]
        if shared:
            direction[j] = rates[shared[0]] / free.moves[shared[0]]
    return direction
