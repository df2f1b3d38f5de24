"""Load capacity: maximal isometric moments and spinal loads in postures that have been measured, and alternatives.

    python -m spinesim.capacity docs/strength_and_loads.md

writes both tables, for the shipped adult and for the alternatives that were decided against, into that page.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from spinesim import units
from spinesim.errors import InputError, NotConvergedError
from spinesim.isometric import TRUNK_EFFORTS, acting, hold_pose, maximal_moment, to_free
from spinesim.kernels import passive
from spinesim.model.parts import Model, Muscle, Tissue
from spinesim.model.read import load_model
from spinesim.solve import solve

EXTENSORS = ("erectors", "multifidus")  # groups whose activation the extensor activation is


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
    pose = hold_pose(model, parameters or {}, posture)
    packed, work = pose.stance.packed, pose.work
    n = len(packed.muscles)
    j = pose.stance.free.index(f"{level}.flexion")
    moment = np.zeros(len(packed.coordinates))
    passive.disc_moments(packed.arrays, work.disc, work.q, moment)
    passive.tissue_moments(packed.arrays, pose.cases.tissue_shift[0], work.q, moment)
    carried = (
        to_free(pose.stance, moment)[j]
        + np.where(acting(pose.stance)[:n, j], work.arms[:n, j], 0.0) @ (work.passive[:n])
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
