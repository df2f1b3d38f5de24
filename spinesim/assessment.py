"""Virtual clinical tests: the angle at which a relaxed limb stops under the examiner's hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spinesim import units
from spinesim.cases import case_arrays, mirrored_test, path_lengths, test_pose
from spinesim.errors import InputError, NotConvergedError
from spinesim.kernels import muscle, passive
from spinesim.kernels.arrays import CaseArrays, Floats
from spinesim.model.pack import Packed, pack
from spinesim.model.parts import Model, TightnessTest
from spinesim.solve import check_settings
from spinesim.stance import pack_stance


def passive_moments(packed: Packed, cases: CaseArrays, q: Floats) -> Floats:
    """Moments (nq,) [N m] of relaxed muscles and tissue about every joint coordinate at q, for the first case."""
    arrays = packed.arrays
    length, gradient = path_lengths(packed, q)
    n = length.size
    fibre, active, active_slope, tension, slope = (np.empty(n) for _ in range(5))
    muscle.tensions(
        arrays,
        cases.strength[0],
        cases.stiffness[0],
        cases.shift[0],
        0.0,  # the examiner's patient lies relaxed
        length,
        fibre,
        active,
        active_slope,
        tension,
        slope,
    )
    moment = -gradient.T @ tension
    passive.tissue_moments(arrays, cases.tissue_shift[0], q, moment)
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

    def moment(cases: CaseArrays, angle: float) -> float:
        return float(passive_moments(packed, cases, test_pose(packed, test, angle))[k])

    goal = moment(healthy, test.reference)
    outward = -1.0 if test.limits == "lower" else 1.0
    # from well inside the range outwards: the first such moment is the one read
    grid = test.reference + outward * np.radians(np.linspace(-60.0, 30.0, 181))
    values = np.array([moment(case, angle) - goal for angle in grid]) * -outward
    crossed = np.flatnonzero((values[:-1] < 0.0) & (values[1:] >= 0.0))
    if crossed.size == 0:
        raise NotConvergedError(f"{test.name}: the passive moment never reaches {goal:.3g} N m")
    i = int(crossed[0])
    return float(brentq(lambda angle: moment(case, angle) - goal, grid[i], grid[i + 1], xtol=1e-12))
