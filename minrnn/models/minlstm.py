"""minLSTM: an LSTM whose gates and candidate read the input only, with gates that sum to one.

code             paper (Feng et al. 2024, arXiv 2410.01201, section 3.2)
forget, input    Linear_f(x_t), Linear_i(x_t); f' = f / (f + i), i' = i / (f + i)
candidate        Linear_h(x_t), h_tilde = g(candidate)
h                h_t = f'_t * h_{t-1} + i'_t * h_tilde
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.models.mingru import (
    ROOT,
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
from minrnn.models.step import Linear, Step, scaled_parts, zeros
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

    def prepare(self, channels: int, centre: bool) -> Callable[[], Step]:
        """See `Mixer.prepare`."""
        layer, signed = self.gates_and_candidate, self.signed
        project = prepared_projection(self.projection, centre)
        if self.normalised:
            bias = None if layer.bias is None else _for_the_normalised_step(layer.bias)
            weight = _for_the_normalised_step(layer.weight)
            reads = scaled_parts(weight, bias, [-1.0, -1.0, 1.0], [0.0, -0.5, 0.0])
            return lambda: _NormalisedStep(reads, project, signed, centre)
        forget = 1.0 if signed else -1.0
        parts = scaled_parts(layer.weight, layer.bias, [forget, -1.0, -1.0], [0.0, 0.0, -0.5])
        return lambda: _PlainStep(parts, project, signed, centre)


def _for_the_normalised_step(rows: Tensor) -> Tensor:
    """The rows of forget gate, input gate and candidate as those of f, c and f - i."""
    f, i, c = rows.chunk(3)
    return torch.cat([f, c, f - i])


_LARGEST = 24.0
"""The largest -f of which a step takes the exponential. Beyond it 1 / (1 + e^-f) is e^f to the last bit of float32, so
z depends on f - i alone. Float32 leaves room above it: -i may be larger by 20, and its exponential still be squared."""


class _NormalisedStep(MinStep):
    """The step with gates that sum to one: minGRU's, with z = i / (f + i) = (1 + e^-f) / (2 + e^-f + e^-i).

    Its linear layer gives -f, r and f - i in this order, so that one division serves z and g. Where signed,
    z = i^2 / (f^2 + i^2). Only the difference of the logits is kept where -f is large, and e^-i may be infinite:
    then z is 0.
    """

    def __init__(self, parts: Linear, project: Linear | None, signed: bool, centred: bool) -> None:
        hidden = parts.size // 3
        super().__init__(parts, project, hidden, centred)
        rows, addends = zeros(4, hidden), zeros(3, hidden) + np.float32(1)
        rows[0], addends[1] = -ROOT, ROOT
        powers, above, below = rows[1:], rows[:2], rows[2:]
        of_input, total, r = rows[1], rows[3], self.logits[hidden : 2 * hidden]
        minus_f, _, f_to_minus_i = self.logits.reshape(3, hidden)
        self.calls = [
            self.reading,
            partial(np.fmin, minus_f, np.array(_LARGEST, np.float32), minus_f),
            partial(np.add, f_to_minus_i, minus_f, f_to_minus_i),
            partial(np.exp, self.logits.reshape(3, hidden), powers),
            partial(np.add, powers, addends, powers),
        ]
        if signed:
            self.calls += [partial(np.multiply, part, part, part) for part in (of_input, total)]
        self.calls += [
            partial(np.add, total, of_input, total),
            partial(np.divide, above, below, below),
            partial(np.fmin, below[0], r, below[0]),
            *self.updating(below[1], below[0], signed),
            self.projecting,
        ]


class _PlainStep(MinStep):
    """The step of the replication's form: h = f h + i g, where f is tanh of its logit if signed."""

    def __init__(self, parts: Linear, project: Linear | None, signed: bool, centred: bool) -> None:
        hidden = parts.size // 3
        super().__init__(parts, project, hidden, centred)
        out = zeros(parts.size)
        forget, input, minus_g = np.split(out, 3)
        first = hidden if signed else 0
        self.calls = [self.reading, *self.gates_and_minus_g(self.logits[first:], out[first:])]
        if signed:
            self.calls.append(partial(np.tanh, self.logits[:hidden], forget))
        self.calls += [
            partial(np.multiply, minus_g, input, minus_g),
            partial(np.multiply, self.minus_h, forget, self.minus_h),
            partial(np.add, self.minus_h, minus_g, self.minus_h),
            self.projecting,
        ]
