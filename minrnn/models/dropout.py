"""Dropout that is cheap on a CPU.

torch's own dropout draws one number per element: 45 ms for (32, 256, 256) on one core, as long as a small matrix
product. One byte per element is enough for a mask, and a 64-bit draw gives eight bytes: 5 ms. The mask has the
dtype of x, since a product with booleans takes seven times as long. The probability is rounded to a multiple
of 1/256.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

_LEVELS = 256


class _ByteDropout(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dropped_levels: int) -> Tensor:
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64)
        words.random_(-(2**63), None)
        levels = words.view(torch.uint8)[: x.numel()].view(x.shape)
        kept = torch.ge(
            levels, dropped_levels, out=torch.empty_like(x, memory_format=torch.contiguous_format)
        )
        ctx.scale = _LEVELS / (_LEVELS - dropped_levels)
        ctx.save_for_backward(kept)
        return (x * kept).mul_(ctx.scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (kept,) = ctx.saved_tensors
        return (grad * kept).mul_(ctx.scale), None


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """Zero each element with probability p and scale the rest by 1 / (1 - p), while training.

    Args:
        x: any shape and floating dtype.
        p: probability in [0, 1); on the CPU rounded to a multiple of 1/256.
        training: whether to drop at all.
    """
    if not training or p == 0:
        return x
    if x.device.type != "cpu":
        return F.dropout(x, p, training)
    dropped: Tensor = _ByteDropout.apply(x, min(round(p * _LEVELS), _LEVELS - 1))  # type: ignore[no-untyped-call]
    return dropped


def locked_dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """`dropout` of whole channels: what is dropped stays dropped over all steps of a window.

    A recurrence averages over its steps, and so over noise that differs from step to step. It cannot average
    this noise. Source: Gal & Ghahramani 2016, arXiv 1512.05287; named by Merity et al. 2017, arXiv 1708.02182.

    Args:
        x: (B, T, C).
        p: probability in [0, 1), as in `dropout`.
        training: whether to drop at all.
    """
    if not training or p == 0:
        return x
    return x * dropout(x.new_ones(x.shape[0], 1, x.shape[2]), p, training)


class Dropout(nn.Module):
    """`dropout` or `locked_dropout` as a module, so that it follows `model.train()` and `model.eval()`."""

    def __init__(self, p: float, locked: bool = False) -> None:
        super().__init__()
        self.p = p
        self.drop = locked_dropout if locked else dropout

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(x, self.p, self.training)
