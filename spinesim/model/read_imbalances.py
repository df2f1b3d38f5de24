"""Read the named imbalances of a model folder: parameter values at severity 1, each with its source."""

from __future__ import annotations

import re
from collections.abc import Mapping

from spinesim import parameters
from spinesim.errors import InputError
from spinesim.model.files import Document, Section
from spinesim.model.folder import ModelFolder
from spinesim.model.parts import Imbalance, Setting

#: What an imbalance may set: parameters for which there is a value that changes nothing.
FAMILIES = (*parameters.FAMILIES, "load", "leg_length", "bed", "backrest")


def read_imbalances(folder: ModelFolder, names: parameters.Names, lacks: Mapping[str, str]) -> dict[str, Imbalance]:
    """All imbalances of the folder by name; none if it has no folder ``imbalances``.

    Parameters
    ----------
    names
        What parameters of the model may go on with.
    lacks
        Families of parameters that the model cannot have, each with the part that it lacks.
    """
    result = {}
    for path in sorted((folder.path / "imbalances").glob("*.toml")):
        section = Section(folder.document(f"imbalances/{path.name}"))
        imbalance = _imbalance(folder, section, names, lacks)
        if imbalance.name != path.stem:
            section.fail("name", f"must be the name of the file, '{path.stem}'")
        if not re.fullmatch("[a-z][a-z0-9_]*", imbalance.name):
            section.fail("name", "must be small letters, digits and _")
        result[imbalance.name] = imbalance
    return result


def _imbalance(folder: ModelFolder, section: Section, names: parameters.Names, lacks: Mapping[str, str]) -> Imbalance:
    written = section.section("parameters")
    if not written.data:
        section.fail("parameters", "must set at least one parameter")
    settings = {}
    for key in written.data:
        entry = written.section(key)
        name, setting = _setting(folder, entry, key, lacks)
        settings[name] = setting
    result: Imbalance = section.make(
        Imbalance,
        name=section.text("name"),
        title=section.text("title"),
        description=section.text("description"),
        claim=section.text("claim"),
        sides=section.text("sides"),
        settings=settings,
        **folder.provenance(section),
    )
    section.close()
    for side in ("",) if result.sides == "both" else ("left", "right"):
        _check_values(section.document, written, result.values(side), names)
    return result


def _setting(folder: ModelFolder, entry: Section, key: str, lacks: Mapping[str, str]) -> tuple[str, Setting]:
    """Name of the parameter without the unit that its key carries, and its value."""
    document = entry.document
    unit = parameters.unit(key.rpartition("_")[0] or key)
    name = key if unit == "1" else key.removesuffix(f"_{unit}")
    family = name.partition(".")[0]
    if family not in FAMILIES:
        document.fail(entry.keys, f"{key}: an imbalance may set {', '.join(FAMILIES)}, not {family}")
    if family in lacks:
        document.fail(entry.keys, f"{key}: the model has no {lacks[family]}")
    if unit != "1" and name == key:
        document.fail(entry.keys, f"{key}: must end in the unit, {key}_{unit}")
    setting: Setting = entry.make(Setting, value=entry.number("value", "number"), **folder.provenance(entry))
    entry.close()
    return name, setting


def _check_values(document: Document, written: Section, values: dict[str, float], names: parameters.Names) -> None:
    """Refuse names and values that a user could not set either."""
    for key, (name, value) in zip(written.data, values.items(), strict=True):
        try:
            parameters.check(names, {name: value})
        except InputError as error:
            document.fail((*written.keys, key), str(error).rstrip("."))
    try:
        parameters.check(names, values)
    except InputError as error:
        document.fail(written.keys, str(error).rstrip("."))
