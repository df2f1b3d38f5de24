"""The largest isometric moment that muscles can hold against a fixed device: trunk, hip and knee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spinesim import units
from spinesim.cases import case_arrays, line_forces, path_lengths
from spinesim.errors import InfeasibleError, InputError
from spinesim.imbalance import expand
from spinesim.kernels import passive
from spinesim.kernels.arrays import CaseArrays, Floats
from spinesim.kernels.state import configure
from spinesim.kernels.work import Work, workspace
from spinesim.model.names import TRANSVERSUS
from spinesim.model.pack import pack
from spinesim.model.parts import Coordinate, Model
from spinesim.parameters import resolve_group
from spinesim.solve import check_settings, make_task, start_postures
from spinesim.stance import PackedStance, pack_stance

#: Couple that the muscles give the thorax (x forward, y up, z right) in the trunk efforts of the right side.
TRUNK_EFFORTS = {
    "trunk_extension": (0.0, 0.0, 1.0),
    "trunk_flexion": (0.0, 0.0, -1.0),
    "trunk_bend": (1.0, 0.0, 0.0),
    "trunk_turn": (0.0, -1.0, 0.0),
}
SIDED = ("trunk_bend", "trunk_turn")  # trunk efforts that have a side
#: Joint, its coordinate and the direction in it of the hip and knee efforts.
LIMB_EFFORTS = {
    "hip_flexion": ("hip", "flexion", 1.0),
    "hip_extension": ("hip", "flexion", -1.0),
    "hip_abduction": ("hip", "adduction", -1.0),
    "hip_adduction": ("hip", "adduction", 1.0),
    "hip_external_rotation": ("hip", "rotation", -1.0),
    "hip_internal_rotation": ("hip", "rotation", 1.0),
    "knee_extension": ("knee", "flexion", -1.0),
    "knee_flexion": ("knee", "flexion", 1.0),
}
SUFFIX = {"right": "_r", "left": "_l"}
HARNESS = "t7_body_centre"  # landmark at whose height the harness pulls


@dataclass(frozen=True, eq=False)
class Capacity:
    """The largest moment of an effort, and the linear programme it is the answer to.

    maximise s subject to ``columns' a = posture_moment + s direction``, ``rows a >= bound``, ``lower <= a <= upper``
    """

    moment: float  #: s [N m]
    activation: dict[str, float]  #: of every muscle line and actuator [1]
    price: dict[str, float]  #: gain of ``moment`` per newton metre that a coordinate is given from elsewhere [1]
    columns: Floats  #: (m, k) moments at full activation [N m]
    posture_moment: Floats  #: (k,) what weight and passive structures leave to the muscles [N m]
    direction: Floats  #: (k,) moments to be given per newton metre of the effort [1]
    rows: Floats  #: (r, m) limits of the abdominal pressure
    bound: Floats  #: (r,)
    lower: Floats  #: (m,)
    upper: Floats


@dataclass(frozen=True, eq=False)
class Pose:
    """A model at a held posture, as the force balance sees it."""

    stance: PackedStance
    cases: CaseArrays
    work: Work
    free: Floats


@dataclass(frozen=True, eq=False)
class _Effort:
    """The linear programme of an effort, without its answer; the fields are those of `Capacity`."""

    lines: Sequence[str]
    names: Sequence[str]  #: of the k coordinates that balance
    columns: Floats
    posture_moment: Floats
    direction: Floats
    rows: Floats
    bound: Floats
    lower: Floats
    upper: Floats


def hold_pose(model: Model, settings: Mapping[str, float], posture: Mapping[str, float] | None) -> Pose:
    """The standing model with the named angles held [deg], completed by the rhythm; without any the reference."""
    stance = pack_stance(pack(model), "standing")
    cases = case_arrays(stance, _columns(model, settings), 1, np.zeros(0))
    free = np.zeros(stance.arrays.n_free)
    if posture:
        free = start_postures(stance, make_task(model, "standing", posture, "rhythm"), cases)[0]
    arrays = stance.packed.arrays
    work = workspace(arrays, stance.arrays)
    passive.disc_constants(arrays, cases.preload[0], work.disc)
    configure(arrays, stance.arrays, cases, 0, free, work)
    return Pose(stance, cases, work, free)


def _columns(model: Model, settings: Mapping[str, float]) -> dict[str, Floats]:
    return {name: np.array([value]) for name, value in check_settings(model, settings).items()}


def maximal_moment(
    model: Model,
    effort: str,
    parameters: Mapping[str, float] | None = None,
    *,
    side: str = "right",
    posture: Mapping[str, float] | None = None,
    joints: Mapping[str, float] | None = None,
    load: str = "harness",
    yielding: float = 0.0,
) -> Capacity:
    """Largest isometric moment of trunk, hip or knee that muscles can hold against a fixed device.

    In a trunk effort the pelvis is fixed and the device acts on the thorax, on top of body weight and passive
    structures; every spinal coordinate balances in the posture as it is. In a hip or knee effort the body on the other
    side of the joint is fixed and every component of that one joint balances; weight and passive moment of the limb
    are left out, as a device set to zero on the relaxed limb leaves them out.

    Parameters
    ----------
    effort
        ``"trunk_extension"``, ``"trunk_flexion"``, ``"trunk_bend"``, ``"trunk_turn"``, ``"hip_flexion"``,
        ``"hip_extension"``, ``"hip_abduction"``, ``"hip_adduction"``, ``"hip_external_rotation"``,
        ``"hip_internal_rotation"``, ``"knee_extension"`` or ``"knee_flexion"``.
    parameters
        Values by parameter name, as in `spinesim.solve`.
    side
        ``"right"`` or ``"left"``: the limb, or the side to which the trunk bends or turns. Without meaning for
        extension and flexion of the trunk.
    posture
        Angles to hold [deg], completed by the rhythm; without it the reference posture. Trunk efforts only.
    joints
        Angles of the limb [deg], such as ``{"hip.flexion": 90, "knee.flexion": 90}``; those not named are 0. Limb
        efforts only.
    load
        ``"harness"``: a horizontal force on the thorax at the height of T7, its moment counted about L5/S1 (a turn
        is always a couple); ``"couple"``: the same moment at every level.
    yielding
        Moment [N m] that each coordinate may give or take in each direction, as if the posture gave way a little.

    Returns
    -------
    Capacity
        ``moment`` [N m] is positive in the direction that the name says.

    Raises
    ------
    InputError
        For an unknown effort, side, load, joint angle or parameter, or a model without the joints or landmarks of the
        effort.
    InfeasibleError
        If the posture itself cannot be held, or a lower bound of activation is more than the joint can balance.
    """
    if load not in ("harness", "couple"):
        raise InputError(f"load = {load!r} is not allowed: it must be 'harness' or 'couple'")
    if side not in SUFFIX:
        raise InputError(f"side = {side!r} is not allowed: it must be 'right' or 'left'")
    if effort in TRUNK_EFFORTS:
        if joints:
            raise InputError(f"{effort} takes no angles of a limb: joints = {dict(joints)} has no meaning for it")
        return _largest(_trunk(hold_pose(model, parameters or {}, posture), effort, side, load), effort, yielding)
    if effort in LIMB_EFFORTS:
        if posture:
            raise InputError(
                f"{effort} takes no posture: name the angles of the limb as joints = {{'hip.flexion': 90}}"
            )
        return _largest(_limb(model, effort, parameters or {}, side, joints or {}), effort, yielding)
    raise InputError(f"effort {effort} is unknown: it must be one of {', '.join((*TRUNK_EFFORTS, *LIMB_EFFORTS))}")


def _trunk(pose: Pose, effort: str, side: str, load: str) -> _Effort:
    """Spinal coordinates, the columns and the posture's moment about them, and the direction of the effort."""
    stance, work, cases = pose.stance, pose.work, pose.cases
    packed, arrays = stance.packed, stance.packed.arrays
    levels = set(packed.levels)
    spinal = [j for j, f in enumerate(stance.stance.free) if {name.split(".")[0] for name in f.moves} <= levels]
    thorax = arrays.trunk_body
    lowest = packed.coordinates.index(f"{packed.levels[0]}.flexion")
    couple = np.array(TRUNK_EFFORTS[effort])
    if effort in SIDED and side == "left":
        couple = -couple
    force, place, size = np.zeros(3), np.zeros(3), 1.0
    harness = load == "harness" and couple[1] == 0.0
    if harness:
        marks = {mark.name: np.array(mark.position) for mark in packed.model.landmarks}
        if HARNESS not in marks:
            raise InputError(f"{effort}: the model {packed.model.name} has no landmark {HARNESS} for the harness")
        place = work.place[thorax] + work.turn[thorax] @ marks[HARNESS]
        force = np.cross([0.0, 1.0, 0.0], couple)
        size = -float(np.cross(place - work.centres[lowest], force) @ couple)  # lever about L5/S1 [m]
    moment = np.zeros(len(packed.coordinates))
    for k in np.flatnonzero(arrays.moves[thorax]):
        given = -np.cross(place - work.centres[k], force) / size if harness else couple
        moment[k] = work.axes[k] @ given
    direction = to_free(stance, moment)[spinal]
    if not direction.any():
        raise InputError(f"{effort}: no spinal coordinate of the model {packed.model.name} moves that way")
    limited = 1 if arrays.pressure_line >= 0 else 0
    return _Effort(
        lines=[*packed.muscles, *([TRANSVERSUS] * limited), *stance.actuators],
        names=[stance.free[j] for j in spinal],
        columns=np.where(acting(stance), work.columns, 0.0)[:, spinal],
        posture_moment=work.tau[spinal],
        direction=direction,
        rows=work.rows[:limited].copy(),
        bound=work.bound[:limited].copy(),
        lower=cases.lower[0].copy(),
        upper=cases.upper[0].copy(),
    )


