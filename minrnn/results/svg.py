"""Small charts as SVG text, readable on light and dark pages: lines over a run, points at budgets, and a ladder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLORS = ("#e4572e", "#2a9d8f", "#5b7fde", "#d99a06", "#a05cc8", "#c94f7c", "#6b8e23", "#8a6d5a")
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 760, 64, 16, 16, 44
ROW_HEIGHT, LABEL_WIDTH = 26, 250
NAMES, NAME_HEIGHT = 240, 15
"""Room for the names of lines across, and the least distance of two."""
_STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#57606a}.grid{stroke:#8884;stroke-width:1}"
    "@media(prefers-color-scheme:dark){text{fill:#9aa4af}}</style>"
)


@dataclass(frozen=True)
class Series:
    """One line, or one kind of dots; `x` and `y` are equally long.

    Attributes:
        label: its name in the legend.
        x: of its points.
        y: of its points.
        color: empty takes the next of COLORS.
        hollow: whether its points are hollow and its line is dashed, where points are drawn.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    color: str = ""
    hollow: bool = False


@dataclass(frozen=True)
class Scale:
    """From values to pixels: low lies at `start`, high at `end`; values beyond are drawn at the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def lines(series: Sequence[Series], x_title: str, y_title: str, y_top: float, height: int = 400) -> str:
    """Lines over a common x axis.

    Args:
        series: at least one, each with at least one point.
        x_title: what runs along x, with its unit.
        y_title: what runs along y, with its unit.
        y_top: the upper end of the y axis; lines above it run along the edge.
        height: in pixels, the legend not counted.
    """
    x = Scale(0, max(max(s.x) for s in series) or 1, LEFT, WIDTH - RIGHT)
    low = min(min(s.y) for s in series)
    y = Scale(min(low, y_top - 0.1) - 0.02, y_top, height - BOTTOM, TOP)
    marks = [_horizontal(y, value) for value in ticks(y.low, y.high)]
    marks += [_text(x(value), height - BOTTOM + 18, short(value), "middle") for value in ticks(0, x.high)]
    marks += [_polyline(s, x, y, COLORS[number % len(COLORS)]) for number, s in enumerate(series)]
    marks += [_text(WIDTH / 2, height - 6, x_title, "middle"), _sideways(height / 2, y_title)]
    legend = [_key(s.label, number, height) for number, s in enumerate(series)]
    return _svg(height + 20 * math.ceil(len(series) / 2) + 8, [*marks, *legend])


def points(
    series: Sequence[Series],
    levels: Sequence[tuple[str, float]],
    x_title: str,
    y_title: str,
    height: int = 400,
) -> str:
    """Points joined by lines over a logarithmic x axis, which is marked where there are points.

    Args:
        series: at least one, each with at least one point.
        levels: names and heights of lines across.
        x_title: what runs along x, with its unit.
        y_title: what runs along y, with its unit.
        height: in pixels, the legend not counted.
    """
    places = sorted({value for s in series for value in s.x})
    x = Scale(math.log(places[0] / 1.3), math.log(places[-1] * 1.3), LEFT, WIDTH - NAMES)
    values = [value for s in series for value in s.y] + [value for _, value in levels]
    y = Scale(min(values) - 0.02, max(values) + 0.02, height - BOTTOM, TOP)
    marks = [_horizontal(y, value) for value in ticks(y.low, y.high)]
    marks += [
        _text(x(math.log(value)), height - BOTTOM + 18, short(float(f"{value:.2g}")), "middle")
        for value in places
    ]
    marks += _levels([(name, y(value)) for name, value in levels])
    for number, s in enumerate(series):
        marks += _joined(s, x, y, s.color or COLORS[number % len(COLORS)])
    marks += [_text(WIDTH / 2, height - 6, x_title, "middle"), _sideways(height / 2, y_title)]
    legend = [_key(s.label, number, height, s.color, s.hollow) for number, s in enumerate(series)]
    return _svg(height + 20 * math.ceil(len(series) / 2) + 8, [*marks, *legend])


def ladder(labels: Sequence[str], series: Sequence[Series], x_title: str) -> str:
    """Dots in rows: `y` of a series counts the rows from the top, `x` is the value.

    Args:
        labels: of the rows.
        series: kinds of dots, at least one with at least one point.
        x_title: what is measured, with its unit.
    """
    values = [value for s in series for value in s.x]
    margin = 0.08 * (max(values) - min(values)) or 0.01
    x = Scale(min(values) - margin, max(values) + margin, LABEL_WIDTH, WIDTH - RIGHT)
    bottom = TOP + ROW_HEIGHT * len(labels)
    marks = [_vertical(x(value), bottom, f"{value:g}") for value in ticks(x.low, x.high)]
    marks += [_text(LABEL_WIDTH - 10, _row_y(row) + 4, label, "end") for row, label in enumerate(labels)]
    for s, color in zip(series, COLORS, strict=False):
        marks += [_dot(x(a), _row_y(b), color, f"{s.label}: {a:.4f}") for a, b in zip(s.x, s.y, strict=True)]
    marks.append(_text((LABEL_WIDTH + WIDTH) / 2, bottom + 38, x_title, "middle"))
    legend = [_key(s.label, number, bottom + 44) for number, s in enumerate(series)]
    return _svg(bottom + 44 + 28, [*marks, *legend])


def ticks(low: float, high: float) -> list[float]:
    """About five round numbers between low and high."""
    rough = (high - low) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(multiple * step, 10) for multiple in range(first, math.floor(high / step + 1e-9) + 1)]


def short(value: float) -> str:
    """A count for an axis: 500, 20 k, 5 M."""
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _svg(height: float, marks: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}">'
    return "\n".join([head, _STYLE, *marks, "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _sideways(y: float, words: str) -> str:
    return f'<text transform="translate(16 {y:.1f}) rotate(-90)" text-anchor="middle">{escape(words)}</text>'


def _horizontal(y: Scale, value: float) -> str:
    line = f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
    return line + _text(LEFT - 8, y(value) + 4, f"{value:g}", "end")


def _vertical(x: float, bottom: float, words: str) -> str:
    line = f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
    return line + _text(x, bottom + 16, words, "middle")


def _polyline(s: Series, x: Scale, y: Scale, color: str) -> str:
    points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(s.x, s.y, strict=True))
    title = f"<title>{escape(s.label)}</title>"
    return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2">{title}</polyline>'


def _dot(x: float, y: float, color: str, words: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{color}"><title>{escape(words)}</title></circle>'


def _joined(s: Series, x: Scale, y: Scale, color: str) -> list[str]:
    """A series' line and its points on a logarithmic axis."""
    places = [(x(math.log(a)), y(b), b) for a, b in zip(s.x, s.y, strict=True)]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b, _ in places)
    dashed = ' stroke-dasharray="6 4"' * s.hollow
    line = f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"{dashed}/>'
    fill = f'fill="none" stroke="{color}" stroke-width="2"' if s.hollow else f'fill="{color}"'
    return [line] * (len(places) > 1) + [
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="5" {fill}><title>{escape(s.label)}: {value:.4f}</title></circle>'
        for a, b, value in places
    ]


