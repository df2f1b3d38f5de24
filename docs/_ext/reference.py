"""Written into docs/api before the build: a page per module, and the registers of results and parameters as tables."""

import pkgutil
import re
import sys
import types
from pathlib import Path

from sphinx.errors import SphinxError

import spinesim
from spinesim import plots
from spinesim.cases import names
from spinesim.clinical import grades, measures
from spinesim.imbalance import setting_words, source_words
from spinesim.intervention import exercises, frequencies, laws
from spinesim.model.pack import pack
from spinesim.parameters import FAMILIES, IMBALANCE, PARAMETERS, describe_targets
from spinesim.population import correlations, spreads
from spinesim.roles import carrier_words, free_words, held_words
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
)

FOLDER = Path(__file__).parents[1] / "api"
sys.path.insert(0, str(FOLDER.parent))


def modules():
    """Names of all public modules, the package first."""
    yield "spinesim"
    for found in pkgutil.walk_packages(spinesim.__path__, "spinesim."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield found.name


def page(name):
    """The text of a module's page; functions of the package that are called like their module are indexed there."""
    hidden = "   :no-index:\n" if name.removeprefix("spinesim.") in spinesim.__all__ else ""
    return f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :members:\n{hidden}"


def table(header, rows):
    """A table to be included in a page."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [header, *rows]:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def registers():
    """The tables of what a result holds and of what a user may set."""
    for file, described in (
        ("results_table", [*VARIABLES.values(), *COORDINATES.values()]),
        ("assessments_table", [*ASSESSMENTS.values(), *ASSESSMENT_COORDINATES.values()]),
        ("comparisons_table", [*COMPARISONS.values(), *COMPARISON_COORDINATES.values()]),
        ("adaptation_table", [*ADAPTATIONS.values(), *ADAPTATION_COORDINATES.values()]),
        ("sensitivity_table", [*SENSITIVITIES.values(), *SENSITIVITY_COORDINATES.values()]),
    ):
        yield (
            file,
            table(
                ("name", "dimensions", "unit", "meaning"),
                [(f"``{v.name}``", ", ".join(v.dims), v.units, v.description) for v in described],
            ),
        )
    yield (
        "clinical_tests_table",
        table(
            ("reading", "sides", "unit", "what is done"),
            [(f"``{m.name}``", ", ".join(m.sides), m.unit, m.protocol) for m in measures()],
        ),
    )
    yield (
        "clinical_errors_table",
        table(
            ("reading", "error", "spread", "source", "confidence", "notes"),
            [
                (
                    f"``{m.name}``",
                    *(f"{number:g} {'%' if m.relative else m.unit}" for number in (m.error, m.spread)),
                    *(m.source, m.confidence, m.notes),
                )
                for m in measures()
            ],
        ),
    )
    yield (
        "muscle_grades_table",
        table(
            ("grade", "from, of healthy strength", "source", "confidence", "notes"),
            [(str(g.grade), f"{100 * g.least_share:g} %", g.source, g.confidence, g.notes) for g in grades()],
        ),
    )
    yield (
        "interventions_table",
        table(
            ("intervention", "changes", "mean", "SD", "unit", "dose", "growth", "half-life", "source", "notes"),
            [
                (
                    f"``{law.intervention}``",
                    law.family + (f" of {law.target.replace('_', ' ')}" if law.target else ""),
                    *(f"{law.mean:g}", f"{law.sd:g}", law.unit),
                    f"{law.weeks:g} weeks, {law.per_week:g} a week" if law.weeks else "one session",
                    f"{law.build_weeks:g} weeks" if law.weeks else "none",
                    f"{law.half_life_days:g} days",
                    f"{law.source}; {law.confidence}",
                    law.notes,
                )
                for law in laws()
            ],
        ),
    )
    yield (
        "frequencies_table",
        table(
            ("curve", "a week", "stimulus", "source", "confidence", "notes"),
            [
                (f.frequency, f"{f.per_week:g}", f"{f.relative:g}", f.source, f.confidence, f.notes)
                for f in frequencies()
            ],
        ),
    )
    yield (
        "exercises_table",
        table(
            ("exercise", "muscle", "activation", "stimulus", "source", "confidence", "notes"),
            [
                (
                    *(f"``{e.exercise}``", e.target.replace("_", " ")),
                    *(f"{100 * e.activation:.0f} ({100 * e.sd:.0f}) %", f"{e.share:.2f}"),
                    *(e.source, e.confidence, e.notes),
                )
                for e in exercises()
            ],
        ),
    )
    yield (
        "population_table",
        table(
            ("drawn as", "quantity", "sex", "mean", "SD", "unit", "range", "shape", "source", "confidence", "notes"),
            [
                (
                    *(s.part, f"``{s.quantity}``", s.sex, f"{s.mean:g}", f"{s.sd:g}", s.unit),
                    *(f"{s.lowest:g} to {s.highest:g}", s.shape, s.source, s.confidence, s.notes),
                )
                for s in spreads()
            ],
        ),
    )
    yield (
        "correlations_table",
        table(
            ("first", "second", "r", "source", "confidence", "notes"),
            [
                (f"``{c.first}``", f"``{c.second}``", f"{c.r:g}", c.source, c.confidence, c.notes)
                for c in correlations()
            ],
        ),
    )
    settable = [(name, p) for name, p in PARAMETERS.items()]
    settable += [(f"{name}.<target>", p) for name, p in FAMILIES.items()]
    settable += [("imbalance.<preset>", IMBALANCE)]
    yield (
        "parameters_table",
        table(
            ("name", "unit", "range", "default", "meaning"),
            [
                (
                    f"``{name}``",
                    p.units,
                    f"{p.lowest:g} to {p.highest:g}",
                    "the model's" if p.default is None else f"{p.default:g}",
                    p.description,
                )
                for name, p in settable
            ],
        ),
    )
    model = spinesim.load_model("adult")
    yield (
        "imbalances_table",
        table(
            ("name", "at severity 1", "claim", "what is known of it"),
            [
                (
                    f"``{i.name}``" + (" (one side)" if i.sides == "one" else ""),
                    "; ".join(
                        f"{setting_words(name, s.value)} ({source_words(s)}: {s.notes})"
                        for name, s in i.settings.items()
                    ),
                    i.claim,
                    f"{i.notes}. Sources: {i.source.replace('+', ', ')}",
                )
                for i in spinesim.imbalances(model).values()
            ],
        ),
    )
    keys = {
        key for i in model.imbalances.values() for row in (i, *i.settings.values()) for key in row.source.split("+")
    }
    yield "imbalances_sources", "".join(f"- ``{key}``: {model.sources[key]}\n" for key in sorted(keys - {"assumed"}))
    yield (
        "stances_table",
        table(
            ("name", "what it is", "free", "held by support", "locked", "carried at", "trusted", "source"),
            [
                (
                    f"``{s.name}``",
                    s.description + (f" {s.notes[0].upper()}{s.notes[1:]}." if s.notes else ""),
                    free_words(model, s),
                    held_words(s, "support"),
                    held_words(s, "locked"),
                    carrier_words(s),
                    s.trusted or "not said",
                    source_words(s),
                )
                for s in spinesim.stances(model).values()
            ],
        ),
    )
    yield (
        "targets_table",
        table(
            ("target", "sides", "reaches", "tightness is read in"),
            [
                (f"``{t.name}``", " ".join(f"``.{side}``" for side in t.sides), f"{t.kind}: {t.members}", t.test)
                for t in describe_targets(names(pack(model)))
            ],
        ),
    )


def stance_pictures():
    """A picture of every solved stance of the adult with its caption, and the text that shows them."""
    model = spinesim.load_model("adult")
    text = ""
    for name, stance in spinesim.stances(model).items():
        case = spinesim.solve(model, stance=name, raise_on_failure=False)
        words = plots.caption("stance", case)
        plots.save(plots.figure("stance", case), FOLDER / f"stance_{name}.png", words)
        title = name.replace("_", " ").capitalize()
        text += f".. rubric:: {title}\n\n{stance.description}\n\n"
        text += f".. figure:: api/stance_{name}.png\n   :alt: {title}\n   :width: 640\n\n   {words}\n\n"
    return text


def write(_app):
    """Write all pages; unchanged ones keep their date, so that a second build is quick."""
    FOLDER.mkdir(exist_ok=True)
    texts = {f"{name}.inc": text for name, text in registers()}
    texts |= {f"{name}.rst": page(name) for name in modules()}
    texts["stances_pictures.inc"] = stance_pictures()
    for old in FOLDER.iterdir():
        if old.name not in texts and f"api/{old.name}" not in texts["stances_pictures.inc"]:
            old.unlink()
    for file, text in texts.items():
        path = FOLDER / file
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def check_readme(_app):
    """Stop the build when README.md shows another output than its example prints."""
    import readme

    output = readme.stale()
    if output is not None:
        raise SphinxError(f"README.md: its example now prints\n{output}`python docs/readme.py` writes that")


def absolute_values(_app, _what, _name, _object, _options, lines):
    """Let ``|M|`` in a docstring be an absolute value, which reStructuredText would take for a substitution."""
    for i, line in enumerate(lines):
        parts = re.split(r"(``.*?``)", line)
        lines[i] = "".join(part if part.startswith("``") else part.replace("|", r"\|") for part in parts)


def leave_out(_app, _what, _name, member, _skip, _options):
    """Leave out names for types such as ``tuple[float, float]``: autodoc takes them for classes and fails."""
    return True if isinstance(member, types.GenericAlias) else None


def setup(app):
    """Write the pages before Sphinx looks for sources."""
    app.connect("builder-inited", write)
    app.connect("builder-inited", check_readme)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-docstring", absolute_values, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
