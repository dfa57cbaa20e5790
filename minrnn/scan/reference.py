"""The linear recurrence as a loop. This file is the definition; the other forms are checked against it."""

from __future__ import annotations

import torch
from torch import Tensor


def linear_scan(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """Solve h_t = a_t * h_{t-1} + b_t, one step at a time.

    Args:
        a: (B, T, C) decay in [-1, 1].
        b: (B, T, C) input.
        h0: (B, C) state before the first step; zeros if None.

    Returns:
        (B, T, C) the states h_1 .. h_T.
    """
    h = torch.zeros_like(b[:, 0]) if h0 is None else h0
    states = []
    for t in range(a.shape[1]):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    return torch.stack(states, dim=1)
