"""From a checked description to the arrays of the kernels, with the healthy reference each model carries."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from spinesim.errors import ModelError
from spinesim.kernels.arrays import Floats, ModelArrays
from spinesim.model.parts import BEHIND, MARKED, Joint, Model, PathPoint

LANDMARKS_NEEDED = ("S1_sup_ant", "S1_sup_post", "L1_sup_ant", "L1_sup_post")
PARTS = ("lower", "upper", "disc")
CANAL_MARGIN = 0.004  # [m] a foramen lies this far beside half the pedicle width (assumed)


@dataclass(frozen=True, eq=False)
class Packed:
    """Arrays of a model and the names of their entries."""

    model: Model
    arrays: ModelArrays
    bodies: tuple[str, ...]
    coordinates: tuple[str, ...]  #: full names, the order of q
    muscles: tuple[str, ...]  #: fascicles; the line of the intra-abdominal pressure comes after them
    tissues: tuple[str, ...]
    levels: tuple[str, ...]
    foramina: tuple[str, ...]

    @property
    def lines(self) -> int:
        """Number of lines: the fascicles and, last, that of the intra-abdominal pressure if there is one."""
        return int(self.arrays.max_force.size)

    @cached_property
    def digest(self) -> str:
        """Digest of everything in the description, whatever file or change it came from."""
        text = self.model.model_dump_json(exclude={"folder", "digest"})
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class ByIdentity:
    """A model as the key of a cache: the same object, not an equal one."""

    model: Model

    def __hash__(self) -> int:
        return id(self.model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and other.model is self.model


def pack(model: Model) -> Packed:
    """Arrays of a model; the same model gives the same object for as long as it is among the last few used."""
    return _kept(ByIdentity(model))


@lru_cache(maxsize=16)
def _kept(key: ByIdentity) -> Packed:
    return _pack(key.model)


def joint_rotation(joint: Joint) -> Floats:
    """Matrix whose columns are the joint (disc) axes in the neutral frame: forward, up, right."""
    c, s = math.cos(joint.frame_angle), math.sin(joint.frame_angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _pack(model: Model) -> Packed:
    missing = [name for name in LANDMARKS_NEEDED if name not in {mark.name for mark in model.landmarks}]
    if missing:
        raise ModelError(f"model {model.name}: landmark {missing[0]} is missing, the pelvic angles need it")
    bodies = tuple(body.name for body in model.bodies)
    coordinates = tuple(c.full_name for c in model.coordinates)
    chain = _chain(model, bodies)
    arrays = ModelArrays(
        gravity=model.gravity,
        condition_blend=model.condition_blend,
        zone_fraction=model.neutral_zone.fraction,
        zone_width=model.neutral_zone.width,
        zone_blend=model.neutral_zone.blend,
        active_constants=np.array(model.curves.active),
        passive_shape=model.curves.passive_shape,
        softplus=model.curves.softplus,
        length_floor=model.curves.length_floor,
        pressure_factor=model.pressure_factor,
        **chain,
        **_paths(model, bodies, coordinates, chain["moves"]),
        **_lines(model),
        **_discs(model, coordinates),
        **_tissues(model, coordinates),
        **_levels(model, bodies),
        **_plates(model, bodies),
        **_hips(model, bodies, coordinates),
        **_foramina(model),
        **_sciatic(model, coordinates),
    )
    return Packed(
        model=model,
        arrays=arrays,
        bodies=bodies,
        coordinates=coordinates,
        muscles=tuple(muscle.name for muscle in model.muscles),
        tissues=tuple(tissue.name for tissue in model.tissues),
        levels=model.levels,
        foramina=tuple(foramen_levels(model)),
    )


def _chain(model: Model, bodies: tuple[str, ...]) -> dict[str, Any]:
    joints = {joint.child: joint for joint in model.joints}
    ordered = [c for body in bodies for c in model.coordinates if c.joint == joints[body].name]
    if [c.full_name for c in ordered] != [c.full_name for c in model.coordinates]:
        raise ModelError(f"model {model.name}: coordinates must be listed joint by joint in the order of the bodies")
    nb, nq = len(bodies), len(ordered)
    parent = np.full(nb, -1)
    offset = np.zeros((nb, 3))
    first = np.zeros(nb + 1, dtype=np.int64)
    axis = np.zeros((nq, 3))
    moves = np.zeros((nb, nq), dtype=np.bool_)
    owner = np.zeros(nq, dtype=np.int64)
    k = 0
    for b, body in enumerate(model.bodies):
        joint = joints[body.name]
        if b > 0:
            parent[b] = bodies.index(body.parent)
            above = model.bodies[parent[b]]
            offset[b] = np.subtract(joint.centre_neutral, above.origin_neutral)
            moves[b] = moves[parent[b]]
        first[b] = k
        for coordinate in model.coordinates:
            if coordinate.joint == joint.name:
                axis[k] = joint_rotation(joint) @ coordinate.axis
                moves[b, k] = True
                owner[k] = b
                k += 1
    first[nb] = k
    return {
        "body_parent": parent,
        "body_offset": offset,
        "body_coordinates": first,
        "axis": axis,
        "moves": moves,
        "coordinate_body": owner,
        "body_mass": np.array([body.mass for body in model.bodies]),
    }


def path_segments(points: tuple[PathPoint, ...]) -> list[tuple[PathPoint, PathPoint, PathPoint | None, bool]]:
    """Straight segments of a path: both ends, the conditional point that fades them, and whether they pass through it.

    A conditional point p between a and b gives a-p and p-b with its weight and a-b with the rest.
    """
    segments: list[tuple[PathPoint, PathPoint, PathPoint | None, bool]] = []
    for i in range(len(points) - 1):
        a, b = points[i], points[i + 1]
        fading = a if a.condition else b if b.condition else None
        segments.append((a, b, fading, True))
        if b.condition:
            segments.append((a, points[i + 2], b, False))
    return segments


def _routes(model: Model) -> list[list[tuple[PathPoint, PathPoint, PathPoint | None, bool]]]:
    """Segments of every line."""
    routes = [path_segments(muscle.path) for muscle in model.muscles]
    if model.abdomen is not None:
        trunk = next(joint.child for joint in model.joints if joint.name == model.levels[-1])
        floor = PathPoint(body=model.bodies[0].name, position=model.abdomen.pelvic_floor)
        routes.append(path_segments((PathPoint(body=trunk, position=model.abdomen.diaphragm), floor)))
    return routes


def _paths(model: Model, bodies: tuple[str, ...], coordinates: tuple[str, ...], moves: np.ndarray) -> dict[str, Any]:
    first, ends, points, condition, limits, through = [0], [], [], [], [], []
    start, changed, moved = [0], [], []
    for route in _routes(model):
        for a, b, fading, passes in route:
            ia, ib = bodies.index(a.body), bodies.index(b.body)
            ends.append((ia, ib))
            points.append((a.position, b.position))
            condition.append(coordinates.index(fading.condition) if fading else -1)
            limits.append((fading.condition_lowest, fading.condition_highest) if fading else (0.0, 0.0))
            through.append(passes)
            for k in np.flatnonzero(moves[ia] != moves[ib]):
                changed.append(k)
                moved.append(int(moves[ib, k]))
            start.append(len(changed))
        first.append(len(ends))
    return {
        "muscle_segments": np.array(first),
        "segment_bodies": np.array(ends),
        "segment_points": np.array(points, dtype=np.float64),
        "segment_condition": np.array(condition),
        "segment_range": np.array(limits),
        "segment_with": np.array(through, dtype=np.bool_),
        "segment_first": np.array(start),
        "segment_coordinates": np.array(changed, dtype=np.int64),
        "segment_ends": np.array(moved, dtype=np.int64),
    }


def _lines(model: Model) -> dict[str, Any]:
    """Constants of the fascicles; those of the pressure line are placeholders that no kernel reads."""
    muscles, abdomen = model.muscles, model.abdomen
    none = [] if abdomen is None else [1.0]
    wall = [m.muscle in abdomen.wall if abdomen else False for m in muscles]
    share = np.array([*wall, *([False] * len(none))], dtype=np.float64)
    if abdomen is not None:
        share *= abdomen.support / abdomen.highest / sum(wall)
    return {
        "max_force": np.array([*(m.max_force for m in muscles), *none]),
        "optimal_length": np.array([*(m.optimal_fibre_length for m in muscles), *none]),
        "slack_length": np.array([*(m.tendon_slack_length for m in muscles), *none]),
        "cos_pennation": np.array([*np.cos([m.pennation for m in muscles]), *none]),
        "passive_force": np.array([*(m.passive_force for m in muscles), *none]),
        "passive_slack": np.array([*(m.passive_slack for m in muscles), *none]),
        "passive_strain": np.array([*(m.passive_strain for m in muscles), *none]),
        "pressure_line": len(muscles) if abdomen else -1,
        "pressure_area": abdomen.area if abdomen else 0.0,
        "pressure_range": abdomen.highest if abdomen else 0.0,
        "pressure_share": share,
    }


def _discs(model: Model, coordinates: tuple[str, ...]) -> dict[str, Any]:
    preloads = sorted({law.preload for law in model.disc_laws})
    found = {(law.level, law.coordinate, law.direction, law.preload): law for law in model.disc_laws}
    index, table = [], []
    for k, name in enumerate(coordinates):
        level, coordinate = name.split(".")
        if level not in model.levels:
            continue
        rows = []
        for preload in preloads:
            row: list[float] = []
            for direction in ("positive", "negative"):
                key = (level, coordinate, direction, preload)
                if key not in found:
                    raise ModelError(
                        f"model {model.name}: disc_laws lacks {level} {coordinate} {direction} at {preload:g} N"
                    )
                row += [found[key].c1, found[key].c2, found[key].c3]
            rows.append(row)
        index.append(k)
        table.append(rows)
    return {
        "disc_coordinate": np.array(index, dtype=np.int64),
        "disc_preload": np.array(preloads),
        "disc_law": np.array(table),
    }


def _tissues(model: Model, coordinates: tuple[str, ...]) -> dict[str, Any]:
    tissues = model.tissues
    return {
        "tissue_coordinate": np.array([coordinates.index(t.coordinate) for t in tissues], dtype=np.int64),
        "tissue_amplitude": np.array([t.amplitude for t in tissues], dtype=np.float64),
        "tissue_rate": np.array([t.rate for t in tissues], dtype=np.float64),
        "tissue_second": np.array([coordinates.index(t.second) if t.second else -1 for t in tissues], dtype=np.int64),
        "tissue_coupling": np.array([t.coupling for t in tissues], dtype=np.float64),
    }


def _levels(model: Model, bodies: tuple[str, ...]) -> dict[str, Any]:
    joints = {joint.name: joint for joint in model.joints}
    discs = {disc.name: disc for disc in model.discs}
    stiffest = {spring.level: spring for spring in sorted(model.disc_springs, key=lambda s: s.preload)}
    levels = [joints[name] for name in model.levels]
    return {
        "load_body": bodies.index(levels[-1].child),
        "level_bodies": np.array([(bodies.index(j.parent), bodies.index(j.child)) for j in levels]),
        "level_frame": np.array([joint_rotation(j).T for j in levels]),
        "level_area": np.array([discs[j.name].area for j in levels]),
        "level_axial": np.array([stiffest[j.name].axial for j in levels]),
        "level_reference": np.zeros(len(levels)),
        "level_shear": np.array([stiffest[j.name].shear_anterior for j in levels]),
        "level_shear_reference": np.zeros(len(levels)),
        "trunk_body": bodies.index(levels[-1].child),
    }


def _plates(model: Model, bodies: tuple[str, ...]) -> dict[str, Any]:
    marks = {mark.name: mark for mark in model.landmarks}
    return {
        "top_body": bodies.index(marks["L1_sup_ant"].body),
        "top_plate": np.array([marks["L1_sup_ant"].position, marks["L1_sup_post"].position]),
        "sacral_plate": np.array([marks["S1_sup_ant"].position, marks["S1_sup_post"].position]),
    }


def _hips(model: Model, bodies: tuple[str, ...], coordinates: tuple[str, ...]) -> dict[str, Any]:
    child = {joint.name: joint.child for joint in model.joints}
    femur, flexion = [], []
    for side in ("l", "r"):
        hip = f"hip_{side}" if f"hip_{side}" in child else "hip"  # one joint may stand for both
        femur.append(bodies.index(child[hip]) if hip in child else -1)
        name = f"{hip}.flexion"
        flexion.append(coordinates.index(name) if name in coordinates else -1)
    flexors = model.groups.get("hip_flexors", ())
    both = 2 if flexion[0] == flexion[1] >= 0 else -1
    sides = {"left": 0, "right": 1, "midline": both}
    return {
        "hip_body": np.array(femur),
        "hip_flexion": np.array(flexion),
        "flexor_side": np.array([sides[m.side] if m.muscle in flexors else -1 for m in model.muscles]),
        "flexor_tissue": np.array(
            [
                (both if both == 2 else flexion.index(coordinates.index(t.coordinate)))
                if t.tightness_group == "hip_flexors" and coordinates.index(t.coordinate) in flexion
                else -1
                for t in model.tissues
            ],
            dtype=np.int64,
        ),
    }


def foramen_levels(model: Model) -> list[str]:
    """Levels that have a foramen, from below."""
    outlined = {point.level for point in model.foramen_outline}
    return [name for name in model.levels if name in outlined]


def foramen_corners(model: Model, level: str) -> tuple[Floats, Floats]:
    """Posterior corners of the disc of a level, above and below, in the midline of the neutral frame [m].

    Half a depth behind the centre of the disc and half its posterior height above and below: the end-plate corners of
    the two bone surfaces themselves are up to 9 mm out of line, more than a foramen is wide.
    """
    disc = next(disc for disc in model.discs if disc.name == level)
    axes = joint_rotation(next(joint for joint in model.joints if joint.name == level))
    middle = disc.centre_neutral - 0.5 * disc.depth * axes[:, 0]
    half = 0.5 * disc.height_posterior * axes[:, 1]
    return middle + half, middle - half


def _foramina(model: Model) -> dict[str, Any]:
    """Outlines and canals in the frames of the carrying bodies, built at the corners in the axes of the disc."""
    levels = foramen_levels(model)
    joints = {joint.name: joint for joint in model.joints}
    origin = {body.name: np.array(body.origin_neutral) for body in model.bodies}
    width = {pedicle.vertebra: pedicle.width for pedicle in model.pedicles}
    canals = {canal.level: canal for canal in model.canals}
    outlines = {level: [point for point in model.foramen_outline if point.level == level] for level in levels}
    first = outlines[levels[0]] if levels else []
    points, lines = np.zeros((len(levels), 2, len(first), 3)), np.zeros((len(levels), 4, 3))
    for f, level in enumerate(levels):
        joint, canal = joints[level], canals[level]
        axes = joint_rotation(joint)
        above, below = foramen_corners(model, level)
        aside = 0.5 * width[joint.child] + CANAL_MARGIN
        for p, point in enumerate(outlines[level]):
            if point.part == "disc":
                continue
            carrier, corner = (joint.child, above) if point.part == "upper" else (joint.parent, below)
            local = corner - point.back * axes[:, 0] + point.up * axes[:, 1] - origin[carrier]
            for side, sign in enumerate((-1.0, 1.0)):
                points[f, side, p] = local + [0.0, 0.0, sign * aside]
        back = canal.depth * axes[:, 0]
        lines[f, 0], lines[f, 1] = above, above - back + canal.lamina_above * axes[:, 1]
        lines[f, 2], lines[f, 3] = below, below - back + canal.lamina_below * axes[:, 1]
        lines[f, :2] -= origin[joint.child]
        lines[f, 2:] -= origin[joint.parent]
    names = [point.name for point in first]
    widths = {root.level: root.width for root in model.roots}
    law = model.root_law
    return {
        "foramen_level": np.array([model.levels.index(level) for level in levels], dtype=np.int64),
        "foramen_points": points,
        "foramen_part": np.array([PARTS.index(point.part) for point in first], dtype=np.int64),
        "foramen_marks": np.array([names.index(name) for name in (*MARKED, BEHIND)] if first else [0] * 6),
        "foramen_disc": np.array([model.bulge.rest, model.bulge.per_extension, model.bulge.per_height_loss]),
        "canal_points": lines,
        "root_width": np.array([widths[level] for level in levels]),
        "root_law": np.array([1.0 / math.sin(law.takeoff), law.cushion, law.stiffness, law.hold] if law else [1.0] * 4),
        "root_threshold": np.array([law.venular, law.capillary, law.conduction, law.arteriolar] if law else [0.0] * 4),
        "canal_size": np.array([(canals[level].width, canals[level].flavum) for level in levels]).reshape(-1, 2),
    }


def _sciatic(model: Model, coordinates: tuple[str, ...]) -> dict[str, Any]:
    """Way and size of the sciatic nerves; placeholders that no kernel reads where the model has none."""
    nerve = model.sciatic
    if nerve is None:
        return {
            "piriformis": np.array([-1, -1]),
            "knee_flexion": np.array([-1, -1]),
            "sciatic_way": np.zeros(4),
            "sciatic_size": np.zeros(3),
            "sciatic_variant": np.zeros((3, 2)),
        }
    lines = {m.side: i for i, m in enumerate(model.muscles) if m.muscle == "piriformis"}
    canals = {canal.level: canal for canal in model.canals}
    places = []
    for level in foramen_levels(model):
        axes = joint_rotation(next(joint for joint in model.joints if joint.name == level))
        for corner, lamina in zip(
            reversed(foramen_corners(model, level)),
            (canals[level].lamina_below, canals[level].lamina_above),
            strict=True,
        ):
            places.append(corner + 0.5 * (lamina * axes[:, 1] - canals[level].depth * axes[:, 0]))
    # the lower end of the lowest level, then the upper vertebra of every level
    middle = np.array([places[0], *places[1::2]])
    canal = float(np.linalg.norm(np.diff(middle, axis=0), axis=1).sum())
    return {
        "piriformis": np.array([lines["left"], lines["right"]]),
        "knee_flexion": np.array([coordinates.index(f"knee_{side}.flexion") for side in ("l", "r")]),
        "sciatic_way": np.array([canal + nerve.below_canal, nerve.hip_arm, nerve.knee_arm, canal]),
        "sciatic_size": np.array([nerve.width, nerve.breadth, nerve.thickness]),
        "sciatic_variant": np.column_stack([nerve.share, nerve.engaged]),
    }
