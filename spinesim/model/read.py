"""Read a model folder: TOML and CSV in, one checked :class:`~spinesim.model.parts.Model` out.

The tables list the right side; the reader adds the left by mirroring (z changes sign, ``_r`` becomes ``_l``).
``docs/model_files.md`` lists files and columns. Every mistake raises ``ModelError`` with file, line, entry, value and
what is allowed; nothing is repaired.
"""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from spinesim.errors import ModelError
from spinesim.model.files import (
    PROVENANCE,
    Document,
    Row,
    Section,
    number,
    read_table,
    text,
    vector,
)
from spinesim.model.parts import (
    Actuator,
    Body,
    Bulge,
    Coordinate,
    Curves,
    Disc,
    DiscLaw,
    DiscSpring,
    Foot,
    ForamenPoint,
    FreeCoordinate,
    Hand,
    Joint,
    Landmark,
    Model,
    Muscle,
    NeutralZone,
    PathPoint,
    Pedicle,
    Scatter,
    Side,
    Sourced,
    Stance,
    Support,
    TightnessTest,
    Tissue,
    Vector,
)

S = TypeVar("S", bound=Sourced)

GROUND = "ground"
_AXES_OF_KIND = {
    "root": ("tilt", "list", "turn"),
    "disc": ("flexion", "bend", "turn"),
    "ball": ("flexion", "adduction", "rotation"),
    "hinge": ("flexion",),
}
_SHARE_TOLERANCE = 1e-5  #: shares in the tables carry six digits
_PLACE_TOLERANCE = 1e-6  #: coordinates in the tables carry six digits [m]

_TABLES = {
    "bodies": (
        text("name"),
        text("parent"),
        number("mass", "mass"),
        *vector("centre_of_mass", "length", stem="centre_of_mass"),
        *vector("origin_neutral", "length", stem="origin_neutral"),
    ),
    "joints": (
        text("name"),
        text("parent"),
        text("child"),
        text("kind"),
        *vector("centre_neutral", "length", stem="centre_neutral"),
        number("frame_angle", "angle"),
    ),
    "coordinates": (
        text("joint"),
        text("name"),
        *vector("axis", "number", stem="axis"),
        number("lowest", "angle"),
        number("highest", "angle"),
        number("rhythm_share", "number"),
    ),
    "discs": (
        text("name"),
        *vector("centre_neutral", "length", stem="centre_neutral"),
        number("area", "area"),
        number("height_posterior", "length"),
        number("height_middle", "length"),
        number("height_anterior", "length"),
        number("depth", "length"),
        number("width", "length"),
    ),
    "disc_laws": (
        text("level"),
        text("coordinate"),
        text("direction"),
        number("preload", "force"),
        number("c1", "rotational stiffness"),
        number("c2", "rotational stiffness, quadratic"),
        number("c3", "rotational stiffness, cubic"),
    ),
    "disc_springs": (
        text("level"),
        number("preload", "force"),
        number("axial", "stiffness"),
        number("shear_anterior", "stiffness"),
        number("shear_lateral", "stiffness"),
    ),
    "tissues": (
        text("name"),
        text("coordinate"),
        number("amplitude", "moment"),
        number("rate", "rate"),
        text("second", optional=True),
        number("coupling", "rate", optional=True),
        text("limits"),
        text("tightness_group", optional=True),
    ),
    "muscles": (
        text("name"),
        text("muscle"),
        text("side"),
        number("pcsa", "area"),
        number("specific_tension", "pressure"),
        number("optimal_fibre_length", "length"),
        number("tendon_slack_length", "length"),
        number("pennation", "angle"),
        number("passive_force", "force"),
        number("passive_slack", "number"),
        number("passive_strain", "number"),
    ),
    "muscle_paths": (
        text("fascicle"),
        number("point", "number"),
        text("body"),
        *vector("position", "length"),
        text("condition", optional=True),
        number("condition_lowest", "angle", optional=True),
        number("condition_highest", "angle", optional=True),
    ),
    "actuators": (
        text("name"),
        text("coordinate"),
        text("group", optional=True),
        text("side"),
        number("max_moment", "moment"),
    ),
    "landmarks": (text("name"), text("body"), *vector("position", "length")),
    "foramen_outline": (
        text("name"),
        text("part"),
        text("origin"),
        number("back", "length"),
        number("up", "length"),
    ),
    "pedicles": (text("vertebra"), number("height", "length"), number("width", "length")),
    "tests": (
        text("group"),
        text("name"),
        text("coordinate"),
        text("limits"),
        number("reference", "angle"),
    ),
    "tightness": (text("group"), number("theta", "angle"), number("gain", "number")),
}
_ENTRY = {
    "coordinates": "{joint}.{name}",
    "disc_laws": "{level}.{coordinate} {direction}",
    "disc_springs": "{level}",
    "muscle_paths": "{fascicle}",
    "pedicles": "{vertebra}",
    "tests": "{group}",
    "tightness": "{group}",
}
#: Columns of the test table that give the pose: a joint coordinate of the right side and its unit.
_POSE = r"[A-Za-z0-9_]+\.[a-z]+_(deg|rad)"
_SPINE_WITH_DISCS = ("discs", "disc_laws", "disc_springs")
_OPTIONAL = ("tissues", "actuators", "landmarks", "foramen_outline", "pedicles", "tests", "tightness")


