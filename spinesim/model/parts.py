"""What a model is made of: frozen descriptions in SI units and radians.

Every part is checked when it is made, so nothing below this floor meets an impossible value.
Vectors named ``*_neutral`` are in the neutral frame (x forward, y up, z right, origin midway between the
hip centres of the reference posture); all other points are in the frame of the body that carries them.
Body frames are parallel to the neutral frame in the reference posture, with their origin at the joint
with the parent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Vector = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Side = Literal["right", "left", "midline"]
Confidence = Literal["extracted", "read", "literature-memory", "derived", "assumed", "fitted"]

#: Points with which the outline of every foramen begins.
MARKED = ("pedicle_inferior", "body_inferior", "disc_bulge", "body_superior", "pedicle_superior")
BEHIND = "inferior_facet"  #: the point behind the root, which every outline has too


class Part(BaseModel):
    """Base of all descriptions: frozen, no unknown entries, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Sourced(Part):
    """A row that says where its numbers come from."""

    source: Annotated[str, Field(min_length=1)]
    confidence: Confidence
    notes: str = ""


class Body(Sourced):
    """A rigid body."""

    name: str
    parent: str  #: name of the parent body; "ground" for the pelvis
    mass: Positive  #: [kg]
    centre_of_mass: Vector  #: in the body frame [m]
    origin_neutral: Vector  #: body origin (= joint with the parent) in the neutral frame [m]


class Joint(Sourced):
    """A joint between a parent and a child body; its coordinates are hinges taken in order."""

    name: str
    parent: str
    child: str
    kind: Literal["root", "disc", "ball", "hinge"]
    centre_neutral: Vector  #: [m]
    frame_angle: float  #: rotation about z that turns the neutral axes into the joint (disc) axes [rad]


class Coordinate(Sourced):
    """One hinge of a joint."""

    joint: str
    name: Literal["tilt", "list", "turn", "flexion", "bend", "adduction", "rotation"]
    axis: Vector  #: unit vector in the joint frame; positive rotation is right-handed about it
    lowest: float  #: lower end of the range of motion [rad]
    highest: float  #: upper end of the range of motion [rad]
    rhythm_share: NotNegative = 0.0  #: share of the spine's motion in the positive direction [1]
    rhythm_share_negative: NotNegative = 0.0  #: the same in the negative direction [1]

    @property
    def full_name(self) -> str:
        """``joint.coordinate``, such as ``L4_L5.flexion``."""
        return f"{self.joint}.{self.name}"


class Disc(Sourced):
    """Geometry of an intervertebral disc, between the two bodies of the joint of the same name."""

    name: str  #: level, such as "L4_L5"
    centre_neutral: Vector  #: [m]
    area: Positive  #: [m2]
    height_posterior: Positive  #: [m]
    height_middle: Positive  #: [m]
    height_anterior: Positive  #: [m]
    depth: Positive  #: antero-posterior [m]
    width: Positive  #: [m]


class DiscLaw(Sourced):
    """Moment-angle law of one level, axis and direction at one axial preload: |M| = c1 t + c2 t^2 + c3 t^3."""

    level: str
    coordinate: Literal["flexion", "bend", "turn"]
    direction: Literal["positive", "negative"]  #: of the coordinate (flexion positive)
    preload: NotNegative  #: [N]
    c1: Positive  #: [N m/rad]
    c2: float  #: [N m/rad2]
    c3: float  #: [N m/rad3]


class DiscSpring(Sourced):
    """Translational stiffness of one level at one preload, in the disc frame."""

    level: str
    preload: NotNegative  #: [N]
    axial: Positive  #: [N/m]
    shear_anterior: Positive  #: [N/m]
    shear_lateral: Positive  #: [N/m]


class Tissue(Sourced):
    """Passive tissue of one joint, all but the muscles.

    M = amplitude exp(rate (q - shift) + coupling q2) about ``coordinate``. With rate 0 the moment is the constant
    ``amplitude``. ``second`` names another coordinate of the same leg on which the exponent depends too; the energy
    amplitude/rate * exp(...) then gives the moment ``coupling / rate * M`` about it, so the law is conservative.
    """

    name: str
    coordinate: str  #: full name, such as "hip_r.flexion"
    amplitude: float  #: [N m]
    rate: float  #: [1/rad]
    second: str = ""
    coupling: float = 0.0  #: [1/rad]
    limits: Literal["lower", "upper", "none"]  #: which end of the range this branch limits
    tightness_group: str = ""  #: the group whose tightness shifts this branch; "" for none


class PathPoint(Part):
    """A point of a muscle path; a condition makes it active only within a range of a coordinate."""

    body: str
    position: Vector  #: in the body frame [m]
    condition: str = ""  #: full coordinate name, or ""
    condition_lowest: float = 0.0  #: [rad]
    condition_highest: float = 0.0  #: [rad]


