"""The register of what a result holds: name, dimensions, unit and one sentence for every variable.

A sweep puts its axes in front of the dimensions listed here. Angles are changes from the reference posture
unless the sentence says otherwise; x is forward, y up, z right.
"""

from __future__ import annotations

from dataclasses import dataclass

OWN = "own unit"  #: of numbers whose unit stands beside them, one per outcome or reading
BUCKLING_DEG = 5.0  #: largest angle by which ``buckled_bone_position`` is displaced (for the eye only)


@dataclass(frozen=True)
class Variable:
    """One variable or coordinate of a result."""

    name: str
    dims: tuple[str, ...]  #: of one case
    units: str  #: "1" for pure numbers, "" for words
    description: str
    large: bool = False  #: left out of a sweep unless asked for

    @property
    def long_name(self) -> str:
        """The name in words, for axis labels."""
        return self.name.replace("_", " ")


def _register(*rows: Variable) -> dict[str, Variable]:
    return {row.name: row for row in rows}


#: Data variables of a result.
VARIABLES = _register(
    # posture
    Variable("anterior_pelvic_tilt", (), "deg", "Rotation of the pelvis from the reference, anterior positive."),
    Variable(
        "sacral_slope",
        (),
        "deg",
        "Inclination of the upper end-plate of S1 from the horizontal, forward-down positive.",
    ),
    Variable(
        "pelvic_tilt_radiographic",
        (),
        "deg",
        "Angle between the vertical and the line from the hip axis to the "
        "middle of the S1 end-plate, positive with S1 behind the hips.",
    ),
    Variable(
        "pelvic_incidence",
        (),
        "deg",
        "Angle between the normal of the S1 end-plate and the line from its middle "
        "to the hip axis; it equals radiographic pelvic tilt plus sacral slope.",
    ),
    Variable("lumbar_lordosis", (), "deg", "Angle between the upper end-plates of L1 and S1, lordosis positive."),
    Variable(
        "trunk_inclination", (), "deg", "Flexion of the thorax in the world from the reference, forward positive."
    ),
    Variable("lean", (), "deg", "Inclination of the legs about the ankles, forward positive."),
    Variable("sway", (), "deg", "Inclination of the standing leg about its ankle, to its own side positive."),
    Variable("pelvic_list", (), "deg", "Inclination of the pelvis in the frontal plane, right side down positive."),
    Variable("pelvic_turn", (), "deg", "Turn of the pelvis about the vertical, to the left positive."),
    Variable("hip_flexion", ("side",), "deg", "Flexion of the thigh from the pelvis, flexion positive."),
    Variable("hip_adduction", ("side",), "deg", "Adduction of the thigh from the pelvis, adduction positive."),
    Variable("hip_rotation", ("side",), "deg", "Rotation of the thigh in the pelvis, internal rotation positive."),
    Variable("knee_flexion", ("side",), "deg", "Flexion of the knee, flexion positive."),
    Variable(
        "centre_of_mass",
        ("xyz",),
        "m",
        "Centre of mass of the body from the centre of the support, in the world frame.",
    ),
    Variable(
        "segment_angle",
        ("level", "axis"),
        "deg",
        "Rotation of the upper on the lower vertebra from the reference: "
        "flexion, bend to the right and turn to the left positive.",
    ),
    Variable(
        "joint_angle",
        ("joint_coordinate",),
        "deg",
        "Angle of a joint coordinate from the reference posture, free, held or locked.",
    ),
    # muscles
    Variable(
        "muscle_force", ("muscle",), "N", "Force of a fascicle along its line, active and passive, pull positive."
    ),
    Variable("activation", ("muscle",), "1", "Activation of a fascicle, from 0 to 1."),
    Variable(
        "cocontraction",
        ("muscle",),
        "1",
        "Activation beyond that of the least effort which balances the same posture, stable or not.",
    ),
    Variable(
        "saturated",
        ("muscle",),
        "1",
        "Mark of a fascicle that is fully active, in an infeasible case where the least is missing: 1, else 0.",
    ),
    Variable(
        "group_activation", ("muscle_group",), "1", "Activation of a muscle group, its fascicles weighted by volume."
    ),
    Variable(
        "group_cocontraction",
        ("muscle_group",),
        "1",
        "Activation of a muscle group beyond that of least effort in the same posture, weighted by volume.",
    ),
    Variable(
        "intra_abdominal_pressure", (), "kPa", "Pressure in the abdomen, pushing the diaphragm up and the pelvis down."
    ),
    Variable("transversus_activation", (), "1", "Activation of the transversus abdominis, which raises the pressure."),
    Variable("muscle_length", ("muscle",), "m", "Length of the path of a fascicle with its tendon."),
    Variable("fibre_length", ("muscle",), "1", "Fibre length over optimal fibre length."),
    Variable(
        "actuator_moment",
        ("actuator",),
        "N m",
        "Moment of an ideal actuator that stands for muscles absent from "
        "the tables, in the direction of its coordinate.",
    ),
    # loads
    Variable(
        "compression",
        ("level",),
        "N",
        "Force on the lower vertebra normal to the disc, positive when the disc is squeezed.",
    ),
    Variable(
        "shear_anterior",
        ("level",),
        "N",
        "Force in the plane of the disc, positive when the upper vertebra is pushed forward on the lower.",
    ),
    Variable(
        "shear_lateral",
        ("level",),
        "N",
        "Force in the plane of the disc, positive when the upper vertebra is pushed to the right on the lower.",
    ),
    Variable(
        "disc_pressure", ("level",), "MPa", "Pressure in the nucleus of the disc, from compression and disc area."
    ),
    Variable(
        "height_loss", ("level",), "mm", "Loss of disc height from healthy standing, positive when the disc is lower."
    ),
    Variable(
        "disc_slip",
        ("level",),
        "mm",
        "Slip of the upper vertebra on the lower from healthy standing, positive when it goes forward.",
    ),
    Variable(
        "disc_bulge",
        ("level",),
        "mm",
        "Bulge of the posterior margin of the disc, positive into foramen and canal.",
    ),
    Variable(
        "cocontraction_compression",
        ("level",),
        "N",
        "Compression that co-contraction adds to that of the least effort in the same posture.",
    ),
    Variable("hip_contact_force", ("side",), "N", "Magnitude of the reaction in the hip joint."),
    Variable(
        "foot_force",
        ("side",),
        "N",
        "Vertical force of the ground on a foot, upward positive; the split between "
        "the feet follows the lateral centre of mass, an assumption.",
    ),
    Variable(
        "contact_force",
        ("contact",),
        "N",
        "Force with which an elastic contact such as a bed, backrest or harness presses.",
    ),
    Variable(
        "support_force",
        ("support", "xyz"),
        "N",
        "Force of a place that carries the weight, such as a foot or the seat, on the body, in the world frame.",
    ),
    Variable("load_weight", ("load",), "N", "Weight of what is carried."),
    # nerve room
    Variable(
        "foramen_area", ("foramen", "side"), "mm2", "Area of the foramen within its outline, in its oblique plane."
    ),
    Variable("foramen_height", ("foramen", "side"), "mm", "Largest height of the foramen, from pedicle to pedicle."),
    Variable("foramen_width", ("foramen", "side"), "mm", "Least width of the foramen."),
    Variable(
        "posterior_disc_height", ("foramen", "side"), "mm", "Height of the disc at its posterior margin on this side."
    ),
    Variable(
        "foramen_closed",
        ("foramen", "side"),
        "1",
        "Mark of a closed foramen: 1 where its front and back walls pass through each other (its area is 0), else 0.",
    ),
    Variable(
        "root_occupancy",
        ("foramen", "side"),
        "1",
        "Area of the exiting root over that of its foramen; missing where the foramen is closed.",
    ),
    Variable(
        "root_gap",
        ("foramen", "side"),
        "mm",
        "By how much the exiting root could still thicken on every side, at the place of its foramen with most room; "
        "below 0 it is squeezed beyond its own width.",
    ),
    Variable(
        "root_strain",
        ("foramen", "side"),
        "1",
        "Transverse strain of the exiting root; 0 where it has room.",
    ),
    Variable(
        "root_contact_pressure",
        ("foramen", "side"),
        "mmHg",
        "Pressure of the walls of the foramen on the exiting root; 0 where it has room, else an order of magnitude.",
    ),
    Variable(
        "root_band",
        ("foramen", "side"),
        "1",
        "Number of published thresholds that the pressure on the exiting root reaches: 0 none, 1 venular, "
        "2 capillary, 3 conduction, 4 arteriolar.",
    ),
    Variable(
        "sciatic_lengthening",
        ("side",),
        "mm",
        "What posture asks of the length of the sciatic nerve from L1 to the ankle, from healthy standing.",
    ),
    Variable(
        "sciatic_strain",
        ("side",),
        "1",
        "Strain of the sciatic nerve from healthy standing, taken as even from L1 to the ankle.",
    ),
    Variable(
        "piriformis_pressure",
        ("side",),
        "mmHg",
        "Hypothesis, never measured: pressure of the piriformis on the sciatic nerve, from its tension and its bend.",
    ),
    Variable("canal_area", ("foramen",), "mm2", "Area of the central canal at the disc of this level."),
    # stability
    Variable(
        "stability_margin",
        (),
        "N m/rad",
        "Smallest stiffness of pelvis and spine against a small motion, lean excluded; below 0 the posture would "
        "buckle.",
    ),
    Variable(
        "buckling_mode",
        ("coordinate",),
        "1",
        "Motion with the smallest stiffness, as a unit vector of free coordinates; its largest entry is positive.",
    ),
    Variable(
        "stability_price",
        (),
        "rad/(N m)",
        "Change of the cost by the margin demanded; 0 where no margin is demanded or it costs nothing.",
    ),
    Variable("stability_cuts", (), "1", "Motions whose stiffness had to be asked for."),
    # moments
    Variable(
        "locked_moment",
        ("held",),
        "N m",
        "Moment that holds a coordinate which is not free, by a support or an "
        "ideal internal moment, in the direction of the coordinate.",
    ),
    Variable(
        "multiplier",
        ("coordinate",),
        "1/(N m)",
        "Price of a newton metre about a free coordinate: change of the cost per moment to be balanced.",
    ),
    Variable(
        "structure_moment",
        ("coordinate", "structure"),
        "N m",
        "Moment of a structure about a free coordinate, in its direction; all structures sum to zero.",
        large=True,
    ),
    Variable(
        "passive_moment_hip_flexors",
        ("side",),
        "N m",
        "Passive moment of the hip flexors, muscles and capsule, about the hip, flexion positive.",
    ),
    Variable(
        "missing_moment",
        ("coordinate",),
        "N m",
        "Moment that no muscle forces can supply in an infeasible case, "
        "in the direction of the coordinate; 0 where forces exist.",
    ),
    Variable(
        "infeasibility_proof",
        (),
        "N m",
        "By how much the moments asked for exceed the most that muscles give along the missing moment; above 0 it "
        "proves an infeasible case, 0 where forces exist.",
    ),
    # the solve
    Variable("effort", (), "1", "Sum of squared activations weighted by muscle volume, whatever was minimised."),
    Variable(
        "status",
        (),
        "",
        "How the case ended: solved, infeasible (no forces balance), unstable (none with the stability demanded), "
        "not_converged, or pending in an unfinished sweep; of a week of adaptation also out_of_range (a strength or "
        "tightness that is not allowed), or not_reached because an earlier week has no solution.",
    ),
    Variable("moment_residual", (), "N m", "Largest moment left unbalanced in a free coordinate."),
    Variable(
        "stationarity",
        (),
        "1",
        "Largest remaining slope of the cost: by an activation in a held posture, per radian of an angle in a found "
        "one.",
    ),
    Variable(
        "complementarity",
        (),
        "1",
        "Largest product of the price of a bound and the room left to it; 0 at an optimum.",
    ),
    Variable(
        "duality_gap",
        (),
        "1",
        "Gap between the primal and the dual value of the force balance, relative to 1 plus the primal value; of "
        "minmax, the largest activation less the least that is proved.",
    ),
    Variable("iterations", (), "1", "Iterations of the solver."),
    Variable("active_bounds", (), "1", "Number of activations on a bound."),
    Variable(
        "outside_curve_range",
        (),
        "1",
        "Number of fascicles whose fibre length is outside 0.4 to 1.8, where the muscle curves have no data.",
    ),
    Variable(
        "branch",
        (),
        "1",
        "Mark of a second solution: 1 where a solve from the reference or from behind a jump disagrees, else 0.",
    ),
    # pictures
    Variable(
        "bone_position",
        ("bone_point", "xyz"),
        "m",
        "Bony landmarks in the world frame, from the middle of the hip axis.",
        large=True,
    ),
    Variable(
        "path_position",
        ("path_point", "xyz"),
        "m",
        "Points of the muscle paths in the world frame, from the middle of the hip axis.",
        large=True,
    ),
    Variable(
        "healthy_bone_position",
        ("bone_point", "xyz"),
        "m",
        "Bony landmarks of the reference posture, from the middle of the hip axis.",
        large=True,
    ),
    Variable("up_direction", ("xyz",), "1", "Unit vector against the weights, in the world frame.", large=True),
    Variable(
        "mass_position",
        ("xyz",),
        "m",
        "Centre of mass of all that the supports carry, from the middle of the hip axis.",
        large=True,
    ),
    Variable(
        "support_position",
        ("support", "xyz"),
        "m",
        "Where a support carries, from the middle of the hip axis.",
        large=True,
    ),
    Variable(
        "contact_position",
        ("contact", "xyz"),
        "m",
        "Where an elastic contact presses, from the middle of the hip axis.",
        large=True,
    ),
    Variable(
        "contact_direction", ("contact", "xyz"), "1", "Unit vector in which an elastic contact presses.", large=True
    ),
    Variable(
        "load_position", ("load", "xyz"), "m", "Where carried loads hang, from the middle of the hip axis.", large=True
    ),
    Variable(
        "buckled_bone_position",
        ("bone_point", "xyz"),
        "m",
        "Bony landmarks of the posture displaced along the buckling mode until the largest angle has changed by "
        f"{BUCKLING_DEG:g} deg, from the middle of the hip axis.",
        large=True,
    ),
    Variable(
        "foramen_outline",
        ("foramen", "side", "outline_point", "plane"),
        "mm",
        "Outline of a foramen in its oblique plane, behind and above the upper margin of the pedicle below.",
        large=True,
    ),
    Variable(
        "root_place",
        ("foramen", "side", "plane"),
        "mm",
        "Middle of the exiting root in the plane of its foramen.",
        large=True,
    ),
    Variable(
        "root_size",
        ("foramen", "plane"),
        "mm",
        "Width and height of the exiting root where its foramen cuts it.",
        large=True,
    ),
    Variable(
        "sciatic_position",
        ("side", "nerve_point", "xyz"),
        "m",
        "Way of the sciatic nerve that its length is taken on, from the canal to the ankle, from the middle of the hip "
        "axis; the stretches between its points are straight.",
        large=True,
    ),
)

