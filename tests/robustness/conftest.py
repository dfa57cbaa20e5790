"""The app as strangers meet it; generated cases are the same in every run."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.robustness.served import Served, serving

settings.register_profile(
    "outside", derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("outside")  # before the tests are read: each takes the settings that hold then


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app as on a public Space: visitors share it, and may train a little."""
    with serving(tmp_path_factory.mktemp("served"), "limited") as app:
        yield app


@pytest.fixture(scope="session")
def reading_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app where training is switched off."""
    with serving(tmp_path_factory.mktemp("off"), "off") as app:
        yield app
