"""One case: posture held, posture found."""

import spinesim

TIGHT = {"tightness.hip_flexors": 15, "strength.core": 0.7}


class HeldPosture:
    """Forces, loads and foramina of one case whose posture is given, as a user calls it."""

    def setup(self):
        self.model = spinesim.load_model("adult")
        self.time_solve()

    def time_solve(self):
        return spinesim.solve(self.model, {"load.hands": 1}, stance="forward_bend", posture={"trunk_flexion": 10})


class FoundPosture:
    """The same with the posture found, from the reference, as a user calls it."""

    def setup(self):
        self.model = spinesim.load_model("adult")
        self.time_solve()

    def time_solve(self):
        return spinesim.solve(self.model, TIGHT)


class LoadModel:
    """Reading and checking the adult."""

    def time_load(self):
        spinesim.load_model("adult")
