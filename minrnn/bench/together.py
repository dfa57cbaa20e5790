"""One model trained by two processes, or by two threads, beside one of them: their updates taken in turn."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

import torch
import torch.distributed as dist

from minrnn import device, presets, ranks
from minrnn.bench.random_text import VOCAB, random_corpus
from minrnn.bench.running import free_port
from minrnn.errors import MinrnnError
from minrnn.models import LanguageModel
from minrnn.ranks import ALONE, Ranks
from minrnn.train import Iter, begin, train

QUIET = {"OMP_WAIT_POLICY": "PASSIVE"}
"""What a training's worker starts with: threads that wait sleep instead of spinning."""


def processes(preset: str, name: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of an update by one process, "one", and by two of one thread each, "two"."""
    return _measured(_rank, 2, preset, name, rounds, free_port())


def threads(preset: str, name: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of an update in one process with one thread, "one", and with two, "two"."""
    return _measured(_threaded, 1, preset, name, rounds)


def _measured(target: Any, size: int, *args: object) -> dict[str, list[float]]:
    context = multiprocessing.get_context("spawn")
    box = context.SimpleQueue()
    children = [context.Process(target=target, args=(rank, box, *args)) for rank in range(size)]
    with _environment(QUIET):
        for child in children:
            child.start()
    _join(children)
    found: dict[str, list[float]] = box.get()
    return found


def _join(children: Sequence[BaseProcess]) -> None:
    """Wait for processes to end. Once one fails, end the others, which would wait for it at a barrier.

    Raises:
        MinrnnError: if one fails.
    """
    try:
        left = list(children)
        while left:
            ended = wait([child.sentinel for child in left])
            for child in [child for child in left if child.sentinel in ended]:
                left.remove(child)
                child.join()
                if child.exitcode:
                    raise MinrnnError(
                        f"a measured process ended with exit status {child.exitcode}; its error stands above."
                    )
    finally:
        for child in children:
            child.terminate()
            child.join()


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _iters(preset: str, name: str, group: Ranks) -> Iterator[float]:
    device.keep_freed_memory()
    found = presets.get(preset, name)
    config = replace(
        found.train, eval_interval=0, sample_interval=0, device="cpu", max_iters=10**6, max_seconds=0
    )
    model = LanguageModel(replace(found.model, vocab=VOCAB))
    events = train(begin(model, config), random_corpus(), config, ranks=group)
    yield from (event.iter_seconds for event in events if isinstance(event, Iter))


def _rank(rank: int, box: Any, preset: str, name: str, rounds: int, port: int) -> None:
    place = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": 2,
        "MASTER_PORT": port,
        "MASTER_ADDR": "127.0.0.1",
    }
    os.environ.update({key: str(value) for key, value in place.items()})
    torch.set_num_threads(1)
    times: dict[str, list[float]] = {"one": [], "two": []}
    with ranks.joined() as group:
        alone, both = _iters(preset, name, ALONE), _iters(preset, name, group)
        for _ in range(rounds + 1):
            dist.barrier()  # the other process sleeps while one trains alone
            if group.leads:
                times["one"].append(next(alone))
            dist.barrier()
            times["two"].append(next(both))
        if group.leads:
            box.put({way: taken[1:] for way, taken in times.items()})


def _threaded(rank: int, box: Any, preset: str, name: str, rounds: int) -> None:
    times: dict[str, list[float]] = {"one": [], "two": []}
    iters = _iters(preset, name, ALONE)
    for _ in range(rounds + 1):
        for count, taken in enumerate(times.values(), start=1):
            torch.set_num_threads(count)
            taken.append(next(iters))
    box.put({way: taken[1:] for way, taken in times.items()})
