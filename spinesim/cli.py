"""The command line: what a user types, what is printed, and the exit status.

0: solved. 1: some cases have no solution, or a verdict has changed; they are named. 2: bad input; one sentence says
what is wrong. 130: stopped by Ctrl-C; finished cases are kept. Packages that take long to import are imported by the
commands that need them.
"""

from __future__ import annotations

import json
import math
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spinesim.errors import InfeasibleError, InputError, NotConvergedError, SpinesimError

if TYPE_CHECKING:
    import xarray as xr

    from spinesim.calibration import Calibration
    from spinesim.measurements import Measurement
    from spinesim.model.parts import Model
    from spinesim.parameters import Parameter
    from spinesim.validation import Score

UNSOLVED, BAD_INPUT, STOPPED = 1, 2, 130  # exit status
LISTED = 10  # cases without a solution that are named one by one
MUSCLES = 12  # fascicles in the table of the most active


class _Commands(typer.core.TyperGroup):
    """Turns what a user can cause into one sentence on the error stream and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (InfeasibleError, NotConvergedError) as error:
            _complain(f"No solution: {error}")
            raise typer.Exit(UNSOLVED) from error
        except SpinesimError as error:
            _complain(str(error))
            raise typer.Exit(BAD_INPUT) from error
        except KeyboardInterrupt:
            kept = " Finished cases are kept, and the same command goes on from there."
            _complain("Stopped." + kept * (ctx.invoked_subcommand in ("run", "sweep", "sensitivity")))
            raise typer.Exit(STOPPED) from None


app = typer.Typer(
    cls=_Commands,
    help="How muscle imbalance tilts the pelvis, loads the lumbar spine and narrows the room of its nerve roots. "
    "A research and teaching model, never a diagnosis.",
    epilog="Example: spinesim solve --set tightness.hip_flexors=15",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter; may be repeated.")
]
Angles = Annotated[
    list[str] | None, typer.Option(metavar="ANGLE=DEG", help="Hold an angle of the posture [deg]; may be repeated.")
]
ModelName = Annotated[str, typer.Option(help="Name of a shipped model, or a folder.")]
StanceName = Annotated[str, typer.Option(help="How the body is supported, as `spinesim stances` lists it.")]
Completion = Annotated[
    str, typer.Option(metavar="rhythm|find", help="How the angles that --posture does not name follow.")
]
Criterion = Annotated[
    str, typer.Option(metavar="effort2|effort3|minmax", help="What the muscles of a held posture minimise.")
]
Weights = Annotated[str, typer.Option(metavar="volume|unit", help="How muscles count: by volume, or all alike.")]
Margin = Annotated[
    str | None,
    typer.Option(
        metavar="yes|no|MARGIN",
        help="Least stiffness demanded of any motion [N m/rad]; by default the model's if the posture is found.",
    ),
]
Threads = Annotated[int | None, typer.Option(help="Number of threads; all cores by default.")]
Workers = Annotated[
    str | None, typer.Option(metavar="local|ADDRESS", help="Dask workers in place of threads (spinesim[cluster]).")
]


def main() -> None:
    """Run the command line."""
    app(prog_name="spinesim")


def _complain(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _show(*tables: Table | str) -> None:
    console = Console(highlight=False, markup=False)
    for table in tables:
        console.print(table)


def _table(title: str, *columns: str, words: int = 1) -> Table:
    """A plain table; the first columns hold words, the others numbers."""
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(Text(column), justify="left" if place < words else "right", overflow="fold")
    return table


def _assignments(option: str, texts: list[str] | None) -> dict[str, float]:
    """``name=value`` texts as a dictionary.

    Raises
    ------
    InputError
        If one is not of that form, its value is not a number, or a name comes twice.
    """
    values: dict[str, float] = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError(f"{option} {text}: it must have the form name=value.")
        if name in values:
            raise InputError(f"{option} {text}: {name} is set twice.")
        try:
            values[name] = float(value)
        except ValueError as error:
            raise InputError(f"{option} {text}: {value or 'nothing'} is not a number.") from error
    return values


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            print(f"spinesim {version('spinesim')}")
        except PackageNotFoundError:
            print("spinesim, not installed")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


# ------------------------------------------------------------------------------------------------------------ run


@app.command(epilog="Example: spinesim run asymmetric_load --small")
def run(
    folder: Annotated[str, typer.Argument(help="Folder of an experiment, or the name of a shipped one.")],
    output: Annotated[Path | None, typer.Option(help="Folder to write to; output/NAME by default.")] = None,
    small: Annotated[bool, typer.Option("--small", help="Only the ends and the middle of every axis.")] = False,
) -> None:
    """Run an experiment: data files, figures and a report. A stopped run goes on where it was."""
    from spinesim.report import find_experiment, read_scenario, run_experiment
    from spinesim.results import open_results

    target = run_experiment(folder, output, small=small, progress=True)
    failed: list[str] = []
    scenario = read_scenario(find_experiment(folder))
    for entry in (*scenario.run, *scenario.adaptation):
        dataset = open_results(target / f"{entry.name}.nc")
        cases = [": ".join([entry.name, *reason]) for reason in _unsolved(dataset)]
        solved = dataset["status"].size - len(cases)
        print(f"{target / entry.name}.nc: {solved} of {dataset['status'].size} cases solved")
        failed += cases
    for table in scenario.confusion:
        print(f"{target / table.name}.nc: what {table.words} tells apart")
    for other in (*scenario.sensitivity, *scenario.treated):
        print(f"{target / other.name}.nc: {other.words}")
    print(f"Report: {target / 'report.md'}")
    _end(failed)


def _unsolved(dataset: xr.Dataset) -> list[list[str]]:
    """Every case without a solution: its values on the axes, if there are any, and its status."""
    import numpy as np

    from spinesim.plots.cases import case_name, status_of, sweep_axes

    axes = sweep_axes(dataset)
    cases = []
    for index in np.argwhere(dataset["status"].values != "solved"):
        case = dataset.isel(dict(zip(axes, index, strict=True)))
        cases.append([case_name(case, axes)] * bool(axes) + [status_of(case).replace("_", " ")])
    return cases


def _end(failed: list[str]) -> None:
    """Name the cases without a solution and leave with status 1, if there are any."""
    if failed:
        more = [f"and {len(failed) - LISTED} more"] if len(failed) > LISTED else []
        _complain("\n".join(["No solution for:", *failed[:LISTED], *more]))
        raise typer.Exit(UNSOLVED)


# ---------------------------------------------------------------------------------------------------------- solve


@app.command(epilog="Example: spinesim solve --posture trunk_flexion=20 --stability yes")
def solve(
    settings: Settings = None,
    model: ModelName = "adult",
    stance: StanceName = "standing",
    posture: Angles = None,
    complete: Completion = "rhythm",
    criterion: Criterion = "effort2",
    weights: Weights = "volume",
    stability: Margin = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON.")] = False,
    output: Annotated[Path | None, typer.Option(help="Results file (netCDF) to write.")] = None,
) -> None:
    """Solve one case: posture, muscle forces, disc loads, foramina."""
    from spinesim import results
    from spinesim.model.read import load_model
    from spinesim.solve import solve as solve_case

    values, angles = _assignments("--set", settings), _assignments("--posture", posture)
    asked: dict[str, Any] = {
        "stance": stance,
        "posture": angles or None,
        "complete": complete,
        "criterion": criterion,
        "weights": weights,
        "stability": _stability(stability),
    }
    described = load_model(model)
    failure: SpinesimError | None = None
    try:
        dataset = solve_case(described, values, **asked)
    except (InfeasibleError, NotConvergedError) as error:
        failure = error
        dataset = solve_case(described, values, raise_on_failure=False, **asked)
    if output is not None:
        results.write(dataset, output)
    if as_json:
        print(json.dumps(_plain(dataset.to_dict()), allow_nan=False))
    elif failure is None:
        _show(*_case_tables(dataset))
    if failure is not None:
        raise failure


def _stability(text: str | None) -> float | bool | None:
    """What --stability asks for.

    Raises
    ------
    InputError
        If it is neither yes, no nor a number.
    """
    if text is None or text in ("yes", "no"):
        return None if text is None else text == "yes"
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"--stability {text}: it must be yes, no or a margin in N m/rad.") from error


def _plain(value: Any) -> Any:
    """What JSON can say: NaN becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


