"""Does a model stay within its data when it moves, and do its clinical tests read back what was set?

:mod:`spinesim.model.check` looks at the files and the reference posture; this file walks through the stances.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from spinesim import units
from spinesim.assessment import reading
from spinesim.cases import case_arrays, path_lengths
from spinesim.errors import NotConvergedError
from spinesim.kernels.arrays import Floats
from spinesim.labelled import CURVE_RANGE
from spinesim.model.check import Finding
from spinesim.model.pack import pack
from spinesim.model.parts import Model
from spinesim.solve import make_task, solve, start_postures
from spinesim.stance import pack_stance

TIGHT = 30.0  #: tightness of the hip flexors of the second found posture of every stance [deg]
BENDS = (0.0, 20.0, 40.0, 60.0)  #: held trunk flexions of the stances that hold the trunk [deg]
READ = (0.0, 10.0, 20.0, 30.0)  #: tightness that every clinical test must read back [deg]
AGREEMENT = 1.0  #: largest error of a clinical test [deg]


def walk(model: Model) -> tuple[Finding, ...]:
    """Findings of the walk through all stances and clinical tests."""
    return (*_postures(model), *_clinical_tests(model), *_foramina(model))


def _postures(model: Model) -> Iterator[Finding]:
    tight = {"tightness.hip_flexors": TIGHT} if any(test.group == "hip_flexors" for test in model.tests) else {}
    for name, stance in model.stances.items():
        for settings in ({}, tight) if tight else ({},):
            words = ", ".join([f"posture found in {name}", *(f"{key} = {value:g}" for key, value in settings.items())])
            case = solve(model, settings, stance=name, raise_on_failure=False)
            if case.status.item() != "solved":
                yield Finding("warning", f"stances: {name}", f"{words}: no solution ({case.status.item()})")
            else:
                fibres = dict(zip(case.muscle.values.tolist(), case.fibre_length.values.tolist(), strict=True))
                yield from _beyond_the_curves(f"stances: {name}", words, fibres)
        for bend in BENDS if "trunk_flexion" in stance.held else ():
            fibres = held_fibre_lengths(model, name, {"trunk_flexion": bend})
            yield from _beyond_the_curves(f"stances: {name}", f"trunk held at {bend:g} deg in {name}", fibres)


def held_fibre_lengths(model: Model, stance: str, posture: Mapping[str, float]) -> dict[str, float]:
    """Normalised fibre length of every fascicle in a held posture, whether or not muscles can hold it.

    Parameters
    ----------
    posture
        Held angles [deg]; the others follow by the rhythm.
    """
    packed = pack_stance(pack(model), stance)
    task = make_task(model, stance, posture, "rhythm")
    free = start_postures(packed, task, case_arrays(packed, {}, 1, np.zeros(0)))[0]
    q: Floats = packed.arrays.offset.copy()
    for angle, coordinate in zip(free, packed.stance.free, strict=True):
        for name, rate in coordinate.moves.items():
            q[packed.packed.coordinates.index(name)] += rate * angle
    lengths, _ = path_lengths(packed.packed, q)
    arrays = packed.packed.arrays
    fibres = (lengths - arrays.slack_length) / (arrays.optimal_length * arrays.cos_pennation)
    fascicles = packed.packed.muscles
    return dict(zip(fascicles, fibres[: len(fascicles)].tolist(), strict=True))


def _beyond_the_curves(subject: str, words: str, fibres: Mapping[str, float]) -> Iterator[Finding]:
    """Fascicles longer or shorter than the data of the muscle curves; the left is left out where the right says it."""
    low, high = CURVE_RANGE
    outside = {name: length for name, length in fibres.items() if not low <= length <= high}
    said = [name for name in outside if not (name.endswith("_l") and f"{name[:-2]}_r" in outside)]
    if outside:
        listed = ", ".join(f"{name} {outside[name]:.2f}" for name in said)
        yield Finding("note", subject, f"{words}: fibre length outside {low:g} to {high:g}: {listed}")


def _clinical_tests(model: Model) -> Iterator[Finding]:
    """Every test must read the tightness that was set."""
    for test in model.tests:
        subject, errors = f"tests: {test.group}", []
        inward = 1.0 if test.limits == "lower" else -1.0
        try:
            for angle in READ:
                read = reading(model, test.group, {f"tightness.{test.group}": angle})
                errors.append(abs((read - test.reference / units.DEGREE) * inward - angle))
        except NotConvergedError as error:
            yield Finding("warning", subject, f"with {angle:g} deg of tightness: {error}")
            continue
        words = f"the {test.name} reads {', '.join(f'{angle:g}' for angle in READ)} deg of tightness"
        yield Finding(
            "note" if max(errors) <= AGREEMENT else "warning", subject, f"{words} within {_upwards(max(errors))} deg"
        )


def _upwards(value: float) -> str:
    """A number rounded up to two decimals."""
    return f"{math.ceil(100.0 * value - 1e-9) / 100.0:.2f}"


def _foramina(model: Model) -> Iterator[Finding]:
    without = [disc.name for disc in model.discs if disc.name not in pack(model).foramina]
    if without:
        yield Finding("note", "foramen_outline", f"no foramen at {', '.join(without)}")
