"""The same bits whoever solves: threads at once, and processes that start afresh."""

import multiprocessing
import threading

import numpy as np
import pytest

import spinesim as ss

#: found and held, with and without stability, one that nobody can hold
CASES = (
    ({"tightness.hip_flexors": 12}, {}),
    ({"load.hand.right": 3}, {"stability": False}),
    ({"load.hands": 8}, {"posture": {"trunk_flexion": 15}}),
    ({}, {"posture": {}, "stability": True}),
    ({"iap.lowest": 6}, {"posture": {}, "criterion": "effort3"}),
    ({"load.hands": 80, "load.reach": 0.6}, {"posture": {}}),
)
NAMES = ("status", "iterations", "segment_angle", "activation", "compression", "multiplier", "missing_moment")


def bits(model):
    """The answers to all cases, as bytes."""
    found = []
    for parameters, options in CASES:
        dataset = ss.solve(model, parameters, raise_on_failure=False, **options)
        found.append(tuple(np.asarray(dataset[name].values).tobytes() for name in NAMES))
    return found


def in_a_process(_):
    """What a fresh interpreter finds, with a model that it has read itself."""
    return bits(ss.load_model("adult"))


@pytest.fixture(scope="module")
def alone(adult):
    return bits(adult)


def test_cases__are_of_both_kinds(adult):
    words = [ss.solve(adult, p, raise_on_failure=False, **o).status.item() for p, o in CASES]
    assert words == ["solved"] * 5 + ["infeasible"]


def test_two_threads_at_once__get_the_same_bits(adult, alone):
    """Both start together and share one model; each compares every answer."""
    start, found = threading.Barrier(2), {}

    def work(number):
        start.wait()
        found[number] = [bits(adult) for _ in range(2)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1]
    for answers in found.values():
        assert answers == [alone, alone]


def test_two_processes_started_afresh__get_the_same_bits(alone):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        answers = pool.map(in_a_process, range(2))
    assert answers == [alone, alone]
