"""The adult's anatomy, computed independently of the kernels."""

import pytest

from tests.kernels.anatomy import Anatomy, Engine


@pytest.fixture(scope="session")
def anatomy(adult):
    """Plain-numpy kinematics of the adult."""
    return Anatomy(adult)


@pytest.fixture(scope="session")
def engine(anatomy):
    """The adult in MuJoCo."""
    return Engine(anatomy)
