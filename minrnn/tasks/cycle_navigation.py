"""Cycle navigation: where on a circle of five does a walk stand?

Rule: the text is moves: `+` one step forward, `-` one step back, `.` stay. After each move the answer is the
place, 0 to 4; the walk starts at 0.

    sees   + + . - - -
    wants  1 2 2 1 0 4

What it needs: a state of five values that turns forward and back, at any length.

Theory: as for the sum modulo 5. A nonlinear recurrence can at every length; a linear one with decays in
(0, 1), and attention of fixed depth, fail as texts grow.

Source: BorealisAI/minRNNs, cycle_nav, which asks once at the end; here every move asks. Delétang et al. 2022,
arXiv 2207.02098.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from minrnn.tasks.task import Task, register
from minrnn.tasks.tensors import integers

PLACES = 5


@register
@dataclass(frozen=True, kw_only=True)
class CycleNavigation(Task):
    """The place on a circle of five, asked after every move."""

    name = "cycle_navigation"
    title = "Cycle"
    question = "On a circle of five places, + is one step on, - one back: where does the walk stand?"
    why_hard = "The state must turn exactly at every step, in both directions."
    theory = (
        "LSTM and GRU can solve it at every length. minGRU and minLSTM, also with signed decays, and attention fail "
        "as texts grow."
    )
    can_at_every_length = ("nonlinear",)
    fail_as_texts_grow = ("linear", "signed", "attention")

    trained_length: int = 40

    @property
    def vocab(self) -> str:
        """The places, then the moves."""
        return "01234-.+"

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        moves = integers(generator, 3, B, T)
        return moves + PLACES, (moves - 1).cumsum(dim=1) % PLACES
