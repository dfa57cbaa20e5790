"""Tasks as data: texts drawn anew for every batch, and fixed texts to score on.

The generator of a batch is seeded from the run's seed and the iter, so a resumed run draws the same. The texts
that are scored come from another stream of seeds, which depends on their length alone: every model at every iter
of every run answers the same questions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from minrnn.config import ModelConfig, TrainConfig
from minrnn.data.base import CPU, Batches, Data, Estimate
from minrnn.device import send
from minrnn.errors import ConfigError
from minrnn.evaluate import BATCH_CHARS, Check, no_check, read
from minrnn.models import CharModel, LanguageModel, mixer_class
from minrnn.tasks import NOT_ASKED, NOT_ASKED_CHAR, Example, Task, example
from minrnn.text import CharVocab

MAX_STANDARD_ERROR = 0.01
"""Of an accuracy: texts are added until it is below."""
MIN_TEXTS, MAX_TEXTS = 128, 2_500
"""Texts of one length that are scored; with the most, no accuracy has a standard error above 1 %."""
_TRAINING, _SCORED = 0, 1
"""Streams of seeds."""


@dataclass(frozen=True)
class Worked(Example):
    """A worked example: a text, what is wanted, and what a model answers."""

    answers: str
    """As long as `sees`; NOT_ASKED_CHAR where nothing is asked."""

    @property
    def text(self) -> str:
        """The three of them, a line each."""
        return f"sees    {self.sees}\nwants   {self.wants}\nanswers {self.answers}"


class TaskData(Data):
    """Texts of a task, of its trained length."""

    remedy = "half the batch_size"

    def __init__(self, task: Task, model: ModelConfig) -> None:
        self._task, self._model = task, model
        self._vocab = CharVocab(model.vocab)
        self._ids = self._vocab.encode(task.vocab)
        """(len(task.vocab),) the model's id of each of the task's."""

    @staticmethod
    def check(task: Task, model: ModelConfig) -> None:
        """Raise ConfigError if the model learns positions and they do not reach over a text."""
        if mixer_class(model.mixer).learned_positions and model.block_size < task.trained_length:
            raise ConfigError(
                f"block_size is {model.block_size:,} and the texts of the task {task.name!r} have "
                f"{task.trained_length:,} characters, which {model.mixer} must see at once; use a block_size of "
                f"{task.trained_length:,} at least, and of {task.test_lengths[-1]:,} for all lengths that are scored."
            )

    @property
    def window(self) -> int:
        """The task's trained length, whatever the model's block_size."""
        return self._task.trained_length

    def batches(self, config: TrainConfig, device: torch.device = CPU) -> Batches:
        """Texts of the trained length, new ones at every iter; drawn on the CPU and sent to the device."""
        self.check(self._task, self._model)

        def batch(it: int) -> tuple[Tensor, Tensor]:
            drawn = self._batch(_generator(config.seed, _TRAINING, it), config.batch_size, self.window)
            idx, targets = (send(ids, device) for ids in drawn)
            return idx, targets

        return batch

    def estimate(self, model: CharModel, chars: int) -> Estimate:
        """Loss and accuracy at the trained length, over the first of the scored texts; MAX_TEXTS at most."""
        marks, left = _Marks(), min(max(1, chars // self.window), MAX_TEXTS)
        for idx, targets in self._scored(self.window):
            marks += _marks(model, idx[:left], targets[:left])
            left -= len(idx)
            if left <= 0:
                return Estimate(marks.loss, marks.accuracy)
        raise AssertionError("the stream of texts has no end")

    def scores(
        self, model: CharModel, *, train_split: bool = False, chars: int = 0, check: Check = no_check
    ) -> Iterator[dict[str, Any]]:
        """Loss at the trained length, and accuracy at 1, 2, 4, 8 and 16 times it. The texts have no splits, and
        how many are scored depends on the standard error; so both options change nothing."""
        accuracy: dict[str, float] = {}
        for T in self._task.test_lengths:
            marks = self._marks_at(model, T, check)
            accuracy[str(T)] = marks.accuracy
            if self.window == T:
                asked = int(marks.asked.sum())
                yield {"val_loss": marks.loss, "n_params": model.n_params, "tokens": asked}
            yield {"accuracy": dict(accuracy)}

    def sample(self, model: LanguageModel, config: TrainConfig) -> str:
        """A worked example: what the model sees, what is wanted, and what it answers."""
        return self.worked(model, config.seed).text

    def saved_sample(self, model: LanguageModel) -> dict[str, Any]:
        """A worked example; there is no prompt, and the likeliest answer counts."""
        return {"prompt": "", "text": self.worked(model, 0).text, "temperature": 0.0, "seed": 0}

    def worked(self, model: LanguageModel, seed: int) -> Worked:
        """One text of the trained length, and what the model answers."""
        shown = example(self._task, seed=seed)
        logits, _ = read(model, self._vocab.encode(shown.sees).unsqueeze(0), None)
        said = self._vocab.decode(logits[0].argmax(dim=-1))
        pairs = zip(shown.wants, said, strict=True)
        answers = "".join(want if want == NOT_ASKED_CHAR else answer for want, answer in pairs)
        return Worked(shown.sees, shown.wants, answers)

    def _marks_at(self, model: CharModel, T: int, check: Check = no_check) -> _Marks:
        """Marks at one length, over as many texts as the standard error takes."""
        marks = _Marks()
        for idx, targets in self._scored(T):
            check()
            marks += _marks(model, idx, targets)
            if marks.texts >= MAX_TEXTS or (
                marks.texts >= MIN_TEXTS and marks.standard_error < MAX_STANDARD_ERROR
            ):
                return marks
        raise AssertionError("the stream of texts has no end")

    def _scored(self, T: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The fixed texts of T characters, in batches, without end."""
        for number in itertools.count():
            yield self._batch(_generator(T, _SCORED, number), max(1, BATCH_CHARS // T), T)

    def _batch(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        """(B, T) idx and targets in the model's ids."""
        idx, targets = self._task.batch(generator, B, T)
        asked = targets != NOT_ASKED
        return self._ids[idx], torch.where(asked, self._ids[targets.where(asked, 0)], NOT_ASKED)


@dataclass(frozen=True)
class _Marks:
    """What a model reached on some texts."""

    total: float = 0.0
    """Sum of the losses of all answers."""
    right: Tensor = field(default_factory=lambda: torch.zeros(0))
    """(texts,) right answers."""
    asked: Tensor = field(default_factory=lambda: torch.zeros(0))
    """(texts,) questions."""

    def __add__(self, other: _Marks) -> _Marks:
        right, asked = torch.cat([self.right, other.right]), torch.cat([self.asked, other.asked])
        return _Marks(self.total + other.total, right, asked)

    @property
    def texts(self) -> int:
        return len(self.asked)

    @property
    def loss(self) -> float:
        return self.total / self.asked.sum().item()

    @property
    def accuracy(self) -> float:
        return (self.right.sum() / self.asked.sum()).item()

    @property
    def standard_error(self) -> float:
        """Of the accuracy. Texts are independent of each other; the answers within one are not."""
        misses = self.right - self.accuracy * self.asked
        return math.sqrt(misses.square().sum().item()) / self.asked.sum().item()


def _marks(model: CharModel, idx: Tensor, targets: Tensor) -> _Marks:
    """The marks of a model on (B, T) texts."""
    logits, _ = read(model, idx, None)
    targets = targets.to(logits.device)
    total = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=NOT_ASKED, reduction="sum").item()
    right = (logits.argmax(dim=-1) == targets).sum(dim=1)
    return _Marks(total, right.double().cpu(), (targets != NOT_ASKED).sum(dim=1).double().cpu())


def _generator(seed: int, stream: int, number: int) -> torch.Generator:
    mixed = np.random.SeedSequence(seed, spawn_key=(stream, number)).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed >> np.uint64(1)))
