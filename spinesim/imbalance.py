"""Named imbalances: a severity from 0 to 1 stands for a set of parameter values.

At severity s every parameter of the set has the value (1 - s) healthy + s value, where ``value`` is that of the model
file. What an imbalance and a user say about the same name combines: strength and stiffness multiply, inhibition takes
the smaller; tone, tightness and loads take the larger. Between names of different rank the more specific wins, as
everywhere (:mod:`spinesim.parameters`). At severity 0 nothing is set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from spinesim import parameters
from spinesim.model.parts import Imbalance, Model, Sourced
from spinesim.parameters import Values

PREFIX = "imbalance."
_BOUNDING = ("tone.", "inhibition.", "iap.")  # what `parameters.check_bounds` compares


def imbalances(model: Model) -> dict[str, Imbalance]:
    """The named imbalances of a model, each with what it sets at severity 1 and where the numbers come from.

    Returns
    -------
    dict
        By name. ``imbalances(model)["lower_crossed"].values()`` holds the values by parameter name, each in the unit
        of the register; those of an imbalance of one side take ``values("left")`` or ``values("right")``.
    """
    return dict(model.imbalances)


def expand(model: Model, columns: Mapping[str, Values]) -> dict[str, Values]:
    """Parameter values in which every named imbalance is replaced by what it sets.

    Parameters
    ----------
    columns
        Checked values by parameter name in the units of the register, one value or one per case, (n_cases,) float64.

    Returns
    -------
    dict
        Likewise, without names that begin with ``imbalance.``; the same bits in any order of the names. NaN in cases
        in which nobody sets that name. A name that is set in no case is left out.
    """
    result = {name: column for name, column in columns.items() if not name.startswith(PREFIX)}
    touched: dict[str, None] = {}
    for name in sorted(columns.keys() - result.keys()):
        for target, value in _values(model, name).items():
            amount = at_severity(target, value, columns[name])
            result[target] = parameters.combined(target, result.get(target, math.nan), amount)
            touched[target] = None
    for target in touched:
        column = np.asarray(result.pop(target))
        if np.isnan(column).all():
            continue
        if target.partition(".")[0] not in parameters.FAMILIES:  # loads and lengths have no ranks: not set is 0
            column = np.where(np.isnan(column), 0.0, column)
        result[target] = column if column.ndim else float(column)
    return result


def at_severity(name: str, value: float, severity: Values) -> np.ndarray:
    """Value of a parameter at a severity: linear from the healthy value, exact at both ends; NaN (not set) at 0.

    Parameters
    ----------
    name
        A parameter over muscles or a load.
    value
        At severity 1, in the unit of the register.
    severity
        From 0 to 1, one or one per case.
    """
    share = np.asarray(severity, dtype=np.float64)
    between = (1.0 - share) * parameters.healthy(name) + share * value
    result: np.ndarray = np.where(share == 0.0, math.nan, between)
    return result


def bounds(model: Model, name: str) -> bool:
    """Whether a parameter sets an upper or lower bound of activation or pressure, itself or as an imbalance."""
    targets = _values(model, name) if name.startswith(PREFIX) else (name,)
    return any(target.startswith(_BOUNDING) for target in targets)


def setting_words(name: str, value: float) -> str:
    """A parameter and its value with its unit, such as ``tightness.hip_flexors = 20 deg``."""
    unit = parameters.unit(name)
    return f"{name} = {value:g}" + (f" {unit}" if unit != "1" else "")


def source_words(row: Sourced) -> str:
    """Source and confidence of a number, such as ``boukabache2021, read``, or ``assumed``."""
    return row.source if row.source == row.confidence else f"{row.source}, {row.confidence}"


def _values(model: Model, name: str) -> dict[str, float]:
    """Values at severity 1 of ``imbalance.preset`` or ``imbalance.preset.side``."""
    preset, _, side = name.removeprefix(PREFIX).partition(".")
    return model.imbalances[preset].values(side)