#: Coordinates of a result; a sweep adds one per axis, named like its parameter.
COORDINATES = _register(
    Variable("muscle", ("muscle",), "", "Fascicle; _r is on the right, _l on the left."),
    Variable("anatomical_muscle", ("muscle",), "", "Anatomical muscle that the fascicle belongs to."),
    Variable("group", ("muscle",), "", "First muscle group that the fascicle belongs to."),
    Variable("muscle_side", ("muscle",), "", "Side of the fascicle: right, left or midline."),
    Variable("muscle_group", ("muscle_group",), "", "Muscle group; a fascicle may belong to several."),
    Variable("level", ("level",), "", "Intervertebral level, from below."),
    Variable("side", ("side",), "", "Side of the body."),
    Variable("foramen", ("foramen",), "", "Level of the intervertebral foramen, from below."),
    Variable("exiting_root", ("foramen",), "", "Nerve root that leaves through the foramen."),
    Variable("traversing_root", ("foramen",), "", "Nerve root that passes the disc on its way to the next foramen."),
    Variable("axis", ("axis",), "", "Axis of a vertebral rotation, in the disc frame."),
    Variable("xyz", ("xyz",), "", "Axis of the world frame: x forward, y up, z right."),
    Variable("coordinate", ("coordinate",), "", "Free coordinate of the stance."),
    Variable("actuator", ("actuator",), "", "Ideal actuator that stands for muscles absent from the tables."),
    Variable(
        "structure",
        ("structure",),
        "",
        "What gives a moment: weights, contacts, discs, hip_and_knee_tissue, abdominal_pressure, actuators, and the "
        "active and the passive muscles of the smallest group that each belongs to.",
    ),
    Variable("held", ("held",), "", "Coordinate that is not free."),
    Variable(
        "held_by",
        ("held",),
        "",
        "What holds a coordinate that is not free: support (an external reaction) or locked (an ideal moment inside).",
    ),
    Variable("joint_coordinate", ("joint_coordinate",), "", "Joint coordinate of the model."),
    Variable(
        "role",
        ("joint_coordinate",),
        "",
        "What the stance does with a joint coordinate: free, support (held by an external reaction) or locked (by an "
        "ideal internal moment).",
    ),
    Variable(
        "moved_by",
        ("joint_coordinate",),
        "",
        "Free coordinates that move a joint coordinate, with their rates; nothing where it is held.",
    ),
    Variable("support", ("support",), "", "Place where ground, seat or bed carries the weight."),
    Variable("load", ("load",), "", "Place where something is carried."),
    Variable("contact", ("contact",), "", "Elastic contact of the stance."),
    Variable("bone_point", ("bone_point",), "", "Bony landmark."),
    Variable("bone_body", ("bone_point",), "", "Body that carries the landmark."),
    Variable("outline_point", ("outline_point",), "", "Point of the outline of a foramen, in order."),
    Variable("nerve_point", ("nerve_point",), "", "Points of the way of the sciatic nerve, from above."),
    Variable("plane", ("plane",), "", "Axis in the oblique plane of a foramen: back, then up."),
    Variable("path_point", ("path_point",), "", "Points of the muscle paths, in order."),
    Variable("path_muscle", ("path_point",), "", "Fascicle whose path has the point."),
)

