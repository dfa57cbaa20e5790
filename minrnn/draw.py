"""Drawing the next character from a model's logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from minrnn.config import Sampling

COLDEST = 1e-30
"""Lower temperatures draw what this one draws, and would leave float64."""

Weights = NDArray[np.float64]


class Draw:
    """Draws one id after another; the same seed gives the same ids.

    The ids are those that `torch.multinomial` would draw, at a fifth of its cost: of probabilities p it returns
    argmax p / q, where every q is a new number from the exponential distribution (the exponential form of the
    Gumbel-max trick). p need not sum to one for that.

    Args:
        sampling: temperature 0 takes the likeliest.
        size: of the vocabulary.
    """

    def __init__(self, sampling: Sampling, size: int) -> None:
        self.sampling, self.temperature = sampling, np.array(max(sampling.temperature, COLDEST))
        self.generator = torch.Generator().manual_seed(sampling.seed)
        self._exponential = torch.empty(size)
        self._q, self._p = self._exponential.numpy(), np.empty(size)

    def __call__(self, logits: NDArray[Any]) -> int:
        """Draw from logits (vocab_size,), float32."""
        sampling, p = self.sampling, self._p
        if sampling.temperature == 0:
            return int(logits.argmax())
        np.subtract(logits, logits[logits.argmax()], p)
        np.divide(p, self.temperature, p)  # in float64 no temperature is too low
        np.exp(p, p)
        if 0 < sampling.top_k < len(p):
            _keep_likeliest(p, logits, sampling.top_k)
        if sampling.top_p < 1:
            _keep_nucleus(p, sampling.top_p)
        self._exponential.exponential_(generator=self.generator)
        np.divide(p, self._q, p)
        return int(p.argmax())


def _keep_likeliest(p: Weights, logits: NDArray[Any], count: int) -> None:
    """Set all but the `count` likeliest to 0, and keep those that are as likely as the last of them."""
    p[logits < np.partition(logits, -count)[-count]] = 0


def _keep_nucleus(p: Weights, top_p: float) -> None:
    """Keep the likeliest ids that together reach top_p. Source: Holtzman et al. 2020, arXiv 1904.09751, section 3.1."""
    order = np.argsort(-p, kind="stable")
    before = p[order].cumsum() - p[order]
    beyond = before >= top_p * p.sum()
    beyond[0] = False  # however small top_p is
    p[order[beyond]] = 0
