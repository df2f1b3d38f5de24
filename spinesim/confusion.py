"""Which imbalances clinical tests tell apart: the readings of every preset, their errors, and how often each is named.

A reading is Gaussian about that of the model. What an imbalance of unknown severity makes likely is the mean over
severities from 0 to 1, so that an imbalance pays for what it could have explained and did not: with the most likely
severity instead, every imbalance would explain healthy readings at least as well as health itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from spinesim import units
from spinesim.assessment import READ, errors, label, on_the_couch, readings
from spinesim.clinical import Measure, chosen, side_names
from spinesim.errors import InputError
from spinesim.kernels.arrays import Floats
from spinesim.labelled import versions
from spinesim.model.pack import pack
from spinesim.model.parts import Model
from spinesim.solve import check_settings
from spinesim.variables import attributes

Against = Literal["own", "norms"]
HEALTHY = "healthy"
#: Severities at which readings are computed by default; between them they are interpolated.
NODES = (0.0, 0.25, 0.5, 0.75, 1.0)
#: Severities that stand for all from 0 to 1 in the mean of the likelihood: the middles of forty equal parts.
LIKELY = (np.arange(40, dtype=np.float64) + 0.5) / 40.0
#: Draws per imbalance and severity: a probability is then known to 0.5 / sqrt(10000) = 0.005 or better.
DRAWS = 10_000
#: Correlation of what is peculiar to a person between the two sides of a test, and between strengths; both assumed.
SIDES_ALIKE, STRENGTHS_ALIKE = 0.9, 0.6
TIE = 1e-9  #: logarithms of likelihood that differ by less are equal


@dataclass(frozen=True, eq=False)
class Patterns:
    """The readings of every imbalance along its severity."""

    imbalances: tuple[str, ...]  #: healthy first
    names: tuple[tuple[Measure, str], ...]  #: of the readings that can be formed for all of them
    healthy: Floats  #: (r,) in the units of the readings
    nodes: tuple[float, ...]  #: severities of the values
    values: Floats  #: (i, len(nodes), r)
    left_out: dict[str, str]  #: readings that cannot be formed, and why

    def at(self, severities: Floats) -> Floats:
        """(i, s, r) readings at severities, by linear interpolation."""
        place = np.interp(severities, self.nodes, np.arange(len(self.nodes)))
        low = np.minimum(place.astype(int), len(self.nodes) - 2)
        share = (place - low)[:, None]
        between: Floats = (1.0 - share) * self.values[:, low] + share * self.values[:, low + 1]
        return between

    def covariance(self, against: Against) -> Floats:
        """(r, r) covariance of a reading about that of the model.

        The errors are independent. Against norms the spread among healthy people comes on top.
        """
        square = np.diag(errors(self.names, self.healthy) ** 2)
        if against == "norms":
            scale = np.where([m.relative for m, _ in self.names], units.PERCENT * self.healthy, 1.0)
            spread = np.array([m.spread for m, _ in self.names]) * scale
            square += np.outer(spread, spread) * _alike(self.names)
        return square


def _alike(names: Sequence[tuple[Measure, str]]) -> Floats:
    """(r, r) correlation among healthy people: a strong person is strong everywhere, and both sides are alike."""
    found = np.eye(len(names))
    for i, (one, _) in enumerate(names):
        for j, (other, _) in enumerate(names):
            if i != j and one.name == other.name:
                found[i, j] = SIDES_ALIKE
            elif i != j and one.relative and other.relative:
                found[i, j] = STRENGTHS_ALIKE
    return found


def patterns(
    model: Model,
    tests: Collection[str] | None = None,
    *,
    nodes: Sequence[float] = NODES,
    progress: Callable[[str], None] | None = None,
) -> Patterns:
    """Readings of all imbalances of a model.

    Parameters
    ----------
    tests
        As in `spinesim.assess`.
    nodes
        Severities at which the readings are computed, from 0 up to 1.
    progress
        Called with the name of every imbalance when its readings are found.

    Raises
    ------
    InputError
        For an unknown test, a model without named imbalances, or one on which no test can be formed.
    """
    names = side_names(chosen(tests))
    presets = [name for each in model.imbalances.values() for name in each.names]
    if not presets:
        raise InputError(f"the model {model.name} has no named imbalances to tell apart")
    healthy, status = readings(model, {}, names)
    found = np.broadcast_to(healthy, (1 + len(presets), len(nodes), len(names))).copy()
    why = dict(enumerate(status))
    for i, preset in enumerate(presets, 1):
        for k, severity in enumerate(nodes[1:], 1):
            settings = on_the_couch(model, check_settings(model, {f"imbalance.{preset}": severity}))
            if not settings:
                continue  # nothing of it is left: it reads as health
            found[i, k], status = readings(model, settings, names)
            for r, word in enumerate(status):
                if why[r] == READ and word != READ:
                    why[r] = f"with {preset} at severity {severity:g}: {word}"
        if progress is not None:
            progress(preset)
    kept = [r for r, word in why.items() if word == READ]
    if not kept:
        raise InputError(f"no test can be formed on the model {model.name}: {why[0]}")
    return Patterns(
        imbalances=(HEALTHY, *presets),
        names=tuple(names[r] for r in kept),
        healthy=healthy[kept],
        nodes=tuple(nodes),
        values=found[:, :, kept],
        left_out={label(*names[r]): word for r, word in why.items() if word != READ},
    )


def confusion(
    model: Model,
    tests: Collection[str] | None = None,
    *,
    severities: Sequence[float] = (0.5, 1.0),
    against: Against = "own",
    draws: int = DRAWS,
    seed: int = 0,
    table: Patterns | None = None,
    progress: Callable[[str], None] | None = None,
) -> xr.Dataset:
    """How often a body with one named imbalance is taken for having another.

    Of all imbalances and health, each as likely as the others before the tests, the one is named that makes the
    readings most likely; its severity is unknown, from 0 to 1. The weights of an imbalance are put down before the
    tests, so an imbalance of weights alone reads as health.

    Parameters
    ----------
    tests
        As in `spinesim.assess`; all of them by default.
    severities
        Of the imbalance that the body has, above 0 and up to 1.
    against
        ``"own"``: the readings are compared with healthy ones of the same person, so that they differ by the error of
        measurement alone. ``"norms"``: with those of other people, so that the spread among healthy people is added.
    draws
        Sets of readings per imbalance and severity.
    seed
        Of the random numbers; all imbalances meet the same errors.
    table
        What `patterns` found of this model and these tests, where it is known already.

    Returns
    -------
    xarray.Dataset
        Dimensions ``severity``, ``true_imbalance``, ``named_imbalance`` and ``reading``: ``naming_probability``,
        ``separation`` and ``reading_shift``. The attribute ``left_out`` names the readings that cannot be formed.

    Raises
    ------
    InputError
        For an unknown test, a severity, ``against`` or number of draws that is not allowed, or a model without named
        imbalances.
    """
    wanted = check_request(severities, against, draws)
    if table is None:
        table = patterns(model, tests, progress=progress)
    whiten = np.linalg.inv(np.linalg.cholesky(table.covariance(against)))

    def means(at: Floats) -> Floats:
        """(i, s, r) readings less the healthy ones, in coordinates in which all errors are independent and 1."""
        return (table.at(at) - table.healthy) @ whiten.T

    likely, true, fine = means(LIKELY), means(wanted), means(np.linspace(0.0, 1.0, 201))
    noise = np.random.default_rng(seed).standard_normal((draws, len(table.names)))
    count = len(table.imbalances)
    probability, separation = np.empty((2, len(wanted), count, count))
    for s in range(len(wanted)):
        for i in range(count):
            probability[s, i] = _named(noise + true[i, s], likely)
            separation[s, i] = np.sqrt(((fine - true[i, s]) ** 2).sum(axis=2).min(axis=1))
    scale = errors(table.names, table.healthy)
    shift = (table.at(wanted) - table.healthy).transpose(1, 0, 2) / scale
    square = ("severity", "true_imbalance", "named_imbalance")
    coords = {
        "severity": wanted,
        "true_imbalance": list(table.imbalances),
        "named_imbalance": list(table.imbalances),
        "reading": [label(measure, side) for measure, side in table.names],
    }
    return xr.Dataset(
        {
            "naming_probability": (square, probability, attributes("naming_probability")),
            "separation": (square, separation, attributes("separation")),
            "reading_shift": (("severity", "true_imbalance", "reading"), shift, attributes("reading_shift")),
            "status": ("severity", np.full(len(wanted), "solved"), attributes("status")),
        },
        coords={name: (name, values, attributes(name)) for name, values in coords.items()},
        attrs={
            "model": model.name,
            "model_digest": pack(model).digest,
            "against": against,
            "draws": draws,
            "seed": seed,
            "left_out": json.dumps(table.left_out),
            "versions": versions(),
            "note": "Tests of a model, never a diagnosis. Readings differ from those of the model by Gaussian errors "
            "that are independent of each other; every imbalance is as likely as the others before the tests.",
        },
    )


def check_request(severities: Sequence[float] = (1.0,), against: str = "own", draws: int = DRAWS) -> Floats:
    """The severities as an array, once all that is asked for is known to be legal.

    Raises
    ------
    InputError
        For a severity, ``against`` or number of draws that is not allowed.
    """
    if against not in ("own", "norms"):
        raise InputError(f"against = {against!r} is not allowed: it must be 'own' or 'norms'")
    if isinstance(draws, bool) or not isinstance(draws, int) or not 1 <= draws <= 1_000_000:
        raise InputError(f"draws = {draws!r} is not allowed: it must be a whole number from 1 to 1000000")
    for value in severities:
        if not (math.isfinite(value) and 0.0 < value <= 1.0):
            raise InputError(f"severity = {value:g} is not allowed: it must be above 0 and at most 1")
    if not severities or len(set(severities)) < len(severities):
        raise InputError("severities must be one or more different numbers")
    return np.array(severities, dtype=np.float64)


def _named(drawn: Floats, likely: Floats) -> Floats:
    """(i,) how often each imbalance is named, of draws (d, r) and means (i, s, r); equals share."""
    count = np.zeros(len(likely))
    for part in _parts(drawn):
        evidence = np.stack([_evidence(part, means) for means in likely], axis=1)
        best = evidence >= evidence.max(axis=1, keepdims=True) - TIE
        count += (best / best.sum(axis=1, keepdims=True)).sum(axis=0)
    return count / len(drawn)


def _parts(drawn: Floats) -> Iterator[Floats]:
    """Blocks of draws that fit into a few megabytes."""
    for first in range(0, len(drawn), 2000):
        yield drawn[first : first + 2000]


def _evidence(drawn: Floats, means: Floats) -> Floats:
    """(d,) logarithm of the mean likelihood over the severities, up to what depends on the draw alone."""
    exponent = drawn @ means.T - 0.5 * (means**2).sum(axis=1)
    highest = exponent.max(axis=1)
    mean: Floats = highest + np.log(np.exp(exponent - highest[:, None]).mean(axis=1))
    return mean
