"""minGRU: a GRU whose gate and candidate read the input only, so a scan solves all steps at once.

code        paper (Feng et al. 2024, arXiv 2410.01201, section 3.1)
gate        Linear_z(x_t), z_t = sigmoid(gate)
candidate   Linear_h(x_t), h_tilde = g(candidate)
h           h_t = (1 - z_t) * h_{t-1} + z_t * h_tilde
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor, nn

from minrnn.config import MixerOptions, ModelConfig
from minrnn.errors import ConfigError
from minrnn.models.mixer import Look, Mixer, Recurrence, own_options, register
from minrnn.models.step import ZERO, Array, Linear, VectorStep, linear, scaled_parts, sigmoid_of_half, zeros
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
    family = "linear"
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

    def prepare(self) -> Callable[[], MinStep]:
        """See `Mixer.prepare`."""
        gate = 1.0 if self.signed else 0.5
        gate_and_candidate = scaled_parts(
            self.gate_and_candidate.weight, self.gate_and_candidate.bias, [gate, 0.5]
        )
        project = prepared_projection(self.projection)
        return lambda: _Step(gate_and_candidate, project, self.signed)


def prepared_projection(projection: nn.Module) -> Linear | None:
    """The map back to the residual stream, made ready; None for the identity."""
    return linear(projection) if isinstance(projection, nn.Linear) else None


class MinStep(VectorStep):
    """What the steps of minGRU and minLSTM share. Their candidates come as halves, for `sigmoid_of_half`.

    g(c) = max(c, 0) + sigmoid(min(c, 0)), so that one call of tanh serves the gates and the candidate:
    `before_sigmoid` sets the first term aside, `after_sigmoid` adds it.
    """

    def __init__(self, hidden: int, project: Linear | None, signed: bool) -> None:
        super().__init__(hidden)
        self.project, self.signed = project, signed
        self.above_0, self.y = zeros(hidden), self.h if project is None else zeros(project.size)

    def before_sigmoid(self, candidate: Array) -> None:
        """Turn c / 2 into min(c, 0) / 2."""
        np.maximum(candidate, ZERO, out=self.above_0)
        np.minimum(candidate, ZERO, out=candidate)

    def after_sigmoid(self, candidate: Array) -> None:
        """Turn sigmoid(min(c, 0)) into g(c)."""
        np.add(candidate, self.above_0, candidate)
        np.add(candidate, self.above_0, candidate)

    def update(self, z: Array, g: Array) -> Array:
        """Compute h = (1 - z) h + z g, or (1 - 2 z) h + z g where signed; overwrites g. Returns y."""
        h = self.h
        np.subtract(g, h, g)
        if self.signed:
            np.subtract(g, h, g)
        np.multiply(g, z, g)
        np.add(h, g, h)
        return self.projected()

    def projected(self) -> Array:
        """The y of h."""
        if self.project is not None:
            self.project(self.h, self.y)
        return self.y


class _Step(MinStep):
    def __init__(self, gate_and_candidate: Linear, project: Linear | None, signed: bool) -> None:
        super().__init__(gate_and_candidate.size // 2, project, signed)
        self.gate_and_candidate = gate_and_candidate
        self.both = zeros(gate_and_candidate.size)
        self.z, self.candidate = np.split(self.both, 2)

    def __call__(self, x: Array) -> Array:
        self.gate_and_candidate(x, self.both)
        self.before_sigmoid(self.candidate)
        sigmoid_of_half(self.both)
        self.after_sigmoid(self.candidate)
        return self.update(self.z, self.candidate)
