"""Made-up results in the shape of real ones, with numbers that can be checked by hand.

Along every axis an amount runs from 0 at the first value to 1 at the last; ``s`` is the sum over the axes.
Anterior tilt is 3 s deg, lordosis 57.7 + 4 s deg, compression (500 + 100 s - 20 level) N, foramen areas shrink by 5 s %
on the right and 2 s % on the left, every muscle force is 10 (1 + s) N, plus 5 s N in the right hip flexors.
Right and left ankle carry 400 and 300 N; held are 2 N m by a support, -5 N m by a lock.
The stability margin is -100 (1 - s) N m/rad, its mode bends L3/L4 and L4/L5 to the right, and is drawn as all above the
hips moved by 0.1 of their height. Groups are active by 0.02 + 0.01 s; co-contraction is 0.01 s of the hip flexors and
0.02 s of the erectors, takes 0.005 s from the quadratus lumborum, and costs (30 - 5 level) s N.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import xarray as xr

from spinesim.compare import summarised, verdict
from spinesim.dose import front
from spinesim.variables import VARIABLES, attributes

LEVELS = ("L5_S1", "L4_L5", "L3_L4", "L2_L3", "L1_L2", "T12_L1")
FORAMINA = LEVELS[:5]
GROUPS = {
    "psoas": "hip_flexors",
    "gluteus_maximus": "gluteals",
    "biceps_femoris_long": "hamstrings",
    "rectus_abdominis": "core",
    "longissimus": "erectors",
    "quadratus_lumborum": "quadratus_lumborum",
}
MUSCLE_GROUPS = tuple(GROUPS.values())
COORDINATES = ("lean", "pelvic_tilt", *(f"{level}.{axis}" for level in LEVELS for axis in ("flexion", "bend", "turn")))
HELD = ("pelvis.list", "pelvis.turn")
JOINT_COORDINATES = ("pelvis.tilt", *HELD)
UNITS = {"tightness": "deg", "strength": "1", "load": "kg"}

# Middle-plane corners of the vertebral bodies: superior anterior and posterior, inferior anterior and posterior (x, y).
_CORNERS = {
    "T12": ((-0.046, 0.307), (-0.077, 0.295), (-0.038, 0.284), (-0.069, 0.267)),
    "L1": ((-0.034, 0.278), (-0.065, 0.266), (-0.026, 0.255), (-0.061, 0.238)),
    "L2": ((-0.021, 0.245), (-0.054, 0.231), (-0.013, 0.221), (-0.051, 0.206)),
    "L3": ((-0.009, 0.209), (-0.045, 0.200), (-0.004, 0.183), (-0.045, 0.175)),
    "L4": ((-0.001, 0.168), (-0.036, 0.168), (0.001, 0.142), (-0.042, 0.143)),
    "L5": ((0.001, 0.126), (-0.034, 0.133), (-0.008, 0.099), (-0.044, 0.115)),
}
_MIDDLE = {
    "S1_sup_ant": ("pelvis", (-0.018, 0.086, 0.0)),
    "S1_sup_post": ("pelvis", (-0.045, 0.107, 0.0)),
    "t12_body_centre": ("thorax", (-0.052, 0.288, 0.0)),
    "t9_body_centre": ("thorax", (-0.080, 0.374, 0.0)),
    "t7_body_centre": ("thorax", (-0.088, 0.424, 0.0)),
    "t4_body_centre": ("thorax", (-0.082, 0.498, 0.0)),
    "t1_centroid": ("thorax", (-0.078, 0.564, 0.0)),
    "t1_sup_centre": ("thorax", (-0.066, 0.578, 0.0)),
    "head_com": ("thorax", (-0.012, 0.715, 0.0)),
}
_PAIRED = {
    "asis": ("pelvis", (0.051, 0.058, 0.130)),
    "psis": ("pelvis", (-0.099, 0.079, 0.047)),
    "pubic_tubercle": ("pelvis", (0.034, -0.038, 0.0165)),
    "iliac_crest_top": ("pelvis", (-0.016, 0.145, 0.099)),
    "shoulder_centre": ("thorax", (-0.011, 0.521, 0.186)),
    "hip": ("femur", (0.0, 0.0, 0.0835)),
    "knee": ("shank", (-0.0045, -0.396, 0.0835)),
    "ankle": ("shank", (-0.0245, -0.826, 0.0835)),
}
_PATHS = {
    "psoas": ((-0.013, 0.265, 0.022), (0.047, 0.009, 0.076), (-0.019, -0.060, 0.094)),
    "gluteus_maximus": ((-0.09, 0.08, 0.07), (-0.05, -0.05, 0.12), (-0.02, -0.10, 0.125)),
    "biceps_femoris_long": ((-0.055, -0.036, 0.07), (-0.03, -0.43, 0.11)),
    "rectus_abdominis": ((0.03, -0.03, 0.02), (0.10, 0.20, 0.04), (0.09, 0.33, 0.05)),
    "longissimus": ((-0.09, 0.09, 0.03), (-0.12, 0.40, 0.03)),
    "quadratus_lumborum": ((-0.03, 0.14, 0.08), (-0.03, 0.25, 0.03)),
}


def _bones() -> tuple[list[str], list[str], np.ndarray]:
    names, bodies, places = [], [], []
    for vertebra, corners in _CORNERS.items():
        for word, (x, y) in zip(("sup_ant", "sup_post", "inf_ant", "inf_post"), corners, strict=True):
            names.append(f"{vertebra}_{word}")
            bodies.append("thorax" if vertebra == "T12" else vertebra)
            places.append((x, y, 0.0))
    for name, (body, place) in _MIDDLE.items():
        names.append(name)
        bodies.append(body)
        places.append(place)
    for name, (body, (x, y, z)) in _PAIRED.items():
        for side, sign in (("r", 1), ("l", -1)):
            names.append(f"{name}_{side}")
            bodies.append(body if body in ("pelvis", "thorax") else f"{body}_{side}")
            places.append((x, y, sign * z))
    return names, bodies, np.array(places)


def _turned(places: np.ndarray, degrees: float) -> np.ndarray:
    """All points above the hips, tilted forward about the hip axis."""
    angle = -np.radians(degrees)
    turned = places.copy()
    upper = places[:, 1] > 0.0
    x, y = places[upper, 0], places[upper, 1]
    turned[upper, 0] = np.cos(angle) * x - np.sin(angle) * y
    turned[upper, 1] = np.sin(angle) * x + np.cos(angle) * y
    return turned


def synthetic_case(s: float = 0.0, *, status: str = "solved", pictures: bool = True) -> xr.Dataset:
    """One case; numbers are NaN unless it is solved."""
    muscles = [f"{name}_{side}" for name in GROUPS for side in ("r", "l")]
    anatomical = [name for name in GROUPS for _ in range(2)]
    sides = ["right", "left"] * len(GROUPS)
    bone_names, bone_bodies, bone_places = _bones()
    path_names, path_places = [], []
    for name, path in _PATHS.items():
        for side, sign in (("r", 1), ("l", -1)):
            path_names += [f"{name}_{side}"] * len(path)
            path_places += [(x, y, sign * z) for x, y, z in path]

    numbers: dict[str, np.ndarray] = {
        name: np.zeros([_SIZES.get(dim, 0) or {"muscle": len(muscles)}[dim] for dim in variable.dims])
        for name, variable in VARIABLES.items()
        if not variable.large and name != "status"
    }
    level = np.arange(len(LEVELS))
    numbers["anterior_pelvic_tilt"] = np.array(3.0 * s)
    numbers["sacral_slope"] = np.array(36.8 + 3.0 * s)
    numbers["pelvic_tilt_radiographic"] = np.array(18.2 - 3.0 * s)
    numbers["pelvic_incidence"] = np.array(55.0)
    numbers["lumbar_lordosis"] = np.array(57.7 + 4.0 * s)
    numbers["muscle_force"] = 10.0 * (1.0 + s) + np.array([5.0 * s if name == "psoas_r" else 0.0 for name in muscles])
    numbers["activation"] = np.linspace(0.0, 0.04 * (1.0 + s), len(muscles))
    numbers["compression"] = 500.0 + 100.0 * s - 20.0 * level
    numbers["shear_anterior"] = 80.0 - 30.0 * level
    numbers["disc_pressure"] = numbers["compression"] / (0.66 * 1540.0)
    loss = np.array([0.02, 0.05]) * s  # left, right
    numbers["foramen_area"] = (100.0 + 10.0 * np.arange(len(FORAMINA)))[:, None] * (1.0 - loss)
    numbers["root_contact_pressure"] = np.array([40.0, 0.0, 0.0, 0.0, 0.0])[:, None] * (s + np.array([0.0, 0.1]))
    numbers["root_band"] = 2.0 * (numbers["root_contact_pressure"] >= 40.0)
    numbers["effort"] = np.array(0.01 * (1.0 + s))
    numbers["stability_margin"] = np.array(-100.0 * (1.0 - s))
    for name, entry in (("L3_L4.bend", 0.8), ("L4_L5.bend", 0.6)):
        numbers["buckling_mode"][COORDINATES.index(name)] = entry
    numbers["group_activation"] = np.full(len(MUSCLE_GROUPS), 0.02 + 0.01 * s)
    numbers["group_cocontraction"] = s * np.array([0.01, 0.0, 0.0, 0.0, 0.02, -0.005])
    numbers["cocontraction_compression"] = s * (30.0 - 5.0 * level)
    numbers["support_force"] = np.array([[0.0, 400.0, 0.0], [0.0, 300.0, 0.0]])
    numbers["locked_moment"] = np.array([2.0, -5.0])
    if status != "solved":
        numbers = {name: np.full_like(values, np.nan) for name, values in numbers.items()}
        numbers["missing_moment"] = np.zeros(len(COORDINATES))
        if status == "infeasible":
            numbers["missing_moment"][-3] = 12.5
    variables: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        name: (VARIABLES[name].dims, values) for name, values in numbers.items()
    }
    variables["status"] = ((), np.array(status))
    if pictures:
        places = np.nan if status != "solved" else 1.0
        variables["bone_position"] = (("bone_point", "xyz"), places * _turned(bone_places, 3.0 * s))
        variables["path_position"] = (("path_point", "xyz"), places * _turned(np.array(path_places), 3.0 * s))
        variables["healthy_bone_position"] = (("bone_point", "xyz"), places * bone_places)
        aside = np.maximum(bone_places[:, 1:2], 0.0) * [0.0, 0.0, 0.1]
        for name, values in _FORCES.items():
            variables[name] = (VARIABLES[name].dims, places * values)
        variables["buckled_bone_position"] = (("bone_point", "xyz"), variables["bone_position"][1] + aside)
        keyhole = np.array([(0, 17), (0, 11), (1, 6), (0, 2), (0, 0), (7, 0), (6, 10), (8, 13), (5, 17)], dtype=float)
        shape = keyhole * (1.0 - 0.1 * s)
        variables["foramen_outline"] = (
            ("foramen", "side", "outline_point", "plane"),
            places * np.tile(shape, (len(FORAMINA), 2, 1, 1)),
        )
        variables["root_place"] = (
            ("foramen", "side", "plane"),
            places * np.tile([3.8, 13.0 - s], (len(FORAMINA), 2, 1)),
        )
        way = np.array(
            [(-0.07, 0.2, 0.0), (-0.06, 0.1, 0.0), (-0.041, 0.0, 0.06), (-0.03, -0.4, 0.08), (-0.02, -0.87, 0.08)]
        )
        variables["sciatic_position"] = (
            ("side", "nerve_point", "xyz"),
            places * np.stack([_turned(way * [1.0, 1.0, sign], 3.0 * s) for sign in (-1.0, 1.0)]),
        )
        variables["root_size"] = (("foramen", "plane"), np.tile([5.0, 6.2], (len(FORAMINA), 1)))
    coords: dict[str, tuple[str, Sequence[str]]] = {
        "muscle": ("muscle", muscles),
        "anatomical_muscle": ("muscle", anatomical),
        "group": ("muscle", [GROUPS[name] for name in anatomical]),
        "muscle_side": ("muscle", sides),
        "muscle_group": ("muscle_group", MUSCLE_GROUPS),
        "level": ("level", LEVELS),
        "side": ("side", ("left", "right")),
        "foramen": ("foramen", FORAMINA),
        "exiting_root": ("foramen", ("L5", "L4", "L3", "L2", "L1")),
        "traversing_root": ("foramen", ("S1", "L5", "L4", "L3", "L2")),
        "axis": ("axis", ("flexion", "bend", "turn")),
        "xyz": ("xyz", ("x", "y", "z")),
        "coordinate": ("coordinate", COORDINATES),
        "held": ("held", HELD),
        "held_by": ("held", ("support", "locked")),
        "joint_coordinate": ("joint_coordinate", JOINT_COORDINATES),
        "role": ("joint_coordinate", ("free", "support", "locked")),
        "moved_by": ("joint_coordinate", ("pelvic_tilt", "", "")),
        "support": ("support", ("ankle_r", "ankle_l")),
        "contact": ("contact", ("backrest",)),
        "load": ("load", ("right hand", "left hand")),
        "actuator": ("actuator", ("plantarflexion",)),
    }
    if pictures:
        coords["bone_point"] = ("bone_point", bone_names)
        coords["bone_body"] = ("bone_point", bone_bodies)
        coords["path_muscle"] = ("path_point", path_names)
        coords["outline_point"] = ("outline_point", [f"point_{i}" for i in range(9)])
        coords["nerve_point"] = ("nerve_point", ("canal_L1", "canal_S1", "hip_0", "knee_0", "ankle"))
        coords["plane"] = ("plane", ("back", "up"))
    dataset = xr.Dataset(variables, {name: (dim, np.array(words)) for name, (dim, words) in coords.items()})
    for name in dataset.variables:
        dataset[name].attrs = attributes(str(name))
    dataset.attrs = {
        "title": "made-up result",
        "model": "adult",
        "model_digest": "0123456789abcdef",
        "stance": "standing",
        "posture": "found",
        "criterion": "effort2",
        "weights": "volume",
        "stability_demanded": "none",
        "parameters": "{}",
        "versions": json.dumps({"spinesim": "0.1.0", "numpy": np.__version__}),
        "note": "The muscles are not asked for a margin of stability, so loads of quiet standing come out low.",
    }
    return dataset


#: What carries the body: the ankles; a backrest that does not press; nothing in the hands.
_FORCES = {
    "up_direction": np.array([0.0, 1.0, 0.0]),
    "mass_position": np.array([0.0, 0.1, 0.0]),
    "support_position": np.array([[-0.0245, -0.826, 0.0835], [-0.0245, -0.826, -0.0835]]),
    "contact_position": np.array([[-0.15, 0.35, 0.0]]),
    "contact_direction": np.array([[1.0, 0.0, 0.0]]),
    "load_position": np.array([[0.3, 0.2, 0.186], [0.3, 0.2, -0.186]]),
}
_SIZES = {
    "muscle_group": len(MUSCLE_GROUPS),
    "level": len(LEVELS),
    "side": 2,
    "foramen": len(FORAMINA),
    "axis": 3,
    "xyz": 3,
    "coordinate": len(COORDINATES),
    "held": len(HELD),
    "joint_coordinate": len(JOINT_COORDINATES),
    "support": 2,
    "contact": 1,
    "load": 2,
    "actuator": 1,
}


def synthetic_sweep(
    axes: Mapping[str, Sequence[float]],
    *,
    failed: Mapping[tuple[int, ...], str] | None = None,
    pictures: bool = False,
) -> xr.Dataset:
    """A sweep over named axes; ``failed`` gives the status of the cases without a solution by their index."""
    shape = tuple(len(values) for values in axes.values())
    cases = []
    for index in product(*(range(length) for length in shape)):
        s = sum(i / max(length - 1, 1) for i, length in zip(index, shape, strict=True))
        cases.append(synthetic_case(s, status=(failed or {}).get(index, "solved"), pictures=pictures))
    flat = xr.concat(cases, "case", data_vars="all", coords="minimal", compat="override", join="exact")
    variables = {}
    for name, array in flat.data_vars.items():
        if "case" in array.dims:
            rest = array.transpose("case", ...)
            values = rest.values.reshape(*shape, *rest.shape[1:])
            variables[name] = ((*axes, *rest.dims[1:]), values, array.attrs)
        else:
            variables[name] = array
    dataset = xr.Dataset(variables, flat.coords, cases[0].attrs)
    for name, values in axes.items():
        units = UNITS[name.split(".")[0]]
        dataset = dataset.assign_coords({name: (name, np.array(values, float), {"units": units, "long_name": name})})
    return dataset


def synthetic_confusion() -> xr.Dataset:
    """What tests take six imbalances for at two severities; a load reads as health, two imbalances are near."""
    names = ["healthy", "strong", "weight_in_hand.left", "weight_in_hand.right", "near.left", "near.right"]
    half = np.array(
        [
            [0.2, 0.1, 0.2, 0.2, 0.15, 0.15],
            [0.05, 0.8, 0.05, 0.05, 0.05, 0.0],
            [0.2, 0.1, 0.2, 0.2, 0.15, 0.15],
            [0.2, 0.1, 0.2, 0.2, 0.15, 0.15],
            [0.1, 0.0, 0.1, 0.1, 0.4, 0.3],
            [0.1, 0.0, 0.1, 0.1, 0.3, 0.4],
        ]
    )
    full = np.array([half[0], [0, 0.995, 0, 0, 0.005, 0], half[2], half[3], [0] * 4 + [0.6, 0.4], [0] * 4 + [0.4, 0.6]])
    apart = np.array([0.0, 5.0, 0.0, 0.0, 2.0, 2.0])
    separation = np.stack([0.5 * np.abs(apart[:, None] - apart), np.abs(apart[:, None] - apart)])
    square = ("severity", "true_imbalance", "named_imbalance")
    return xr.Dataset(
        {
            "naming_probability": (square, np.stack([half, full]), attributes("naming_probability")),
            "separation": (square, separation, attributes("separation")),
            "status": ("severity", np.array(["solved", "solved"]), attributes("status")),
        },
        coords={
            "severity": ("severity", [0.5, 1.0], attributes("severity")),
            "true_imbalance": ("true_imbalance", names, attributes("true_imbalance")),
            "named_imbalance": ("named_imbalance", names, attributes("named_imbalance")),
        },
        attrs={"model": "adult", "note": "A table."},
    )


def synthetic_comparison(people: int = 12) -> xr.Dataset:
    """Nothing and three programmes at three weeks: one helps, and the steep more; one harms tilt; one does nothing."""
    programmes = ["nothing", "stretch.hip_flexors", "strengthen.core+plank@0-4:2", "soft_tissue.hip_flexors"]
    units, least, weeks = ["deg", "N"], np.array([0.5, 5.0]), [0.0, 8.0, 16.0]
    incidence = np.linspace(35.0, 72.0, people)
    size = np.array([[0.0, 2.0, -1.0, 0.0], [0.0, 20.0, 1.0, 0.0]])  # outcome, programme
    each = 1.0 + 0.01 * (incidence - incidence.mean())
    gain = np.array([0.0, 1.0, 0.5])[:, None, None, None] * size.T[None, :, :, None] * each
    words = np.vectorize(verdict, otypes=[object])
    summary = summarised(gain, -gain, least)
    dims = ("week", "programme", "outcome")
    shown = words(summary["benefit_mean"], summary["benefit_low"], summary["benefit_high"], least).astype(str)
    status = np.full((len(weeks), len(programmes), people), "solved")
    data = {name: (dims, values, attributes(name)) for name, values in summary.items()}
    return xr.Dataset(
        {
            **data,
            "benefit": ((*dims, "person"), gain, attributes("benefit")),
            "status": (("week", "programme", "person"), status, attributes("status")),
        },
        coords={
            "week": ("week", weeks, attributes("week")),
            "programme": ("programme", programmes, attributes("programme")),
            "outcome": ("outcome", ["anterior_pelvic_tilt", "compression.L4_L5"], attributes("outcome")),
            "person": ("person", np.arange(people), attributes("person")),
            "unit": ("outcome", units, attributes("unit")),
            "least_change": ("outcome", least, attributes("least_change")),
            "verdict": (dims, shown, attributes("verdict")),
            "person_incidence": ("person", incidence, attributes("person_incidence")),
        },
        attrs={
            "model": "adult",
            "model_digest": "0" * 64,
            "versions": '{"spinesim": "0"}',
            "stance": "standing",
            "seed": "0",
            "weeks": 16.0,
            "note": "A comparison.",
        },
    )


def synthetic_doses() -> xr.Dataset:
    """Six doses of two programmes, of which three are on the front."""
    sessions, gain = np.array([2.0, 4.0, 8.0, 2.0, 4.0, 8.0]), np.array([1.0, 1.6, 2.0, 0.1, 0.2, 0.3])
    columns = {
        "dose_benefit": gain,
        "dose_sessions": sessions,
        "dose_weeks": sessions / 2.0,
        "dose_per_week": np.full(6, 2.0),
        "on_front": front(sessions, gain).astype(float),
    }
    return xr.Dataset(
        {
            **{name: ("dose", values, attributes(name)) for name, values in columns.items()},
            "status": ("dose", np.array(["solved"] * 6), attributes("status")),
        },
        coords={
            "dose": ("dose", np.arange(6), attributes("dose")),
            "dose_programme": ("dose", ["stretch.hip_flexors"] * 3 + ["plank"] * 3, attributes("dose_programme")),
        },
        attrs={
            "outcome": "anterior_pelvic_tilt",
            "unit": "deg",
            "model": "adult",
            "model_digest": "0" * 64,
            "versions": '{"spinesim": "0"}',
            "note": "Doses.",
        },
    )


def synthetic_sensitivity() -> xr.Dataset:
    """Effects and Sobol' indices of four parameters on two outcomes, their intervals 0.02 and 5 % wide either way."""
    effect = np.array([[6.0, -1.5, -0.5, 0.0], [140.0, 30.0, 70.0, -25.0]])
    first = np.array([[0.85, 0.06, 0.01, 0.0], [0.6, 0.05, 0.2, 0.03]])
    total = np.array([[0.91, 0.1, 0.02, 0.001], [0.7, 0.08, 0.25, 0.04]])
    both = ("outcome", "parameter")
    values = {
        "effect": (both, effect),
        "effect_low": (both, effect - 0.05 * np.abs(effect)),
        "effect_high": (both, effect + 0.05 * np.abs(effect)),
        "first_order": (both, first),
        "first_order_low": (both, first - 0.02),
        "first_order_high": (both, first + 0.02),
        "total_order": (both, total),
        "total_order_low": (both, total - 0.02),
        "total_order_high": (both, total + 0.02),
        "outcome_spread": (("outcome",), np.array([1.7, 45.0])),
        "cases": ((), np.float64(384)),
        "unsolved_cases": ((), np.float64(3)),
        "status": ((), np.array("solved")),
    }
    coords = {
        "outcome": ("outcome", ["anterior_pelvic_tilt", "compression.L4_L5"]),
        "outcome_unit": ("outcome", ["deg", "N"]),
        "parameter": ("parameter", ["tightness.hip_flexors", "strength.core", "load.hands", "strength.gluteals"]),
        "parameter_unit": ("parameter", ["deg", "1", "kg", "1"]),
        "range_low": ("parameter", [0.0, 0.7, 0.0, 0.6]),
        "range_high": ("parameter", [15.0, 1.2, 8.0, 1.2]),
    }
    return xr.Dataset(
        {name: (dims, array, attributes(name)) for name, (dims, array) in values.items()},
        coords={name: (dims, array, attributes(name)) for name, (dims, array) in coords.items()},
        attrs={"method": "sobol"},
    )


def synthetic_course() -> xr.Dataset:
    """Two weeks of adaptation of one group in strength and range; the third day has no solution."""
    nothing = np.nan
    values = {
        "strength": (("week", "muscle_group"), np.array([[0.6], [0.8], [nothing]])),
        "tightness": (("week", "short_group"), np.array([[10.0], [5.0], [nothing]])),
        "anterior_pelvic_tilt": (("week",), np.array([2.0, 1.0, nothing])),
        "status": (("week",), np.array(["solved", "solved", "infeasible"])),
    }
    coords = {"week": np.arange(3.0), "muscle_group": ["core"], "short_group": ["hip_flexors"]}
    return xr.Dataset(
        {name: (dims, array, attributes(name)) for name, (dims, array) in values.items()},
        coords={name: (name, array, attributes(name)) for name, array in coords.items()},
        attrs={
            "model": "adult",
            "model_digest": "0" * 64,
            "versions": "{}",
            "start": '{"strength.core": 0.6}',
            "habit_hours": '{"standing": 2, "sitting": 10}',
            "laws": '{"strength_exponent": 4}',
            "parameters": "{}",
            "note": "A course.",
        },
    )
