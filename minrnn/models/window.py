"""A sliding context, for models with a limited number of positions.

Up to `block_size` characters, the context is the whole text. After that, the start of the context is a fixed
function of the absolute position: whenever half a window is used up, the newest half is encoded again from
position 0, and reading goes on after it. In between, a character costs one step over the cache. Nothing
depends on how the text was cut, so a text in pieces gives the same logits as the whole text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

Encode = Callable[[Tensor, Any, int], tuple[Tensor, Any]]


class WindowState(NamedTuple):
    """What a windowed model carries from one call to the next.

    Attributes:
        position: characters read so far.
        blocks: the blocks' own state (key-value caches).
        recent: (B, at most block_size - hop) the last ids, to encode again.
    """

    position: int
    blocks: Any
    recent: Tensor


def hop_of(block_size: int) -> int:
    """Characters after which the start of the context moves, once the first window is full."""
    return max(1, block_size // 2)


def starts_again(position: int, block_size: int) -> bool:
    """Whether the newest half is encoded again before the character at that absolute position is read."""
    past_window = position - block_size
    return past_window >= 0 and past_window % hop_of(block_size) == 0


def position_in_window(position: int, block_size: int) -> int:
    """Where in the window the character at that absolute position is read."""
    past_window, hop = position - block_size, hop_of(block_size)
    return position if past_window < 0 else block_size - hop + past_window % hop


def read(
    encode: Encode,
    idx: Tensor,
    state: WindowState | None,
    block_size: int,
    again: Callable[[Tensor], Any] | None = None,
) -> tuple[Tensor, WindowState]:
    """Encode any number of ids, starting from a state.

    Args:
        encode: maps (ids (B, t), blocks' state, position in the window of the first id) to logits and state.
        idx: (B, T) ids, T >= 1.
        state: from the previous call; None at the start of a text.
        block_size: positions the model has.
        again: maps ids (B, t), read before, to the blocks' state after them from position 0; `encode` if None.

    Returns:
        (B, T, vocab) logits and the state after the last id.
    """
    hop = hop_of(block_size)
    encode_again = again or (lambda ids: encode(ids, None, 0)[1])
    position, blocks, recent = state or WindowState(0, None, idx[:, :0])
    logits, done = [], 0
    while done < idx.shape[1]:
        if starts_again(position, block_size):
            blocks = encode_again(recent) if recent.shape[1] else None
        in_window = position_in_window(position, block_size)
        piece = idx[:, done : done + block_size - in_window]
        piece_logits, blocks = encode(piece, blocks, in_window)
        logits.append(piece_logits)
        position, done = position + piece.shape[1], done + piece.shape[1]
        recent = torch.cat([recent, piece], dim=1)[:, -(block_size - hop) :] if block_size > hop else recent
    return torch.cat(logits, dim=1), WindowState(position, blocks, recent)
