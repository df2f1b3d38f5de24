"""The names that parameters of a model may go on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spinesim import parameters
from spinesim.model.parts import Abdomen, Imbalance, Muscle, TightnessTest

TRANSVERSUS = "transversus_abdominis"  # it has no fascicle: its activation raises the intra-abdominal pressure


def parameter_names(
    muscles: Sequence[Muscle],
    groups: Mapping[str, tuple[str, ...]],
    tests: Sequence[TightnessTest],
    abdomen: Abdomen | None,
    imbalances: Mapping[str, Imbalance],
    foramina: Sequence[str] = (),
) -> parameters.Names:
    """Fascicles, groups, clinical tests, imbalances and levels with a foramen by the names that a user gives them."""
    lines, members = {m.name: (m.muscle, m.side) for m in muscles}, dict(groups)
    if abdomen is not None:
        lines[TRANSVERSUS] = (TRANSVERSUS, "midline")
        # a group that holds the whole wall of the abdomen holds the transversus too
        wall = set(abdomen.wall)
        members = {g: (*m, TRANSVERSUS) if wall <= set(m) else m for g, m in members.items()}
    return parameters.Names(
        muscles=lines,
        groups=members,
        tests={test.group: test.name for test in tests},
        imbalances=tuple(name for imbalance in imbalances.values() for name in imbalance.names),
        foramina=tuple(foramina),
    )
