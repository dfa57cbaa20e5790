"""What the scan tests share besides their inputs."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def poisoned() -> Iterator[None]:
    """Uninitialised memory holds NaN: torch fills it so while algorithms are deterministic."""
    torch.use_deterministic_algorithms(True)
    x = torch.empty(3)
    assert all(new.isnan().all() for new in (x, torch.empty_like(x), x.new_empty(3)))
    yield
    torch.use_deterministic_algorithms(False)
