"""What a training step costs as the text in it grows: time, and memory held for the backward pass.

python -m minrnn bench scaling [--json] [--save]

A step is the forward and the backward pass of one text of that length, without the optimiser's update, which does
not depend on the length. Time is the processor's, so that other work on the machine touches it less. Memory is what
the forward pass keeps for the backward pass: the same on every machine.
A model with positions gets as many as the text is long. The lengths are measured in turn, the models within them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from minrnn import presets
from minrnn.bench.flags import Rounds
from minrnn.bench.machine import circumstances
from minrnn.bench.random_text import VOCAB
from minrnn.checked import Checked
from minrnn.errors import ConfigError
from minrnn.models import MODEL_NAMES, LanguageModel

SHORTEST, LONGEST = 64, 4_096
GROWTH = 4
"""A step of twice the length takes at most about this many times as long: attention's share grows with the square."""


@dataclass(frozen=True)
class ScalingFlags(Checked):
    """Measure how time and memory of a training step grow with its length.

    Attributes:
        preset: the preset whose shapes are measured, with random weights.
        longest: the greatest length; the least is 64, and each is twice the one before.
        rounds: steps that are timed at each length, after one that is not.
        seconds: leave out steps that would end after this time; 0 measures all.
        json: print one JSON object.
        save: keep the figures for the documents and the page.
    """

    preset: str = "base"
    longest: int = LONGEST
    rounds: Rounds = 3
    seconds: float = 0.0
    json: bool = False
    save: bool = False


@dataclass(frozen=True)
class StepCost:
    """One length.

    Attributes:
        length: of the text, in characters; the batch is one text.
        seconds: median time of a step, of the processor.
        saved_bytes: what the forward pass keeps for the backward pass, beside the weights.
    """

    length: int
    seconds: float
    saved_bytes: int


@dataclass(frozen=True)
class Scaling:
    """One model's figures, by growing length."""

    model: str
    steps: list[StepCost]


def measure_all(flags: ScalingFlags) -> list[Scaling]:
    """Measure every model that is compared, on one thread.

    Raises:
        ConfigError: if no length is asked for.
    """
    if flags.longest < SHORTEST:
        raise ConfigError(f"longest is {flags.longest}; the shortest length is {SHORTEST}, so ask for more.")
    torch.set_num_threads(1)
    found: dict[str, list[StepCost]] = {name: [] for name in MODEL_NAMES}
    for name, cost in _measured(flags, found):
        found[name].append(cost)
    return [Scaling(name, costs) for name, costs in found.items()]


def _measured(flags: ScalingFlags, found: Mapping[str, list[StepCost]]) -> Iterator[tuple[str, StepCost]]:
    started, length = time.perf_counter(), SHORTEST
    while length <= flags.longest:
        for name in MODEL_NAMES:
            expected = found[name][-1].seconds * GROWTH * (flags.rounds + 1) if found[name] else 0.0
            in_time = time.perf_counter() - started + expected <= flags.seconds
            if not flags.seconds or (in_time and _has_all_before(found[name], length)):
                yield name, measure(shaped(flags.preset, name, length), length, flags.rounds)
        length *= 2


def _has_all_before(costs: Sequence[StepCost], length: int) -> bool:
    """Whether a model has not been left out at a shorter length."""
    return length == SHORTEST or bool(costs and costs[-1].length == length // 2)


def shaped(preset: str, name: str, length: int) -> LanguageModel:
    """A model of the preset's shape with random weights, in training mode, that can read so long a text."""
    return LanguageModel(replace(presets.get(preset, name).model, vocab=VOCAB, block_size=length)).train()


def measure(model: LanguageModel, length: int, rounds: int) -> StepCost:
    """One model's step at one length."""
    idx = torch.randint(len(model.config.vocab), (1, length), generator=torch.Generator().manual_seed(0))
    saved = saved_bytes(model, idx)
    return StepCost(length, statistics.median(_step(model, idx) for _ in range(rounds)), saved)


def saved_bytes(model: LanguageModel, idx: Tensor) -> int:
    """What a forward pass keeps for the backward pass, each memory counted once, the weights left out."""
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = _loss(model, idx)
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    total = sum(t.untyped_storage().nbytes() for at, t in kept.items() if at not in weights)
    loss.backward()  # the first backward pass allocates the gradients, which no later one does
    return total


def _step(model: LanguageModel, idx: Tensor) -> float:
    started = time.process_time()
    _loss(model, idx).backward()
    return time.process_time() - started


def _loss(model: LanguageModel, idx: Tensor) -> Tensor:
    logits, _ = model(idx)
    return F.cross_entropy(logits.flatten(0, 1), idx.flatten())


def table(found: Sequence[Scaling]) -> Iterator[str]:
    """The figures as the lines of a Markdown table."""
    yield "| model | characters in a step | ms | us/character | kept for the backward pass, MB |"
    yield "|---|---:|---:|---:|---:|"
    for one in found:
        for cost in one.steps:
            yield (
                f"| {one.model} | {cost.length:,} | {cost.seconds * 1e3:,.0f} "
                f"| {cost.seconds / cost.length * 1e6:,.0f} | {cost.saved_bytes / 1e6:,.1f} |"
            )


def as_json(found: Sequence[Scaling], flags: ScalingFlags) -> dict[str, object]:
    """Everything as plain data."""
    about = circumstances(1, preset=flags.preset, rounds=flags.rounds, dtype="float32", batch=1)
    return {**about, "models": [asdict(one) for one in found]}