# ------------------------------------------------------------------------------------------------- finding a model


def models_folder() -> Path:
    """Folder of the shipped models: inside the installed package, or beside it in a source checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "models"
    return inside if inside.is_dir() else package.parent / "models"


def model_names() -> tuple[str, ...]:
    """Names of the shipped models."""
    return tuple(sorted(p.parent.name for p in models_folder().glob("*/model.toml")))


def load_model(name_or_path: str | Path) -> Model:
    """A shipped model by name, or the model in a folder.

    Parameters
    ----------
    name_or_path
        Name of a shipped model, such as ``"adult"``, or the path of a folder that holds a ``model.toml``.

    Raises
    ------
    ModelError
        If there is no such model, or a file of it is wrong; names file, line, entry, value and what is allowed.
    """
    if str(name_or_path) in model_names():
        folder = models_folder() / str(name_or_path)
        return _Reader(folder, f"models/{name_or_path}").model()
    folder = Path(name_or_path)
    if folder.is_dir():
        return _Reader(folder, folder.as_posix()).model()
    near = difflib.get_close_matches(str(name_or_path), model_names(), n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise ModelError(
        f"there is no model '{name_or_path}'{hint}; shipped models are {', '.join(model_names())}; "
        "a model of your own is named by its folder"
    )


def digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all model files of a folder, sorted by name."""
    result = hashlib.sha256()
    for path in _model_files(folder):
        result.update(path.relative_to(folder).as_posix().encode() + b"\0")
        result.update(path.read_bytes() + b"\0")
    return result.hexdigest()


def _model_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix in (".csv", ".toml"))


# ------------------------------------------------------------------------------------------------------- mirroring


def mirrored_name(name: str) -> str:
    """The left counterpart of a right name (``femur_r`` to ``femur_l``, ``hip_r.flexion`` to ``hip_l.flexion``)."""
    joint, dot, coordinate = name.partition(".")
    return (joint[:-2] + "_l" if joint.endswith("_r") else joint) + dot + coordinate


def mirrored_point(point: Vector) -> Vector:
    """The point on the other side of the sagittal plane."""
    return point[0], point[1], -point[2]


def _mirrored(part: S) -> S:
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


def _mirrored_muscle(muscle: Muscle) -> Muscle:
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
    return _mirrored(muscle).model_copy(update={"path": path})


# --------------------------------------------------------------------------------------------------------- reading


