"""minGRU: a GRU whose gate and candidate read the input only, so a scan solves all steps at once.

code        paper (Feng et al. 2024, arXiv 2410.01201, section 3.1)
gate        Linear_z(x_t), z_t = sigmoid(gate)
candidate   Linear_h(x_t), h_tilde = g(candidate)
h           h_t = (1 - z_t) * h_{t-1} + z_t * h_tilde
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor, nn

from minrnn.config import MixerOptions, ModelConfig
from minrnn.errors import ConfigError
from minrnn.models.mixer import Look, Mixer, Recurrence, own_options, register
from minrnn.models.step import Array, Call, Linear, Step, linear, scaled_parts, with_1, zeros
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

    def prepare(self, channels: int, centre: bool) -> Callable[[], Step]:
        """See `Mixer.prepare`."""
        layer = self.gate_and_candidate
        gate_and_candidate = scaled_parts(
            layer.weight, layer.bias, [-2.0 if self.signed else -1.0, -1.0], [0.0, -0.5]
        )
        project = prepared_projection(self.projection, centre)
        return lambda: _Step(gate_and_candidate, project, self.signed, centre)


def prepared_projection(projection: nn.Module, centre: bool) -> Linear | None:
    """The map from -h back to the residual stream, made ready; None for the identity."""
    return linear(projection, centre, factor=-1.0) if isinstance(projection, nn.Linear) else None


ROOT = math.exp(-0.5)


class MinStep(Step):
    """What the steps of minGRU and minLSTM share. They carry -h, for then g takes one call more than its sigmoid.

    The linear layer gives -v for a gate sigmoid(v), and r = -c - 1/2 for the candidate c, so that of all alike the
    exponential is needed. sigmoid(v) = 1 / (1 + exp(-v)). g(c) = max(c + 1/2, sigmoid(c)), for below 0 the sigmoid
    is the greater and above 0 the smaller: -g(c) = min(r, -k / (k + exp(r))) with k = exp(-1/2).
    """

    def __init__(self, reads: Linear, project: Linear | None, hidden: int, centred: bool) -> None:
        x_and_1, minus_h_and_1 = with_1(reads.matrix.shape[0] - 1), with_1(hidden)
        self.x, self.minus_h = x_and_1[:-1], minus_h_and_1[:-1]
        self.logits = zeros(reads.size)
        self.reading = reads.of(x_and_1, self.logits)
        self.y = zeros(hidden if project is None else project.size)
        self.projecting = (
            partial(np.negative, self.minus_h, self.y)
            if project is None
            else project.of(minus_h_and_1, self.y)
        )
        self.centred = centred and project is not None
        self.state_bytes = self.minus_h.nbytes

    def gates_and_minus_g(self, logits: Array, out: Array) -> list[Call]:
        """What turns gates' logits, and the candidate's behind them, into the gates and -g, in another buffer."""
        hidden = len(self.minus_h)
        minus_g, k = out[-hidden:], np.float32(ROOT)
        above, below = zeros(len(out)) + np.float32(1), zeros(len(out)) + np.float32(1)
        above[-hidden:], below[-hidden:] = -k, k
        return [
            partial(np.exp, logits, out),
            partial(np.add, out, below, out),
            partial(np.divide, above, out, out),
            partial(np.fmin, minus_g, logits[-hidden:], minus_g),
        ]

    def updating(self, z: Array, minus_g: Array, signed: bool) -> list[Call]:
        """What makes h = (1 - z) h + z g, or (1 - 2 z) h + z g where signed, and overwrites g."""
        h = self.minus_h
        away = partial(np.subtract, minus_g, h, minus_g)
        return [
            *([away, away] if signed else [away]),
            partial(np.multiply, minus_g, z, minus_g),
            partial(np.add, h, minus_g, h),
        ]

    def load(self, state: Tensor | None) -> None:
        self.minus_h[:] = 0 if state is None else -state[0].numpy()

    def state(self) -> Tensor:
        return torch.from_numpy(-self.minus_h).unsqueeze(0)


class _Step(MinStep):
    def __init__(self, reads: Linear, project: Linear | None, signed: bool, centred: bool) -> None:
        super().__init__(reads, project, reads.size // 2, centred)
        out = zeros(reads.size)
        z, minus_g = np.split(out, 2)
        self.calls = [
            self.reading,
            *self.gates_and_minus_g(self.logits, out),
            *self.updating(z, minus_g, signed),
            self.projecting,
        ]
