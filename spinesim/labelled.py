"""Kernel outputs as named quantities in the units of the register."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import xarray as xr

from spinesim import units
from spinesim.kernels import chain
from spinesim.kernels.arrays import LOADS, Outputs
from spinesim.model.pack import Packed
from spinesim.nerve_way import point_names, sciatic_way
from spinesim.roles import movers, role
from spinesim.stance import PackedStance
from spinesim.structures import rates, structures
from spinesim.variables import BUCKLING_DEG, COORDINATES, VARIABLES, attributes

STATUS = ("solved", "infeasible", "not_converged", "unstable")
CURVE_RANGE = (0.4, 1.8)  # normalised fibre lengths of the muscle curves' data
LOAD_PLACES = ("right hand", "left hand", "right shoulder", "left shoulder", "back")
PRESSURES = ("intra_abdominal_pressure", "transversus_activation")  # of models with an abdomen
SCIATIC = ("sciatic_lengthening", "sciatic_strain", "piriformis_pressure")  # of models with sciatic nerves
NOTE = "A research and teaching model, never a diagnosis."


def quantities(stance: PackedStance, out: Outputs, *, pictures: bool) -> dict[str, np.ndarray]:
    """Every result variable of a chain of cases, cases in front; NaN where a case failed.

    Parameters
    ----------
    pictures
        True adds the large variables: bones and muscle paths in the world.
    """
    packed = stance.packed
    arrays = packed.arrays
    n, line = len(packed.muscles), arrays.pressure_line
    angle = out.alignment / units.DEGREE
    joint = out.joint
    levels = arrays.body_coordinates[arrays.level_bodies[:, 1]]
    count = arrays.body_coordinates[arrays.level_bodies[:, 1] + 1] - levels
    segment = np.stack(
        [np.where(count > a, joint[:, np.minimum(levels + a, joint.shape[1] - 1)], 0.0) for a in range(3)], axis=-1
    )
    solved = out.status == 0
    held = _held(stance)
    reaction = out.reaction
    foramen = out.foramen
    activation = out.activation
    values = {
        "anterior_pelvic_tilt": angle[:, 0],
        "sacral_slope": angle[:, 1],
        "pelvic_tilt_radiographic": angle[:, 2],
        "pelvic_incidence": angle[:, 3],
        "lumbar_lordosis": angle[:, 4],
        "trunk_inclination": angle[:, 5],
        "lean": _free_angle(stance, out, "lean"),
        "sway": _free_angle(stance, out, "sway"),
        "pelvic_list": np.arcsin(out.body_rotation[:, 0, 2, 1]) / units.DEGREE,
        "pelvic_turn": np.arctan2(-out.body_rotation[:, 0, 2, 0], out.body_rotation[:, 0, 2, 2]) / units.DEGREE,
        "hip_flexion": _leg_angle(packed, joint, "hip_{}.flexion"),
        "hip_adduction": _leg_angle(packed, joint, "hip_{}.adduction"),
        "hip_rotation": _leg_angle(packed, joint, "hip_{}.rotation"),
        "knee_flexion": _leg_angle(packed, joint, "knee_{}.flexion"),
        "centre_of_mass": out.centre,
        "segment_angle": segment / units.DEGREE,
        "muscle_force": out.force[:, :n],
        "activation": activation[:, :n],
        "cocontraction": activation[:, :n] - out.least[:, :n],
        "group_activation": _by_group(packed, activation[:, :n]),
        "group_cocontraction": _by_group(packed, (activation - out.least)[:, :n]),
        "muscle_length": out.length[:, :n],
        "fibre_length": out.fibre[:, :n],
        "actuator_moment": out.actuator_moment,
        "cocontraction_compression": reaction[:, :, 0] - out.least_compression,
        "stability_margin": out.smallest,
        "buckling_mode": out.mode,
        "stability_price": out.stability_price,
        "stability_cuts": out.cuts.astype(np.float64),
        "compression": reaction[:, :, 0],
        "shear_anterior": reaction[:, :, 1],
        "shear_lateral": reaction[:, :, 2],
        "disc_pressure": reaction[:, :, 0] / (arrays.pressure_factor * arrays.level_area) / units.MEGAPASCAL,
        "height_loss": out.disc[..., 0] / units.MILLIMETRE,
        "disc_slip": out.disc[..., 1] / units.MILLIMETRE,
        "disc_bulge": out.disc[..., 2] / units.MILLIMETRE,
        "hip_contact_force": out.hip_force,
        "foot_force": out.foot_force if _feet(stance) else np.zeros_like(out.foot_force),
        "foramen_area": foramen[..., 0] / units.MM2,
        "foramen_height": foramen[..., 1] / units.MILLIMETRE,
        "foramen_width": foramen[..., 2] / units.MILLIMETRE,
        "posterior_disc_height": foramen[..., 3] / units.MILLIMETRE,
        "contact_force": out.contact_force,
        "support_force": out.support_force,
        "load_weight": out.load,
        "joint_angle": joint / units.DEGREE,
        "foramen_closed": foramen[..., 4],
        "canal_area": out.canal / units.MM2,
        "root_occupancy": out.root[..., 0],
        "root_gap": out.root[..., 1] / units.MILLIMETRE,
        "root_strain": out.root[..., 2],
        "root_contact_pressure": out.root[..., 3] / units.MMHG,
        "root_band": out.root[..., 4],
        "locked_moment": -out.held_moment[:, held],
        "multiplier": out.multiplier,
        "passive_moment_hip_flexors": out.hip_flexor_moment,
        "missing_moment": np.where(solved[:, None], 0.0, out.missing),
        "effort": out.effort,
        "moment_residual": out.residual,
        "stationarity": out.stationarity,
        "complementarity": out.complementarity,
        "duality_gap": out.gap,
        "active_bounds": out.bounds.astype(np.float64),
        "outside_curve_range": ((out.fibre[:, :n] < CURVE_RANGE[0]) | (out.fibre[:, :n] > CURVE_RANGE[1]))
        .sum(axis=1)
        .astype(np.float64),
    }
    if line >= 0:
        values["intra_abdominal_pressure"] = -out.force[:, line] / arrays.pressure_area / units.KILOPASCAL
        values["transversus_activation"] = activation[:, line]
    if packed.model.sciatic is not None:
        values["sciatic_lengthening"] = out.sciatic[..., 0] / units.MILLIMETRE
        values["sciatic_strain"] = out.sciatic[..., 1]
        values["piriformis_pressure"] = out.sciatic[..., 2] / units.MMHG
    if pictures:
        values |= _pictures(stance, out)
    for name, value in values.items():
        if name not in ("missing_moment", "healthy_bone_position", "root_size"):
            # adding 0 turns -0.0 into 0.0
            values[name] = np.where(solved.reshape(-1, *[1] * (value.ndim - 1)), value, np.nan) + 0.0
    values["saturated"] = np.where(np.isfinite(activation[:, :n]), activation[:, :n] >= 1.0, np.nan)
    values["infeasibility_proof"] = out.proof
    values["iterations"] = out.iterations.astype(np.float64)
    values["status"] = np.array(STATUS, dtype="<U13")[out.status]
    values["branch"] = np.zeros(solved.size)
    return values


def _free_angle(stance: PackedStance, out: Outputs, name: str) -> np.ndarray:
    """A free coordinate [deg]; 0 where the stance has it not."""
    if name not in stance.free:
        return np.zeros(out.status.size)
    angle: np.ndarray = out.free[:, stance.free.index(name)] / units.DEGREE
    return angle


def _leg_angle(packed: Packed, joint: np.ndarray, pattern: str) -> np.ndarray:
    """An angle of the left and of the right leg (n_cases, 2) [deg]; NaN in a model without that joint."""
    angles = np.full((joint.shape[0], 2), np.nan)
    for i, side in enumerate("lr"):
        name = pattern.format(side)
        if name in packed.coordinates:
            angles[:, i] = joint[:, packed.coordinates.index(name)] / units.DEGREE
    return angles


def _by_group(packed: Packed, values: np.ndarray) -> np.ndarray:
    """Mean (nc, ng) of values (nc, n) of the fascicles of every group, weighted with their volumes.

    Case by case and as a plain sum: a matrix product rounds by how many cases and threads share it.
    """
    return np.array([(_shares(packed) * case).sum(axis=1) for case in values])


@lru_cache(maxsize=16)
def _shares(packed: Packed) -> np.ndarray:
    """(ng, n) share of every fascicle in the volume of every group of the model."""
    model = packed.model
    volume = np.array([m.max_force * m.optimal_fibre_length for m in model.muscles])
    member = np.array([[m.muscle in muscles for m in model.muscles] for muscles in model.groups.values()])
    weighed = member * volume
    shares: np.ndarray = weighed / weighed.sum(axis=1, keepdims=True)
    return shares


def _held(stance: PackedStance) -> list[int]:
    return [stance.packed.coordinates.index(name) for name in _held_names(stance)]


def _held_names(stance: PackedStance) -> list[str]:
    return [*stance.stance.held_by_support, *stance.stance.locked]


def _feet(stance: PackedStance) -> bool:
    return any(name == "lean" for name in stance.free)


@lru_cache(maxsize=32)
def bone_points(packed: Packed) -> tuple[tuple[str, str, tuple[float, float, float]], ...]:
    """Name, body and position (body frame) of every bony point: landmarks, then the joint centres of the legs."""
    points = [(mark.name, mark.body, mark.position) for mark in packed.model.landmarks]
    spine = {joint.child for joint in packed.model.joints if joint.name in packed.levels}
    for joint in packed.model.joints[1:]:
        if joint.child not in spine:
            points.append((joint.name, joint.child, (0.0, 0.0, 0.0)))
    for support in packed.model.stances["standing"].supports:
        points.append((support.name, support.body, support.position))
    return tuple(points)


def _pictures(stance: PackedStance, out: Outputs) -> dict[str, np.ndarray]:
    packed = stance.packed

    def place(body: np.ndarray, local: np.ndarray, rotation: np.ndarray, position: np.ndarray) -> np.ndarray:
        positions: np.ndarray = position[:, body] + np.einsum("cpij,pj->cpi", rotation[:, body], local)
        return positions

    bones = bone_points(packed)
    body = np.array([packed.bodies.index(b) for _, b, _ in bones])
    local = np.array([p for _, _, p in bones])
    origins = np.array([b.origin_neutral for b in packed.model.bodies])
    path = [(packed.bodies.index(p.body), p.position) for m in packed.model.muscles for p in m.path]
    healthy = origins[body] + local
    found = out.body_rotation, out.body_position
    return {
        "bone_position": place(body, local, *found),
        "path_position": place(np.array([b for b, _ in path]), np.array([p for _, p in path]), *found),
        "healthy_bone_position": np.tile(healthy, (out.status.size, 1, 1)),
        "buckled_bone_position": place(body, local, *_buckled(stance, out)),
        "foramen_outline": out.outline / units.MILLIMETRE,
        "root_place": out.root_place / units.MILLIMETRE,
        "root_size": np.tile(_root_sizes(packed) / units.MILLIMETRE, (out.status.size, 1, 1)),
        **({"sciatic_position": sciatic_way(packed, *found)} if packed.model.sciatic is not None else {}),
    } | _forces(stance, out, *found)


def _forces(stance: PackedStance, out: Outputs, turn: np.ndarray, place: np.ndarray) -> dict[str, np.ndarray]:
    """Where the forces of weights, supports, contacts and loads act."""
    arrays, packed = stance.arrays, stance.packed
    count = out.status.size

    def world(bodies: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(nc, np, 3) of points (np, 3) or (nc, np, 3) in the frames of bodies (np,)."""
        positions: np.ndarray = place[:, bodies] + np.einsum(
            "cpij,cpj->cpi", turn[:, bodies], np.broadcast_to(points, (count, len(bodies), 3))
        )
        return positions

    supports = world(arrays.support_body, arrays.support_point)
    return {
        "up_direction": np.tile(arrays.up, (count, 1)),
        "mass_position": np.einsum("s,csi->ci", arrays.support_share, supports) + out.centre,
        "support_position": supports,
        "contact_position": world(arrays.contact_body, arrays.contact_point),
        "contact_direction": np.tile(arrays.contact_normal, (count, 1, 1)),
        "load_position": world(np.full(LOADS, packed.arrays.load_body), out.load_point),
    }


