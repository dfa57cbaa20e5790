"""A training run in its folder.

    config.json     what is trained, on what, and how: the spec, as it is trained now
    own.txt         the text, where it is the reader's own
    metrics.jsonl   one event a line
    model/          the latest checkpoint: the moving average of the weights
    resume.pt       all that is needed to go on
    expected-*.npy  what the run's teachers expect of the text, where it has teachers and has not ended
    log.txt         what the worker printed
    error.txt       why it failed, if it did
    lock            held by the worker as long as it lives
    stop            somebody asks the worker to end

Files are written aside and renamed, and a save names the length of metrics.jsonl that belongs to it, so a
kill at any instant leaves a run that goes on as if nothing had happened.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from minrnn import checkpoint, corpora, data, files, train
from minrnn.corpora import OWN
from minrnn.data import Source
from minrnn.errors import CheckpointError, CorpusError, MinrnnError
from minrnn.models import LanguageModel
from minrnn.ranks import ALONE, Ranks
from minrnn.runs import saving, teachers
from minrnn.runs.config_file import CONFIG as CONFIG
from minrnn.runs.config_file import has_begun as has_begun
from minrnn.runs.config_file import is_unbegun as is_unbegun
from minrnn.runs.config_file import parts as parts
from minrnn.runs.config_file import read_config as read_config
from minrnn.runs.config_file import read_spec as read_spec
from minrnn.runs.config_file import spec_in as spec_in
from minrnn.runs.ending import finish
from minrnn.runs.events import METRICS, last_event, to_line
from minrnn.runs.lock import held
from minrnn.runs.saving import MODEL as MODEL
from minrnn.runs.saving import RESUME as RESUME
from minrnn.runs.spec import OWN_TEXT, RunSpec
from minrnn.teaching import Lesson
from minrnn.text import CharVocab
from minrnn.train import Event, TrainState

LOG, ERROR, STOP, STARTING = "log.txt", "error.txt", "stop", "starting"


def create(out: Path, spec: RunSpec, text: str | None = None) -> None:
    """Make the folder of a run that has not begun.

    Args:
        out: the folder; it may be there, but hold no run, and nothing that a run would overwrite.
        spec: what to train.
        text: the reader's own text, where the spec's corpus is "own".

    Raises:
        CheckpointError: if the folder holds a run or a part of one, another process makes one there, or it cannot be
            made.
    """
    try:
        _check_free(out, text)  # before there is even a lock
        out.mkdir(parents=True, exist_ok=True)
        with held(out):
            _check_free(out, text)  # of two who make a run here, the second finds the first one's
            forget_stop(out)  # nobody has asked this run to stop
            if text is not None:
                files.write_text(out / OWN_TEXT, text)
            files.write_json(out / CONFIG, spec.to_dict())
    except OSError as error:
        raise CheckpointError(
            f"the folder {out} cannot be made ({error.strerror or error}); choose another place."
        ) from error


def _check_free(out: Path, text: str | None) -> None:
    """Raise CheckpointError, with the way to what is there, if a folder holds a run or something else that this one
    would overwrite. The same text may be there: somebody has put it there, or the making of the run was killed."""
    if has_begun(out):
        read_spec(out)  # says what to do where it cannot be read
        raise CheckpointError(
            f"{out} holds a run already; go on with it by --resume, or choose another --out."
        )
    if is_unbegun(out):
        raise CheckpointError(
            f"{out} holds a run that has not begun; train it by --run {out}, or choose another --out."
        )
    there = parts(out)
    if OWN_TEXT in there and text is not None and _is_text(out / OWN_TEXT, text):
        there.remove(OWN_TEXT)
    if there:
        raise CheckpointError(
            f"{out} holds files of something else than a run ({', '.join(there)}); choose another --out."
        )


def _is_text(path: Path, text: str) -> bool:
    """Whether a file holds this text."""
    with suppress(CorpusError):
        return corpora.own.from_file(path).text == text
    return False


def change(out: Path, spec: RunSpec) -> None:
    """Make a run train another spec from now on, such as one with a larger budget.

    A run that had spent its budget counts as stopped from now on: it has not spent the new one.

    Raises:
        OSError: if a file cannot be written; what it held stays.
    """
    if isinstance(end := last_event(out / METRICS), train.Done) and end.reason != "stopped":
        lines = (out / METRICS).read_bytes().rstrip(b"\n").split(b"\n")
        lines[-1] = to_line(train.Done(end.iter, "stopped")).encode()
        files.write_bytes(out / METRICS, b"\n".join(lines) + b"\n")
    files.write_json(out / CONFIG, {**files.read_object(out / CONFIG), **spec.to_dict()})


def read_corpus(spec: RunSpec, out: Path) -> Source:
    """The text or the task of a run.

    Raises:
        CorpusError: if it cannot be read, or is no longer the one that the run began with.
    """
    source: Source
    if data.is_named(spec.corpus):
        source = data.load(spec.corpus)
    else:
        source = corpora.own.from_file(out / OWN_TEXT if spec.corpus == OWN else Path(spec.corpus))
    if spec.corpus_sha256 not in ("", source.sha256):
        raise CorpusError(
            f"{source.name!r} is no longer the one that this run began with (SHA-256 {source.sha256[:12]}, was "
            f"{spec.corpus_sha256[:12]}); put the old text or the old sizes of the task back, or start a new run "
            f"with --init {out / MODEL}."
        )
    return source


def execute(
    out: Path, *, should_stop: Callable[[], bool] = lambda: False, ranks: Ranks = ALONE
) -> Iterator[Event]:
    """Train what a folder says, from the beginning or from its last save. This process is the run's worker
    until the generator ends. Where the run has teachers, they read the text first.

    Args:
        out: the run's folder.
        should_stop: asked before every iter, besides the file `stop`.
        ranks: the processes that train together; this one is rank 0, the others call `follower.follow`.

    Raises:
        CheckpointError: if `out` is not a run, or another process trains in it.
        MinrnnError: whatever the text, the checkpoint or the training raise; error.txt says so, too.
    """
    if not os.path.isdir(out):
        raise CheckpointError(f"{out} is no folder with a run; start one with --out {out}.")
    with held(out), _failures_kept(out):
        (out / STARTING).unlink(missing_ok=True)
        (out / ERROR).unlink(missing_ok=True)
        spec = read_spec(out)
        source = read_corpus(spec, out)
        state = saving.restored(spec, out) if has_begun(out) else _begun(spec, source, out)
        spec = read_spec(out)
        ranks.send((spec, source, state.state_dict()))
        asked = out / STOP

        def stop() -> bool:
            return should_stop() or asked.exists()

        lesson = yield from teachers.lesson(spec, source, out, state, stop, ranks)
        untaught = spec.is_taught and lesson is None  # the reading was stopped, and so is the run
        yield from _follow_engine(
            spec, source, state, out, (lambda: True) if untaught else stop, ranks, lesson
        )


def forget_stop(out: Path) -> None:
    """Forget a request to stop that a worker which was killed left behind."""
    with suppress(OSError):
        (out / STOP).unlink(missing_ok=True)


@contextmanager
def _failures_kept(out: Path) -> Iterator[None]:
    """Leave the reason of a failure in the folder, for whoever looks at the run later."""
    try:
        yield
    except MinrnnError as error:
        _note(out, str(error))
        raise
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename or out})"
        left = saving.after_failure(error, out)
        _note(out, message := f"the run's folder cannot be written: {reason}. {left}")
        raise CheckpointError(message) from error
    except Exception as error:
        _note(out, f"unexpected: {type(error).__name__}: {error}")
        raise
    finally:
        forget_stop(out)


def _note(out: Path, message: str) -> None:
    with suppress(OSError):  # a full disk may not even take this; the message is printed, too
        files.write_text(out / ERROR, message + "\n")


def _begun(spec: RunSpec, source: Source, out: Path) -> TrainState:
    """The state before the first iter, saved; config.json now holds all of the spec, and what came of it."""

    def make() -> LanguageModel:
        if spec.init is None:
            return LanguageModel(dataclasses.replace(spec.model, vocab=source.vocab))
        start = checkpoint.load(spec.init).model
        grown = start.with_vocab(CharVocab(start.config.vocab).grow(source.vocab).chars)
        return grown.with_dropout(spec.model.dropout)

    teachers.check(spec, source)
    teachers_sha256 = teachers.sha256s(spec)
    state = train.begin(train.new_model(make, spec.train), spec.train)
    files.write_bytes(out / METRICS, b"")
    whole = dataclasses.replace(
        spec, model=state.model.config, corpus_sha256=source.sha256, teachers_sha256=teachers_sha256
    )
    facts = {"compute": state.compute.reason, "params": state.model.param_counts(), "began": time.time()}
    files.write_json(out / CONFIG, {**whole.to_dict(), **facts})
    saving.save(state, out, 0)
    return state


def _follow_engine(
    spec: RunSpec,
    source: Source,
    state: TrainState,
    out: Path,
    should_stop: Callable[[], bool],
    ranks: Ranks,
    lesson: Lesson | None,
) -> Iterator[Event]:
    saved_at = state.seconds
    engine = train.train(state, source, spec.train, should_stop=should_stop, ranks=ranks, lesson=lesson)
    with (out / METRICS).open("ab") as metrics:
        for event in engine:
            saving.check_there(out)
            if isinstance(event, train.Done):
                _save(state, metrics, out)
                event = finish(spec, source, state, event, out, should_stop, ranks.size)
                _write(metrics, event)
                os.fsync(metrics.fileno())
                if event.reason != "stopped":
                    teachers.forget(out)
                yield event
                return
            _write(metrics, event)
            late = event.iter == state.iter and state.seconds - saved_at >= spec.train.save_seconds
            if isinstance(event, train.Eval) or late:
                _save(state, metrics, out)
                saved_at = state.seconds
            yield event


def _write(metrics: BinaryIO, event: Event) -> None:
    metrics.write(to_line(event).encode() + b"\n")
    metrics.flush()


def _save(state: TrainState, metrics: BinaryIO, out: Path) -> None:
    """Save the state; what it says of metrics.jsonl is on the disk before."""
    os.fsync(metrics.fileno())
    saving.save(state, out, metrics.tell())
