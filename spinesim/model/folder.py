"""A model folder: its files, its sources, and its numbers with where they come from."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Any

from spinesim.errors import ModelError
from spinesim.model.columns import ENTRY, OPTIONAL, POSE, TABLES
from spinesim.model.files import PROVENANCE, Document, Row, Section, read_table
from spinesim.model.parts import Sourced

#: Recorded verdicts of `spinesim.validation`: kept beside a model, no part of it.
VERDICTS = "verdicts.csv"
#: Constants that no table gives: those that a calibration chooses, in the same sections as in `spinesim.model.parts`.
CALIBRATION = "calibration.toml"
CALIBRATED = {
    "scatter": {"activation": "number", "centre_of_mass": "length"},
    "neutral_zone": {"fraction": "number"},
    "stability": {"margin": "rotational stiffness", "short_range": "number"},
}


class ModelFolder:
    """Tables and documents of one folder; ``label`` names it in errors."""

    def __init__(self, path: Path, label: str) -> None:
        self.path = path
        self.label = label
        if not (path / "model.toml").is_file():
            raise ModelError(f"{label}: model.toml is missing, so this folder is not a model")
        for file in self.files():
            name = file.relative_to(path).as_posix()
            if file.suffix == ".csv" and (file.stem not in TABLES or "/" in name):
                near = difflib.get_close_matches(file.stem, TABLES, n=1)
                hint = f" (did you mean {near[0]}.csv?)" if near else ""
                raise ModelError(f"{label}/{name}: no such table{hint}; the tables are {', '.join(TABLES)}")
        self.sources = self._sources()
        self.constants: dict[str, Sourced] = {}

    def files(self) -> list[Path]:
        """All tables and documents of the model, sorted."""
        found = (p for p in self.path.rglob("*") if p.suffix in (".csv", ".toml"))
        return sorted(p for p in found if p != self.path / VERDICTS)

    def digest(self) -> str:
        """SHA-256 over the names and contents of all files."""
        result = hashlib.sha256()
        for file in self.files():
            result.update(file.relative_to(self.path).as_posix().encode() + b"\0")
            result.update(file.read_bytes() + b"\0")
        return result.hexdigest()

    def document(self, name: str) -> Document:
        """A TOML file of the folder."""
        return Document.read(self.path / name, f"{self.label}/{name}")

    def _sources(self) -> dict[str, str]:
        section = Section(self.document("sources.toml"))
        return {key: section.text(key) for key in section.data}

    def missing_source(self, source: str) -> str:
        """What is wrong with a source entry (keys joined by +), or ""."""
        unknown = [key for key in source.split("+") if key not in self.sources]
        return f"must be keys of sources.toml joined by +, but '{unknown[0]}' is not one" if unknown else ""

    def table(self, name: str) -> list[Row]:
        """Rows of a table, each with a known source and confidence; none if an optional table is absent."""
        path = self.path / f"{name}.csv"
        if name in OPTIONAL and not path.exists():
            return []
        rows = read_table(
            path,
            f"{self.label}/{name}.csv",
            (*TABLES[name], *PROVENANCE),
            ENTRY.get(name, "{name}"),
            POSE if name == "tests" else "",
        )
        for row in rows:
            wrong = self.missing_source(row.fields["source"])
            if wrong:
                row.fail("source", wrong)
            row.make(Sourced, leave_out=set(row.fields) - {"source", "confidence", "notes"})
        return rows

    def provenance(self, section: Section) -> dict[str, str]:
        """Source, confidence and notes of a table of a document, the source a known one."""
        source = section.text("source")
        wrong = self.missing_source(source)
        if wrong:
            section.fail("source", wrong)
        return {"source": source, "confidence": section.text("confidence"), "notes": section.text("notes", "")}

    def quantity(self, section: Section, stem: str, dimension: str, count: int = 0) -> Any:
        """A number (or ``count`` numbers) written as { value, source, confidence, notes }, in SI."""
        key, factor = section.key_with_unit(stem, dimension)
        entry = section.section(key)
        values = entry.numbers("value", "number", count) if count else (entry.number("value", "number"),)
        self.constants[".".join(entry.keys)] = entry.make(Sourced, **self.provenance(entry))
        entry.close()
        values = tuple(v * factor for v in values)
        return values if count else values[0]
