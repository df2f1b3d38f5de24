"""The way of the sciatic nerve as points in the world, for pictures: canal, notch, arcs behind hip and knee, ankle."""

from __future__ import annotations

import numpy as np

from spinesim.model.pack import Packed
from spinesim.model.parts import Support

ARC = 5  #: points on the arc behind a joint


def point_names(packed: Packed) -> list[str]:
    """Names of the points from above; none if the model has no sciatic nerves."""
    if packed.model.sciatic is None:
        return []
    canal = [f"canal_{level.split('_')[0]}" for level in reversed(packed.foramina)]
    lowest = packed.foramina[0].split("_")[1]
    arcs = [f"{joint}_{i}" for joint in ("hip", "knee") for i in range(ARC)]
    return [*canal, f"canal_{lowest}", "notch", *arcs, "ankle"]


def sciatic_way(packed: Packed, turn: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Points of the nerve of either side (cases, 2, points, 3) [m], world frame, sides left and right.

    Parameters
    ----------
    turn, place
        Rotations (cases, bodies, 3, 3) and origins (cases, bodies, 3) [m] of the bodies.
    """
    arrays, model = packed.arrays, packed.model
    pairs = arrays.level_bodies[arrays.foramen_level]
    margins = [(pairs[f, 1], arrays.canal_points[f, :2]) for f in range(len(pairs) - 1, -1, -1)]
    margins.append((pairs[0, 0], arrays.canal_points[0, 2:]))
    canal = [_world(turn, place, body, points.mean(axis=0)) for body, points in margins]
    hip_arm, knee_arm = arrays.sciatic_way[1], arrays.sciatic_way[2]
    ankles: dict[str, Support] = {s.side: s for s in model.stances["standing"].supports}
    sides = []
    for number, side in enumerate(("left", "right")):
        muscle = next(m for m in model.muscles if m.muscle == "piriformis" and m.side == side)
        notch = muscle.path[1]
        thigh = int(arrays.hip_body[number])
        shank = int(np.flatnonzero(arrays.body_coordinates[1:] > arrays.knee_flexion[number])[0])
        ankle = ankles[side]
        sides.append(
            np.stack(
                [
                    *canal,
                    _world(turn, place, packed.bodies.index(notch.body), np.array(notch.position)),
                    *_arc(turn, place, 0, thigh, hip_arm),
                    *_arc(turn, place, thigh, shank, knee_arm),
                    _world(turn, place, packed.bodies.index(ankle.body), np.array(ankle.position)),
                ],
                axis=1,
            )
        )
    return np.stack(sides, axis=1)


def _world(turn: np.ndarray, place: np.ndarray, body: int, point: np.ndarray) -> np.ndarray:
    found: np.ndarray = place[:, body] + turn[:, body] @ point
    return found


def _arc(turn: np.ndarray, place: np.ndarray, above: int, below: int, arm: float) -> list[np.ndarray]:
    """Points at a distance behind a joint, from behind the body above to behind the body below it."""
    first, last = -turn[:, above, :, 0], -turn[:, below, :, 0]
    points = []
    for share in np.linspace(0.0, 1.0, ARC):
        between = (1.0 - share) * first + share * last
        points.append(place[:, below] + arm * between / np.linalg.norm(between, axis=1, keepdims=True))
    return points