#: Kinds of figure of what is no sweep, by a variable that it has.
OWN_KINDS = {
    "naming_probability": "confusion",
    "benefit_mean": "forest",
    "dose_benefit": "pareto",
    "total_order": "sobol",
    "effect": "tornado",
}
DECIMALS = {"deg": 2, "N": 1, "MPa": 3}  # in the tables of a case; other numbers get three figures


def _number(value: float, units: str) -> str:
    """A number as the tables show it, without a minus in front of nothing."""
    if units not in DECIMALS:
        return f"{value:.3g}"
    return f"{round(value, DECIMALS[units]) + 0.0:.{DECIMALS[units]}f}"


def _case_tables(dataset: xr.Dataset) -> list[Table | str]:
    """A solved case in a few tables: posture, loads by level, most active muscles, stability, certificate."""
    from spinesim.report.words import buckling, prices
    from spinesim.variables import VARIABLES

    def scalars(title: str, *names: str) -> Table:
        table = _table(title, "", "", "")
        table.show_header = False
        for name in names:
            if name in dataset:
                units = VARIABLES[name].units
                table.add_row(
                    VARIABLES[name].long_name, _number(dataset[name].item(), units), "" if units == "1" else units
                )
        return table

    def rows(title: str, dim: str, order: list[int], words: list[str], numbers: list[str]) -> Table:
        headings = [f"{VARIABLES[name].long_name} [{VARIABLES[name].units}]" for name in numbers]
        table = _table(title, *(name.replace("_", " ") for name in words), *headings, words=len(words))
        for index in order:
            one = dataset.isel({dim: index})
            texts = (str(one[name].item()) for name in words)
            table.add_row(*texts, *(_number(one[name].item(), VARIABLES[name].units) for name in numbers))
        return table

    loads = ["compression", "shear_anterior", "shear_lateral", "disc_pressure"]
    most_active = dataset["activation"].values.argsort(kind="stable")[::-1][:MUSCLES].tolist()
    attrs = dataset.attrs
    return [
        f"{attrs['model']}, {attrs['stance']}, posture {attrs['posture']}",
        scalars(
            "\nPosture",
            "anterior_pelvic_tilt",
            "sacral_slope",
            "pelvic_tilt_radiographic",
            "lumbar_lordosis",
            "trunk_inclination",
            "lean",
        ),
        rows("\nLoads by level, from below", "level", list(range(dataset.sizes["level"])), ["level"], loads),
        rows(
            "\nMost active fascicles",
            "muscle",
            most_active,
            ["muscle", "anatomical_muscle"],
            ["activation", "muscle_force"],
        ),
        scalars("\nStability and pressure", "stability_margin", "stability_price", "intra_abdominal_pressure"),
        buckling(dataset),
        rows(
            "\nMuscle groups",
            "muscle_group",
            list(range(dataset.sizes["muscle_group"])),
            ["muscle_group"],
            ["group_activation", "group_cocontraction"],
        ),
        scalars(
            "\nCertificate",
            "moment_residual",
            "stationarity",
            "complementarity",
            "duality_gap",
            "iterations",
            "active_bounds",
            "outside_curve_range",
            "effort",
        ),
        "\n".join(prices(dataset)),
        f"\n{attrs['note']}",
    ]


# ------------------------------------------------------------------------------------------------- sweep and merge


