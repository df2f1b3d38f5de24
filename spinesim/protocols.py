"""How the value of every scored measurement is formed: a case or two, and a number from their results.

The words of every protocol stand in ``data/reach.csv``. All cases are stable: they ask for the margin of the model,
as a found posture does by default; the posture is found unless angles are named.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from scipy.optimize import brentq

from spinesim import units
from spinesim.capacity import EXTENSORS, hands, measured_rows, passive_share, read_row
from spinesim.cases import path_lengths
from spinesim.errors import InputError, SpinesimError
from spinesim.kernels.arrays import Floats
from spinesim.model.pack import pack
from spinesim.model.parts import Model
from spinesim.nerves import nerve_tension, root_pressures
from spinesim.solve import Complete, solve
from spinesim.stance import SHARES
from spinesim.stiffness import buckling_weight, worth
from spinesim.sweep import sweep

UPRIGHT = {"trunk_flexion": 0.0}
FLEXED = {"trunk_flexion": 45.0}
EXTENDED = {"trunk_flexion": -20.0}
DUMB_BELLS = {"load.hands": 7.26}  # 8 lb in each hand [kg]
LIFT = ({"load.hand.right": 10.0, "load.hand.left": 10.0}, {"trunk_flexion": 20.0})
# [mm] C7 ahead of S1, sitting less standing, SD 38.7; Hey et al. 2017 Spine J 17:799-806 (read: abstract). Of T1 here.
SEATED_PLUMB = 63.9
SEATED_LEAN = (0.0, 30.0)  # [deg] within which the lean is sought that has it
IMPLANT = "L1_L2"
HIGHEST = "L1_L2"  # the lumbar foramina are this and those below
TRUNK = ("abdominals", "multifidus", "erectors", "quadratus_lumborum", "latissimus")


class Bench:
    """Solves every distinct case of a model once.

    A failed case raises the same error again whenever it is asked for.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.solved: dict[Any, xr.Dataset | SpinesimError] = {}

    def case(
        self,
        parameters: Mapping[str, float] | None = None,
        *,
        stance: str = "standing",
        posture: Mapping[str, float] | None = None,
        complete: Complete = "rhythm",
        stability: bool = True,
    ) -> xr.Dataset:
        """One case, as `spinesim.solve` has it.

        Raises
        ------
        SpinesimError
            If the case has no solution, or the model no such stance or parameter.
        """
        settings, angles = dict(parameters or {}), None if posture is None else dict(posture)
        key = (
            *(tuple(sorted(settings.items())), None if angles is None else tuple(sorted(angles.items()))),
            *(stance, complete, stability),
        )
        if key not in self.solved:
            try:
                self.solved[key] = solve(
                    self.model, settings, stance=stance, posture=angles, complete=complete, stability=stability
                )
            except SpinesimError as error:
                self.solved[key] = error
        answer = self.solved[key]
        if isinstance(answer, SpinesimError):
            raise answer
        return answer

    def along(
        self, parameter: str, values: Iterable[float], parameters: Mapping[str, float] | None = None, *, stance: str
    ) -> xr.Dataset:
        """The last case of a path: one parameter takes these values in turn, each solved from the one before.

        Raises
        ------
        SpinesimError
            If the last case has no solution.
        """
        path = sweep(self.model, {parameter: values}, parameters=parameters, stance=stance, threads=1)
        last = path.isel({parameter: -1})
        if last.status != "solved":
            raise SpinesimError(f"the last case of the path of {parameter} in {stance} is {last.status.item()}")
        return last

    def standing(self, parameters: Mapping[str, float] | None = None) -> xr.Dataset:
        """Standing, posture found."""
        return self.case(parameters)

    def held(self, parameters: Mapping[str, float] | None = None, /, **angles: float) -> xr.Dataset:
        """Standing, angles of the trunk held [deg], the rest by the rhythm."""
        return self.case(parameters, posture={**UPRIGHT, **angles})

    def sitting(self, trunk_flexion: float | None = None) -> xr.Dataset:
        """Sitting, posture found, with the trunk held [deg] if an angle is given."""
        if trunk_flexion is None:
            return self.case(stance="sitting")
        return self.case(stance="sitting", posture={"trunk_flexion": trunk_flexion}, complete="find")


