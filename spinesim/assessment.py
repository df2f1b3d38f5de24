"""Virtual clinical tests: what an examiner would read of the healthy model and of one with imbalances."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import numpy as np
import xarray as xr

from spinesim import units
from spinesim.cases import case_arrays, line_forces, mirrored_test, path_lengths, subject, test_pose
from spinesim.clinical import DETECTABLE, Measure, chosen, grade, side_names
from spinesim.errors import InputError, NotConvergedError, SpinesimError
from spinesim.imbalance import expand
from spinesim.isometric import maximal_moment
from spinesim.kernels import passive
from spinesim.kernels.arrays import CaseArrays, Floats
from spinesim.model.pack import Packed, pack
from spinesim.model.parts import Model, TightnessTest
from spinesim.solve import check_settings, resized, solve
from spinesim.stance import pack_stance

READ = "read"  #: status of a reading that exists
NOTE = (
    "Readings of a model, never a diagnosis. In the tests of range the muscles are relaxed: what is tight is felt, "
    "what is weak, inhibited or overactive is not. The range lost to tightness is read by definition."
)


def assess(
    model: Model, parameters: Mapping[str, float] | None = None, tests: Collection[str] | None = None
) -> xr.Dataset:
    """What clinical tests would read, each beside the healthy reading and the published error of measurement.

    The weights in the hands are put down first, so parameters ``load...`` have no part in it.

    Parameters
    ----------
    model
        A checked model, such as ``load_model("adult")``.
    parameters
        Values by parameter name, as in `spinesim.solve`.
    tests
        Some of ``"thomas"``, ``"straight_leg_raise"``, ``"ely"``, ``"abduction_90"``, ``"prone_hip_rotation"``,
        ``"manual_muscle_test"``, ``"trendelenburg"`` and ``"overhead_squat"``; all of them by default.

    Returns
    -------
    xarray.Dataset
        Dimension ``reading``, one number that a clinician reads, such as ``thomas.right``,
        ``manual_muscle_test.hip_abduction.left`` or ``overhead_squat.lumbar_lordosis``; ``test``, ``side``, ``unit``,
        ``protocol``, ``source`` and ``confidence`` stand with it. In that unit: ``value``, ``healthy`` (of the same
        body without imbalance), ``change`` (value - healthy), ``error`` (standard error of measurement between
        sessions or examiners) and ``detectable_change`` (1.96 sqrt(2) errors). ``share`` [1] of the healthy moment
        and ``grade`` ("0" to "5") for strengths, NaN and "" for angles. ``status``: ``"read"``, or why the number
        cannot be formed, and then it is NaN.

    Raises
    ------
    InputError
        For an unknown test or parameter, or a value out of its range.

    Examples
    --------
    >>> import spinesim as ss
    >>> model = ss.load_model("adult")
    >>> found = ss.assess(model, {"tightness.hip_flexors": 15}, tests=["thomas"])
    >>> bool((found.change > found.detectable_change).all())
    True
    """
    settings = check_settings(model, parameters)
    body = resized(model, subject(model, settings))
    names = side_names(chosen(tests))
    healthy, _ = readings(body, {}, names)
    values, status = readings(body, settings, names)
    strong = np.array([measure.relative for measure, _ in names]) & (healthy > 0.0)
    share = np.divide(values, healthy, out=np.full(len(names), np.nan), where=strong)
    error = errors(names, healthy)
    words = {
        "test": [measure.test for measure, _ in names],
        "side": [side for _, side in names],
        "title": [measure.title for measure, _ in names],
        **{name: [getattr(measure, name) for measure, _ in names] for name in ("unit", "protocol", "source")},
        "confidence": [measure.confidence for measure, _ in names],
    }
    loads = [name for name in settings if name.startswith("load.")]
    return xr.Dataset(
        {
            "value": ("reading", values, {"description": "What is read."}),
            "healthy": ("reading", healthy, {"description": "What is read of the same body without imbalance."}),
            "change": ("reading", values - healthy, {"description": "Value less healthy."}),
            "error": ("reading", error, {"description": "Standard error of measurement."}),
            "detectable_change": ("reading", DETECTABLE * error, {"description": "Change beyond error at 95 %."}),
            "share": ("reading", share, {"units": "1", "description": "Of the healthy moment; NaN for angles."}),
            "grade": ("reading", ["" if np.isnan(each) else str(grade(each)) for each in share]),
            "status": ("reading", status, {"description": "read, or why the number cannot be formed."}),
        },
        coords={
            "reading": [label(measure, side) for measure, side in names],
            **{name: ("reading", entries) for name, entries in words.items()},
        },
        attrs={
            "model": model.name,
            "parameters": ", ".join(f"{name} = {value:g}" for name, value in settings.items()) or "none",
            "put_down": ", ".join(loads) or "nothing",
            "note": NOTE,
        },
    )


def on_the_couch(model: Model, settings: Mapping[str, float]) -> dict[str, float]:
    """What is left of checked settings when all weights are put down: no imbalances by name, no loads, no subject."""
    return {
        name: float(np.ravel(value)[0])
        for name, value in expand(model, settings).items()
        if not name.startswith(("load.", "subject."))
    }


def label(measure: Measure, side: str) -> str:
    """Name of a reading: the measure, and its side unless that is the midline."""
    return measure.name if side == "midline" else f"{measure.name}.{side}"


def errors(names: Sequence[tuple[Measure, str]], healthy: Floats) -> Floats:
    """Standard error of measurement of every reading in its own unit; that of a moment from the healthy one."""
    shares = np.array([measure.error for measure, _ in names])
    return np.where([measure.relative for measure, _ in names], shares * units.PERCENT * healthy, shares)


def readings(
    model: Model, settings: Mapping[str, float], names: Sequence[tuple[Measure, str]]
) -> tuple[Floats, list[str]]:
    """Value of every reading in its unit, and its status; NaN where it cannot be formed.

    Parameters
    ----------
    settings
        Checked values by parameter name; those of the subject are ignored, loads are put down.
    names
        Measures with their sides.
    """
    patient = _Patient(model, settings)
    values, status = np.full(len(names), np.nan), []
    for i, (measure, side) in enumerate(names):
        try:
            values[i] = patient.read(measure, side)
            status.append(READ)
        except SpinesimError as error:
            status.append(str(error).rstrip("."))
    return values, status


class _Patient:
    """A body on the couch or on its feet; the postures it stands in are found once."""

    def __init__(self, model: Model, settings: Mapping[str, float]) -> None:
        self.model = model
        self.settings = on_the_couch(model, settings)
        self.stances: dict[str, xr.Dataset | SpinesimError] = {}

    def read(self, measure: Measure, side: str) -> float:
        """One reading in its unit.

        Raises
        ------
        SpinesimError
            If it cannot be formed; says why.
        """
        if measure.kind == "range":
            if measure.of not in {test.group for test in self.model.tests}:
                raise InputError(f"the model {self.model.name} has no test of {measure.of}")
            return measure.sign * reading(self.model, measure.of, self.settings, side=side)
        if measure.kind == "strength":
            angles = {"hip.flexion": measure.hip_flexion, "knee.flexion": measure.knee_flexion}
            joints = {name: angle / units.DEGREE for name, angle in angles.items() if angle is not None}
            one = "right" if side == "midline" else side
            return maximal_moment(self.model, measure.of, self.settings, side=one, joints=joints).moment
        if measure.test == "trendelenburg":
            # list is positive with the right side down: standing on the right leg the left side drops
            down = float(self.standing(f"single_leg_{side}")["pelvic_list"])
            return down if side == "left" else -down
        return float(self.standing("overhead_squat")[measure.of])

    def standing(self, stance: str) -> xr.Dataset:
        """The found posture of a stance.

        Raises
        ------
        SpinesimError
            If the model has no such stance, or the body cannot take it.
        """
        if stance not in self.stances:
            try:
                if stance not in self.model.stances:
                    raise InputError(f"the model {self.model.name} has no stance {stance}")
                self.stances[stance] = solve(self.model, self.settings, stance=stance)
            except SpinesimError as error:
                self.stances[stance] = error
        answer = self.stances[stance]
        if isinstance(answer, SpinesimError):
            raise answer
        return answer


def passive_moments(packed: Packed, cases: CaseArrays, q: Floats) -> Floats:
    """Moments (nq,) [N m] of relaxed muscles and tissue about every joint coordinate at q, for the first case."""
    length, gradient = path_lengths(packed, q)
    moment = -gradient.T @ line_forces(packed, cases, length)[1]
    passive.tissue_moments(packed.arrays, cases.tissue_shift[0], q, moment)
    return moment


def reading(model: Model, group: str, parameters: Mapping[str, float] | None = None, *, side: str = "right") -> float:
    """Angle [deg] read in the clinical test of a group.

    The examiner moves the limb until its passive moment is the one that the healthy model shows at the published
    reading. Weight of the limb is held by the examiner; the spine stays in the reference posture.

    Parameters
    ----------
    group
        A group with a test, such as ``"hip_flexors"``.
    parameters
        Values by parameter name, as in `spinesim.solve`.
    side
        ``"right"`` or ``"left"``.

    Returns
    -------
    float
        In the direction of the joint coordinate of the test: for the Thomas test hip flexion, so extension is negative.

    Raises
    ------
    InputError
        For a group without a test.
    NotConvergedError
        If the limb meets no such moment within its range.
    """
    tests = {test.group: test for test in model.tests}
    if group not in tests:
        raise InputError(f"{group} has no clinical test: groups with a test are {', '.join(tests)}")
    if side not in ("right", "left"):
        raise InputError(f"side = {side!r} is not allowed: it must be 'right' or 'left'")
    packed = pack(model)
    test = mirrored_test(tests[group], "_r" if side == "right" else "_l")
    stance = pack_stance(packed, "standing")
    columns = {name: np.array([value]) for name, value in check_settings(model, parameters).items()}
    healthy = case_arrays(stance, {}, 1, np.zeros(0))
    case = case_arrays(stance, columns, 1, np.zeros(0))
    return find_reading(packed, test, healthy, case) / units.DEGREE


def find_reading(packed: Packed, test: TightnessTest, healthy: CaseArrays, case: CaseArrays) -> float:
    """Angle [rad] at which ``case`` shows the moment of ``healthy`` at the reference reading."""
    from scipy.optimize import brentq  # a third of a second, which few users need

    k = packed.coordinates.index(test.coordinate)

    def moment(cases: CaseArrays, q: Floats, length: Floats, slope: Floats) -> float:
        # one arithmetic for the walk and the root: a reading may lie on a step of the walk
        about = np.zeros(q.size)
        passive.tissue_moments(packed.arrays, cases.tissue_shift[0], q, about)
        return float(about[k] - slope @ line_forces(packed, cases, length)[1])

    goal = moment(healthy, *_place(packed, k, test_pose(packed, test, test.reference)))
    outward = -1.0 if test.limits == "lower" else 1.0
    angles, places = _walk(packed, test.coordinate, tuple(test.pose.items()), test.reference, outward)
    within = [moment(case, *places[0]) * -outward < goal * -outward]
    while len(within) < len(places):
        within.append(moment(case, *places[len(within)]) * -outward < goal * -outward)
        if within[-2] and not within[-1]:
            break
    else:
        raise NotConvergedError(f"{test.name}: the passive moment never reaches {goal:.3g} N m")

    def excess(angle: float) -> float:
        return moment(case, *_place(packed, k, test_pose(packed, test, angle))) - goal

    return float(brentq(excess, angles[len(within) - 2], angles[len(within) - 1], xtol=1e-12))


_Place = tuple[Floats, Floats, Floats]  # joint coordinates (nq,) [rad], lengths (n,) [m], their slopes (n,) [m/rad]


def _place(packed: Packed, k: int, q: Floats) -> _Place:
    """What a relaxed body does at joint coordinates q: lengths of all lines and their derivatives by coordinate k."""
    length, gradient = path_lengths(packed, q)
    return q, length, np.ascontiguousarray(gradient[:, k])


@lru_cache(maxsize=32)
def _walk(
    packed: Packed, coordinate: str, pose: tuple[tuple[str, float], ...], reference: float, outward: float
) -> tuple[Floats, tuple[_Place, ...]]:
    """Angles (a,) [rad] from well inside the range outwards, so that the first moment met is the one read."""
    k = packed.coordinates.index(coordinate)
    angles = reference + outward * np.radians(np.linspace(-60.0, 30.0, 181))
    q = np.zeros(len(packed.coordinates))
    for name, value in pose:
        q[packed.coordinates.index(name)] = value
    places = []
    for angle in angles:
        q[k] = angle
        places.append(_place(packed, k, q.copy()))
    return angles, tuple(places)
