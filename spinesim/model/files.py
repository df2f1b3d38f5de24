"""CSV tables and TOML documents of a model folder, with the place of every value for clear errors.

Nothing is repaired: a value that is not exactly what its heading promises raises ``ModelError`` with file, line,
entry, value and what is allowed. Headings and keys carry the unit (``pcsa_cm2``, ``width_deg``); numbers leave this
file in SI units and radians.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from spinesim.errors import ModelError
from spinesim.units import DEGREE, SUFFIX

P = TypeVar("P", bound=BaseModel)

#: Unit suffixes that a heading of each dimension may carry; "" for a pure number.
UNITS: dict[str, tuple[str, ...]] = {
    "number": ("",),
    "length": ("m", "cm", "mm"),
    "area": ("m2", "cm2", "mm2"),
    "angle": ("rad", "deg"),
    "mass": ("kg",),
    "force": ("N",),
    "pressure": ("Pa", "kPa", "MPa", "mmHg"),
    "moment": ("Nm",),
    "acceleration": ("m_per_s2",),
    "stiffness": ("N_per_m", "N_per_mm"),
    "rotational stiffness": ("Nm_per_rad", "Nm_per_deg"),
    "rotational stiffness, quadratic": ("Nm_per_rad2",),
    "rotational stiffness, cubic": ("Nm_per_rad3",),
    "rate": ("per_rad", "per_deg"),
    "length per angle": ("m_per_rad", "mm_per_deg"),
}

_COMPOSED = {
    "": 1.0,
    "m_per_s2": 1.0,
    "Nm_per_rad2": 1.0,
    "Nm_per_rad3": 1.0,
    "per_rad": 1.0,
    "per_deg": 1.0 / DEGREE,
    "m_per_rad": 1.0,
    "mm_per_deg": SUFFIX["mm"] / DEGREE,
}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def si_value(unit: str) -> float:
    """SI value of one ``unit``, by its suffix."""
    return _COMPOSED[unit] if unit in _COMPOSED else SUFFIX[unit]


def headings(stem: str, dimension: str) -> dict[str, float]:
    """Headings allowed for a quantity, each with its factor to SI."""
    return {f"{stem}_{unit}" if unit else stem: si_value(unit) for unit in UNITS[dimension]}


def read_text(path: Path, label: str) -> str:
    """Text of a UTF-8 file; ``label`` names it in errors."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ModelError(f"{label}: the file is missing") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ModelError(f"{label} line {line}: not UTF-8 text; save the file as UTF-8") from None
    except OSError as error:
        raise ModelError(f"{label}: cannot be read ({error.strerror})") from None


def sentence(error: ValidationError) -> tuple[tuple[str | int, ...], Any, str]:
    """Where, which value and what is allowed, from the first complaint of a part."""
    first = error.errors()[0]
    message = first["msg"].replace("Input should be", "must be").replace("String should", "must")
    return first["loc"], first["input"], message[0].lower() + message[1:]


def nearest(name: str, known: Iterable[str]) -> str:
    """The most similar known name as the end of a message, or ""."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


# ---------------------------------------------------------------------------------------------------------- tables


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading without unit, and the field of the part it fills."""

    stem: str
    field: str
    dimension: str | None = None  #: None for text
    component: int | None = None  #: of a vector
    optional: bool = False  #: an empty cell leaves the field at its default; text may then be empty

    @property
    def allowed(self) -> dict[str, float]:
        """Allowed headings and their factors to SI."""
        return {self.stem: 1.0} if self.dimension is None else headings(self.stem, self.dimension)


def text(name: str, *, optional: bool = False) -> Column:
    """A text column of the same name as its field."""
    return Column(name, name, optional=optional)


def number(name: str, dimension: str, *, stem: str = "", optional: bool = False) -> Column:
    """A column of numbers."""
    return Column(stem or name, name, dimension, optional=optional)


def vector(name: str, dimension: str, *, stem: str = "") -> tuple[Column, Column, Column]:
    """Three columns x, y, z."""
    prefix = f"{stem}_" if stem else ""
    x, y, z = (Column(f"{prefix}{c}", name, dimension, component=i) for i, c in enumerate("xyz"))
    return x, y, z


