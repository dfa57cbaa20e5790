"""The training engine: a generator of events without I/O. The caller prints them and saves the state.

Everything random is a function of the seed and the iter: the batch, and dropout, whose generator is seeded
at each iter. So a resumed run needs the weights, the optimiser and the counters only.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minrnn import data
from minrnn import device as devices
from minrnn.config import TrainConfig
from minrnn.data import Batches, Data, Source
from minrnn.device import Compute
from minrnn.errors import TrainingError
from minrnn.models import LanguageModel
from minrnn.optimizers import Optimizers, learning_rate
from minrnn.tasks import NOT_ASKED

StopReason = Literal["max_iters", "max_seconds", "target_val_loss", "stopped"]


@dataclass(frozen=True)
class Iter:
    """One optimiser update.

    Attributes:
        iter: updates made so far.
        loss: of the batch, in nats per character or answer, dropout on.
        lr: learning rate of the update.
        grad_norm: norm of the whole gradient before clipping.
        tokens: characters read so far.
        seconds: training time so far, evaluations included.
        iter_seconds: time of this update alone.
    """

    iter: int
    loss: float
    lr: float
    grad_norm: float
    tokens: int
    seconds: float
    iter_seconds: float


@dataclass(frozen=True)
class Eval:
    """An estimate over a fixed part of the validation data.

    Attributes:
        iter: updates made so far.
        val_loss: of the moving average of the weights, in nats per character or answer.
        tokens: characters read so far.
        seconds: training time so far.
        peak_bytes: most memory held so far: the GPU's on CUDA, else the process's.
        accuracy: the share of right answers to a task; None for a text.
    """

    iter: int
    val_loss: float
    tokens: int
    seconds: float
    peak_bytes: int
    accuracy: float | None = None


@dataclass(frozen=True)
class Sample:
    """What the model does at this point: it writes from a newline, or works an example of its task."""

    iter: int
    text: str


@dataclass(frozen=True)
class Done:
    """The end of the run and the reason for it."""

    iter: int
    reason: StopReason


Event = Iter | Eval | Sample | Done

_COUNTERS = ("iter", "tokens", "seconds", "evaluated_at", "sampled_at")


@dataclass
class TrainState:
    """Everything that a run changes. A saved state is enough to resume the run.

    Attributes:
        model: the raw weights.
        average: the moving average of the weights; evaluations, samples and the checkpoint use it.
        optimizer: AdamW, and Muon if the recipe asks for it, with their moments.
        compute: device and dtype.
        iter: updates made.
        tokens: characters read.
        seconds: training time, evaluations included.
        evaluated_at: iter of the last evaluation; -1 before the first.
        sampled_at: iter of the last sample; -1 before the first.
    """

    model: LanguageModel
    average: LanguageModel
    optimizer: Optimizers
    compute: Compute
    iter: int = 0
    tokens: int = 0
    seconds: float = 0.0
    evaluated_at: int = -1
    sampled_at: int = -1

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain numbers, as `torch.load(weights_only=True)` reads them."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **{name: getattr(self, name) for name in _COUNTERS},
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go back to a saved state."""
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        for name in _COUNTERS:
            setattr(self, name, saved[name])


def new_model(make: Callable[[], LanguageModel], config: TrainConfig) -> LanguageModel:
    """Make a model with weights drawn from the run's seed, by its own initialisation or from N(0, init_std)."""
    torch.manual_seed(config.seed)
    model = make()
    if config.init_std:
        with torch.no_grad():
            for weight in model.parameters():
                weight.normal_(std=config.init_std)
    return model


def begin(model: LanguageModel, config: TrainConfig) -> TrainState:
    """The state of a run before its first iter.

    Raises:
        BackendUnavailable: if the config's device is not on this machine.
    """
    compute = devices.choose(config.device, config.dtype)
    model = model.to(compute.device).train()
    average = copy.deepcopy(model).eval().requires_grad_(False)
    return TrainState(model, average, Optimizers(model, config), compute)


