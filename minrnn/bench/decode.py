"""Writing, one text on one core, beside what this machine's memory allows.

python -m minrnn bench decode [--json]

The bound is the time in which NumPy multiplies the model's own matrices by a vector, each stored the way that is
faster for it. Bound, step and forward are measured in turn, round by round, in time of the processor, so that
other work on the machine touches all three alike. A ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from minrnn import checkpoint, presets
from minrnn.bench.flags import Rounds
from minrnn.bench.machine import circumstances, line, verdict
from minrnn.bench.random_text import VOCAB
from minrnn.checked import Checked
from minrnn.config import Sampling
from minrnn.draw import Draw
from minrnn.errors import CheckpointError
from minrnn.generate import stream
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.models.step import Call, copied, zeros
from minrnn.models.stepper import Stepper
from minrnn.text import CharVocab

CHARS = 128
"""Characters a round: past nanogpt's window, those between two encodings of the newest half."""
TRIALS = 20
"""Products with a matrix in a row, and how often, to find out which way of storing it is faster."""
OF_BOUND, OF_BOUND_WINDOWED, OF_FORWARD = 0.6, 0.4, 3.5
"""The goals."""


@dataclass(frozen=True)
class Decode(Checked):
    """Measure writing on this machine: one text, one core.

    Attributes:
        preset: the preset whose shapes are measured.
        rounds: times that everything is measured.
        json: print one JSON object.
    """

    preset: str = "base"
    rounds: Rounds = 9
    json: bool = False


@dataclass(frozen=True)
class Row:
    """One model's figures, in characters a second of the processor's time, and their ratios."""

    model: str
    forward: float
    step: float
    bound: float
    of_bound: float
    of_bound_goal: float
    of_forward: float
    of_forward_goal: float = OF_FORWARD

    @property
    def ok(self) -> tuple[bool, bool]:
        """Whether the two goals are reached: of the bound, and of forward."""
        return self.of_bound >= self.of_bound_goal, self.of_forward >= self.of_forward_goal


def figures(flags: Decode) -> dict[str, object]:
    """Everything as plain data."""
    found = [{**asdict(row), "ok": all(row.ok)} for row in rows(flags)]
    return {**_circumstances(flags), "models": found}


def lines(flags: Decode) -> Iterator[str]:
    """A report with a table, a row at a time."""
    yield line(_circumstances(flags))
    yield ""
    yield "| model | forward, characters/s | step | bound | step / bound | goal | step / forward | goal |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows(flags):
        bound, forward = map(verdict, row.ok)
        yield (
            f"| {row.model} | {row.forward:,.0f} | {row.step:,.0f} | {row.bound:,.0f} "
            f"| {row.of_bound:.2f} | {row.of_bound_goal:g}: {bound} "
            f"| {row.of_forward:.1f} | {row.of_forward_goal:g}: {forward} |"
        )


def _circumstances(flags: Decode) -> dict[str, object]:
    return circumstances(1, preset=flags.preset, rounds=flags.rounds, dtype="float32")


def rows(flags: Decode) -> Iterator[Row]:
    """Measure every model that is compared; one with a window inside it and past it."""
    torch.set_num_threads(1)
    for name in MODEL_NAMES:
        model = shaped(flags.preset, name)
        if model.positions is None:
            yield measure(name, model, "\n", flags.rounds, OF_BOUND)
            continue
        window = model.config.block_size
        inside, past = max(1, (window - CHARS) // 2), window + 1
        yield measure(f"{name}, in its window", model, "\n" * inside, flags.rounds, OF_BOUND_WINDOWED)
        yield measure(f"{name}, past its window", model, "\n" * past, flags.rounds, OF_BOUND_WINDOWED)


def shaped(preset: str, name: str) -> LanguageModel:
    """The bundled model, or one of its shape with random weights: the speed is the same."""
    try:
        return checkpoint.load(checkpoint.bundled(preset, name)).model
    except CheckpointError:
        return LanguageModel(replace(presets.get(preset, name).model, vocab=VOCAB)).eval()


def measure(title: str, model: LanguageModel, prompt: str, rounds: int, goal: float) -> Row:
    """A model's figures, after a prompt."""
    stepper, multiply = Stepper(model), products(model)
    ways: tuple[Callable[[], float], ...] = (
        lambda: _timed(multiply, CHARS),
        lambda: by_steps(model, stepper, prompt),
        lambda: by_forward(model, prompt),
    )
    times = [[way() for way in ways] for _ in range(rounds + 1)][1:]
    bound, step, forward = (CHARS / statistics.median(taken) for taken in zip(*times, strict=True))
    of_bound, of_forward = (statistics.median(taken[i] / taken[1] for taken in times) for i in (0, 2))
    return Row(title, forward, step, bound, of_bound, goal, of_forward)


def products(model: LanguageModel) -> list[Call]:
    """What multiplies each of a model's matrices by a vector, and does nothing else."""
    return [
        _faster(w.detach())
        for name, w in model.named_parameters()
        if w.ndim == 2 and _multiplies(name, model)
    ]


def _faster(weight: Tensor) -> Call:
    """The product with a vector, the matrix stored by rows or by columns: whichever is faster on this machine."""
    rows, columns = copied(weight), copied(weight.t())
    x, y = zeros(weight.shape[1]) + np.float32(1), zeros(weight.shape[0])
    ways = partial(rows.dot, x, y), partial(x.dot, columns, y)
    taken = [[_timed([way], TRIALS) for way in ways] for _ in range(TRIALS)]
    return ways[0] if min(first for first, _ in taken) < min(second for _, second in taken) else ways[1]


def _multiplies(name: str, model: LanguageModel) -> bool:
    """Whether a weight is multiplied by a vector; an embedding is only where the head shares it."""
    return name != "positions.weight" and (name != "embedding.weight" or model.head is None)


def _timed(calls: Sequence[Call], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        for call in calls:
            call()
    return time.process_time() - started


def by_steps(model: LanguageModel, stepper: Stepper, prompt: str) -> float:
    """Seconds for CHARS characters as `stream` writes them, the first apart: that one is the prompt's."""
    chunks = stream(model, prompt, Sampling(max_new_tokens=CHARS + 1), stepper)
    next(chunks)
    started = time.process_time()
    for _ in chunks:
        pass
    return time.process_time() - started


def by_forward(model: LanguageModel, prompt: str) -> float:
    """Seconds for as many characters through `forward`, one at a time."""
    vocab = CharVocab(model.config.vocab)
    draw = Draw(Sampling(), len(vocab.chars))
    with torch.inference_mode():
        logits, state = model(vocab.encode(prompt).unsqueeze(0))
        started = time.process_time()
        for _ in range(CHARS):
            token = draw(logits[0, -1].numpy())
            logits, state = model(torch.tensor([[token]]), state)
        return time.process_time() - started
