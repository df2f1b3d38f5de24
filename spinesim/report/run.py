"""An experiment from its folder to data files, figures and a report."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import xarray as xr

from spinesim import results
from spinesim.clinical import chosen
from spinesim.compare import compare, course, find_outcome, study
from spinesim.confusion import NODES, Patterns, check_request, confusion, patterns
from spinesim.dose import pareto
from spinesim.errors import InputError, ResultsFileError
from spinesim.model.parts import Model
from spinesim.model.read import load_model
from spinesim.plots import KINDS, caption, figure, save
from spinesim.plots.cases import ends_and_middle
from spinesim.report.scenario import FILE, Compare, Confusion, DoseGrid, FigureEntry, Run, Scenario, read_scenario
from spinesim.report.text import Drawn, report_text
from spinesim.solve import POSTURE, check_settings, solve
from spinesim.sweep import sweep, swept_task

REPORT = "report.md"
SMALL_DRAWS, SMALL_NODES = 400, (0.0, 1.0)  #: of a confusion that is only tried
SMALL_PEOPLE = 3  #: of a comparison that is only tried


def experiments_folder() -> Path:
    """Folder of the experiments that come with spinesim: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "experiments"
    return installed if installed.is_dir() else package.parent / "experiments"


def experiment_names() -> list[str]:
    """Names of the experiments that come with spinesim."""
    return sorted(path.parent.name for path in experiments_folder().glob(f"*/{FILE}"))


def find_experiment(folder: Path | str) -> Path:
    """The folder of an experiment, given by path or by the name of one that comes with spinesim.

    Raises
    ------
    InputError
        If there is no such folder; the message gives the nearest name.
    """
    path = Path(folder)
    for candidate in (path, experiments_folder() / path.name):
        if (candidate / FILE).is_file() and (
            candidate == path or str(folder) in (path.name, f"experiments/{path.name}")
        ):
            return candidate
    if path.is_dir():
        raise InputError(f"{path} holds no {FILE}.")
    near = get_close_matches(path.name, experiment_names(), 1)
    hint = f"did you mean {near[0]}?" if near else f"those with spinesim are {', '.join(experiment_names())}."
    raise InputError(f"There is no experiment {folder}: {hint}")


def run_experiment(
    folder: Path | str, output: Path | str | None = None, *, small: bool = False, progress: bool = False
) -> Path:
    """Solve, save, draw and report an experiment.

    Parameters
    ----------
    folder
        Folder with a ``scenario.toml``, or the name of an experiment that comes with spinesim.
    output
        Folder to write to; ``output/NAME`` in the current folder by default. A stopped run goes on from there.
    small
        Keep only the ends and the middle of every axis, few draws and severities of a confusion, few people.
    progress
        Show a progress bar if the error stream is a terminal.

    Returns
    -------
    The output folder: one ``.nc`` per run, the figures, and ``report.md``.

    Raises
    ------
    InputError
        For a mistake in the scenario.
    ResultsFileError
        If the output folder cannot be written; nothing has been computed then.
    """
    place = find_experiment(folder)
    scenario = read_scenario(place)
    target = Path("output") / place.resolve().name if output is None else Path(output)
    model = load_model(scenario.model)
    for run in scenario.run:
        _check(place / FILE, model, run)
    for table in scenario.confusion:
        _check_tests(place / FILE, table)
    for entry in scenario.treated:
        _check_programmes(place / FILE, model, entry)
    _make_writable(target)
    solved = {run.name: _solve(model, run, target / f"{run.name}.nc", small, progress) for run in scenario.run}
    solved |= _confusions(model, scenario.confusion, target, small)
    for entry in scenario.treated:
        solved[entry.name] = _compared(model, entry, small, progress)
        results.write(solved[entry.name], target / f"{entry.name}.nc")
    drawn = [_draw(entry, scenario, solved, target) for entry in scenario.figure]
    rows = [(f"{run.name}.nc", run.words, solved[run.name]) for run in scenario.run]
    tables = [(f"{table.name}.nc", table.words, solved[table.name]) for table in scenario.confusion]
    compared = [(f"{entry.name}.nc", entry.words, solved[entry.name]) for entry in scenario.treated]
    text = report_text(scenario.title, scenario.question, rows, drawn, tables, compared)
    (target / REPORT).write_text(text, encoding="utf-8")
    return target


def _check(path: Path, model: Model, run: Run) -> None:
    """Let the model refuse names and values of a run before anything is computed."""
    try:
        check_settings(model, run.parameters)
        for name, values in run.axes.items():
            for value in values if not name.startswith(POSTURE) else ():
                check_settings(model, {name: value})
        asked = (run.stance, run.posture, run.complete, run.criterion, run.weights, run.stability)
        swept_task(model, run.axes, *asked)
    except InputError as error:
        raise InputError(f"{path}: run {run.name}: {error}") from error


