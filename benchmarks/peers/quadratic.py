"""General codes for quadratic programmes, each through its own interface.

Every code is given the problem in the form that suits it best: sparse where it is sparse, bounds as bounds where it
has them, the diagonal cost already factored where it takes that.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from benchmarks.peers.peer import Peer, Run
from benchmarks.peers.problem import ForceSharing

INFINITE = 1e30
DAQP_EQUALITY = 5  # "sense" of an equality row


def quadprog(problem: ForceSharing) -> Run:
    """Goldfarb and Idnani's dual active set; dense, no bounds, takes the inverse of the factor of the cost."""
    from quadprog import solve_qp

    m, nu = problem.columns.shape
    inverse_factor = np.diag(1.0 / np.sqrt(problem.weight))
    rows = np.hstack([problem.columns, problem.rows, np.eye(m), -np.eye(m)])
    bounds = np.concatenate([problem.tau, problem.bound, problem.lower, -problem.upper])
    linear = np.zeros(m)

    def run():
        return solve_qp(inverse_factor, linear, rows, bounds, nu, True)[0]

    return run


def piqp(problem: ForceSharing, *, dense: bool, tolerance: float | None) -> Run:
    """Proximal interior point."""
    import piqp

    m = problem.weight.size
    as_matrix = np.ascontiguousarray if dense else sparse.csc_matrix
    cost = np.diag(problem.weight) if dense else sparse.diags(problem.weight, format="csc")
    equal, rows = as_matrix(problem.columns.T), as_matrix(problem.rows.T)
    linear = np.zeros(m)

    def run():
        solver = piqp.DenseSolver() if dense else piqp.SparseSolver()
        if tolerance is not None:
            s = solver.settings
            s.eps_abs = s.eps_rel = s.eps_duality_gap_abs = s.eps_duality_gap_rel = tolerance
        if problem.bound.size:
            above = np.full(problem.bound.size, INFINITE)
            solver.setup(
                cost, linear, equal, problem.tau, rows, problem.bound, above, problem.lower, problem.upper
            )  # fmt: skip
        else:
            solver.setup(cost, linear, equal, problem.tau, None, None, None, problem.lower, problem.upper)
        solver.solve()
        return np.array(solver.result.x)

    return run


def _stacked(problem: ForceSharing):
    """All constraints as one sparse matrix with lower and upper limits: balance, rows, bounds."""
    m = problem.weight.size
    matrix = sparse.vstack([problem.columns.T, problem.rows.T, sparse.identity(m)], format="csc")
    low = np.concatenate([problem.tau, problem.bound, problem.lower])
    high = np.concatenate([problem.tau, np.full(problem.bound.size, INFINITE), problem.upper])
    return matrix, low, high


def osqp(problem: ForceSharing, *, tolerance: float | None) -> Run:
    """Operator splitting; with a tolerance also its polishing step."""
    import osqp

    matrix, low, high = _stacked(problem)
    cost, linear = sparse.diags(problem.weight, format="csc"), np.zeros(problem.weight.size)
    tight = {} if tolerance is None else {
        "eps_abs": tolerance, "eps_rel": tolerance, "polishing": True, "max_iter": 100_000,
    }  # fmt: skip

    def run():
        solver = osqp.OSQP()
        solver.setup(cost, linear, matrix, low, high, verbose=False, **tight)
        return solver.solve(raise_error=False).x

    return run


def clarabel(problem: ForceSharing, *, tolerance: float | None) -> Run:
    """Interior point with cones; here only its quadratic cost with equalities and inequalities."""
    import clarabel

    m = problem.weight.size
    cost, linear = sparse.diags(problem.weight, format="csc"), np.zeros(m)
    one = sparse.identity(m)
    matrix = sparse.vstack([problem.columns.T, -problem.rows.T, -one, one], format="csc")
    right = np.concatenate([problem.tau, -problem.bound, -problem.lower, problem.upper])

    def run():
        cones = [clarabel.ZeroConeT(problem.tau.size), clarabel.NonnegativeConeT(problem.bound.size + 2 * m)]
        solver = clarabel.DefaultSolver(cost, linear, matrix, right, cones, clarabel_settings(tolerance))
        return np.array(solver.solve().x)

    return run


def clarabel_settings(tolerance: float | None):
    """Quiet, one thread, and for a tight answer all tolerances alike."""
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    if tolerance is not None:
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
    return settings


def daqp(problem: ForceSharing, *, tolerance: float | None) -> Run:
    """Dual active set with bounds; dense."""
    import daqp

    m, nu = problem.columns.shape
    cost, linear = np.diag(problem.weight), np.zeros(m)
    matrix = np.ascontiguousarray(np.hstack([problem.columns, problem.rows]).T)
    high = np.concatenate([problem.upper, problem.tau, np.full(problem.bound.size, INFINITE)])
    low = np.concatenate([problem.lower, problem.tau, problem.bound])
    sense = np.zeros(high.size, dtype=np.int32)
    sense[m : m + nu] = DAQP_EQUALITY
    settings = {} if tolerance is None else {"primal_tol": tolerance}

    def run():
        return np.array(daqp.solve(cost, linear, matrix, high, low, sense, **settings)[0])

    return run


PEERS = (
    Peer("DAQP", "default (1e-6)", lambda p: daqp(p, tolerance=None), "daqp"),
    Peer("DAQP", "1e-10", lambda p: daqp(p, tolerance=1e-10), "daqp"),
    Peer("PIQP sparse", "default (1e-8)", lambda p: piqp(p, dense=False, tolerance=None), "piqp"),
    Peer("PIQP sparse", "1e-10", lambda p: piqp(p, dense=False, tolerance=1e-10), "piqp"),
    Peer("PIQP dense", "1e-10", lambda p: piqp(p, dense=True, tolerance=1e-10), "piqp"),
    Peer("OSQP", "default (1e-3)", lambda p: osqp(p, tolerance=None), "osqp"),
    Peer("OSQP", "1e-8, polished", lambda p: osqp(p, tolerance=1e-8), "osqp"),
    Peer("Clarabel", "default (1e-8)", lambda p: clarabel(p, tolerance=None), "clarabel"),
    Peer("Clarabel", "1e-10", lambda p: clarabel(p, tolerance=1e-10), "clarabel"),
    Peer("quadprog", "exact", quadprog, "quadprog"),
)
