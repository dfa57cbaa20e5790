"""The panels in which models write: one `gr.HTML` whose value is a list, so a further model costs nothing.

Text enters the page as textContent only, and only what is new is appended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from minrnn.library import Entry
from minrnn.side_by_side import Snapshot, Written
from minrnn.ui.components import bytes_text
from minrnn.ui.theme import color, static

Panel = dict[str, Any]
"""Data for one panel, as the page's script expects it: all values are strings."""

FINISH = {None: "", "length": "done", "stopped": "stopped", "deadline": "out of time"}


def panels(value: Sequence[Panel]) -> gr.HTML:
    """The component."""
    return gr.HTML(
        value=list(value),
        html_template='<div class="panels"></div>',
        css_template=static("texts.css"),
        js_on_load=static("texts.js"),
        apply_default_css=False,
        elem_id="panels",
    )


def saved(entries: Sequence[Entry]) -> list[Panel]:
    """Before the first click: what each model wrote when it was trained."""
    return [_saved(entry) for entry in entries]


def at_moment(entries: Sequence[Entry], prompts: Mapping[str, str], snapshot: Snapshot) -> list[Panel]:
    """The panels at one moment of a generation.

    Args:
        entries: the models.
        prompts: for every key the prompt in the model's own characters.
        snapshot: what they have written.
    """
    return [_panel(entry, prompts[entry.key], snapshot[entry.key]) for entry in entries]


def _saved(entry: Entry) -> Panel:
    sample = entry.checkpoint.metrics.get("sample") or {}
    panel = _panel(entry, str(sample.get("prompt", "")), Written(text=str(sample.get("text", ""))))
    return {
        **panel,
        "status": "sample from its training" if panel["text"] else "",
        "rate": "",
        "first": "",
        "state": "",
    }


def _panel(entry: Entry, prompt: str, written: Written) -> Panel:
    return {
        "key": entry.key,
        "title": entry.title,
        "color": color(entry.key),
        "about": _about(entry),
        "origin": entry.origin,
        "prompt": prompt,
        "text": written.text,
        "rate": f"{written.tokens_per_s:,.0f}" if written.tokens_per_s else "–",
        "first": f"{written.ttft_s * 1000:,.0f} ms" if written.ttft_s else "–",
        "state": bytes_text(written.state_bytes) if written.state_bytes else "–",
        "status": FINISH[written.finish_reason] or "writing",
    }


def _about(entry: Entry) -> str:
    loss = entry.checkpoint.metrics.get("val_loss")
    size = f"{entry.model.n_params / 1e6:.2f} M parameters"
    return f"{size} · loss {loss:.3f}" if isinstance(loss, float) else size
