"""
What keeps the spine up, and what it costs
==========================================

Muscle forces can balance a body in many ways, and some of the balances would not last a breath. This page asks for
balance by different criteria, reads how good each answer is, and then demands that the posture also *stands*.
Everything printed here was printed when this page was built.
"""

# %%
# The same posture, different criteria
# ------------------------------------
#
# The trunk is held 30 degrees forward with 5 kg in the hands. What the muscles minimise is a choice; how well the
# choice was met is not.

import matplotlib.pyplot as plt
import numpy as np

import spinesim as ss
from spinesim.plots.style import BLUE, GREEN, INK, PURPLE, VERMILLION, style

model = ss.load_model("adult")
bend = {"trunk_flexion": 30}
held = {
    (criterion, weights): ss.solve(model, {"load.hands": 5}, posture=bend, criterion=criterion, weights=weights)
    for criterion, weights in (
        ("effort2", "volume"), ("effort2", "unit"), ("effort3", "volume"), ("effort4", "volume"), ("minmax", "volume"),
    )
}  # fmt: skip
print("criterion  weights  L4/L5 [N]  largest activation  fascicles at work    effort")
for (criterion, weights), case in held.items():
    print(f"{criterion:9s}  {weights:7s} {case.compression.sel(level='L4_L5').item():10.0f} "
          f"{case.activation.max().item():19.3f} {(case.activation > 0.005).sum().item():18d} "
          f"{case.effort.item():9.2f}")  # fmt: skip

# %%
# ``effort`` is the weighted sum of squares in every row, so that the rows can be compared: no other criterion can have
# less of it than the first, and none can keep its largest activation below that of the last. The load on the disc
# depends on the criterion far less than the shares of single muscles do.
#
# How good is an answer?
# ----------------------
#
# Each result carries its certificate: the conditions of an optimum, evaluated anew from activations and multipliers.

print("criterion  weights  moment left [N m]  stationarity  complementarity  gap to a proven bound")
for (criterion, weights), case in held.items():
    print(f"{criterion:9s}  {weights:7s} {case.moment_residual.item():18.0e} {case.stationarity.item():13.0e} "
          f"{case.complementarity.item():16.0e} {case.duality_gap.item():22.0e}")  # fmt: skip

least = held["minmax", "volume"]
bound = least.activation.max().item() - least.duality_gap.item()
print(f"\nminmax: the largest activation is {least.activation.max().item():.6f}, and no balance whatever of this "
      f"posture keeps all of them below {bound:.6f}")  # fmt: skip

# %%
# The multipliers are prices. The dearest joint is the one where help from outside, a hand on the back or a stronger
# muscle, would save most effort.

case = held["effort2", "volume"]
price = case.multiplier
where = int(np.abs(price.values).argmax())
word = "enlarges" if price[where] > 0 else "diminishes"
print(f"dearest: {price.coordinate.values[where]}. One more newton metre that {word} this angle "
      f"costs {abs(price[where].item()):.3f} of an effort of {case.effort.item():.2f}")  # fmt: skip

# %%
# Would it stand?
# ---------------
#
# The stiffness of pelvis and spine against a small push has a smallest value, the stability margin, and a motion that
# belongs to it. Below zero the posture topples, unless reflexes are quicker.

upright = {"trunk_flexion": 0}
plain = ss.solve(model, posture=upright)


def motion(case, size=0.2):
    """The free coordinates that the weakest motion moves most, in words."""
    mode = case.buckling_mode.to_series()
    return ", ".join(f"{name} {value:+.2f}" for name, value in mode[mode.abs() > size].items())


print(f"bent 30 deg, least effort: {held['effort2', 'volume'].stability_margin.item():+7.1f} N m/rad")
print(f"upright, least effort:     {plain.stability_margin.item():+7.1f} N m/rad\n  weakest motion: {motion(plain)}")

# %%
# Bent forward, the back muscles work hard enough to be stiff. Upright, least effort leaves a trunk that topples over
# the hips. ``stability=True`` demands the margin of the model, zero; a number demands another one.

stands = ss.solve(model, posture=upright, stability=True)
print(f"upright and stable: {stands.stability_margin.item():+.1f} N m/rad, effort {plain.effort.item():.2f} -> "
      f"{stands.effort.item():.2f}\n  weakest motion: {motion(stands)}")  # fmt: skip
groups = ["erectors", "multifidus", "abdominals", "hip_flexors", "gluteals"]
extra = stands.group_cocontraction.sel(muscle_group=groups)
for group, value in zip(groups, extra.values, strict=True):
    print(f"  co-contraction of the {group.replace('_', ' '):12s} {100 * value:+.1f} % of full activation")
print(f"  compression of L4/L5 {plain.compression.sel(level='L4_L5').item():.0f} N at least effort, to which "
      f"co-contraction adds {stands.cocontraction_compression.sel(level='L4_L5').item():.0f} N")  # fmt: skip

