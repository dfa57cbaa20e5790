"""The Train tab: a form, the runs as they learn, and a card for each.

The tab keeps nothing: a timer reads the runs' folders (see `runs/listing.py`) and sends the page what has changed,
so a reload, a second browser tab or a restart of the app shows the same runs, whole. Every handler checks anew who
asks, and what is allowed here.

One click on a card: `static/runs.js` sends it, `_clicked` below receives it, `actions.act` does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from minrnn import settings
from minrnn.errors import CheckpointError, MinrnnError
from minrnn.library import with_added
from minrnn.runs import listing
from minrnn.runs.listing import Run
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import command_lines
from minrnn.ui.components import bytes_text, live_chart, plain, visible_errors
from minrnn.ui.train import actions, form, panels, zero_gpu
from minrnn.ui.train.charts import HEIGHT
from minrnn.ui.train.view import LIVE_S, LOG, RATE, Choices, refresh
from minrnn.ui.visitor import Visitor

AT_ONCE: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
QUEUED: dict[str, Any] = {**AT_ONCE, "queue": True, "concurrency_id": "train", "concurrency_limit": 8}
"""For what may fail, or changes a `gr.State` that others listen to: a page hears of both from the queue alone."""
LEAD = "# Press Train as it stands.\n\nTwo models learn to write from nothing, 30 seconds each."
NOTES = {
    "off": "Training is switched off here. Run minRNN on your own machine, and this tab trains models there.",
    "limited": f"This machine is shared: up to {settings.MAX_ITERS_LIMITED:,} iters and "
    f"{settings.MAX_TRAIN_SECONDS_LIMITED:g} seconds, one job at a time. A run stops when no page has shown it for two "
    "minutes, and is deleted after an hour with the text it was given. Only this browser sees it.",
    "full": "The models train one after another, outside this page: closing this page does not stop them.",
}
CHART_KEY = "Dots: validation. Lines: average of the batches. Pale: every batch."
_SCROLL = """() => innerWidth < 900 &&
  document.querySelector('#train-live').scrollIntoView({behavior: 'smooth', block: 'start'})"""
"""On a narrow page the curves lie below the button."""
_SAVE = """file => {
  if (!file) return;
  const link = document.createElement('a');
  link.href = file.url;
  link.download = file.orig_name;
  link.click();
}"""


@dataclass
class View:
    """The parts of the page that a look at the folders reads or changes."""

    token: gr.BrowserState
    seen: gr.State
    choices: gr.State
    axis: gr.Radio
    extras: gr.CheckboxGroup
    chart: gr.HTML
    cards: gr.HTML
    samples: gr.HTML
    timer: gr.Timer

    def look(self, queue: TrainingQueue) -> dict[str, Any]:
        """The event that looks at the folders."""
        inputs = [self.token, self.seen, self.choices, self.axis, self.extras]
        outputs = [self.seen, self.timer, self.chart, self.cards, self.samples]
        return {"fn": partial(refresh, queue.runs), "inputs": inputs, "outputs": outputs, **AT_ONCE}


def build(queue: TrainingQueue, visitor: Visitor, extra_models: gr.State, tabs: gr.Tabs) -> None:
    """Draw the tab inside the current Blocks.

    Args:
        queue: the training runs of this machine.
        visitor: whoever looks.
        extra_models: references of models that this visitor added to Compare; "Use in Compare" adds one.
        tabs: the tabs, of which that button opens the one with the id "compare".
    """
    mode = settings.training_mode()
    if mode == "off":
        gr.Markdown(NOTES[mode], elem_classes="quiet")
        return
    gr.Markdown(LEAD, elem_classes="lead")
    fields, go = form.build(queue, visitor.token, NOTES[mode])
    with gr.Accordion("more: recipe, seed, device, command", open=False, elem_id="train-more"):
        fields |= form.more(fields)
        _command(fields)
    view = _view(visitor.token)
    _live(queue, view, visitor)
    _start(queue, view, fields, go)
    _clicked(queue, view, extra_models, tabs)
    queue.watch()


def _command(fields: form.Fields) -> None:
    """The same on the command line, as the form says it now."""
    shared = settings.training_mode() == "limited"  # the visitor has another machine
    folder = Path("runs") if shared else settings.runs_dir()

    def lines(values: dict[Any, Any]) -> str:
        try:
            return command_lines(form.request(fields, values), folder)
        except MinrnnError as error:
            return f"# {error}"

    shown = gr.Code(
        lines({part: part.value for part in fields.values()}), language=None, interactive=False, lines=2,
        label="The same on the command line", elem_id="train-command", show_line_numbers=False, wrap_lines=True,
    )  # fmt: skip
    typed = [field.change for field in fields.values()]
    gr.on(typed, lines, set(fields.values()), shown, trigger_mode="always_last", **AT_ONCE)


def _view(token: gr.BrowserState) -> View:
    """The chart, the cards and the samples; the style sheet places them."""
    with gr.Column(elem_id="train-live"):
        with gr.Column(elem_classes="train-chart"):
            with gr.Row(elem_classes="train-axes"):
                axis = gr.Radio(
                    ["iters", "characters", "seconds"], value="iters", label="Along x", elem_classes="chips"
                )
                extras = gr.CheckboxGroup([LOG, RATE], value=[], label="With", elem_classes="chips")
            chart = live_chart("Losses of the runs that are shown", HEIGHT, elem_id="train-chart")
            gr.Markdown(CHART_KEY, elem_classes="quiet train-key")
        cards = panels.cards()
        samples = panels.samples()
    return View(token, gr.State({}), gr.State({}), axis, extras, chart, cards, samples, gr.Timer(LIVE_S))


def _live(queue: TrainingQueue, view: View, visitor: Visitor) -> None:
    """Look at the folders when the page opens, at every tick, and when another view is asked for."""
    look = view.look(queue)
    visitor.known.then(**look)
    view.timer.tick(**look)
    gr.on([view.axis.input, view.extras.input], trigger_mode="always_last", **look)


def _start(queue: TrainingQueue, view: View, fields: form.Fields, go: gr.Button) -> None:
    """Tie the button to the queue."""

    def start(values: dict[Any, Any]) -> None:
        listing.check_on()
        request = form.request(fields, values)
        token = values[view.token] or ""
        first, *others = queue.start(request, token)
        queue.step()
        gr.Info(_started(queue.runs.find(first, token), len(others)))

    started = go.click(visible_errors(start), {view.token, *fields.values()}, None, **QUEUED)
    zero_gpu.chain(queue, started, view.token)
    started.success(None, None, None, js=_SCROLL)
    started.then(**view.look(queue))


def _started(first: Run, others: int) -> str:
    """What is said of runs that were asked for just now."""
    if others:
        return (
            f"{others + 1} trainings, one after another; their cards and their curves are below the button."
        )
    does = "waits for the one before it" if first.status == "waiting" else "starts"
    return f"The training {does}; its card and its curve are below the button."


def _clicked(queue: TrainingQueue, view: View, extra_models: gr.State, tabs: gr.Tabs) -> None:
    """Tie the cards to what their buttons do."""
    file = gr.File(visible="hidden", interactive=False, elem_id="train-download")

    def do(token: str, choices: Choices, extra: list[str], event: gr.EventData) -> list[Any]:
        click = actions.read(event._data)
        if click.action in (actions.SHOW, actions.HIDE):
            if click.run:  # or a stranger's page could be told names without end
                queue.runs.find(click.run, token)
            return [actions.chosen(click, choices), gr.skip(), gr.skip(), None]
        outcome = actions.act(queue, click, token or "")
        longer = with_added(extra, outcome.model) if outcome.model else gr.skip()
        if outcome.message:
            gr.Info(plain(outcome.message))
        return [
            gr.skip(),
            longer,
            gr.Tabs(selected="compare") if outcome.model else gr.skip(),
            _cached(file, outcome.file) if outcome.file else None,
        ]

    inputs, outputs = [view.token, view.choices, extra_models], [view.choices, extra_models, tabs, file]
    clicked = view.cards.click(visible_errors(do), inputs, outputs, trigger_mode="multiple", **QUEUED)
    zero_gpu.chain(queue, clicked, view.token)
    clicked.success(None, file, None, js=_SAVE)
    clicked.then(**view.look(queue))


def _cached(file: gr.File, named: tuple[str, bytes]) -> str:
    """A file where Gradio keeps its own, under a name that cannot be guessed.

    Raises:
        CheckpointError: if the disk does not take it.
    """
    name, data = named
    try:
        path: str = save_bytes_to_cache(data, name, file.GRADIO_CACHE)
    except OSError as error:
        raise CheckpointError(
            f"{name} of {bytes_text(len(data))} cannot be written to {file.GRADIO_CACHE} "
            f"({error.strerror or error}); free some space, then download it again."
        ) from error
    return path
