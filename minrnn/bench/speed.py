"""Speed and memory, measured side by side in one run: absolute times on a shared machine mean little, ratios do.

python -m minrnn bench          models and the scan
python -m minrnn bench --app    the app: `bench start`
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from minrnn import checkpoint, presets
from minrnn.bench import start
from minrnn.config import Sampling
from minrnn.corpora import own
from minrnn.errors import MinrnnError
from minrnn.generate import Chunk, interleave, stream
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.scan import linear_scan, logspace, reference
from minrnn.train import Iter, begin, train

ROUNDS = 5
SCAN_SHAPES = ((64, 100, 128), (32, 256, 256), (16, 1024, 384))
VOCAB = "\n" + "".join(chr(code) for code in range(32, 96))


@dataclass(frozen=True)
class Bench:
    """Measure this machine.

    Attributes:
        app: measure the app's start instead of the models.
        threads: CPU threads of training and scan; decoding always has one.
    """

    app: bool = False
    threads: int = 1


def run(flags: Bench) -> Iterator[str]:
    """Lines of a report."""
    if flags.app:
        yield from start.lines(start.StartFlags())
        return
    yield from (*model_lines(flags.threads), *scan_lines(flags.threads))


def model_lines(threads: int) -> Iterator[str]:
    """Decoding and training rate of every base model, as characters a second and as a ratio to the fastest."""
    written = decode_rates({name: _base(name) for name in MODEL_NAMES})
    trained = _train_rates(threads)
    yield "| base model | decoding, characters/s | of the fastest | training, characters/s | of the fastest |"
    yield "|---|---|---|---|---|"
    for name in MODEL_NAMES:
        write, train = written[name], trained[name]
        shares = write / max(written.values()), train / max(trained.values())
        yield f"| {name} | {write:,.0f} | {shares[0]:.2f} | {train:,.0f} | {shares[1]:.2f} |"


def scan_lines(threads: int) -> Iterator[str]:
    """Forward and backward of the scan, in milliseconds, beside the loop and the log-space form."""
    torch.set_num_threads(threads)
    yield ""
    yield "| scan, forward + backward, (B, T, C) | ours, ms | loop / ours | log-space / ours |"
    yield "|---|---|---|---|"
    for shape in SCAN_SHAPES:
        ours, loop, logs = scan_times(shape)
        yield f"| {shape} | {ours * 1000:.1f} | {loop / ours:.1f} | {logs / ours:.1f} |"


def decode_rates(models: dict[str, LanguageModel], tokens: int = 500) -> dict[str, float]:
    """Characters a second of several models that write in turn, on one thread."""
    torch.set_num_threads(1)
    sampling = Sampling(max_new_tokens=tokens)
    last: dict[str, Chunk] = {}
    for name, chunk in interleave({name: stream(model, "\n", sampling) for name, model in models.items()}):
        last[name] = chunk
    return {name: chunk.tokens_per_s for name, chunk in last.items()}


def scan_times(shape: tuple[int, int, int]) -> tuple[float, float, float]:
    """Median seconds of our scan, the loop and the log-space form, taken in turn."""
    torch.manual_seed(0)
    gate = torch.randn(shape).sigmoid()
    inputs = torch.rand(shape) + 0.1
    forms: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
        linear_scan,
        reference.linear_scan,
        logspace.linear_scan,
    )
    times: list[list[float]] = [[] for _ in forms]
    for _ in range(ROUNDS + 1):
        for form, taken in zip(forms, times, strict=True):
            taken.append(_forward_and_backward(form, gate, inputs))
    ours, loop, logs = (statistics.median(taken[1:]) for taken in times)
    return ours, loop, logs


def _forward_and_backward(form: Callable[[Tensor, Tensor], Tensor], gate: Tensor, inputs: Tensor) -> float:
    a, b = gate.clone().requires_grad_(), inputs.clone().requires_grad_()
    started = time.perf_counter()
    form(a, b).sum().backward()
    return time.perf_counter() - started


def _base(name: str) -> LanguageModel:
    """The bundled base model, or one of its shape with random weights: the speed is the same."""
    try:
        return checkpoint.load(checkpoint.bundled("base", name)).model
    except MinrnnError:
        return LanguageModel(replace(presets.get("base", name).model, vocab=VOCAB)).eval()


def _train_rates(threads: int) -> dict[str, float]:
    """Characters a second of training, the models' iters taken in turn."""
    torch.set_num_threads(threads)
    runs = {name: _iters(name) for name in MODEL_NAMES}
    times: dict[str, list[float]] = {name: [] for name in MODEL_NAMES}
    chars = {}
    for _ in range(ROUNDS + 1):
        for name, iters in runs.items():
            event = next(iters)
            times[name].append(event.iter_seconds)
            chars[name] = event.tokens / event.iter
    return {name: chars[name] / statistics.median(taken[1:]) for name, taken in times.items()}


def _iters(name: str) -> Iterator[Iter]:
    """The iters of a training of a base model on made-up text, one at a time."""
    preset = presets.get("base", name)
    recipe = replace(preset.train, eval_interval=0, sample_interval=0)
    text = "".join(random.Random(0).choices(VOCAB, k=200_000))
    state = begin(LanguageModel(replace(preset.model, vocab=VOCAB)), recipe)
    yield from (event for event in train(state, own.from_text(text), recipe) if isinstance(event, Iter))
