"""The GRU, which minGRU simplifies. Its gates read the previous state, so it computes one step at a time.

The recurrence is `torch.nn.GRU`, with one layer in each block:

    r_t = sigmoid(W_r x_t + U_r h_{t-1})        z_t = sigmoid(W_z x_t + U_z h_{t-1})
    h_tilde_t = tanh(W_n x_t + r_t * (U_n h_{t-1}))
    h_t = (1 - z_t) * h_tilde_t + z_t * h_{t-1}

In torch, z is the share of the old state that is kept; in minGRU, as in the paper, z is the share of the new one.

Source: Cho et al. 2014, arXiv 1406.1078. torch and cuDNN apply the reset gate r after the product with U_n.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.models.mixer import Look, Mixer, Recurrence, register
from minrnn.models.step import Linear, Step, scaled_parts, sigmoid_of_half, with_1, zeros


@register("gru")
class GRU(Mixer):
    """`torch.nn.GRU` of one layer. State: h, (B, C)."""

    title = "GRU"
    year = 2014
    family = "nonlinear"
    chosen_first = False
    equation = "h = z · h₋₁ + (1 − z) · tanh(W x + r · (R h₋₁)); r and z read x and h₋₁"

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gru = nn.GRU(config.n_embd, config.n_embd, bias=config.bias, batch_first=True)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map x (B, T, C) and h to y (B, T, C) and the last h."""
        if x.shape[1] == 1 and not self.training:
            h = x.new_zeros(x.shape[0], x.shape[2]) if state is None else state
            h = torch.gru_cell(x[:, 0], h, *self.gru.all_weights[0])
            return h.unsqueeze(1), h
        y, h = self.gru(x, None if state is None else state.unsqueeze(0))
        return y, h.squeeze(0)

    def look(self, x: Tensor, state: Tensor | None = None) -> Look:
        """Show the units h, and the gates r and z. They read h, which `forward` gives."""
        h0 = x.new_zeros(x.shape[0], x.shape[2]) if state is None else state
        h = self.forward(x, h0)[0]
        before = torch.cat([h0.unsqueeze(1), h[:, :-1]], dim=1)
        of_x, of_h, *biases = self.gru.all_weights[0]
        bias_x, bias_h = biases or (None, None)
        reset_x, keep_x, new_x = F.linear(x, of_x, bias_x).chunk(3, dim=-1)
        reset_h, keep_h, new_h = F.linear(before, of_h, bias_h).chunk(3, dim=-1)
        r, z = (reset_x + reset_h).sigmoid(), (keep_x + keep_h).sigmoid()
        write = (-keep_x - keep_h).sigmoid() * (new_x + r * new_h).tanh()
        return Look(h, Recurrence(z, write, h0, input_only=False), {"r": r, "z": z})

    def prepare(self, channels: int, centre: bool) -> Callable[[], Step]:
        """See `Mixer.prepare`. The rows of the gates r and z are halved for `sigmoid_of_half`."""
        of_x, of_h, *biases = self.gru.all_weights[0]
        bias_x, bias_h = biases or (None, None)
        halves = [0.5, 0.5, 1.0]
        reads_x, reads_h = scaled_parts(of_x, bias_x, halves), scaled_parts(of_h, bias_h, halves)
        return lambda: _Step(reads_x, reads_h)


class _Step(Step):
    def __init__(self, reads_x: Linear, reads_h: Linear) -> None:
        channels = reads_x.size // 3
        x_and_1, h_and_1 = with_1(channels), with_1(channels)
        self.x, self.y = x_and_1[:-1], h_and_1[:-1]
        self.h = h = self.y
        self.state_bytes = h.nbytes
        of_x, of_h = zeros(reads_x.size), zeros(reads_h.size)
        gates, (reset, keep, candidate) = of_x[: 2 * channels], np.split(of_x, 3)
        gates_of_h, candidate_of_h = of_h[: 2 * channels], of_h[2 * channels :]
        self.calls = [
            reads_x.of(x_and_1, of_x),
            reads_h.of(h_and_1, of_h),
            partial(np.add, gates, gates_of_h, gates),
            *sigmoid_of_half(gates),
            partial(np.multiply, candidate_of_h, reset, candidate_of_h),
            partial(np.add, candidate, candidate_of_h, candidate),
            partial(np.tanh, candidate, candidate),
            partial(np.subtract, h, candidate, h),
            partial(np.multiply, h, keep, h),
            partial(np.add, h, candidate, h),
        ]

    def load(self, state: Tensor | None) -> None:
        self.h[:] = 0 if state is None else state[0].numpy()

    def state(self) -> Tensor:
        return torch.from_numpy(self.h.copy()).unsqueeze(0)
