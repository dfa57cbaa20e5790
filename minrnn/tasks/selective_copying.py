"""Selective copying: pick a few characters out of noise, and give them back in order.

Rule: `tokens` letters stand at random places among dots. Then come as many question marks, and the answer at
each of them is the next letter.

    sees   . b . . a . . . b ? ? ?
    wants  · · · · · · · · · b a b

What it needs: gates that depend on the input (take letters, skip dots), and room for the letters in order.

Theory: a recurrence with gates that depend on the input can solve it at every length, one with fixed gates
cannot (Gu & Dao 2023). Attention can at the trained length. A text that is twice as long has only more dots.

Source: Gu & Dao 2023, arXiv 2312.00752, section 4.1.1; Feng et al. 2024, arXiv 2410.01201, table 1. Theirs is
`SelectiveCopying(tokens=16, symbols=14, trained_length=4112)`: 16 letters among 4,096 places, then 16
questions (BorealisAI/minRNNs, selective_copy). The default here is small, so that it trains in seconds.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from minrnn.tasks.copying import LETTERS
from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import ask_after, integers, shuffled


@register
@dataclass(frozen=True, kw_only=True)
class SelectiveCopying(Task):
    """Letters among dots, then the question what they were, one by one.

    Attributes:
        tokens: letters to remember.
        symbols: different letters.

    Raises:
        ConfigError: if a size is out of its range, or `trained_length` has no room for the letters.
    """

    name = "selective_copying"
    title = "Selective copy"
    question = "Letters among dots, then question marks: give the letters back in order."
    why_hard = "The model must skip the dots, however many, and keep the letters in order."
    theory = "Gates that read the input can solve it at every length. Attention can at the trained length."
    can_at_every_length = ("nonlinear", "linear", "signed")
    on_page = True

    tokens: Annotated[int, Interval(ge=1, le=4_096)] = 8
    symbols: Annotated[int, Interval(ge=2, le=len(LETTERS))] = 8

    @property
    def vocab(self) -> str:
        """The letters, then the dot and the question mark."""
        return LETTERS[: self.symbols] + ".?"

    @property
    def min_length(self) -> int:
        """The letters and their questions, without dots."""
        return 2 * self.tokens

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        dot, question = self.symbols, self.symbols + 1
        letters = integers(generator, self.symbols, B, self.tokens)
        places = shuffled(generator, B, T - self.tokens)[:, : self.tokens].sort(dim=1).values
        given = torch.full((B, T - self.tokens), dot, device=letters.device).scatter(1, places, letters)
        return ask_after(given, torch.full_like(letters, question), letters)
