"""A run as the page and the API show it: its look in the chart, what it is at, its figures and its samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minrnn.runs.events import History
from minrnn.runs.listing import Listing, Run
from minrnn.tasks import TASKS
from minrnn.ui.theme import color, dash
from minrnn.ui.train.charts import Curve, Look

MAX_LABEL_CHARS = 13
MAX_SAMPLES = 20
"""Samples of one run that reach the page, the newest ones."""
REPEAT_DASH = "5px,3px"


@dataclass(frozen=True)
class Shown:
    """A run with what a page shows of it.

    Attributes:
        run: as its folder tells it.
        history: what it has reported.
        look: how it is drawn.
        label: its name at the end of its line.
    """

    run: Run
    history: History
    look: Look
    label: str = ""


def with_looks(listing: Listing, runs: Sequence[Run]) -> list[Shown]:
    """Runs with their looks, in the order given. The oldest run of a model has the model's own look."""
    seen: dict[str, int] = {}
    looks: dict[str, tuple[Look, str]] = {}
    for run in sorted(runs, key=lambda run: (run.asked, run.order)):
        model = run.spec.model_key
        count = seen[model] = seen.get(model, 0) + 1
        look = Look(color(model), dash(model)) if count == 1 else Look(color(model), REPEAT_DASH, True)
        looks[run.name] = look, _label(run, count)
    return [Shown(run, listing.history(run), *looks[run.name]) for run in runs]


def _label(run: Run, count: int) -> str:
    """The model's title and a number, or the name that the visitor gave the run."""
    model = run.spec.model_title
    if run.title.startswith(f"{model} "):
        return model if count == 1 else f"{model} {count}"
    return run.title if len(run.title) <= MAX_LABEL_CHARS else run.title[: MAX_LABEL_CHARS - 1] + "…"


def curve(item: Shown) -> Curve:
    """The run as the chart draws it."""
    per: Literal["character", "answer"] = "answer" if item.run.spec.corpus in TASKS else "character"
    return Curve(item.run.name, item.run.title, item.label, item.look, item.history, per)


def phase(item: Shown) -> str:
    """A run's status, and what a running one is at."""
    if item.run.status != "running":
        return item.run.status
    if item.run.stopping:
        return "stopping"
    if not item.history.iters or item.history.done:  # goes on, and has not said anything yet
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
    if phase(item) != "training" or not done:
        return None
    return item.history.iters[-1].seconds * (1 - done) / done


def figures(item: Shown) -> dict[str, float | None]:
    """The numbers of a run: losses in nats per character, None where there is none yet.

    Once the validation split is scored at the end, that is the validation loss; before, it is an estimate. So it is
    with the accuracy of a run on a task, at the trained length.
    """
    history, scores = item.history, item.run.scores
    estimate = history.evals[-1].val_loss if history.evals else None
    val_loss = scores.get("val_loss", estimate)
    run_on_text = item.run.spec.corpus not in TASKS
    return {
        "train_loss": history.smooth[-1] if history.iters else None,
        "val_loss": val_loss,
        "bits_per_char": val_loss / math.log(2) if val_loss is not None and run_on_text else None,
        "accuracy": accuracy(item),
        "chars_per_s": history.chars_per_s if history.iters else None,
        "iter_ms": history.iter_ms if history.iters else None,
        "grad_norm": history.iters[-1].grad_norm if history.iters else None,
        "peak_bytes": history.evals[-1].peak_bytes if history.evals else None,
    }


def accuracy(item: Shown) -> float | None:
    """The share of right answers at the trained length, the latest that is known; None for a text."""
    by_length = accuracy_by_length(item.run)
    known = [event.accuracy for event in item.history.evals if event.accuracy is not None]
    return next(iter(by_length.values()), known[-1] if known else None)


def accuracy_by_length(run: Run) -> dict[int, float]:
    """The share of right answers by the length of a text, the trained length first; empty before it is scored."""
    scored = run.scores.get("accuracy")
    return {int(length): float(share) for length, share in scored.items()} if isinstance(scored, dict) else {}


def written(run: str, title: str, color: str, history: History) -> dict[str, Any]:
    """What a run has written, the newest first."""
    newest = history.samples[: -MAX_SAMPLES - 1 : -1]
    written = [{"iter": f"iter {sample.iter:,}", "text": sample.text} for sample in newest]
    return {"run": run, "title": title, "color": color, "samples": written}
