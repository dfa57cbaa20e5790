"""Inputs of the scan tests, the gates as plain formulas, and the comparison of values and gradients."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from minrnn.scan import linear_scan, mingru_scan, minlstm_scan, reference

Scan = Callable[..., Tensor]


def draw(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Normal numbers, the same in every dtype, as a leaf."""
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return numbers.to(dtype).requires_grad_()


def decay_and_input(time: int, dtype: torch.dtype = torch.float64, batch: int = 3) -> list[Tensor]:
    """a in [-1, 1] with exact -1, 0 and 1 among them, b and h0, five channels, as leaves."""
    a = draw(batch, time, 5, seed=1).detach().tanh()
    a[..., 1], a[:, ::2, 2], a[:, ::3, 3], a[:, 1::2, 4] = 1, -1, 0, -1
    leaf = a.to(dtype).requires_grad_()
    return [leaf, draw(batch, time, 5, dtype=dtype, seed=2), draw(batch, 5, dtype=dtype, seed=3)]


def gates(count: int, time: int, dtype: torch.dtype = torch.float64, batch: int = 3) -> list[Tensor]:
    """`count` logits for every gate or candidate, then h0, as leaves."""
    logits = [draw(batch, time, 5, dtype=dtype, seed=n) for n in range(count)]
    return [*logits, draw(batch, 5, dtype=dtype, seed=77)]


def plain_mingru(gate: Tensor, candidate: Tensor, h0: Tensor, signed: bool = False) -> Tensor:
    """The formulas of `mingru_scan`'s docstring."""
    z = torch.sigmoid(2 * gate if signed else gate)
    decay = -torch.tanh(gate) if signed else 1 - z
    return reference.linear_scan(decay, z * plain_g(candidate), h0)


def plain_minlstm(
    forget: Tensor, input: Tensor, candidate: Tensor, h0: Tensor, signed: bool = False
) -> Tensor:
    """The formulas of `minlstm_scan`'s docstring."""
    f, i = torch.sigmoid(forget), torch.sigmoid(input)
    if signed:
        total = f * f + i * i
        return reference.linear_scan((f * f - i * i) / total, i * i / total * plain_g(candidate), h0)
    return reference.linear_scan(f / (f + i), i / (f + i) * plain_g(candidate), h0)


def plain_g(v: Tensor) -> Tensor:
    """g as the paper writes it."""
    return torch.where(v >= 0, v + 0.5, torch.sigmoid(v))


FORMS: dict[str, tuple[Scan, Scan, Callable[..., list[Tensor]]]] = {
    "linear": (linear_scan, reference.linear_scan, decay_and_input),
    "minGRU": (mingru_scan, plain_mingru, partial(gates, 2)),
    "minLSTM": (minlstm_scan, plain_minlstm, partial(gates, 3)),
    "signed minGRU": (
        partial(mingru_scan, signed=True),
        partial(plain_mingru, signed=True),
        partial(gates, 2),
    ),
    "signed minLSTM": (
        partial(minlstm_scan, signed=True),
        partial(plain_minlstm, signed=True),
        partial(gates, 3),
    ),
}
"""Of each form: the scan, its definition, and a function of (time, dtype, batch) that draws its inputs."""


def output_and_gradients(scan: Scan, inputs: list[Tensor]) -> list[Tensor]:
    """What the scan returns, and the gradient of a random projection of it for every input."""
    h = scan(*inputs)
    weights = draw(*h.shape, seed=9).detach().to(h.dtype)
    return [h.detach(), *torch.autograd.grad((h * weights).sum(), inputs)]


def assert_same(scan: Scan, expected: Scan, inputs: list[Tensor], tolerance: float = 1e-10) -> None:
    """Compare values and gradients."""
    pairs = zip(output_and_gradients(scan, inputs), output_and_gradients(expected, inputs), strict=True)
    for got, wanted in pairs:
        torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance)


def assert_bfloat16_is_computed_in_float32(scan: Scan, inputs: list[Tensor]) -> None:
    """Compare bfloat16 inputs with the same numbers in float32; gradients come back in bfloat16."""
    narrow = [x.detach().bfloat16().requires_grad_() for x in inputs]
    wide = [x.detach().float().requires_grad_() for x in narrow]
    h, *grads = output_and_gradients(scan, narrow)
    exact, *exact_grads = output_and_gradients(scan, wide)
    assert h.dtype == torch.float32 and {g.dtype for g in grads} == {torch.bfloat16}
    torch.testing.assert_close(h, exact, rtol=1e-5, atol=1e-5)
    for got, wanted in zip(grads, exact_grads, strict=True):
        torch.testing.assert_close(got.float(), wanted, rtol=2e-2, atol=2e-2)
