"""A chain of cases: every row on its own feet, whatever the rows before it were."""

import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from spinesim.kernels.case import solve_chain
from spinesim.outputs import empty_outputs
from spinesim.stance import default_cases, no_held
from tests.kernels.scene import scene

SOLVED, INFEASIBLE, NOT_CONVERGED, UNSTABLE = 0, 1, 2, 3


def chain(s, cases, find, start=None, stride=None):
    count = cases.strength.shape[0]
    out = empty_outputs(s.model, s.stance, count)
    start = np.zeros((count, s.stance.n_free)) if start is None else start
    stride = np.zeros(count) if stride is None else stride
    solve_chain(s.model, s.stance, cases, no_held(s.stance), find, 2.0, start, stride, s.work, s.side, out)
    return out


def rows(s, count, stable=False):
    """Healthy cases whose extensors weaken slowly, as a sweep has them."""
    cases = default_cases(s.packed.packed, s.stance, s.packed.stance, count, 0)
    cases.strength[:, : s.n // 2] *= np.linspace(1.0, 0.8, count)[:, None]
    if stable:
        cases.margin[:] = s.packed.packed.model.stability.margin
    return cases


WAYS = pytest.mark.parametrize(("find", "stable"), [(True, True), (True, False), (False, True), (False, False)])


@WAYS
@pytest.mark.parametrize(
    "field",
    ["strength", "stiffness", "shift", "lower", "tissue_shift", "preload", "rest_pressure", "short_range", "margin",
     "load", "load_point"],
)  # fmt: skip
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_chain__a_poisoned_case_does_not_take_the_others_down(adult, find, stable, field, poison):
    s = scene(adult)
    good = chain(s, rows(s, 4, stable), find)
    cases = rows(s, 4, stable)
    getattr(cases, field)[1, ...] = poison
    out = chain(s, cases, find)
    assert out.status.tolist() == [SOLVED, NOT_CONVERGED, SOLVED, SOLVED]
    assert np.isnan(out.force[1]).all()
    for row in (0, 2, 3):
        # the case after the poisoned one starts cold; margins are met to 1e-5 N m/rad
        assert out.force[row] == pytest.approx(good.force[row], abs=2e-2 if stable else 1e-4)
        assert np.isfinite(out.reaction[row]).all()


@pytest.mark.parametrize("left_over", [1e200, np.nan])
@pytest.mark.parametrize(
    ("hands_kg", "margin"),
    [(20, -np.inf), (60, -np.inf), (20, 5.0)],  # the second starts without a balance and is led by a soft one
)
def test_chain__what_the_work_space_held_before_changes_no_bit(adult, hands_kg, margin, left_over):
    """Of the work space only the zeros of columns where a line has no arm, and the row of the pressure, are kept."""
    s = scene(adult, settings={"load.hands": hands_kg})
    s.cases.margin[:] = margin
    fresh = [work._replace(rows=work.rows.copy(), bound=work.bound.copy()) for work in (s.work, s.side)]
    outs = []
    for value in (0.0, left_over):
        for work, kept in zip((s.work, s.side), fresh, strict=True):
            for array in [*(a for a in work if isinstance(a, np.ndarray)), *work.room]:
                array[...] = value if array.dtype == np.float64 else 1
            work.columns[~s.used] = 0.0
            work.shape[s.n :] = 0.0  # actuators stiffen nothing
            work.rows[: s.fixed], work.bound[: s.fixed] = kept.rows[: s.fixed], kept.bound[: s.fixed]
            work.rows[s.fixed :, s.n :] = 0.0
        outs.append(chain(s, s.cases, True))
    for one, other in zip(*outs, strict=True):
        np.testing.assert_array_equal(one, other)
    assert outs[0].status[0] == SOLVED
    assert outs[0].residual[0] <= 1e-6


@WAYS
def test_chain__warm_and_cold_agree(adult, find, stable):
    s = scene(adult)
    cases = rows(s, 6, stable)
    warm = chain(s, cases, find)
    assert (warm.status == SOLVED).all()
    # the search stops at a gradient of 1e-7, and of 1e-5 where a cut has a price (see `CUT_TOLERANCE`)
    angle, activation = (1e-7, 1e-5) if stable else (1e-8, 1e-7)
    for row in range(6):
        alone = chain(s, type(cases)(*(a[row : row + 1] for a in cases)), find)
        assert alone.free[0] == pytest.approx(warm.free[row], abs=angle)
        assert alone.activation[0] == pytest.approx(warm.activation[row], abs=activation)
        assert alone.reaction[0] == pytest.approx(warm.reaction[row], abs=1e3 * activation)


@pytest.mark.parametrize("stable", [True, False])
def test_chain__goes_on_along_the_line_through_the_last_two(adult, stable):
    """From where the line leads, the same postures take fewer rounds; along a wrong one more."""
    s = scene(adult)
    cases = rows(s, 8, stable)
    plain = chain(s, cases, True)
    angle = 1e-7 if stable else 1e-8
    for stride, better in ((np.r_[0, 0, np.ones(6)], True), (np.full(8, -2.0), False)):
        out = chain(s, cases, True, stride=stride)
        assert (out.status == SOLVED).all()
        assert out.free == pytest.approx(plain.free, abs=angle)
        np.testing.assert_array_equal(out.free[:2], plain.free[:2])
        rounds, before = out.iterations[2:].sum(), plain.iterations[2:].sum()
        assert rounds < before if better else rounds >= before


@pytest.mark.parametrize("stable", [True, False])
@pytest.mark.parametrize("failed", [3, 4])
def test_chain__begins_anew_after_a_failed_case(adult, stable, failed):
    """What follows has the bits of a chain that begins there: no line, price or derivative is left over."""
    s = scene(adult)
    cases = rows(s, 8, stable)
    cases.strength[failed] = np.nan
    stride = np.r_[0, 0, np.ones(6)]
    out = chain(s, cases, True, stride=stride)
    rest = slice(failed + 1, None)
    alone = chain(s, type(cases)(*(a[rest] for a in cases)), True, stride=stride[rest])
    assert out.status[failed] == NOT_CONVERGED
    for one, other in zip(out, alone, strict=True):
        np.testing.assert_array_equal(one[rest], other)


@pytest.mark.parametrize("way", [-1.0, 1.0])
def test_chain__where_the_line_leads_to_no_balance_the_last_case_leads(adult, way):
    """Weak muscles cannot hold a posture 6 deg away; the bits are those of a start from the last case."""
    s = scene(adult)
    cases = rows(s, 4)
    cases.strength[:, : s.n] *= 0.3
    plain = chain(s, cases, True)
    stride = np.r_[0, 0, 0, way * 0.099 / np.abs(plain.free[2] - plain.free[1]).max()]
    out = chain(s, cases, True, stride=stride)
    assert (out.status == SOLVED).all()
    np.testing.assert_array_equal(out.free, plain.free)
    np.testing.assert_array_equal(out.activation, plain.activation)


def test_chain__no_line_is_followed_further_than_the_curves_are_trusted(adult):
    s = scene(adult)
    cases = rows(s, 4)
    plain = chain(s, cases, True)
    stride = np.r_[0, 0, 0, 0.101 / np.abs(plain.free[2] - plain.free[1]).max()]
    out = chain(s, cases, True, stride=stride)
    np.testing.assert_array_equal(out.iterations, plain.iterations)
    np.testing.assert_array_equal(out.free, plain.free)


@pytest.mark.parametrize("stance", ["standing", "sitting"])
@pytest.mark.parametrize(("find", "stable"), [(True, True), (True, False), (False, True)])
def test_chain__frees_every_array_it_makes(adult, stance, find, stable):
    s = scene(adult, stance)
    cases = rows(s, 3, stable)
    chain(s, cases, find)
    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats()
        chain(s, cases, find)
        after = rtsys.get_allocation_stats()
    finally:
        _nrt_python.memsys_disable_stats()
    made = after.mi_alloc - before.mi_alloc
    assert made > 0
    assert after.mi_free - before.mi_free == made


def test_chain__an_infeasible_case_says_so_and_the_next_is_solved(adult):
    s = scene(adult)
    cases = rows(s, 3)
    cases.strength[1] = 0.01
    out = chain(s, cases, False)
    assert out.status.tolist() == [SOLVED, INFEASIBLE, SOLVED]
    assert np.abs(out.missing[1]).max() > 1.0
    assert not out.missing[[0, 2]].any()


@pytest.mark.parametrize("stable", [True, False])
def test_chain__is_repeatable_to_the_bit(adult, stable):
    s = scene(adult)
    one, two = chain(s, rows(s, 5, stable), True), chain(s, rows(s, 5, stable), True)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("find", [True, False])
def test_chain__a_margin_nobody_can_hold_is_unstable_and_the_next_is_solved(adult, find):
    """Muscles fully active would not give 2000 N m/rad; the forces themselves exist, so none are missing."""
    s = scene(adult)
    cases = rows(s, 3, stable=True)
    cases.margin[1] = 2000.0
    out = chain(s, cases, find)
    assert out.status.tolist() == [SOLVED, UNSTABLE, SOLVED]
    assert out.proof[1] == 0.0
    assert np.isnan(out.force[1]).all()


def test_chain__a_pressure_that_cannot_be_raised_is_infeasible(adult):
    s = scene(adult)
    cases = rows(s, 3)
    cases.lower[1, s.model.pressure_line] = 1.2  # more than full activation
    out = chain(s, cases, False)
    assert out.status.tolist() == [SOLVED, INFEASIBLE, SOLVED]
    assert not out.missing[1].any()


def test_chain__effort_and_residual_are_those_of_the_activations(adult):
    s = scene(adult, settings={"load.hands": 5})
    out = chain(s, s.cases, False)
    assert out.effort[0] == pytest.approx(s.stance.cost @ out.activation[0] ** 2, rel=1e-12)
    s.configure(out.free[0])
    residual = s.work.tau - s.columns().T @ out.activation[0]
    assert out.residual[0] == pytest.approx(np.abs(residual).max(), abs=1e-11)
    assert out.residual[0] <= 1e-6
    tension = out.activation[0, : s.n] * s.work.active + s.work.passive
    assert out.force[0] == pytest.approx(tension, rel=1e-12)
    assert out.length[0] == pytest.approx(s.work.length, rel=1e-14)
    bounds = (out.activation[0] <= s.cases.lower[0]) | (out.activation[0] >= s.cases.upper[0])
    assert out.bounds[0] == bounds.sum()