#: Variables of a table of what clinical tests tell apart (`spinesim.confusion`).
ASSESSMENTS = _register(
    Variable(
        "naming_probability",
        ("true_imbalance", "named_imbalance"),
        "1",
        "How often a body with the one imbalance is taken for having the other; those that read alike share.",
    ),
    Variable(
        "separation",
        ("true_imbalance", "named_imbalance"),
        "1",
        "Distance of the readings of the one imbalance from the nearest ones of the other at any severity, in errors.",
    ),
    Variable(
        "reading_shift",
        ("true_imbalance", "reading"),
        "1",
        "Change of a reading from the healthy one, in standard errors of measurement.",
    ),
)

#: Coordinates of such a table.
ASSESSMENT_COORDINATES = _register(
    Variable("severity", ("severity",), "1", "Severity of the true imbalance."),
    Variable("true_imbalance", ("true_imbalance",), "", "Imbalance that the body has."),
    Variable("named_imbalance", ("named_imbalance",), "", "Imbalance that the readings are taken for."),
    Variable("reading", ("reading",), "", "Number that a clinician reads."),
)

#: Variables of what parameters do to outcomes (`spinesim.sensitivity`); "outcome" stands for its unit.
SENSITIVITIES = _register(
    Variable(
        "effect",
        ("outcome", "parameter"),
        "outcome",
        "Change of an outcome over the range of a parameter: along the derivative in the middle of the ranges, or the "
        "mean over the ranges of the others.",
    ),
    Variable("effect_low", ("outcome", "parameter"), "outcome", "Lower end of the 95 % bootstrap interval of it."),
    Variable("effect_high", ("outcome", "parameter"), "outcome", "Upper end of the 95 % bootstrap interval of it."),
    Variable(
        "derivative",
        ("outcome", "parameter"),
        "outcome/parameter",
        "Derivative of an outcome by a parameter in the middle of the ranges.",
    ),
    Variable(
        "absolute_effect",
        ("outcome", "parameter"),
        "outcome",
        "Mean size of Morris' elementary effects, whatever their sign, over the range of a parameter.",
    ),
    Variable(
        "absolute_effect_low", ("outcome", "parameter"), "outcome", "Lower end of the 95 % bootstrap interval of it."
    ),
    Variable(
        "absolute_effect_high", ("outcome", "parameter"), "outcome", "Upper end of the 95 % bootstrap interval of it."
    ),
    Variable(
        "effect_spread",
        ("outcome", "parameter"),
        "outcome",
        "Standard deviation of Morris' elementary effects: curvature, and dependence on other parameters.",
    ),
    Variable(
        "first_order",
        ("outcome", "parameter"),
        "1",
        "Share of the variance of an outcome that a parameter explains by itself (Sobol').",
    ),
    Variable("first_order_low", ("outcome", "parameter"), "1", "Lower end of the 95 % bootstrap interval of it."),
    Variable("first_order_high", ("outcome", "parameter"), "1", "Upper end of the 95 % bootstrap interval of it."),
    Variable(
        "total_order",
        ("outcome", "parameter"),
        "1",
        "Share of the variance of an outcome that is left when all other parameters are known (Sobol').",
    ),
    Variable("total_order_low", ("outcome", "parameter"), "1", "Lower end of the 95 % bootstrap interval of it."),
    Variable("total_order_high", ("outcome", "parameter"), "1", "Upper end of the 95 % bootstrap interval of it."),
    Variable(
        "first_order_by_size", ("rows", "outcome", "parameter"), "1", "First order index of the first rows alone."
    ),
    Variable(
        "total_order_by_size", ("rows", "outcome", "parameter"), "1", "Total order index of the first rows alone."
    ),
    Variable(
        "pairs_used",
        ("outcome", "parameter"),
        "1",
        "Number of pairs or rows whose cases have a solution; the others are left out.",
    ),
    Variable("outcome_mean", ("outcome",), "outcome", "Mean of an outcome over the drawn cases with a solution."),
    Variable("outcome_spread", ("outcome",), "outcome", "Standard deviation of the same."),
    Variable("outcome_middle", ("outcome",), "outcome", "Value of an outcome in the middle of the ranges."),
    Variable("cases", (), "1", "Number of cases that were solved or tried."),
    Variable("unsolved_cases", (), "1", "Number of cases without a solution."),
)

