"""Writes the tables of the teaching model from those of the adult.

    python models/teaching/lump.py

Everything is projected on the sagittal plane and the two sides are added, so that each body and each muscle stands for
the right and the left. Lumped points are means of those of the fascicles, weighted with their cross-section. The
passive law of the hip is fitted anew, because the straight knee leaves only one angle of it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import brentq, least_squares

from spinesim.cases import path_lengths
from spinesim.kernels.arrays import Floats
from spinesim.model.pack import Packed, pack
from spinesim.model.parts import Model, Muscle
from spinesim.model.read import load_model
from spinesim.passive_fit import hip_branches, passive_rise, tightness_gain

HERE = Path(__file__).parent
BODIES = {
    "pelvis": ("pelvis",),
    "trunk": ("L5", "L4", "L3", "L2", "L1", "thorax"),
    "legs": ("femur_r", "shank_r", "femur_l", "shank_l"),
}
MUSCLES = {
    "psoas": ("psoas",),
    "iliacus": ("iliacus",),
    "rectus_femoris": ("rectus_femoris",),
    "gluteus_maximus": ("gluteus_maximus",),
    "hamstrings": ("semimembranosus", "semitendinosus", "biceps_femoris_long"),
    "longissimus": ("longissimus",),
    "iliocostalis": ("iliocostalis",),
    "multifidus": ("multifidus",),
    "quadratus_lumborum": ("quadratus_lumborum",),
    "rectus_abdominis": ("rectus_abdominis",),
    "external_oblique": ("external_oblique",),
    "internal_oblique": ("internal_oblique",),
}
#: Share of the flexor and of the extensor branch of the passive hip moment that each muscle aims at (assumed);
#: 0.7 of each in all, the rest is tissue.
FLEXORS = {"psoas": 0.30, "iliacus": 0.30, "rectus_femoris": 0.10}
EXTENSORS = {"gluteus_maximus": 0.20, "hamstrings": 0.50}
HIPS = np.arange(-20.0, 61.0, 2.5)  # [deg] hip flexion over which the passive law is fitted, knees straight
FLEXOR_RATE = math.degrees(0.0750)  # [1/rad] of the measured flexor branch; the muscles are too few to leave another
MOST = 10.0  # [N m] up to which the law of the discs in series is fitted
THETA = np.arange(0.0, 41.0, 5.0)  # [deg]

Row = dict[str, str | float]


def body_of(name: str) -> str:
    """The lumped body that a body of the adult belongs to."""
    return next(lumped for lumped, parts in BODIES.items() if name in parts)


def origins(model: Model) -> dict[str, Floats]:
    """Origin of every body in the neutral frame [m]."""
    return {body.name: np.array(body.origin_neutral) for body in model.bodies}


# ------------------------------------------------------------------------------------------------------------ bodies


def bodies(adult: Model) -> list[Row]:
    """Masses added, centres of mass averaged."""
    place = {"pelvis": np.zeros(3), "trunk": np.array(disc(adult).centre_neutral), "legs": np.zeros(3)}
    rows = []
    for name, parts in BODIES.items():
        chosen = [body for body in adult.bodies if body.name in parts]
        mass = sum(body.mass for body in chosen)
        centre = sum(body.mass * (np.add(body.origin_neutral, body.centre_of_mass)) for body in chosen) / mass
        rows.append(
            {
                "name": name,
                "parent": "ground" if name == "pelvis" else "pelvis",
                "mass_kg": mass,
                **point("centre_of_mass", centre - place[name]),
                **point("origin_neutral", place[name]),
                **source("adult", "derived", f"the adult's {', '.join(parts)} lumped"),
            }
        )
    return rows


def disc(adult: Model):  # type: ignore[no-untyped-def]
    """The joint in which all lumbar motion is gathered."""
    return next(joint for joint in adult.joints if joint.name == "L5_S1")


# ----------------------------------------------------------------------------------------------------------- muscles


def flat_path(adult: Model, muscle: Muscle) -> list[tuple[str, Floats]]:
    """Points of a fascicle in the reference posture: lumped body and place in the sagittal plane [m]."""
    place = origins(adult)
    here = [p for p in muscle.path if not p.condition or p.condition_lowest <= 0.0 <= p.condition_highest]
    points = [(body_of(p.body), np.append((place[p.body] + p.position)[:2], 0.0)) for p in here]
    return points[::-1] if (points[0][0], points[-1][0]) == ("trunk", "pelvis") else points


def lumped_muscle(adult: Model, packed: Packed, name: str) -> tuple[Row, list[tuple[str, Floats]]]:
    """One muscle of both sides: its numbers but for the passive ones, and its path in the neutral frame."""
    length, _ = path_lengths(packed, np.zeros(len(packed.coordinates)))
    arrays = packed.arrays
    fibre = (length - arrays.slack_length) / (arrays.optimal_length * arrays.cos_pennation)
    found = []
    for i, muscle in enumerate(adult.muscles):
        if muscle.muscle in MUSCLES[name] and muscle.side == "right":
            path = flat_path(adult, muscle)
            if len({body for body, _ in path}) > 1:
                found.append((muscle, path, fibre[i]))
    weight = np.array([muscle.pcsa for muscle, _, _ in found])
    weight /= weight.sum()

    def mean(values: Iterable[float | Floats]) -> Floats:
        return sum(w * value for w, value in zip(weight, values, strict=True))

    pcsa = 2.0 * sum(muscle.pcsa for muscle, _, _ in found)
    optimal = float(mean(muscle.optimal_fibre_length for muscle, _, _ in found))
    pennation = float(mean(muscle.pennation for muscle, _, _ in found))
    fibres = float(mean(f for _, _, f in found)) * optimal * math.cos(pennation)
    turns = [crossings(path) for _, path, _ in found]
    path = [(body, mean(t[k][1] for t in turns)) for k, (body, _) in enumerate(turns[0])]
    slack = span(path) - fibres
    note = "the parts of the path that lie on one body are left out"
    if slack < 0.0:
        # the fibres are longer than the part that crosses the joint: keep origin and insertion
        path = [
            (path[0][0], mean(p[0][1] for _, p, _ in found)),
            *path,
            (path[-1][0], mean(p[-1][1] for _, p, _ in found)),
        ]
        path = [path[0]] + [b for a, b in pairwise(path) if np.linalg.norm(b[1] - a[1]) > 1e-9]
        slack = span(path) - fibres
        note = "origin and insertion are kept, because the fibres are longer than the part that crosses the joint"
    held = "tendon slack so that the fibres are as long as in the adult"
    if slack < 0.0:
        optimal *= span(path) / fibres
        slack = 0.0
        held = "fibres without a tendon, as in the adult, shortened to their projection"
    return {
        "name": name,
        "muscle": name,
        "side": "midline",
        "pcsa_m2": pcsa,
        "specific_tension_Pa": found[0][0].specific_tension,
        "optimal_fibre_length_m": optimal,
        "tendon_slack_length_m": slack,
        "pennation_rad": pennation,
        "passive_force_N": 2.0 * sum(muscle.passive_force for muscle, _, _ in found),
        "passive_slack": 1.0,
        "passive_strain": 0.6,
        **source(
            "adult",
            "derived",
            f"{2 * len(found)} fascicles of both sides: cross-sections added, the rest their mean by cross-section; "
            f"{held}; {note}",
        ),
    }, path


def crossings(path: list[tuple[str, Floats]]) -> list[tuple[str, Floats]]:
    """The points on both sides of every joint that a path crosses."""
    found: list[tuple[str, Floats]] = []
    for before, after in pairwise(path):
        if before[0] != after[0]:
            found += [before, after]
    return found


def span(path: list[tuple[str, Floats]]) -> float:
    """Length of a path [m]."""
    return float(sum(np.linalg.norm(b[1] - a[1]) for a, b in pairwise(path)))


# ------------------------------------------------------------------------------------------------------------- discs


def series(adult: Model, direction: str, preload: float) -> tuple[float, float, float]:
    """c1, c2, c3 of the flexion laws of the six levels in series: the same moment bends all of them.

    The slope at 0 is exact; the rest is fitted up to the moment `MOST`.
    """
    laws = [
        law
        for law in adult.disc_laws
        if (law.coordinate, law.direction, law.preload) == ("flexion", direction, preload)
    ]
    moment = np.linspace(0.0, MOST, 41)[1:]
    angle = np.zeros_like(moment)
    for law in laws:
        for k, m in enumerate(moment):
            angle[k] += brentq(lambda t, c=law, m=m: t * (c.c1 + t * (c.c2 + t * c.c3)) - m, 0.0, 1.0, xtol=1e-14)
    c1 = 1.0 / sum(1.0 / law.c1 for law in laws)
    (c2, c3), *_ = np.linalg.lstsq(np.stack([angle**2, angle**3], axis=1) / moment[:, None], 1.0 - c1 * angle / moment)
    return c1, float(c2), float(c3)


def disc_laws(adult: Model) -> list[Row]:
    """Flexion and extension laws at every preload."""
    rows: list[Row] = []
    for preload in sorted({law.preload for law in adult.disc_laws}):
        for direction in ("positive", "negative"):
            c1, c2, c3 = series(adult, direction, preload)
            rows.append(
                {
                    "level": "L5_S1",
                    "coordinate": "flexion",
                    "direction": direction,
                    "preload_N": preload,
                    "c1_Nm_per_rad": c1,
                    "c2_Nm_per_rad2": c2,
                    "c3_Nm_per_rad3": c3,
                    **source(
                        "adult", "derived", f"six levels in series: slope at 0 exact, the rest fitted to {MOST:g} N m"
                    ),
                }
            )
    return rows


# -------------------------------------------------------------------------------------------------------- passive hip


def fit_hip(packed: Packed) -> tuple[dict[str, tuple[float, float]], Floats, float]:
    """Passive law of both hips, knees straight: Riener and Edrich (1999), shared out between muscles and tissue.

    Returns
    -------
    muscles : passive slack and strain of every muscle of the hip
    tissue : logarithm of the amplitudes of the flexor and the extensor branch, and of the rate of the latter
    worst : largest error of the sum relative to 1 N m + 10 %
    """
    k = packed.coordinates.index("hip.flexion")
    arrays = packed.arrays
    fibre, arm = np.empty((HIPS.size, len(packed.muscles))), np.empty((HIPS.size, len(packed.muscles)))
    for p, hip in enumerate(HIPS):
        q = np.zeros(len(packed.coordinates))
        q[k] = math.radians(hip)
        length, gradient = path_lengths(packed, q)
        fibre[p] = (length - arrays.slack_length) / (arrays.optimal_length * arrays.cos_pennation)
        arm[p] = -gradient[:, k]
    flexor = np.array([2.0 * hip_branches(hip, 0.0)[0] for hip in HIPS])
    extensor = np.array([2.0 * hip_branches(hip, 0.0)[1] for hip in HIPS])
    measured = flexor + extensor + 2.0 * hip_branches(0.0, 0.0)[2]
    found = {}
    carried = np.zeros(HIPS.size)
    for share, branch in ((FLEXORS, flexor), (EXTENSORS, extensor)):
        for name, part in share.items():
            i = packed.muscles.index(name)

            def moment(x: Floats, i: int = i) -> Floats:
                stretch = arrays.softplus * np.logaddexp(0.0, (fibre[:, i] - x[0]) / arrays.softplus)
                rise = passive_rise(stretch, math.exp(x[1]), arrays.passive_shape, arrays.softplus)
                return arrays.passive_force[i] * arrays.cos_pennation[i] * rise * arm[:, i]

            def residuals(x: Floats, part: float = part, branch: Floats = branch) -> Floats:
                return (moment(x) - part * branch) / (0.5 + 0.1 * np.abs(branch))

            fit = least_squares(residuals, [1.0, math.log(0.6)], bounds=([0.5, math.log(0.15)], [2.0, math.log(3.0)]))
            found[name] = (float(fit.x[0]), math.exp(fit.x[1]))
            carried += moment(fit.x)
    radians = np.radians(HIPS)
    constant = 2.0 * hip_branches(0.0, 0.0)[2]

    def errors(x: Floats) -> Floats:
        tissue = np.exp(x[0] - FLEXOR_RATE * radians) - np.exp(x[1] + np.exp(x[2]) * radians) + constant
        return (carried + tissue - measured) / (1.0 + 0.1 * np.abs(measured))

    fit = least_squares(errors, np.log([1.0, 1.0, math.degrees(0.0305)]))  # from the rate of the measured branch
    return found, fit.x, float(np.abs(errors(fit.x)).max())


def tissues(law: Floats) -> list[Row]:
    """What the muscles leave of the passive hip moment: one exponential per branch, and the constant."""
    flexor, extensor, rate = np.exp(law)
    branches = (
        (
            "hip_extension_limit",
            flexor,
            -FLEXOR_RATE,
            "lower",
            "hip_flexors",
            "fitted",
            "what the muscles leave of the flexor branch",
        ),
        (
            "hip_flexion_limit",
            -extensor,
            rate,
            "upper",
            "",
            "fitted",
            "what the muscles leave of the extensor branch",
        ),
        ("hip_constant", 2.0 * hip_branches(0.0, 0.0)[2], 0.0, "none", "", "derived", "constant of the law"),
    )
    return [
        {
            "name": name,
            "coordinate": "hip.flexion",
            "amplitude_Nm": float(amplitude),
            "rate_per_rad": float(rate),
            "second": "",
            "coupling_per_rad": "",
            "limits": limits,
            "tightness_group": group,
            **source("riener_edrich1999", confidence, f"{words}; both sides, knees straight"),
        }
        for name, amplitude, rate, limits, group, confidence, words in branches
    ]


# ------------------------------------------------------------------------------------------------------------- writing


def point(stem: str, place: Floats, start: str = "_") -> Row:
    """Columns of a point in the sagittal plane."""
    return {f"{stem}{start}{axis}_m": value for axis, value in zip("xyz", (place[0], place[1], 0.0), strict=True)}


def source(key: str, confidence: str, notes: str = "") -> Row:
    """Columns that say where a row comes from."""
    return {"source": key, "confidence": confidence, "notes": notes}


def cell(value: str | float) -> str:
    """A number with eight figures; what is smaller than a picometre is rounding."""
    if isinstance(value, str):
        return value
    return "0" if abs(value) < 1e-12 else f"{value:.8g}"


def write(table: str, rows: list[Row]) -> None:
    """One table of the folder."""
    with (HERE / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)


def muscle_tables(adult: Model) -> tuple[list[Row], list[Row]]:
    """Rows of muscles.csv and muscle_paths.csv."""
    packed = pack(adult)
    place = {"pelvis": np.zeros(3), "trunk": np.array(disc(adult).centre_neutral), "legs": np.zeros(3)}
    muscles, paths = [], []
    for name in MUSCLES:
        row, path = lumped_muscle(adult, packed, name)
        muscles.append(row)
        for number, (body, where) in enumerate(path):
            xyz = {f"{axis}_m": v for axis, v in zip("xyz", where - place[body], strict=True)}
            words = {"condition": "", "condition_lowest_rad": "", "condition_highest_rad": ""}
            paths.append(
                {
                    "fascicle": name,
                    "point": number,
                    "body": body,
                    **xyz,
                    "z_m": 0.0,
                    **words,
                    **source("adult", "derived"),
                }
            )
    return muscles, paths


def landmark_rows(adult: Model) -> list[Row]:
    """Bony points, with those of the vertebrae carried by the trunk; the knee for the eye."""
    place, to = origins(adult), {row["name"]: row for row in bodies(adult)}
    marks = [(mark.name, mark.body, mark.position) for mark in adult.landmarks if not mark.name.endswith("_l")]
    marks.append(("knee_r", "shank_r", (0.0, 0.0, 0.0)))
    rows: list[Row] = []
    for name, body, position in marks:
        lumped = to[body_of(body)]
        where = place[body] + position - [lumped[f"origin_neutral_{axis}_m"] for axis in "xyz"]
        xyz = {f"{axis}_m": float(v) for axis, v in zip("xyz", where, strict=True)}
        rows.append({"name": name, "body": str(lumped["name"]), **xyz, **source("adult", "derived", "")})
    return rows


def main() -> None:
    """Write all tables."""
    adult = load_model("adult")
    write("bodies", bodies(adult))
    lumbar = disc(adult)
    joints: Mapping[str, tuple[str, str, Floats, float]] = {
        "pelvis": ("ground", "root", np.zeros(3), 0.0),
        "L5_S1": ("pelvis", "disc", np.array(lumbar.centre_neutral), lumbar.frame_angle),
        "hip": ("pelvis", "hinge", np.zeros(3), 0.0),
    }
    child = {"pelvis": "pelvis", "L5_S1": "trunk", "hip": "legs"}
    write(
        "joints",
        [
            {
                "name": name,
                "parent": parent,
                "child": child[name],
                "kind": kind,
                **point("centre_neutral", centre),
                "frame_angle_rad": angle,
                **source("adult", "derived", "stands for all six levels" if kind == "disc" else ""),
            }
            for name, (parent, kind, centre, angle) in joints.items()
        ],
    )
    ranges = {
        name: [
            sum(getattr(c, end) for c in adult.coordinates if c.full_name in members) for end in ("lowest", "highest")
        ]
        for name, members in {
            "pelvis.tilt": ["pelvis.tilt"],
            "L5_S1.flexion": [f"{level}.flexion" for level in adult.levels],
            "hip.flexion": ["hip_r.flexion"],
        }.items()
    }
    write(
        "coordinates",
        [
            {
                "joint": name.split(".")[0],
                "name": name.split(".")[1],
                "axis_x": 0.0,
                "axis_y": 0.0,
                "axis_z": 1.0 if name == "hip.flexion" else -1.0,
                "lowest_deg": math.degrees(low),
                "highest_deg": math.degrees(high),
                "rhythm_share": 1.0 if name == "L5_S1.flexion" else 0.0,
                "rhythm_share_negative": 1.0 if name == "L5_S1.flexion" else 0.0,
                **source("adult", "derived", "ranges of the six levels added" if name == "L5_S1.flexion" else ""),
            }
            for name, (low, high) in ranges.items()
        ],
    )
    one = next(d for d in adult.discs if d.name == "L5_S1")
    sizes = {
        f"{key}_m": getattr(one, key)
        for key in ("height_posterior", "height_middle", "height_anterior", "depth", "width")
    }
    write(
        "discs",
        [
            {
                "name": "L5_S1",
                **point("centre_neutral", np.array(one.centre_neutral)),
                "area_m2": one.area,
                **sizes,
                **source("adult", "derived", "size of the disc L5/S1 alone"),
            }
        ],
    )
    write("disc_laws", disc_laws(adult))
    write(
        "disc_springs",
        [
            {
                "level": "L5_S1",
                "preload_N": spring.preload,
                "axial_N_per_m": spring.axial,
                "shear_anterior_N_per_m": spring.shear_anterior,
                "shear_lateral_N_per_m": spring.shear_lateral,
                **source("adult", "derived", "the disc L5/S1 alone"),
            }
            for spring in adult.disc_springs
            if spring.level == "L5_S1"
        ],
    )
    write("landmarks", landmark_rows(adult))
    write(
        "actuators",
        [
            {
                "name": name.removesuffix("_r"),
                "coordinate": "lean",
                "group": "",
                "side": "midline",
                "max_moment_Nm": 2.0 * moment,
                **source("adult", "derived", f"{words}, both sides"),
            }
            for name, moment, words in (
                (a.name, a.max_moment, a.notes) for a in adult.actuators if a.coordinate == "lean" and a.side == "right"
            )
        ],
    )
    write("tissues", tissues(np.zeros(3)))  # a first law, so that the folder can be read
    reading = next(test for test in adult.tests if test.group == "hip_flexors")
    write(
        "tests",
        [
            {
                "group": "hip_flexors",
                "name": reading.name,
                "coordinate": "hip.flexion",
                "limits": "lower",
                "reference_deg": math.degrees(reading.reference),
                **source("adult", "derived", reading.notes),
            }
        ],
    )
    muscles, paths = muscle_tables(adult)
    write("muscles", muscles)
    write("muscle_paths", paths)
    write_gains(dict.fromkeys(THETA.tolist(), 1.0))

    fitted, law, worst = fit_hip(pack(load_model(HERE)))
    write("tissues", tissues(law))
    for row in muscles:
        if row["name"] in fitted:
            row["passive_slack"], row["passive_strain"] = fitted[str(row["name"])]
            row["notes"] = (
                f"{row['notes']}; passive slack and strain fitted to its share of the passive hip moment "
                f"(largest error of the sum {worst:.2f} x (1 N m + 10 %) from {HIPS[0]:g} to {HIPS[-1]:g} deg)"
            )
    write("muscles", muscles)
    packed = pack(load_model(HERE))
    (test,) = packed.model.tests
    write_gains({theta: tightness_gain(packed, test, math.radians(theta)) for theta in THETA.tolist()})


def write_gains(gains: Mapping[float, float]) -> None:
    """The table of tightness."""
    write(
        "tightness",
        [
            {
                "group": "hip_flexors",
                "theta_deg": theta,
                "gain": value,
                **source("definition", "fitted", "so that the test reads it back (lump.py)"),
            }
            for theta, value in gains.items()
        ],
    )


if __name__ == "__main__":
    main()
