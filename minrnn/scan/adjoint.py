"""The scans as autograd functions: gates and gradients written by hand, for any way of solving the recurrence.

A `Solver` gives two functions, one for each direction of time. `cpu` and `passes` each have one. With L
the loss and g_t = dL/dh_t, the adjoint lambda_t = g_t + a_{t+1} * lambda_{t+1} runs the same recurrence
backwards in time, and

    dL/db_t = lambda_t,   dL/da_t = lambda_t * h_{t-1},   dL/dh_0 = a_1 * lambda_1.

Arithmetic is float32 at least, whatever the inputs' dtype: a decay near 1 needs the digits.

Source: Blelloch 1990, section 1.4; Martin & Cundy 2018, arXiv 1709.04057, section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


@dataclass(frozen=True)
class Solver:
    """A backend made of two solvers; everything is (B, T, C), and h0 is (B, C).

    Attributes:
        forwards: (a, b, h0, overwrite) to the states; it may write them over b if `overwrite`.
        backwards: (a, dL/dh) to the adjoint of the states.
    """

    forwards: Callable[[Tensor, Tensor, Tensor, bool], Tensor]
    backwards: Callable[[Tensor, Tensor], Tensor]

    def linear_scan(self, a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        """States of h_t = a_t * h_{t-1} + b_t."""
        h: Tensor = LinearScan.apply(self, a, b, h0)  # type: ignore[no-untyped-call]
        return h

    def mingru_scan(self, gate: Tensor, candidate: Tensor, h0: Tensor, reach: int) -> Tensor:
        """States of minGRU, whose decay is 1 - reach * z."""
        h: Tensor = MinGRUScan.apply(self, gate, candidate, h0, reach)  # type: ignore[no-untyped-call]
        return h

    def minlstm_scan(
        self, forget: Tensor, input: Tensor, candidate: Tensor, h0: Tensor, reach: int
    ) -> Tensor:
        """States of minLSTM: minGRU's with the gate logit log sigmoid(input) - log sigmoid(forget)."""
        gate: Tensor = LogRatio.apply(forget, input)  # type: ignore[no-untyped-call]
        return self.mingru_scan(gate, candidate, h0, reach)


class LinearScan(Function):
    """h_t = a_t * h_{t-1} + b_t for (B, T, C) inputs and a (B, C) start."""

    @staticmethod
    def forward(ctx: Any, solver: Solver, a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        h = solver.forwards(_wide(a), _wide(b), h0, False)
        ctx.save_for_backward(a, h, h0)
        ctx.solver, ctx.b_dtype = solver, b.dtype
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_h: Tensor) -> tuple[None, Tensor, Tensor, Tensor]:
        a, h, h0 = ctx.saved_tensors
        decay = _wide(a)
        adjoint = ctx.solver.backwards(decay, grad_h)
        grad_a = (adjoint * _shifted(h, h0)).to(a.dtype)
        return None, grad_a, adjoint.to(ctx.b_dtype), decay[:, 0] * adjoint[:, 0]


class MinGRUScan(Function):
    """minGRU's gate, candidate and recurrence in one: h = (1 - r z) h_prev + z g(v), z = sigmoid(r k).

    The reach r is 1 for decays in (0, 1) and 2 for decays in (-1, 1). The products in the backward pass
    fold to dL/dk = lambda r z (1 - z) (g(v) - r h_prev) and dL/dv = lambda z g'(v), so neither a, b nor z
    is kept between the passes.
    """

    @staticmethod
    def forward(ctx: Any, solver: Solver, gate: Tensor, candidate: Tensor, h0: Tensor, reach: int) -> Tensor:
        z = _update(gate, reach)
        b = positive(_wide(candidate)).mul_(z)
        h = solver.forwards(_decay(z, reach), b, h0, True)
        ctx.save_for_backward(gate, candidate, h, h0)
        ctx.solver, ctx.reach = solver, reach
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_h: Tensor) -> tuple[None, Tensor, Tensor, Tensor, None]:
        gate, candidate, h, h0 = ctx.saved_tensors
        z, v = _update(gate, ctx.reach), _wide(candidate)
        decay = _decay(z, ctx.reach)
        adjoint = ctx.solver.backwards(decay, grad_h)
        grad_h0 = decay[:, 0] * adjoint[:, 0]
        adjoint.mul_(z)
        s = _sigmoid_below_0(v)
        grad_gate = v.relu().add_(s)  # g(v), then g(v) - r h_prev
        grad_gate[:, 1:].sub_(h[:, :-1], alpha=ctx.reach)
        grad_gate[:, 0].sub_(h0, alpha=ctx.reach)
        grad_gate.mul_(adjoint)
        grad_gate.mul_(decay if ctx.reach == 1 else decay.add_(1))  # r (1 - z) = a + r - 1
        grad_candidate = adjoint.mul_(_slope(v, s))
        return None, grad_gate.to(gate.dtype), grad_candidate.to(candidate.dtype), grad_h0, None


class LogRatio(Function):
    """log sigmoid(input) - log sigmoid(forget), in float32 at least, of (B, T, C) logits."""

    @staticmethod
    def forward(ctx: Any, forget: Tensor, input: Tensor) -> Tensor:
        ctx.save_for_backward(forget, input)
        return F.logsigmoid(_wide(input)).sub_(F.logsigmoid(_wide(forget)))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        forget, input = ctx.saved_tensors
        of_forget, of_input = ((-_wide(x)).sigmoid_().mul_(grad) for x in (forget, input))
        return of_forget.neg_().to(forget.dtype), of_input.to(input.dtype)


def positive(v: Tensor) -> Tensor:
    """The paper's g: v + 0.5 where v >= 0, else sigmoid(v). Source: Feng et al. 2024, appendix B.

    Where v >= 0 the sigmoid is that of 0, a half: a sum of two clamped terms, eight times as fast as a choice.
    """
    return v.relu() + v.clamp(max=0).sigmoid()


def _sigmoid_below_0(v: Tensor) -> Tensor:
    """The sigmoid of v where v < 0, else a half: the second term of `positive`."""
    return v.clamp(max=0).sigmoid_()


def _slope(v: Tensor, s: Tensor) -> Tensor:
    """The derivative of `positive`: 1 where v > 0, else sigmoid's, which is a quarter at 0. Overwrites s.

    Args:
        v: where.
        s: `_sigmoid_below_0` of v.
    """
    above_0 = torch.gt(v, 0, out=torch.empty_like(v))  # as numbers at once: booleans would take a pass more
    return s.addcmul_(s, s, value=-1).add_(above_0, alpha=0.75)


def _update(gate: Tensor, reach: int) -> Tensor:
    """z = sigmoid(r k)."""
    k = _wide(gate)
    return (k if reach == 1 else k * reach).sigmoid()


def _decay(z: Tensor, reach: int) -> Tensor:
    """a = 1 - r z."""
    return 1 - z if reach == 1 else (1 - z).sub_(z, alpha=reach - 1)


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _shifted(h: Tensor, h0: Tensor) -> Tensor:
    """(B, T, C) the states one step earlier, beginning with h0."""
    return torch.cat([h0.to(h.dtype).unsqueeze(1), h[:, :-1]], dim=1)