def _limb(model: Model, effort: str, settings: Mapping[str, float], side: str, joints: Mapping[str, float]) -> _Effort:
    """The same for all coordinates of one hip or knee: fascicles, and the actuators that stand for the others there."""
    joint, coordinate, sign = LIMB_EFFORTS[effort]
    joint, suffix = joint + SUFFIX[side], SUFFIX[side]
    packed = pack(model)
    n = len(packed.muscles)
    if f"{joint}.{coordinate}" not in packed.coordinates:
        raise InputError(f"{effort}: the model {model.name} has no coordinate {joint}.{coordinate}")
    q = np.zeros(len(packed.coordinates))
    for name, angle in joints.items():
        q[packed.coordinates.index(_checked(model, effort, suffix, name, angle))] = angle * units.DEGREE
    columns = _columns(model, settings)
    cases = case_arrays(pack_stance(packed, "standing"), columns, 1, np.zeros(0))
    length, gradient = path_lengths(packed, q)
    active, _ = line_forces(packed, cases, length)
    names = [other for other in packed.coordinates if other.split(".")[0] == joint]
    chosen = [packed.coordinates.index(other) for other in names]
    ideal = [each for each in model.actuators if each.coordinate in names]
    full = expand(model, columns)
    scale, lower, upper = (
        np.array([float(np.ravel(resolve_group(full, family, each.group, each.side))[0]) for each in ideal])
        for family in ("strength", "tone", "inhibition")
    )
    pull = np.array([[each.max_moment * (each.coordinate == other) for other in names] for each in ideal])
    fascicles = -gradient[:n, chosen] * active[:n, None]
    return _Effort(
        lines=[*packed.muscles, *(each.name for each in ideal)],
        names=names,
        columns=np.vstack([fascicles, pull * scale[:, None]]) if ideal else fascicles,
        posture_moment=np.zeros(len(names)),
        direction=np.array([sign * (other == f"{joint}.{coordinate}") for other in names]),
        rows=np.zeros((0, n + len(ideal))),
        bound=np.zeros(0),
        lower=np.concatenate([cases.lower[0, :n], lower]),
        upper=np.concatenate([cases.upper[0, :n], upper]),
    )


