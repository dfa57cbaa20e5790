"""Muon: the momentum of a matrix with all its singular values brought near one, as the step.

Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/. The step is scaled to the size of AdamW's, so
that one rate and one weight decay fit both: Liu et al. 2025, arXiv 2502.16982, section 2.2. torch's own Muon takes one
matrix after another, and in every process all of them. Here matrices of one shape are worked on together, and
processes that train together share them; state and result are torch's, but for rounding.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from minrnn.ranks import ALONE, Ranks

MOMENTUM = 0.95
"""Decay of the mean gradient."""
STEPS = 5
"""Rounds of `orthogonal`."""
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the polynomial that brings singular values to between 0.7 and 1.2 in five rounds; Jordan's."""
_SMALLEST_NORM = 1e-7
_OF_ADAMW = 0.2
"""The root mean square of AdamW's steps, nearly."""
_MOMENTUM_KEY = "momentum_buffer"


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov's momentum and decoupled weight decay, for matrices on one device."""

    def __init__(self, matrices: Sequence[nn.Parameter], *, lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    def step_together(self, ranks: Ranks = ALONE) -> None:
        """Update the matrices. All processes must hold the same gradients, and hold the same weights afterwards.

        Args:
            ranks: the processes that share the work; each works on some of the matrices and hands them round.
        """
        for group in self.param_groups:
            weights = [w for w in group["params"] if w.grad is not None]
            with torch.no_grad():
                for weight, step in zip(weights, self._steps(weights, ranks), strict=True):
                    rate = group["lr"] * _OF_ADAMW * math.sqrt(max(weight.shape))
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    weight.add_(step, alpha=-rate)

    def _steps(self, weights: list[nn.Parameter], ranks: Ranks) -> list[Tensor]:
        """The step of each weight, before the rate."""
        towards = [_wide(self._momentum(weight)) for weight in weights]
        mine = [i for i in range(len(weights)) if i % ranks.size == ranks.rank]
        found = ranks.hand_round(
            dict(zip(mine, _orthogonal([towards[i] for i in mine]), strict=True)), towards
        )
        return [step if _is_wide(weight) else step.mT for weight, step in zip(weights, found, strict=True)]

    def _momentum(self, weight: nn.Parameter) -> Tensor:
        """Move the mean gradient, and look ahead by Nesterov's rule."""
        state, gradient = self.state[weight], cast(Tensor, weight.grad)
        if _MOMENTUM_KEY not in state:
            state[_MOMENTUM_KEY] = torch.zeros_like(gradient)
        mean = cast(Tensor, state[_MOMENTUM_KEY])
        mean.lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(mean, MOMENTUM)


def orthogonal(matrices: Tensor) -> Tensor:
    """Bring the singular values of matrices near one, by Newton and Schulz's iteration in bfloat16.

    Args:
        matrices: (N, rows, columns), of no more rows than columns.

    Returns:
        (N, rows, columns), bfloat16.
    """
    norms = matrices.float().norm(dim=(1, 2), keepdim=True)
    x: Tensor = (matrices / norms.clamp(min=_SMALLEST_NORM)).bfloat16()
    a, b, c = _COEFFICIENTS
    for _ in range(STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def _orthogonal(matrices: list[Tensor]) -> list[Tensor]:
    """`orthogonal` of each, those of one shape together."""
    by_shape: dict[torch.Size, list[int]] = defaultdict(list)
    for i, matrix in enumerate(matrices):
        by_shape[matrix.shape].append(i)
    found: dict[int, Tensor] = {}
    for places in by_shape.values():
        found |= zip(places, orthogonal(torch.stack([matrices[i] for i in places])).unbind(), strict=True)
    return [found[i] for i in range(len(matrices))]


def _is_wide(matrix: Tensor) -> bool:
    return matrix.shape[0] <= matrix.shape[1]


def _wide(matrix: Tensor) -> Tensor:
    return matrix if _is_wide(matrix) else matrix.mT
