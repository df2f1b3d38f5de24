"""
Does a muscle imbalance feed itself?
====================================

Weakness leads to compensation, compensation to tightness, tightness to more load, and so on: the vicious circle of the
clinic. :mod:`spinesim.adaptation` closes it: strength follows use, range follows the angles of the day, and the model
gives use and angles. It is a hypothesis; nobody has measured such a loop.
"""

# %%
# A body with a lower crossed pattern lives a healthy day (4 h standing, 6 h sitting), and a healthy body sits for 10 h.

import matplotlib.pyplot as plt

import spinesim as ss
from spinesim.adaptation import Circle, adapt, loop_gain
from spinesim.plots.style import BLUE, VERMILLION, style

model = ss.load_model("adult")
pattern = {"strength.gluteals": 0.6, "strength.core": 0.6, "tightness.hip_flexors": 15}
courses = {
    "lower crossed, a healthy day": (adapt(Circle(model), pattern, weeks=40), BLUE, "-"),
    "healthy, 10 h of sitting": (
        adapt(Circle(model, habit={"standing": 2, "sitting": 10}), weeks=40),
        VERMILLION,
        "--",
    ),
}

# %%
# Both settle. The pattern is gone in half a year, for a healthy day keeps up neither weakness nor tightness. Long
# sitting shortens the hip flexors by 5 deg and tilts the pelvis by 1 deg, and there it stays.

with style():
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.8), layout="constrained")
    for name, (course, colour, dashes) in courses.items():
        axes[0].plot(course.week, course.strength.sel(muscle_group="core"), color=colour, ls=dashes, label=name)
        axes[1].plot(course.week, course.tightness.sel(short_group="hip_flexors"), color=colour, ls=dashes)
        axes[2].plot(course.week, course.anterior_pelvic_tilt, color=colour, ls=dashes)
    axes[0].set_ylabel("strength of the core [1]")
    axes[1].set_ylabel("tightness of the hip flexors [deg]")
    axes[2].set_ylabel("anterior pelvic tilt, standing [deg]")
    for ax in axes:
        ax.set_xlabel("time [week]")
        ax.grid(True)
    axes[0].legend(loc="lower right")

# %%
# What decides it is how strongly strength follows use. It would have to go with the seventh power of use, instead of
# the tenth of the first, for the circle to feed itself:

print({name: round(value, 3) for name, value in loop_gain(Circle(model)).items()})
