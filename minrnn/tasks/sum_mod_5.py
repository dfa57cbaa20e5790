"""Sum modulo 5: the remainder of a running sum.

Rule: the text is random digits from 0 to 4. After each digit the answer is the sum so far, modulo 5.

    sees   3 4 0 2 1
    wants  3 2 2 4 0

What it needs: a state of five values that turns by the digit just read, at any length.

Theory: as for parity, of which it is the larger sibling: a recurrence with a nonlinear state can, a linear
one with decays in (0, 1) cannot at every length. Negative decays are not enough here: counting modulo a number
that is no power of two needs eigenvalues with an imaginary part (Grazzi et al. 2024, arXiv 2411.12537).

Source: modular arithmetic in Delétang et al. 2022, arXiv 2207.02098, reduced to addition.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import integers


@register
@dataclass(frozen=True, kw_only=True)
class SumMod5(Task):
    """The sum of all digits so far modulo 5, asked after every digit."""

    name = "sum_mod_5"
    title = "Sum mod 5"
    question = "What is the sum of all digits so far, modulo 5?"
    why_hard = "The state must turn exactly at every step, and an error never goes away."
    theory = (
        "LSTM and GRU can solve it at every length. minGRU and minLSTM, also with signed decays, and attention fail "
        "as texts grow."
    )
    can_at_every_length = ("nonlinear",)
    fail_as_texts_grow = ("linear", "signed", "attention")
    on_page = True

    trained_length: int = 32

    @property
    def vocab(self) -> str:
        """The five digits."""
        return "01234"

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        digits = integers(generator, 5, B, T)
        return digits, digits.cumsum(dim=1) % 5
