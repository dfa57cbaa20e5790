"""How well a model predicts a text, in nats per character: in windows, or with the state carried from end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from minrnn.models import CharModel, State

BATCH_CHARS = 16_384
"""Characters scored in one batch: few enough for the memory of any machine."""
BATCH_LOGITS = 256 * BATCH_CHARS
"""Logits computed in one batch: 17 MB in float32. A vocabulary of thousands of characters makes batches smaller."""
Check: TypeAlias = Callable[[], None]
"""Called before every batch. Whatever it raises ends the scoring there."""


def no_check() -> None:
    """Let the scoring go on."""


def batch_size(length: int, vocab_size: int) -> int:
    """How many texts of that length are scored in one batch, at least one."""
    return max(1, min(BATCH_CHARS, BATCH_LOGITS // max(1, vocab_size)) // length)


def windowed_loss(model: CharModel, ids: Tensor, chars: int = 0, check: Check = no_check) -> float:
    """Mean loss over a text cut into windows of `block_size` that do not overlap, each read from an empty state.

    Every character but the first is predicted once; the last window may be shorter.

    Args:
        model: scored with dropout off, in float32.
        ids: (N,) int64, N >= 2.
        chars: score about this many characters only, in windows spread evenly over the text; 0 scores all.
        check: called before every batch.

    Returns:
        Nats per character.
    """
    total, count = 0.0, 0
    stride = max(1, len(ids) // chars) if chars else 1
    batch = batch_size(model.config.block_size, len(model.config.vocab))
    for idx, targets in _windows(ids, model.config.block_size, stride, batch):
        check()
        total += _losses(model, idx, targets, None)[0].sum().item()
        count += targets.numel()
    return total / count


def scored_chars(ids: Tensor, block_size: int, chars: int = 0) -> int:
    """Count the characters that `windowed_loss` predicts with the same arguments."""
    stride = max(1, len(ids) // chars) if chars else 1
    return sum(targets.numel() for _, targets in _windows(ids, block_size, stride, 1))


def streaming_loss(model: CharModel, ids: Tensor, check: Check = no_check) -> float:
    """Mean loss over a text read from end to end, the state carried all the way.

    Args:
        model: scored with dropout off, in float32.
        ids: (N,) int64, N >= 2.
        check: called before every window.

    Returns:
        Nats per character.
    """
    return character_losses(model, ids, check).double().mean().item()


def character_losses(model: CharModel, ids: Tensor, check: Check = no_check) -> Tensor:
    """The loss of every character but the first, with all earlier characters in the state.

    Args:
        model: scored with dropout off, in float32.
        ids: (N,) int64, N >= 2.
        check: called before every window.

    Returns:
        (N - 1,) float32, nats, on the CPU.
    """
    state: State = None
    losses = []
    size = model.config.block_size
    for start in range(0, len(ids) - 1, size):
        check()
        piece = ids[start : start + size + 1].unsqueeze(0)
        loss, state = _losses(model, piece[:, :-1], piece[:, 1:], state)
        losses.append(loss.flatten().cpu())
    return torch.cat(losses)


def _windows(ids: Tensor, size: int, stride: int, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """(B, T) ids and targets that cover a text once, or every `stride`-th window of it, `batch` at a time."""
    whole = (len(ids) - 1) // size
    idx, targets = ids[: whole * size].view(whole, size), ids[1 : whole * size + 1].view(whole, size)
    idx, targets = idx[::stride], targets[::stride]
    if whole:
        yield from zip(idx.split(batch), targets.split(batch), strict=True)
    rest = ids[whole * size :].unsqueeze(0)
    if rest.shape[1] > 1 and (stride == 1 or not whole):
        yield rest[:, :-1], rest[:, 1:]


def _losses(model: CharModel, idx: Tensor, targets: Tensor, state: State) -> tuple[Tensor, State]:
    """(B, T) losses in nats and the state after them."""
    logits, state = read(model, idx, state)
    with torch.inference_mode():
        return F.cross_entropy(logits.transpose(1, 2), targets.to(logits.device), reduction="none"), state


def read(model: CharModel, idx: Tensor, state: State = None) -> tuple[Tensor, State]:
    """(B, T, vocab_size) logits with dropout off, and the state after them. Every module's mode is restored."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.inference_mode():
            logits, state = model(idx.to(model.device), state)
            return logits, state
    finally:
        for module in training:
            module.training = True
