"""What became of a task, model by model: the stored results, one's own runs, and theory's word beside both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from minrnn.results.task_results import Stored, TaskResult
from minrnn.results.task_results import stored as shipped
from minrnn.tasks import Task, chance, find_task, share_text
from minrnn.ui.tasks.entrants import Entrant, entrants
from minrnn.ui.tasks.strips import RULE, Cell, own_strip, stored_strip, verdict
from minrnn.ui.train.looks import Shown, accuracy, accuracy_by_length, phase

Own = Mapping[str, Shown]
"""The visitor's latest run of each model on a task, by the model's key."""
SAYS = {True: "can", False: "fails", None: "–"}
"""Theory on every length, in a word; `strips.RULE` explains it."""


@cache
def guessing(name: str) -> float:
    """What guessing reaches on a task."""
    return chance(find_task(name))


def outcome(task: Task, own: Own) -> dict[str, Any]:
    """Everything that stands in the table of the models, as plain data for the page's script."""
    release = shipped()
    found = release.results.get(task.name, {})
    rows = [_row(task, entrant, found.get(entrant.key), own.get(entrant.key)) for entrant in entrants()]
    return {
        "task": task.name,
        "factors": [f"{T // task.trained_length}×" for T in task.test_lengths],
        "lengths": list(task.test_lengths),
        "guessing": f"{guessing(task.name):.2f}",
        "rule": RULE,
        "made": _made(release, task),
        "models": rows,
        "theory": task.theory,
        "stored_words": words(task, _rights(found, task), "stored"),
        "own_words": _cut_short(own) + words(task, _own_rights(own), "here"),
    }


def _row(task: Task, entrant: Entrant, stored: TaskResult | None, own: Shown | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "key": entrant.key, "title": entrant.title, "color": entrant.color, "says": SAYS[entrant.can(task)],
        "stored": None, "own": None,
    }  # fmt: skip
    if stored is not None:
        cells = stored_strip(stored, task, guessing(task.name))
        row["stored"] = {"cells": cells, "verdict": _said(cells), "right": cells[-1]["right"]}
    if own is not None:
        row["own"] = _own(task, own, row["stored"])
    return row


def _own(task: Task, item: Shown, stored: dict[str, Any] | None) -> dict[str, Any]:
    """A run's strip once it is scored; before, what it is at and the accuracy so far."""
    cells = own_strip(accuracy_by_length(item.run), guessing(task.name))
    found = {
        "run": item.run.name, "phase": phase(item), "cells": cells, "problem": item.run.problem, "verdict": "",
        "against": "", "can_answer": bool(item.run.begun and not item.run.active),
    }  # fmt: skip
    if cells:
        found |= {"verdict": _said(cells), "against": _against(cells, stored)}
    elif (share := accuracy(item)) is not None:
        found["verdict"] = f"{share_text(share)} at 1× so far"
    return found


def _cut_short(own: Own) -> list[str]:
    """The runs whose seconds were over before the recipe's iters."""
    found = []
    for item in own.values():
        recipe, iters = item.run.spec.train, item.history.iters
        if item.run.status == "finished" and iters and iters[-1].iter < recipe.max_iters:
            spent = f"{iters[-1].iter:,} of {recipe.max_iters:,} iters"
            title = item.run.spec.model_title
            found.append(
                f"Your runs. {title} ended after {spent}: its {recipe.max_seconds:g} seconds were over."
            )
    return found


def _said(cells: Sequence[Cell]) -> str:
    return verdict([cell["right"] for cell in cells])


def _against(cells: Sequence[Cell], stored: dict[str, Any] | None) -> str:
    """Whether a run's verdict is the stored one, length by length."""
    if stored is None:
        return ""
    same = [cell["right"] for cell in cells] == [cell["right"] for cell in stored["cells"]]
    return ", as stored" if same else ", unlike stored"


def _made(release: Stored, task: Task) -> str:
    """Where the stored results come from."""
    found = release.results.get(task.name, {})
    if not found:
        return "No stored result of this task yet. Make them: python -m minrnn study run tasks"
    seeds = sorted({result.seeds for result in found.values()})
    many = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    runs = "one run a model" if seeds == [1] else f"mean of {many} seeds"
    read = max(result.tokens_seen for result in found.values())
    return (
        f"Stored: {runs}, {read / 1e6:.1f} M characters read, on {release.machine}, {release.date}. "
        "Made by: python -m minrnn study run tasks"
    )


def _own_rights(own: Own) -> dict[str, bool | None]:
    """Whether each run was right at the longest length; None before it is scored."""
    strips = {key: own_strip(accuracy_by_length(item.run), 0.0) for key, item in own.items()}
    return {key: cells[-1]["right"] if cells else None for key, cells in strips.items()}


def _rights(found: Mapping[str, TaskResult], task: Task) -> dict[str, bool | None]:
    return {key: result.solves(task.test_lengths[-1]) for key, result in found.items()}


def words(task: Task, right: Mapping[str, bool | None], where: str) -> list[str]:
    """Theory beside an outcome at the longest length, in plain sentences; none where nothing was scored.

    Args:
        task: the task.
        right: by the model's key, whether it was right at the longest length; None where it was not scored.
        where: "stored" or "here".
    """
    T = task.test_lengths[-1]
    scored = [
        (e, right[e.key]) for e in entrants() if right.get(e.key) is not None and e.can(task) is not None
    ]
    missed = [e for e, was in scored if e.can(task) and not was]
    beyond = [e for e, was in scored if e.can(task) is False and was]
    found = []
    if missed:
        found.append(
            f"{_names(missed)}: theory allows it at every length, but the weights that were learnt are not right at "
            f"{T:,} characters. Theory says which weights exist, not which are found."
        )
        if positions := [e for e in missed if e.learned_positions]:
            found.append(
                f"{_names(positions)} has positions beyond {task.trained_length} that training never used."
            )
    if beyond:
        found.append(
            f"{_names(beyond)}: right at {T:,} characters although theory says that it fails as texts grow. "
            "It may fail later."
        )
    if scored and not found:
        found.append(f"Outcome and theory agree wherever theory says something ({len(scored)} models).")
    return [f"{'Stored results' if where == 'stored' else 'Your runs'}. {line}" for line in found]


def _names(found: Sequence[Entrant]) -> str:
    titles = [entrant.title for entrant in found]
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
