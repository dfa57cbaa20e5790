"""Majority: which digit has come most often so far?

Rule: the text is random digits. After each digit the answer is the one that has come most often so far; among
equals, the largest.

    sees   3 0 0 7 7 3
    wants  3 3 0 0 7 7

What it needs: a counter for each digit, and the largest of the counters.

Theory: attention that looks at everything equally gives the shares, and an LSTM's cells can count (Weiss et
al. 2018, arXiv 1805.04908). minGRU's and minLSTM's states are averages with fading weights, so close counts
are lost.

Source: BorealisAI/minRNNs, majority, which has 63 symbols and asks once at the end; here every digit asks.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from annotated_types import Interval
from torch import Tensor

from minrnn.tasks.recall import DIGITS
from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import integers


@register
@dataclass(frozen=True, kw_only=True)
class Majority(Task):
    """The digit that has come most often so far, asked after every digit.

    Attributes:
        symbols: different digits.

    Raises:
        ConfigError: if `symbols` is not in 2 .. 10.
    """

    name = "majority"
    title = "Majority"
    question = "Which digit has come most often so far? Among equals, the largest."
    why_hard = "Every digit needs a counter of its own, and a lead of one decides."
    theory = "Attention and the LSTM can count. minGRU and minLSTM keep averages, which count badly."

    trained_length: int = 40
    symbols: Annotated[int, Interval(ge=2, le=len(DIGITS))] = 10

    @property
    def vocab(self) -> str:
        """The digits."""
        return DIGITS[: self.symbols]

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        digits = integers(generator, self.symbols, B, T)
        counts = F.one_hot(digits, self.symbols).cumsum(dim=1)  # (B, T, symbols)
        larger_first = torch.arange(self.symbols, device=digits.device)
        return digits, (counts * self.symbols + larger_first).argmax(dim=2)
