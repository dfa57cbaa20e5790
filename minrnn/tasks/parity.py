"""Parity: is the number of ones so far odd?

Rule: the text is random bits. After each bit the answer is 1 if the number of ones so far is odd, else 0.

    sees   0 1 1 0 1
    wants  0 1 0 0 1

What it needs: one bit of state that flips on every 1, at any length.

Theory: an LSTM or a GRU can hold the bit exactly. A linear recurrence with decays in (0, 1), such as minGRU
and minLSTM, cannot for every length; decays in [-1, 1] can (Grazzi et al. 2024, arXiv 2411.12537). With
attention, one bit among many moves the answer less and less as the text grows (Hahn 2020, arXiv 1906.06755).

Source: BorealisAI/minRNNs, parity_check, which asks once at the end; here every bit asks. Delétang et al.
2022, arXiv 2207.02098.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import integers


@register
@dataclass(frozen=True, kw_only=True)
class Parity(Task):
    """Whether the number of ones so far is odd, asked after every bit."""

    name = "parity"
    title = "Parity"
    question = "Is the number of ones so far odd? 1 for yes, 0 for no."
    why_hard = "Every bit counts: one mistake turns all later answers round."
    theory = (
        "LSTM and GRU can solve it at every length, and so can minGRU with signed decays (Grazzi et al. 2024). "
        "With positive decays, minGRU and minLSTM fail as texts grow; so does attention."
    )
    can_at_every_length = ("nonlinear", "signed")
    fail_as_texts_grow = ("linear", "attention")
    on_page = True

    trained_length: int = 32

    @property
    def vocab(self) -> str:
        """The two bits."""
        return "01"

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        bits = integers(generator, 2, B, T)
        return bits, bits.cumsum(dim=1) % 2
