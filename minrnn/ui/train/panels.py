"""The components that draw cards and samples. Titles, problems and samples enter the page as textContent only."""

from __future__ import annotations

import gradio as gr

from minrnn.ui.theme import static

_CARDS = """<h2 class="heading">Runs</h2><div class="runs"></div>
<button type="button" class="older" hidden></button><p class="passed" hidden></p>
<div class="announced" role="status" aria-live="polite"></div><dialog></dialog>"""

_SAMPLES = '<h2 class="heading" hidden>What they write</h2><div class="samples"></div>'


def cards() -> gr.HTML:
    """The component that draws the runs' cards; a click on one triggers its `click` with {action, run, …}."""
    return gr.HTML(
        value={"cards": [], "older": 0, "passed": ""}, html_template=_CARDS, css_template=static("runs.css"),
        js_on_load=static("make.js", "train-dialog.js", "runs.js"), apply_default_css=False,
        elem_id="train-cards",
    )  # fmt: skip


def samples() -> gr.HTML:
    """The component that draws what runs have written."""
    return gr.HTML(
        value=[], html_template=_SAMPLES, css_template=static("samples.css"),
        js_on_load=static("make.js", "samples.js"), apply_default_css=False, elem_id="train-samples",
    )  # fmt: skip
