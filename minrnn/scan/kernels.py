# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
"""The kernels of the Triton backend: what one program computes. `triton.py` says how they are put together.

`p`, `q` and `r` point to the inputs in their order; `at` is a program's row in them.
"""

from __future__ import annotations

import triton
import triton.language as tl

FLOAT32, FLOAT64 = tl.float32, tl.float64
"""What a kernel computes in."""
LENGTHS = ["T", "chunk"]
"""Numbers that no kernel is compiled anew for: texts have all lengths, and no address depends on them."""


@triton.jit(do_not_specialize=LENGTHS)
def states_kernel(
    p, q, r, carries, h, T, C, chunk, stride_b, stride_t,
    FORM: tl.constexpr, REACH: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Replay: every state of a chunk, from its carry."""
    row, batch, start, end, channel, live = _place(T, C, chunk, BLOCK)
    at = batch * stride_b + start * stride_t + channel
    out = (batch * T + start) * C + channel
    state = tl.load(carries + row * C + channel, mask=live, other=0)
    for _ in range(start, end):
        a, b = _decay_and_input(p, q, r, at, live, FORM, REACH, WIDE)
        state = a * state + b
        tl.store(h + out, state, mask=live)
        at += stride_t
        out += C


@triton.jit(do_not_specialize=LENGTHS)
def state_summaries_kernel(
    p, q, r, products, ends, T, C, chunk, stride_b, stride_t,
    FORM: tl.constexpr, REACH: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """The product of a chunk's decays, and its last state from a zero state."""
    row, batch, start, end, channel, live = _place(T, C, chunk, BLOCK)
    at = batch * stride_b + start * stride_t + channel
    product = tl.full([BLOCK], 1, WIDE)
    state = tl.zeros([BLOCK], WIDE)
    for _ in range(start, end):
        a, b = _decay_and_input(p, q, r, at, live, FORM, REACH, WIDE)
        product *= a
        state = a * state + b
        at += stride_t
    tl.store(products + row * C + channel, product, mask=live)
    tl.store(ends + row * C + channel, state, mask=live)


@triton.jit(do_not_specialize=LENGTHS)
def adjoint_summaries_kernel(
    p, q, r, grad_h, products, ends, T, C, chunk, stride_b, stride_t,
    FORM: tl.constexpr, REACH: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """The same of the adjoint, backwards in time."""
    row, batch, start, end, channel, live = _place(T, C, chunk, BLOCK)
    at = batch * stride_b + (end - 1) * stride_t + channel
    out = (batch * T + end - 1) * C + channel
    product = tl.full([BLOCK], 1, WIDE)
    mu = tl.zeros([BLOCK], WIDE)
    for _ in range(start, end):
        a = _decay(p, q, at, live, FORM, REACH, WIDE)
        product *= a
        mu = a * (tl.load(grad_h + out, mask=live, other=0) + mu)
        at -= stride_t
        out -= C
    tl.store(products + row * C + channel, product, mask=live)
    tl.store(ends + row * C + channel, mu, mask=live)


@triton.jit(do_not_specialize=LENGTHS)
def gradients_kernel(
    p, q, r, carries, grad_h, h, h0, grad_p, grad_q, grad_r, grad_h0, T, C, chunk, stride_b, stride_t,
    FORM: tl.constexpr, REACH: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Replay backwards: the gradients of a chunk, from its carry."""
    row, batch, start, end, channel, live = _place(T, C, chunk, BLOCK)
    at = batch * stride_b + (end - 1) * stride_t + channel
    out = (batch * T + end - 1) * C + channel
    first = batch * C + channel
    mu = tl.load(carries + row * C + channel, mask=live, other=0)
    for step in range(start, end):
        t = start + end - 1 - step
        before = tl.load(h + out - C, mask=channel < tl.where(t > 0, C, 0), other=0)
        before += tl.load(h0 + first, mask=channel < tl.where(t > 0, 0, C), other=0)
        adjoint = tl.load(grad_h + out, mask=live, other=0) + mu
        mu = _decay(p, q, at, live, FORM, REACH, WIDE) * adjoint
        if FORM == 0:
            tl.store(grad_p + out, adjoint * before, mask=live)
            tl.store(grad_q + out, adjoint, mask=live)
        else:
            z = _update(p, q, at, live, FORM, REACH, WIDE)
            v = _read(q if FORM == 1 else r, at, live, WIDE)
            grad_k = adjoint * REACH * z * (1 - z) * (_positive(v) - REACH * before)
            tl.store((grad_q if FORM == 1 else grad_r) + out, adjoint * z * _slope(v), mask=live)
            if FORM == 1:
                tl.store(grad_p + out, grad_k, mask=live)
            else:  # k = softplus(-forget) - softplus(-input)
                tl.store(grad_p + out, -grad_k * _sigmoid(-_read(p, at, live, WIDE)), mask=live)
                tl.store(grad_q + out, grad_k * _sigmoid(-_read(q, at, live, WIDE)), mask=live)
        at -= stride_t
        out -= C
    tl.store(grad_h0 + first, mu, mask=channel < tl.where(start > 0, 0, C))


@triton.jit
def _place(T, C, chunk, BLOCK: tl.constexpr):
    """Which chunk of which stream, from which step to which, and which channels, is this program's."""
    row = tl.program_id(0).to(tl.int64)
    chunks = tl.cdiv(T, chunk)
    start = (row % chunks) * chunk
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    return row, row // chunks, start, tl.minimum(start + chunk, T), channel, channel < C


@triton.jit
def _decay_and_input(p, q, r, at, live, FORM: tl.constexpr, REACH: tl.constexpr, WIDE: tl.constexpr):
    if FORM == 0:
        a = _read(p, at, live, WIDE)
        b = _read(q, at, live, WIDE)
    else:
        z = _update(p, q, at, live, FORM, REACH, WIDE)
        a = 1 - REACH * z
        b = z * _positive(_read(q if FORM == 1 else r, at, live, WIDE))
    return a, b


@triton.jit
def _decay(p, q, at, live, FORM: tl.constexpr, REACH: tl.constexpr, WIDE: tl.constexpr):
    return _read(p, at, live, WIDE) if FORM == 0 else 1 - REACH * _update(p, q, at, live, FORM, REACH, WIDE)


@triton.jit
def _update(p, q, at, live, FORM: tl.constexpr, REACH: tl.constexpr, WIDE: tl.constexpr):
    """z = sigmoid(reach k)."""
    k = _read(p, at, live, WIDE)
    if FORM == 2:
        k = _softplus(-k) - _softplus(-_read(q, at, live, WIDE))
    return _sigmoid(REACH * k)


@triton.jit
def _read(pointer, at, live, WIDE: tl.constexpr):
    return tl.load(pointer + at, mask=live, other=0).to(WIDE)


@triton.jit
def _sigmoid(x):
    small = tl.exp(-tl.abs(x))  # never overflows
    return tl.where(x >= 0, 1.0, small) / (1 + small)


@triton.jit
def _softplus(x):
    return tl.maximum(x, 0.0) + tl.log(1 + tl.exp(-tl.abs(x)))


@triton.jit
def _positive(v):
    return tl.where(v >= 0, v + 0.5, _sigmoid(v))


@triton.jit
def _slope(v):
    s = _sigmoid(v)
    return tl.where(v > 0, 1.0, s * (1 - s))
