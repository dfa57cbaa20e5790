"""A training run is a folder and a process.

    config.json     what is trained, on what, and how
    metrics.jsonl   one event a line
    model/          the latest checkpoint: the moving average of the weights
    resume.pt       all that is needed to go on
    log.txt         what the worker printed
    error.txt       why it failed, if it did
    lock            held by the worker as long as it lives
    stop            somebody asks the worker to end

Files are written aside and renamed, and a save names the length of metrics.jsonl that belongs to it, so a
kill at any instant leaves a run that goes on as if nothing had happened.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

import minrnn
from minrnn import checkpoint, corpora, device, train
from minrnn.config import ModelConfig, Sampling, TrainConfig
from minrnn.corpora import Corpus
from minrnn.errors import CheckpointError, MinrnnError
from minrnn.locks import held
from minrnn.models import LanguageModel, pretrained
from minrnn.runlog import METRICS, to_line
from minrnn.text import CharVocab, fold
from minrnn.train import Event, TrainState

CONFIG, MODEL, RESUME = "config.json", "model", "resume.pt"
LOG, ERROR, STOP = "log.txt", "error.txt", "stop"
SAMPLE_PROMPT = "ROMEO:\n"
_INTACT = "The last checkpoint is intact: free some space, then resume the run."


@dataclass(frozen=True)
class RunSpec:
    """What a run trains.

    Attributes:
        corpus: a corpus's name, or a file.
        model: the shape; its vocabulary is the corpus's (after the checkpoint's, with `init`).
        train: recipe and budget.
        preset: where shape and recipe came from.
        init: checkpoint to start from, a folder or a Hub repo; None starts from nothing.
    """

    corpus: str
    model: ModelConfig
    train: TrainConfig
    preset: str = ""
    init: str | None = None


def execute(
    spec: RunSpec, out: Path, *, resume: bool = False, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Event]:
    """Train, and keep everything in a folder. This process is the run's worker until the generator ends.

    Args:
        spec: what to train; with `resume` its budget may differ from the one the run began with.
        out: the run's folder.
        resume: go on with the run in `out`.
        should_stop: asked before every iter, besides the file `stop`.

    Raises:
        CheckpointError: if `out` holds a run and `resume` is not asked for, or the other way round.
        MinrnnError: whatever the corpus, the checkpoint or the training raise.
    """
    _check_folder(out, resume)
    with held(out), _failures_kept(out):
        corpus = corpora.load(spec.corpus)
        state = _begin(spec, corpus)
        if resume:
            _restore(state, out)
        else:
            _describe(spec, corpus, state, out)
        yield from _follow_engine(spec, corpus, state, out, should_stop)


def read_spec(out: Path, name: str = CONFIG) -> RunSpec:
    """What a run trains, from its config.json or another file with the same keys.

    Raises:
        CheckpointError: if `out` is not a run.
    """
    try:
        return spec_from_dict(json.loads((out / name).read_text(encoding="utf-8")))
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{out} is not a run of this minRNN ({error}); start a new one.") from None


def spec_from_dict(data: dict[str, Any]) -> RunSpec:
    """What `dataclasses.asdict` made of a spec, back again; further keys are left alone.

    Raises:
        KeyError, TypeError: if something is missing or unknown.
        ConfigError: if a value is out of range.
    """
    shape = pretrained.config_from_dict(data["model"])
    return RunSpec(data["corpus"], shape, TrainConfig(**data["train"]), data["preset"], data["init"])


@contextmanager
def _failures_kept(out: Path) -> Iterator[None]:
    """Leave the reason of a failure in the folder, for whoever looks at the run later."""
    (out / ERROR).unlink(missing_ok=True)
    try:
        yield
    except MinrnnError as error:
        _note(out, str(error))
        raise
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename or out})"
        _note(out, message := f"the run's folder cannot be written: {reason}. {_INTACT}")
        raise CheckpointError(message) from error
    except Exception as error:
        _note(out, f"unexpected: {type(error).__name__}: {error}")
        raise
    finally:
        (out / STOP).unlink(missing_ok=True)


def _note(out: Path, message: str) -> None:
    with suppress(OSError):  # a full disk may not even take this; the message is printed, too
        (out / ERROR).write_text(message + "\n", encoding="utf-8")


def _check_folder(out: Path, resume: bool) -> None:
    begun = (out / CONFIG).exists()
    if begun and not resume:
        raise CheckpointError(
            f"{out} holds a run already; go on with it by --resume, or choose another --out."
        )
    if resume and not begun:
        raise CheckpointError(f"{out} holds no run to go on with; leave out --resume to start one.")


def _begin(spec: RunSpec, corpus: Corpus) -> TrainState:
    """The state before the first iter: a fresh model, or a checkpoint grown to the corpus's characters."""

    def make() -> LanguageModel:
        if spec.model.vocab:  # a run that goes on: its weights come from resume.pt
            return LanguageModel(spec.model)
        if spec.init is None:
            return LanguageModel(dataclasses.replace(spec.model, vocab=CharVocab.of(corpus.text).chars))
        start = checkpoint.load(spec.init).model
        grown = start.with_vocab(CharVocab(start.config.vocab).grow(corpus.text).chars)
        return grown.with_dropout(spec.model.dropout)

    return train.begin(train.new_model(make, spec.train), spec.train)


