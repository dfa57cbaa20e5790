"""Figures of training runs: data in, plotly figure out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from minrnn.runs.events import MAX_POINTS, History, thinned
from minrnn.train import Eval, Iter
from minrnn.ui.components import dress, plain

Axis = Literal["iters", "characters", "seconds"]
HEIGHT = 380
"""Of the chart, in pixels."""
_MARGIN = {"l": 52, "r": 12, "t": 14, "b": 44}
_LABEL_PX = 15
"""Height of a label."""
_TITLES = {"iters": "iters", "characters": "characters read", "seconds": "seconds of training"}
_AT = {"iters": "%{x:,}", "characters": "%{x:,}", "seconds": "%{x:,.1f} s"}
"""How the hover writes a place on the x axis; without a precision, seconds would have a dozen digits."""
_NAME = "<extra>%{fullData.name}</extra>"
GREY = "#8a8f98"


@dataclass(frozen=True)
class Look:
    """How a run is drawn. A colour is a model; the second run of a model is lighter and dashed.

    Attributes:
        color: of the lines, the dots and the card's edge.
        dash: of the line.
        repeat: whether it is a further run of a model that is drawn already.
    """

    color: str
    dash: str = "solid"
    repeat: bool = False

    @property
    def opacity(self) -> float:
        """Of the line and the dots."""
        return 0.6 if self.repeat else 1.0


@dataclass(frozen=True)
class Curve:
    """A run in a chart.

    Attributes:
        key: unique among the curves.
        title: what the hover names it.
        label: the short name at the end of its line.
        look: colour and dash.
        history: what it has reported.
        per: what a loss is taken over: a character of a text, or an answer of a task.
    """

    key: str
    title: str
    label: str
    look: Look
    history: History
    per: Literal["character", "answer"] = "character"


def losses(
    curves: Sequence[Curve], axis: Axis = "iters", log: bool = False, rate: bool = False, note: str = ""
) -> go.Figure | None:
    """The losses of several runs, in nats per character; of runs on a task, per answer.

    Dots: validation. Line: average of the batches. Pale: every batch.

    Args:
        curves: one a run.
        axis: what the x axis counts.
        log: make the losses' axis logarithmic.
        rate: add the learning rate, on an axis of its own.
        note: a sentence in the middle of the chart.

    Returns:
        The figure; None as long as no run has a line, of two iters at least.
    """
    figure = go.Figure()
    drawn = [curve for curve in curves if len(curve.history.iters) > 1]
    for curve in drawn:
        _add(figure, curve, axis, rate, MAX_POINTS // len(drawn))
    if not drawn:
        return None
    kept = f"{axis} {log} {' '.join(curve.key for curve in drawn)}"
    dress(figure, uirevision=kept, hovermode="closest", showlegend=False, margin=_MARGIN)
    figure.update_layout(annotations=[*_labels(drawn, axis, log), *_note(note)])
    figure.update_xaxes(title_text=_TITLES[axis], rangemode="tozero")
    figure.update_yaxes(
        title_text=f"loss, nats per {_per(drawn)}", type="log" if log else "linear", tickformat=".3~g"
    )
    if rate:
        side = {
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
            "type": "linear",
        }
        figure.update_layout(yaxis2={**side, "title": {"text": "learning rate"}}, margin={**_MARGIN, "r": 64})
    return figure


def _per(curves: Sequence[Curve]) -> str:
    """What the losses are taken over: "character", "answer" or "character or answer"."""
    return " or ".join(sorted({curve.per for curve in curves}, reverse=True))


def _add(figure: go.Figure, curve: Curve, axis: Axis, rate: bool, limit: int) -> None:
    """The traces of one run. All of them are always there, so that updates find each in its old place."""
    history, look = curve.history, curve.look
    points = thinned(len(history.iters), limit)
    drawn = [history.iters[point] for point in points]
    x, name = _x(drawn, axis), plain(curve.title)
    hover = f" loss %{{y:.3f}} at {_AT[axis]}{_NAME}"
    line = {"color": look.color, "width": 1}
    common = {"legendgroup": curve.key, "mode": "lines", "name": name}
    figure.add_scatter(x=x, y=_y([e.loss for e in drawn]), line=line, opacity=0.2, hoverinfo="skip", **common)
    figure.add_scatter(
        x=x, y=_y([history.smooth[point] for point in points]), opacity=look.opacity,
        line={**line, "width": 2, "dash": look.dash}, hovertemplate="training" + hover, **common,
    )  # fmt: skip
    symbol = "circle-open" if look.repeat else "circle"
    figure.add_scatter(
        x=_x(history.evals, axis), y=_y([e.val_loss for e in history.evals]), opacity=look.opacity,
        marker={"color": look.color, "size": 7, "symbol": symbol, "line": {"width": 1.5, "color": look.color}},
        hovertemplate="validation" + hover, **(common | {"mode": "markers"}),
    )  # fmt: skip
    if rate:
        figure.add_scatter(
            x=x, y=_y([e.lr for e in drawn]), line={**line, "dash": "dot"}, yaxis="y2",
            hovertemplate=f"rate %{{y:.2e}} at {_AT[axis]}{_NAME}", **common,
        )  # fmt: skip


def _labels(curves: Sequence[Curve], axis: Axis, log: bool) -> list[dict[str, Any]]:
    """A label at the end of each line; labels that would overlap are moved apart.

    A line that ends at 0 has left a logarithmic axis, and its label with it.
    """
    found = [(curve, _end(curve, axis)) for curve in curves]
    shown = [(curve, end) for curve, end in found if end[1] > 0 or not log]
    curves, ends = [curve for curve, _ in shown], [end for _, end in shown]
    heights = [math.log10(y) if log else y for _, y in ends]
    shifts = spread([_pixels(curves, log) * y for y in heights])
    return [
        {
            "x": x, "y": y, "yshift": shift, "xshift": 6, "xanchor": "left", "showarrow": False,
            "text": f'<span style="color:{curve.look.color}">■</span> {plain(curve.label)}',
            "font": {"size": 12},
        }
        for curve, (x, _), y, shift in zip(curves, ends, heights, shifts, strict=True)
    ]  # fmt: skip


def _end(curve: Curve, axis: Axis) -> tuple[float, float]:
    """Where a run's line ends."""
    return float(_x(curve.history.iters[-1:], axis)[0]), curve.history.smooth[-1]


