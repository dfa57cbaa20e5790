"""Copying: give back a string from memory.

Rule: the first half of the text is a random string. The second half is question marks, and the answer at
each of them is the next character of the string. If the length is odd, the string has one character more,
which is not asked.

    sees   c a a d ? ? ? ?
    wants  · · · · c a a d

What it needs: the whole string at once, log2(symbols) bits for each character.

Theory: a state of fixed size holds a bounded number of bits, so a recurrence fails on strings that are long
enough. Two layers of attention can copy strings of exponential length (Jelassi et al. 2024,
arXiv 2402.01032). With learned positions, attention must have seen the positions in training.

Source: Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016, arXiv 1511.06464, here without a delay.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import ask_after, integers

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@register
@dataclass(frozen=True, kw_only=True)
class Copying(Task):
    """A random string, then the question what it was, character by character.

    Attributes:
        symbols: different characters of the string.

    Raises:
        ConfigError: if `symbols` is not in 2 .. 26.
    """

    name = "copying"
    title = "Copy"
    question = "A string, then question marks: give the string back in order."
    why_hard = "The whole string must be in memory before the first question comes."
    theory = "Attention can copy long strings. A state of fixed size runs out of room."
    can_at_every_length = ("attention",)
    fail_as_texts_grow = ("nonlinear", "linear", "signed")
    on_page = True

    symbols: Annotated[int, Interval(ge=2, le=len(LETTERS))] = 8

    @property
    def vocab(self) -> str:
        """The string's letters, then the question mark."""
        return LETTERS[: self.symbols] + "?"

    @property
    def min_length(self) -> int:
        """One character and its question."""
        return 2

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        string = integers(generator, self.symbols, B, T - T // 2)
        answers = string[:, : T // 2]
        return ask_after(string, torch.full_like(answers, self.symbols), answers)
