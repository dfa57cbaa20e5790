"""The tasks as tables: the accuracy of every model by the length of a text."""

from __future__ import annotations

from collections.abc import Mapping

from minrnn.results.records import Record, Records
from minrnn.results.studies import get
from minrnn.results.tables import NOT_YET, duration, machines, table
from minrnn.results.task_results import TaskResult, gather
from minrnn.results.task_studies import (
    COPY_LAYERS,
    RATED_TASKS,
    RATES,
    TASK_LONG,
    TASK_RATES,
    TASK_STUDY,
    rate_row,
    task_models,
)
from minrnn.tasks import TASKS, Task, chance, share_text

PAPER = {
    "minGRU, 1 layer": "37.0 ± 2.3",
    "minGRU, 2 layers": "96.8 ± 3.2",
    "minGRU, 3 layers": "99.5 ± 0.2",
    "minLSTM, 1 layer": "37.6 ± 2.0",
    "minLSTM, 2 layers": "85.7 ± 5.8",
    "minLSTM, 3 layers": "96.0 ± 2.8",
}
"""Accuracy on selective copying in per cent, Feng et al. 2024, arXiv 2410.01201, table 1: 16 letters of 14 among 4,096
places, scored at that length."""


def sections(found: Records) -> dict[str, str]:
    """What stands between the markers of docs/tasks.md: tables, and the commands of all rows."""
    studies = [get(name) for name in (TASK_STUDY, COPY_LAYERS, TASK_RATES, TASK_LONG)]
    commands = "\n".join(study.command(row) for study in studies for row in study.rows)
    rows = found.get(TASK_STUDY, {})
    results = gather(rows).results
    shown, further = (
        "\n\n".join(
            _section(task, results.get(task.name, {})) for task in TASKS.values() if task.on_page is page
        )
        for page in (True, False)
    )
    machine = machines(r.device for r in rows.values())
    return {
        "rates": _rates(found),
        "tasks": "\n\n".join([shown, *machine]),
        "further": further,
        "layers": _layers(found.get(COPY_LAYERS, {})),
        "long": _long(found.get(TASK_LONG, {})),
        "commands": f"```\n{commands}\n```",
    }


def _rates(found: Records) -> str:
    """Loss and accuracy of every model on some tasks, by learning rate; the preset's own is in bold."""
    head = ("task", "model", *(f"rate {rate}" for rate in RATES))
    lines = [
        [TASKS[name].title, title, *(_rated(TASKS[name], key, rate, found) for rate in RATES)]
        for name in RATED_TASKS
        for key, (title, _) in task_models().items()
    ]
    return table(head, lines)


def _rated(task: Task, key: str, rate: str, found: Records) -> str:
    study, row = rate_row(task, key, rate)
    r = found.get(study, {}).get(row.name)
    if r is None or r.failed:
        return NOT_YET if r is None else f"failed: {r.failed}"
    first, _, far, *_ = task.test_lengths
    text = f"{r.val_loss:.4f} / {share_text(r.accuracy[str(first)])} / {share_text(r.accuracy[str(far)])}"
    return f"**{text}**" if study == TASK_STUDY else text


def _layers(rows: Mapping[str, Record]) -> str:
    """Selective copying by the number of layers, the paper's figures beside ours."""
    task = TASKS["selective_copying"]
    head = (
        "",
        "the paper, at 4,096 (%)",
        *(f"ours, at {T:,}" for T in task.test_lengths),
        "loss",
        "read",
        "time",
    )
    lines = []
    for row in get(COPY_LAYERS).rows:
        label, *cells = _of_record(task, row.label, rows.get(row.name))
        lines.append([label, PAPER.get(label, ""), *cells])
    return table(head, lines, range(1, len(head)))


def _long(rows: Mapping[str, Record]) -> str:
    """Rows with three times the budget, by the length of a text."""
    task = TASKS["flip_flop"]
    head = ("accuracy at length", *map(str, task.test_lengths), "loss", "read", "time")
    return table(
        head,
        [_of_record(task, row.label, rows.get(row.name)) for row in get(TASK_LONG).rows],
        range(1, len(head)),
    )


def _of_record(task: Task, label: str, r: Record | None) -> list[str]:
    """One run's accuracies, loss, characters read and time."""
    if r is None or r.failed:
        return [label, NOT_YET, *[""] * (len(task.test_lengths) + 2)]
    shares = [share_text(r.accuracy[str(T)]) for T in task.test_lengths]
    return [label, *shares, f"{r.val_loss:.3f}", f"{r.tokens_seen / 1e6:.1f} M", duration(r.seconds)]


def _section(task: Task, found: Mapping[str, TaskResult]) -> str:
    """A task's rule, what theory says, and its table."""
    head = ("accuracy at length", *map(str, task.test_lengths), "seeds", "loss", "read", "ms/iter", "time")
    lines = [_cells(task, title, found.get(key)) for key, (title, _) in task_models().items()]
    about = f"{task.question} {task.why_hard} *Theory:* {task.theory}"
    guess = f"Trained on texts of {task.trained_length}. Guessing gives {chance(task):.2f}."
    return f"### {task.title} (`{task.name}`)\n\n{about} {guess}\n\n{table(head, lines, range(1, len(head)))}"


def _cells(task: Task, title: str, r: TaskResult | None) -> list[str]:
    if r is None:
        return [title, NOT_YET, *[""] * (len(task.test_lengths) + 4)]
    shares = [_mean_and_worst(r, T) for T in task.test_lengths]
    read = f"{r.tokens_seen / 1e6:.1f} M"
    return [title, *shares, str(r.seeds), f"{r.loss:.3f}", read, f"{r.iter_ms:.0f}", duration(r.seconds)]


def _mean_and_worst(r: TaskResult, T: int) -> str:
    """The mean of the seeds, and in brackets the worst one where it shows as another figure."""
    mean, worst = share_text(r.mean[T]), share_text(r.worst[T])
    return mean if mean == worst else f"{mean} ({worst})"
