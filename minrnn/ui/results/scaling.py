"""What grows with the length of a text: log-log charts of the release's figures and of this machine's, and a button."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
import plotly.graph_objects as go

from minrnn import settings
from minrnn.bench.length import Length
from minrnn.bench.scaling import Scaling
from minrnn.errors import ConfigError
from minrnn.models import mixer_class
from minrnn.results import length as length_results
from minrnn.results import scaling as scaling_results
from minrnn.ui.components import dress, figure_json, live_chart, plain, visible_errors
from minrnn.ui.results.labels import Label, beside
from minrnn.ui.theme import color, dash

What = Literal["time", "memory"]
WHATS: tuple[What, ...] = ("time", "memory")
HEIGHT = 340
MARGIN = {"l": 56, "r": 84, "t": 12, "b": 44}
TITLES = {
    ("training", "time"): "a training step, milliseconds",
    ("training", "memory"): "kept for the backward pass, MB",
    ("writing", "time"): "a character, microseconds",
    ("writing", "memory"): "size of the state, kB",
}
NOTE = """A training step is the forward and the backward pass of one text. Writing carries the state from character to
character. Both axes are logarithmic: a straight line at 45 degrees grows with the length, a flat one does not grow."""
BUTTON = "Measure on this machine"
REFUSED = """MINRNN_TRAINING is {mode!r}: measuring takes a core for {seconds:g} s, as a training would. Run
`python -m minrnn bench scaling` on a machine of your own."""


@dataclass(frozen=True)
class Line:
    """One model's line.

    Attributes:
        model: the model's name.
        x: lengths, in characters.
        y: what is drawn against them, in the unit of TITLES.
    """

    model: str
    x: list[float]
    y: list[float]


def training_lines(found: Sequence[Scaling], what: What) -> list[Line]:
    """A training step against its length."""
    return [
        Line(
            one.model,
            [cost.length for cost in one.steps],
            [cost.seconds * 1e3 if what == "time" else cost.saved_bytes / 1e6 for cost in one.steps],
        )
        for one in found
        if one.steps
    ]


def writing_lines(found: Sequence[Length], what: What) -> list[Line]:
    """Writing against the characters read so far."""
    return [
        Line(
            one.model,
            [stretch.end for stretch in one.stretches],
            [s.us_per_char if what == "time" else s.state_bytes / 1e3 for s in one.stretches],
        )
        for one in found
    ]


def chart(lines: Sequence[Line], title: str, here: Sequence[Line] = ()) -> go.Figure:
    """A log-log chart with each model's name at the end of its line.

    Args:
        lines: the release's figures.
        title: what y is, with its unit.
        here: this machine's figures, drawn fainter and with hollow marks.
    """
    figure = go.Figure(
        [_trace(line, faint=False) for line in lines] + [_trace(line, faint=True) for line in here]
    )
    ys = [math.log10(y) for line in (*lines, *here) for y in line.y]
    low, high = min(ys, default=0.0) - 0.15, max(ys, default=1.0) + 0.15
    ends = [
        Label(math.log10(line.x[-1]), math.log10(line.y[-1]), plain(mixer_class(line.model).title))
        for line in lines
    ]
    notes = beside(ends, low, high, HEIGHT - MARGIN["t"] - MARGIN["b"])
    small = {"size": 12}
    xs = [math.log10(x) for line in (*lines, *here) for x in line.x]
    across = [min(xs, default=0.0) - 0.1, max(xs, default=1.0)]
    figure.update_xaxes(title={"text": "characters", "font": small}, type="log", range=across, dtick=1)
    marks = ticks(low, high)
    figure.update_yaxes(
        title={"text": title, "font": small}, type="log", range=[low, high], tickvals=marks,
        ticktext=[f"{mark:,g}" for mark in marks],
    )  # fmt: skip
    figure.update_layout(annotations=notes)
    return dress(figure, hovermode="closest", margin=MARGIN, showlegend=False)


def ticks(low: float, high: float) -> list[float]:
    """The marks of a logarithmic axis from 10**low to 10**high: powers of ten, and where those are fewer than three,
    some multiples of them, too."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    tens = [10.0**power for power in powers if low <= power <= high]
    if len(tens) >= 3:
        return tens
    finer = [step * 10.0**power for power in powers for step in (1, 2, 3, 5)]
    return [mark for mark in finer if low <= math.log10(mark) <= high]


def _trace(line: Line, faint: bool) -> go.Scatter:
    name = plain(mixer_class(line.model).title)
    where = ", this machine" if faint else ""
    return go.Scatter(
        x=line.x,
        y=line.y,
        name=name + where,
        mode="lines+markers",
        cliponaxis=False,
        opacity=0.6 if faint else 1,
        line={"color": color(line.model), "dash": dash(line.model), "width": 1.5 if faint else 2.5},
        marker={"size": 8 if faint else 5, "symbol": "diamond-open" if faint else "circle"},
        hovertemplate=f"{name}{where}: %{{y:,.3~g}} at %{{x:,}} characters<extra></extra>",
    )


def build() -> None:
    """Two charts beside one another, a switch for both, and the button."""
    here = gr.State([])
    what = gr.Radio(
        [(name, name) for name in WHATS], value=WHATS[0], label="Drawn", show_label=False, container=False,
        elem_classes="chips",
    )  # fmt: skip
    with gr.Row(elem_classes="charts"):
        with gr.Column(min_width=300):
            gr.Markdown("**Training**, one step against its length", elem_classes="quiet")
            first = live_chart(
                "A training step against its length", HEIGHT, value=training_figure("time", [])
            )
        with gr.Column(min_width=300):
            gr.Markdown("**Writing**, a character against those read so far", elem_classes="quiet")
            second = live_chart("Writing against the characters read", HEIGHT, value=writing_figure("time"))
    with gr.Row():
        measure = gr.Button(BUTTON, size="sm", elem_id="measure-scaling", scale=0, min_width=220)
    gr.Markdown(sources(), elem_classes="quiet")
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    what.change(visible_errors(training_figure), [what, here], first, **quiet)
    what.change(visible_errors(writing_figure), what, second, **quiet)
    alone: dict[str, Any] = {"concurrency_id": "scaling", "concurrency_limit": 1, "api_visibility": "private"}
    measured = measure.click(visible_errors(measured_here), None, here, show_progress_on=[first], **alone)
    measured.success(visible_errors(training_figure), [what, here], first, **quiet)


def training_figure(what: What, here: Sequence[Scaling]) -> dict[str, Any]:
    """The first chart, as data for the page."""
    lines = training_lines(scaling_results.stored().models, what)
    return figure_json(chart(lines, TITLES["training", what], training_lines(here, what)))


def writing_figure(what: What) -> dict[str, Any]:
    """The second chart, as data for the page."""
    return figure_json(chart(writing_lines(length_results.stored().models, what), TITLES["writing", what]))


def measured_here() -> list[Scaling]:
    """Measure a training step on this machine, in a process of its own.

    Raises:
        ConfigError: if this app may not train.
    """
    if (mode := settings.training_mode()) != "full":
        raise ConfigError(REFUSED.format(mode=mode, seconds=scaling_results.SECONDS))
    return scaling_results.measured_here()


def sources() -> str:
    """Which machine gave the figures, and when."""
    training, writing = scaling_results.stored(), length_results.stored()
    return (
        f"Training: {plain(training.machine)}, {training.date}. Writing: {plain(writing.machine)}, {writing.date}. "
        f"The button measures a training step on the machine that runs this app for about "
        f"{scaling_results.SECONDS:g} s; its figures are the hollow marks."
    )
