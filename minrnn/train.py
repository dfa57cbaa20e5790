"""The training engine: a generator of events without I/O. The caller prints them and saves the state.

Everything random is a function of the seed and the iter: the batch, and dropout, whose generator is seeded
at each iter. So a resumed run needs the weights, the optimiser and the counters only.

Several processes can train one model (`ranks.py`). All of them run this engine; only rank 0 evaluates and samples.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minrnn import data
from minrnn import device as devices
from minrnn.config import TrainConfig
from minrnn.data import Batches, Data, Source
from minrnn.errors import TrainingError
from minrnn.events import Done, Eval, Event, Iter, PendingIters, Sample, StopReason
from minrnn.models import LanguageModel
from minrnn.models.compiling import compiled
from minrnn.models.dropout import noise_of
from minrnn.optimizers import learning_rate
from minrnn.ranks import ALONE, Ranks
from minrnn.state import TrainState, begin, new_model
from minrnn.tasks import NOT_ASKED
from minrnn.teaching import Lesson

__all__ = [
    "Done",
    "Eval",
    "Event",
    "Iter",
    "Sample",
    "StopReason",
    "TrainState",
    "begin",
    "new_model",
    "train",
]


def train(
    state: TrainState,
    source: Source,
    config: TrainConfig,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    ranks: Ranks = ALONE,
    lesson: Lesson | None = None,
) -> Iterator[Event]:
    """Train until the budget is spent or `should_stop` says so. On a GPU some iters are told of together, later.

    The state can be saved at every event that has the state's own iter; on the CPU that is every event.

    Args:
        state: changed in place.
        source: a text or a task, whose characters must be in the model's vocabulary.
        config: recipe and budget.
        should_stop: called before every iter; with several processes it is enough if one of them says so.
        ranks: the processes that train together, each with the same state.
        lesson: what teachers expect of a text's training part; they have `teacher_share` of the target.

    Yields:
        Iter at every update; Eval and Sample before the first update, at their intervals and at the end; Done.
        Processes other than rank 0 yield no Eval and no Sample, and do not keep the moving average.

    Raises:
        CorpusError: if a text's split is shorter than one window.
        ConfigError: if the model's positions do not reach over a task's text, or a batch cannot be split evenly.
        TrainingError: if the loss is not finite, memory runs out, or another process has ended.
    """
    ranks.check(config.batch_size, state.compute.device)
    bound = data.bind(source, state.model.config)
    batches = bound.batches(config, state.compute.device)
    pending = PendingIters(state.compute.device)
    network = _network(state, bound, config, ranks)
    while True:
        reason = _agreed(state, config, should_stop, ranks)
        if reason and pending:
            yield from _read(state, pending, config)
        if state.evaluated_at != state.iter and (reason or _due(state.iter, config.eval_interval)):
            state.evaluated_at = state.iter
            if ranks.leads:
                yield _evaluate(state, bound, config)
            again = _agreed(state, config, should_stop, ranks)
            reason = reason or again
        if state.sampled_at != state.iter and (reason or _due(state.iter, config.sample_interval)):
            state.sampled_at = state.iter
            if ranks.leads:
                yield _sample(state, bound, config)
            if not reason:
                continue  # the sample has taken rank 0's time: all processes look at its clock again
        if reason:
            yield Done(state.iter, reason)
            return
        _update(state, network, bound, batches, config, ranks, lesson, pending)
        if pending.is_due or any(_due(state.iter, n) for n in (config.eval_interval, config.sample_interval)):
            yield from _read(state, pending, config)


def _due(iter: int, interval: int) -> bool:
    return bool(interval) and iter % interval == 0


def _agreed(
    state: TrainState, config: TrainConfig, should_stop: Callable[[], bool], ranks: Ranks
) -> StopReason | None:
    """The reason to stop, the same in all processes, and so are clock and validation loss from now on."""
    state.seconds, state.val_loss = ranks.of_leader(state.seconds, state.val_loss)
    asked = False
    if (reason := _spent(state, config)) is None:
        (wanting_to_stop,) = ranks.sum(float(should_stop()))
        asked = wanting_to_stop > 0
    return reason or ("stopped" if asked else None)


def _spent(state: TrainState, config: TrainConfig) -> StopReason | None:
    if config.target_val_loss and state.val_loss <= config.target_val_loss:
        return "target_val_loss"
    if config.max_iters and state.iter >= config.max_iters:
        return "max_iters"
    if config.max_seconds and state.seconds >= config.max_seconds:
        return "max_seconds"
    return None


def _network(state: TrainState, bound: Data, config: TrainConfig, ranks: Ranks) -> nn.Module:
    """What computes the training's logits: the model, or a compiled one that shares its weights."""
    if not config.compile:
        return state.model
    with _memory_errors(state, bound, config):
        return compiled(state.model, (config.batch_size // ranks.size, bound.window), state.compute)


def _update(
    state: TrainState,
    network: nn.Module,
    bound: Data,
    batches: Batches,
    config: TrainConfig,
    ranks: Ranks,
    lesson: Lesson | None,
    pending: PendingIters,
) -> None:
    """Make one update. On a GPU nothing in it waits for the device."""
    started = time.perf_counter()
    if state.iter == 0:
        state.began = state.seconds
    rate = learning_rate(config, state.iter, state.seconds, state.began)
    torch.manual_seed(config.seed * 1_000_003 + state.iter)  # for dropout: a resumed run draws the same
    with ranks.together(), _memory_errors(state, bound, config):
        idx, targets = batches(state.iter)
        loss, grad_norm = _gradients(state, network, idx, targets, config, ranks, lesson)
        state.optimizer.step(rate, ranks)
    state.iter += 1
    state.tokens += idx.numel()
    if ranks.leads:
        _follow(state.average, state.model, config.ema_decay, state.iter)
    taken = time.perf_counter() - started
    state.seconds += taken
    event = Iter(state.iter, math.nan, rate, math.nan, state.tokens, state.seconds, taken)
    pending.add(event, loss, grad_norm)


def _read(state: TrainState, pending: PendingIters, config: TrainConfig) -> Iterator[Iter]:
    """Wait for the device, and tell of the iters since the last time."""
    started = time.perf_counter()
    figures = pending.figures()
    waited = time.perf_counter() - started
    state.seconds += waited
    for event, (loss, norm) in zip(events := pending.take(figures, waited), figures, strict=True):
        _check_finite("the loss", loss, event.iter - 1, config)
        _check_finite("the gradient", norm, event.iter - 1, config)
    yield from events


def _gradients(
    state: TrainState,
    network: nn.Module,
    idx: Tensor,
    targets: Tensor,
    config: TrainConfig,
    ranks: Ranks,
    lesson: Lesson | None,
) -> tuple[Tensor, Tensor]:
    """Compute loss and gradient norm of a batch; the gradients stay on the weights."""
    part = _part_of_loss(state, network, idx, targets, ranks, lesson)
    part.backward()
    loss = ranks.add(state.model.parameters(), part.detach())
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), config.grad_clip or math.inf)
    if _reads_at_once(state.compute.device):  # else the weights have been touched before it is known
        _check_finite("the loss", loss.item(), state.iter, config)
        _check_finite("the gradient", norm.item(), state.iter, config)
    return loss, norm


