"""What a stance does with every joint coordinate: free, held by a support, or locked by an ideal internal moment."""

from __future__ import annotations

import re
from collections.abc import Iterable

from spinesim import units
from spinesim.model.parts import Model, Stance

ROLES = {
    "free": "moved by free coordinates, balanced by muscles",
    "support": "held by an external reaction",
    "locked": "held by an ideal internal moment",
}


def stances(model: Model) -> dict[str, Stance]:
    """The stances of a model, each with what is free, what holds the rest, what carries the weight, and its source.

    Returns
    -------
    dict
        By name. ``stances(model)["standing"].free`` are the free coordinates with the joint coordinates that they
        move; ``held_by_support`` and ``locked`` name the others; ``trusted`` says in words over which range the
        stance is believed, empty where nobody has said.
    """
    return dict(model.stances)


def role(stance: Stance, coordinate: str) -> str:
    """One of `ROLES` for a joint coordinate such as ``hip_r.flexion``; every coordinate has exactly one."""
    if coordinate in stance.held_by_support:
        return "support"
    return "locked" if coordinate in stance.locked else "free"


def movers(stance: Stance, coordinate: str) -> str:
    """The free coordinates that move a joint coordinate with their rates, such as ``pelvic_tilt - lean``; or empty."""
    terms = [(free.moves[coordinate], free.name) for free in stance.free if coordinate in free.moves]
    text = ""
    for rate, name in sorted(terms, key=lambda term: term[0] < 0.0):  # those with a plus first
        size = "" if abs(rate) == 1.0 else f"{abs(rate):g} "
        sign = "-" if rate < 0.0 else "+"
        text += f" {sign} {size}{name}" if text else f"{'-' if rate < 0.0 else ''}{size}{name}"
    return text


def free_words(model: Model, stance: Stance) -> str:
    """The free coordinates in words; the rotations of the spine are counted."""
    spinal = [free.name for free in stance.free if free.name.partition(".")[0] in model.levels]
    words = _paired([free.name for free in stance.free if free.name not in spinal])
    if spinal:
        words.append(f"{len(spinal)} rotation{'s' if len(spinal) > 1 else ''} of the spine")
    return ", ".join(words)


def held_words(stance: Stance, kind: str) -> str:
    """The coordinates held by a ``support`` or ``locked``, in words; ``none`` where there are none."""
    return ", ".join(_paired(stance.held_by_support if kind == "support" else stance.locked)) or "none"


def stance_rows(model: Model, stance: Stance) -> dict[str, str]:
    """What is to be said of a stance, by heading."""
    held = ", ".join(f"{name} {value / units.DEGREE:g} deg" for name, value in stance.held.items())
    rows = {
        "free": free_words(model, stance),
        "held by support": held_words(stance, "support"),
        "locked": held_words(stance, "locked"),
        "carried at": carrier_words(stance),
        "posture held": held,
        "trusted": stance.trusted or "nobody has said how far",
    }
    return {name: words for name, words in rows.items() if words}


def _paired(names: Iterable[str]) -> list[str]:
    """Names in which two sides are one: ``hip_r.flexion`` and ``hip_l.flexion`` become ``hips.flexion``."""
    given = list(names)
    words: dict[str, None] = {}
    for name in given:
        pattern = re.fullmatch(r"(\w+)_[rl](\.\w+)?", name)
        twins = [f"{pattern[1]}_{side}{pattern[2] or ''}" for side in "rl"] if pattern else []
        words[f"{pattern[1]}s{pattern[2] or ''}" if pattern and all(twin in given for twin in twins) else name] = None
    return list(words)


def carrier_words(stance: Stance) -> str:
    """What carries the weight: supports with their shares, then elastic contacts."""
    parts = [f"{support.name} ({support.share:.0%})" for support in stance.supports]
    return ", ".join([*parts, *(f"{contact.name} ({contact.surface})" for contact in stance.contacts)])
