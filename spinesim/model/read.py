"""Read a model folder: TOML and CSV in, one checked :class:`~spinesim.model.parts.Model` out.

The tables list the right side; the reader adds the left by mirroring (z changes sign, ``_r`` becomes ``_l``).
:mod:`spinesim.model.columns` lists the columns of every table. Every mistake raises ``ModelError`` with file, line,
entry, value and what is allowed; nothing is repaired.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from spinesim.errors import ModelError
from spinesim.model.columns import AXES_OF_KIND
from spinesim.model.files import Row, Section, nearest, sentence
from spinesim.model.folder import CALIBRATED, CALIBRATION, ModelFolder
from spinesim.model.mirror import mirrored, mirrored_muscle
from spinesim.model.names import parameter_names
from spinesim.model.parts import (
    BEHIND,
    MARKED,
    Abdomen,
    Actuator,
    Body,
    Bulge,
    Canal,
    Carry,
    Coordinate,
    Curves,
    Disc,
    DiscLaw,
    DiscSpring,
    Foot,
    ForamenPoint,
    Hand,
    Joint,
    Landmark,
    Model,
    Muscle,
    NeutralZone,
    PathPoint,
    Pedicle,
    Root,
    RootLaw,
    Scatter,
    Sciatic,
    Stability,
    Stance,
    TightnessTest,
    Tissue,
)
from spinesim.model.read_imbalances import read_imbalances
from spinesim.model.read_stances import check_stance_actuators, read_stances

S = TypeVar("S", Tissue, Actuator, Landmark)
F = TypeVar("F", Canal, Root)

GROUND = "ground"
_SHARE_TOLERANCE = 1e-5  #: shares in the tables carry six digits
_PLACE_TOLERANCE = 1e-6  #: coordinates in the tables carry six digits [m]

# ------------------------------------------------------------------------------------------------- finding a model


def models_folder() -> Path:
    """Folder of the shipped models: inside the installed package, or beside it in a source checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "models"
    return inside if inside.is_dir() else package.parent / "models"


def model_names() -> tuple[str, ...]:
    """Names of the shipped models."""
    return tuple(sorted(p.parent.name for p in models_folder().glob("*/model.toml")))


