"""What a page of the Train tab shows of the runs: as plain data, and only what it has not seen yet."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from minrnn.runs import limits
from minrnn.runs.events import History
from minrnn.runs.listing import Listing, Run
from minrnn.ui.components import bytes_text, figure_json
from minrnn.ui.theme import FURTHER_COLORS, color
from minrnn.ui.train.charts import Curve, losses

MAX_SAMPLES = 20
"""Samples of one run that reach the page, the newest ones."""
COLUMNS = (
    "Parameters", "Characters/s", "ms an iter", "Train loss", "Validation loss", "Bits/char",
    "Gradient norm", "Peak memory", "Device",
)  # fmt: skip


LOG, RATE = "log scale", "learning rate"
LIVE_S, IDLE_S = 0.6, 3.0
"""Seconds between two looks: while something trains, and while nothing does."""


def refresh(
    listing: Listing,
    token: str,
    seen: dict[str, Any],
    chosen: list[str],
    run: str | None,
    axis: Any,
    extras: list[str],
) -> list[Any]:
    """Look at the folders, and send what the page has not seen yet.

    A page in which every look raised an error would be full of them: they are logged instead.
    """
    try:
        return _refresh(listing, token or "", seen or {}, chosen or [], run, axis, extras)
    except Exception:
        logging.getLogger(__name__).exception("the runs could not be read")
        return [gr.skip()] * 7


def _refresh(
    listing: Listing,
    token: str,
    seen: dict[str, Any],
    chosen: list[str],
    run: str | None,
    axis: Any,
    extras: list[str],
) -> list[Any]:
    runs = listing.listed(token)
    limits.follow(runs)
    now: dict[str, Any] = {"titles": [(r.title, r.name) for r in runs], "live": any(r.active for r in runs)}
    lists: list[Any] = [gr.skip(), gr.skip()]
    if now["titles"] != seen.get("titles"):
        chosen, run = _chosen(runs, seen, chosen), _managed(runs, seen, run)
        lists = [gr.update(choices=now["titles"], value=value) for value in (chosen, run)]
    items = shown(listing, [r for r in runs if r.name in chosen])
    now["view"] = [axis, extras, [stamp(item) for item in items]]
    now["samples"] = [(item.run.title, item.color, len(item.history.samples)) for item in items]
    timer = gr.Timer(LIVE_S if now["live"] else IDLE_S) if now["live"] != seen.get("live") else gr.skip()
    drawn: list[Any] = [gr.skip(), gr.skip(), gr.skip()]
    if now["view"] != seen.get("view"):
        figure = losses([curve(item) for item in items], axis, LOG in extras, RATE in extras)
        drawn[0] = figure_json(figure) if figure else None
        drawn[1] = [row(item) for item in items]
    if now["samples"] != seen.get("samples"):
        drawn[2] = [samples(item) for item in items]
    return [now if now != seen else gr.skip(), *lists, timer, *drawn]


def _chosen(runs: Sequence[Run], seen: dict[str, Any], chosen: list[str]) -> list[str]:
    """Which runs to show: those that are new to the page; on a new page the latest ones that started together."""
    names = [run.name for run in runs]
    known = [name for _, name in seen.get("titles", [])]
    fresh = [run.name for run in runs if run.name not in known] if seen else []
    if not seen and runs:
        fresh = [run.name for run in runs if run.active or run.asked == runs[0].asked]
    return fresh or [name for name in chosen if name in names]


def _managed(runs: Sequence[Run], seen: dict[str, Any], run: str | None) -> str | None:
    """Which run the buttons act on: a new one that is active, else the one chosen before, else the newest."""
    known = [name for _, name in seen.get("titles", [])]
    fresh = [r.name for r in runs if r.active and r.name not in known]
    kept = [r.name for r in runs if r.name == run] or [r.name for r in runs]
    return next(iter(fresh + kept), None)


@dataclass(frozen=True)
class Shown:
    """A run with what a page shows of it.

    Attributes:
        run: as its folder tells it.
        history: what it has reported.
        color: of its curves.
    """

    run: Run
    history: History
    color: str


def shown(listing: Listing, runs: Sequence[Run]) -> list[Shown]:
    """Runs with their colours: a model's own for the first of its kind, further ones beyond that."""
    taken: list[str] = []
    found = []
    for run in runs:
        free = [c for c in (color(run.spec.model.mixer), *FURTHER_COLORS) if c not in taken]
        taken.append(free[0] if free else FURTHER_COLORS[len(taken) % len(FURTHER_COLORS)])
        found.append(Shown(run, listing.history(run), taken[-1]))
    return found


def curve(item: Shown) -> Curve:
    """The run as the chart draws it."""
    return Curve(item.run.name, item.run.title, item.color, item.history)


def stamp(item: Shown) -> list[Any]:
    """What differs whenever something that a page shows of the run has changed, samples left out."""
    run, history = item.run, item.history
    counts = [len(history.iters), len(history.evals), "val_loss" in run.scores]
    return [run.name, run.title, phase(item), run.problem, item.color, run.begun, *counts]


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
    last, recipe = item.history.iters[-1], item.run.spec.train
    shares = [
        last.iter / recipe.max_iters if recipe.max_iters else 0.0,
        last.seconds / recipe.max_seconds if recipe.max_seconds else 0.0,
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
    budget = item.run.spec.train.max_iters
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
        _params(item.run.params),
        _cell(numbers["chars_per_s"], ",.0f"),
        _cell(numbers["iter_ms"], ",.1f"),
        _cell(numbers["train_loss"], ".3f"),
        _cell(numbers["val_loss"], ".3f", "at the end" if whole else "estimate"),
        _cell(numbers["bits_per_char"], ".3f"),
        _cell(numbers["grad_norm"], ".3f"),
        {"text": bytes_text(int(numbers["peak_bytes"])) if numbers["peak_bytes"] else "–", "more": ""},
        _device(item.run.compute),
    ]


def _cell(value: float | None, form: str, more: str = "") -> dict[str, str]:
    """A figure, and a word on it where there is one."""
    known = value is not None and math.isfinite(value)
    return {"text": format(value, form) if known else "–", "more": more if known else ""}


def _params(counts: dict[str, int]) -> dict[str, str]:
    """The total, and where the weights sit."""
    if not counts:
        return {"text": "–", "more": ""}
    more = ", ".join(f"{part} {_count(n)}" for part, n in counts.items() if n)
    return {"text": _count(sum(counts.values())), "more": more}


def _count(number: int) -> str:
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number / 1e3:.1f} k"


def _device(reason: str) -> dict[str, str]:
    """Device and dtype out of the sentence that says why: `cpu: as asked; float32: as asked`."""
    names = [part.split(":")[0].strip() for part in reason.split(";") if part.strip()]
    return {"text": names[0] if names else "–", "more": " ".join(names[1:])}
