"""Loss curves over a run, and loss against size, beside the published figures: data -> figure, pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from minrnn.results import Curve, Published, Result
from minrnn.ui.components import dress
from minrnn.ui.theme import INK_COLOR, color

Axis = Literal["iters", "characters read", "seconds"]
AXES: tuple[Axis, ...] = ("iters", "characters read", "seconds")
SYMBOLS = {"base": "circle", "replica": "square", "tiny": "triangle-up"}
LOSS_TITLE = "validation loss, nats per character"
HEADROOM = 0.4
"""How far above the best loss the curves are shown at first, in nats: the start of a run is a cliff."""

PARAMETER_TICKS = (30e3, 100e3, 300e3, 1e6, 3e6, 10e6, 30e6)
"""Few enough to stand beside one another on a telephone."""


def curves(
    results: Sequence[Result], runs: Sequence[Curve], published: Sequence[Published], axis: Axis
) -> go.Figure:
    """The validation loss of every run, and published figures as dashed lines across.

    Args:
        results: whose runs these are.
        runs: their curves, in the same order.
        published: figures to draw; those not `drawn` wait in the legend.
        axis: what runs along x.
    """
    figure = go.Figure()
    for result, run in zip(results, runs, strict=True):
        figure.add_trace(_curve(result, run, axis))
        if result.val_loss is not None:
            figure.add_trace(_end(result, run, axis))
    ends = [_x(run, axis)[-1] for run in runs if run.val_loss]
    lowest = min((p.loss for p in published if p.drawn), default=0)
    for entry in sorted(published, key=lambda p: -p.loss):
        side = "bottom" if entry.loss == lowest else "top"
        figure.add_trace(_line(entry, max(ends, default=1), side))
    figure.update_xaxes(title=axis, rangemode="tozero")
    figure.update_yaxes(title=LOSS_TITLE, range=_range([r.val_loss for r in runs if r.val_loss], published))
    return dress(figure, hovermode="closest")


def scatter(results: Sequence[Result], published: Sequence[Published]) -> go.Figure:
    """Validation loss against the number of parameters; published systems that state both are diamonds.

    Args:
        results: one point each, its colour the model's and its shape the preset's; one that was not scored has none.
        published: those on the training split, or without a number of parameters, are left out.
    """
    figure = go.Figure()
    for result in results:
        if result.val_loss is not None:
            figure.add_trace(_point(result))
    known = [p for p in published if p.params and p.split == "val"]
    figure.add_trace(_diamonds(known))
    figure.update_xaxes(title="parameters", type="log", tickvals=PARAMETER_TICKS, tickformat="~s")
    figure.update_yaxes(title=LOSS_TITLE)
    return dress(figure, hovermode="closest")


def _curve(result: Result, run: Curve, axis: Axis) -> go.Scatter:
    return go.Scatter(
        x=_x(run, axis),
        y=run.val_loss,
        name=result.title,
        mode="lines",
        line={"color": color(result.model), "width": 2.5},
        hovertemplate=f"{result.title}: %{{y:.3f}} at %{{x:,.0f}} {axis}<extra></extra>",
    )


def _end(result: Result, run: Curve, axis: Axis) -> go.Scatter:
    """The loss over the whole validation split, where the run ended; the curve before it is an estimate."""
    scored = "a sample of the" if result.val_loss_streaming is None else "the whole"
    return go.Scatter(
        x=_x(run, axis)[-1:],
        y=[result.val_loss],
        mode="markers",
        marker={"color": color(result.model), "size": 11, "symbol": "diamond"},
        showlegend=False,
        hovertemplate=f"{result.title}: %{{y:.4f}} over {scored} validation split<extra></extra>",
    )


def _line(entry: Published, end: float, side: str) -> go.Scatter:
    """A published figure across the chart, its name at the left end."""
    where = f"{entry.loss:g} {entry.system} ({entry.source})" + ", training loss" * (entry.split == "train")
    return go.Scatter(
        x=[0, end],
        y=[entry.loss, entry.loss],
        name=where,
        text=[f"{entry.loss:g} {entry.system}" + ", paper" * (entry.group == "paper"), ""],
        mode="lines+text",
        textposition=f"{side} right",
        textfont={"size": 11, "color": INK_COLOR},
        line={"color": INK_COLOR, "width": 1.2, "dash": "dash" if entry.split == "val" else "dot"},
        hovertemplate=f"{where}; {entry.cost}<extra></extra>",
        visible=True if entry.drawn else "legendonly",
        showlegend=not entry.drawn,
    )


def _point(result: Result) -> go.Scatter:
    name = f"{result.title}, {result.preset}"
    return go.Scatter(
        x=[result.n_params],
        y=[result.val_loss],
        name=name,
        mode="markers",
        marker={"color": color(result.model), "size": 12, "symbol": SYMBOLS.get(result.preset, "star")},
        hovertemplate=f"{name}: %{{y:.4f}} with %{{x:,}} parameters<extra></extra>",
    )


def _diamonds(known: Sequence[Published]) -> go.Scatter:
    systems = dict.fromkeys(p.system.split(",")[0] for p in known)
    return go.Scatter(
        x=[p.params for p in known],
        y=[p.loss for p in known],
        name=f"published: {', '.join(systems)}",
        text=[f"{p.system} ({p.source})" for p in known],
        mode="markers",
        marker={"color": INK_COLOR, "size": 10, "symbol": "diamond"},
        hovertemplate="%{text}: %{y:.4f} with %{x:,} parameters<extra></extra>",
    )


def _x(run: Curve, axis: Axis) -> Sequence[float]:
    if axis == "iters":
        return run.iters
    return run.tokens if axis == "characters read" else run.seconds


def _range(losses: Sequence[Sequence[float]], published: Sequence[Published]) -> list[float] | None:
    """The y axis at first: from just under the best loss drawn to a little above the cliff's foot."""
    if not losses:
        return None
    best = min(min(run) for run in losses)
    lines = [p.loss for p in published if p.drawn]
    top = max([best + HEADROOM, *(loss + 0.05 for loss in lines)])
    return [min([best, *lines]) - 0.04, min(top, max(max(run) for run in losses) + 0.05)]