class _Reader:
    """One reading of one folder."""

    def __init__(self, folder: Path, label: str) -> None:
        self.folder = folder
        self.label = label
        if not (folder / "model.toml").is_file():
            raise ModelError(f"{label}: model.toml is missing, so this folder is not a model")
        for path in _model_files(folder):
            name = path.relative_to(folder).as_posix()
            if path.suffix == ".csv" and (path.stem not in _TABLES or "/" in name):
                near = difflib.get_close_matches(path.stem, _TABLES, n=1)
                hint = f" (did you mean {near[0]}.csv?)" if near else ""
                raise ModelError(f"{label}/{name}: no such table{hint}; the tables are {', '.join(_TABLES)}")
        self.sources = self._sources()
        self.constants: dict[str, Sourced] = {}

    # ------------------------------------------------------------------------------------------- files and sources

    def document(self, name: str) -> Document:
        return Document.read(self.folder / name, f"{self.label}/{name}")

    def _sources(self) -> dict[str, str]:
        section = Section(self.document("sources.toml"))
        return {key: section.text(key) for key in section.data}

    def missing_source(self, source: str) -> str:
        """What is wrong with a source entry (keys joined by +), or ""."""
        unknown = [key for key in source.split("+") if key not in self.sources]
        return f"must be keys of sources.toml joined by +, but '{unknown[0]}' is not one" if unknown else ""

    def table(self, name: str) -> list[Row]:
        path = self.folder / f"{name}.csv"
        if name in _OPTIONAL and not path.exists():
            return []
        rows = read_table(
            path,
            f"{self.label}/{name}.csv",
            (*_TABLES[name], *PROVENANCE),
            _ENTRY.get(name, "{name}"),
            _POSE if name == "tests" else "",
        )
        for row in rows:
            wrong = self.missing_source(row.fields["source"])
            if wrong:
                row.fail("source", wrong)
            row.make(Sourced, leave_out=set(row.fields) - {"source", "confidence", "notes"})
        return rows

    def quantity(self, section: Section, stem: str, dimension: str, count: int = 0) -> Any:
        """A number (or ``count`` numbers) written as { value, source, confidence, notes }, in SI."""
        key, factor = section.key_with_unit(stem, dimension)
        entry = section.section(key)
        values = entry.numbers("value", "number", count) if count else (entry.number("value", "number"),)
        source = entry.text("source")
        wrong = self.missing_source(source)
        if wrong:
            entry.fail("source", wrong)
        self.constants[".".join(entry.keys)] = entry.make(
            Sourced, source=source, confidence=entry.text("confidence"), notes=entry.text("notes", "")
        )
        entry.close()
        values = tuple(v * factor for v in values)
        return values if count else values[0]

    # ----------------------------------------------------------------------------------------------- the whole model

    def model(self) -> Model:
        bodies = self.bodies()
        joints = self.joints(bodies)
        coordinates = self.coordinates(joints)
        levels = self.levels(joints)
        tests_rows = self.table("tests")
        muscles = self.muscles(bodies, coordinates)
        landmarks = self.landmarks(bodies)

        top = Section(self.document("model.toml"))
        groups = self.groups(top, muscles)
        stances = self.stances(bodies, coordinates, levels)
        actuators = self.actuators(groups, coordinates, stances)
        self.check_stance_actuators(stances, actuators, coordinates)
        discs = self.discs(levels)
        laws, springs = self.disc_stiffness(levels, coordinates)

        fields: dict[str, Any] = {
            "name": top.text("name"),
            "description": top.text("description"),
            "body_mass": self.quantity(top, "body_mass", "mass"),
            "stature": self.quantity(top, "stature", "length"),
            "gravity": self.quantity(top, "gravity", "acceleration"),
            "pressure_factor": self.quantity(top, "pressure_factor", "number"),
            "condition_blend": self.quantity(top, "condition_blend", "angle"),
            "scatter": self.constant_part(
                top, "scatter", Scatter, activation="number", centre_of_mass="length", trunk="angle"
            ),
            "neutral_zone": self.neutral_zone(top, laws),
            "curves": self.curves(top),
            "foot": self.constant_part(top, "foot", Foot, front="length", back="length") if top.has("foot") else None,
            "hand": self.hand(top, landmarks) if top.has("hand") else None,
            "bulge": self.constant_part(
                top, "bulge", Bulge, rest="length", per_extension="length per angle", per_height_loss="number"
            ),
        }
        result = top.make(
            Model,
            **fields,
            folder=self.folder,
            digest=digest(self.folder),
            bodies=bodies,
            joints=joints,
            coordinates=coordinates,
            levels=levels,
            discs=discs,
            disc_laws=laws,
            disc_springs=springs,
            tissues=self.tissues(coordinates, groups),
            muscles=muscles,
            groups=groups,
            actuators=actuators,
            landmarks=landmarks,
            foramen_outline=tuple(r.make(ForamenPoint) for r in self.table("foramen_outline")),
            pedicles=self.pedicles(bodies),
            tests=self.tests(tests_rows, groups, coordinates),
            stances=stances,
            sources=self.sources,
            constants=self.constants,
        )
        top.close()
        return result

    # ------------------------------------------------------------------------------------------------------ skeleton

    def bodies(self) -> tuple[Body, ...]:
        rows = self.table("bodies")
        _refuse_repeats(rows, "name")
        seen: set[str] = set()
        result = []
        for row in rows:
            parent = row.fields["parent"]
            if not seen and parent != GROUND:
                row.fail("parent", f"the first body must be carried by '{GROUND}'")
            if seen and parent not in seen:
                row.fail("parent", f"must be a body listed above it: {', '.join(sorted(seen))}")
            seen.add(row.fields["name"])
            result.append(row.make(Body))
        return tuple(result)

    def joints(self, bodies: Sequence[Body]) -> tuple[Joint, ...]:
        rows = self.table("joints")
        _refuse_repeats(rows, "name")
        _refuse_repeats(rows, "child")
        by_name = {b.name: b for b in bodies}
        result = []
        for row in rows:
            joint = row.make(Joint)
            child = _known(row, "child", by_name, "body of bodies.csv")
            if joint.parent != child.parent:
                row.fail("parent", f"must be '{child.parent}', the parent that bodies.csv gives to {child.name}")
            if (joint.kind == "root") != (joint.parent == GROUND):
                row.fail("kind", f"must be 'root' for the joint with '{GROUND}', and only there")
            for i, (here, there) in enumerate(zip(joint.centre_neutral, child.origin_neutral, strict=True)):
                if abs(here - there) > _PLACE_TOLERANCE:
                    row.fail("centre_neutral", f"must equal the origin of {child.name}, {there:g} m", i)
            if len(result) < len(bodies) and bodies[len(result)].name != joint.child:
                row.fail("child", f"must be '{bodies[len(result)].name}': joints stand in the order of bodies.csv")
            result.append(joint)
        missing = [b.name for b in bodies if b.name not in {j.child for j in result}]
        if missing:
            raise ModelError(f"{self.label}/joints.csv: no joint carries the body {missing[0]}")
        return tuple(result)

    def levels(self, joints: Sequence[Joint]) -> tuple[str, ...]:
        """Disc joints from below."""
        upward = {j.parent: j for j in joints if j.kind == "disc"}
        first = [j for j in upward.values() if j.parent not in {k.child for k in upward.values()}]
        result: list[str] = []
        here = first[0] if first else None
        while here is not None:
            result.append(here.name)
            here = upward.get(here.child)
        if len(result) != sum(j.kind == "disc" for j in joints):
            raise ModelError(f"{self.label}/joints.csv: the disc joints must form one unbranched column")
        return tuple(result)

    def coordinates(self, joints: Sequence[Joint]) -> tuple[Coordinate, ...]:
        rows = self.table("coordinates")
        by_name = {j.name: j for j in joints}
        order = {j.name: i for i, j in enumerate(joints)}
        result: list[Coordinate] = []
        shares: dict[str, float] = {}
        for row in rows:
            joint = _known(row, "joint", by_name, "joint of joints.csv")
            coordinate = row.make(Coordinate)
            allowed = _AXES_OF_KIND[joint.kind]
            if coordinate.name not in allowed:
                row.fail("name", f"must be one of {', '.join(allowed)} for a {joint.kind} joint")
            if result and order[result[-1].joint] > order[coordinate.joint]:
                row.refuse("the coordinates must be grouped by joint in the order of joints.csv")
            if coordinate.full_name in {c.full_name for c in result}:
                row.refuse("this coordinate is listed twice")
            if coordinate.lowest >= coordinate.highest:
                row.fail("highest", "must be greater than the lowest angle")
            length = math.hypot(*coordinate.axis)
            if abs(length - 1.0) > 1e-9:
                row.refuse(f"axis has length {length:g}, must be a unit vector")
            if coordinate.rhythm_share and joint.kind != "disc":
                row.fail("rhythm_share", "must be 0 outside the spine")
            shares[coordinate.name] = shares.get(coordinate.name, 0.0) + coordinate.rhythm_share
            result.append(coordinate)
        for name, total in shares.items():
            if total and abs(total - 1.0) > _SHARE_TOLERANCE:
                raise ModelError(
                    f"{self.label}/coordinates.csv: the rhythm_share of {name} adds up to {total:.6g} over the levels, "
                    "must be 1"
                )
        without = [j.name for j in joints if j.name not in {c.joint for c in result}]
        if without:
            raise ModelError(f"{self.label}/coordinates.csv: the joint {without[0]} has no coordinate")
        return tuple(result)

    # ---------------------------------------------------------------------------------------------- passive structures

    def discs(self, levels: Sequence[str]) -> tuple[Disc, ...]:
        if not levels:
            return ()
        rows = self.table("discs")
        _refuse_repeats(rows, "name")
        for row in rows:
            _known(row, "name", levels, "disc joint")
        self._need_each("discs", levels, {r.fields["name"] for r in rows})
        by_name = {r.fields["name"]: r.make(Disc) for r in rows}
        return tuple(by_name[level] for level in levels)

    def disc_stiffness(
        self, levels: Sequence[str], coordinates: Sequence[Coordinate]
    ) -> tuple[tuple[DiscLaw, ...], tuple[DiscSpring, ...]]:
        if not levels:
            return (), ()
        laws: dict[tuple[str, str, str, float], DiscLaw] = {}
        names = {c.full_name for c in coordinates}
        for row in self.table("disc_laws"):
            _known(row, "level", levels, "disc joint")
            law = row.make(DiscLaw)
            if f"{law.level}.{law.coordinate}" not in names:
                row.fail("coordinate", f"is not a coordinate of {law.level} in coordinates.csv")
            key = (law.level, law.coordinate, law.direction, law.preload)
            if key in laws:
                row.fail("preload", "this law is listed twice")
            laws[key] = law
        springs: dict[tuple[str, float], DiscSpring] = {}
        for row in self.table("disc_springs"):
            _known(row, "level", levels, "disc joint")
            spring = row.make(DiscSpring)
            if (spring.level, spring.preload) in springs:
                row.fail("preload", "this spring is listed twice")
            springs[spring.level, spring.preload] = spring
        preloads = sorted({key[3] for key in laws})
        wanted = [
            (c.joint, c.name, d, p)
            for c in coordinates
            if c.joint in levels
            for d in ("positive", "negative")
            for p in preloads
        ]
        self._need_each("disc_laws", wanted, laws)
        self._need_each("disc_springs", [(level, p) for level in levels for p in preloads], springs)
        return tuple(laws.values()), tuple(springs.values())

    def _need_each(self, table: str, wanted: Iterable[Any], present: Iterable[Any]) -> None:
        there = set(present)
        for key in wanted:
            if key not in there:
                shown = key if isinstance(key, str) else " ".join(f"{k:g} N" if isinstance(k, float) else k for k in key)
                raise ModelError(f"{self.label}/{table}.csv: there is no row for {shown}")

    def tissues(self, coordinates: Sequence[Coordinate], groups: Iterable[str]) -> tuple[Tissue, ...]:
        names = {c.full_name for c in coordinates}
        rows = self.table("tissues")
        result = []
        for row in rows:
            tissue = row.make(Tissue)
            _known(row, "coordinate", names, "coordinate")
            if tissue.second:
                _known(row, "second", names, "coordinate")
            if tissue.second == tissue.coordinate:
                row.fail("second", "must be another coordinate")
            if tissue.coupling and not tissue.second:
                row.fail("coupling", "must be empty without a second coordinate")
            if tissue.second and not tissue.rate:
                row.fail("rate", "must not be 0 when a second coordinate is given")
            if tissue.tightness_group:
                _known(row, "tightness_group", groups, "group of model.toml")
            result.append(tissue)
        return self._both_sides(rows, result)

    # ----------------------------------------------------------------------------------------------------- muscles

    def muscles(self, bodies: Sequence[Body], coordinates: Sequence[Coordinate]) -> tuple[Muscle, ...]:
        rows = self.table("muscles")
        _refuse_repeats(rows, "name")
        paths = self.paths({b.name for b in bodies}, {c.full_name for c in coordinates})
        known = {row.fields["name"] for row in rows}
        for points in paths.values():
            _known(points[0][0], "fascicle", known, "fascicle of muscles.csv")
        right, midline = [], []
        for row in rows:
            name, side = row.fields["name"], row.fields["side"]
            points = paths.get(name, [])
            if len(points) < 2:
                row.refuse(f"muscle_paths.csv gives {len(points)} points, at least 2 are needed")
            path = tuple(p for _, p in points)
            if len({p.body for p in path}) < 2:
                points[0][0].fail("body", "the whole path lies on one body; it must cross a joint")
            if side == "right":
                right.append(row.make(Muscle, path=path, name=f"{name}_r"))
            elif side == "midline":
                midline.append(row.make(Muscle, path=path))
            else:
                row.fail("side", "must be 'right' (the left is its mirror image) or 'midline'")
        result = (*right, *map(_mirrored_muscle, right), *midline)
        names = [m.name for m in result]
        repeated = [n for n in names if names.count(n) > 1]
        if repeated:
            raise ModelError(f"{self.label}/muscles.csv: two fascicles would be called {repeated[0]}")
        bodies_there = {b.name for b in bodies}
        for muscle in result:
            for point in muscle.path:
                if point.body not in bodies_there:
                    raise ModelError(
                        f"{self.label}/muscle_paths.csv: {muscle.name} needs the body {point.body}, "
                        "which bodies.csv does not list"
                    )
        return result

    def paths(self, bodies: set[str], coordinates: set[str]) -> dict[str, list[tuple[Row, PathPoint]]]:
        """Points of every fascicle with their rows."""
        result: dict[str, list[tuple[Row, PathPoint]]] = {}
        previous = ""
        for row in self.table("muscle_paths"):
            fascicle = row.fields["fascicle"]
            if fascicle != previous and fascicle in result:
                row.fail("fascicle", "the points of a fascicle must follow one another")
            previous = fascicle
            points = result.setdefault(fascicle, [])
            if row.fields["point"] != len(points):
                row.fail("point", f"must be {len(points)}: points are counted from 0 along the path")
            _known(row, "body", bodies, "body of bodies.csv")
            limits = {"condition_lowest", "condition_highest"} & set(row.fields)
            condition = row.fields["condition"]
            if condition:
                _known(row, "condition", coordinates, "coordinate")
                if len(limits) < 2:
                    row.fail("condition", "needs a lowest and a highest angle beside it")
            elif limits:
                row.fail(min(limits), "must be empty without a condition")
            point = row.make(PathPoint, leave_out=("fascicle", "point", "source", "confidence", "notes"))
            if condition and point.condition_lowest >= point.condition_highest:
                row.fail("condition_highest", "must be greater than the lowest angle")
            if condition and (not points or points[-1][1].condition):
                row.fail("condition", "must be empty at the first point of a path and after another condition")
            if points and points[-1][1].body == point.body and points[-1][1].position == point.position:
                row.refuse("the point coincides with the one before it")
            points.append((row, point))
        for points in result.values():
            if points[-1][1].condition:
                points[-1][0].fail("condition", "must be empty at the last point of a path")
        return result

    def groups(self, top: Section, muscles: Sequence[Muscle]) -> dict[str, tuple[str, ...]]:
        section = top.section("groups")
        known = {m.muscle for m in muscles}
        result = {}
        for group in section.data:
            result[group] = section.texts(group)
            if not result[group]:
                section.fail(group, "must name at least one muscle")
            for muscle in result[group]:
                if muscle not in known:
                    section.fail(group, f"'{muscle}' is not a muscle of muscles.csv{_nearest(muscle, known)}")
            if len(set(result[group])) < len(result[group]):
                section.fail(group, "names a muscle twice")
        return result

    # ------------------------------------------------------------------------------------------ points and actuators

    def landmarks(self, bodies: Sequence[Body]) -> tuple[Landmark, ...]:
        rows = self.table("landmarks")
        names = {b.name for b in bodies}
        for row in rows:
            _known(row, "body", names, "body of bodies.csv")
        return self._both_sides(rows, [row.make(Landmark) for row in rows])

    def pedicles(self, bodies: Sequence[Body]) -> tuple[Pedicle, ...]:
        rows = self.table("pedicles")
        _refuse_repeats(rows, "vertebra")
        for row in rows:
            _known(row, "vertebra", {b.name for b in bodies}, "body of bodies.csv")
        return tuple(row.make(Pedicle) for row in rows)

    def actuators(
        self, groups: Iterable[str], coordinates: Sequence[Coordinate], stances: dict[str, Stance]
    ) -> tuple[Actuator, ...]:
        rows = self.table("actuators")
        names = {c.full_name for c in coordinates} | {f.name for s in stances.values() for f in s.free}
        result = []
        for row in rows:
            actuator = row.make(Actuator)
            _known(row, "coordinate", names, "joint coordinate or free coordinate of a stance")
            if actuator.group:
                _known(row, "group", groups, "group of model.toml")
            if not actuator.max_moment:
                row.fail("max_moment", "must not be 0")
            if (actuator.side == "right") != actuator.name.endswith("_r") or actuator.side == "left":
                row.fail("side", "must be 'right' for a name that ends in _r (the left is added), else 'midline'")
            result.append(actuator)
        return self._both_sides(rows, result)

    def _both_sides(self, rows: Sequence[Row], parts: Sequence[S]) -> tuple[S, ...]:
        """The parts and the mirror images of those whose name ends in ``_r``; no name may appear twice."""
        _refuse_repeats(rows, "name")
        result = (*parts, *(_mirrored(p) for p in parts if getattr(p, "name").endswith("_r")))
        given = {row.fields["name"]: row for row in rows}
        for row in rows:
            left = mirrored_name(row.fields["name"])
            if left != row.fields["name"] and left in given:
                given[left].fail("name", "is the mirror image that the reader adds; remove the row")
        return result

    def tests(
        self, rows: Sequence[Row], groups: Iterable[str], coordinates: Sequence[Coordinate]
    ) -> tuple[TightnessTest, ...]:
        names = {c.full_name for c in coordinates}
        table = self.table("tightness")
        if bool(rows) != bool(table):
            raise ModelError(f"{self.label}: tests.csv and tightness.csv belong together; one of them is missing")
        _refuse_repeats(rows, "group")
        grid: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {}
        for row in table:
            group = _known(row, "group", [r.fields["group"] for r in rows], "group of tests.csv")
            theta, gain = grid.get(group, ((), ()))
            if theta and row.fields["theta"] <= theta[-1]:
                row.fail("theta", "must increase within a group")
            if row.fields["gain"] < 0:
                row.fail("gain", "must not be negative")
            grid[group] = (*theta, row.fields["theta"]), (*gain, row.fields["gain"])
        result = []
        for row in rows:
            _known(row, "group", groups, "group of model.toml")
            _known(row, "coordinate", names, "coordinate")
            pose = {k: v for k, v in row.fields.items() if "." in k}
            for name in pose:
                if name not in names:
                    row.refuse(f"the column {row.cells[name][0]} names no coordinate{_nearest(name, names)}")
            theta, gain = grid.get(row.fields["group"], ((), ()))
            if not theta or not theta[0] <= 0.0 <= theta[-1]:
                row.refuse("tightness.csv must give gains for a range of theta around 0")
            columns = [k for k in row.fields if "." in k]
            result.append(row.make(TightnessTest, leave_out=columns, pose=pose, theta=theta, gain=gain))
        return tuple(result)

    # ----------------------------------------------------------------------------------------- constants of model.toml

    def constant_part(self, top: Section, key: str, part: type[Any], **dimensions: str) -> Any:
        section = top.section(key)
        values = {stem: self.quantity(section, stem, dimension) for stem, dimension in dimensions.items()}
        result = section.make(part, **values)
        section.close()
        return result

    def neutral_zone(self, top: Section, laws: Sequence[DiscLaw]) -> NeutralZone:
        zone: NeutralZone = self.constant_part(
            top, "neutral_zone", NeutralZone, fraction="number", width="angle", blend="angle", preload="force"
        )
        preloads = [law.preload for law in laws]
        if preloads and not min(preloads) <= zone.preload <= max(preloads):
            section = top.section("neutral_zone")
            section.fail("preload_N", f"must lie between {min(preloads):g} and {max(preloads):g}, as in disc_laws.csv")
        return zone

    def curves(self, top: Section) -> Curves:
        section = top.section("curves")
        result: Curves = section.make(
            Curves,
            active=self.quantity(section, "active", "number", 12),
            passive_shape=self.quantity(section, "passive_shape", "number"),
            softplus=self.quantity(section, "softplus", "number"),
            length_floor=self.quantity(section, "length_floor", "number"),
        )
        section.close()
        return result

    def hand(self, top: Section, landmarks: Sequence[Landmark]) -> Hand:
        section = top.section("hand")
        name = section.text("shoulder_landmark")
        points = {m.name: m.position for m in landmarks if m.body == "thorax"}
        if name not in points:
            section.fail("shoulder_landmark", "must be a landmark of the body thorax in landmarks.csv")
        result: Hand = section.make(Hand, shoulder_right=points[name], drop=self.quantity(section, "drop", "length"))
        section.close()
        return result

    # ------------------------------------------------------------------------------------------------------- stances

    def stances(
        self, bodies: Sequence[Body], coordinates: Sequence[Coordinate], levels: Sequence[str]
    ) -> dict[str, Stance]:
        result = {}
        for path in sorted((self.folder / "stances").glob("*.toml")):
            section = Section(self.document(f"stances/{path.name}"))
            stance = self.stance(section, {b.name for b in bodies}, coordinates, levels)
            if stance.name != path.stem:
                section.fail("name", f"must be the name of the file, '{path.stem}'")
            result[stance.name] = stance
        if not result:
            raise ModelError(f"{self.label}/stances: there is no stance; at least one .toml file is needed")
        return result

    def stance(
        self, section: Section, bodies: set[str], coordinates: Sequence[Coordinate], levels: Sequence[str]
    ) -> Stance:
        own = section
        if section.has("like"):
            base = section.text("like")
            if base not in [p.stem for p in (self.folder / "stances").glob("*.toml")]:
                section.fail("like", "must be the name of another stance of this model")
            other = self.document(f"stances/{base}.toml")
            if "like" in other.data:
                section.fail("like", "must be a stance that stands for itself")
            merged = other.data | {k: v for k, v in section.data.items() if k != "like"}
            section = Section(section.document, (), merged)
        names = [c.full_name for c in coordinates]
        free = tuple(self.free_coordinate(s, names) for s in section.sections("free"))
        if not free:
            section.document.fail(("free",), "free is missing; a stance needs at least one free coordinate")
        supports = tuple(self.support(s, bodies) for s in section.sections("supports"))
        if supports and abs(sum(s.share for s in supports) - 1.0) > 1e-9:
            total = sum(s.share for s in supports)
            section.document.fail(("supports",), f"the shares of the supports add up to {total:g}, must be 1")
        unweighted = section.texts("unweighted")
        for body in unweighted:
            if body not in bodies:
                section.fail("unweighted", f"'{body}' is not a body{_nearest(body, bodies)}")
        source = section.text("source")
        wrong = self.missing_source(source)
        if wrong:
            section.fail("source", wrong)
        stance: Stance = section.make(
            Stance,
            name=section.text("name"),
            description=section.text("description"),
            source=source,
            confidence=section.text("confidence"),
            notes=section.text("notes", ""),
            free=free,
            offsets=section.angles("offsets"),
            supports=supports,
            unweighted=unweighted,
            held_by_support=section.texts("held_by_support"),
            locked=section.texts("locked"),
            actuators=section.texts("actuators"),
            upright=section.flag("upright"),
            trunk_flexion=section.number("trunk_flexion", "angle"),
            held=section.angles("held"),
        )
        section.close()
        own.close() if own is section else None
        self.check_stance(section, stance, names, levels)
        return stance

    def free_coordinate(self, section: Section, names: Sequence[str]) -> FreeCoordinate:
        name = section.text("name")
        moves = section.angles("moves", "number")
        for coordinate, rate in moves.items():
            if coordinate not in names:
                section.fail("moves", f"{name}: '{coordinate}' is not a coordinate{_nearest(coordinate, names)}")
            if rate == 0.0:
                section.fail("moves", f"{name}: the rate of {coordinate} must not be 0")
        if not moves:
            section.fail("moves", f"{name}: must move at least one coordinate")
        section.close()
        return section.make(FreeCoordinate, name=name, moves=moves)

    def support(self, section: Section, bodies: set[str]) -> Support:
        body = section.text("body")
        if body not in bodies:
            section.fail("body", f"must be a body of bodies.csv{_nearest(body, bodies)}")
        result = section.make(
            Support,
            name=section.text("name"),
            body=body,
            position=section.numbers("position", "length", 3),
            side=section.text("side"),
            share=section.number("share", "number"),
        )
        section.close()
        return result

    def check_stance(self, section: Section, stance: Stance, names: Sequence[str], levels: Sequence[str]) -> None:
        """Every coordinate is free, held by a support or locked, and only one of these."""
        document = section.document
        _refuse_twice(document, "free", [f.name for f in stance.free])
        _refuse_twice(document, "supports", [s.name for s in stance.supports])
        moved = {name for f in stance.free for name in f.moves}
        for key, listed in (("held_by_support", stance.held_by_support), ("locked", stance.locked)):
            for name in listed:
                if name not in names:
                    document.fail((key,), f"{key}: '{name}' is not a coordinate{_nearest(name, names)}")
            _refuse_twice(document, key, listed)
        for name in stance.offsets:
            if name not in names:
                document.fail(("offsets_deg",), f"offsets: '{name}' is not a coordinate{_nearest(name, names)}")
        for name in names:
            roles = [name in moved, name in stance.held_by_support, name in stance.locked]
            if sum(roles) != 1:
                found = "none of these" if not any(roles) else "more than one of these"
                document.fail((), f"{name} must be free, held_by_support or locked, but it is {found}")
        for name in stance.held:
            if name not in posture_names(levels):
                document.fail(
                    ("held_deg",), f"held: '{name}' is not a posture angle{_nearest(name, posture_names(levels))}"
                )

    def check_stance_actuators(
        self, stances: dict[str, Stance], actuators: Sequence[Actuator], coordinates: Sequence[Coordinate]
    ) -> None:
        by_name = {a.name: a for a in actuators}
        joint_names = {c.full_name for c in coordinates}
        for stance in stances.values():
            document = self.document(f"stances/{stance.name}.toml")
            _refuse_twice(document, "actuators", stance.actuators)
            for name in stance.actuators:
                if name not in by_name:
                    document.fail(("actuators",), f"actuators: '{name}' is not in actuators.csv{_nearest(name, by_name)}")
                coordinate = by_name[name].coordinate
                if coordinate not in joint_names and coordinate not in {f.name for f in stance.free}:
                    document.fail(("actuators",), f"actuators: {name} needs the free coordinate '{coordinate}'")