def _pixels(curves: Sequence[Curve], log: bool) -> float:
    """About how many pixels high one unit of the loss axis is, before anybody zooms."""
    found = [loss for curve in curves for loss in (*curve.history.smooth, *_val_losses(curve)) if loss > 0]
    low, high = min(found, default=1.0), max(found, default=2.0)
    extent = math.log10(high / low) if log else high - low
    return (HEIGHT - _MARGIN["t"] - _MARGIN["b"]) / max(1.1 * extent, 1e-3)


def _val_losses(curve: Curve) -> list[float]:
    return [event.val_loss for event in curve.history.evals]


def spread(heights: Sequence[float], gap: float = _LABEL_PX) -> list[float]:
    """How far to move each of some labels up, so that no two are nearer than `gap` and none moves far."""
    order = sorted(range(len(heights)), key=lambda at: heights[at])
    placed: list[float] = []
    for at in order:
        placed.append(max(heights[at], placed[-1] + gap) if placed else heights[at])
    centre = sum(p - heights[at] for p, at in zip(placed, order, strict=True)) / max(1, len(order))
    shifts = {at: p - heights[at] - centre for p, at in zip(placed, order, strict=True)}
    return [shifts[at] for at in range(len(heights))]


def _note(text: str) -> list[dict[str, Any]]:
    middle = {"x": 0.5, "y": 0.8, "xref": "paper", "yref": "paper", "showarrow": False}
    return [{**middle, "text": text, "font": {"size": 15}}] if text else []


def _x(events: Sequence[Iter] | Sequence[Eval], axis: Axis) -> np.ndarray:
    match axis:
        case "iters":
            return np.array([event.iter for event in events], dtype=np.int32)
        case "characters":
            return np.array([event.tokens for event in events], dtype=np.float64)
        case "seconds":
            return np.array([event.seconds for event in events], dtype=np.float32)


def _y(values: Sequence[float]) -> np.ndarray:
    """Single precision is all a chart shows; what is not finite leaves a gap."""
    return np.array([v if math.isfinite(v) else math.nan for v in values], dtype=np.float32)
