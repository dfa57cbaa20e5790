"""Drawing the next character from a model's logits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from minrnn.config import Sampling

COLDEST = 1e-30
"""Lower temperatures draw what this one draws, and would leave float64."""

AHEAD = 32
"""Characters whose random numbers are drawn at once: a call of torch costs more than the numbers do."""

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
        self._exponential, self._p = torch.empty(AHEAD, size), np.empty(size)
        self._rows = list(self._exponential.numpy())
        self._left: Iterator[NDArray[np.float32]] = iter(())

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
        np.divide(p, self._numbers(), p)
        return int(p.argmax())

    def _numbers(self) -> NDArray[np.float32]:
        """The next row of numbers; of several drawn at once each is what it would be if drawn alone."""
        row = next(self._left, None)
        if row is None:
            self._exponential.exponential_(generator=self.generator)
            self._left = iter(self._rows)
            row = next(self._left)
        return row


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
