"""The tasks as tables: the accuracy of every model by the length of a text."""

from __future__ import annotations

from collections.abc import Mapping

from minrnn.results.records import Record
from minrnn.results.studies import COPY_LAYERS, TASK_STUDY, get, task_models
from minrnn.results.tables import NOT_YET, duration, machines, table
from minrnn.results.task_results import TaskResult, gather
from minrnn.tasks import TASKS, Task, chance

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


def sections(rows: Mapping[str, Record], layers: Mapping[str, Record] | None = None) -> dict[str, str]:
    """What stands between the markers of docs/tasks.md: the page's tasks, the further ones, and the commands.

    Args:
        rows: the records of the study of tasks.
        layers: those of selective copying with one, two and three layers.
    """
    commands = "\n".join(
        study.command(row) for study in map(get, (TASK_STUDY, COPY_LAYERS)) for row in study.rows
    )
    found = gather(rows).results
    shown, further = (
        "\n\n".join(
            _section(task, found.get(task.name, {})) for task in TASKS.values() if task.on_page is page
        )
        for page in (True, False)
    )
    machine = machines(r.device for r in rows.values())
    return {
        "tasks": "\n\n".join([shown, *machine]),
        "further": further,
        "layers": _layers(layers or {}),
        "commands": f"```\n{commands}\n```",
    }


def _layers(rows: Mapping[str, Record]) -> str:
    """Selective copying by the number of layers, the paper's figures beside ours."""
    task = TASKS["selective_copying"]
    head = (
        "",
        "the paper, at 4,096",
        *(f"ours, at {T:,}" for T in task.test_lengths),
        "loss",
        "read",
        "time",
    )
    lines = []
    for row in get(COPY_LAYERS).rows:
        r, paper = rows.get(row.name), PAPER.get(row.label, "")
        if r is None or r.failed:
            lines.append([row.label, paper, NOT_YET, *[""] * (len(task.test_lengths) + 2)])
            continue
        shares = [_share(r.accuracy[str(T)]) for T in task.test_lengths]
        lines.append(
            [
                row.label,
                paper,
                *shares,
                f"{r.val_loss:.3f}",
                f"{r.tokens_seen / 1e6:.1f} M",
                duration(r.seconds),
            ]
        )
    return table(head, lines, range(1, len(head)))


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
    mean, worst = _share(r.mean[T]), _share(r.worst[T])
    return mean if mean == worst else f"{mean} ({worst})"


def _share(accuracy: float) -> str:
    """An accuracy with the digits its standard error leaves; 1.00 is not said of what is below it."""
    return f"{int(accuracy * 100 + 1e-9) / 100:.2f}"
