"""Tables for the terminal and for the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib import metadata
from pathlib import Path

NUMBERS = "0123456789.+-<>=*x"


@dataclass
class Section:
    """A heading, what it compares, a table and what has to be known about it."""

    title: str
    text: str
    headers: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Bar:
    """Something asked of spinesim in the same run."""

    asked: str
    measured: str
    held: bool | None  #: None: not measured

    @property
    def verdict(self) -> str:
        """One word."""
        return {True: "held", False: "missed", None: "not measured"}[self.held]


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool) -> list[str]:
    """Lines of a table; columns whose entries begin like numbers stand to the right."""
    widths = [max(len(row[k]) for row in (headers, *rows)) for k in range(len(headers))]
    right = [k > 0 and all(row[k][:1] in NUMBERS for row in rows) for k in range(len(headers))]

    def line(row):
        cells = (f"{c:>{w}}" if r else f"{c:<{w}}" for c, w, r in zip(row, widths, right, strict=True))
        return "| " + " | ".join(cells) + " |" if markdown else "  ".join(cells).rstrip()

    rule = (
        "|" + "|".join(("-" * (w + 1) + ":" if r else "-" * (w + 2)) for w, r in zip(widths, right, strict=True)) + "|"
        if markdown
        else "  ".join("-" * w for w in widths)
    )
    return [line(headers), rule, *(line(row) for row in rows)]


def machine(packages: Sequence[str], load: float) -> list[str]:
    """What was measured on, without naming it, and with which versions."""
    return [
        f"{date.today().isoformat()}, {os.cpu_count()} cores of {_processor()}, {platform.system()}, "
        f"Python {platform.python_version()}; one thread unless said otherwise. "
        f"Load of the machine when the run began: {load:.1f}.",
        "Versions: " + ", ".join(f"{name} {metadata.version(name)}" for name in packages) + ".",
    ]


def _processor() -> str:
    """Name of the processor."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def text(about: Sequence[str], sections: Sequence[Section], bars: Sequence[Bar]) -> str:
    """The report for a terminal."""
    lines = [*about]
    for section in sections:
        lines += ["", section.title, *table(section.headers, section.rows, markdown=False)]
        lines += [f"* {note}" for note in section.notes]
    lines += ["", "Bars", *table(*_bars(bars), markdown=False)]
    return "\n".join(lines)


def markdown(about: Sequence[str], sections: Sequence[Section], bars: Sequence[Bar]) -> str:
    """The report as a page of the documentation."""
    lines = [
        "# Peers",
        "",
        "Other programs on the same problems, in one run on one machine. This page is written by",
        "",
        "```console",
        "$ make peers",
        "```",
        "",
        "which builds the problems from the adult, solves them with every peer that is installed and prints the same",
        "tables. Times are wall clock; all solvers are called in turn. A solver's own set-up counts, with the data",
        "already in memory and in its own matrix types.",
        "",
        *(line for entry in about for line in (entry, "")),
        "## Asked and measured",
        "",
        *table(*_bars(bars), markdown=True),
    ]
    for section in sections:
        lines += ["", f"## {section.title}", "", section.text, ""]
        lines += table(section.headers, section.rows, markdown=True)
        if section.notes:
            lines += ["", *(f"- {note}" for note in section.notes)]
    return "\n".join(lines) + "\n"


def _bars(bars: Sequence[Bar]):
    return ("asked", "measured", "verdict"), [(bar.asked, bar.measured, bar.verdict) for bar in bars]
