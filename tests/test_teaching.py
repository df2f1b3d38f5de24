"""The teaching model against equations small enough to print: gravity, arms, passive laws, balance, least effort."""

import math

import numpy as np
import pytest
import sympy as sp
from typer.testing import CliRunner

import spinesim as ss
from spinesim.cases import path_lengths, shifts
from spinesim.cli import app
from spinesim.model.check import check
from spinesim.model.pack import pack
from spinesim.passive_fit import hip_branches
from spinesim.symbolic import planar

TWELVE = 12
HIP_MUSCLES = ("psoas", "iliacus", "rectus_femoris", "gluteus_maximus", "hamstrings")


@pytest.fixture(scope="session")
def teaching():
    return ss.load_model("teaching")


@pytest.fixture(scope="session")
def standing(teaching):
    return ss.solve(teaching)


def at(values):
    """The free coordinates (lean, tilt, flexion) as numbers for the symbols."""
    return dict(zip(planar.COORDINATES, values, strict=True))


def known(model):
    """Masses and places of the model for the symbols of the printed equations."""
    bodies = {body.name: body for body in model.bodies}
    numbers = {planar.gravity: model.gravity}
    numbers |= dict(zip(planar.lumbar, bodies["trunk"].origin_neutral, strict=False))
    for name, body in bodies.items():
        numbers[planar.mass[name]] = body.mass
        numbers |= dict(zip(planar.centre[name], body.centre_of_mass, strict=False))
    return numbers


def lines(muscle):
    """The straight lines of a muscle between two bodies, with their points; and the length that never changes [m]."""
    found, fixed = [], 0.0
    for k, (a, b) in enumerate(zip(muscle.path[:-1], muscle.path[1:], strict=True)):
        if a.body == b.body:
            fixed += math.dist(a.position, b.position)
            continue
        line = planar.StraightMuscle(f"{muscle.name}{k}", a.body, b.body)
        places = dict(zip(line.origin, a.position, strict=False)) | dict(zip(line.insertion, b.position, strict=False))
        found.append((line, places))
    return found, fixed


def gravity_by_hand(model):
    """Moments of the weights about lean, tilt and flexion: minus the slopes of the potential energy."""
    support = model.stances["standing"].supports[0]
    ankle = planar.in_world("legs", sp.Matrix(support.position[:2]))
    heights = [planar.in_world(body, planar.centre[body]) - ankle for body in planar.BODIES]
    energy = sum(planar.mass[b] * planar.gravity * h[1] for b, h in zip(planar.BODIES, heights, strict=True))
    return -sp.Matrix([sp.diff(energy, angle) for angle in planar.COORDINATES]).subs(known(model))


def disc_by_hand(model, angle):
    """Restoring moment of the disc at the default preload [N m]."""
    zone = model.neutral_zone
    law = {w.direction: w for w in model.disc_laws if w.preload == zone.preload}
    side = math.tanh(angle / zone.blend)
    c1, c2, c3 = (
        0.5 * (getattr(law["positive"], c) + getattr(law["negative"], c))
        + 0.5 * side * (getattr(law["positive"], c) - getattr(law["negative"], c))
        for c in ("c1", "c2", "c3")
    )
    softened = zone.fraction + (1.0 - zone.fraction) * (1.0 - math.exp(-((angle / zone.width) ** 2)))
    return c1 * angle * softened + c2 * angle**2 * side + c3 * angle**3


def hip_tissue_by_hand(model, hip):
    """Moment of the tissue of both hips, flexion positive [N m]."""
    return sum(tissue.amplitude * math.exp(tissue.rate * hip) for tissue in model.tissues)


