"""The tasks as tables: the accuracy of every model by the length of a text."""

from __future__ import annotations

from collections.abc import Mapping

from minrnn.results.records import Record
from minrnn.results.studies import TASK_STUDY, get, task_models
from minrnn.results.tables import NOT_YET, duration, machines, table
from minrnn.results.task_results import TaskResult, gather
from minrnn.tasks import TASKS, Task, chance


def sections(rows: Mapping[str, Record]) -> dict[str, str]:
    """What stands between the markers of docs/tasks.md: the page's tasks, the further ones, and the commands."""
    study = get(TASK_STUDY)
    commands = "\n".join(study.command(row) for row in study.rows)
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
        "commands": f"```\n{commands}\n```",
    }


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
