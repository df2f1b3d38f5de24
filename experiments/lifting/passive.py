"""How far the lumbar spine bends in single cases of this experiment, and what share of the moment is passive.

Usage: ``python experiments/lifting/passive.py OUTPUT``, where ``spinesim run lifting --output OUTPUT`` has written.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import xarray as xr

import spinesim as ss
from spinesim import results
from spinesim.capacity import passive_share
from spinesim.model.parts import Model

RUNS = (
    *("stoop_15kg", "stoop_spine_40", "stoop_spine_30", "stoop_spine_20"),
    *("squat_15kg", "squat_spine_30", "squat_spine_20", "squat_spine_0"),
)


def lumbar_angles(case: xr.Dataset) -> dict[str, float]:
    """Flexion of every level from the sacrum to the upper end of L1, from standing [deg]."""
    names = [str(name) for name in case.joint_coordinate.values if str(name)[0] == "L" and name.endswith(".flexion")]
    return {name: float(case.joint_angle.sel(joint_coordinate=name)) for name in names}


def share(model: Model, case: xr.Dataset) -> float:
    """Share of the flexing moment at L5/S1 that discs and relaxed muscle carry [%], in the posture that was found."""
    posture = lumbar_angles(case)
    posture["anterior_pelvic_tilt"] = float(case.anterior_pelvic_tilt)
    posture["trunk_flexion"] = float(case.trunk_inclination)
    weight = float(case.load_weight.sum()) / model.gravity
    return passive_share(model, "L5_S1", {"load.hands": weight}, posture=posture)


def rows(model: Model, output: Path) -> Iterator[tuple[str, float, float]]:
    """Run, lumbar flexion [deg] and passive share [%] of every case."""
    for run in RUNS:
        case = results.open_results(output / f"{run}.nc")
        yield run, sum(lumbar_angles(case).values()), share(model, case)


def main(output: Path) -> None:
    """Print a line for every case."""
    for run, flexion, passive in rows(ss.load_model("adult"), output):
        print(f"{run:16} lumbar flexion {flexion:5.1f} deg, passive share {passive:3.0f} %")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
