"""Learning from a text while it is read: one small step of gradient descent after each segment.

A segment is read first and learnt afterwards, so whoever scores it does so before anything of it is learnt.

Source: dynamic evaluation, Krause et al. 2018, arXiv 1709.07432, with plain SGD and a clipped gradient.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
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
    pupil = copy.deepcopy(model).requires_grad_(True)
    for _ in range(learning.passes):
        for _ in read_and_learn(pupil, ids, learning.rate):
            pass
    return pupil.requires_grad_(False)


def read_and_learn(model: CharModel, ids: Tensor, rate: float) -> Iterator[Tensor]:
    """Read a text from end to end with the state carried on, and learn each segment after it was scored.

    Args:
        model: changed in place; its weights must take gradients.
        ids: (N,) int64.
        rate: the learning rate; 0 only reads.

    Yields:
        For every segment the losses of its characters, in nats, before anything of it was learnt.
    """
    state: State = None
    for start in range(0, len(ids) - 1, SEGMENT):
        piece = ids[start : start + SEGMENT + 1].unsqueeze(0).to(model.device)
        with torch.enable_grad():
            logits, state = model(piece[:, :-1], state)
            losses = F.cross_entropy(logits.float().flatten(0, 1), piece[:, 1:].flatten(), reduction="none")
        scored = losses.detach().cpu()
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
