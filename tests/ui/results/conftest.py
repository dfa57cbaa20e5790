"""A bundled checkpoint's figures, changed at will."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minrnn.results import Result

FIGURES: dict[str, Any] = {
    "val_loss": 1.5,
    "val_loss_streaming": 1.49,
    "bits_per_char": 1.5 / math.log(2),
    "train_loss": None,
    "n_params": 2_310_000,
    "params": {"embedding": 10_000, "mixer": 1_100_000, "mlp": 1_190_000, "head": 10_000},
    "iters": 100,
    "tokens_seen": 819_200,
    "seconds": 90.4,
    "device": "a machine of two parts",
    "seed": 1,
    "command": "python -m minrnn train",
    "folder": Path("nowhere"),
}


@pytest.fixture
def result() -> Callable[..., Result]:
    """A function that makes a Result, given a model, a preset and what differs."""

    def make(model: str = "mingru", preset: str = "base", **changed: Any) -> Result:
        return Result(**FIGURES | {"model": model, "preset": preset} | changed)

    return make
