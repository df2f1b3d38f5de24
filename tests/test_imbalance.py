"""Named imbalances: what a severity stands for, alone, beside parameters and along an axis."""

import json
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import spinesim as ss
from spinesim.cases import case_arrays, names
from spinesim.errors import InputError
from spinesim.imbalance import at_severity, expand
from spinesim.model.pack import pack
from spinesim.model.parts import Imbalance, Setting
from spinesim.parameters import FAMILIES, PARAMETERS, check, combined, healthy
from spinesim.stance import pack_stance

ADULT = ss.load_model("adult")
NAMES = [name for imbalance in ADULT.imbalances.values() for name in imbalance.names]
ONE_SIDED = [name for name, imbalance in ADULT.imbalances.items() if imbalance.sides == "one"]
STANCES = {"standing": None, "sitting": None, "forward_bend": {"trunk_flexion": 30}}


def by_hand(name, severity=1.0):
    """What a preset sets, by the written rule."""
    preset, _, side = name.partition(".")
    return {
        target: (1 - severity) * healthy(target) + severity * value
        for target, value in ADULT.imbalances[preset].values(side).items()
    }


def with_presets(**presets):
    """The adult with presets of its own: name -> settings of both sides."""
    sourced = {"source": "assumed", "confidence": "assumed"}
    words = {"title": "T", "description": "D", "claim": "C", "sides": "both", **sourced}
    imbalances = {
        name: Imbalance(name=name, settings={k: Setting(value=v, **sourced) for k, v in values.items()}, **words)
        for name, values in presets.items()
    }
    return ADULT.model_copy(update={"imbalances": imbalances})


def table(model, columns, count=1):
    """Case table of the standing adult."""
    arrays = {name: np.atleast_1d(np.asarray(column, dtype=float)) for name, column in columns.items()}
    return case_arrays(pack_stance(pack(model), "standing"), arrays, count, np.zeros(0))


