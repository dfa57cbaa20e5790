"""The end of a run: its figures, its history and a sample, beside the weights."""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import minrnn
from minrnn import checkpoint, data, device, files
from minrnn.data import Data, Source
from minrnn.models import LanguageModel
from minrnn.runs.events import METRICS
from minrnn.runs.saving import MODEL
from minrnn.runs.spec import RunSpec, as_typed, command
from minrnn.train import Done, TrainState


class _Ended(Exception):
    """The scoring ends here."""


@dataclasses.dataclass(frozen=True)
class Scored:
    """What a scoring found.

    Attributes:
        figures: those that are known; each is whole.
        note: why some are missing; empty where none is.
        stopped: whether somebody asked for the end.
    """

    figures: dict[str, Any]
    note: str = ""
    stopped: bool = False


def finish(
    spec: RunSpec,
    source: Source,
    state: TrainState,
    done: Done,
    out: Path,
    should_stop: Callable[[], bool],
    processes: int,
) -> Done:
    """Put figures, history and a sample beside the weights, which have been saved by one of so many processes.

    A run that is stopped is not scored: it ends at once. One that is stopped while it is scored ends at once, too:
    it counts as stopped, and is scored when it goes on.

    Returns:
        How the run has ended.
    """
    model, config = state.average, spec.train
    bound = data.bind(source, model.config)
    scored = Scored({})
    if done.reason != "stopped":
        scored = score(bound, model, spec, should_stop)
    metrics: dict[str, Any] = {
        "model": model.config.mixer,
        "preset": spec.preset,
        "init": None if spec.init is None else as_typed(spec.init),
        **_lineage(spec),
        "n_params": model.n_params,
        **scored.figures,
        **({"note": scored.note} if scored.note else {}),
        "params": model.param_counts(),
        "iters": state.iter,
        "tokens_seen": state.tokens,
        "seconds": state.seconds,
        "device": device.describe(state.compute.device, processes),
        "dtype": str(state.compute.dtype).removeprefix("torch."),
        "seed": config.seed,
        "corpus": source.name,
        "corpus_sha256": source.sha256,
        "command": command(spec, out),
        "train": dataclasses.asdict(config),
        "minrnn": minrnn.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "sample": bound.saved_sample(model),
    }
    files.write_json(out / MODEL / checkpoint.METRICS, metrics)
    files.write_bytes(out / MODEL / checkpoint.HISTORY, (out / METRICS).read_bytes())
    return dataclasses.replace(done, reason="stopped") if scored.stopped else done


def _lineage(spec: RunSpec) -> dict[str, Any]:
    """Who has taught the model; nothing where nobody has."""
    if not spec.is_taught:
        return {}
    pairs = zip(spec.teachers, spec.teachers_sha256, strict=True)
    return {"teachers": [{"name": as_typed(name), "sha256": sha256} for name, sha256 in pairs]}


def score(bound: Data, model: LanguageModel, spec: RunSpec, should_stop: Callable[[], bool]) -> Scored:
    """Score a model until all is known, `should_stop` says so, or the spec's `score_seconds` are spent.

    Both are asked before every batch, so the scoring outlasts them by one batch at most.
    """
    config, figures = spec.train, dict[str, Any]()
    ends = time.monotonic() + (config.score_seconds or float("inf"))

    def check() -> None:
        if should_stop() or time.monotonic() >= ends:
            raise _Ended

    try:
        for part in bound.scores(
            model, train_split=config.score_train, chars=config.score_chars, check=check
        ):
            figures |= part
    except _Ended:
        if time.monotonic() < ends:
            return Scored(figures, "The scoring was stopped; what is missing was not scored.", True)
        return Scored(
            figures,
            f"The scoring may take {config.score_seconds:g} s; what is missing was not scored in time.",
        )
    return Scored(figures)
