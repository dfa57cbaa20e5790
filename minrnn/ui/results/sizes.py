"""Loss against the number of parameters, every point with its name: data -> figure, pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from minrnn.models import MODEL_NAMES
from minrnn.results import Published, Result, tables
from minrnn.ui.components import dress, plain
from minrnn.ui.results.charts import LOSS_TITLE, MARGIN, PLOT_HEIGHT
from minrnn.ui.results.labels import Label, beside
from minrnn.ui.theme import INK_COLOR, color

SYMBOLS = ("circle-open", "square-open", "triangle-up-open", "cross-open", "diamond-open")
"""One a model, in the order of the registry, all hollow: two that overlap are both seen."""

TICKS = (30e3, 100e3, 300e3, 1e6, 3e6, 10e6, 30e6)
"""Few enough to stand beside one another on a telephone."""

ROOM = 0.06
"""Above the highest and below the lowest point, in nats."""


def scatter(results: Sequence[Result], published: Sequence[Published]) -> go.Figure:
    """Validation loss against the number of parameters; published systems that state both are grey stars.

    Args:
        results: one point each, its colour and shape the model's, small where the preset is not the first.
        published: those on the training split, or without a number of parameters, are left out.
    """
    known = [p for p in published if p.params and p.split == "val"]
    presets = list(dict.fromkeys(r.preset for r in results))
    figure = go.Figure([_point(r, 13 if r.preset == presets[0] else 8) for r in results])
    figure.add_trace(_published(known))
    losses = [r.loss for r in results] + [p.loss for p in known]
    low, high = min(losses, default=1.0) - ROOM, max(losses, default=2.0) + ROOM
    notes = _names(results, low, high)
    figure.update_layout(annotations=notes + _published_names(known))
    figure.update_xaxes(
        title="parameters", type="log", tickvals=TICKS, tickformat="~s", range=_span(results, known)
    )
    figure.update_yaxes(title={"text": LOSS_TITLE, "font": {"size": 12}}, range=[low, high])
    return dress(figure, hovermode="closest", margin=MARGIN, showlegend=False)


def _point(result: Result, size: int) -> go.Scatter:
    name = plain(f"{result.title}, {result.preset}")
    symbol = (
        SYMBOLS[MODEL_NAMES.index(result.model) % len(SYMBOLS)]
        if result.model in MODEL_NAMES
        else "star-open"
    )
    return go.Scatter(
        x=[result.n_params],
        y=[result.loss],
        name=name,
        mode="markers",
        marker={"color": color(result.model), "size": size, "symbol": symbol, "line": {"width": 2}},
        hovertemplate=f"{name}: %{{y:.4f}} with %{{x:,}} parameters<extra></extra>",
    )


def _published(known: Sequence[Published]) -> go.Scatter:
    return go.Scatter(
        x=[p.params for p in known],
        y=[p.loss for p in known],
        name="published",
        text=[plain(f"{p.system} ({p.source})") for p in known],
        mode="markers",
        marker={"color": INK_COLOR, "size": 9, "symbol": "star-open", "line": {"width": 2}},
        hovertemplate="%{text}: %{y:.4f} with %{x:,} parameters<extra></extra>",
    )


def _names(results: Sequence[Result], low: float, high: float) -> list[dict[str, Any]]:
    """The names of the points, on the side where there is more room: left of large models, right of small ones."""
    largest = max((r.n_params for r in results), default=0)
    sides: dict[str, list[Label]] = {"left": [], "right": []}
    for r in results:
        if r.n_params:
            label = Label(math.log10(r.n_params), r.loss, plain(f"{r.title} {r.loss:.3f}"))
            sides["left" if 2 * r.n_params > largest else "right"].append(label)
    return [note for side, labels in sides.items() for note in beside(labels, low, high, PLOT_HEIGHT, side)]


def _published_names(known: Sequence[Published]) -> list[dict[str, Any]]:
    """One name above the published points of each size: they stand close together."""
    highest = {p.params: max(q.loss for q in known if q.params == p.params) for p in known if p.params}
    return [
        {"x": math.log10(size), "y": loss, "yshift": 16, "showarrow": False, "xanchor": "right", "xshift": 12}
        | {"text": f"published, {tables.params(size)}", "font": {"size": 11}}
        for size, loss in highest.items()
    ]


def _span(results: Sequence[Result], known: Sequence[Published]) -> list[float]:
    """The x axis from the smallest to the largest model, with room for marks, as logarithms."""
    sizes = [r.n_params for r in results if r.n_params] + [p.params for p in known if p.params]
    return [math.log10(min(sizes, default=1e5)) - 0.15, math.log10(max(sizes, default=1e7)) + 0.1]
