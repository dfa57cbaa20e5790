"""Speed and memory, measured side by side in one run: absolute times on a shared machine mean little, ratios do.

python -m minrnn bench          models and the scan
python -m minrnn bench --app    the app: cold start, first character, memory
"""

from __future__ import annotations

import os
import random
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from minrnn import checkpoint, presets
from minrnn.config import Sampling
from minrnn.corpora import own
from minrnn.errors import MinrnnError
from minrnn.generate import Chunk, interleave, stream
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.scan import linear_scan, logspace, reference
from minrnn.train import Iter, begin, train

ROUNDS = 5
SCAN_SHAPES = ((64, 100, 128), (32, 256, 256), (16, 1024, 384))
APP_SECONDS = 120.0
GOING_ON = ("waiting", "running")
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
    yield from app_lines() if flags.app else (*model_lines(flags.threads), *scan_lines(flags.threads))


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


def app_lines() -> Iterator[str]:
    """Cold start to first page, memory of the idle app, first character after a request, writing beside a training."""
    port, runs = _free_port(), TemporaryDirectory()
    env = {**os.environ, "GRADIO_SERVER_PORT": str(port), "MINRNN_RUNS_DIR": runs.name}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=checkpoint.BUNDLED.parent, env=env, stdout=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(url, process), f"the app's answer at {url}")
        yield f"| cold start to first page | {time.perf_counter() - started:.1f} s |"
        yield f"| memory of the idle app | {_resident_mb(process.pid):,.0f} MB |"
        firsts = [_first_character(url) for _ in range(ROUNDS)]
        yield f"| first character after the click, median of {ROUNDS} | {statistics.median(firsts):.2f} s |"
        yield f"| writing while a run trains, of the idle rate | {_beside_training(url):.2f} |"
    finally:
        process.terminate()
        process.wait()
        runs.cleanup()


def _beside_training(url: str) -> float:
    """All models' writing rate while a base model trains, as a share of their rate before and after it."""
    from gradio_client import Client

    client = Client(url, verbose=False)
    before = _rate(client)
    started = client.predict(
        MODEL_NAMES[0], preset="base", corpus="python", max_iters=10_000, api_name="/train_start"
    )
    run, token = started["runs"][0], started["token"]

    def status() -> Mapping[str, Any]:
        found: Mapping[str, Any] = client.predict(run, token, api_name="/train_status")
        return found

    try:
        until(lambda: trains(status()), "the first iters of the training", pause=1)
        during = _rate(client)
    finally:
        with suppress(Exception):  # a run that has failed already says why above
            client.predict(run, token, api_name="/train_stop")
    until(lambda: status()["status"] not in GOING_ON, "the end of the training", pause=1)
    return during / statistics.mean([before, _rate(client)])


def trains(status: Mapping[str, Any]) -> bool:
    """Whether a run, as /train_status tells of it, has made its first iters.

    Raises:
        MinrnnError: if it has ended.
    """
    if status["status"] not in GOING_ON:
        raise MinrnnError(f"the training that is measured is {status['status']}: {status['problem']}")
    return bool(status["iter"] >= 2)


def until(ready: Callable[[], bool], what: str, seconds: float = APP_SECONDS, pause: float = 0.005) -> None:
    """Wait until something is ready, for so long and no longer.

    Raises:
        MinrnnError: if it is not ready in time, and whatever `ready` raises.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise MinrnnError(f"{what} did not come within {seconds:g} s; start the app by hand to see why.")
        time.sleep(pause)


def _rate(client: Any) -> float:
    """Characters a second of all models together, from request to end."""
    started = time.perf_counter()
    written = client.predict("ROMEO:", max_new_tokens=1500, api_name="/generate")
    return sum(len(text["text"]) for text in written.values()) / (time.perf_counter() - started)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether the app serves its page.

    Raises:
        MinrnnError: if its process has ended.
    """
    if (status := process.poll()) is not None:
        raise MinrnnError(f"the app ended with exit status {status}; start it by hand to see why.")
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _resident_mb(pid: int) -> float:
    """Resident memory of a process, from Linux's /proc."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _first_character(url: str) -> float:
    """Seconds from a request to the first snapshot in which every model has written something."""
    from gradio_client import Client  # comes with gradio; slow to import

    client = Client(url, verbose=False)
    started = time.perf_counter()
    job = client.submit("ROMEO:", max_new_tokens=50, api_name="/generate")
    until(lambda: all_wrote(job), "the first character of every model")
    return time.perf_counter() - started


def all_wrote(job: Any) -> bool:
    """Whether every model has written something, by the snapshots of a `gradio_client` job.

    Raises:
        MinrnnError: if the request has ended without it.
    """
    ended = job.done()  # asked first: what it wrote until then is in the snapshots
    if any(all(text["text"] for text in snapshot.values()) for snapshot in job.outputs()):
        return True
    if ended:
        raise MinrnnError(f"the request ended before every model had written ({job.exception()}).")
    return False
