"""One character at a time without torch: what the mixers' steps are made of.

`forward` is the definition; a step computes the same for one position of one text, in NumPy, from weights that
were made ready once. Beside the matrices, what costs time is the number of calls: one of NumPy takes a quarter of
a microsecond, one of torch two, and one of a function of ours a tenth. So every buffer keeps its place for the
whole text, and a step is a list of calls without arguments, made once. Two things are kept apart:

    prepared   weights, read-only: shared by all texts that a model writes, in any number of threads
    a `Step`   a state, buffers and calls: one text's alone. Nothing is allocated while it steps but views.

Whatever is linear is taken into the weights beforehand: biases, scales, the norms' gains.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array: TypeAlias = NDArray[np.float32]
Call: TypeAlias = Callable[[], object]

HALF, ONE = (np.array(number, np.float32) for number in (0.5, 1))
"""Numbers as arrays: with them a call of NumPy takes half the time that it takes with Python's numbers."""


def zeros(*shape: int) -> Array:
    """A buffer. torch aligns it to cache lines, which NumPy does not."""
    buffer: Array = torch.zeros(shape).numpy()
    return buffer


def with_1(size: int) -> Array:
    """A buffer for a vector, and behind it a 1, which `Linear` multiplies by its bias."""
    buffer = zeros(size + 1)
    buffer[size] = 1
    return buffer


def copied(weight: Tensor) -> Array:
    """A copy of a tensor, as NumPy reads it; later changes of the tensor do not reach it."""
    array: Array = weight.detach().float().clone(memory_format=torch.contiguous_format).numpy()
    return array


class Step(ABC):
    """One layer's step, for one text.

    Attributes:
        x: (C,) buffer of the input; who comes before writes it.
        calls: what maps x to y and carries the state on, in order.
        y: (C,) buffer of the output.
        centred: whether the mean of y has been taken away.
        state_bytes: size of the state it carries, in bytes.
    """

    x: Array
    y: Array
    calls: list[Call]
    centred: bool = False
    state_bytes: int = 0

    def hand_over(self) -> list[Call]:
        """The calls, which the step does not keep: some are its own methods, and with a reference to itself its
        buffers would wait for the garbage collector."""
        calls, self.calls = self.calls, []
        return calls

    @abstractmethod
    def load(self, state: Any) -> None:
        """Take the state that `forward` has returned for a batch of one; None is the start of a text."""

    @abstractmethod
    def state(self) -> Any:
        """A copy of the state, as `forward` takes it."""


class Linear:
    """W x + b, made ready: one product of (x, 1) and a matrix of W's columns and, as its last row, b.

    NumPy multiplies a tall matrix faster so: (888, 192) takes 11 microseconds in the place of 19.

    Args:
        weight: (rows, columns).
        bias: (rows,), or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        columns = weight.t()
        self.matrix = copied(columns if bias is None else torch.cat([columns, bias[None]]))
        self.size = weight.shape[0]

    def of(self, x_and_1: Array, y: Array) -> Call:
        """What writes W x + b (rows,) into y.

        Args:
            x_and_1: (columns + 1,) from `with_1`.
            y: (rows,).
        """
        return partial(x_and_1[: len(self.matrix)].dot, self.matrix, y)


def linear(layer: nn.Linear, centre: bool = False, factor: float = 1.0) -> Linear:
    """A linear layer, made ready.

    Args:
        layer: the layer.
        centre: whether the mean of its output is taken away.
        factor: of the vector that it reads.
    """
    weight = layer.weight * factor
    bias: Tensor | None = layer.bias
    if centre:
        weight = weight - weight.mean(dim=0)
        bias = None if bias is None else bias - bias.mean()
    return Linear(weight, bias)


def scaled_parts(
    weight: Tensor, bias: Tensor | None, factors: list[float], shifts: list[float] | None = None
) -> Linear:
    """A linear map whose rows, in as many equal parts as there are factors, are multiplied by them, then shifted."""

    def spread(numbers: list[float]) -> Tensor:
        return torch.tensor(numbers).repeat_interleave(weight.shape[0] // len(numbers))

    by = spread(factors)
    bias = None if bias is None else bias * by
    if shifts is not None:
        bias = spread(shifts) + (0 if bias is None else bias)
    return Linear(weight * by[:, None], bias)


class Norm:
    """`nn.LayerNorm`, made ready.

    Args:
        norm: the layer.
        folded: leave its gain and bias out; the linear layer behind it has taken them in (`after_norm`).
    """

    def __init__(self, norm: nn.LayerNorm, folded: bool = False) -> None:
        self.eps = norm.eps
        self.gain = None if folded else copied(norm.weight)
        self.bias = None if folded or norm.bias is None else copied(norm.bias)

    def of(self, x: Array, y: Array, centred: bool) -> list[Call]:
        """What normalises x (C,) into y (C,).

        Args:
            x: takes its own mean away, unless it is `centred`, which every later norm would do anyway.
            y: another buffer.
            centred: whether the mean of x is zero already.
        """
        calls = [] if centred else centring(x)
        calls.append(_normalising(x, y, self.eps))
        if self.gain is not None:
            calls.append(partial(np.multiply, y, self.gain, y))
        if self.bias is not None:
            calls.append(partial(np.add, y, self.bias, y))
        return calls


def centring(x: Array) -> list[Call]:
    """What takes the mean of x away from it."""
    mean, mean_of = zeros(), zeros(len(x)) + np.float32(1 / len(x))
    return [partial(x.dot, mean_of, mean), partial(np.subtract, x, mean, x)]


def _normalising(x: Array, y: Array, eps: float) -> Call:
    """What divides a centred x by its standard deviation."""
    factor, root, of_eps, dot = zeros(), math.sqrt(len(x)), len(x) * eps, x.dot

    def normalise(sqrt: Callable[[float], float] = math.sqrt, multiply: np.ufunc = np.multiply) -> None:
        factor[()] = root / sqrt(float(dot(x)) + of_eps)
        multiply(x, factor, y)

    return normalise


def after_norm(norm: nn.Module, weight: Tensor, bias: Tensor | None, factor: float = 1.0) -> Linear:
    """A linear layer, times a factor, with the gain and bias of the norm before it taken in."""
    if isinstance(norm, nn.LayerNorm):
        if norm.bias is not None:
            bias = weight @ norm.bias + (0 if bias is None else bias)
        weight = weight * norm.weight
    return Linear(weight * factor, None if bias is None else bias * factor)


def sigmoid_of_half(x: Array) -> list[Call]:
    """What turns x into sigmoid(2 x), in place. The halves are in the weights; unlike exp, tanh cannot overflow."""
    return [partial(np.tanh, x, x), *half_of_1_more(x)]


def half_of_1_more(x: Array) -> list[Call]:
    """What turns tanh(x) into sigmoid(2 x), in place."""
    return [partial(np.add, x, ONE, x), partial(np.multiply, x, HALF, x)]
