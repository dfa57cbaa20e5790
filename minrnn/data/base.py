"""What training and scoring need of a text or a task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor

from minrnn.config import TrainConfig
from minrnn.evaluate import Check, no_check
from minrnn.models import CharModel, LanguageModel

CPU = torch.device("cpu")
Batches: TypeAlias = Callable[[int], tuple[Tensor, Tensor]]
"""From an iter >= 0 to idx and targets, each (B, T) int64; a pure function, so a resumed run reads the same."""


@dataclass(frozen=True)
class Estimate:
    """What a model reaches on a fixed part of the validation data."""

    loss: float
    """Nats per character, or per answer."""
    accuracy: float | None = None
    """The share of right answers; None for a text."""


class Data(ABC):
    """A text or a task, bound to a model's vocabulary and window.

    Attributes:
        remedy: with what to start a new run where memory runs out. A run keeps its batch_size, and a checkpoint its
            block_size.
    """

    remedy: ClassVar[str]

    @property
    @abstractmethod
    def window(self) -> int:
        """Characters of a text in a training batch."""

    @abstractmethod
    def batches(self, config: TrainConfig, device: torch.device = CPU) -> Batches:
        """The training batches of a recipe, on a device. None of them waits for the device.

        Raises:
            CorpusError: for a text that is shorter than a window.
            ConfigError: if the model's positions do not reach over a task's text.
        """

    @abstractmethod
    def estimate(self, model: CharModel, chars: int) -> Estimate:
        """Score about so many validation characters, always the same ones."""

    def score(self, model: CharModel, *, train_split: bool = False, chars: int = 0) -> dict[str, Any]:
        """All figures of a model that has been trained; see `checkpoint.score`."""
        scores: dict[str, Any] = {}
        for part in self.scores(model, train_split=train_split, chars=chars):
            scores |= part
        return scores

    @abstractmethod
    def scores(
        self, model: CharModel, *, train_split: bool = False, chars: int = 0, check: Check = no_check
    ) -> Iterator[dict[str, Any]]:
        """The figures of `score` in parts, each as soon as it is known and the quickest first. A later part
        replaces the keys of an earlier one. `check` is called before every batch, and may end the scoring by
        raising."""

    @abstractmethod
    def sample(self, model: LanguageModel, config: TrainConfig) -> str:
        """What the model does at this point of its training, for people."""

    @abstractmethod
    def saved_sample(self, model: LanguageModel) -> dict[str, Any]:
        """The sample that stands in metrics.json: prompt, text, temperature and seed."""
