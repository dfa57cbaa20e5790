"""The scan on this machine, forward and backward, beside the loop, the log-space form and what it must move.

python -m minrnn bench scan [--json]

All are measured in turn, round by round; one thread in time of the processor, several in time of the clock. A ratio is
the median of the rounds' ratios. The copy is torch's, of as many
numbers as the scan reads and writes at least: 2 read and 1 written forwards, 3 read and 2 written backwards.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from minrnn.bench.flags import Rounds, Threads
from minrnn.bench.machine import circumstances, line, verdict
from minrnn.checked import Checked
from minrnn.scan import linear_scan, logspace, reference

SHAPES = ((64, 100, 128), (16, 256, 192), (32, 256, 256), (16, 1024, 384))
OF_LOOP, OF_LOGSPACE = 1.0, 3.0
"""The goals: how many times as fast as the plain loop, and as the paper's log-space form."""
_MOVED = 8


@dataclass(frozen=True)
class Scan(Checked):
    """Measure the scan on this machine.

    Attributes:
        rounds: times that everything is measured.
        threads: CPU threads.
        json: print one JSON object.
    """

    rounds: Rounds = 5
    threads: Threads = 1
    json: bool = False


@dataclass(frozen=True)
class Row:
    """One shape: milliseconds of an update's scan, and how many times as fast it is as others."""

    shape: tuple[int, int, int]
    ms: float
    of_copy: float
    of_loop: float
    of_logspace: float
    of_loop_goal: float = OF_LOOP
    of_logspace_goal: float = OF_LOGSPACE

    @property
    def ok(self) -> tuple[bool, bool]:
        """Whether the two goals are reached: of the loop, and of the log-space form."""
        return self.of_loop >= self.of_loop_goal, self.of_logspace >= self.of_logspace_goal


def figures(flags: Scan) -> dict[str, object]:
    """Everything as plain data."""
    found = [{**asdict(row), "ok": all(row.ok)} for row in rows(flags)]
    return {**_circumstances(flags), "shapes": found}


def lines(flags: Scan) -> Iterator[str]:
    """A report with a table, a row at a time."""
    yield line(_circumstances(flags))
    yield ""
    yield "| (B, T, C) | forward + backward, ms | copy / ours | loop / ours | goal | log-space / ours | goal |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows(flags):
        loop, logs = map(verdict, row.ok)
        yield (
            f"| {row.shape} | {row.ms:.2f} | {row.of_copy:.2f} | {row.of_loop:.1f} | {row.of_loop_goal:g}: {loop} "
            f"| {row.of_logspace:.1f} | {row.of_logspace_goal:g}: {logs} |"
        )


def rows(flags: Scan) -> Iterator[Row]:
    """Measure every shape."""
    torch.set_num_threads(flags.threads)
    for shape in SHAPES:
        yield measure(shape, flags.rounds, time.process_time if flags.threads == 1 else time.perf_counter)


def measure(shape: tuple[int, int, int], rounds: int, clock: Callable[[], float]) -> Row:
    """The figures of one shape."""
    torch.manual_seed(0)
    a, b = torch.randn(shape).sigmoid(), torch.rand(shape) + 0.1
    forms = (linear_scan, reference.linear_scan, logspace.linear_scan)
    ways: list[Callable[[], float]] = [lambda form=form: _scanned(form, a, b, clock) for form in forms]  # type: ignore[misc]
    ways.append(lambda: _copied(a, clock))
    times = [[way() for way in ways] for _ in range(rounds + 1)][1:]
    loop, logs, copy = (statistics.median(taken[i] / taken[0] for taken in times) for i in (1, 2, 3))
    return Row(shape, 1000 * statistics.median(taken[0] for taken in times), copy, loop, logs)


def _scanned(
    form: Callable[[Tensor, Tensor], Tensor], a: Tensor, b: Tensor, clock: Callable[[], float]
) -> float:
    decay, inputs = a.clone().requires_grad_(), b.clone().requires_grad_()
    started = clock()
    form(decay, inputs).sum().backward()
    return clock() - started


def _copied(a: Tensor, clock: Callable[[], float]) -> float:
    """Seconds for moving as many numbers as a scan moves; a copy reads and writes."""
    target = torch.zeros_like(a)
    started = clock()
    for _ in range(_MOVED // 2):
        target.copy_(a)
    return clock() - started


def _circumstances(flags: Scan) -> dict[str, object]:
    return circumstances(flags.threads, rounds=flags.rounds, dtype="float32")
