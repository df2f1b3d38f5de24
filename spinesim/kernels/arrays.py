"""The arrays that kernels work on, named once.

Sizes: ``nb`` bodies (parents first, pelvis 0), ``nq`` joint coordinates (grouped by body, in the order of the hinges),
``n`` lines (the fascicles and, last, the line of the intra-abdominal pressure if the model has one), ``ns`` path
segments, ``nu`` free coordinates of the stance, ``na`` ideal actuators, ``nt`` tissue
branches, ``nd`` disc coordinates, ``nl`` levels, ``nf`` foramina of one side, ``nk`` elastic
contacts, ``nw`` places of carried loads. SI units and radians throughout. The world frame is x forward, y up, z right
with its origin midway between the hips; lying, it lies with the body.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOADS = 5  #: places of carried loads: right and left hand, right and left shoulder, back


class ModelArrays(NamedTuple):
    """A model, independent of stance and case."""

    gravity: float
    # chain
    body_parent: Ints  #: (nb,) -1 for the pelvis
    body_offset: Floats  #: (nb, 3) joint centre in the parent's frame
    body_coordinates: Ints  #: (nb + 1,) first coordinate of each body's joint
    axis: Floats  #: (nq, 3) hinge axes in the body frame
    moves: NDArray[np.bool_]  #: (nb, nq) coordinate moves the body
    coordinate_body: Ints  #: (nq,) body whose joint holds the hinge
    body_mass: Floats  #: (nb,)
    # paths
    muscle_segments: Ints  #: (n + 1,) first segment of each fascicle
    segment_bodies: Ints  #: (ns, 2)
    segment_points: Floats  #: (ns, 2, 3) in the frames of those bodies
    segment_condition: Ints  #: (ns,) coordinate whose range fades the segment, or -1
    segment_range: Floats  #: (ns, 2) range within which the conditional point is active
    segment_with: NDArray[np.bool_]  #: (ns,) True: passes through the conditional point, False: past it
    segment_first: Ints  #: (ns + 1,) into segment_coordinates
    segment_coordinates: Ints  #: coordinates that change the segment's length, in chain order
    segment_ends: Ints  #: 1 where such a coordinate moves the second end, 0 the first
    condition_blend: float
    # muscles
    max_force: Floats  #: (n,)
    optimal_length: Floats
    slack_length: Floats
    cos_pennation: Floats
    passive_force: Floats
    passive_slack: Floats
    passive_strain: Floats
    active_constants: Floats  #: (12,)
    passive_shape: float
    softplus: float
    length_floor: float
    # intra-abdominal pressure
    pressure_line: int  #: index of the line along which it pushes, or -1
    pressure_area: float  #: of the diaphragm
    pressure_range: float  #: rise of the pressure at full activation of the transversus [Pa]
    pressure_share: Floats  #: (n,) rise that one activation allows, over ``pressure_range``
    # passive joints
    disc_coordinate: Ints  #: (nd,)
    disc_preload: Floats  #: (np,) increasing
    disc_law: Floats  #: (nd, np, 6) c1 c2 c3 of the positive and of the negative direction
    zone_fraction: float
    zone_width: float
    zone_blend: float
    tissue_coordinate: Ints  #: (nt,)
    tissue_amplitude: Floats
    tissue_rate: Floats
    tissue_second: Ints  #: (nt,) second coordinate or -1
    tissue_coupling: Floats
    # loads
    load_body: int  #: body that carries loads
    level_bodies: Ints  #: (nl, 2) lower and upper body
    level_frame: Floats  #: (nl, 3, 3) rows: forward, up (normal), right, in the lower body's frame
    level_area: Floats  #: (nl,)
    level_axial: Floats  #: (nl,) axial stiffness
    level_reference: Floats  #: (nl,) compression in healthy standing
    level_shear: Floats  #: (nl,) anterior shear stiffness
    level_shear_reference: Floats  #: (nl,) anterior shear in healthy standing
    pressure_factor: float
    # alignment
    trunk_body: int
    top_body: int
    top_plate: Floats  #: (2, 3) front and back of the upper L1 end-plate, body frame
    sacral_plate: Floats  #: (2, 3) front and back of the S1 plate, pelvis frame
    # hips
    hip_body: Ints  #: (2,) left and right femur, or -1; the same body twice where it stands for both
    hip_flexion: Ints  #: (2,) left and right hip flexion coordinate, or -1
    flexor_side: Ints  #: (n,) 0 left, 1 right hip flexor, 2 one that stands for both, -1 for all others
    flexor_tissue: Ints  #: (nt,) the same for the tissue branches that hip-flexor tightness shifts
    # foramina
    foramen_level: Ints  #: (nf,) index into levels
    foramen_points: Floats  #: (nf, 2, np, 3) left and right outline in the frames of the carrying bodies
    foramen_part: Ints  #: (np,) 0 lower body, 1 upper body, 2 posterior disc margin
    foramen_marks: Ints  #: (6,) pedicle above, body above, disc, body below, pedicle below, inferior facet
    foramen_disc: Floats  #: (3,) rest bulge [m], bulge per extension [m/rad], per height loss [1]
    canal_points: Floats  #: (nf, 4, 3) midline: disc corner and lamina above (upper body), the same below (lower body)
    canal_size: Floats  #: (nf, 2) width of the canal, thickness of the ligamentum flavum
    # roots
    root_width: Floats  #: (nf,)
    root_law: Floats  #: (4,) height over width of the cut root, fat at its sides [m], stiffness [Pa], hold [m]
    root_threshold: Floats  #: (4,) contact pressures that part the bands, rising [Pa]
    # sciatic nerves
    piriformis: Ints  #: (2,) line of the left and right muscle, or -1 in a model without sciatic nerves
    knee_flexion: Ints  #: (2,) left and right coordinate, or -1
    sciatic_way: Floats  #: (4,) length from L1 to the ankle, arms at hip and knee, canal in the reference posture [m]
    sciatic_size: Floats  #: (3,) width of the nerve, breadth of the muscle on it, thickness of the nerve [m]
    sciatic_variant: Floats  #: (3, 2) of each variant: share of the tension, share of the thickness in the muscle's way


class StanceArrays(NamedTuple):
    """A stance of a model: free coordinates, supports, goals, actuators."""

    offset: Floats  #: (nq,) joint coordinates at u = 0
    rate_first: Ints  #: (nq + 1,) into rate_index
    rate_index: Ints  #: free coordinate that moves the joint coordinate
    rate: Floats  #: by how much
    n_free: int
    stable: Ints  #: free coordinates in which the posture must be stable: all but those of the legs
    lateral: NDArray[np.bool_]  #: (nu,) free coordinates that break the symmetry of left and right
    up: Floats  #: (3,) unit vector against the weights, world frame
    ground: Floats  #: (2, 3) unit vectors across them: forward (lying on back or belly: along the body) and to the side
    weight: Floats  #: (nb,) factor on the weight of a body on the chain; 0 where the support carries it directly
    body_centre: Floats  #: (nb, 3) centres of mass in this stance, body frames
    support_body: Ints
    support_point: Floats
    support_share: Floats
    support_side: Ints  #: 0 left, 1 right, -1 neither
    contact_body: Ints  #: (nk,) bodies that elastic contacts press
    contact_point: Floats  #: (nk, 3) where, body frame
    contact_normal: Floats  #: (nk, 3) unit vectors out of the surfaces, world frame
    contact_stiffness: Floats  #: (nk,) [N/m]
    contact_blend: Floats  #: (nk,) distance over which a contact begins [m]
    column_first: Ints  #: (n + na,) first and one past the last free coordinate a fascicle or actuator acts on
    column_last: Ints
    actuator_moment: Floats  #: (na, nu) moments at full activation
    actuator_body: Ints  #: (na,) body on which the ground acts with the opposite moment, or -1
    actuator_axis: Floats  #: (na, 3) world axis about which the ground acts for a positive moment
    actuator_strength: Floats  #: (na,) moment at full activation [N m]
    cost: Floats  #: (n + na,) v
    target: Floats  #: (n + na,) activation aimed at when the posture is found
    centre_target: Floats  #: (2,) centre of mass from the support centre along ``ground``
    trunk_target: Floats  #: (3,) flexion, bend, turn of the thorax in the world
    sigma_activation: float
    sigma_centre: float  #: infinite where supports keep the body from falling
    sigma_trunk: float  #: likewise


class CaseArrays(NamedTuple):
    """What a user sets, one row per case (nc of them)."""

    offset: Floats  #: (nc, nq) joint coordinates at u = 0 [rad]
    strength: Floats  #: (nc, n + na)
    stiffness: Floats  #: (nc, n)
    shift: Floats  #: (nc, n) tightness as a shift of the normalised fibre length
    lower: Floats  #: (nc, n + na) bounds of activation
    upper: Floats
    tissue_shift: Floats  #: (nc, nt) tightness as a shift of the branch [rad]
    preload: Floats  #: (nc,)
    rest_pressure: Floats  #: (nc,) intra-abdominal pressure without activation [Pa]
    short_range: Floats  #: (nc,) kappa: stiffness of an active fascicle times its length over its force
    margin: Floats  #: (nc,) least stiffness demanded of every motion [N m/rad], or -inf
    load: Floats  #: (nc, nw) weights in the right and left hand, on the right and left shoulder and on the back [N]
    load_point: Floats  #: (nc, nw, 3) in the frame of the thorax
    contact_height: Floats  #: (nc, nk) of the surfaces over the support centre, along their normals [m]
    symmetric: NDArray[np.bool_]  #: (nc,) the case is its own mirror image
    held: Floats  #: (nc, nh) values of the held posture angles [rad]
    disc_loss: Floats  #: (nc, nl) height lost beside that of the load [m]
    disc_bulge: Floats  #: (nc, nl) bulge beside that of load and angle [m]
    disc_slip: Floats  #: (nc, nl) slip beside that of the load, forward positive [m]
    foramen_scale: Floats  #: (nc, nf, 2) factor on the size of the foramen, left and right
    flavum: Floats  #: (nc,) thickening of the ligamentum flavum [m]
    variant: Ints  #: (nc,) of the sciatic nerve: 0 below, 1 through, 2 above the piriformis


class HeldAngles(NamedTuple):
    """Posture angles that a found posture must keep: linear in u, or the thorax in the world."""

    rows: Floats  #: (nh, nu) gradient of the linear ones, zero rows for those of the thorax
    trunk: Ints  #: (nh,) 0 flexion, 1 bend, 2 turn of the thorax, or -1 for a linear one


class Outputs(NamedTuple):
    """What a chain of cases leaves, one row per case."""

    status: Ints  #: 0 solved, 1 infeasible, 2 not converged, 3 balanced but not stable
    iterations: Ints
    free: Floats  #: (nc, nu)
    activation: Floats  #: (nc, n + na)
    force: Floats  #: (nc, n)
    length: Floats  #: (nc, n) musculotendon length
    fibre: Floats  #: (nc, n) normalised fibre length
    multiplier: Floats  #: (nc, nu)
    missing: Floats  #: (nc, nu) moment that no muscle can give
    proof: Floats  #: (nc,) shortage along it [N m]
    residual: Floats  #: (nc,) largest moment residual [N m]
    stationarity: Floats  #: (nc,)
    complementarity: Floats  #: (nc,)
    gap: Floats  #: (nc,)
    smallest: Floats  #: (nc,) smallest eigenvalue of the stiffness [N m/rad]
    mode: Floats  #: (nc, nu) its eigenvector
    stability_price: Floats  #: (nc,) change of the cost per margin demanded [rad/(N m)]
    cuts: Ints  #: (nc,) inequalities that stability took
    least: Floats  #: (nc, n + na) activations of least effort in the same posture, stable or not
    least_compression: Floats  #: (nc, nl)
    effort: Floats  #: (nc,)
    bounds: Ints  #: (nc,) activations on a bound
    held_moment: Floats  #: (nc, nq) moment that must hold each joint coordinate
    reaction: Floats  #: (nc, nl, 3) compression, anterior and lateral shear
    hip_force: Floats  #: (nc, 2) left, right
    foot_force: Floats  #: (nc, 2) left, right, against the weights
    contact_force: Floats  #: (nc, nk)
    support_force: Floats  #: (nc, number of supports, 3) world frame
    load: Floats  #: (nc, nw) weights carried, as set [N]
    load_point: Floats  #: (nc, nw, 3) where they hang, frame of the thorax, as set
    actuator_moment: Floats  #: (nc, na) about the coordinate an actuator is named after
    joint: Floats  #: (nc, nq) joint coordinates [rad]
    hip_flexor_moment: Floats  #: (nc, 2)
    alignment: Floats  #: (nc, 8)
    centre: Floats  #: (nc, 3)
    disc: Floats  #: (nc, nl, 3) height loss, anterior slip and posterior bulge [m]
    foramen: Floats  #: (nc, nf, 2, 5) area, height, least width, posterior disc height, 1 where closed
    canal: Floats  #: (nc, nf) area of the central canal
    root: Floats  #: (nc, nf, 2, 5) occupancy, gap, strain, contact pressure, band
    outline: Floats  #: (nc, nf, 2, np, 2) of the foramina in their planes, behind and above the pedicle below
    root_place: Floats  #: (nc, nf, 2, 2) middle of the root there
    sciatic: Floats  #: (nc, 2, 3) lengthening, strain, pressure of the piriformis
    body_rotation: Floats  #: (nc, nb, 3, 3)
    body_position: Floats  #: (nc, nb, 3)
