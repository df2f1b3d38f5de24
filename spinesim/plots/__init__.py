"""Figures of any saved result, drawn without a model; labels and units come from the file."""

from spinesim.plots.body import body_frontal, body_sagittal
from spinesim.plots.buckling import buckling_mode
from spinesim.plots.comparison import forest, pareto, responders, time_course
from spinesim.plots.curves import tilt_and_lordosis
from spinesim.plots.effects import sobol, tornado
from spinesim.plots.kinds import KINDS, Kind, caption, check_options, figure, kind_of, save
from spinesim.plots.loads import disc_loads, foramen_area
from spinesim.plots.maps import heat_map
from spinesim.plots.margins import cocontraction, stability
from spinesim.plots.muscles import muscle_groups
from spinesim.plots.overlay import lines
from spinesim.plots.stances import stance

__all__ = [
    "KINDS",
    "Kind",
    "body_frontal",
    "body_sagittal",
    "buckling_mode",
    "caption",
    "check_options",
    "cocontraction",
    "disc_loads",
    "figure",
    "foramen_area",
    "forest",
    "heat_map",
    "kind_of",
    "lines",
    "muscle_groups",
    "pareto",
    "responders",
    "save",
    "sobol",
    "stability",
    "stance",
    "tilt_and_lordosis",
    "time_course",
    "tornado",
]
