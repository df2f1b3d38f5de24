"""spinesim: how muscle imbalance loads the lower back and its nerves.

>>> import spinesim as ss
>>> model = ss.load_model("adult")
>>> tight = ss.solve(model, {"tightness.hip_flexors": 15})
"""

from spinesim.assessment import assess, reading
from spinesim.compare import compare, course
from spinesim.confusion import confusion
from spinesim.dose import least_weeks, pareto
from spinesim.errors import (
    InfeasibleError,
    InputError,
    ModelError,
    NotConvergedError,
    ResultsFileError,
    SpinesimError,
    UnstableError,
)
from spinesim.imbalance import imbalances
from spinesim.model.read import load_model, model_names
from spinesim.model.scale import scaled
from spinesim.population import people
from spinesim.results import open_results
from spinesim.roles import stances
from spinesim.sensitivity import sensitivity
from spinesim.shards import merge
from spinesim.solve import solve
from spinesim.sweep import sweep

__all__ = [
    "InfeasibleError",
    "InputError",
    "ModelError",
    "NotConvergedError",
    "ResultsFileError",
    "SpinesimError",
    "UnstableError",
    "assess",
    "compare",
    "confusion",
    "course",
    "imbalances",
    "least_weeks",
    "load_model",
    "merge",
    "model_names",
    "open_results",
    "pareto",
    "people",
    "reading",
    "scaled",
    "sensitivity",
    "solve",
    "stances",
    "sweep",
]