def _part_of_loss(
    state: TrainState,
    network: nn.Module,
    idx: Tensor,
    targets: Tensor,
    ranks: Ranks,
    lesson: Lesson | None,
) -> Tensor:
    """What this process's share of a batch adds to the batch's mean loss."""
    with state.compute.autocast(), noise_of(ranks.rank):
        logits, _ = network(ranks.share(idx))
    flat, share = logits.float().flatten(0, 1), ranks.share(targets).flatten()
    if lesson is None:
        losses = F.cross_entropy(flat, share, ignore_index=NOT_ASKED, reduction="sum")
    else:
        losses = lesson.loss_sum(state.iter, flat, share, ranks)
    return losses / (targets != NOT_ASKED).sum()


def _reads_at_once(device: torch.device) -> bool:
    """Whether a number can be had without waiting: on the CPU, where it is there when the call returns."""
    return device.type == "cpu"


def _check_finite(what: str, value: float, iter: int, config: TrainConfig) -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"{what} is no longer a finite number at iter {iter} (learning_rate {config.learning_rate:g}, "
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
        again = "a new run" + " from its last model (--init FOLDER/model)" * (state.iter > 0)
        raise TrainingError(
            f"out of memory on {state.compute.device} at iter {state.iter} with batch_size {config.batch_size} "
            f"and windows of {bound.window:,} characters. The last checkpoint is kept. Start {again} "
            f"with {bound.remedy}."
        ) from error


@torch.no_grad()
def _follow(average: LanguageModel, model: LanguageModel, decay: float, iter: int) -> None:
    """Move the average towards the weights; in the first iters it follows them more closely."""
    decay = min(decay, (1 + iter) / (10 + iter)) if decay else 0.0
    means, weights = tuple(average.parameters()), tuple(model.parameters())
    torch._foreach_lerp_(means, weights, 1 - decay)  # few launches on a GPU


def _evaluate(state: TrainState, bound: Data, config: TrainConfig) -> Eval:
    started = time.perf_counter()
    with _memory_errors(state, bound, config):
        found = bound.estimate(state.average, config.eval_chars)
    _check_finite("the validation loss", found.loss, state.iter, config)
    state.val_loss = found.loss
    state.seconds += time.perf_counter() - started
    peak = devices.peak_memory_bytes(state.compute.device)
    return Eval(state.iter, found.loss, state.tokens, state.seconds, peak, found.accuracy)


def _sample(state: TrainState, bound: Data, config: TrainConfig) -> Sample:
    started = time.perf_counter()
    text = bound.sample(state.average, config)
    state.seconds += time.perf_counter() - started
    return Sample(state.iter, text)
