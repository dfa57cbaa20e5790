"""The scan on the CPU: a loop over time whose every step is one fused multiply-add over (B, C).

The loop reads a and b once and writes h once. The passes of `passes` would write twice as many rows, and a
core has no idle units that they could fill. Backwards in time the adjoint runs the same recurrence, in
place; `adjoint` says which, and makes every gradient from it.

Source: Martin & Cundy 2018, arXiv 1709.04057, section 2.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from minrnn.scan.adjoint import Solver


def _forwards(a: Tensor, b: Tensor, h0: Tensor, overwrite: bool) -> Tensor:
    """(B, T, C) states from decay, input and the (B, C) state before them."""
    h = b if overwrite else torch.empty_like(b)
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


BACKEND = Solver(_forwards, _backwards)