@app.command(epilog="Example: spinesim sweep --axis tightness.hip_flexors=0:15:4 --output sweep.nc")
def sweep(
    output: Annotated[Path, typer.Option(help="Results file (netCDF) to write.")],
    axis: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=V1,V2,...|LOW:HIGH:COUNT", help="Values of a parameter; all combinations are solved."
        ),
    ] = None,
    samples: Annotated[
        Path | None, typer.Option(help="CSV file with one case per row, parameter names on top, in place of axes.")
    ] = None,
    settings: Settings = None,
    model: ModelName = "adult",
    stance: StanceName = "standing",
    posture: Angles = None,
    complete: Completion = "rhythm",
    criterion: Criterion = "effort2",
    weights: Weights = "volume",
    stability: Margin = None,
    variables: Annotated[
        str | None, typer.Option(metavar="V1,V2,...", help="Result variables to keep; all but the large by default.")
    ] = None,
    threads: Threads = None,
    cluster: Workers = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Solve only part I of N, to be joined by `spinesim merge`.")
    ] = None,
) -> None:
    """Solve many cases, over axes or drawn. A stopped sweep goes on where it was."""
    from spinesim.model.read import load_model
    from spinesim.samples import read_samples
    from spinesim.sweep import sweep as solve_all

    asked: dict[str, Any] = {"complete": complete, "criterion": criterion, "weights": weights}
    dataset = solve_all(
        load_model(model),
        _axes(axis) if axis else None,
        samples=None if samples is None else read_samples(samples),
        parameters=_assignments("--set", settings),
        stance=stance,
        posture=_assignments("--posture", posture) or None,
        stability=_stability(stability),
        variables=variables.split(",") if variables is not None else None,
        output=output,
        threads=threads,
        executor=cluster,
        shard=shard,
        progress=True,
        **asked,
    )
    _count(output, dataset)


def _count(output: Path, dataset: xr.Dataset) -> None:
    """Say how many cases of a sweep are solved and name the others."""
    failed = _unsolved(dataset)
    print(f"{output}: {dataset['status'].size - len(failed)} of {dataset['status'].size} cases solved")
    _end([": ".join(reason) for reason in failed])


def _axes(texts: list[str]) -> dict[str, list[float]]:
    """Values by name of ``name=v1,v2,...`` and ``name=low:high:count`` texts.

    Raises
    ------
    InputError
        If one is of neither form, or a name comes twice.
    """
    axes: dict[str, list[float]] = {}
    for text in texts:
        name, equals, entries = text.partition("=")
        wrong = InputError(f"--axis {text}: it must be name=v1,v2,... or name=low:high:count.")
        if not equals or not name:
            raise wrong
        if name in axes:
            raise InputError(f"--axis {text}: {name} comes twice.")
        try:
            if ":" in entries:
                low, high, count = entries.split(":")
                axes[name] = _spaced(float(low), float(high), int(count))
            else:
                axes[name] = [float(entry) for entry in entries.split(",")]
        except ValueError:
            raise wrong from None
    return axes


def _spaced(low: float, high: float, count: int) -> list[float]:
    """Evenly spaced values, both ends among them; as `numpy.linspace`."""
    if count < 2:
        raise ValueError
    import numpy as np

    return [float(value) for value in np.linspace(low, high, count)]


@app.command(
    epilog="Example: spinesim sweep --axis load.hands=0,5 --shard 1/1 --output part.nc && "
    "spinesim merge whole.nc part.nc"
)
def merge(
    output: Annotated[Path, typer.Argument(help="Results file to write.")],
    parts: Annotated[list[Path], typer.Argument(help="Files of all shards of one sweep.")],
) -> None:
    """Join the shards of a sweep; the numbers are those of the sweep done at once."""
    from spinesim.shards import merge as join

    _count(output, join(output, parts))


# ----------------------------------------------------------------------------------------------------- sensitivity


@app.command(
    epilog="Example: spinesim sensitivity adult --parameters strength.core=0.7:1.2 --parameters load.hands=0:8 "
    "--outcomes compression.L4_L5,anterior_pelvic_tilt --method morris -n 2 --output sensitivity"
)
def sensitivity(
    model: Annotated[str, typer.Argument(help="Name of a shipped model, or a folder.")],
    parameters: Annotated[
        list[str], typer.Option(metavar="NAME=LOW:HIGH", help="Range of a parameter; may be repeated.")
    ],
    outcomes: Annotated[
        str, typer.Option(metavar="O1,O2,...", help="Result variables with their places, as compression.L4_L5.")
    ],
    output: Annotated[Path, typer.Option(help="Folder to write to.")],
    method: Annotated[
        str, typer.Option(metavar="local|morris|sobol", help="Derivatives, elementary effects or shares of variance.")
    ] = "sobol",
    n: Annotated[
        int | None, typer.Option("-n", help="Trajectories (20) or rows (1024, a power of two) of the design.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the design and the intervals.")] = 0,
    settings: Settings = None,
    stance: StanceName = "standing",
    posture: Angles = None,
    complete: Completion = "rhythm",
    stability: Margin = None,
    threads: Threads = None,
    cluster: Workers = None,
) -> None:
    """Which parameters move which outcomes: tables and figures. A stopped run goes on where it was.

    Exit status 0, also where drawn cases have no solution: they are left out and counted.
    """
    from spinesim import plots, results
    from spinesim.model.read import load_model
    from spinesim.sensitivity import sensitivity as analyse

    names = outcomes.split(",")
    asked: dict[str, Any] = {"method": method, "complete": complete}
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The output folder {output} cannot be written: {error.strerror}.") from error
    dataset = analyse(
        load_model(model),
        _ranges(parameters),
        names,
        n=n,
        seed=seed,
        parameters=_assignments("--set", settings),
        stance=stance,
        posture=_assignments("--posture", posture) or None,
        stability=_stability(stability),
        output=None if method == "local" else output / "cases.nc",
        threads=threads,
        executor=cluster,
        progress=True,
        **asked,
    )
    results.write(dataset, output / "sensitivity.nc")
    for kind in ("tornado", "sobol") if method == "sobol" else ("tornado",):
        for name in names:
            words = plots.caption(kind, dataset, outcome=name)
            file = output / f"{kind}_{name}.png"
            plots.save(plots.figure(kind, dataset, outcome=name), file, words)
            print(f"{file}: {words}")
    print(f"Table: {output / 'sensitivity.nc'}")


