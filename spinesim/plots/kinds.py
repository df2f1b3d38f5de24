"""The kinds of figures by name, and how they are drawn in panels and saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spinesim.errors import InputError, ResultsFileError
from spinesim.plots.body import activation_limit, body_caption, body_frontal, body_sagittal
from spinesim.plots.buckling import NEEDS as BUCKLING_NEEDS
from spinesim.plots.buckling import buckling_mode, buckling_mode_caption
from spinesim.plots.comparison import (
    COURSE_NEEDS,
    FOREST_NEEDS,
    PARETO_NEEDS,
    RESPONDER_NEEDS,
    best_first,
    forest,
    forest_caption,
    pareto,
    pareto_caption,
    responders,
    responders_caption,
    time_course,
    time_course_caption,
)
from spinesim.plots.confusion import NEEDS as CONFUSION_NEEDS
from spinesim.plots.confusion import confusion, confusion_caption
from spinesim.plots.curves import tilt_and_lordosis, tilt_and_lordosis_caption
from spinesim.plots.effects import SOBOL_NEEDS, TORNADO_NEEDS, ranked, sobol, sobol_caption, tornado, tornado_caption
from spinesim.plots.loads import disc_loads, disc_loads_caption, foramen_area, foramen_area_caption
from spinesim.plots.maps import common_span, heat_map, heat_map_caption
from spinesim.plots.margins import NEEDS as STABILITY_NEEDS
from spinesim.plots.margins import (
    cocontraction,
    cocontraction_caption,
    most_cocontracting,
    stability,
    stability_caption,
)
from spinesim.plots.muscles import muscle_groups, muscle_groups_caption
from spinesim.plots.nerve_path import NEEDS as SCIATIC_NEEDS
from spinesim.plots.nerve_path import sciatic_path, sciatic_path_caption
from spinesim.plots.nerves import (
    OUTLINE_NEEDS,
    PRESSURE_NEEDS,
    foramen_outlines,
    foramen_outlines_caption,
    root_pressure,
    root_pressure_caption,
)
from spinesim.plots.overlay import lines, lines_caption
from spinesim.plots.stances import NEEDS as STANCE_NEEDS
from spinesim.plots.stances import stance, stance_caption
from spinesim.plots.style import PART, style

RESOLUTION = 200  #: of PNG files [dots per inch]
NARROWEST = 3.1  #: panel in which texts find their place [inch]
FORMATS = ("png", "svg", "pdf")


@dataclass(frozen=True)
class Kind:
    """One kind of figure."""

    draw: Callable[..., Axes]
    caption: Callable[..., str]
    description: str
    size: tuple[float, float]  #: of one panel [inch]
    needs: tuple[str, ...]  #: result variables
    same_scale: bool = True  #: whether panels share the horizontal scale too
    axes: tuple[int, ...] | None = None  #: numbers of sweep axes it draws; None: any, by choosing cases
    narrowest: float = NARROWEST  #: width of one of several panels [inch]
    together: bool = False  #: whether it draws several datasets, with their titles, in one panel

    @property
    def options(self) -> tuple[str, ...]:
        """Names of its options."""
        return tuple(
            name for name in signature(self.draw).parameters if name not in ("dataset", "datasets", "ax", "titles")
        )


_BODY = ("bone_position", "path_position", "activation", "anterior_pelvic_tilt", "lumbar_lordosis")

KINDS: dict[str, Kind] = {
    "tilt_and_lordosis": Kind(
        tilt_and_lordosis,
        tilt_and_lordosis_caption,
        "Change of pelvic tilt and lumbar lordosis along one sweep axis.",
        (6.5, 4.2),
        ("anterior_pelvic_tilt", "lumbar_lordosis"),
        same_scale=False,
        axes=(1,),
    ),
    "muscle_groups": Kind(
        muscle_groups,
        muscle_groups_caption,
        "Force of every muscle group, left and right, in one case.",
        (6.5, 5.0),
        ("muscle_force",),
    ),
    "disc_loads": Kind(
        disc_loads,
        disc_loads_caption,
        "Compression and anterior shear of every disc.",
        (6.5, 4.4),
        ("compression", "shear_anterior"),
    ),
    "foramen_area": Kind(
        foramen_area,
        foramen_area_caption,
        "Area of every foramen, left and right, or its change.",
        (6.5, 4.4),
        ("foramen_area",),
    ),
    "foramen_outlines": Kind(
        foramen_outlines,
        foramen_outlines_caption,
        "Outline of every foramen with its root, left and right, one case, the healthy one in grey.",
        (7.0, 5.6),
        OUTLINE_NEEDS,
    ),
    "root_pressure": Kind(
        root_pressure,
        root_pressure_caption,
        "Pressure on every root, left and right.",
        (6.5, 4.4),
        PRESSURE_NEEDS,
    ),
    "sciatic_path": Kind(
        sciatic_path,
        sciatic_path_caption,
        "Way of the sciatic nerve from canal to ankle, from the side, with its strain and the piriformis.",
        (5.6, 6.4),
        SCIATIC_NEEDS,
        same_scale=False,
    ),
    "body_sagittal": Kind(
        body_sagittal,
        body_caption,
        "The body from its right side: bones, muscles coloured by activation, the healthy ghost.",
        (4.0, 7.6),
        _BODY,
    ),
    "body_frontal": Kind(
        body_frontal,
        body_caption,
        "The body from behind: bones, muscles coloured by activation, the healthy ghost.",
        (4.0, 7.6),
        _BODY,
    ),
    "stance": Kind(
        stance,
        stance_caption,
        "The body in its stance with gravity down: what carries it, with which forces, and its centre of mass.",
        (7.2, 7.2),
        STANCE_NEEDS,
        same_scale=False,
        narrowest=5.6,
    ),
    "buckling_mode": Kind(
        buckling_mode,
        buckling_mode_caption,
        "The body and the way it would buckle, from the side and from behind.",
        (5.0, 7.4),
        BUCKLING_NEEDS,
    ),
    "stability": Kind(
        stability,
        stability_caption,
        "Stability margin, co-contraction and the compression it costs along one sweep axis.",
        (6.5, 7.2),
        STABILITY_NEEDS,
        same_scale=False,
        axes=(1,),
    ),
    "cocontraction": Kind(
        cocontraction,
        cocontraction_caption,
        "Activation of every muscle group: least effort, and what co-contraction adds.",
        (6.5, 4.8),
        ("group_activation", "group_cocontraction"),
    ),
    "lines": Kind(
        lines,
        lines_caption,
        "One number along one sweep axis, every run or value of a second axis a line with its name.",
        (7.2, 4.6),
        ("status",),
        axes=(1, 2),
        together=True,
    ),
    "heat_map": Kind(
        heat_map,
        heat_map_caption,
        "One number over two sweep axes, cases without a solution hatched.",
        (5.6, 4.4),
        ("status",),
        same_scale=False,
        axes=(2,),
    ),
    "confusion": Kind(
        confusion,
        confusion_caption,
        "How often clinical tests take one imbalance for another.",
        (8.6, 7.4),
        CONFUSION_NEEDS,
        narrowest=8.6,
    ),
    "forest": Kind(
        forest,
        forest_caption,
        "Benefit of programmes against nothing, with the middle 95 % of the people.",
        (6.8, 3.8),
        FOREST_NEEDS,
        same_scale=False,
        narrowest=4.4,
    ),
    "time_course": Kind(
        time_course,
        time_course_caption,
        "Benefit of programmes along the weeks.",
        (6.8, 4.6),
        COURSE_NEEDS,
    ),
    "responders": Kind(
        responders,
        responders_caption,
        "Benefit of every person against pelvic incidence.",
        (6.8, 4.4),
        RESPONDER_NEEDS,
    ),
    "pareto": Kind(
        pareto,
        pareto_caption,
        "Benefit of doses against their sessions, and the doses that no other beats.",
        (6.8, 4.4),
        PARETO_NEEDS,
        same_scale=False,
    ),
    "tornado": Kind(
        tornado,
        tornado_caption,
        "Change of one outcome over the range of every parameter, the largest on top.",
        (7.2, 5.2),
        TORNADO_NEEDS,
        narrowest=4.4,
    ),
    "sobol": Kind(
        sobol,
        sobol_caption,
        "First and total order Sobol' index of every parameter for one outcome.",
        (7.2, 5.2),
        SOBOL_NEEDS,
        narrowest=4.4,
    ),
}


def kind_of(name: str) -> Kind:
    """The kind of figure called ``name``.

    Raises
    ------
    InputError
        If there is none; the message gives the nearest name.
    """
    if name not in KINDS:
        near = get_close_matches(name, KINDS, 1)
        hint = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(KINDS)}."
        raise InputError(f"There is no figure kind {name}: {hint}")
    return KINDS[name]


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Raise InputError if a kind of figure does not know an option."""
    allowed = kind_of(name).options
    for option in options:
        if option not in allowed:
            raise InputError(f"{name} has no option {option}: allowed are {', '.join(allowed)}.")


