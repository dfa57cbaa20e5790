"""Figures of training runs: data in, plotly figure out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from minrnn.runs.events import MAX_POINTS, History, thinned
from minrnn.train import Eval, Iter
from minrnn.ui.components import dress, plain

Axis = Literal["iters", "characters", "seconds"]
_TITLES = {"iters": "iters", "characters": "characters read", "seconds": "seconds of training"}
_HOVER = ": %{y:.3f} at %{x:,}<extra>%{fullData.name}</extra>"


@dataclass(frozen=True)
class Curve:
    """A run in a chart."""

    key: str
    title: str
    color: str
    history: History


def losses(
    curves: Sequence[Curve], axis: Axis = "iters", log: bool = False, rate: bool = False
) -> go.Figure | None:
    """The losses of several runs, in nats per character: every batch pale, their average thin, validation bold.

    Args:
        curves: one a run, in the order of the legend.
        axis: what the x axis counts.
        log: make the losses' axis logarithmic.
        rate: add the learning rate, on an axis of its own.

    Returns:
        The figure; None if there is nothing to draw yet.
    """
    figure = go.Figure()
    for curve in curves:
        _add(figure, curve, axis, rate, MAX_POINTS // max(1, len(curves)))
    if not figure.data:
        return None
    kept = f"{axis} {log} {' '.join(curve.key for curve in curves)}"
    dress(figure, uirevision=kept, hovermode="closest", legend_itemsizing="constant")
    figure.update_xaxes(title_text=_TITLES[axis], rangemode="tozero")
    figure.update_yaxes(title_text="loss, nats per character", type="log" if log else "linear")
    if rate:
        side = {
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
            "type": "linear",
        }
        figure.update_layout(yaxis2={**side, "title": {"text": "learning rate"}}, margin={"r": 64})
    return figure


def _add(figure: go.Figure, curve: Curve, axis: Axis, rate: bool, limit: int) -> None:
    """The traces of one run. All of them are always there, so that updates find each in its old place."""
    history = curve.history
    points = thinned(len(history.iters), limit)
    drawn = [history.iters[point] for point in points]
    if not drawn and not history.evals:
        return
    x, name = _x(drawn, axis), plain(curve.title)
    line = {"color": curve.color, "width": 1}
    common = {"legendgroup": curve.key, "mode": "lines", "showlegend": False}
    figure.add_scatter(
        x=x, y=_y([e.loss for e in drawn]), name=name, line=line, opacity=0.3,
        hoverinfo="skip", **common,
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=_y([history.smooth[point] for point in points]), name=name, line={**line, "width": 1.5},
        hovertemplate="train" + _HOVER, **common,
    )  # fmt: skip
    figure.add_scatter(
        x=_x(history.evals, axis), y=_y([e.val_loss for e in history.evals]), name=name,
        line={**line, "width": 2.5}, marker={"size": 6}, hovertemplate="validation" + _HOVER,
        **(common | {"mode": "lines+markers", "showlegend": True}),
    )  # fmt: skip
    if rate:
        figure.add_scatter(
            x=x, y=_y([e.lr for e in drawn]), name=name, line={**line, "dash": "dot"}, yaxis="y2",
            hovertemplate="rate %{y:.2e}<br>at %{x:,}<extra>%{fullData.name}</extra>", **common,
        )  # fmt: skip


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
