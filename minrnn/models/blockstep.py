"""A block's step: `lm.Block.forward` for one character of one text, without torch. `step.py` says what a step is."""

from __future__ import annotations

import math
from functools import partial
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from minrnn.models.conv import CausalConv
from minrnn.models.lm import MLP, Block
from minrnn.models.mixer import State
from minrnn.models.step import (
    ONE,
    Array,
    Call,
    Norm,
    Step,
    after_norm,
    copied,
    linear,
    with_1,
    zeros,
)


class PreparedBlock:
    """A block's weights, made ready.

    Args:
        block: the block.
        channels: the width of x.
    """

    def __init__(self, block: Block, channels: int) -> None:
        self.plain = block.plain
        self.norm = Norm(block.norm) if isinstance(block.norm, nn.LayerNorm) else None
        self.conv = None if block.conv is None else _PreparedConv(block.conv)
        self.new_mixer = block.mixer.prepare(channels, centre=not block.plain)
        self.mlp = None if block.mlp is None else _PreparedMLP(cast(nn.LayerNorm, block.mlp_norm), block.mlp)


class BlockStep:
    """A block's step for one text.

    Args:
        block: its weights.
        x: (C,) the residual stream; the calls change it in place.
        centred: whether the mean of x is zero before them.

    Attributes:
        centred: whether it is zero behind them.
    """

    def __init__(self, block: PreparedBlock, x: Array, centred: bool) -> None:
        self.mixer = block.new_mixer()
        self.conv = None if block.conv is None else _ConvStep(block.conv, self.mixer.x)
        y = self.mixer.x if self.conv is None else self.conv.x
        self.calls: list[Call] = (
            [partial(np.copyto, y, x)] if block.norm is None else block.norm.of(x, y, centred)
        )
        if self.conv is not None:
            self.calls += self.conv.hand_over()
        self.calls += self.mixer.hand_over()
        self.calls.append(partial(np.copyto, x, self.mixer.y) if block.plain else _add(x, self.mixer.y))
        if block.mlp is not None:
            self.calls += block.mlp.of(x, centred=self.mixer.centred)
        self.centred = block.mlp is not None or self.mixer.centred

    @property
    def steps(self) -> list[Step]:
        """Those that carry a state."""
        return [self.mixer] if self.conv is None else [self.conv, self.mixer]

    def load(self, state: State) -> None:
        conv, mixer = state or (None, None)
        if self.conv is not None:
            self.conv.load(conv)
        self.mixer.load(mixer)

    def state(self) -> State:
        return None if self.conv is None else self.conv.state(), self.mixer.state()


def _add(x: Array, y: Array) -> Call:
    """What adds y to x."""
    return partial(np.add, x, y, x)


class _PreparedConv:
    """The causal convolution's taps. The inputs stand in a ring, a row each, so the taps turn with the newest row.

    Attributes:
        taps: (kernel, kernel, C), by the row that the newest input has been written to.
        bias: (C,).
    """

    def __init__(self, conv: CausalConv) -> None:
        taps = conv.conv.weight[:, 0].T  # oldest first, (kernel, C)
        self.taps = [copied(taps.roll(newest + 1, dims=0)) for newest in range(len(taps))]
        self.bias = copied(cast(Tensor, conv.conv.bias))


class _ConvStep(Step):
    """The causal convolution, into a buffer y (C,)."""

    def __init__(self, conv: _PreparedConv, y: Array) -> None:
        kernel, channels = conv.taps[0].shape
        self.x, self.y, self.newest = zeros(channels), y, kernel - 1
        self.inputs, terms = zeros(kernel, channels), zeros(kernel + 1, channels)
        terms[kernel] = conv.bias
        self.state_bytes = self.inputs[1:].nbytes
        self.calls = [
            self._multiplying(conv.taps, terms[:kernel]),
            partial(np.ones(kernel + 1, np.float32).dot, terms, y),
        ]

    def _multiplying(self, taps: list[Array], products: Array) -> Call:
        """What takes x in, and multiplies the newest inputs by their taps."""
        x, inputs, rows, kernel = self.x, self.inputs, list(self.inputs), len(taps)

        def multiply_all(copy: np.ufunc = np.positive, multiply: np.ufunc = np.multiply) -> None:
            newest = self.newest = (self.newest + 1) % kernel
            copy(x, rows[newest])
            multiply(inputs, taps[newest], products)

        return multiply_all

    def load(self, state: Tensor | None) -> None:
        self.newest = len(self.inputs) - 1
        self.inputs[1:] = 0 if state is None else state[0].numpy()

    def state(self) -> Tensor:
        in_order = np.roll(self.inputs, -(self.newest + 1), axis=0)
        return torch.from_numpy(in_order[1:].copy()).unsqueeze(0)


class _PreparedMLP:
    """An MLP's weights and those of its norm, with GELU's constants taken in.

    GELU(a) = a (1 + erf(a / sqrt 2)) / 2. With u = a / sqrt 2 that is u (1 + erf u) / sqrt 2.
    """

    def __init__(self, norm: nn.LayerNorm, mlp: MLP) -> None:
        first, last = cast(nn.Linear, mlp[0]), cast(nn.Linear, mlp[2])
        self.norm = Norm(norm, folded=True)
        self.widen = after_norm(norm, first.weight, first.bias, math.sqrt(0.5))
        self.narrow = linear(last, centre=True, factor=math.sqrt(0.5))

    def of(self, x: Array, centred: bool) -> list[Call]:
        """What adds the MLP's output to x (C,), `centred` or not, and leaves x centred. erf is torch's."""
        normed, u, y = with_1(len(x)), with_1(self.widen.size), zeros(len(x))
        of_u, erf = u[:-1], torch.zeros(self.widen.size)
        erf_of_u: Array = erf.numpy()
        return [
            *self.norm.of(x, normed[:-1], centred),
            self.widen.of(normed, of_u),
            partial(torch.erf, torch.from_numpy(of_u), out=erf),
            partial(np.add, erf_of_u, ONE, erf_of_u),
            partial(np.multiply, of_u, erf_of_u, of_u),
            self.narrow.of(u, y),
            _add(x, y),
        ]
