"""Associative recall: which value went with this key?

Rule: the text begins with pairs of a key and a value, no key twice. Then come keys of these pairs, in random
order and again and again. The answer at each of them is its value.

    sees   c 3 a 7 f 0 | a f c a
    wants  · · · · · · | 7 0 3 7      (the bar is not in the text)

What it needs: all pairs at once, and a way to find one by its key.

Theory: two layers of attention can solve it for any number of pairs (one step back, then a match), one layer
if a convolution before it takes the step back; the state of a recurrence must grow with the number of pairs
(Arora et al. 2023, arXiv 2312.04927). Eight pairs fit a small state, and which model learns them first is a
matter of the learning rate as well (arXiv 2508.19029). In short trainings of small models, attention learnt
it with a convolution of four taps and did not find the step back without one.

Source: Arora et al. 2023, multi-query associative recall, with the questions close together.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from minrnn.errors import ConfigError
from minrnn.tasks.copying import LETTERS
from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import ask_after, integers, shuffled

DIGITS = "0123456789"


@register
@dataclass(frozen=True, kw_only=True)
class Recall(Task):
    """Pairs of key and value, then keys that ask for their values.

    Attributes:
        pairs: pairs in a text.
        keys: different keys to choose from.
        values: different values.

    Raises:
        ConfigError: if a size is out of its range, or `trained_length` has no room for the pairs.
    """

    name = "recall"
    title = "Recall"
    question = "Pairs of a letter and a digit, then letters alone: which digit went with this letter?"
    why_hard = "Any pair may be asked next, so all must be kept, and each found by its letter."
    theory = "Attention can, with a convolution or a second layer. A recurrence needs a state that holds all pairs."
    on_page = True

    pairs: Annotated[int, Interval(ge=1, le=len(LETTERS))] = 8
    keys: Annotated[int, Interval(ge=1, le=len(LETTERS))] = 16
    values: Annotated[int, Interval(ge=2, le=len(DIGITS))] = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pairs > self.keys:
            raise ConfigError(
                f"pairs is {self.pairs}; it must lie between 1 and {self.keys}, the number of keys."
            )

    @property
    def vocab(self) -> str:
        """The keys, then the values."""
        return LETTERS[: self.keys] + DIGITS[: self.values]

    @property
    def min_length(self) -> int:
        """The pairs and one question."""
        return 2 * self.pairs + 1

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        keys = shuffled(generator, B, self.keys)[:, : self.pairs]
        values = integers(generator, self.values, B, self.pairs) + self.keys
        asked = integers(generator, self.pairs, B, T - 2 * self.pairs)
        given = torch.stack([keys, values], dim=2).flatten(1)
        return ask_after(given, keys.gather(1, asked), values.gather(1, asked))
