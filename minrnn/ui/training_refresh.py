"""A look at the runs' folders: what a page of the training tab has not seen yet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import gradio as gr

from minrnn import runlist, sharing
from minrnn.runlist import Run
from minrnn.ui import training_view
from minrnn.ui.charts import losses
from minrnn.ui.components import figure_json

LOG, RATE = "log scale", "learning rate"
LIVE_S, IDLE_S = 0.6, 3.0
"""Seconds between two looks: while something trains, and while nothing does."""


def refresh(
    token: str, seen: dict[str, Any], chosen: list[str], run: str | None, axis: Any, extras: list[str]
) -> list[Any]:
    """Look at the folders, and send what the page has not seen yet.

    A page in which every look raised an error would be full of them: they are logged instead.
    """
    try:
        return _refresh(token or "", seen or {}, chosen or [], run, axis, extras)
    except Exception:
        logging.getLogger(__name__).exception("the runs could not be read")
        return [gr.skip()] * 7


def _refresh(
    token: str, seen: dict[str, Any], chosen: list[str], run: str | None, axis: Any, extras: list[str]
) -> list[Any]:
    runs = runlist.listed(token)
    sharing.follow(runs)
    now: dict[str, Any] = {"titles": [(r.title, r.name) for r in runs], "live": any(r.active for r in runs)}
    lists: list[Any] = [gr.skip(), gr.skip()]
    if now["titles"] != seen.get("titles"):
        chosen, run = _chosen(runs, seen, chosen), _managed(runs, seen, run)
        lists = [gr.update(choices=now["titles"], value=value) for value in (chosen, run)]
    items = training_view.shown([r for r in runs if r.name in chosen])
    now["view"] = [axis, extras, [training_view.stamp(item) for item in items]]
    now["samples"] = [(item.run.title, item.color, len(item.history.samples)) for item in items]
    timer = gr.Timer(LIVE_S if now["live"] else IDLE_S) if now["live"] != seen.get("live") else gr.skip()
    drawn: list[Any] = [gr.skip(), gr.skip(), gr.skip()]
    if now["view"] != seen.get("view"):
        figure = losses([training_view.curve(item) for item in items], axis, LOG in extras, RATE in extras)
        drawn[0] = figure_json(figure) if figure else None
        drawn[1] = [training_view.row(item) for item in items]
    if now["samples"] != seen.get("samples"):
        drawn[2] = [training_view.samples(item) for item in items]
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
