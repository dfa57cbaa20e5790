"""What a page of the Tasks tab shows of the runs on a task: as plain data, and only what it has not seen yet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, TypedDict

import gradio as gr

from minrnn import presets, settings
from minrnn.results.task_results import stored
from minrnn.runs import limits
from minrnn.runs.listing import Listing, Run
from minrnn.tasks import TASKS, Task
from minrnn.ui.components import figure_json
from minrnn.ui.tasks.charts import Axis, Line, accuracies
from minrnn.ui.tasks.entrants import entrants
from minrnn.ui.tasks.outcome import guessing, outcome
from minrnn.ui.train.cards import duration
from minrnn.ui.train.looks import Shown, phase, progress, seconds_left, with_looks
from minrnn.ui.train.view import IDLE_S, LIVE_S

PRESET = "task"
AROUND_S = 5.0
"""What a run takes beside its training, about: to start, and to be scored at all lengths."""
OUTPUTS = 7
"""What a look returns: what was seen, the timer, both buttons, the progress, the table, the chart."""
Seen = dict[str, Any]


class Progress(TypedDict):
    """How far the runs are that were started together.

    Attributes:
        active: whether one of them trains or waits.
        done: the share that is behind them, 0 to 1.
        text: the same in words, with the time left.
    """

    active: bool
    done: float
    text: str


def offered() -> list[Task]:
    """The tasks of the page, in the order of the registry."""
    return [task for task in TASKS.values() if task.on_page]


def refresh(
    listing: Listing, token: str, seen: Seen, name: str, axis: Axis, revealed: Sequence[str]
) -> list[Any]:
    """Look at the folders, and send what the page has not seen yet. Errors are logged: a page would be full of them."""
    try:
        return _refresh(listing, token or "", seen or {}, TASKS[name], axis, revealed or [])
    except Exception:
        logging.getLogger(__name__).exception("the runs on tasks could not be read")
        return [gr.skip()] * OUTPUTS


def _refresh(
    listing: Listing, token: str, seen: Seen, task: Task, axis: Axis, revealed: Sequence[str]
) -> list[Any]:
    runs = listing.listed(token)
    limits.follow(runs)
    own, job = latest(listing, runs, task), job_of(listing, runs, task)
    now: Seen = {
        "live": any(run.active for run in runs),
        "busy": any(item.run.active for item in job),
        "progress": job_progress(job, _other(runs, task)),
        "outcome": outcome(task, own),
        "chart": [
            task.name,
            axis,
            task.name in revealed,
            [[i.run.name, len(i.history.evals)] for i in own.values()],
        ],
    }
    changed = {part for part in now if now[part] != seen.get(part)}
    return [
        now if changed else gr.skip(),
        gr.Timer(LIVE_S if now["live"] else IDLE_S) if "live" in changed else gr.skip(),
        gr.Button(visible=not now["busy"] and settings.training_mode() != "off")
        if "busy" in changed
        else gr.skip(),
        gr.Button(visible=now["busy"], interactive=True) if "busy" in changed else gr.skip(),
        now["progress"] if "progress" in changed else gr.skip(),
        now["outcome"] if "outcome" in changed else gr.skip(),
        _chart(task, own, axis, task.name in revealed) if "chart" in changed else gr.skip(),
    ]


def latest(listing: Listing, runs: Sequence[Run], task: Task) -> dict[str, Shown]:
    """The latest run of each model on a task by its preset, by the model's key. One that was taken out of the queue
    before its turn has nothing to show, and leaves its place to an earlier one."""
    found: dict[str, Run] = {}
    for run in _on_task(runs, task):  # the newest first
        key = run.spec.model_key
        if key not in found or (_untried(found[key]) and not _untried(run)):
            found[key] = run
    return dict(zip(found, with_looks(listing, list(found.values())), strict=True))


def job_of(listing: Listing, runs: Sequence[Run], task: Task) -> list[Shown]:
    """The runs on a task that were asked for last, in the order in which they train."""
    found = _on_task(runs, task)
    newest = max((run.asked for run in found), default=0.0)
    return with_looks(listing, sorted((r for r in found if r.asked == newest), key=lambda run: run.order))


def _on_task(runs: Sequence[Run], task: Task) -> list[Run]:
    """Those of the runs that are on a task by its preset, in their order."""
    known = {entrant.key for entrant in entrants()}
    ours = (run for run in runs if run.spec.corpus == task.name and run.spec.preset == PRESET)
    return [run for run in ours if run.spec.model_key in known]


def _untried(run: Run) -> bool:
    return run.status == "stopped" and not run.begun


def job_progress(job: Sequence[Shown], other: str = "") -> Progress | None:
    """How far a job is; None where there is none. `other` names a task whose runs are still going."""
    if not job:
        return {"active": False, "done": 0.0, "text": other} if other else None
    ended = [item for item in job if not item.run.active]
    done = sum(1.0 if item in ended else progress(item) for item in job) / len(job)
    if len(ended) == len(job):
        scored = sum(item.run.status == "finished" for item in job)
        words = "All trained." if scored == len(job) else f"{scored} of {len(job)} trained to the end."
        return {"active": False, "done": done, "text": f"{words} {other}".strip()}
    now = next((item for item in job if item.run.status == "running"), None)
    if now and now.run.stopping:
        return {
            "active": True,
            "done": done,
            "text": f"{now.run.spec.model_title} saves and stops. {other}".strip(),
        }
    doing = f"{now.run.spec.model_title}: {phase(now)}" if now else "Waiting for the machine"
    left = f"about {duration(seconds_of(job))}"
    left = f"{left} left" if now else f"then {left}"  # nobody knows how long others' runs go on
    return {
        "active": True,
        "done": done,
        "text": f"{doing}, {len(ended) + 1} of {len(job)}, {left}. {other}".strip(),
    }


def seconds_of(job: Sequence[Shown]) -> float:
    """Seconds until a job is done, about: what those that ended took is what the next will take."""
    took = [i.history.iters[-1].seconds for i in job if i.run.status == "finished" and i.history.iters]
    usual = sum(took) / len(took) if took else 0.0
    total = 0.0
    for item in job:
        if item.run.active:
            left = seconds_left(item)
            whole = usual or item.run.spec.train.max_seconds
            total += AROUND_S / 2 + left if left is not None else AROUND_S + whole * (1 - progress(item))
    return total


def _other(runs: Sequence[Run], task: Task) -> str:
    """Says so where runs on another task, or on a text, are still going."""
    names = {run.spec.corpus for run in runs if run.active and run.spec.corpus != task.name}
    titles = [TASKS[name].title if name in TASKS else name for name in sorted(names)]
    return f"Still training: {', '.join(titles)}." if titles else ""


def _chart(task: Task, own: dict[str, Shown], axis: Axis, revealed: bool) -> dict[str, Any] | None:
    """The lines of one's own runs, and behind them the stored ones once they may be seen."""
    lines = []
    release = stored().results.get(task.name, {}) if revealed else {}
    for entrant in entrants():
        look = (entrant.title, entrant.color, entrant.dash)
        if entrant.key in release:
            an_iter = presets.get(PRESET, entrant.mixer).train.batch_size * task.trained_length
            scale = an_iter if axis == "iters" else 1
            points = [(chars / scale, share) for chars, share in release[entrant.key].curve]
            lines.append(Line(f"stored-{entrant.key}", *look, True, points))
        if entrant.key in own:
            lines.append(Line(entrant.key, *look, False, _points(own[entrant.key], axis)))
    figure = accuracies(lines, axis, guessing(task.name))
    return figure_json(figure) if figure else None


def _points(item: Shown, axis: Axis) -> list[tuple[float, float]]:
    evals = [event for event in item.history.evals if event.accuracy is not None]
    return [(e.iter if axis == "iters" else e.tokens, e.accuracy or 0.0) for e in evals]
