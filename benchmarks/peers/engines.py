"""Kinematics in MuJoCo: the same bodies, hinges and paths, without a tool that shares forces among muscles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.peers import ours
from benchmarks.peers.measure import Timed
from benchmarks.peers.problem import Held
from spinesim.kernels.arrays import Floats


@dataclass(frozen=True)
class Agreement:
    """Largest differences of an engine from the kernels in one posture."""

    length: float  #: [m]
    arm: float  #: [m]
    weight: float  #: of the moments of weights, hand loads and feet [N m]


def agreement(held: Held, length: Floats, gradient: Floats, weight_moments: Floats) -> Agreement:
    """Compare lengths (n,), their derivatives (n, nq) and weight moments (nq,) with the kernels'."""
    return Agreement(
        float(np.abs(length - held.work.length).max()),
        float(np.abs(gradient - held.work.gradient).max()),
        float(np.abs(weight_moments - held.weight_moments).max()),
    )


def spinesim(held: Held) -> list[Timed]:
    """The kernels' whole way from a posture to the equations of balance."""
    run, count = ours.configure_in_turn(held, ours.postures_near(held))
    return [Timed("spinesim", "all of it: lengths, arms, muscle curves, passive and weight moments", run, count)]


class Mujoco:
    """The adult in MuJoCo."""

    def __init__(self, anatomy):
        from tests.kernels.anatomy import Engine

        self.engine = Engine(anatomy)
        self.anatomy = anatomy
        self.address = [self.engine.model.joint(name).qposadr[0] for name in anatomy.coordinates]

    def timed(self, held: Held) -> list[Timed]:
        """MuJoCo's stages, in another posture at every call."""
        import mujoco

        model, data = self.engine.model, self.engine.data
        data.qvel[:] = 0.0
        data.qacc[:] = 0.0
        stance = held.packed.arrays
        rates = np.zeros((stance.offset.size, stance.n_free))
        for k in range(rates.shape[0]):
            for e in range(stance.rate_first[k], stance.rate_first[k + 1]):
                rates[k, stance.rate_index[e]] = stance.rate[e]
        near = np.zeros((ours.NEIGHBOURS, model.nq))
        near[:, self.address] = held.cases.offset[0] + ours.postures_near(held) @ rates.T

        def paths():
            for q in near:
                data.qpos[:] = q
                mujoco.mj_kinematics(model, data)
                mujoco.mj_comPos(model, data)
                mujoco.mj_tendon(model, data)

        def inverse():
            for q in near:
                data.qpos[:] = q
                mujoco.mj_inverse(model, data)

        count = len(near)
        return [
            Timed("MuJoCo", "lengths and full moment-arm matrix", paths, count),
            Timed("MuJoCo", "mj_inverse (with lengths and arms)", inverse, count),
        ]

    def agreement(self, held: Held) -> Agreement:
        """Lengths, arms and weight moments against the kernels."""
        import mujoco

        engine, anatomy = self.engine, self.anatomy
        joints = held.joints
        engine.settle(joints)
        active = anatomy.route_weights(joints)
        if not np.isin(active, [0.0, 1.0]).all():
            raise ValueError(f"{held.name}: a conditional point fades, which MuJoCo cannot express")
        owner = [i for i, _, _ in anatomy.routes]
        length = np.bincount(owner, engine.route_lengths() * active)
        gradient = np.zeros_like(held.work.gradient)
        np.add.at(gradient, owner, engine.route_rates() * active[:, None])
        pushed = np.zeros(engine.model.nv)
        for body, point, force in held.vertical_forces:
            b = engine.model.body(body).id
            at = engine.data.xpos[b] + engine.data.xmat[b].reshape(3, 3) @ point
            mujoco.mj_applyFT(engine.model, engine.data, np.array([0.0, force, 0.0]), np.zeros(3), at, b, pushed)
        order = [engine.model.joint(name).dofadr[0] for name in anatomy.coordinates]
        return agreement(held, length, gradient, engine.weight_moments() + pushed[order])