#: Coordinates of such a table.
SENSITIVITY_COORDINATES = _register(
    Variable("outcome", ("outcome",), "", "Result variable, with its level, side or root."),
    Variable("outcome_unit", ("outcome",), "", "Unit of the outcome."),
    Variable("parameter", ("parameter",), "", "Parameter that is moved."),
    Variable("parameter_unit", ("parameter",), "", "Unit of the parameter."),
    Variable("range_low", ("parameter",), "", "Lower end of the range of a parameter, in its unit."),
    Variable("range_high", ("parameter",), "", "Upper end of the range of a parameter, in its unit."),
    Variable("rows", ("rows",), "1", "Number of rows of the design."),
)

#: Variables of a comparison of programmes (`spinesim.compare`).
COMPARISONS = _register(
    Variable("value_after", ("programme", "outcome", "person"), OWN, "Value of an outcome, in its own unit."),
    Variable(
        "value_before", ("outcome", "person"), OWN, "Value of an outcome with the imbalance, before anything is done."
    ),
    Variable(
        "value_healthy", ("outcome", "person"), OWN, "Value of an outcome of the same person without the imbalance."
    ),
    Variable(
        "benefit",
        ("programme", "outcome", "person"),
        OWN,
        "How much better than with nothing the same person is, in the unit of the outcome; positive is better.",
    ),
    Variable("benefit_mean", ("programme", "outcome"), OWN, "Mean benefit over the people."),
    Variable("benefit_low", ("programme", "outcome"), OWN, "Benefit that 2.5 % of the people do not reach."),
    Variable("benefit_high", ("programme", "outcome"), OWN, "Benefit that 2.5 % of the people exceed."),
    Variable("change_mean", ("programme", "outcome"), OWN, "Mean value less that with nothing, whichever is better."),
    Variable(
        "share_better",
        ("programme", "outcome"),
        "1",
        "Share of the people who are better than with nothing by a change that matters.",
    ),
    Variable("rank", ("programme", "outcome"), "1", "Place of the programme by mean benefit, 1 the best."),
    Variable(
        "test_value",
        ("programme", "reading"),
        OWN,
        "Reading of a clinical test on a body with mean responses, in its unit.",
    ),
    Variable(
        "dose_benefit", ("dose",), OWN, "Benefit of a dose for a body with mean responses, in the unit of the outcome."
    ),
    Variable("dose_sessions", ("dose",), "1", "Sessions of a dose."),
    Variable("dose_weeks", ("dose",), "week", "Weeks of a dose."),
    Variable("dose_per_week", ("dose",), "1/week", "Sessions a week of a dose."),
    Variable(
        "on_front",
        ("dose",),
        "1",
        "Mark of a dose on the front: 1 where none gives as much for fewer sessions or more for as many.",
    ),
)