class Muscle(Sourced):
    """One fascicle."""

    name: str  #: such as "ps_l1_vb_r"
    muscle: str  #: anatomical muscle, such as "psoas"
    side: Side
    pcsa: Positive  #: physiological cross-sectional area [m2]
    specific_tension: Positive  #: [Pa]
    optimal_fibre_length: Positive  #: [m]
    tendon_slack_length: NotNegative  #: [m]
    pennation: Annotated[float, Field(ge=0, lt=1.2)]  #: [rad]
    passive_force: NotNegative  #: force of the passive curve at ``passive_strain`` beyond ``passive_slack`` [N]
    passive_slack: Positive  #: normalised fibre length at which passive force begins [1]
    passive_strain: Positive  #: strain over which the passive force rises to ``passive_force`` [1]
    path: Annotated[tuple[PathPoint, ...], Field(min_length=2)]

    @property
    def max_force(self) -> float:
        """Largest isometric active force [N]."""
        return self.pcsa * self.specific_tension


class Actuator(Sourced):
    """An ideal, bounded, costed torque that stands for muscles absent from the tables."""

    name: str
    coordinate: str  #: free coordinate of the stance ("lean") or joint coordinate ("knee_r.flexion")
    group: str = ""  #: group whose strength scales it ("quadriceps"), or ""
    side: Side
    max_moment: float  #: moment at full activation; its sign is the direction of the coordinate [N m]


class Landmark(Sourced):
    """A named bony point."""

    name: str
    body: str
    position: Vector  #: in the body frame [m]


class ForamenPoint(Sourced):
    """One point of the closed outline of the foramen of one level, in order."""

    level: str
    name: str
    part: Literal["upper", "lower", "disc"]  #: which vertebra carries it
    origin: Literal["inferior_posterior_corner", "superior_posterior_corner", "posterior_disc_margin"]
    back: float  #: behind the origin, along the end-plate of the carrying vertebra's corner frame [m]
    up: float  #: above the origin [m]


class Pedicle(Sourced):
    """Pedicle size of one vertebra."""

    vertebra: str
    height: Positive  #: [m]
    width: Positive  #: [m]


class Canal(Sourced):
    """Central canal at the disc of one level."""

    level: str
    width: Positive  #: between the pedicles [m]
    depth: Positive  #: from the corners of the vertebral bodies back to the laminae [m]
    lamina_above: float  #: lower edge of the upper lamina above the corner of the upper body [m]
    lamina_below: float  #: upper edge of the lower lamina above the corner of the lower body [m]
    flavum: NotNegative  #: thickness of the ligamentum flavum [m]


class Root(Sourced):
    """The nerve root that leaves through the foramen of one level."""

    level: str
    name: str
    width: Positive  #: of the ganglion, across its axis [m]
    width_sd: NotNegative  #: between people, relative [1]


class RootLaw(Part):
    """What all roots share: direction, stiffness, the pressures that harm them, and how people differ."""

    takeoff: Annotated[float, Field(gt=0.1, lt=1.6)]  #: angle between root and dural sac [rad]
    cushion: Positive  #: fat on each side [m]
    hold: Positive  #: length R by which the root is held under the pedicle: a way w costs it w^2 / 2 R of room [m]
    stiffness: Positive  #: transverse [Pa]
    stiffness_sd: NotNegative  #: of its logarithm [1]
    foramen_height_sd: NotNegative  #: relative [1]
    foramen_width_sd: NotNegative  #: relative [1]
    venular: Positive  #: contact pressure at which venules stop [Pa]
    capillary: Positive  #: at which capillary flow fails [Pa]
    conduction: Positive  #: at which conduction suffers [Pa]
    arteriolar: Positive  #: at which arterioles stop [Pa]


class Sciatic(Part):
    """The way of the sciatic nerve from L1 to the ankle, and the piriformis beside it."""

    below_canal: Positive  #: length from the end of the canal to the ankle in the reference posture [m]
    hip_arm: Positive  #: of the nerve behind the hip [m]
    knee_arm: Positive  #: of the nerve behind the knee [m]
    width: Positive  #: at the piriformis [m]
    thickness: Positive  #: at the piriformis [m]
    breadth: Positive  #: of the piriformis where it crosses the nerve [m]
    frequency: Annotated[tuple[Share, ...], Field(min_length=3, max_length=3)]  #: of the nerve below, through, above
    share: Annotated[tuple[Share, ...], Field(min_length=3, max_length=3)]  #: of the tension that crosses the nerve
    engaged: Annotated[tuple[Share, ...], Field(min_length=3, max_length=3)]  #: share of its thickness in the way


