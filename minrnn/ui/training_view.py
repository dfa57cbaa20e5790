"""What the training tab shows of runs, as plain data; `training_panels.py` draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from minrnn.runlist import Run
from minrnn.runlog import History
from minrnn.ui.charts import Curve
from minrnn.ui.panels import bytes_text
from minrnn.ui.style import FURTHER_COLORS, MODEL_COLORS

MAX_SAMPLES = 20
"""Samples of one run that reach the page, the newest ones."""
COLUMNS = (
    "Parameters", "Characters/s", "ms an iter", "Train loss", "Validation loss", "Bits/char",
    "Gradient norm", "Peak memory", "Device",
)  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A run with what a page shows of it.

    Attributes:
        run: as its folder tells it.
        config: what it trains, and once it has begun the figures of its model.
        history: what it has reported.
        color: of its curves.
    """

    run: Run
    config: dict[str, Any]
    history: History
    color: str

    @property
    def recipe(self) -> dict[str, Any]:
        """Its TrainConfig as plain data; empty before it has begun."""
        found = self.config.get("train")
        return found if isinstance(found, dict) else {}


def shown(runs: Sequence[Run]) -> list[Shown]:
    """Runs with their colours: a model's own for the first of its kind, further ones beyond that."""
    taken: list[str] = []
    found = []
    for run in runs:
        config = run.config
        mixer = str((config.get("model") or {}).get("mixer", ""))
        free = [c for c in (MODEL_COLORS.get(mixer, ""), *FURTHER_COLORS) if c and c not in taken]
        taken.append(free[0] if free else FURTHER_COLORS[len(taken) % len(FURTHER_COLORS)])
        found.append(Shown(run, config, run.history, taken[-1]))
    return found


def curve(item: Shown) -> Curve:
    """The run as the chart draws it."""
    return Curve(item.run.name, item.run.title, item.color, item.history)


def stamp(item: Shown) -> list[Any]:
    """What differs whenever something that a page shows of the run has changed, samples left out."""
    run, history = item.run, item.history
    counts = [len(history.iters), len(history.evals), "val_loss" in run.scores]
    return [run.name, run.title, phase(item), run.problem, item.color, bool(item.config), *counts]


def row(item: Shown) -> dict[str, Any]:
    """A run's row in the table; every value a string but the progress, which lies between 0 and 1."""
    return {
        "title": item.run.title,
        "color": item.color,
        "status": phase(item),
        "problem": item.run.problem,
        "done": progress(item),
        "spent": _spent(item),
        "cells": [{"label": label, **cell} for label, cell in zip(COLUMNS, _cells(item), strict=True)]
        if item.history.iters or item.history.evals
        else [],
    }


def samples(item: Shown) -> dict[str, Any]:
    """What a run has written, the newest first."""
    newest = item.history.samples[: -MAX_SAMPLES - 1 : -1]
    return {
        "title": item.run.title,
        "color": item.color,
        "samples": [{"iter": f"iter {sample.iter:,}", "text": sample.text} for sample in newest],
    }


def phase(item: Shown) -> str:
    """A run's status, and what a running one is at."""
    if item.run.status != "running":
        return item.run.status
    if item.run.stopping:
        return "stopping"
    if not item.history.iters:
        return "starting"
    return "scoring" if progress(item) >= 1 else "training"


def progress(item: Shown) -> float:
    """The share of the budget that is spent: of iters or of seconds, whichever is further."""
    if item.run.status == "finished":
        return 1.0
    if not item.history.iters:
        return 0.0
    last, recipe = item.history.iters[-1], item.recipe
    shares = [
        last.iter / recipe["max_iters"] if recipe.get("max_iters") else 0.0,
        last.seconds / recipe["max_seconds"] if recipe.get("max_seconds") else 0.0,
    ]
    return min(1.0, max(shares))


def seconds_left(item: Shown) -> float | None:
    """Seconds of training until the budget is spent, at the pace so far; None if that is not known."""
    done = progress(item)
    if not item.run.active or not 0 < done < 1:
        return None
    return item.history.iters[-1].seconds * (1 - done) / done


def figures(item: Shown) -> dict[str, float | None]:
    """The numbers of a run: losses in nats per character, None where there is none yet.

    Once the whole validation split is scored, that is the validation loss; before, it is an estimate.
    """
    history, scores = item.history, item.run.scores
    estimate = history.evals[-1].val_loss if history.evals else None
    val_loss = scores.get("val_loss", estimate)
    return {
        "train_loss": history.smooth[-1] if history.iters else None,
        "val_loss": val_loss,
        "bits_per_char": val_loss / math.log(2) if val_loss is not None else None,
        "chars_per_s": history.chars_per_s if history.iters else None,
        "iter_ms": history.iter_ms if history.iters else None,
        "grad_norm": history.iters[-1].grad_norm if history.iters else None,
        "peak_bytes": history.evals[-1].peak_bytes if history.evals else None,
    }


def duration(seconds: float) -> str:
    """A time for people: 8 s, 3 min 20 s, 2 h 05 min."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60:02d} min"


def _spent(item: Shown) -> str:
    """Iters of iters, and the time left."""
    iters = item.history.iters[-1].iter if item.history.iters else 0
    budget = item.recipe.get("max_iters")
    words = [f"iter {iters:,} of {budget:,}" if budget else f"iter {iters:,}"]
    if item.history.iters:
        words.append(duration(item.history.iters[-1].seconds))
    if (left := seconds_left(item)) is not None:
        words.append(f"{duration(left)} left")
    return " · ".join(words)


def _cells(item: Shown) -> list[dict[str, str]]:
    numbers = figures(item)
    whole = "val_loss" in item.run.scores
    return [
        _params(item.config.get("params")),
        _cell(numbers["chars_per_s"], ",.0f"),
        _cell(numbers["iter_ms"], ",.1f"),
        _cell(numbers["train_loss"], ".3f"),
        _cell(numbers["val_loss"], ".3f", "whole split" if whole else "estimate"),
        _cell(numbers["bits_per_char"], ".3f"),
        _cell(numbers["grad_norm"], ".3f"),
        {"text": bytes_text(int(numbers["peak_bytes"])) if numbers["peak_bytes"] else "–", "more": ""},
        _device(str(item.config.get("compute", ""))),
    ]


def _cell(value: float | None, form: str, more: str = "") -> dict[str, str]:
    """A figure, and a word on it where there is one."""
    known = value is not None and math.isfinite(value)
    return {"text": format(value, form) if known else "–", "more": more if known else ""}


def _params(counts: Any) -> dict[str, str]:
    """The total, and where the weights sit."""
    if not isinstance(counts, dict) or not counts:
        return {"text": "–", "more": ""}
    more = ", ".join(f"{part} {_count(n)}" for part, n in counts.items() if n)
    return {"text": _count(sum(counts.values())), "more": more}


def _count(number: int) -> str:
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number / 1e3:.1f} k"


def _device(reason: str) -> dict[str, str]:
    """Device and dtype out of the sentence that says why: `cpu: as asked; float32: as asked`."""
    names = [part.split(":")[0].strip() for part in reason.split(";") if part.strip()]
    return {"text": names[0] if names else "–", "more": " ".join(names[1:])}