#: Coordinates of such a comparison.
COMPARISON_COORDINATES = _register(
    Variable("week", ("week",), "week", "Time since the beginning."),
    Variable("programme", ("programme",), "", "What is done."),
    Variable("person", ("person",), "1", "Number of the virtual adult."),
    Variable("unit", ("outcome",), "", "Unit of an outcome."),
    Variable("better", ("outcome",), "", "Which way an outcome is better: less, more, or nearer to healthy."),
    Variable("least_change", ("outcome",), OWN, "Smallest change of an outcome that matters, in its unit (assumed)."),
    Variable("sessions", ("programme",), "1", "Sessions up to that week."),
    Variable("verdict", ("programme", "outcome"), "", "Better, worse or no better than nothing."),
    Variable("sex", ("person",), "1", "Sex: 0 for a man, 1 for a woman."),
    Variable("person_incidence", ("person",), "deg", "Pelvic incidence of the person."),
    Variable("reading_unit", ("reading",), "", "Unit of a reading."),
    Variable("dose", ("dose",), "1", "Number of the dose."),
    Variable("dose_programme", ("dose",), "", "What is done in a dose."),
)

#: Variables of a course of adaptation (`spinesim.adaptation`), beside those of standing.
ADAPTATIONS = _register(
    Variable("strength", ("muscle_group",), "1", "Strength of a muscle group in parts of the healthy one."),
    Variable("tightness", ("short_group",), "deg", "Range that a muscle group has lost; below 0 it has gained."),
)

#: Coordinates of such a course, beside ``week`` and ``muscle_group``.
ADAPTATION_COORDINATES = _register(
    Variable("short_group", ("short_group",), "", "Muscle group whose range adapts."),
)

_ALL = (
    *(VARIABLES, COORDINATES, ASSESSMENTS, ASSESSMENT_COORDINATES),
    *(SENSITIVITIES, SENSITIVITY_COORDINATES, COMPARISONS, COMPARISON_COORDINATES),
    *(ADAPTATIONS, ADAPTATION_COORDINATES),
)


def attributes(name: str) -> dict[str, str]:
    """``units``, ``long_name`` and ``description`` of a result variable or coordinate, as its array carries them."""
    variable = next(register[name] for register in _ALL if name in register)
    return {"units": variable.units, "long_name": variable.long_name, "description": variable.description}
