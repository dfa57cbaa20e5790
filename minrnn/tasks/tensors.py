"""Steps in making a batch that several tasks share. No function here loops over texts or characters."""

import torch
from torch import Tensor

from minrnn.tasks.task import NOT_ASKED


def integers(generator: torch.Generator, high: int, *shape: int) -> Tensor:
    """(*shape) int64, each of 0 .. high - 1 equally likely."""
    return torch.randint(high, shape, generator=generator, device=generator.device)


def shuffled(generator: torch.Generator, B: int, n: int) -> Tensor:
    """(B, n) int64, each row the numbers 0 .. n - 1 in a random order."""
    return torch.rand(B, n, generator=generator, device=generator.device).argsort(dim=1)


def latest(mask: Tensor) -> Tensor:
    """(B, T) int64 for each place of a (B, T) mask: the last place up to it that is True; 0 if none is."""
    places = torch.arange(mask.shape[1], device=mask.device)
    return (places * mask).cummax(dim=1).values


def ask_after(given: Tensor, questions: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
    """Texts that first give something and then ask about it.

    Args:
        given: (B, n) int64, where nothing is asked.
        questions: (B, m) int64, the characters at which something is asked.
        answers: (B, m) int64, the answers to them.

    Returns:
        idx and targets, each (B, n + m) int64.
    """
    silent = torch.full_like(given, NOT_ASKED)
    return torch.cat([given, questions], dim=1), torch.cat([silent, answers], dim=1)
