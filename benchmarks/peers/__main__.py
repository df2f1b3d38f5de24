"""Command line: ``python -m benchmarks.peers [--quick] [--skip opensim,osqp] [--write-docs docs/peers.md]``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")


def main() -> None:
    """Measure, print, and write the page if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repeats: proves that it works, its times mean little")
    parser.add_argument("--skip", default="", help="packages to leave out, separated by commas")
    parser.add_argument("--write-docs", type=Path, metavar="FILE", help="also write the tables as a Markdown page")
    given = parser.parse_args()
    for name in THREADS:
        os.environ.setdefault(name, "1")  # read when the libraries are loaded, so before them
    from benchmarks.peers import report, run

    def tell(what: str) -> None:
        print(f"... {what}", file=sys.stderr, flush=True)

    skip = [name for name in given.skip.split(",") if name]
    absent = [name for name in run.missing() if name not in skip]
    if absent:
        print(f"not installed and left out: {', '.join(absent)} (pip install -e '.[peers]')", file=sys.stderr)
    found = run.run(run.QUICK if given.quick else run.FULL, [*skip, *absent], tell)
    print(report.text(*found))
    if given.write_docs:
        given.write_docs.write_text(report.markdown(*found))


if __name__ == "__main__":
    main()
