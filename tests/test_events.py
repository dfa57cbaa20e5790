"""Iters whose figures are still on the device. A CPU plays the GPU: it is read as rarely, and the reads are counted."""

import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from minrnn import events, train
from minrnn.errors import TrainingError
from minrnn.train import Iter
from tests.test_train import TEXT, begin, kinds, recipe

CONFIG = recipe(max_iters=20, eval_interval=0, sample_interval=0)
"""20 iters in one epoch of the text, with nothing in between."""


class Reads(TorchDispatchMode):
    """Counts how often Python asks a tensor for a number, or for places that depend on its numbers."""

    WAIT = ("_local_scalar_dense", "nonzero", "equal", "masked_select", "unique")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        by_mask = func.__name__ == "index.Tensor" and any(
            x is not None and x.dtype == torch.bool for x in args[1]
        )
        self.count += by_mask or func.__name__.startswith(self.WAIT)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def like_a_gpu(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The CPU under another name: what is done at once on a CPU, and only there, is left out."""

    class Device:
        type = "other"

    monkeypatch.setattr(events, "LOG_ITERS", 8)
    monkeypatch.setattr(events, "LOG_SECONDS", math.inf)
    pending = events.PendingIters
    monkeypatch.setattr(train, "PendingIters", lambda device: pending(Device()))  # type: ignore[arg-type]
    monkeypatch.setattr(train, "_reads_at_once", lambda device: False)
    return monkeypatch


def run(config: Any = CONFIG) -> list[train.Event]:
    return list(train.train(begin(config), TEXT, config))


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_an_iter_reads_no_number_from_the_device(optimizer: str, like_a_gpu: pytest.MonkeyPatch) -> None:
    config = recipe(max_iters=20, eval_interval=0, sample_interval=0, optimizer=optimizer)
    state = begin(config, dropout=0)  # the CPU's own dropout reads a seed
    found = train.train(state, TEXT, config)
    assert next(found).iter == 1  # the epoch's offset has been drawn, on the CPU
    assert state.iter == 8
    with Reads() as reads:
        rest = [next(found) for _ in range(8)]
    assert [event.iter for event in rest] == list(range(2, 10)) and state.iter == 16
    assert reads.count == 0


def test_the_count_sees_what_waits() -> None:
    with Reads() as reads:
        x = torch.ones(3)
        x.sum().item(), bool(x[0]), float(x[1]), x[x > 0]
    assert reads.count == 4


def test_iters_that_are_read_together_are_told_of_as_if_read_one_by_one(
    like_a_gpu: pytest.MonkeyPatch,
) -> None:
    config = recipe(max_iters=20, eval_interval=6, sample_interval=0)
    late = run(config)
    like_a_gpu.undo()
    at_once = run(config)
    assert kinds(late) == kinds(at_once)
    for one, other in zip(late, at_once, strict=True):
        if isinstance(one, Iter) and isinstance(other, Iter):
            same = ("iter", "loss", "lr", "grad_norm", "tokens")
            assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]


def test_the_time_of_iters_that_are_read_together_is_shared_out(like_a_gpu: pytest.MonkeyPatch) -> None:
    found = [event for event in run() if isinstance(event, Iter)]
    assert len({event.iter_seconds for event in found[:8]}) == 1
    assert [event.seconds for event in found] == sorted({event.seconds for event in found})
    assert found[7].seconds == pytest.approx(8 * found[0].iter_seconds)


def test_a_run_saved_at_an_event_with_the_states_iter_goes_on_the_same(
    like_a_gpu: pytest.MonkeyPatch,
) -> None:
    whole = [event.loss for event in run() if isinstance(event, Iter)]
    state, again = begin(CONFIG), begin(CONFIG)
    told: list[float] = []
    for event in train.train(state, TEXT, CONFIG):
        assert isinstance(event, Iter)
        told.append(event.loss)
        if event.iter == state.iter:
            break
    assert len(told) == 8
    again.load_state_dict(copy.deepcopy(state.state_dict()))
    rest = [event.loss for event in train.train(again, TEXT, CONFIG) if isinstance(event, Iter)]
    assert told + rest == whole


def test_a_loss_that_is_not_finite_is_found_when_it_is_read(like_a_gpu: pytest.MonkeyPatch) -> None:
    state = begin(CONFIG)
    found: Iterator[train.Event] = train.train(state, TEXT, CONFIG)
    for _ in range(8):
        next(found)
    with torch.no_grad():
        state.model.blocks[0].mixer.projection.weight.fill_(math.nan)  # type: ignore[union-attr]
    with pytest.raises(TrainingError, match=r"the loss is no longer a finite number at iter 8 "):
        next(found)


def test_a_slow_device_is_read_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    pending = events.PendingIters(torch.device("cuda"))
    number = torch.ones(())
    pending.add(Iter(1, 0.0, 0.1, 0.0, 10, 0.4, 0.4), number, number)
    assert not pending.is_due
    pending.add(Iter(2, 0.0, 0.1, 0.0, 20, 0.8, 0.4), number, number)
    assert pending.is_due and len(pending) == 2
    assert [(it.loss, it.seconds) for it in pending.take(pending.figures(), 0.2)] == [(1.0, 0.5), (1.0, 1.0)]
