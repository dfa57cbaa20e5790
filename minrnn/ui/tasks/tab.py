"""The Tasks tab: what a task asks, who solves it, and all models trained on it here.

A run on a task is a run like any other: this tab asks the Train tab's queue for one a model, and reads their folders by
a timer that ticks once the tab was opened. The page's part is `static/tasks-*.js`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.context import Context

from minrnn import checkpoint, data, presets, settings
from minrnn.checked import shown
from minrnn.data.tasks import TaskData
from minrnn.errors import CheckpointError, ConfigError
from minrnn.runs import listing
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import TrainRequest
from minrnn.tasks import NOT_ASKED_CHAR, TASKS, Task, example
from minrnn.ui.components import live_chart, visible_errors
from minrnn.ui.listeners import Slots
from minrnn.ui.tasks import panels
from minrnn.ui.tasks.charts import HEIGHT
from minrnn.ui.tasks.entrants import entrants
from minrnn.ui.tasks.outcome import outcome
from minrnn.ui.tasks.view import AROUND_S, PRESET, job_of, latest, offered, refresh
from minrnn.ui.train import zero_gpu
from minrnn.ui.train.tab import AT_ONCE, QUEUED
from minrnn.ui.train.view import IDLE_S
from minrnn.ui.visitor import Visitor

ID = "tasks"
LEAD = "# Where they part.\n\nChoose a task, say who solves it, then look, or train all models yourself."
EVAL_INTERVAL = 25
"""Iters between two points of a line; the preset's are too far apart to watch."""
MAX_SECONDS = settings.MAX_TRAIN_SECONDS_LIMITED
"""All models together, starting and scoring included: as long as a visitor may train on a shared machine."""
NOTES = {
    "off": "Training is switched off here; the stored results stand below. Run minRNN on your own machine to train.",
    "limited": "at most {time}, one model after another, and one job at a time: this machine is shared",
    "full": "at most {time} here, one model after another",
}
MAX_SEED = 2**31
ANSWERS: dict[str, Any] = {**QUEUED, "concurrency_id": "answers", "concurrency_limit": None}
"""All begin at once, and wait for a slot if somebody listens."""


@dataclass
class Parts:
    """The parts of the page that a look at the folders reads or changes."""

    seen: gr.State
    revealed: gr.State
    choice: gr.Radio
    axis: gr.Radio
    timer: gr.Timer
    go: gr.Button
    halt: gr.Button
    progress: gr.HTML
    table: gr.HTML
    chart: gr.HTML

    def look(self, queue: TrainingQueue, visitor: Visitor) -> dict[str, Any]:
        """The event that looks at the folders."""
        inputs = [visitor.token, self.seen, self.choice, self.axis, self.revealed]
        outputs = [self.seen, self.timer, self.go, self.halt, self.progress, self.table, self.chart]
        return {"fn": partial(refresh, queue.runs), "inputs": inputs, "outputs": outputs, **AT_ONCE}


def seconds_each(models: int) -> float:
    """The seconds of training for each of so many models: the preset's, or what fits into MAX_SECONDS in all."""
    preset = presets.get(PRESET, entrants()[0].mixer).train.max_seconds
    return min(preset, MAX_SECONDS / models - AROUND_S)