Protocol = Callable[[Bench], float]
#: Protocol of every scored row, by its id. Values are in the unit of the row.
PROTOCOLS: dict[str, Protocol] = {}


def protocol(*ids: str) -> Callable[[Protocol], Protocol]:
    """Enter a function as the protocol of some rows."""

    def enter(function: Protocol) -> Protocol:
        PROTOCOLS.update(dict.fromkeys(ids, function))
        return function

    return enter


# --------------------------------------------------------------------------------------------------- small pieces


def need(wanted: Iterable[str], present: Iterable[str], what: str, model: str) -> None:
    """Refuse a model without the parts that a protocol needs.

    Raises
    ------
    InputError
        Naming the first part that is missing.
    """
    known = set(present)
    for name in wanted:
        if name not in known:
            raise InputError(f"the model {model} has no {what} {name}")


def at_level(case: xr.Dataset, variable: str, level: str) -> float:
    """A variable at a level.

    Raises
    ------
    InputError
        If the model has no such level.
    """
    need((level,), case.level.values.tolist(), "level", case.attrs["model"])
    return float(case[variable].sel(level=level))


def resultant(case: xr.Dataset, level: str = IMPLANT) -> float:
    """Magnitude of the force at a level [N]."""
    parts = [at_level(case, name, level) for name in ("compression", "shear_anterior", "shear_lateral")]
    return math.hypot(*parts)


def percent(part: float, whole: float) -> float:
    """Part of a whole [%]."""
    return part / whole / units.PERCENT


def change(after: float, before: float) -> float:
    """Relative change [%]."""
    return percent(after - before, before)


def activation(model: Model, case: xr.Dataset, muscles: tuple[str, ...], side: str | None = None) -> float:
    """Activation of some anatomical muscles, on one side if it is named, fascicles weighted by volume [%].

    Raises
    ------
    InputError
        If the model has none of them.
    """
    chosen = np.array([m.muscle in muscles for m in model.muscles])
    if side is not None:
        chosen &= case.muscle_side.values == side
    if not chosen.any():
        raise InputError(f"the model {model.name} has no muscle {' or '.join(muscles)}")
    volume = np.array([m.max_force * m.optimal_fibre_length for m in model.muscles])
    return percent(float(np.average(case.activation.values[chosen], weights=volume[chosen])), 1.0)


def group(model: Model, *names: str) -> tuple[str, ...]:
    """Anatomical muscles of some groups.

    Raises
    ------
    InputError
        If the model has no such group.
    """
    need(names, model.groups, "muscle group", model.name)
    return tuple(dict.fromkeys(muscle for name in names for muscle in model.groups[name]))


def sizes(case: xr.Dataset, side: str | None = None) -> xr.Dataset:
    """Area, height and width of the lumbar foramina, of one side or the mean of both.

    Raises
    ------
    InputError
        If the model has no foramina up to L1/L2.
    """
    foramina = case.foramen.values.tolist() if "foramen" in case.dims else []
    need((HIGHEST,), foramina, "foramen", case.attrs["model"])
    last = foramina.index(HIGHEST)
    chosen = case[["foramen_area", "foramen_height", "foramen_width"]].isel(foramen=slice(0, last + 1))
    return chosen.mean("side") if side is None else chosen.sel(side=side)


def relative(after: xr.Dataset, before: xr.Dataset) -> xr.Dataset:
    """Relative change [%] of all variables."""
    return (after - before) / before / units.PERCENT


def every(dataset: xr.Dataset) -> Floats:
    """All values in one row."""
    return np.concatenate([values.values.ravel() for values in dataset.data_vars.values()])


# -------------------------------------------------------------------------------------- loads in held postures

_LOADS = {row["id"]: row for row in measured_rows("loads")}


def held_load(bench: Bench, name: str) -> float:
    """Value of a row of ``data/measured_loads.csv``, which has its posture, weight and level."""
    row, model = _LOADS[name], bench.model
    need(EXTENSORS if row["quantity"] == "extensor_activation" else (), model.groups, "muscle group", model.name)
    need((row["level"],) if row["level"] else (), model.levels, "level", model.name)
    settings, angles = hands(row), {"trunk_flexion": float(row["trunk_flexion_deg"])}
    if row["quantity"] == "passive_share":
        return passive_share(model, row["level"], settings, posture=angles)
    value = read_row(model, bench.held(settings, **angles), row)
    return percent(value, held_load(bench, row["per"])) if row["per"] else value