def _levels(levels: Sequence[tuple[str, float]]) -> list[str]:
    """Lines across at heights in pixels, each with its name behind its end, and no name over another."""
    marks, free = [], float("-inf")
    for name, y in sorted(levels, key=lambda level: level[1]):
        free = max(y, free + NAME_HEIGHT)
        end = WIDTH - NAMES
        line = f'x1="{LEFT}" x2="{end}" y1="{y:.1f}" y2="{y:.1f}" stroke="#888" stroke-dasharray="2 3"'
        marks.append(f"<line {line}/>" + _text(end + 6, free + 4, name))
    return marks


def _row_y(row: float) -> float:
    return TOP + ROW_HEIGHT * (row + 0.5)


def _key(label: str, number: int, top: float, color: str = "", hollow: bool = False) -> str:
    """An entry of the legend, two in a row."""
    x, y = LEFT + (number % 2) * (WIDTH - LEFT) / 2, top + 16 + 20 * (number // 2)
    color = color or COLORS[number % len(COLORS)]
    ink = f'fill="none" stroke="{color}" stroke-width="2"' if hollow else f'fill="{color}"'
    patch = f'<rect x="{x:.1f}" y="{y - 9:.1f}" width="14" height="10" {ink}/>'
    return patch + _text(x + 20, y, label)
