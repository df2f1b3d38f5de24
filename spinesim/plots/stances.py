"""The body in its stance, with gravity down: what carries it, with which forces, and where its centre of mass is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from spinesim.plots.body import SOLID, draw_bones, muscle_segments
from spinesim.plots.cases import (
    case_name,
    four,
    heading_of,
    no_solution,
    one_case,
    require,
    sentence,
    solved,
    sweep_axes,
)
from spinesim.plots.style import GHOST, GREEN, INK, VERMILLION, legend_above, new_axes, parts_of, unit_of

NEEDS = ("bone_position", "path_position", "support_position", "support_force", "mass_position", "up_direction")
FLESH = "#B5766A"  #: of the faint muscles
LONGEST, SHORTEST = 0.24, 0.06  #: arrows [m]: that of the largest force, and the least that can be seen
NEAR = 0.04  #: places that are drawn nearer than this are one [m]
BESIDE = 0.3  #: places nearer than this have their numbers on their outer sides [m]
PAD = 0.06  #: half the length of the surface drawn at a place [m]
LEAST = 0.5  #: a smaller force is none [N]
ALONG = 0.94  #: cosine from which two directions are called one: 20 deg
DIRECTIONS = (("forward", "backward"), ("towards the head", "towards the feet"), ("to the right", "to the left"))


@dataclass(frozen=True)
class Place:
    """Where a force acts on the body, as it is drawn."""

    point: np.ndarray  #: (2,) [m]
    force: np.ndarray  #: (2,) [N]
    size: float  #: of the whole force [N]
    normal: np.ndarray  #: (2,) in which a surface pushes; shorter than 1 where it also points at the viewer


@dataclass(frozen=True)
class Side:
    """One view: what is drawn to the right and up, and from where one looks."""

    view: str
    plane: np.ndarray  #: (2, 3)
    viewer: str
    across: str
    upward: str


def sides(up: np.ndarray) -> list[Side]:
    """The body from its side and from behind, turned until ``up`` (3,) points up.

    Where one would look along gravity, the view is the one from above, with the head where the other view has it.
    """
    normals = {"sagittal": np.array([0.0, 0.0, 1.0]), "frontal": np.array([-1.0, 0.0, 0.0])}  # towards the viewer
    inside = {view: up - (up @ normal) * normal for view, normal in normals.items()}
    rows: dict[str, np.ndarray] = {}
    for view in sorted(normals, key=lambda view: -float(np.linalg.norm(inside[view]))):
        normal, size = normals[view], float(np.linalg.norm(inside[view]))
        if size > 0.5:
            top = inside[view] / size
            right = np.cross(top, normal)
        else:
            other = next(iter(rows.values()))
            normal = normal * np.sign(up @ normal)
            right = np.array([0.0, np.sign(other[0, 1]) or 1.0, 0.0])
            top = np.cross(normal, right)
        rows[view] = np.array([right, top])
    return [
        Side(view, rows[view], _viewer(rows[view], up), _direction(rows[view][0], up), _direction(rows[view][1], up))
        for view in normals
    ]


def _viewer(plane: np.ndarray, up: np.ndarray) -> str:
    towards = np.cross(*plane)
    if towards @ up > ALONG:
        return "from above"
    axis = int(np.abs(towards).argmax())
    return (
        (("from the front", "from behind"), ("from the head", "from the feet"), ("from its right", "from its left"))[
            axis
        ]
    )[0 if towards[axis] > 0.0 else 1]


def _direction(direction: np.ndarray, up: np.ndarray) -> str:
    """A drawn direction in words, with its unit."""
    if direction @ up > ALONG:
        return "up [m]"
    axis = int(np.abs(direction).argmax())
    if abs(direction[axis]) < ALONG:
        return "horizontal [m]"
    return f"{DIRECTIONS[axis][0 if direction[axis] > 0.0 else 1]} [m]"


def places(
    points: np.ndarray, forces: np.ndarray, normals: np.ndarray, plane: np.ndarray, near: float = NEAR
) -> list[Place]:
    """Forces (n, 3) at points (n, 3) as they are drawn; those of one direction at one place are added."""
    groups: list[list[int]] = []
    flat = points @ plane.T
    for i in range(len(points)):
        for group in groups:
            first = group[0]
            if np.linalg.norm(flat[i] - flat[first]) < near and normals[i] @ normals[first] > ALONG:
                group.append(i)
                break
        else:
            groups.append([i])
    return [
        Place(
            point=flat[group].mean(axis=0),
            force=plane @ forces[group].sum(axis=0),
            size=float(np.linalg.norm(forces[group].sum(axis=0))),
            normal=plane @ normals[group[0]],
        )
        for group in groups
    ]


def _pushes(case: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, forces and normals (n, 3) of all that carries or presses the body."""
    points, forces = case["support_position"].values, case["support_force"].values
    normals = np.tile(case["up_direction"].values, (len(points), 1))
    if "contact_position" in case and "contact_force" in case:
        towards = case["contact_direction"].values
        points = np.concatenate([points, case["contact_position"].values])
        forces = np.concatenate([forces, case["contact_force"].values[:, None] * towards])
        normals = np.concatenate([normals, towards])
    return points, forces, normals