class Support(Part):
    """A place where the ground, a seat or a bed carries weight."""

    name: str
    body: str
    position: Vector  #: in the body frame [m]
    side: Side
    share: Share  #: share of the carried weight [1]


class Contact(Part):
    """A surface that presses a point of the body elastically, and never pulls."""

    name: str
    surface: Literal["bed", "backrest", "harness"]  #: what it is a part of
    body: str
    position: Vector  #: in the body frame [m]
    normal: Vector  #: unit vector out of the surface, world frame
    height: float  #: of the surface over the support centre, along its normal [m]
    stiffness: Positive  #: [N/m]
    blend: Positive  #: distance over which the contact begins [m]


class FreeCoordinate(Part):
    """A free coordinate of a stance: by how much it moves each joint coordinate."""

    name: str
    moves: dict[str, float]  #: full joint-coordinate name -> rate [1]


class Stance(Sourced):
    """How the body is supported and which angles are free."""

    name: str
    description: str
    free: tuple[FreeCoordinate, ...]  #: in order: supports first (lean), pelvis, then spine from below
    offsets: dict[str, float] = {}  #: joint-coordinate values at u = 0 that differ from zero [rad]
    supports: tuple[Support, ...]
    contacts: tuple[Contact, ...] = ()
    up: Vector = (0.0, 1.0, 0.0)  #: unit vector against the weights, world frame
    weight_factor: Positive = 1.0  #: weights over those at rest, as inertia makes them in a quasi-static cut [1]
    centre: tuple[float, float] | None = None  #: aim of the centre of mass, forward and right of the support [m]
    shifts: dict[str, Vector] = {}  #: by how much the centre of mass of a body is moved, body frame [m]
    unweighted: tuple[str, ...] = ()  #: bodies whose weight the support carries directly
    held_by_support: tuple[str, ...] = ()  #: joint coordinates held by an external reaction
    locked: tuple[str, ...] = ()  #: joint coordinates held by an internal ideal moment
    actuators: tuple[str, ...] = ()
    upright: bool  #: True: activation stays near the reference activation; False: near zero
    supported: bool = False  #: True: the supports keep the body from falling, so mass and trunk have no goal
    trunk_flexion: float = 0.0  #: trunk flexion the stance aims at, forward positive [rad]
    rest_pressure: NotNegative = 0.0  #: intra-abdominal pressure with a relaxed wall [Pa]
    held: dict[str, float] = {}  #: posture angles the stance holds unless the user names others [rad]
    trusted: str = ""  #: range over which it is believed, in words


class TightnessTest(Sourced):
    """The clinical test in which the tightness of a group is read, and the table that makes it read true."""

    group: str
    name: str  #: such as "Thomas test"
    coordinate: str  #: joint coordinate read, right side, such as "hip_r.flexion"
    limits: Literal["lower", "upper"]  #: the end of the range that the group limits
    pose: dict[str, float]  #: joint-coordinate values during the test, right side [rad]
    reference: float  #: reading of the healthy model [rad]
    theta: tuple[float, ...]  #: tightness values [rad]
    gain: tuple[float, ...]  #: lambda at each theta [1]


class Setting(Sourced):
    """The value that an imbalance gives to one parameter at severity 1."""

    value: float  #: in the unit of the register of parameters


class Imbalance(Sourced):
    """A named set of parameter values; source and confidence are those of the claim it stands for."""

    name: str  #: such as "lower_crossed"
    title: str
    description: str  #: what is set, in one sentence
    claim: str  #: what is said to follow from it, which need not be true
    sides: Literal["both", "one"]  #: "one": the user says which side, and every parameter gets that side
    settings: Annotated[
        dict[str, Setting], Field(min_length=1)
    ]  #: by parameter name, without the side that a user adds

    @property
    def names(self) -> tuple[str, ...]:
        """What a user may call it after ``imbalance.``."""
        return (self.name,) if self.sides == "both" else tuple(f"{self.name}.{side}" for side in ("left", "right"))

    def values(self, side: str = "") -> dict[str, float]:
        """Values at severity 1 by full parameter name, in the units of the register.

        Parameters
        ----------
        side
            ``"left"`` or ``"right"`` for an imbalance of one side, else empty.
        """
        return {f"{name}.{side}" if side else name: setting.value for name, setting in self.settings.items()}


class Scatter(Part):
    """How far the posture may leave its goals: the scales of the posture problem."""

    activation: Positive  #: sigma_a [1]
    centre_of_mass: Positive  #: sigma_com [m]
    trunk: Positive  #: sigma_trunk [rad]