for _name, _row in _LOADS.items():
    if _row["use"] == "evidence":
        PROTOCOLS[_name] = partial(held_load, name=_name)

# -------------------------------------------------------------------------------------------------- disc pressure


@protocol("DP036")
def _pressure_upright(bench: Bench) -> float:
    return held_load(bench, "DP001")


def force_from_pressure(bench: Bench, pressure: float) -> float:
    """Pressure [MPa] times the area of the disc L4/L5 [N], as the source infers the load."""
    area = next((d.area for d in bench.model.discs if d.name == "L4_L5"), math.nan)
    return pressure * units.MEGAPASCAL * area


@protocol("DP044")
def _force_upright(bench: Bench) -> float:
    return force_from_pressure(bench, _pressure_upright(bench))


@protocol("DP005")
def _pressure_sitting(bench: Bench) -> float:
    return at_level(bench.sitting(), "disc_pressure", "L4_L5")


@protocol("DP019", "DP037")
def _pressure_sitting_upright(bench: Bench) -> float:
    return at_level(bench.sitting(0.0), "disc_pressure", "L4_L5")


@protocol("DP028")
def _sitting_upright_of_standing(bench: Bench) -> float:
    return percent(_pressure_sitting_upright(bench), held_load(bench, "DP001"))


def _at_l3(case: xr.Dataset) -> float:
    return at_level(case, "compression", "L3_L4")


@protocol("DP047")
def _sitting_against_standing(bench: Bench) -> float:
    return change(_at_l3(bench.sitting()), _at_l3(bench.held()))


@protocol("DP048")
def _lift_against_standing(bench: Bench) -> float:
    return change(held_load(bench, "DP058"), held_load(bench, "DP055"))


@protocol("DP051")
def _bend_of_standing(bench: Bench) -> float:
    return percent(held_load(bench, "DP056"), held_load(bench, "DP055"))


@protocol("DP052")
def _lift_of_standing(bench: Bench) -> float:
    return percent(held_load(bench, "DP058"), held_load(bench, "DP055"))


@protocol("DP053")
def _sitting_forward_of_standing(bench: Bench) -> float:
    return percent(_at_l3(bench.sitting(20.0)), _at_l3(bench.held()))


# --------------------------------------------------------------------------------------------------- spinal loads


@protocol("SL001")
def _flexion_on_implant(bench: Bench) -> float:
    return resultant(bench.held(trunk_flexion=53.0)) - resultant(bench.held())


@protocol("SL003")
def _angle_of_the_plateau(bench: Bench) -> float:
    """First angle [deg] after which the force does not rise; inf if it rises to the end."""
    angles = [5.0 * step for step in range(13)]
    forces = [resultant(bench.held(trunk_flexion=angle)) for angle in angles]
    return next((angles[i] for i in range(12) if forces[i + 1] <= forces[i]), math.inf)


@protocol("SL006")
def _lordosis_on_implant(bench: Bench) -> float:
    return resultant(bench.held(trunk_flexion=15.0 / SHARES[0])) - resultant(bench.held())


IN_FRONT = {"load.hands": 10.0, "load.reach": 0.3}


@protocol("SL013")
def _front_over_side(bench: Bench) -> float:
    nothing = resultant(bench.held())
    side = resultant(bench.held({"load.hands": 10.0}))
    return (resultant(bench.held(IN_FRONT)) - nothing) / (side - nothing)


@protocol("SL018")
def _sitting_inclined(bench: Bench) -> float:
    return change(resultant(bench.sitting(15.0)), resultant(bench.sitting(0.0)))


@protocol("SL034")
def _two_buckets_over_one(bench: Bench) -> float:
    both = bench.held({"load.hand.right": 30.0, "load.hand.left": 30.0})
    return at_level(both, "compression", "L4_L5") / held_load(bench, "SL032")


