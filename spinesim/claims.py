"""Claims of clinicians: what the model makes of each, beside what the evidence says.

    python -m spinesim.claims docs/claims.md

writes the table into that page. ``data/claims.csv`` has a row per claim: a body with and without what is claimed to
matter (or with and without a programme), the outcome, the side to which it is claimed to go, and the verdict of the
evidence with its sources. The same virtual adults are solved both ways; the size is the mean difference, its interval
the middle 95 % of the people.

The verdict of the model follows a rule: *supported*, the interval lies on the claimed side and the mean is a change
that matters; *too small*, on the claimed side but too little to matter; *depends on the person*, the mean matters on
the claimed side and the interval includes zero; *null*, the interval includes zero and the mean does not matter;
*contradicted*, the mean matters on the other side; *opposite, too small*, the interval lies on the other side and the
mean does not matter. What is a change that matters is assumed (`spinesim.shapes`): 5 N, 0.5 deg, 1 N m/rad, else 1 %.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from spinesim.compare import INTERVAL, NOISE, Outcome, outcomes, solved
from spinesim.errors import InputError
from spinesim.intervention import applied, programme
from spinesim.kernels.arrays import Floats
from spinesim.model.files import Row, read_table, text
from spinesim.model.parts import Model
from spinesim.model.read import load_model
from spinesim.population import People, people, with_settings
from spinesim.shapes import least_change
from spinesim.validation import markdown, number, write
from spinesim.variables import VARIABLES

EVIDENCE = ("supported", "partly", "weak", "null", "mixed", "contradicted", "unknown")
SIDES = ("more", "less", "any")
WEEKS, PER_WEEK = 8.0, 3.0  #: dose of the programmes
PEOPLE = 64
NOT_ASKED, NOT_COMPUTED = "no question to a mechanical model", "not computed"
_COLUMNS = (
    *(text(name) for name in ("id", "claim")),
    *(
        text(name, optional=True)
        for name in ("stance", "stance_without", "with", "without", "programme", "outcome", "claimed")
    ),
    *(text(name) for name in ("evidence", "evidence_words", "source")),
    text("notes", optional=True),
)


@dataclass(frozen=True)
class Claim:
    """One claim, how it is put to the model, and what the evidence says."""

    id: str
    claim: str
    stance: str  #: "" where the model cannot be asked
    stance_without: str
    settings: tuple[tuple[str, float], ...]  #: parameters of the body that it is about
    settings_without: tuple[tuple[str, float], ...]
    programme: str  #: what is done to the one and not to the other, or ""
    outcome: str
    claimed: str  #: one of `SIDES`
    evidence: str  #: one of `EVIDENCE`
    evidence_words: str
    source: str
    notes: str


@cache
def claims() -> tuple[Claim, ...]:
    """Every claim, in the order of the file.

    Raises
    ------
    ModelError
        If the file is wrong; names file, line, entry, value and what is allowed.
    """
    label = "claims.csv"
    found: dict[str, Claim] = {}
    for row in read_table(Path(__file__).with_name("data") / label, label, _COLUMNS, "{id}"):
        claim = _claim(row)
        if claim.id in found:
            row.refuse("the row appears twice")
        found[claim.id] = claim
    return tuple(found.values())


def _claim(row: Row) -> Claim:
    fields: dict[str, Any] = dict(row.fields)
    if fields["evidence"] not in EVIDENCE:
        row.fail("evidence", f"must be one of {', '.join(EVIDENCE)}")
    asked = ("stance", "stance_without", "outcome", "claimed")
    given = [name for name in asked if fields[name]]
    if given and len(given) < len(asked):
        row.refuse(f"a claim that is put to the model needs {', '.join(asked)}")
    if given and fields["claimed"] not in SIDES:
        row.fail("claimed", f"must be one of {', '.join(SIDES)}")
    fields["settings"], fields["settings_without"] = _settings(row, "with"), _settings(row, "without")
    del fields["with"], fields["without"]
    return Claim(**fields)


def _settings(row: Row, column: str) -> tuple[tuple[str, float], ...]:
    """``name=value;name=value`` as pairs."""
    pairs = []
    for part in filter(None, str(row.fields[column]).split(";")):
        name, _, value = part.partition("=")
        try:
            pairs.append((name, float(value)))
        except ValueError:
            row.fail(column, "must have the form name=value, several joined by ;")
    return tuple(pairs)


@dataclass(frozen=True)
class Finding:
    """What the model makes of a claim."""

    claim: Claim
    verdict: str
    mean: float  #: difference, in ``unit``; NaN where there is none
    low: float
    high: float
    without: float  #: mean value without it
    unit: str
    count: int  #: people with a solution both ways


def judge(claimed: str, mean: float, low: float, high: float, least: float) -> str:
    """Verdict of the model on a difference and its interval; see the head of this file.

    Parameters
    ----------
    claimed
        ``more``, ``less`` or ``any``.
    least
        Smallest change that matters.
    """
    if not all(math.isfinite(value) for value in (mean, low, high)):
        return NOT_COMPUTED
    sign = -1.0 if claimed == "less" or (claimed == "any" and mean < 0.0) else 1.0
    mean, low, high = sign * mean, *sorted((sign * low, sign * high))
    matters = abs(mean) >= least
    if matters:
        return "contradicted" if mean < 0.0 else "supported" if low > 0.0 else "depends on the person"
    if low > 0.0:
        return "too small"
    return "opposite, too small" if high < 0.0 else "null"


def find_measure(model: Model, name: str) -> Outcome | None:
    """The outcome of that name, or a result variable that is one number; None if nothing computes it."""
    known = {outcome.name: outcome for outcome in outcomes(model)}
    if name in known:
        return known[name]
    variable = VARIABLES.get(name)
    if variable is not None and variable.units and set(variable.dims) <= {"side"}:
        return Outcome(name, name, (), "less")
    return None


def judged(
    model: Model,
    *,
    count: int = PEOPLE,
    seed: int = 0,
    chosen: Iterable[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[Finding, ...]:
    """What the model makes of every claim.

    Parameters
    ----------
    count, seed
        Virtual adults, see `spinesim.population.people`.
    chosen
        Ids of claims; all of them by default.
    progress
        Called with every stance before it is solved.

    Raises
    ------
    InputError
        For an unknown claim.
    """
    known = {claim.id: claim for claim in claims()}
    for name in chosen or ():
        if name not in known:
            raise InputError(f"There is no claim {name}: claims are {', '.join(known)}.")
    wanted = [claim for claim in claims() if chosen is None or claim.id in set(chosen)]
    who = people(model, count, seed=seed)
    asked = [claim for claim in wanted if claim.stance and find_measure(model, claim.outcome)]
    cases: dict[str, list[tuple[tuple[tuple[str, float], ...], str]]] = {}
    for claim in asked:
        cases.setdefault(claim.stance, []).append((claim.settings, claim.programme))
        cases.setdefault(claim.stance_without, []).append((claim.settings_without, ""))
    values = {}
    for stance, states in cases.items():
        if progress is not None:
            progress(stance)
        states = list(dict.fromkeys(states))
        measures = {
            c.outcome: m
            for c in asked
            if stance in (c.stance, c.stance_without) and (m := find_measure(model, c.outcome))
        }
        for state, numbers in zip(states, _solved(model, who, stance, states, list(measures.values())), strict=True):
            values[stance, state] = dict(zip(measures, numbers, strict=True))
    return tuple(_finding(model, claim, values) for claim in wanted)


_State = tuple[tuple[tuple[str, float], ...], str]


def _solved(
    model: Model, who: People, stance: str, states: Sequence[_State], measures: Sequence[Outcome]
) -> list[list[Floats]]:
    """(n,) of every measure in every state."""
    columns = []
    for settings, wanted in states:
        before = with_settings(model, who, dict(settings))
        if wanted:
            plan = programme(model, wanted, weeks=WEEKS, per_week=PER_WEEK)
            before = applied(model, before, plan, WEEKS, who.effects)
        columns.append(before)
    found, _ = solved(model, columns, measures, who.count, stance=stance)
    return [[found[measure.name][:, s] for measure in measures] for s in range(len(states))]


def _finding(model: Model, claim: Claim, values: dict[tuple[str, _State], dict[str, Floats]]) -> Finding:
    nothing = (math.nan, math.nan, math.nan, math.nan)
    if not claim.stance:
        return Finding(claim, NOT_ASKED, *nothing, "", 0)
    measure = find_measure(model, claim.outcome)
    if measure is None:
        return Finding(claim, NOT_COMPUTED, *nothing, "", 0)
    one = values[claim.stance, (claim.settings, claim.programme)][claim.outcome]
    other = values[claim.stance_without, (claim.settings_without, "")][claim.outcome]
    change = (one - other)[np.isfinite(one - other)]
    if not change.size:
        return Finding(claim, NOT_COMPUTED, *nothing, measure.unit, 0)
    least = least_change(other, measure.unit)
    change = np.where(np.abs(change) < NOISE * least, 0.0, change)
    low, high = (float(value) for value in np.percentile(change, INTERVAL))
    mean, base = float(change.mean()), float(np.nanmean(other))
    verdict = judge(claim.claimed, mean, low, high, least)
    return Finding(claim, verdict, mean, low, high, base, measure.unit, change.size)


# ------------------------------------------------------------------------------------------------- the written page


def size_words(finding: Finding) -> str:
    """Mean difference with its interval and unit."""
    if math.isnan(finding.mean):
        return "—"
    unit = "" if finding.unit == "1" else f" {finding.unit}"
    numbers = (finding.mean, finding.low, finding.high)
    mean, low, high = (number(value if abs(value) >= 5e-4 else 0.0) for value in numbers)
    return f"{mean}{unit} ({low} to {high})"


def case_words(claim: Claim) -> str:
    """How the claim is put to the model."""
    if not claim.stance:
        return "—"

    def body(settings: tuple[tuple[str, float], ...], stance: str, done: str = "") -> str:
        words = ", ".join(f"{name} = {value:g}" for name, value in settings) or "healthy"
        words += f", {WEEKS:g} weeks of {done} {PER_WEEK:g} times a week" if done else ""
        return f"{words}, {stance.replace('_', ' ')}"

    one = body(claim.settings, claim.stance, claim.programme)
    return f"{one}; less {body(claim.settings_without, claim.stance_without)}: {claim.outcome}"


def tables(findings: Sequence[Finding]) -> dict[str, str]:
    """The tables of docs/claims.md as Markdown, by name."""
    head = [
        "claim",
        "model",
        "size and middle 95 %",
        "evidence",
        "what the evidence says",
        "how it is asked",
        "sources",
    ]
    lines = [
        [
            f.claim.claim,
            f"**{f.verdict}**" + (f" ({f.claim.notes})" if f.claim.notes else ""),
            size_words(f),
            f"**{f.claim.evidence}**",
            f.claim.evidence_words,
            case_words(f.claim),
            f.claim.source,
        ]
        for f in findings
    ]
    words = dict.fromkeys(f.verdict for f in findings)
    kinds = [kind for kind in EVIDENCE if any(f.claim.evidence == kind for f in findings)]
    counts = [
        [word, *(str(sum(f.verdict == word and f.claim.evidence == kind for f in findings)) for kind in kinds)]
        for word in words
    ]
    return {
        "claims": markdown(head, lines),
        "counts": markdown(["model, down; evidence, across", *kinds], counts),
    }


def main(arguments: list[str]) -> int:
    """Write the tables into the page named; the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        sys.stderr.write("usage: python -m spinesim.claims PAGE, with the page to write to\n")
        return 2
    write(Path(arguments[0]), tables(judged(load_model("adult"))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
