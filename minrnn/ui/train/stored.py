"""The run that an empty page shows, in grey: how a bundled model learnt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from minrnn import checkpoint
from minrnn.models import MODEL_NAMES, mixer_class
from minrnn.runs.events import History, read_events
from minrnn.ui.train.cards import Card, Fact
from minrnn.ui.train.charts import GREY, Curve, Look
from minrnn.ui.train.looks import written

PRESET = "base"
NOTE = "A stored run.<br>Yours appears here<br>in about five seconds."
"""HTML, as plotly takes it."""


@dataclass(frozen=True)
class Stored:
    """A bundled model's history, as the page shows it."""

    curve: Curve
    card: Card
    samples: dict[str, Any]


@cache
def example() -> Stored | None:
    """The first bundled model that brings its history; None where no weights are bundled."""
    for model in MODEL_NAMES:
        events = read_events(checkpoint.bundled(PRESET, model) / checkpoint.HISTORY)
        history = History()
        for event in events:
            history.add(event)
        if history.iters and history.evals:
            return _stored(model, history)
    return None


def _stored(model: str, history: History) -> Stored:
    title = f"{mixer_class(model).title} {PRESET}, a stored run"
    last = history.iters[-1]
    facts = [
        Fact(f"{history.evals[-1].val_loss:.2f}", "loss"),
        Fact(f"{last.iter:,}", "iters"),
        Fact(f"{last.tokens / 1e6:.0f} M", "characters read"),
    ]
    card = Card("", title, GREY, "solid", False, True, "an example", done=1.0, facts=facts)
    curve = Curve("stored", title, "stored", Look(GREY), history)
    return Stored(curve, card, written("", title, GREY, history))
