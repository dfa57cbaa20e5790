"""What became of a task, model by model: the stored results, one's own runs, and theory's word beside both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from minrnn.results.tables import params
from minrnn.results.task_results import Stored, TaskResult
from minrnn.results.task_results import stored as shipped
from minrnn.tasks import Task, chance, find_task, share_text
from minrnn.ui.tasks.entrants import Entrant, entrants
from minrnn.ui.tasks.strips import RULE, Cell, complete, own_strip, stored_strip, verdict
from minrnn.ui.train.looks import Shown, accuracy, accuracy_by_length, phase

Own = Mapping[str, Shown]
"""The visitor's latest run of each model on a task, by the model's key."""
SAYS = {True: "can", False: "fails", None: "–"}
"""Theory on every length, in a word; `strips.RULE` explains it."""
EQUAL = (
    "Equal for all models are width, layers and the batches read; parameters are not, and nanoGPT's include a "
    "vector for each position."
)
"""What a comparison holds fixed, stated once on the page."""


class Reached(NamedTuple):
    """Whether a model was right at the trained length, and at the longest."""

    trained: bool
    longest: bool


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
        "equal": EQUAL,
        "made": _made(release, task),
        "models": rows,
        "theory": task.theory,
        "stored_words": words(task, _reached(found, task), "stored"),
        "own_words": _cut_short(own) + words(task, _own_reached(task, own), "own"),
    }


def _row(task: Task, entrant: Entrant, stored: TaskResult | None, own: Shown | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "key": entrant.key, "title": entrant.title, "color": entrant.color, "says": SAYS[entrant.can(task)],
        "params": _size(stored, own), "stored": None, "own": None,
    }  # fmt: skip
    if stored is not None:
        cells = stored_strip(stored, task, guessing(task.name))
        row["stored"] = {"cells": cells, "verdict": verdict(cells), "right": cells[-1]["right"]}
    if own is not None:
        row["own"] = _own(task, own, row["stored"])
    return row


def _size(stored: TaskResult | None, own: Shown | None) -> str:
    """The weights of a model, from the stored result or else from the visitor's run; empty where neither says."""
    count = (
        stored.n_params if stored is not None else own.run.scores.get("n_params") if own is not None else None
    )
    return f"{params(count)} parameters" if isinstance(count, int) else ""


def _own(task: Task, item: Shown, stored: dict[str, Any] | None) -> dict[str, Any]:
    """A run's strip once it is scored; before, what it is at and the accuracy so far."""
    cells = own_strip(accuracy_by_length(item.run), task, guessing(task.name))
    found = {
        "run": item.run.name, "phase": phase(item), "cells": cells, "problem": item.run.problem, "verdict": "",
        "against": "", "can_answer": bool(item.run.begun and not item.run.active),
    }  # fmt: skip
    if cells:
        found |= {"verdict": verdict(cells), "against": _against(cells, stored)}
    elif (share := accuracy(item)) is not None:
        found["verdict"] = f"{share_text(share)} at 1× so far"
    return found


def _cut_short(own: Own) -> list[str]:
    """The runs that ended before the recipe's iters, and why."""
    found = []
    for item in own.values():
        recipe, iters = item.run.spec.train, item.history.iters
        if item.run.status == "finished" and iters and iters[-1].iter < recipe.max_iters:
            spent = f"{iters[-1].iter:,} of {recipe.max_iters:,} iters"
            title = item.run.spec.model_title
            reached = item.history.done is not None and item.history.done.reason == "target_val_loss"
            why = (
                f"it reached its loss of {recipe.target_val_loss:g}"
                if reached
                else f"its {recipe.max_seconds:g} seconds were over"
            )
            found.append(f"Your runs. {title} ended after {spent}: {why}.")
    return found


def _against(cells: Sequence[Cell], stored: dict[str, Any] | None) -> str:
    """Whether a run's verdict is the stored one, length by length; empty where there is none to compare."""
    if stored is None or not complete(cells):
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


def _own_reached(task: Task, own: Own) -> dict[str, Reached]:
    """What each run reached; a run that was not scored at every length has no say."""
    strips = {key: own_strip(accuracy_by_length(item.run), task, 0.0) for key, item in own.items()}
    return {
        key: Reached(bool(cells[0]["right"]), bool(cells[-1]["right"]))
        for key, cells in strips.items()
        if complete(cells)
    }


def _reached(found: Mapping[str, TaskResult], task: Task) -> dict[str, Reached]:
    first, *_, last = task.test_lengths
    return {key: Reached(result.solves(first), result.solves(last)) for key, result in found.items()}


def words(task: Task, reached: Mapping[str, Reached], where: Literal["stored", "own"]) -> list[str]:
    """Theory beside an outcome, in plain sentences; none where nothing was scored.

    A model that is not right at the trained length has not learnt the task: it is named first, and what it does at
    longer lengths is not held against theory, nor for it.

    Args:
        task: the task.
        reached: by the model's key, where it was right; without those that were not scored.
        where: whose outcome it is.
    """
    scored = [(entrant, reached[entrant.key]) for entrant in entrants() if entrant.key in reached]
    unlearnt = [entrant for entrant, was in scored if not was.trained]
    learnt = [(e, was.longest) for e, was in scored if was.trained and e.can(task) is not None]
    found = []
    if unlearnt:
        found.append(
            f"{_names(unlearnt)}: not learnt at the trained length of {task.trained_length} characters in this "
            "budget, so longer texts say nothing about theory here."
        )
    differing = _differing(task, learnt)
    found += differing
    if learnt and not differing:
        found.append(
            f"Outcome and theory agree wherever a model learnt the task and theory says something: "
            f"{_names([entrant for entrant, _ in learnt])}."
        )
    return [f"{'Stored results' if where == 'stored' else 'Your runs'}. {line}" for line in found]


def _differing(task: Task, learnt: Sequence[tuple[Entrant, bool]]) -> list[str]:
    """Where models that learnt a task, each with whether it is right at the longest length, differ from theory."""
    T = task.test_lengths[-1]
    missed = [entrant for entrant, right in learnt if entrant.can(task) and not right]
    beyond = [entrant for entrant, right in learnt if not entrant.can(task) and right]
    found = []
    if missed:
        found.append(
            f"{_names(missed)}: learnt at {task.trained_length} characters, and theory allows it at every length, but "
            f"the weights that were learnt are not right at {T:,}. Theory says which weights exist, not which are "
            "found."
        )
    if positions := [entrant for entrant in missed if entrant.learned_positions]:
        found.append(
            f"{_names(positions)} has positions beyond {task.trained_length} that training never used."
        )
    if beyond:
        found.append(
            f"{_names(beyond)}: right at {T:,} characters although theory says that such a model fails as texts "
            "grow. Longer texts may show it."
        )
    return found


def _names(found: Sequence[Entrant]) -> str:
    titles = [entrant.title for entrant in found]
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
