"""Flip-flop: a memory of one bit that must be kept through noise.

Rule: the text is pairs of an instruction and a bit. `w` writes the bit, `i` means that the bit is to be
ignored, `r` reads. After `r` the answer is the bit written last, and that bit follows. The first instruction
writes, the last one reads.

    sees   w 1 i 0 i 0 r 1 w 0 i 1 r 0
    wants  · · · · · · 1 · · · · · 0 ·

What it needs: a gate that opens on `w` alone and then keeps its bit for as long as it takes.

Theory: a recurrence with gates solves it at every length, linear or not (two layers suffice: Sarrof et al. 2024,
arXiv 2405.17394). Attention must pick the last `w` among ever more characters: it learns the trained length,
then makes sporadic errors on longer texts (Liu et al. 2023).

Source: Liu et al. 2023, arXiv 2306.00946, definition 1; `ignored=0.8` is their FFL(0.8).
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from minrnn.tasks.task import NOT_ASKED, Task, register
from minrnn.tasks.tensors import integers, latest

IGNORE, READ, WRITE = 2, 3, 4


@register
@dataclass(frozen=True, kw_only=True)
class FlipFlop(Task):
    """The bit written last, asked at every reading.

    Attributes:
        ignored: share of the pairs that are to be ignored; the others write and read equally often.

    Raises:
        ConfigError: if `ignored` is not in 0 .. 1.
    """

    name = "flip_flop"
    title = "Flip-flop"
    question = "w writes a bit, i is to be ignored, r reads: which bit was written last?"
    why_hard = "The bit must survive any number of pairs that look like it and mean nothing."
    theory = "Gated recurrences, linear or not, solve it at every length. Attention errs on longer texts."
    can_at_every_length = ("nonlinear", "linear", "signed")
    fail_as_texts_grow = ("attention",)
    on_page = True

    ignored: Annotated[float, Interval(ge=0, le=1)] = 0.8

    @property
    def vocab(self) -> str:
        """The bits, then the instructions."""
        return "01irw"

    @property
    def min_length(self) -> int:
        """A pair that writes, and an instruction that reads."""
        return 3

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        pairs = (T + 1) // 2
        instructions = self._instructions(generator, B, pairs)
        bits = integers(generator, 2, B, pairs)
        written = bits.gather(1, latest(instructions == WRITE))
        reads = instructions == READ
        idx = torch.stack([instructions, torch.where(reads, written, bits)], dim=2)
        answers = torch.where(reads, written, NOT_ASKED)
        targets = torch.stack([answers, torch.full_like(answers, NOT_ASKED)], dim=2)
        return idx.flatten(1)[:, :T].contiguous(), targets.flatten(1)[:, :T].contiguous()

    def _instructions(self, generator: torch.Generator, B: int, pairs: int) -> Tensor:
        """(B, pairs) ids of instructions: the first writes, the last reads."""
        ignores = torch.rand(B, pairs, generator=generator, device=generator.device) < self.ignored
        instructions = torch.where(ignores, IGNORE, integers(generator, 2, B, pairs) + READ)
        instructions[:, 0], instructions[:, -1] = WRITE, READ
        return instructions
