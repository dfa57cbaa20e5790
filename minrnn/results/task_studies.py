"""The studies of docs/tasks.md: every model on every task, its learning rates, and what a larger budget changes."""

from __future__ import annotations

from minrnn import presets
from minrnn.models import MIXERS, MODEL_NAMES
from minrnn.results.study import Row, Study
from minrnn.tasks import TASKS, Task

SIGNED = "mingru"
"""The model that the tasks are given to with signed decays, too."""

TASK_STUDY, COPY_LAYERS, TASK_RATES, TASK_LONG = "tasks", "copy-layers", "task-rates", "task-long"
TASK_SEEDS = (1337, 1338, 1339)
"""The first is the seed of every preset, and its rows carry no seed in their names."""
_RUN_FIRST = ("parity", "flip_flop", "lookup", "copying")
"""Tasks that tell most in little time; the others follow in the order of the page."""


def task_models() -> dict[str, tuple[str, str]]:
    """What the tasks are given to: key -> title and flags. These are the compared models, and one of them with
    decays that may be negative, too."""
    found = {}
    for model in MODEL_NAMES:
        title = MIXERS[model].title
        found[model] = (title, f"--model {model}")
        if model == SIGNED:
            found[f"{model}-signed"] = (f"signed {title}", f"--model {model} --decay signed")
    return found


def task_rows(task: Task, seed: int) -> dict[str, Row]:
    """Every model on a task, by the model's key. The budget is in iters alone, so that the rows do not depend on the
    machine's speed."""
    suffix, flag = (f"-{seed}", f" --seed {seed}") if seed != TASK_SEEDS[0] else ("", "")
    return {
        key: Row(
            f"{task.name}-{key}{suffix}",
            f"{title}, {task.title}",
            f"--preset task {flags} --corpus {task.name} --max-seconds 0{flag}",
        )
        for key, (title, flags) in task_models().items()
    }


def _tasks() -> Study:
    """The page's tasks come before the others, and all tasks with one seed before the next seed."""

    def order(task: Task) -> tuple[bool, int]:
        return not task.on_page, _RUN_FIRST.index(task.name) if task.name in _RUN_FIRST else len(_RUN_FIRST)

    shown, others = [
        [t for t in sorted(TASKS.values(), key=order) if t.on_page is page] for page in (True, False)
    ]
    rows = [
        row
        for tasks in (shown, others)
        for seed in TASK_SEEDS
        for task in tasks
        for row in task_rows(task, seed).values()
    ]
    question = "Which model solves which task, and how far beyond the trained length?"
    return Study(TASK_STUDY, question, tuple(rows))


RATED_TASKS = ("parity", "flip_flop", "lookup", "recall")
RATES = ("1e-3", "3e-3", "1e-2")
"""Learning rates that every model was tried with on these tasks, at the whole budget."""


def rate_row(task: Task, key: str, rate: str) -> tuple[str, Row]:
    """The study and row of a model on a task with a learning rate; with its preset's own it is a row of the tasks."""
    row, (title, flags) = task_rows(task, TASK_SEEDS[0])[key], task_models()[key]
    model = flags.split()[1]
    if presets.get("task", model).train.learning_rate == float(rate):
        return TASK_STUDY, row
    name, label = f"{task.name}-{key}-{rate}", f"{title}, {task.title}, rate {rate}"
    return TASK_RATES, Row(name, label, f"{row.flags} --learning-rate {rate}")


def _task_rates() -> Study:
    pairs = [rate_row(TASKS[t], key, rate) for t in RATED_TASKS for key in task_models() for rate in RATES]
    rows = tuple(row for study, row in pairs if study == TASK_RATES)
    return Study(TASK_RATES, "Which learning rate suits which model?", rows)


_COPY = "selective_copying"


def _copy_layers() -> Study:
    """The paper's table 1 has minGRU and minLSTM with one, two and three layers; the LSTM is ours to add."""
    rows = tuple(
        Row(
            f"{model}-{n}",
            f"{MIXERS[model].title}, {n} layer{'s' * (n > 1)}",
            f"--preset task --model {model} --corpus {_COPY} --n-layer {n} --max-iters 3000 --max-seconds 0",
        )
        for model in ("mingru", "minlstm", "lstm")
        for n in (1, 2, 3)
    )
    return Study(COPY_LAYERS, "How many layers does selective copying take?", rows)


def _task_long() -> Study:
    """Where a model has not learnt a task at the trained length, the budget may be what it lacks."""
    flags = "--preset task --model nanogpt --corpus flip_flop --max-iters 1800 --max-seconds 0"
    row = Row("flip_flop-nanogpt", "nanoGPT, Flip-flop, three times the batches", flags)
    return Study(TASK_LONG, "What does three times the budget change?", (row,))


STUDIES = (_tasks(), _copy_layers(), _task_rates(), _task_long())
