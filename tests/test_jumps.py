"""Steps much steeper than the steps beside them."""

import numpy as np
import pytest

from spinesim.jumps import jumps


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 2, 3, 4], []),
        ([0, 1, 2, 5, 9], []),
        ([0, 9, 12, 13, 13.1], []),
        ([0, 3, 3.1, 3.2, 3.3], [0]),
        ([0, 0.1, 0.2, 3, 3.1], [2]),
        ([0, 0.001, 0.041, 0.042, 0.043], []),
    ],
)
def test_jumps__are_steps_much_steeper_than_the_rest(values, expected):
    assert jumps(np.arange(5.0), np.array(values, float)) == expected


def test_jumps__of_several_angles_are_those_of_the_one_that_moves_most():
    x = np.array([5.0, 4.0, 2.0, 1.0, 0.0])
    slow, leap = x / 50.0, np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    assert jumps(x, np.stack([slow, leap], axis=1)) == [2]
    assert jumps(x, np.stack([slow, slow], axis=1)) == []


def test_jumps__needs_three_steps():
    assert jumps(np.arange(3.0), np.array([0.0, 0.0, 9.0])) == []
    assert jumps(np.array([1.0]), np.array([0.0])) == []


def test_jumps__smaller_than_the_least_are_none():
    y = np.array([0.0, 0.1, 0.2, 3.0, 3.1])
    assert jumps(np.arange(5.0), y, smallest=2.0) == [2]
    assert jumps(np.arange(5.0), y, smallest=3.0) == []
