"""Measure two commits side by side and compare them: ``python -m benchmarks.measure BASE HEAD [--bench REGEX]``.

Each commit is checked out into a folder of its own and its suite runs there, in the present environment. The commits
take turns three times (base, head, base, head, ...), so that a disturbed machine disturbs both; every turn is stored
as asv's results below ``.asv/compare/``, and the comparison takes medians over the turns. The exit status is that of
``benchmarks.compare``, whose arguments are understood as well.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.compare import BadInputError, arguments, commit_of, machine_name, show

TURNS = 3


@contextlib.contextmanager
def tree_of(commit, place):
    """The files of one commit in a folder of their own, gone afterwards."""
    tree = place / commit[:8]
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), commit], check=True)
    try:
        yield tree
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], check=True)


def environment_of(tree):
    """The present environment, with the package of the tree in place of the installed one.

    asv takes PYTHONPATH off the path of its own processes unless ASV_PYTHONPATH is set; the processes that a benchmark
    starts need PYTHONPATH. The kernels of the tree are kept beside it: their cache is of no use once the tree is gone.
    """
    cache = tree.with_name(f"{tree.name}-cache")
    return os.environ | {"PYTHONPATH": str(tree), "ASV_PYTHONPATH": str(tree), "SPINESIM_CACHE_DIR": str(cache)}


def check_import(tree):
    """Ask a process that asv starts in the same way whose spinesim it imports."""
    from asv.runner import BENCHMARK_RUN_SCRIPT

    imported = "import pathlib, spinesim; print(pathlib.Path(spinesim.__file__).resolve().parents[1])"
    command = [sys.executable, BENCHMARK_RUN_SCRIPT, "timing", "--number=1", "--repeat=1", imported]
    asked = subprocess.run(
        command, env=environment_of(tree), cwd=tree.parent, capture_output=True, text=True, check=False
    )
    found = asked.stdout.partition("\n")[0]
    if asked.returncode != 0 or Path(found) != tree.resolve():
        reason = asked.stderr.strip().rpartition("\n")[2] or f"{found} is imported instead"
        raise BadInputError(f"the spinesim of {tree.name} cannot be imported ({reason}): nothing was measured")


def run(tree, commit, results, bench):
    """One turn of one commit: run its suite with asv and store the figures under the commit."""
    settings = {
        "version": 1,
        "project": "spinesim",
        "repo": str(Path.cwd()),
        "branches": [commit],
        "benchmark_dir": str(tree / "benchmarks"),
        "results_dir": str(results),
        "environment_type": "existing",
        "default_benchmark_timeout": 600,
    }
    file = tree.with_name(f"{tree.name}.json")
    file.write_text(json.dumps(settings), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "asv",
        "run",
        f"--config={file}",
    ]
    command += [f"--set-commit-hash={commit}", "--show-stderr", "--attribute=rounds=1"]  # the turns are the rounds
    command += [f"--bench={bench}"] if bench else []
    status = subprocess.run(command, env=environment_of(tree), check=False).returncode
    if status not in (0, 2):  # 2: a benchmark failed, which the comparison tells
        raise BadInputError(
            f"asv could not measure {commit[:8]} (its message is above): check that the suite of that commit can be "
            "imported and that --bench fits one of its benchmarks"
        )


def measure(base, head, bench):
    """Measure two commits in turns; the folder of asv's results."""
    if base == head:
        raise BadInputError(f"BASE and HEAD are both {base[:8]}: name two different commits")
    results = Path.cwd() / ".asv" / "compare" / f"{base[:8]}-{head[:8]}"
    shutil.rmtree(results, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="spinesim-bench-")))
        trees = {commit: stack.enter_context(tree_of(commit, place)) for commit in (base, head)}
        for tree in trees.values():
            check_import(tree)
        for turn in range(1, TURNS + 1):
            for commit, tree in trees.items():
                print(f"\n== turn {turn} of {TURNS}: {commit[:8]}", flush=True)
                run(tree, commit, results / f"turn-{turn}", bench)
    return results


def main(argv=None):
    """The command; its exit status is returned."""
    parser = arguments("Measure two commits in turns and compare them.")
    parser.add_argument("--bench", metavar="REGEX", help="only the benchmarks whose name this finds, e.g. HeldSweep")
    given = parser.parse_args(argv)
    try:
        results = measure(commit_of(given.base), commit_of(given.head), given.bench)
        print(f"\n== {given.base} and {given.head}, stored in {os.path.relpath(results)}")
        return show(results, machine_name(), given.base, given.head, given.factor, given.json)
    except BadInputError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
