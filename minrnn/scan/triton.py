"""The scan as fused Triton kernels: gates, recurrence and gradients in one pass over memory each.

A program walks a stretch of time for a block of channels, with the state in registers. Where (B, C) is too
small to fill a card, time is split into chunks, in three stages:

    summaries   each chunk, from a zero state: the product of its decays, and its last state
    carries     the states between chunks: a scan of the summaries, split again where it is long itself
    replay      each chunk again, from its carry, now writing every state

Backwards in time the carry of a chunk is mu = a_t * lambda_t at the first step t of the chunk after it, so
that lambda_t = g_t + mu, and the last mu of all is dL/dh_0. `adjoint` has the formulas.

Loads may be bfloat16; the arithmetic is float32 (float64 for float64 inputs). No gate is written to memory:
with s bytes a value minGRU reads 2 s and writes one state; chunks read the inputs once more.

Not measured: these kernels compile for compute capability 9.0, but have run in Triton's interpreter
only, on a CPU. Their results and their speed on a card are unknown, and BLOCK, MIN_CHUNK, PROGRAMS and the
number of warps are estimates.

Source: Martin & Cundy 2018, arXiv 1709.04057, section 2.2 (the three stages); Feng et al. 2024,
arXiv 2410.01201 (the gates).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from minrnn.scan import kernels

BLOCK = 128
"""Most channels of a program."""
MIN_CHUNK = 64
"""Fewest steps of a chunk: a shorter one costs more in summaries than it brings."""
PROGRAMS = 2048
"""Programs that fill a large card: about 16 for each of its 132 multiprocessors."""

LINEAR, MINGRU, MINLSTM = 0, 1, 2
"""What the inputs are: (a, b), (gate, candidate) or (forget, input, candidate)."""


class Kernels:
    """The backend that `minrnn.scan` calls."""

    def linear_scan(self, a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        """States of h_t = a_t * h_{t-1} + b_t."""
        return _apply([a, b], h0, LINEAR, 1)

    def mingru_scan(self, gate: Tensor, candidate: Tensor, h0: Tensor, reach: int) -> Tensor:
        """States of minGRU, whose decay is 1 - reach * z."""
        return _apply([gate, candidate], h0, MINGRU, reach)

    def minlstm_scan(
        self, forget: Tensor, input: Tensor, candidate: Tensor, h0: Tensor, reach: int
    ) -> Tensor:
        """States of minLSTM with gates that sum to one."""
        return _apply([forget, input, candidate], h0, MINLSTM, reach)


BACKEND = Kernels()


def _apply(inputs: list[Tensor], h0: Tensor, form: int, reach: int) -> Tensor:
    h: Tensor = scan(inputs, h0, form, reach)
    return h


@torch.library.custom_op("minrnn::scan", mutates_args=())
def scan(inputs: list[Tensor], h0: Tensor, form: int, reach: int) -> Tensor:
    """Solve the recurrence of one form.

    Args:
        inputs: two or three (B, T, C) tensors, as `form` says.
        h0: (B, C) state before the first step.
        form: LINEAR, MINGRU or MINLSTM.
        reach: the decay of the gated forms is 1 - reach * z.

    Returns:
        (B, T, C) the states h_1 .. h_T, float32 (float64 for float64 inputs).
    """
    rows = _same_strides(inputs)
    start = h0.to(_wide(rows[-1])).contiguous()
    with torch.cuda.device_of(h0):
        return _states(rows, start, form, reach)


@torch.library.custom_op("minrnn::scan_backward", mutates_args=())
def scan_backward(
    grad_h: Tensor, inputs: list[Tensor], h: Tensor, h0: Tensor, form: int, reach: int
) -> list[Tensor]:
    """The gradients of `scan`: (B, T, C) for each input, in its dtype, then (B, C) for h0, in that of `h`."""
    rows = _same_strides(inputs)
    start = h0.to(h.dtype).contiguous()
    with torch.cuda.device_of(h):
        return _gradients(grad_h.to(h.dtype).contiguous(), rows, h.contiguous(), start, form, reach)


@scan.register_fake
def _(inputs: list[Tensor], h0: Tensor, form: int, reach: int) -> Tensor:
    return inputs[-1].new_empty(inputs[-1].shape, dtype=_wide(inputs[-1]))


@scan_backward.register_fake
def _(grad_h: Tensor, inputs: list[Tensor], h: Tensor, h0: Tensor, form: int, reach: int) -> list[Tensor]:
    return [*(x.new_empty(x.shape) for x in inputs), h.new_empty(h0.shape)]


def _save(ctx: Any, inputs: tuple[list[Tensor], Tensor, int, int], output: Tensor) -> None:
    given, h0, ctx.form, ctx.reach = inputs
    ctx.save_for_backward(*given, output, h0)


def _backward(ctx: Any, grad_h: Tensor) -> tuple[list[Tensor], Tensor, None, None]:
    *given, h, h0 = ctx.saved_tensors
    *grads, grad_h0 = scan_backward(grad_h, given, h, h0, ctx.form, ctx.reach)
    return grads, grad_h0, None, None


scan.register_autograd(_backward, setup_context=_save)


def _states(inputs: list[Tensor], h0: Tensor, form: int, reach: int) -> Tensor:
    """(B, T, C) states; in chunks where they pay."""
    batch, time, channels = inputs[0].shape
    chunk = _chunk(batch, time, channels)
    carries = h0.unsqueeze(1)
    if chunk < time:
        products, ends = _summaries(inputs, None, chunk, form, reach)
        carries = torch.cat([carries, _states([products, ends], h0, LINEAR, 1)[:, :-1]], dim=1)
    h = torch.empty((batch, time, channels), dtype=h0.dtype, device=h0.device)
    _launch(kernels.states_kernel, inputs, chunk, form, reach, carries, h)
    return h


def _gradients(
    grad_h: Tensor, inputs: list[Tensor], h: Tensor, h0: Tensor, form: int, reach: int
) -> list[Tensor]:
    """A gradient for each input, then for h0; in chunks where they pay."""
    batch, time, channels = h.shape
    chunk = _chunk(batch, time, channels)
    carries = torch.zeros_like(h0).unsqueeze(1)
    if chunk < time:
        products, ends = (x.flip(1) for x in _summaries(inputs, grad_h, chunk, form, reach))
        after = _states([products, ends], carries[:, 0], LINEAR, 1).flip(1)
        carries = torch.cat([after[:, 1:], carries], dim=1)
    grads = [torch.empty_like(x, memory_format=torch.contiguous_format) for x in inputs]
    grad_h0 = torch.empty_like(h0)
    _launch(
        kernels.gradients_kernel, inputs, chunk, form, reach, carries, grad_h, h, h0, *_three(grads), grad_h0
    )
    return [*grads, grad_h0]


def _summaries(
    inputs: list[Tensor], grad_h: Tensor | None, chunk: int, form: int, reach: int
) -> tuple[Tensor, Tensor]:
    """(B, chunks, C) products and ends of the chunks: of the states, or of the adjoint if grad_h is given."""
    batch, time, channels = inputs[0].shape
    shape = (batch, _ceil(time, chunk), channels)
    products, ends = (inputs[0].new_empty(shape, dtype=_wide(inputs[-1])) for _ in range(2))
    if grad_h is None:
        _launch(kernels.state_summaries_kernel, inputs, chunk, form, reach, products, ends)
    else:
        _launch(kernels.adjoint_summaries_kernel, inputs, chunk, form, reach, grad_h, products, ends)
    return products, ends


def _launch(kernel: Any, inputs: list[Tensor], chunk: int, form: int, reach: int, *others: Tensor) -> None:
    """Run a kernel with one program for each chunk and block of channels."""
    batch, time, channels = inputs[0].shape
    block = min(BLOCK, 1 << (channels - 1).bit_length())
    grid = (batch * _ceil(time, chunk), _ceil(channels, block))
    strides = inputs[0].stride()[:2]
    sizes = (time, channels, chunk, *strides)
    wide = kernels.FLOAT64 if _wide(inputs[-1]) == torch.float64 else kernels.FLOAT32
    warps = max(1, block // 64)
    kernel[grid](*_three(inputs), *others, *sizes, form, reach, wide, block, num_warps=warps)


def _chunk(batch: int, time: int, channels: int) -> int:
    """Steps of a chunk: all of them where (B, C) alone fills a card or the text is short."""
    programs = batch * _ceil(channels, BLOCK)
    wanted = _ceil(PROGRAMS, programs)
    if wanted == 1 or time < 2 * MIN_CHUNK:
        return time
    return min(time, max(MIN_CHUNK, _ceil(time, wanted)))


def _same_strides(inputs: list[Tensor]) -> list[Tensor]:
    """The inputs as they are if one pair of strides serves all, such as the chunks of one product; else copies."""
    strides = {x.stride() for x in inputs}
    if len(strides) == 1 and inputs[0].stride(2) == 1:
        return inputs
    return [x.contiguous() for x in inputs]


def _three(tensors: list[Tensor]) -> list[Tensor]:
    """Three pointers for a kernel; the first one again where the form has two."""
    return tensors if len(tensors) == 3 else [*tensors, tensors[0]]


def _wide(x: Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def _ceil(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)
