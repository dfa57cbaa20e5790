"""One text of a task and its answers, as strings that a page or a terminal can show."""

from dataclasses import dataclass

import torch

from minrnn.tasks.task import NOT_ASKED, Task

NOT_ASKED_CHAR = "·"
"""Stands in `wants` where nothing is asked. No task has it in its vocabulary."""


@dataclass(frozen=True)
class Example:
    """One text, one character a position."""

    sees: str
    """What a model reads."""
    wants: str
    """The answer at each position, as long as `sees`; NOT_ASKED_CHAR where nothing is asked."""


def example(task: Task, T: int | None = None, seed: int = 0) -> Example:
    """One text of T characters, or of the trained length if T is None.

    Raises:
        ConfigError: if T is too small for the task.
    """
    generator = torch.Generator().manual_seed(seed)
    idx, targets = task.batch(generator, 1, task.trained_length if T is None else T)
    sees = "".join(task.vocab[i] for i in idx[0].tolist())
    wants = "".join(NOT_ASKED_CHAR if i == NOT_ASKED else task.vocab[i] for i in targets[0].tolist())
    return Example(sees, wants)
