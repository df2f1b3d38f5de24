"""Drawn cases from a table: one row per sample, the names of the parameters on top."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from spinesim.errors import InputError


def read_samples(path: Path) -> dict[str, list[float]]:
    """Columns of a CSV file by the names in its first line.

    Raises
    ------
    InputError
        If the file cannot be read, a name is missing or comes twice, a row is too short or too long, or an entry is
        not a finite number.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"{path} cannot be read: {reason}.") from error
    rows = csv.reader(text.splitlines())
    names = [name.strip() for name in next(rows, [])]
    if not names or not all(names):
        raise InputError(f"{path} line 1: it must name a parameter in every column.")
    columns: dict[str, list[float]] = {}
    for name in names:
        if name in columns:
            raise InputError(f"{path} line 1: {name} comes twice.")
        columns[name] = []
    for row in rows:
        if not row:
            continue
        where = f"{path} line {rows.line_num}"
        if len(row) != len(names):
            raise InputError(f"{where}: it has {len(row)} values, but there are {len(names)} names.")
        for name, entry in zip(names, row, strict=True):
            columns[name].append(_number(where, name, entry))
    if not columns[names[0]]:
        raise InputError(f"{path} has no samples below its names.")
    return columns


def _number(where: str, name: str, entry: str) -> float:
    try:
        value = float(entry)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {name} = {entry.strip() or 'nothing'} is not a number.")
    return value
