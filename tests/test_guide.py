"""A guide for many samples: the same postures as from a cold start, or no guide."""

import importlib

import numpy as np
import pytest
import xarray as xr

import spinesim as ss
from spinesim import guide
from spinesim.solve import make_task, run_alone

sweeping = importlib.import_module("spinesim.sweep")
COUNT = guide.WORTH * guide.PER_COEFFICIENT * 3  # the fewest samples of two values that have a guide


def columns(count, seed=0):
    rng = np.random.default_rng(seed)
    return {"tightness.hip_flexors": rng.uniform(0, 15, count), "load.hands": rng.uniform(0, 8, count)}


@pytest.fixture(scope="module")
def task(adult):
    return make_task(adult, "standing", None, "rhythm", stability=False)


def test_fit__recovers_a_linear_law(task, monkeypatch):
    given, law = columns(COUNT), np.arange(60.0).reshape(3, 20) / 1e3

    def linear(task, values, count, starts=None):
        out, cases = run_alone(task, {name: column[:1] for name, column in values.items()}, 1)
        free = np.column_stack([np.ones(count), *(values[name] for name in given)]) @ law
        return out._replace(free=free, status=np.zeros(count, dtype=np.int64)), cases

    monkeypatch.setattr(guide, "run_alone", linear)
    found = guide.fit(task, {"strength.core": np.ones(COUNT), **given})
    assert found.names == ("tightness.hip_flexors", "load.hands")
    assert found.coefficients == pytest.approx(law, abs=1e-12)
    assert found.starts(given) == pytest.approx(linear(task, given, COUNT)[0].free, abs=1e-12)


def test_fit__few_samples_and_held_postures_have_none(adult, task):
    assert guide.fit(task, columns(COUNT - 1)) is None
    assert guide.fit(make_task(adult, "standing", {}, "rhythm"), columns(COUNT)) is None


@pytest.mark.parametrize("change", [{"status": 2}, {"free": 1.0}])
def test_fit__a_start_that_leads_elsewhere_or_nowhere_makes_no_guide(task, monkeypatch, change):
    def misled(task, values, count, starts=None):
        out, cases = run_alone(task, values, count)
        if starts is not None:
            for name, value in change.items():
                getattr(out, name)[0] += value
        return out, cases

    monkeypatch.setattr(guide, "run_alone", misled)
    assert guide.fit(task, columns(COUNT)) is None


@pytest.mark.parametrize("stability", [True, False])
def test_sweep__many_samples_have_the_postures_of_single_solves(adult, stability):
    given = columns(COUNT)
    assert guide.fit(make_task(adult, "standing", None, "rhythm", stability=stability), given) is not None
    wanted = ["segment_angle", "compression", "activation"]
    swept = ss.sweep(adult, samples=given, stability=stability, variables=wanted)
    assert (swept.status == "solved").all()
    for case in range(0, COUNT, 37):
        settings = {name: column[case] for name, column in given.items()}
        alone = ss.solve(adult, settings, stability=stability)
        for name, tolerance in (("segment_angle", 1e-4), ("compression", 0.05), ("activation", 1e-5)):
            np.testing.assert_allclose(swept[name][case], alone[name], rtol=0, atol=tolerance, err_msg=name)


def test_run_alone__a_start_that_leads_nowhere_is_forgotten(task):
    given = {name: column[:3] for name, column in columns(3).items()}
    cold, _ = run_alone(task, given, 3)
    astray = np.full(cold.free.shape, np.nan)
    again, _ = run_alone(task, given, 3, astray)
    for name in ("status", "free", "activation"):
        np.testing.assert_allclose(getattr(again, name), getattr(cold, name), rtol=0, atol=1e-7, err_msg=name)


def test_sweep__samples_that_cannot_be_solved_fail_as_they_do_alone(adult):
    rng = np.random.default_rng(3)
    given = {"strength.core": rng.uniform(0.8, 1.2, COUNT), "load.hands": rng.uniform(0, 8, COUNT)}
    given["strength.core"][5], given["load.hands"][5] = 0.0, 30.0
    swept = ss.sweep(adult, samples=given, variables=["compression"])
    with pytest.raises(ss.UnstableError):
        ss.solve(adult, {name: column[5] for name, column in given.items()})
    assert swept.status[5].item() == "unstable"
    assert np.isnan(swept.compression[5]).all()
    assert (swept.status == "solved").sum() == COUNT - 1


def test_sweep__guided_samples_are_the_same_bits_however_they_are_run(adult, tmp_path):
    given, options = columns(COUNT, seed=1), {"stability": False, "variables": ["compression"]}
    assert guide.fit(make_task(adult, "standing", None, "rhythm", stability=False), given) is not None
    whole = ss.sweep(adult, samples=given, threads=1, **options)
    parts = []
    for i in (1, 2):
        parts.append(tmp_path / f"{i}.nc")
        ss.sweep(adult, samples=given, output=parts[-1], shard=f"{i}/2", threads=2, **options)
    ss.merge(tmp_path / "whole.nc", parts)
    merged = ss.open_results(tmp_path / "whole.nc")
    xr.testing.assert_equal(merged.compression, whole.compression)


def test_sweep__people_who_differ_have_no_guide(adult, monkeypatch):
    asked = []
    monkeypatch.setattr(sweeping, "fit", lambda *arguments: asked.append(arguments))
    ss.sweep(adult, samples={"load.hands": [0.0, 5.0]}, stability=False, variables=["compression"])
    assert len(asked) == 1
    ss.sweep(adult, samples={"subject.mass": [70.0, 80.0]}, stability=False, variables=["compression"])
    assert len(asked) == 1
