"""How far back a model looks: its loss on the same characters, by the number of characters that it has seen.

Each time the model starts from an empty state and reads only the last n characters before the one that is scored.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from minrnn.evaluate import BATCH_CHARS
from minrnn.models import CharModel

SEEN = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Numbers of characters seen that a curve shows."""


def spread(length: int, longest: int, count: int) -> Tensor:
    """Positions that have `longest` characters before them, spread evenly over a text.

    Args:
        length: of the text, in characters.
        longest: characters that must stand before each position.
        count: how many positions; fewer where the text is too short for so many.

    Returns:
        (P,) int64, in order, each once.
    """
    room = max(length - longest, 0)
    count = min(count, room)
    return longest + torch.arange(count) * room // max(count, 1)


def reachable(length: int, seen: Sequence[int] = SEEN) -> tuple[int, ...]:
    """The numbers of characters seen that a text of that length can show: at least half of it is left to score."""
    return tuple(n for n in seen if 2 * n <= length)


def context_losses(model: CharModel, ids: Tensor, positions: Tensor, seen: Sequence[int] = SEEN) -> Tensor:
    """Losses of the characters at some positions, each read from an empty state.

    Args:
        model: in evaluation mode.
        ids: (N,) int64, the text.
        positions: (P,) of the characters that are scored.
        seen: how many characters the model may read before each.

    Returns:
        (len(seen), P) float32, nats, on the CPU.

    Raises:
        ValueError: if a position has fewer characters before it than `seen` asks for.
    """
    if len(positions) and seen and int(positions.min()) < max(seen):
        raise ValueError(f"position {int(positions.min())} has fewer than {max(seen)} characters before it.")
    return torch.stack([_losses(model, ids, positions, n) for n in seen])


def _losses(model: CharModel, ids: Tensor, positions: Tensor, n: int) -> Tensor:
    """(P,) losses with n characters seen."""
    found = [torch.zeros(0)]
    for some in positions.split(max(1, BATCH_CHARS // n)) if len(positions) else ():
        idx = ids[some.unsqueeze(1) + torch.arange(-n, 0)]
        with torch.inference_mode():
            last = model(idx.to(model.device))[0][:, -1].float().cpu()
        found.append(F.cross_entropy(last, ids[some], reduction="none"))
    return torch.cat(found)
