"""The studies behind the documents in docs/, as data: questions, rows, and their commands.

    python -m minrnn study run ladder     trains what is missing, one row after another, and can be stopped at will
    python -m minrnn study report         reads the run folders and renews tables and charts

Here stand the studies of the replication and the list of all; those of the weights and of the tasks have files of
their own. Within a study all rows have the same recipe but for what their flags say.
"""

from __future__ import annotations

from minrnn.errors import ConfigError
from minrnn.results import task_studies, weights_studies
from minrnn.results.study import Row, Study


def get(name: str) -> Study:
    """The study of that name.

    Raises:
        ConfigError: if there is none.
    """
    if name not in STUDIES:
        raise ConfigError(f"study {name!r} is not known; choose one of: {', '.join(STUDIES)}.")
    return STUDIES[name]


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


STUDIES = {
    study.name: study
    for study in (
        _ablation(),
        _ladder("ladder", "Why should a model do better for losing its hidden-state inputs and gates?", None),
        _ladder("ladder-width", "What does each step cost at equal width?", 128, _CHECKS),
        _layers(),
        *weights_studies.STUDIES,
        *task_studies.STUDIES,
    )
}
REPLICATION = ("ablation", "ladder", "ladder-width", "layers")
