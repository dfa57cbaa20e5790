"""How likely each character of a text was for a model, given all characters before it.

    bits = -log2 p(character | all before it)

The mean of the bits is the loss of `evaluate.character_losses`, divided by log 2.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from minrnn.learn import read_and_learn
from minrnn.models import CharModel, State

PIECE = 1_024
"""Characters read at once: enough for fast products, few enough for a small memory."""


@dataclass(frozen=True)
class Surprise:
    """What a model expected of every character but the first, N - 1 in all.

    Attributes:
        bits: (N - 1,) surprise, float32.
        probability: (N - 1,) of the true character.
        rank: (N - 1,) of the true character, int64; 1 is the likeliest.
        likeliest: (N - 1, K) ids, the likeliest first.
        likeliest_probability: (N - 1, K).
    """

    bits: Tensor
    probability: Tensor
    rank: Tensor
    likeliest: Tensor
    likeliest_probability: Tensor


def surprise(model: CharModel, ids: Tensor, top: int = 5, learn: float = 0.0) -> Surprise:
    """Read a text once, the state carried from end to end.

    Args:
        model: in evaluation mode; it stays as it is.
        ids: (N,) int64; fewer than two give an empty answer.
        top: how many of the likeliest characters to keep; at most the vocabulary.
        learn: the rate at which a copy of the model learns each segment after it was scored; 0 only reads.
    """
    top = min(top, len(model.config.vocab))
    found = [_surprise(log_probs, targets, top) for log_probs, targets in _read(model, ids, learn)]
    if not found:
        none = torch.zeros(0)
        return Surprise(none, none, none.long(), torch.zeros(0, top).long(), torch.zeros(0, top))
    return Surprise(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def _read(model: CharModel, ids: Tensor, learn: float) -> Iterator[tuple[Tensor, Tensor]]:
    """(T, vocab_size) log-probabilities and (T,) true ids, a piece at a time."""
    if not learn:
        yield from _carried(model, ids)
        return
    done = 1
    for log_probs, losses in read_and_learn(copy.deepcopy(model).requires_grad_(True), ids, learn):
        yield log_probs, ids[done : done + len(losses)]
        done += len(losses)


def _carried(model: CharModel, ids: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    state: State = None
    for piece, targets in zip(ids[:-1].split(PIECE), ids[1:].split(PIECE), strict=True):
        if len(piece):  # an empty tensor splits into one empty piece
            with torch.inference_mode():
                logits, state = model(piece.unsqueeze(0).to(model.device), state)
                log_probs = logits[0].float().log_softmax(dim=-1).cpu()
            yield log_probs, targets


def _surprise(log_probs: Tensor, targets: Tensor, top: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The fields of `Surprise` for a piece."""
    true = log_probs.gather(1, targets.unsqueeze(1))
    rank = 1 + (log_probs > true).sum(dim=1)
    best, likeliest = log_probs.topk(top, dim=1)
    true = true.squeeze(1)
    return -true / math.log(2), true.exp(), rank, likeliest, best.exp()
