"""The model against published measurements: a verdict for every row it ought to reach, and what has changed.

    python -m spinesim.validation docs/validation.md

writes the tables of the shipped adult into that page.
"""

from __future__ import annotations

import csv
import io
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spinesim.errors import InputError, SpinesimError
from spinesim.measurements import REACH, SCORED, Measurement, read_measurements
from spinesim.model.files import parse_number, read_table, text
from spinesim.model.folder import VERDICTS
from spinesim.model.parts import Model
from spinesim.model.read import load_model, model_folder
from spinesim.protocols import Bench
from spinesim.protocols_of_people import PROTOCOLS

VERDICT_WORDS = ("hit", "miss", "failed")
_VERDICT_COLUMNS = (text("id"), text("reach"), text("computed", optional=True), text("verdict"))


@dataclass(frozen=True)
class Score:
    """A scored measurement."""

    row: Measurement
    computed: float  #: in the unit of the row; NaN where a solve failed, inf where the value has no bound
    verdict: str  #: "hit", "miss" or "failed"
    why: str = ""  #: of a failed row: what failed


def score(row: Measurement, bench: Bench) -> Score:
    """Computed value and verdict of one scored measurement.

    Parameters
    ----------
    row
        With a band, and a protocol in `spinesim.protocols`.
    bench
        Solves the cases, each once.

    Returns
    -------
    Score
        A case without a solution, or that the model cannot form, makes a ``failed`` row; so does a value that is no
        number.
    """
    assert row.band is not None
    try:
        value = float(PROTOCOLS[row.id](bench))
    except SpinesimError as error:
        return Score(row, math.nan, "failed", str(error))
    if math.isnan(value):
        return Score(row, value, "failed", "the computed value is no number")
    return Score(row, value, "hit" if row.band.holds(value) else "miss")


def validate(
    model: Model,
    rows: Mapping[str, Measurement] | None = None,
    *,
    progress: Callable[[str], None] | None = None,
) -> tuple[Score, ...]:
    """Verdicts of all scored measurements, in their order.

    Parameters
    ----------
    model
        A checked model.
    rows
        Measurements by id, by default those of the package; rows that are not scored are passed over.
    progress
        Called with the id of every row before it is computed.

    Raises
    ------
    InputError
        If a scored row has no protocol.
    """
    wanted = scored(read_measurements() if rows is None else rows)
    without = [row.id for row in wanted if row.id not in PROTOCOLS]
    if without:
        raise InputError(f"{without[0]} is to be scored but has no protocol")
    bench = Bench(model)
    scores = []
    for row in wanted:
        if progress is not None:
            progress(row.id)
        scores.append(score(row, bench))
    return tuple(scores)


def scored(rows: Mapping[str, Measurement]) -> tuple[Measurement, ...]:
    """The rows that are scored."""
    return tuple(row for row in rows.values() if row.reach in SCORED)


def not_reached(rows: Mapping[str, Measurement]) -> list[tuple[str, str, list[str]]]:
    """Class, reason and ids of the rows that are not scored, in the order of the classes."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for row in rows.values():
        if row.reach not in SCORED:
            grouped.setdefault((row.reach, row.words), []).append(row.id)
    order = list(REACH)
    return sorted(
        ((k, why, ids) for (k, why), ids in grouped.items()), key=lambda entry: (order.index(entry[0]), entry[1])
    )


def hits(scores: Iterable[Score], reach: str = "evidence") -> tuple[int, int]:
    """Number of hits and of rows, by default of the evidence; rows chosen on are never counted with it."""
    chosen = [each for each in scores if each.row.reach == reach]
    return sum(each.verdict == "hit" for each in chosen), len(chosen)


# ------------------------------------------------------------------------------------------------- recorded verdicts


def verdicts_file(name_or_path: str | Path) -> Path:
    """Where the recorded verdicts of a model are kept: in its folder.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    return model_folder(name_or_path) / VERDICTS


def read_verdicts(path: Path) -> dict[str, str] | None:
    """Recorded verdicts by id; None if there is no such file.

    Raises
    ------
    ModelError
        If the file is wrong; names line, row, value and what is allowed.
    """
    if not path.is_file():
        return None
    found: dict[str, str] = {}
    for row in read_table(path, path.as_posix(), _VERDICT_COLUMNS, "{id}"):
        if row.fields["verdict"] not in VERDICT_WORDS:
            row.fail("verdict", f"must be one of {', '.join(VERDICT_WORDS)}")
        if row.fields["reach"] not in SCORED:
            row.fail("reach", f"must be one of {', '.join(SCORED)}")
        if row.fields["computed"] not in ("", "inf") and parse_number(row.fields["computed"]) is None:
            row.fail("computed", "must be a number, inf or empty")
        if row.fields["id"] in found:
            row.refuse("the row appears twice")
        found[row.fields["id"]] = row.fields["verdict"]
    return found


