"""Missing duplicate: a string is repeated, and the repetition breaks off.

Rule: a random string, a colon, then the string again from its start, broken off before its end. From the colon
on, the answer is the character that comes next in the string. The string takes at least half of the text, and
its length varies.

    sees   c a a d f b : c a a
    wants  · · · · · · c a a d

What it needs: the string, and the place up to which it has been repeated.

Theory: as for copying, but the answers are read as well, so two layers of attention can find the next
character by what stood before it (Jelassi et al. 2024, arXiv 2402.01032); a state of fixed size runs out.

Source: BorealisAI/minRNNs, missing_duplicate, which has no colon and asks once, for the first character that
is missing; here each character of the repetition asks. Delétang et al. 2022, arXiv 2207.02098.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from minrnn.tasks.copying import LETTERS
from minrnn.tasks.task import NOT_ASKED, Task, register
from minrnn.tasks.tensors import integers


@register
@dataclass(frozen=True, kw_only=True)
class MissingDuplicate(Task):
    """A string and the beginning of its repetition; each character of it asks for the next.

    Attributes:
        symbols: different letters.

    Raises:
        ConfigError: if `symbols` is not in 2 .. 26.
    """

    name = "missing_duplicate"
    title = "Missing duplicate"
    question = "A string, a colon, and the string again: which letter comes next?"
    why_hard = "The colon stands elsewhere in each text, so the place must be found by what stands there."
    theory = "Attention can, by matching. A state of fixed size runs out of room for long strings."

    trained_length: int = 40
    symbols: Annotated[int, Interval(ge=2, le=len(LETTERS))] = 9

    @property
    def vocab(self) -> str:
        """The letters, then the colon."""
        return LETTERS[: self.symbols] + ":"

    @property
    def min_length(self) -> int:
        """One letter and the colon."""
        return 2

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        string = integers(generator, self.symbols, B, T)
        half = T - T // 2
        length = half + integers(generator, T - half, B, 1)  # so that half <= length < T
        behind = torch.arange(T, device=string.device) - length  # (B, T) 0 at the colon
        again = string.gather(1, behind.clamp(min=0))  # (B, T) the string again, from the colon on
        repeated = again.roll(1, dims=1).where(behind > 0, self.symbols)
        return string.where(behind < 0, repeated), again.where(behind >= 0, NOT_ASKED)
