"""What a training run changes: weights, their moving average, optimisers and counters."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from minrnn import device as devices
from minrnn.config import TrainConfig
from minrnn.device import Compute
from minrnn.models import LanguageModel
from minrnn.optimizers import Optimizers

_COUNTERS = ("iter", "tokens", "seconds", "evaluated_at", "sampled_at")
_NEWER = ("val_loss", "began")
"""Numbers that saves of earlier versions have not."""


@dataclass
class TrainState:
    """Everything that a run changes. A saved state is enough to resume the run.

    Attributes:
        model: the raw weights.
        average: the moving average of the weights; evaluations, samples and the checkpoint use it.
        optimizer: AdamW, and Muon if the recipe asks for it, with their moments.
        compute: device and dtype.
        iter: updates made.
        tokens: characters read.
        seconds: training time, evaluations included.
        evaluated_at: iter of the last evaluation; -1 before the first.
        sampled_at: iter of the last sample; -1 before the first.
        val_loss: of the last evaluation; infinite before the first.
        began: seconds before the first update: of the evaluation and the sample that come before it.
    """

    model: LanguageModel
    average: LanguageModel
    optimizer: Optimizers
    compute: Compute
    iter: int = 0
    tokens: int = 0
    seconds: float = 0.0
    evaluated_at: int = -1
    sampled_at: int = -1
    val_loss: float = math.inf
    began: float = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain numbers, as `torch.load(weights_only=True)` reads them."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **{name: getattr(self, name) for name in (*_COUNTERS, *_NEWER)},
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go back to a saved state."""
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        for name in _COUNTERS:
            setattr(self, name, saved[name])
        for name in _NEWER:
            setattr(self, name, saved.get(name, getattr(self, name)))


def new_model(make: Callable[[], LanguageModel], config: TrainConfig) -> LanguageModel:
    """Make a model with weights drawn from the run's seed, by its own initialisation or from N(0, init_std)."""
    torch.manual_seed(config.seed)
    model = make()
    if config.init_std:
        with torch.no_grad():
            for weight in model.parameters():
                weight.normal_(std=config.init_std)
    return model


def begin(model: LanguageModel, config: TrainConfig) -> TrainState:
    """The state of a run before its first iter.

    Raises:
        BackendUnavailable: if the config's device is not on this machine.
    """
    compute = devices.choose(config.device, config.dtype)
    model = model.to(compute.device).train()
    average = copy.deepcopy(model).eval().requires_grad_(False)
    return TrainState(model, average, Optimizers(model, config), compute)
