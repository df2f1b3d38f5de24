"""Compare what asv has stored for two commits on this machine: ``python -m benchmarks.compare BASE HEAD``.

One row per benchmark and set of parameters. A row is flagged with one of these verdicts:

- ``slower``: a time whose median at HEAD exceeds ``factor`` times the median at BASE, each of three repeats or more;
- ``share solved fell``: a ``track_share_solved`` that fell at all;
- ``residual rose``: a ``track_worst_residual`` that rose, and to more than 1e-6 N m;
- ``failed``: a benchmark that worked at BASE and fails at HEAD.

The others are told and not flagged: ``faster`` (by the same factor), ``same``, ``too few repeats`` (beyond the factor,
but with fewer than three repeats on a side), ``missing at base``, ``missing at head``, ``works again``,
``failed at both``, ``benchmark changed`` (its code differs, so the numbers cannot be compared) and ``not judged``
(tracked, but with no rule, as a size of a file).

The exit status is 0 if nothing is flagged, 1 if something is, and 2 if there is nothing to compare; then one sentence
says what is missing. ``--json FILE`` writes::

    {"base": "<hash>", "head": "<hash>", "machine": "<name>", "factor": 1.3, "flagged": <number of flagged rows>,
     "rows": [{"name": "sweeps.HeldSweep.time_sweep", "params": ["100"], "unit": "seconds",
               "base": 0.021, "head": 0.034, "ratio": 1.62, "repeats": [9, 9], "verdict": "slower",
               "flagged": true}, ...]}

``params`` are strings, as asv writes them. ``base``, ``head`` and ``ratio`` are null where a number is missing;
``repeats`` are those at BASE and at HEAD.
"""

import argparse
import itertools
import json
import math
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

# asv itself is imported where it is used: it imports every module of this folder when it looks for benchmarks, also
# in environments that hold no asv.

FACTOR = 1.3
REPEATS = 3  # a median of fewer says nothing: one disturbed repeat would decide it
RESIDUAL_LIMIT = 1e-6  # N m, what every solved case promises
FLAGGED = ("slower", "share solved fell", "residual rose", "failed")
TIME_UNITS = ("seconds", "s", "ms", "us")


class BadInputError(Exception):
    """What was asked for cannot be compared; the message says why and what to do."""


@dataclass
class Stored:
    """What is stored of one benchmark at one set of parameters.

    ``values`` has one entry per result file: asv's median for a time, the tracked value otherwise, None if it failed.
    """

    values: list = field(default_factory=list)
    repeats: int = 0
    versions: set = field(default_factory=set)


def commit_of(revision):
    """Hash of any revision that git understands."""
    command = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BadInputError(f"git cannot be run ({error}): install it") from None
    if found.returncode != 0:
        raise BadInputError(
            f"git knows no revision {revision!r} here: check its name, or fetch it if the clone is shallow"
        )
    return found.stdout.strip()


def machine_name():
    """Name under which asv stores what is measured on this machine."""
    from asv.machine import Machine, MachineCollection
    from asv.util import UserError

    try:
        return MachineCollection.load(Machine.get_unique_machine_name())["machine"]
    except UserError:  # asv has not been told; it would take the name of the host
        return platform.node()


def read(path):
    """Tuples of (name, parameters, value, repeats, version) of one of asv's result files; None stands for a failure."""
    from asv.results import Results

    result = Results.load(str(path))
    for name in result.get_all_result_keys():
        lists = result.get_result_params(name)
        values = result.get_result_value(name, lists)
        stats = result.get_result_stats(name, lists)
        version = result.benchmark_version[name]
        for params, value, stat in zip(itertools.product(*lists), values, stats, strict=True):
            number = None if value is None else float(value)
            yield name, params, number, int((stat or {}).get("repeat") or 1), version


def read_units(path):
    """Unit of every benchmark in asv's list of benchmarks."""
    from asv.benchmarks import Benchmarks
    from asv.util import load_json

    return {name: benchmark.get("unit") for name, benchmark in load_json(str(path), Benchmarks.api_version).items()}


