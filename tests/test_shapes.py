"""How a line of results runs, in a word."""

import numpy as np
import pytest

from spinesim.shapes import least_change, shape

X = np.linspace(0.0, 1.0, 11)


@pytest.mark.parametrize(
    ("y", "word"),
    [
        (500.0 + 4.9 * X, "null"),
        (500.0 + 5.1 * X, "linear"),
        (500.0 - 50.0 * X, "linear"),
        (500.0 + 50.0 * X**2, "accelerating"),
        (500.0 - 50.0 * X**2, "accelerating"),
        (500.0 + 50.0 * np.sqrt(X), "saturating"),
        (500.0 + 50.0 * X**4, "beyond 0.5 only"),
        (500.0 + 50.0 * np.maximum(X - 0.7, 0.0), "beyond 0.7 only"),
        (500.0 + 50.0 * np.sin(np.pi * X), "not monotone"),
        (500.0 + 50.0 * (X - 0.2 * np.sin(4 * np.pi * X)), "not monotone"),
        (500.0 + 50.0 * (3 * X**2 - 2 * X**3), "linear"),
        (500.0 + 50.0 * np.tanh(8 * (X - 0.4)), "in steps"),
    ],
)
def test_shape__is_the_same_for_any_axis(y, word):
    assert shape(X, y, "N") == word
    if "beyond" not in word:
        assert shape(1.0 - 0.8 * X, y, "N") == word  # from strong to weak


def test_shape__of_a_threshold_names_the_value_of_the_axis():
    assert shape(1.0 - 0.8 * X, np.maximum(X - 0.5, 0.0) * 100.0, "N") == "beyond 0.6 only"


def test_shape__of_two_points_has_no_word_and_of_one_is_null():
    assert shape(X[:2], np.array([0.0, 9.0]), "N") == ""
    assert shape(X[:1], np.array([9.0]), "N") == "null"


def test_least_change__depends_on_the_unit():
    assert least_change(np.array([0.0, 300.0]), "deg") == 0.5
    assert least_change(np.array([-300.0, 200.0]), "mm2") == pytest.approx(3.0)
