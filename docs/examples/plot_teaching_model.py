"""
A body that can be solved by hand
=================================

The model ``teaching`` is the adult seen from the side: legs, pelvis and trunk, one hip, one lumbar joint, twelve
muscles. It runs through the same code as the adult with its 280 fascicles, and it is small enough to check with pencil
and paper. This page does that: weights, lever arms, least effort, the load on the disc. Then it makes the hip flexors
tight and watches the pelvis.
"""

# %%
# The bodies and their weights
# ----------------------------
#
# x points forward and y up, from the middle of the hip axis. Everything that the adult has twice is added up, so every
# muscle stands for the right and the left.

import math

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp

import spinesim as ss
from spinesim.plots.style import BLUE, BONE, GHOST, GREEN, INK, PURPLE, VERMILLION
from spinesim.symbolic import planar

model = ss.load_model("teaching")
bodies = {body.name: body for body in model.bodies}
g = model.gravity
for body in model.bodies:
    x, y = np.add(body.origin_neutral, body.centre_of_mass)[:2]
    print(
        f"{body.name:7s} {body.mass:5.2f} kg   weight {g * body.mass:5.1f} N   centre at x = {x:+.3f} m, y = {y:+.3f} m"
    )

# %%
# Three angles can move: ``lean`` of the legs about the ankles, ``pelvic_tilt`` and ``flexion`` of the trunk on the
# pelvis. All three are positive when the body above turns forward. In the reference posture they are zero.

healthy = ss.solve(model)
print(f"lean {healthy.lean.item():+.4f} deg, tilt {healthy.anterior_pelvic_tilt.item():+.4f} deg, "
      f"flexion {healthy.segment_angle.sel(axis='flexion').item():+.4f} deg")  # fmt: skip

# %%
# The free body
# -------------
#
# Cut the trunk off at the lumbar joint and draw everything that acts on it: its weight, the pull of every muscle that
# crosses the cut, and the force of the disc. The disc is not bent in the reference posture, so it gives no moment.

marks = {str(n): p for n, p in zip(healthy.bone_point.values, healthy.bone_position.values, strict=True)}
owner = healthy.path_muscle.values.astype(str)
joint = np.array(bodies["trunk"].origin_neutral[:2])
centre = joint + bodies["trunk"].centre_of_mass[:2]


def crossing(name):
    """The points on both sides of the lumbar cut, trunk first, or None if the muscle does not cross it."""
    (muscle,) = (m for m in model.muscles if m.name == name)
    on_trunk = [p.body == "trunk" for p in muscle.path]
    for k in range(len(on_trunk) - 1):
        if on_trunk[k] != on_trunk[k + 1]:
            ends = healthy.path_position.values[owner == name][k : k + 2, :2]
            return ends if on_trunk[k] else ends[::-1]
    return None


# %%
# The arrows of the muscles show direction and place; their lengths follow the square root of the force, so that small
# forces stay visible.

figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 6.6), width_ratios=(1, 1.5), layout="constrained")

for ax in (left, right):
    ax.set_aspect("equal")
    ax.set_xlabel("forward [m]")
ankle = marks["ankle_r"][:2]
for names in (("hip_centre_r", "knee_r", "ankle_r"), ("S1_sup_ant", "S1_sup_post")):
    left.plot(*np.array([marks[n][:2] for n in names]).T, color=INK, lw=2)
outline = [marks[n][:2] for n in ("asis_r", "iliac_crest_top_r", "psis_r", "hip_centre_r", "pubic_tubercle_r")]
left.fill(*np.array(outline).T, fc=BONE, ec=INK)
spine = ["L5", "L4", "L3", "L2", "L1", "T12"]
for vertebra in spine:
    corners = [marks[f"{vertebra}_{c}"][:2] for c in ("sup_ant", "sup_post", "inf_post", "inf_ant")]
    for ax in (left, right):
        ax.fill(*np.array(corners).T, fc=BONE, ec=INK, lw=0.8)