def tension_by_hand(model, muscle, length, activation):
    """Tension [N] of a muscle of a length [m], and its active part at full activation."""
    curves, cos = model.curves, math.cos(muscle.pennation)
    fibre = (length - muscle.tendon_slack_length) / (muscle.optimal_fibre_length * cos)

    def corner(x, start):
        return curves.softplus * math.log1p(math.exp((x - start) / curves.softplus))

    floored = curves.length_floor + corner(fibre, curves.length_floor)
    b = np.reshape(curves.active, (3, 4))
    pull = sum(b1 * math.exp(-0.5 * ((floored - b2) / (b3 + b4 * floored)) ** 2) for b1, b2, b3, b4 in b)
    shape, strain = curves.passive_shape, muscle.passive_strain
    stretch = corner(fibre, muscle.passive_slack)
    beyond = corner(stretch, strain) - corner(0.0, strain)
    rest = (math.expm1(shape * (stretch - beyond) / strain) + shape / strain * math.exp(shape) * beyond) / math.expm1(
        shape
    )
    active = muscle.max_force * cos * pull
    return activation * active + muscle.passive_force * cos * rest, active


def geometry_by_hand(model, values):
    """Lengths (12,) [m] and arms (12, 3) [m] about lean, tilt and flexion."""
    lengths, arms = [], []
    for muscle in model.muscles:
        straight, length = lines(muscle)
        arm = np.zeros(3)
        for line, places in straight:
            numbers = known(model) | places | at(values)
            length += float(line.length.subs(numbers))
            arm += np.array(line.arms.subs(numbers), dtype=float).ravel()
        lengths.append(length)
        arms.append(arm)
    return np.array(lengths), np.array(arms)


def ankle_moment(result):
    return float(result.actuator_moment.sum())


def unbalanced_by_hand(model, result):
    """What is left of the moments about lean, tilt and flexion in a result without tightness [N m]."""
    lean, tilt = math.radians(result.lean.item()), math.radians(result.anterior_pelvic_tilt.item())
    flexion = math.radians(result.segment_angle.sel(level="L5_S1", axis="flexion").item())
    lengths, arms = geometry_by_hand(model, (lean, tilt, flexion))
    pairs = zip(model.muscles, lengths, result.activation.values, strict=True)
    tension = np.array([tension_by_hand(model, *pair)[0] for pair in pairs])
    weights = np.array(gravity_by_hand(model).subs(at((lean, tilt, flexion))), dtype=float).ravel()
    hip = hip_tissue_by_hand(model, tilt - lean)
    passive = np.array([ankle_moment(result) - hip, hip, -disc_by_hand(model, flexion)])
    return weights + passive + arms.T @ tension


# --------------------------------------------------------------------------------------------------------- the tables


def test_tables__three_bodies_one_lumbar_joint_one_hip_twelve_muscles_in_the_sagittal_plane(teaching):
    assert [body.name for body in teaching.bodies] == ["pelvis", "trunk", "legs"]
    assert [c.full_name for c in teaching.coordinates] == ["pelvis.tilt", "L5_S1.flexion", "hip.flexion"]
    assert len(teaching.muscles) == TWELVE
    assert all(muscle.side == "midline" for muscle in teaching.muscles)
    assert all(point.position[2] == 0.0 for muscle in teaching.muscles for point in muscle.path)


def test_tables__nothing_is_wrong_with_them(teaching):
    report = check(teaching)
    assert report.passed
    assert not report.of_level("warning")


def test_tables__weigh_as_much_and_as_far_forward_as_the_adult(teaching, adult):
    def whole(model):
        mass = np.array([body.mass for body in model.bodies])
        centre = np.array([np.add(body.origin_neutral, body.centre_of_mass) for body in model.bodies])
        return mass.sum(), mass @ centre / mass.sum()

    assert whole(teaching)[0] == pytest.approx(whole(adult)[0], rel=1e-7)
    assert whole(teaching)[1] == pytest.approx(whole(adult)[1], abs=1e-8)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("iliacus", ["iliacus"]),
        ("psoas", ["psoas"]),
        ("hamstrings", ["semimembranosus", "semitendinosus", "biceps_femoris_long"]),
        ("gluteus_maximus", ["gluteus_maximus"]),
        ("external_oblique", ["external_oblique"]),
    ],
)
def test_tables__muscles_have_the_cross_section_of_both_sides(teaching, adult, name, parts):
    (muscle,) = (m for m in teaching.muscles if m.name == name)
    assert muscle.pcsa == pytest.approx(sum(m.pcsa for m in adult.muscles if m.muscle in parts), rel=1e-6)