@protocol("SL045")
def _flexion_and_front_over_bend_and_turn(bench: Bench) -> float:
    more = (bench.held(trunk_flexion=20.0), bench.held(IN_FRONT))
    less = (bench.held(trunk_bend=20.0), bench.held(trunk_turn=10.0))
    return min(_at_l3(case) for case in more) - max(_at_l3(case) for case in less)


@protocol("SL047")
def _largest_loss_of_stability(bench: Bench) -> float:
    model = bench.model
    muscles = (*group(model, *TRUNK), "psoas")
    chosen = {name: np.array([m.muscle == name for m in model.muscles]) for name in muscles}
    return max(worth(model, bench.held(), chosen).values())


@protocol("SL055")
def _compression_sitting(bench: Bench) -> float:
    return at_level(bench.sitting(), "compression", "L4_L5")


@protocol("SL058")
def _compression_sitting_upright(bench: Bench) -> float:
    return at_level(bench.sitting(0.0), "compression", "L4_L5")


# --------------------------------------------------------------------------------------------------------- posture


def _plumb(case: xr.Dataset) -> float:
    """How far T1 is ahead of the back corner of S1 [mm]."""
    ahead = case.bone_position.sel(xyz="x")
    for name in ("t1_centroid", "S1_sup_post"):
        if name not in ahead.bone_point:
            raise InputError(f"the model has no landmark {name}")
    return float(ahead.sel(bone_point="t1_centroid") - ahead.sel(bone_point="S1_sup_post")) / units.MILLIMETRE


def radiographed_lean(bench: Bench) -> float:
    """How far the trunk leans forward in sitting on radiographs [deg].

    Raises
    ------
    SpinesimError
        If no lean brings T1 where radiographs show it.
    """
    aim = _plumb(bench.standing()) + SEATED_PLUMB

    def ahead(trunk: float) -> float:
        return _plumb(bench.sitting(trunk)) - aim

    low, high = SEATED_LEAN
    if not ahead(low) < 0.0 < ahead(high):
        raise SpinesimError(f"no lean of the trunk from {low:g} to {high:g} deg brings T1 where radiographs show it")
    return float(brentq(ahead, low, high, xtol=0.01))


def radiographed_sitting(bench: Bench) -> xr.Dataset:
    """Sitting with the trunk as far forward as on radiographs, pelvis and spine found."""
    return bench.sitting(radiographed_lean(bench))


def sitting_less_standing(bench: Bench, variable: str) -> float:
    """Change of an angle [deg] from standing to sitting, as on radiographs."""
    return float(radiographed_sitting(bench)[variable]) - float(bench.standing()[variable])


def sitting_angle(bench: Bench, variable: str) -> float:
    """An angle [deg] in sitting, as on radiographs."""
    return float(radiographed_sitting(bench)[variable])


for _change, _angle, _variable in (
    ("PO001", "PO005", "lumbar_lordosis"),
    ("PO002", "PO009", "sacral_slope"),
    ("PO003", "PO012", "pelvic_tilt_radiographic"),
):
    PROTOCOLS[_change] = partial(sitting_less_standing, variable=_variable)
    PROTOCOLS[_angle] = partial(sitting_angle, variable=_variable)


@protocol("PO022")
def _lordosis_of_tilt(bench: Bench) -> float:
    tilted = bench.case(posture={"anterior_pelvic_tilt": 11.4}, complete="find")
    return float(tilted.lumbar_lordosis) - float(bench.standing().lumbar_lordosis)


# ------------------------------------------------------------------------------------------ tightness and strength

STRETCHED = 2.6  # TS002 [deg]


def released(bench: Bench, variable: str, muscles: str, size: float, stance: str = "standing") -> float:
    """Change of an angle [deg] when a group loses so much tightness [deg]."""
    tight = bench.case({f"tightness.{muscles}": size}, stance=stance)
    return float(bench.case(stance=stance)[variable]) - float(tight[variable])


@protocol("TS001")
def _tilt_of_stretch(bench: Bench) -> float:
    return released(bench, "anterior_pelvic_tilt", "hip_flexors", STRETCHED)


@protocol("TS003")
def _lordosis_of_stretch(bench: Bench) -> float:
    return released(bench, "lumbar_lordosis", "hip_flexors", STRETCHED)


