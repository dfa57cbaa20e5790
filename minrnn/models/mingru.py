"""minGRU: a GRU whose gate and candidate read the input only, so a scan solves all steps at once.

code        paper (Feng et al. 2024, arXiv 2410.01201, section 3.1)
gate        Linear_z(x_t), z_t = sigmoid(gate)
candidate   Linear_h(x_t), h_tilde = g(candidate)
h           h_t = (1 - z_t) * h_{t-1} + z_t * h_tilde
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Interval
from torch import Tensor, nn

from minrnn.config import MixerOptions, ModelConfig
from minrnn.errors import ConfigError
from minrnn.models.mixer import Look, Mixer, Recurrence, own_options, register
from minrnn.scan import linear_scan, mingru_scan, positive


@dataclass(frozen=True)
class ExpansionOptions(MixerOptions):
    """Choices of the minRNNs.

    Attributes:
        expansion: width of the hidden state, as a multiple of `n_embd`.
        decay: "sigmoid", in (0, 1), as in the paper; "signed", in (-1, 1), which parity needs.
    """

    expansion: Annotated[float, Interval(ge=0.125, le=8)] = 1.0
    decay: Literal["sigmoid", "signed"] = "sigmoid"


def hidden_width(config: ModelConfig) -> int:
    """Channels of the hidden state.

    Raises:
        ConfigError: if a plain block, which has no projection, asks for another width than its input's.
    """
    options = own_options(config, ExpansionOptions)
    hidden = round(config.n_embd * options.expansion)
    if config.block == "plain" and hidden != config.n_embd:
        raise ConfigError(
            f"a plain block has no projection, so expansion must be 1, not {options.expansion:g}."
        )
    return hidden


def is_signed(config: ModelConfig) -> bool:
    """Whether the decay may be negative."""
    return own_options(config, ExpansionOptions).decay == "signed"


def projection(config: ModelConfig, hidden: int) -> nn.Module:
    """The map from the hidden state back to the residual stream; the identity in a plain block."""
    return nn.Identity() if config.block == "plain" else nn.Linear(hidden, config.n_embd, config.bias)


def gated_look(gate: Tensor, candidate: Tensor, state: Tensor | None, signed: bool) -> Look:
    """What `mingru_scan` does with the same arguments. The decay is computed without 1 - z, which loses digits.

    Args:
        gate: (B, T, C) logit of the update gate z.
        candidate: (B, T, C) h_tilde before g.
        state: (B, C) h before the first step; zeros if None.
        signed: whether the decay may be negative.
    """
    z = (2 * gate if signed else gate).sigmoid()
    decay = -gate.tanh() if signed else (-gate).sigmoid()
    return linear_look(decay, z * positive(candidate), state, {"z": z})


def linear_look(decay: Tensor, write: Tensor, state: Tensor | None, gates: Mapping[str, Tensor]) -> Look:
    """A linear recurrence whose decay and write, each (B, T, C), depend on the input alone."""
    before = torch.zeros_like(write[:, 0]) if state is None else state
    recurrence = Recurrence(decay, write, before, input_only=True)
    return Look(linear_scan(decay, write, before), recurrence, gates)


@register("mingru")
class MinGRU(Mixer):
    """One linear map to gate and candidate, the scan, one linear map back. State: h, (B, hidden)."""

    Options = ExpansionOptions
    title = "minGRU"
    year = 2024
    equation = "h = (1 − z) · h₋₁ + z · g(W x), z = σ(V x)"

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        hidden = hidden_width(config)
        self.signed = is_signed(config)
        self.gate_and_candidate = nn.Linear(config.n_embd, 2 * hidden, config.bias)
        self.projection = projection(config, hidden)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map x (B, T, C) and h to y (B, T, C) and the last h."""
        gate, candidate = self.gate_and_candidate(x).chunk(2, dim=-1)
        h = mingru_scan(gate, candidate, state, signed=self.signed)
        return self.projection(h), h[:, -1].contiguous()

    def look(self, x: Tensor, state: Tensor | None = None) -> Look:
        """Show the units h, and the gate z."""
        gate, candidate = self.gate_and_candidate(x).chunk(2, dim=-1)
        return gated_look(gate, candidate, state, self.signed)