#: The columns with which every table ends.
PROVENANCE = (text("source"), text("confidence"), text("notes", optional=True))


@dataclass(frozen=True)
class Row:
    """One line of a table: values in SI by field, and its place."""

    label: str  #: file
    line: int
    entry: str
    fields: Mapping[str, Any]
    cells: Mapping[str, tuple[str, ...]]  #: field -> headings of its cells
    raw: Mapping[str, str]  #: heading -> cell as written

    def fail(self, name: str, must: str, component: int = 0) -> NoReturn:
        """Refuse the value of the field ``name``."""
        heading = self.cells[name][component]
        raise ModelError(f"{self.label} line {self.line}: {self.entry}: {heading} = {self.raw[heading]}, {must}")

    def refuse(self, message: str) -> NoReturn:
        """Refuse the whole row."""
        raise ModelError(f"{self.label} line {self.line}: {self.entry}: {message}")

    def make(self, part: type[P], leave_out: Iterable[str] = (), **more: Any) -> P:
        """The part that this row describes, ``more`` fields added."""
        given = {k: v for k, v in self.fields.items() if k not in set(leave_out)} | more
        try:
            return part(**given)
        except ValidationError as error:
            where, value, must = sentence(error)
            name = str(where[0]) if where else ""
            if name not in self.cells:
                self.refuse(f"{name} = {value}, {must}")
            component = where[1] if len(where) > 1 and isinstance(where[1], int) else 0
            self.fail(name, must, component)


def parse_number(cell: str) -> float | None:
    """Value of a decimal number, None if it is not one."""
    value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
    return value if math.isfinite(value) else None


