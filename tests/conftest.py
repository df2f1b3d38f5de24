"""What all tests share: the shipped adult, reproducible examples, and pictures without a screen."""

import matplotlib as mpl
import pytest
from hypothesis import HealthCheck, settings

mpl.use("Agg")

# The same examples in every run, and no time limit: the first call of a kernel compiles it.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def adult():
    """The shipped reference adult."""
    import spinesim

    return spinesim.load_model("adult")
