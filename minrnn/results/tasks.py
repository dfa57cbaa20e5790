"""The tasks as tables: the accuracy of every model by the length of a text."""

from __future__ import annotations

from collections.abc import Mapping

from minrnn.results.records import Record
from minrnn.results.studies import TASK_STUDY, Row, get, task_rows
from minrnn.results.tables import NOT_YET, duration, machines, table
from minrnn.tasks import TASKS, Task, chance


def sections(rows: Mapping[str, Record]) -> dict[str, str]:
    """What stands between the markers of docs/tasks.md: the tables, and the commands."""
    study = get(TASK_STUDY)
    commands = "\n".join(study.command(row) for row in study.rows)
    tables = [_section(task, rows) for task in TASKS.values() if task.on_page]
    tables += machines(r.device for r in rows.values())
    return {"tasks": "\n\n".join(tables), "commands": f"```\n{commands}\n```"}


def _section(task: Task, rows: Mapping[str, Record]) -> str:
    """A task's rule, what theory says, and its table."""
    head = ("accuracy at length", *map(str, task.test_lengths), "loss", "characters read", "ms/iter", "time")
    lines = [_cells(task, row, rows.get(row.name)) for row in task_rows(task)]
    about = f"{task.question} {task.why_hard} *Theory:* {task.theory}"
    guess = f"Trained on texts of {task.trained_length}. Guessing gives {chance(task):.2f}."
    return f"### {task.title} (`{task.name}`)\n\n{about} {guess}\n\n{table(head, lines, range(1, len(head)))}"


def _cells(task: Task, row: Row, r: Record | None) -> list[str]:
    label = row.label.removesuffix(f", {task.title}")
    if r is None or r.failed:
        said = NOT_YET if r is None else f"failed: {r.failed}"
        return [label, said, *[""] * (len(task.test_lengths) + 3)]
    shares = [_share(r.accuracy.get(str(T))) for T in task.test_lengths]
    read = f"{r.tokens_seen / 1e6:.1f} M"
    return [label, *shares, f"{r.val_loss:.3f}", read, f"{r.iter_ms:.0f}", duration(r.seconds)]


def _share(accuracy: float | None) -> str:
    """An accuracy with the digits its standard error leaves; 1.00 is not said of what is below it."""
    return "" if accuracy is None else f"{int(accuracy * 100) / 100:.2f}"
