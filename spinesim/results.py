"""Results on disk: netCDF4 files, and the store from which a stopped sweep resumes.

A file is written beside its place and moved there when complete, so a crash leaves the last complete state. It opens
in xarray, HDFView, MATLAB and R. Its attribute ``spinesim_results`` (JSON) marks it as ours and keeps what HDF5
forgets, the order of the variables and the length of their words; `open_results` uses and removes it. Nothing is
masked, scaled or filled: the values come back bit by bit.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import shutil
import sys
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import h5netcdf
import h5py
import numpy as np
import xarray as xr

from spinesim.errors import ResultsFileError
from spinesim.variables import (
    ADAPTATION_COORDINATES,
    ADAPTATIONS,
    ASSESSMENT_COORDINATES,
    ASSESSMENTS,
    COMPARISON_COORDINATES,
    COMPARISONS,
    COORDINATES,
    SENSITIVITIES,
    SENSITIVITY_COORDINATES,
    VARIABLES,
    attributes,
)

_MARK = "spinesim_results"
_VERSION = 1
_BATCH_BYTES = 32_000_000  # written at a time: few calls to HDF5, little memory


def check(dataset: xr.Dataset) -> None:
    """Refuse a dataset that does not follow the register of variables.

    Raises
    ------
    ResultsFileError
        Naming the variable or attribute and what is expected of it.
    """
    variables = VARIABLES | ASSESSMENTS | SENSITIVITIES | COMPARISONS | ADAPTATIONS
    coordinates = COORDINATES | ASSESSMENT_COORDINATES | SENSITIVITY_COORDINATES | COMPARISON_COORDINATES
    coordinates |= ADAPTATION_COORDINATES
    for name, array in dataset.variables.items():
        if name in dataset.data_vars and name not in variables:
            raise ResultsFileError(f"{name} is not a result variable of spinesim and cannot be saved.")
        register = variables.get(str(name)) or coordinates.get(str(name))
        words = register is not None and not register.units and name in variables
        allowed = "U" if words else "f" if name in variables else "fiuU"
        if array.dtype.kind not in allowed:
            kind = "words" if words else "floating-point numbers" if name in variables else "numbers or words"
            raise ResultsFileError(f"{name} holds values of type {array.dtype}: {kind} can be saved.")
        if register is not None:
            if array.ndim and array.dims[array.ndim - len(register.dims) :] != register.dims:
                raise ResultsFileError(f"{name} has dimensions {array.dims}: they must end in {register.dims}.")
            if attributes(register.name).items() - array.attrs.items():
                raise ResultsFileError(
                    f"{name} does not carry the attributes of the register: {attributes(str(name))}."
                )
        _check_attributes(str(name), array.attrs)
    _check_attributes("the dataset", dataset.attrs)


def _check_attributes(owner: str, attrs: Mapping[str, object]) -> None:
    for key, value in attrs.items():
        number = isinstance(value, float) or (isinstance(value, int) and value.bit_length() < 64)
        if isinstance(value, bool) or not (number or isinstance(value, str)):
            raise ResultsFileError(f"The attribute {key} of {owner} is {value!r}: it must be text or a number.")


def write(dataset: xr.Dataset, path: Path | str) -> None:
    """Save a result; the same dataset gives the same bytes.

    Raises
    ------
    ResultsFileError
        If the dataset does not follow the register or the file cannot be written; an earlier file then stays.
    """
    check(dataset)
    variables = {str(name): array.variable for name, array in dataset.data_vars.items()}
    with _replacing(Path(path)) as temporary:
        _declare(temporary, dataset, variables)
        with h5py.File(temporary, "r+") as file:
            for name, array in variables.items():
                file[name][...] = _plain(array.values)


def open_results(path: Path | str) -> xr.Dataset:
    """A saved result, loaded; identical to the dataset that was written.

    Raises
    ------
    ResultsFileError
        If the file is missing, cut off, damaged, or not written by spinesim.
    """
    path = Path(path)
    if not path.exists():
        raise ResultsFileError(f"There is no results file {path}.")
    try:
        return _read(path)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise ResultsFileError(f"{path} cannot be read; it is cut off, damaged or not a results file.") from error


def header(path: Path) -> dict[str, Any]:
    """Attributes of a saved result, without its numbers.

    Raises
    ------
    ResultsFileError
        As `open_results`.
    """
    if not path.exists():
        raise ResultsFileError(f"There is no results file {path}.")
    try:
        with h5py.File(path, "r") as file:
            attrs = dict(file.attrs)
    except OSError as error:
        raise ResultsFileError(f"{path} cannot be read; it is cut off, damaged or not a results file.") from error
    if _MARK not in attrs:
        raise ResultsFileError(f"{path} was not written by spinesim.")
    return attrs


def _read(path: Path) -> xr.Dataset:
    with h5py.File(path, "r") as file:
        text = file.attrs.get(_MARK)
    if text is None:
        raise ResultsFileError(f"{path} was not written by spinesim.")
    mark = json.loads(text)
    if mark["version"] != _VERSION:
        raise ResultsFileError(f"{path} has format version {mark['version']}; this spinesim reads version {_VERSION}.")
    with xr.open_dataset(
        path, engine="h5netcdf", mask_and_scale=False, decode_times=False, decode_timedelta=False
    ) as lazy:
        dataset = lazy.load()
    arrays = {
        name: (dataset[name].dims, dataset[name].values.astype(dtype, copy=False), dataset[name].attrs)
        for name, dtype in mark["types"].items()
    }
    coords = {name: arrays.pop(name) for name in mark["coordinates"]}
    attrs = {key: value.item() if isinstance(value, np.generic) else value for key, value in dataset.attrs.items()}
    del attrs[_MARK]
    return xr.Dataset(arrays, coords, attrs)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary path in the folder of ``path`` that takes its place if the block succeeds and vanishes if not."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with _writing(path):
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn a failure of the operating system into one sentence about ``path``."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # HDF5 raises the latter when it fails to close a file
        detail = re.search("error message = '(.*?)'", str(error))
        if isinstance(error, FileNotFoundError):
            reason = f"the folder {path.parent} does not exist"
        elif isinstance(error, OSError) and error.errno:
            reason = os.strerror(error.errno)
        else:
            reason = detail.group(1) if detail else str(error)
        raise ResultsFileError(f"{path} cannot be written: {reason}.") from error


def _declare(path: Path, dataset: xr.Dataset, variables: Mapping[str, xr.Variable]) -> None:
    """Write dimensions, coordinates and attributes of ``dataset`` and make room for ``variables``."""
    coords = {str(name): coord.variable for name, coord in dataset.coords.items()}
    arrays = {**coords, **variables}
    mark = {
        "version": _VERSION,
        "coordinates": list(coords),
        "types": {name: array.dtype.str for name, array in arrays.items()},
    }
    if shutil.disk_usage(path.parent).free < sum(array.nbytes for array in arrays.values()):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # before HDF5 starts what it could not close
    with h5netcdf.File(path, "w") as file:
        file.dimensions = dict(dataset.sizes)
        for name, array in arrays.items():
            dtype = h5py.string_dtype() if array.dtype.kind == "U" else array.dtype
            file.create_variable(name, array.dims, dtype).attrs.update(array.attrs)
        file.attrs.update(dataset.attrs)
        file.attrs["coordinates"] = " ".join(coords)
        file.attrs[_MARK] = json.dumps(mark)
    with h5py.File(path, "r+") as file:
        for name, coord in coords.items():
            file[name][...] = _plain(coord.values)


def _plain(values: np.ndarray) -> np.ndarray:
    """Values as HDF5 takes them: strings as objects."""
    return values.astype(object) if values.dtype.kind == "U" else values


class SweepStore:
    """The finished blocks of a sweep, kept beside its results file until that is complete.

    Blocks are small files in the folder ``PATH.parts``, each moved into place when complete; whatever stops the
    process, a second run with the same specification finds them. One process at a time may hold the store.

    Parameters
    ----------
    path
        Results file of the sweep.
    specification
        Digest of all that decides the numbers: model, axes, options, version.
    n_blocks
        Number of blocks of the sweep.

    Raises
    ------
    ResultsFileError
        If another process writes the same sweep, or the folder holds blocks of another sweep or cannot be written.
    """

    def __init__(self, path: Path | str, specification: str, n_blocks: int) -> None:
        self.path = Path(path)
        self.parts = self.path.with_name(f"{self.path.name}.parts")
        self._note = self.parts / "sweep.json"
        self._n_blocks = n_blocks
        with _writing(self.path):
            self._lock = _Lock(self.path.with_name(f"{self.path.name}.lock"), self.path)
            try:
                self._claim({"specification": specification, "blocks": n_blocks})
            except BaseException:
                self._lock.release()
                raise

    def _claim(self, note: dict[str, object]) -> None:
        self.parts.mkdir(exist_ok=True)
        if not self._note.exists():
            with _replacing(self._note) as temporary:
                temporary.write_text(json.dumps(note), encoding="utf-8")
        elif json.loads(self._note.read_text(encoding="utf-8")) != note:
            raise ResultsFileError(
                f"{self.parts} holds the finished part of another sweep: delete that folder or choose another file."
            )
        for left in self.parts.glob("*.tmp"):  # of a process that was killed while it wrote
            left.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.parts.exists() and not self.done():
            shutil.rmtree(self.parts)
        self._lock.release()

    def _part(self, block: int) -> Path:
        return self.parts / f"{block:08d}.npz"

    def done(self) -> set[int]:
        """Numbers of the blocks that are saved."""
        return {int(part.stem) for part in self.parts.glob("*.npz")}

    def save(self, block: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep the variables of one block; their leading axis runs over its cases."""
        temporary = self._part(block).with_suffix(".tmp")
        try:
            with _writing(self._part(block)):
                named: dict[str, Any] = dict(arrays)
                with temporary.open("wb") as file:
                    np.savez(file, **named)
                temporary.replace(self._part(block))
        except ResultsFileError as error:
            temporary.unlink(missing_ok=True)
            raise ResultsFileError(
                f"{str(error).removesuffix('.')}; what is finished is kept in {self.parts}, and the same sweep goes on "
                "from there."
            ) from error

    def load(self, block: int) -> dict[str, np.ndarray]:
        """The variables of a saved block."""
        try:
            with self._part(block).open("rb") as file, np.load(file) as arrays:
                return dict(arrays)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ResultsFileError(f"{self._part(block)} is damaged: delete it and run the sweep again.") from error

    def finish(
        self, template: xr.Dataset, axes: Sequence[str], dtypes: Mapping[str, np.dtype], slices: Sequence[slice]
    ) -> None:
        """Write the results file, block by block; cases without a block are ``pending`` and NaN.

        The parts folder is removed once every block is in the file.

        Parameters
        ----------
        template
            Coordinates and attributes of the result, and thereby the sizes of its dimensions.
        axes
            Names of the sweep's axes; they lead the dimensions of every variable.
        dtypes
            Type of every variable to be written.
        slices
            For each block in turn its cases, numbered with the last axis running fastest.
        """
        write_cases(self.path, template, axes, dtypes, self._batches(template, dtypes, slices))
        if len(self.done()) == self._n_blocks:
            shutil.rmtree(self.parts)

    def _batches(
        self, template: xr.Dataset, dtypes: Mapping[str, np.dtype], slices: Sequence[slice]
    ) -> Iterator[tuple[slice, dict[str, np.ndarray]]]:
        """Runs of consecutive cases with their variables, of about ``_BATCH_BYTES``."""
        shapes = {
            name: (tuple(template.sizes[dim] for dim in VARIABLES[name].dims), dtype) for name, dtype in dtypes.items()
        }
        case_bytes = sum(math.prod(shape) * dtype.itemsize for shape, dtype in shapes.values())
        cases_at_once = max(1, _BATCH_BYTES // max(1, case_bytes))
        done = self.done()

        def arrays_of(block: int) -> dict[str, np.ndarray]:
            if block in done:
                return self.load(block)
            count = slices[block].stop - slices[block].start
            return {
                name: np.full((count, *shape), "pending" if dtype.kind == "U" else np.nan, dtype)
                for name, (shape, dtype) in shapes.items()
            }

        run: list[int] = []
        for block in range(len(slices)):
            run.append(block)
            start, stop = slices[run[0]].start, slices[block].stop
            if block + 1 == len(slices) or slices[block + 1].stop - start > cases_at_once:
                parts = [arrays_of(number) for number in run]
                yield slice(start, stop), {name: np.concatenate([part[name] for part in parts]) for name in shapes}
                run = []


def write_cases(
    path: Path,
    template: xr.Dataset,
    axes: Sequence[str],
    dtypes: Mapping[str, np.dtype],
    batches: Iterable[tuple[slice, Mapping[str, np.ndarray]]],
) -> None:
    """Write a result whose cases come in runs; arguments as in `SweepStore.finish`.

    Parameters
    ----------
    batches
        Runs of consecutive cases with the values of every variable; together they are all cases.
    """
    shape = tuple(template.sizes[axis] for axis in axes)
    variables = {}
    for name, dtype in dtypes.items():
        dims = (*axes, *VARIABLES[name].dims)
        empty = np.broadcast_to(np.zeros((), dtype), [template.sizes[dim] for dim in dims])
        variables[name] = xr.Variable(dims, empty, attributes(name))
    check(template.assign(variables))
    with _replacing(path) as temporary:
        _declare(temporary, template, variables)
        with h5py.File(temporary, "r+") as file:
            for cases, arrays in batches:
                for name in variables:
                    _put(file[name], shape, cases, _plain(arrays[name]))


def _put(target: h5py.Dataset, shape: tuple[int, ...], cases: slice, values: np.ndarray) -> None:
    """Write the values of consecutive cases into an array whose leading axes have ``shape``."""
    first = 0
    for box in _boxes(cases.start, cases.stop, shape):
        box_shape = tuple(side.stop - side.start for side in box)
        last = first + math.prod(box_shape)
        target[box] = values[first:last].reshape(box_shape + values.shape[1:])
        first = last


def _boxes(start: int, stop: int, shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """The consecutive cases ``start`` to ``stop`` of a grid (last axis fastest) as rectangular regions, in order."""
    if start >= stop:
        return
    if len(shape) == 1:
        yield (slice(start, stop),)
        return
    row_length = math.prod(shape[1:])
    row, offset = divmod(start, row_length)
    if offset or stop - start < row_length:
        end = min(row_length, offset + stop - start)
        yield from ((slice(row, row + 1), *box) for box in _boxes(offset, end, shape[1:]))
        yield from _boxes(row * row_length + end, stop, shape)
    else:
        rows = (stop - start) // row_length
        yield (slice(row, row + rows), *(slice(0, size) for size in shape[1:]))
        yield from _boxes((row + rows) * row_length, stop, shape)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a results file for the one process that writes it.

    Raises
    ------
    ResultsFileError
        If another process writes it, or its folder cannot be written.
    """
    with _writing(path):
        lock = _Lock(path.with_name(f"{path.name}.lock"), path)
    try:
        yield
    finally:
        lock.release()


class _Lock:
    """A lock file that the operating system frees when its process ends, however it ends."""

    def __init__(self, path: Path, guarded: Path) -> None:
        self._path = path
        while True:
            self._file = path.open("a+", encoding="utf-8")
            if not _hold(self._file):
                self._file.seek(0)
                owner = self._file.read().strip()
                self._file.close()
                raise ResultsFileError(f"{guarded} is being written by another process (number {owner}).")
            if path.exists() and os.path.samestat(path.stat(), os.fstat(self._file.fileno())):
                break
            self._file.close()  # the owner removed the file between our opening and holding it
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        with contextlib.suppress(PermissionError):  # Windows keeps an open file; an old lock file does no harm
            self._path.unlink(missing_ok=True)
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _hold(file: IO[str]) -> bool:
        file.seek(1 << 30)  # a byte beyond the text, which others may read
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _hold(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