def _describe(spec: RunSpec, corpus: Corpus, state: TrainState, out: Path) -> None:
    config = {
        **dataclasses.asdict(spec),
        "model": state.model.config.to_dict(),
        "corpus_sha256": corpus.sha256,
        "compute": state.compute.reason,
        "params": state.model.param_counts(),
        "command": shlex.join(["python", "-m", "minrnn", *sys.argv[1:]]),
        "began": time.time(),
    }
    (out / METRICS).write_bytes(b"")
    _save(state, out)
    pretrained.write_text(out / CONFIG, json.dumps(config, indent=2, ensure_ascii=False) + "\n")


def _restore(state: TrainState, out: Path) -> None:
    """Go back to the last save, and drop the events behind it."""
    saved = torch.load(out / RESUME, map_location=state.compute.device, weights_only=True)
    state.load_state_dict(saved["state"])
    os.truncate(out / METRICS, saved["metrics_bytes"])


def _save(state: TrainState, out: Path) -> None:
    """Write model/ and resume.pt, each file whole or not at all."""
    buffer = io.BytesIO()
    torch.save({"state": state.state_dict(), "metrics_bytes": (out / METRICS).stat().st_size}, buffer)
    aside = out / f".{RESUME}.{os.getpid()}"
    try:
        pretrained.write(state.average, out / MODEL)
        aside.write_bytes(buffer.getbuffer())
        aside.replace(out / RESUME)
    except (OSError, SafetensorError) as error:
        for half in [*out.glob(f".*.{os.getpid()}"), *(out / MODEL).glob(f".*.{os.getpid()}")]:
            half.unlink(missing_ok=True)
        need, free = len(buffer.getbuffer()) / 1e6, shutil.disk_usage(out).free / 1e6
        raise CheckpointError(
            f"the run could not be saved at iter {state.iter}: {error}. A save needs about {1.5 * need:.1f} MB, "
            f"and {free:.1f} MB are free. {_INTACT}"
        ) from error


def _follow_engine(
    spec: RunSpec, corpus: Corpus, state: TrainState, out: Path, should_stop: Callable[[], bool]
) -> Iterator[Event]:
    saved_at = state.seconds
    asked = out / STOP
    events = train.train(state, corpus, spec.train, should_stop=lambda: should_stop() or asked.exists())
    with (out / METRICS).open("a", encoding="utf-8") as metrics:
        for event in events:
            if isinstance(event, train.Done):
                _finish(spec, corpus, state, out)
            metrics.write(to_line(event) + "\n")
            metrics.flush()
            if (
                isinstance(event, train.Eval | train.Done)
                or state.seconds - saved_at >= spec.train.save_seconds
            ):
                _save(state, out)
                saved_at = state.seconds
            yield event


def _finish(spec: RunSpec, corpus: Corpus, state: TrainState, out: Path) -> None:
    """Score the whole split, let the model write a sample, and put both beside the weights."""
    _save(state, out)
    model, config = state.average, spec.train
    described = json.loads((out / CONFIG).read_text(encoding="utf-8"))
    metrics: dict[str, Any] = {
        "model": model.config.mixer,
        "preset": spec.preset,
        "init": spec.init,
        **checkpoint.score(model, corpus, train_split=config.score_train),
        "params": model.param_counts(),
        "iters": state.iter,
        "tokens_seen": state.tokens,
        "seconds": state.seconds,
        "device": device.describe(state.compute.device),
        "dtype": str(state.compute.dtype).removeprefix("torch."),
        "seed": config.seed,
        "corpus": corpus.name,
        "corpus_sha256": corpus.sha256,
        "command": described["command"],
        "train": dataclasses.asdict(config),
        "minrnn": minrnn.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "sample": _sample(model),
    }
    pretrained.write_text(
        out / MODEL / checkpoint.METRICS, json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"
    )
    pretrained.write_text(out / MODEL / checkpoint.HISTORY, (out / METRICS).read_text(encoding="utf-8"))


def _sample(model: LanguageModel) -> dict[str, Any]:
    prompt = fold(SAMPLE_PROMPT, CharVocab(model.config.vocab)).text
    return checkpoint.write_sample(model, prompt, Sampling(max_new_tokens=400))
