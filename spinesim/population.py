"""Virtual adults: size, sex, pelvis, posture, strength, stiffness, range and nerve room, drawn from published spreads.

``data/population.csv`` has the spread of every quantity in either sex, ``data/population_correlations.csv`` how two of
them go together. They are joined by a Gaussian copula: quantiles of normal numbers with these correlations become
quantiles of the spreads, cut off where the table says. Every quantity is drawn by a Latin hypercube, so a few dozen
people already cover its spread evenly, and the columns are paired by the method of Iman and Conover, so that the people
drawn have the correlations asked for and no others. (A Sobol' sequence covers many dimensions worse: of 45 columns of
128 points two were correlated by 0.39, whatever the seed.)

Heights of discs and sizes of foramina and roots, the *nerve room*, are drawn apart from the body, with random numbers
of their own: what is drawn of a body does not depend on them, and neither does what it does but for its nerves.

Every person also carries how strongly he or she responds to every law of :mod:`spinesim.intervention`, so that two
programmes are compared on the same person with the same response.

References
----------
Iman RL, Conover WJ. A distribution-free approach to inducing rank correlation among input variables. Commun Stat Simul
Comput 11:311-334, 1982 (from memory).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr

from spinesim import parameters
from spinesim.cases import names
from spinesim.clinical import CONFIDENCE
from spinesim.errors import InputError, ModelError
from spinesim.imbalance import expand
from spinesim.intervention import Law, laws
from spinesim.kernels.arrays import Floats
from spinesim.model.files import PROVENANCE, number, read_table, text
from spinesim.model.pack import pack
from spinesim.model.parts import Model
from spinesim.model.sagittal import RANGES, can_be_aligned
from spinesim.solve import check_parts, check_settings

SEXES = ("men", "women")
SHAPES = ("normal", "lognormal", "binary")
#: Groups of which every muscle has exactly one, but for rectus femoris, which goes with the hip flexors.
GROUPS = (
    "hip_flexors",
    "gluteals",
    "hamstrings",
    "quadriceps",
    "adductors",
    "piriformis",
    "hip_rotators",
    "abdominals",
    "multifidus",
    "erectors",
    "quadratus_lumborum",
    "latissimus",
)
SHARED = ("rectus_femoris", "hip_flexors")
GROUP, SIDE, LEVEL = "GROUP", "SIDE", "LEVEL"
PARTS = ("body", "nerve room")  #: drawn apart
MOST = 65536  #: people
_COLUMNS = (
    *(text(name) for name in ("part", "quantity", "sex")),
    number("mean", "number"),
    number("sd", "number", optional=True),
    text("unit"),
    number("lowest", "number", optional=True),
    number("highest", "number", optional=True),
    text("shape"),
    *PROVENANCE,
)
_CORRELATIONS = (*(text(name) for name in ("first", "second")), number("r", "number"), *PROVENANCE)


@dataclass(frozen=True)
class Spread:
    """Spread of one quantity in one sex."""

    part: str  #: "body" or "nerve room"
    quantity: str
    sex: str  #: "men", "women" or "all"
    mean: float
    sd: float
    unit: str
    lowest: float
    highest: float
    shape: str
    source: str
    confidence: str
    notes: str

    def at(self, standard: Floats) -> Floats:
        """Values whose quantiles are those of standard normal numbers, cut off at the lowest and highest."""
        from scipy.special import ndtr, ndtri

        if self.shape == "binary":
            women: Floats = (ndtr(standard) < self.mean).astype(float)
            return women
        log = self.shape == "lognormal"
        width = math.sqrt(math.log1p((self.sd / self.mean) ** 2)) if log else self.sd
        middle = math.log(self.mean) - 0.5 * width**2 if log else self.mean
        low, high = ((math.log(v) if log else v) for v in (self.lowest, self.highest))
        below, above = ndtr((low - middle) / width), ndtr((high - middle) / width)
        values: Floats = middle + width * ndtri(below + (above - below) * ndtr(standard))
        return np.exp(values) if log else values


@dataclass(frozen=True)
class Correlation:
    """How two quantities go together; the same one twice: any two groups, levels or sides."""

    first: str
    second: str
    r: float
    source: str
    confidence: str
    notes: str


@cache
def spreads() -> tuple[Spread, ...]:
    """Every spread, in the order of the file.

    Raises
    ------
    ModelError
        If the file is wrong; names file, line, entry, value and what is allowed.
    """
    label = "population.csv"
    found = []
    for row in read_table(_data() / label, label, _COLUMNS, "{quantity} {sex}"):
        fields = {"sd": 0.0, "lowest": 0.0, "highest": 1.0, **row.fields}
        for name, allowed in (
            ("part", PARTS),
            ("sex", (*SEXES, "all")),
            ("shape", SHAPES),
            ("confidence", (*CONFIDENCE, "extracted")),
        ):
            if fields[name] not in allowed:
                row.fail(name, f"must be one of {', '.join(allowed)}")
        if fields["shape"] != "binary" and not fields["sd"] > 0.0:
            row.fail("sd", "must be positive")
        if not fields["lowest"] < fields["highest"]:
            row.refuse("lowest must be below highest")
        found.append(Spread(**fields))
    return tuple(found)


@cache
def correlations() -> tuple[Correlation, ...]:
    """Every correlation, in the order of the file."""
    label = "population_correlations.csv"
    found = []
    for row in read_table(_data() / label, label, _CORRELATIONS, "{first} {second}"):
        if not -1.0 < row.fields["r"] < 1.0:
            row.fail("r", "must lie between -1 and 1")
        found.append(Correlation(**row.fields))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class People:
    """Virtual adults: what they set of the register, what else is known of them, and how they respond."""

    columns: dict[str, Floats]  #: (n,) values by parameter name, in the units of the register
    traits: dict[str, Floats]  #: (n,) sex (0 men, 1 women) and what is no parameter, by name
    effects: dict[Law, Floats]  #: (n,) effect of the published dose of every law
    seed: int

    @property
    def count(self) -> int:
        """Number of people."""
        return int(self.traits["sex"].size)

    def dataset(self) -> xr.Dataset:
        """The people as a table with dimension ``person``; the unit of every column stands with it."""
        units = {spread.quantity: spread.unit for spread in spreads()}
        columns = {name: ("person", column, {"units": parameters.unit(name)}) for name, column in self.columns.items()}
        traits = {name: ("person", column, {"units": units[name]}) for name, column in self.traits.items()}
        return xr.Dataset({**traits, **columns}, attrs={"seed": self.seed, "sex": "0 men, 1 women"})


def quantities(model: Model, part: str = "body") -> list[tuple[str, str]]:
    """What is drawn for a model: parameter or trait, and the quantity of the tables that it is one of."""
    known = names(pack(model))
    fixed = () if can_be_aligned(model) else tuple(f"subject.{name}" for name in RANGES)
    fixed += () if model.roots else ("subject.root_size",)
    over_levels = parameters.level_names(known)
    drawn: list[tuple[str, str]] = []
    for quantity in dict.fromkeys(spread.quantity for spread in spreads() if spread.part == part):
        family, _, target = quantity.partition(".")
        if target == GROUP:
            drawn += [(f"{family}.{group}", quantity) for group in GROUPS if group in known.targets][
                : None if family == "strength" else 1
            ]
        elif family == "tightness":
            drawn += [(f"{quantity}.{side}", quantity) for side in known.sides.get(target, ()) if target in known.tests]
        elif target.startswith(LEVEL):
            drawn += [(name, quantity) for name in over_levels if name.startswith(f"{family}.")]
        elif quantity not in fixed and (quantity in (parameters.PARAMETERS | over_levels) or "." not in quantity):
            drawn.append((quantity, quantity))
    return drawn


def _twin(one: tuple[str, str], other: tuple[str, str]) -> str:
    """What two quantities are two of, as the table of correlations names it; nothing if they are of two kinds."""
    (name, kind), (second, like) = one, other
    family = kind.partition(".")[0]
    if family == "disc" == like.partition(".")[0]:
        return f"{family}.{LEVEL}"
    if kind != like:
        return ""
    if family == "foramen":
        return f"{family}.{SIDE if name.split('.')[1] == second.split('.')[1] else LEVEL}"
    return f"{family}.{GROUP if kind.endswith(GROUP) else SIDE}"


def correlation_matrix(drawn: list[tuple[str, str]]) -> Floats:
    """(k, k) correlations of what is drawn.

    Raises
    ------
    ModelError
        If no numbers can have them all.
    """
    table = {(c.first, c.second): c.r for c in correlations()} | {(c.second, c.first): c.r for c in correlations()}
    matrix = np.eye(len(drawn))
    for i, one in enumerate(drawn):
        for j, other in enumerate(drawn[:i]):
            twin = _twin(one, other)
            matrix[i, j] = matrix[j, i] = table.get((twin, twin) if twin else (one[1], other[1]), 0.0)
        if np.linalg.eigvalsh(matrix[: i + 1, : i + 1])[0] <= 0.0:
            raise ModelError(
                f"population_correlations.csv: no quantities can have all correlations once {one[0]} is added"
            )
    return matrix


def paired(count: int, correlation: Floats, seed: int | Sequence[int]) -> Floats:
    """(n, k) standard normal numbers, every column spread evenly, with the correlations (k, k) asked for.

    With fewer people than columns chance correlations cannot be taken out, and stay.
    """
    from scipy.special import ndtri  # with stats half a second, which few users need
    from scipy.stats import qmc, rankdata

    size = len(correlation)
    even = ndtri(qmc.LatinHypercube(size, rng=np.random.default_rng(seed)).random(count))
    scores = even
    if count > size + 1:
        scores = even @ np.linalg.inv(np.linalg.cholesky(np.corrcoef(even, rowvar=False))).T
    order = rankdata(scores @ np.linalg.cholesky(correlation).T, method="ordinal", axis=0).astype(int) - 1
    result: Floats = np.take_along_axis(np.sort(even, axis=0), order, axis=0)
    return result


def people(model: Model, count: int = 64, *, seed: int = 0, sex: str = "all") -> People:
    """Virtual adults.

    Parameters
    ----------
    model
        A checked model; what it has no parameter for is not drawn.
    count
        How many, from 1 to 65536; with fewer than some fifty chance correlations stay.
    seed
        Of the random numbers.
    sex
        ``"men"``, ``"women"``, or ``"all"`` for both in the published share.

    Raises
    ------
    InputError
        For a number, seed or sex that is not allowed.
    """
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= MOST:
        raise InputError(f"people = {count!r} is not allowed: it must be a whole number from 1 to {MOST}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed = {seed!r} is not allowed: it must be a whole number from 0")
    if sex not in (*SEXES, "all"):
        raise InputError(f"sex = {sex!r} is not allowed: it must be {', '.join(SEXES)} or all")
    drawn = quantities(model)
    wanted = np.eye(len(drawn) + len(laws()))
    wanted[: len(drawn), : len(drawn)] = correlation_matrix(drawn)
    standard = paired(int(count), wanted, int(seed))
    joint = standard[:, : len(drawn)]
    by_kind = {(spread.quantity, spread.sex): spread for spread in spreads()}
    women = by_kind["sex", "all"].at(joint[:, 0]) if sex == "all" else np.full(count, float(sex == "women"))
    values: dict[str, Floats] = {"sex": women}
    for column, (name, kind) in zip(joint.T[1:], drawn[1:], strict=True):
        each = [by_kind.get((kind, one)) or by_kind[kind, "all"] for one in SEXES]
        values[name] = np.where(women == 1.0, each[1].at(column), each[0].at(column))
    known = names(pack(model))
    if "stiffness.hip_flexors" in values:
        values |= {f"stiffness.{group}": values["stiffness.hip_flexors"] for group in GROUPS if group in known.targets}
    muscle, group = SHARED
    for family in ("strength", "stiffness"):
        if muscle in known.targets and f"{family}.{group}" in values:
            values[f"{family}.{muscle}"] = values[f"{family}.{group}"]
    room = quantities(model, "nerve room")
    apart = paired(int(count), correlation_matrix(room), [int(seed), 1]) if room else np.empty((count, 0))
    values |= {name: by_kind[kind, "all"].at(column) for column, (name, kind) in zip(apart.T, room, strict=True)}
    effects = {law: law.drawn(standard[:, len(drawn) + k]) for k, law in enumerate(laws())}
    traits = {name: values.pop(name) for name, kind in drawn if "." not in kind}
    return People(values, traits, effects, int(seed))


def one_body(model: Model) -> People:
    """The body of the model itself, with the mean response to every law."""
    from spinesim.intervention import typical

    return People({}, {"sex": np.zeros(1)}, typical(), 0)


def with_settings(model: Model, someone: People, settings: Mapping[str, float]) -> dict[str, Floats]:
    """Parameter values of people who all have the same settings, such as an imbalance, on top of their own.

    Strength and stiffness multiply, tightness adds, of tone the larger counts and of inhibition the smaller; loads,
    lengths and the rest are those of the settings.

    Raises
    ------
    InputError
        For an unknown name, or a value that is not allowed.
    """
    checked = check_settings(model, settings)
    check_parts(model, checked)
    known = names(pack(model))
    values = {name: column.copy() for name, column in someone.columns.items()}
    added = {name: np.broadcast_to(column, 1) for name, column in expand(model, checked).items()}
    tight = parameters.tightness(known, values), parameters.tightness(known, added)
    for (group, side), more in tight[1].items():
        if np.any(more):
            row = parameters.FAMILIES["tightness"]
            total = np.broadcast_to(tight[0][group, side] + more, someone.count)
            values[f"tightness.{group}.{side}"] = np.clip(total, row.lowest, row.highest)
    for family in ("strength", "stiffness"):
        named = [name for name in added if name.startswith(f"{family}.")]
        if not named:
            continue
        own = parameters.resolve_many(known, values, family)
        factor = parameters.resolve_many(known, added, family)[0]
        product = np.broadcast_to(own * factor, (someone.count, factor.size))
        for group in dict.fromkeys(a.group for a in model.actuators if a.group and family == "strength"):
            for side in known.sides[group]:
                both = (parameters.resolve_group(each, family, group, side) for each in (values, added))
                values[f"{family}.{group}.{side}"] = np.broadcast_to(math.prod(both), someone.count).copy()
        lines = list(known.muscles)
        single = any(name.partition(".")[2] in known.muscles for name in named)
        for muscle, side in dict.fromkeys(known.muscles.values()):
            members = known.targets[f"{muscle}.{side}"][1]
            if np.all(factor[members] == 1.0):
                continue
            if single:
                values |= {f"{family}.{lines[i]}": product[:, i].copy() for i in members}
            else:
                values[f"{family}.{muscle}.{side}"] = product[:, members[0]].copy()
    for name, column in added.items():
        if name.partition(".")[0] not in ("strength", "stiffness", "tightness"):
            values[name] = np.full(someone.count, column[0])
    return values


def _data() -> Path:
    return Path(__file__).with_name("data")
