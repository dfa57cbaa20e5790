"""minLSTM: an LSTM whose gates and candidate read the input only, with gates that sum to one.

code             paper (Feng et al. 2024, arXiv 2410.01201, section 3.2)
forget, input    Linear_f(x_t), Linear_i(x_t); f' = f / (f + i), i' = i / (f + i)
candidate        Linear_h(x_t), h_tilde = g(candidate)
h                h_t = f'_t * h_{t-1} + i'_t * h_tilde
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.models.mingru import (
    ExpansionOptions,
    gated_look,
    hidden_width,
    is_signed,
    linear_look,
    projection,
)
from minrnn.models.mixer import Look, Mixer, own_options, register
from minrnn.scan import linear_scan, minlstm_scan, positive


@dataclass(frozen=True)
class MinLSTMOptions(ExpansionOptions):
    """Choices of minLSTM.

    Attributes:
        normalised: whether the gates are divided by their sum, as in the paper; False as in the replication.
    """

    normalised: bool = True


@register("minlstm")
class MinLSTM(Mixer):
    """One linear map to both gates and the candidate, the scan, one linear map back. State: h, (B, hidden)."""

    Options = MinLSTMOptions
    title = "minLSTM"
    year = 2024
    equation = "h = f′ · h₋₁ + i′ · g(W x), f′ = f / (f + i), i′ = i / (f + i), f = σ(U x), i = σ(V x)"

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        hidden = hidden_width(config)
        self.normalised = own_options(config, MinLSTMOptions).normalised
        self.signed = is_signed(config)
        self.gates_and_candidate = nn.Linear(config.n_embd, 3 * hidden, config.bias)
        self.projection = projection(config, hidden)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map x (B, T, C) and h to y (B, T, C) and the last h."""
        forget, input, candidate = self.gates_and_candidate(x).chunk(3, dim=-1)
        if self.normalised:
            h = minlstm_scan(forget, input, candidate, state, signed=self.signed)
        else:
            decay = forget.tanh() if self.signed else forget.sigmoid()
            h = linear_scan(decay, input.sigmoid() * positive(candidate), state)
        return self.projection(h), h[:, -1].contiguous()

    def look(self, x: Tensor, state: Tensor | None = None) -> Look:
        """Show the units h, and the gates; normalised ones as the update gate z = i', which leaves f' = 1 - z."""
        forget, input, candidate = self.gates_and_candidate(x).chunk(3, dim=-1)
        if self.normalised:
            gate = F.logsigmoid(input) - F.logsigmoid(forget)
            return gated_look(gate, candidate, state, self.signed)
        decay = forget.tanh() if self.signed else forget.sigmoid()
        i = input.sigmoid()
        gates = {"i": i} if self.signed else {"f": decay, "i": i}
        return linear_look(decay, i * positive(candidate), state, gates)
