"""Room of the roots: many anatomies of one posture."""

import spinesim
from spinesim.nerves import root_pressures


class Anatomies:
    """Pressure on every root in many anatomies, beside the solve of their posture, as a user calls it."""

    params = (1000, 10000)
    param_names = ("anatomies",)

    def setup(self, count):
        self.model = spinesim.load_model("adult")
        self.time_root_pressures(count)

    def time_root_pressures(self, count):
        return root_pressures(self.model, {"ligamentum_flavum.thickening": 2.0}, count=count)
