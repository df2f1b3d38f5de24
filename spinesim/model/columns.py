"""The tables of a model folder: file, columns, dimension of every number.

A heading is the name here and one of the units of its dimension (:data:`spinesim.model.files.UNITS`), such as
``pcsa_cm2`` or ``pcsa_m2``; every table ends with ``source``, ``confidence`` and ``notes``.
"""

from spinesim.model.files import number, text, vector

#: Coordinates that a joint of each kind may have.
AXES_OF_KIND = {
    "root": ("tilt", "list", "turn"),
    "disc": ("flexion", "bend", "turn"),
    "ball": ("flexion", "adduction", "rotation"),
    "hinge": ("flexion",),
}

#: Columns of every table, but for source, confidence and notes.
TABLES = {
    "bodies": (
        text("name"),
        text("parent"),
        number("mass", "mass"),
        *vector("centre_of_mass", "length", stem="centre_of_mass"),
        *vector("origin_neutral", "length", stem="origin_neutral"),
    ),
    "joints": (
        text("name"),
        text("parent"),
        text("child"),
        text("kind"),
        *vector("centre_neutral", "length", stem="centre_neutral"),
        number("frame_angle", "angle"),
    ),
    "coordinates": (
        text("joint"),
        text("name"),
        *vector("axis", "number", stem="axis"),
        number("lowest", "angle"),
        number("highest", "angle"),
        number("rhythm_share", "number"),
        number("rhythm_share_negative", "number"),
    ),
    "discs": (
        text("name"),
        *vector("centre_neutral", "length", stem="centre_neutral"),
        number("area", "area"),
        number("height_posterior", "length"),
        number("height_middle", "length"),
        number("height_anterior", "length"),
        number("depth", "length"),
        number("width", "length"),
    ),
    "disc_laws": (
        text("level"),
        text("coordinate"),
        text("direction"),
        number("preload", "force"),
        number("c1", "rotational stiffness"),
        number("c2", "rotational stiffness, quadratic"),
        number("c3", "rotational stiffness, cubic"),
    ),
    "disc_springs": (
        text("level"),
        number("preload", "force"),
        number("axial", "stiffness"),
        number("shear_anterior", "stiffness"),
        number("shear_lateral", "stiffness"),
    ),
    "tissues": (
        text("name"),
        text("coordinate"),
        number("amplitude", "moment"),
        number("rate", "rate"),
        text("second", optional=True),
        number("coupling", "rate", optional=True),
        text("limits"),
        text("tightness_group", optional=True),
    ),
    "muscles": (
        text("name"),
        text("muscle"),
        text("side"),
        number("pcsa", "area"),
        number("specific_tension", "pressure"),
        number("optimal_fibre_length", "length"),
        number("tendon_slack_length", "length"),
        number("pennation", "angle"),
        number("passive_force", "force"),
        number("passive_slack", "number"),
        number("passive_strain", "number"),
    ),
    "muscle_paths": (
        text("fascicle"),
        number("point", "number"),
        text("body"),
        *vector("position", "length"),
        text("condition", optional=True),
        number("condition_lowest", "angle", optional=True),
        number("condition_highest", "angle", optional=True),
    ),
    "actuators": (
        text("name"),
        text("coordinate"),
        text("group", optional=True),
        text("side"),
        number("max_moment", "moment"),
    ),
    "landmarks": (text("name"), text("body"), *vector("position", "length")),
    "foramen_outline": (
        text("level"),
        text("name"),
        text("part"),
        text("origin"),
        number("back", "length"),
        number("up", "length"),
    ),
    "pedicles": (text("vertebra"), number("height", "length"), number("width", "length")),
    "canals": (
        text("level"),
        number("width", "length"),
        number("depth", "length"),
        number("lamina_above", "length"),
        number("lamina_below", "length"),
        number("flavum", "length"),
    ),
    "roots": (text("level"), text("name"), number("width", "length"), number("width_sd", "number")),
    "tests": (
        text("group"),
        text("name"),
        text("coordinate"),
        text("limits"),
        number("reference", "angle"),
    ),
    "tightness": (text("group"), number("theta", "angle"), number("gain", "number")),
}
#: How errors call a row, where a name alone would not do.
ENTRY = {
    "coordinates": "{joint}.{name}",
    "disc_laws": "{level}.{coordinate} {direction}",
    "disc_springs": "{level}",
    "muscle_paths": "{fascicle}",
    "foramen_outline": "{level} {name}",
    "pedicles": "{vertebra}",
    "canals": "{level}",
    "roots": "{level}",
    "tests": "{group}",
    "tightness": "{group}",
}
#: Columns of the test table that give the pose: a joint coordinate of the right side and its unit.
POSE = r"[A-Za-z0-9_]+\.[a-z]+_(deg|rad)"
#: Tables that a model may do without.
OPTIONAL = ("tissues", "actuators", "landmarks", "foramen_outline", "pedicles", "canals", "roots", "tests", "tightness")
