"""
What four rows can say of five constants
========================================

Five constants of the model are in no table. They are fitted to four measurements named for it, which therefore are
never evidence. The profile of a constant says how much the rows care: it is held, and all others are fitted again.
"""

import matplotlib.pyplot as plt

import spinesim as ss
from spinesim.calibration import CONSTANTS, calibrate, shown
from spinesim.plots.style import BLUE, INK, VERMILLION, style

found = calibrate(ss.load_model("adult"))
for constant in CONSTANTS:
    value = shown(constant, found.fit.values[constant.name])
    print(f"{constant.symbol:6s} {constant.words:32s} {value:12s} determined: {found.determined[constant.name]}")

# %%
# Where the curve passes the dashed line the rows object. η and κ have a lower limit and no upper one; along the other
# three the rows are met equally well everywhere, and so these have the value of the design.

LABELS = {
    "scatter.activation": ("scatter of activation σ_a [1]", 1.0),
    "scatter.centre_of_mass": ("scatter of centre of mass σ_com [mm]", 1e3),
    "neutral_zone.fraction": ("slope of discs near neutral η [1]", 1.0),
    "stability.margin": ("stability margin ε₀ [N m/rad]", 1.0),
    "stability.short_range": ("short-range stiffness κ [1]", 1.0),
}
with style():
    figure, axes = plt.subplots(2, 3, sharey=True, figsize=(9, 5.2), layout="constrained")
    for constant, ax in zip(CONSTANTS, axes.flat, strict=False):
        label, factor = LABELS[constant.name]
        line = found.profiles[constant.name]
        ax.plot([factor * fit.values[constant.name] for fit in line], [fit.misfit for fit in line], "o-", color=BLUE)
        ax.axhline(found.loose.misfit + 1.0, color=INK, linestyle="--", linewidth=0.8)
        ax.axvline(factor * found.fit.values[constant.name], color=VERMILLION)
        ax.set_xlabel(label)
        ax.set_ylim(0.0, 5.0)
    for ax in axes[:, 0]:
        ax.set_ylabel("misfit of the rows [half bands²]")
    key = axes.flat[-1]
    key.axis("off")
    key.plot([], [], "o-", color=BLUE, label="constant held, others fitted")
    key.plot([], [], "--", color=INK, linewidth=0.8, label="best + 1: the rows object")
    key.plot([], [], color=VERMILLION, label="value chosen")
    key.legend(loc="center left", frameon=False)
plt.show()

# %%
# Misfit of the four rows (DP001, TS001, TS003, TS047) along the profile of each constant. Only η and κ are bounded,
# each from below; beyond the upper edge of the panels the curves go on, to 11 for κ = 10.