def _root_sizes(packed: Packed) -> np.ndarray:
    """(nf, 2) width and height of the cut roots [m]."""
    width = packed.arrays.root_width
    sizes: np.ndarray = np.stack([width, width * packed.arrays.root_law[0]], axis=-1)
    return sizes


def _buckled(stance: PackedStance, out: Outputs) -> tuple[np.ndarray, np.ndarray]:
    """Rotations and positions of all bodies, displaced along the buckling mode by `BUCKLING_DEG`; NaN without one."""
    arrays = stance.packed.arrays
    turn, place = np.full_like(out.body_rotation, np.nan), np.full_like(out.body_position, np.nan)
    axes, centres = np.empty((arrays.moves.shape[1], 3)), np.empty((arrays.moves.shape[1], 3))
    for case, (free, mode) in enumerate(zip(out.free, out.mode, strict=True)):
        largest = np.abs(mode).max()
        if largest > 0.0:  # not for NaN
            displaced = free + mode * (BUCKLING_DEG * units.DEGREE / largest)
            q = out.joint[case] + rates(stance) @ (displaced - free)
            chain.forward(arrays, q, turn[case], place[case], axes, centres)
    return turn, place


def coordinates(stance: PackedStance, *, pictures: bool) -> dict[str, xr.DataArray]:
    """Coordinates of a result."""
    packed = stance.packed
    model = packed.model
    first = {m: group for group, members in reversed(model.groups.items()) for m in members}
    roots = [_roots(level) for level in packed.foramina]
    words: dict[str, list[str]] = {
        "muscle": list(packed.muscles),
        "anatomical_muscle": [m.muscle for m in model.muscles],
        "group": [first.get(m.muscle, m.muscle) for m in model.muscles],
        "muscle_side": [m.side for m in model.muscles],
        "muscle_group": list(model.groups),
        "level": list(packed.levels),
        "side": ["left", "right"],
        "foramen": list(packed.foramina),
        "exiting_root": [root for root, _ in roots],
        "traversing_root": [root for _, root in roots],
        "axis": ["flexion", "bend", "turn"],
        "xyz": ["x", "y", "z"],
        "coordinate": list(stance.free),
        "actuator": list(stance.actuators),
        "held": _held_names(stance),
        "contact": [contact.name for contact in stance.stance.contacts],
        "held_by": [role(stance.stance, name) for name in _held_names(stance)],
        "joint_coordinate": list(packed.coordinates),
        "role": [role(stance.stance, name) for name in packed.coordinates],
        "moved_by": [movers(stance.stance, name) for name in packed.coordinates],
        "support": [support.name for support in stance.stance.supports],
        "load": list(LOAD_PLACES) if model.hand is not None else [],
    }
    if pictures:
        bones = bone_points(packed)
        words["structure"] = list(structures(packed))
        words["bone_point"] = [name for name, _, _ in bones]
        words["bone_body"] = [body for _, body, _ in bones]
        words["path_muscle"] = [m.name for m in model.muscles for _ in m.path]
        words["outline_point"] = list(dict.fromkeys(point.name for point in model.foramen_outline))
        words["plane"] = ["back", "up"] if model.foramen_outline else []
        words["nerve_point"] = point_names(packed)
        words["path_point"] = [f"{m.name}.{i}" for m in model.muscles for i in range(len(m.path))]
    return {
        name: xr.DataArray(np.array(entries, dtype=str), dims=COORDINATES[name].dims, attrs=attributes(name))
        for name, entries in words.items()
        if entries
    }


