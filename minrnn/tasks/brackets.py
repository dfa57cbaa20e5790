"""Brackets: nested to a limited depth (Dyck), which one must close next?

Rule: the text is brackets of several types, correctly nested, never deeper than `depth`. After each closing
bracket with others still open around it, the answer is the bracket that closes the innermost of them. Every
text begins with two opening brackets and a closing one, so that each has a question.

    sees   ( [ ] { } ) [ ( ) ]
    wants  · · ) · ) · · · ] ·

What it needs: a stack of up to `depth` types.

Theory: the stack is finite, so a recurrence of constant size can hold it (Hewitt et al. 2020,
arXiv 2010.07515), and two layers of attention can find the bracket by its depth (Yao et al. 2021,
arXiv 2105.11115). One layer of attention needs a width that grows with the length (Bhattamishra et al. 2024,
arXiv 2406.09347). Linear recurrences with input-dependent gates can hold it, too (Sarrof et al. 2024,
arXiv 2405.17394).

Source: Hewitt et al. 2020, Dyck-(k, m); the depth here is a random walk between 0 and `depth`.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from minrnn.tasks.task import NOT_ASKED, Task, register
from minrnn.tasks.tensors import integers, latest

OPENING, CLOSING = "([{<", ")]}>"


@register
@dataclass(frozen=True, kw_only=True)
class Brackets(Task):
    """The bracket that must close next, asked after a closing one.

    Attributes:
        types: kinds of brackets.
        depth: brackets that may be open at once.

    Raises:
        ConfigError: if `types` is not in 2 .. 4 or `depth` not in 2 .. 16.
    """

    name = "brackets"
    title = "Brackets"
    question = "After a closing bracket: which bracket closes the innermost one that is still open?"
    why_hard = "It was opened a while ago, and what stood between must be passed over, level by level."
    theory = "Every model here can at the trained length: a small state or two layers of attention suffice."
    can_at_every_length = ("nonlinear", "linear", "signed")
    on_page = True

    types: Annotated[int, Interval(ge=2, le=len(OPENING))] = 3
    depth: Annotated[int, Interval(ge=2, le=16)] = 5

    @property
    def vocab(self) -> str:
        """The opening brackets, then the closing ones in the same order."""
        return OPENING[: self.types] + CLOSING[: self.types]

    @property
    def min_length(self) -> int:
        """Two opening brackets and a closing one."""
        return 3

    def _draw(self, generator: torch.Generator, B: int, T: int) -> tuple[Tensor, Tensor]:
        depths = self._depths(generator, B, T)
        opens = depths.diff(dim=1, prepend=torch.zeros_like(depths[:, :1])) > 0
        types = self._innermost(depths, opens, integers(generator, self.types, B, T))
        innermost = types.gather(2, (depths - 1).clamp(min=0)[:, :, None])[:, :, 0]
        closed = types.gather(2, depths.clamp(max=self.depth - 1)[:, :, None])[:, :, 0]
        idx = torch.where(opens, innermost, closed + self.types)
        asked = ~opens & (depths > 0)
        return idx, torch.where(asked, innermost + self.types, NOT_ASKED)

    def _depths(self, generator: torch.Generator, B: int, T: int) -> Tensor:
        """(B, T) open brackets after each character: a random walk, folded back at 0 and at `depth`."""
        steps = 2 * integers(generator, 2, B, T) - 1
        steps[:, :2], steps[:, 2] = 1, -1
        return ((steps.cumsum(dim=1) + self.depth) % (2 * self.depth) - self.depth).abs()

    def _innermost(self, depths: Tensor, opens: Tensor, types: Tensor) -> Tensor:
        """(B, T, depth) the type of the bracket opened last at each level, at each place."""
        levels = [types.gather(1, latest(opens & (depths == level + 1))) for level in range(self.depth)]
        return torch.stack(levels, dim=2)
