"""Strength and load capacity: the largest isometric moments, and spinal loads in postures that have been measured.

    python -m spinesim.capacity docs/strength_and_loads.md

writes both tables, for the shipped adult and for the alternatives that were decided against, into that page.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from spinesim import units
from spinesim.cases import case_arrays
from spinesim.errors import InfeasibleError, InputError, NotConvergedError
from spinesim.kernels import passive
from spinesim.kernels.arrays import CaseArrays, Floats
from spinesim.kernels.state import configure
from spinesim.kernels.work import Work, workspace
from spinesim.model.pack import pack
from spinesim.model.parts import Model, Muscle, Tissue
from spinesim.model.read import load_model
from spinesim.solve import check_settings, make_task, solve, start_postures
from spinesim.stance import PackedStance, pack_stance

#: Couple that the muscles give the thorax (x forward, y up, z right) in the trunk efforts.
TRUNK_EFFORTS = {
    "trunk_extension": (0.0, 0.0, 1.0),
    "trunk_flexion": (0.0, 0.0, -1.0),
    "trunk_bend": (1.0, 0.0, 0.0),  # to the right
    "trunk_turn": (0.0, 1.0, 0.0),  # to the left
}
#: Coordinate of the right hip and its direction in the hip efforts.
HIP_EFFORTS = {
    "hip_flexion": ("hip_r.flexion", 1.0),
    "hip_extension": ("hip_r.flexion", -1.0),
    "hip_abduction": ("hip_r.adduction", -1.0),
    "hip_adduction": ("hip_r.adduction", 1.0),
    "hip_external_rotation": ("hip_r.rotation", -1.0),
    "hip_internal_rotation": ("hip_r.rotation", 1.0),
}
HARNESS = "t7_body_centre"  # landmark at whose height the harness pulls
EXTENSORS = ("erectors", "multifidus")  # groups whose activation the extensor activation is


@dataclass(frozen=True, eq=False)
class Capacity:
    """The largest moment of an effort, and the linear programme it is the answer to.

    maximise s subject to ``columns' a = posture_moment + s direction``, ``rows a >= bound``, ``lower <= a <= upper``
    """

    moment: float  #: s [N m]
    activation: dict[str, float]  #: of every muscle line and actuator [1]
    price: dict[str, float]  #: gain of ``moment`` per newton metre that a coordinate is given from elsewhere [1]
    columns: Floats  #: (m, k) moments at full activation [N m]
    posture_moment: Floats  #: (k,) what weight and passive structures leave to the muscles [N m]
    direction: Floats  #: (k,) moments to be given per newton metre of the effort [1]
    rows: Floats  #: (r, m) limits of the abdominal pressure
    bound: Floats  #: (r,)
    lower: Floats  #: (m,)
    upper: Floats


@dataclass(frozen=True, eq=False)
class Pose:
    """A model at a held posture, as the force balance sees it."""

    stance: PackedStance
    cases: CaseArrays
    work: Work
    free: Floats


def _pose(model: Model, settings: Mapping[str, float], posture: Mapping[str, float] | None) -> Pose:
    columns = {name: np.array([value]) for name, value in check_settings(model, settings).items()}
    stance = pack_stance(pack(model), "standing")
    cases = case_arrays(stance, columns, 1, np.zeros(0))
    free = np.zeros(stance.arrays.n_free)
    if posture:
        free = start_postures(stance, make_task(model, "standing", posture, "rhythm"), cases)[0]
    arrays = stance.packed.arrays
    work = workspace(arrays, stance.arrays)
    passive.disc_constants(arrays, cases.preload[0], work.disc)
    configure(arrays, stance.arrays, cases, 0, free, work)
    return Pose(stance, cases, work, free)


def maximal_moment(
    model: Model,
    effort: str,
    parameters: Mapping[str, float] | None = None,
    *,
    posture: Mapping[str, float] | None = None,
    load: str = "harness",
    yielding: float = 0.0,
) -> Capacity:
    """Largest isometric moment of trunk or hip that muscles can hold against a fixed device.

    In a trunk effort the pelvis is fixed and the device acts on the thorax, on top of body weight and passive
    structures; every spinal coordinate balances in the posture as it is. In a hip effort pelvis and trunk are fixed,
    the three components of the right hip balance, and weight and passive moment of the limb are left out.

    Parameters
    ----------
    effort
        ``"trunk_extension"``, ``"trunk_flexion"``, ``"trunk_bend"`` (to the right), ``"trunk_turn"`` (to the left), or
        ``"hip_flexion"``, ``"hip_extension"``, ``"hip_abduction"``, ``"hip_adduction"``, ``"hip_external_rotation"``,
        ``"hip_internal_rotation"``.
    parameters
        Values by parameter name, as in `spinesim.solve`.
    posture
        Angles to hold [deg], completed by the rhythm; without it the reference posture. Trunk efforts only.
    load
        ``"harness"``: a horizontal force on the thorax at the height of T7, its moment counted about L5/S1 (a turn
        is always a couple); ``"couple"``: the same moment at every level.
    yielding
        Moment [N m] that each disc may give or take in each direction, as if the posture gave way a little.

    Returns
    -------
    Capacity
        ``moment`` [N m] is positive in the direction that the name says.

    Raises
    ------
    InputError
        For an unknown effort, load or parameter, or a model without the joints or landmarks of the effort.
    InfeasibleError
        If the posture itself cannot be held.
    """
    if load not in ("harness", "couple"):
        raise InputError(f"load = {load!r} is not allowed: it must be 'harness' or 'couple'")
    pose = _pose(model, parameters or {}, posture if effort in TRUNK_EFFORTS else None)
    if effort in TRUNK_EFFORTS:
        names, columns, moment, direction = _trunk(pose, effort, load)
    elif effort in HIP_EFFORTS:
        names, columns, moment, direction = _hip(pose, effort)
    else:
        raise InputError(f"effort {effort} is unknown: it must be one of {', '.join((*TRUNK_EFFORTS, *HIP_EFFORTS))}")
    return _largest(pose, effort, names, columns, moment, direction, yielding)


def _trunk(pose: Pose, effort: str, load: str) -> tuple[list[str], Floats, Floats, Floats]:
    """Spinal coordinates, the columns and the posture's moment about them, and the direction of the effort."""
    stance, work = pose.stance, pose.work
    packed, arrays = stance.packed, stance.packed.arrays
    levels = set(packed.levels)
    spinal = [j for j, f in enumerate(stance.stance.free) if {name.split(".")[0] for name in f.moves} <= levels]
    thorax = arrays.trunk_body
    lowest = packed.coordinates.index(f"{packed.levels[0]}.flexion")
    couple = np.array(TRUNK_EFFORTS[effort])
    force, place, size = np.zeros(3), np.zeros(3), 1.0
    harness = load == "harness" and couple[1] == 0.0
    if harness:
        marks = {mark.name: np.array(mark.position) for mark in packed.model.landmarks}
        if HARNESS not in marks:
            raise InputError(f"{effort}: the model {packed.model.name} has no landmark {HARNESS} for the harness")
        place = work.place[thorax] + work.turn[thorax] @ marks[HARNESS]
        force = np.cross([0.0, 1.0, 0.0], couple)
        size = -float(np.cross(place - work.centres[lowest], force) @ couple)  # lever about L5/S1 [m]
    moment = np.zeros(len(packed.coordinates))
    for k in np.flatnonzero(arrays.moves[thorax]):
        given = -np.cross(place - work.centres[k], force) / size if harness else couple
        moment[k] = work.axes[k] @ given
    direction = _to_free(stance, moment)
    used = _used(stance)
    return (
        [stance.free[j] for j in spinal],
        np.where(used, work.columns, 0.0)[:, spinal],
        work.tau[spinal],
        direction[spinal],
    )


