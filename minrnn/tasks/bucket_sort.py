"""Bucket sort: give digits back in order of size.

Rule: the first half of the text is random digits. The second half is question marks, and the answer at each
of them is the next digit in order of size. If the length is odd, there is one digit more, and the largest is
not asked.

    sees   3 0 7 0 ? ? ? ?
    wants  · · · · 0 0 3 7

What it needs: a counter for each digit, and a walk along the counters.

Theory: counting is within reach of an LSTM's cell and, with a normalised sum, of attention (Weiss et al. 2018,
arXiv 1805.04908; 2021, arXiv 2106.06981). minGRU's and minLSTM's states are averages, which saturate.

Source: BorealisAI/minRNNs, bucket_sort; Delétang et al. 2022, arXiv 2207.02098.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from minrnn.tasks.recall import DIGITS
from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import ask_after, integers


@register
@dataclass(frozen=True, kw_only=True)
class BucketSort(Task):
    """Random digits, then the question what they are in order of size.

    Attributes:
        symbols: different digits.

    Raises:
        ConfigError: if `symbols` is not in 2 .. 10.
    """

    name = "bucket_sort"
    title = "Sort"
    question = "Digits, then question marks: give the digits back in order of size."
    why_hard = "The model must count every digit, then deal out each count in turn."
    theory = "Attention and the LSTM can count. minGRU and minLSTM keep averages, which count badly."

    trained_length: int = 40
    symbols: Annotated[int, Interval(ge=2, le=len(DIGITS))] = 10

    @property
    def vocab(self) -> str:
        """The digits, then the question mark."""
        return DIGITS[: self.symbols] + "?"

    @property
    def min_length(self) -> int:
        """One digit and its question."""
        return 2

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        digits = integers(generator, self.symbols, B, T - T // 2)
        answers = digits.sort(dim=1).values[:, : T // 2]
        return ask_after(digits, torch.full_like(answers, self.symbols), answers)
