"""Speed of the scan on a GPU, beside a copy of as many bytes, and beside other people's scans."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from minrnn.bench.gpu_plan import Plan, Row, Shape, seconds
from minrnn.scan import linear_scan

MEASURED = (
    ("linear", "LINEAR", 2, torch.float32),
    ("minGRU", "MINGRU", 2, torch.float32),
    ("minGRU", "MINGRU", 2, torch.bfloat16),
    ("minLSTM", "MINLSTM", 3, torch.bfloat16),
)
"""Title, form, inputs and their dtype. The states are float32 in any case."""
PEERS = ("accelerated_scan.warp", "accelerated_scan.scalar", "accelerated_scan.triton")
"""Modules with a function `scan(gates, tokens)` of (B, C, T) tensors; which there are depends on the version."""
PEER_GOAL = 1.3
BLOCKS, PROGRAMS = (64, 128, 256), (1024, 2048, 4096, 8192)
"""Settings of the Triton backend that are tried."""


def bandwidth(plan: Plan) -> Iterator[Row]:
    """Forward and backward of every form, as a share of the bandwidth of a copy."""
    for shape, goal in plan.shapes:
        for title, form, count, dtype in MEASURED:
            for way, (run, moved) in _runs(shape, form, count, dtype, plan.device).items():
                taken, copied = seconds(run, plan), seconds(_copy(moved, plan.device), plan)
                yield Row(
                    f"{title} {str(dtype).removeprefix('torch.')}, {way}, {shape}",
                    copied / taken,
                    "of copy",
                    goal,
                    note=f"{taken * 1e3:.3f} ms, {moved / taken / 1e9:,.0f} GB/s",
                )


def _runs(
    shape: Shape, form: str, count: int, dtype: torch.dtype, device: torch.device
) -> dict[str, tuple[Callable[[], object], int]]:
    """Of each direction: what runs it, and the fewest bytes that it can move."""
    backend = triton()
    inputs, h0 = _drawn(shape, count, dtype, device), torch.zeros(shape[0], shape[2], device=device)
    kind = getattr(backend, form)
    h = backend.scan(inputs, h0, kind, 1)
    grad = torch.ones_like(h)
    size, states = sum(x.nbytes for x in inputs), h.nbytes
    return {
        "forward": (lambda: backend.scan(inputs, h0, kind, 1), size + states),
        "backward": (lambda: backend.scan_backward(grad, inputs, h, h0, kind, 1), 2 * size + 2 * states),
    }


def triton() -> Any:
    """The Triton backend's module, imported when it is used."""
    return importlib.import_module("minrnn.scan.triton")


def _drawn(shape: Shape, count: int, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    return [torch.rand(shape, device=device).to(dtype) for _ in range(count)]


def _copy(moved: int, device: torch.device) -> Callable[[], object]:
    """A copy that reads half of so many bytes and writes the other half."""
    source = torch.zeros(max(1, moved // 8), device=device)
    into = torch.empty_like(source)
    return lambda: into.copy_(source)


def peers(plan: Plan) -> Iterator[Row]:
    """Forward and backward of the linear scan beside other people's, which want (B, C, T)."""
    found = {name: scan for name in PEERS if (scan := _peer(name)) is not None}
    if not found:
        yield Row(
            "beside accelerated-scan",
            None,
            note="not installed, or not for this card: pip install --no-deps -r requirements-bench.txt",
        )
    for shape, _ in plan.shapes:
        for name, scan in found.items():
            yield _beside(plan, shape, name, scan)


def _beside(plan: Plan, shape: Shape, name: str, scan: Callable[..., Tensor]) -> Row:
    ours = _both_ways(linear_scan, shape, plan.device)
    theirs = _both_ways(scan, (shape[0], shape[2], shape[1]), plan.device)
    what = f"{name}'s time / ours, linear float32, forward + backward, {shape}"
    try:
        taken = seconds(theirs, plan)
    except Exception as error:  # another version, a length that it does not take
        return Row(what, None, note=f"{type(error).__name__}: {error}")
    return Row(what, taken / seconds(ours, plan), "times", PEER_GOAL, note=f"theirs {taken * 1e3:.3f} ms")


def _both_ways(scan: Callable[..., Tensor], shape: Shape, device: torch.device) -> Callable[[], object]:
    a, b = (torch.rand(shape, device=device, requires_grad=True) for _ in range(2))
    grad = torch.ones(shape, device=device)
    return lambda: torch.autograd.grad(scan(a, b), (a, b), grad)


def _peer(name: str) -> Callable[..., Tensor] | None:
    try:
        found: Callable[..., Tensor] = importlib.import_module(name).scan
    except Exception:  # not installed, or its kernel cannot be built here
        return None
    return found


def settings(plan: Plan) -> Iterator[Row]:
    """The best settings of the Triton backend on this card. They are estimates until somebody has looked here."""
    for shape, _ in plan.shapes:
        with _restored():
            times = dict(_times(plan, shape))
        best = min(times, key=lambda setting: times[setting])
        backend = triton()
        yield Row(
            f"settings for {shape}",
            times[backend.BLOCK, backend.PROGRAMS] / times[best],
            "times as fast",
            note=f"with BLOCK {best[0]} and PROGRAMS {best[1]}, the best of {len(times)}, than with "
            f"{backend.BLOCK} and {backend.PROGRAMS}; minGRU bfloat16, forward",
        )


def _times(plan: Plan, shape: Shape) -> Iterator[tuple[tuple[int, int], float]]:
    backend = triton()
    now = (backend.BLOCK, backend.PROGRAMS)
    for setting in {*itertools.product(BLOCKS, PROGRAMS), now}:
        backend.BLOCK, backend.PROGRAMS = setting
        run, _ = _runs(shape, "MINGRU", 2, torch.bfloat16, plan.device)["forward"]
        yield setting, seconds(run, plan)


@contextmanager
def _restored() -> Iterator[None]:
    backend = triton()
    before = (backend.BLOCK, backend.PROGRAMS)
    try:
        yield
    finally:
        backend.BLOCK, backend.PROGRAMS = before
