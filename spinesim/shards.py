"""A sweep in parts: which blocks a shard solves, and the file of the whole from those of all shards.

A shard's file has the dimension ``case``, which numbers its cases within the whole sweep, beside the coordinates of
the whole. Its attributes name the shard and the digest of all that decides the numbers.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from spinesim.errors import InputError, ResultsFileError
from spinesim.results import alone, header, open_results, write_cases

CASE = "case"
SHARD, DIGEST = "shard", "sweep_digest"  # attributes


@dataclass(frozen=True)
class Shard:
    """One of several parts of a sweep."""

    number: int  #: from 1
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, length: int) -> range:
        """Consecutive entries of a list of this length that are the shard's.

        Raises
        ------
        InputError
            If there are fewer entries than shards.
        """
        if length < self.count:
            raise InputError(f"shard {self} is not allowed: the sweep has {length} blocks, so at most {length} shards")
        return range(length * (self.number - 1) // self.count, length * self.number // self.count)

    def template(self, whole: xr.Dataset, digest: str, cases: slice) -> xr.Dataset:
        """Coordinates and attributes of the shard's file, from those of the whole sweep."""
        words = {"long_name": "number of the case in the whole sweep", "units": "1"}
        numbers = xr.Variable(CASE, np.arange(cases.start, cases.stop), words)
        return whole.assign_coords({CASE: numbers}).assign_attrs({SHARD: str(self), DIGEST: digest})


def parse(text: str) -> Shard:
    """The shard that ``i/n`` names.

    Raises
    ------
    InputError
        If it is not of that form, or i is not from 1 to n.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text) if isinstance(text, str) else None
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise InputError(f"shard {text} is not allowed: it must be i/n with i from 1 to n, such as 2/8")
    return Shard(int(match[1]), int(match[2]))


def merge(output: str | os.PathLike[str], parts: Iterable[str | os.PathLike[str]]) -> xr.Dataset:
    """Join the files of all shards of a sweep; the file is that of the same sweep done at once.

    Parameters
    ----------
    output
        Results file to write.
    parts
        Files of all shards, in any order.

    Raises
    ------
    ResultsFileError
        If a part is missing, comes twice, is not finished, is cut off, belongs to another sweep or is no shard at all,
        or if ``output`` cannot be written.
    """
    target = Path(output)
    files = _ordered([Path(part) for part in parts])
    if target.resolve() in [file.resolve() for file in files]:
        raise ResultsFileError(f"{target} is one of the parts: choose another file for the whole.")
    first = open_results(files[0])
    dtypes = {str(name): array.dtype for name, array in first.data_vars.items()}
    attrs = {name: value for name, value in first.attrs.items() if name not in (SHARD, DIGEST)}
    template = xr.Dataset(coords=first.drop_vars([CASE, *dtypes]).coords, attrs=attrs)
    with alone(target):
        write_cases(target, template, json.loads(attrs["axes"]), dtypes, _cases(files))
    return open_results(target)


def _ordered(files: Sequence[Path]) -> list[Path]:
    """The files by the number of their shard, once they are known to be all of one sweep."""
    if not files:
        raise ResultsFileError("There is no part to merge.")
    found: dict[int, Path] = {}
    count = 0
    digests: dict[Path, str] = {}
    for file in files:
        attrs = header(file)
        if SHARD not in attrs:
            raise ResultsFileError(f"{file} is no shard of a sweep.")
        shard, digests[file] = parse(attrs[SHARD]), attrs[DIGEST]
        if digests[file] != digests[files[0]]:
            raise ResultsFileError(
                f"{files[0]} and {file} are shards of different sweeps: model, cases, options and versions must be the "
                "same in all."
            )
        if count not in (0, shard.count):
            raise ResultsFileError(f"{file} is one of {shard.count} shards, {files[0]} one of {count}.")
        count = shard.count
        if shard.number in found:
            raise ResultsFileError(f"{found[shard.number]} and {file} are both shard {shard}.")
        found[shard.number] = file
    if missing := [str(number) for number in range(1, count + 1) if number not in found]:
        words = f"shard {missing[0]} is" if len(missing) == 1 else f"shards {', '.join(missing)} are"
        raise ResultsFileError(f"Of {count} shards, {words} missing.")
    return [found[number] for number in sorted(found)]


def _cases(files: Iterable[Path]) -> Iterator[tuple[slice, dict[str, np.ndarray]]]:
    """The cases of every file and their variables, a file at a time."""
    for file in files:
        part = open_results(file)
        if pending := int((part["status"] == "pending").sum()):
            raise ResultsFileError(f"{file} is not finished, {pending} cases are pending: run its command again.")
        numbers = part[CASE].values
        yield slice(int(numbers[0]), int(numbers[-1]) + 1), {str(name): a.values for name, a in part.data_vars.items()}