def _hip(pose: Pose, effort: str) -> tuple[list[str], Floats, Floats, Floats]:
    """The same for the three coordinates of the right hip; actuators and weight have no part in it."""
    name, sign = HIP_EFFORTS[effort]
    coordinates = pose.stance.packed.coordinates
    if name not in coordinates:
        raise InputError(f"{effort}: the model {pose.stance.packed.model.name} has no coordinate {name}")
    joint = name.split(".")[0]
    names = [other for other in coordinates if other.split(".")[0] == joint]
    chosen = [coordinates.index(other) for other in names]
    columns = np.zeros((pose.cases.upper.shape[1], len(names)))
    active = pose.work.active
    columns[: active.size] = -pose.work.gradient[:, chosen] * active[:, None]
    return names, columns, np.zeros(len(names)), np.array([sign * (other == name) for other in names])


def _largest(
    pose: Pose, effort: str, names: list[str], columns: Floats, moment: Floats, direction: Floats, yielding: float
) -> Capacity:
    """Solve the linear programme."""
    from scipy.optimize import linprog  # a third of a second, which few users need

    m, k = columns.shape
    packed = pose.stance.packed
    limited = 1 if packed.arrays.pressure_line >= 0 else 0
    rows, bound = pose.work.rows[:limited].copy(), pose.work.bound[:limited].copy()
    lower, upper = pose.cases.lower[0].copy(), pose.cases.upper[0].copy()
    answer = linprog(
        np.r_[np.zeros(m), -1.0, np.zeros(k)],
        A_ub=np.hstack([-rows, np.zeros((limited, 1 + k))]) if limited else None,
        b_ub=-bound if limited else None,
        A_eq=np.hstack([columns.T, -direction[:, None], np.eye(k)]),
        b_eq=moment,
        bounds=[*zip(lower, upper, strict=True), (0.0, None), *[(-yielding, yielding)] * k],
        method="highs",
    )
    if answer.status != 0:
        raise InfeasibleError(f"{effort}: no muscle forces hold the posture itself ({answer.message})")
    lines = [*packed.muscles, *(["transversus_abdominis"] if limited else []), *pose.stance.actuators]
    return Capacity(
        moment=float(answer.x[m]),
        activation=dict(zip(lines, answer.x[:m].tolist(), strict=True)),
        price=dict(zip(names, answer.eqlin.marginals.tolist(), strict=True)),
        columns=columns,
        posture_moment=moment,
        direction=direction,
        rows=rows,
        bound=bound,
        lower=lower,
        upper=upper,
    )


