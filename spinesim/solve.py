"""One case: posture or balance, then loads, then the room of the nerves."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import xarray as xr

from spinesim import parameters
from spinesim.cases import Subject, case_arrays, names, subject
from spinesim.errors import InfeasibleError, InputError, NotConvergedError, UnstableError
from spinesim.imbalance import expand
from spinesim.kernels import jit
from spinesim.kernels.arrays import CaseArrays, Floats, HeldAngles, Outputs
from spinesim.kernels.case import solve_chain
from spinesim.kernels.rhythm import complete_chain
from spinesim.kernels.work import workspace
from spinesim.labelled import labelled
from spinesim.model.pack import ByIdentity, pack
from spinesim.model.parts import Model
from spinesim.model.sagittal import aligned
from spinesim.model.scale import scaled
from spinesim.outputs import empty_outputs
from spinesim.stance import (
    PELVIC_ANGLES,
    TRUNK_ANGLES,
    PackedStance,
    check_posture,
    completion,
    hold,
    no_held,
    pack_stance,
    with_held,
)
from spinesim.structures import structure_moments

Complete = Literal["rhythm", "find"]
POWERS = (1.5, 4.0)  # of the cost; at 4 one balance in fifty does not converge, and above most do not
POSTURE = "posture."  #: before the posture angle that is an axis of a sweep, such as ``posture.trunk_flexion``
MARGINS = 1e4  # [N m/rad] ten times what fully active muscles give


@dataclass(frozen=True, eq=False)
class Task:
    """What is asked of a model: a stance, and a posture to hold (wholly or in some angles) or to find."""

    model: Model
    stance: str
    angles: dict[str, float]  #: held posture angles [rad]
    find: bool
    power: float = 2.0  #: of the cost of activations; 0: the worst activation
    volume: bool = True  #: weighted with muscle volume, else all muscles alike
    stability: float | bool = False  #: margin demanded [N m/rad]; True: that of the model, False: none

    def words(self) -> dict[str, str]:
        """What was asked, as attributes of a result."""
        angles = {name: math.degrees(value) for name, value in self.angles.items()}
        criterion = f"effort{self.power:g}" if self.power else "minmax"
        return {
            "posture": "found" if self.find else "held",
            "held_angles_deg": json.dumps(angles),
            "criterion": criterion,
            "weights": "volume" if self.volume else "unit",
            "stability_demanded": "none" if self.margin == -math.inf else f"{self.margin:g} N m/rad",
        }

    @property
    def margin(self) -> float:
        """Least stiffness demanded of every motion [N m/rad], or -inf."""
        if isinstance(self.stability, bool):
            return self.model.stability.margin if self.stability else -math.inf
        return self.stability


def make_task(
    model: Model,
    stance: str,
    posture: Mapping[str, float] | None,
    complete: str,
    criterion: str = "effort2",
    weights: str = "volume",
    stability: float | bool | None = None,
) -> Task:
    """Check stance, posture, completion, criterion and stability.

    Raises
    ------
    InputError
        For an unknown stance, posture angle, completion, criterion, weights or stability.
    """
    if complete not in ("rhythm", "find"):
        raise InputError(f"complete = {complete!r} is not allowed: it must be 'rhythm' or 'find'")
    packed = pack_stance(pack(model), stance)
    find = posture is None or complete == "find"
    angles = with_held(packed, check_posture(packed, posture or {}))
    if not find or angles:
        completion(packed, angles)
    power = check_criterion(criterion)
    if weights not in ("volume", "unit"):
        raise InputError(f"weights = {weights!r} is not allowed: it must be 'volume' or 'unit'")
    if find and (power != 2.0 or weights != "volume"):
        raise InputError(
            f"criterion = {criterion!r} with weights = {weights!r} needs a held posture: where the posture is found, "
            "effort is measured from the activations of healthy standing, squared and weighted with volume"
        )
    demanded = _stability(stability, find)
    if power == 0.0 and demanded is not False:
        raise InputError("criterion = 'minmax' cannot be combined with stability: ask for 'effort2' or 'effort3'")
    return Task(model, stance, angles, find, power, weights == "volume", demanded)


def check_criterion(criterion: str) -> float:
    """Power of the cost that a criterion names; 0 for the worst activation.

    Raises
    ------
    InputError
        For any other word than ``"effort2"``, ``"effort3"``, ``"effort<p>"`` with p from 1.5 to 4, or ``"minmax"``.
    """
    if criterion == "minmax":
        return 0.0
    try:
        power = float(criterion.removeprefix("effort")) if criterion.startswith("effort") else math.nan
    except ValueError:
        power = math.nan
    if not POWERS[0] <= power <= POWERS[1]:
        raise InputError(
            f"criterion = {criterion!r} is not allowed: it must be 'effort' and a power from {POWERS[0]:g} to "
            f"{POWERS[1]:g}, such as 'effort2' or 'effort3', or 'minmax'"
        )
    return power


def _stability(wanted: float | bool | None, find: bool) -> float | bool:
    """What is demanded, once it is known to be legal; by default the model's margin where the posture is found."""
    if wanted is None or isinstance(wanted, bool | np.bool_):
        return find if wanted is None else bool(wanted)
    if not isinstance(wanted, int | float | np.number) or not abs(float(wanted)) <= MARGINS:
        raise InputError(
            f"stability = {wanted!r} is not allowed: it must be True, False or a margin from {-MARGINS:g} to "
            f"{MARGINS:g} N m/rad"
        )
    return float(wanted)


