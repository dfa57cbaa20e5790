"""Tasks for scripts: /task_results."""

from __future__ import annotations

import dataclasses
from typing import Any

from minrnn.checked import shown
from minrnn.errors import ConfigError
from minrnn.results.task_results import TaskResult, stored
from minrnn.tasks import TASKS, example
from minrnn.ui.components import endpoint
from minrnn.ui.tasks.entrants import entrants
from minrnn.ui.tasks.outcome import guessing


def endpoints() -> None:
    """Add /task_results to the current Blocks' API."""

    def task_results(task: str = "parity") -> dict[str, Any]:
        """What a task asks, and the release's results on it. To train on a task, give its name to /train_start.

        Args:
            task: its name, such as parity, flip_flop or copying.

        Returns:
            {task, title, question, why_hard, theory, guessing, example, machine, date, models}: guessing is the
            accuracy of always giving the most frequent answer, example has sees and wants. For every model {title,
            theory, result}: theory is whether it can answer at every length (null where theory is silent), and
            result has seeds, mean and worst (accuracy by the length of a text), curve (characters read and accuracy
            of the first seed) and seconds; null where it was not run.
        """
        if not isinstance(task, str) or task not in TASKS:
            raise ConfigError(f"the task is {shown(task)}; choose one of: {', '.join(TASKS)}.")
        asked, release = TASKS[task], stored()
        found = release.results.get(task, {})
        models = {
            entrant.key: {
                "title": entrant.title,
                "theory": entrant.can(asked),
                "result": _plain(found[entrant.key]) if entrant.key in found else None,
            }
            for entrant in entrants()
        }
        return {
            "task": task, "title": asked.title, "question": asked.question, "why_hard": asked.why_hard,
            "theory": asked.theory, "guessing": guessing(task), "example": dataclasses.asdict(example(asked)),
            "machine": release.machine, "date": release.date, "models": models,
        }  # fmt: skip

    endpoint(task_results, "task_results", concurrency_limit=4)


def _plain(result: TaskResult) -> dict[str, Any]:
    """A result as JSON takes it: lengths are names there."""
    found = dataclasses.asdict(result)
    return found | {name: {str(T): share for T, share in found[name].items()} for name in ("mean", "worst")}
