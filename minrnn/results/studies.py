"""The studies behind the documents in docs/, as data: questions, rows, and their commands.

    python -m minrnn study run ladder     trains what is missing, one row after another, and can be stopped at will
    python -m minrnn study report         reads the run folders and renews tables and charts

Within a study all rows have the same text, the same number of characters to read and the same recipe but
for what their flags say.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from minrnn import presets
from minrnn.errors import ConfigError
from minrnn.models import MIXERS, MODEL_NAMES
from minrnn.tasks import TASKS, Task

SIGNED = "mingru"
"""The model that the tasks are given to with signed decays, too."""


@dataclass(frozen=True)
class Row:
    """One run of a study.

    Attributes:
        name: its folder, within the study's.
        label: what stands in the table.
        flags: of `python -m minrnn train`, without --out.
    """

    name: str
    label: str
    flags: str

    @property
    def words(self) -> list[str]:
        """The flags as a shell would split them."""
        return shlex.split(self.flags)


@dataclass(frozen=True)
class Study:
    """Runs that answer one question.

    Attributes:
        name: its folder under runs/.
        question: what it asks.
        rows: its runs, in the order of the table.
    """

    name: str
    question: str
    rows: tuple[Row, ...]

    def command(self, row: Row) -> str:
        """The whole command of a row, as it stands in the document."""
        return f"python -m minrnn train {row.flags} --out runs/{self.name}/{row.name}"


def get(name: str) -> Study:
    """The study of that name.

    Raises:
        ConfigError: if there is none.
    """
    if name not in STUDIES:
        raise ConfigError(f"study {name!r} is not known; choose one of: {', '.join(STUDIES)}.")
    return STUDIES[name]


_BUDGET = presets.get("base", "mingru").train.max_iters
_THIRD = f"--preset base --max-iters {_BUDGET // 3}"
_TWICE = f"--preset base --max-iters {2 * presets.get('base', 'nanogpt').train.max_iters}"


def _ablation() -> Study:
    def row(name: str, label: str, flags: str) -> Row:
        return Row(name, label, f"--preset ladder --model {flags}")

    return Study(
        "ablation",
        "Which of the replication's choices cost it its loss?",
        (
            row("minlstm", "minLSTM, ours", "minlstm"),
            row("minlstm-raw-gates", "minLSTM, gates not normalised", "minlstm --no-normalised"),
            row("minlstm-std-1", "minLSTM, weights from N(0, 1)", "minlstm --init-std 1"),
            row("minlstm-both", "minLSTM, both", "minlstm --no-normalised --init-std 1"),
            row("theirs", "the replication's minLSTM", "lstm_linear --init-std 1"),
            row("lstm", "LSTM, ours", "lstm"),
            row("lstm-std-1", "LSTM, weights from N(0, 1)", "lstm --init-std 1"),
            row("lstm-one-layer", "LSTM, one layer, weights from N(0, 1)", "lstm --n-layer 1 --init-std 1"),
        ),
    )


def _layers() -> Study:
    rows = (
        Row(
            f"lstm-{n}",
            f"LSTM, {n} layer{'s' * (n > 1)}",
            f"--preset ladder --model lstm --n-layer {n}",
        )
        for n in (1, 2, 3, 4)
    )
    return Study("layers", "Do more layers help the LSTM?", tuple(rows))


_RUNGS = (
    ("lstm", "LSTM", "lstm --forget-bias 0", 128),
    ("lstm-x-gates", "its gates read x only", "lstm_x_gates", 160),
    ("lstm-x", "its candidate, too", "lstm_x", 180),
    ("lstm-no-output", "no output gate", "lstm_no_output", 204),
    ("lstm-linear", "no tanh behind the cell", "lstm_linear", 204),
    ("minlstm-raw-gates", "candidate g in the place of tanh", "minlstm --no-normalised", 204),
    ("minlstm", "gates normalised: minLSTM", "minlstm", 204),
    ("mingru", "one gate: minGRU", "mingru", 248),
)
"""Folder, label, model, and the width at which a model of two plain layers has the LSTM's 281 k parameters."""


def _ladder(name: str, question: str, width: int | None, further: tuple[Row, ...] = ()) -> Study:
    rows = [
        Row(folder, label, f"--preset ladder --model {model} --n-embd {width or equal}")
        for folder, label, model, equal in _RUNGS
    ]
    return Study(name, question, (*rows, *further))


_MUON = "--optimizer muon --learning-rate 1e-2"
_CHECKS = tuple(
    Row(folder, label, f"--preset ladder --model {flags}")
    for folder, label, flags in (
        ("check-forget-1", "check: LSTM, forget bias 1", "lstm --n-embd 128"),
        (
            "check-lstm-slow",
            "check: LSTM, rate 2e-3",
            "lstm --forget-bias 0 --n-embd 128 --learning-rate 2e-3",
        ),
        ("check-mingru-slow", "check: minGRU, rate 2e-3", "mingru --n-embd 248 --learning-rate 2e-3"),
        ("check-lstm-muon", "check: LSTM, Muon", f"lstm --forget-bias 0 --n-embd 128 {_MUON}"),
        ("check-mingru-muon", "check: minGRU, Muon", f"mingru --n-embd 248 {_MUON}"),
    )
)


def _conv() -> Study:
    rows = (
        Row(
            f"{model}-conv-{taps}",
            f"{model}, {'Conv4' if taps else 'no convolution'}",
            f"{_THIRD} --model {model} --conv-kernel {taps}",
        )
        for model in MODEL_NAMES
        for taps in (0, 4)
    )
    return Study("conv", "Effect of the convolution", tuple(rows))


def _seeds() -> Study:
    rows = (
        Row(f"{model}-{seed}", f"{model}, seed {seed}", f"--preset base --model {model} --seed {seed}")
        for model in MODEL_NAMES
        for seed in (1338, 1339)
    )
    return Study("seeds", "How far do seeds differ?", tuple(rows))


_LONG = Study(
    "long",
    "How long does nanoGPT need to reach what minGRU has?",
    (Row("nanogpt-twice", "nanoGPT, twice the budget", f"{_TWICE} --model nanogpt"),),
)

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


STUDIES = {
    study.name: study
    for study in (
        _ablation(),
        _ladder("ladder", "Why should a model do better for losing its hidden-state inputs and gates?", None),
        _ladder("ladder-width", "What does each step cost at equal width?", 128, _CHECKS),
        _layers(),
        _conv(),
        _seeds(),
        _LONG,
        _tasks(),
        _copy_layers(),
        _task_rates(),
        _task_long(),
    )
}
REPLICATION = ("ablation", "ladder", "ladder-width", "layers")
RECIPES = ("conv", "seeds", "long")
