"""Even pairs: is the number of changes between neighbours even?

Rule: the text is random bits. After each bit the answer is 0 if the number of neighbours so far that differ
(01 or 10) is even, else 1.

    sees   1 1 0 0 1
    wants  0 0 1 1 0

What it needs: it looks like parity, but the number of changes is even exactly when the first bit equals the
last. So one bit kept from the start is enough.

Theory: every model can solve it: a gate that closes after the first bit, or one look at the first position.

Source: BorealisAI/minRNNs, even_pairs, which asks once at the end; here every bit asks. Delétang et al. 2022,
arXiv 2207.02098.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import integers


@register
@dataclass(frozen=True, kw_only=True)
class EvenPairs(Task):
    """Whether the number of changes between neighbours is odd, asked after every bit."""

    name = "even_pairs"
    title = "Even pairs"
    question = "Is the number of changes between neighbouring bits odd? 1 for yes, 0 for no."
    why_hard = "It looks like counting; the shortcut is to compare the first bit with the last."
    theory = "Every model here can solve it, by keeping the first bit."
    can_at_every_length = ("nonlinear", "linear", "signed", "attention")
    on_page = True

    trained_length: int = 40

    @property
    def vocab(self) -> str:
        """The two bits."""
        return "01"

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        bits = integers(generator, 2, B, T)
        return bits, bits ^ bits[:, :1]