def _records(label: str, content: str) -> list[tuple[int, list[str]]]:
    """Line number and cells of every record, the headings first."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    records: list[tuple[int, list[str]]] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ModelError(f"{label} line {line}: damaged quotation marks or cells ({error})") from None
        if cells is None:
            return records
        if not cells:
            raise ModelError(f"{label} line {line}: the line is empty; remove it")
        if reader.line_num != line:
            raise ModelError(f"{label} line {line}: a cell runs over the end of the line; close its quotation mark")
        for cell in cells:
            if cell != cell.strip():
                raise ModelError(f"{label} line {line}: the cell '{cell}' has spaces around it; remove them")
        records.append((line, cells))


def _columns_of(
    label: str, head: Sequence[str], columns: Sequence[Column]
) -> tuple[dict[str, tuple[Column, float]], dict[str, tuple[str, ...]]]:
    """Column and factor by heading, and headings by field."""
    for heading in head:
        if head.count(heading) > 1:
            raise ModelError(f"{label} line 1: the column {heading} appears {head.count(heading)} times")
    known: dict[str, tuple[Column, float]] = {}
    cells: dict[str, tuple[str, ...]] = {}
    for column in columns:
        present = [h for h in head if h in column.allowed]
        if not present:
            raise ModelError(f"{label} line 1: the column {' or '.join(column.allowed)} is missing")
        if len(present) > 1:
            raise ModelError(f"{label} line 1: the columns {' and '.join(present)} say the same; keep one")
        known[present[0]] = column, column.allowed[present[0]]
        cells[column.field] = (*cells.get(column.field, ()), present[0])
    for heading in head:
        if heading not in known:
            allowed = ", ".join(h for c in columns for h in list(c.allowed)[:1])
            raise ModelError(f"{label} line 1: unknown column '{heading}'; the columns are {allowed}")
    return known, cells


def read_table(path: Path, label: str, columns: Sequence[Column], entry: str, patterns: str = "") -> list[Row]:
    """Rows of a CSV table.

    Parameters
    ----------
    entry
        Template of the name by which errors call a row, such as ``"{level} {coordinate}"``.
    patterns
        Regular expression of further number columns in degrees or radians whose headings name coordinates
        (``hip_r.flexion_deg``); they land in the field of that heading.
    """
    records = _records(label, read_text(path, label))
    if not records:
        raise ModelError(f"{label}: the file is empty")
    head = records[0][1]
    if len(records) == 1:
        raise ModelError(f"{label}: the table has headings but no rows")
    extra = tuple(
        number(h.rpartition("_")[0], "angle", optional=True) for h in head if patterns and re.fullmatch(patterns, h)
    )
    known, cells = _columns_of(label, head, (*columns, *extra))
    rows = []
    for line, values in records[1:]:
        if len(values) != len(head):
            raise ModelError(f"{label} line {line}: {len(values)} cells, but the table has {len(head)} columns")
        raw = dict(zip(head, values, strict=True))
        first = {known[h][0].field: raw[h] for h in head}
        row = Row(label, line, entry.format(**first), {}, cells, raw)
        fields: dict[str, Any] = {}
        for heading, (column, factor) in known.items():
            cell = raw[heading]
            if not cell and not column.optional:
                raise ModelError(f"{label} line {line}: {row.entry}: {heading} is empty")
            if column.dimension is None:
                fields[column.field] = cell
                continue
            if not cell:
                continue
            value = parse_number(cell)
            if value is None:
                raise ModelError(f"{label} line {line}: {row.entry}: {heading} = {cell}, must be a finite number")
            value *= factor
            if column.component is None:
                fields[column.field] = value
            else:
                fields[column.field] = (*fields.get(column.field, ()), value)
        rows.append(Row(label, line, row.entry, fields, cells, raw))
    return rows


# ------------------------------------------------------------------------------------------------------- documents


@dataclass
class Document:
    """A TOML file; ``line_of`` finds the line of a key for errors."""

    label: str
    content: str
    data: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, label: str) -> Document:
        """Parse a file."""
        content = read_text(path, label)
        try:
            return cls(label, content, tomllib.loads(content))
        except tomllib.TOMLDecodeError as error:
            raise ModelError(f"{label}: not valid TOML: {error}") from None

    def line_of(self, keys: Sequence[str]) -> int:
        """Line of the nearest written key on the path ``keys``; 1 if none is found."""
        table: list[str] = []
        best, depth = 1, 0
        for count, line in enumerate(self.content.splitlines(), 1):
            written = line.strip()
            if written.startswith("["):
                table = [k.strip().strip('"') for k in written.partition("#")[0].strip("[] ").split(".")]
                path = table
            elif "=" in written:
                path = [*table, written.partition("=")[0].strip().strip('"')]
            else:
                continue
            if path == list(keys[: len(path)]) and len(path) > depth:
                best, depth = count, len(path)
        return best

    def fail(self, keys: Sequence[str], message: str) -> NoReturn:
        """Refuse the value at ``keys``."""
        raise ModelError(f"{self.label} line {self.line_of(keys)}: {message}")


class Section:
    """A table of a document, read key by key; ``close`` refuses the keys nobody asked for."""

    def __init__(self, document: Document, keys: Sequence[str] = (), data: Any = None) -> None:
        self.document = document
        self.keys = tuple(keys)
        self.data = document.data if data is None else data
        self.asked: dict[str, None] = {}
        if not isinstance(self.data, dict):
            document.fail(self.keys, f"{self.name} must be a table")

    @property
    def name(self) -> str:
        """Dotted name for errors."""
        return ".".join(self.keys) or "the file"

    def fail(self, key: str, must: str) -> NoReturn:
        """Refuse the value of a key."""
        dotted = ".".join((*self.keys, key))
        shown = f" = {self.data[key]}" if key in self.data else ""
        self.document.fail((*self.keys, key), f"{dotted}{shown}, {must}")

    def _need(self, key: str) -> Any:
        self.asked[key] = None
        if key not in self.data:
            self.document.fail(self.keys, f"{'.'.join((*self.keys, key))} is missing")
        return self.data[key]

    def has(self, key: str) -> bool:
        """Whether the key is written."""
        self.asked[key] = None
        return key in self.data

    def text(self, key: str, default: str | None = None) -> str:
        """A text value."""
        self.asked[key] = None
        if key not in self.data and default is not None:
            return default
        value = self._need(key)
        if not isinstance(value, str):
            self.fail(key, "must be text")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._need(key)
        if not isinstance(value, bool):
            self.fail(key, "must be true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty when the key is absent."""
        self.asked[key] = None
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.fail(key, "must be a list of texts")
        return tuple(value)

    def sections(self, key: str) -> list[Section]:
        """A list of tables, empty when the key is absent."""
        self.asked[key] = None
        value = self.data.get(key, [])
        if not isinstance(value, list):
            self.fail(key, "must be a list of tables")
        return [Section(self.document, (*self.keys, key), v) for v in value]

    def entries(self, key: str) -> list[Section | str]:
        """A list of tables and texts, empty when the key is absent."""
        self.asked[key] = None
        value = self.data.get(key, [])
        if not isinstance(value, list):
            self.fail(key, "must be a list")
        return [v if isinstance(v, str) else Section(self.document, (*self.keys, key), v) for v in value]

    def section(self, key: str) -> Section:
        """A table."""
        return Section(self.document, (*self.keys, key), self._need(key))

    def key_with_unit(self, stem: str, dimension: str) -> tuple[str, float]:
        """The one key written for a quantity and its factor to SI."""
        allowed = headings(stem, dimension)
        present = [k for k in allowed if k in self.data]
        self.asked.update(dict.fromkeys(present))
        if not present:
            wanted = " or ".join(".".join((*self.keys, k)) for k in allowed)
            self.document.fail(self.keys, f"{wanted} is missing")
        if len(present) > 1:
            self.fail(present[1], f"says the same as {present[0]}; keep one")
        return present[0], allowed[present[0]]

    def has_quantity(self, stem: str, dimension: str) -> bool:
        """Whether a key of that quantity is written, in whatever unit."""
        return any(key in self.data for key in headings(stem, dimension))

    def finite(self, key: str, value: Any) -> float:
        """``value`` as a finite float."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fail(key, "must be a number")
        try:
            result = float(value)
        except OverflowError:
            self.fail(key, "must be a finite number")
        if not math.isfinite(result):
            self.fail(key, "must be a finite number")
        return result

    def number(self, stem: str, dimension: str) -> float:
        """A number whose key carries the unit, in SI."""
        key, factor = self.key_with_unit(stem, dimension)
        return self.finite(key, self.data[key]) * factor

    def numbers(self, stem: str, dimension: str, count: int) -> tuple[float, ...]:
        """A list of ``count`` numbers whose key carries the unit, in SI."""
        key, factor = self.key_with_unit(stem, dimension)
        value = self.data[key]
        if not isinstance(value, list) or len(value) != count:
            self.fail(key, f"must be a list of {count} numbers")
        return tuple(self.finite(key, v) * factor for v in value)

    def angles(self, stem: str, dimension: str = "angle") -> dict[str, float]:
        """A table of numbers by name whose key carries the unit, in SI; empty when absent."""
        allowed = headings(stem, dimension)
        if not any(k in self.data for k in allowed):
            return {}
        key, factor = self.key_with_unit(stem, dimension)
        inner = self.section(key)
        return {k: inner.finite(k, v) * factor for k, v in inner.data.items()}

    def make(self, part: type[P], **fields: Any) -> P:
        """The part with these fields; its complaints name the key."""
        try:
            return part(**fields)
        except ValidationError as error:
            where, value, must = sentence(error)
            name = str(where[0]) if where else ""
            key = next((k for k in self.asked if k == name or k.startswith(name + "_")), name)
            if key in self.data:
                self.fail(key, must)
            self.document.fail(self.keys, f"{'.'.join((*self.keys, name))} = {value}, {must}")

    def close(self) -> None:
        """Refuse keys that have no meaning here."""
        for key in self.data:
            if key not in self.asked:
                known = ", ".join(self.asked)
                self.document.fail((*self.keys, key), f"unknown key {'.'.join((*self.keys, key))}; known are {known}")
