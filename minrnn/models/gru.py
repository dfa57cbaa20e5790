"""The GRU, which minGRU simplifies. Its gates read the previous state, so it computes one step at a time.

The weights are those of `torch.nn.GRU`, with one layer in each block:

    r_t = sigmoid(W_r x_t + U_r h_{t-1})        z_t = sigmoid(W_z x_t + U_z h_{t-1})
    h_tilde_t = tanh(W_n x_t + r_t * (U_n h_{t-1}))
    h_t = (1 - z_t) * h_tilde_t + z_t * h_{t-1}

In torch, z is the share of the old state that is kept; in minGRU, as in the paper, z is the share of the new one.

On a GPU cuDNN computes it. On the CPU torch has no fused GRU: it records some ten operations a step for the gradient.
There `Steps` goes back through time with a product and two more operations a step, which takes half the time.

Source: Cho et al. 2014, arXiv 1406.1078. torch and cuDNN apply the reset gate r after the product with U_n.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

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
        if x.device.type == "cpu":
            return self._steps(x, state)
        y, h = self.gru(x, None if state is None else state.unsqueeze(0))
        return y, h.squeeze(0)

    def _steps(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        of_x, of_h, *biases = self.gru.all_weights[0]
        bias_x, bias_h = biases or (None, None)
        read = F.linear(x.transpose(0, 1), of_x, bias_x).to(of_h.dtype)  # also under autocast
        h0 = read.new_zeros(read.shape[1], x.shape[2]) if state is None else state.to(of_h.dtype)
        h: Tensor = Steps.apply(read, h0, of_h, bias_h)  # type: ignore[no-untyped-call]
        return h.transpose(0, 1), h[-1].clone()

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


class Steps(Function):
    """The recurrence on the CPU, and its gradient by hand.

    With d_t the gradient of h_t, those of the three parts that read h_{t-1} are d_t times factors that the forward
    pass has settled, so they are made for all steps at once. The way back computes d_t alone, step by step:

        d_{t-1} = dy_{t-1} + z_t * d_t + U^T (d_t * factors_t)
    """

    @staticmethod
    def forward(ctx: Any, of_x: Tensor, h0: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Compute all states.

        Args:
            of_x: (T, B, 3 C) what r, z and the candidate read of x, with its bias.
            h0: (B, C).
            weight: (3 C, C) U_r, U_z and U_n.
            bias: (3 C,) or None.

        Returns:
            (T, B, C) h_1 to h_T.
        """
        steps, batch, channels = *of_x.shape[:2], h0.shape[1]
        h = of_x.new_empty(steps + 1, batch, channels)
        h[0] = h0
        candidate, gates = of_x[..., 2 * channels :].clone(), of_x[..., : 2 * channels].clone()
        of_h = torch.zeros_like(of_x) if bias is None else bias.repeat(steps, batch, 1)
        to_parts = weight.t()
        gates_of_h, candidate_of_h = of_h.split([2 * channels, channels], dim=-1)
        each = (h[:-1], h[1:], of_h, gates_of_h, candidate_of_h, gates, *gates.chunk(2, dim=-1), candidate)
        by_step = zip(*(part.unbind() for part in each), strict=True)
        for before, after, parts, gate_h, new_h, gate, r, z, new in by_step:
            parts.addmm_(before, to_parts)
            gate.add_(gate_h).sigmoid_()
            new.addcmul_(r, new_h).tanh_()
            torch.lerp(new, before, z, out=after)
        ctx.save_for_backward(h, gates, candidate, candidate_of_h, weight)
        ctx.has_bias = bias is not None
        return h[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """The gradients of `forward`'s arguments, from that of its result."""
        h, gates, candidate, candidate_of_h, weight = ctx.saved_tensors
        before, (r, z) = h[:-1], gates.chunk(2, dim=-1)
        of_candidate = (1 - z) * (1 - candidate * candidate)
        reset = of_candidate * candidate_of_h * r * (1 - r)
        keep = (before - candidate) * z * (1 - z)
        of_parts = torch.stack([reset, keep, of_candidate * r], dim=2)  # (T, B, 3, C)
        d = torch.cat([torch.zeros_like(h[:1]), grad_h])  # d_0 is h0's own
        each = (d[:-1], d[1:], z, of_parts, of_parts.flatten(2))
        for earlier, now, kept, factors, flat in zip(*(part.unbind()[::-1] for part in each), strict=True):
            factors.mul_(now.unsqueeze(1))
            earlier.addcmul_(kept, now).addmm_(flat, weight)
        of_x = of_parts.clone()
        of_x[:, :, 2] = d[1:] * of_candidate
        of_h = of_parts.flatten(2).flatten(0, 1)
        return of_x.flatten(2), d[0], of_h.t() @ before.flatten(0, 1), of_h.sum(0) if ctx.has_bias else None


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
