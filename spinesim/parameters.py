"""The register of what a user may set: names, units, ranges, and which fascicles a name reaches.

A muscle parameter is ``family.target``: ``strength.ps_l1_vb_r`` (a fascicle), ``strength.psoas.left``,
``strength.psoas`` (an anatomical muscle), ``strength.hip_flexors.left`` or ``strength.hip_flexors`` (a group).
The most specific name wins, in this order. Names of equal rank (groups that share a muscle) combine: strength and
stiffness multiply, tightness and tone take the larger value, inhibition takes the smaller. A name that is both a
group and a muscle, such as ``piriformis``, ranks as the muscle.

``imbalance.name`` is the severity of a named set of such values; :mod:`spinesim.imbalance` expands it into them.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import TypeAlias

import numpy as np

from spinesim.errors import InputError, ModelError

#: one value, or one per case; NaN: this name is not set in that case
Values: TypeAlias = float | np.ndarray


@dataclass(frozen=True)
class Parameter:
    """One name, or one family of names, that a user may set."""

    name: str
    units: str
    lowest: float
    highest: float
    default: float | None  #: None: the model's own value
    description: str
    whole: bool = False  #: only whole numbers are allowed


#: Parameters with one fixed name.
PARAMETERS = {
    row.name: row
    for row in (
        Parameter("load.hand.right", "kg", 0, 100, 0, "Weight hanging from the right hand."),
        Parameter("load.hand.left", "kg", 0, 100, 0, "Weight hanging from the left hand."),
        Parameter(
            "load.hands", "kg", 0, 100, 0, "Weight shared equally by both hands, on top of the one-hand weights."
        ),
        Parameter("load.reach", "m", 0, 0.8, 0, "Distance of the hands in front of the hanging arms."),
        Parameter("load.shoulder.right", "kg", 0, 50, 0, "Weight of a bag that hangs from the right shoulder."),
        Parameter("load.shoulder.left", "kg", 0, 50, 0, "Weight of a bag that hangs from the left shoulder."),
        Parameter("load.back", "kg", 0, 50, 0, "Weight of a pack on the back."),
        Parameter(
            "leg_length.right",
            "mm",
            -60,
            60,
            0,
            "Length by which the right leg exceeds its reference; the difference of the legs lists the pelvis where "
            "both feet are on the ground.",
        ),
        Parameter("leg_length.left", "mm", -60, 60, 0, "Length by which the left leg exceeds its reference."),
        *(
            Parameter(
                f"passive.hip_flexion.{side}",
                "deg",
                -20,
                90,
                0,
                f"Angle by which someone else flexes the {side} hip beyond the stance; bed or seat carry the legs.",
            )
            for side in ("right", "left")
        ),
        *(
            Parameter(
                f"passive.knee_extension.{side}",
                "deg",
                -90,
                90,
                0,
                f"Angle by which someone else stretches the {side} knee beyond the stance; bed or seat carry the legs.",
            )
            for side in ("right", "left")
        ),
        Parameter(
            "bed.sag",
            "mm",
            -100,
            150,
            0,
            "Depth by which a bed gives way more under the pelvis than under thorax and head.",
        ),
        Parameter(
            "backrest.forward", "mm", -100, 150, 0, "Distance by which a backrest is moved forward from its place."
        ),
        Parameter("subject.mass", "kg", 40, 150, None, "Mass of the body."),
        Parameter("subject.stature", "m", 1.4, 2.1, None, "Height of the body."),
        Parameter("subject.pelvic_incidence", "deg", 25, 90, None, "Incidence of the pelvis, a shape of the bone."),
        Parameter(
            "subject.sacral_slope",
            "deg",
            5,
            75,
            None,
            "Slope of the sacrum in the reference posture; by default it follows the incidence as between people.",
        ),
        Parameter(
            "subject.lumbar_lordosis",
            "deg",
            15,
            100,
            None,
            "Lordosis L1-S1 of the reference posture; by default it follows the incidence as between people.",
        ),
        Parameter("subject.root_size", "1", 0.3, 2, 1, "Factor on the width of all nerve roots."),
        Parameter("disc.preload", "N", 0, 500, None, "Axial load at which the stiffness of the discs is taken."),
        Parameter(
            "iap.rest", "kPa", 0, 40, None, "Intra-abdominal pressure with a relaxed wall; by default the stance's."
        ),
        Parameter("iap.lowest", "kPa", 0, 40, 0, "Intra-abdominal pressure that is held at least, as in a Valsalva."),
        Parameter(
            "iap.highest", "kPa", 0, 40, None, "Intra-abdominal pressure that is not exceeded; 0 switches it off."
        ),
        Parameter(
            "muscle.short_range",
            "1",
            0,
            100,
            None,
            "Stiffness of an active fascicle times its length over its force; published 5 to 40.",
        ),
        Parameter(
            "ligamentum_flavum.thickening",
            "mm",
            0,
            6,
            0,
            "Thickening of the ligamentum flavum at every level: it moves the back wall of foramina and canal forward.",
        ),
        Parameter(
            "piriformis.variant",
            "1",
            0,
            2,
            0,
            "Way of both sciatic nerves: 0 below the piriformis, 1 through it, 2 above it.",
            whole=True,
        ),
    )
}

#: Families of parameters over the foramina of a model: LEVEL stands for L5_S1 to L1_L2, SIDE for left or right.
LEVEL_FAMILIES = {
    row.name: row
    for row in (
        Parameter(
            "disc.LEVEL.height_loss",
            "mm",
            -4,
            9,
            0,
            "Height the disc has lost beside what its load takes (creep, degeneration): the upper vertebra of the "
            "foramen comes down and the disc bulges; below 0 it is higher than that of the model.",
        ),
        Parameter(
            "disc.LEVEL.bulge",
            "mm",
            0,
            8,
            0,
            "Bulge of the posterior margin of the disc beside that of load and angle.",
        ),
        Parameter(
            "disc.LEVEL.slip",
            "mm",
            -10,
            15,
            0,
            "Slip of the upper vertebra on the lower beside that of its load, forward positive.",
        ),
        Parameter(
            "foramen.LEVEL.SIDE.scale", "1", 0.3, 1.5, 1, "Factor on the size of a foramen; below 1 it is stenosed."
        ),
    )
}

#: Families of parameters over muscles: the name goes on with a group, muscle or fascicle.
FAMILIES = {
    row.name: row
    for row in (
        Parameter("strength", "1", 0, 3, 1, "Factor on the active force."),
        Parameter("stiffness", "1", 0, 5, 1, "Factor on the passive force."),
        Parameter("tone", "1", 0, 1, 0, "Lower bound of the activation."),
        Parameter("inhibition", "1", 0, 1, 1, "Upper bound of the activation."),
        Parameter(
            "tightness",
            "deg",
            -20,
            40,
            0,
            "Passive range lost in the clinical test of the group; negative: range gained.",
        ),
    )
}

_COMBINE: dict[str, Callable[..., np.ndarray]] = {
    "strength": np.multiply,
    "stiffness": np.multiply,
    "tone": np.maximum,
    "inhibition": np.minimum,
}

#: Family of the named imbalances of a model: the name goes on with one of them.
IMBALANCE = Parameter(
    "imbalance", "1", 0, 1, 0, "Severity of a named imbalance, from the healthy model to the full values of the preset."
)

_GROUP, _GROUP_SIDE, _MUSCLE, _MUSCLE_SIDE, _FASCICLE = range(5)  # ranks, the most specific last
_SIDES = ("right", "left", "midline")


@dataclass(frozen=True, eq=False)
class Names:
    """The names of one model that parameters may go on with.

    Raises
    ------
    ModelError
        If one name would mean two different sets of fascicles.
    """

    muscles: Mapping[str, tuple[str, str]]  #: fascicle -> (anatomical muscle, side), in the order of the model
    groups: Mapping[str, tuple[str, ...]]  #: group -> anatomical muscles
    tests: Mapping[str, str]  #: group -> clinical test in which its tightness is read
    imbalances: tuple[str, ...] = ()  #: named imbalances, those of one side once with each side
    foramina: tuple[str, ...] = ()  #: levels that have a foramen, from below

    def __post_init__(self) -> None:
        _ = self.targets

    @cached_property
    def targets(self) -> dict[str, tuple[int, np.ndarray]]:
        """Rank and fascicle indices of every group, group.side, muscle, muscle.side and fascicle."""
        muscle = np.array([muscle for muscle, _ in self.muscles.values()], dtype=str)
        side = np.array([side for _, side in self.muscles.values()], dtype=str)
        members = {group: np.isin(muscle, list(group_muscles)) for group, group_muscles in self.groups.items()}
        targets: dict[str, tuple[int, np.ndarray]] = {}

        def add(name: str, rank: int, chosen: np.ndarray) -> None:
            indices = np.flatnonzero(chosen)
            if name in targets and not np.array_equal(targets[name][1], indices):
                raise ModelError(f"{name} names two different sets of fascicles: rename the group, muscle or fascicle.")
            targets[name] = (rank, indices)

        for group, chosen in members.items():
            add(group, _GROUP, chosen)
            for one_side in self.sides[group]:
                add(f"{group}.{one_side}", _GROUP_SIDE, chosen & (side == one_side))
        for name in dict.fromkeys(muscle.tolist()):
            add(name, _MUSCLE, muscle == name)
            for one_side in dict.fromkeys(side[muscle == name].tolist()):
                add(f"{name}.{one_side}", _MUSCLE_SIDE, (muscle == name) & (side == one_side))
        for index, name in enumerate(self.muscles):
            add(name, _FASCICLE, np.arange(len(self.muscles)) == index)
        return targets

    @cached_property
    def sides(self) -> dict[str, tuple[str, ...]]:
        """Sides on which each group has fascicles."""
        present = set(self.muscles.values())
        return {
            group: tuple(side for side in _SIDES if any((muscle, side) in present for muscle in group_muscles))
            for group, group_muscles in self.groups.items()
        }


def legal_names(names: Names) -> Iterator[str]:
    """Every parameter name that the model understands."""
    yield from PARAMETERS
    for family in _COMBINE:
        for target in names.targets:
            yield f"{family}.{target}"
    for group in names.tests:
        yield f"tightness.{group}"
        for side in names.sides[group]:
            yield f"tightness.{group}.{side}"
    for imbalance in names.imbalances:
        yield f"imbalance.{imbalance}"
    yield from level_names(names)


def level_names(names: Names) -> dict[str, Parameter]:
    """Every parameter over the foramina of the model, by full name."""
    return {
        family.replace("LEVEL", level).replace("SIDE", side): row
        for family, row in LEVEL_FAMILIES.items()
        for level in names.foramina
        for side in (("left", "right") if "SIDE" in family else ("",))
    }


def parameter(names: Names, name: str) -> Parameter:
    """Unit, range, default and meaning of one legal name.

    Raises
    ------
    InputError
        If the name is unknown; the message gives the nearest legal one.
    """
    if name in PARAMETERS:
        return PARAMETERS[name]
    if name in (leveled := level_names(names)):
        return leveled[name]
    family, _, target = name.partition(".")
    if family == "imbalance":
        if target in names.imbalances:
            return IMBALANCE
        sided = [imbalance for imbalance in names.imbalances if imbalance.startswith(f"{target}.")]
        if sided:
            raise InputError(f"{name} needs a side: imbalance.{' or imbalance.'.join(sided)}.")
    elif family == "tightness":
        group, _, side = target.partition(".")
        if group in names.tests and (not side or side in names.sides[group]):
            return FAMILIES[family]
        if target in names.targets:
            raise InputError(
                f"{name}: {target} has no clinical test, so it has no tightness; "
                f"groups with a test are {', '.join(names.tests)}."
            )
    elif family in FAMILIES and target in names.targets:
        return FAMILIES[family]
    nearest = difflib.get_close_matches(name, legal_names(names), n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else "`spinesim parameters` lists the legal names."
    raise InputError(f"There is no parameter {name}: {hint}")


def healthy(name: str) -> float:
    """Value of a parameter over muscles, of a load or of a length that changes nothing, in the unit of the register."""
    row = FAMILIES.get(name.partition(".")[0])
    return float(row.default or 0.0) if row else 0.0


def unit(name: str) -> str:
    """Unit of a parameter; ``load.hand``, which lacks its side, has that of either side, an unknown name none."""
    row = FAMILIES.get(name.partition(".")[0]) or PARAMETERS.get(name) or PARAMETERS.get(f"{name}.right")
    return row.units if row else "1"


def combined(name: str, first: Values, second: Values) -> np.ndarray:
    """Two values of one parameter, such as that of a user and that of a named imbalance, as one.

    Strength and stiffness multiply, inhibition takes the smaller; tone, tightness and loads take the larger. Where one
    of them is not set (NaN) the other stands.
    """
    both = _COMBINE.get(name.partition(".")[0], np.maximum)(first, second)
    result: np.ndarray = np.where(np.isnan(first), second, np.where(np.isnan(second), first, both))
    return result


def check(names: Names, settings: Mapping[str, float]) -> dict[str, float]:
    """The settings as plain numbers, once every name and value is known to be legal.

    Parameters
    ----------
    settings
        Values by parameter name, each in the unit of the register.

    Raises
    ------
    InputError
        If a name is unknown, a value is not a finite number within the range of its parameter, the tone of a fascicle
        would exceed its inhibition, or the lowest intra-abdominal pressure the highest.
    """
    checked = {name: _number(name, parameter(names, name), value) for name, value in settings.items()}
    check_bounds(names, checked)
    return checked


def _number(name: str, row: Parameter, value: object) -> float:
    units = "" if row.units == "1" else f" {row.units}"
    kind = "whole number" if row.whole else "number"
    allowed = f"it must be a {kind} from {row.lowest:g} to {row.highest:g}{units}"
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise InputError(f"{name} = {value!r} is not a number: {allowed}.")
    number = float(value)
    if not math.isfinite(number) or not row.lowest <= number <= row.highest or (row.whole and number % 1.0):
        raise InputError(f"{name} = {number:g}{units} is not allowed: {allowed}.")
    return number


def check_bounds(names: Names, columns: Mapping[str, Values]) -> None:
    """Refuse cases in which a lower bound exceeds its upper one: tone and inhibition, lowest and highest pressure.

    Parameters
    ----------
    columns
        Checked values by parameter name, one value or one per case.

    Raises
    ------
    InputError
        Naming the first such fascicle, or the pressure, and both values.
    """
    if "iap.lowest" in columns and "iap.highest" in columns:
        low, high = np.broadcast_arrays(np.ravel(columns["iap.lowest"]), np.ravel(columns["iap.highest"]))
        if (low > high).any():
            first = int((low > high).argmax())
            raise InputError(
                f"iap.lowest is {low[first]:g} kPa, above iap.highest of {high[first]:g} kPa: it must be no larger."
            )
    bounding = {name: column for name, column in columns.items() if name.startswith(("tone.", "inhibition."))}
    if not bounding:
        return
    distinct = np.unique(np.stack(np.broadcast_arrays(*map(np.atleast_1d, bounding.values()))), axis=1)
    bounding = dict(zip(bounding, distinct, strict=True))
    tone = resolve_many(names, bounding, "tone")
    inhibition = resolve_many(names, bounding, "inhibition")
    wrong = np.argwhere(tone > inhibition)
    if len(wrong):
        case, index = wrong[0]
        raise InputError(
            f"The tone of {list(names.muscles)[index]} is {tone[case, index]:g}, above its inhibition of "
            f"{inhibition[case, index]:g}: it must be no larger."
        )


def resolve_many(names: Names, columns: Mapping[str, Values], family: str) -> np.ndarray:
    """Values of one family for every fascicle in every case.

    Parameters
    ----------
    columns
        Checked values by parameter name, one value or one per case; other families are ignored.
    family
        ``strength``, ``stiffness``, ``tone`` or ``inhibition``.

    Returns
    -------
    (n_cases, n_fascicles) float64, fascicles in the order of ``names.muscles``; one case if every column is one value.
    A name does not count in the cases in which its value is NaN.
    """
    combine = _COMBINE[family]
    entries = []
    for name, column in columns.items():
        head, _, target = name.partition(".")
        if head == family:
            entries.append((*names.targets[target], name, np.atleast_1d(column)))
    entries.sort(key=lambda entry: (entry[0], entry[2]))  # by name within a rank: the same bits in any order of columns
    (n_cases,) = np.broadcast_shapes((1,), *(np.shape(column) for column in columns.values()))
    values = np.full((n_cases, len(names.muscles)), float(FAMILIES[family].default or 0.0))
    settled = np.full(values.shape, -1)
    for rank, indices, _, column in entries:
        value, before = column[:, None], values[:, indices]
        given = ~np.isnan(value)
        equal = settled[:, indices] == rank
        values[:, indices] = np.where(given, np.where(equal, combine(before, value), value), before)
        settled[:, indices] = np.where(given, rank, settled[:, indices])
    return values


def resolve(names: Names, settings: Mapping[str, float], family: str) -> np.ndarray:
    """Values of one family for every fascicle in one case; (n_fascicles,) float64, see `resolve_many`."""
    values: np.ndarray = resolve_many(names, settings, family)[0]
    return values


def resolve_group(columns: Mapping[str, Values], family: str, group: str, side: str) -> Values:
    """Value of one family for what stands for a whole group on one side, such as the actuator of the vasti.

    ``group.side`` beats ``group``; names of single muscles and fascicles do not reach it.
    """
    value: np.ndarray = np.asarray(FAMILIES[family].default or 0.0)
    for name in (f"{family}.{group}", f"{family}.{group}.{side}"):
        column = columns.get(name, math.nan)
        value = np.where(np.isnan(column), value, column)
    return value


def tightness(names: Names, columns: Mapping[str, Values]) -> dict[tuple[str, str], Values]:
    """Tightness [deg] of every group that has a test, by group and side; ``group.side`` beats ``group``."""
    return {
        (group, side): resolve_group(columns, "tightness", group, side)
        for group in names.tests
        for side in names.sides[group]
    }


def carried_masses(columns: Mapping[str, Values]) -> tuple[Values, ...]:
    """Mass [kg] in the right and in the left hand, on the right and on the left shoulder, and on the back."""
    shared = 0.5 * columns.get("load.hands", 0.0)
    hands = (columns.get(f"load.hand.{side}", 0.0) + shared for side in ("right", "left"))
    return (*hands, *(columns.get(f"load.{place}", 0.0) for place in ("shoulder.right", "shoulder.left", "back")))


def describe() -> list[Parameter]:
    """Rows that together describe every legal name.

    NAME stands for what `describe_targets` lists, PRESET for a named imbalance, LEVEL for a level with a foramen and
    SIDE for left or right.
    """
    families = [replace(family, name=f"{family.name}.NAME") for family in FAMILIES.values()]
    return [*PARAMETERS.values(), *LEVEL_FAMILIES.values(), *families, replace(IMBALANCE, name="imbalance.PRESET")]


@dataclass(frozen=True)
class Target:
    """One row of what a muscle parameter may go on with."""

    name: str  #: such as "hip_flexors" or "psoas"; with ".left" or another of its sides it means that side alone
    kind: str  #: group, muscle or fascicle
    sides: tuple[str, ...]
    members: str  #: the muscles of a group, the number of fascicles of a muscle
    test: str  #: clinical test in which the tightness of a group is read, or ""


def describe_targets(names: Names) -> list[Target]:
    """Groups, then the muscles that are not also groups, then one row for the fascicles."""
    rows = [
        Target(group, "group", names.sides[group], ", ".join(muscles), names.tests.get(group, ""))
        for group, muscles in names.groups.items()
    ]
    for muscle in dict.fromkeys(muscle for muscle, _ in names.muscles.values()):
        if muscle not in names.groups:
            sides = tuple(side for side in _SIDES if f"{muscle}.{side}" in names.targets)
            rows.append(Target(muscle, "muscle", sides, f"{len(names.targets[muscle][1])} fascicles", ""))
    if names.muscles:
        example = next(iter(names.muscles))
        rows.append(Target(example, "fascicle", (), f"or any other of the {len(names.muscles)} single names", ""))
    return rows
