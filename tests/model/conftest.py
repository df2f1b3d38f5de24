"""The model floor is tested without the floors above it."""

import pytest

from spinesim.model.read import load_model


@pytest.fixture(scope="session")
def adult():
    """The shipped reference adult."""
    return load_model("adult")
