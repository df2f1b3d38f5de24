"""The report of an experiment as Markdown, from the saved results alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr

from spinesim.plots.cases import ends_and_middle, four, sweep_axes
from spinesim.plots.style import level_name, unit_of
from spinesim.shapes import LEAST, PART, TOLERANCE, shape

#: What the words of `_along` mean.
SHAPES = (
    f"First and last solved number. Null: no change by {LEAST['N']:g} N, {LEAST['deg']:g} deg, "
    f"{LEAST['N m/rad']:g} N·m/rad or {PART:.0%}; linear: within {TOLERANCE:.0%} of the change from the straight line; "
    f"beyond a value only: less than {TOLERANCE:.0%} of the change up to there. These bounds are assumed. Marked: "
    "another solution was found there, or at the end of the chain of solves."
)
LISTED = 10  #: failed cases of a run that are named one by one; the file holds all


@dataclass(frozen=True)
class Drawn:
    """A figure that stands in the report."""

    file: str  #: of the picture
    what: str  #: the kind of figure in words
    caption: str


def report_text(
    title: str,
    question: str,
    results: Sequence[tuple[str, str, xr.Dataset]],
    figures: Iterable[Drawn],
    *,
    sensitivities: Sequence[tuple[str, str, xr.Dataset]] = (),
    confusions: Sequence[tuple[str, str, xr.Dataset]] = (),
    comparisons: Sequence[tuple[str, str, xr.Dataset]] = (),
    courses: Sequence[tuple[str, str, xr.Dataset]] = (),
) -> str:
    """The whole report.

    Parameters
    ----------
    results, sensitivities, confusions, comparisons, courses
        File name, words and dataset of every run, of every study of sensitivity, of every table of what clinical tests
        tell apart, of every comparison of programmes or grid of doses, and of every course of adaptation.
    """
    parts = [f"# {title}", " ".join(question.split()), "## What was run"]
    if results:
        parts.append(_runs(results))
    if sensitivities:
        parts.append(_studies(sensitivities))
    if confusions:
        parts.append(_confusions(confusions))
    if comparisons:
        parts.append(_comparisons(comparisons))
    if courses:
        parts.append(_courses(courses))
    everything = [*results, *sensitivities, *confusions, *comparisons, *courses]
    parts.append(_origin(everything[0][2]))
    single = [(words, dataset) for _, words, dataset in results if not sweep_axes(dataset)]
    if results:
        parts.append("## Key numbers")
    for _, words, dataset in results:
        if sweep_axes(dataset):
            parts += [f"### {_capital(words)}", _numbers(dataset)]
    lines = [each for each in results if len(sweep_axes(each[2])) == 1]
    if lines:
        parts += ["### How they run along their axis", _along(lines), SHAPES]
    if single:
        parts += ["### Single cases", _single(single)]
    if sensitivities:
        parts.append("## What moves the outcomes")
        for _, words, dataset in sensitivities:
            parts += [f"### {_capital(words)}", *_effects(dataset)]
    if confusions:
        parts.append("## What the tests tell apart")
        for _, words, dataset in confusions:
            parts += [f"### {_capital(words)}", _named(dataset)]
    if comparisons:
        parts.append("## Against nothing")
        for _, words, dataset in comparisons:
            parts += [f"### {_capital(words)}", *(_doses(dataset) if "dose" in dataset.dims else _benefits(dataset))]
    if courses:
        parts.append("## Week by week")
        for _, words, dataset in courses:
            parts += [f"### {_capital(words)}", _weeks(dataset)]
    figures = list(figures)
    if figures:
        parts.append("## Figures")
        parts += [f"![{drawn.what}]({drawn.file})\n\n*{drawn.caption}*" for drawn in figures]
    if results:
        parts += ["## Cases without a solution", _failures(results)]
    parts += ["## Limits", _limits(everything)]
    return "\n\n".join(parts) + "\n"


def _studies(tables: Sequence[tuple[str, str, xr.Dataset]]) -> str:
    rows = []
    for file, words, dataset in tables:
        drawn = "cases" in dataset
        total, lost = (float(dataset[name]) if drawn else 0.0 for name in ("cases", "unsolved_cases"))
        rows.append(
            [
                words,
                f"{dataset.attrs['method']}" + (f" (seed {dataset.attrs['seed']})" if drawn else ""),
                str(dataset.attrs["stance"]),
                str(dataset.attrs["stability_demanded"]),
                _settings(dataset.attrs["parameters"]),
                f"{total - lost:.0f} of {total:.0f}" if drawn else "1 of 1",
                f"`{file}`",
            ]
        )
    return _table(["study", "method", "stance", "stability", "parameters", "solved", "file"], rows)


#: What is told of an outcome and a parameter, by method: variable, and words for it.
TOLD = {
    "local": ("effect", "Change over the range along the derivative in its middle."),
    "morris": ("effect", "Mean change over the range, with its 95 % bootstrap interval."),
    "sobol": ("total_order", "Share of the variance, interactions included, with its 95 % bootstrap interval."),
}


def _effects(dataset: xr.Dataset) -> list[str]:
    """What every parameter does to every outcome, a row per parameter."""
    name, words = TOLD[str(dataset.attrs["method"])]
    heads = ["parameter", "range"]
    for outcome, unit in zip(
        dataset["outcome"].values.astype(str), dataset["outcome_unit"].values.astype(str), strict=True
    ):
        shown = unit.replace("mm2", "mm²").replace("N m", "N·m")
        heads.append(level_name(outcome) + (f" [{shown}]" if name == "effect" and unit != "1" else ""))
    rows = []
    for k, parameter in enumerate(dataset["parameter"].values.astype(str)):
        one = dataset.isel(parameter=k)
        unit = str(one["parameter_unit"].item())
        span = f"{float(one['range_low']):g} to {float(one['range_high']):g}" + (f" {unit}" if unit != "1" else "")
        rows.append([parameter, span, *(_estimate(one.isel(outcome=o), name) for o in range(one.sizes["outcome"]))])
    return [_table(heads, rows), words]


def _estimate(one: xr.Dataset, name: str) -> str:
    ends = [name, *(f"{name}_{end}" for end in ("low", "high") if f"{name}_{end}" in one)]
    numbers = [float(one[each]) for each in ends]
    if np.isnan(numbers[0]):
        return "—"
    value, *rest = (four(number) for number in numbers)
    return f"{value} ({' to '.join(rest)})" if rest else value


def _courses(tables: Sequence[tuple[str, str, xr.Dataset]]) -> str:
    rows = []
    for file, words, dataset in tables:
        feeds = [
            four(dataset.attrs[name]) if np.isfinite(dataset.attrs.get(name, np.nan)) else "—"
            for name in ("gain", "exponent_that_runs_away")
        ]
        total = dataset["status"].size
        rows.append(
            [
                words,
                _settings(dataset.attrs["start"]),
                ", ".join(f"{hours:g} h {name}" for name, hours in json.loads(dataset.attrs["habit_hours"]).items()),
                _settings(dataset.attrs["laws"]),
                _settings(dataset.attrs["parameters"]),
                f"{total - failed(dataset)} of {total}",
                *feeds,
                f"`{file}`",
            ]
        )
    heads = [
        "course",
        "start",
        "a day",
        "laws",
        "parameters",
        "weeks solved",
        "gain in health",
        "runs away from exponent",
    ]
    return _table([*heads, "file"], rows)


def _settings(text: str) -> str:
    """Values by name, from JSON."""
    return ", ".join(f"{name} = {value:g}" for name, value in json.loads(text).items()) or "defaults"


def _weeks(dataset: xr.Dataset) -> str:
    """State and posture at the beginning, the middle and the end of a course."""
    groups, short = (dataset[name].values.astype(str) for name in ("muscle_group", "short_group"))
    heads = ["week", *(f"strength {level_name(name)}" for name in groups)]
    heads += [f"tightness {level_name(name)} [deg]" for name in short]
    rows = []
    for week in ends_and_middle(dataset.sizes["week"]):
        one = dataset.isel(week=week)
        state = [*one["strength"].values, *one["tightness"].values]
        rows.append(
            [f"{float(one['week']):g}", *("—" if np.isnan(value) else four(value) for value in state), *_row(one)]
        )
    return _table([*heads, *key_numbers(dataset.isel(week=0)), "status"], rows)


def _confusions(tables: Sequence[tuple[str, str, xr.Dataset]]) -> str:
    rows = []
    for file, words, dataset in tables:
        tests = ", ".join(
            dict.fromkeys(str(name).split(".")[0].replace("_", " ") for name in dataset["reading"].values)
        )
        left = json.loads(str(dataset.attrs["left_out"]))
        reasons = "; ".join(dict.fromkeys(left.values())) or "none"
        against = {"own": "healthy readings of the same person", "norms": "norms of other people"}
        draws = f"{dataset.attrs['draws']} (seed {dataset.attrs['seed']})"
        rows.append([words, tests, against[str(dataset.attrs["against"])], reasons, draws, f"`{file}`"])
    return _table(["table", "tests", "compared with", "not formed", "draws", "file"], rows)


def _named(dataset: xr.Dataset) -> str:
    """For every imbalance how often it is named rightly, and what it is taken for most otherwise, by severity."""
    names = [str(name) for name in dataset["true_imbalance"].values]
    severities = dataset["severity"].values.astype(float)
    rows = []
    for i, name in enumerate(names):
        row = [name]
        for severity in range(severities.size):
            share = dataset["naming_probability"].values[severity, i]
            other = int(np.where(np.arange(len(names)) == i, -1.0, share).argmax())
            row += [
                f"{100 * share[i]:.0f}",
                f"{names[other]} {100 * share[other]:.0f}" if share[other] >= 0.005 else "—",
            ]
        rows.append(row)
    heads = [f"{what}, severity {value:g} [%]" for value in severities for what in ("named rightly", "else most")]
    return _table(["true imbalance", *heads], rows)


def _comparisons(tables: Sequence[tuple[str, str, xr.Dataset]]) -> str:
    rows = []
    for file, words, dataset in tables:
        if "dose" in dataset.dims:
            who, plans = "the body of the model, mean responses", dataset["dose_programme"].values
            when = f"{dataset.sizes['dose']} doses"
        else:
            count = dataset.sizes["person"]
            who = f"{count} people (seed {dataset.attrs['seed']})" if count > 1 else "the body of the model"
            plans, when = (
                dataset["programme"].values,
                ", ".join(f"{w:g}" for w in np.atleast_1d(dataset["week"].values)),
            )
        total = dataset["status"].size
        names = ", ".join(dict.fromkeys(str(name) for name in plans))
        rows.append([words, names, when, who, f"{total - failed(dataset)} of {total}", f"`{file}`"])
    return _table(["comparison", "programmes", "weeks", "people", "solved", "file"], rows)


def _benefits(dataset: xr.Dataset) -> list[str]:
    """Mean benefit, middle 95 % and verdict of every programme in every outcome, when the programmes end."""
    last = dataset
    if "week" in dataset.dims:
        last = dataset.isel(week=int(np.abs(dataset["week"].values - float(dataset.attrs["weeks"])).argmin()))
    heads, rows = [], []
    for p, name in enumerate(last["programme"].values.astype(str)):
        if name == "nothing":
            continue
        heads.append(name)
        rows.append([_interval(last.isel(programme=p, outcome=o)) for o in range(last.sizes["outcome"])])
    names = []
    for outcome, unit in zip(last["outcome"].values.astype(str), last["unit"].values.astype(str), strict=True):
        names.append(level_name(outcome) + (f" [{unit}]" if unit != "1" else ""))
    table = _table(
        ["outcome", *heads], [[name, *cells] for name, cells in zip(names, zip(*rows, strict=True), strict=True)]
    )
    words = (
        f"Week {float(last['week']):g}. Mean benefit against nothing, person by person, and where the middle 95 % of "
        "the people lie; positive is better. **Bold**: better or worse than nothing by what matters; in brackets: too "
        "little to matter; plain: no better than nothing."
    )
    return [table, words]


def _interval(one: xr.Dataset) -> str:
    mean, low, high = (float(one[f"benefit_{name}"]) for name in ("mean", "low", "high"))
    if np.isnan(mean):
        return "—"
    text = f"{four(mean)} ({four(low)} to {four(high)})"
    verdict = str(one["verdict"].item())
    if verdict in ("better than nothing", "worse than nothing"):
        return f"**{text}**"
    return f"[{text}]" if verdict.endswith("matter") else text


def _doses(dataset: xr.Dataset) -> list[str]:
    """The doses that no other beats."""
    best = dataset.isel(dose=np.flatnonzero(dataset["on_front"].values == 1.0)).sortby("dose_sessions")
    unit = str(dataset.attrs["unit"])
    rows = [
        [
            str(best["dose_programme"].values[d]),
            *(f"{float(best[f'dose_{name}'][d]):g}" for name in ("weeks", "per_week", "sessions")),
            four(float(best["dose_benefit"][d])),
        ]
        for d in range(best.sizes["dose"])
    ]
    heading = f"benefit in {level_name(dataset.attrs['outcome'])}" + (f" [{unit}]" if unit != "1" else "")
    return [_table(["programme", "weeks", "a week", "sessions", heading], rows), "Doses that no other beats."]


def failed(dataset: xr.Dataset) -> int:
    """Number of cases without a solution."""
    return int((dataset["status"].values.astype(str) != "solved").sum())


def _runs(results: Sequence[tuple[str, str, xr.Dataset]]) -> str:
    rows = []
    for file, words, dataset in results:
        axes = "; ".join(_span(dataset[name]) for name in sweep_axes(dataset)) or "none"
        fixed = _settings(dataset.attrs.get("parameters", "{}"))
        held = json.loads(dataset.attrs.get("held_angles_deg", "{}"))
        posture = str(dataset.attrs["posture"])
        if held:
            posture += ", with " + ", ".join(f"{name} = {value:g} deg" for name, value in held.items())
        criterion = dataset.attrs.get("criterion", "effort2"), dataset.attrs.get("weights", "volume")
        if criterion != ("effort2", "volume"):
            posture += f"; {criterion[0]}, {criterion[1]} weights"
        stability = str(dataset.attrs.get("stability_demanded", "none"))
        total = dataset["status"].size
        solved = f"{total - failed(dataset)} of {total}"
        rows.append([words, str(dataset.attrs["stance"]), posture, stability, fixed, axes, solved, f"`{file}`"])
    return _table(["run", "stance", "posture", "stability", "parameters", "axes", "solved", "file"], rows)


def _span(axis: xr.DataArray) -> str:
    values = axis.values.astype(float)
    unit = f" {unit_of(axis)}" if unit_of(axis) else ""
    return f"{axis.name} {values[0]:g} to {values[-1]:g}{unit} ({values.size})"


def _origin(dataset: xr.Dataset) -> str:
    versions = json.loads(str(dataset.attrs["versions"]))
    made = ", ".join(f"{name} {number}" for name, number in versions.items())
    return f"Model `{dataset.attrs['model']}`, digest `{str(dataset.attrs['model_digest'])[:16]}`; {made}."


def key_numbers(case: xr.Dataset) -> dict[str, float]:
    """The few numbers of one case that the table shows, by heading with unit; those that the file holds."""
    numbers: dict[str, float] = {}
    for name in ("anterior_pelvic_tilt", "lumbar_lordosis"):
        if name in case:
            numbers[f"{name.replace('_', ' ')} [{unit_of(case[name])}]"] = float(case[name])
    for name in ("compression", "disc_pressure"):
        if name in case:
            for level in case["level"].values[:2]:
                heading = f"{level_name(level)} {name.replace('_', ' ')} [{unit_of(case[name])}]"
                numbers[heading] = float(case[name].sel(level=level))
    if "stability_margin" in case:
        margin = case["stability_margin"]
        numbers[f"stability margin [{unit_of(margin)}]"] = float(margin)
    if "foramen_area" in case:
        numbers[f"smallest foramen [{unit_of(case['foramen_area'])}]"] = float(case["foramen_area"].min())
    if "passive_moment_hip_flexors" in case:
        moment = case["passive_moment_hip_flexors"]
        numbers[f"passive hip-flexor moment, right [{unit_of(moment)}]"] = float(moment.sel(side="right"))
    return numbers


def _numbers(dataset: xr.Dataset) -> str:
    """Table of key numbers at the ends and the middle of every axis."""
    axes = sweep_axes(dataset)
    indices = product(*(ends_and_middle(dataset.sizes[name]) for name in axes))
    cases = [dataset.isel(dict(zip(axes, index, strict=True))) for index in indices]
    first = [f"{name} [{unit_of(dataset[name])}]" if unit_of(dataset[name]) else name for name in axes]
    rows = [[*(f"{float(case[name]):g}" for name in axes), *_row(case)] for case in cases]
    return _table([*first, *key_numbers(cases[0]), "status"], rows)


def _along(lines: Sequence[tuple[str, str, xr.Dataset]]) -> str:
    """Table of the runs over one axis: first and last number, and how it runs between them."""
    asked = ("anterior_pelvic_tilt", "lumbar_lordosis", "compression", "stability_margin")
    names = [name for name in asked if any(name in dataset for *_, dataset in lines)]
    columns: dict[str, tuple[str, int]] = {}
    for name in names:
        array = next(dataset[name] for *_, dataset in lines if name in dataset)
        for place, level in enumerate(array["level"].values[:2] if "level" in array.dims else [""]):
            heading = f"{level_name(level)} {name.replace('_', ' ')} [{unit_of(array)}]".strip()
            columns[heading] = (name, place)
    rows = []
    for file, words, dataset in lines:
        axis = sweep_axes(dataset)[0]
        good = dataset["status"].values.astype(str) == "solved"
        x = dataset[axis].values.astype(float)[good]
        cells = []
        for name, place in columns.values():
            if name not in dataset or x.size < 2:
                cells.append("—")
                continue
            array = dataset[name].isel(level=place) if "level" in dataset[name].dims else dataset[name]
            y = array.values.astype(float)[good]
            word = shape(x, y, str(array.attrs["units"]))
            cells.append(f"{four(y[0])} to {four(y[-1])}" + (f", {word}" if word else ""))
        marked = int((dataset["branch"].values == 1).sum()) if "branch" in dataset else 0
        rows.append([words, f"`{file}`", _span(dataset[axis]), str(int(good.sum())), str(marked), *cells])
    return _table(["run", "file", "axis", "solved", "marked", *columns], rows)


def _single(cases: Sequence[tuple[str, xr.Dataset]]) -> str:
    """Table of key numbers of the runs that are one case; they hold the same variables."""
    rows = [[words, *_row(case)] for words, case in cases]
    return _table(["case", *key_numbers(cases[0][1]), "status"], rows)


def _row(case: xr.Dataset) -> list[str]:
    values = ["—" if np.isnan(value) else four(value) for value in key_numbers(case).values()]
    return [*values, str(case["status"].item()).replace("_", " ")]


def _failures(results: Sequence[tuple[str, str, xr.Dataset]]) -> str:
    total = sum(dataset["status"].size for _, _, dataset in results)
    lost = sum(failed(dataset) for _, _, dataset in results)
    text = f"{total - lost} of {total} cases are solved ({(total - lost) / total:.0%})."
    lines = []
    for file, words, dataset in results:
        reasons = list(_reasons(words, dataset))
        lines += reasons[:LISTED]
        if len(reasons) > LISTED:
            lines.append(f"- {words}: and {len(reasons) - LISTED} more, see `status` in `{file}`")
    return "\n".join([text, "", *lines]) if lines else text


def _reasons(words: str, dataset: xr.Dataset) -> Iterable[str]:
    axes = sweep_axes(dataset)
    for index in np.argwhere(np.atleast_1d(dataset["status"].values.astype(str) != "solved")):
        case = dataset.isel(dict(zip(axes, index, strict=False)))
        place = ", ".join(f"{name} = {float(case[name]):g}" for name in axes)
        reason = str(case["status"].item()).replace("_", " ")
        if reason == "infeasible" and "missing_moment" in case:
            missing = case["missing_moment"]
            worst = int(np.nanargmax(np.abs(missing.values)))
            reason += f", {missing['coordinate'].values[worst]} lacks {abs(float(missing[worst])):.2f} N m"
        yield f"- {words}{', ' + place if place else ''}: {reason}"


def _limits(results: Sequence[tuple[str, str, xr.Dataset]]) -> str:
    lines = list(dict.fromkeys(str(dataset.attrs["note"]) for _, _, dataset in results))
    for _, words, dataset in results:
        outside = dataset.get("outside_curve_range")
        if outside is not None and (outside > 0).any():
            lines.append(
                f"In {int((outside > 0).sum())} of {outside.size} cases of {words}, up to {int(outside.max())} "
                "fascicles are longer or shorter than the data of the muscle curves reach."
            )
        branch = dataset.get("branch")
        if branch is not None and (branch == 1).any():
            lines.append(
                f"{int((branch == 1).sum())} of {branch.size} cases of {words} are marked: there, or at the end of "
                "their chain of solves, another solution was found."
            )
    return "\n\n".join(lines)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
