"""An experiment from its folder to data files, figures and a report."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import xarray as xr

from spinesim import results
from spinesim.adaptation import Circle, adapt, check_start, check_weeks, laws, loop_gain, stronger
from spinesim.clinical import chosen
from spinesim.compare import compare, course, find_outcome, study
from spinesim.confusion import NODES, Patterns, confusion, patterns
from spinesim.confusion import check_request as check_confusion
from spinesim.dose import pareto
from spinesim.errors import InfeasibleError, InputError, NotConvergedError, ResultsFileError
from spinesim.model.parts import Model
from spinesim.model.read import load_model
from spinesim.plots import KINDS, caption, figure, save
from spinesim.plots.cases import ends_and_middle
from spinesim.report.scenario import (
    FILE,
    Adaptation,
    AnyRun,
    Compare,
    Confusion,
    DoseGrid,
    FigureEntry,
    Run,
    Scenario,
    Sensitivity,
    read_scenario,
)
from spinesim.report.text import Drawn, report_text
from spinesim.sensitivity import check_request, sensitivity
from spinesim.solve import POSTURE, check_settings, solve
from spinesim.sweep import sweep, swept_task

REPORT = "report.md"
SMALL_DRAWS, SMALL_NODES = 400, (0.0, 1.0)  #: of a confusion that is only tried
SMALL_PEOPLE = 3  #: of a comparison that is only tried
SMALL_DESIGN = {"local": 1, "morris": 2, "sobol": 16}  #: trajectories or rows of a sensitivity that is only tried
SMALL_WEEKS = 4  #: of an adaptation that is only tried


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
        Keep only the ends and the middle of every axis, few draws and severities of a confusion, few people, rows of a
        design and weeks.
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
    _check(place / FILE, model, scenario)
    _make_writable(target)
    solved = {run.name: _solve(model, run, target / f"{run.name}.nc", small, progress) for run in scenario.run}
    for entry in scenario.sensitivity:
        solved[entry.name] = _moved(model, entry, target, small, progress)
    solved |= _confusions(model, scenario.confusion, target, small)
    for treated in scenario.treated:
        solved[treated.name] = _compared(model, treated, target, small, progress)
    for adapting in scenario.adaptation:
        solved[adapting.name] = _course(model, adapting, target, small)
    drawn = [_draw(entry, scenario, solved, target) for entry in scenario.figure]

    def tables(entries: Iterable[AnyRun]) -> list[tuple[str, str, xr.Dataset]]:
        return [(f"{entry.name}.nc", entry.words, solved[entry.name]) for entry in entries]

    text = report_text(
        scenario.title,
        scenario.question,
        tables(scenario.run),
        drawn,
        sensitivities=tables(scenario.sensitivity),
        confusions=tables(scenario.confusion),
        comparisons=tables(scenario.treated),
        courses=tables(scenario.adaptation),
    )
    (target / REPORT).write_text(text, encoding="utf-8")
    return target


def _check(path: Path, model: Model, scenario: Scenario) -> None:
    """Let the model refuse names and values before anything is computed."""
    for run in scenario.run:
        with _in_table(path, "run", run.name):
            check_settings(model, run.parameters)
            for name, values in run.axes.items():
                for value in values if not name.startswith(POSTURE) else ():
                    check_settings(model, {name: value})
            swept_task(model, run.axes, **run.task)
    for entry in scenario.sensitivity:
        with _in_table(path, "sensitivity", entry.name):
            asked = {"method": entry.method, "n": entry.n, "parameters": entry.parameters, **entry.task}
            check_request(model, entry.ranges, entry.outcomes, **asked)
    for table in scenario.confusion:
        with _in_table(path, "confusion", table.name):
            chosen(table.tests)
            check_confusion(table.severities, table.against, table.draws)
    for compared in scenario.compare:
        with _in_table(path, "compare", compared.name):
            study(model, compared.who, compared.programmes, **_options(compared, "people"))
    for grid in scenario.dose:
        with _in_table(path, "dose", grid.name):
            find_outcome(model, grid.outcome)
            study(model, grid.who, grid.interventions, people=1)
    for course_of in scenario.adaptation:
        with _in_table(path, "adaptation", course_of.name):
            _circle(model, course_of)
            check_start(model, course_of.start)
            check_weeks(course_of.weeks)


@contextmanager
def _in_table(path: Path, heading: str, name: str) -> Iterator[None]:
    """Say in which table of a scenario a mistake stands."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {heading} {name}: {error}") from error


def _options(entry: Compare, *more: str) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in ("weeks", "per_week", "seed", "stance", *more)}


def _circle(model: Model, entry: Adaptation) -> Circle:
    return Circle(model, entry.parameters, habit=entry.habit, rules=stronger(laws(), **entry.laws))


def _moved(model: Model, entry: Sensitivity, target: Path, small: bool, progress: bool) -> xr.Dataset:
    """A study of sensitivity, saved; the drawn cases are kept beside it."""
    dataset = sensitivity(
        model,
        entry.ranges,
        entry.outcomes,
        method=entry.method,
        n=SMALL_DESIGN[entry.method] if small else entry.n,
        seed=entry.seed,
        parameters=entry.parameters,
        output=None if entry.method == "local" else target / f"{entry.name}.cases.nc",
        progress=progress,
        **entry.task,
    )
    results.write(dataset, target / f"{entry.name}.nc")
    return dataset


def _course(model: Model, entry: Adaptation, target: Path, small: bool) -> xr.Dataset:
    """A course of adaptation, saved, with how strongly its circle feeds itself in health."""
    circle = _circle(model, entry)
    dataset = adapt(circle, entry.start, weeks=min(entry.weeks, SMALL_WEEKS) if small else entry.weeks)
    with suppress(InfeasibleError, NotConvergedError):  # health itself may have no solution with these parameters
        dataset.attrs |= loop_gain(circle)
    results.write(dataset, target / f"{entry.name}.nc")
    return dataset


def _compared(model: Model, entry: Compare | DoseGrid, target: Path, small: bool, progress: bool) -> xr.Dataset:
    """A comparison, a course of one or a grid of doses, saved."""
    if isinstance(entry, DoseGrid):
        weeks, times = (
            [values[i] for i in ends_and_middle(len(values))] if small else values
            for values in (entry.weeks, entry.per_week)
        )
        dataset = pareto(model, entry.who, entry.interventions, entry.outcome, weeks=weeks, per_week=times)
    else:
        people = min(entry.people, SMALL_PEOPLE) if small else entry.people
        asked = _options(entry) | {"people": people, "progress": progress}
        if entry.times is None:
            dataset = compare(model, entry.who, entry.programmes, **asked)
        else:
            at = sorted({min(entry.times), entry.weeks, max(entry.times)}) if small else entry.times
            dataset = course(model, entry.who, entry.programmes, times=at, **asked)
    results.write(dataset, target / f"{entry.name}.nc")
    return dataset


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
    if run.axes:
        axes = _thinned(run.axes) if small else run.axes
        return sweep(
            model,
            axes,
            parameters=run.parameters,
            variables=run.variables,
            output=path,
            progress=progress,
            **run.task,
        )
    dataset = solve(model, run.parameters, raise_on_failure=False, **run.task)
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
