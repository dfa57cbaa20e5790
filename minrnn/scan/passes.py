"""The scan in at most 2 log2(T) passes of plain torch, for any device torch knows: CUDA, MPS, XPU, CPU.

Two neighbouring steps make one: h -> a h + b and then h -> a' h + b' is h -> (a' a) h + (a' b + b'). The
sweep up joins pairs, pairs of pairs and so on; then the last step of each block of 2^n steps holds what
the block does to a zero state. The sweep down gives each block the state before it. Eight steps:

    up      01  23  45  67        each joins its left half into the last step of its right half
              0123    4567
                  01234567
    down          4 5             step 5 receives step 3
            2   4   6             steps 2, 4 and 6 receive steps 1, 3 and 5

Each pass is one multiply-add over rows a fixed distance apart, in place. A scan writes about 2 T rows, as
the loop writes T, and needs one copy of `a` beside its output. Any T >= 1 will do. Products of decays
in [-1, 1] stay in [-1, 1], so nothing overflows. The passes have been checked on a CPU only; their speed
on other devices has not been measured.

Source: Brent & Kung 1982, "A regular layout for parallel adders"; Blelloch 1990, section 1.4.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from minrnn.scan.adjoint import Solver


def _forwards(a: Tensor, b: Tensor, h0: Tensor, overwrite: bool) -> Tensor:
    """(B, T, C) states from decay, input and the (B, C) state before them."""
    h = b if overwrite else b.clone(memory_format=torch.contiguous_format)
    h[:, 0].addcmul_(a[:, 0], h0.to(h.dtype))
    scratch = a.clone(memory_format=torch.contiguous_format)
    for right, left, up in _passes(h.shape[1]):
        _join(scratch, h, right, left, up)
    return h


def _backwards(a: Tensor, grad_h: Tensor) -> Tensor:
    """(B, T, C) adjoint of the states: the same passes with left and right exchanged, and a_{t+1} for a_t."""
    adjoint = grad_h.to(a.dtype, copy=True, memory_format=torch.contiguous_format)
    scratch = a.roll(-1, dims=1)
    time = adjoint.shape[1]
    for right, left, up in _passes(time):
        _join(scratch, adjoint, _mirrored(right, time), _mirrored(left, time), up)
    return adjoint


def _join(a: Tensor, h: Tensor, into: range, source: range, up: bool) -> None:
    """Let the steps `into` follow the steps `source`; on the way up, their decays multiply."""
    here, there = _slice(into), _slice(source)
    h[:, here].addcmul_(a[:, here], h[:, there])
    if up:
        a[:, here].mul_(a[:, there])


def _passes(time: int) -> Iterator[tuple[range, range, bool]]:
    """Of each pass: the steps that are written, the steps they follow, and whether it leads up."""
    spans = [1 << n for n in range((time - 1).bit_length())]
    up = [(range(2 * span - 1, time, 2 * span), span, True) for span in spans]
    down = [(range(3 * span - 1, time, 2 * span), span, False) for span in reversed(spans)]
    for into, span, leads_up in up + down:
        if into:
            yield into, range(into.start - span, into[-1] - span + 1, into.step), leads_up


def _mirrored(steps: range, time: int) -> range:
    """The same steps counted from the other end."""
    return range(time - 1 - steps[-1], time - steps.start, steps.step)


def _slice(steps: range) -> slice:
    return slice(steps.start, steps[-1] + 1, steps.step)


BACKEND = Solver(_forwards, _backwards)
