"""The optimisers of a run and their learning rate: AdamW, or Muon for the hidden matrices and AdamW for the rest.

Source: AdamW: Loshchilov & Hutter 2019, arXiv 1711.05101; it is torch's. Muon: see `muon.py`.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from minrnn.config import TrainConfig
from minrnn.models import LanguageModel
from minrnn.muon import Muon
from minrnn.ranks import ALONE, Ranks

WARMUP_SHARE = 0.05
"""Largest share of a budget in seconds that the warm-up takes; else a slow machine would never reach the peak."""
_WARMUP_ITERS_SHARE = 0.5
"""The most of a budget in iters that it takes, for the same reason where few iters are asked for."""


def learning_rate(config: TrainConfig, iter: int, seconds: float, began: float = 0.0) -> float:
    """The rate of the next update: a linear warm-up, then a cosine down to `min_lr_ratio` of the peak.

    The cosine follows iters or seconds, whichever budget is further spent. Without either the rate stays at its peak.

    Args:
        config: recipe and budget.
        iter: updates made.
        seconds: training time, evaluations included.
        began: training time before the first update, which is no part of the warm-up.
    """
    return config.learning_rate * min(_warmup(config, iter, seconds - began), _cosine(config, iter, seconds))


def _warmup(config: TrainConfig, iter: int, seconds: float) -> float:
    """The share of the peak that the warm-up allows, by iters or by seconds since the first update, whichever is
    larger."""
    by_iters = (iter + 1) / (_warmup_iters(config) + 1)
    by_seconds = seconds / (WARMUP_SHARE * config.max_seconds) if config.max_seconds else 0.0
    return min(1.0, max(by_iters, by_seconds))


def _warmup_iters(config: TrainConfig) -> int:
    """The iters of the warm-up: the recipe's, or fewer where the budget is small."""
    most = int(_WARMUP_ITERS_SHARE * config.max_iters) if config.max_iters else config.warmup_iters
    return min(config.warmup_iters, most)


def _cosine(config: TrainConfig, iter: int, seconds: float) -> float:
    """The share of the peak at this point of the budget."""
    warmup = _warmup_iters(config)
    by_iters = max(0, iter - warmup) / max(1, config.max_iters - warmup) if config.max_iters else 0.0
    by_seconds = seconds / config.max_seconds if config.max_seconds else 0.0
    spent = min(1.0, max(by_iters, by_seconds))
    return config.min_lr_ratio + (1 - config.min_lr_ratio) * 0.5 * (1 + math.cos(math.pi * spent))


class Optimizers:
    """AdamW, and Muon where the recipe asks for it, which step together at one rate."""

    def __init__(self, model: LanguageModel, config: TrainConfig) -> None:
        hidden = hidden_matrices(model) if config.optimizer == "muon" else []
        taken = {id(p) for p in hidden}
        self.parts: list[torch.optim.Optimizer] = [
            _adamw([p for p in model.parameters() if id(p) not in taken], config)
        ]
        if hidden:
            self.parts.append(Muon(hidden, lr=config.learning_rate, weight_decay=config.weight_decay))

    def step(self, rate: float, ranks: Ranks = ALONE) -> None:
        """Update the weights at this learning rate, and forget their gradients.

        Args:
            rate: of both optimisers.
            ranks: the processes that train together; all must call this with the same gradients.
        """
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate
            if isinstance(part, Muon):
                part.step_together(ranks)
            else:
                part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """Moments and counters, as `torch.load(weights_only=True)` reads them."""
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, saved: list[dict[str, Any]]) -> None:
        """Go back to saved moments."""
        for part, state in zip(self.parts, saved, strict=True):
            part.load_state_dict(state)


def hidden_matrices(model: LanguageModel) -> list[nn.Parameter]:
    """The weights that map activations to activations: no embedding, no head, no vector, no convolution."""
    return [p for p in model.blocks.parameters() if p.ndim == 2]


def _adamw(weights: list[nn.Parameter], config: TrainConfig) -> torch.optim.AdamW:
    """AdamW that decays matrices and leaves vectors (biases, norms) alone."""
    groups = [
        {"params": [p for p in weights if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in weights if p.ndim < 2], "weight_decay": 0.0},
    ]
    fused = weights[0].device.type in ("cpu", "cuda")
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), fused=fused)
