"""Learning from a text while it is read: one small step of gradient descent after each segment.

A segment is read first and learnt afterwards, so whoever scores it does so before anything of it is learnt.

Source: dynamic evaluation, Krause et al. 2018, arXiv 1709.07432, with plain SGD and a clipped gradient.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
from annotated_types import Interval
from torch import Tensor, nn

from minrnn.checked import Checked
from minrnn.models import CharModel, State
from minrnn.models.mixer import detached

SEGMENT = 64
"""Characters between two steps."""
CLIP = 1.0
"""Largest norm of a step's gradient."""


@dataclass(frozen=True)
class Learning(Checked):
    """How a model learns from a text.

    Attributes:
        passes: times the text is read.
        rate: the learning rate.
    """

    passes: Annotated[int, Interval(ge=1, le=5)] = 2
    rate: Annotated[float, Interval(ge=1e-6, le=1)] = 0.05


def learnt(model: CharModel, ids: Tensor, learning: Learning) -> CharModel:
    """A copy of a model that has learnt from a text; the model itself stays as it is.

    Args:
        model: in evaluation mode; dropout stays off.
        ids: (N,) int64; fewer than two teach nothing.
        learning: passes and rate.

    Returns:
        The copy, in evaluation mode.
    """
    *_, pupil = lessons(model, ids, learning)
    return pupil


def lessons(model: CharModel, ids: Tensor, learning: Learning) -> Iterator[CharModel]:
    """As `learnt`, a step at a time.

    Yields:
        The copy, at the start and after every step; it is to be written with after the last one.
    """
    pupil = copy.deepcopy(model).requires_grad_(True)
    yield pupil
    for _ in range(learning.passes):
        for _ in read_and_learn(pupil, ids, learning.rate):
            yield pupil
    yield pupil.requires_grad_(False)


class Segment(NamedTuple):
    """A stretch of text as it was scored, before anything of it was learnt.

    Attributes:
        log_probs: (T, vocab_size) float32, for every next character.
        losses: (T,) float32, those of the true ones in nats.
    """

    log_probs: Tensor
    losses: Tensor


def learning_loss(model: CharModel, ids: Tensor, rate: float) -> float:
    """Mean loss of a model that learns while it reads, the state carried; `val_loss_learning` on a validation split.

    Another measure than a loss without learning: the weights change as the text goes on.

    Args:
        model: stays as it is; a copy learns.
        ids: (N,) int64, N >= 2.
        rate: the learning rate.

    Returns:
        Nats per character.
    """
    pupil = copy.deepcopy(model).eval().requires_grad_(True)
    losses = [segment.losses for segment in read_and_learn(pupil, ids, rate)]
    return torch.cat(losses).double().mean().item()


def read_and_learn(model: CharModel, ids: Tensor, rate: float) -> Iterator[Segment]:
    """Read a text from end to end with the state carried on, and learn each segment after it was scored.

    Args:
        model: changed in place; its weights must take gradients.
        ids: (N,) int64.
        rate: the learning rate; 0 only reads.

    Yields:
        Every segment, scored before anything of it was learnt.
    """
    state: State = None
    for start in range(0, len(ids) - 1, SEGMENT):
        piece = ids[start : start + SEGMENT + 1].unsqueeze(0).to(model.device)
        with torch.enable_grad():
            logits, state = model(piece[:, :-1], state)
            log_probs = logits[0].float().log_softmax(dim=-1)
            losses = -log_probs.gather(1, piece[0, 1:, None]).squeeze(1)
        scored = Segment(log_probs.detach().cpu(), losses.detach().cpu())
        if rate:
            _step(model, losses.mean(), rate)
        state = detached(state)
        yield scored


def _step(model: nn.Module, loss: Tensor, rate: float) -> None:
    """One update by plain SGD."""
    weights = [p for p in model.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(loss, weights)
    norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients]))
    scale = rate * min(1.0, CLIP / (norm.item() + 1e-12))
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.sub_(gradient, alpha=scale)
