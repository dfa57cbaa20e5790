"""The paper's log-space form of the scan, kept for comparison.

It needs a > 0, b > 0 and h0 >= 0, and loses digits as T grows: in float32 the largest relative error
is about 2e-5 at T = 256 and 4e-4 at T = 4096, where the plain loop has 5e-7 and 1e-6.

Source: Heinsen 2023, arXiv 2311.06281; Feng et al. 2024, arXiv 2410.01201, appendix B.
"""

from __future__ import annotations

import torch
from torch import Tensor


def linear_scan(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """Solve h_t = a_t * h_{t-1} + b_t through logarithms of positive numbers.

    Args:
        a: (B, T, C) decay, in (0, 1].
        b: (B, T, C) input, > 0.
        h0: (B, C) state before the first step, >= 0; zeros if None.

    Returns:
        (B, T, C) the states h_1 .. h_T.

    Raises:
        ValueError: if a or b holds a number that is not positive, or h0 a negative one.
    """
    _check_signs(a, b, h0)
    log_decay = a.log().cumsum(dim=1)
    log_b = b.log()
    if h0 is None:
        return (log_decay + (log_b - log_decay).logcumsumexp(dim=1)).exp()
    start = h0.log().unsqueeze(1)
    terms = torch.cat([start, log_b - log_decay], dim=1)
    return (log_decay + terms.logcumsumexp(dim=1)[:, 1:]).exp()


def _check_signs(a: Tensor, b: Tensor, h0: Tensor | None) -> None:
    """Refuse the first of a, b and h0 that has no logarithm, by its least value."""
    for name, x, wanted in (("a", a, "> 0"), ("b", b, "> 0"), ("h0", h0, ">= 0")):
        if x is None or not x.numel():
            continue
        least = x.detach().min().item()  # NaN if there is one, and NaN fails both comparisons
        if not (least >= 0 if wanted == ">= 0" else least > 0):
            raise ValueError(
                f"log space needs {name} {wanted}, and {name} holds {least:g}; "
                "use minrnn.scan.linear_scan, which takes a in [-1, 1] and any b and h0."
            )