def train(
    state: TrainState, source: Source, config: TrainConfig, *, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Event]:
    """Train until the budget is spent or `should_stop` says so. The state can be saved at every event.

    Args:
        state: changed in place.
        source: a text or a task, whose characters must be in the model's vocabulary.
        config: recipe and budget.
        should_stop: called before every iter.

    Yields:
        Iter at every update; Eval and Sample before the first update, at their intervals and at the end; Done.

    Raises:
        CorpusError: if a text's split is shorter than one window.
        ConfigError: if the model's positions do not reach over a task's text.
        TrainingError: if the loss is not finite, or memory runs out.
    """
    bound = data.bind(source, state.model.config)
    batches = bound.batches(config)
    val_loss = math.inf
    while True:
        reason = _stop_reason(state, config, val_loss, should_stop)
        if state.evaluated_at != state.iter and (reason or _due(state.iter, config.eval_interval)):
            evaluation = _evaluate(state, bound, config)
            val_loss = evaluation.val_loss
            yield evaluation
            reason = reason or _stop_reason(state, config, val_loss, should_stop)
        if state.sampled_at != state.iter and (reason or _due(state.iter, config.sample_interval)):
            yield _sample(state, bound, config)
        if reason:
            yield Done(state.iter, reason)
            return
        yield _update(state, bound, batches, config)


def _due(iter: int, interval: int) -> bool:
    return bool(interval) and iter % interval == 0


def _stop_reason(
    state: TrainState, config: TrainConfig, val_loss: float, should_stop: Callable[[], bool]
) -> StopReason | None:
    if config.target_val_loss and val_loss <= config.target_val_loss:
        return "target_val_loss"
    if config.max_iters and state.iter >= config.max_iters:
        return "max_iters"
    if config.max_seconds and state.seconds >= config.max_seconds:
        return "max_seconds"
    return "stopped" if should_stop() else None


def _update(state: TrainState, bound: Data, batches: Batches, config: TrainConfig) -> Iter:
    started = time.perf_counter()
    rate = learning_rate(config, state.iter, state.seconds)
    torch.manual_seed(config.seed * 1_000_003 + state.iter)  # for dropout: a resumed run draws the same
    with _memory_errors(state, bound, config):
        idx, targets = (ids.to(state.compute.device) for ids in batches(state.iter))
        loss, grad_norm = _gradients(state, idx, targets, config)
        state.optimizer.step(rate)
    state.iter += 1
    state.tokens += idx.numel()
    _follow(state.average, state.model, config.ema_decay, state.iter)
    taken = time.perf_counter() - started
    state.seconds += taken
    return Iter(state.iter, loss, rate, grad_norm, state.tokens, state.seconds, taken)


def _gradients(state: TrainState, idx: Tensor, targets: Tensor, config: TrainConfig) -> tuple[float, float]:
    """Compute loss and gradient norm of a batch; the gradients stay on the weights."""
    loss = _loss(state, idx, targets)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), config.grad_clip or math.inf)
    _check_finite("the loss", loss.item(), state, config)
    _check_finite("the gradient", norm.item(), state, config)
    return loss.item(), norm.item()


def _check_finite(what: str, value: float, state: TrainState, config: TrainConfig) -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"{what} is no longer a finite number at iter {state.iter} (learning_rate {config.learning_rate:g}, "
            f"grad_clip {config.grad_clip:g}). The last checkpoint is kept; start again with half the "
            f"learning_rate{'' if config.grad_clip else ', and with grad_clip 1'}."
        )


@contextmanager
def _memory_errors(state: TrainState, bound: Data, config: TrainConfig) -> Iterator[None]:
    """Say what to lower if memory runs out. Never yield an event inside it."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not devices.is_out_of_memory(error):
            raise
        raise TrainingError(
            f"out of memory on {state.compute.device} at iter {state.iter} with batch_size {config.batch_size} "
            f"and windows of {bound.window:,} characters. The last checkpoint is kept; {bound.remedy}."
        ) from error


def _loss(state: TrainState, idx: Tensor, targets: Tensor) -> Tensor:
    with state.compute.autocast():
        logits, _ = state.model(idx)
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=NOT_ASKED)


@torch.no_grad()
def _follow(average: LanguageModel, model: LanguageModel, decay: float, iter: int) -> None:
    """Move the average towards the weights; in the first iters it follows them more closely."""
    decay = min(decay, (1 + iter) / (10 + iter)) if decay else 0.0
    for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(weight, 1 - decay)


def _evaluate(state: TrainState, bound: Data, config: TrainConfig) -> Eval:
    started = time.perf_counter()
    with _memory_errors(state, bound, config):
        found = bound.estimate(state.average, config.eval_chars)
    _check_finite("the validation loss", found.loss, state, config)
    state.seconds += time.perf_counter() - started
    state.evaluated_at = state.iter
    peak = devices.peak_memory_bytes(state.compute.device)
    return Eval(state.iter, found.loss, state.tokens, state.seconds, peak, found.accuracy)


def _sample(state: TrainState, bound: Data, config: TrainConfig) -> Sample:
    started = time.perf_counter()
    text = bound.sample(state.average, config)
    state.seconds += time.perf_counter() - started
    state.sampled_at = state.iter
    return Sample(state.iter, text)
