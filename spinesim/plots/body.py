"""The body as the model has it, from the side and from behind: bones, muscle lines, the healthy ghost.

Bones are drawn from landmarks alone. A vertebra is the outline of its end-plate corners; the landmarks lie in its
middle plane, so from behind it is drawn as wide as it is deep. The head is a circle about its centre of mass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch, Polygon
from matplotlib.transforms import ScaledTranslation

from spinesim.errors import InputError
from spinesim.plots.cases import (
    case_name,
    heading_of,
    no_solution,
    one_case,
    require,
    sentence,
    solved,
    sweep_axes,
)
from spinesim.plots.style import ACTIVATION, BLUE, BONE, GHOST, INK, legend_above, level_name, new_axes, unit_of

Points = Mapping[str, np.ndarray]  #: landmark name -> position [m]
Shape = tuple[np.ndarray, bool]  #: outline (n, 3) [m], and whether it is closed


@dataclass(frozen=True)
class Look:
    """How the bones of one body are drawn."""

    colour: str
    face: str
    dashes: Any
    width: float
    order: int  #: above what has a smaller one


SOLID = Look(INK, BONE, "-", 1.1, 2)
HEALTHY = Look(GHOST, "none", (0, (3, 2)), 1.0, 1)

VERTEBRAE = ("T12", "L1", "L2", "L3", "L4", "L5")
PELVIS = ("asis", "iliac_crest_top", "psis", "hip", "pubic_tubercle")
THORAX = ("t12_body_centre", "t9_body_centre", "t7_body_centre", "t4_body_centre", "t1_centroid", "t1_sup_centre")
LEG = ("hip", "knee", "ankle")
KNOWN = {f"{name}_{side}" for name in (*PELVIS, *LEG) for side in ("r", "l")} | {
    *THORAX,
    *(f"{name}_sup_ant" for name in (*VERTEBRAE, "S1")),
}  #: landmarks by which a body is recognised
HEAD_RADIUS = 0.085  #: [m] (assumed, for the eye only)
#: What is shown: forward or to the right, and above the hip axis [m]; the whole body is shown wherever it is.
REGIONS = {"whole": ((-0.4, 0.4), (-0.9, 0.85)), "lumbar": ((-0.14, 0.12), (-0.06, 0.36))}
ARROW_LENGTH = 0.03  #: of the largest compression [m]
#: World directions drawn to the right and up, as rows.
VIEWS = {
    "sagittal": np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
    "frontal": np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
}


def points_of(position: xr.DataArray) -> dict[str, np.ndarray]:
    """Landmark positions by name [m]; the hip centres under the names of the hip joints."""
    points = {str(name): value for name, value in zip(position["bone_point"].values, position.values, strict=True)}
    for side in ("r", "l"):
        if f"hip_{side}" not in points and f"hip_centre_{side}" in points:
            points[f"hip_{side}"] = points[f"hip_centre_{side}"]
    return points


def vertebra(points: Points, name: str, view: str) -> np.ndarray | None:
    """Corners of a vertebral body (4, 3) [m], or None if the model has no such landmarks."""
    names = [f"{name}_{corner}" for corner in ("sup_ant", "sup_post", "inf_post", "inf_ant")]
    if not all(corner in points for corner in names):
        return None
    sup_ant, sup_post, inf_post, inf_ant = (points[corner] for corner in names)
    if view == "sagittal":
        return np.array([sup_ant, sup_post, inf_post, inf_ant])
    top, bottom = (sup_ant + sup_post) / 2, (inf_ant + inf_post) / 2
    right = np.cross(sup_ant - sup_post, top - bottom)
    right *= np.linalg.norm(sup_ant - sup_post) / 2 / np.linalg.norm(right)
    return np.array([top + right, top - right, bottom - right, bottom + right])


def _path(points: Points, names: Sequence[str], closed: bool) -> Shape | None:
    found = [points[name] for name in names if name in points]
    return (np.array(found), closed) if len(found) > 1 else None


def shapes_of(position: xr.DataArray, view: str) -> list[Shape]:
    """Outlines and lines of all bones; a body without a known outline is drawn as a line through its landmarks."""
    points = points_of(position)
    shapes: list[Shape | None] = []
    for side in ("r", "l"):
        shapes.append(_path(points, [f"{name}_{side}" for name in LEG], False))
        shapes.append(_path(points, [f"{name}_{side}" for name in PELVIS], True))
    shapes.append(_path(points, ("pubic_tubercle_r", "pubic_tubercle_l"), False))
    if view == "frontal":
        shapes.append(_path(points, ("shoulder_centre_r", "t1_centroid", "shoulder_centre_l"), False))
    shapes.append(_path(points, THORAX, False))
    shapes.append(_path(points, ("S1_sup_ant", "S1_sup_post"), False))
    for name in VERTEBRAE:
        corners = vertebra(points, name, view)
        shapes.append(None if corners is None else (corners, True))
    bodies = position["bone_body"].values.astype(str)
    names = position["bone_point"].values.astype(str)
    for body in dict.fromkeys(bodies):
        own = names[bodies == body]
        if not any(name in KNOWN for name in own):
            shapes.append(_path(points, list(own), False))
    return [shape for shape in shapes if shape is not None]


def draw_bones(
    ax: Axes, position: xr.DataArray, view: str, look: Look, shift: float = 0.0, plane: np.ndarray | None = None
) -> None:
    """Outlines, lines and head of one body, ``shift`` [m] to the right of its place.

    ``plane`` (2, 3) are other directions than those of the view to draw to the right and up.
    """
    plane = VIEWS[view] if plane is None else plane
    aside = np.array([shift, 0.0])
    edge: dict[str, Any] = {"ls": look.dashes, "zorder": look.order}
    for shape, closed in shapes_of(position, view):
        flat = shape @ plane.T + aside
        if closed:
            ax.add_patch(Polygon(flat, closed=True, fc=look.face, ec=look.colour, lw=look.width, **edge))
        else:
            ax.plot(flat[:, 0], flat[:, 1], color=look.colour, lw=look.width + 0.6, **edge)
    head = points_of(position).get("head_com")
    if head is not None:
        ax.add_patch(
            Circle(tuple(plane @ head + aside), HEAD_RADIUS, fill=False, ec=look.colour, lw=look.width, **edge)
        )


def check_region(region: str) -> None:
    """Raise InputError unless the region is known."""
    if region not in REGIONS:
        raise InputError(f"There is no body region {region}: allowed are {', '.join(REGIONS)}.")


def muscle_segments(case: xr.Dataset, view: str, plane: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Straight pieces of all muscle paths (n, 2, 2) [m] and the activation of each, the least active first."""
    owner = case["path_muscle"].values.astype(str)
    flat = case["path_position"].values @ (VIEWS[view] if plane is None else plane).T
    same = owner[1:] == owner[:-1]
    pieces = np.stack([flat[:-1], flat[1:]], axis=1)[same]
    activation = case["activation"].to_series()
    values = activation.loc[owner[1:][same]].to_numpy(dtype=float)
    order = np.argsort(values, kind="stable")
    return pieces[order], values[order]