@protocol("TS004")
def _gain_of_tilt(bench: Bench) -> float:
    return -_tilt_of_stretch(bench) / STRETCHED


@protocol("TS020")
def _tilt_of_hamstrings(bench: Bench) -> float:
    return released(bench, "anterior_pelvic_tilt", "hamstrings", 10.0)


@protocol("TS021")
def _bend_of_hamstrings(bench: Bench) -> float:
    return released(bench, "lumbar_lordosis", "hamstrings", 10.0, "forward_bend")


@protocol("TS022")
def _tilt_of_tight_hamstrings(bench: Bench) -> float:
    return -released(bench, "anterior_pelvic_tilt", "hamstrings", 20.0)


@protocol("TS034")
def _cost_of_cocontraction(bench: Bench) -> float:
    case = bench.held(LIFT[0], **LIFT[1])
    added = at_level(case, "cocontraction_compression", "L5_S1")
    return percent(added, at_level(case, "compression", "L5_S1") - added)


@protocol("TS035")
def _gain_of_cocontraction(bench: Bench) -> float:
    before = float(bench.case(LIFT[0], posture=LIFT[1], stability=False).stability_margin)
    if before <= 0.0:
        raise InputError(f"the margin of least effort is {before:.3g} N m/rad, of which no gain can be formed")
    return change(float(bench.held(LIFT[0], **LIFT[1]).stability_margin), before)


@protocol("TS038")
def _share_of_transversus(bench: Bench) -> float:
    if bench.model.abdomen is None:
        raise InputError(f"the model {bench.model.name} has no abdomen")
    line = np.append(np.zeros(len(bench.model.muscles), dtype=bool), True)
    return worth(bench.model, bench.held(), {"transversus": line})["transversus"]


@protocol("TS047")
def _buckling(bench: Bench) -> float:
    return buckling_weight(bench.model)


@protocol("TS048")
def _trunk_activation(bench: Bench) -> float:
    return activation(bench.model, bench.standing(), group(bench.model, *TRUNK))


@protocol("TS053")
def _extensors_of_contracture(bench: Bench) -> float:
    muscles = ("gluteus_maximus", *group(bench.model, "hamstrings"))
    chosen = [m.name for m in bench.model.muscles if m.muscle in muscles]
    tight = bench.standing({"tightness.hip_flexors": 30.0})
    return float((tight.muscle_force - bench.standing().muscle_force).sel(muscle=chosen).sum())


# ------------------------------------------------------------------------------------------------------- foramina


@protocol("FN001")
def _largest_loss_of_area(bench: Bench) -> float:
    lost = relative(sizes(bench.held(**EXTENDED)), sizes(bench.held(**FLEXED)))
    return float(-lost.foramen_area.min())


def _with_dumb_bells(bench: Bench) -> xr.Dataset:
    return relative(sizes(bench.held(DUMB_BELLS, **EXTENDED)), sizes(bench.held(DUMB_BELLS, **FLEXED)))


@protocol("FN018")
def _change_above(bench: Bench) -> float:
    return float(every(_with_dumb_bells(bench).sel(foramen=["L4_L5", "L3_L4", "L2_L3"])).max())


@protocol("FN019")
def _change_at_l5_s1(bench: Bench) -> float:
    values = every(_with_dumb_bells(bench).sel(foramen="L5_S1"))
    return float(values[np.abs(values).argmax()])


@protocol("FN020")
def _signs_of_change(bench: Bench) -> float:
    upright = sizes(bench.held())
    gained = relative(sizes(bench.held(**FLEXED)), upright)
    lost = -relative(sizes(bench.held(**EXTENDED)), upright)
    smallest = math.inf
    for each in (gained, lost):
        counted = each.foramen_width.foramen != "L5_S1"
        widths = each.foramen_width.values[counted.values]
        smallest = min(smallest, *widths, *every(each[["foramen_area", "foramen_height"]]))
    return float(smallest)


@protocol("FN026")
def _widths_downwards(bench: Bench) -> float:
    width = sizes(bench.standing()).foramen_width.values  # from below
    return float((width[:-1] - width[1:]).max())


@protocol("FN030")
def _posterior_margin(bench: Bench) -> float:
    def height(case: xr.Dataset) -> float:
        sizes(case)
        return float(case.posterior_disc_height.sel(foramen="L4_L5").mean())

    return change(height(bench.held(trunk_flexion=65.0)), height(bench.held()))


