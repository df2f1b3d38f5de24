"""Many cases, over named axes or of given samples: solved in compiled threads, kept as they finish.

Cases over axes go in chains fixed by the grid, each started where those before it lead; samples are solved one by one.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from spinesim import parameters as register
from spinesim.cases import moved_by_others, names, subject
from spinesim.cluster import cluster, lost
from spinesim.errors import InputError, NotConvergedError, ResultsFileError
from spinesim.guide import APART, Guide, fit
from spinesim.imbalance import bounds, expand
from spinesim.jumps import jumps
from spinesim.kernels import jit
from spinesim.kernels.arrays import Floats, Outputs
from spinesim.kernels.balance import NOT_CONVERGED
from spinesim.labelled import PRESSURES, SCIATIC, coordinates, header, quantities, versions
from spinesim.model.pack import pack
from spinesim.model.parts import Model
from spinesim.outputs import empty_outputs
from spinesim.results import SweepStore, open_results
from spinesim.shards import CASE, parse
from spinesim.solve import (
    POSTURE,
    Complete,
    Task,
    check_parts,
    check_settings,
    make_task,
    resized,
    run_alone,
    run_chain,
)
from spinesim.stance import pack_stance
from spinesim.structures import structure_moments
from spinesim.variables import VARIABLES, attributes

CHAIN = 64  # cases; long enough to profit from warm starts, short enough to share out and to check against a cold end
BLOCK = 128  # cases that are kept together; chains are never cut
AHEAD = 256  # blocks that an executor is given before the first is back: enough for as many workers
SUSPECT = 2.0  # times as steep as the steps beside it (assumed): a step that is tried backwards
ANGLE = register.Parameter("posture", "deg", -180, 180, None, "Posture angle that is held.")
SAMPLE = "sample"  #: dimension of cases that are given one by one
ALWAYS = ("status", "moment_residual", "stationarity", "duality_gap", "iterations", "branch")


@dataclass(frozen=True, eq=False)
class Grid:
    """The cases of a sweep, and what is asked of each."""

    model: Model
    task: Task
    axes: dict[str, Floats]  #: values of every axis or, of samples, one per sample
    settings: dict[str, float]
    wanted: tuple[str, ...]
    samples: bool  #: the cases are given one by one, instead of all combinations of the axes
    guide: Guide | None = None  #: where many samples start

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions that number the cases."""
        return (SAMPLE,) if self.samples else tuple(self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of every one of these dimensions."""
        sizes = tuple(values.size for values in self.axes.values())
        return sizes[:1] if self.samples else sizes

    @property
    def count(self) -> int:
        """Number of cases."""
        return math.prod(self.shape)

    def columns(self, cases: slice) -> dict[str, Floats]:
        """Parameter values of consecutive cases, the last axis running fastest."""
        columns = {name: np.full(cases.stop - cases.start, value) for name, value in self.settings.items()}
        if self.samples:
            return columns | {name: values[cases] for name, values in self.axes.items()}
        index = np.unravel_index(np.arange(cases.start, cases.stop), self.shape)
        for (name, values), i in zip(self.axes.items(), index, strict=True):
            columns[name] = values[i]
        return columns

    def part(self, block: Sequence[slice]) -> tuple[Grid, list[slice]]:
        """A grid that holds no more samples than a block needs, and the chains of the block within it."""
        first = block[0].start if self.samples else 0
        kept = {name: v[first : block[-1].stop] if self.samples else v for name, v in self.axes.items()}
        return replace(self, axes=kept), [slice(chain.start - first, chain.stop - first) for chain in block]


def sweep(
    model: Model,
    axes: Mapping[str, Iterable[float]] | None = None,
    *,
    samples: Mapping[str, Iterable[float]] | None = None,
    parameters: Mapping[str, float] | None = None,
    stance: str = "standing",
    posture: Mapping[str, float] | None = None,
    complete: Complete = "rhythm",
    criterion: str = "effort2",
    weights: str = "volume",
    stability: float | bool | None = None,
    variables: Iterable[str] | None = None,
    output: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    executor: Executor | str | None = None,
    shard: str | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Solve every combination of the values of named axes, or every one of given samples.

    Parameters
    ----------
    axes
        Values by parameter name, each in the unit that ``spinesim parameters`` lists, or by ``posture.`` and the name
        of a posture angle [deg], such as ``posture.trunk_flexion``; they become dimensions.
    samples
        In place of ``axes``: columns of equal length by such a name, one case per row. Every case is solved by itself,
        as `solve` does, to the bit; found postures of many samples start from a guide (`spinesim.guide`), and are the
        same within the tolerance of a posture.
    parameters
        Values that are the same in all cases.
    stance, posture, complete, criterion, weights, stability
        As in `solve`.
    variables
        Result variables to keep; all but the large ones by default. Status and certificate are always kept.
    output
        Results file to write. Finished blocks are kept beside it, so that a sweep that was stopped goes on where it
        was when it is called again; a stopped sweep leaves a valid file in which the rest is ``pending``.
    threads
        Number of threads; all cores by default. The results do not depend on it.
    executor
        In place of threads, what solves the blocks: an executor of ``concurrent.futures``, the address of a Dask
        scheduler, or ``"local"`` for Dask workers on this machine, one per core. Its processes must have the same
        versions. The results do not depend on it.
    shard
        ``"i/n"``: solve only the i-th of n parts, to be joined by `merge`. ``output`` is needed.
    progress
        Show a progress bar if the error stream is a terminal.

    Returns
    -------
    xarray.Dataset
        The axes in front of the dimensions of every variable, or ``sample``, along which the values of every sampled
        parameter stand as a coordinate; failed cases are NaN with their status.

    Raises
    ------
    InputError
        For an unknown name, an empty axis, columns of different lengths, a value out of its range, a shard that cannot
        be, or an executor whose workers are gone.
    ResultsFileError
        If ``output`` cannot be written; what was finished is kept.
    """
    if (axes is None) == (samples is None):
        raise InputError("a sweep needs either axes or samples")
    given = {name: list(v) if isinstance(v, Iterator) else v for name, v in (axes or samples or {}).items()}
    task = swept_task(model, given, stance, posture, complete, criterion, weights, stability)
    grid = _grid(model, given, parameters, task, variables, samples is not None)
    blocks = _blocks(grid)
    part = None if shard is None else parse(shard)
    if part and output is None:
        raise InputError(f"shard {shard} needs an output file")
    chosen = blocks if part is None else [blocks[i] for i in part.of(len(blocks))]
    workers = _workers(threads)
    if executor is not None and threads is not None:
        raise InputError("a sweep takes either threads or an executor")
    with _opened(executor) as pool:
        if output is None:
            kept: dict[int, dict[str, np.ndarray]] = {}
            _run(grid, chosen, kept.__setitem__, set(), pool or workers, progress)
            return _assemble(grid, [kept[i] for i in range(len(chosen))])
        path, digest = Path(output), _digest(grid)
        first = chosen[0][0].start
        template, dims, named = _template(grid), grid.dims, digest
        if part:
            template = part.template(template, digest, slice(first, chosen[-1][-1].stop))
            dims, named = (CASE,), f"{digest} {part}"
        with SweepStore(path, named, len(chosen)) as store:
            spans = [slice(block[0].start - first, block[-1].stop - first) for block in chosen]
            types: dict[str, np.dtype[Any]] = {name: np.dtype(np.float64) for name in grid.wanted}
            types["status"] = np.dtype("<U13")
            try:
                _run(grid, chosen, store.save, store.done(), pool or workers, progress)
            except ResultsFileError:
                raise  # a disk that has no room for a block has none for the file
            except BaseException:
                if store.done():
                    store.finish(template, dims, types, spans)
                raise
            store.finish(template, dims, types, spans)
    return open_results(path)


def _opened(executor: Executor | str | None) -> AbstractContextManager[Executor | None]:
    return cluster(executor) if isinstance(executor, str) else nullcontext(executor)


def swept_task(
    model: Model,
    axes: Mapping[str, Iterable[float]],
    stance: str = "standing",
    posture: Mapping[str, float] | None = None,
    complete: str = "rhythm",
    criterion: str = "effort2",
    weights: str = "volume",
    stability: float | bool | None = None,
) -> Task:
    """Check what a sweep asks for, with every value of a posture angle that is an axis; see `make_task`.

    Raises
    ------
    InputError
        As `make_task`, and for an angle that is both an axis and held.
    """
    swept = {
        name.removeprefix(POSTURE): list(values)
        for name, values in axes.items()
        if name.startswith(POSTURE) and isinstance(values, Iterable) and not isinstance(values, str)
    }
    for name in swept:
        if name in (posture or {}):
            raise InputError(f"{POSTURE}{name} is both an axis and a posture angle that is held")
    first = {name: values[0] for name, values in swept.items() if values}
    asked = {**(posture or {}), **first} if first else posture
    rest = (complete, criterion, weights, stability)
    task = make_task(model, stance, asked, *rest)
    for name, values in swept.items():
        for value in dict.fromkeys(values[1:]):
            make_task(model, stance, {**(asked or {}), name: value}, *rest)
    return replace(task, angles={name: value for name, value in task.angles.items() if name not in swept})


def _grid(
    model: Model,
    axes: Mapping[str, Iterable[float]],
    parameters: Mapping[str, float] | None,
    task: Task,
    variables: Iterable[str] | None,
    samples: bool = False,
) -> Grid:
    known = names(pack(model))
    what = "sample column" if samples else "axis"
    if not axes:
        raise InputError(f"a sweep needs at least one {what}")
    settings = check_settings(model, parameters)
    check_parts(model, axes)
    values: dict[str, Floats] = {}
    for name, given in axes.items():
        if name in settings:
            raise InputError(f"{name} is both {'sampled' if samples else 'an axis'} and a fixed parameter")
        if not isinstance(given, Iterable) or isinstance(given, str):
            raise InputError(f"{what} {name} = {given!r} is not allowed: it must be a list of numbers")
        entries = list(given)
        if not entries:
            raise InputError(f"{what} {name} has no values")
        if name.startswith(POSTURE):
            checked = [float(entry) for entry in entries]  # known to be legal by `swept_task`
        else:
            checked = [register.check(known, {name: entry})[name] for entry in entries]
        if not samples and len(set(checked)) < len(checked):
            raise InputError(f"axis {name} holds a value twice")
        values[name] = np.array(checked)
    if samples:
        first = next(iter(values))
        for name, column in values.items():
            if column.size != values[first].size:
                raise InputError(
                    f"sample column {name} has {column.size} values, {first} has {values[first].size}: one per sample"
                )
    bounding = {name: column for name, column in values.items() if not name.startswith(POSTURE) and bounds(model, name)}
    lattice = list(bounding.values()) if samples else np.meshgrid(*bounding.values(), indexing="ij")
    columns = {name: column.ravel() for name, column in zip(bounding, lattice, strict=True)}
    register.check_bounds(known, expand(model, {**settings, **columns}))
    moved_by_others(pack_stance(pack(model), task.stance), {**settings, **values})
    wanted = [v.name for v in VARIABLES.values() if not v.large] if variables is None else list(variables)
    unknown = [name for name in wanted if name not in VARIABLES]
    if unknown:
        raise InputError(f"there is no result variable {unknown[0]}")
    named = coordinates(pack_stance(pack(model), task.stance), pictures=True)
    lacking = (*(PRESSURES if model.abdomen is None else ()), *(SCIATIC if model.sciatic is None else ()))
    ordered = tuple(
        name
        for name in VARIABLES
        if (name in wanted or name in ALWAYS)
        and name not in lacking
        and all(dim in named for dim in VARIABLES[name].dims)
    )
    return Grid(model, task, values, settings, ordered, samples)


def _workers(threads: int | None) -> int:
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise InputError(f"threads = {threads!r} is not allowed: it must be a whole number from 1")
    return threads


def _chains(grid: Grid) -> list[slice]:
    """Consecutive cases along the last axis, at most `CHAIN`; one case each where that axis changes the person.

    Of samples, runs of cases of one person.
    """
    if grid.samples:
        step = 1 if any(name.startswith("subject.") for name in grid.axes) else CHAIN
        return [slice(first, min(first + step, grid.count)) for first in range(0, grid.count, step)]
    last = list(grid.axes)[-1]
    length = grid.shape[-1]
    step = 1 if last.startswith("subject.") else CHAIN
    return [
        slice(line + first, line + min(first + step, length))
        for line in range(0, grid.count, length)
        for first in range(0, length, step)
    ]


def _blocks(grid: Grid) -> list[list[slice]]:
    """Chains kept together."""
    blocks: list[list[slice]] = []
    size = BLOCK
    for chain in _chains(grid):
        if size + chain.stop - chain.start > BLOCK:
            blocks.append([])
            size = 0
        blocks[-1].append(chain)
        size += chain.stop - chain.start
    return blocks


def _solve_block(grid: Grid, block: list[slice]) -> dict[str, np.ndarray]:
    parts = [_solve_chain(grid, chain) for chain in block]
    return {name: np.concatenate([part[name] for part in parts]) for name in grid.wanted}


def solve_part(head: bytes, axes: dict[str, Floats], block: list[slice], made_by: str) -> dict[str, np.ndarray]:
    """Solve a block in another process.

    Parameters
    ----------
    head
        The grid without its axes, pickled.
    made_by
        Versions and kernels of the process that asks.

    Raises
    ------
    InputError
        If those of this process are others.
    """
    if made_by != _made_by():
        raise InputError(f"a worker has other versions ({_made_by()}) than this process ({made_by})")
    return _solve_block(replace(_unpickled(head), axes=axes), block)


@lru_cache(maxsize=4)
def _unpickled(head: bytes) -> Grid:
    """The same model for all blocks of a sweep, so that it is packed once."""
    grid: Grid = pickle.loads(head)
    return grid


def _made_by() -> str:
    return f"{versions()} kernels {jit.DIGEST}"


def _solve_chain(grid: Grid, chain: slice) -> dict[str, np.ndarray]:
    columns = grid.columns(chain)
    task = _of_person(grid, columns)
    count = chain.stop - chain.start
    try:
        stance = pack_stance(pack(task.model), task.stance)
    except NotConvergedError:
        return _no_reference(grid, count)
    if grid.samples:
        out, cases = run_alone(task, columns, count, grid.guide.starts(columns) if grid.guide else None)
    else:
        out, cases = run_chain(task, columns, count)
    pictures = any(VARIABLES[name].large for name in grid.wanted)
    values = quantities(stance, out, pictures=pictures)
    if "structure_moment" in grid.wanted:
        values["structure_moment"] = structure_moments(stance, cases, out)
    if task.find and count > 1 and not grid.samples:
        values["branch"] = _second_solutions(task, columns, out, columns[list(grid.axes)[-1]])
    return {name: values[name] for name in grid.wanted}


def _of_person(grid: Grid, columns: Mapping[str, Floats]) -> Task:
    """What is asked of the person that all these cases share."""
    first = {name: float(column[0]) for name, column in columns.items()}
    return replace(grid.task, model=resized(grid.model, subject(grid.model, first)))


def _guided(grid: Grid) -> Grid:
    """The grid with a guide to start from, if its cases are samples of one person and many enough."""
    if not grid.samples or any(name.startswith("subject.") for name in grid.axes):
        return grid
    columns = grid.columns(slice(0, grid.count))
    try:
        return replace(grid, guide=fit(_of_person(grid, columns), columns))
    except NotConvergedError:
        return grid  # the reference posture has no balance, as every case will say


def _no_reference(grid: Grid, count: int) -> dict[str, np.ndarray]:
    """Cases of a person whose reference posture has no balance: not converged, as far as anybody can say."""
    stance = pack_stance(pack(grid.model), grid.task.stance)
    out = empty_outputs(stance.packed.arrays, stance.arrays, count)
    out.status[:] = NOT_CONVERGED
    values = quantities(stance, out, pictures=any(VARIABLES[name].large for name in grid.wanted))
    if "structure_moment" in grid.wanted:
        shape = tuple(coordinates(stance, pictures=True)[dim].size for dim in VARIABLES["structure_moment"].dims)
        values["structure_moment"] = np.full((count, *shape), np.nan)
    return {name: values[name] for name in grid.wanted}


def _second_solutions(task: Task, columns: dict[str, np.ndarray], out: Outputs, x: np.ndarray) -> np.ndarray:
    """Marks (nc,) of a second solution: a cold end that disagrees marks the chain, a jump that is none back its sides.

    Where the posture jumps from a case to the next, the case before is solved again from the posture behind the jump.
    """
    marks = np.zeros(x.size)

    def other(case: int, first: np.ndarray | None = None) -> bool:
        alone, _ = run_chain(task, {name: column[case : case + 1] for name, column in columns.items()}, 1, first)
        return bool(alone.status[0] != 0 or np.abs(alone.free[0] - out.free[case]).max() > APART)

    if out.status[-1] == 0 and other(x.size - 1):
        marks[:] = 1.0
    solved = np.flatnonzero(out.status == 0)
    for k in jumps(x[solved], np.degrees(out.free[solved]), SUSPECT):
        before, behind = solved[k], solved[k + 1]
        if other(before, out.free[behind]):
            marks[[before, behind]] = 1.0
    return marks


Keep = Callable[[int, dict[str, np.ndarray]], None]


def _run(
    grid: Grid, blocks: list[list[slice]], keep: Keep, done: set[int], pool: Executor | int, progress: bool
) -> None:
    """Solve the blocks that are not done, in threads or by an executor, and hand each to ``keep(number, arrays)``."""
    sizes = [block[-1].stop - block[0].start for block in blocks]
    waiting = [i for i in range(len(blocks)) if i not in done]
    if waiting:
        grid = _guided(grid)
    with _Bar(progress, sum(sizes)) as advance:
        advance(sum(sizes[i] for i in done))
        if isinstance(pool, int):

            def one(i: int) -> None:
                keep(i, _solve_block(grid, blocks[i]))

            with ThreadPoolExecutor(pool) as threads:
                try:
                    _collect(lambda i: threads.submit(one, i), waiting, lambda i, _: advance(sizes[i]))
                except BaseException:
                    threads.shutdown(cancel_futures=True)
                    raise
        else:
            head = pickle.dumps(replace(grid, axes={}))

            def submit(i: int) -> Future[Any]:
                part, chains = grid.part(blocks[i])
                return pool.submit(solve_part, head, part.axes, chains, _made_by())

            def receive(i: int, arrays: dict[str, np.ndarray]) -> None:
                keep(i, arrays)
                advance(sizes[i])

            _collect(submit, waiting, receive)
    jit.mark_compiled()


def _collect(submit: Callable[[int], Future[Any]], waiting: list[int], receive: Callable[[int, Any], None]) -> None:
    """Submit all that is waiting and receive what comes back, also beside what fails.

    Raises
    ------
    InputError
        If the workers of an executor are gone.
    """
    left, futures = iter(waiting), dict[Future[Any], int]()
    try:
        while True:
            for i in itertools.islice(left, AHEAD - len(futures)):
                futures[submit(i)] = i
            if not futures:
                return
            finished, _ = wait(futures, timeout=0.2, return_when=FIRST_COMPLETED)
            _receive(finished, futures, receive)
    except Exception as error:
        if lost(error):
            words = str(error) or type(error).__name__
            raise InputError(f"the workers are gone; what they had finished is kept: {words}") from error
        raise
    finally:
        for future in futures:
            future.cancel()
        _receive([future for future in futures if future.done() and not future.cancelled()], futures, receive)


def _receive(
    finished: Iterable[Future[Any]], futures: dict[Future[Any], int], receive: Callable[[int, Any], None]
) -> None:
    """Take back what is finished: first what was solved, then the error of what was not."""
    failed = [future for future in finished if future.cancelled() or future.exception()]
    for future in finished:
        i = futures.pop(future)
        if future not in failed:
            receive(i, future.result())
    for future in failed:
        future.result()


class _Bar:
    """A progress bar on a terminal, silence elsewhere."""

    def __init__(self, wanted: bool, total: int) -> None:
        self._progress: Any = None
        self._total = total
        if wanted and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("solving"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )

    def __enter__(self):  # type: ignore[no-untyped-def]
        if self._progress is None:
            return lambda count: None
        self._progress.start()
        bar = self._progress.add_task("solving", total=self._total)
        return lambda count: self._progress.advance(bar, count)

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()


def _template(grid: Grid) -> xr.Dataset:
    """Coordinates and attributes of the result."""
    stance = pack_stance(pack(grid.model), grid.task.stance)
    pictures = any(VARIABLES[name].large for name in grid.wanted)
    known = names(pack(grid.model))
    numbered = {SAMPLE: (SAMPLE, np.arange(grid.count), {"long_name": "number of the sample", "units": "1"})}
    coords: dict[str, Any] = dict(numbered) if grid.samples else {}
    for name, values in grid.axes.items():
        row = ANGLE if name.startswith(POSTURE) else register.parameter(known, name)
        words = {
            "units": row.units,
            "long_name": name,
            "description": row.description,
        }
        coords[name] = (grid.dims if grid.samples else name, values, words)
    used = {dim for name in grid.wanted for dim in VARIABLES[name].dims}
    coords |= {name: array for name, array in coordinates(stance, pictures=pictures).items() if set(array.dims) <= used}
    attrs = header(stance, settings=grid.settings, task=grid.task.words())
    attrs["axes"] = json.dumps(list(grid.dims))
    attrs["chain_length"] = "1" if grid.samples else str(CHAIN)
    return xr.Dataset(coords=coords, attrs=attrs)


def _assemble(grid: Grid, blocks: list[dict[str, np.ndarray]]) -> xr.Dataset:
    """The result in memory."""
    dataset = _template(grid)
    for name in grid.wanted:
        values = np.concatenate([block[name] for block in blocks])
        dims = (*grid.dims, *VARIABLES[name].dims)
        dataset[name] = (dims, values.reshape(*grid.shape, *values.shape[1:]), attributes(name))
    return dataset


def _digest(grid: Grid) -> str:
    """Digest of all that decides the numbers."""
    text = json.dumps(
        {
            "model": pack(grid.model).digest,
            "stance": grid.task.stance,
            "angles": grid.task.angles,
            "find": grid.task.find,
            "criterion": [grid.task.power, grid.task.volume, grid.task.stability],
            "samples": grid.samples,
            "axes": {name: values.tolist() for name, values in grid.axes.items()},
            "settings": grid.settings,
            "wanted": grid.wanted,
            "kernels": jit.DIGEST,
            "versions": versions(),
        },
        sort_keys=True,
    )
    return hashlib.sha256(text.encode()).hexdigest()
