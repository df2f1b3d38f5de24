"""One case: posture or balance, then loads, then the room of the nerves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import xarray as xr

from spinesim import parameters
from spinesim.cases import case_arrays, names, subject
from spinesim.errors import InfeasibleError, InputError, NotConvergedError
from spinesim.kernels import jit
from spinesim.kernels.arrays import CaseArrays, Floats, HeldAngles, Outputs
from spinesim.kernels.case import solve_chain
from spinesim.kernels.rhythm import complete_chain
from spinesim.kernels.work import workspace
from spinesim.labelled import labelled
from spinesim.model.pack import ByIdentity, pack
from spinesim.model.parts import Model
from spinesim.model.scale import scaled
from spinesim.outputs import empty_outputs
from spinesim.stance import TRUNK_ANGLES, PackedStance, check_posture, completion, hold, no_held, pack_stance

Complete = Literal["rhythm", "find"]


@dataclass(frozen=True, eq=False)
class Task:
    """What is asked of a model: a stance, and a posture to hold (wholly or in some angles) or to find."""

    model: Model
    stance: str
    angles: dict[str, float]  #: held posture angles [rad]
    find: bool


def make_task(model: Model, stance: str, posture: Mapping[str, float] | None, complete: str) -> Task:
    """Check stance, posture and completion.

    Raises
    ------
    InputError
        For an unknown stance, posture angle or completion.
    """
    if complete not in ("rhythm", "find"):
        raise InputError(f"complete = {complete!r} is not allowed: it must be 'rhythm' or 'find'")
    packed = pack_stance(pack(model), stance)
    find = posture is None or complete == "find"
    if posture is None:
        angles = dict(packed.stance.held)
    else:
        angles = check_posture(packed, posture)
        if find:
            angles = {**packed.stance.held, **angles}
    if not find or angles:
        completion(packed, angles)
    return Task(model, stance, angles, find)


def solve(
    model: Model,
    parameters: Mapping[str, float] | None = None,
    *,
    stance: str = "standing",
    posture: Mapping[str, float] | None = None,
    complete: Complete = "rhythm",
    criterion: str = "effort2",
    raise_on_failure: bool = True,
) -> xr.Dataset:
    """Posture, muscle forces, disc loads and foramen sizes of one case.

    Parameters
    ----------
    model
        A checked model, such as ``load_model("adult")``.
    parameters
        Values by parameter name, each in the unit that ``spinesim parameters`` lists; the rest at their defaults.
    stance
        How the body is supported: one of ``model.stances``.
    posture
        Angles to hold [deg], such as ``{"trunk_flexion": 40}``. Without it the posture is found.
    complete
        How angles that ``posture`` does not name follow: by the published ``"rhythm"``, or ``"find"``: they are found.
    criterion
        What the activations minimise: ``"effort2"``, the sum of squares weighted by muscle volume.
    raise_on_failure
        False: a case without a solution comes back with its status and NaN.

    Returns
    -------
    xarray.Dataset
        One case; dimensions ``muscle``, ``level``, ``side`` and so on, units and one sentence with every variable.

    Raises
    ------
    InputError
        For an unknown name, a value out of its range, or a posture that contradicts itself.
    InfeasibleError
        If no muscle forces balance the joints; names the joint and the missing moment [N m].
    NotConvergedError
        If the solver stopped before its tolerances were met.
    """
    check_criterion(criterion)
    settings = check_settings(model, parameters)
    body_mass, stature = subject(model, settings)
    person = resized(model, body_mass, stature)
    task = make_task(person, stance, posture, complete)
    columns = {name: np.array([value]) for name, value in settings.items()}
    packed = pack_stance(pack(person), stance)
    out = run_chain(task, columns, 1)
    dataset = labelled(packed, out, settings=settings, find=task.find, angles=task.angles, pictures=True)
    if raise_on_failure:
        raise_failure(packed, dataset)
    return dataset


def check_criterion(criterion: str) -> None:
    """Refuse a criterion that is not offered."""
    if criterion != "effort2":
        raise InputError(f"criterion = {criterion!r} is not allowed: it must be 'effort2'")


def check_settings(model: Model, settings: Mapping[str, float] | None) -> dict[str, float]:
    """Parameter values, once every name and value is known to be legal for the model."""
    checked = parameters.check(names(pack(model)), settings or {})
    check_hands(model, checked)
    return checked


def check_hands(model: Model, wanted: Iterable[str]) -> None:
    """Refuse hand loads on a model without hands."""
    loads = [name for name in wanted if name.startswith("load.")]
    if loads and model.hand is None:
        raise InputError(f"{loads[0]}: the model {model.name} has no hands")


@lru_cache(maxsize=16)
def _resized(key: ByIdentity, body_mass: float, stature: float) -> Model:
    return scaled(key.model, body_mass=body_mass, stature=stature)


def resized(model: Model, body_mass: float, stature: float) -> Model:
    """The model scaled to a person; the model itself where mass and stature are its own."""
    if (body_mass, stature) == (model.body_mass, model.stature):
        return model
    return _resized(ByIdentity(model), body_mass, stature)


def run_chain(task: Task, columns: Mapping[str, Floats], count: int) -> Outputs:
    """Solve a chain of cases: the first cold, each further one from the one before."""
    stance = pack_stance(pack(task.model), task.stance)
    held, values = hold(stance, task.angles) if task.find else (no_held(stance.arrays), np.zeros(0))
    cases = case_arrays(stance, columns, count, values)
    aside = (*TRUNK_ANGLES[1:], ".bend", ".turn")
    if any(name.endswith(aside) and value for name, value in task.angles.items()):
        cases.symmetric[:] = False
    start = start_postures(stance, task, cases)
    model = stance.packed.arrays._replace(level_reference=stance.compression)
    out = empty_outputs(model, stance.arrays, count)
    work = workspace(model, stance.arrays)
    solve_chain(model, stance.arrays, cases, held, task.find, start, work, out)
    return out


def start_postures(stance: PackedStance, task: Task, cases: CaseArrays) -> Floats:
    """The posture to hold in every case, or the cold start of a found one (nc, nu) [rad].

    Raises
    ------
    NotConvergedError
        If named angles cannot be completed to a posture.
    """
    count = cases.strength.shape[0]
    start = np.zeros((count, stance.arrays.n_free))
    if task.find and not task.angles:
        return start
    plan = completion(stance, task.angles)
    held, values = hold(stance, plan.angles)
    conditions: CaseArrays = cases._replace(held=np.tile(values, (count, 1)))
    found = np.zeros(count, dtype=np.bool_)
    model = stance.packed.arrays
    complete_chain(
        model,
        stance.arrays,
        conditions,
        HeldAngles(*held),
        plan.modes,
        plan.centred,
        workspace(model, stance.arrays),
        start,
        found,
    )
    if not found.all():
        named = ", ".join(task.angles)
        raise NotConvergedError(f"no posture of {stance.stance.name} meets the angles named ({named})")
    return start


def raise_failure(stance: PackedStance, dataset: xr.Dataset) -> None:
    """Raise what the status of a single case says."""
    status = str(dataset.status.item())
    if status == "infeasible":
        missing = dataset.missing_moment
        worst = int(np.abs(missing.values).argmax())
        moment = float(missing[worst])
        raise InfeasibleError(
            f"no muscle forces balance {missing.coordinate.values[worst]} in {stance.stance.name}: "
            f"{moment:+.3g} N m are missing there"
        )
    if status != "solved":
        raise NotConvergedError(
            f"the solver stopped after {int(dataset.iterations)} rounds in {stance.stance.name} "
            "before its tolerances were met"
        )
    jit.mark_compiled()