def build(queue: TrainingQueue, visitor: Visitor, slots: Slots) -> None:
    """Draw the tab inside the current Blocks.

    Args:
        queue: the training runs of this machine.
        visitor: whoever looks.
        slots: for a trained model's answers.
    """
    mode, first = settings.training_mode(), offered()[0]
    with gr.Column(elem_id="tasks"):
        gr.Markdown(LEAD, elem_classes="lead")
        choice = gr.Radio(
            [(task.title, task.name) for task in offered()], value=first.name, label="Task", show_label=False,
            container=False, elem_classes="chips", elem_id="tasks-choice",
        )  # fmt: skip
        about = panels.about(described(first), new_example)
        with gr.Row(elem_id="tasks-bar"):
            go = gr.Button("Train all ▸", variant="primary", elem_id="tasks-start", scale=0, min_width=130,
                           visible=mode != "off")  # fmt: skip
            halt = gr.Button(
                "Stop", variant="stop", elem_id="tasks-stop", scale=0, min_width=130, visible=False
            )
            minutes = math.ceil(len(entrants()) * (seconds_each(len(entrants())) + AROUND_S) / 60)
            gr.Markdown(NOTES[mode].format(time=f"{minutes} minutes"), elem_classes="quiet tasks-note")
            progress = panels.progress()
        with gr.Row(elem_id="tasks-body"):
            table = panels.table(outcome(first, {}))
            with gr.Column(elem_id="tasks-live", min_width=200):
                axis = gr.Radio(
                    ["iters", "characters"], value="iters", label="Along x", show_label=False, container=False,
                    elem_classes="chips", elem_id="tasks-axis",
                )  # fmt: skip
                chart = live_chart("Accuracy of each model as it learns", HEIGHT, elem_id="tasks-chart")
                worked = panels.worked()
    parts = Parts(
        gr.State({}),
        gr.State([]),
        choice,
        axis,
        gr.Timer(IDLE_S),
        go,
        halt,
        progress,
        table,
        chart,
    )
    _choose(parts, about, worked)
    _live(queue, visitor, parts)
    if mode != "off":
        _train(queue, visitor, parts)
    _clicked(queue, visitor, slots, parts, worked)


def described(task: Task) -> dict[str, Any]:
    """What stands above everything: the rule, an example, and theory's word."""
    return {
        "task": task.name, "title": task.title, "question": task.question, "why_hard": task.why_hard,
        "theory": task.theory, "example": asdict(example(task, seed=0)),
    }  # fmt: skip


def new_example(asked: Any) -> dict[str, str]:
    """Another example of a task, for the page's script; what makes no sense gives the first one."""
    given = asked if isinstance(asked, dict) else {}
    task = TASKS.get(str(given.get("task")), offered()[0])
    seed = given.get("seed")
    fits = isinstance(seed, int) and 0 <= seed < MAX_SEED
    return asdict(example(task, seed=seed if fits else 0))  # type: ignore[arg-type]


def _choose(parts: Parts, about: gr.HTML, worked: gr.HTML) -> None:
    """Fill the choice from the page's address, and describe what is chosen."""
    page = Context.root_block
    assert page is not None
    names = [task.name for task in offered()]

    def arrive(request: gr.Request) -> Any:
        task = request.query_params.get("task")
        return gr.Radio(value=task) if task in names else gr.skip()

    page.load(arrive, None, parts.choice, **AT_ONCE)
    shown_task = f"name => {{ window.minrnn.showTask(name, '{names[0]}'); return [name]; }}"
    parts.choice.change(
        lambda name: [described(TASKS[name]), None], parts.choice, [about, worked], js=shown_task,
        trigger_mode="always_last", **AT_ONCE,
    )  # fmt: skip


def _live(queue: TrainingQueue, visitor: Visitor, parts: Parts) -> None:
    """Look at the folders when the page opens, at every tick, and when something else is asked for."""
    look = parts.look(queue, visitor)
    visitor.known.then(**look)
    parts.timer.tick(**look)
    gr.on([parts.choice.change, parts.axis.input], trigger_mode="always_last", **look)


def _train(queue: TrainingQueue, visitor: Visitor, parts: Parts) -> None:
    """Tie the two buttons to the queue."""

    def start(name: str, token: str) -> None:
        listing.check_on()
        queue.start(request(name), token or "")
        queue.step()

    def stop(name: str, token: str) -> None:
        gr.Info(stop_job(queue, TASKS[name], token or ""))

    inputs = [parts.choice, visitor.token]
    started = parts.go.click(visible_errors(start), inputs, None, **QUEUED)
    zero_gpu.chain(queue, started, visitor.token)
    started.then(**parts.look(queue, visitor))
    parts.halt.click(visible_errors(stop), inputs, None, **QUEUED).then(**parts.look(queue, visitor))


