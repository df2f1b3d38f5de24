"""Pages written into docs/api before the build: one per module, and the registers of results and parameters."""

import pkgutil
import re
import types
from pathlib import Path

import spinesim
from spinesim.parameters import FAMILIES, PARAMETERS
from spinesim.variables import COORDINATES, VARIABLES

FOLDER = Path(__file__).parents[1] / "api"


def modules():
    """Names of all public modules, the package first."""
    yield "spinesim"
    for found in pkgutil.walk_packages(spinesim.__path__, "spinesim."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield found.name


def page(name):
    """The text of a module's page.

    ``spinesim.solve`` is a function and the module it comes from: links lead to the page of the module.
    """
    text = f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :members:\n"
    return text + "   :no-index:\n" if name == "spinesim" else text


def table(title, header, rows):
    """A page that is one table."""
    lines = [title, "=" * len(title), "", ".. list-table::", "   :header-rows: 1", ""]
    for row in [header, *rows]:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def registers():
    """The tables of what a result holds and of what a user may set."""
    described = [*VARIABLES.values(), *COORDINATES.values()]
    yield (
        "results_table",
        table(
            "Variables of a result",
            ("name", "dimensions", "unit", "meaning"),
            [(f"``{v.name}``", ", ".join(v.dims), v.units, v.description) for v in described],
        ),
    )
    settable = [(name, p) for name, p in PARAMETERS.items()]
    settable += [(f"{name}.<target>", p) for name, p in FAMILIES.items()]
    yield (
        "parameters_table",
        table(
            "Parameters",
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


def write(_app):
    """Write all pages; unchanged ones keep their date, so that a second build is quick."""
    FOLDER.mkdir(exist_ok=True)
    texts = {f"{name}.rst": text for name, text in registers()}
    texts |= {f"{name}.rst": page(name) for name in modules()}
    for old in FOLDER.glob("*.rst"):
        if old.name not in texts:
            old.unlink()
    for file, text in texts.items():
        path = FOLDER / file
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


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
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-docstring", absolute_values, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
