"""How every sentence compares losses: as they are printed, and level where another seed could turn them round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

Losses = Mapping[str, Sequence[float]]
"""Model -> the validation losses of its seeds, in nats per character."""
Ranked = Sequence[tuple[float, str]]
"""Mean loss and model, the lowest first."""


def ranked(losses: Losses) -> list[tuple[float, str]]:
    """The models by the mean loss of their seeds."""
    return sorted((mean(found), model) for model, found in losses.items())


def gap(one: float, other: float) -> float:
    """The difference of two losses as they are printed, in nats per character."""
    return round(round(one, 3) - round(other, 3), 3)


def level(one: float, other: float, spread: float) -> bool:
    """Whether two losses differ by no more than seeds alone move one model, both as they are printed."""
    return abs(gap(one, other)) <= round(spread, 3)


def change(after: Sequence[float], before: Sequence[float]) -> float:
    """How far a model's loss moved: the mean of its seeds, or its first seed where not equally many were run."""
    if len(after) != len(before):
        return gap(after[0], before[0])
    return gap(mean(after), mean(before))
