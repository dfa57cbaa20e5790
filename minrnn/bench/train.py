"""Training on this machine: every model of a preset, beside others' code and beside the matrix peak.

python -m minrnn bench train [--json]

All are measured in turn, round by round, one update each, so that other work on the machine touches all alike; one
thread in time of the processor, several in time of the clock, and so is what trains together. A ratio is the median
of the rounds' ratios. The package minGRU-pytorch is measured where `requirements-bench.txt` is
installed. It holds the layer and no language model; here it stands in a plain skeleton of the same width and depth.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

import torch
from torch import nn

from minrnn import device, presets
from minrnn.bench import plain, together
from minrnn.bench.flags import Rounds, Threads
from minrnn.bench.machine import circumstances, line, verdict
from minrnn.bench.random_text import VOCAB, random_corpus
from minrnn.checked import Checked
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.train import Iter, begin, train

FASTER_THAN_LSTM, OF_PEER, OF_PEER_BFLOAT16, OF_PLAIN_NANOGPT = 1.0, 5.0, 3.5, 1.8
TWO_PROCESSES, TWO_THREADS = 1.7, 1.0
"""The goals, as ratios of speeds."""
PEAK_SIZE = 1024
PEAK = "matrix product"

Update: TypeAlias = Callable[[], object]
"""Makes one update."""


@dataclass(frozen=True)
class Train(Checked):
    """Measure training on this machine.

    Attributes:
        preset: the preset whose shapes are measured.
        rounds: times that everything is measured.
        threads: CPU threads of each process.
        together: measure two processes and two threads, too.
        json: print one JSON object.
    """

    preset: str = "base"
    rounds: Rounds = 7
    threads: Threads = 1
    together: bool = True
    json: bool = False


@dataclass(frozen=True)
class Speed:
    """One contestant: characters a second, and its matrix products as a share of the peak of the same run."""

    name: str
    chars_per_s: float
    of_peak: float


@dataclass(frozen=True)
class Goal:
    """A ratio of two speeds, and what it should be."""

    name: str
    ratio: float
    goal: float

    @property
    def ok(self) -> bool:
        """Whether it is reached."""
        return self.ratio >= self.goal


def figures(flags: Train) -> dict[str, object]:
    """Everything as plain data."""
    speeds, goals = measure(flags)
    return {
        **_circumstances(flags),
        "speeds": [asdict(speed) for speed in speeds],
        "goals": [{**asdict(goal), "ok": goal.ok} for goal in goals],
    }


def lines(flags: Train) -> Iterator[str]:
    """A report with two tables."""
    yield line(_circumstances(flags))
    speeds, goals = measure(flags)
    yield ""
    yield "| training | characters/s | of the matrix peak |"
    yield "|---|---|---|"
    for speed in speeds:
        yield f"| {speed.name} | {speed.chars_per_s:,.0f} | {speed.of_peak:.0%} |"
    yield ""
    yield "| ratio | measured | goal |"
    yield "|---|---|---|"
    for goal in goals:
        yield f"| {goal.name} | {goal.ratio:.2f} | {goal.goal:g}: {verdict(goal.ok)} |"


def _circumstances(flags: Train) -> dict[str, object]:
    dtype = str(device.choose("cpu").dtype).removeprefix("torch.")
    return circumstances(flags.threads, preset=flags.preset, rounds=flags.rounds, dtype=dtype)


def measure(flags: Train) -> tuple[list[Speed], list[Goal]]:
    """Measure all contestants, and then whatever trains together."""
    torch.set_num_threads(flags.threads)
    device.keep_freed_memory()
    models = {name: shaped(flags.preset, name) for name in MODEL_NAMES}
    dtype = device.choose("cpu").dtype
    updates: dict[str, Update] = {name: ours(flags.preset, model) for name, model in models.items()}
    others = _others(flags.preset)
    updates |= {name: update for name, (_, update) in others.items()}
    clock = time.process_time if flags.threads == 1 else time.perf_counter
    times = interleaved({**updates, PEAK: product(dtype)}, flags.rounds, clock)
    peak = 2 * PEAK_SIZE**3 / statistics.median(times[PEAK])
    weights = {**models, **{name: model for name, (model, _) in others.items()}}
    speeds = [_speed(name, times[name], weights[name], flags.preset, peak) for name in updates]
    return speeds, [*goals(times), *(_together(flags) if flags.together else ())]


def shaped(preset: str, name: str) -> LanguageModel:
    """A model of a preset's shape with random weights."""
    return LanguageModel(replace(presets.get(preset, name).model, vocab=VOCAB))