def _panels(
    name: str, datasets: xr.Dataset | Sequence[xr.Dataset], titles: Sequence[str], options: Mapping[str, Any]
) -> list[tuple[Any, dict[str, Any]]]:
    """Dataset, or datasets drawn together, and options of each panel, with the scales that the panels share."""
    check_options(name, options)
    panels = [datasets] if isinstance(datasets, xr.Dataset) else list(datasets)
    if kind_of(name).together:
        return [(panels, {**options, "titles": list(titles)})]
    shared = dict(options)
    if "activation_max" in kind_of(name).options and shared.get("activation_max") is None and len(panels) > 1:
        shared["activation_max"] = activation_limit(panels)
    if "groups" in kind_of(name).options and shared.get("groups") is None and len(panels) > 1:
        shared["groups"] = most_cocontracting(panels)
    if "programmes" in kind_of(name).options and shared.get("programmes") is None and len(panels) > 1:
        shared["programmes"] = best_first(panels[0], **shared)
    if "span" in kind_of(name).options and shared.get("span") is None and len(panels) > 1:
        shared["span"] = common_span(panels, **shared)
    if "order" in kind_of(name).options and shared.get("order") is None and len(panels) > 1:
        shared["order"] = ranked(panels, kind_of(name).needs[-1], shared.get("outcome"))
    words = list(titles) or [""] * len(panels)
    return [
        (dataset, {**shared, "title": title} if title else shared) for dataset, title in zip(panels, words, strict=True)
    ]


