"""The left side as the mirror image of the right: z changes sign, ``_r`` becomes ``_l``.

Joint coordinates keep their sign: the axes of the left hip already make adduction and internal rotation positive.
"""

from __future__ import annotations

from typing import Any, TypeVar

from spinesim.model.parts import Muscle, Sourced, Vector

S = TypeVar("S", bound=Sourced)


def mirrored_name(name: str) -> str:
    """The left counterpart of a right name (``femur_r`` to ``femur_l``, ``hip_r.flexion`` to ``hip_l.flexion``)."""
    joint, dot, coordinate = name.partition(".")
    return (joint[:-2] + "_l" if joint.endswith("_r") else joint) + dot + coordinate


def mirrored_point(point: Vector) -> Vector:
    """The point on the other side of the sagittal plane."""
    return point[0], point[1], -point[2]


def mirrored(part: S) -> S:
    """The left counterpart of a part of the right side."""
    changes: dict[str, Any] = {}
    for key, value in part:
        if key in ("name", "body", "coordinate", "second"):
            changes[key] = mirrored_name(value)
        elif key == "side":
            changes[key] = "left"
        elif key == "position":
            changes[key] = mirrored_point(value)
    return part.model_copy(update=changes)


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