def _used(stance: PackedStance) -> np.ndarray:
    """(m, nu) True where a line or actuator acts on a free coordinate; other entries of the columns are not written."""
    column = np.arange(stance.arrays.n_free)
    return (column >= stance.arrays.column_first[:, None]) & (column < stance.arrays.column_last[:, None])


def _to_free(stance: PackedStance, moment: Floats) -> Floats:
    """Generalised moments about the free coordinates of moments (nq,) about the joint coordinates."""
    free = np.zeros(stance.arrays.n_free)
    for k in range(moment.size):
        for e in range(stance.arrays.rate_first[k], stance.arrays.rate_first[k + 1]):
            free[stance.arrays.rate_index[e]] += stance.arrays.rate[e] * moment[k]
    return free


def passive_share(
    model: Model, level: str, parameters: Mapping[str, float] | None = None, *, posture: Mapping[str, float]
) -> float:
    """Share [%] of the flexing moment of weight and loads at a level that discs and relaxed muscles carry.

    Parameters
    ----------
    level
        Such as ``"L5_S1"``.
    parameters, posture
        As in `spinesim.solve`; the posture is held.
    """
    pose = _pose(model, parameters or {}, posture)
    packed, work = pose.stance.packed, pose.work
    n = len(packed.muscles)
    j = pose.stance.free.index(f"{level}.flexion")
    moment = np.zeros(len(packed.coordinates))
    passive.disc_moments(packed.arrays, work.disc, work.q, moment)
    passive.tissue_moments(packed.arrays, pose.cases.tissue_shift[0], work.q, moment)
    carried = (
        _to_free(pose.stance, moment)[j]
        + np.where(_used(pose.stance)[:n, j], work.arms[:n, j], 0.0) @ (work.passive[:n])
    )
    # what is left to active muscle, and the push of the resting abdominal pressure, make up the rest
    pressed = work.arms[n:, j] @ work.passive[n:]
    weight = -work.tau[j] - carried - pressed
    return float(-carried / weight) / units.PERCENT


