"""
A first study
=============

From one case to a file with many, in the order in which a study is made. Everything printed here was printed when this
page was built.
"""

# %%
# One case
# --------
#
# A model is loaded by name. Without parameters it is healthy, and without a posture it finds its own.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import spinesim as ss
from spinesim import plots

model = ss.load_model("adult")
healthy = ss.solve(model)
print(f"{healthy.status.item()} in {healthy.iterations.item():.0f} rounds, "
      f"largest moment left over {healthy.moment_residual.item():.1e} N m")  # fmt: skip

# %%
# A result is an ``xarray.Dataset``. Every variable knows its unit and says in one sentence what it is.

print(healthy.compression.to_series().round(0).to_string())
print()
print(healthy.compression.description, f"[{healthy.compression.units}]")

# %%
# Muscles are found by fascicle, by anatomical muscle, by group or by side.

force = healthy.muscle_force.groupby("anatomical_muscle").sum().to_series()
print(force.sort_values(ascending=False).head(6).round(1).to_string())

# %%
# Something is changed
# --------------------
#
# Parameters are dotted names with the unit of the register. Tightness is counted in degrees of range lost in the
# clinical test of the group.

tight = ss.solve(model, {"tightness.hip_flexors": 15, "strength.gluteals": 0.6})
for name in ("anterior_pelvic_tilt", "lumbar_lordosis", "lean", "trunk_inclination"):
    change = tight[name] - healthy[name]
    print(f"{name.replace('_', ' '):22s} {change.item():+.2f} {tight[name].units}")

# %%
# The body picture shows the bones as the model has them, the muscles by activation, and the healthy posture as a ghost.

plots.body_sagittal(tight)
plt.show()

# %%
# A posture is held
# -----------------
#
# Named angles are held by the muscles, in degrees; the others follow the published rhythm of lumbar spine and pelvis.
# ``load.hands`` is what both hands hold together.

bent = ss.solve(model, {"load.hands": 5}, stance="forward_bend", posture={"trunk_flexion": 30})
print(f"trunk {bent.trunk_inclination.item():.1f} deg, of which pelvis {bent.anterior_pelvic_tilt.item():.1f} deg")
print(f"L4/L5: {bent.compression.sel(level='L4_L5').item():.0f} N, "
      f"{bent.disc_pressure.sel(level='L4_L5').item():.2f} MPa")  # fmt: skip

# %%
# What cannot be held is refused, with the joint and the moment that is missing.

try:
    ss.solve(model, {"load.hands": 60, "load.reach": 0.6}, stance="forward_bend", posture={"trunk_flexion": 60})
except ss.InfeasibleError as error:
    print(error)

# %%
# So is a name that does not exist.

try:
    ss.solve(model, {"strength.hamstring": 0.5})
except ss.InputError as error:
    print(error)

# %%
# Many cases
# ----------
#
# A sweep puts its axes in front of the dimensions of every variable. Cases without a solution keep their place, with
# NaN and the reason in ``status``. Written to a file, a stopped sweep goes on where it was.

folder = Path(tempfile.mkdtemp())
axes = {"strength.gluteals": [1.0, 0.6, 0.3], "tightness.hip_flexors": np.arange(0.0, 31.0, 5.0)}
grid = ss.sweep(model, axes, output=folder / "grid.nc")
print(dict(grid.sizes))
print("solved:", int((grid.status == "solved").sum()), "of", grid.status.size)

# %%

again = ss.open_results(folder / "grid.nc")
line = again.sel({"strength.gluteals": 1.0})
plots.tilt_and_lordosis(line)
plt.show()
print(plots.caption("tilt_and_lordosis", line))

# %%
# The caption is computed from the data; it says what the figure shows, and nothing else.
#
# What must be said with every number
# -----------------------------------

print(healthy.note)
