"""The same body with another pelvic incidence, sacral slope or lumbar lordosis in its reference posture.

People differ in the shape of the pelvis and in how they stand, and both are part of what a model calls its reference:
the posture in which nothing is out of place. So they are changed in the geometry, not as an angle that muscles hold:

- The ilia, with the hips and all that is attached to them, stay. The sacrum is moved in between them: its upper
  end-plate is carried about the hip axis by the change of radiographic pelvic tilt, and turned by the change of sacral
  slope. PI = PT + SS holds because all three are read from that geometry.
- The five lumbar levels turn by shares of the change of lordosis, and T12/L1 by what leaves the thorax upright. Every
  vertebra goes as a rigid body with all that is attached to it; the axes of a disc turn by half of what its two
  vertebrae turn. The trunk is carried forward or backward by this: the legs balance it anew.
- Fibres and tendons of fascicles whose path has become longer or shorter grow in proportion: a body is used to the way
  it stands, so no muscle is pulled out by its own reference posture.

Beds and backrests keep their place, so a spine of another shape lies on them as on a bed made for the reference.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from spinesim.errors import InputError
from spinesim.kernels import chain, muscle
from spinesim.kernels.arrays import Floats
from spinesim.model.pack import pack
from spinesim.model.parts import Model, Vector

#: Change of sacral slope and lordosis with incidence between people [1]: Legaye and Duval-Beaupere 2005 (PO044, from
#: memory: SS = 0.55 PI + 12.7); Hasegawa et al. 2016 (PO019, read: LL = 32.9 + 0.60 PI - 0.23 age).
SLOPE_BY_INCIDENCE, LORDOSIS_BY_INCIDENCE = 0.55, 0.60
#: Share of a change of lordosis that each level takes, from below (assumed: the lower arc goes with incidence more than
#: the upper one, r = 0.66 against 0.35, Pan et al. 2020, Eur Spine J 29:420-427, read).
SHARES = (0.25, 0.25, 0.20, 0.15, 0.15)
#: Attachments to the sacrum: points of the pelvis this close to the middle, behind and above the hips [m] (from the
#: tables: the spines of the ilia are 46 mm from the middle).
SACRUM = (0.032, -0.04, 0.02)
RANGES = {"pelvic_incidence": (25.0, 90.0), "sacral_slope": (5.0, 75.0), "lumbar_lordosis": (15.0, 100.0)}  #: [deg]


def sagittal_angles(model: Model) -> dict[str, float]:
    """Pelvic incidence, radiographic pelvic tilt, sacral slope and lumbar lordosis of the reference posture [rad]."""
    marks = {mark.name: np.array(mark.position) for mark in model.landmarks}
    front, back = marks["S1_sup_ant"], marks["S1_sup_post"]
    middle = 0.5 * (front + back)
    slope = -math.atan2(front[1] - back[1], front[0] - back[0])
    tilt = math.atan2(-middle[0], middle[1])
    top = marks["L1_sup_ant"] - marks["L1_sup_post"]
    return {
        "pelvic_incidence": tilt + slope,
        "pelvic_tilt_radiographic": tilt,
        "sacral_slope": slope,
        "lumbar_lordosis": math.atan2(top[1], top[0]) + slope,
    }


def can_be_aligned(model: Model) -> bool:
    """Whether the spine of a model is five lumbar levels and T12/L1."""
    return len(model.levels) == len(SHARES) + 1


def aligned(
    model: Model,
    *,
    pelvic_incidence: float | None = None,
    sacral_slope: float | None = None,
    lumbar_lordosis: float | None = None,
) -> Model:
    """The model with another pelvis and another reference posture.

    Parameters
    ----------
    pelvic_incidence, sacral_slope, lumbar_lordosis
        In the reference posture [deg]. An incidence that is not named stays; slope and lordosis then stay too, and
        with another incidence change by the published slopes between people.

    Raises
    ------
    InputError
        If a value is out of its range, or the model has another spine than five lumbar levels and T12/L1.
    """
    wanted = {
        "pelvic_incidence": pelvic_incidence,
        "sacral_slope": sacral_slope,
        "lumbar_lordosis": lumbar_lordosis,
    }
    if all(value is None for value in wanted.values()):
        return model
    if not can_be_aligned(model):
        raise InputError(f"the model {model.name} has {len(model.levels)} levels: another posture needs six")
    for name, value in wanted.items():
        low, high = RANGES[name]
        if value is not None and not low <= value <= high:
            raise InputError(f"{name} = {value:g} deg, must be between {low:g} and {high:g} deg")
    before = sagittal_angles(model)
    more = {name: math.radians(value) - before[name] for name, value in wanted.items() if value is not None}
    incidence = more.get("pelvic_incidence", 0.0)
    slope = more.get("sacral_slope", SLOPE_BY_INCIDENCE * incidence)
    lordosis = more.get("lumbar_lordosis", LORDOSIS_BY_INCIDENCE * incidence)
    if not incidence and not slope and not lordosis:
        return model
    return _fitted(model, _moved(model, incidence - slope, slope, lordosis))


def _turned(angle: float, point: Vector | Floats) -> Floats:
    """A point turned about z, forward to upward."""
    c, s = math.cos(angle), math.sin(angle)
    x, y, z = point
    return np.array([c * x - s * y, s * x + c * y, z])


def _vector(point: Floats) -> Vector:
    x, y, z = (float(value) for value in point)
    return x, y, z


def _moved(model: Model, tilt: float, slope: float, lordosis: float) -> Model:
    """The bodies of the spine and the sacrum at their new places; changes of angles in rad."""
    marks = {mark.name: np.array(mark.position) for mark in model.landmarks}
    plate = 0.5 * (marks["S1_sup_ant"] + marks["S1_sup_post"])
    carried = _turned(tilt, plate)
    pelvis = model.bodies[0].name

    def with_sacrum(point: Vector | Floats) -> Floats:
        return carried + _turned(-slope, np.asarray(point) - plate)

    joints = {joint.name: joint for joint in model.joints}
    spine = [joints[level] for level in model.levels]
    turns = dict(
        zip((joint.child for joint in spine), [*(np.cumsum(SHARES) * lordosis - slope).tolist(), 0.0], strict=True)
    )
    below = {spine[0].name: -slope, **{joint.name: turns[joint.parent] for joint in spine[1:]}}
    axes = {joint.name: 0.5 * (below[joint.name] + turns[joint.child]) for joint in spine}
    centres = {spine[0].name: with_sacrum(spine[0].centre_neutral)}
    for lower, upper in pairwise(spine):
        apart = np.subtract(upper.centre_neutral, lower.centre_neutral)
        centres[upper.name] = centres[lower.name] + _turned(turns[lower.child], apart)
    width, front, low = SACRUM

    def placed(body: str, point: Vector) -> Vector:
        """A point fixed in a body of the spine, or in the sacrum."""
        if body in turns:
            return _vector(_turned(turns[body], point))
        if body == pelvis and abs(point[2]) < width and point[0] < front and point[1] > low:
            return _vector(with_sacrum(point))
        return point

    origins = {joints[name].child: _vector(centre) for name, centre in centres.items()}
    return model.model_copy(
        update={
            "bodies": tuple(
                body.model_copy(
                    update={
                        "origin_neutral": origins[body.name],
                        "centre_of_mass": placed(body.name, body.centre_of_mass),
                    }
                )
                if body.name in origins
                else body
                for body in model.bodies
            ),
            "joints": tuple(
                joint.model_copy(
                    update={
                        "centre_neutral": _vector(centres[joint.name]),
                        "frame_angle": joint.frame_angle + axes[joint.name],
                    }
                )
                if joint.name in centres
                else joint
                for joint in model.joints
            ),
            "discs": tuple(
                disc.model_copy(
                    update={
                        "centre_neutral": _vector(
                            centres[disc.name]
                            + _turned(
                                axes[disc.name], np.subtract(disc.centre_neutral, joints[disc.name].centre_neutral)
                            )
                        )
                    }
                )
                if disc.name in centres
                else disc
                for disc in model.discs
            ),
            "landmarks": tuple(
                mark.model_copy(
                    update={
                        "position": _vector(with_sacrum(mark.position))
                        if mark.name.startswith("S1_")
                        else placed(mark.body, mark.position)
                    }
                )
                for mark in model.landmarks
            ),
            "muscles": tuple(
                each.model_copy(
                    update={
                        "path": tuple(
                            point.model_copy(update={"position": placed(point.body, point.position)})
                            for point in each.path
                        )
                    }
                )
                for each in model.muscles
            ),
        }
    )


def _fitted(before: Model, after: Model) -> Model:
    """Fibres and tendons in proportion to the lengths of the paths."""
    ratio = reference_lengths(after) / reference_lengths(before)
    return after.model_copy(
        update={
            "muscles": tuple(
                each.model_copy(
                    update={
                        "optimal_fibre_length": each.optimal_fibre_length * factor,
                        "tendon_slack_length": each.tendon_slack_length * factor,
                    }
                )
                for each, factor in zip(after.muscles, ratio.tolist(), strict=True)
            )
        }
    )


def reference_lengths(model: Model) -> Floats:
    """Lengths (n,) [m] of the fascicles in the reference posture."""
    arrays = pack(model).arrays
    nb, nq = arrays.moves.shape
    n = arrays.max_force.size
    turn, place = np.empty((nb, 3, 3)), np.empty((nb, 3))
    axes, centres = np.empty((nq, 3)), np.empty((nq, 3))
    length, gradient, q = np.empty(n), np.empty((n, nq)), np.zeros(nq)
    chain.forward(arrays, q, turn, place, axes, centres)
    muscle.paths(arrays, q, turn, place, axes, centres, np.empty((nq, 3)), np.empty(nq), length, gradient)
    result: Floats = length[: len(model.muscles)]
    return result
