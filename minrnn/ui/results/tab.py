"""The Results tab: what the bundled checkpoints reached, beside the paper, nanoGPT and the replication."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from minrnn import results
from minrnn.results import PARTS, Curve, Published, Result, tables
from minrnn.ui.components import figure_json, live_chart, visible_errors
from minrnn.ui.results import charts
from minrnn.ui.theme import static

INTRO = """Loss is in nats per character, lower is better. **Windows**: the whole validation split (the last 10 % of
tiny Shakespeare) in windows of `block_size`, each from an empty state. **Carried**: the same characters with the
state carried from window to window. A checkpoint here is the last moving average of its run; the published figures
are mostly the best moment of theirs, picked on the validation split."""

CURVES = """### Loss while training
Curves are live estimates over about 16,000 characters of the validation split; the diamond at a run's end is the
whole split's loss, as in the table."""

COLUMNS = (
    "",
    "windows",
    "carried",
    "bits/char",
    "train loss",
    "parameters (k)",
    "read",
    "training",
    "machine",
)
LABELS = ("emb.", "mixer", "MLP", "head")
GROUPS = {"paper": "The paper", "nanoGPT": "nanoGPT, as published", "replication": "The replication"}


def build() -> None:
    """Fill the tab that is being built."""
    own, known = results.bundled(), results.published()
    presets = list(dict.fromkeys(result.preset for result in own))
    gr.Markdown(INTRO)
    gr.HTML(table(own, known), css_template=static("results.css"), apply_default_css=False)
    if not own:
        gr.Markdown(
            "No checkpoint with figures is bundled yet; `python -m minrnn train --preset base` makes one."
        )
        return
    gr.Markdown(CURVES)
    with gr.Row():
        preset = gr.Radio(presets, value=presets[0], label="Loss curves of")
        axis = gr.Radio(list(charts.AXES), value=charts.AXES[0], label="Along x")
    lines = live_chart(
        "Validation loss over the run of each model", 480, value=_curves(presets[0], charts.AXES[0])
    )
    gr.on(
        [preset.change, axis.change],
        visible_errors(_curves),
        [preset, axis],
        lines,
        api_visibility="private",
        concurrency_id="results",
        concurrency_limit=4,
        show_progress="hidden",
    )
    gr.Markdown(
        "### Loss against size\nSystems that state no number of parameters, as the paper's, are absent."
    )
    live_chart(
        "Validation loss against the number of parameters", 460, value=figure_json(charts.scatter(own, known))
    )


def table(own: Sequence[Result], known: Sequence[Published]) -> str:
    """The figures as an HTML table with its notes, every word escaped."""
    notes = list(dict.fromkeys(_note(p) for p in known))
    head = "".join(f"<th scope='col'>{name}</th>" for name in COLUMNS)
    body = [_section(f"This repository, {preset}", _own_rows(own, preset)) for preset in _presets(own)]
    for group, name in GROUPS.items():
        rows = [_published_row(p, notes.index(_note(p)) + 1) for p in known if p.group == group]
        body.append(_section(name, rows))
    label = "aria-label='Results of every model' role='region' tabindex='0'"
    items = "".join(f"<li>{note}</li>" for note in notes)
    return (
        f"<div class='scroll' {label}><table><thead><tr>{head}</tr></thead>{''.join(body)}</table></div>"
        f"<ol>{items}</ol>"
    )


def _curves(preset: str, axis: charts.Axis) -> dict[str, Any]:
    """The chart of one preset's runs, beside the figures that compare with it."""
    own = [result for result in results.bundled() if result.preset == preset]
    runs: list[Curve] = [results.curve(result.folder) for result in own]
    replica = preset == "replica"
    known = [p for p in results.published() if (p.group == "replication") == replica]
    return figure_json(charts.curves(own, runs, known, axis))


def _presets(own: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(result.preset for result in own))


def _section(name: str, rows: Sequence[str]) -> str:
    heading = f"<tr><th class='group' scope='rowgroup' colspan='{len(COLUMNS)}'>{escape(name)}</th></tr>"
    return f"<tbody>{heading}{''.join(rows)}</tbody>"


def _own_rows(own: Sequence[Result], preset: str) -> list[str]:
    return [_own_row(result) for result in own if result.preset == preset]


def _own_row(r: Result) -> str:
    cells = [
        _own_loss(r),
        tables.loss(r.val_loss_streaming),
        "" if r.bits_per_char is None else f"{r.bits_per_char:.3f}",
        tables.loss(r.train_loss),
        f"{r.n_params / 1000:,.0f}{_breakdown(r)}",
        f"{r.tokens_seen / 1e6:.1f} M",
        tables.duration(r.seconds),
        escape(r.device),
    ]
    return _row(escape(r.title), cells)


def _own_loss(r: Result) -> str:
    """The validation loss, or why there is none, as HTML."""
    if r.val_loss is None:
        return "not scored"
    return f"<b>{tables.loss(r.val_loss)}</b>" + " (of a sample)" * (r.val_loss_streaming is None)


def _published_row(p: Published, note: int) -> str:
    loss, on_val = f"{p.loss:g}", p.split == "val"
    bits = f"{p.loss / math.log(2):.3f}" if on_val else ""
    size = f"{p.params / 1000:,.0f}" if p.params else "not stated"
    size += f"<small>{escape(p.size)}</small>"
    cells = [loss * on_val, "", bits, loss * (not on_val), size, "", "", escape(p.cost)]
    return _row(f"{escape(p.system)}<sup>{note}</sup>", cells)


def _note(p: Published) -> str:
    """Source and note, as HTML."""
    source = f"<a href='{escape(p.url)}'>{escape(p.source)}</a>" if p.url else escape(p.source)
    return f"{source}: {escape(p.note)}."


def _row(name: str, cells: Sequence[str]) -> str:
    """Cells are HTML already."""
    return f"<tr><th scope='row'>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _breakdown(r: Result) -> str:
    """Where the weights sit: a bar and its numbers."""
    spans = "".join(f"<i class='{part}' style='flex-grow: {r.params[part]}'></i>" for part in PARTS)
    parts = " · ".join(
        f"{name} {r.params[part] / 1000:,.0f}" for part, name in zip(PARTS, LABELS, strict=True)
    )
    return f"<span class='bar' aria-hidden='true'>{spans}</span><small>{parts}</small>"
