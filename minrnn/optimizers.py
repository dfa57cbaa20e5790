"""The optimisers of a run and their learning rate: AdamW, or Muon for the hidden matrices and AdamW for the rest.

Source: AdamW: Loshchilov & Hutter 2019, arXiv 1711.05101. Muon: Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon/. Muon's step is scaled to the size of AdamW's, so that one rate and one
weight decay fit both: Liu et al. 2025, arXiv 2502.16982, section 2.2. Both optimisers are torch's.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from minrnn.config import TrainConfig
from minrnn.models import LanguageModel

WARMUP_SHARE = 0.05
"""Largest share of a budget in seconds that the warm-up takes; else a slow machine would never reach the peak."""


def learning_rate(config: TrainConfig, iter: int, seconds: float) -> float:
    """The rate of the next update: a linear warm-up, then a cosine down to `min_lr_ratio` of the peak.

    The cosine follows iters or seconds, whichever budget is further spent. Without either the rate stays at its peak.
    """
    return config.learning_rate * min(_warmup(config, iter, seconds), _cosine(config, iter, seconds))


def _warmup(config: TrainConfig, iter: int, seconds: float) -> float:
    """The share of the peak that the warm-up allows, by iters or by seconds, whichever is larger."""
    by_iters = (iter + 1) / (config.warmup_iters + 1)
    by_seconds = seconds / (WARMUP_SHARE * config.max_seconds) if config.max_seconds else 0.0
    return min(1.0, max(by_iters, by_seconds))


def _cosine(config: TrainConfig, iter: int, seconds: float) -> float:
    """The share of the peak at this point of the budget."""
    left = max(1, config.max_iters - config.warmup_iters)
    by_iters = max(0, iter - config.warmup_iters) / left if config.max_iters else 0.0
    by_seconds = seconds / config.max_seconds if config.max_seconds else 0.0
    spent = min(1.0, max(by_iters, by_seconds))
    return config.min_lr_ratio + (1 - config.min_lr_ratio) * 0.5 * (1 + math.cos(math.pi * spent))


class Optimizers:
    """One or two of torch's optimisers that step together, at one rate."""

    def __init__(self, model: LanguageModel, config: TrainConfig) -> None:
        hidden = hidden_matrices(model) if config.optimizer == "muon" else []
        taken = {id(p) for p in hidden}
        self.parts: list[torch.optim.Optimizer] = [
            _adamw([p for p in model.parameters() if id(p) not in taken], config)
        ]
        if hidden:
            self.parts.append(_muon(hidden, config))

    def step(self, rate: float) -> None:
        """Update the weights at this learning rate, and forget their gradients."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate
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


def _muon(weights: list[nn.Parameter], config: TrainConfig) -> torch.optim.Optimizer:
    return torch.optim.Muon(
        weights,
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        adjust_lr_fn="match_rms_adamw",
    )