def figure(
    kind: str, datasets: xr.Dataset | Sequence[xr.Dataset], *, titles: Sequence[str] = (), **options: Any
) -> Figure:
    """A figure of one kind, one panel per dataset, independent of any window system.

    Parameters
    ----------
    kind
        A name of ``KINDS``.
    datasets
        One result, or several for panels side by side with a common vertical scale; ``lines`` draws them in one.
    titles
        One title per dataset.
    options
        Those of the plotting function.

    Raises
    ------
    InputError
        If the kind or an option is unknown, or a dataset lacks what the figure draws.
    """
    panels = _panels(kind, datasets, titles, options)
    chosen = kind_of(kind)
    width, height = chosen.size
    if len(panels) > 1:
        width = max(chosen.narrowest, 1.2 * width / len(panels)) * len(panels)
    with style():
        whole = Figure(figsize=(width, height), layout="constrained")
        row = whole.subplots(1, len(panels), squeeze=False, sharey=True, sharex=chosen.same_scale)[0]
        for ax, (dataset, own) in zip(row, panels, strict=True):
            chosen.draw(dataset, ax, **own)
            if ax is not row[0]:
                ax.set_ylabel("")
        _align(whole)
    return whole


def _align(whole: Figure) -> None:
    """Give parts in the same place of all panels one vertical scale, named at the first."""
    places: dict[str, list[Axes]] = {}
    for ax in whole.axes:
        label = str(ax.get_label())
        if label.startswith(PART):
            places.setdefault(label, []).append(ax)
    for parts in places.values():
        low, high = zip(*(part.get_ylim() for part in parts), strict=True)
        for part in parts:
            part.set_ylim(min(low), max(high))
            if part is not parts[0]:
                part.set_ylabel("")


def caption(
    kind: str, datasets: xr.Dataset | Sequence[xr.Dataset], *, titles: Sequence[str] = (), **options: Any
) -> str:
    """The finding that a figure shows, in sentences computed from the data, one group per panel."""
    panels = _panels(kind, datasets, titles, options)
    return " ".join(kind_of(kind).caption(dataset, **own) for dataset, own in panels)


def save(whole: Figure, path: Path | str, words: str) -> Path:
    """Write a figure as PNG, SVG or PDF by the ending of ``path``, with its caption in the metadata.

    Raises
    ------
    InputError
        If the ending is another.
    ResultsFileError
        If the file cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lstrip(".").lower()
    keys = {
        "png": {"Description": words, "Software": "spinesim"},
        "svg": {"Description": words, "Creator": "spinesim", "Date": None},
        "pdf": {"Subject": words, "Creator": "spinesim", "CreationDate": None},
    }
    if ending not in keys:
        raise InputError(f"{path}: figures are saved as {', '.join(FORMATS)}, not as '{ending}'.")
    try:
        with style():
            whole.savefig(path, dpi=RESOLUTION, bbox_inches="tight", pad_inches=0.05, metadata=keys[ending])
    except OSError as error:
        raise ResultsFileError(f"{path}: the figure cannot be written ({error.strerror or error}).") from error
    return path
