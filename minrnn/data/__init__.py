"""What a run trains on: a text or a task. This is the one place where the two differ.

A source says what there is to learn: a `Corpus` or a `Task`, each with `name`, `vocab` and `sha256`. Bound to a
model's shape it becomes a `Data`, which gives batches, estimates, scores and samples.
"""

from __future__ import annotations

from typing import TypeAlias

from minrnn import corpora
from minrnn.checked import shown
from minrnn.config import ModelConfig
from minrnn.corpora import CORPORA, Corpus
from minrnn.data.base import Batches, Data, Estimate
from minrnn.data.tasks import TaskData
from minrnn.data.texts import TextData
from minrnn.errors import CorpusError
from minrnn.tasks import TASKS, Task

__all__ = ["Batches", "Data", "Estimate", "Source", "bind", "check", "is_named", "load", "names", "window"]

Source: TypeAlias = Corpus | Task


def names() -> list[str]:
    """The names of the texts that this machine has, then of all tasks. No task has a text's name."""
    return [*corpora.available(), *TASKS]


def is_named(name: str) -> bool:
    """Whether a text or a task has that name."""
    return name in CORPORA or name in TASKS


def load(name: str) -> Source:
    """The text or the task of that name.

    Raises:
        CorpusError: if there is none, or the text cannot be had on this machine.
    """
    if name in TASKS:
        return TASKS[name]
    if name not in CORPORA:
        raise CorpusError(f"{shown(name)} is neither a text nor a task; choose one of: {', '.join(names())}.")
    return corpora.load(name)


def bind(source: Source, model: ModelConfig) -> Data:
    """A source as a model of that shape reads it.

    Args:
        source: its characters must be in the model's vocabulary.
        model: the shape; of it the vocabulary and `block_size` count.
    """
    return TaskData(source, model) if isinstance(source, Task) else TextData(source, model)


def window(name: str, model: ModelConfig) -> int:
    """Characters of a text in a training batch: the task's of that name, else the model's block_size."""
    return TASKS[name].trained_length if name in TASKS else model.block_size


def check(source: Source, model: ModelConfig) -> None:
    """Whether a model of that shape can be trained on a source, as far as that is known without training.

    Raises:
        CorpusError: for a text that is shorter than a window.
        ConfigError: for a vocabulary that is too large, or positions that do not reach over a task's text.
    """
    (TaskData if isinstance(source, Task) else TextData).check(source, model)  # type: ignore[arg-type]
    _ = source.vocab
