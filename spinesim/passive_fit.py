"""Fit of the passive muscles and capsules to measured passive moments; writes its numbers into a model folder.

    python -m spinesim.passive_fit models/adult

1. Tendons whose muscle would leave the range of the muscle curves in a stance are re-tuned by the least change.
2. Every muscle that crosses hip or knee gets its own passive slack and strain so that the muscles together carry a
   given share of each branch of the measured hip moment (Riener and Edrich 1999).
3. What they leave is given to capsule, ligament, fascia and skin: a sum of exponentials, each of the sign of its
   branch and therefore monotone, found by non-negative least squares over the measured range.
4. The gain of every tightness is solved so that the clinical test reads the tightness back.
"""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import brentq, least_squares, nnls

from spinesim.assessment import passive_moments
from spinesim.cases import mirrored_test, path_lengths, shifts, test_pose
from spinesim.kernels.arrays import Floats
from spinesim.model.pack import Packed, pack
from spinesim.model.parts import TightnessTest
from spinesim.model.read import load_model
from spinesim.stance import bare_arrays, default_cases, find_stance

HIPS = np.arange(-20.0, 121.0, 10.0)  # [deg] the measured range
KNEES = np.arange(0.0, 91.0, 15.0)  # [deg]
#: Share of the flexor branch that each muscle aims at (assumed: by cross-section and arm, less for rectus femoris,
#: which the bent knee would stretch far beyond the measured moment); 0.7 in all.
FLEXORS = {
    "psoas": 0.25,
    "iliacus": 0.25,
    "tensor_fasciae_latae": 0.10,
    "sartorius": 0.05,
    "rectus_femoris": 0.05,
}
#: The same for the extensor branch.
EXTENSORS = {
    "semimembranosus": 0.20,
    "biceps_femoris_long": 0.20,
    "semitendinosus": 0.10,
    "gluteus_maximus": 0.10,
    "adductor_magnus": 0.10,
}
#: Coordinate, angle, pose, muscles that limit the motion there, and their passive moment at the end of the range
#: (assumed: the tables have no measured law for muscles; of the size of the moments at the ends of hip flexion).
ENDS = (
    (
        "hip_r.adduction",
        -45.0,
        {"hip_r.flexion": 90.0, "knee_r.flexion": 90.0},
        ("adductor_longus", "adductor_brevis", "adductor_magnus", "pectineus", "gracilis"),
        16.0,
    ),
    ("hip_r.rotation", 40.0, {"hip_r.flexion": 0.0, "knee_r.flexion": 90.0}, ("piriformis",), 6.0),
)
MOST = 0.8  # of each branch that they may carry at any posture of the range
WORKING = ((-15.0, 0.0), (0.0, 0.0), (55.0, 0.0), (70.0, 90.0), (95.0, 90.0))  # [deg] hip, knee in the stances
FIBRES = (0.42, 1.78)  # normalised fibre lengths allowed there
SMALLEST = math.radians(0.1)  # tightness at which the gain of none is taken
KNEE_RANGE = np.arange(0.0, 136.0, 5.0)  # [deg] range over which the knee is fitted, hip straight


def hip_branches(hip: float, knee: float) -> tuple[float, float, float]:
    """Flexor branch, extensor branch and constant of the passive hip moment [N m], flexion positive; angles in deg.

    References
    ----------
    Riener and Edrich 1999, J Biomech 32:539-544.
    """
    return math.exp(1.4655 - 0.0034 * knee - 0.075 * hip), -math.exp(1.3403 - 0.0226 * knee + 0.0305 * hip), 8.072


def knee_moment(hip: float, knee: float) -> float:
    """Passive knee moment [N m], flexion positive, ankle at 0; angles in deg; source as `hip_branches`."""
    return (
        math.exp(1.800 - 0.0352 * knee + 0.0217 * hip)
        - math.exp(-3.971 + 0.0495 * knee - 0.0128 * hip)
        - 4.820
        + math.exp(2.220 - 0.150 * knee)
    )


