"""A block's step: `lm.Block.forward` for one character of one text, without torch. `step.py` says what a step is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from minrnn.models.lm import MLP, Block, CausalConv
from minrnn.models.mixer import State
from minrnn.models.step import ONE, Array, Linear, Norm, NormStep, Step, after_norm, copied, zeros

SPARE_ROWS = 32
"""Steps after which a convolution moves its past back to the start of its buffer."""


def block_step(block: Block) -> Callable[[], BlockStep]:
    """A block's weights, made ready; each call of what it returns begins a text."""
    norm = Norm(block.norm) if isinstance(block.norm, nn.LayerNorm) else None
    conv = None if block.conv is None else _taps_and_bias(block.conv)
    new_mixer = block.mixer.prepare()
    mlp = None if block.mlp is None else _Prepared(cast(nn.LayerNorm, block.mlp_norm), block.mlp)

    def new() -> BlockStep:
        own_conv = None if conv is None else _ConvStep(*conv)
        own_norm = None if norm is None else NormStep(norm)
        return BlockStep(block.plain, own_norm, own_conv, new_mixer(), None if mlp is None else _MLPStep(mlp))

    return new


class BlockStep:
    """A block's step for one text. It changes x (C,) in place."""

    def __init__(
        self, plain: bool, norm: NormStep | None, conv: _ConvStep | None, mixer: Step, mlp: _MLPStep | None
    ) -> None:
        self.plain, self.norm, self.conv, self.mixer, self.mlp = plain, norm, conv, mixer, mlp

    def __call__(self, x: Array) -> None:
        y = x if self.norm is None else self.norm(x)
        if self.conv is not None:
            y = self.conv(y)
        y = self.mixer(y)
        if self.plain:
            x[:] = y
        else:
            np.add(x, y, x)
        if self.mlp is not None:
            np.add(x, self.mlp(x), x)

    @property
    def state_bytes(self) -> int:
        return self.mixer.state_bytes + (0 if self.conv is None else self.conv.state_bytes)

    def load(self, state: State) -> None:
        conv, mixer = state or (None, None)
        if self.conv is not None:
            self.conv.load(conv)
        self.mixer.load(mixer)

    def state(self) -> State:
        return None if self.conv is None else self.conv.state(), self.mixer.state()


def _taps_and_bias(conv: CausalConv) -> tuple[Array, Array]:
    """(kernel, C) and (C,)."""
    return copied(conv.conv.weight[:, 0].T), copied(cast(Tensor, conv.conv.bias))


class _ConvStep(Step):
    """The causal convolution. The newest inputs are the last `kernel` rows written to a buffer, oldest first."""

    def __init__(self, taps: Array, bias: Array) -> None:
        kernel, channels = taps.shape
        self.taps, self.past, self.y = taps, kernel - 1, zeros(channels)
        self.rows, self.at = zeros(self.past + SPARE_ROWS, channels), self.past
        self.terms, self.ones = zeros(kernel + 1, channels), zeros(kernel + 1) + np.float32(1)
        self.products = self.terms[:kernel]
        self.terms[kernel] = bias
        self.state_bytes = self.rows[: self.past].nbytes

    def __call__(self, x: Array) -> Array:
        if self.at == len(self.rows):
            self._keep(self.rows[self.at - self.past :].copy())
        self.rows[self.at] = x
        self.at += 1
        np.multiply(self.rows[self.at - self.past - 1 : self.at], self.taps, self.products)
        self.ones.dot(self.terms, self.y)
        return self.y

    def _keep(self, past: Array) -> None:
        self.rows[: self.past] = past
        self.at = self.past

    def load(self, state: Tensor | None) -> None:
        self._keep(np.zeros_like(self.rows[: self.past]) if state is None else state[0].numpy())

    def state(self) -> Tensor:
        return torch.from_numpy(self.rows[self.at - self.past : self.at].copy()).unsqueeze(0)


class _Prepared:
    """An MLP's weights and those of its norm, with GELU's constants taken in.

    GELU(a) = a (1 + erf(a / sqrt 2)) / 2. With u = a / sqrt 2 that is u (1 + erf u) / sqrt 2.
    """

    def __init__(self, norm: nn.LayerNorm, mlp: MLP) -> None:
        first, last = cast(nn.Linear, mlp[0]), cast(nn.Linear, mlp[2])
        self.norm = Norm(norm, folded=True)
        self.widen = after_norm(norm, first.weight, first.bias, math.sqrt(0.5))
        self.narrow = Linear(last.weight * math.sqrt(0.5), last.bias)


class _MLPStep:
    """The norm and the MLP. erf is torch's: NumPy has none."""

    def __init__(self, prepared: _Prepared) -> None:
        self.norm, self.widen, self.narrow = NormStep(prepared.norm), prepared.widen, prepared.narrow
        self.y = zeros(self.narrow.size)
        self.u, self.erf = zeros(self.widen.size), zeros(self.widen.size)
        self.tensors = torch.from_numpy(self.u), torch.from_numpy(self.erf)

    def __call__(self, x: Array) -> Array:
        self.widen(self.norm(x), self.u)
        torch.erf(self.tensors[0], out=self.tensors[1])
        np.add(self.erf, ONE, self.erf)
        np.multiply(self.u, self.erf, self.u)
        self.narrow(self.u, self.y)
        return self.y
