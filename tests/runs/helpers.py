"""What the tests of runs share: a model of a thousand weights, a text, runs of both, and processes that train them."""

import dataclasses
import multiprocessing
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from minrnn import train
from minrnn.config import ModelConfig, TrainConfig
from minrnn.corpora import OWN
from minrnn.models import LanguageModel
from minrnn.runs import folder
from minrnn.runs.events import METRICS, read_events
from minrnn.runs.request import TrainRequest
from minrnn.runs.spec import RunSpec

SHEEP = "".join(f"{n} sheep, {4 * n} legs.\n" for n in range(200))
MICRO = ModelConfig("mingru", n_layer=1, n_embd=16, block_size=16, mlp_ratio=1, conv_kernel=2, dropout=0.1)
RECIPE = TrainConfig(
    max_iters=12, batch_size=3, warmup_iters=2, eval_interval=4, eval_chars=500, sample_interval=0, sample_chars=8,
    save_seconds=0, device="cpu", dtype="float32",
)  # fmt: skip


def micro(mixer: str = "mingru", **recipe: Any) -> RunSpec:
    """A spec of a thousand weights."""
    return RunSpec(
        OWN, dataclasses.replace(MICRO, mixer=mixer), dataclasses.replace(RECIPE, **recipe), "tiny"
    )


def made(out: Path, text: str = SHEEP, **recipe: Any) -> Path:
    """The folder of a run that has not begun."""
    folder.create(out, micro(**recipe), text)
    return out


def trained(out: Path, **recipe: Any) -> Path:
    """The folder of a run that this process trained to its end."""
    list(folder.execute(made(out, **recipe)))
    return out


def knowing(count: int, folder: Path) -> str:
    """A checkpoint that knows so many characters, none of them of the text."""
    vocab = "".join(map(chr, range(0x4E00, 0x4E00 + count)))
    LanguageModel(dataclasses.replace(MICRO, vocab=vocab)).save(folder)
    return str(folder)


def halved(out: Path, iters: int = 5, **recipe: Any) -> Path:
    """The folder of a run that was stopped after some iters."""
    made(out, **recipe)
    seen: list[int] = []
    for event in folder.execute(out, should_stop=lambda: len(seen) >= iters):
        if isinstance(event, train.Iter):
            seen.append(event.iter)
    return out


def copied(run: Path, out: Path) -> Path:
    """A copy of a run."""
    shutil.copytree(run, out)
    return out


def longer(out: Path, **recipe: Any) -> RunSpec:
    """The spec of a run with another recipe."""
    spec = folder.read_spec(out)
    return dataclasses.replace(spec, train=dataclasses.replace(spec.train, **recipe))


def losses(out: Path) -> list[tuple[int, float]]:
    return [(e.iter, e.loss) for e in read_events(out / METRICS) if isinstance(e, train.Iter)]


def request(models: Any = "mingru", **changes: Any) -> TrainRequest:
    """A request for small runs on a text of one's own."""
    values: dict[str, Any] = {
        "preset": "tiny", "corpus": OWN, "text": SHEEP, "max_iters": 4, "eval_interval": 2, "sample_interval": 0,
        "block_size": 16, "batch_size": 4, "device": "cpu", "dtype": "float32",
    }  # fmt: skip
    return TrainRequest(models=models, **values | changes)


def until(
    what: Callable[[], object], step: Callable[[], object] = lambda: None, seconds: float = 120
) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it took too long"
        step()
        time.sleep(0.05)


def _in_a_process(out: Path, file_bytes: int) -> None:
    """Train; from the first event on no file may grow beyond `file_bytes`, as on a disk that is full."""
    torch.set_num_threads(1)
    for _ in folder.execute(out):
        if file_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))


def start(out: Path, file_bytes: int = 0) -> Any:
    """A process that trains a run."""
    return spawned(_in_a_process, out, file_bytes)


def spawned(target: Callable[..., object], *words: Any) -> Any:
    """A process that calls a function. It has torch at once and never shared a thread with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "minrnn.runs.queue"])
    process = context.Process(target=target, args=words)
    process.start()
    return process


def apart(target: Callable[..., Any], *words: Any) -> Any:
    """What a function returns in a process of its own, which it may change as it likes; it must not fail."""
    ours, theirs = multiprocessing.get_context("forkserver").Pipe()
    process = spawned(_sent, theirs, target, *words)
    theirs.close()
    try:
        return ours.recv()
    finally:
        process.join(60)


def _sent(pipe: Any, target: Callable[..., Any], *words: Any) -> None:
    torch.set_num_threads(1)
    pipe.send(target(*words))


def wait_for_iter(out: Path, iter: int, process: Any) -> None:
    while process.is_alive() and not any(n >= iter for n, _ in losses(out)):
        time.sleep(0.002)
