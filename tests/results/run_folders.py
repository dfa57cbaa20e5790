"""Checkpoints and run folders as training leaves them, without any training."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from minrnn.runs.events import to_line
from minrnn.train import Done, Eval, Event, Iter, StopReason

LOSSES = ["val_loss", "val_loss_streaming", "bits_per_char"]
METRICS: dict[str, Any] = {
    "val_loss": 1.5,
    "val_loss_streaming": 1.49,
    "bits_per_char": 1.5 / math.log(2),
    "n_params": 2_310_000,
    "params": {"embedding": 10_000, "mixer": 1_100_000, "mlp": 1_190_000, "head": 10_000},
    "iters": 100,
    "tokens_seen": 819_200,
    "seconds": 90.4,
    "device": "a machine | of two parts",
    "seed": 1,
    "command": "python -m minrnn train",
}


def checkpoint(root: Path, preset: str, model: str, **changed: Any) -> Path:
    """A checkpoint's folder with its metrics alone; a metric that is given as None is left out."""
    folder = root / preset / model
    folder.mkdir(parents=True)
    write_metrics(folder, **changed)
    return folder


def write_metrics(folder: Path, **changed: Any) -> None:
    kept = {name: value for name, value in (METRICS | changed).items() if value is not None}
    (folder / "metrics.json").write_text(json.dumps(kept))


def update(number: int, grad_norm: float, iter_seconds: float) -> Iter:
    """An iter as it is reported."""
    return Iter(number, 3.5, 0.01, grad_norm, 200 * number, 0.2 * number, iter_seconds)


def finished_run(out: Path, reason: StopReason = "max_iters", **changed: Any) -> Path:
    """A run folder as training leaves it."""
    (out / "model").mkdir(parents=True)
    write_metrics(out / "model", **changed)
    events: list[Event] = [
        Eval(0, val_loss=4.0, tokens=0, seconds=0.1, peak_bytes=1),
        update(1, grad_norm=2.0, iter_seconds=0.1),
        update(2, grad_norm=7.0, iter_seconds=0.3),
        update(3, grad_norm=1.0, iter_seconds=0.2),
        Eval(3, val_loss=3.0, tokens=600, seconds=0.9, peak_bytes=1),
        Done(3, reason),
    ]
    (out / "metrics.jsonl").write_text("".join(to_line(event) + "\n" for event in events))
    (out / "config.json").write_text(json.dumps({"command": "python -m minrnn train"}))
    return out