def test_tables__arms_are_those_of_the_adult_within_a_centimetre(teaching, adult):
    def mean_arms(model, hips, levels):
        packed = pack(model)
        _, gradient = path_lengths(packed, np.zeros(len(packed.coordinates)))
        arm = -gradient[:, [packed.coordinates.index(hips), packed.coordinates.index(levels)]]
        found = {}
        for name in (m.name for m in teaching.muscles if m.name != "hamstrings"):
            chosen = [
                i
                for i, m in enumerate(model.muscles)
                if m.muscle == name and m.side != "left" and np.abs(gradient[i]).max() > 0.0
            ]
            crossing = [i for i in chosen if np.abs(arm[i]).max() > 0.0]
            found[name] = np.average(arm[crossing], axis=0, weights=[model.muscles[i].pcsa for i in crossing])
        return found

    lumped, full = (
        mean_arms(teaching, "hip.flexion", "L5_S1.flexion"),
        mean_arms(adult, "hip_r.flexion", "L5_S1.flexion"),
    )
    for name, arm in lumped.items():
        # fibres of the external oblique also run sideways, which the projection takes for a straighter pull
        assert arm == pytest.approx(full[name], abs=0.03 if name == "external_oblique" else 0.01), name


@pytest.mark.parametrize(
    ("moment", "direction"), [(3.0, "positive"), (8.0, "positive"), (3.0, "negative"), (8.0, "negative")]
)
def test_disc__bends_as_far_as_six_levels_in_series(teaching, adult, moment, direction):
    def bend(law):
        roots = np.roots([law.c3, law.c2, law.c1, -moment])
        return min(r.real for r in roots if abs(r.imag) < 1e-12 and r.real > 0.0)

    chosen = ("flexion", direction, 500.0)
    six = sum(bend(w) for w in adult.disc_laws if (w.coordinate, w.direction, w.preload) == chosen)
    (one,) = (bend(w) for w in teaching.disc_laws if (w.coordinate, w.direction, w.preload) == chosen)
    assert one == pytest.approx(six, rel=0.03)  # a cubic is not exactly six cubics in series


def test_hip__muscles_and_tissue_make_up_the_measured_moment_of_both_hips(teaching):
    worst = 0.0
    for hip in range(-20, 61, 5):
        lengths, arms = geometry_by_hand(teaching, (0.0, math.radians(hip), 0.0))
        chosen = [i for i, m in enumerate(teaching.muscles) if m.name in HIP_MUSCLES]
        pull = sum(tension_by_hand(teaching, teaching.muscles[i], lengths[i], 0.0)[0] * arms[i, 1] for i in chosen)
        measured = 2.0 * sum(hip_branches(hip, 0.0))
        error = abs(pull + hip_tissue_by_hand(teaching, math.radians(hip)) - measured)
        worst = max(worst, error / (1.0 + 0.1 * abs(measured)))
    assert worst < 1.6  # as good as the fit of the adult


# ------------------------------------------------------------------------------------------------- equations by hand


POSTURES = [(0.0, 0.0, 0.0), (0.03, 0.12, -0.2), (-0.05, -0.1, 0.3)]


@pytest.mark.parametrize("values", POSTURES)
def test_paths__lengths_and_arms_are_those_of_the_printed_equations(teaching, values):
    lean, tilt, flexion = values
    packed = pack(teaching)
    length, gradient = path_lengths(packed, np.array([tilt, flexion, tilt - lean]))
    by_hand, arms = geometry_by_hand(teaching, values)
    assert length == pytest.approx(by_hand, abs=1e-9)
    free = -np.stack([-gradient[:, 2], gradient[:, 0] + gradient[:, 2], gradient[:, 1]], axis=1)
    assert free == pytest.approx(arms, abs=1e-9)


