"""The Training tab: a form, the runs as they learn, and what to do with them.

The tab keeps nothing: a timer reads the runs' folders (see `runlist.py`) and sends the page what has changed, so a
reload, a second browser tab or a restart of the app shows the same runs, whole.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.context import Context

from minrnn import jobs, runlist, settings
from minrnn.ui import training_actions as actions
from minrnn.ui import training_form as form
from minrnn.ui import training_here, training_panels
from minrnn.ui.components import live_chart, visible_errors
from minrnn.ui.training_refresh import LIVE_S, LOG, RATE, refresh
from minrnn.ui.training_wish import Wish, command_lines

STORAGE_KEY, STORAGE_SECRET = "minrnn-visitor", "minrnn"
"""The token is random already; the secret only keeps it readable after a restart."""
AT_ONCE: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
FIRST = {"stop": "Stop", "resume": "Resume", "use": "Use in Compare", "download": "Download"}
QUEUED: dict[str, Any] = {**AT_ONCE, "queue": True, "concurrency_id": "train", "concurrency_limit": 8}
"""For what may fail, or changes a `gr.State` that others listen to: a page hears of both from the queue alone."""
NOTES = {
    "off": "Training is switched off here. Run minRNN on your own machine, and this tab trains models there.",
    "limited": f"This machine is shared: up to {settings.MAX_ITERS_LIMITED:,} iters and "
    f"{settings.MAX_TRAIN_SECONDS_LIMITED:g} seconds, one job at a time. A run stops when no page has shown it for two "
    "minutes, and is deleted after an hour with the text it was given. Only this browser sees it.",
    "full": "A model trains in a process of its own: closing this page does not stop it.",
}


@dataclass
class View:
    """The parts of the page that a look at the folders may change."""

    token: gr.BrowserState
    seen: gr.State
    shown: gr.Dropdown
    run: gr.Dropdown
    axis: gr.Radio
    extras: gr.CheckboxGroup
    chart: gr.HTML
    table: gr.HTML
    samples: gr.HTML
    timer: gr.Timer

    @property
    def look(self) -> dict[str, Any]:
        """The event that looks at the folders."""
        inputs = [self.token, self.seen, self.shown, self.run, self.axis, self.extras]
        outputs = [self.seen, self.shown, self.run, self.timer, self.chart, self.table, self.samples]
        return {"fn": refresh, "inputs": inputs, "outputs": outputs, **AT_ONCE}


def build(extra_models: gr.State, tabs: gr.Tabs) -> None:
    """Draw the tab inside the current Blocks.

    Args:
        extra_models: references of models that this visitor added to Compare; "Use in Compare" adds one.
        tabs: the tabs, of which that button opens the one with the id "compare".
    """
    mode = settings.training_mode()
    gr.Markdown(NOTES[mode], elem_classes="quiet")
    if mode == "off":
        return
    token = gr.BrowserState("", storage_key=STORAGE_KEY, secret=STORAGE_SECRET)
    run = gr.Dropdown([], value=None, label="Run", elem_id="train-run", render=False)
    samples = training_panels.samples_panel(render=False)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            go, halt, fields = _form(token)
        with gr.Column(scale=3, min_width=320):
            view = _view(token, run, samples)
            buttons = _buttons(run)
    samples.render()  # type: ignore[no-untyped-call]
    _live(view)
    started = go.click(visible_errors(actions.start), [token, *fields], None, **QUEUED)
    training_here.chain(started, token)
    started.then(**view.look)
    halt.click(visible_errors(actions.stop_all), token, None, **QUEUED).then(**view.look)
    _manage(view, buttons, extra_models, tabs)
    jobs.keep()


def _form(token: gr.BrowserState) -> tuple[gr.Button, gr.Button, list[gr.components.Component]]:
    """The fields, what starts and what stops, and the same as a command."""
    fields = form.build(token)
    with gr.Row():
        go = gr.Button("Train", variant="primary", elem_id="train-start", min_width=120)
        halt = gr.Button("Stop all", elem_id="train-stop-all", min_width=120)
    command = gr.Code(
        command_lines(Wish(*(field.value for field in fields))), language="shell", interactive=False, lines=2,
        label="The same on the command line", elem_id="train-command", show_line_numbers=False, wrap_lines=True,
    )  # fmt: skip
    typed = [field.change for field in fields]  # type: ignore[attr-defined]
    gr.on(typed, lambda *values: command_lines(Wish(*values)), fields, command, **AT_ONCE)
    return go, halt, fields


def _view(token: gr.BrowserState, run: gr.Dropdown, samples: gr.HTML) -> View:
    """The chart, what it shows, and the figures of the runs."""
    chart = live_chart("Losses of the runs that are shown", 380, elem_id="train-chart")
    gr.Markdown("Bold: validation. Thin: average of the batches. Pale: every batch.", elem_classes="quiet")
    shown = gr.Dropdown([], value=[], multiselect=True, label="Runs shown", elem_id="train-shown")
    with gr.Row():
        axis = gr.Radio(["iters", "characters", "seconds"], value="iters", label="By", min_width=270)
        extras = gr.CheckboxGroup([LOG, RATE], value=[], label="With", min_width=270)
    table = training_panels.table()
    return View(token, gr.State({}), shown, run, axis, extras, chart, table, samples, gr.Timer(LIVE_S))


def _live(view: View) -> None:
    """Look at the folders when the page opens, at every tick, and when another view is asked for."""
    page = Context.root_block
    assert page is not None
    page.load(_token, view.token, view.token, **AT_ONCE).then(**view.look)
    view.timer.tick(**view.look)
    gr.on([view.shown.input, view.axis.input, view.extras.input], **view.look)


@dataclass
class Buttons:
    """What can be done with one run, and what it takes to say how."""

    stop: gr.Button
    resume: gr.Button
    use: gr.Button
    download: gr.Button
    files: gr.File
    more: gr.Number
    title: gr.Textbox
    rename: gr.Button
    delete: gr.Button


def _buttons(run: gr.Dropdown) -> Buttons:
    run.render()  # type: ignore[no-untyped-call]
    with gr.Row():
        first = [gr.Button(label, elem_id=f"train-{name}", min_width=125) for name, label in FIRST.items()]
    files = gr.File(label="Checkpoint and history", visible=False, interactive=False, file_count="multiple")
    with gr.Accordion("Train on, rename, delete", open=False):
        more = gr.Number(
            0, label="More iters", info="for a finished run; then Resume", precision=0, minimum=0
        )
        title = gr.Textbox(label="New name", max_length=runlist.MAX_TITLE_CHARS)
        with gr.Row():
            rename = gr.Button("Rename", elem_id="train-rename", min_width=90)
            delete = gr.Button("Delete", variant="stop", elem_id="train-delete", min_width=90)
    stop, resume, use, download = first
    return Buttons(stop, resume, use, download, files, more, title, rename, delete)


def _manage(view: View, buttons: Buttons, extra_models: gr.State, tabs: gr.Tabs) -> None:
    """Tie the buttons to what they do."""
    one = [view.token, view.run]
    then = view.look
    buttons.stop.click(visible_errors(actions.stop), one, None, **QUEUED).then(**then)
    resumed = buttons.resume.click(visible_errors(actions.resume), [*one, buttons.more], None, **QUEUED)
    training_here.chain(resumed, view.token)
    resumed.then(**then)
    buttons.rename.click(visible_errors(actions.rename), [*one, buttons.title], None, **QUEUED).then(**then)
    buttons.delete.click(visible_errors(actions.delete), one, None, js=_CONFIRM, **QUEUED).then(**then)
    buttons.download.click(visible_errors(actions.download(buttons.files)), one, buttons.files, **QUEUED)
    buttons.use.click(visible_errors(actions.use), [*one, extra_models], [extra_models, tabs], **QUEUED)


_CONFIRM = "(token, run) => [token, run && confirm('Delete this run, its model and its text?') ? run : '']"


def _token(token: str) -> str:
    """The browser's own, or a new one."""
    return token or secrets.token_urlsafe(24)