def _ranges(texts: list[str]) -> dict[str, tuple[float, float]]:
    """Both ends by name of ``name=low:high`` texts.

    Raises
    ------
    InputError
        If one is not of that form, or a name comes twice.
    """
    ranges: dict[str, tuple[float, float]] = {}
    for text in texts:
        name, equals, ends = text.partition("=")
        if name in ranges:
            raise InputError(f"--parameters {text}: {name} comes twice.")
        try:
            low, high = (float(end) for end in ends.split(":"))
        except ValueError as error:
            raise InputError(f"--parameters {text}: it must have the form name=low:high.") from error
        if not equals or not name:
            raise InputError(f"--parameters {text}: it must have the form name=low:high.")
        ranges[name] = (low, high)
    return ranges


# ---------------------------------------------------------------------------------------------------------- assess


@app.command(epilog="Example: spinesim assess --set imbalance.lower_crossed=1")
def assess(
    model: Annotated[str, typer.Argument(help="Name of a shipped model, or a folder.")] = "adult",
    settings: Settings = None,
    test: Annotated[list[str] | None, typer.Option(help="Only this test; may be repeated.")] = None,
    confusion: Annotated[
        bool, typer.Option("--confusion", help="Which named imbalances the tests tell apart, instead of one body.")
    ] = False,
    severity: Annotated[
        list[float] | None, typer.Option(help="With --confusion: severity of the true imbalance; may be repeated.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="own|norms", help="With --confusion: healthy readings of the same person, or norms."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON.")] = False,
    output: Annotated[Path | None, typer.Option(help="With --confusion: results file (netCDF) to write.")] = None,
) -> None:
    """What clinical tests would read of a body, with their published errors; never a diagnosis.

    Exit status 0, also where a test cannot be formed: the table says why.
    """
    from spinesim.model.read import load_model

    described = load_model(model)
    if confusion:
        if settings:
            raise InputError(f"--set {settings[0]} has no meaning with --confusion, which sets every named imbalance.")
        _show_confusion(described, test, severity, against, as_json, output)
        return
    for option, given in (("--severity", severity), ("--against", against), ("--output", output)):
        if given:
            raise InputError(f"{option} needs --confusion.")
    from spinesim.assessment import assess as read_tests

    dataset = read_tests(described, _assignments("--set", settings), test)
    if as_json:
        print(json.dumps(_plain(dataset.to_dict()), allow_nan=False))
    else:
        _show(*_assessment_tables(dataset))


def _show_confusion(
    model: Model,
    tests: list[str] | None,
    severities: list[float] | None,
    against: str | None,
    as_json: bool,
    output: Path | None,
) -> None:
    """Print, and save if asked to, what the tests tell apart."""
    from spinesim import results
    from spinesim.confusion import check_request, confusion, patterns

    asked: dict[str, Any] = {"against": against} if against else {}
    if severities:
        asked["severities"] = severities
    check_request(**asked)
    with _progress(sum(len(each.names) for each in model.imbalances.values())) as step:
        table = patterns(model, tests, progress=step)
    dataset = confusion(model, tests, table=table, **asked)
    if output is not None:
        results.write(dataset, output)
    if as_json:
        print(json.dumps(_plain(dataset.to_dict()), allow_nan=False))
    else:
        _show(*_confusion_tables(dataset))


def _assessment_tables(dataset: xr.Dataset) -> list[Table | str]:
    """Readings of every test, those that cannot be formed, and what they may not be taken for."""
    shown: list[Table | str] = [f"{dataset.attrs['model']}, {dataset.attrs['parameters']}"]
    lost: dict[str, str] = {}
    heads = ("reads", "healthy", "change", "error")
    for unit, title, more in (("deg", "Angles [deg]", ()), ("N m", "Largest moments [N m]", ("share [%]", "grade"))):
        table = _table(f"\n{title}", "test", "side", *heads, *more, words=2)
        for name in dataset["reading"].values[dataset["unit"].values == unit]:
            row = dataset.sel(reading=name)
            if (why := str(row["status"].item())) != "read":
                lost[str(name)] = why
                continue
            reads, healthy, change, error = (float(row[key]) for key in ("value", "healthy", "change", "error"))
            mark = "*" if abs(change) > float(row["detectable_change"]) else " "
            strength = (f"{100 * float(row['share']):.0f}", str(row["grade"].item()))[: len(more)]
            numbers = (f"{round(number, 1) + 0.0:.1f}" for number in (reads, healthy, change, error))
            cells = [text + mark if place == 2 else text for place, text in enumerate(numbers)]
            table.add_row(str(row["title"].item()), str(row["side"].item()), *cells, *strength)
        if table.row_count:
            shown.append(table)
    shown.append("\n* beyond 1.96 sqrt(2) standard errors of measurement: a change that a second visit could show")
    shown += _not_formed(lost)
    if dataset.attrs["put_down"] != "nothing":
        shown.append(f"\nPut down before the tests: {dataset.attrs['put_down']}.")
    return [*shown, f"\n{dataset.attrs['note']}"]


def _not_formed(lost: Mapping[str, str]) -> list[str]:
    """Readings that cannot be formed, a sentence for every reason."""
    reasons: dict[str, list[str]] = {}
    for name, why in lost.items():
        reasons.setdefault(why, []).append(name)
    return [f"\nNot formed: {', '.join(names)}: {why}." for why, names in reasons.items()]


def _confusion_tables(dataset: xr.Dataset) -> list[Table | str]:
    """What every imbalance is named, the likeliest names first, at every severity."""
    names = [str(name) for name in dataset["true_imbalance"].values]
    shown: list[Table | str] = []
    for severity in dataset["severity"].values.tolist():
        table = _table(f"\nSeverity {severity:g}", "true imbalance", "right [%]", "named most [%]", words=1)
        table.columns[2].justify = "left"
        probability = dataset["naming_probability"].sel(severity=severity).values
        for i, name in enumerate(names):
            order = (-probability[i]).argsort(kind="stable")[:3]
            most = ", ".join(f"{names[j]} {100 * probability[i, j]:.0f}" for j in order if probability[i, j] >= 0.005)
            table.add_row(name, f"{100 * probability[i, i]:.0f}", most)
        shown.append(table)
    shown += _not_formed(json.loads(dataset.attrs["left_out"]))
    return [*shown, f"\n{dataset.attrs['note']}"]


