"""What `bench gpu` does, as data, and what it finds. A test does the same with tiny sizes on the CPU."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from minrnn.models.graph import CudaGraph, Graph

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Plan:
    """Sizes of everything.

    Attributes:
        device: where it runs.
        lengths: T of the scans that are checked.
        channels: C of them.
        shapes: (B, T, C) of the scans that are measured, with the share of copy bandwidth that is the goal.
        rounds: times that something is measured; the median counts.
        preset: whose models are trained and write.
        iters: updates that are measured.
        compiled: models that are trained with torch.compile, too.
        chars: characters that each model writes.
        trains_to_goal: whether the base minGRU is trained by its whole recipe.
        graph: makes an empty graph for decoding.
    """

    device: torch.device
    lengths: tuple[int, ...] = (1, 2, 3, 63, 64, 65, 257, 1000)
    channels: tuple[int, ...] = (48, 5)
    shapes: tuple[tuple[Shape, float], ...] = (
        ((64, 256, 768), 0.75),
        ((16, 4096, 768), 0.75),
        ((1, 65_536, 768), 0.40),
    )
    rounds: int = 7
    preset: str = "base"
    iters: int = 60
    compiled: tuple[str, ...] = ("mingru",)
    chars: int = 500
    trains_to_goal: bool = True
    graph: Callable[[], Graph] = CudaGraph


@dataclass(frozen=True)
class Row:
    """One thing that was found.

    Attributes:
        what: of what.
        found: the figure; None where there is none, and then `note` says why.
        unit: of the figure and the goal.
        goal: what it should be; None where it is only told.
        at_most: whether the goal is an upper limit.
        note: more about it.
        failed: whether an error came in the place of the figure.
    """

    what: str
    found: float | None
    unit: str = ""
    goal: float | None = None
    at_most: bool = False
    note: str = ""
    failed: bool = False

    @property
    def ok(self) -> bool | None:
        """Whether the goal is reached; None where there is none, or no figure."""
        if self.failed:
            return False
        if self.goal is None or self.found is None:
            return None
        return self.found <= self.goal if self.at_most else self.found >= self.goal


IN_A_GRAPH = 10
"""Runs in one graph. Python takes longer to launch a scan than a card to compute it; in a graph that does not count."""


def seconds(run: Callable[[], object], plan: Plan) -> float:
    """Median time of one run on the device, without the time that Python takes to launch it."""
    if plan.device.type != "cuda":
        return statistics.median(_by_the_clock(run) for _ in range(plan.rounds))
    graph = CudaGraph()

    def often() -> None:
        for _ in range(IN_A_GRAPH):
            run()

    graph.capture(often)
    graph.replay()
    return statistics.median(_by_events(graph.replay) for _ in range(plan.rounds)) / IN_A_GRAPH


def _by_the_clock(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _by_events(run: Callable[[], object]) -> float:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    run()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1_000
