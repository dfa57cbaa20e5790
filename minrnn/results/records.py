"""What the studies found: read from run folders, kept in one file, so that tables outlive the folders."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from minrnn import checkpoint
from minrnn.errors import CheckpointError
from minrnn.files import write_text
from minrnn.results.figures import Result, read
from minrnn.results.studies import STUDIES
from minrnn.results.study import Row, Study
from minrnn.results.weights_studies import REPORTING, WEIGHTS, options
from minrnn.runs.events import METRICS, last_event, read_events
from minrnn.runs.folder import CONFIG, ERROR, MODEL, read_spec
from minrnn.runs.spec import command as spec_command
from minrnn.train import Done, Eval, Event, Iter

TRIALS = "trials"
"""Folder of the search for recipes: every run in it is a row of the table of trials."""
OF_TASKS = ("accuracy", "curve_accuracy", "date")
"""Fields of a record that only a task's has."""
DIGITS = 6
"""Of the losses in a record."""
ENDED_ON_BUDGET = ("max_iters", "max_seconds", "target_val_loss")


@dataclass(frozen=True)
class Record:
    """One finished, or failed, run of a study.

    Attributes:
        command: what made it.
        failed: why it failed; empty where it did not, and then the figures below stand.
        val_loss: over windows, nats per character; of a task, per answer.
        val_loss_streaming: with the state carried; None where only a sample of the split was scored.
        train_loss: over the training split; None where it was not scored.
        n_params: weights.
        tokens_seen: characters read.
        seconds: training time, evaluations included.
        iter_ms: median time of an update, in milliseconds.
        max_grad_norm: the largest norm of the gradient before clipping.
        device: the machine's own name for it.
        curve_tokens: characters read at every evaluation.
        curve_val_loss: the estimates of the validation loss there.
        accuracy: of a task: the share of right answers, by the length of a text.
        curve_accuracy: of a task: the estimates of the accuracy, at the evaluations of `curve_tokens`.
        date: of a task: the day the run was scored, as YYYY-MM-DD.
        settings: of a trial and of a row of the weights: corpus, shape and recipe, to compare with the presets and rows
            of the day.
    """

    command: str
    failed: str = ""
    val_loss: float = 0.0
    val_loss_streaming: float | None = None
    train_loss: float | None = None
    n_params: int = 0
    tokens_seen: int = 0
    seconds: float = 0.0
    iter_ms: float = 0.0
    max_grad_norm: float = 0.0
    device: str = ""
    curve_tokens: list[int] = field(default_factory=list)
    curve_val_loss: list[float] = field(default_factory=list)
    accuracy: dict[str, float] = field(default_factory=dict)
    curve_accuracy: list[float] = field(default_factory=list)
    date: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


Records = dict[str, dict[str, Record]]
"""study -> row -> record."""


def finished(out: Path) -> bool:
    """Whether the run in this folder has spent its budget and been scored.

    Raises:
        CheckpointError: if its metrics.json is damaged.
    """
    ended = last_event(out / METRICS)
    if not isinstance(ended, Done) or ended.reason not in ENDED_ON_BUDGET:
        return False
    return checkpoint.read_metrics(out / MODEL / checkpoint.METRICS).get("val_loss") is not None


def record(out: Path) -> Record | None:
    """What a run folder holds; None where the run is missing or not at its end.

    Raises:
        CheckpointError: if the folder is damaged.
    """
    failure = out / ERROR
    if finished(out):
        measured = _measured(read(out / MODEL), read_events(out / METRICS))
        return dataclasses.replace(
            measured, command=_command(out), date=_date(out) if measured.accuracy else ""
        )
    if failure.is_file():
        return Record(_command(out), failed=failure.read_text(encoding="utf-8").strip())
    return None


def collect(runs: Path, known: Mapping[str, Mapping[str, Record]]) -> Records:
    """The records of all studies and trials: of the folders under `runs`, else, where one is gone, the known ones.

    No figure is lost: a known row that no study has any more becomes a trial, and so does a run of the weights whose
    row has another recipe by now.
    """
    found: Records = {}
    trials = _gone(known)
    for study in STUDIES.values():
        given = known.get(study.name, {})
        if study.name in WEIGHTS:
            found[study.name], others = _by_recipe(study, runs / study.name, given)
            trials |= others
        else:
            found[study.name] = _rows(runs / study.name, [row.name for row in study.rows], given)
    folders = {path.parent.name for path in runs.glob(f"{TRIALS}/*/config.json")}
    names = sorted(folders | set(known.get(TRIALS, {})))
    own = _rows(runs / TRIALS, names, known.get(TRIALS, {}))
    trials |= {name: _with_settings(r, runs / TRIALS / name) for name, r in own.items()}
    return found | {TRIALS: dict(sorted(trials.items()))}


def other_recipe(row: Row, settings: Mapping[str, Any]) -> list[str]:
    """What a row's flags say and a run's settings do not: the flags with the values that the run had.

    Args:
        row: of a study of the weights.
        settings: the run's spec as plain data; empty where nobody knows, and then nothing differs.
    """
    if not settings:
        return []
    had = {"corpus": settings["corpus"], "model": settings["model"]["mixer"]}
    had = {**settings["train"], **settings["model"], **(settings["model"]["options"] or {}), **had}
    wanted = {flag: value for flag, value in options(row.flags).items() if flag not in REPORTING}
    pairs = [(flag, value, had.get(flag[2:].replace("-", "_"))) for flag, value in wanted.items()]
    return [f"{flag} {value}" for flag, said, value in pairs if not _same(said, value)]


