"""Experiments: a scenario file in, data files, figures and a short report out."""

from spinesim.report.run import experiment_names, experiments_folder, find_experiment, run_experiment
from spinesim.report.scenario import Scenario, read_scenario

__all__ = [
    "Scenario",
    "experiment_names",
    "experiments_folder",
    "find_experiment",
    "read_scenario",
    "run_experiment",
]
