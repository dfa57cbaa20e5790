"""Endless text: what a model loses, needs and keeps as a text grows, one character at a time.

python -m minrnn bench length [--json] [--save]

Every model reads the validation part of tiny Shakespeare from end to end, its state carried, a character a step.
For each stretch of the text there are three figures: the mean loss, beside that of the same characters read in
windows of `block_size` from an empty state; the time a character; the size of the state. A model that drifts
shows a carried loss above the windows' loss. Without tiny Shakespeare the text is random and has no loss.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from minrnn.bench.decode import shaped
from minrnn.bench.machine import circumstances, verdict
from minrnn.corpora import load, splits
from minrnn.errors import ConfigError, MinrnnError
from minrnn.evaluate import read
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.models.stepper import Stepper
from minrnn.text import CharVocab

CORPUS = "tinyshakespeare"
ENDS = (100, 1_000, 10_000, 100_000)
"""Where the stretches end, in characters read."""
FLAT = 0.10
"""The goal: a character in the last stretch takes at most this share more than one in the second."""


@dataclass(frozen=True)
class LengthFlags:
    """Measure how loss, time and state of every model go on as a text grows.

    Attributes:
        preset: the preset whose bundled weights, or whose shapes, are measured.
        chars: how far to read.
        json: print one JSON object.
        save: keep the figures for the documents.
    """

    preset: str = "base"
    chars: int = ENDS[-1]
    json: bool = False
    save: bool = False


@dataclass(frozen=True)
class Stretch:
    """One part of the text.

    Attributes:
        end: characters read at its end; it begins where the one before ends.
        loss: mean loss of its characters, the state carried, in nats; None without weights or text.
        windows: the same characters read in windows of `block_size`, each from an empty state.
        us_per_char: mean time of a step over the stretch, in microseconds of the processor's time.
        state_bytes: size of the state at its end.
    """

    end: int
    loss: float | None
    windows: float | None
    us_per_char: float
    state_bytes: int


@dataclass(frozen=True)
class Length:
    """One model's stretches, in order."""

    model: str
    stretches: list[Stretch]

    @property
    def growth(self) -> float:
        """How much longer a character takes in the last stretch than in the second, as a share."""
        return (
            self.stretches[-1].us_per_char / self.stretches[min(1, len(self.stretches) - 1)].us_per_char - 1
        )

    @property
    def ok(self) -> bool:
        """Whether time stays flat."""
        return self.growth <= FLAT


def measure_all(flags: LengthFlags) -> Iterator[Length]:
    """Measure every model that is compared, one after another, on one thread.

    Raises:
        ConfigError: if fewer than two characters are asked for.
    """
    if flags.chars < 2:
        raise ConfigError(f"chars is {flags.chars}; read at least 2.")
    torch.set_num_threads(1)
    for name in MODEL_NAMES:
        model = shaped(flags.preset, name)
        ids = _text(model, flags.chars)
        yield measure(
            name, model, _random(model, flags.chars) if ids is None else ids, scored=ids is not None
        )


def measure(name: str, model: LanguageModel, ids: Tensor, scored: bool) -> Length:
    """One model's figures over a text.

    Args:
        name: of the model.
        model: in evaluation mode.
        ids: (N,) int64, N >= 2.
        scored: whether the text is one whose loss says something.
    """
    losses, seconds, sizes = _stepped(model, ids.numpy())
    windows = _windowed(model, ids)
    stretches, start = [], 0
    for end in [end for end in ENDS if end < len(losses)] + [min(len(losses), ENDS[-1])]:
        part = slice(start, end)
        stretches.append(
            Stretch(
                end=end,
                loss=round(float(losses[part].mean()), 4) if scored else None,
                windows=round(float(windows[part].mean()), 4) if scored else None,
                us_per_char=round(float(seconds[part].mean()) * 1e6, 1),
                state_bytes=int(sizes[end - 1]),
            )
        )
        start = end
    return Length(name, stretches)


def table(found: Sequence[Length]) -> Iterator[str]:
    """The figures as the lines of a Markdown table."""
    yield "| model | characters read | loss, carried | loss, windows | us/character | state, bytes | time is flat |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    for one in found:
        for stretch in one.stretches:
            last = stretch is one.stretches[-1]
            flat = f"{one.growth:+.0%}: {verdict(one.ok)}" if last else ""
            yield (
                f"| {one.model} | {stretch.end:,} | {_nats(stretch.loss)} | {_nats(stretch.windows)} "
                f"| {stretch.us_per_char:,.0f} | {stretch.state_bytes:,} | {flat} |"
            )


def as_json(found: Sequence[Length], flags: LengthFlags) -> dict[str, object]:
    """Everything as plain data."""
    models = [{**asdict(one), "growth": one.growth, "goal": FLAT, "ok": one.ok} for one in found]
    about = circumstances(1, preset=flags.preset, chars=flags.chars, dtype="float32")
    return {**about, "models": models}


def _nats(loss: float | None) -> str:
    return "" if loss is None else f"{loss:.3f}"


def _text(model: LanguageModel, chars: int) -> Tensor | None:
    """The validation text in the model's ids; None where the text is not at hand or the model has not learnt it."""
    try:
        corpus = load(CORPUS)
    except MinrnnError:
        return None
    vocab = model.config.vocab
    return splits(corpus, CharVocab(vocab))[1][: chars + 1] if vocab == corpus.vocab else None


def _random(model: LanguageModel, chars: int) -> Tensor:
    return torch.randint(len(model.config.vocab), (chars + 1,), generator=torch.Generator().manual_seed(0))


def _stepped(model: LanguageModel, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loss of each next character, time of each step in seconds, and size of the state after it."""
    steps = Stepper(model).begin()
    losses, seconds, sizes = np.zeros(len(ids) - 1), np.zeros(len(ids) - 1), np.zeros(len(ids) - 1, np.int64)
    for t, (token, target) in enumerate(zip(ids[:-1].tolist(), ids[1:].tolist(), strict=True)):
        started = time.process_time()
        logits = steps(token)
        seconds[t] = time.process_time() - started
        top = logits.max()
        losses[t] = top + np.log(np.exp(logits - top).sum()) - logits[target]
        sizes[t] = steps.state_bytes
    return losses, seconds, sizes


def _windowed(model: LanguageModel, ids: Tensor) -> np.ndarray:
    """Loss of each character but the first, in windows of `block_size` from an empty state."""
    size = model.config.block_size
    losses = []
    for piece in (ids[start : start + size + 1] for start in range(0, len(ids) - 1, size)):
        logits, _ = read(model, piece[None, :-1])
        losses.append(torch.nn.functional.cross_entropy(logits[0], piece[1:], reduction="none").numpy())
    return np.concatenate(losses)
