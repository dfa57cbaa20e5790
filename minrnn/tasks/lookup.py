"""Look up by place: what stood at place number k?

Rule: the text begins with a table, one random letter for each place. Then come names of places, in random
order. The answer at each of them is the letter that stood there. Places are named 0 to 9, then a, b, c …

    sees   B D A A C | 2 0 4 0
    wants  · · · · · | A B C B      (the bar is not in the text)

What it needs: the whole table, log2(symbols) bits a place, and access to any place in one step.

Theory: one layer of attention of logarithmic width can do it, because a place's name can point to a position;
a recurrence needs a state that grows in proportion to the table, however it is trained (Bhattamishra et al.
2024, arXiv 2406.09347, index lookup). Learned positions are all that attention needs here.

Source: Bhattamishra et al. 2024, index lookup, with many questions about one table.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from minrnn.tasks.copying import LETTERS
from minrnn.tasks.recall import DIGITS
from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import ask_after, integers

NAMES = DIGITS + LETTERS


@register
@dataclass(frozen=True, kw_only=True)
class Lookup(Task):
    """A table of letters, then names of places that ask for their letters.

    Attributes:
        places: letters in the table.
        symbols: different letters.

    Raises:
        ConfigError: if a size is out of its range, or `trained_length` has no room for the table.
    """

    name = "lookup"
    title = "Look up"
    question = "A table of letters, then names of places: which letter stood at this place?"
    why_hard = "Any place may be asked next, so nothing in the table may be forgotten."
    theory = "One layer of attention suffices. A recurrence needs a state as large as the table."
    can_at_every_length = ("attention",)
    on_page = True

    places: Annotated[int, Interval(ge=1, le=len(NAMES))] = 32
    symbols: Annotated[int, Interval(ge=2, le=len(LETTERS))] = 8

    @property
    def vocab(self) -> str:
        """The letters of the table, then the names of its places."""
        return LETTERS.upper()[: self.symbols] + NAMES[: self.places]

    @property
    def min_length(self) -> int:
        """The table and one question."""
        return self.places + 1

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        table = integers(generator, self.symbols, B, self.places)
        asked = integers(generator, self.places, B, T - self.places)
        return ask_after(table, asked + self.symbols, table.gather(1, asked))