# ---------------------------------------------------------------------------------------- check, parameters, models


@app.command(epilog="Example: spinesim check adult")
def check(model: Annotated[str, typer.Argument(help="Name of a shipped model, or a folder.")]) -> None:
    """Check the files of a model, walk it through its stances and tests, and list what is derived or assumed."""
    from spinesim.excursion import walk
    from spinesim.model.check import SECOND_HAND
    from spinesim.model.check import check as check_model
    from spinesim.model.read import load_model

    described = load_model(model)
    report = check_model(described)
    # a model with errors may not even stand
    for finding in (*report.findings, *(walk(described) if report.passed else ())):
        print(f"{finding.level}: {finding.subject}: {finding.message}")
    rows = ", ".join(f"{count} {table.replace('_', ' ')}" for table, count in report.counts.items())
    print(f"\n{report.model}: {rows}")
    for confidence, entries in report.provenance.items():
        print(f"\n{confidence}: {len(entries)}")
        if confidence in SECOND_HAND:
            print("\n".join(_by_table(entries)))
    errors = len(report.of_level("error"))
    if errors:
        raise InputError(f"{report.model} is not usable: {errors} error{'s' if errors > 1 else ''} above.")
    print(f"\n{report.model} passes.")


def _by_table(entries: tuple[str, ...]) -> list[str]:
    """``table: entry`` texts as one paragraph per table."""
    tables: dict[str, list[str]] = {}
    for text in entries:
        table, _, entry = text.partition(": ")
        tables.setdefault(table, []).append(entry)
    return [
        textwrap.fill(
            f"{table.replace('_', ' ')}: {', '.join(names)}", 100, initial_indent="  ", subsequent_indent="    "
        )
        for table, names in tables.items()
    ]


@app.command(epilog="Example: spinesim parameters --model adult")
def parameters(model: ModelName = "adult") -> None:
    """List what may be set: names, units, ranges, defaults."""
    from spinesim.cases import names
    from spinesim.model.pack import pack
    from spinesim.model.read import load_model
    from spinesim.parameters import describe, describe_targets

    described = load_model(model)
    rows = _table("Parameters", "name", "unit", "range", "default", "meaning", words=5)
    rows.columns[0].no_wrap = True
    for row in describe():
        rows.add_row(row.name, row.units, f"{row.lowest:g} to {row.highest:g}", _default(row), row.description)
    targets = _table(
        "\nNAME is one of these, alone or followed by one of its sides", "name", "sides", "what it reaches", words=3
    )
    for target in describe_targets(names(pack(described))):
        test = f"; tightness is read in the {target.test}" if target.test else ""
        sides = " ".join(f".{side}" for side in target.sides)
        targets.add_row(target.name, sides, f"{target.kind}: {target.members.replace('_', ' ')}{test}")
    rule = (
        "\nThe most specific name wins: fascicle, muscle.side, muscle, group.side, group. Groups that share a muscle "
        "combine: strength and stiffness multiply, tone takes the larger, inhibition the smaller. Only a group with a "
        "clinical test has tightness. `spinesim imbalances` lists what PRESET may be. LEVEL is a level with a foramen, "
        "such as L4_L5, and SIDE left or right."
    )
    _show(rows, targets, rule)


def _default(row: Parameter) -> str:
    return "the model's" if row.default is None else f"{row.default:g}"


@app.command(epilog="Example: spinesim imbalances adult")
def imbalances(model: Annotated[str, typer.Argument(help="Name of a shipped model, or a folder.")] = "adult") -> None:
    """List the named imbalances of a model: what each sets at severity 1, and where that comes from."""
    from spinesim.imbalance import imbalances as of_model
    from spinesim.imbalance import setting_words, source_words
    from spinesim.model.read import load_model

    described = load_model(model)
    named = of_model(described)
    if not named:
        print(f"{described.name} has no named imbalances.")
        return
    keys: dict[str, None] = {}
    for imbalance in named.values():
        print(f"{' or '.join(f'imbalance.{name}' for name in imbalance.names)}: {imbalance.title}")
        side = " on that side" if imbalance.sides == "one" else ""
        for name, setting in imbalance.settings.items():
            print(f"    {setting_words(name, setting.value)}{side}    ({source_words(setting)})")
            keys |= dict.fromkeys(setting.source.split("+"))
    print(
        "\nValues at severity 1; --set imbalance.weak_core=0.5 sets half of it, and severity 0 nothing. With what else "
        "is set on the same\nname strength and stiffness multiply, inhibition takes the smaller, tone, tightness and "
        "loads take the larger.\n"
    )
    for key in sorted(keys):
        print(textwrap.fill(f"{key}: {described.sources[key]}", 100, subsequent_indent="    "))


@app.command(epilog="Example: spinesim stances adult")
def stances(model: Annotated[str, typer.Argument(help="Name of a shipped model, or a folder.")] = "adult") -> None:
    """List the stances of a model: what is free, what holds the rest, what carries the weight, and what is believed."""
    from spinesim.imbalance import source_words
    from spinesim.model.read import load_model
    from spinesim.roles import stance_rows
    from spinesim.roles import stances as of_model

    described = load_model(model)
    for stance in of_model(described).values():
        print(f"{stance.name}: {stance.description}")
        for name, words in stance_rows(described, stance).items():
            print(textwrap.fill(f"{name}: {words}", 110, initial_indent="    ", subsequent_indent="        "))
        print(f"    ({source_words(stance)})")


@app.command(epilog="Example: spinesim models")
def models() -> None:
    """List the shipped models."""
    from spinesim.model.read import load_model, model_names

    table = _table("Models", "name", "fascicles", "stances", "description", words=4)
    for name in model_names():
        model = load_model(name)
        table.add_row(name, str(len(model.muscles)), ", ".join(model.stances), model.description)
    _show(table)


