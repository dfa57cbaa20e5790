"""Loss curves over a run, beside the published figures: data -> figure, pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from minrnn.results import Curve, Published, Result, title
from minrnn.results.finding import characters
from minrnn.results.weights import Run
from minrnn.ui.components import dress, plain
from minrnn.ui.results.labels import Label, beside
from minrnn.ui.theme import INK_COLOR, color, dash

Axis = Literal["characters read", "iters", "seconds"]
AXES: tuple[Axis, ...] = ("characters read", "iters", "seconds")
LOSS_TITLE = "validation loss, nats per character"
HEADROOM = 0.4
"""How far above the best loss the curves are shown at first, in nats: the start of a run is a cliff."""

HEIGHT = 460
MARGIN = {"l": 48, "r": 16, "t": 12, "b": 44}
LAST = 0.9
"""Lines that end in the last tenth of the axis are named in the margin, with the published figures and with their
losses; the others inside the plot, where there is room for the name alone on a telephone."""
PLOT_HEIGHT = HEIGHT - MARGIN["t"] - MARGIN["b"]


def curves(
    results: Sequence[Result],
    runs: Sequence[Curve],
    published: Sequence[Published],
    axis: Axis,
    budgets: Sequence[Run] = (),
) -> go.Figure:
    """The validation loss of every run, and published figures as lines across.

    Args:
        results: whose runs these are.
        runs: their curves, in the same order.
        published: those that are `drawn` become lines.
        axis: what runs along x.
        budgets: whole runs of the same models with more or fewer characters; drawn along characters read only.
    """
    further = budgets if axis == "characters read" else ()
    lines = sorted((p for p in published if p.drawn), key=lambda p: -p.loss)
    ends = [_x(run, axis)[-1] for run in runs if run.val_loss] + [run.tokens_seen for run in further]
    end = max(ends, default=1)
    low, high = _range([r.val_loss for r in runs if r.val_loss], [*lines], [run.val_loss for run in further])
    figure = go.Figure([published_line(entry, end) for entry in lines])
    for whole in further:
        figure.add_traces([_further(whole), _further_end(whole)])
    for result, run in zip(results, runs, strict=True):
        figure.add_traces([_curve(result, run, axis), _end(result, run, axis)])
    reached = [
        (r.title, r.loss, _x(run, axis)[-1]) for r, run in zip(results, runs, strict=True) if run.val_loss
    ]
    reached += [(title(w.model), w.val_loss, w.tokens_seen) for w in further if w.tokens_seen == end]
    inside = [Label(x, loss, plain(name)) for name, loss, x in reached if x < LAST * end]
    margin = [Label(x, loss, plain(f"{name} {loss:.3f}")) for name, loss, x in reached if x >= LAST * end]
    margin += [Label(end, entry.loss, plain(line_name(entry))) for entry in lines]
    notes = [note for column in (inside, margin) for note in beside(column, low, high, PLOT_HEIGHT)]
    figure.update_xaxes(title={"text": axis, "font": {"size": 12}}, range=[0, end], nticks=6)
    figure.update_yaxes(title={"text": LOSS_TITLE, "font": {"size": 12}}, range=[low, high])
    figure.update_layout(annotations=notes)
    return dress(figure, hovermode="closest", margin={**MARGIN, "r": room(margin)}, showlegend=False)


def _curve(result: Result, run: Curve, axis: Axis) -> go.Scatter:
    return go.Scatter(
        x=_x(run, axis),
        y=run.val_loss,
        name=plain(result.title),
        mode="lines",
        line={"color": color(result.model), "dash": dash(result.model), "width": 2.5},
        hovertemplate=f"{plain(result.title)}: %{{y:.3f}} at %{{x:,.0f}} {axis}<extra></extra>",
    )


def _end(result: Result, run: Curve, axis: Axis) -> go.Scatter:
    """The loss over the whole validation split, where the run ended; the curve before it is an estimate."""
    return go.Scatter(
        x=_x(run, axis)[-1:],
        y=[result.loss],
        mode="markers",
        cliponaxis=False,
        marker={"color": color(result.model), "size": 10, "symbol": "diamond"},
        hovertemplate=f"{plain(result.title)}: %{{y:.4f}} over the whole validation split<extra></extra>",
    )


def _further(run: Run) -> go.Scatter:
    """The curve of a run with another budget: the model's colour and dash, thinner and fainter."""
    return go.Scatter(
        x=run.curve_tokens,
        y=run.curve_val_loss,
        mode="lines",
        opacity=0.55,
        line={"color": color(run.model), "dash": dash(run.model), "width": 1.5},
        hoverinfo="skip",
    )


def _further_end(run: Run) -> go.Scatter:
    budget = f"{plain(run.row)}, a whole run of {characters(run.tokens_seen)} characters"
    return go.Scatter(
        x=[run.tokens_seen],
        y=[run.val_loss],
        mode="markers",
        cliponaxis=False,
        marker={"color": color(run.model), "size": 9, "symbol": "diamond-open", "line": {"width": 2}},
        hovertemplate=f"{budget}: %{{y:.4f}}<extra></extra>",
    )


def published_line(entry: Published, end: float) -> go.Scatter:
    """A published figure across the chart."""
    where = f"{entry.loss:g} {entry.system} ({entry.source})" + ", training loss" * (entry.split == "train")
    return go.Scatter(
        x=[0, end],
        y=[entry.loss, entry.loss],
        name=plain(where),
        mode="lines",
        line={"color": INK_COLOR, "width": 1, "dash": "dash" if entry.split == "val" else "dot"},
        hovertemplate=plain(f"{where}; {entry.cost}") + "<extra></extra>",
    )


def line_name(entry: Published) -> str:
    """Short, for the margin of a telephone; the whole stands in the table and under the pointer."""
    whose = {"paper": "paper", "replication": f"their {entry.system}"}.get(entry.group, "published")
    return f"{whose} {entry.loss:.3f}"


def room(names: Sequence[Label]) -> float:
    """The margin that the longest of these names needs, in pixels."""
    return 20 + 6.3 * max((len(name.text) for name in names), default=0)


def _x(run: Curve, axis: Axis) -> Sequence[float]:
    if axis == "iters":
        return run.iters
    return run.tokens if axis == "characters read" else run.seconds


def _range(
    losses: Sequence[Sequence[float]], lines: Sequence[Published], further: Sequence[float]
) -> tuple[float, float]:
    """The y axis at first: from just under the best loss drawn to a little above the cliff's foot."""
    known = [p.loss for p in lines] + list(further)
    if not losses:
        return min(known, default=1.0) - 0.04, max(known, default=2.0) + 0.05
    best = min(min(run) for run in losses)
    top = max([best + HEADROOM, *(loss + 0.05 for loss in known)])
    return min([best, *known]) - 0.04, min(top, max(max(run) for run in losses) + 0.05)
