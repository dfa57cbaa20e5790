"""Runs for the tests of the Train tab, made without a browser and mostly without training."""

import dataclasses
import time
from pathlib import Path

from minrnn import train
from minrnn.config import ModelConfig
from minrnn.presets import get
from minrnn.runs import folder, listing, process
from minrnn.runs.events import METRICS, History, to_line
from minrnn.runs.spec import RunSpec

SHEEP = "".join(f"{n} sheep, {4 * n} legs.\n" for n in range(200))
ME = "m" * 20
MARKUP = "<img src=x onerror=alert(1)>"


def spec(mixer: str = "mingru", iters: int = 4) -> RunSpec:
    shape = ModelConfig(mixer, n_layer=1, n_embd=16, block_size=16)
    recipe = dataclasses.replace(get("tiny", mixer).train, max_iters=iters, eval_interval=2, device="cpu")
    return RunSpec("own", shape, recipe, "tiny")


def made(root: Path, name: str, mixer: str = "mingru", token: str = "", title: str = "") -> Path:
    """A run that was taken out of the queue before its turn."""
    out = root / name
    folder.create(out, spec(mixer), SHEEP)
    listing.write_about(out, title or name, time.time(), listing.owner_of(token))
    return out


def trained(root: Path, name: str, token: str = "", title: str = MARKUP) -> str:
    """A run that this process trained on sheep."""
    out = made(root, name, token=token, title=title)
    list(folder.execute(out))
    return name


def waiting(root: Path, name: str, token: str = "") -> str:
    process.queue(made(root, name, token=token))
    return name


def reported(out: Path, filled: History) -> None:
    """Let a run have reported a history."""
    events = sorted([*filled.iters, *filled.evals], key=lambda event: event.iter)
    (out / METRICS).write_text("".join(to_line(event) + "\n" for event in events))


def history(iters: int, loss: float = 1.0) -> History:
    filled = History()
    for n in range(1, iters + 1):
        filled.add(train.Iter(n, loss + 3 / n, 1e-3, 0.5, 64 * n, 0.1 * n, 0.1))
        if n % 10 == 0:
            filled.add(train.Eval(n, loss + 3 / n, 64 * n, 0.1 * n, 5_000_000))
    return filled