def passive_rise(stretch: Floats, strain: Floats | float, shape: float, corner: float) -> Floats:
    """Passive force over the one at ``strain``: exponential, straight beyond; see `spinesim.kernels.derived`."""
    beyond = corner * (np.logaddexp(0.0, (stretch - strain) / corner) - np.logaddexp(0.0, -strain / corner))
    rise: Floats = (np.expm1(shape * (stretch - beyond) / strain) + shape / strain * np.exp(shape) * beyond) / np.expm1(
        shape
    )
    return rise


class Limb:
    """The right leg of a model over the measured range: fibre lengths and arms at every posture."""

    def __init__(self, packed: Packed, postures: list[tuple[float, float]]) -> None:
        self.packed = packed
        self.hip = packed.coordinates.index("hip_r.flexion")
        self.knee = packed.coordinates.index("knee_r.flexion")
        model = packed.model
        self.chosen = [
            i
            for i, m in enumerate(model.muscles)
            if m.side == "right" and any(p.body in ("femur_r", "shank_r") for p in m.path)
        ]
        self.fibre = np.empty((len(postures), len(self.chosen)))
        self.hip_arm = np.empty_like(self.fibre)
        self.knee_arm = np.empty_like(self.fibre)
        arrays = packed.arrays
        unit = (arrays.optimal_length * arrays.cos_pennation)[self.chosen]
        for p, (hip, knee) in enumerate(postures):
            q = np.zeros(len(packed.coordinates))
            q[self.hip], q[self.knee] = math.radians(hip), math.radians(knee)
            length, gradient = path_lengths(packed, q)
            self.fibre[p] = (length[self.chosen] - arrays.slack_length[self.chosen]) / unit
            self.hip_arm[p] = -gradient[self.chosen, self.hip]
            self.knee_arm[p] = -gradient[self.chosen, self.knee]
        self.force = (arrays.passive_force * arrays.cos_pennation)[self.chosen]
        self.unit = unit

    def tension(self, slack: Floats, strain: Floats, fibre: Floats | None = None) -> Floats:
        """Passive tension [N] of every muscle at every posture, or at other fibre lengths."""
        arrays = self.packed.arrays
        corner, shape = arrays.softplus, arrays.passive_shape
        stretch = corner * np.logaddexp(0.0, ((self.fibre if fibre is None else fibre) - slack) / corner)
        tension: Floats = self.force * passive_rise(stretch, strain, shape, corner)
        return tension


def tuned_slack(packed: Packed) -> dict[int, float]:
    """Change of tendon slack length [m] that keeps each muscle within the curves in the working postures."""
    limb = Limb(packed, list(WORKING))
    change = {}
    for c, i in enumerate(limb.chosen):
        low, high = limb.fibre[:, c].min(), limb.fibre[:, c].max()
        shift = max(FIBRES[0] - low, 0.0) or min(FIBRES[1] - high, 0.0)
        if shift:
            change[i] = -shift * limb.unit[c]
    return change


def _start(limb: Limb, kind: np.ndarray, names: list[str], branches: tuple[Floats, Floats]) -> Floats:
    """Slack and strain of each muscle from the straight line that an exponential is in logarithms."""
    shape = limb.packed.arrays.passive_shape
    slack, strain = np.full(len(names), 1.1), np.full(len(names), 0.6)
    for n, name in enumerate(names):
        share, branch, sign = FLEXORS.get(name, 0.0), branches[0], 1.0
        if name in EXTENSORS:
            share, branch, sign = EXTENSORS[name], branches[1], -1.0
        if not share:
            continue
        member = kind == n
        arm = sign * limb.hip_arm[:, member] @ limb.force[member]
        length = limb.fibre[:, member] @ limb.force[member] / limb.force[member].sum()
        used = (arm > 0.01 * limb.force[member].sum()) & (branch > 0.5)
        # a start only, kept inside the bounds of the fit
        slope, offset = np.polyfit(length[used], np.log(share * branch[used] / arm[used]) + shape, 1)
        strain[n] = np.clip(shape / slope, 0.2, 2.0) if slope > 0.0 else 0.6
        slack[n] = np.clip(-offset * strain[n] / shape, 0.75, 2.1)
    return np.concatenate([slack, np.log(strain)])


