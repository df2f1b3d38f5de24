"""Read the stances of a model folder: what is free, what is held, what carries the weight."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from spinesim.errors import ModelError
from spinesim.model.columns import AXES_OF_KIND
from spinesim.model.files import Document, Section, nearest
from spinesim.model.folder import ModelFolder
from spinesim.model.mirror import mirrored_stance
from spinesim.model.parts import Actuator, Body, Contact, Coordinate, FreeCoordinate, Stance, Support, Vector

SPINE = "spine"  #: stands for every rotation of every level in a list of free coordinates


def read_stances(
    folder: ModelFolder, bodies: Sequence[Body], coordinates: Sequence[Coordinate], levels: Sequence[str]
) -> dict[str, Stance]:
    """All stances of the folder by name."""
    result = {}
    for path in _bases_first(folder):
        section = Section(folder.document(f"stances/{path.name}"))
        stance = _stance(folder, section, {b.name for b in bodies}, coordinates, levels)
        if stance.name != path.stem:
            section.fail("name", f"must be the name of the file, '{path.stem}'")
        result[stance.name] = stance
    if not result:
        raise ModelError(f"{folder.label}/stances: there is no stance; at least one .toml file is needed")
    return dict(sorted(result.items()))


def _bases_first(folder: ModelFolder) -> list[Path]:
    """Files of the stances, each after the one that it is like, so that a mistake is found where it stands."""
    paths = {path.stem: path for path in sorted((folder.path / "stances").glob("*.toml"))}

    def depth(name: object, seen: tuple[object, ...] = ()) -> int:
        if not isinstance(name, str) or name in seen or name not in paths:
            return 0
        base = folder.document(f"stances/{name}.toml").data.get("like")
        return 0 if base is None else 1 + depth(base, (*seen, name))

    return sorted(paths.values(), key=lambda path: depth(path.stem))


def _stance(
    folder: ModelFolder, section: Section, bodies: set[str], coordinates: Sequence[Coordinate], levels: Sequence[str]
) -> Stance:
    section, turned = _completed(folder, section)
    names = [c.full_name for c in coordinates]
    free = _free_coordinates(section, coordinates, levels)
    if not free:
        section.document.fail(("free",), "free is missing; a stance needs at least one free coordinate")
    supports = tuple(_support(s, bodies) for s in section.sections("supports"))
    if not supports:
        section.document.fail(("supports",), "supports is missing; a stance needs at least one support")
    if abs(sum(s.share for s in supports) - 1.0) > 1e-9:
        total = sum(s.share for s in supports)
        section.document.fail(("supports",), f"the shares of the supports add up to {total:g}, must be 1")
    unweighted = section.texts("unweighted")
    for body in unweighted:
        if body not in bodies:
            section.fail("unweighted", f"'{body}' is not a body{nearest(body, bodies)}")
    if bodies <= set(unweighted):
        section.fail("unweighted", "must leave at least one body whose weight acts on the chain")
    stance: Stance = section.make(
        Stance,
        name=section.text("name"),
        description=section.text("description"),
        **folder.provenance(section),
        free=free,
        offsets=section.angles("offsets"),
        supports=supports,
        contacts=tuple(_contact(s, bodies) for s in section.sections("contacts")),
        up=_unit(section, "up") if section.has("up") else (0.0, 1.0, 0.0),
        weight_factor=section.number("weight_factor", "number") if section.has("weight_factor") else 1.0,
        centre=section.numbers("centre", "length", 2) if section.has_quantity("centre", "length") else None,
        shifts=dict(_shift(s, bodies) for s in section.sections("shifts")),
        unweighted=unweighted,
        held_by_support=section.texts("held_by_support"),
        locked=section.texts("locked"),
        actuators=section.texts("actuators"),
        upright=section.flag("upright"),
        supported=section.has("supported") and section.flag("supported"),
        trunk_flexion=section.number("trunk_flexion", "angle"),
        rest_pressure=section.number("rest_pressure", "pressure"),
        held=section.angles("held"),
        trusted=section.text("trusted") if section.has("trusted") else "",
    )
    section.close()
    _check_roles(section, stance, names, levels)
    return mirrored_stance(stance) if turned else stance


def _completed(folder: ModelFolder, section: Section) -> tuple[Section, bool]:
    """A stance with what it takes over from another, and whether it is then seen in the mirror."""
    turned = section.has("mirror") and section.flag("mirror")
    if not section.has("like"):
        if turned:
            section.fail("mirror", "needs the key like, which names the stance of the other side")
        return section, False
    data, seen = dict(section.data), [section.text("name")]
    while "like" in data:
        base = data.pop("like")
        if base in seen or base not in [p.stem for p in (folder.path / "stances").glob("*.toml")]:
            section.fail("like", "must be the name of another stance of this model, which is not like this one")
        seen.append(base)
        other = folder.document(f"stances/{base}.toml").data
        if "mirror" in other:
            section.fail("like", "must not be a stance that is itself a mirror image")
        if not turned:
            other = {key: value for key, value in other.items() if key != "trusted"}  # said of that stance alone
        data = other | data
    data.pop("mirror", None)
    return Section(section.document, (), data), turned


def _free_coordinates(
    section: Section, coordinates: Sequence[Coordinate], levels: Sequence[str]
) -> tuple[FreeCoordinate, ...]:
    """Those listed; the word ``spine`` stands for every rotation of every level, from below."""
    names = [c.full_name for c in coordinates]
    result: list[FreeCoordinate] = []
    for entry in section.entries("free"):
        if isinstance(entry, Section):
            result.append(_free_coordinate(entry, names))
        elif entry == SPINE:
            spinal = [c.full_name for level in levels for c in coordinates if c.joint == level]
            result.extend(FreeCoordinate(name=name, moves={name: 1.0}) for name in spinal)
        else:
            section.fail("free", f"must be a list of tables and the word '{SPINE}'")
    return tuple(result)


def _unit(section: Section, key: str) -> Vector:
    """A direction in the world, of length 1."""
    x, y, z = section.numbers(key, "number", 3)
    size = math.sqrt(x * x + y * y + z * z)
    if not size > 0.0:
        section.fail(key, "must be a direction, not 0")
    return x / size, y / size, z / size


def _shift(section: Section, bodies: set[str]) -> tuple[str, Vector]:
    """A body and by how much its centre of mass is moved."""
    body = _body(section, bodies)
    x, y, z = section.numbers("by", "length", 3)
    section.close()
    return body, (x, y, z)


def _body(section: Section, bodies: set[str]) -> str:
    """The body that a table names."""
    body = section.text("body")
    if body not in bodies:
        section.fail("body", f"must be a body of bodies.csv{nearest(body, bodies)}")
    return body


def _contact(section: Section, bodies: set[str]) -> Contact:
    body = _body(section, bodies)
    result = section.make(
        Contact,
        name=section.text("name"),
        surface=section.text("surface"),
        body=body,
        position=section.numbers("position", "length", 3),
        normal=_unit(section, "normal"),
        height=section.number("height", "length"),
        stiffness=section.number("stiffness", "stiffness"),
        blend=section.number("blend", "length"),
    )
    section.close()
    return result


def _free_coordinate(section: Section, names: Sequence[str]) -> FreeCoordinate:
    name = section.text("name")
    moves = section.angles("moves", "number")
    for coordinate, rate in moves.items():
        if coordinate not in names:
            section.fail("moves", f"{name}: '{coordinate}' is not a coordinate{nearest(coordinate, names)}")
        if rate == 0.0:
            section.fail("moves", f"{name}: the rate of {coordinate} must not be 0")
    if not moves:
        section.fail("moves", f"{name}: must move at least one coordinate")
    section.close()
    return section.make(FreeCoordinate, name=name, moves=moves)


def _support(section: Section, bodies: set[str]) -> Support:
    body = _body(section, bodies)
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


def _check_roles(section: Section, stance: Stance, names: Sequence[str], levels: Sequence[str]) -> None:
    """Every coordinate is free, held by a support or locked, and only one of these."""
    document = section.document
    _refuse_twice(document, "free", [f.name for f in stance.free])
    _refuse_twice(document, "supports", [s.name for s in stance.supports])
    _refuse_twice(document, "contacts", [c.name for c in stance.contacts])
    moved = {name for f in stance.free for name in f.moves}
    for key, listed in (("held_by_support", stance.held_by_support), ("locked", stance.locked)):
        for name in listed:
            if name not in names:
                document.fail((key,), f"{key}: '{name}' is not a coordinate{nearest(name, names)}")
        _refuse_twice(document, key, listed)
    for name in stance.offsets:
        if name not in names:
            document.fail(("offsets_deg",), f"offsets: '{name}' is not a coordinate{nearest(name, names)}")
    for name in names:
        roles = [name in moved, name in stance.held_by_support, name in stance.locked]
        if sum(roles) != 1:
            found = "none of these" if not any(roles) else "more than one of these"
            document.fail((), f"{name} must be free, held_by_support or locked, but it is {found}")
    for name in stance.held:
        if name not in posture_names(levels):
            document.fail(("held_deg",), f"held: '{name}' is not a posture angle{nearest(name, posture_names(levels))}")
        if _joint_coordinate(name) not in {None, *moved}:
            document.fail(("held_deg",), f"held: {name} is not free in this stance")


def check_stance_actuators(
    folder: ModelFolder, stances: dict[str, Stance], actuators: Sequence[Actuator], coordinates: Sequence[Coordinate]
) -> None:
    """Every actuator that a stance names exists, and its coordinate is there to act on."""
    by_name = {a.name: a for a in actuators}
    joint_names = {c.full_name for c in coordinates}
    for stance in (stances[path.stem] for path in _bases_first(folder)):
        document = folder.document(f"stances/{stance.name}.toml")
        _refuse_twice(document, "actuators", stance.actuators)
        for name in stance.actuators:
            if name not in by_name:
                document.fail(("actuators",), f"actuators: '{name}' is not in actuators.csv{nearest(name, by_name)}")
            coordinate = by_name[name].coordinate
            if coordinate not in joint_names and coordinate not in {f.name for f in stance.free}:
                document.fail(("actuators",), f"actuators: {name} needs the free coordinate '{coordinate}'")


def _joint_coordinate(name: str) -> str | None:
    """Coordinate of leg or pelvis that a posture angle names; None for angles that every stance can hold."""
    joint, _, side = name.partition(".")
    if side in ("left", "right"):
        return f"{joint.removesuffix('_flexion')}_{side[0]}.flexion"
    return {"pelvic_list": "pelvis.list", "pelvic_turn": "pelvis.turn"}.get(name)


def _refuse_twice(document: Document, key: str, names: Sequence[str]) -> None:
    for name in names:
        if list(names).count(name) > 1:
            document.fail((key,), f"{key}: '{name}' is listed twice")


def posture_names(levels: Iterable[str]) -> tuple[str, ...]:
    """Angles that a posture may hold."""
    trunk = ("trunk_flexion", "trunk_bend", "trunk_turn")
    pelvis = ("anterior_pelvic_tilt", "lumbar_flexion", "pelvic_list", "pelvic_turn")
    legs = tuple(f"{joint}_flexion.{side}" for joint in ("hip", "knee") for side in ("left", "right"))
    return (*trunk, *pelvis, *legs, *(f"{level}.{axis}" for level in levels for axis in AXES_OF_KIND["disc"]))