def test_gravity__upright_moments_are_mass_times_lever(teaching):
    bodies = {body.name: body for body in teaching.bodies}
    weight = {name: 9.81 * body.mass for name, body in bodies.items()}
    trunk, legs = bodies["trunk"], bodies["legs"]
    ahead = trunk.origin_neutral[0] + trunk.centre_of_mass[0]
    moments = [float(value) for value in gravity_by_hand(teaching).subs(at((0.0, 0.0, 0.0)))]
    assert moments[2] == pytest.approx(weight["trunk"] * trunk.centre_of_mass[0], abs=1e-9)
    assert moments[1] == pytest.approx(weight["trunk"] * ahead + weight["pelvis"] * bodies["pelvis"].centre_of_mass[0])
    # leaning carries all weights: the hips stand 20 mm ahead of the ankles
    lever = weight["legs"] * (legs.centre_of_mass[0] + 0.02) + 0.02 * (weight["trunk"] + weight["pelvis"])
    assert moments[0] == pytest.approx(lever, abs=1e-9)


@pytest.mark.parametrize(
    "settings", [{}, {"strength.gluteals": 0.4}, {"tone.erectors": 0.1}, {"inhibition.hamstrings": 0.02}]
)
def test_standing__is_in_equilibrium_by_the_printed_equations(teaching, settings):
    result = ss.solve(teaching, settings)
    if "strength.gluteals" in settings:
        # strength scales the active force; by hand that is a smaller activation
        result = result.assign(activation=result.activation.where(result.group != "gluteals", result.activation * 0.4))
    assert unbalanced_by_hand(teaching, result) == pytest.approx(np.zeros(3), abs=1e-9)


# -------------------------------------------------------------------------------------------------------- least effort


def test_least_effort__reference_is_the_solution_of_the_lagrange_equations(teaching, standing):
    """Minimise sum v a^2 subject to C a = tau and a >= 0: a_i = max(0, c_i . lambda / (2 v_i)), by removing in turn."""
    lengths, arms = geometry_by_hand(teaching, (0.0, 0.0, 0.0))
    rest, active = np.transpose(
        [
            [t, f]
            for t, f in (tension_by_hand(teaching, m, x, 0.0) for m, x in zip(teaching.muscles, lengths, strict=True))
        ]
    )
    ankle = [a for a in teaching.actuators if a.name in standing.actuator.values]
    columns = np.vstack([arms * active[:, None], [[a.max_moment, 0.0, 0.0] for a in ankle]])
    weights = np.array(gravity_by_hand(teaching).subs(at((0.0, 0.0, 0.0))), dtype=float).ravel()
    hip = hip_tissue_by_hand(teaching, 0.0)
    wanted = -(weights + [-hip, hip, 0.0] + arms.T @ rest)
    cost = np.array([m.max_force * m.optimal_fibre_length for m in teaching.muscles])
    cost = np.append(cost, [abs(a.max_moment) for a in ankle]) / cost.mean()

    used = np.ones(cost.size, dtype=bool)
    while True:
        scaled = columns[used] / (2.0 * cost[used, None])
        multiplier = np.linalg.solve(columns[used].T @ scaled, wanted)
        effort = columns @ multiplier / (2.0 * cost)
        if (effort[used] >= 0.0).all():
            break
        used &= effort >= 0.0
    assert (effort[~used] <= 0.0).all()  # none of those left out would help
    by_hand = np.where(used, effort, 0.0)
    assert by_hand.max() < 1.0
    held = ss.solve(teaching, posture={"trunk_flexion": 0})  # without a demand for stability
    assert held.activation.values == pytest.approx(by_hand[:TWELVE], abs=1e-9)
    assert ankle_moment(held) == pytest.approx(by_hand[TWELVE:] @ [a.max_moment for a in ankle], abs=1e-9)


# ------------------------------------------------------------------------------------------------------------- posture


def test_standing__defaults_are_the_reference_posture(standing):
    angles = [standing.lean, standing.anterior_pelvic_tilt, standing.segment_angle.sel(axis="flexion").squeeze()]
    assert np.radians([angle.item() for angle in angles]) == pytest.approx(np.zeros(3), abs=1e-9)
    assert standing.status == "solved"
    assert standing.moment_residual < 1e-9


def test_standing__pelvic_angles_are_those_of_the_adult(standing, adult):
    full = ss.solve(adult)
    for name in ("sacral_slope", "pelvic_tilt_radiographic", "pelvic_incidence", "lumbar_lordosis"):
        assert standing[name].item() == pytest.approx(full[name].item(), abs=1e-4)
    whole = standing.pelvic_tilt_radiographic + standing.sacral_slope
    assert whole.item() == pytest.approx(standing.pelvic_incidence.item(), abs=1e-9)