# ------------------------------------------------------------------------------------------------ the measured rows


def measured_rows(name: str) -> list[dict[str, str]]:
    """Published rows of ``"strength"`` or ``"loads"``, as they stand in the files of ``spinesim/data``."""
    path = Path(__file__).with_name("data") / f"measured_{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def strength_table(model: Model, parameters: Mapping[str, float] | None = None, *, yielding: float = 0.0) -> xr.Dataset:
    """Maximal isometric moments beside the measured ones.

    Returns
    -------
    xarray.Dataset
        Dimension ``row``: ``computed``, ``low``, ``high``, ``value`` (measured) [N m] and ``verdict``.

    Raises
    ------
    InputError, InfeasibleError
        As `maximal_moment`.
    """
    rows = measured_rows("strength")
    computed = [maximal_moment(model, row["effort"], parameters, yielding=yielding).moment for row in rows]
    return _table(rows, computed, [""] * len(rows), "effort")


def load_table(
    model: Model, parameters: Mapping[str, float] | None = None, *, stability: float | bool | None = None
) -> xr.Dataset:
    """Spinal loads in held postures beside the measured ones.

    Parameters
    ----------
    parameters
        Values by parameter name for all rows; the weights in the hands are those of the row.
    stability
        As in `spinesim.solve`.

    Returns
    -------
    xarray.Dataset
        Dimension ``row``: ``computed``, ``low``, ``high``, ``value`` (measured) in the unit of the row, ``verdict``,
        and ``missing`` for infeasible cases: the coordinate and the moment [N m] that no muscle can give.

    Raises
    ------
    InputError
        As `spinesim.solve`.
    """
    rows = measured_rows("loads")
    solved: dict[tuple[str, ...], xr.Dataset] = {}
    computed: dict[str, float] = {}
    missing = []
    for row in rows:
        posture = {"trunk_flexion": float(row["trunk_flexion_deg"])}
        settings = {**(parameters or {}), **hands(row)}
        key = tuple(row[k] for k in ("trunk_flexion_deg", "right_kg", "left_kg", "reach_m"))
        if key not in solved:
            solved[key] = solve(model, settings, posture=posture, stability=stability, raise_on_failure=False)
        case = solved[key]
        if row["quantity"] == "passive_share":
            computed[row["id"]] = passive_share(model, row["level"], settings, posture=posture)
        else:
            computed[row["id"]] = read_row(model, case, row)
        missing.append(_missing(case) if row["quantity"] != "passive_share" else "")
    values = []
    for row in rows:
        of = row["per"]
        values.append(computed[row["id"]] / computed[of] / units.PERCENT if of else computed[row["id"]])
    return _table(rows, values, missing, "quantity")


def hands(row: Mapping[str, str]) -> dict[str, float]:
    """Parameters of the weights in the hands of a load row [kg], and of their reach [m]."""
    weights = {"load.hand.right": float(row["right_kg"]), "load.hand.left": float(row["left_kg"])}
    held = {name: mass for name, mass in weights.items() if mass}
    return {**held, "load.reach": float(row["reach_m"])} if held else {}


def read_row(model: Model, case: xr.Dataset, row: Mapping[str, str]) -> float:
    """Quantity of a row in its unit; NaN where the case has no solution."""
    if row["quantity"] == "extensor_activation":
        chosen = {muscle for group in EXTENSORS for muscle in model.groups[group]}
        force = {m.name: m.max_force for m in model.muscles if m.muscle in chosen}
        activation = case.activation.sel(muscle=list(force)).values
        return float(np.average(activation, weights=list(force.values()))) / units.PERCENT
    return float(case[row["quantity"]].sel(level=row["level"]))