def assert_same_cases(first, second):
    for ours, theirs in zip(first, second, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def assert_same_numbers(first, second):
    """Identical results but for the names of what was set."""
    xr.testing.assert_equal(first, second)


# ------------------------------------------------------------------------------------------------------ severity


@pytest.mark.parametrize("name", NAMES)
def test_severity__0_is_the_healthy_model_and_1_the_values_by_hand(name):
    assert expand(ADULT, {f"imbalance.{name}": 0.0}) == {}
    assert expand(ADULT, {f"imbalance.{name}": 1.0}) == by_hand(name)
    assert_same_cases(table(ADULT, {f"imbalance.{name}": 0.0}), table(ADULT, {}))
    assert_same_cases(table(ADULT, {f"imbalance.{name}": 1.0}), table(ADULT, by_hand(name)))


def test_solve__severity_0_and_1_are_the_healthy_and_the_explicit_case_to_the_bit(adult):
    for name in ("lower_crossed", "left_right_strength.left"):
        assert_same_numbers(ss.solve(adult, {f"imbalance.{name}": 0}), ss.solve(adult))
        assert_same_numbers(ss.solve(adult, {f"imbalance.{name}": 1}), ss.solve(adult, by_hand(name)))


@given(st.sampled_from(NAMES), st.floats(0, 1, exclude_min=True))
def test_severity__interpolates_from_the_healthy_value(name, severity):
    values = expand(ADULT, {f"imbalance.{name}": severity})
    full = by_hand(name)
    assert values == by_hand(name, severity)
    for target, value in values.items():
        low, high = sorted((healthy(target), full[target]))
        assert low <= value <= high
        change = (value - healthy(target)) / (full[target] - healthy(target))
        assert change == pytest.approx(severity, abs=1e-14)
    assert check(names(pack(ADULT)), values) == values


def test_healthy__is_the_default_of_every_parameter_that_a_preset_may_set():
    for family, row in FAMILIES.items():
        assert healthy(f"{family}.gluteals.left") == row.default
    for name in ("load.hands", "load.hand.left", "load.reach"):
        assert healthy(name) == PARAMETERS[name].default


def test_severity__0_leaves_what_others_set_whatever_its_rank():
    """A preset of one side has the more specific names, which at severity 0 must not undo those of both sides."""
    beside = {"strength.abdominals": 0.5, "tightness.hip_flexors": 12.0, "load.hand.left": 3.0}
    presets = {f"imbalance.{name}": 0.0 for name in NAMES}
    assert_same_cases(table(ADULT, beside | presets), table(ADULT, beside))
    columns = {name: np.array([value, value]) for name, value in beside.items()}
    columns |= {f"imbalance.{name}": np.array([0.0, 1.0]) for name in NAMES if name.endswith("left")}
    first = [array[:1] for array in table(ADULT, columns, 2)]
    assert_same_cases(first, table(ADULT, beside))


# ---------------------------------------------------------------------------------------------------- combination


@pytest.mark.parametrize(
    ("target", "preset", "given_value", "together"),
    [
        ("strength.gluteals", 0.6, 0.5, 0.6 * 0.5),
        ("stiffness.erectors", 1.5, 2.0, 3.0),
        ("inhibition.core", 0.5, 0.8, 0.5),
        ("tone.piriformis", 0.2, 0.3, 0.3),
        ("tightness.hip_flexors", 20.0, 5.0, 20.0),
        ("load.hands", 20.0, 25.0, 25.0),
        ("load.reach", 0.2, 0.1, 0.2),
    ],
)
def test_combination__of_a_preset_with_the_same_name_and_of_two_presets(target, preset, given_value, together):
    model = with_presets(one={target: preset}, two={target: given_value})
    assert expand(model, {"imbalance.one": 1.0, target: given_value}) == {target: together}
    assert expand(model, {"imbalance.one": 1.0, "imbalance.two": 1.0}) == {target: together}
    assert expand(model, {"imbalance.two": 0.0, "imbalance.one": 1.0}) == {target: preset}


def test_combination__across_ranks_is_that_of_all_parameters():
    gluteals = [i for i, m in enumerate(ADULT.muscles) if m.muscle.startswith("gluteus")]
    strength = table(ADULT, {"imbalance.lower_crossed": 1, "strength.gluteus_maximus": 1}).strength[0, gluteals]
    expected = [1.0 if ADULT.muscles[i].muscle == "gluteus_maximus" else 0.6 for i in gluteals]
    assert strength.tolist() == expected
    model = with_presets(one={"strength.hip_flexors": 0.5}, two={"strength.quadriceps": 0.4})
    rectus = [i for i, m in enumerate(ADULT.muscles) if m.muscle == "rectus_femoris"]
    strength = table(model, {"imbalance.one": 1, "imbalance.two": 1}).strength[0, rectus]
    assert strength.tolist() == [0.5 * 0.4] * 2


def test_combination__two_names_of_a_load_add():
    cases = table(ADULT, {"imbalance.heavy_lifting": 1, "imbalance.one_sided_carrying.left": 1})
    np.testing.assert_allclose(cases.load[0, :2], [10 * ADULT.gravity, 40 * ADULT.gravity], rtol=1e-15)


targets = st.sampled_from(["strength.core", "stiffness.erectors", "tone.piriformis", "inhibition.core", "load.hands"])


@given(targets, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=4), st.floats(0, 1))
def test_combination__is_the_written_rule_in_any_order(target, presets, own):
    model = with_presets(**{f"p{i}": {target: value} for i, (value, _) in enumerate(presets)})
    columns = {f"imbalance.p{i}": severity for i, (_, severity) in enumerate(presets)}
    values = [own, *((1 - s) * healthy(target) + s * v for v, s in presets if s)]
    family = target.partition(".")[0]
    rule = {"strength": math.prod, "stiffness": math.prod, "inhibition": min}.get(family, max)
    found = expand(model, {target: own} | columns)
    assert found[target] == pytest.approx(rule(values), rel=1e-14)
    assert expand(model, dict(reversed(columns.items())) | {target: own}) == found