class NeutralZone(Part):
    """Softening of the disc laws near neutral."""

    fraction: Annotated[float, Field(gt=0, le=1)]  #: eta [1]
    width: Positive  #: theta_nz [rad]
    blend: Positive  #: angle over which the laws of the two directions are blended [rad]
    preload: Annotated[float, Field(ge=0, le=500)]  #: default axial preload of the laws [N]


class Stability(Part):
    """What it takes to stand against small disturbances."""

    margin: float  #: least stiffness of any motion in healthy standing and in found postures [N m/rad]
    short_range: NotNegative  #: kappa: stiffness of an active fascicle times its length over its force [1]


class Abdomen(Part):
    """Intra-abdominal pressure: it pushes the diaphragm up and the pelvic floor down along one line."""

    diaphragm: Vector  #: centre of the diaphragm, frame of the uppermost body of the spine [m]
    pelvic_floor: Vector  #: pelvis frame [m]
    area: Positive  #: of the diaphragm [m2]
    highest: Positive  #: pressure at full activation of the transversus abdominis [Pa]
    support: Positive  #: rise of the pressure that the other muscles of the wall allow, healthy and fully active [Pa]
    wall: tuple[str, ...]  #: anatomical muscles whose mean strength x activation bounds the rise
    cost_like: str  #: anatomical muscle whose volume the transversus is compared with
    cost_factor: Positive  #: volume of the transversus over that [1]


class Curves(Part):
    """Constants of the muscle curves."""

    active: Annotated[tuple[float, ...], Field(min_length=12, max_length=12)]  #: b11 b21 b31 b41, b12 .. b43
    passive_shape: Positive  #: kPE [1]
    softplus: Positive  #: width of the smooth corners of the passive curve [1]
    length_floor: Positive  #: fibre length below which the active curve sees a smooth floor [1]


class Foot(Part):
    """Limits of the centre of pressure in front of, behind and beside the ankle."""

    front: Positive  #: [m]
    back: Positive  #: [m]
    side: Positive  #: [m]


class Hand(Part):
    """Where a hand-held weight hangs: below the shoulder, moved forward by the reach (thorax frame).

    The weight of a hanging arm and its load acts along the vertical through the shoulder, however the trunk leans.
    """

    shoulder_right: Vector  #: thorax frame [m]


class Carry(Part):
    """Where a bag on a shoulder and a pack on the back press (thorax frame)."""

    strap_right: Vector  #: strap of a bag on the right shoulder [m]
    pack: Vector  #: centre of mass of a pack [m]


class Bulge(Part):
    """Posterior disc bulge in the foramen."""

    rest: NotNegative  #: [m]
    per_extension: NotNegative  #: [m/rad]
    per_height_loss: NotNegative  #: [1]


class Model(Part):
    """A whole model, checked."""

    name: str
    description: str
    folder: Path | None
    digest: str  #: of all files of the model folder
    body_mass: Positive  #: [kg]
    stature: Positive  #: [m]
    gravity: Positive  #: [m/s2]
    pressure_factor: Positive  #: disc pressure = compression / (factor x area) [1]
    condition_blend: Positive  #: half width over which conditional path points fade [rad]
    scatter: Scatter
    neutral_zone: NeutralZone
    stability: Stability
    abdomen: Abdomen | None
    curves: Curves
    foot: Foot | None
    hand: Hand | None
    carry: Carry | None
    bulge: Bulge
    bodies: tuple[Body, ...]
    joints: tuple[Joint, ...]
    coordinates: tuple[Coordinate, ...]  #: grouped by joint, parents first; the order of q
    levels: tuple[str, ...]  #: disc joints from below (L5_S1 first)
    discs: tuple[Disc, ...]
    disc_laws: tuple[DiscLaw, ...]
    disc_springs: tuple[DiscSpring, ...]
    tissues: tuple[Tissue, ...]
    muscles: tuple[Muscle, ...]  #: right fascicles, then their mirror images, then those of the midline
    groups: dict[str, tuple[str, ...]]  #: group -> anatomical muscles
    actuators: tuple[Actuator, ...]
    landmarks: tuple[Landmark, ...]
    foramen_outline: tuple[ForamenPoint, ...]
    pedicles: tuple[Pedicle, ...]
    canals: tuple[Canal, ...]  #: one per level with a foramen
    roots: tuple[Root, ...]  #: one per level with a foramen
    root_law: RootLaw | None
    sciatic: Sciatic | None
    tests: tuple[TightnessTest, ...]
    stances: dict[str, Stance]
    imbalances: dict[str, Imbalance] = {}
    sources: dict[str, str]  #: key -> reference
    constants: dict[str, Sourced] = {}  #: where the single numbers of model.toml and calibration.toml come from, by key
