"""The table of budgets on the page: its chart and its sentences, every word escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from statistics import mean

import plotly.graph_objects as go

from minrnn.models import MODEL_NAMES
from minrnn.results import Published, budgets, title, verdicts
from minrnn.results.finding import characters
from minrnn.results.weights import Weights
from minrnn.results.weights_studies import POINTS, TAPS, Point
from minrnn.ui.components import dress, plain
from minrnn.ui.results.charts import LOSS_TITLE, MARGIN, PLOT_HEIGHT, line_name, published_line, room
from minrnn.ui.results.labels import Label, beside
from minrnn.ui.theme import color, dash

ROOM = 1.25
"""Left and right of the first and the last budget, as a factor of its characters."""


def figure(weights: Weights, published: Sequence[Published]) -> go.Figure:
    """The loss at the end of every budget, one line a model; hollow points were trained on another text.

    Args:
        weights: the table.
        published: those of the validation split that are `drawn` become lines across.
    """
    known = [p for p in published if p.drawn and p.split == "val"]
    lines = [
        found for corpus in _texts() for model in MODEL_NAMES if (found := _line(weights, corpus, model))
    ]
    end = max((p.chars for p in POINTS), default=1)
    made = go.Figure([published_line(p, end * ROOM) for p in known] + lines)
    losses = [loss for line in lines for loss in line.y] + [p.loss for p in known]
    low, high = min(losses, default=1.0) - 0.02, max(losses, default=2.0) + 0.02
    names = [Label(math.log10(line.x[-1]), line.y[-1], f"{line.meta} {line.y[-1]:.3f}") for line in lines]
    margin = [n for n in names if n.x == math.log10(end)]
    margin += [Label(math.log10(end * ROOM), p.loss, plain(line_name(p))) for p in known]
    inside = [n for n in names if n.x < math.log10(end)]
    notes = [note for column in (inside, margin) for note in beside(column, low, high, PLOT_HEIGHT)]
    ticks = sorted({p.chars for p in POINTS})
    made.update_xaxes(
        title={"text": "characters read", "font": {"size": 12}}, type="log", tickvals=ticks,
        ticktext=[characters(chars) for chars in ticks],
        range=[math.log10(ticks[0] / ROOM), math.log10(end * ROOM)],
    )  # fmt: skip
    made.update_yaxes(title={"text": LOSS_TITLE, "font": {"size": 12}}, range=[low, high])
    made.update_layout(annotations=notes)
    return dress(made, hovermode="closest", margin={**MARGIN, "r": room(margin)}, showlegend=False)


def sentences(weights: Weights) -> str:
    """Everything that the table says, and why lower figures do not compare: HTML."""
    said = "".join(f"<li>{escape(words)}</li>" for words in verdicts.sentences(weights))
    return f"<ul class='limits'>{said}</ul><p class='note'>{escape(budgets.other_splits(weights))}</p>"


def _line(weights: Weights, corpus: str, model: str) -> go.Scatter | None:
    """A model's line over the budgets on one text; None where none was run."""
    points = [p for p in POINTS if p.corpus == corpus and p.taps == TAPS]
    run = [(p, losses) for p in points if (losses := weights.losses(p).get(model))]
    if not run:
        return None
    other = corpus != _texts()[0]
    name = plain(f"{title(model)}, {_text(run[0][0])}" if other else title(model))
    return go.Scatter(
        x=[p.chars for p, _ in run],
        y=[mean(losses) for _, losses in run],
        customdata=[_counted(losses) for _, losses in run],
        name=name,
        meta=plain(title(model)),
        mode="lines+markers",
        cliponaxis=False,
        line={"color": color(model), "dash": dash(model), "width": 2.5},
        marker={"color": color(model), "size": 9, "symbol": "diamond-open" if other else "diamond"},
        hovertemplate=f"{name}: %{{y:.4f}} after %{{x:,}} characters, %{{customdata}}<extra></extra>",
    )


def _counted(losses: Sequence[float]) -> str:
    """How many seeds a point is the mean of, in words."""
    return "one seed" if len(losses) == 1 else f"mean of {len(losses)} seeds"


def _texts() -> list[str]:
    return list(dict.fromkeys(p.corpus for p in POINTS))


def _text(point: Point) -> str:
    return budgets.text(point.corpus)
