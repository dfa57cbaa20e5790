"""Starting training runs one after another, stopping, resuming, renaming and deleting them.

A run that is asked for waits in its own folder (see `runlist.py`) until the machine is free, so the queue
survives whatever happens to the app. `step` starts the next one; `keep` calls it again and again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import logging
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from minrnn import corpora, runlist, runs, settings, sharing
from minrnn.corpora import Corpus
from minrnn.errors import CheckpointError, ConfigError, CorpusError
from minrnn.locks import is_held, try_lock
from minrnn.models import mixer_class, pretrained
from minrnn.runlist import Run
from minrnn.runs import CONFIG, LOG, STOP, RunSpec
from minrnn.text import CharVocab
from minrnn.train import Event
from minrnn.worker import COMMAND, QUEUED, SPEC, claim, command, queue, queued_words, spawn

OWN_TEXT = "own.txt"
_children: list[subprocess.Popen[bytes]] = []


def check(spec: RunSpec, text: str | None = None) -> Corpus:
    """Whether a spec can be trained, as far as that is known without training.

    Args:
        spec: what to train.
        text: a text of one's own, in place of the spec's corpus; None keeps that.

    Returns:
        The corpus.

    Raises:
        CorpusError: for a text that is empty, too short, too long or not UTF-8.
        ConfigError: for a vocabulary that does not fit.
    """
    corpus = corpora.load(spec.corpus) if text is None else corpora.own(text)
    if len(corpus.train) <= spec.model.block_size:
        raise CorpusError(
            f"the text has {len(corpus.train):,} characters to train on and a window (block_size) of "
            f"{spec.model.block_size:,} needs {spec.model.block_size + 1:,}; use a longer text or a smaller window."
        )
    CharVocab.of(corpus.text)
    return corpus


def start(specs: Sequence[RunSpec], token: str = "", text: str | None = None) -> list[str]:
    """Ask for runs, to be trained one after another on the same data.

    Args:
        specs: what to train.
        token: of whoever asks.
        text: a text of one's own, in place of the specs' corpus; None keeps that.

    Returns:
        The runs' names, which cannot be guessed.

    Raises:
        MinrnnError: if they cannot be trained, or not here, or not now.
    """
    runlist.check_on()
    if not specs:
        raise ConfigError("no model is chosen; choose at least one.")
    if text is None and (unknown := {spec.corpus for spec in specs} - set(corpora.available())):
        raise CorpusError(f"the text {min(unknown)!r} is not known; choose {', '.join(corpora.available())}.")
    if settings.training_mode() == "limited":
        specs = sharing.limited(specs, token)
    texts = [check(spec, text) for spec in specs]
    asked = time.time()
    return [
        _ask(spec, token, None if text is None else corpus.text, asked, place)
        for place, (spec, corpus) in enumerate(zip(specs, texts, strict=True))
    ]


def resume(name: str, token: str = "", more_iters: int = 0) -> None:
    """Let a run that ended go on, once the machine is free.

    Args:
        name: the run's.
        token: of whoever asks.
        more_iters: updates beyond those of its budget: a finished run needs some.

    Raises:
        MinrnnError: if it is still going, or has nothing left to do.
    """
    run = runlist.find(name, token)
    if run.active:
        raise CheckpointError(f"{run.title} is {run.status} already; stop it first.")
    if settings.training_mode() == "limited":
        sharing.check_free(token, 1)
    words = ["train", "--out", str(run.path), "--resume", *_more(run, more_iters)] if run.begun else None
    queue(run.path, words or queued_words(run.path / COMMAND)[1])


def stop(name: str, token: str = "") -> None:
    """Ask a run to save and end; one that waits is taken out of the queue.

    Raises:
        CheckpointError: if it does neither.
    """
    run = runlist.find(name, token)
    if not run.active:
        raise CheckpointError(f"{run.title} is not running (it is {run.status}).")
    stop_now(run)


def delete(name: str, token: str = "") -> None:
    """Delete a run and all it holds.

    Raises:
        CheckpointError: if it is running.
    """
    run = runlist.find(name, token)
    if run.status == "running" or (run.status == "waiting" and not claim(run.path)):
        raise CheckpointError(f"{run.title} is running; stop it first.")
    delete_now(run)


def rename(name: str, title: str, token: str = "") -> None:
    """Give a run another title; its folder keeps its name.

    Raises:
        ConfigError: if the title is empty or too long.
    """
    run = runlist.find(name, token)
    runlist.write_about(run.path, runlist.clean_title(title), run.asked, run.owner, run.place)


def stop_now(run: Run) -> None:
    """Stop a run, whoever's it is."""
    if not (run.status == "waiting" and claim(run.path)):
        (run.path / STOP).touch()