thorax = [
    marks[n][:2] for n in ("t12_body_centre", "t9_body_centre", "t7_body_centre", "t4_body_centre", "t1_centroid")
]
left.plot(*np.array(thorax).T, color=INK, lw=2)
left.add_patch(plt.Circle(marks["head_com"][:2], 0.085, fill=False, ec=INK))
arrow = {"arrowstyle": "-|>", "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
for body in model.bodies:
    place = np.add(body.origin_neutral, body.centre_of_mass)[:2]
    left.annotate("", place - [0, 0.13], place, arrowprops=arrow | {"color": VERMILLION})
    left.plot(*place, "o", color=VERMILLION, ms=4)
    left.text(0.09, place[1] - 0.08, f"{body.name}\n{g * body.mass:.0f} N", color=VERMILLION, fontsize=8)
whole = g * sum(body.mass for body in model.bodies)
foot = ankle[0] + healthy.centre_of_mass.values[0]
left.annotate("", (foot, ankle[1]), (foot, ankle[1] - 0.16), arrowprops=arrow | {"color": BLUE})
left.text(0.09, ankle[1] - 0.1, f"ground\n{whole:.0f} N", color=BLUE, fontsize=8)
left.plot(*ankle, "o", color=INK)
left.set(xlim=(-0.3, 0.35), ylim=(-1.08, 0.85), ylabel="above the hip axis [m]", title="weights and the ground")

forces = {}
for name, force in zip(healthy.muscle.values, healthy.muscle_force.values, strict=True):
    ends = crossing(name)
    if ends is not None:
        forces[str(name)] = ends[0], force * (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
        right.plot(*ends.T, color=GHOST, lw=0.8, ls=":")
shown = sorted(
    (name for name in forces if np.linalg.norm(forces[name][1]) > 10.0), key=lambda name: -forces[name][0][1]
)
for k, name in enumerate(shown):
    place, pull = forces[name]
    size = np.linalg.norm(pull)
    right.annotate("", place + 0.006 * pull / math.sqrt(size), place, arrowprops=arrow | {"color": GREEN})
    words = f"{name}  {size:.0f} N".replace("_", " ")
    right.annotate(words, place, (-0.1, 0.24 - 0.02 * k), color=GREEN, fontsize=8, ha="right", va="center",
                   arrowprops={"arrowstyle": "-", "color": GHOST, "lw": 0.6})  # fmt: skip
weight = np.array([0.0, -g * bodies["trunk"].mass])
reaction = -weight - sum(force for _, force in forces.values())
right.annotate("", centre + [0, -0.09], centre, arrowprops=arrow | {"color": VERMILLION})
right.text(centre[0] + 0.01, centre[1] - 0.04, f"weight  {-weight[1]:.0f} N", color=VERMILLION, fontsize=8)
size = np.linalg.norm(reaction)
right.annotate("", joint, joint - 0.08 * reaction / size, arrowprops=arrow | {"color": BLUE})
right.text(joint[0] + 0.02, joint[1] - 0.05, f"disc on trunk\n{size:.0f} N", color=BLUE, fontsize=8)
right.plot(*joint, "o", color=INK)
right.plot(*centre, "o", color=VERMILLION)
right.set(xlim=(-0.21, 0.11), ylim=(0.0, 0.42), title="the trunk, cut free")
plt.show()

# %%
# Step 1: the moments of the weights
# ----------------------------------
#
# A moment is positive when it enlarges its angle. The weight of the trunk acts a little in front of the lumbar joint,
# so it flexes the trunk. The weights of trunk and pelvis act behind the hips, so they tilt the pelvis backward.

lever_flexion = bodies["trunk"].centre_of_mass[0]
lever_tilt = bodies["trunk"].origin_neutral[0] + lever_flexion
hips_before_ankles = -ankle[0]
G = np.array([
    bodies["legs"].mass * g * (bodies["legs"].centre_of_mass[0] + hips_before_ankles)
    + (bodies["pelvis"].mass + bodies["trunk"].mass) * g * hips_before_ankles,
    bodies["trunk"].mass * g * lever_tilt + bodies["pelvis"].mass * g * bodies["pelvis"].centre_of_mass[0],
    bodies["trunk"].mass * g * lever_flexion,
])  # fmt: skip
for name, value in zip(("lean", "tilt", "flexion"), G, strict=True):
    print(f"G_{name:8s} {value:+7.3f} N m")

# %%
# Leaning counts only the levers from the ankles to the hips, because lean alone moves trunk and pelvis without turning
# them. In any other posture the levers are those of the turned bodies:

for angle, moment in zip(planar.COORDINATES, planar.gravity_moments(), strict=True):
    print(f"G_{angle} = {sp.factor_terms(moment)}\n")

# %%
# (These equations set the ankle straight below the hip; here it stands 20 mm further back, which adds
# ``0.02 m · weight · cos(lean)`` to the moment about lean.)
#
# Step 2: lever arms
# ------------------
#
# The arm of a muscle is the shortening of its path per angle. For a straight line that is its distance from the joint.
# Iliacus bends around the rim of the pelvis and ends on the femur; its moving part is one straight line.

iliacus = planar.StraightMuscle("iliacus", "pelvis", "legs")
rim, end = (next(m for m in model.muscles if m.name == "iliacus").path[k].position for k in (1, 2))
numbers = dict(zip([*iliacus.origin[:], *iliacus.insertion[:]], [*rim[:2], *end[:2]], strict=True))
print("L =", iliacus.length)
upright = dict.fromkeys(planar.COORDINATES, 0)
print("arm about tilt:", round(1e3 * float(iliacus.arms[1].subs(numbers | upright)), 2), "mm")

# %%
# The same for all twelve, in one table. An arm about tilt is an arm about the hip: with the legs still, tilting the
# pelvis forward flexes the hip. Muscles that pass behind the joint have negative arms.


def lines(muscle):
    """The straight lines of a muscle from body to body, with their points as numbers."""
    for k, (a, b) in enumerate(zip(muscle.path[:-1], muscle.path[1:], strict=True)):
        if a.body != b.body:
            line = planar.StraightMuscle(f"{muscle.name}_{k}", a.body, b.body)
            yield (
                line,
                dict(zip([*line.origin[:], *line.insertion[:]], [*a.position[:2], *b.position[:2]], strict=True)),
            )


lumbar = dict(zip(planar.lumbar, joint, strict=True))
R = np.array([
    sum(np.array(line.arms.subs(points | lumbar | upright), dtype=float).ravel() for line, points in lines(muscle))
    for muscle in model.muscles
])  # fmt: skip
names = [muscle.name for muscle in model.muscles]
print("arm [mm]              lean    tilt   flexion")
for name, arm in zip(names, 1e3 * R, strict=True):
    print(f"{name:20s} {arm[0]:+6.1f}  {arm[1]:+6.1f}  {arm[2]:+6.1f}")

# %%
# Psoas alone has arms about everything: it flexes the trunk on the pelvis and the hip at once.
#
# Step 3: what is carried without effort
# --------------------------------------
#
# Stretched tissue pulls without activation. At the hips it flexes: the moment of hip capsule, ligaments and skin is a
# sum of exponentials, and the muscles add their own passive force.

hip_tissue = sum(tissue.amplitude * math.exp(tissue.rate * 0.0) for tissue in model.tissues)
full = np.array([muscle.max_force * math.cos(muscle.pennation) for muscle in model.muscles])
b = np.reshape(model.curves.active, (3, 4))
length = healthy.fibre_length.values
active = full * sum(b1 * np.exp(-0.5 * ((length - b2) / (b3 + b4 * length)) ** 2) for b1, b2, b3, b4 in b)
passive = healthy.muscle_force.values - active * healthy.activation.values
needed = -(G + [-hip_tissue, hip_tissue, 0.0] + R.T @ passive)
for name, value in zip(("lean", "tilt", "flexion"), needed, strict=True):
    print(f"left for activation about {name:8s} {value:+7.3f} N m")

# %%
# Step 4: least effort
# --------------------
#
# Three equations, twelve muscles and the ankle: many answers. The body is assumed to take the one with the least
# effort, the sum of squared activations weighted with muscle volume,
#
# .. math:: \min_a \sum_i v_i a_i^2 \quad\text{with}\quad \sum_i c_i\, a_i = \tau ,\qquad a_i \ge 0 ,
#
# where :math:`c_i` holds the moments of muscle :math:`i` at full activation. Lagrange's rule gives
# :math:`2 v_i a_i = c_i\cdot\lambda`: a muscle works in proportion to what it can give where help is dear. Put that
# into the balance and three linear equations are left for :math:`\lambda`. Muscles that would have to push are left
# out. This is the posture held without a demand for stability; the healthy standing of the other steps co-contracts
# beyond it, so that it also stands.

ankle_moments = [a.max_moment for a in model.actuators]
C = np.vstack([R * active[:, None], [[moment, 0.0, 0.0] for moment in ankle_moments]])
v = np.array([m.max_force * m.optimal_fibre_length for m in model.muscles])
v = np.append(v, np.abs(ankle_moments)) / v.mean()
used = np.ones(v.size, dtype=bool)
while True:
    price = np.linalg.solve(C[used].T @ (C[used] / (2 * v[used, None])), needed)
    a = np.where(used, C @ price / (2 * v), 0.0)
    if (a >= 0).all():
        break
    used &= a > 0
print("price of a newton metre about lean, tilt, flexion:", np.round(1e3 * price, 4), "x 0.001 / (N m)\n")
least = ss.solve(model, posture={"trunk_flexion": 0})
print("activation [%]        by hand   solver   stable")
for name, hand, code, stable in zip(names, 100 * a, 100 * least.activation.values, 100 * healthy.activation.values,
                                    strict=False):  # fmt: skip
    print(f"{name:20s} {hand:8.4f} {code:8.4f} {stable:8.4f}")
print(f"\nlargest difference {np.abs(a[: len(names)] - least.activation.values).max():.1e}")

# %%
# Step 5: the load on the disc
# ----------------------------
#
# Everything above the cut pushes on the disc: the weight of the trunk and the muscles that cross. In the axes of the
# disc, which slopes forward and down, that is a compression and a shear.

angle = next(j.frame_angle for j in model.joints if j.name == "L5_S1")
forward, normal = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
print(f"compression by hand {reaction @ normal:.2f} N, solver {healthy.compression.item():.2f} N")
print(f"shear by hand       {-reaction @ forward:.2f} N, solver {healthy.shear_anterior.item():.2f} N")

# %%
# Tight hip flexors
# -----------------
#
# Tightness is the number of degrees of hip extension that a virtual Thomas test reads less. Nothing prescribes the
# pelvis: the posture is the one with the least effort, centre of mass over the feet and trunk upright.

tightness = np.arange(0.0, 31.0, 1.0)
tight = ss.sweep(model, {"tightness.hip_flexors": tightness})
change = tight - tight.isel({"tightness.hip_flexors": 0})[["lumbar_lordosis"]]

figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(6, 6), layout="constrained")
top.plot(tightness, tight.anterior_pelvic_tilt, color=BLUE, label="anterior pelvic tilt")
top.plot(tightness, change.lumbar_lordosis, color=VERMILLION, ls="--", label="change of lumbar lordosis")
top.plot(tightness, tight.lean, color=PURPLE, ls=":", label="lean of the legs")
top.set_ylabel("angle [deg]")
top.legend()
for name, colour, style in (
    ("gluteus_maximus", GREEN, "-"),
    ("hamstrings", VERMILLION, "--"),
    ("longissimus", BLUE, ":"),
):
    bottom.plot(
        tightness, 100 * tight.activation.sel(muscle=name), color=colour, ls=style, label=name.replace("_", " ")
    )
bottom.set_ylabel("activation [%]")
bottom.set_xlabel("tightness of the hip flexors [deg]")
bottom.legend()
plt.show()

# %%
# The pelvis tilts forward, slowly at first and then faster, because stretched tissue stiffens. It does not follow the
# lost range degree by degree: the hip extensors pull back, and that costs effort.

free = ss.reading(model, "hip_flexors")
for theta in (5, 15, 30):
    case, lordosis = (x.sel({"tightness.hip_flexors": theta}) for x in (tight, change.lumbar_lordosis))
    lost = ss.reading(model, "hip_flexors", {"tightness.hip_flexors": theta}) - free
    print(f"{theta:2d} deg ({lost:.1f} read in the Thomas test): tilt {case.anterior_pelvic_tilt.item():+.2f} deg, "
          f"lordosis {lordosis.item():+.2f} deg, lean {case.lean.item():+.2f} deg")  # fmt: skip

# %%
# To try
# ------
#
# - Weaken the hip extensors (``strength.gluteals``, ``strength.hamstrings``) and repeat the sweep. Who takes over?
# - Add weight to the trunk by hand in step 1. Which muscle answers, and by how much does the disc load rise?
# - Make the back extensors tense (``tone.erectors``). What has to pull against them?
