"""Labels of a chart that do not cover one another: moved apart along y, with a thin line back to their points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from minrnn.ui.theme import INK_COLOR

GAP = 15.0
"""Between two lines of text, in pixels."""


@dataclass(frozen=True)
class Label:
    """A text beside a point.

    Attributes:
        x: the point's, as the axis counts: the logarithm on a logarithmic one.
        y: the point's.
        text: HTML as plotly reads it, already escaped.
    """

    x: float
    y: float
    text: str


def beside(
    labels: Sequence[Label], bottom: float, top: float, height: float, side: str = "right"
) -> list[dict[str, Any]]:
    """Plotly's annotations for labels beside their points.

    Args:
        labels: those that could cover one another.
        bottom: where the y axis begins.
        top: where it ends.
        height: of the plot between the two, in pixels.
        side: of the points on which the labels stand, "right" or "left".
    """
    scale = height / (top - bottom)
    wanted = [(top - label.y) * scale for label in labels]
    placed = spread_out(wanted, GAP, GAP / 2, height - GAP / 2)
    offset, anchor = (14, "left") if side == "right" else (-16, "right")
    return [
        {"x": label.x, "y": label.y, "text": label.text, "ax": offset, "ay": at - want, "xanchor": anchor}
        | {"showarrow": True, "arrowhead": 0, "arrowwidth": 1, "arrowcolor": INK_COLOR, "standoff": 5}
        | {"borderpad": 1, "font": {"size": 11}}
        for label, want, at in zip(labels, wanted, placed, strict=True)
    ]


def spread_out(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places as near as possible to the wanted ones, in the same order, and at least `gap` apart.

    Args:
        wanted: in any order.
        gap: the least distance of two.
        low: no place lies below, unless there are more than fit.
        high: no place lies above.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    clusters: list[list[float]] = []  # each: sum of the wanted starts, count
    for i in order:
        clusters.append([wanted[i], 1])
        while len(clusters) > 1 and _end(clusters[-2], gap) > _start(clusters[-1], gap):
            total, count = clusters.pop()
            clusters[-1][0] += total
            clusters[-1][1] += count
    placed = [_start(c, gap) + gap * (k + 0.5) for c in clusters for k in range(int(c[1]))]
    placed = _within(placed, gap, low, high)
    return [place for _, place in sorted(zip(order, placed, strict=True))]


def _start(cluster: Sequence[float], gap: float) -> float:
    """Where a cluster's first place begins: the places stand around the mean of what was wanted."""
    total, count = cluster
    return total / count - gap * count / 2


def _end(cluster: Sequence[float], gap: float) -> float:
    return _start(cluster, gap) + gap * cluster[1]


def _within(placed: list[float], gap: float, low: float, high: float) -> list[float]:
    """Move places that stand outside inwards, and with them those in their way."""
    for k in reversed(range(len(placed))):
        placed[k] = min(placed[k], high if k == len(placed) - 1 else placed[k + 1] - gap)
    for k in range(len(placed)):
        placed[k] = max(placed[k], low if k == 0 else placed[k - 1] + gap)
    return placed