def _missing(case: xr.Dataset) -> str:
    """The largest missing moment of an infeasible case."""
    status = str(case.status.item())
    if status != "infeasible":
        return "" if status == "solved" else status
    moment = case.missing_moment
    worst = int(np.abs(moment.values).argmax())
    return f"{moment.coordinate.values[worst]} {float(moment[worst]):+.1f} N m"


def _table(rows: list[dict[str, str]], computed: list[float], missing: list[str], name: str) -> xr.Dataset:
    def numbers(column: str) -> list[float]:
        return [float(row[column]) if row[column] else np.nan for row in rows]

    low, high = numbers("low"), numbers("high")
    verdicts = []
    for value, least, most in zip(computed, low, high, strict=True):
        if np.isnan(value):
            verdicts.append("infeasible")
        elif np.isnan(least):
            verdicts.append("feasible")
        else:
            verdicts.append("inside" if least <= value <= most else "below" if value < least else "above")
    words = {key: ("row", [row[key] for row in rows]) for key in ("condition", "unit", "source", "confidence", "use")}
    return xr.Dataset(
        {
            "computed": ("row", np.array(computed, dtype=np.float64)),
            "low": ("row", low),
            "high": ("row", high),
            "value": ("row", numbers("value")),
            "verdict": ("row", verdicts),
            "missing": ("row", missing),
        },
        coords={"row": [row["id"] for row in rows], name: ("row", [row[name] for row in rows]), **words},
    )


# --------------------------------------------------------------------------------------------------- alternatives


def with_tension(model: Model, tension: Mapping[str, float]) -> Model:
    """The model with the specific tension [MPa] of some anatomical muscles changed; passive force stays."""

    def changed(m: Muscle) -> Muscle:
        if m.muscle not in tension:
            return m
        return m.model_copy(update={"specific_tension": tension[m.muscle] * units.MEGAPASCAL})

    return model.model_copy(update={"muscles": tuple(changed(m) for m in model.muscles)})


def _all_tension(model: Model, value: float) -> Model:
    return with_tension(model, {m.muscle: value for m in model.muscles})


def _trunk_tension(model: Model, value: float) -> Model:
    """The muscles that now have the tension of the trunk, at another value."""
    most = max(m.specific_tension for m in model.muscles)
    return with_tension(model, {m.muscle: value for m in model.muscles if m.specific_tension == most})


def _arms_fixed(model: Model) -> Model:
    """Arms that turn with the thorax: their centre 0.2998 m below the shoulders, 7.410 of 27.188726 kg."""
    bodies = []
    for body in model.bodies:
        if body.name == "thorax":
            x, y, z = body.centre_of_mass
            body = body.model_copy(update={"centre_of_mass": (x, y - 0.081708, z)})
        bodies.append(body)
    return model.model_copy(update={"bodies": tuple(bodies)})


def _preload(model: Model, tangent: float, whole: float) -> Model:
    """Flexion laws at 500 N: c1 of the unloaded test times ``tangent``, c2 and c3 times ``whole``."""
    unloaded = {(x.level, x.coordinate, x.direction): x for x in model.disc_laws if x.preload == 0.0}
    laws = []
    for law in model.disc_laws:
        if law.preload == 500.0 and law.coordinate == "flexion":
            base = unloaded[law.level, law.coordinate, law.direction]
            law = law.model_copy(update={"c1": tangent * base.c1, "c2": whole * base.c2, "c3": whole * base.c3})
        laws.append(law)
    return model.model_copy(update={"disc_laws": tuple(laws)})


def _fascia(model: Model) -> Model:
    """Posterior tissue of 10 N m at 10 deg of flexion at every level, beside discs and muscle (assumed)."""
    rate, size = 10.0, 10.0 / (np.exp(10.0 * 10.0 * units.DEGREE) - 1.0)
    added = []
    for level in model.levels:
        common = {"coordinate": f"{level}.flexion", "limits": "none", "source": "assumed", "confidence": "assumed"}
        added.append(Tissue(name=f"fascia_{level}", amplitude=-size, rate=rate, **common))
        added.append(Tissue(name=f"fascia_rest_{level}", amplitude=size, rate=0.0, **common))
    return model.model_copy(update={"tissues": (*model.tissues, *added)})


