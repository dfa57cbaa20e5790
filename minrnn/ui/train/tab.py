"""The Train tab: a form, the runs as they learn, and what to do with them.

The tab keeps nothing: a timer reads the runs' folders (see `runs/listing.py`) and sends the page what has changed,
so a reload, a second browser tab or a restart of the app shows the same runs, whole. Every handler checks anew who
asks, and what is allowed here.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.context import Context
from gradio.processing_utils import save_bytes_to_cache

from minrnn import settings
from minrnn.errors import CheckpointError, MinrnnError
from minrnn.library import with_added
from minrnn.runs import events, listing
from minrnn.runs.listing import Listing
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import command_lines
from minrnn.ui.components import live_chart, visible_errors
from minrnn.ui.train import form, panels, zero_gpu
from minrnn.ui.train.view import LIVE_S, LOG, RATE, refresh

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

    runs: Listing
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
        return {"fn": partial(refresh, self.runs), "inputs": inputs, "outputs": outputs, **AT_ONCE}


def build(queue: TrainingQueue, extra_models: gr.State, tabs: gr.Tabs) -> None:
    """Draw the tab inside the current Blocks.

    Args:
        queue: the training runs of this machine.
        extra_models: references of models that this visitor added to Compare; "Use in Compare" adds one.
        tabs: the tabs, of which that button opens the one with the id "compare".
    """
    mode = settings.training_mode()
    gr.Markdown(NOTES[mode], elem_classes="quiet")
    if mode == "off":
        return
    token = gr.BrowserState("", storage_key=STORAGE_KEY, secret=STORAGE_SECRET)
    run = gr.Dropdown([], value=None, label="Run", elem_id="train-run", render=False)
    samples = panels.samples_panel(render=False)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            go, halt, fields = _form(queue, token)
        with gr.Column(scale=3, min_width=320):
            view = _view(queue.runs, token, run, samples)
            buttons = _buttons(run)
    samples.render()  # type: ignore[no-untyped-call]
    _live(view)

    def start(values: dict[Any, Any]) -> None:
        listing.check_on()
        queue.start(form.request(fields, values), values[token] or "")
        queue.step()

    started = go.click(visible_errors(start), {token, *fields.values()}, None, **QUEUED)
    zero_gpu.chain(queue, started, token)
    started.then(**view.look)
    halt.click(visible_errors(partial(_stop_all, queue)), token, None, **QUEUED).then(**view.look)
    _manage(queue, view, buttons, extra_models, tabs)
    queue.watch()


def _form(queue: TrainingQueue, token: gr.BrowserState) -> tuple[gr.Button, gr.Button, form.Fields]:
    """The fields, what starts and what stops, and the same as a command."""
    fields = form.build(queue, token)
    with gr.Row():
        go = gr.Button("Train", variant="primary", elem_id="train-start", min_width=120)
        halt = gr.Button("Stop all", elem_id="train-stop-all", min_width=120)
    command = gr.Code(
        _command(fields, {part: part.value for part in fields.values()}),
        language="shell", interactive=False, lines=2, label="The same on the command line",
        elem_id="train-command", show_line_numbers=False, wrap_lines=True,
    )  # fmt: skip
    typed = [field.change for field in fields.values()]
    gr.on(typed, lambda values: _command(fields, values), set(fields.values()), command, **AT_ONCE)
    return go, halt, fields


def _command(fields: form.Fields, values: dict[Any, Any]) -> str:
    """What one would type in a terminal for the same runs; or what is wrong with the form."""
    try:
        return command_lines(form.request(fields, values), settings.runs_dir())
    except MinrnnError as error:
        return f"# {error}"


def _view(runs: Listing, token: gr.BrowserState, run: gr.Dropdown, samples: gr.HTML) -> View:
    """The chart, what it shows, and the figures of the runs."""
    chart = live_chart("Losses of the runs that are shown", 380, elem_id="train-chart")
    gr.Markdown("Bold: validation. Thin: average of the batches. Pale: every batch.", elem_classes="quiet")
    shown = gr.Dropdown([], value=[], multiselect=True, label="Runs shown", elem_id="train-shown")
    with gr.Row():
        axis = gr.Radio(["iters", "characters", "seconds"], value="iters", label="By", min_width=270)
        extras = gr.CheckboxGroup([LOG, RATE], value=[], label="With", min_width=270)
    table = panels.table()
    return View(runs, token, gr.State({}), shown, run, axis, extras, chart, table, samples, gr.Timer(LIVE_S))


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
        title = gr.Textbox(label="New name", max_length=listing.MAX_TITLE_CHARS)
        with gr.Row():
            rename = gr.Button("Rename", elem_id="train-rename", min_width=90)
            delete = gr.Button("Delete", variant="stop", elem_id="train-delete", min_width=90)
    stop, resume, use, download = first
    return Buttons(stop, resume, use, download, files, more, title, rename, delete)


def _manage(
    queue: TrainingQueue, view: View, buttons: Buttons, extra_models: gr.State, tabs: gr.Tabs
) -> None:
    """Tie the buttons to what they do."""

    def stop(token: str, run: str | None) -> None:
        queue.stop(run or "", token)

    def resume(token: str, run: str | None, more_iters: float | None) -> None:
        queue.resume(run or "", token, int(more_iters or 0))
        queue.step()

    def rename(token: str, run: str | None, title: str) -> None:
        queue.rename(run or "", title, token)

    def delete(token: str, run: str | None) -> None:
        if run:  # empty: the visitor cancelled the dialog
            queue.delete(run, token)

    def use(token: str, name: str | None, extra_models: list[str]) -> tuple[list[str], Any]:
        run = queue.runs.find(name or "", token)
        if not run.begun:
            raise CheckpointError(f"{run.title} has no checkpoint yet; wait until it has begun.")
        return with_added(extra_models, str(run.model)), gr.Tabs(selected="compare")

    def download(token: str, name: str | None) -> Any:
        """The files where Gradio keeps its own, under names that cannot be guessed."""
        run = queue.runs.find(name or "", token)
        history = events.to_csv(queue.runs.history(run)).encode("utf-8")
        parts = [(f"{run.path.name}.zip", listing.zipped_model(run)), (f"{run.path.name}.csv", history)]
        paths = [save_bytes_to_cache(data, part, buttons.files.GRADIO_CACHE) for part, data in parts]
        return gr.update(value=paths, visible=True)

    one, then = [view.token, view.run], view.look
    buttons.stop.click(visible_errors(stop), one, None, **QUEUED).then(**then)
    resumed = buttons.resume.click(visible_errors(resume), [*one, buttons.more], None, **QUEUED)
    zero_gpu.chain(queue, resumed, view.token)
    resumed.then(**then)
    buttons.rename.click(visible_errors(rename), [*one, buttons.title], None, **QUEUED).then(**then)
    buttons.delete.click(visible_errors(delete), one, None, js=_CONFIRM, **QUEUED).then(**then)
    buttons.download.click(visible_errors(download), one, buttons.files, **QUEUED)
    buttons.use.click(visible_errors(use), [*one, extra_models], [extra_models, tabs], **QUEUED)


def _stop_all(queue: TrainingQueue, token: str) -> None:
    """Stop all of the visitor's runs, those that wait included."""
    listing.check_on()
    active = [run for run in queue.runs.listed(token) if run.active]
    if not active:
        raise CheckpointError("nothing is training.")
    for run in sorted(
        active, key=lambda run: run.status == "running"
    ):  # the waiting ones first, lest one starts
        queue.stop(run.name, token)


_CONFIRM = "(token, run) => [token, run && confirm('Delete this run, its model and its text?') ? run : '']"


def _token(token: str) -> str:
    """The browser's own, or a new one."""
    return token or secrets.token_urlsafe(24)