def area_change(bench: Bench, after: Mapping[str, float], before: Mapping[str, float]) -> float:
    """Change of foramen area [%] between two held postures, mean over the lumbar levels."""
    return float(relative(sizes(bench.held(**after)), sizes(bench.held(**before))).foramen_area.mean())


PROTOCOLS["FN052"] = partial(area_change, after=FLEXED, before=UPRIGHT)
PROTOCOLS["FN053"] = partial(area_change, after=EXTENDED, before=UPRIGHT)
PROTOCOLS["FN055"] = partial(area_change, after=EXTENDED, before=FLEXED)


@protocol("FN002")
def _flexed_canal(bench: Bench) -> float:
    return at_foramen(bench.held(**FLEXED), "canal_area", "L4_L5")


@protocol("FN005")
def _area_at_l5_s1(bench: Bench) -> float:
    return at_foramen(bench.standing(), "foramen_area", "L5_S1")


@protocol("FN008")
def _width_at_l5_s1(bench: Bench) -> float:
    return at_foramen(bench.standing(), "foramen_width", "L5_S1")


def at_foramen(case: xr.Dataset, variable: str, level: str) -> float:
    """A variable at a foramen, mean of both sides where it has sides."""
    need((level,), case.foramen.values.tolist() if "foramen" in case.dims else [], "foramen", case.attrs["model"])
    return float(case[variable].sel(foramen=level).mean())


def pressed_share(bench: Bench, variable: str, left: float) -> float:
    """Share [%] of anatomies with a root above the venular threshold at L2 to S1, mean over levels and sides.

    Parameters
    ----------
    variable
        ``posterior_disc_height`` or ``foramen_height``, brought down to ``left`` [mm] at every level by lost height.
    """
    case = bench.standing()
    sizes(case)
    levels = ["L5_S1", "L4_L5", "L3_L4", "L2_L3"]
    lost = {f"disc.{level}.height_loss": at_foramen(case, variable, level) - left for level in levels}
    share = root_pressures(bench.model, lost, count=2000).probability.sel(foramen=levels)
    return float(share.mean()) / units.PERCENT


PROTOCOLS["FN021"] = partial(pressed_share, variable="posterior_disc_height", left=4.0)
PROTOCOLS["FN022"] = partial(pressed_share, variable="foramen_height", left=15.0)


def critical_height(bench: Bench, variable: str, highest: float, lowest: float) -> float:
    """Largest height [mm] at which half of the anatomies at L2 to S1 have a root above the venular threshold.

    In steps of 1 mm; ``variable`` as for `pressed_share`.

    Raises
    ------
    InputError
        If no height presses half of them.
    """
    for left in np.arange(highest, lowest - 0.5, -1.0):
        if pressed_share(bench, variable, float(left)) >= 50.0:
            return float(left)
    raise InputError(f"no {variable.replace('_', ' ')} from {highest:g} to {lowest:g} mm presses half of the roots")


PROTOCOLS["FN024"] = partial(critical_height, variable="posterior_disc_height", highest=8.0, lowest=1.0)
PROTOCOLS["FN025"] = partial(critical_height, variable="foramen_height", highest=15.0, lowest=11.0)


@protocol("FN031")
def _pressure_in_extension(bench: Bench) -> float:
    levels = ["L5_S1", "L4_L5"]
    narrow = {f"foramen.{level}.{side}.scale": 0.8 for level in levels for side in ("left", "right")}
    flexed, extended = (bench.held(narrow, **posture).root_contact_pressure for posture in (FLEXED, EXTENDED))
    return float((extended - flexed).sel(foramen=levels).min())


@protocol("FN062")
def _root_share(bench: Bench) -> float:
    case = bench.standing()
    sizes(case)
    return float(case.root_occupancy.mean()) / units.PERCENT


@protocol("FN063")
def _foramen_height(bench: Bench) -> float:
    return float(sizes(bench.standing()).foramen_height.mean())


@protocol("FN065")
def _foramen_area(bench: Bench) -> float:
    return float(sizes(bench.standing()).foramen_area.mean())


