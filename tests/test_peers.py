"""The problems that peers are given are those of the kernels, and the peers that tests may use solve the same ones."""

import numpy as np
import pytest

import spinesim
from benchmarks.peers import ours, quadratic, report, semidefinite
from benchmarks.peers.problem import POSTURES, Posture, force_sharing, hold, stability
from spinesim.kernels import state

BENT = Posture("bent with a load", "forward_bend", {"load.hand.right": 2, "tone.gluteals": 0.02}, {"trunk_flexion": 15})


@pytest.fixture(scope="module")
def bent(adult):
    return hold(adult, BENT)


@pytest.fixture(scope="module")
def problem(bent):
    return force_sharing(bent)


def test_force_sharing__is_the_balance_that_solve_finds(adult, problem):
    solved = spinesim.solve(adult, BENT.settings, stance=BENT.stance, posture=BENT.angles)
    n = solved.sizes["muscle"]
    activation = quadratic.quadprog(problem)()
    assert activation[:n] == pytest.approx(solved.activation.values, abs=1e-7)
    assert problem.objective(activation) == pytest.approx(float(solved.effort), rel=1e-9)


def test_least__bounds_the_cost_from_below_and_is_reached(problem):
    activation = quadratic.quadprog(problem)()
    best = problem.objective(activation)
    assert problem.least(activation) == pytest.approx(best, rel=1e-12)
    rng = np.random.default_rng(3)
    for _ in range(5):
        guess = np.clip(activation + rng.normal(scale=0.01, size=activation.size), problem.lower, problem.upper)
        assert problem.least(guess) <= best * (1 + 1e-12)


SOLVERS = {
    "quadprog": quadratic.quadprog,
    "piqp, dense": lambda p: quadratic.piqp(p, dense=True, tolerance=1e-11),
    "piqp, sparse": lambda p: quadratic.piqp(p, dense=False, tolerance=1e-11),
    "clarabel": lambda p: quadratic.clarabel(p, tolerance=1e-11),
    "spinesim": ours.from_python,
}


@pytest.mark.parametrize("name", list(SOLVERS))
def test_solvers__find_the_same_optimum(problem, name):
    activation = SOLVERS[name](problem)()
    assert problem.objective(activation) == pytest.approx(problem.least(activation), rel=1e-8)
    assert problem.residual(activation) <= 1e-8
    assert problem.violation(activation) <= 1e-8


def test_stability__is_the_tangent_with_short_range_stiffness(bent):
    stable = stability(bent, 0.0)
    stance, work = bent.packed.arrays, bent.work
    activation = np.random.default_rng(1).uniform(0.0, 0.3, stance.cost.size)
    expected = np.empty((stance.n_free, stance.n_free))
    kappa = bent.model.stability.short_range
    state.tangent(bent.packed.packed.arrays, stance, bent.cases, 0, activation, kappa, work, expected)
    lean = bent.packed.free.index("lean")
    expected = np.delete(np.delete(expected, lean, axis=0), lean, axis=1)
    assert stable.stiffness(activation) == pytest.approx(expected, abs=1e-10 * np.abs(expected).max())


def test_stable__finds_the_optimum_of_the_cone(adult):
    held = hold(adult, POSTURES[0])
    problem, stable = force_sharing(held), stability(held, 10.0)
    mine, cone = ours.stable((problem, stable))(), semidefinite.clarabel((problem, stable), tolerance=1e-9)()
    assert stable.shortage(mine) <= 1e-4
    assert problem.objective(mine) == pytest.approx(problem.objective(cone), rel=1e-6)


def test_scaled_triangle__keeps_the_inner_product():
    rng = np.random.default_rng(2)
    a, b = (m + m.T for m in rng.normal(size=(2, 4, 4)))
    assert semidefinite.scaled_triangle(a) @ semidefinite.scaled_triangle(b) == pytest.approx(np.sum(a * b), rel=1e-14)


def test_semidefinite__cone_and_cuts_find_the_same_optimum(adult):
    held = hold(adult, POSTURES[0])
    problem, stable = force_sharing(held), stability(held, 10.0)
    cut = semidefinite.cuts(problem, stable, lambda p: quadratic.quadprog(p)())
    cone = semidefinite.clarabel((problem, stable), tolerance=1e-9)()
    assert stable.shortage(np.zeros(problem.weight.size)) > 100.0  # without muscles the spine buckles
    assert cut.rounds > 2
    assert stable.shortage(cut.activation) <= 1e-5
    assert stable.shortage(cone) <= 1e-5
    assert problem.objective(cone) == pytest.approx(cut.problem.least(cut.activation), rel=1e-7)
    assert cut.problem.objective(cut.activation) == pytest.approx(cut.problem.least(cut.activation), rel=1e-9)


@pytest.mark.parametrize("markdown", [True, False])
def test_table__has_equal_lines(markdown):
    lines = report.table(["solver", "ms"], [["one", "1.0"], ["the other", "12.5"]], markdown=markdown)
    assert len({len(line) for line in lines}) == 1
    assert "12.5" in lines[-1]