def readable(reader, path):
    """What ``reader`` makes of a file, or a sentence about the file."""
    from asv.util import UserError

    try:
        return reader(path)
    except (UserError, OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadInputError(
            f"{path} cannot be read as a file of asv ({reason}): delete it and measure that commit again"
        ) from None


def files_of(results, machine, revision, commit):
    """Result files of one commit, by the name of the environment in which they were measured."""
    files = {}
    for path in sorted(results.rglob(f"{commit[:8]}-*.json")):
        if path.parent.name == machine:
            files.setdefault(path.name.split("-", 1)[1], []).append(path)
    if not files:
        raise BadInputError(
            f"no results of {revision} ({commit[:8]}) on machine {machine!r} are stored in {results}: measure it "
            "with `make bench` on that commit, or both commits with `make bench-compare`"
        )
    return files


def tracks_quality(name):
    """Whether a benchmark tracks how well cases are solved; there a number that is not one is the worst outcome."""
    return name.rpartition(".")[2] in ("track_share_solved", "track_worst_residual")


def stored(files):
    """Everything in the given result files, by name and parameters."""
    found = {}
    for path in files:
        for name, params, value, repeats, version in readable(lambda path: list(read(path)), path):
            if value is not None and math.isnan(value) and not tracks_quality(name):
                continue  # not selected, or skipped
            entry = found.setdefault((name, params), Stored())
            entry.values.append(value)
            entry.repeats += repeats
            entry.versions.add(version)
    return found


def number_of(name, entry):
    """One number for all files: the median, or the worst where a benchmark tracks how well cases are solved."""
    if entry is None or None in entry.values:
        return None
    if tracks_quality(name):
        if any(math.isnan(value) for value in entry.values):
            return math.nan
        return min(entry.values) if name.endswith("track_share_solved") else max(entry.values)
    return statistics.median(entry.values)


def verdict_of(name, unit, base, head, factor):
    """The verdict on one row; ``base`` and ``head`` are what is stored, or None."""
    if base is None or head is None:
        return "missing at base" if base is None else "missing at head"
    before, after = number_of(name, base), number_of(name, head)
    if before is None or after is None:
        return "failed" if before is not None else "works again" if after is not None else "failed at both"
    if math.isnan(before):
        return "missing at base"
    if base.versions != head.versions:
        return "benchmark changed"

    kind = name.rpartition(".")[2]
    if kind == "track_share_solved":
        return "same" if after >= before else "share solved fell"
    if kind == "track_worst_residual":
        return "same" if after <= max(before, RESIDUAL_LIMIT) else "residual rose"
    if not kind.startswith("time") and unit not in TIME_UNITS:
        return "same" if after == before else "not judged"
    if before / factor <= after <= before * factor:
        return "same"
    if min(base.repeats, head.repeats) < REPEATS:
        return "too few repeats"
    return "slower" if after > before else "faster"


def compare(results, machine, base, head, factor):
    """The machine-readable result: see the head of this file.

    Parameters
    ----------
    results : Path
        Folder of asv's results; result files of a commit in several of its sub-folders count as repeats.
    base, head : str
        Any git revisions.
    """
    commits = [commit_of(base), commit_of(head)]
    if not results.is_dir():
        raise BadInputError(
            f"there is no folder {results}: measure first, or name the folder of asv's results with --results"
        )
    files = [files_of(results, machine, *pair) for pair in zip((base, head), commits, strict=True)]
    shared = sorted(files[0].keys() & files[1].keys())
    if not shared:
        raise BadInputError(
            f"{base} and {head} were measured in different environments: measure both with the same interpreter"
        )
    before, after = (stored([path for environment in shared for path in side[environment]]) for side in files)
    units = {}
    for folder in sorted({path.parents[1] for side in files for paths in side.values() for path in paths}):
        units |= readable(read_units, folder / "benchmarks.json")

    rows = []
    for name, params in sorted(before.keys() | after.keys()):
        entries = before.get((name, params)), after.get((name, params))
        numbers = [number_of(name, entry) for entry in entries]
        if all(number is not None and math.isnan(number) for number in numbers):
            continue  # run on neither side
        verdict = verdict_of(name, units.get(name), *entries, factor)
        numbers = [None if number is None or math.isnan(number) else number for number in numbers]
        rows.append(
            {
                "name": name,
                "params": list(params),
                "unit": units.get(name),
                "base": numbers[0],
                "head": numbers[1],
                "ratio": numbers[1] / numbers[0] if None not in numbers and numbers[0] != 0 else None,
                "repeats": [0 if entry is None else entry.repeats for entry in entries],
                "verdict": verdict,
                "flagged": verdict in FLAGGED,
            }
        )
    return {
        "base": commits[0],
        "head": commits[1],
        "machine": machine,
        "factor": factor,
        "flagged": sum(row["flagged"] for row in rows),
        "rows": rows,
    }


def table(result):
    """The rows as lines of text, and a last line with the outcome."""
    from asv.util import human_time

    def number(value, unit):
        if value is None:
            return "-"
        return human_time(value) if unit == "seconds" else f"{value:.4g}{'' if unit in (None, '1') else f' {unit}'}"

    lines = [["benchmark", f"base {result['base'][:8]}", f"head {result['head'][:8]}", "ratio", "repeats", "verdict"]]
    for row in result["rows"]:
        lines.append(
            [
                row["name"] + (f"({', '.join(row['params'])})" if row["params"] else ""),
                number(row["base"], row["unit"]),
                number(row["head"], row["unit"]),
                "-" if row["ratio"] is None else f"{row['ratio']:.2f}",
                "{}, {}".format(*row["repeats"]),
                row["verdict"].upper() if row["flagged"] else row["verdict"],
            ]
        )
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    outcome = f"{result['flagged']} of {len(result['rows'])} flagged, at {result['factor']:g} times the median"
    return "\n".join([*texts, "", outcome])


def _factor(text):
    value = float(text)
    if not 1 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a factor of 1 or more")
    return value


def arguments(description):
    """The arguments that comparing shares with measuring."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("base", metavar="BASE", help="git revision to compare with")
    parser.add_argument("head", metavar="HEAD", help="git revision to judge")
    parser.add_argument("--factor", type=_factor, default=FACTOR, help="slower by more is flagged (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result to this file")
    return parser


def show(results, machine, base, head, factor, json_file=None):
    """Compare, print the table, write the file; the exit status."""
    result = compare(results, machine, base, head, factor)
    print(table(result))
    if json_file is not None:
        try:
            json_file.write_text(json.dumps(result, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise BadInputError(f"{json_file} cannot be written ({error.strerror}): name another file") from None
    return 1 if result["flagged"] else 0


def main(argv=None):
    """The command; its exit status is returned."""
    parser = arguments("Compare what asv has stored for two commits.")
    parser.add_argument("--results", type=Path, default=Path(".asv/results"), help="asv's folder (%(default)s)")
    parser.add_argument("--machine", help="name of the machine, if the results come from another one")
    given = parser.parse_args(argv)
    try:
        machine = given.machine or machine_name()
        return show(given.results, machine, given.base, given.head, given.factor, given.json)
    except BadInputError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