def _roots(level: str) -> tuple[str, str]:
    """Exiting and traversing nerve root of a level such as L4_L5."""
    upper, lower = level.split("_")
    return upper, lower


@lru_cache(maxsize=1)
def versions() -> str:
    """Versions of what produced a result, as JSON."""
    found = {"python": platform.python_version()}
    for name in ("spinesim", "numpy", "numba", "scipy", "xarray", "h5py"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return json.dumps(found)


def header(stance: PackedStance, *, settings: Mapping[str, float], task: Mapping[str, str]) -> dict[str, str]:
    """Attributes that say what a result is and what made it."""
    model = stance.packed.model
    return {
        "title": f"spinesim {model.name}, {stance.stance.name}",
        "model": model.name,
        "model_digest": stance.packed.digest,
        "stance": stance.stance.name,
        **task,
        "parameters": json.dumps(dict(settings)),
        "versions": versions(),
        "created_by": "spinesim",
        "note": NOTE,
    }


def labelled(
    stance: PackedStance,
    out: Outputs,
    *,
    settings: Mapping[str, float],
    task: Mapping[str, str],
    pictures: bool,
    moments: np.ndarray | None = None,
) -> xr.Dataset:
    """The single case of ``out`` as a Dataset, with its moments by structure (1, nu, structures) if they are given."""
    values = quantities(stance, out, pictures=pictures)
    if moments is not None:
        values["structure_moment"] = moments
    named = coordinates(stance, pictures=pictures)
    return xr.Dataset(
        {
            name: (VARIABLES[name].dims, values[name][0], attributes(name))
            for name in VARIABLES
            if name in values and all(dim in named for dim in VARIABLES[name].dims)
        },
        coords=named,
        attrs=header(stance, settings=settings, task=task),
    )
