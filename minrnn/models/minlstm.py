"""minLSTM: an LSTM whose gates and candidate read the input only, with gates that sum to one.

code             paper (Feng et al. 2024, arXiv 2410.01201, section 3.2)
forget, input    Linear_f(x_t), Linear_i(x_t); f' = f / (f + i), i' = i / (f + i)
candidate        Linear_h(x_t), h_tilde = g(candidate)
h                h_t = f'_t * h_{t-1} + i'_t * h_tilde
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.models.mingru import (
    ExpansionOptions,
    MinStep,
    gated_look,
    hidden_width,
    is_signed,
    linear_look,
    prepared_projection,
    projection,
)
from minrnn.models.mixer import Look, Mixer, own_options, register
from minrnn.models.step import ZERO, Array, Linear, Step, scaled_parts, sigmoid_of_half, zeros
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
    family = "linear"
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
        else:  # in float32 under autocast, too, as `minlstm_scan` computes: a decay near 1 needs the digits
            logits = forget, input, candidate
            forget, input, candidate = (x if x.dtype == torch.float64 else x.float() for x in logits)
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

    def prepare(self) -> Callable[[], Step]:
        """See `Mixer.prepare`."""
        layer, project, signed = self.gates_and_candidate, prepared_projection(self.projection), self.signed
        if self.normalised:
            negated = scaled_parts(layer.weight, layer.bias, [-1.0, -1.0, 0.5])
            return lambda: _NormalisedStep(negated, project, signed)
        halved = scaled_parts(layer.weight, layer.bias, [1.0 if signed else 0.5, 0.5, 0.5])
        return lambda: _PlainStep(halved, project, signed)


class _NormalisedStep(MinStep):
    """The step with gates that sum to one: minGRU's, with z = i / (f + i) = (1 + e^-f) / (2 + e^-f + e^-i).

    Each power is divided by the greatest of 1, e^-f and e^-i, so that none overflows and one is 1.
    """

    def __init__(self, gates_and_candidate: Linear, project: Linear | None, signed: bool) -> None:
        hidden = gates_and_candidate.size // 3
        super().__init__(hidden, project, signed)
        self.gates_and_candidate = gates_and_candidate
        rows, self.top = zeros(4, hidden), zeros(hidden)
        self.powers, self.parts = rows[:3], rows.reshape(-1)[hidden:]
        self.one, self.of_forget, self.of_input, self.candidate = np.split(rows.reshape(-1), 4)

    def __call__(self, x: Array) -> Array:
        self.one[:] = 0
        self.gates_and_candidate(x, self.parts)
        self.before_sigmoid(self.candidate)
        sigmoid_of_half(self.candidate)
        self.after_sigmoid(self.candidate)
        return self.update(self._share_of_input(), self.candidate)

    def _share_of_input(self) -> Array:
        """Return i / (f + i), or i^2 / (f^2 + i^2) where signed, from the exponents 0, -f and -i in `powers`."""
        powers, one, top = self.powers, self.one, self.top
        z, other = self.of_forget, self.of_input
        np.maximum(z, other, out=top)
        np.maximum(top, ZERO, out=top)
        np.subtract(powers, top, powers)
        np.exp(powers, powers)
        np.add(z, one, z)
        np.add(other, one, other)
        if self.signed:
            np.multiply(powers, powers, powers)
        np.add(other, z, other)
        np.divide(z, other, z)
        return z


class _PlainStep(MinStep):
    """The step of the replication's form: h = f h + i g, where f is tanh of its logit if signed."""

    def __init__(self, gates_and_candidate: Linear, project: Linear | None, signed: bool) -> None:
        super().__init__(gates_and_candidate.size // 3, project, signed)
        self.gates_and_candidate = gates_and_candidate
        self.parts = zeros(gates_and_candidate.size)
        self.forget, self.input, self.candidate = np.split(self.parts, 3)
        self.sigmoids = self.parts[len(self.h) :] if signed else self.parts

    def __call__(self, x: Array) -> Array:
        self.gates_and_candidate(x, self.parts)
        self.before_sigmoid(self.candidate)
        sigmoid_of_half(self.sigmoids)
        if self.signed:
            np.tanh(self.forget, self.forget)
        self.after_sigmoid(self.candidate)
        np.multiply(self.candidate, self.input, self.candidate)
        np.multiply(self.h, self.forget, self.h)
        np.add(self.h, self.candidate, self.h)
        return self.projected()
