"""What a machine that visitors share allows (MINRNN_TRAINING=limited): one job at a time, and none for long."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

from minrnn import checkpoint, data, settings
from minrnn.checked import shown
from minrnn.errors import CheckpointError, ConfigError
from minrnn.runs.listing import ABOUT, FOLLOWED, Listing, Run
from minrnn.runs.process import QUEUED
from minrnn.runs.spec import RunSpec

MIN_TOKEN_CHARS = 16
MAX_QUEUED = 8
"""Runs that wait: at three minutes a job of one to four runs, nobody waits much longer than twenty."""
MAX_CHARS_AN_ITER, MAX_BLOCK = 16_384, 512
"""Twice what the largest preset reads in one iter and in one window; it fits a small machine's memory."""
UNFOLLOWED_S = 120.0
"""A run that no page shows for so long is stopped. A hidden page reports once a minute."""
MAX_TASK_BLOCK = 1_024
"""A task's texts are short. A larger block_size costs a model nothing but rows of learned positions."""
KEPT_S = 3_600.0
"""A run, and the text it was given, is deleted so long after it was asked for."""
_AT_HOME = "run minRNN on your own machine"


def check_may_start(runs: Listing, token: str, count: int, inits: Sequence[str]) -> None:
    """Whether the holder of a token may ask for so many runs now; nothing is read but the runs' folders.

    Raises:
        ConfigError: if the token does not do, a run of theirs is going, or too many wait.
        CheckpointError: for a checkpoint that the holder of the token may not use.
    """
    check_free(runs, token, count)
    for init in inits:
        _check_init(runs, init, token)


def check_free(runs: Listing, token: str, count: int) -> None:
    """Raise ConfigError unless the holder of a token may ask for so many runs now."""
    if len(token) < MIN_TOKEN_CHARS:
        raise ConfigError(
            f"the token has {len(token)} characters; give at least {MIN_TOKEN_CHARS} random ones."
        )
    if any(run.active for run in runs.listed(token)):
        raise ConfigError("a run of yours is still going here; wait for it, or stop it first.")
    waiting = sum(run.status == "waiting" for run in runs.every())
    if waiting + count > MAX_QUEUED:
        raise ConfigError(
            f"{waiting} runs are waiting here and the limit is {MAX_QUEUED}; try again in a few minutes."
        )


def limited(specs: Sequence[RunSpec]) -> list[RunSpec]:
    """Specs whose budgets keep to the limits; a budget left open is set to its limit.

    Raises:
        ConfigError: if a value is over its limit.
    """
    for spec in specs:
        _check_sizes(spec)
    seconds = settings.MAX_TRAIN_SECONDS_LIMITED / len(specs)
    return [_within(spec, seconds) for spec in specs]


def follow(runs: Sequence[Run]) -> None:
    """Note that somebody's page shows these runs now, where that matters."""
    for run in runs if settings.training_mode() == "limited" else []:
        if run.active:
            with contextlib.suppress(OSError):
                (run.path / FOLLOWED).touch()


def forgotten(runs: Sequence[Run]) -> list[Run]:
    """The visitors' runs that go on although no page has shown them lately."""
    now = time.time()
    going = [run for run in runs if run.owner and run.active and not run.stopping]
    return [run for run in going if now - _seen(run) > UNFOLLOWED_S]


def expired(runs: Sequence[Run]) -> list[Run]:
    """The visitors' runs that ended and have been kept long enough. Those of the machine's owner stay."""
    now = time.time()
    return [run for run in runs if run.owner and not run.active and now - run.asked > KEPT_S]


def _seen(run: Run) -> float:
    """When a page showed the run last, or it was asked for or resumed."""
    return max(run.asked, *(_mtime(run.path / name) for name in (FOLLOWED, QUEUED, ABOUT)))


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _check_sizes(spec: RunSpec) -> None:
    block, window = spec.model.block_size, data.window(spec.corpus, spec.model)
    sizes = [
        ("iters", spec.train.max_iters, settings.MAX_ITERS_LIMITED),
        ("window (block_size)", block, MAX_TASK_BLOCK if window < block else MAX_BLOCK),
        ("batch times window", spec.train.batch_size * window, MAX_CHARS_AN_ITER),
    ]
    for what, value, limit in sizes:
        if value > limit:
            raise ConfigError(
                f"{what} is {value:,} and the limit here is {limit:,}; lower it, or {_AT_HOME}."
            )


def _check_init(runs: Listing, init: str, token: str) -> None:
    """Only bundled models, and those of the visitor's own runs, can be started from."""
    with contextlib.suppress(OSError, ValueError):  # what cannot be a path is no folder that is offered
        path = Path(init).resolve()
        if path.is_relative_to(checkpoint.BUNDLED.resolve()):
            return
        if path in {run.model.resolve() for run in runs.listed(token)}:
            return
    raise CheckpointError(f"{shown(init)} is not offered here; choose a bundled model or one of your runs.")


def _within(spec: RunSpec, seconds: float) -> RunSpec:
    """The spec with its budget in seconds within its share, and its budget in iters set."""
    if spec.train.max_seconds > seconds:
        raise ConfigError(
            f"seconds is {spec.train.max_seconds:g} a model and the limit here is {seconds:g} "
            f"({settings.MAX_TRAIN_SECONDS_LIMITED:g} for all that are chosen); lower it, or {_AT_HOME}."
        )
    recipe = dataclasses.replace(
        spec.train,
        max_seconds=spec.train.max_seconds or seconds,
        max_iters=spec.train.max_iters or settings.MAX_ITERS_LIMITED,
    )
    return dataclasses.replace(spec, train=recipe)
