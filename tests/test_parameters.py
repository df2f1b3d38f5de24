"""The parameter register: legal names and values, and which fascicle gets which value."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinesim.errors import InputError, ModelError
from spinesim.parameters import (
    FAMILIES,
    IMBALANCE,
    LEVEL_FAMILIES,
    PARAMETERS,
    Names,
    carried_masses,
    check,
    check_bounds,
    describe,
    describe_targets,
    legal_names,
    level_names,
    resolve,
    resolve_group,
    resolve_many,
    tightness,
)

NAMES = Names(
    muscles={
        f"{fascicle}_{side[0]}": (muscle, side)
        for side in ("right", "left")
        for fascicle, muscle in {
            "ps_l1": "psoas",
            "ps_l2": "psoas",
            "iliacus": "iliacus",
            "rect_fem": "rectus_femoris",
            "mf_1": "multifidus",
            "mf_2": "multifidus",
            "eo1": "external_oblique",
            "piri": "piriformis",
        }.items()
    },
    groups={
        "hip_flexors": ("psoas", "iliacus", "rectus_femoris"),
        "quadriceps": ("rectus_femoris",),
        "core": ("multifidus", "external_oblique"),
        "multifidus": ("multifidus",),
        "abdominals": ("external_oblique",),
        "piriformis": ("piriformis",),
    },
    tests={"hip_flexors": "Thomas test", "quadriceps": "Ely test", "piriformis": "internal rotation"},
    imbalances=("weak_core", "tight_side.left", "tight_side.right"),
    foramina=("L5_S1", "L4_L5"),
)
FASCICLES = list(NAMES.muscles)
MUSCLE_FAMILIES = ["strength", "stiffness", "tone", "inhibition"]


def naive(settings, family, fascicle):
    """The rules as they are written, one fascicle and one rank at a time."""
    muscle, side = NAMES.muscles[fascicle]
    groups = [group for group, muscles in NAMES.groups.items() if muscle in muscles and group != muscle]
    ranks = [
        [fascicle],
        [f"{muscle}.{side}"],
        [muscle],
        [f"{group}.{side}" for group in groups],
        groups,
    ]
    for rank in ranks:
        found = sorted(f"{family}.{target}" for target in rank if f"{family}.{target}" in settings)
        values = [settings[name] for name in found]
        if values:
            if family in ("strength", "stiffness"):
                return math.prod(values)
            return min(values) if family == "inhibition" else max(values)
    return FAMILIES[family].default


targets = st.sampled_from(sorted(NAMES.targets))


@given(st.sampled_from(MUSCLE_FAMILIES), st.dictionaries(targets, st.floats(0, 1), max_size=12))
def test_resolve__follows_the_written_precedence(family, values):
    settings = {f"{family}.{target}": value for target, value in values.items()}
    expected = [naive(settings, family, fascicle) for fascicle in FASCICLES]
    assert resolve(NAMES, settings, family).tolist() == pytest.approx(expected, rel=1e-15, abs=0)


@given(
    st.sampled_from(MUSCLE_FAMILIES),
    st.dictionaries(targets, st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_resolve_many__is_each_case_alone_in_any_order_of_names(family, values, shuffler):
    columns = {f"{family}.{target}": np.array(column) for target, column in values.items()}
    shuffled = list(columns)
    shuffler.shuffle(shuffled)
    together = resolve_many(NAMES, {name: columns[name] for name in shuffled}, family)
    alone = [
        resolve(NAMES, {name: float(column[case]) for name, column in columns.items()}, family) for case in range(3)
    ]
    assert np.array_equal(together, alone)


def test_resolve__every_rank_beats_the_one_below():
    ladder = ["hip_flexors", "hip_flexors.left", "psoas", "psoas.left", "ps_l1_l"]
    settings = {}
    for step, target in enumerate(ladder, start=2):
        settings[f"strength.{target}"] = step / 10
        assert resolve(NAMES, settings, "strength")[FASCICLES.index("ps_l1_l")] == step / 10
    assert resolve(NAMES, settings, "strength")[FASCICLES.index("ps_l2_l")] == 0.5
    assert resolve(NAMES, settings, "strength")[FASCICLES.index("ps_l1_r")] == 0.4
    assert resolve(NAMES, settings, "strength")[FASCICLES.index("iliacus_r")] == 0.2


@pytest.mark.parametrize(
    ("family", "expected"), [("strength", 0.1), ("stiffness", 0.1), ("tone", 0.5), ("inhibition", 0.2)]
)
def test_resolve__groups_that_share_a_muscle_combine(family, expected):
    settings = {f"{family}.hip_flexors": 0.5, f"{family}.quadriceps": 0.2}
    assert resolve(NAMES, settings, family)[FASCICLES.index("rect_fem_r")] == expected


def test_resolve__a_group_that_is_a_muscle_ranks_as_the_muscle():
    settings = {"strength.multifidus": 0.9, "strength.core.left": 0.5}
    assert resolve(NAMES, settings, "strength")[FASCICLES.index("mf_1_l")] == 0.9
    assert resolve(NAMES, settings, "strength")[FASCICLES.index("eo1_l")] == 0.5


def test_resolve__mixes_columns_and_single_values():
    columns = {"strength.psoas": np.array([0.1, 0.2]), "strength.core": 0.5, "load.hands": np.array([0.0, 10.0])}
    values = resolve_many(NAMES, columns, "strength")
    assert values[:, FASCICLES.index("ps_l1_r")].tolist() == [0.1, 0.2]
    assert values[:, FASCICLES.index("eo1_r")].tolist() == [0.5, 0.5]
    assert resolve_many(NAMES, columns, "tone").shape == (2, len(FASCICLES))
    assert np.all(resolve_many(NAMES, columns, "inhibition") == 1.0)


def test_resolve_group__side_beats_both_sides():
    columns = {"strength.quadriceps": 0.5, "strength.quadriceps.left": np.array([0.1, 0.2])}
    assert resolve_group(columns, "strength", "quadriceps", "right") == 0.5
    assert np.array_equal(resolve_group(columns, "strength", "quadriceps", "left"), [0.1, 0.2])
    assert resolve_group({}, "inhibition", "quadriceps", "left") == 1


def test_tightness__is_known_for_every_group_with_a_test_and_side():
    found = tightness(NAMES, {"tightness.hip_flexors": 10.0, "tightness.hip_flexors.left": -5.0})
    assert found == {
        ("hip_flexors", "right"): 10.0,
        ("hip_flexors", "left"): -5.0,
        ("quadriceps", "right"): 0,
        ("quadriceps", "left"): 0,
        ("piriformis", "right"): 0,
        ("piriformis", "left"): 0,
    }


def test_carried_masses__both_hands_share_the_common_load():
    """In the order of the load arrays: right and left hand, right and left shoulder, back."""
    assert carried_masses({"load.hands": 10.0, "load.hand.left": 2.0}) == (5.0, 7.0, 0.0, 0.0, 0.0)
    carried = {"load.shoulder.right": 3.0, "load.shoulder.left": 4.0, "load.back": 9.0}
    assert carried_masses(carried) == (0.0, 0.0, 3.0, 4.0, 9.0)
    assert carried_masses({}) == (0.0,) * 5


def test_check__returns_plain_numbers():
    checked = check(NAMES, {"load.hands": np.int64(10), "strength.psoas.left": 1, "tightness.piriformis.right": 10.0})
    assert checked == {"load.hands": 10.0, "strength.psoas.left": 1.0, "tightness.piriformis.right": 10.0}
    assert {type(value) for value in checked.values()} == {float}


@pytest.mark.parametrize("name", list(legal_names(NAMES)))
def test_check__accepts_the_ends_of_every_range_and_nothing_beyond(name):
    fixed = {**PARAMETERS, **level_names(NAMES)}
    row = fixed.get(name) or {**FAMILIES, "imbalance": IMBALANCE}[name.partition(".")[0]]
    check(NAMES, {name: row.lowest})
    check(NAMES, {name: row.highest})
    for beyond in (np.nextafter(row.lowest, -np.inf), np.nextafter(row.highest, np.inf)):
        with pytest.raises(InputError, match=f"{name} = .* is not allowed: it must be a (whole )?number from"):
            check(NAMES, {name: float(beyond)})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, np.True_, "10", None, 1j, [1.0]])
def test_check__refuses_what_is_not_a_finite_number(value):
    with pytest.raises(InputError, match=r"^load.hands = .* must be a number from 0 to 100 kg\.$"):
        check(NAMES, {"load.hands": value})


def test_level_names__every_level_and_for_foramina_every_side():
    assert list(level_names(NAMES))[::2] == [
        "disc.L5_S1.height_loss",
        "disc.L5_S1.bulge",
        "disc.L5_S1.slip",
        "foramen.L5_S1.left.scale",
        "foramen.L4_L5.left.scale",
    ]
    with pytest.raises(InputError, match=r"There is no parameter disc.L3_L4.bulge: did you mean disc.L4_L5.bulge"):
        check(NAMES, {"disc.L3_L4.bulge": 1})
    with pytest.raises(
        InputError, match=r"foramen.L4_L5.left.scale = 0.1 is not allowed: it must be a number from 0.3"
    ):
        check(NAMES, {"foramen.L4_L5.left.scale": 0.1})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("strength.hip_flexor", "strength.hip_flexors"),
        ("strenght.psoas.left", "strength.psoas.left"),
        ("load.hand.rigth", "load.hand.right"),
        ("strength.ps_l1", "strength.ps_l1_"),
        ("tightness.hip_flexors.middle", "tightness.hip_flexors"),
        ("tone.psoas.midline", "tone.psoas"),
        ("imbalance.weak_cor", "imbalance.weak_core"),
        ("imbalance.weak_core.left", "imbalance.weak_core"),
        ("imbalance.psoas", "imbalance.weak_core"),
    ],
)
def test_check__unknown_names_get_the_nearest(typed, meant):
    with pytest.raises(InputError, match=f"There is no parameter {typed}: did you mean {meant}"):
        check(NAMES, {typed: 1.0})


def test_check__an_imbalance_of_one_side_needs_its_side():
    with pytest.raises(
        InputError, match=r"needs a side: imbalance\.tight_side\.left or imbalance\.tight_side\.right\.$"
    ):
        check(NAMES, {"imbalance.tight_side": 1.0})


def test_resolve_many__a_name_does_not_count_where_it_is_not_set():
    columns = {"strength.hip_flexors": np.array([0.5, 0.5]), "strength.psoas": np.array([np.nan, 0.25])}
    values = resolve_many(NAMES, columns, "strength")[:, FASCICLES.index("ps_l1_r")]
    assert values.tolist() == [0.5, 0.25]
    columns = {"tightness.hip_flexors": np.array([7.0, np.nan]), "tightness.hip_flexors.left": np.array([np.nan, 3.0])}
    assert resolve_group(columns, "tightness", "hip_flexors", "left").tolist() == [7.0, 3.0]
    assert resolve_group(columns, "tightness", "hip_flexors", "right").tolist() == [7.0, 0.0]


def test_check__names_far_from_all_others_are_referred_to_the_list():
    with pytest.raises(InputError, match="`spinesim parameters` lists"):
        check(NAMES, {"zzz": 1.0})


@pytest.mark.parametrize("target", ["core", "core.left", "psoas", "ps_l1_r"])
def test_check__tightness_needs_a_clinical_test(target):
    with pytest.raises(InputError, match=f"{target} has no clinical test.*hip_flexors, quadriceps, piriformis"):
        check(NAMES, {f"tightness.{target}": 5.0})


def test_check__tone_may_not_exceed_inhibition():
    with pytest.raises(InputError, match=r"tone of mf_1_l is 0\.6, above its inhibition of 0\.5"):
        check(NAMES, {"tone.multifidus.left": 0.6, "inhibition.core": 0.5})
    check(NAMES, {"tone.multifidus.left": 0.5, "inhibition.core": 0.5})
    check(NAMES, {"tone.multifidus.left": 0.6, "inhibition.core": 0.5, "inhibition.multifidus": 0.7})


def test_check_bounds__finds_the_one_bad_case_of_many():
    tone = np.zeros(1000)
    tone[617] = 0.4
    columns = {"tone.psoas": tone, "inhibition.hip_flexors": np.full(1000, 0.3), "load.hands": np.arange(1000.0)}
    with pytest.raises(InputError, match=r"tone of ps_l1_r is 0\.4"):
        check_bounds(NAMES, columns)
    check_bounds(NAMES, columns | {"tone.psoas": 0.3})


def test_names__refuse_one_name_for_two_sets():
    with pytest.raises(ModelError, match="psoas names two different sets"):
        Names(NAMES.muscles, {"psoas": ("psoas", "iliacus")}, {})


def test_names__a_midline_fascicle_may_share_its_name_with_its_muscle():
    names = Names({"flexor": ("flexor", "midline")}, {"front": ("flexor",)}, {"front": "test"})
    assert resolve(names, {"strength.flexor": 0.5, "strength.front.midline": 0.2}, "strength").tolist() == [0.5]
    assert tightness(names, {"tightness.front": 3.0}) == {("front", "midline"): 3.0}


def test_describe__has_a_row_for_every_family_and_fixed_name():
    rows = {row.name: row for row in describe()}
    assert rows["load.reach"].units == "m"
    assert rows["tightness.NAME"].lowest == -20
    assert rows["imbalance.PRESET"].highest == 1
    assert len(rows) == len(PARAMETERS) + len(FAMILIES) + len(LEVEL_FAMILIES) + 1


def test_describe_targets__list_every_target_of_the_legal_names():
    rows = describe_targets(NAMES)
    written = {name for row in rows for name in (row.name, *(f"{row.name}.{side}" for side in row.sides))}
    assert written | set(FASCICLES) == set(NAMES.targets)
    assert {row.name for row in rows if row.test} == set(NAMES.tests)
    assert rows[-1].members == f"or any other of the {len(FASCICLES)} single names"