def _end_limbs(packed: Packed, chosen: list[int]) -> list[tuple[Floats, Floats, np.ndarray, float]]:
    """Fibre lengths, arms (positive when they resist), limiting muscles and moment at the ends of other motions."""
    arrays = packed.arrays
    found = []
    for coordinate, angle, pose, limiting, aim in ENDS:
        q = np.zeros(len(packed.coordinates))
        for name, value in {**pose, coordinate: angle}.items():
            q[packed.coordinates.index(name)] = math.radians(value)
        length, gradient = path_lengths(packed, q)
        fibre = (length - arrays.slack_length) / (arrays.optimal_length * arrays.cos_pennation)
        arm = gradient[:, packed.coordinates.index(coordinate)] * math.copysign(1.0, angle)
        member = np.array([packed.model.muscles[i].muscle in limiting for i in chosen])
        found.append((fibre[chosen], arm[chosen], member, aim))
    return found


def fit_muscles(limb: Limb, postures: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    """Passive slack and strain of every muscle of the leg; fascicles of one anatomical muscle share both."""
    kinds = [limb.packed.model.muscles[i].muscle for i in limb.chosen]
    names = sorted(set(kinds))
    kind = np.array([names.index(k) for k in kinds])
    flexor = np.array([hip_branches(*p)[0] for p in postures])
    extensor = np.array([-hip_branches(*p)[1] for p in postures])
    both = flexor + hip_branches(0.0, 0.0)[2]
    ends = _end_limbs(limb.packed, limb.chosen)
    aims = np.zeros((len(names), len(postures)))
    for n, name in enumerate(names):
        aims[n] = FLEXORS.get(name, 0.0) * flexor - EXTENSORS.get(name, 0.0) * extensor

    def residuals(x: Floats) -> Floats:
        slack, strain = x[: len(names)][kind], np.exp(x[len(names) :])[kind]
        moment = limb.tension(slack, strain) * limb.hip_arm
        pull = np.where(moment > 0.0, moment, 0.0).sum(axis=1)
        hold = -np.where(moment < 0.0, moment, 0.0).sum(axis=1)
        parts = []
        for n in range(len(names)):
            own = moment[:, kind == n].sum(axis=1)
            # relative errors count beside absolute ones: the branches span three orders of magnitude
            parts.append((own - aims[n]) / (0.5 + 0.2 * np.abs(aims[n])))
        parts.append(10.0 * np.maximum(pull - MOST * both, 0.0) / (1.0 + 0.05 * both))
        parts.append(10.0 * np.maximum(hold - (MOST - 0.01) * extensor, 0.0) / (0.1 + 0.05 * extensor))
        for fibre, arm, member, aim in ends:
            resisting = limb.tension(slack, strain, fibre) * arm
            parts.append(np.array([3.0 * (resisting[member].sum() - aim) / aim]))
            parts.append(3.0 * resisting[~member] / aim)
        parts.append(0.3 * (x[: len(names)] - 1.0))
        parts.append(0.3 * (x[len(names) :] - math.log(0.6)))
        return np.concatenate(parts)

    low = np.concatenate([np.full(len(names), 0.7), np.full(len(names), math.log(0.15))])
    high = np.concatenate([np.full(len(names), 2.2), np.full(len(names), math.log(2.5))])
    fit = least_squares(residuals, _start(limb, kind, names, (flexor, extensor)), bounds=(low, high), x_scale=0.1)
    return fit.x[: len(names)][kind], np.exp(fit.x[len(names) :])[kind]


def fit_capsule(
    remaining: Floats, measured: Floats, hip: Floats, knee: Floats, rates: list[tuple[int, float, float]]
) -> list[tuple[float, float, float]]:
    """Exponentials amplitude exp(rate hip + coupling knee) of given signs that make up what is left; angles in rad."""
    columns = np.stack([sign * np.exp(rate * hip + coupling * knee) for sign, rate, coupling in rates], axis=1)
    weight = 1.0 / (0.5 + 0.05 * np.abs(measured))
    scale = np.abs(columns * weight[:, None]).max(axis=0)
    solution, _ = nnls(columns * weight[:, None] / scale, remaining * weight, maxiter=20000)
    found = []
    for (sign, rate, coupling), size, unit in zip(rates, solution, scale, strict=True):
        if size > 1e-3:  # [N m] where it is largest
            found.append((sign * size / unit, rate, coupling))
    return found


def hip_rates() -> list[tuple[int, float, float]]:
    """Signs, rates and couplings [1/rad] offered to the hip capsule: flexor branch, extensor branch, constant."""
    flexor = [(1, -rate, coupling) for rate in (1.5, 2.0, 3.0, 4.3, 6.0) for coupling in (-0.6, -0.2, 0.0)]
    extensor = [
        (-1, rate, coupling)
        for rate in (0.3, 0.6, 1.2, 1.75, 2.4, 3.2, 4.0, 5.0, 6.5)
        for coupling in (-3.0, -2.0, -1.3, -0.8, -0.3, 0.0)
    ]
    return [*flexor, *extensor, (1, 0.0, 0.0)]


def knee_rates() -> list[tuple[int, float, float]]:
    """The same for the knee, by its own angle alone."""
    flexor = [(1, -rate, 0.0) for rate in (1.0, 2.0, 4.0, 8.6, 12.0)]
    extensor = [(-1, rate, 0.0) for rate in (0.5, 1.0, 2.0, 2.8, 4.0, 6.0)]
    return [*flexor, *extensor]


def tightness_gain(packed: Packed, test: TightnessTest, theta: float) -> float:
    """Gain of a tightness [rad], negative for a range gained, with which the test reads it back; at 0 its limit."""
    theta = theta if abs(theta) >= SMALLEST else SMALLEST
    stance = find_stance(packed, "standing")
    healthy = default_cases(packed, bare_arrays(packed, stance), stance, 1, 0)
    k = packed.coordinates.index(test.coordinate)
    inward = 1.0 if test.limits == "lower" else -1.0
    shift = shifts(packed)[test.group, "right" if "_r." in test.coordinate else "midline"]
    goal = passive_moments(packed, healthy, test_pose(packed, test, test.reference))[k]

    def error(gain: float) -> float:
        case = healthy._replace(shift=healthy.shift.copy(), tissue_shift=healthy.tissue_shift.copy())
        case.shift[0, shift.muscles] = gain * theta * shift.per_radian
        case.tissue_shift[0, shift.tissues] = gain * theta * shift.signs
        q = test_pose(packed, test, test.reference + inward * theta)
        return float(passive_moments(packed, case, q)[k] - goal)

    return float(brentq(error, 0.01, 8.0, xtol=1e-10))


def _rewrite(path: Path, change) -> None:  # type: ignore[no-untyped-def]
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        fields = list(reader.fieldnames or ())
        rows = list(reader)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(rows))


