"""What a GPU computes, compared with what it ought to be. Uninitialised memory holds NaN all the while."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from minrnn.bench.gpu_plan import Plan, Row
from minrnn.bench.gpu_training import begun
from minrnn.bench.random_text import VOCAB
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.models.graph import captured
from minrnn.presets import get
from minrnn.scan import linear_scan, mingru_scan, minlstm_scan, reference
from minrnn.train import Iter

Scan = Callable[..., Tensor]
LIMITS = {torch.float32: (1e-4, 1e-4), torch.bfloat16: (1e-4, 2e-2)}
"""Largest errors of states and gradients. Gradients of bfloat16 inputs are bfloat16, with three digits."""
BATCH = 2


@dataclass(frozen=True)
class Form:
    """A scan, its definition, and how many (B, T, C) inputs it has."""

    scan: Scan
    definition: Scan
    inputs: int


def _mingru(k: Tensor, v: Tensor, h0: Tensor, reach: int) -> Tensor:
    z = torch.sigmoid(reach * k)
    g = torch.where(v >= 0, v + 0.5, torch.sigmoid(v))
    return reference.linear_scan(1 - reach * z, z * g, h0)


def _minlstm(forget: Tensor, input: Tensor, v: Tensor, h0: Tensor, reach: int) -> Tensor:
    k = torch.sigmoid(input).log() - torch.sigmoid(forget).log()
    return _mingru(k, v, h0, reach)


FORMS = {
    "linear": Form(linear_scan, reference.linear_scan, 2),
    "minGRU": Form(mingru_scan, partial(_mingru, reach=1), 2),
    "minLSTM": Form(minlstm_scan, partial(_minlstm, reach=1), 3),
    "signed minGRU": Form(partial(mingru_scan, signed=True), partial(_mingru, reach=2), 2),
    "signed minLSTM": Form(partial(minlstm_scan, signed=True), partial(_minlstm, reach=2), 3),
}


def scans(plan: Plan) -> Iterator[Row]:
    """States and gradients of every form, in both dtypes and by both backends, over odd and even lengths."""
    with poisoned():
        for backend in ("triton", "passes"):
            for name in FORMS:
                for dtype in LIMITS:
                    yield from _errors(plan, name, backend, dtype)


def _errors(plan: Plan, name: str, backend: str, dtype: torch.dtype) -> Iterator[Row]:
    sizes = [(time, plan.channels[0]) for time in plan.lengths]
    sizes += [(plan.lengths[-1], channels) for channels in plan.channels[1:]]
    found = [_error(FORMS[name], backend, _inputs(name, *size, dtype, plan.device)) for size in sizes]
    what = f"{name}, {backend}, {str(dtype).removeprefix('torch.')}"
    for part, errors, limit in zip(
        ("states", "gradients"), zip(*found, strict=True), LIMITS[dtype], strict=True
    ):
        worst = max(errors, key=lambda error: error if error == error else float("inf"))
        yield Row(f"{what}: {part}", worst, "error", limit, at_most=True)


def _inputs(name: str, time: int, channels: int, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    """Inputs of a form, then h0, the same on every device; decays of a linear scan hold -1, 0 and 1, too."""
    generator = torch.Generator().manual_seed(time)
    drawn = [torch.randn(BATCH, time, channels, generator=generator) for _ in range(FORMS[name].inputs)]
    if name == "linear":
        drawn[0] = drawn[0].tanh()
        drawn[0][..., 0], drawn[0][:, ::2, 1], drawn[0][:, ::3, 2] = -1, 0, 1
    drawn.append(torch.randn(BATCH, channels, generator=generator))
    return [x.to(device, dtype).requires_grad_() for x in drawn]


def _error(form: Form, backend: str, inputs: list[Tensor]) -> tuple[float, float]:
    """Largest error of the states and of all gradients, that of h0 included, against float64."""
    exact = [x.detach().double().requires_grad_() for x in inputs]
    got = _with_gradients(partial(form.scan, backend=backend), inputs)
    wanted = _with_gradients(form.definition, exact)
    states, *gradients = (_distance(one, other) for one, other in zip(got, wanted, strict=True))
    return states, max(gradients, key=lambda error: error if error == error else float("inf"))


def _with_gradients(scan: Scan, inputs: list[Tensor]) -> list[Tensor]:
    h = scan(*inputs)
    weights = torch.randn(h.shape, generator=torch.Generator().manual_seed(0)).to(h)
    return [h.detach(), *torch.autograd.grad((h * weights).sum(), inputs)]


def _distance(got: Tensor, wanted: Tensor) -> float:
    """The largest difference, as a share of the largest number where that is above 1."""
    return ((got.double() - wanted).abs().max() / wanted.abs().max().clamp(min=1)).item()


@contextmanager
def poisoned() -> Iterator[None]:
    """Let uninitialised memory hold NaN, as torch fills it while algorithms are deterministic."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def waits(plan: Plan) -> Iterator[Row]:
    """How often the processor waits for the card in an iter, besides the readings of loss and gradient norm."""
    events = begun(plan, MODEL_NAMES[0])
    iters = [next(events)]
    with warnings.catch_warnings(record=True) as caught, told_of_waits(plan):
        warnings.simplefilter("always")
        iters += [next(events) for _ in range(plan.iters)]
    count = sum("synchroniz" in str(warning.message) for warning in caught)
    readings = _readings(iters)
    yield Row(
        "waits in an iter, beyond the readings",
        max(0, count - readings) / plan.iters,
        "an iter",
        0.0,
        at_most=True,
        note=f"{count} waits and {readings} readings in {plan.iters} iters",
    )


def _readings(iters: list[Iter]) -> int:
    """Readings after the first iter's: iters that are read together have the same share of the time."""
    return sum(one.iter_seconds != other.iter_seconds for one, other in pairwise(iters))


@contextmanager
def told_of_waits(plan: Plan) -> Iterator[None]:
    """Let CUDA warn of every call that waits."""
    if plan.device.type != "cuda":
        yield
        return
    torch.cuda.set_sync_debug_mode("warn")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def graphs(plan: Plan) -> Iterator[Row]:
    """Logits of a graph of the step, beside those of `forward`, over some characters."""
    for name in MODEL_NAMES:
        model = LanguageModel(replace(get(plan.preset, name).model, vocab=VOCAB)).to(plan.device).eval()
        with torch.inference_mode():
            _, state = model(torch.tensor([[1, 2, 3]], device=plan.device))
            steps = captured(model, state, plan.graph)
            if steps is None:
                yield Row(
                    f"{name}: a graph's logits", None, note="its cache grows; it writes through forward"
                )
                continue
            worst = 0.0
            for token in range(8):
                logits, state = model(torch.tensor([[token]], device=plan.device), state)
                worst = max(worst, _distance(torch.from_numpy(steps(token)), logits[0, -1].double().cpu()))
        yield Row(f"{name}: a graph's logits", worst, "error", 1e-3, at_most=True)