def ours(preset: str, model: LanguageModel) -> Update:
    """Updates as `minrnn.train` makes them, by the preset's recipe."""
    recipe = presets.get(preset, model.config.mixer).train
    config = replace(recipe, eval_interval=0, sample_interval=0, device="cpu", max_iters=10**6, max_seconds=0)
    events = train(begin(model, config), random_corpus(), config)
    return lambda: next(event for event in events if isinstance(event, Iter))


def _others(preset: str) -> dict[str, tuple[nn.Module, Update]]:
    """nanoGPT written with its own operations, and the package's minGRU where it is installed."""
    gpt = presets.get(preset, "nanogpt")
    found: dict[str, tuple[nn.Module, Update]] = {}
    model: nn.Module = plain.GPT(gpt.model, len(VOCAB))
    found["plain nanoGPT, float32"] = (model, plain.updates(model, gpt, len(VOCAB), torch.float32))
    if plain.has_peer():
        gru = presets.get(preset, "mingru")
        for dtype in (torch.float32, torch.bfloat16):
            model = plain.PeerLM(gru.model, len(VOCAB))
            name = f"minGRU-pytorch, {str(dtype).removeprefix('torch.')}"
            found[name] = (model, plain.updates(model, gru, len(VOCAB), dtype))
    return found


def product(dtype: torch.dtype) -> Update:
    """One product of two square matrices, which shows the peak."""
    a, b = (torch.randn(PEAK_SIZE, PEAK_SIZE).to(dtype) for _ in range(2))
    return lambda: a @ b


def interleaved(
    updates: dict[str, Update], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """The seconds of each, taken in turn; the first round is left out."""
    times: dict[str, list[float]] = {name: [] for name in updates}
    for _ in range(rounds + 1):
        for name, update in updates.items():
            started = clock()
            update()
            times[name].append(clock() - started)
    return {name: taken[1:] for name, taken in times.items()}


def faster(times: dict[str, list[float]], one: str, other: str) -> float:
    """How many times as fast one is as the other: the median of the rounds. Both read batches of one size."""
    return statistics.median(b / a for a, b in zip(times[one], times[other], strict=True))


def goals(times: dict[str, list[float]]) -> Iterator[Goal]:
    """The ratios of speeds among what was measured."""
    pairs = (
        ("mingru", "lstm", FASTER_THAN_LSTM),
        ("mingru", "minGRU-pytorch, float32", OF_PEER),
        ("mingru", "minGRU-pytorch, bfloat16", OF_PEER_BFLOAT16),
        ("nanogpt", "plain nanoGPT, float32", OF_PLAIN_NANOGPT),
    )
    for one, other, goal in pairs:
        if one in times and other in times:
            yield Goal(f"{one} / {other}", faster(times, one, other), goal)


def _together(flags: Train) -> Iterator[Goal]:
    processes = together.processes(flags.preset, "mingru", flags.rounds)
    yield Goal("mingru, two processes / one", faster(processes, "two", "one"), TWO_PROCESSES)
    threads = together.threads(flags.preset, "mingru", flags.rounds)
    yield Goal("mingru, two threads / one", faster(threads, "two", "one"), TWO_THREADS)


def _speed(name: str, times: list[float], model: nn.Module, preset: str, peak: float) -> Speed:
    """A matrix with n weights costs 2 n operations a character forwards and 4 n backwards; attention is left out."""
    shape = presets.get(preset, name if name in MODEL_NAMES else "mingru")
    chars = shape.train.batch_size * shape.model.block_size / statistics.median(times)
    matrices = sum(
        w.numel() for part, w in model.named_parameters() if w.ndim == 2 and "embedding" not in part
    )
    return Speed(name, chars, 6 * matrices * chars / peak)