def _checked(model: Model, effort: str, suffix: str, name: str, angle: float) -> str:
    """Full name of a joint angle of the limb, once it is known to exist and to lie in its range."""
    legal: dict[str, Coordinate] = {
        f"{each.joint.removesuffix(suffix)}.{each.name}": each
        for each in model.coordinates
        if each.joint.endswith(suffix)
    }
    given = f"{effort}: {name} = {angle:g} deg is not allowed"
    if name not in legal:
        raise InputError(f"{given}: angles of the limb are {', '.join(legal)}")
    low, high = legal[name].lowest / units.DEGREE, legal[name].highest / units.DEGREE
    if not low - 1e-9 <= angle <= high + 1e-9:
        raise InputError(f"{given}: its range is {low:g} to {high:g} deg")
    return legal[name].full_name


def _largest(effort: _Effort, name: str, yielding: float) -> Capacity:
    """Solve the linear programme."""
    from scipy.optimize import linprog  # a third of a second, which few users need

    m, k = effort.columns.shape
    limited = len(effort.bound)
    answer = linprog(
        np.r_[np.zeros(m), -1.0, np.zeros(k)],
        A_ub=np.hstack([-effort.rows, np.zeros((limited, 1 + k))]) if limited else None,
        b_ub=-effort.bound if limited else None,
        A_eq=np.hstack([effort.columns.T, -effort.direction[:, None], np.eye(k)]),
        b_eq=effort.posture_moment,
        bounds=[*zip(effort.lower, effort.upper, strict=True), (0.0, None), *[(-yielding, yielding)] * k],
        method="highs",
    )
    if answer.status != 0:
        raise InfeasibleError(f"{name}: no muscle forces hold the posture itself ({answer.message})")
    return Capacity(
        moment=float(answer.x[m]),
        activation=dict(zip(effort.lines, answer.x[:m].tolist(), strict=True)),
        price=dict(zip(effort.names, answer.eqlin.marginals.tolist(), strict=True)),
        columns=effort.columns,
        posture_moment=effort.posture_moment,
        direction=effort.direction,
        rows=effort.rows,
        bound=effort.bound,
        lower=effort.lower,
        upper=effort.upper,
    )


def acting(stance: PackedStance) -> np.ndarray:
    """(m, nu) True where a line or actuator acts on a free coordinate; other entries of the columns are not written."""
    column = np.arange(stance.arrays.n_free)
    return (column >= stance.arrays.column_first[:, None]) & (column < stance.arrays.column_last[:, None])


def to_free(stance: PackedStance, moment: Floats) -> Floats:
    """Generalised moments about the free coordinates of moments (nq,) about the joint coordinates."""
    free = np.zeros(stance.arrays.n_free)
    for k in range(moment.size):
        for e in range(stance.arrays.rate_first[k], stance.arrays.rate_first[k + 1]):
            free[stance.arrays.rate_index[e]] += stance.arrays.rate[e] * moment[k]
    return free
