"""Runs on a task for the tests of the Tasks tab, made without training."""

import dataclasses
import time
from pathlib import Path

from minrnn import files, train
from minrnn.checkpoint import METRICS as SCORES
from minrnn.runs import folder, listing, process
from minrnn.runs.events import METRICS, to_line
from minrnn.runs.request import TrainRequest
from minrnn.runs.spec import RunSpec
from minrnn.tasks import TASKS


def spec(model: str = "mingru", task: str = "parity") -> RunSpec:
    (found,) = TrainRequest(models=model, preset="task", corpus=task, max_seconds=20, device="cpu").specs()
    return found


def made(
    root: Path, name: str, model: str = "mingru", task: str = "parity", asked: float = 0.0, order: int = 0
) -> Path:
    """A run that was taken out of the queue before its turn."""
    out = root / name
    folder.create(out, spec(model, task), None)
    listing.write_about(out, name, asked or time.time(), "", order)
    return out


def waiting(root: Path, name: str, model: str = "mingru", asked: float = 0.0, order: int = 0) -> None:
    process.queue(made(root, name, model, asked=asked, order=order))


def scored(
    root: Path, name: str, model: str = "mingru", task: str = "parity", share: float = 1.0, asked: float = 0.0,
    iters: int = 600,
) -> Path:  # fmt: skip
    """A run that reports to have finished with the same accuracy at every length."""
    out = made(root, name, model, task, asked)
    events = [
        train.Iter(iters, 0.1, 1e-3, 0.5, 1_228_800, 12.0, 0.02),
        train.Eval(iters, 0.1, 1_228_800, 12.0, 5, share),
    ]
    lines = [*events, train.Done(iters, "max_seconds")]
    (out / METRICS).write_text("".join(to_line(event) + "\n" for event in lines))
    (out / folder.MODEL).mkdir()
    shares = {str(T): share for T in TASKS[task].test_lengths}
    files.write_json(out / folder.MODEL / SCORES, {"val_loss": 0.1, "accuracy": shares})
    return out


def learnt(root: Path, name: str) -> Path:
    """A run that this process really trained for two iters, on a tiny model."""
    out = root / name
    plain = spec()
    shape = dataclasses.replace(plain.model, n_layer=1, n_embd=8)
    recipe = dataclasses.replace(plain.train, max_iters=2, batch_size=2, eval_chars=64)
    folder.create(out, dataclasses.replace(plain, model=shape, train=recipe), None)
    listing.write_about(out, name, time.time(), "")
    list(folder.execute(out))
    return out