def _draw_muscles(ax: Axes, case: xr.Dataset, view: str, top: float) -> None:
    pieces, values = muscle_segments(case, view)
    scale = Normalize(0.0, top)
    widths = 0.5 + 1.8 * np.clip(values / top, 0.0, 1.0)
    lines = LineCollection(list(pieces), colors=ACTIVATION(scale(values)), linewidths=widths, zorder=3)
    ax.add_collection(lines, autolim=True)
    below = ScaledTranslation(0.0, -0.68, ax.figure.dpi_scale_trans)  # [inch]
    bar = ax.figure.colorbar(
        ScalarMappable(scale, ACTIVATION),
        cax=ax.inset_axes((0.0, 0.0, 1.0, 0.016), transform=ax.transAxes + below),
        orientation="horizontal",
        ticks=[0.0, top / 2, top],
        extend="max" if values.max() > top else "neither",
    )
    bar.set_label("activation")


def _draw_compression(ax: Axes, case: xr.Dataset, view: str, named: bool) -> None:
    """Arrows onto the lower vertebra of every disc, with level and force at the right margin if ``named``."""
    plane = VIEWS[view]
    points = points_of(case["bone_position"])
    forces = case["compression"].to_series()
    largest = float(forces.abs().max())
    heights, names = [], []
    for level, force in forces.items():
        lower = str(level).split("_")[1]
        if f"{lower}_sup_ant" not in points:
            continue
        front, back = points[f"{lower}_sup_ant"], points[f"{lower}_sup_post"]
        along = front - back
        normal = np.array([-along[1], along[0], 0.0])
        tip = (front + back) / 2
        tail = tip + normal / np.linalg.norm(normal) * ARROW_LENGTH * float(force) / largest
        arrow = {"arrowstyle": "-|>", "color": BLUE, "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", tuple(plane @ tip), tuple(plane @ tail), arrowprops=arrow, zorder=5)
        heights.append((plane @ tip)[1])
        names.append(f"{level_name(level)}  {float(force):.0f} {unit_of(case['compression'])}")
    if named:
        margin = ax.secondary_yaxis("right")
        margin.set_yticks(heights, names, color=BLUE)


