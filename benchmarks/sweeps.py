"""Sweeps by number of cases, with the share that was solved and the worst residual beside the time."""

import time

import numpy as np

import spinesim

KEPT = ("anterior_pelvic_tilt", "compression")


class _Sweep:
    """What the sweeps below share: timed as a whole on all cores, and per case on one."""

    params = ([100, 1000],)
    param_names = ("cases",)
    number = 1
    repeat = (1, 3, 20.0)
    warmup_time = 0.0

    def setup(self, cases):
        self.model = spinesim.load_model("adult")
        self.run(4)  # compiles the kernels and balances the reference posture

    def time_sweep(self, cases):
        self.run(cases)

    def track_milliseconds_per_case(self, cases):
        start = time.perf_counter()
        self.run(cases, threads=1)
        return 1e3 * (time.perf_counter() - start) / cases

    def track_share_solved(self, cases):
        return float((self.run(cases).status == "solved").mean())

    def track_worst_residual(self, cases):
        result = self.run(cases)
        return float(result.moment_residual.where(result.status == "solved").max())

    for _tracked in (track_milliseconds_per_case, track_share_solved, track_worst_residual):
        _tracked.params = ([100],)
    track_milliseconds_per_case.unit = "ms"
    track_share_solved.unit = "1"
    track_worst_residual.unit = "N m"


class HeldSweep(_Sweep):
    """Trunk held at 10 degrees of flexion, with a growing weight in the hands that stays within strength."""

    params = ([100, 1000, 10_000],)

    def run(self, cases, threads=None):
        axes = {"load.hands": np.linspace(0, 2, cases)}
        held = {"trunk_flexion": 10}
        return spinesim.sweep(self.model, axes, stance="forward_bend", posture=held, variables=KEPT, threads=threads)


class FoundAlongSweep(_Sweep):
    """Posture found along a line of tightness, each case started from its neighbour."""

    def run(self, cases, threads=None):
        axes = {"tightness.hip_flexors": np.linspace(0, 30, cases)}
        return spinesim.sweep(self.model, axes, variables=KEPT, threads=threads)


class FoundCold(_Sweep):
    """Posture found from the reference in every case: the last axis has one value, so no case has a neighbour."""

    params = ([100],)

    def run(self, cases, threads=None):
        axes = {"tightness.hip_flexors": np.linspace(0, 30, cases), "strength.core": [0.9]}
        return spinesim.sweep(self.model, axes, variables=KEPT, threads=threads)


class FoundDrawn(_Sweep):
    """Posture found for drawn values of three parameters; from 256 cases on a guide says where to start."""

    def run(self, cases, threads=None):
        rng = np.random.default_rng(0)
        ranges = {"tightness.hip_flexors": 15, "tightness.hamstrings": 15, "load.hands": 8}
        drawn = {name: rng.uniform(0, top, cases) for name, top in ranges.items()}
        return spinesim.sweep(self.model, samples=drawn, variables=KEPT, threads=threads)
