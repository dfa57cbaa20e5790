"""The components that draw a task, the progress, the table of the models and a worked example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from minrnn.ui.theme import static

_PROGRESS = (
    '<div class="bar" role="progressbar" aria-label="All models" hidden><i></i></div><p class="told"></p>'
)


def about(value: dict[str, Any], new_example: Callable[[Any], dict[str, str]]) -> gr.HTML:
    """The component that draws what a task asks; its button fetches another example."""
    return _html(
        value, '<div class="about"></div>', "tasks-about", "tasks-example.js", "tasks-about.js",
        server_functions=[new_example],
    )  # fmt: skip


def progress() -> gr.HTML:
    """The component that draws how far the runs are."""
    return _html(None, _PROGRESS, "tasks-progress", "tasks-progress.js")


def table(value: dict[str, Any]) -> gr.HTML:
    """The component that draws the prediction and the table; a click triggers {action, …}."""
    return _html(value, '<div class="outcome"></div>', "tasks-outcome", "tasks-outcome.js")


def worked() -> gr.HTML:
    """The component that draws what a trained model answers."""
    return _html(None, '<div class="worked"></div>', "tasks-worked", "tasks-example.js", "tasks-worked.js")


def _html(value: Any, template: str, name: str, *scripts: str, **more: Any) -> gr.HTML:
    return gr.HTML(
        value=value, html_template=template, css_template=static("tasks.css"), apply_default_css=False,
        js_on_load=static("make.js", *scripts), elem_id=name, **more,
    )  # fmt: skip
