"""The general nonlinear code of scipy that users reach for first."""

from __future__ import annotations

from scipy.optimize import minimize

from benchmarks.peers.peer import Peer, Run
from benchmarks.peers.problem import ForceSharing


def slsqp(problem: ForceSharing, *, tight: bool) -> Run:
    """Sequential least squares programming from a = 0.1; tight: with exact gradients and ftol 1e-12."""
    matrix = problem.columns.T.copy()
    equal = {"type": "eq", "fun": lambda a: matrix @ a - problem.tau}
    above = {"type": "ineq", "fun": lambda a: problem.rows.T @ a - problem.bound}
    options = {"maxiter": 500}
    gradient = None
    if tight:
        options["ftol"] = 1e-12
        equal["jac"] = lambda a: matrix
        above["jac"] = lambda a: problem.rows.T
        gradient = lambda a: problem.weight * a  # noqa: E731
    constraints = [equal, above] if problem.bound.size else [equal]
    bounds = list(zip(problem.lower, problem.upper, strict=True))
    start = problem.lower + 0.1 * (problem.upper - problem.lower)

    def run():
        return minimize(
            problem.objective, start, jac=gradient, bounds=bounds, constraints=constraints, method="SLSQP",
            options=options,
        ).x  # fmt: skip

    return run


PEERS = (
    Peer("scipy SLSQP", "default (1e-6), no gradient", lambda p: slsqp(p, tight=False), "scipy", slow=True),
    Peer("scipy SLSQP", "1e-12, exact gradients", lambda p: slsqp(p, tight=True), "scipy", slow=True),
)
