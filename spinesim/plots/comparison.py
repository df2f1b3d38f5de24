"""Programmes against nothing: intervals, courses in weeks, who responds, and what more sessions buy."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from textwrap import wrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from spinesim.errors import InputError
from spinesim.plots.cases import four, heading_of, require, sentence
from spinesim.plots.style import BLUE, GHOST, INK, SERIES, VERMILLION, legend_above, level_name, new_axes

FOREST_NEEDS = ("benefit_mean", "benefit_low", "benefit_high")
COURSE_NEEDS = FOREST_NEEDS
RESPONDER_NEEDS = ("benefit", "benefit_mean")
PARETO_NEEDS = ("dose_benefit", "dose_sessions", "on_front")
#: Classes of pelvic incidence: below the lower limit the lordosis is flat, above the upper one it is pronounced
#: (Boulay et al. 2006, Eur Spine J 15:415-422, abstract).
CLASSES = (44.0, 62.0)
NOTHING = "nothing"


def programme_words(name: str) -> str:
    """``stretch.hip_flexors+plank@0-4:2`` as ``stretch hip flexors + plank (weeks 0-4, 2 a week)``."""
    parts = []
    for part in name.split("+"):
        what, _, dose = part.partition("@")
        what, _, times = what.partition(":")
        span, _, more = dose.partition(":")
        words = [f"weeks {span}"] * bool(span) + [f"{more or times} a week"] * bool(more or times)
        parts.append(what.replace("_", " ").replace(".", " ") + (f" ({', '.join(words)})" if words else ""))
    return " + ".join(parts)


def outcome_words(name: str) -> str:
    """``compression.L4_L5`` as ``compression L4/L5``."""
    return level_name(name)


def _outcome(dataset: xr.Dataset, outcome: str) -> xr.Dataset:
    """One outcome of a comparison.

    Raises
    ------
    InputError
        If there is no such outcome; gives the nearest.
    """
    names = [str(name) for name in dataset["outcome"].values]
    if outcome not in names:
        near = get_close_matches(outcome, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names)}."
        raise InputError(f"The comparison has no outcome {outcome}: {hint}")
    return dataset.isel(outcome=names.index(outcome))


def _one_week(dataset: xr.Dataset, week: float | None) -> xr.Dataset:
    """The week asked for; by default that in which the programmes end."""
    if "week" not in dataset.dims:
        return dataset
    weeks = dataset["week"].values.astype(float)
    if week is None:
        return dataset.isel(week=int(np.abs(weeks - float(dataset.attrs["weeks"])).argmin()))
    if week not in weeks:
        raise InputError(f"The comparison has no week {week:g}: it has {', '.join(f'{w:g}' for w in weeks)}.")
    return dataset.isel(week=int(np.flatnonzero(weeks == week)[0]))


def _unit(one: xr.Dataset) -> str:
    unit = str(one["unit"].item())
    return "" if unit == "1" else f" {unit}".replace("mm2", "mm²").replace("N m", "N·m")


def _benefit_label(one: xr.Dataset) -> str:
    unit = _unit(one).strip()
    words = f"benefit in {outcome_words(str(one['outcome'].item()))} against nothing"
    return f"{words} [{unit}]" if unit else words


def _treated(one: xr.Dataset, programmes: Sequence[str] | None = None) -> xr.Dataset:
    """The programmes asked for; by default all but nothing, best first."""
    names = one["programme"].values.astype(str).tolist()
    for name in programmes or ():
        if name not in names:
            raise InputError(f"The comparison has no programme {name}: it has {', '.join(names)}.")
    if programmes:
        return one.isel(programme=[names.index(name) for name in programmes])
    kept = one.isel(programme=[i for i, name in enumerate(names) if name != NOTHING])
    return kept.isel(programme=np.argsort(-kept["benefit_mean"].values, kind="stable"))


def best_first(dataset: xr.Dataset, outcome: str = "anterior_pelvic_tilt", week: float | None = None) -> list[str]:
    """Programmes in the order of a forest, so that panels side by side have one order."""
    require(dataset, FOREST_NEEDS)
    return [str(name) for name in _treated(_one_week(_outcome(dataset, outcome), week))["programme"].values]


def forest(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    outcome: str = "anterior_pelvic_tilt",
    week: float | None = None,
    programmes: Sequence[str] | None = None,
    title: str = "",
) -> Axes:
    """Mean benefit of every programme with the middle 95 % of the people; grey: too little to matter.

    Parameters
    ----------
    outcome
        Such as ``"compression.L4_L5"``.
    week
        Of a course; that in which the programmes end by default.
    programmes
        Those to be shown, in this order; all of them by default, the best first.
    """
    ax = new_axes(ax, (6.8, 3.8))
    require(dataset, FOREST_NEEDS)
    one = _treated(_one_week(_outcome(dataset, outcome), week), programmes)
    mean, low, high = (one[name].values for name in FOREST_NEEDS)
    places = np.arange(mean.size)
    least = float(one["least_change"])
    ax.axvspan(-least, least, color="#EEEEEE", zorder=0)
    ax.axvline(0.0, color=INK, linewidth=0.8)
    clear = (low > 0.0) | (high < 0.0)
    for place, solid in zip(places, clear, strict=True):
        if np.isfinite(mean[place]):
            ax.plot([low[place], high[place]], [place, place], color=BLUE if solid else GHOST)
    for chosen, face, edge in ((clear, BLUE, BLUE), (~clear, "white", GHOST)):
        ax.plot(mean[chosen], places[chosen], "s", mfc=face, mec=edge)
    ax.set_yticks(places, ["\n".join(wrap(programme_words(str(name)), 34)) for name in one["programme"].values])
    ax.set_ylim(mean.size - 0.5, -0.5)
    ax.set_xlabel("\n".join(wrap(_benefit_label(one), 36)))
    ax.set_ylabel("programme")
    if title:
        legend_above(ax, title, handles=[])
    return ax


def forest_caption(
    dataset: xr.Dataset,
    *,
    outcome: str = "anterior_pelvic_tilt",
    week: float | None = None,
    programmes: Sequence[str] | None = None,
    title: str = "",
) -> str:
    """Which programmes are better than nothing in an outcome, and by how much."""
    require(dataset, FOREST_NEEDS)
    one = _treated(_one_week(_outcome(dataset, outcome), week), programmes)
    groups: dict[str, list[str]] = {}
    for i, word in enumerate(one["verdict"].values.astype(str)):
        mean, low, high = (float(one[name][i]) for name in FOREST_NEEDS)
        numbers = f" ({four(mean)}{_unit(one)}, {four(low)} to {four(high)})" if np.isfinite(mean) else ""
        groups.setdefault(word, []).append(programme_words(str(one["programme"].values[i])) + numbers)
    people = one.sizes.get("person", 0)
    who = f"{people} people" if people != 1 else "one body with mean responses"
    text = "; ".join(f"{word}: {', '.join(names)}" for word, names in groups.items())
    time = f"week {float(one['week']):g}" if "week" in one.coords else ""
    return sentence(heading_of(title, outcome_words(outcome), time), f"{text} ({who}, middle 95 %)")


def time_course(
    dataset: xr.Dataset, ax: Axes | None = None, *, outcome: str = "anterior_pelvic_tilt", title: str = ""
) -> Axes:
    """Mean benefit of the programmes along the weeks, with the middle 95 % of the people."""
    ax = new_axes(ax, (6.8, 4.2))
    require(dataset, COURSE_NEEDS)
    one = _treated_course(dataset, outcome)
    weeks = one["week"].values.astype(float)
    handles = []
    for p in range(one.sizes["programme"]):
        colour, line, marker = SERIES[p]
        name = programme_words(str(one["programme"].values[p]))
        each = one.isel(programme=p)
        ax.fill_between(weeks, each["benefit_low"], each["benefit_high"], color=colour, alpha=0.12, linewidth=0.0)
        handles += ax.plot(weeks, each["benefit_mean"], color=colour, linestyle=line, marker=marker, label=name)
    ax.axhline(0.0, color=INK, linewidth=0.8)
    ax.set_xlabel("time since the beginning [week]")
    ax.set_ylabel("\n".join(wrap(_benefit_label(one), 44)))
    legend_above(ax, title, handles=handles, columns=1)
    return ax


def _treated_course(dataset: xr.Dataset, outcome: str) -> xr.Dataset:
    one = _outcome(dataset, outcome)
    if "week" not in one.dims:
        raise InputError("time_course draws a comparison at several weeks, and this one has a single week.")
    one = one.isel(programme=np.flatnonzero(one["programme"].values.astype(str) != NOTHING))
    if one.sizes["programme"] > len(SERIES):
        raise InputError(f"time_course draws up to {len(SERIES)} programmes, not {one.sizes['programme']}.")
    return one


def time_course_caption(dataset: xr.Dataset, *, outcome: str = "anterior_pelvic_tilt", title: str = "") -> str:
    """Where every programme is at its best, and what is left of it at the end."""
    require(dataset, COURSE_NEEDS)
    one = _treated_course(dataset, outcome)
    parts = []
    for p in range(one.sizes["programme"]):
        each = one.isel(programme=p)
        mean = each["benefit_mean"].values
        best = int(np.nanargmax(np.abs(mean)))
        end = float(each["week"][-1])
        parts.append(
            f"{programme_words(str(each['programme'].item()))}: {four(mean[best])}{_unit(one)} in week "
            f"{float(each['week'][best]):g} ({each['verdict'].values[best]}), {four(mean[-1])} in week {end:g}"
        )
    return sentence(heading_of(title, outcome_words(outcome)), "; ".join(parts))


def _classes(one: xr.Dataset) -> list[tuple[str, np.ndarray]]:
    """Classes of pelvic incidence with the people in them."""
    if "person_incidence" not in one.coords:
        raise InputError("responders draws people of known pelvic incidence, and this comparison has none.")
    incidence, (low, high) = one["person_incidence"].values, CLASSES
    return [
        (f"below {low:g} deg", incidence < low),
        (f"{low:g} to {high:g} deg", (incidence >= low) & (incidence <= high)),
        (f"above {high:g} deg", incidence > high),
    ]


def _response(dataset: xr.Dataset, outcome: str, programme: str | None, week: float | None) -> xr.Dataset:
    one = _one_week(_outcome(dataset, outcome), week)
    return _treated(one, [programme] if programme else None).isel(programme=0)


def responders(
    dataset: xr.Dataset,
    ax: Axes | None = None,
    *,
    outcome: str = "anterior_pelvic_tilt",
    programme: str | None = None,
    week: float | None = None,
    title: str = "",
) -> Axes:
    """Benefit of every person against pelvic incidence, with the mean of every class of it.

    Parameters
    ----------
    programme
        One of the comparison; that with the largest mean benefit by default.
    """
    ax = new_axes(ax, (6.8, 4.2))
    require(dataset, RESPONDER_NEEDS)
    one = _response(dataset, outcome, programme, week)
    classes = _classes(one)
    incidence, gain = one["person_incidence"].values, one["benefit"].values
    ax.axhline(0.0, color=INK, linewidth=0.8)
    points = ax.plot(
        incidence,
        gain,
        "o",
        color=BLUE,
        markersize=3.5,
        alpha=0.7,
        label=f"a person, {programme_words(str(one['programme'].item()))}",
    )
    edges = (float(np.min(incidence)), *CLASSES, float(np.max(incidence)))
    means: list[Line2D] = []
    for (_, chosen), left, right in zip(classes, edges, edges[1:], strict=False):
        if np.isfinite(gain[chosen]).any():
            mean = float(np.nanmean(gain[chosen]))
            means = ax.plot([left, right], [mean, mean], color=VERMILLION, linewidth=2.2, label="mean of the class")
    for limit in CLASSES:
        ax.axvline(limit, color=GHOST, linestyle=":", linewidth=1.0)
    ax.set_xlabel("pelvic incidence [deg]")
    ax.set_ylabel("\n".join(wrap(_benefit_label(one), 44)))
    legend_above(ax, title, handles=[*points, *means[:1]])
    return ax


def responders_caption(
    dataset: xr.Dataset,
    *,
    outcome: str = "anterior_pelvic_tilt",
    programme: str | None = None,
    week: float | None = None,
    title: str = "",
) -> str:
    """Mean benefit by class of incidence, and how much of the benefit goes with incidence."""
    require(dataset, RESPONDER_NEEDS)
    one = _response(dataset, outcome, programme, week)
    gain = one["benefit"].values
    parts = []
    for words, chosen in _classes(one):
        known = gain[chosen][np.isfinite(gain[chosen])]
        parts.append(
            f"{words}: {four(known.mean())}{_unit(one)} in {known.size} people" if known.size else f"{words}: nobody"
        )
    fine = np.isfinite(gain)
    r = float(np.corrcoef(one["person_incidence"].values[fine], gain[fine])[0, 1]) if fine.sum() > 2 else float("nan")
    share = "" if np.isnan(r) else f"; benefit and incidence are correlated by r = {r:.2f}"
    heading = heading_of(title, programme_words(str(one["programme"].item())), outcome_words(outcome))
    return sentence(heading, f"mean benefit with an incidence {', '.join(parts)}{share}")


def pareto(dataset: xr.Dataset, ax: Axes | None = None, *, title: str = "") -> Axes:
    """Benefit of doses against their sessions; the line joins those that no other beats."""
    ax = new_axes(ax, (6.8, 4.2))
    require(dataset, PARETO_NEEDS)
    names = list(dict.fromkeys(str(name) for name in dataset["dose_programme"].values))
    if len(names) > len(SERIES):
        raise InputError(f"pareto draws up to {len(SERIES)} programmes, not {len(names)}.")
    handles = []
    for (colour, _, marker), name in zip(SERIES, names, strict=False):
        chosen = dataset["dose_programme"].values.astype(str) == name
        x, y = dataset["dose_sessions"].values[chosen], dataset["dose_benefit"].values[chosen]
        handles += ax.plot(x, y, marker, color=colour, label=programme_words(name))
    best = _front(dataset)
    x = best["dose_sessions"].values
    handles += ax.step(x, best["dose_benefit"], where="post", color=INK, linewidth=1.2, label="no dose is better")
    ax.axhline(0.0, color=GHOST, linewidth=0.8)
    ax.set_xlabel("sessions")
    unit = "" if str(dataset.attrs["unit"]) == "1" else f" [{dataset.attrs['unit']}]".replace("mm2", "mm²")
    ax.set_ylabel(f"benefit in {outcome_words(str(dataset.attrs['outcome']))}{unit}")
    legend_above(ax, title, handles=handles)
    return ax


def _front(dataset: xr.Dataset) -> xr.Dataset:
    return dataset.isel(dose=np.flatnonzero(dataset["on_front"].values == 1.0)).sortby("dose_sessions")


def pareto_caption(dataset: xr.Dataset, *, title: str = "") -> str:
    """The doses at the ends of the front, and where half of the largest benefit is had."""
    require(dataset, PARETO_NEEDS)
    best = _front(dataset)
    unit = "" if str(dataset.attrs["unit"]) == "1" else f" {dataset.attrs['unit']}".replace("mm2", "mm²")
    most = float(best["dose_benefit"][-1])
    if not most > 0.0:
        text = "no dose is better than nothing"
    else:
        half = best.isel(dose=int(np.flatnonzero(best["dose_benefit"].values >= 0.5 * most)[0]))
        text = (
            f"the largest benefit is {four(most)}{unit}, {_dose_words(best.isel(dose=-1))}; "
            f"half of it or more comes with {_dose_words(half)} ({four(float(half['dose_benefit']))}{unit})"
        )
    return sentence(heading_of(title, outcome_words(str(dataset.attrs["outcome"]))), text)


def _dose_words(dose: xr.Dataset) -> str:
    weeks, times, sessions = (float(dose[f"dose_{name}"]) for name in ("weeks", "per_week", "sessions"))
    name = programme_words(str(dose["dose_programme"].item()))
    span = "1 week" if weeks == 1.0 else f"{weeks:g} weeks"
    return f"{name} for {span} {times:g} times a week, {sessions:g} sessions"