@protocol("FN066")
def _area_by_lost_height(bench: Bench) -> float:
    levels = ["L5_S1", "L4_L5", "L3_L4"]
    lower = sizes(bench.standing({f"disc.{level}.height_loss": 1.0 for level in levels}))
    return float(relative(lower, sizes(bench.standing())).foramen_area.sel(foramen=levels).mean())


@protocol("FN068")
def _side_bend(bench: Bench) -> float:
    upright, bent = bench.held(), bench.held(trunk_bend=15.0)
    right, left = (relative(sizes(bent, side), sizes(upright, side)).foramen_area for side in ("right", "left"))
    return float(min(-right.max(), left.min()))


# -------------------------------------------------------------------------------------------------------- sciatic


def piriformis_arm(bench: Bench, hip_flexion: float) -> float:
    """Moment arm [mm] of piriformis about hip rotation, external positive, at a hip flexion [deg].

    Fascicles are weighted by maximum force. The coordinate of rotation is positive inwards, so that the external arm
    is the change of length per angle.
    """
    packed = pack(bench.model)
    need(("hip_r.flexion", "hip_r.rotation"), packed.coordinates, "coordinate", bench.model.name)
    chosen = [i for i, m in enumerate(bench.model.muscles) if m.muscle == "piriformis" and m.name.endswith("_r")]
    if not chosen:
        raise InputError(f"the model {bench.model.name} has no piriformis")
    q = np.zeros(len(packed.coordinates))
    q[packed.coordinates.index("hip_r.flexion")] = hip_flexion * units.DEGREE
    arms = path_lengths(packed, q)[1][chosen, packed.coordinates.index("hip_r.rotation")]
    force = [bench.model.muscles[i].max_force for i in chosen]
    return float(np.average(arms, weights=force)) / units.MILLIMETRE


@protocol("FN049")
def _straight_leg_raise(bench: Bench) -> float:
    return nerve_tension(bench.model, hip_flexion=70.0)[1] / units.PERCENT


PROTOCOLS["SC032"] = partial(piriformis_arm, hip_flexion=0.0)
PROTOCOLS["SC033"] = partial(piriformis_arm, hip_flexion=90.0)

# ------------------------------------------------------------------------------------------------ muscle activity


@protocol("MA020")
def _silence(bench: Bench) -> float:
    group(bench.model, *EXTENSORS)
    row = {"quantity": "extensor_activation"}
    full, half = (read_row(bench.model, bench.held(trunk_flexion=angle), row) for angle in (90.0, 40.0))
    return full - half


@protocol("MA022")
def _extensors_sitting(bench: Bench) -> float:
    muscles = ("multifidus", "iliocostalis")
    slump, straight, forward = (
        activation(bench.model, case, muscles) for case in (bench.sitting(), bench.sitting(0.0), bench.sitting(20.0))
    )
    return min(forward - straight, straight - slump)


@protocol("MA023")
def _erectors_sitting(bench: Bench) -> float:
    muscles = group(bench.model, "erectors")
    return activation(bench.model, bench.sitting(), muscles) - activation(bench.model, bench.standing(), muscles)


@protocol("MA027")
def _turned_against_bent(bench: Bench) -> float:
    weight, muscles = {"load.hand.right": 10.0}, group(bench.model, "erectors")
    turned, bent = bench.held(weight, trunk_turn=-10.0), bench.held(weight, trunk_bend=20.0)
    active = [activation(bench.model, case, muscles, "left") for case in (turned, bent)]
    pressure = [at_level(case, "disc_pressure", "L3_L4") for case in (turned, bent)]
    return min(change(*active), change(*pressure))


def quiet(bench: Bench, *names: str) -> float:
    """Activation of muscle groups in standing, by volume [%]."""
    return activation(bench.model, bench.standing(), group(bench.model, *names))


@protocol("MA046")
def _erectors(bench: Bench) -> float:
    return quiet(bench, "erectors")


@protocol("MA047")
def _abdominals(bench: Bench) -> float:
    return quiet(bench, "abdominals")


@protocol("MA048")
def _psoas_and_iliacus(bench: Bench) -> float:
    return max(activation(bench.model, bench.standing(), (muscle,)) for muscle in ("psoas", "iliacus"))
