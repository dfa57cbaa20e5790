"""The accuracy of several models as they learn: data in, plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from minrnn.ui.components import dress, plain
from minrnn.ui.train.charts import spread

Axis = Literal["iters", "characters"]
HEIGHT = 330
"""Of the chart, in pixels."""
_MARGIN = {"l": 48, "r": 126, "t": 26, "b": 42}
_TITLES = {"iters": "iters", "characters": "characters read"}


@dataclass(frozen=True)
class Line:
    """One model's line.

    Attributes:
        key: unique among the lines.
        title: the model's name, at the end of its line.
        color: of the line.
        dash: of the line.
        stored: whether it is a stored one, which is drawn pale.
        points: x and accuracy.
    """

    key: str
    title: str
    color: str
    dash: str
    stored: bool
    points: Sequence[tuple[float, float]]


def accuracies(lines: Sequence[Line], axis: Axis, guessing: float) -> go.Figure | None:
    """Accuracy at the trained length, one line a model, and a level for guessing; None where there is no line."""
    drawn = [line for line in lines if line.points]
    if not drawn:
        return None
    figure = go.Figure()
    for line in drawn:
        _add(figure, line)
    bottom = max(0.0, min(guessing, *(y for line in drawn for _, y in line.points)) - 0.06)
    kept = f"{axis} {' '.join(line.key for line in drawn)}"
    dress(figure, uirevision=kept, hovermode="closest", showlegend=False, margin=_MARGIN)
    figure.add_hline(y=guessing, line={"color": "#8a8f98", "width": 1, "dash": "dot"})
    figure.update_layout(annotations=[*_labels(drawn, bottom), _level(guessing)])
    figure.update_xaxes(
        title_text=_TITLES[axis], range=[0, max(1.0, *(x for line in drawn for x, _ in line.points))]
    )
    figure.update_yaxes(title_text="accuracy", range=[bottom, 1.03], tickformat=".1f")
    return figure


def _add(figure: go.Figure, line: Line) -> None:
    kind = "stored" if line.stored else "here"
    figure.add_scatter(
        x=[x for x, _ in line.points], y=[y for _, y in line.points], name=plain(line.title),
        mode="lines" if line.stored else "lines+markers", opacity=0.6 if line.stored else 1.0,
        line={"color": line.color, "width": 1.5 if line.stored else 2.2, "dash": line.dash},
        marker={"color": line.color, "size": 5},
        hovertemplate=f"{kind} %{{y:.3f}} at %{{x:,}}<extra>%{{fullData.name}}</extra>",
    )  # fmt: skip


def _labels(lines: Sequence[Line], bottom: float) -> list[dict[str, Any]]:
    """The models' names right of the chart, as high as their lines end and moved apart; a model's own run comes before
    its stored one."""
    ends = {line.title: line for line in sorted(lines, key=lambda line: not line.stored)}
    named = list(ends.values())
    pixels = (HEIGHT - _MARGIN["t"] - _MARGIN["b"]) / (1.03 - bottom)
    shifts = spread([pixels * line.points[-1][1] for line in named])
    return [
        {
            "x": 1, "xref": "paper", "y": line.points[-1][1], "xshift": 6, "yshift": shift, "xanchor": "left",
            "showarrow": False, "font": {"size": 12},
            "text": f'<span style="color:{line.color}">■</span> {plain(line.title)}',
        }
        for line, shift in zip(named, shifts, strict=True)
    ]  # fmt: skip


def _level(guessing: float) -> dict[str, Any]:
    return {
        "x": 0, "xref": "paper", "xanchor": "left", "y": guessing, "yanchor": "top", "showarrow": False,
        "text": "guessing", "font": {"size": 11},
    }  # fmt: skip
