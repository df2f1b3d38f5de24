"""A copy of the adult in which one thing is spoiled."""

import csv
import io
import shutil
from pathlib import Path

from spinesim.model.read import models_folder


def copy_of_adult(folder: Path) -> Path:
    """A private copy of the shipped adult."""
    return Path(shutil.copytree(models_folder() / "adult", folder / "adult"))


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that occurs exactly once."""
    content = path.read_text(encoding="utf-8")
    assert content.count(old) == 1, (path.name, old, content.count(old))
    path.write_text(content.replace(old, new), encoding="utf-8")


def cells(path: Path) -> list[list[str]]:
    """All cells of a table, headings first."""
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def write(path: Path, rows: list[list[str]]) -> None:
    """Write a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def set_cell(path: Path, line: int, heading: str, value: str) -> None:
    """Replace one cell; ``line`` counts from 1, the headings."""
    rows = cells(path)
    rows[line - 1][rows[0].index(heading)] = value
    write(path, rows)


def line_of(path: Path, first: str, skip: int = 0) -> int:
    """Line whose first cell is ``first``."""
    found = [i for i, row in enumerate(cells(path), 1) if row and row[0] == first]
    return found[skip]