# ------------------------------------------------------------------------------------------------------- validate


@app.command(epilog="Example: spinesim validate adult")
def validate(
    model: Annotated[str, typer.Argument(help="Name of a shipped model, or a folder.")] = "adult",
    record: Annotated[bool, typer.Option("--record", help="Write the verdicts into the folder of the model.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all rows as JSON.")] = False,
) -> None:
    """Score a model on published measurements and compare the verdicts with the recorded ones.

    Exit status 0: every verdict is as recorded. 1: a verdict has changed; the rows are named.
    """
    from spinesim.measurements import read_measurements
    from spinesim.model.read import load_model
    from spinesim.validation import changes, read_verdicts, scored, verdicts_file, write_verdicts
    from spinesim.validation import validate as score_all

    described, rows = load_model(model), read_measurements()
    file = verdicts_file(model)
    before = read_verdicts(file)
    with _progress(len(scored(rows))) as step:
        scores = score_all(described, rows, progress=step)
    changed = changes(scores, before) if before is not None else []
    if as_json:
        print(json.dumps(_plain(_validation(scores, rows, before, changed)), allow_nan=False))
    else:
        _show(*_validation_tables(scores, rows))
    if record:
        write_verdicts(file, scores)
        _complain(f"Recorded in {file}.")
    elif before is None:
        _complain(f"{described.name} has no recorded verdicts; --record writes them to {file}.")
    if changed and not record:
        _complain("\n".join(["Verdicts that are not the recorded ones:", *changed]))
        raise typer.Exit(UNSOLVED)


@contextmanager
def _progress(count: int) -> Iterator[Callable[[str], None]]:
    """A bar on the error stream that moves with every call; nothing where that is no terminal."""
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=count)

        def step(name: str) -> None:
            bar.update(task, advance=1, description=name)

        yield step


def _validation_tables(scores: Sequence[Score], rows: Mapping[str, Measurement]) -> list[Table | str]:
    """Verdicts of calibration and evidence, the rows not reached, and the score."""
    from spinesim.validation import hits, not_reached, number

    shown: list[Table | str] = []
    for reach, title in (("calibration", "Calibration: no evidence"), ("evidence", "\nEvidence")):
        table = _table(title, "id", "quantity", "verdict", "computed", "band", "unit", words=3)
        for each in scores:
            if each.row.reach == reach:
                what = f"{each.row.quantity}, {each.row.condition}"
                numbers = (number(each.computed), str(each.row.band), each.row.unit)
                table.add_row(each.row.id, what + f": {each.why}" * bool(each.why), each.verdict, *numbers)
        shown.append(table)
    left = _table("\nNot reached", "class", "why", "rows", words=3)
    for reach, why, ids in not_reached(rows):
        left.add_row(reach.replace("_", " "), why, " ".join(ids))
    shown.append(left)
    found, count = hits(scores)
    failed = sum(each.verdict == "failed" for each in scores if each.row.reach == "evidence")
    chosen, of = hits(scores, "calibration")
    shown.append(
        f"\nEvidence: {found} of {count} hit, {failed} failed. Calibration: {chosen} of {of}. Rows in all: {len(rows)}."
    )
    return shown


def _validation(
    scores: Sequence[Score],
    rows: Mapping[str, Measurement],
    before: Mapping[str, str] | None,
    changed: Sequence[str],
) -> dict[str, Any]:
    """All of it as plain data."""
    from spinesim.measurements import SCORED
    from spinesim.validation import hits

    found, count = hits(scores)
    return {
        "evidence": {"hit": found, "rows": count},
        "changed": list(changed),
        "scored": [
            {
                "id": each.row.id,
                "reach": each.row.reach,
                "quantity": each.row.quantity,
                "computed": each.computed,
                "band": str(each.row.band),
                "unit": each.row.unit,
                "verdict": each.verdict,
                "recorded": (before or {}).get(each.row.id),
                "why": each.why,
                "protocol": each.row.words,
                "source": each.row.source,
                "confidence": each.row.confidence,
            }
            for each in scores
        ],
        "not_reached": [
            {"id": row.id, "reach": row.reach, "why": row.words} for row in rows.values() if row.reach not in SCORED
        ],
    }


# ----------------------------------------------------------------------------------------------------------- plot


# ---------------------------------------------------------------------------------------------------------- compare


@app.command(epilog="Example: spinesim interventions")
def interventions() -> None:
    """List what a programme may consist of: what each changes, how a dose acts, and where that comes from."""
    from spinesim.intervention import exercises, intervention_words, laws

    for name, words in intervention_words().items():
        print(textwrap.fill(f"{name}: {words}", 110, subsequent_indent="    "))
    table = _table("\nLaws", "intervention", "changes", "mean", "SD", "unit", "dose", "kept", "confidence", words=2)
    for law in laws():
        dose = f"{law.weeks:g} weeks, {law.per_week:g}/week" if law.weeks else "one session"
        target = f".{law.target}" if law.target else ""
        kept = f"{law.half_life_days:g} days" if law.half_life_days >= 1 else f"{24 * law.half_life_days:.2g} hours"
        numbers = (f"{law.mean:g}", f"{law.sd:g}", law.unit, dose, kept, law.confidence)
        table.add_row(law.intervention, f"{law.family}{target}", *numbers)
    used = _table("\nExercises", "exercise", "muscle", "activation [%]", "stimulus", words=2)
    for each in exercises():
        used.add_row(each.exercise, each.target, f"{100 * each.activation:.0f}", f"{each.share:.2f}")
    rule = (
        "\nA law multiplies (strength, stiffness), adds (deg; spread: SD of the clinical test among healthy people) or "
        "removes a share (tone); kept: half-life after the last session. A programme joins interventions by +, each "
        "NAME@FROM-TO:TIMES, such as plank@0-4:2+bird_dog@4-8:3 (weeks, sessions a week)."
    )
    _show(table, used, rule)