def _passive(model: Model, factor: float, strain: float) -> Model:
    """Passive force of erectors and multifidus times a factor, their passive strain plus ``strain`` slack / fibre."""
    chosen = {muscle for group in EXTENSORS for muscle in model.groups[group]}
    muscles = []
    for m in model.muscles:
        if m.muscle in chosen:
            more = strain * m.tendon_slack_length / m.optimal_fibre_length
            m = m.model_copy(
                update={"passive_force": factor * m.passive_force, "passive_strain": m.passive_strain + more}
            )
        muscles.append(m)
    return model.model_copy(update={"muscles": tuple(muscles)})


def _before(model: Model) -> Model:
    """The tables as they came: 0.35 MPa, arms that turn with the thorax, preload on all terms."""
    return _preload(_arms_fixed(_all_tension(model, 0.35)), 2.11, 2.11)


WALL = ("rectus_abdominis", "external_oblique", "internal_oblique")
#: Rows in which the alternatives differ.
SHOWN = (
    *("DP001", "DP004", "DP008", "DP010", "DP056", "DP057", "DP058", "SL027", "SL029", "SL030", "SL031"),
    *("HOLD30", "HOLD60", "BEND90"),
)
#: Name, what is changed against the decided model, and the parameters of the cases.
ALTERNATIVES: tuple[tuple[str, Callable[[Model], Model], dict[str, float]], ...] = (
    ("decision", lambda m: m, {}),
    ("tables as they came", _before, {}),
    ("trunk 0.35 MPa", lambda m: _trunk_tension(m, 0.35), {}),
    ("trunk 0.50 MPa", lambda m: _trunk_tension(m, 0.50), {}),
    ("trunk 0.60 MPa", lambda m: _trunk_tension(m, 0.60), {}),
    ("trunk 1.00 MPa", lambda m: _trunk_tension(m, 1.00), {}),
    ("0.755 MPa everywhere", lambda m: _all_tension(m, 0.755), {}),
    ("abdominal wall 0.40 MPa", lambda m: with_tension(m, dict.fromkeys(WALL, 0.40)), {}),
    ("psoas 0.755 MPa", lambda m: with_tension(m, {"psoas": 0.755}), {}),
    ("arms turn with the thorax", _arms_fixed, {}),
    ("preload factor on all terms", lambda m: _preload(m, 2.11, 2.11), {}),
    ("preload factor 1.25 on all terms", lambda m: _preload(m, 1.25, 1.25), {}),
    ("more posterior tissue", _fascia, {}),
    ("passive force grows with tension", lambda m: _passive(m, 0.755 / 0.35, 0.0), {}),
    ("passive muscle with series tendon", lambda m: _passive(m, 1.0, 0.049), {}),
    ("no pressure", lambda m: m, {"iap.highest": 0.0}),
    ("pressure to 10 kPa", lambda m: m, {"iap.highest": 10.0}),
)


# ------------------------------------------------------------------------------------------------- the written page


def _cell(value: float, missing: str, verdict: str) -> str:
    if np.isnan(value):
        return f"✗ {missing}".strip() or "✗"
    text = f"{value:.2f}" if abs(value) < 10.0 else f"{value:.0f}"
    return {"below": f"{text} ↓", "above": f"{text} ↑"}.get(verdict, text)


