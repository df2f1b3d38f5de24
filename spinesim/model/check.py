"""Is a model that can be read also a believable one?

Reading (:mod:`spinesim.model.read`) already refuses wrong types, units, references and impossible values. This
file looks at what the numbers mean together: masses, symmetry, pelvic incidence, the side on which muscles pull, fibre
lengths, passive laws; and it lists which numbers are derived, remembered, assumed or fitted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spinesim.model.mirror import mirrored_name, mirrored_point
from spinesim.model.parts import Confidence, Coordinate, DiscLaw, Model, Muscle, Sourced, Vector
from spinesim.units import DEGREE

Level = Literal["error", "warning", "note"]

#: Confidence of a number that nobody opened a source for.
SECOND_HAND: tuple[Confidence, ...] = ("literature-memory", "derived", "assumed", "fitted")


@dataclass(frozen=True)
class Finding:
    """One thing found: how bad, about what, and a sentence."""

    level: Level
    subject: str  #: table and entry, such as "muscles: psoas_r"
    message: str


@dataclass(frozen=True)
class Report:
    """What `check` found in a model."""

    model: str
    findings: tuple[Finding, ...]
    counts: dict[str, int]  #: rows by table
    provenance: dict[Confidence, tuple[str, ...]]  #: entries by confidence, "table: entry"

    @property
    def passed(self) -> bool:
        """No errors."""
        return not any(f.level == "error" for f in self.findings)

    def of_level(self, level: Level) -> tuple[Finding, ...]:
        """Findings of one level."""
        return tuple(f for f in self.findings if f.level == level)


def check(model: Model) -> Report:
    """All findings about a model, errors first, and where its numbers come from."""
    tests: tuple[Callable[[Model], Iterator[Finding]], ...] = (
        _masses,
        _symmetry,
        _pelvic_incidence,
        _plausible_sizes,
        _fibre_lengths,
        _arm_signs,
        _disc_laws,
        _tissues,
        _sources,
        _groups,
    )
    order = {level: i for i, level in enumerate(get_args(Level))}
    findings = sorted((f for test in tests for f in test(model)), key=lambda f: order[f.level])
    tables = _tables(model)
    entries = [(row.confidence, f"{table}: {name}") for table, rows in tables.items() for name, row in rows]
    return Report(
        model=model.name,
        findings=tuple(findings),
        counts={table: len(rows) for table, rows in tables.items() if rows},
        provenance={c: tuple(e for k, e in entries if k == c) for c in get_args(Confidence)},
    )


def _tables(model: Model) -> dict[str, list[tuple[str, Sourced]]]:
    """Every row that names a source, by table; the mirror images of the left are left out."""

    def right(name: str) -> bool:
        return not name.endswith("_l")

    return {
        "model": list(model.constants.items()),
        "bodies": [(b.name, b) for b in model.bodies],
        "joints": [(j.name, j) for j in model.joints],
        "coordinates": [(c.full_name, c) for c in model.coordinates],
        "discs": [(d.name, d) for d in model.discs],
        "disc_laws": [(f"{w.level} {w.coordinate} {w.direction} {w.preload:g} N", w) for w in model.disc_laws],
        "disc_springs": [(f"{s.level} {s.preload:g} N", s) for s in model.disc_springs],
        "tissues": [(t.name, t) for t in model.tissues if right(t.name)],
        "muscles": [(m.name, m) for m in model.muscles if m.side != "left"],
        "actuators": [(a.name, a) for a in model.actuators if a.side != "left"],
        "landmarks": [(m.name, m) for m in model.landmarks if right(m.name)],
        "foramen_outline": [(f"{p.level} {p.name}", p) for p in model.foramen_outline],
        "pedicles": [(p.vertebra, p) for p in model.pedicles],
        "canals": [(c.level, c) for c in model.canals],
        "roots": [(r.level, r) for r in model.roots],
        "tests": [(t.group, t) for t in model.tests],
        "stances": list(model.stances.items()),
        "imbalances": [
            row
            for name, imbalance in model.imbalances.items()
            for row in ((name, imbalance), *((f"{name} {p}", setting) for p, setting in imbalance.settings.items()))
        ],
    }


# ---------------------------------------------------------------------------------------------- masses and symmetry


def _masses(model: Model) -> Iterator[Finding]:
    total = sum(b.mass for b in model.bodies)
    if abs(total - model.body_mass) > 1e-4 * model.body_mass:
        message = f"the masses add up to {total:.3f} kg, but body_mass is {model.body_mass:g} kg"
        yield Finding("error", "bodies", message)


def _symmetry(model: Model) -> Iterator[Finding]:
    """The left of every listed pair is the mirror image of the right; what has no pair lies in the middle."""
    bodies = {b.name: b for b in model.bodies}
    for body in model.bodies:
        left = bodies.get(mirrored_name(body.name))
        subject = f"bodies: {body.name}"
        if body.name.endswith("_r") and left is None:
            yield Finding("error", subject, f"has no counterpart {mirrored_name(body.name)}")
        elif body.name.endswith("_r") and left is not None:
            same = body.mass == left.mass and mirrored_point(body.centre_of_mass) == left.centre_of_mass
            if not same or mirrored_point(body.origin_neutral) != left.origin_neutral:
                yield Finding("error", subject, f"{left.name} is not its mirror image")
        elif not body.name.endswith("_l") and (body.centre_of_mass[2] or body.origin_neutral[2]):
            yield Finding("error", subject, "a body of the middle must lie in the sagittal plane (z = 0)")
    coordinates = {c.full_name: c for c in model.coordinates}
    for coordinate in model.coordinates:
        if not coordinate.joint.endswith("_r"):
            continue
        twin = coordinates.get(mirrored_name(coordinate.full_name))
        # a rotation about x or y changes its sense in the mirror, one about z keeps it
        x, y, z = coordinate.axis
        if twin is None or twin.axis != (-x, -y, z) or (twin.lowest, twin.highest) != _range(coordinate):
            yield Finding("error", f"coordinates: {coordinate.full_name}", "the left side is not its mirror image")
    muscles = {m.name: m for m in model.muscles}
    for muscle in model.muscles:
        if muscle.side == "right" and not _are_mirror_images(muscle, muscles.get(mirrored_name(muscle.name))):
            yield Finding("error", f"muscles: {muscle.name}", "the left side is not its mirror image")


def _range(coordinate: Coordinate) -> tuple[float, float]:
    return coordinate.lowest, coordinate.highest


def _are_mirror_images(right: Muscle, left: Muscle | None) -> bool:
    if left is None or len(left.path) != len(right.path):
        return False
    numbers = ("pcsa", "specific_tension", "optimal_fibre_length", "tendon_slack_length", "pennation", "passive_force")
    return all(getattr(right, n) == getattr(left, n) for n in numbers) and all(
        mirrored_name(p.body) == q.body and mirrored_point(p.position) == q.position
        for p, q in zip(right.path, left.path, strict=True)
    )


def _pelvic_incidence(model: Model) -> Iterator[Finding]:
    incidence = pelvic_incidence(model)
    if incidence is None:
        return
    shown = f"pelvic incidence {incidence / DEGREE:.1f} deg"
    # Vialle et al. (2005), 300 adults: 33 to 82 deg (from memory)
    if 33 * DEGREE <= incidence <= 82 * DEGREE:
        yield Finding("note", "landmarks: S1", shown)
    else:
        yield Finding("warning", "landmarks: S1", f"{shown} is outside 33 to 82 deg, the range of healthy adults")


def pelvic_incidence(model: Model) -> float | None:
    """Angle between the normal of the S1 end-plate and the line from its middle to the hip axis [rad], or None."""
    marks = {m.name: np.array(m.position) for m in model.landmarks}
    if not {"S1_sup_ant", "S1_sup_post"} <= marks.keys():
        return None
    front, back = marks["S1_sup_ant"], marks["S1_sup_post"]
    slope = math.atan2(back[1] - front[1], front[0] - back[0])
    middle = (front + back) / 2
    return slope + math.atan2(-middle[0], middle[1])


# ------------------------------------------------------------------------------------------------------- muscles

#: Values that a muscle of any adult may have; outside them a unit is likely wrong.
_SIZES = {
    "pcsa": (1e-6, 1e-2, 1e4, "cm2"),
    "specific_tension": (1e5, 1.5e6, 1e-6, "MPa"),
    "optimal_fibre_length": (5e-3, 0.6, 1e3, "mm"),
    "tendon_slack_length": (0.0, 0.6, 1e3, "mm"),
}


def _plausible_sizes(model: Model) -> Iterator[Finding]:
    for muscle in model.muscles:
        if muscle.side == "left":
            continue
        for name, (low, high, factor, unit) in _SIZES.items():
            value = getattr(muscle, name)
            if name == "pcsa" and muscle.side == "midline":
                high = 2.0 * high  # it may stand for both sides
            if not low <= value <= high:
                message = (
                    f"{name} = {value * factor:g} {unit} is outside {low * factor:g} to {high * factor:g} {unit}; "
                    "is the unit right?"
                )
                yield Finding("warning", f"muscles: {muscle.name}", message)


def _fibre_lengths(model: Model) -> Iterator[Finding]:
    skeleton = _Skeleton(model)
    for muscle in model.muscles:
        if muscle.side == "left":
            continue
        length = normalised_fibre_length(muscle, skeleton.path_length(muscle))
        if not 0.5 <= length <= 1.5:
            message = f"normalised fibre length at reference is {length:.3f}, must be between 0.5 and 1.5"
            yield Finding("error", f"muscles: {muscle.name}", message)


def normalised_fibre_length(muscle: Muscle, path_length: float) -> float:
    """Fibre length over its optimum for a rigid tendon and constant muscle thickness; 0 if the tendon is slack."""
    along = max(path_length - muscle.tendon_slack_length, 0.0)
    thickness = muscle.optimal_fibre_length * math.sin(muscle.pennation)
    return math.hypot(along, thickness) / muscle.optimal_fibre_length if along else 0.0


class _Skeleton:
    """The reference posture and small rotations from it, in plain numpy."""

    def __init__(self, model: Model) -> None:
        self.origin = {b.name: np.array(b.origin_neutral) for b in model.bodies}
        self.joints = {j.name: j for j in model.joints}
        self.moved: dict[str, set[str]] = {}  #: bodies that move with each joint
        for joint in model.joints:
            above = {joint.child}
            for body in model.bodies:  # parents are listed before their children
                if body.parent in above:
                    above.add(body.name)
            self.moved[joint.name] = above

    def path_length(self, muscle: Muscle, coordinate: Coordinate | None = None, angle: float = 0.0) -> float:
        """Length of a path [m] with one joint turned away from the reference about an axis of the neutral frame.

        The axis is that of the coordinate before the joint frame is turned into the disc: anatomy speaks of bending
        and turning about the axes of the upright body, and in the slanted disc L5/S1 the two would mix.
        """
        path = [p for p in muscle.path if not p.condition or p.condition_lowest <= 0.0 <= p.condition_highest]
        points = np.array([self.origin[p.body] + p.position for p in path])
        if coordinate is not None:
            moved = np.array([p.body in self.moved[coordinate.joint] for p in path])
            centre = np.array(self.joints[coordinate.joint].centre_neutral)
            points[moved] = centre + (points[moved] - centre) @ _rotation(coordinate.axis, angle).T
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())

    def crosses(self, muscle: Muscle, joint: str) -> bool:
        """Whether some points of the path move with the joint and others do not."""
        return len({p.body in self.moved[joint] for p in muscle.path}) == 2

    def arm(self, muscle: Muscle, coordinate: Coordinate) -> float:
        """Moment arm in the reference posture [m], minus length per angle, by central difference."""
        step = 1e-5
        ahead, behind = (self.path_length(muscle, coordinate, s) for s in (step, -step))
        return (behind - ahead) / (2 * step)


def _rotation(axis: Vector, angle: float) -> NDArray[np.float64]:
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    rotation: NDArray[np.float64] = np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
    return rotation


#: Signs of arms that anatomy leaves no doubt about, right side: muscle, coordinate ("level" is every level that
#: the muscle crosses), sign, and the words for it.
_ANATOMY: tuple[tuple[str, str, int, str], ...] = (
    *((m, "level.flexion", -1, "extend the spine") for m in ("longissimus", "iliocostalis", "multifidus")),
    ("quadratus_lumborum", "level.flexion", -1, "extend the spine"),
    ("latissimus_dorsi", "level.flexion", -1, "extend the spine"),
    ("rectus_abdominis", "level.flexion", 1, "flex the spine"),
    ("external_oblique", "level.flexion", 1, "flex the spine"),
    *(
        (m, "level.bend", 1, "bend the spine to its own side")
        for m in (
            "longissimus",
            "iliocostalis",
            "quadratus_lumborum",
            "psoas",
            "external_oblique",
            "internal_oblique",
            "rectus_abdominis",
        )
    ),
    ("external_oblique", "level.turn", 1, "turn the trunk to the other side"),
    ("internal_oblique", "level.turn", -1, "turn the trunk to its own side"),
    *(
        (m, "hip_r.flexion", 1, "flex the hip")
        for m in ("psoas", "iliacus", "rectus_femoris", "sartorius", "tensor_fasciae_latae", "adductor_longus")
    ),
    *(
        (m, "hip_r.flexion", -1, "extend the hip")
        for m in ("gluteus_maximus", "semimembranosus", "semitendinosus", "biceps_femoris_long", "adductor_magnus")
    ),
    *(
        (m, "hip_r.adduction", -1, "abduct the hip")
        for m in ("gluteus_medius", "gluteus_minimus", "tensor_fasciae_latae", "piriformis")
    ),
    *(
        (m, "hip_r.adduction", 1, "adduct the hip")
        for m in ("adductor_longus", "adductor_brevis", "adductor_magnus", "gracilis", "pectineus")
    ),
    *(
        (m, "hip_r.rotation", -1, "rotate the straight hip externally")
        for m in (
            "piriformis",
            "quadratus_femoris",
            "gemelli",
            "obturator_internus",
            "obturator_externus",
            "gluteus_maximus",
        )
    ),
    *(
        (m, "knee_r.flexion", 1, "flex the knee")
        for m in ("semimembranosus", "semitendinosus", "biceps_femoris_long", "gracilis", "sartorius")
    ),
    ("rectus_femoris", "knee_r.flexion", -1, "extend the knee"),
)


def _arm_signs(model: Model) -> Iterator[Finding]:
    """Mean arm of each muscle, weighted by area, against anatomy."""
    skeleton = _Skeleton(model)
    coordinates = {c.full_name: c for c in model.coordinates}
    for name, where, sign, words in _ANATOMY:
        joints = model.levels if where.startswith("level.") else (where.partition(".")[0],)
        for joint in joints:
            coordinate = coordinates.get(f"{joint}.{where.partition('.')[2]}")
            fascicles = [
                m
                for m in model.muscles
                if m.muscle == name and m.side == "right" and coordinate and skeleton.crosses(m, joint)
            ]
            if coordinate is None or not fascicles:
                continue
            area = sum(m.pcsa for m in fascicles)
            arm = sum(m.pcsa * skeleton.arm(m, coordinate) for m in fascicles) / area
            if arm * sign <= 0.0:
                message = f"must {words}, but its mean arm about {coordinate.full_name} is {1e3 * arm:.1f} mm"
                yield Finding("error", f"muscles: {name}", message)


# ------------------------------------------------------------------------------------------------ passive structures


def _disc_laws(model: Model) -> Iterator[Finding]:
    coordinates = {c.full_name: c for c in model.coordinates}
    for law in model.disc_laws:
        coordinate = coordinates[f"{law.level}.{law.coordinate}"]
        end = 2.0 * (coordinate.highest if law.direction == "positive" else -coordinate.lowest)
        angles = np.linspace(0.0, end, 400)
        tangent = softened_tangent(law, angles, model.neutral_zone.fraction, model.neutral_zone.width)
        if tangent.min() <= 0.0:
            worst = angles[tangent.argmin()] / DEGREE
            subject = f"disc_laws: {law.level} {law.coordinate} {law.direction} {law.preload:g} N"
            message = f"the stiffness is {tangent.min():.2f} N m/rad at {worst:.1f} deg, must stay positive"
            yield Finding("error", subject, f"{message} up to twice the range of motion")


def softened_tangent(law: DiscLaw, angle: NDArray[np.float64], fraction: float, width: float) -> NDArray[np.float64]:
    """Slope of c1 t [η + (1 - η)(1 - exp(-(t/w)²))] + c2 t² + c3 t³ [N m/rad] at angles t >= 0 [rad]."""
    x2 = (angle / width) ** 2
    softened = 1.0 - (1.0 - fraction) * np.exp(-x2) * (1.0 - 2.0 * x2)
    return law.c1 * softened + 2.0 * law.c2 * angle + 3.0 * law.c3 * angle**2


def _tissues(model: Model) -> Iterator[Finding]:
    """A branch pushes away from the end it limits and does so ever harder."""
    for tissue in model.tissues:
        if tissue.name.endswith("_l"):
            continue
        subject = f"tissues: {tissue.name}"
        if tissue.limits == "none":
            if tissue.rate:
                yield Finding("error", subject, "limits no end of the range, so its rate must be 0")
            continue
        positive = tissue.limits == "lower"
        if (tissue.amplitude > 0.0) != positive or tissue.amplitude == 0.0:
            wanted = "positive" if positive else "negative"
            yield Finding("error", subject, f"limits the {tissue.limits} end, so its amplitude must be {wanted}")
        if (tissue.rate < 0.0) != positive or tissue.rate == 0.0:
            wanted = "negative" if positive else "positive"
            yield Finding("error", subject, f"limits the {tissue.limits} end, so its rate must be {wanted}")


# ------------------------------------------------------------------------------------------------ sources and groups


def _sources(model: Model) -> Iterator[Finding]:
    rows = [(f"{table}: {name}", row) for table, entries in _tables(model).items() for name, row in entries]
    for subject, row in rows:
        unknown = [key for key in row.source.split("+") if key not in model.sources]
        if unknown:
            yield Finding("error", subject, f"the source {unknown[0]} is not in sources.toml")
        if row.confidence in ("assumed", "fitted") and not row.notes:
            yield Finding("warning", subject, f"is {row.confidence}, but its notes do not say why")


def _groups(model: Model) -> Iterator[Finding]:
    for name in _without_group(model):
        yield Finding("note", f"muscles: {name}", "belongs to no group, so only its own name reaches it")


def _without_group(model: Model) -> Iterable[str]:
    grouped = {muscle for group in model.groups.values() for muscle in group}
    return sorted({m.muscle for m in model.muscles} - grouped)
