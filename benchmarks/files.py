"""Results to file and back."""

import tempfile
from pathlib import Path

import numpy as np

import spinesim
from spinesim.results import open_results, write


class ResultsFile:
    """A held sweep with all its variables, by number of cases."""

    params = ([100, 1000],)
    param_names = ("cases",)
    number = 1
    repeat = (2, 5, 20.0)

    def setup(self, cases):
        model = spinesim.load_model("adult")
        axes = {"load.hands": np.linspace(0, 2, cases)}
        self.result = spinesim.sweep(model, axes, stance="forward_bend", posture={"trunk_flexion": 10})
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "result.nc"
        write(self.result, self.path)

    def teardown(self, cases):
        self.folder.cleanup()

    def time_write(self, cases):
        write(self.result, self.path)

    def time_open(self, cases):
        open_results(self.path)

    def track_bytes_per_case(self, cases):
        return self.path.stat().st_size / cases

    track_bytes_per_case.unit = "byte"