@given(
    st.dictionaries(
        st.sampled_from([f"imbalance.{name}" for name in NAMES]),
        st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_columns__are_each_case_alone(columns):
    beside = {"strength.core": np.array([1.0, 0.5, 0.5]), "tightness.hip_flexors": np.array([0.0, 5.0, 15.0])}
    every = beside | {name: np.array(column) for name, column in columns.items()}
    together = table(ADULT, every, 3)
    for case in range(3):
        alone = table(ADULT, {name: column[case] for name, column in every.items()})
        assert_same_cases([array[case : case + 1] for array in together], alone)


def test_at_severity__is_not_set_at_0():
    values = at_severity("strength.core", 0.5, np.array([0.0, 0.5, 1.0]))
    np.testing.assert_array_equal(values, [math.nan, 0.75, 0.5])
    np.testing.assert_array_equal(combined("strength.core", values, 0.5), [0.5, 0.375, 0.25])


def test_expand__leaves_parameters_alone():
    columns = {"strength.core": np.array([0.5, 1.0]), "load.hands": 3.0}
    assert expand(ADULT, columns) == columns


# ------------------------------------------------------------------------------------------------ refused, swept


def test_solve__bounds_that_contradict_each_other_are_refused(adult):
    with pytest.raises(InputError, match=r"tone of \w+ is 0\.1, above its inhibition of 0\.05"):
        ss.solve(adult, {"imbalance.erector_overactivity": 1, "inhibition.erectors": 0.05})
    with pytest.raises(InputError, match=r"tone of \w+ is 0\.1, above its inhibition of 0\.05"):
        ss.sweep(adult, {"imbalance.erector_overactivity": [0, 1]}, parameters={"inhibition.erectors": 0.05})
    ss.solve(adult, {"imbalance.erector_overactivity": 0.5, "inhibition.erectors": 0.05}, raise_on_failure=False)


def test_solve__a_model_without_presets_has_none():
    teaching = ss.load_model("teaching")
    assert ss.imbalances(teaching) == {}
    with pytest.raises(InputError, match=r"There is no parameter imbalance\.weak_core"):
        ss.solve(teaching, {"imbalance.weak_core": 1})


def test_sweep__over_severity_has_the_axis_and_the_single_cases(adult):
    axes = {"load.hands": [0, 5], "imbalance.lower_crossed": [0, 0.5, 1]}
    swept = ss.sweep(adult, axes, parameters={"imbalance.weak_core": 0.5}, posture={"trunk_flexion": 10})
    axis = swept["imbalance.lower_crossed"]
    assert axis.values.tolist() == [0, 0.5, 1]
    assert axis.attrs["units"] == "1"
    assert "Severity" in axis.attrs["description"]
    assert json.loads(swept.attrs["parameters"]) == {"imbalance.weak_core": 0.5}
    assert json.loads(swept.attrs["axes"]) == list(axes)
    assert (swept.status == "solved").all()
    alone = ss.solve(
        adult,
        {"imbalance.weak_core": 0.5, "imbalance.lower_crossed": 0.5, "load.hands": 5},
        posture={"trunk_flexion": 10},
    )
    one = ss.sweep(
        adult,
        {"imbalance.lower_crossed": [0.5]},
        parameters={"imbalance.weak_core": 0.5, "load.hands": 5},
        posture={"trunk_flexion": 10},
    )
    np.testing.assert_array_equal(one.compression[0], alone.compression)
    both = swept.compression.sel({"load.hands": 5, "imbalance.lower_crossed": 0.5})
    np.testing.assert_allclose(both, alone.compression, rtol=1e-6)


def test_sweep__of_severity_1_equals_the_explicit_sweep(adult):
    by_name = ss.sweep(adult, {"imbalance.weak_core": [1.0]}, variables=["compression", "activation"])
    explicit = ss.sweep(adult, {"strength.core": [0.5]}, variables=["compression", "activation"])
    for variable in ("compression", "activation"):
        np.testing.assert_array_equal(by_name[variable].values, explicit[variable].values)


# --------------------------------------------------------------------------------------------------- the presets


def test_presets__say_what_they_stand_for(adult):
    assert list(ss.imbalances(adult)) == sorted(
        [
            "lower_crossed",
            "hamstring_quadriceps",
            "weak_core",
            "overactive_piriformis",
            "tight_piriformis",
            "left_right_strength",
            "left_right_tightness",
            "erector_overactivity",
            "prolonged_sitting",
            "heavy_lifting",
            "one_sided_carrying",
            "leg_length",
            "backpack",
            "shoulder_bag",
            "soft_mattress",
            "slumped_sitting",
        ]
    )
    for imbalance in adult.imbalances.values():
        for words in (imbalance.title, imbalance.description, imbalance.claim, imbalance.notes):
            assert words
        for setting in imbalance.settings.values():
            assert setting.notes
            assert (setting.source == "assumed") == (setting.confidence == "assumed")


@pytest.mark.parametrize("stance", STANCES)
@pytest.mark.parametrize("name", NAMES)
def test_presets__end_solved_at_severity_1(adult, name, stance):
    result = ss.solve(adult, {f"imbalance.{name}": 1}, stance=stance, posture=STANCES[stance])
    assert result.status == "solved"
    assert result.moment_residual <= 1e-6


@pytest.mark.parametrize("name", ONE_SIDED)
def test_presets__left_is_the_mirror_image_of_right(adult, name):
    left, right = (ss.solve(adult, {f"imbalance.{name}.{side}": 1}) for side in ("left", "right"))
    mirrored = [muscle[:-2] + {"_r": "_l", "_l": "_r"}.get(muscle[-2:], muscle[-2:]) for muscle in right.muscle.values]
    np.testing.assert_allclose(left.compression, right.compression, atol=1e-3)  # [N]
    np.testing.assert_allclose(left.shear_lateral, -right.shear_lateral, atol=1e-3)
    np.testing.assert_allclose(left.anterior_pelvic_tilt, right.anterior_pelvic_tilt, atol=1e-6)  # [deg]
    np.testing.assert_allclose(left.activation, right.activation.sel(muscle=mirrored).values, atol=1e-6)
    assert left.centre_of_mass.sel(xyz="z") == pytest.approx(-float(right.centre_of_mass.sel(xyz="z")), abs=1e-8)
