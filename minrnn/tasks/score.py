"""How answers are scored: the share of right ones, and what guessing would reach."""

import torch
from torch import Tensor

from minrnn.tasks.task import NOT_ASKED, Task


def accuracy(logits: Tensor, targets: Tensor) -> float:
    """The share of questions answered right; the answer is the likeliest character.

    Args:
        logits: (B, T, vocab_size) floating point.
        targets: (B, T) int64, NOT_ASKED where nothing is asked.

    Raises:
        ValueError: if nothing is asked.
    """
    asked = targets != NOT_ASKED
    if not asked.any():
        raise ValueError("The targets ask nothing, so there is no accuracy.")
    right = logits.argmax(dim=-1) == targets
    return right[asked].float().mean().item()


def share_text(accuracy: float) -> str:
    """An accuracy with the digits its standard error leaves, rounded down: 1.00 is not said of what is below it."""
    return f"{int(accuracy * 100 + 1e-9) / 100:.2f}"


def chance(task: Task, T: int | None = None, seed: int = 0) -> float:
    """The accuracy of always giving the most frequent answer, measured on 256 texts.

    Args:
        task: the task.
        T: characters of a text; the trained length if None.
        seed: of the texts.

    Raises:
        ConfigError: if T is too small for the task.
    """
    generator = torch.Generator().manual_seed(seed)
    _, targets = task.batch(generator, 256, task.trained_length if T is None else T)
    answers = targets[targets != NOT_ASKED]
    return answers.bincount().max().item() / answers.numel()
