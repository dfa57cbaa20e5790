"""One character at a time without torch: what the mixers' steps are made of.

`forward` is the definition; a step computes the same for one position of one text, in NumPy, from weights that
were made ready once. A call costs NumPy a third of a microsecond, and torch two, which at this size is what
decides. Two things are kept apart:

    prepared   weights, read-only: shared by all texts that a model writes, in any number of threads
    a `Step`   a state and buffers: one text's alone. Nothing is allocated while it steps but views.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array: TypeAlias = NDArray[np.float32]

ZERO, HALF, ONE = (np.array(number, np.float32) for number in (0, 0.5, 1))
"""Numbers as arrays: with them a call of NumPy takes half the time that it takes with Python's numbers."""


def zeros(*shape: int) -> Array:
    """A buffer. torch aligns it to cache lines, which NumPy does not."""
    buffer: Array = torch.zeros(shape).numpy()
    return buffer


def copied(weight: Tensor) -> Array:
    """A copy of a tensor, as NumPy reads it; later changes of the tensor do not reach it."""
    array: Array = weight.detach().float().clone(memory_format=torch.contiguous_format).numpy()
    return array


class Step(ABC):
    """One layer's step, for one text.

    Attributes:
        state_bytes: size of the state it carries, in bytes.
    """

    state_bytes: int = 0

    @abstractmethod
    def __call__(self, x: Array) -> Array:
        """Map x (C,) to y (C,) and carry the state on. y is a buffer that the next call overwrites."""

    @abstractmethod
    def load(self, state: Any) -> None:
        """Take the state that `forward` has returned for a batch of one; None is the start of a text."""

    @abstractmethod
    def state(self) -> Any:
        """A copy of the state, as `forward` takes it."""


class VectorStep(Step):
    """A step whose state is one vector `h`, (1, C) for `forward`."""

    def __init__(self, channels: int) -> None:
        self.h = zeros(channels)
        self.state_bytes = self.h.nbytes

    def load(self, state: Tensor | None) -> None:
        self.h[:] = 0 if state is None else state[0].numpy()

    def state(self) -> Tensor:
        return torch.from_numpy(self.h.copy()).unsqueeze(0)


class Linear:
    """W x + b, made ready: W lies the way in which NumPy multiplies it faster.

    A tall W is stored by columns: for (888, 192) that takes 11 microseconds in the place of 19.

    Args:
        weight: (rows, columns).
        bias: (rows,), or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        tall = weight.shape[0] > weight.shape[1]
        self.rows = None if tall else copied(weight)
        self.columns = copied(weight.t()) if tall else None
        self.bias = None if bias is None else copied(bias)
        self.size = weight.shape[0]

    def __call__(self, x: Array, y: Array) -> None:
        """Write W x + b (rows,) for x (columns,) into y."""
        if self.columns is not None:
            x.dot(self.columns, y)
        elif self.rows is not None:
            self.rows.dot(x, y)
        if self.bias is not None:
            np.add(y, self.bias, y)


def linear(layer: nn.Linear) -> Linear:
    """A linear layer, made ready."""
    return Linear(layer.weight, layer.bias)


def scaled_parts(weight: Tensor, bias: Tensor | None, factors: list[float]) -> Linear:
    """A linear map whose rows, in as many equal parts as there are factors, are multiplied by them."""
    by = torch.tensor(factors).repeat_interleave(weight.shape[0] // len(factors))
    return Linear(weight * by[:, None], None if bias is None else bias * by)


class Norm:
    """`nn.LayerNorm`, made ready.

    Args:
        norm: the layer.
        folded: leave its gain and bias out; the linear layer behind it has taken them in (`after_norm`).
    """

    def __init__(self, norm: nn.LayerNorm, folded: bool = False) -> None:
        channels = norm.normalized_shape[0]
        self.eps, self.share = norm.eps, 1 / channels
        self.mean_of = copied(torch.full((channels,), self.share))
        self.gain = None if folded else copied(norm.weight)
        self.bias = None if folded or norm.bias is None else copied(norm.bias)


class NormStep:
    """A norm for one text."""

    def __init__(self, norm: Norm) -> None:
        self.norm, self.y = norm, zeros(len(norm.mean_of))
        self.mean, self.factor = zeros(), zeros()

    def __call__(self, x: Array) -> Array:
        """Normalise x (C,)."""
        norm, y, factor = self.norm, self.y, self.factor
        x.dot(norm.mean_of, self.mean)
        np.subtract(x, self.mean, y)
        factor[()] = 1 / math.sqrt(float(y.dot(y)) * norm.share + norm.eps)
        np.multiply(y, factor, y)
        if norm.gain is not None:
            np.multiply(y, norm.gain, y)
        if norm.bias is not None:
            np.add(y, norm.bias, y)
        return y


def after_norm(norm: nn.Module, weight: Tensor, bias: Tensor | None, factor: float = 1.0) -> Linear:
    """A linear layer, times a factor, with the gain and bias of the norm before it taken in."""
    if isinstance(norm, nn.LayerNorm):
        if norm.bias is not None:
            bias = weight @ norm.bias + (0 if bias is None else bias)
        weight = weight * norm.weight
    return Linear(weight * factor, None if bias is None else bias * factor)


def sigmoid_of_half(x: Array) -> None:
    """Turn x into sigmoid(2 x), in place. The halves are in the weights; unlike exp, tanh cannot overflow."""
    np.tanh(x, x)
    np.add(x, ONE, x)
    np.multiply(x, HALF, x)
