"""The components that draw runs and samples. Titles and samples enter the page as textContent only."""

from __future__ import annotations

import gradio as gr

from minrnn.ui.theme import static


def table() -> gr.HTML:
    """The component that draws a list of rows."""
    return gr.HTML(
        value=[], html_template='<div class="runs"></div>', css_template=static("runs.css"),
        js_on_load=static("make.js", "runs.js"), apply_default_css=False, elem_id="train-table",
    )  # fmt: skip


def samples_panel(render: bool = True) -> gr.HTML:
    """The component that draws a list of what runs have written."""
    return gr.HTML(
        value=[], html_template='<div class="samples"></div>', css_template=static("samples.css"),
        js_on_load=static("make.js", "samples.js"), apply_default_css=False, elem_id="train-samples",
        render=render,
    )  # fmt: skip
