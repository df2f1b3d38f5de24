"""One side as the mirror image of the other: z changes sign, ``_r`` becomes ``_l`` and back.

Joint coordinates keep their sign: the axes of the left hip already make adduction and internal rotation positive.
"""

from __future__ import annotations

from typing import Any, TypeVar

from spinesim.model.parts import Muscle, Part, Stance, Vector

S = TypeVar("S", bound=Part)


_SUFFIXES = {"_r": "_l", "_l": "_r"}
_SIDES = {"right": "left", "left": "right"}
_ODD = (".bend", ".turn", ".list", "_bend", "_turn", "_list")  # motions that the mirror turns around


def mirrored_name(name: str) -> str:
    """The counterpart of a name (``femur_r``, ``hip_r.flexion``, ``hip_flexion.right``) on the other side."""
    joint, dot, coordinate = name.partition(".")
    joint = joint[:-2] + _SUFFIXES.get(joint[-2:], joint[-2:])
    return joint + dot + _SIDES.get(coordinate, coordinate)


def mirrored_point(point: Vector) -> Vector:
    """The point on the other side of the sagittal plane."""
    return point[0], point[1], -point[2]


def mirrored(part: S) -> S:
    """The counterpart of a part on the other side."""
    changes: dict[str, Any] = {}
    for key, value in part:
        if key in ("name", "body", "coordinate", "second"):
            changes[key] = mirrored_name(value)
        elif key == "side":
            changes[key] = _SIDES.get(value, value)
        elif key == "position":
            changes[key] = mirrored_point(value)
    return part.model_copy(update=changes)


def mirrored_angle(name: str, value: float) -> float:
    """An angle or rate of that name, seen in the mirror."""
    return -value if name.endswith(_ODD) else value


def mirrored_angles(angles: dict[str, float]) -> dict[str, float]:
    """Angles or rates by name, seen in the mirror."""
    return {mirrored_name(name): mirrored_angle(name, value) for name, value in angles.items()}


def mirrored_stance(stance: Stance) -> Stance:
    """The stance on the other side, with the same name."""
    free = []
    for coordinate in stance.free:
        moves = mirrored_angles(coordinate.moves)
        if coordinate.name.endswith(_ODD):  # a coordinate keeps the sign of its name
            moves = {name: -rate for name, rate in moves.items()}
        free.append(coordinate.model_copy(update={"name": mirrored_name(coordinate.name), "moves": moves}))
    named = {
        key: tuple(map(mirrored_name, getattr(stance, key))) for key in ("unweighted", "held_by_support", "locked")
    }
    return stance.model_copy(
        update={
            **named,
            "free": tuple(free),
            "offsets": mirrored_angles(stance.offsets),
            "held": mirrored_angles(stance.held),
            "supports": tuple(mirrored(support) for support in stance.supports),
            "contacts": tuple(
                mirrored(c).model_copy(update={"normal": mirrored_point(c.normal)}) for c in stance.contacts
            ),
            "up": mirrored_point(stance.up),
            "centre": stance.centre and (stance.centre[0], -stance.centre[1]),
            "shifts": {mirrored_name(body): mirrored_point(shift) for body, shift in stance.shifts.items()},
            "actuators": tuple(map(mirrored_name, stance.actuators)),
        }
    )


def mirrored_muscle(muscle: Muscle) -> Muscle:
    """The left counterpart of a fascicle of the right side."""
    path = tuple(
        p.model_copy(
            update={
                "body": mirrored_name(p.body),
                "position": mirrored_point(p.position),
                "condition": mirrored_name(p.condition),
            }
        )
        for p in muscle.path
    )
    return mirrored(muscle).model_copy(update={"path": path})
