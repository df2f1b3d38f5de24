"""
How hard a fibre pulls at its length
====================================

A fibre pulls actively best near its optimal length, and resists passively beyond its slack. Both curves are smooth:
a kink would stall the search for a posture.
"""

# %%
# The constants are those of De Groote et al. (2016, doi:10.1007/s10439-016-1591-9). Two additions of ours smooth the
# corners over 1 % of the optimal length: the Gaussians see a floor at 0.3, below which one of them would lose its
# width, and the passive curve sets in softly. A third ends the exponential where its data end: beyond a stretch of 0.6,
# where the passive force is 1, the curve is straight.

import matplotlib.pyplot as plt
import numpy as np

from spinesim.kernels.derived import active_curve, passive_curve

gaussians = np.array(
    [
        *(0.815067, 1.055033, 0.162385, 0.063303),
        *(0.433005, 0.716775, -0.029947, 0.200357),
        *(0.1, 1.0, 0.353553, 0.0),
    ]
)
floor, softplus = 0.3, 0.01
slack, strain, shape = 1.0, 0.6, 4.0

length = np.linspace(0.3, 2.0, 341)
active = np.array([active_curve(x, gaussians, floor, softplus) for x in length])
passive = np.array([passive_curve(x, slack, strain, shape, softplus) for x in length])

figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(6, 6), layout="constrained")
top.plot(length, active[:, 0], label="active, fully activated")
top.plot(length, passive[:, 0], label="passive")
top.set_ylabel("force over isometric maximum [1]")
top.legend()
bottom.plot(length, active[:, 1])
bottom.plot(length, passive[:, 1])
bottom.set_ylabel("slope [1]")
bottom.set_xlabel("fibre length over optimal fibre length [1]")
plt.show()

# %%
# At 0.4 of its optimal length a fibre has lost nearly all of its active force. At 1.4 it has lost more than half, and
# the passive curve has risen to a quarter of the maximum.

for x in (0.4, 1.0, 1.4):
    force, _ = active_curve(x, gaussians, floor, softplus)
    rest, _ = passive_curve(x, slack, strain, shape, softplus)
    print(f"length {x:.1f}: active {force:.2f}, passive {rest:.2f}")