def test_standing__feet_share_the_weight(teaching, standing):
    half = 0.5 * teaching.gravity * sum(body.mass for body in teaching.bodies)
    assert standing.foot_force.values == pytest.approx([half, half], abs=1e-9)


def test_standing__each_hip_carries_half_of_what_the_trunk_and_pelvis_weigh_and_the_muscles_pull(teaching, standing):
    lengths = {m.name: standing.path_position[standing.path_muscle == m.name].values for m in teaching.muscles}
    down = 9.81 * sum(body.mass for body in teaching.bodies if body.name != "legs")
    force = np.array([0.0, down, 0.0])  # of the legs on the pelvis
    for muscle, pull in zip(teaching.muscles, standing.muscle_force.values, strict=True):
        place = lengths[muscle.name]
        for k, (a, b) in enumerate(zip(muscle.path[:-1], muscle.path[1:], strict=True)):
            if b.body == "legs" and a.body != "legs":
                force -= pull * (place[k + 1] - place[k]) / np.linalg.norm(place[k + 1] - place[k])
    half = 0.5 * np.linalg.norm(force)
    assert standing.hip_contact_force.values == pytest.approx([half, half], rel=1e-9)


def test_standing__passive_moment_of_the_hip_flexors_by_hand(teaching, standing):
    _, arms = geometry_by_hand(teaching, (0.0, 0.0, 0.0))
    pairs = zip(teaching.muscles, standing.muscle_length.values, arms[:, 1], strict=True)
    flexors = teaching.groups["hip_flexors"]
    passive = sum(tension_by_hand(teaching, m, x, 0.0)[0] * arm for m, x, arm in pairs if m.name in flexors)
    (tissue,) = (t.amplitude for t in teaching.tissues if t.tightness_group == "hip_flexors")
    half = 0.5 * (passive + tissue)
    assert standing.passive_moment_hip_flexors.values == pytest.approx([half, half], abs=1e-9)


def test_held_posture__bends_in_the_plane(teaching):
    bent = ss.solve(teaching, {"load.hands": 5}, posture={"trunk_flexion": 20})
    assert bent.trunk_inclination.item() == pytest.approx(20.0, abs=1e-9)
    lumbar = bent.segment_angle.sel(level="L5_S1", axis="flexion").item()
    assert lumbar + bent.anterior_pelvic_tilt.item() == pytest.approx(20.0, abs=1e-9)


def test_tightness__tilts_the_pelvis_forward_ever_more(teaching):
    result = ss.sweep(teaching, {"tightness.hip_flexors": np.arange(0.0, 31.0, 2.5)})
    assert (result.status == "solved").all()
    assert (result.branch == 0).all()
    assert (np.diff(result.anterior_pelvic_tilt) > 0.0).all()


@pytest.mark.parametrize("theta", [2.0, 7.5, 15.0, 28.0, 40.0])
def test_tightness__is_read_in_the_thomas_test(teaching, theta):
    healthy = ss.reading(teaching, "hip_flexors")
    tight = ss.reading(teaching, "hip_flexors", {"tightness.hip_flexors": theta})
    assert tight - healthy == pytest.approx(theta, abs=1.0)


def test_tightness__of_a_midline_joint_is_one_for_both_sides(teaching, adult):
    assert list(shifts(pack(teaching))) == [("hip_flexors", "midline")]
    assert {side for _, side in shifts(pack(adult))} == {"right", "left"}
    moved = shifts(pack(teaching))["hip_flexors", "midline"]
    assert [teaching.muscles[i].name for i in moved.muscles] == ["psoas", "iliacus", "rectus_femoris"]
    assert [teaching.tissues[t].name for t in moved.tissues] == ["hip_extension_limit"]


def test_command_line__solves_the_teaching_model():
    result = CliRunner().invoke(app, ["solve", "--model", "teaching", "--set", "tightness.hip_flexors=15"])
    assert result.exit_code == 0
    assert "teaching, standing" in result.stdout
