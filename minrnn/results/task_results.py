"""What every model reached on every task, over seeds: the release's figures, as they are shipped with the page.

The figures stand in tasks.json beside this file. `python -m minrnn study run tasks` trains the rows, and
`python -m minrnn study report` makes the file from their records.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from minrnn.files import write_text
from minrnn.results.records import Record
from minrnn.results.task_studies import TASK_SEEDS, task_models, task_rows
from minrnn.tasks import TASKS, Task

SHIPPED = Path(__file__).with_name("tasks.json")
SOLVED = 0.99
"""The accuracy from which a task counts as solved at a length."""


@dataclass(frozen=True)
class TaskResult:
    """What one model reached on one task.

    Attributes:
        model: its key, such as "lstm" or "mingru-signed".
        title: its name, for people.
        seeds: how many runs the figures are taken from.
        mean: the mean accuracy of the seeds, by the length of a text in characters.
        worst: the accuracy of the worst seed at each length.
        curve: characters read and accuracy at the trained length, at each evaluation of the first seed's run.
        loss: the mean loss at the trained length, in nats per answer.
        n_params: weights.
        tokens_seen: characters that each run read.
        iter_ms: median time of an update over all runs, in milliseconds.
        seconds: median training time of the runs.
    """

    model: str
    title: str
    seeds: int
    mean: dict[int, float]
    worst: dict[int, float]
    curve: list[tuple[int, float]]
    loss: float
    n_params: int
    tokens_seen: int
    iter_ms: float
    seconds: float

    def solves(self, length: int) -> bool:
        """Whether every seed solves the task at this length."""
        return self.worst.get(length, 0.0) >= SOLVED


@dataclass(frozen=True)
class Stored:
    """The figures of a release.

    Attributes:
        machine: what the runs were trained on.
        date: the day the last of them was scored, as YYYY-MM-DD; empty where none was.
        results: the name of a task -> a model's key -> its result. What was not run is missing.
        sha256: the name of a task -> its hash when the figures were gathered.
    """

    machine: str
    date: str
    results: dict[str, dict[str, TaskResult]]
    sha256: dict[str, str] = field(default_factory=dict)


@cache
def stored() -> Stored:
    """The figures that are shipped with the package, without those of a task that is another one by now."""
    return of_today(TypeAdapter(Stored).validate_json(SHIPPED.read_bytes()))


def of_today(found: Stored) -> Stored:
    """Without the results of a task whose hash differs or is not known, and those that are not of its lengths."""
    fitting = {
        name: {key: row for key, row in rows.items() if tuple(row.mean) == TASKS[name].test_lengths}
        for name, rows in found.results.items()
        if name in TASKS and found.sha256.get(name) == TASKS[name].sha256
    }
    return dataclasses.replace(found, results={name: rows for name, rows in fitting.items() if rows})


def gather(records: Mapping[str, Record]) -> Stored:
    """The results of all tasks from the records of the study "tasks"."""
    done = [r for r in records.values() if not r.failed]
    results = {task.name: _of_task(task, records) for task in TASKS.values()}
    machine = "; ".join(dict.fromkeys(r.device for r in done if r.device))
    date = max((r.date for r in done), default="")
    kept = {task: found for task, found in results.items() if found}
    return Stored(machine, date, kept, {task: TASKS[task].sha256 for task in kept})


def save(found: Stored, path: Path = SHIPPED) -> None:
    """Write results, one model on one task a line, so that a change is seen for what it is."""
    hashes = ",\n".join(f"  {json.dumps(task)}: {json.dumps(sha)}" for task, sha in found.sha256.items())
    about = f'{{"machine": {json.dumps(found.machine)}, "date": {json.dumps(found.date)},'
    head = f'{about}\n"sha256": {{\n{hashes}\n}},\n"results": {{'
    tasks = [f"{json.dumps(task)}: {{\n{_lines(rows)}\n}}" for task, rows in found.results.items()]
    write_text(path, head + "\n" + ",\n".join(tasks) + "\n}}\n")


def _of_task(task: Task, records: Mapping[str, Record]) -> dict[str, TaskResult]:
    results = {}
    for key, (title, _) in task_models().items():
        runs = [records.get(task_rows(task, seed)[key].name) for seed in TASK_SEEDS]
        finished = [run for run in runs if run is not None and not run.failed and _whole(run, task)]
        if finished:
            results[key] = _over_seeds(key, title, finished)
    return results


def _whole(run: Record, task: Task) -> bool:
    """Whether a run was scored at every length of a task."""
    return set(run.accuracy) == {str(T) for T in task.test_lengths}


def _over_seeds(key: str, title: str, runs: Sequence[Record]) -> TaskResult:
    lengths = sorted(map(int, runs[0].accuracy))
    shares = {T: [run.accuracy[str(T)] for run in runs] for T in lengths}
    return TaskResult(
        model=key,
        title=title,
        seeds=len(runs),
        mean={T: round(statistics.mean(found), 4) for T, found in shares.items()},
        worst={T: min(found) for T, found in shares.items()},
        curve=list(zip(runs[0].curve_tokens, runs[0].curve_accuracy, strict=False)),
        loss=round(statistics.mean(run.val_loss for run in runs), 5),
        n_params=runs[0].n_params,
        tokens_seen=runs[0].tokens_seen,
        iter_ms=round(statistics.median(run.iter_ms for run in runs), 1),
        seconds=round(statistics.median(run.seconds for run in runs), 1),
    )


def _lines(rows: Mapping[str, TaskResult]) -> str:
    return ",\n".join(
        f"  {json.dumps(key)}: {json.dumps(dataclasses.asdict(r), ensure_ascii=False)}"
        for key, r in rows.items()
    )
