"""The equations of the planar teaching model: legs, pelvis and trunk in the sagittal plane, small enough to print.

Frames: x forward, y up; every body frame is parallel to the world in the reference posture, with its origin at the
hips (legs, pelvis) or at the lumbar joint (trunk); the world origin is at the hips. Signs: ``lean`` is positive when
the legs lean forward about the ankles, ``tilt`` when the pelvis tilts anteriorly, ``flexion`` when the trunk flexes on
the pelvis; all three turn the body above forward. A moment is positive when it enlarges its angle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import sympy as sp

Body = Literal["legs", "pelvis", "trunk"]
BODIES: tuple[Body, ...] = ("legs", "pelvis", "trunk")

lean, tilt, flexion = COORDINATES = sp.symbols("lean tilt flexion", real=True)  #: [rad]
gravity = sp.Symbol("g", positive=True)  #: [m/s2]
leg_length = sp.Symbol("l_leg", positive=True)  #: hip to ankle [m]
lumbar = sp.Matrix(sp.symbols("x_lumbar y_lumbar", real=True))  #: lumbar joint in the pelvis frame [m]
mass = {body: sp.Symbol(f"m_{body}", positive=True) for body in BODIES}  #: [kg]
centre = {body: sp.Matrix(sp.symbols(f"x_{body} y_{body}", real=True)) for body in BODIES}  #: in the body frame [m]

hip_angle = tilt - lean  #: hip flexion [rad]
hip_passive = sp.Function("M_hip")  #: passive hip moment over hip flexion, flexion positive [N m]
disc_passive = sp.Function("M_disc")  #: restoring moment of the disc over its flexion [N m]
ankle_moment = sp.Symbol("M_ankle", real=True)  #: moment of the ankle muscles, lean positive [N m]


@dataclass(frozen=True)
class StraightMuscle:
    """A muscle that runs straight from one body to another."""

    name: str
    origin_body: Body
    insertion_body: Body

    @property
    def origin(self) -> sp.Matrix:
        """Origin in the frame of its body [m]."""
        return sp.Matrix(sp.symbols(f"x_{self.name}_o y_{self.name}_o", real=True))

    @property
    def insertion(self) -> sp.Matrix:
        """Insertion in the frame of its body [m]."""
        return sp.Matrix(sp.symbols(f"x_{self.name}_i y_{self.name}_i", real=True))

    @property
    def force(self) -> sp.Symbol:
        """Tension [N]."""
        return sp.Symbol(f"F_{self.name}", nonnegative=True)

    @property
    def length(self) -> sp.Expr:
        """Length in any posture [m]."""
        line = in_pelvis(self.insertion_body, self.insertion) - in_pelvis(self.origin_body, self.origin)
        return sp.sqrt(line.dot(line))

    @property
    def arms(self) -> sp.Matrix:
        """Moment arms about lean, tilt and flexion [m]: minus the change of length per angle."""
        return -sp.Matrix([sp.diff(self.length, angle) for angle in COORDINATES])


MUSCLES = (
    StraightMuscle("hip_flexor", "pelvis", "legs"),
    StraightMuscle("hip_extensor", "pelvis", "legs"),
    StraightMuscle("psoas", "trunk", "legs"),
    StraightMuscle("back_extensor", "pelvis", "trunk"),
    StraightMuscle("abdominal", "pelvis", "trunk"),
)


def in_pelvis(body: Body, point: sp.Matrix) -> sp.Matrix:
    """Position, in the pelvis frame, of a point given in a body frame [m]."""
    if body == "legs":
        return turned(point, -hip_angle)
    return lumbar + turned(point, flexion) if body == "trunk" else point


def in_world(body: Body, point: sp.Matrix) -> sp.Matrix:
    """World position of a point given in a body frame [m]."""
    if body == "trunk":
        return turned(lumbar, tilt) + turned(point, tilt + flexion)
    return turned(point, tilt if body == "pelvis" else lean)


def turned(point: sp.Matrix, forward: sp.Expr) -> sp.Matrix:
    """The point turned forward (clockwise, about -z) by an angle [rad]."""
    cos, sin = sp.cos(forward), sp.sin(forward)
    return sp.Matrix([cos * point[0] + sin * point[1], -sin * point[0] + cos * point[1]])


def height_above_ankle(body: Body) -> sp.Expr:
    """Height of the centre of mass of a body above the ankles, which stay on the ground [m]."""
    ankle = in_world("legs", sp.Matrix([0, -leg_length]))
    return (in_world(body, centre[body]) - ankle)[1]


def potential() -> sp.Expr:
    """Potential energy of the three weights [J]."""
    return sum((mass[body] * gravity * height_above_ankle(body) for body in BODIES), sp.Integer(0))


def gravity_moments() -> sp.Matrix:
    """Moments of the weights about lean, tilt and flexion [N m]: minus the slopes of the potential energy."""
    return -sp.Matrix([sp.diff(potential(), angle) for angle in COORDINATES])


def passive_moments() -> sp.Matrix:
    """Moments of ankle, passive hips and disc about lean, tilt and flexion [N m].

    Hip flexion is tilt minus lean, so the passive hip moment turns the pelvis one way and the legs the other.
    """
    hip = hip_passive(hip_angle)
    return sp.Matrix([ankle_moment - hip, hip, -disc_passive(flexion)])


def residual(muscles: Sequence[StraightMuscle] = MUSCLES) -> sp.Matrix:
    """Sum of all moments about lean, tilt and flexion, spelled out; zero in equilibrium [N m]."""
    pulls = (muscle.force * muscle.arms for muscle in muscles)
    return sum(pulls, gravity_moments() + passive_moments())


def equilibrium(muscles: Sequence[StraightMuscle] = MUSCLES) -> list[sp.Eq]:
    """Moment balance about lean, tilt and flexion, with gravity moments G and moment arms r as symbols."""
    passive = passive_moments()
    balance = []
    for k, angle in enumerate(COORDINATES):
        pulls = [m.force * sp.Symbol(f"r_{m.name}_{angle}", real=True) for m in muscles if m.arms[k] != 0]
        balance.append(sp.Eq(sp.Add(sp.Symbol(f"G_{angle}", real=True), passive[k], *pulls), 0))
    return balance


def equations(muscles: Sequence[StraightMuscle] = MUSCLES) -> Iterator[tuple[str, sp.Basic]]:
    """Every equation of the model with a heading, in the order in which they are explained."""
    for body in BODIES:
        yield f"centre of mass of the {body} above the ankles", sp.Eq(sp.Symbol(f"h_{body}"), height_above_ankle(body))
    for angle, moment in zip(COORDINATES, gravity_moments(), strict=True):
        yield f"moment of the weights about {angle}", sp.Eq(sp.Symbol(f"G_{angle}"), sp.factor_terms(moment))
    for muscle in muscles:
        yield f"length of {muscle.name}", sp.Eq(sp.Symbol(f"L_{muscle.name}"), muscle.length)
        for angle, arm in zip(COORDINATES, muscle.arms, strict=True):
            if arm != 0:
                short = sp.trigsimp(sp.expand(arm * muscle.length)) / sp.Symbol(f"L_{muscle.name}")
                yield f"arm of {muscle.name} about {angle}", sp.Eq(sp.Symbol(f"r_{muscle.name}_{angle}"), short)
    for angle, equation in zip(COORDINATES, equilibrium(muscles), strict=True):
        yield f"moment balance about {angle}", equation


def print_equations(muscles: Sequence[StraightMuscle] = MUSCLES) -> None:
    """Print every equation of the planar model."""
    for heading, equation in equations(muscles):
        print(f"{heading}:\n\n    {sp.sstr(equation.lhs)} = {sp.sstr(equation.rhs)}\n")


if __name__ == "__main__":
    print_equations()