def settings_of(out: Path) -> dict[str, Any]:
    """A run's spec as plain data, the vocabulary left out; empty where there is no run.

    Raises:
        CheckpointError: if its config.json is damaged.
    """
    if not (out / CONFIG).is_file():
        return {}
    spec = dataclasses.asdict(read_spec(out))
    return {**spec, "model": {**spec["model"], "vocab": ""}}


def load(path: Path) -> Records:
    """The records in a file; none where there is no file.

    Raises:
        CheckpointError: if it is damaged.
    """
    if not path.is_file():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {study: {name: Record(**r) for name, r in rows.items()} for study, rows in data.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is damaged: {error}; make it anew from the run folders.") from None


def save(records: Records, path: Path) -> None:
    """Write records, one a line, so that a change is seen for what it is."""
    lines = [f"{json.dumps(study)}: {{\n{_lines(rows)}\n}}" for study, rows in records.items() if rows]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _rows(folder: Path, names: Sequence[str], known: Mapping[str, Record]) -> dict[str, Record]:
    found = {name: _best_first(record(folder / name), known.get(name)) for name in names}
    return {name: rows[0] for name, rows in found.items() if rows}


def _best_first(fresh: Record | None, known: Record | None) -> list[Record]:
    """What a folder holds, then what is known; but a run that failed stands behind one that ended well."""
    return sorted(filter(None, (fresh, known)), key=lambda r: bool(r.failed))


def _gone(known: Mapping[str, Mapping[str, Record]]) -> dict[str, Record]:
    """The known rows that stand in no study any more, by the names of their studies and their own."""
    kept = {study.name: {row.name for row in study.rows} for study in STUDIES.values()}
    return {
        f"{study}-{name}": r
        for study, rows in known.items()
        for name, r in rows.items()
        if study != TRIALS and name not in kept.get(study, ())
    }


def _by_recipe(
    study: Study, folder: Path, known: Mapping[str, Record]
) -> tuple[dict[str, Record], dict[str, Record]]:
    """The runs that are rows of the study, and those that had another recipe, by names that tell them apart."""
    rows: dict[str, Record] = {}
    others: dict[str, Record] = {}
    for row in study.rows:
        run = record(folder / row.name)
        fresh = _with_settings(run, folder / row.name) if run else None
        for found in _best_first(fresh, known.get(row.name)):
            if other_recipe(row, found.settings):
                others[f"{study.name}-{row.name}-{_digest(found)}"] = found
            else:
                rows.setdefault(row.name, dataclasses.replace(found, command=study.command(row)))
    return rows, others


def _with_settings(trial: Record, out: Path) -> Record:
    """The record with what stands in its run's config.json; as it is without a folder."""
    return dataclasses.replace(trial, settings=settings_of(out) or trial.settings)


def _digest(r: Record) -> str:
    """Six digits that tell one recipe from another."""
    return hashlib.sha256(json.dumps(r.settings, sort_keys=True).encode()).hexdigest()[:6]


def _same(said: str, value: object) -> bool:
    """Whether a flag's word says a value."""
    try:
        return float(said) == float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return said == str(value)


def _lines(rows: Mapping[str, Record]) -> str:
    return ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(_plain(r), ensure_ascii=False)}" for name, r in rows.items()
    )


def _plain(r: Record) -> dict[str, Any]:
    """A record's fields; only a task's has an accuracy and a date."""
    return {name: value for name, value in dataclasses.asdict(r).items() if value or name not in OF_TASKS}


def _measured(result: Result, events: list[Event]) -> Record:
    iters = [event for event in events if isinstance(event, Iter)]
    evals = [event for event in events if isinstance(event, Eval)]
    return Record(
        command="",
        val_loss=_rounded(result.val_loss) or 0.0,
        val_loss_streaming=_rounded(result.val_loss_streaming),
        train_loss=_rounded(result.train_loss),
        n_params=result.n_params,
        tokens_seen=result.tokens_seen,
        seconds=round(result.seconds, 1),
        iter_ms=round(1000 * statistics.median([event.iter_seconds for event in iters] or [0.0]), 2),
        max_grad_norm=round(max((event.grad_norm for event in iters), default=0.0), 3),
        device=result.device,
        curve_tokens=[event.tokens for event in evals],
        curve_val_loss=[round(event.val_loss, 4) for event in evals],
        accuracy={length: round(share, 4) for length, share in result.accuracy.items()},
        curve_accuracy=[round(event.accuracy, 4) for event in evals if event.accuracy is not None],
    )


def _rounded(loss: float | None) -> float | None:
    return None if loss is None else round(loss, DIGITS)


def _command(out: Path) -> str:
    """What made the run, wherever its folder lies on this machine; empty where its spec cannot be read."""
    try:
        return spec_command(read_spec(out), Path("runs", out.parent.name, out.name))
    except CheckpointError:
        return ""


def _date(out: Path) -> str:
    return datetime.fromtimestamp((out / MODEL / checkpoint.METRICS).stat().st_mtime, UTC).date().isoformat()