def _check_tests(path: Path, table: Confusion) -> None:
    """Refuse tests, severities and draws of a confusion before anything is computed."""
    try:
        chosen(table.tests)
        check_request(table.severities, table.against, table.draws)
    except InputError as error:
        raise InputError(f"{path}: confusion {table.name}: {error}") from error


def _check_programmes(path: Path, model: Model, entry: Compare | DoseGrid) -> None:
    """Refuse programmes, outcomes and people before anything is computed."""
    dose = isinstance(entry, DoseGrid)
    try:
        if isinstance(entry, DoseGrid):
            find_outcome(model, entry.outcome)
            study(model, entry.who, entry.interventions, people=1)
        else:
            asked: dict[str, Any] = {
                name: getattr(entry, name) for name in ("weeks", "per_week", "people", "seed", "stance")
            }
            study(model, entry.who, entry.programmes, **asked)
    except InputError as error:
        raise InputError(f"{path}: {'dose' if dose else 'compare'} {entry.name}: {error}") from error


def _compared(model: Model, entry: Compare | DoseGrid, small: bool, progress: bool) -> xr.Dataset:
    """A comparison, a course or a grid of doses."""
    if isinstance(entry, DoseGrid):
        weeks, times = (
            [values[i] for i in ends_and_middle(len(values))] if small else values
            for values in (entry.weeks, entry.per_week)
        )
        return pareto(model, entry.who, entry.interventions, entry.outcome, weeks=weeks, per_week=times)
    asked: dict[str, Any] = {name: getattr(entry, name) for name in ("weeks", "per_week", "seed", "stance")}
    asked |= {"people": min(entry.people, SMALL_PEOPLE) if small else entry.people, "progress": progress}
    if entry.times is None:
        return compare(model, entry.who, entry.programmes, **asked)
    at = sorted({min(entry.times), entry.weeks, max(entry.times)}) if small else entry.times
    return course(model, entry.who, entry.programmes, times=at, **asked)


def _confusions(model: Model, tables: Iterable[Confusion], target: Path, small: bool) -> dict[str, xr.Dataset]:
    """Every confusion by name, saved; readings of the same tests are found once."""
    found: dict[tuple[str, ...] | None, Patterns] = {}
    made = {}
    for table in tables:
        tests = None if table.tests is None else tuple(table.tests)
        if tests not in found:
            found[tests] = patterns(model, tests, nodes=SMALL_NODES if small else NODES)
        made[table.name] = confusion(
            model,
            tests,
            severities=table.severities,
            against=table.against,
            draws=min(table.draws, SMALL_DRAWS) if small else table.draws,
            seed=table.seed,
            table=found[tests],
        )
        results.write(made[table.name], target / f"{table.name}.nc")
    return made


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ResultsFileError(f"The output folder {folder} cannot be written: {error.strerror}.") from error


def _thinned(axes: Mapping[str, list[float]]) -> dict[str, list[float]]:
    return {name: [values[i] for i in ends_and_middle(len(values))] for name, values in axes.items()}


def _solve(model: Model, run: Run, path: Path, small: bool, progress: bool) -> xr.Dataset:
    asked: dict[str, Any] = {
        name: getattr(run, name) for name in ("stance", "posture", "complete", "criterion", "weights", "stability")
    }
    if run.axes:
        axes = _thinned(run.axes) if small else run.axes
        return sweep(
            model,
            axes,
            parameters=run.parameters,
            variables=run.variables,
            output=path,
            progress=progress,
            **asked,
        )
    dataset = solve(model, run.parameters, raise_on_failure=False, **asked)
    results.write(dataset, path)
    return dataset


def _draw(entry: FigureEntry, scenario: Scenario, solved: Mapping[str, xr.Dataset], target: Path) -> Drawn:
    options = dict(entry.options)
    if entry.case:
        options["case"] = entry.case
    if entry.healthy:
        options["healthy"] = solved[entry.healthy]
    words = {each.name: each.words for each in scenario.everything}
    datasets = [solved[name] for name in entry.names]
    titles = [words[name] for name in entry.names]
    sentence = caption(entry.kind, datasets, titles=titles, **options)
    whole = figure(entry.kind, datasets, titles=titles, **options)
    files = [save(whole, target / f"{entry.file}.{ending}", sentence).name for ending in _ordered(entry.formats)]
    return Drawn(files[0], KINDS[entry.kind].description, sentence)


def _ordered(formats: Iterable[str]) -> list[str]:
    """PNG first: every reader of Markdown shows it."""
    return sorted(set(formats), key=("png", "svg", "pdf").index)