def _band(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{low:g} to {high:g}"


def _markdown(head: list[str], lines: list[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def tables(model: Model) -> dict[str, str]:
    """The tables of docs/strength_and_loads.md as Markdown, by name."""
    strength: dict[str, xr.Dataset | None] = {}
    loads: dict[str, xr.Dataset | None] = {}
    for name, change, settings in ALTERNATIVES:
        variant = change(model)
        try:
            strength[name], loads[name] = strength_table(variant, settings), load_table(variant, settings)
        except NotConvergedError:  # its own standing is not found: said in its line
            strength[name] = loads[name] = None
    stable = load_table(model, stability=True)
    first, plain = strength_table(model), load_table(model)
    decided = [
        [str(i), str(first.effort[k].item()).replace("_", " "), _cells(first)[k], _band(first.low[k], first.high[k])]
        + [str(first[c][k].item()) for c in ("use", "confidence", "source")]
        for k, i in enumerate(first.row.values)
    ]
    yielding = {size: strength_table(model, yielding=size) for size in (0.0, 2.0, 5.0, 10.0)}
    couples = {e: maximal_moment(model, e, load="couple").moment for e in TRUNK_EFFORTS}
    lines = [
        [str(i), f"{plain.condition[k].item()}", _what(plain, k), _cells(plain)[k], _cells(stable)[k]]
        + [_band(plain.low[k], plain.high[k]), *[str(plain[c][k].item()) for c in ("confidence", "source")]]
        for k, i in enumerate(plain.row.values)
    ]
    chosen = [k for k, row in enumerate(plain.row.values) if row in SHOWN]
    head = ["id", "effort", "computed [N m]", "measured", "use", "confidence", "source"]
    trunk = list(range(len(TRUNK_EFFORTS)))
    return {
        "strength": _markdown(head, decided),
        "yielding": _markdown(
            ["each disc may give", *[str(first.effort[k].item()).replace("_", " ") for k in trunk]],
            [
                *[[f"{size:g} N m", *[_cells(table)[k] for k in trunk]] for size, table in yielding.items()],
                ["0 N m, couple instead of harness", *[f"{couples[e]:.0f}" for e in TRUNK_EFFORTS]],
            ],
        ),
        "loads": _markdown(
            ["id", "condition", "quantity", "computed", "with stability", "measured", "confidence", "source"], lines
        ),
        "strength alternatives": _markdown(
            ["alternative", *[str(e).removeprefix("trunk_").replace("_", " ") for e in first.effort.values], "inside"],
            [_alternative(name, table, range(first.row.size)) for name, table in strength.items()],
        ),
        "load alternatives": _markdown(
            ["alternative", *[str(plain.row[k].item()) for k in chosen], "inside"],
            [_alternative(name, table, chosen) for name, table in loads.items()],
        ),
    }


def _alternative(name: str, table: xr.Dataset | None, chosen: Sequence[int]) -> list[str]:
    """Line of an alternative; None where the solver found no reference for it."""
    if table is None:
        return [name, *["✗"] * len(chosen), "reference not converged"]
    return [name, *[_cells(table)[k] for k in chosen], _score(table)]


def _cells(table: xr.Dataset) -> list[str]:
    return [
        _cell(float(v), str(m), str(w))
        for v, m, w in zip(table.computed.values, table.missing.values, table.verdict.values, strict=True)
    ]


def _what(table: xr.Dataset, k: int) -> str:
    return f"{table.quantity[k].item()} [{table.unit[k].item()}]".replace("_", " ")


def _score(table: xr.Dataset) -> str:
    banded = ~np.isnan(table.low.values)
    return f"{int((table.verdict.values[banded] == 'inside').sum())} of {int(banded.sum())}"


def write(page: Path) -> None:
    """Put the tables of the shipped adult between the marks ``<!-- table: NAME -->`` and ``<!-- end -->`` of a page."""
    text = page.read_text(encoding="utf-8")
    for name, table in tables(load_model("adult")).items():
        mark = f"<!-- table: {name} -->"
        if mark not in text:
            raise InputError(f"{page}: the mark {mark} is missing")
        before, _, rest = text.partition(mark)
        text = f"{before}{mark}\n\n{table}\n\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
    page.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the tables into the page named; the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        sys.stderr.write("usage: python -m spinesim.capacity PAGE, with the page to write to\n")
        return 2
    write(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