Imbalance = Annotated[str | None, typer.Argument(help="Named imbalance, such as lower_crossed; or use --set.")]
Programmes = Annotated[
    list[str] | None,
    typer.Option("--programme", metavar="NAME[@FROM-TO][:TIMES]", help="What is done; + joins, may be repeated."),
]


@app.command(
    epilog="Example: spinesim compare lower_crossed --programme stretch.hip_flexors --programme plank:5 --people 4"
)
def compare(
    imbalance: Imbalance = None,
    programmes: Programmes = None,
    settings: Settings = None,
    weeks: Annotated[float, typer.Option(help="Length of the programmes, and when people are compared.")] = 8.0,
    per_week: Annotated[float, typer.Option(help="Sessions a week.")] = 3.0,
    people: Annotated[int, typer.Option(help="Virtual adults; 1: the body of the model itself.")] = 64,
    seed: Annotated[int, typer.Option(help="Of their random numbers.")] = 0,
    stance: Annotated[str, typer.Option(help="In which they are compared.")] = "standing",
    rest: Annotated[float | None, typer.Option(help="Hours since the last session.")] = None,
    time: Annotated[
        list[float] | None, typer.Option(metavar="WEEK", help="Compare at this week too; may be repeated.")
    ] = None,
    outcome: Annotated[list[str] | None, typer.Option(help="Show only this outcome; may be repeated.")] = None,
    model: ModelName = "adult",
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON.")] = False,
    output: Annotated[Path | None, typer.Option(help="Results file (netCDF) to write.")] = None,
) -> None:
    """Programmes against nothing in people with an imbalance: change of every outcome, ranked, with intervals.

    Exit status 0, also where no programme is better than nothing: the sentences say so.
    """
    from spinesim import results
    from spinesim.compare import compare as against_nothing
    from spinesim.compare import course, find_outcome, sentences
    from spinesim.model.read import load_model

    described = load_model(model)
    who = _who(imbalance, settings)
    if not programmes:
        raise InputError("--programme is missing: name what is done, such as --programme stretch.hip_flexors.")
    for name in outcome or []:
        find_outcome(described, name)
    asked: dict[str, Any] = {
        "weeks": weeks,
        "per_week": per_week,
        "people": people,
        "seed": seed,
        "stance": stance,
        "rest": rest,
        "progress": True,
    }
    if time:
        dataset = course(described, who, programmes, times=sorted({*time, weeks}), **asked)
        last = dataset.sel(week=weeks)
    else:
        dataset = last = against_nothing(described, who, programmes, **asked)
    if output is not None:
        results.write(dataset, output)
    if as_json:
        print(json.dumps(_plain(dataset.to_dict()), allow_nan=False))
        return
    if outcome:
        last = last.sel(outcome=outcome)
    _show(*_comparison_tables(last))
    if time:
        _show(*_course_tables(dataset))
    print()
    for words in sentences(last):
        print(textwrap.fill(words, 110, subsequent_indent="    "))
    print(f"\n{dataset.attrs['note']}")


def _who(imbalance: str | None, settings: list[str] | None) -> str | dict[str, float]:
    """The imbalance that is named or set.

    Raises
    ------
    InputError
        If it is neither, or both.
    """
    if bool(imbalance) == bool(settings):
        raise InputError("Name an imbalance, such as lower_crossed, or set parameters with --set; one of the two.")
    return imbalance or _assignments("--set", settings)


def _comparison_tables(dataset: xr.Dataset) -> list[Table | str]:
    """Every outcome with its programmes, the best first."""
    people = dataset.sizes["person"]
    who = f"{people} people" if people > 1 else "one body with mean responses"
    table = _table(
        f"{dataset.attrs['model']}, {dataset.attrs['stance']}, week {float(dataset.week):g}, {who}",
        "outcome",
        "programme",
        "verdict",
        "unit",
        "benefit",
        "low",
        "high",
        "change",
        "better [%]",
        words=4,
    )
    for name in dataset.outcome.values.astype(str):
        one = dataset.sel(outcome=name)
        for p in one["rank"].values.argsort(kind="stable"):
            each = one.isel(programme=p)
            numbers = (each.benefit_mean, each.benefit_low, each.benefit_high, each.change_mean)
            texts = (f"{float(value):.3g}" for value in numbers)
            share = f"{100 * float(each.share_better):.0f}"
            table.add_row(name, str(each.programme.item()), each.verdict.item(), one.unit.item(), *texts, share)
    rule = (
        "\nBenefit: by how much the same person is better than with nothing, mean and middle 95 % of the people; "
        "change: value less that with nothing; better: people who gain what matters."
    )
    return [table, rule]


def _course_tables(dataset: xr.Dataset) -> list[Table | str]:
    """What clinical tests read along the weeks."""
    names = dataset.reading.values.astype(str)
    heads = [f"{name} [{unit}]" for name, unit in zip(names, dataset.reading_unit.values.astype(str), strict=True)]
    table = _table("\nTests of a body with mean responses", "programme", "week", *heads)
    for name in dataset.programme.values.astype(str):
        for week in dataset.week.values:
            values = dataset.test_value.sel(programme=name, week=week).values
            table.add_row(name, f"{week:g}", *(f"{value:.1f}" for value in values))
    return [table]


@app.command(
    epilog="Example: spinesim dose lower_crossed stretch.hip_flexors --outcome anterior_pelvic_tilt --target 1"
)
def dose(
    imbalance: Annotated[str, typer.Argument(help="Named imbalance, such as lower_crossed.")],
    programme: Annotated[str, typer.Argument(help="Interventions joined by +, without weeks of their own.")],
    outcome: Annotated[str, typer.Option(help="Outcome, such as anterior_pelvic_tilt or compression.L5_S1.")],
    target: Annotated[float, typer.Option(help="Benefit against nothing that is asked for, in its unit.")],
    per_week: Annotated[float, typer.Option(help="Sessions a week.")] = 3.0,
    model: ModelName = "adult",
) -> None:
    """Fewest weeks after which a body with mean responses is better than with nothing by a target.

    Exit status 0: some dose reaches it. 1: none does.
    """
    from spinesim.compare import find_outcome
    from spinesim.dose import least_weeks
    from spinesim.model.read import load_model

    described = load_model(model)
    unit = find_outcome(described, outcome).unit
    words = "" if unit == "1" else f" {unit}"
    found = least_weeks(described, imbalance, programme, outcome, target, per_week=per_week)
    if not found.reached:
        _complain(
            f"No solution: no dose reaches {target:g}{words} in {outcome}; the most is {found.benefit:.3g}{words}."
        )
        raise typer.Exit(UNSOLVED)
    print(f"{programme}, {per_week:g} times a week: {target:g}{words} in {outcome} after {found.weeks:.1f} weeks.")