def _body(
    dataset: xr.Dataset,
    ax: Axes,
    view: str,
    case: Mapping[str, float] | None,
    activation_max: float | None,
    arrows: bool,
    region: str,
    title: str,
) -> Axes:
    require(dataset, ("bone_position", "path_position", "activation"))
    chosen = one_case(dataset, case)
    check_region(region)
    ax.set_aspect("equal")
    handles: list[Line2D | Patch] = [Patch(fc=BONE, ec=INK, label="bones of the model")]
    if "healthy_bone_position" in chosen and bool(chosen["healthy_bone_position"].notnull().all()):
        draw_bones(ax, chosen["healthy_bone_position"], view, HEALTHY)
        handles.append(Line2D([], [], color=HEALTHY.colour, ls=HEALTHY.dashes, label="healthy"))
    if solved(chosen):
        draw_bones(ax, chosen["bone_position"], view, SOLID)
        _draw_muscles(ax, chosen, view, activation_max or activation_limit([chosen]))
        if arrows:
            require(dataset, ("compression",))
            _draw_compression(ax, chosen, view, named=region == "lumbar")
            handles.append(Line2D([], [], color=BLUE, marker=">", label="compression of the discs"))
    else:
        ax.text(0.5, 0.5, no_solution(chosen), ha="center", va="center", transform=ax.transAxes)
    ax.autoscale_view()
    (left, right), (bottom, top) = REGIONS[region]
    if region == "whole":
        (low, high), (foot, head) = ax.get_xlim(), ax.get_ylim()
        left, right, bottom, top = min(left, low), max(right, high), min(bottom, foot), max(top, head)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ax.set_xlabel("forward [m]" if view == "sagittal" else "to the right, seen from behind [m]")
    ax.set_ylabel("above the hip axis [m]")
    ax.grid(True)
    legend_above(ax, heading_of(title, case_name(chosen, sweep_axes(dataset))), handles=handles, columns=1)
    return ax


def activation_limit(datasets: Sequence[xr.Dataset]) -> float:
    """Top of the activation scale: what all but 2 % of the fascicles stay below in every dataset, rounded up."""
    largest = max(float(dataset["activation"].quantile(0.98)) for dataset in datasets)
    if not np.isfinite(largest):
        return 1.0
    return float(next(step for step in (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0) if step >= min(largest, 1.0)))


def body_sagittal(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    case: Mapping[str, float] | None = None,
    activation_max: float | None = None,
    arrows: bool = False,
    region: Literal["whole", "lumbar"] = "whole",
    title: str = "",
) -> Axes:
    """The body from its right side, facing right: bones, muscle lines coloured by activation, the healthy ghost.

    Parameters
    ----------
    case
        Values on the sweep axes; the last of each axis where none is given.
    activation_max
        Top of the activation scale [1].
    arrows
        Draw the compression of every disc.
    region
        ``whole`` or ``lumbar``.
    title
        Words above the legend.
    """
    ax = new_axes(ax, (4.0, 7.6))
    return _body(dataset, ax, "sagittal", case, activation_max, arrows, region, title)


def body_frontal(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    case: Mapping[str, float] | None = None,
    activation_max: float | None = None,
    arrows: bool = False,
    region: Literal["whole", "lumbar"] = "whole",
    title: str = "",
) -> Axes:
    """The body from behind, its right side on the right; parameters as for `body_sagittal`."""
    ax = new_axes(ax, (4.0, 7.6))
    return _body(dataset, ax, "frontal", case, activation_max, arrows, region, title)


def body_caption(
    dataset: xr.Dataset,
    *,
    case: Mapping[str, float] | None = None,
    activation_max: float | None = None,
    arrows: bool = False,
    region: str = "whole",
    title: str = "",
) -> str:
    """Tilt, lordosis and the most active muscle of the case."""
    require(dataset, ("anterior_pelvic_tilt", "lumbar_lordosis", "activation"))
    chosen = one_case(dataset, case)
    heading = heading_of(title, case_name(chosen, sweep_axes(dataset)))
    if not solved(chosen):
        return sentence(heading, no_solution(chosen))
    activation = chosen["activation"]
    most = int(activation.values.argmax())
    muscle = str(chosen["anatomical_muscle"].values[most]).replace("_", " ")
    side = str(chosen["muscle_side"].values[most])
    tilt = float(chosen["anterior_pelvic_tilt"])
    amount = f"{'backward' if tilt < 0.0 else 'forward'} by {abs(tilt):.1f} deg"
    text = (
        f"the pelvis is {f'tilted {amount}' if abs(tilt) >= 0.05 else 'not tilted'}, with a lumbar "
        f"lordosis of {float(chosen['lumbar_lordosis']):.1f} deg; the most active fascicle belongs to the {muscle}, "
        f"{side}, {float(activation[most]):.2f}"
    )
    return sentence(heading, text)