def solve(
    model: Model,
    parameters: Mapping[str, float] | None = None,
    *,
    stance: str = "standing",
    posture: Mapping[str, float] | None = None,
    complete: Complete = "rhythm",
    criterion: str = "effort2",
    weights: str = "volume",
    stability: float | bool | None = None,
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
        What the activations of a held posture minimise: ``"effort2"``, the weighted sum of their squares, likewise
        ``"effort3"`` or any power from 1.5 to 4, or ``"minmax"``, the largest activation (ties by ``"effort2"``).
    weights
        ``"volume"``: a muscle counts by its volume, so that one cut in two costs the same; ``"unit"``: all alike.
    stability
        Least stiffness [N m/rad] of every motion of pelvis and spine against small disturbances. True asks for the
        margin of the model, False for none. By default it is asked for where the posture is found.
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
        If no muscle forces balance the joints; names the joint, the missing moment [N m] and the saturated muscles.
    UnstableError
        If muscle forces balance the joints, but none with the stability demanded; an `InfeasibleError`.
    NotConvergedError
        If the solver stopped before its tolerances were met.
    """
    settings = check_settings(model, parameters)
    person = resized(model, subject(model, settings))
    task = make_task(person, stance, posture, complete, criterion, weights, stability)
    columns = {name: np.array([value]) for name, value in settings.items()}
    packed = pack_stance(pack(person), stance)
    out, cases = run_chain(task, columns, 1)
    moments = structure_moments(packed, cases, out)
    dataset = labelled(packed, out, settings=settings, task=task.words(), pictures=True, moments=moments)
    if raise_on_failure:
        raise_failure(packed, dataset, cases)
    return dataset


def check_settings(model: Model, settings: Mapping[str, float] | None) -> dict[str, float]:
    """Parameter values, once every name and value is known to be legal for the model."""
    known = names(pack(model))
    checked = parameters.check(known, settings or {})
    parameters.check_bounds(known, expand(model, checked))
    check_parts(model, checked)
    return checked


def check_parts(model: Model, wanted: Iterable[str]) -> None:
    """Refuse loads, pressures, leg lengths and so on, on a model without the parts that they need."""
    legs = [c for c in model.coordinates if c.full_name == "knee_r.flexion"]
    list_of_pelvis = [c for c in model.coordinates if c.full_name == "pelvis.list"]
    for start, part, words in (
        ("load.hand", model.hand, "hands"),
        ("load.reach", model.hand, "hands"),
        ("load.shoulder", model.carry, "shoulders that carry"),
        ("load.back", model.carry, "back that carries"),
        ("iap.", model.abdomen, "abdomen"),
        ("ligamentum_flavum.", model.foramen_outline, "foramina"),
        ("subject.root_size", model.roots, "nerve roots"),
        ("piriformis.", model.sciatic, "sciatic nerves"),
        ("leg_length.", list_of_pelvis, "pelvis that lists"),
        ("passive.", legs, "legs with hips and knees"),
    ):
        named = [name for name in wanted if name.startswith(start)]
        if named and not part:
            raise InputError(f"{named[0]}: the model {model.name} has no {words}")


@lru_cache(maxsize=16)
def _resized(key: ByIdentity, who: Subject) -> Model:
    person = aligned(
        key.model,
        pelvic_incidence=who.pelvic_incidence,
        sacral_slope=who.sacral_slope,
        lumbar_lordosis=who.lumbar_lordosis,
    )
    person = scaled(person, body_mass=who.body_mass, stature=who.stature)
    roots = tuple(root.model_copy(update={"width": root.width * who.root_size}) for root in person.roots)
    return person.model_copy(update={"roots": roots})


def resized(model: Model, who: Subject) -> Model:
    """The model made a person; the model itself where nothing of it is changed."""
    return model if who == subject(model, {}) else _resized(ByIdentity(model), who)


def run_chain(
    task: Task, columns: Mapping[str, Floats], count: int, first: Floats | None = None
) -> tuple[Outputs, CaseArrays]:
    """Solve a chain of cases: the first cold, or from a posture ``first`` (nu,), each further from those before it.

    ``columns`` are values (count,) by parameter name, or by posture angle as `POSTURE` has it [deg]. What comes back is
    the outputs, and the table of the cases that were solved.
    """
    return _run(task, columns, count, first, count)


def run_alone(
    task: Task, columns: Mapping[str, Floats], count: int, starts: Floats | None = None
) -> tuple[Outputs, CaseArrays]:
    """Solve cases as `run_chain` does, but each of them cold: the same bits as chains of one case.

    With ``starts`` (count, nu) each begins at a posture of its own, and is solved cold if that leads nowhere.
    """
    out, cases = _run(task, columns, count, starts, 1)
    lost = np.flatnonzero(out.status)
    if starts is not None and lost.size:
        again, _ = _run(task, {name: column[lost] for name, column in columns.items()}, lost.size, None, 1)
        for array, better in zip(out, again, strict=True):
            array[lost] = better
    return out, cases


def _run(
    task: Task, columns: Mapping[str, Floats], count: int, first: Floats | None, length: int
) -> tuple[Outputs, CaseArrays]:
    """Solve the cases in chains of a length, the first or the first few of them from the postures given."""
    stance = pack_stance(pack(task.model), task.stance)
    cases, angles = chain_cases(task, columns, count)
    held = hold(stance, angles[0])[0] if task.find else no_held(stance.arrays)
    start = start_postures(stance, task, cases, angles)
    if first is not None:
        given = np.atleast_2d(first)
        # a symmetric case is solved within the symmetric postures, and must start from one
        symmetric = cases.symmetric[: len(given), np.newaxis]
        start[: len(given)] = np.where(stance.arrays.lateral & symmetric, 0.0, given)
    model = stance.packed.arrays._replace(level_reference=stance.compression, level_shear_reference=stance.shear)
    arrays = stance.arrays if task.volume else stance.arrays._replace(cost=np.ones_like(stance.arrays.cost))
    out = empty_outputs(model, arrays, count)
    work, side = workspace(model, arrays), workspace(model, arrays)
    stride = strides(columns, count)
    for begin in range(0, count, length):
        rows = slice(begin, begin + length)
        some = CaseArrays._make(table[rows] for table in cases)
        room = Outputs._make(array[rows] for array in out)
        solve_chain(model, arrays, some, held, task.find, task.power, start[rows], stride[rows], work, side, room)
    return out, cases


def strides(columns: Mapping[str, Floats], count: int) -> Floats:
    """Step from the case before to each case, of it the part along the step before, over that step (count,).

    0 where there is none, and where it is more than twice as long: no line is trusted that far.
    """
    values = np.array([column / (np.ptp(column) or 1.0) for column in columns.values()]).reshape(-1, count)
    steps = np.diff(values, axis=1)
    lengths = (steps[:, :-1] ** 2).sum(axis=0)
    along = (steps[:, 1:] * steps[:, :-1]).sum(axis=0)
    found = np.divide(along, lengths, out=np.zeros_like(along), where=lengths > 0.0)
    return np.concatenate([np.zeros(min(count, 2)), np.where(np.abs(found) <= 2.0, found, 0.0)])


def chain_cases(task: Task, columns: Mapping[str, Floats], count: int) -> tuple[CaseArrays, list[dict[str, float]]]:
    """Case table of a chain, and the posture angles that are held in each case [rad]."""
    stance = pack_stance(pack(task.model), task.stance)
    swept = {name.removeprefix(POSTURE): column for name, column in columns.items() if name.startswith(POSTURE)}
    rows = [{name: math.radians(column[row]) for name, column in swept.items()} for row in range(count)]
    angles = [{**task.angles, **row} for row in rows]
    values = np.array([hold(stance, each)[1] for each in angles]) if task.find else np.zeros((count, 0))
    settings = {name: column for name, column in columns.items() if not name.startswith(POSTURE)}
    cases = case_arrays(stance, settings, count, values)
    aside = (*TRUNK_ANGLES[1:], *PELVIC_ANGLES, ".bend", ".turn")
    cases.symmetric[:] &= [not any(name.endswith(aside) and value for name, value in each.items()) for each in angles]
    cases.margin[:] = task.margin
    return cases, angles


def start_postures(
    stance: PackedStance, task: Task, cases: CaseArrays, angles: Sequence[Mapping[str, float]] | None = None
) -> Floats:
    """The posture to hold in every case, or the cold start of a found one (nc, nu) [rad].

    Parameters
    ----------
    angles
        Held angles of every case [rad]. A case whose angles cannot be completed is given a posture of NaN; it will not
        be solved. By default the angles of the task.

    Raises
    ------
    NotConvergedError
        If the angles of the task cannot be completed to a posture.
    """
    count = cases.strength.shape[0]
    given = [task.angles] * count if angles is None else angles
    start = np.zeros((count, stance.arrays.n_free))
    if task.find and not given[0] and "sway" not in stance.free:
        return start
    alike = all(each == given[0] for each in given)
    for rows in [slice(0, count)] if alike else [slice(row, row + 1) for row in range(count)]:
        plan = completion(stance, given[rows.start])
        held, values = hold(stance, plan.angles)
        size = len(start[rows])
        some = {name: table[rows] for name, table in cases._asdict().items()}
        conditions = CaseArrays(**{**some, "held": np.tile(values, (size, 1))})
        found = np.zeros(size, dtype=np.bool_)
        model = stance.packed.arrays
        complete_chain(
            model,
            stance.arrays,
            conditions,
            HeldAngles(*held),
            plan.modes,
            plan.centred,
            workspace(model, stance.arrays),
            start[rows],
            found,
        )
        if angles is None and not found.all():
            raise _no_posture(stance, task.angles)
        lost = rows.start + np.flatnonzero(~found)
        start[lost] = math.nan
        cases.margin[lost] = math.nan  # marks a case that cannot be solved
    return start


def _no_posture(stance: PackedStance, angles: Iterable[str]) -> NotConvergedError:
    return NotConvergedError(f"no posture of {stance.stance.name} meets the angles named ({', '.join(angles)})")


def raise_failure(stance: PackedStance, dataset: xr.Dataset, cases: CaseArrays) -> None:
    """Raise what the status of a single case says."""
    status, where = str(dataset.status.item()), stance.stance.name
    if math.isnan(cases.margin[0]):
        raise _no_posture(stance, json.loads(dataset.attrs["held_angles_deg"]))
    if status == "unstable":
        raise UnstableError(
            f"muscle forces balance every joint in {where}, but none was found with the stability that is demanded; "
            "ask for a smaller margin, or for none with stability=False"
        )
    if status == "infeasible":
        missing = dataset.missing_moment
        worst = int(np.abs(missing.values).argmax())
        moment = float(missing[worst])
        if moment == 0.0:
            raise InfeasibleError(
                f"the transversus abdominis cannot raise the pressure that iap.lowest asks for in {where}"
            )
        raise InfeasibleError(
            f"no muscle forces balance {missing.coordinate.values[worst]} in {where}: "
            f"{moment:+.3g} N m are missing there{_saturated(dataset)}"
        )
    if status != "solved":
        raise NotConvergedError(
            f"the solver stopped after {int(dataset.iterations)} rounds in {where} before its tolerances were met"
        )
    jit.mark_compiled()


def _saturated(dataset: xr.Dataset) -> str:
    """The muscles that are at full activation where the least is missing, most fascicles first."""
    full = dataset.anatomical_muscle.values[dataset.saturated.values == 1.0]
    names, counts = np.unique(full, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:4]
    words = ", ".join(f"{names[i].replace('_', ' ')} ({counts[i]})" for i in order)
    return f"; fully active there: {words}" if words else ""