def stop_job(queue: TrainingQueue, task: Task, token: str) -> str:
    """Stop the visitor's runs on a task that were asked for last, and say what came of it. Those that wait leave the
    queue first, so that none begins when the one that trains has ended; one that ends meanwhile holds up nobody.

    Raises:
        CheckpointError: if a run goes on that cannot be stopped.
    """
    going = [i.run for i in job_of(queue.runs, queue.runs.listed(token), task) if i.run.active]
    for run in sorted(going, key=lambda run: run.status == "running"):
        try:
            queue.stop(run.name, token)
        except CheckpointError:
            if any(other.active for other in queue.runs.listed(token) if other.name == run.name):
                raise
    if not going:
        return f"Nothing trains on {task.title} any more; what was trained stays."
    return "The run that trains saves and stops; those that wait leave the queue."


def request(name: str) -> TrainRequest:
    """All models on a task, each by the preset's recipe.

    Raises:
        ConfigError: if the page does not offer the task.
    """
    if name not in [task.name for task in offered()]:
        known = ", ".join(task.name for task in offered())
        raise ConfigError(f"the task is {shown(name)}; choose one of: {known}.")
    models = [entrant.key for entrant in entrants()]
    return TrainRequest(
        models=models, preset=PRESET, corpus=name, max_seconds=seconds_each(len(models)),
        eval_interval=EVAL_INTERVAL,
    )  # fmt: skip


def _clicked(queue: TrainingQueue, visitor: Visitor, slots: Slots, parts: Parts, worked: gr.HTML) -> None:
    """Tie the table to what its buttons do: show the stored results, or let a trained model answer."""

    async def do(
        name: str, token: str, revealed: list[str], event: gr.EventData, request: gr.Request
    ) -> list[Any]:
        click = event._data if isinstance(event._data, dict) else {}
        task = clicked_task(click, name)
        if click.get("action") == "reveal":
            return [gr.skip() if task in revealed else [*revealed, task], gr.skip()]
        return [gr.skip(), await slots.call(request, partial(answers, queue, task, token or "", click))]

    inputs, outputs = [parts.choice, visitor.token, parts.revealed], [parts.revealed, worked]
    look = parts.look(queue, visitor)
    parts.table.click(visible_errors(do), inputs, outputs, trigger_mode="multiple", **ANSWERS).then(**look)


def clicked_task(click: dict[str, Any], chosen: str) -> str:
    """The task whose table was clicked. Right after another one is chosen, the page still shows the one before."""
    named = click.get("task")
    return named if named in [task.name for task in offered()] else chosen


def answers(queue: TrainingQueue, name: str, token: str, click: dict[str, Any]) -> dict[str, Any]:
    """A text of a task, answered by the visitor's run of a model.

    Raises:
        CheckpointError: if there is no such run, or it is not trained yet.
    """
    runs = latest(queue.runs, queue.runs.listed(token), TASKS[name])
    item = runs.get(str(click.get("model")))
    if item is None or item.run.active or not item.run.begun:
        raise CheckpointError(
            f"{shown(click.get('model'))} is not trained here on {TASKS[name].title}; train it first."
        )
    seed = click.get("seed")
    model = checkpoint.load(item.run.model).model
    bound = data.bind(TASKS[name], model.config)
    assert isinstance(bound, TaskData)
    found = bound.worked(model, seed if isinstance(seed, int) and 0 <= seed < MAX_SEED else 0)
    marks = [
        "" if want == NOT_ASKED_CHAR else "✓" if want == said else "✗"
        for want, said in zip(found.wants, found.answers, strict=True)
    ]
    right, asked = marks.count("✓"), len(marks) - marks.count("")
    said = f"{item.run.spec.model_title}, {TASKS[name].title}: {right} of {asked} right"
    return {"model": click.get("model"), "said": said, "marks": marks, **asdict(found)}
