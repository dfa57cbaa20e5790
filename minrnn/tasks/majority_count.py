"""Majority count: how often has the most frequent character come so far?

Rule: the text is random characters. After each the answer is the count of the most frequent one so far. Counts
are written as one character: 0 to 9, then a for 10, b for 11 … Z for 61; larger counts are written Z as well.

    sees   q 3 3 q 3
    wants  1 1 2 2 3

What it needs: a counter for each character, and the largest of the counters.

Theory: as for the majority. The answer itself grows with the text, and no model can name a count that its
training never showed, so every model fails on texts that are long enough.

Source: BorealisAI/minRNNs, majority_count, which has 63 symbols and asks once at the end; here every character
asks.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from annotated_types import Interval
from torch import Tensor

from minrnn.tasks.copying import LETTERS
from minrnn.tasks.recall import DIGITS
from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import integers

NUMERALS = DIGITS + LETTERS + LETTERS.upper()


@register
@dataclass(frozen=True, kw_only=True)
class MajorityCount(Task):
    """The count of the most frequent character so far, asked after every character.

    Attributes:
        symbols: different characters of the text.

    Raises:
        ConfigError: if `symbols` is not in 2 .. 62.
    """

    name = "majority_count"
    title = "Majority count"
    question = "How often has the most frequent character come so far? After 9 comes a, then b …"
    why_hard = "Every character needs a counter, and longer texts have counts that were never trained."
    theory = "Attention and the LSTM can count. No model can name a count that training never showed."

    trained_length: int = 40
    symbols: Annotated[int, Interval(ge=2, le=len(NUMERALS))] = 62

    @property
    def vocab(self) -> str:
        """The numerals; the text uses the first `symbols` of them as its characters."""
        return NUMERALS

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        text = integers(generator, self.symbols, B, T)
        counts = F.one_hot(text, self.symbols).cumsum(dim=1)  # (B, T, symbols)
        return text, counts.amax(dim=2).clamp(max=len(NUMERALS) - 1)
