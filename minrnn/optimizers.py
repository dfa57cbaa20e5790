"""The optimisers of a run: AdamW for everything, or Muon for the hidden matrices and AdamW for the rest.

Source: AdamW: Loshchilov & Hutter 2019, arXiv 1711.05101. Muon: Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon/; its step scaled to AdamW's, so that one rate and one weight decay
serve both: Liu et al. 2025, arXiv 2502.16982, section 2.2. Both are torch's.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from minrnn.config import TrainConfig
from minrnn.models import LanguageModel


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
        """Moments and counters, such as `torch.load(weights_only=True)` reads."""
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