def fit(folder: Path) -> None:
    """Fit and write; prints what was met and by how much it was missed."""
    packed = pack(load_model(str(folder)))
    n_right = sum(m.side == "right" for m in packed.model.muscles)
    names = {i: packed.muscles[i].removesuffix("_r") for i in range(n_right)}
    change = tuned_slack(packed)
    for i, by in change.items():
        print(f"tendon slack of {names[i]}: {1e3 * by:+.1f} mm")
    slack_length = packed.arrays.slack_length.copy()
    for i, by in change.items():
        slack_length[i] += by
    packed = Packed(**{**packed.__dict__, "arrays": packed.arrays._replace(slack_length=slack_length)})

    postures = [(h, k) for h in HIPS for k in KNEES]
    limb = Limb(packed, postures)
    slack, strain = fit_muscles(limb, postures)
    hip, knee = np.radians([p[0] for p in postures]), np.radians([p[1] for p in postures])
    measured = np.array([sum(hip_branches(*p)) for p in postures])
    tension = limb.tension(slack, strain)
    carried = (tension * limb.hip_arm).sum(axis=1)
    hip_terms = fit_capsule(measured - carried, measured, hip, knee, hip_rates())
    capsule = sum(a * np.exp(r * hip + c * knee) for a, r, c in hip_terms)
    error = carried + capsule - measured
    worst = (np.abs(error) / (1.0 + 0.1 * np.abs(measured))).max()
    print(f"hip: largest error relative to 1 N m + 10 % {worst:.2f}")
    print(f"hip: largest error {np.abs(error).max():.2f} N m, root mean square {np.sqrt(np.mean(error**2)):.2f} N m")

    straight = [(0.0, k) for k in KNEE_RANGE]
    leg = Limb(packed, straight)
    bent = np.radians(KNEE_RANGE)
    at_knee = (leg.tension(slack, strain) * leg.knee_arm).sum(axis=1)
    for a, r, c in hip_terms:
        if r:
            at_knee += c / r * a * np.exp(c * bent)
    measured_knee = np.array([knee_moment(*p) for p in straight])
    knee_terms = fit_capsule(measured_knee - at_knee, measured_knee, bent, np.zeros_like(bent), knee_rates())
    error = at_knee + sum(a * np.exp(r * bent) for a, r, _ in knee_terms) - measured_knee
    print(f"knee, hip straight: largest error {np.abs(error).max():.2f} N m")

    fitted = dict(zip(limb.chosen, zip(slack, strain, strict=True), strict=True))
    by_name = {names[i]: (change.get(i, 0.0), *fitted[i]) for i in limb.chosen}

    def muscles(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        for row in rows:
            if row["name"] in by_name:
                by, begins, rises = by_name[row["name"]]
                row["tendon_slack_length_m"] = f"{float(row['tendon_slack_length_m']) + by:.8g}"
                row["passive_slack"], row["passive_strain"] = f"{begins:.6g}", f"{rises:.6g}"
                note = "passive slack and strain fitted to riener_edrich1999 (passive_fit)"
                if by:
                    note += f"; tendon slack changed by {1e3 * by:.2f} mm to stay within the curves in every stance"
                if "passive_fit" not in row["notes"]:
                    row["notes"] = f"{row['notes']}; {note}"
        return rows

    def tissues(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        kept = [r for r in rows if not r["coordinate"].endswith(".flexion")]
        blank = dict.fromkeys(rows[0], "")
        for where, terms in (("hip", hip_terms), ("knee", knee_terms)):
            for number, (a, r, c) in enumerate(terms, 1):
                lower = a > 0.0
                group = {"hip": ("hip_flexors", "hamstrings"), "knee": ("", "quadriceps")}[where][not lower]
                kept.append(
                    {
                        **blank,
                        "name": f"{where}_tissue_{number}_r",
                        "coordinate": f"{where}_r.flexion",
                        "amplitude_Nm": f"{a:.8g}",
                        "rate_per_rad": f"{r:.8g}",
                        "second": "knee_r.flexion" if c else "",
                        "coupling_per_rad": f"{c:.8g}" if c else "",
                        "limits": ("lower" if lower else "upper") if r else "none",
                        "tightness_group": group if r else "",
                        "source": "riener_edrich1999",
                        "confidence": "fitted",
                        "notes": "what the passive muscles leave of the measured moment (passive_fit)",
                    }
                )
        return kept

    _rewrite(folder / "muscles.csv", muscles)
    _rewrite(folder / "tissues.csv", tissues)

    packed = pack(load_model(str(folder)))
    gains = {}
    for test in packed.model.tests:
        right = mirrored_test(test, "_r")
        for theta in test.theta:
            gains[test.group, round(math.degrees(theta), 6)] = tightness_gain(packed, right, theta)
        print(
            f"{test.group}: gain " + " ".join(f"{gains[test.group, round(math.degrees(t), 6)]:.3f}" for t in test.theta)
        )

    def tightness(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        for row in rows:
            row["gain"] = f"{gains[row['group'], round(float(row['theta_deg']), 6)]:.8g}"
            row.update(source="definition", confidence="fitted", notes="so that the test reads it back (passive_fit)")
        return rows

    _rewrite(folder / "tightness.csv", tightness)


if __name__ == "__main__":
    fit(Path(sys.argv[1]))
