"""The Results tab: what the bundled checkpoints reached, beside the paper, nanoGPT and the replication."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from minrnn import results
from minrnn.presets import ALLPLAYS, TAUGHT
from minrnn.results import Published, Result, weights
from minrnn.results.budgets import LEGEND
from minrnn.ui.components import figure_json, live_chart, plain, visible_errors
from minrnn.ui.results import budgets, charts, scaling, sizes
from minrnn.ui.results.critics import critics
from minrnn.ui.results.summary import summary
from minrnn.ui.results.table import sources, table
from minrnn.ui.theme import static

LEAD = "Start with the sentence below: it is made from the table of budgets further down."
OURS = {
    "base": "2.3 M parameters each, trained on tiny Shakespeare.",
    ALLPLAYS: "the same size, trained on tiny Shakespeare's training part and all other plays.",
    TAUGHT: "base's minGRU once more, trained on the same text and on what the five of base expect of it.",
    "replica": "the small shapes of the student replication of 2024, trained by us.",
}
"""What to read first, and what our own names mean."""

CURVES = """A curve is a live estimate; the diamond at its end is the loss over the whole validation text. Thin curves
with hollow diamonds are whole runs of the same models with fewer or more characters, each with its own recipe. Grey
lines are published figures; dotted ones are training losses."""
SIZES = """Large marks are base, small ones the other presets, grey stars published figures. Systems that state no
number of parameters, as the paper's, are absent."""
TABLE = "A number beside a published figure leads to its source, below."
SOURCES = """Ours are taken over the whole validation text at the end of a run; most of these are the best moment of
theirs."""
NOTHING = (
    "No checkpoint with figures is bundled yet. `python -m minrnn train --preset base --model mingru --out "
    "runs/mingru` trains one and `python -m minrnn bundle runs/mingru` puts it here."
)


def build() -> None:
    """Fill the tab that is being built."""
    everything, known, own = results.bundled(), results.published(), _scored()
    with gr.Column(elem_classes="results"):
        if own:
            _head(own)
        else:
            gr.Markdown(NOTHING)
        _budgets(known)
        _section("All figures", TABLE, table(everything, known))
        _section("Scaling", scaling.NOTE)
        scaling.build()
        _section("Published figures, and what differs", SOURCES, sources(known))
        critical = critics([r for r in own if r.preset == "base"])
        _section("What critics said, and what we measured", "", critical)


def _head(own: Sequence[Result]) -> None:
    """The finding, the cards and the curves of one preset, which a switch chooses."""
    presets = list(dict.fromkeys(result.preset for result in own))
    first = presets[0]
    names = [f"**{name}**: {OURS[name]}" for name in presets if name in OURS]
    gr.Markdown(" ".join([LEAD, *names]), elem_classes="quiet")
    preset = gr.Radio(
        [(plain(name), name) for name in presets],
        value=first,
        label="Models",
        show_label=False,
        container=False,
        elem_classes="chips",
    )
    cards = _html(_summary(first))
    with gr.Row(elem_classes="charts"):
        with gr.Column(scale=3, min_width=400):
            _section("Loss against characters read", CURVES)
            axis = gr.Radio(
                list(charts.AXES), value=charts.AXES[0], label="Along x", show_label=False, container=False,
                elem_classes="chips",
            )  # fmt: skip
            lines = live_chart(
                "Validation loss over the run of each model",
                charts.HEIGHT,
                value=_curves(first, charts.AXES[0]),
            )
        with gr.Column(scale=2, min_width=400):
            _section("Loss against parameters", SIZES)
            live_chart(
                "Validation loss against the number of parameters",
                charts.HEIGHT,
                value=figure_json(sizes.scatter(own, results.published())),
            )
    quiet: dict[str, Any] = {
        "api_visibility": "private",
        "concurrency_id": "results",
        "concurrency_limit": 4,
        "show_progress": "hidden",
    }
    preset.change(visible_errors(_summary), preset, cards, **quiet)
    gr.on([preset.change, axis.change], visible_errors(_curves), [preset, axis], lines, **quiet)


def _budgets(known: Sequence[Published]) -> None:
    """The table of budgets: its chart and its sentences."""
    _section("Loss by budget and text", f"{LEGEND} What differs with them stands below.")
    live_chart(
        "Validation loss at the end of every budget, one line a model",
        charts.HEIGHT,
        value=figure_json(budgets.figure(weights.stored(), known)),
    )
    _html(budgets.sentences(weights.stored()))


def _section(title: str, note: str, content: str = "") -> gr.HTML:
    """A heading, a quiet sentence or two, and what follows."""
    return _html(f"<h2>{title}</h2>" + f"<p class='note'>{note}</p>" * bool(note) + content)


def _html(content: str) -> gr.HTML:
    return gr.HTML(content, css_template=static("results.css"), apply_default_css=False, padding=False)


def _of(preset: str) -> list[Result]:
    return [result for result in _scored() if result.preset == preset]


def _scored() -> list[Result]:
    """The checkpoints that were scored on the whole split: the others stand in the table alone."""
    return [result for result in results.bundled() if result.val_loss_streaming is not None]


def _summary(preset: str) -> str:
    """The finding and the cards of one preset."""
    return summary(_of(preset))


def _curves(preset: str, axis: charts.Axis) -> dict[str, Any]:
    """The chart of one preset's runs, as data for the page."""
    return figure_json(figure_of(preset, axis))


def figure_of(preset: str, axis: charts.Axis) -> go.Figure:
    """One preset's runs, beside the published figures that compare with it."""
    own = _of(preset)
    known = [p for p in results.published() if (p.group == "replication") == (preset == "replica")]
    budgets = [run for result in own for run in weights.stored().budgets(result)]
    runs = [results.curve(result.folder) for result in own]
    return charts.curves(own, runs, known, axis, budgets)
