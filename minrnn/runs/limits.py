"""What a machine that visitors share allows (MINRNN_TRAINING=limited): one job at a time, and none for long."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from minrnn import checkpoint, data, presets, settings
from minrnn.checked import shown
from minrnn.data import Source
from minrnn.errors import CheckpointError, ConfigError
from minrnn.runs.checks import vocab_of
from minrnn.runs.listing import FOLLOWED, Listing, Run
from minrnn.runs.spec import RunSpec
from minrnn.tasks import TASKS

_AT_HOME = "run minRNN on your own machine"


def check_may_start(runs: Listing, token: str, inits: Sequence[str]) -> None:
    """Whether the holder of a token may ask for a job now; nothing is read but the runs' folders.

    Raises:
        ConfigError: if the token does not do, a run of theirs is going, or too many wait.
        CheckpointError: for a checkpoint that the holder of the token may not use.
    """
    check_free(runs, token)
    for init in inits:
        _check_init(runs, init, token)


def check_free(runs: Listing, token: str) -> None:
    """Raise ConfigError unless the holder of a token may ask for a job now."""
    if len(token) < settings.MIN_TOKEN_CHARS:
        raise ConfigError(
            f"the token has {len(token)} characters; give at least {settings.MIN_TOKEN_CHARS} random ones."
        )
    if any(run.active for run in runs.listed(token)):
        raise ConfigError("a run of yours is still going here; wait for it, or stop it first.")
    waiting = len({run.owner for run in runs.every() if run.status == "waiting"})
    if waiting >= settings.MAX_QUEUED:
        raise ConfigError(
            f"{waiting} visitors are waiting here and the limit is {settings.MAX_QUEUED}; try again in a few minutes."
        )


def limited(specs: Sequence[RunSpec]) -> list[RunSpec]:
    """Specs whose budgets and scoring keep to the limits; a budget left open is set to its limit.

    Raises:
        ConfigError: if a value is over its limit.
    """
    for spec in specs:
        _check_offered(spec)
        _check_sizes(spec)
    seconds = settings.MAX_TRAIN_SECONDS_LIMITED / len(specs)
    return [_within(spec, seconds) for spec in specs]


def follow(runs: Sequence[Run]) -> None:
    """Note that somebody's page shows these runs now, where that matters."""
    for run in runs if settings.training_mode() == "limited" else []:
        if run.active:
            with contextlib.suppress(OSError):
                (run.path / FOLLOWED).touch()


def check_vocab(spec: RunSpec, source: Source) -> None:
    """Raise ConfigError if one iter on that text would take more memory than a small machine has. The characters are
    those that the model will have: a checkpoint keeps its own beside the text's."""
    chars = spec.train.batch_size * data.window(spec.corpus, spec.model)
    _check(
        [
            (
                "batch times window times different characters",
                chars * len(vocab_of(spec, source)),
                settings.MAX_LOGITS_AN_ITER,
            )
        ]
    )


def _check_sizes(spec: RunSpec) -> None:
    block, window = spec.model.block_size, data.window(spec.corpus, spec.model)
    chars = spec.train.batch_size * window
    _check(
        [
            ("iters", spec.train.max_iters, settings.MAX_ITERS_LIMITED),
            ("window (block_size)", block, settings.MAX_TASK_BLOCK if window < block else settings.MAX_BLOCK),
            ("batch times window", chars, settings.MAX_CHARS_AN_ITER),
            ("batch times window times window", chars * window, settings.MAX_PAIRS_AN_ITER),
        ]
    )


def _check_offered(spec: RunSpec) -> None:
    """Only what the page offers: its presets, and for a task the one for tasks."""
    offered = (*presets.OFFERED, "task") if spec.corpus in TASKS else presets.OFFERED
    if spec.init is None and spec.preset not in offered:
        raise ConfigError(
            f"preset {shown(spec.preset)} is not offered here for {spec.corpus}; choose one of: {', '.join(offered)}."
        )


def _check(sizes: Sequence[tuple[str, int, int]]) -> None:
    for what, value, limit in sizes:
        if value > limit:
            raise ConfigError(
                f"{what} is {value:,} and the limit here is {limit:,}; lower it, or {_AT_HOME}."
            )


def _check_init(runs: Listing, init: str, token: str) -> None:
    """Only bundled models, and those of the visitor's own runs, can be started from."""
    with contextlib.suppress(OSError, ValueError):  # what cannot be a path is no folder that is offered
        path = (checkpoint.folder_of(init) or Path(init)).resolve()
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
    most = settings.MAX_SCORE_CHARS_LIMITED
    recipe = dataclasses.replace(
        spec.train,
        max_seconds=spec.train.max_seconds or seconds,
        max_iters=spec.train.max_iters or settings.MAX_ITERS_LIMITED,
        score_seconds=settings.MAX_SCORE_SECONDS_LIMITED,
        score_chars=min(spec.train.score_chars or most, most),
        score_train=False,
    )
    return dataclasses.replace(spec, train=recipe)
