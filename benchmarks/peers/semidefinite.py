"""Least effort that is also stable: the semidefinite cone of Clarabel, through its own interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse

from benchmarks.peers.peer import Peer, Run
from benchmarks.peers.problem import ForceSharing, Stability
from benchmarks.peers.quadratic import clarabel_settings, daqp
from spinesim.kernels.arrays import Floats

ROUNDS = 60
SHORT = 1e-6  # [N m/rad] by which a direction may miss the margin; the stiffnesses themselves are of order 1e2


class Cuts(NamedTuple):
    """Activations found by cuts, the problem with the rows that were added, and how many times it was solved."""

    activation: Floats
    problem: ForceSharing
    rounds: int


def scaled_triangle(square: np.ndarray) -> np.ndarray:
    """Upper triangles of symmetric matrices (..., k, k) by columns, off-diagonal entries times sqrt 2.

    The order and scale of Clarabel's semidefinite cone, in which the inner product of vectors is that of matrices.
    """
    k = square.shape[-1]
    column, row = np.tril_indices(k)  # the lower triangle by rows is the upper one by columns
    return square[..., row, column] * np.where(row == column, 1.0, np.sqrt(2.0))


def clarabel(stable: tuple[ForceSharing, Stability], *, tolerance: float | None) -> Run:
    """minimise 1/2 a'Wa with columns' a = tau, bounds, rows, and base + sum a K - margin I in the semidefinite cone."""
    import clarabel

    problem, stability = stable
    m, ns = problem.weight.size, stability.base.shape[0]
    cost, linear, one = sparse.diags(problem.weight, format="csc"), np.zeros(m), sparse.identity(m)
    stiffness = scaled_triangle(stability.per_activation).T
    matrix = sparse.vstack([problem.columns.T, -one, one, -problem.rows.T, -stiffness], format="csc")
    least = scaled_triangle(stability.base - stability.margin * np.eye(ns))
    right = np.concatenate([problem.tau, -problem.lower, problem.upper, -problem.bound, least])

    def run():
        cones = [
            clarabel.ZeroConeT(problem.tau.size),
            clarabel.NonnegativeConeT(2 * m + problem.bound.size),
            clarabel.PSDTriangleConeT(ns),
        ]
        solver = clarabel.DefaultSolver(cost, linear, matrix, right, cones, clarabel_settings(tolerance))
        return np.array(solver.solve().x)

    return run


def cuts(problem: ForceSharing, stability: Stability, solve: Callable[[ForceSharing], Floats]) -> Cuts:
    """The same optimum from quadratic programmes: every direction that is not stable enough becomes a row."""
    for rounds in range(1, ROUNDS + 1):
        a = solve(problem)
        values, directions = np.linalg.eigh(stability.stiffness(a))
        short = directions.T[values < stability.margin - SHORT]
        if not len(short):
            return Cuts(a, problem, rounds)
        rows, bounds = zip(*(stability.row(d) for d in short), strict=True)
        problem = problem.with_rows(
            np.column_stack([problem.rows, *rows]), np.concatenate([problem.bound, bounds])
        )  # fmt: skip
    raise RuntimeError(f"{problem.name}: not stable after {ROUNDS} rounds of cuts")


def daqp_with_cuts(stable: tuple[ForceSharing, Stability]) -> Run:
    """Eigenvector cuts around DAQP, in Python."""
    problem, stability = stable
    return lambda: cuts(problem, stability, lambda p: daqp(p, tolerance=None)()).activation


PEERS = (
    Peer("DAQP in eigenvector cuts", "default (1e-6)", daqp_with_cuts, "daqp", slow=True),
    Peer("Clarabel, semidefinite", "default (1e-8)", lambda p: clarabel(p, tolerance=None), "clarabel", slow=True),
    Peer("Clarabel, semidefinite", "1e-10", lambda p: clarabel(p, tolerance=1e-10), "clarabel", slow=True),
)
