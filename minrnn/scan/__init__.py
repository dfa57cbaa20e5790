"""The linear recurrence h_t = a_t * h_{t-1} + b_t, alone and with the gates of minGRU and minLSTM.

`reference` is the definition, `logspace` the paper's form, `cpu` the fast path; all agree.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from minrnn.scan.cpu import LinearScan, MinGRUScan, positive

__all__ = ["linear_scan", "mingru_scan", "minlstm_scan", "positive"]


def linear_scan(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """Solve h_t = a_t * h_{t-1} + b_t for every t.

    Args:
        a: (B, T, C) decay in [0, 1].
        b: (B, T, C) input, on the same device as `a`.
        h0: (B, C) state before the first step; zeros if None.

    Returns:
        (B, T, C) the states h_1 .. h_T, float32 (float64 for float64 inputs).

    Raises:
        ValueError: if the shapes disagree.

    Source: Blelloch 1990, section 1.4; Martin & Cundy 2018, arXiv 1709.04057, section 2.2.
    """
    start = _check(a, b, h0)
    states: Tensor = LinearScan.apply(a, b, start)  # type: ignore[no-untyped-call]
    return states


def mingru_scan(gate: Tensor, candidate: Tensor, h0: Tensor | None = None) -> Tensor:
    """minGRU: h_t = (1 - z_t) h_{t-1} + z_t g(candidate_t) with z_t = sigmoid(gate_t).

    Args:
        gate: (B, T, C) logit of the update gate z.
        candidate: (B, T, C) h_tilde before g.
        h0: (B, C) state before the first step; zeros if None.

    Returns:
        (B, T, C) the states h_1 .. h_T, float32 (float64 for float64 inputs).

    Raises:
        ValueError: if the shapes disagree.

    Source: Feng et al. 2024, arXiv 2410.01201, section 3.1 and appendix B.
    """
    start = _check(gate, candidate, h0)
    states: Tensor = MinGRUScan.apply(gate, candidate, start)  # type: ignore[no-untyped-call]
    return states


def minlstm_scan(forget: Tensor, input: Tensor, candidate: Tensor, h0: Tensor | None = None) -> Tensor:
    """minLSTM with gates that sum to one: h_t = f'_t h_{t-1} + i'_t g(candidate_t).

    f' = f / (f + i) and i' = i / (f + i) are sigmoids of minus and plus log i - log f, so a
    normalised minLSTM is a minGRU whose gate logit is log sigmoid(input) - log sigmoid(forget).

    Args:
        forget: (B, T, C) logit of f.
        input: (B, T, C) logit of i.
        candidate: (B, T, C) h_tilde before g.
        h0: (B, C) state before the first step; zeros if None.

    Returns:
        (B, T, C) the states h_1 .. h_T, float32 (float64 for float64 inputs).

    Raises:
        ValueError: if the shapes disagree.

    Source: Feng et al. 2024, arXiv 2410.01201, section 3.2 and appendix B.
    """
    if forget.shape != input.shape:
        raise ValueError(f"forget is {tuple(forget.shape)} and input {tuple(input.shape)}; they must agree.")
    return mingru_scan(F.logsigmoid(input) - F.logsigmoid(forget), candidate, h0)


def _check(a: Tensor, b: Tensor, h0: Tensor | None) -> Tensor:
    """Compare shapes and return the state to start from."""
    if a.ndim != 3 or a.shape != b.shape or a.shape[1] == 0:
        raise ValueError(
            f"expected two (B, T, C) tensors with T >= 1; got {tuple(a.shape)} and {tuple(b.shape)}."
        )
    batch, _, channels = a.shape
    if h0 is None:
        wide = torch.float64 if b.dtype == torch.float64 else torch.float32
        return b.new_zeros(batch, channels, dtype=wide)
    if h0.shape != (batch, channels):
        raise ValueError(f"h0 is {tuple(h0.shape)}; a scan over {tuple(a.shape)} needs {(batch, channels)}.")
    return h0