def write_verdicts(path: Path, scores: Sequence[Score]) -> None:
    """Record the verdicts; the numbers beside them, to four figures, are for the reader.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([column.stem for column in _VERDICT_COLUMNS])
    for each in scores:
        computed = "" if math.isnan(each.computed) else f"{each.computed:.4g}"
        writer.writerow([each.row.id, each.row.reach, computed, each.verdict])
    try:
        path.write_text(table.getvalue(), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def changes(scores: Sequence[Score], recorded: Mapping[str, str]) -> list[str]:
    """One phrase for every row whose verdict is not the recorded one, or that is on one side only."""
    now = {each.row.id: each.verdict for each in scores}
    found = [
        f"{key}: {recorded.get(key, 'not recorded')} before, {verdict} now"
        for key, verdict in now.items()
        if recorded.get(key) != verdict
    ]
    return found + [f"{key}: {verdict} before, not scored now" for key, verdict in recorded.items() if key not in now]


# ------------------------------------------------------------------------------------------------- the written page


def number(value: float) -> str:
    """A computed value to three figures, whole numbers whole; a cross where there is none."""
    if math.isnan(value):
        return "✗"
    if math.isinf(value):
        return "none"
    return f"{value:.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table as Markdown, with the signs that would break it replaced."""
    cells = [head, ["---"] * len(head), *lines]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "/").replace("<", "&lt;") for cell in row) + " |" for row in cells
    )


def tables(scores: Sequence[Score], rows: Mapping[str, Measurement]) -> dict[str, str]:
    """The tables of docs/validation.md as Markdown, by name."""
    head = ["id", "quantity", "computed", "band", "unit", "verdict", "how the value is formed", "source", "confidence"]

    def lines(reach: str) -> list[list[str]]:
        return [
            [
                *(each.row.id, f"{each.row.quantity}, {each.row.site}, {each.row.condition}", number(each.computed)),
                f"{each.row.band}{' (no band of the source)' * each.row.assumed}",
                *(each.row.unit, f"**{each.verdict}**" if each.verdict != "hit" else "hit"),
                *(each.row.words, each.row.source, each.row.confidence),
            ]
            for each in scores
            if each.row.reach == reach
        ]

    counts = {reach: sum(row.reach == reach for row in rows.values()) for reach in REACH}
    found = []
    for reach in SCORED:
        for confidence in ("read", "literature-memory"):
            chosen = [each for each in scores if each.row.reach == reach and each.row.confidence == confidence]
            words = [sum(each.verdict == word for each in chosen) for word in VERDICT_WORDS]
            found.append([reach, confidence, *map(str, words), str(len(chosen))])
    return {
        "score": markdown(["rows", "confidence", *VERDICT_WORDS, "all"], found),
        "evidence": markdown(head, lines("evidence")),
        "calibration": markdown(head, lines("calibration")),
        "reach": markdown(
            ["class", "meaning", "rows"], [[k.replace("_", " "), REACH[k], str(counts[k])] for k in REACH]
        ),
        "not reached": markdown(
            ["class", "why", "rows"], [[k.replace("_", " "), why, " ".join(ids)] for k, why, ids in not_reached(rows)]
        ),
    }


def write(page: Path, contents: Mapping[str, str]) -> None:
    """Put tables between the marks ``<!-- table: NAME -->`` and ``<!-- end -->`` of a page.

    Raises
    ------
    InputError
        If a mark is missing.
    """
    words = page.read_text(encoding="utf-8")
    for name, table in contents.items():
        mark = f"<!-- table: {name} -->"
        if mark not in words:
            raise InputError(f"{page}: the mark {mark} is missing")
        before, _, rest = words.partition(mark)
        words = f"{before}{mark}\n\n{table}\n\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
    page.write_text(words, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the tables into the page named; the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        sys.stderr.write("usage: python -m spinesim.validation PAGE, with the page to write to\n")
        return 2
    rows = read_measurements()
    write(Path(arguments[0]), tables(validate(load_model("adult"), rows), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
