"""What a page of the Train tab shows of the runs: as plain data, and only what it has not seen yet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import gradio as gr

from minrnn import settings
from minrnn.runs import limits
from minrnn.runs.listing import Listing, Run
from minrnn.ui.components import figure_json
from minrnn.ui.train import cards, stored
from minrnn.ui.train.charts import Axis, losses
from minrnn.ui.train.looks import Shown, curve, with_looks, written

MAX_CARDS = 12
"""Runs whose cards a page shows at first; older ones appear on request."""
MAX_CURVES = 8
"""Runs that the chart shows of itself; more can be added by hand."""
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
    drawn = with_looks(listing, [run for run in runs if choices.get(run.name, run.name in joined)])
    now: Seen = {
        "known": [run.name for run in runs],
        "joined": joined,
        "live": any(run.active for run in runs),
        "chart": [axis, extras, [_stamp(item) for item in drawn]],
        "cards": _cards(listing, runs, drawn, bool(choices.get(OLDER))),
        "samples": _samples(drawn, bool(runs)),
    }
    changed = {name for name in now if now[name] != seen.get(name)}
    return [
        now if changed else gr.skip(),
        gr.Timer(LIVE_S if now["live"] else IDLE_S) if "live" in changed else gr.skip(),
        _chart(drawn, axis, extras) if "chart" in changed else gr.skip(),
        now["cards"] if "cards" in changed else gr.skip(),
        now["samples"] if "samples" in changed else gr.skip(),
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


def _chart(items: Sequence[Shown], axis: Axis, extras: Sequence[str]) -> dict[str, Any] | None:
    """The curves; as long as there is none, the stored run."""
    figure = losses([curve(item) for item in items], axis, LOG in extras, RATE in extras)
    if figure is None and (example := stored.example()):
        figure = losses([example.curve], axis, LOG in extras, RATE in extras, stored.NOTE)
    return figure_json(figure) if figure else None


def _cards(listing: Listing, runs: Sequence[Run], drawn: Sequence[Shown], older: bool) -> dict[str, Any]:
    """The cards, the newest first; how many older runs have none; and the folders that are passed over."""
    lines = {item.run.name: item for item in drawn}
    listed = [
        run for at, run in enumerate(runs) if older or at < MAX_CARDS or run.active or run.name in lines
    ]
    others = with_looks(listing, [run for run in listed if run.name not in lines])
    items = {**lines, **{item.run.name: item for item in others}}
    free = not any(run.active for run in runs)
    found = [cards.card(items[run.name], run.name in lines, free) for run in listed]
    if not runs and (example := stored.example()):
        found = [example.card]
    return {
        "cards": [cards.as_data(card) for card in found],
        "older": len(runs) - len(listed),
        "passed": _passed(listing),
    }


def _samples(items: Sequence[Shown], any_runs: bool) -> list[dict[str, Any]]:
    """What the drawn runs have written; on an empty page, the stored one."""
    if not any_runs and (example := stored.example()):
        return [example.samples]
    return [written(i.run.name, i.run.title, i.look.color, i.history) for i in items]


def _passed(listing: Listing) -> str:
    """One line on the folders that are no runs of this minRNN; a visitor of a shared machine has none."""
    passed = listing.passed_over if settings.training_mode() == "full" else []
    if not passed:
        return ""
    more = f" (and {len(passed) - 1} more)" if len(passed) > 1 else ""
    return f"Passed over in the runs folder: {passed[0]}{more}"


def _stamp(item: Shown) -> list[Any]:
    """What differs whenever something that the chart shows of the run has changed."""
    history = item.history
    return [item.run.name, item.run.title, item.label, item.look, len(history.iters), len(history.evals)]