@app.command(epilog="Example: spinesim claims --people 2 --claim core_instability")
def claims(
    people: Annotated[int, typer.Option(help="Virtual adults.")] = 64,
    seed: Annotated[int, typer.Option(help="Of their random numbers.")] = 0,
    claim: Annotated[list[str] | None, typer.Option(help="Only this claim; may be repeated.")] = None,
    model: ModelName = "adult",
) -> None:
    """Claims of clinicians: verdict and size of the model beside the verdict of the evidence.

    All of them take a few minutes. Exit status 0, whatever the verdicts are.
    """
    from spinesim.claims import claims as of_clinicians
    from spinesim.claims import judged, size_words
    from spinesim.model.read import load_model

    with _progress(len({each.stance for each in of_clinicians()})) as step:
        findings = judged(load_model(model), count=people, seed=seed, chosen=claim, progress=step)
    table = _table(f"Claims, {people} people", "id", "claim", "model", "size", "evidence", words=5)
    for each in findings:
        table.add_row(each.claim.id, each.claim.claim, each.verdict, size_words(each), each.claim.evidence)
    _show(table, "\nSize: mean difference and middle 95 % of the people. docs/claims.md has the rule and the sources.")


# ------------------------------------------------------------------------------------------------------ calibrate


@app.command(epilog="Example: spinesim calibrate adult")
def calibrate(
    model: Annotated[str, typer.Argument(help="Name of a shipped model, or a folder.")] = "adult",
    record: Annotated[bool, typer.Option("--record", help="Write calibration.toml of the model.")] = False,
) -> None:
    """Fit the constants that no table gives to the rows named for it, and compare with those of the model.

    Takes about a minute. Exit status 0: the constants are those of the model. 1: they are not; they are named.
    """
    from spinesim.calibration import ROWS, differences, inputs, recorded, steps
    from spinesim.calibration import calibrate as fit
    from spinesim.calibration import record as write
    from spinesim.measurements import read_measurements
    from spinesim.model.read import load_model, model_folder

    described, rows = load_model(model), read_measurements()
    before = recorded(model)
    with _progress(steps()) as step:
        found = fit(described, progress=step)
    _show(*_calibration_tables(found, rows))
    if record:
        _complain(f"Recorded in {write(model, described, found)}.")
        return
    now = inputs(model_folder(model), {key: rows[key] for key in ROWS})
    if before is not None and before.inputs != now:
        _complain("The tables of the model or the rows have changed since its constants were recorded.")
    changed = differences(found, described)
    if changed:
        _complain("\n".join(["Constants that are not those of the model:", *changed]))
        raise typer.Exit(UNSOLVED)


def _calibration_tables(found: Calibration, rows: Mapping[str, Measurement]) -> list[Table | str]:
    """Constants, residuals of the rows and other fits."""
    from spinesim.calibration import CONSTANTS, shown
    from spinesim.validation import number

    constants = [c for c in CONSTANTS if c.name in found.profiles]
    values = _table("Constants", "constant", "meaning", "value", "determined by the rows", words=2)
    for c in constants:
        values.add_row(c.name, f"{c.symbol}, {c.words}", shown(c, found.fit.values[c.name]), found.determined[c.name])
    met = _table("\nRows: no evidence", "id", "quantity", "computed", "measured", "unit", "half bands off", words=2)
    for row, off in found.fit.residuals.items():
        what = (f"{rows[row].quantity}, {rows[row].condition}", number(found.fit.computed[row]))
        met.add_row(row, *what, rows[row].value, rows[row].unit, f"{off:+.2f}")
    others = _table("\nOther fits", "fit", *(c.symbol for c in constants), "misfit")
    named = (("all fitted", found.loose), *(("local", other) for other in found.alternatives))
    for name, each in (("chosen", found.fit), *named):
        others.add_row(name, *(shown(c, each.values[c.name]) for c in constants), f"{each.misfit:.3g}")
    return [values, met, others]


@app.command(epilog="Example: spinesim solve --output case.nc && spinesim plot case.nc")
def plot(
    file: Annotated[Path, typer.Argument(help="Results file.")],
    kind: Annotated[
        str | None, typer.Option(help="Kind of figure; chosen by the number of sweep axes by default.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Picture (png, svg or pdf) to write; beside the file by default.")
    ] = None,
    variable: Annotated[str | None, typer.Option(help="Variable that a heat map shows.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Outcome of a comparison that is shown.")] = None,
    case: Annotated[
        list[str] | None, typer.Option(metavar="AXIS=VALUE", help="Case of a sweep to draw; may be repeated.")
    ] = None,
) -> None:
    """Draw a saved result and print the finding of the figure."""
    from spinesim import plots
    from spinesim.plots.cases import sweep_axes
    from spinesim.results import open_results

    dataset = open_results(file)
    by_axes = {1: "tilt_and_lordosis", 2: "heat_map"}
    usual = by_axes.get(len(sweep_axes(dataset)), "body_sagittal")
    chosen = kind or next((name for need, name in OWN_KINDS.items() if need in dataset), usual)
    named = {"variable": variable, "outcome": outcome}
    options: dict[str, Any] = {name: value for name, value in named.items() if value}
    if case:
        options["case"] = _assignments("--case", case)
    target = output or file.with_name(f"{file.stem}_{chosen}.png")
    words = plots.caption(chosen, dataset, **options)
    plots.save(plots.figure(chosen, dataset, **options), target, words)
    print(words)
    print(target)
