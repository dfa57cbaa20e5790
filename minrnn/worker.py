"""A run's worker: the command that trains it, its place in the queue, and the process.

Files in a run's folder: `queued`, the words of the command that waits for its turn, becomes `command` when
somebody takes it out of the queue; of two who try, one succeeds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import minrnn
from minrnn import checkpoint, presets
from minrnn.errors import CheckpointError
from minrnn.locks import lock
from minrnn.models import mixer_class, pretrained
from minrnn.runs import ERROR, LOG, STOP, RunSpec

QUEUED, COMMAND, SPEC = "queued", "command", "spec.json"
NICENESS = 5
"""A worker gives way to the app, so that models go on writing while one trains."""
FINE_TUNE_RATE = 0.3
"""A fine-tune's learning rate, as a share of the preset's: the weights are near a good place already."""


def defaults(preset: str, model: str, init: str | None = None) -> RunSpec:
    """What is trained where nothing else is said: a preset, or a checkpoint with its preset's recipe, more gently.

    Args:
        preset: where shape and recipe come from.
        model: which of the preset's; the checkpoint says so itself.
        init: checkpoint to start from, a folder or a Hub repo.

    Raises:
        MinrnnError: if there is no such preset, or the checkpoint cannot be read.
    """
    if init is None:
        found = presets.get(preset, model)
        return RunSpec("tinyshakespeare", found.model, found.train, preset)
    config = checkpoint.load(init).model.config
    recipe = presets.get(preset, config.mixer).train
    recipe = dataclasses.replace(recipe, learning_rate=recipe.learning_rate * FINE_TUNE_RATE)
    return RunSpec("tinyshakespeare", dataclasses.replace(config, vocab=""), recipe, preset, init)


def command(spec: RunSpec, out: Path) -> list[str]:
    """The words behind `python -m minrnn` that train a spec: what its preset does not say already."""
    preset = presets.get(spec.preset, spec.model.mixer)
    words = ["train", "--preset", spec.preset, "--model", spec.model.mixer, "--corpus", spec.corpus]
    if spec.init:
        words += ["--init", spec.init, "--learning-rate", str(spec.train.learning_rate)]
        words += ["--dropout", str(spec.model.dropout)]
        words += _flags(spec.train, preset.train, ("learning_rate",))
    else:
        options = mixer_class(spec.model.mixer).Options()
        words += _flags(spec.model, preset.model, ("mixer", "vocab", "options"))
        words += _flags(spec.model.options or options, preset.model.options or options)
        words += _flags(spec.train, preset.train)
    return [*words, "--out", str(out)]


def shown(words: Sequence[str]) -> str:
    """A command as one types it."""
    return shlex.join(["python", "-m", "minrnn", *words])


def queue(out: Path, words: Sequence[str]) -> None:
    """Let a run wait for its turn."""
    (out / STOP).unlink(missing_ok=True)
    pretrained.write_text(out / QUEUED, json.dumps([time.time_ns(), list(words)]))


def queued_words(path: Path) -> tuple[int, list[str]]:
    """When a command was asked for, in nanoseconds, and its words.

    Raises:
        CheckpointError: if the file is not one of ours.
    """
    try:
        asked, words = json.loads(path.read_text(encoding="utf-8"))
        return int(asked), [str(word) for word in words]
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path} cannot be read ({error}); delete the run and start it again."
        ) from None


def claim(out: Path) -> bool:
    """Take a run out of the queue; False if somebody else has."""
    try:
        (out / QUEUED).replace(out / COMMAND)
    except FileNotFoundError:
        return False
    return True


def spawn(out: Path) -> subprocess.Popen[bytes] | None:
    """Start a waiting run's worker; None if it no longer waits.

    The worker's output is its log, which it thereby holds locked from its first instant to its last.
    """
    if not claim(out):
        return None
    _, words = queued_words(out / COMMAND)
    for stale in (ERROR, STOP):
        (out / stale).unlink(missing_ok=True)
    with (out / LOG).open("wb") as log:
        lock(log.fileno())
        child = subprocess.Popen(
            [sys.executable, "-m", "minrnn", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_environment(),
        )
    _give_way(child.pid)
    return child


def _give_way(pid: int) -> None:
    """Lower a worker's priority, where the system lets one.

    Linux weighs sessions, not processes, where autogrouping is on, and a worker has a session of its own: there
    its niceness counts for nothing unless the session's is set, too.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS), encoding="ascii")


def _environment() -> dict[str, str]:
    """The app's own, with this package on the path, and threads that get along with the app's.

    Threads that wait for one another sleep instead of spinning: where the cores are shared, spinning made small
    models seven times slower. Where there are many cores, one of them is left to the app.
    """
    paths = [str(Path(minrnn.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    cores = os.cpu_count() or 1
    threads = {"OMP_WAIT_POLICY": "PASSIVE", **({"OMP_NUM_THREADS": str(cores - 1)} if cores > 2 else {})}
    own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUNBUFFERED": "1"}
    return {**threads, **os.environ, **own}


def _flags(values: Any, defaults: Any, left_out: Sequence[str] = ()) -> list[str]:
    """The fields of a dataclass that differ from the defaults, as flags."""
    words: list[str] = []
    for field in dataclasses.fields(values):
        value = getattr(values, field.name)
        if field.name in left_out or value == getattr(defaults, field.name):
            continue
        flag = field.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", str(value)]
    return words