# %%
# Co-contraction is what these activations have beyond those of the least effort in the same posture. Nobody put it in.
# The margin, too, has a price: the effort for one more unit of it. A price is a slope, so it can be checked.

more = ss.solve(model, posture=upright, stability=1.0)
print(f"price of the margin {stands.stability_price.item():.5f} per N m/rad; "
      f"one more N m/rad cost {more.effort.item() - stands.effort.item():.5f}")  # fmt: skip

# %%
# What a margin costs
# -------------------
#
# The same posture with one margin after the other. What cannot be had is refused.

margins = [*range(-300, 0, 25), 0, 10, 20, 30, 40, 45, 50, 55, 60, 65, 70, 80]
cases = {m: ss.solve(model, posture=upright, stability=float(m), raise_on_failure=False) for m in margins}
solved = [m for m in margins if cases[m].status == "solved"]
unstable = [m for m in margins if cases[m].status == "unstable"]
print("unstable:", ", ".join(f"{m} N m/rad" for m in unstable))

LEVELS = {"L4_L5": ("L4/L5", BLUE, "o", "-"), "L5_S1": ("L5/S1", VERMILLION, "s", "--")}
GROUPS = {"erectors": (BLUE, "o", "-"), "multifidus": (VERMILLION, "s", "--"),
          "abdominals": (GREEN, "^", "-."), "hip_flexors": (PURPLE, "D", ":")}  # fmt: skip


def along(read):
    """A number of every solved case."""
    return np.array([float(read(cases[m])) for m in solved])


with style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.8), layout="constrained")
    for level, (name, colour, marker, line) in LEVELS.items():
        loads = along(lambda case, level=level: case.compression.sel(level=level))
        left.plot(solved, loads, color=colour, marker=marker, ls=line, label=name)
    left.plot(unstable, np.full(len(unstable), 0.05), "x", color=INK, transform=left.get_xaxis_transform(),
              label="no activations stand")  # fmt: skip
    left.axvline(0.0, color=INK, lw=0.8, ls=":")
    left.text(-5.0, 0.03, "healthy standing", transform=left.get_xaxis_transform(), rotation=90, ha="right",
              va="bottom", fontsize=8)  # fmt: skip
    left.set(xlabel="stability margin demanded [N m/rad]", ylabel="compression [N]", ylim=(0.0, None))
    left.legend(loc="upper left")
    for group, (colour, marker, line) in GROUPS.items():
        part = along(lambda case, group=group: case.group_cocontraction.sel(muscle_group=group))
        right.plot(along(lambda case: case.stability_margin), 100 * part, color=colour, marker=marker, ls=line,
                   label=group.replace("_", " "))  # fmt: skip
    right.axvline(0.0, color=INK, lw=0.8, ls=":")
    right.set(xlabel="stability margin reached [N m/rad]", ylabel="co-contraction [% of full activation]")
    right.legend(loc="upper left")
    plt.show()

low, zero, high = cases[-300], cases[0], cases[60]
rise = zero.compression.sel(level="L4_L5").item() - low.compression.sel(level="L4_L5").item()
print(f"Up to a margin of zero, co-contraction loads L4/L5 with {rise:.0f} N more. There one more N m/rad costs "
      f"{zero.stability_price.item():.4f} of effort, at a margin of 60 it costs {high.stability_price.item():.4f}; "
      f"no activations reach {min(unstable)}.")  # fmt: skip
print("weakest motion at a margin of 20:", motion(cases[20]))
print("weakest motion at a margin of 60:", motion(high))

# %%
# On the left, stability loads the discs, slowly up to a margin of about 50 and fast beyond; on the right, what the
# muscles do for it. At least effort it is the trunk that would topple over the hips; once stable, the weakest motion is
# a sideways bend of the lumbar spine, and near 60 one that bends the upper levels against each other. Few muscles
# stiffen that, the price of the margin rises seventyfold, and soon no activations do it at all: forces that stiffen one
# motion press another out of line.
#
# What is refused, and how
# ------------------------
#
# Nothing is added silently. A case without forces names the joint, the moment and the muscles that gave all they had.

try:
    ss.solve(model, {"load.hands": 60, "load.reach": 0.6}, posture={"trunk_flexion": 60})
except ss.InfeasibleError as error:
    print(error)

# %%
# Its proof can be read: the moments asked for exceed the most that all muscles can give along the missing moment.

heavy = ss.solve(model, {"load.hands": 60, "load.reach": 0.6}, posture={"trunk_flexion": 60}, raise_on_failure=False)
print(f"{heavy.status.item()}: exceeded by {heavy.infeasibility_proof.item():.0f} N m, "
      f"{heavy.saturated.sum().item():.0f} fascicles at their limit")  # fmt: skip

# %%
# A case with forces that would not stand is another thing, and has another word.

try:
    ss.solve(model, posture=upright, stability=90.0)
except ss.UnstableError as error:
    print(error)