def posture_names(levels: Iterable[str]) -> tuple[str, ...]:
    """Angles that a posture may hold."""
    whole = ("trunk_flexion", "trunk_bend", "trunk_turn", "anterior_pelvic_tilt", "lumbar_flexion")
    legs = tuple(f"{joint}_flexion.{side}" for joint in ("hip", "knee") for side in ("left", "right"))
    return (*whole, *legs, *(f"{level}.{axis}" for level in levels for axis in _AXES_OF_KIND["disc"]))


# ---------------------------------------------------------------------------------------------------------- complaints


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _known(row: Row, name: str, known: Any, what: str) -> Any:
    """The value of the field, or what a dictionary holds under it; refused if it is not among the known."""
    value = row.fields[name]
    if value not in known:
        row.fail(name, f"is not a {what}{_nearest(value, known)}")
    return known[value] if isinstance(known, dict) and not isinstance(known[value], tuple) else value


def _refuse_repeats(rows: Sequence[Row], name: str) -> None:
    first: dict[str, int] = {}
    for row in rows:
        value = row.fields[name]
        if value in first:
            row.fail(name, f"is listed already in line {first[value]}")
        first[value] = row.line


def _refuse_twice(document: Document, key: str, names: Sequence[str]) -> None:
    for name in names:
        if list(names).count(name) > 1:
            document.fail((key,), f"{key}: '{name}' is listed twice")


__all__ = ["Side", "digest", "load_model", "mirrored_name", "model_names", "models_folder", "posture_names"]
