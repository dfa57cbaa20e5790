"""What a page of the Train tab shows of the runs: as plain data, and only what it has not seen yet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import gradio as gr

from minrnn.runs import limits
from minrnn.runs.listing import Listing, Run
from minrnn.ui.components import figure_json
from minrnn.ui.train import cards, stored
from minrnn.ui.train.cards import Shown
from minrnn.ui.train.charts import Axis, losses

MAX_CARDS = 12
"""Runs whose cards a page shows at first; older ones appear on request."""
MAX_CURVES = 8
"""Runs that the chart shows of itself; more can be added by hand."""
MAX_SAMPLES = 20
"""Samples of one run that reach the page, the newest ones."""
LOG, RATE = "log scale", "learning rate"
LIVE_S, IDLE_S = 0.6, 3.0
"""Seconds between two looks: while something trains, and while nothing does."""
OUTPUTS = 5
"""What a look returns: what the page has seen, the timer, the chart, the cards, the samples."""
OLDER = "older"
"""The key in a visitor's choices that says whether old runs are shown; the other keys are names of runs."""
Seen = dict[str, Any]
Choices = dict[str, bool]
"""For each run whose line the visitor has shown or hidden: whether it is shown."""


def refresh(
    listing: Listing, token: str, seen: Seen, choices: Choices, axis: Axis, extras: list[str]
) -> list[Any]:
    """Look at the folders, and send what the page has not seen yet.

    A page in which every look raised an error would be full of them: they are logged instead.
    """
    try:
        return _refresh(listing, token or "", seen or {}, choices or {}, axis, extras or [])
    except Exception:
        logging.getLogger(__name__).exception("the runs could not be read")
        return [gr.skip()] * OUTPUTS


def _refresh(
    listing: Listing, token: str, seen: Seen, choices: Choices, axis: Axis, extras: list[str]
) -> list[Any]:
    runs = listing.listed(token)
    limits.follow(runs)
    joined = _joined(runs, seen)
    drawn = [run for run in runs if choices.get(run.name, run.name in joined)]
    listed = _listed(runs, drawn, choices)
    looks = {item.run.name: item for item in cards.shown(listing, drawn)}
    others = cards.shown(listing, [run for run in listed if run.name not in looks])
    items = {**{item.run.name: item for item in others}, **looks}
    now: Seen = {
        "known": [run.name for run in runs],
        "joined": joined,
        "live": any(run.active for run in runs),
        "chart": [axis, extras, [_stamp(item) for item in looks.values()]],
        "cards": _cards(listing, runs, [items[run.name] for run in listed], set(looks)),
        "samples": [samples(item) for item in looks.values()],
    }
    return [
        now if now != seen else gr.skip(),
        gr.Timer(LIVE_S if now["live"] else IDLE_S) if now["live"] != seen.get("live") else gr.skip(),
        _chart(list(looks.values()), axis, extras) if now["chart"] != seen.get("chart") else gr.skip(),
        now["cards"] if now["cards"] != seen.get("cards") else gr.skip(),
        now["samples"] if now["samples"] != seen.get("samples") else gr.skip(),
    ]


def _joined(runs: Sequence[Run], seen: Seen) -> list[str]:
    """The runs that the chart shows of itself: those before, and each that is new to the page or goes on.

    A new page shows what is active, and the latest runs that started together.
    """
    known, before = seen.get("known"), seen.get("joined", [])
    if known is None:
        found = [run.name for run in runs if run.active or run.asked == runs[0].asked]
    else:
        found = [run.name for run in runs if run.active or run.name in before or run.name not in known]
    return found[:MAX_CURVES]


def _listed(runs: Sequence[Run], drawn: Sequence[Run], choices: Choices) -> list[Run]:
    """The runs that have a card on the page, the newest first."""
    if choices.get(OLDER):
        return list(runs)
    wanted = {run.name for run in drawn}
    return [run for at, run in enumerate(runs) if at < MAX_CARDS or run.active or run.name in wanted]


def _chart(items: Sequence[Shown], axis: Axis, extras: Sequence[str]) -> dict[str, Any] | None:
    """The curves; as long as there is none, the stored run."""
    figure = losses([cards.curve(item) for item in items], axis, LOG in extras, RATE in extras)
    if figure is None and (example := stored.example()):
        figure = losses([example.curve], axis, LOG in extras, RATE in extras, stored.NOTE)
    return figure_json(figure) if figure else None


def _cards(listing: Listing, runs: Sequence[Run], items: Sequence[Shown], drawn: set[str]) -> dict[str, Any]:
    """The cards, how many older runs have none, and the folders that are passed over."""
    free = not any(run.active for run in runs)
    found = [cards.card(item, item.run.name in drawn, free) for item in items]
    if not runs and (example := stored.example()):
        found = [example.card]
    return {
        "cards": [cards.as_data(card) for card in found],
        "older": len(runs) - len(items),
        "passed": _passed(listing),
    }


def _passed(listing: Listing) -> str:
    """One line on the folders that are no runs of this minRNN."""
    passed = listing.passed_over
    if not passed:
        return ""
    more = f" (and {len(passed) - 1} more)" if len(passed) > 1 else ""
    return f"Passed over in the runs folder: {passed[0]}{more}"


def _stamp(item: Shown) -> list[Any]:
    """What differs whenever something that the chart shows of the run has changed."""
    history = item.history
    return [item.run.name, item.run.title, item.label, item.look, len(history.iters), len(history.evals)]


def samples(item: Shown) -> dict[str, Any]:
    """What a run has written, the newest first."""
    newest = item.history.samples[: -MAX_SAMPLES - 1 : -1]
    return {
        "run": item.run.name,
        "title": item.run.title,
        "color": item.look.color,
        "samples": [{"iter": f"iter {sample.iter:,}", "text": sample.text} for sample in newest],
    }