def _carried(case: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Points and forces (n, 3) of the loads that are there."""
    if "load_weight" not in case or "load_position" not in case:
        return np.empty((0, 3)), np.empty((0, 3))
    weight = case["load_weight"].values
    there = weight > LEAST
    forces = -weight[there, None] * case["up_direction"].values
    return case["load_position"].values[there], forces


def stance(
    dataset: xr.Dataset, ax: Axes | None = None, *, case: Mapping[str, float] | None = None, title: str = ""
) -> Axes:
    """The body in its stance from its side and from behind, turned until gravity points down.

    Bones; all muscles, faint; the centre of mass of what is carried, with its plumb line; the places that carry or
    press the body with their forces; loads. Places that coincide in a view are one, with the sum of their forces. A
    surface that carries nothing is an open circle.

    Parameters
    ----------
    case
        Values on the sweep axes; the last of each axis where none is given.
    title
        Words above the legend.

    Returns
    -------
    The axes of the view from the side, or, lying, of the lower view.
    """
    require(dataset, NEEDS)
    chosen = one_case(dataset, case)
    ax = new_axes(ax, (7.2, 7.2))
    good = solved(chosen)
    up = chosen["up_direction"].values if good else np.array([0.0, 1.0, 0.0])
    lying = abs(up[1]) < 0.7
    parts = parts_of(ax, 2, 1) if lying else parts_of(ax, 1, 2)
    boxes = []
    for part, side in zip(parts, sides(up), strict=True):
        part.set_aspect("equal")
        part.set_xlabel(f"seen {side.viewer}: {side.across}")
        part.set_ylabel(side.upward)
        part.grid(True)
        if good:
            boxes.append(_draw(part, chosen, side))
        else:
            boxes.append(np.array([[-0.3, -0.9], [0.3, 0.9]]))
            part.text(0.5, 0.5, no_solution(chosen), ha="center", va="center", transform=part.transAxes)
    _set_limits(parts, boxes, 0 if lying else 1)
    handles = [
        Line2D([], [], color=FLESH, lw=0.8, label="muscles"),
        Line2D([], [], ls=":", color=INK, marker="o", mfc="white", ms=7, label="centre of mass, plumb line"),
        Line2D([], [], color=GREEN, marker=">", label="force that carries"),
    ]
    if good and len(_carried(chosen)[0]):
        handles.append(Line2D([], [], color=VERMILLION, marker=">", label="load"))
    name = title or str(chosen.attrs.get("stance", "")).replace("_", " ")
    legend_above(parts[0], heading_of(name, case_name(chosen, sweep_axes(dataset))), handles=handles, columns=1)
    return ax


def _set_limits(parts: Sequence[Axes], boxes: Sequence[np.ndarray], shared: int) -> None:
    """Both views at one scale: along the ``shared`` axis (0 across, 1 up) from end to end, else about their middles."""
    room = np.array([0.16, 0.12])  # [m] for numbers
    low, high = (np.array([box[end] for box in boxes]) for end in (0, 1))
    half = (high - low).max(axis=0) / 2
    for part, first, last in zip(parts, low, high, strict=True):
        middle = (first + last) / 2
        middle[shared] = (low[:, shared].min() + high[:, shared].max()) / 2
        reach = np.where(np.arange(2) == shared, np.ptp([low[:, shared], high[:, shared]]) / 2, half) + room
        part.set_xlim(middle[0] - reach[0], middle[0] + reach[0])
        part.set_ylim(middle[1] - reach[1], middle[1] + reach[1])


def _draw(ax: Axes, case: xr.Dataset, side: Side) -> np.ndarray:
    """One view; returns the lowest and the highest drawn point (2, 2) [m]."""
    plane = side.plane
    pieces, _ = muscle_segments(case, side.view, plane)
    ax.add_collection(LineCollection(list(pieces), colors=FLESH, linewidths=0.4, alpha=0.45, zorder=1))
    draw_bones(ax, case["bone_position"], side.view, SOLID, plane=plane)
    pushes = places(*_pushes(case), plane)
    points, weights = _carried(case)
    loads = places(points, weights, weights / np.linalg.norm(weights, axis=1, keepdims=True), plane)
    largest = max([LEAST, *(place.size for place in (*pushes, *loads))])
    _draw_surfaces(ax, pushes)
    ends = [_draw_force(ax, place, LONGEST / largest, GREEN, pushes, onto=True) for place in pushes]
    ends += [_draw_force(ax, place, LONGEST / largest, VERMILLION, loads, onto=False) for place in loads]
    mass = plane @ case["mass_position"].values
    if side.viewer != "from above":
        lowest = min(place.point[1] for place in pushes)
        ax.plot([mass[0]] * 2, [mass[1], lowest], color=INK, ls=":", lw=1.0, zorder=4)
    ax.plot(*mass, marker="o", ms=8, mfc="white", mec=INK, zorder=6)
    ax.plot(*mass, marker="+", ms=8, color=INK, zorder=7)
    bones = case["bone_position"].values @ plane.T
    drawn = np.concatenate([bones, pieces.reshape(-1, 2), np.array(ends).reshape(-1, 2)])
    return np.array([drawn.min(axis=0), drawn.max(axis=0)])


def _draw_surfaces(ax: Axes, pushes: Sequence[Place]) -> None:
    """A piece of surface at every place, and a thin line through those that push alike: ground, seat, bed."""
    lines: list[list[Place]] = []
    for place in pushes:
        size = float(np.linalg.norm(place.normal))
        if size < 0.5:  # seen from above
            continue
        tangent = PAD * np.array([place.normal[1], -place.normal[0]]) / size
        ends = np.array([place.point - tangent, place.point + tangent])
        ax.plot(*ends.T, color=INK, lw=2.2, solid_capstyle="butt", zorder=4)
        alike = next((line for line in lines if line[0].normal @ place.normal > ALONG), None)
        if alike is None:
            lines.append([place])
        else:
            alike.append(place)
    for line in lines:
        normal = line[0].normal
        order = sorted(line, key=lambda place: float(place.point @ [normal[1], -normal[0]]))
        ax.plot(*np.array([place.point for place in order]).T, color=GHOST, lw=1.0, zorder=1)


def _draw_force(
    ax: Axes, place: Place, scale: float, colour: str, others: Sequence[Place], *, onto: bool
) -> np.ndarray:
    """An arrow onto its point, or away from it, with its number at the other end; returns that end (2,) [m]."""
    length = float(np.linalg.norm(place.force))
    if place.size < LEAST or length < 0.5 * place.size:  # nothing, or seen from above
        ax.plot(*place.point, marker="o", ms=5, mfc="white", mec=colour, zorder=5)
        return place.point
    shift = place.force * max(scale, SHORTEST / length)
    far = place.point - shift if onto else place.point + shift
    tip, tail = (place.point, far) if onto else (far, place.point)
    arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", tuple(tip), tuple(tail), arrowprops=arrow, zorder=5)
    outward = (far - place.point) / np.linalg.norm(far - place.point)
    if abs(outward[0]) > 0.7:
        ha, va = "right" if outward[0] < 0.0 else "left", "center"
    else:
        ha, va = _beside(place, others), "top" if outward[1] < 0.0 else "bottom"
    ax.annotate(
        f"{place.size:.0f} N",
        tuple(far),
        tuple(3.0 * outward),
        textcoords="offset points",
        color=INK,
        zorder=8,
        ha=ha,
        va=va,
        bbox={"fc": "white", "ec": "none", "pad": 0.8, "alpha": 0.85},
    )
    return far


def _beside(place: Place, others: Sequence[Place]) -> str:
    """Alignment of a number: on the outer side where another place is near."""
    gaps = [place.point[0] - other.point[0] for other in others if other is not place]
    near = [gap for gap in gaps if abs(gap) < BESIDE]
    if not near:
        return "center"
    return "left" if min(near, key=abs) > 0.0 else "right"


def stance_caption(dataset: xr.Dataset, *, case: Mapping[str, float] | None = None, title: str = "") -> str:
    """What carries the body with which forces, where its mass is, and what is held hardest."""
    require(dataset, NEEDS)
    chosen = one_case(dataset, case)
    name = title or str(chosen.attrs.get("stance", "")).replace("_", " ")
    heading = heading_of(name, case_name(chosen, sweep_axes(dataset)))
    if not solved(chosen):
        return sentence(heading, no_solution(chosen))
    sizes = {
        str(support): float(np.linalg.norm(force))
        for support, force in zip(chosen["support"].values, chosen["support_force"].values, strict=True)
    }
    if "contact_force" in chosen:
        sizes |= {str(contact): float(force) for contact, force in chosen["contact_force"].to_series().items()}
    unit = unit_of(chosen["support_force"])
    carried = ", ".join(f"{place.replace('_', ' ')} {size:.0f} {unit}" for place, size in sizes.items())
    parts = [f"the body is carried or pressed at {carried}"]
    for words, held in (("supports hold", "support"), ("ideal moments hold", "locked")):
        if "locked_moment" in chosen and bool((chosen["held_by"] == held).any()):
            moments = chosen["locked_moment"].where(chosen["held_by"] == held, drop=True)
            most = int(np.abs(moments.values).argmax())
            size = abs(float(moments[most]))
            parts.append(f"{words} at most {four(size)} {unit_of(moments)}, at {moments['held'].values[most]}")
    return sentence(heading, "; ".join(parts))