def model_folder(name_or_path: str | Path) -> Path:
    """Folder of a shipped model by name, or the folder itself.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    if str(name_or_path) in model_names():
        return models_folder() / str(name_or_path)
    folder = Path(name_or_path)
    if folder.is_dir():
        return folder
    near = difflib.get_close_matches(str(name_or_path), model_names(), n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise ModelError(
        f"there is no model '{name_or_path}'{hint}; shipped models are {', '.join(model_names())}; "
        "a model of your own is named by its folder"
    )


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
    shipped = str(name_or_path) in model_names()
    folder = model_folder(name_or_path)
    return _Reader(ModelFolder(folder, f"models/{name_or_path}" if shipped else folder.as_posix())).model()


# --------------------------------------------------------------------------------------------------------- reading


class _Reader:
    """One reading of one folder."""

    def __init__(self, folder: ModelFolder) -> None:
        self.folder = folder
        self.label = folder.label

    # ----------------------------------------------------------------------------------------------- the whole model

    def model(self) -> Model:
        bodies = self.bodies()
        joints = self.joints(bodies)
        levels = self.levels(joints)
        coordinates = self.coordinates(joints)
        tests_rows = self.folder.table("tests")
        muscles = self.muscles(bodies, coordinates)
        landmarks = self.landmarks(bodies)

        top = Section(self.folder.document("model.toml"))
        fitted = Section(self.folder.document(CALIBRATION))
        groups = self.groups(top, muscles)
        stances = read_stances(self.folder, bodies, coordinates, levels)
        actuators = self.actuators(groups, coordinates, stances)
        check_stance_actuators(self.folder, stances, actuators, coordinates)
        discs = self.discs(levels)
        trunk = next((j.child for j in joints if j.name == levels[-1]), "") if levels else ""
        laws, springs = self.disc_stiffness(levels, coordinates)
        tests = self.tests(tests_rows, groups, coordinates)
        abdomen = self.abdomen(top, muscles) if top.has("abdomen") else None
        hand = self.hand(top, landmarks, trunk) if top.has("hand") else None
        names = parameter_names(muscles, groups, tests, abdomen, {})
        pedicles = self.pedicles(bodies)
        outline = self.foramen_outline(levels, joints, pedicles)
        lacks = {} if hand is not None else {"load": "hands"}
        if not any(c.full_name == "pelvis.list" for c in coordinates):
            lacks["leg_length"] = "pelvis that lists"

        fields: dict[str, Any] = {
            "name": top.text("name"),
            "description": top.text("description"),
            "body_mass": self.folder.quantity(top, "body_mass", "mass"),
            "stature": self.folder.quantity(top, "stature", "length"),
            "gravity": self.folder.quantity(top, "gravity", "acceleration"),
            "pressure_factor": self.folder.quantity(top, "pressure_factor", "number"),
            "condition_blend": self.folder.quantity(top, "condition_blend", "angle"),
            "scatter": self.shared_part(top, fitted, "scatter", Scatter, trunk="angle"),
            "neutral_zone": self.neutral_zone(top, fitted, laws),
            "stability": self.constant_part(fitted, "stability", Stability, **CALIBRATED["stability"]),
            "abdomen": abdomen,
            "curves": self.curves(top),
            "foot": self.constant_part(top, "foot", Foot, front="length", back="length", side="length")
            if top.has("foot")
            else None,
            "hand": hand,
            "carry": self.carry(top) if top.has("carry") else None,
            "bulge": self.constant_part(
                top, "bulge", Bulge, rest="length", per_extension="length per angle", per_height_loss="number"
            ),
            "sciatic": self.sciatic(top, muscles, outline) if top.has("sciatic") else None,
            "root_law": self.root_law(top) if outline or top.has("root") else None,
        }
        result = top.make(
            Model,
            **fields,
            folder=self.folder.path,
            digest=self.folder.digest(),
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
            foramen_outline=outline,
            pedicles=pedicles,
            canals=self.at_foramina("canals", Canal, outline),
            roots=self.at_foramina("roots", Root, outline),
            tests=tests,
            stances=stances,
            imbalances=read_imbalances(self.folder, names, lacks),
            sources=self.folder.sources,
            constants=self.folder.constants,
        )
        top.close()
        fitted.has("fit")  # how the constants were found: for `spinesim.calibration`
        fitted.close()
        return result

    # ------------------------------------------------------------------------------------------------------ skeleton

    def bodies(self) -> tuple[Body, ...]:
        rows = self.folder.table("bodies")
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
        rows = self.folder.table("joints")
        _refuse_repeats(rows, "name")
        _refuse_repeats(rows, "child")
        by_name = {b.name: b for b in bodies}
        result: list[Joint] = []
        for row in rows:
            joint = row.make(Joint)
            _known(row, "child", by_name, "body of bodies.csv")
            child = by_name[joint.child]
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
        rows = self.folder.table("coordinates")
        by_name = {j.name: j for j in joints}
        order = {j.name: i for i, j in enumerate(joints)}
        result: list[Coordinate] = []
        shares: dict[tuple[str, str], float] = {}
        for row in rows:
            _known(row, "joint", by_name, "joint of joints.csv")
            coordinate = row.make(Coordinate)
            joint = by_name[coordinate.joint]
            allowed = AXES_OF_KIND[joint.kind]
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
            for direction in ("rhythm_share", "rhythm_share_negative"):
                share = getattr(coordinate, direction)
                if share and joint.kind != "disc":
                    row.fail(direction, "must be 0 outside the spine")
                key = (direction, coordinate.name)
                shares[key] = shares.get(key, 0.0) + share
            result.append(coordinate)
        for (direction, name), total in shares.items():
            if total and abs(total - 1.0) > _SHARE_TOLERANCE:
                raise ModelError(
                    f"{self.label}/coordinates.csv: the {direction} of {name} adds up to {total:.6g} over the levels, "
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
        rows = self.folder.table("discs")
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
        for row in self.folder.table("disc_laws"):
            _known(row, "level", levels, "disc joint")
            law = row.make(DiscLaw)
            if f"{law.level}.{law.coordinate}" not in names:
                row.fail("coordinate", f"is not a coordinate of {law.level} in coordinates.csv")
            key = (law.level, law.coordinate, law.direction, law.preload)
            if key in laws:
                row.fail("preload", "this law is listed twice")
            laws[key] = law
        springs: dict[tuple[str, float], DiscSpring] = {}
        for row in self.folder.table("disc_springs"):
            _known(row, "level", levels, "disc joint")
            spring = row.make(DiscSpring)
            if (spring.level, spring.preload) in springs:
                row.fail("preload", "this spring is listed twice")
            springs[spring.level, spring.preload] = spring
        preloads = sorted({key[3] for key in laws})
        if len(preloads) < 2:
            raise ModelError(
                f"{self.label}/disc_laws.csv: only one preload; the laws are interpolated between two or more"
            )
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
                keys = (key,) if isinstance(key, str) else key
                shown = " ".join(f"{k:g} N" if isinstance(k, float) else k for k in keys)
                raise ModelError(f"{self.label}/{table}.csv: there is no row for {shown}")

    def tissues(self, coordinates: Sequence[Coordinate], groups: Iterable[str]) -> tuple[Tissue, ...]:
        names = {c.full_name for c in coordinates}
        rows = self.folder.table("tissues")
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
        return self._both_sides(rows, result, names)

    # ----------------------------------------------------------------------------------------------------- muscles

    def muscles(self, bodies: Sequence[Body], coordinates: Sequence[Coordinate]) -> tuple[Muscle, ...]:
        rows = self.folder.table("muscles")
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
        result = (*right, *map(mirrored_muscle, right), *midline)
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
        for row in self.folder.table("muscle_paths"):
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
                    section.fail(group, f"'{muscle}' is not a muscle of muscles.csv{nearest(muscle, known)}")
            if len(set(result[group])) < len(result[group]):
                section.fail(group, "names a muscle twice")
        return result

    # ------------------------------------------------------------------------------------------ points and actuators

    def landmarks(self, bodies: Sequence[Body]) -> tuple[Landmark, ...]:
        rows = self.folder.table("landmarks")
        names = {b.name for b in bodies}
        for row in rows:
            _known(row, "body", names, "body of bodies.csv")
        return self._both_sides(rows, [row.make(Landmark) for row in rows], names)

    def pedicles(self, bodies: Sequence[Body]) -> tuple[Pedicle, ...]:
        rows = self.folder.table("pedicles")
        _refuse_repeats(rows, "vertebra")
        for row in rows:
            _known(row, "vertebra", {b.name for b in bodies}, "body of bodies.csv")
        return tuple(row.make(Pedicle) for row in rows)

    def foramen_outline(
        self, levels: Sequence[str], joints: Sequence[Joint], pedicles: Sequence[Pedicle]
    ) -> tuple[ForamenPoint, ...]:
        rows = self.folder.table("foramen_outline")
        upper = {j.name: j.child for j in joints}
        known = {p.vertebra for p in pedicles}
        points = tuple(row.make(ForamenPoint) for row in rows)
        order: dict[str, list[tuple[str, str]]] = {}
        for row in rows:
            level, name = row.fields["level"], row.fields["name"]
            _known(row, "level", levels, "level of joints.csv")
            if upper[level] not in known:
                row.fail("level", f"needs {upper[level]} in pedicles.csv")
            order.setdefault(level, []).append((name, row.fields["part"]))
            first = next(iter(order.values()))
            if order[level] != first[: len(order[level])]:
                row.refuse("the points and parts of every level must be those of the first, in the same order")
        for level, found in order.items():
            if len(found) < len(next(iter(order.values()))):
                raise ModelError(f"{self.label}/foramen_outline.csv: {level} has fewer points than the first level")
            names = [name for name, _ in found]
            if tuple(names[: len(MARKED)]) != MARKED or BEHIND not in names:
                must = f"must begin with {', '.join(MARKED)} and have {BEHIND}"
                raise ModelError(f"{self.label}/foramen_outline.csv: {level} {must}")
        return points

    def at_foramina(self, table: str, part: type[F], outline: Sequence[ForamenPoint]) -> tuple[F, ...]:
        """One part per level with a foramen."""
        rows = self.folder.table(table)
        _refuse_repeats(rows, "level")
        levels = list(dict.fromkeys(point.level for point in outline))
        for row in rows:
            _known(row, "level", levels, "level of foramen_outline.csv")
        parts = tuple(row.make(part) for row in rows)
        missing = [level for level in levels if level not in {found.level for found in parts}]
        if missing:
            raise ModelError(f"{self.label}/{table}.csv: {missing[0]} has a foramen and is missing here")
        return parts

    def sciatic(self, top: Section, muscles: Sequence[Muscle], outline: Sequence[ForamenPoint]) -> Sciatic:
        section = top.section("sciatic")
        lengths = ("below_canal", "hip_arm", "knee_arm", "width", "thickness", "breadth")
        values = {stem: self.folder.quantity(section, stem, "length") for stem in lengths}
        shares = {stem: self.folder.quantity(section, stem, "number", 3) for stem in ("frequency", "share", "engaged")}
        result: Sciatic = section.make(Sciatic, **values, **shares)
        section.close()
        if abs(sum(result.frequency) - 1.0) > _SHARE_TOLERANCE:
            section.document.fail(("sciatic", "frequency"), "sciatic.frequency must add up to 1")
        paths = {m.side: m.path for m in muscles if m.muscle == "piriformis"}
        if not outline or any(len(paths.get(side, ())) != 3 for side in ("left", "right")):
            section.document.fail(
                ("sciatic",), "sciatic needs foramina, and a piriformis of three points on either side"
            )
        return result

    def root_law(self, top: Section) -> RootLaw:
        law: RootLaw = self.constant_part(
            top,
            "root",
            RootLaw,
            takeoff="angle",
            cushion="length",
            hold="length",
            stiffness="pressure",
            stiffness_sd="number",
            foramen_height_sd="number",
            foramen_width_sd="number",
            venular="pressure",
            capillary="pressure",
            conduction="pressure",
            arteriolar="pressure",
        )
        if not law.venular < law.capillary < law.conduction < law.arteriolar:
            top.document.fail(("root", "venular"), "the thresholds of root must rise from venular to arteriolar")
        return law

    def actuators(
        self, groups: Iterable[str], coordinates: Sequence[Coordinate], stances: dict[str, Stance]
    ) -> tuple[Actuator, ...]:
        rows = self.folder.table("actuators")
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
        return self._both_sides(rows, result, names)

    def _both_sides(self, rows: Sequence[Row], parts: Sequence[S], known: Iterable[str]) -> tuple[S, ...]:
        """The parts, and the mirror images of those whose name ends in ``_r``.

        ``known`` are the bodies or coordinates among which the left counterpart of those named must be.
        """
        _refuse_repeats(rows, "name")
        lines = {row.fields["name"]: row for row in rows}
        names = set(known)
        left: list[S] = []
        for row, part in zip(rows, parts, strict=True):
            if not part.name.endswith("_r"):
                continue
            image = mirrored(part)
            if image.name in lines:
                lines[image.name].fail("name", f"is the mirror image of {part.name} that the reader adds; remove it")
            for field in ("body", "coordinate", "second"):
                needed = getattr(image, field, "")
                if needed and needed not in names:
                    row.fail(field, f"must exist on the left too: there is no {needed}")
            left.append(image)
        return tuple(parts) + tuple(left)

    def tests(
        self, rows: Sequence[Row], groups: Iterable[str], coordinates: Sequence[Coordinate]
    ) -> tuple[TightnessTest, ...]:
        names = {c.full_name for c in coordinates}
        table = self.folder.table("tightness")
        if bool(rows) != bool(table):
            raise ModelError(f"{self.label}: tests.csv and tightness.csv belong together; one of them is missing")
        _refuse_repeats(rows, "group")
        grid: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {}
        for row in table:
            _known(row, "group", [r.fields["group"] for r in rows], "group of tests.csv")
            group = row.fields["group"]
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
                    row.refuse(f"the column {row.cells[name][0]} names no coordinate{nearest(name, names)}")
            theta, gain = grid.get(row.fields["group"], ((), ()))
            if not theta or not theta[0] <= 0.0 <= theta[-1]:
                row.refuse("tightness.csv must give gains for a range of theta around 0")
            columns = [k for k in row.fields if "." in k]
            result.append(row.make(TightnessTest, leave_out=columns, pose=pose, theta=theta, gain=gain))
        return tuple(result)

    # ----------------------------------------------------------------------------------------- constants of model.toml

    def constant_part(self, top: Section, key: str, part: type[Any], **dimensions: str) -> Any:
        section = top.section(key)
        values = {stem: self.folder.quantity(section, stem, dimension) for stem, dimension in dimensions.items()}
        result = section.make(part, **values)
        section.close()
        return result

    def shared_part(self, top: Section, fitted: Section, key: str, part: type[Any], **dimensions: str) -> Any:
        """A part of which model.toml holds some numbers and calibration.toml those of `CALIBRATED`."""
        own, found = top.section(key), fitted.section(key)
        values = {stem: self.folder.quantity(own, stem, dimension) for stem, dimension in dimensions.items()}
        values |= {stem: self.folder.quantity(found, stem, dimension) for stem, dimension in CALIBRATED[key].items()}
        try:
            result = part(**values)
        except ValidationError as error:
            wrong = str(sentence(error)[0][0])
            result = (found if wrong in CALIBRATED[key] else own).make(part, **values)
        own.close()
        found.close()
        return result

    def neutral_zone(self, top: Section, fitted: Section, laws: Sequence[DiscLaw]) -> NeutralZone:
        zone: NeutralZone = self.shared_part(
            top, fitted, "neutral_zone", NeutralZone, width="angle", blend="angle", preload="force"
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
            active=self.folder.quantity(section, "active", "number", 12),
            passive_shape=self.folder.quantity(section, "passive_shape", "number"),
            softplus=self.folder.quantity(section, "softplus", "number"),
            length_floor=self.folder.quantity(section, "length_floor", "number"),
        )
        section.close()
        return result

    def abdomen(self, top: Section, muscles: Sequence[Muscle]) -> Abdomen:
        section = top.section("abdomen")
        known = {muscle.muscle for muscle in muscles}
        wall, cost_like = section.texts("wall"), section.text("cost_like")
        for key, names in (("wall", wall), ("cost_like", (cost_like,))):
            for name in names:
                if name not in known:
                    section.fail(key, f"'{name}' is not a muscle of muscles.csv{nearest(name, known)}")
        if not wall:
            section.fail("wall", "must name at least one muscle")
        result: Abdomen = section.make(
            Abdomen,
            diaphragm=self.folder.quantity(section, "diaphragm", "length", 3),
            pelvic_floor=self.folder.quantity(section, "pelvic_floor", "length", 3),
            area=self.folder.quantity(section, "area", "area"),
            highest=self.folder.quantity(section, "highest", "pressure"),
            support=self.folder.quantity(section, "support", "pressure"),
            wall=wall,
            cost_like=cost_like,
            cost_factor=self.folder.quantity(section, "cost_factor", "number"),
        )
        section.close()
        return result

    def hand(self, top: Section, landmarks: Sequence[Landmark], trunk: str) -> Hand:
        section = top.section("hand")
        name = section.text("shoulder_landmark")
        points = {m.name: m.position for m in landmarks if m.body == trunk}
        if name not in points:
            section.fail("shoulder_landmark", f"must be a landmark of the body {trunk} in landmarks.csv")
        result: Hand = section.make(Hand, shoulder_right=points[name])
        section.close()
        return result

    def carry(self, top: Section) -> Carry:
        section = top.section("carry")
        result: Carry = section.make(
            Carry,
            strap_right=self.folder.quantity(section, "strap_right", "length", 3),
            pack=self.folder.quantity(section, "pack", "length", 3),
        )
        section.close()
        return result


def _known(row: Row, name: str, known: Iterable[str], what: str) -> None:
    """Refuse the row if the value of the field is not among the known names."""
    names = list(known)
    if row.fields[name] not in names:
        row.fail(name, f"is not a {what}{nearest(row.fields[name], names)}")


def _refuse_repeats(rows: Sequence[Row], name: str) -> None:
    first: dict[str, int] = {}
    for row in rows:
        value = row.fields[name]
        if value in first:
            row.fail(name, f"is listed already in line {first[value]}")
        first[value] = row.line