def delete_now(run: Run) -> None:
    """Delete a run, whoever's it is: out of sight at once, then off the disk."""
    aside = settings.runs_dir() / f".deleted-{secrets.token_hex(8)}"
    run.path.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def step() -> None:
    """Start the run whose turn it is, if the machine is free; where visitors share it, tidy up first."""
    _children[:] = [child for child in _children if child.poll() is None]
    with _alone() as ours:
        if not ours:
            return
        if settings.training_mode() == "limited":
            for run in sharing.forgotten(runlist.every()):
                stop_now(run)
            for run in sharing.expired(runlist.every()):
                delete_now(run)
        if not settings.on_zero_gpu() and (first := next_run()) and (child := spawn(first.path)):
            _children.append(child)


def next_run() -> Run | None:
    """The run whose turn it is; None while one that the app started is still going."""
    found = runlist.every()
    if any(run.status == "running" and is_held(run.path, LOG) for run in found):
        return None
    waiting = [run for run in found if run.status == "waiting"]
    return min(waiting, key=_turn, default=None)


def train_here(path: str) -> Iterator[Event]:
    """Train a run in this process: where only the app itself is lent a GPU (ZeroGPU).

    Args:
        path: the run's folder; a run that has begun goes on.

    Raises:
        MinrnnError: whatever the training raises; the folder says so, too.
    """
    out = Path(path)
    begun = (out / CONFIG).is_file()
    yield from runs.execute(runs.read_spec(out, CONFIG if begun else SPEC), out, resume=begun)


def next_here(token: str) -> Run | None:
    """Take the visitor's next run out of the queue, to train it in this process; None if there is none."""
    waiting = [run for run in runlist.listed(token) if run.status == "waiting"]
    return next((run for run in sorted(waiting, key=_turn) if claim(run.path)), None)


def keep(every_s: float = 1.0) -> None:
    """Call `step` again and again in a thread of this process; a second call does nothing."""
    if not any(thread.name == "minrnn-jobs" for thread in threading.enumerate()):
        threading.Thread(target=_keep, args=(every_s,), name="minrnn-jobs", daemon=True).start()


def _keep(every_s: float) -> None:
    while True:
        try:
            step()
        except Exception:  # whatever it was, the next runs still want to be started
            logging.getLogger(__name__).exception("the training queue stumbled")
        time.sleep(every_s)


def _turn(run: Run) -> int:
    """When a waiting run was asked for."""
    return queued_words(run.path / QUEUED)[0]


@contextlib.contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other process looks after these runs at this moment; none does until the context ends."""
    root = settings.runs_dir()
    if not root.is_dir():
        yield False
        return
    with (root / ".jobs").open("ab") as file:
        yield try_lock(file.fileno())


def _ask(spec: RunSpec, token: str, text: str | None, asked: float, place: int) -> str:
    """Make a run's folder, with everything in it that it takes to start it."""
    corpus = spec.corpus if text is None else "own"
    shared = settings.training_mode() == "limited"
    secret, owner = (secrets.token_hex(8), runlist.owner_of(token)) if shared else (secrets.token_hex(3), "")
    name = f"{spec.preset}-{spec.model.mixer}-{corpus}-{secret}"
    out = settings.runs_dir() / name
    out.mkdir(parents=True)
    if text is not None:
        (out / OWN_TEXT).write_text(text, encoding="utf-8")
        spec = dataclasses.replace(spec, corpus=str(out / OWN_TEXT))
    runlist.write_about(out, _title(spec, corpus, token), asked, owner, place)
    pretrained.write_text(out / SPEC, json.dumps(dataclasses.asdict(spec), ensure_ascii=False))
    queue(out, command(spec, out))
    return name


def _title(spec: RunSpec, corpus: str, token: str) -> str:
    start = "tuned" if spec.init else spec.preset
    title = f"{mixer_class(spec.model.mixer).title} {start}, {corpus}"
    taken = {run.title for run in runlist.listed(token)}
    return next(t for n in itertools.count(1) if (t := f"{title} {n}" if n > 1 else title) not in taken)


def _more(run: Run, more_iters: int) -> list[str]:
    """The budget of a run that goes on: its own, or so many further iters and nothing else."""
    if run.status == "finished" and more_iters <= 0:
        raise CheckpointError(f"{run.title} has spent its budget; say how many more iters it may train.")
    if more_iters <= 0:
        return []
    if settings.training_mode() == "limited":
        raise ConfigError("a budget cannot be extended here; run minRNN on your own machine.")
    iters = run.history.iters
    budget = (iters[-1].iter if iters else 0) + more_iters
    return ["--max-iters", str(budget), "--max-seconds", "0", "--target-val-loss", "0"]
