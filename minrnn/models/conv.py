"""A causal depthwise convolution, and how it is computed on the CPU: as a few multiply-adds.

With four taps the convolution reads each input four times, from the cache. torch's own goes through a layout that
has the channels first; forward and backward together took five times as long for (16, 256, 192).
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class CausalConv(nn.Module):
    """Depthwise convolution over the last `kernel` steps. Its state is the last kernel - 1 inputs."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.past = kernel - 1
        self.conv = nn.Conv1d(channels, channels, kernel, groups=channels)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map x (B, T, C) and a state (B, kernel - 1, C), zeros if None, to the same shapes."""
        past = x.new_zeros(x.shape[0], self.past, x.shape[2]) if state is None else state.to(x.dtype)
        inputs = torch.cat([past, x], dim=1)
        taps, bias = self.conv.weight[:, 0].T, cast(Tensor, self.conv.bias)
        if x.shape[1] == 1:  # one character: four products a channel, without the convolution's overhead
            y = (inputs * taps).sum(dim=1, keepdim=True) + bias
        elif x.device.type == "cpu":
            y = causal(inputs, taps, bias)
        else:
            y = self.conv(inputs.transpose(1, 2)).transpose(1, 2)
        return y, inputs[:, x.shape[1] :].contiguous()


class _Taps(Function):
    """y_t = bias + sum_k taps_k * inputs_{t+k}."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, taps: Tensor, bias: Tensor) -> Tensor:
        time = inputs.shape[1] - len(taps) + 1
        y = torch.addcmul(bias, inputs[:, :time], taps[0])
        for k in range(1, len(taps)):
            y.addcmul_(inputs[:, k : k + time], taps[k])
        ctx.save_for_backward(inputs, taps)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inputs, taps = ctx.saved_tensors
        time = grad.shape[1]
        grad_inputs, grad_taps = torch.zeros_like(inputs), torch.empty_like(taps)
        for k in range(len(taps)):
            grad_inputs[:, k : k + time].addcmul_(grad, taps[k])
            grad_taps[k] = _total(grad * inputs[:, k : k + time])
        return grad_inputs, grad_taps, _total(grad)


def _total(x: Tensor) -> Tensor:
    """(C,) the sum of a (B, T, C) over B and T; one axis takes a fifth of the time of two."""
    return x.reshape(-1, x.shape[-1]).sum(dim=0)


def causal(inputs: Tensor, taps: Tensor, bias: Tensor) -> Tensor:
    """Convolve each channel with its own taps.

    Args:
        inputs: (B, K - 1 + T, C) the K - 1 steps of the past, then the T steps.
        taps: (K, C), the oldest step's first.
        bias: (C,).

    Returns:
        (B, T, C).
    """
    y: Tensor = _Taps.apply(inputs, taps, bias)  # type: ignore[no-untyped-call]
    return y
