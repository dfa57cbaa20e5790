"""Writing: one model continues a prompt, character by character. Generators without I/O.

A model reads the prompt in pieces through `forward` (prefill). After that, every character is one step from the
carried state. The step is `models/stepper.py`'s where it can be (float32, on the CPU), on CUDA a graph of `forward`
over one character (`models/graph.py`), else `forward` itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from minrnn.config import Sampling
from minrnn.draw import Draw
from minrnn.models import CharModel, State, state_bytes
from minrnn.models.graph import GraphSteps, captured
from minrnn.models.step import Array
from minrnn.models.stepper import Stepper, Steps, can_step
from minrnn.text import CharVocab

FinishReason = Literal["length", "stopped", "deadline"]

PIECE = 512
"""Characters of a prompt that are read in one call: some hundredths of a second for every model."""


@dataclass(frozen=True)
class Chunk:
    """What a model wrote since its last chunk, and its figures so far. One token is one character.

    Attributes:
        text: the new characters.
        tokens: characters written so far, the new ones included.
        seconds: time that this model has worked, prefill included, other models' time excluded.
        ttft_s: time to first token, in seconds of its own work.
        state_bytes: size of the state it carries.
        finish_reason: why it ended; None while it writes.
        learn_s: seconds in which it learnt its prompt first; 0 where it did not.
    """

    text: str
    tokens: int
    seconds: float
    ttft_s: float
    state_bytes: int
    finish_reason: FinishReason | None = None
    learn_s: float = 0.0

    @property
    def tokens_per_s(self) -> float:
        """Decoding rate, without the prefill and the first token."""
        decode = self.seconds - self.ttft_s
        return (self.tokens - 1) / decode if decode > 0 else 0.0


def stream(
    model: CharModel, prompt: str, sampling: Sampling, stepper: Stepper | None = None
) -> Iterator[Chunk]:
    """Continue a prompt, one character a chunk; the same seed gives the same text.

    Args:
        model: in evaluation mode.
        prompt: in the model's vocabulary (fold it first); an empty one stands for a newline.
        sampling: how characters are drawn, and how many.
        stepper: the model's, where its owner keeps one; else it is made ready here, for this text alone.

    Raises:
        ValueError: if the prompt holds a character that the model does not know.
    """
    yield from (chunk for chunk in written(model, prompt, sampling, stepper) if chunk.text)


def written(
    model: CharModel, prompt: str, sampling: Sampling, stepper: Stepper | None = None
) -> Iterator[Chunk]:
    """Continue a prompt as `stream` does, in pieces of work that are short, so that others can have a turn between.

    Args:
        model: as for `stream`, and so on.
        prompt: in its vocabulary.
        sampling: how characters are drawn, and how many.
        stepper: the model's.

    Yields:
        Chunks without text while a long prompt is read; then one for each character.

    Raises:
        ValueError: if the prompt holds a character that the model does not know.
    """
    vocab = CharVocab(model.config.vocab)
    idx = vocab.encode(prompt or _start(vocab)).unsqueeze(0)
    draw = Draw(sampling, len(vocab.chars))
    reader = _reader(model, sampling.context, stepper)
    seconds = ttft = 0.0
    token = -1
    for piece in idx[:, -sampling.context :].split(PIECE, dim=1):
        if seconds:
            yield Chunk("", 0, seconds, 0.0, reader.state_bytes)
        started = time.perf_counter()
        logits = reader.read(piece)
        seconds += time.perf_counter() - started
    for count in range(1, sampling.max_new_tokens + sampling.finish_line + 1):
        started = time.perf_counter()
        token = draw(logits if count == 1 else reader.step(token))
        char = vocab.chars[token]
        seconds += time.perf_counter() - started
        ttft = ttft or seconds
        ended = _has_ended(count, char, sampling)
        yield Chunk(char, count, seconds, ttft, reader.state_bytes, "length" if ended else None)
        if ended:
            return


def _reader(model: CharModel, context: int, stepper: Stepper | None) -> _Reader:
    """What reads a text with that model: by its step where it can."""
    if context:
        return _WindowReader(model, context)
    if stepper or can_step(model):
        return _StepReader(model, stepper)
    return _GraphReader(model) if _has_graphs(model.device) else _Reader(model)


def _has_graphs(device: torch.device) -> bool:
    return device.type == "cuda"


class _Reader:
    """Reads a text a piece at a time through `forward`, with the state carried on."""

    def __init__(self, model: CharModel) -> None:
        self.model = model
        self.state: State = None

    def read(self, idx: Tensor) -> Array:
        """Return the logits (vocab_size,) after (1, T) further ids. Inference mode ends before a caller can yield."""
        with torch.inference_mode():
            logits, self.state = self.model(idx.to(self.model.device), self.state)
            last: Array = logits[0, -1].float().cpu().numpy()
            return last

    def step(self, token: int) -> Array:
        """Return the logits (vocab_size,) after one further id."""
        return self.read(torch.tensor([[token]]))

    @property
    def state_bytes(self) -> int:
        return state_bytes(self.state)


class _WindowReader(_Reader):
    """Reads the last characters alone, from an empty state."""

    def __init__(self, model: CharModel, context: int) -> None:
        super().__init__(model)
        self.context, self.seen = context, torch.zeros(1, 0, dtype=torch.int64)

    def read(self, idx: Tensor) -> Array:
        self.seen = torch.cat([self.seen, idx], dim=1)[:, -self.context :]
        logits = super().read(self.seen)
        self.state = None
        return logits


class _StepReader(_Reader):
    """Reads the prompt through `forward`, and what follows by the model's step."""

    def __init__(self, model: CharModel, stepper: Stepper | None) -> None:
        super().__init__(model)
        self.stepper = stepper
        self.steps: Steps | None = None

    def step(self, token: int) -> Array:
        if self.steps is None:
            self.steps = (self.stepper or Stepper(self.model)).begin(self.state)
        return self.steps(token)

    @property
    def state_bytes(self) -> int:
        return super().state_bytes if self.steps is None else self.steps.state_bytes


class _GraphReader(_Reader):
    """Reads the prompt through `forward`, and what follows by a graph of it, where the model can be captured."""

    def __init__(self, model: CharModel) -> None:
        super().__init__(model)
        self.steps: GraphSteps | None = None
        self.tried = False

    def step(self, token: int) -> Array:
        if not self.tried:
            self.steps, self.tried = captured(self.model, self.state), True
        return super().step(token) if self.steps is None else self.steps(token)


def _has_ended(written: int, char: str, sampling: Sampling) -> bool:
    """Whether a text is long enough, and at the end of a line where that can be reached."""
    beyond = written - sampling.max_new_tokens
    return beyond >= 0 and (char == "\n" or beyond >= sampling.finish_line)


def _start(vocab: CharVocab) -> str:
    """What an empty prompt stands for: a newline, or the first character if the vocabulary has no newline."""
    return "\n" if "\n" in vocab.chars else vocab.chars[0]


def one_slice(chunks: Iterator[Chunk], slice_s: float) -> Chunk | None:
    """As many chunks as fit a slice of the stream's own work, joined; None if the stream had ended.

    Args:
        chunks: the stream.
        slice_s: length of the slice, in seconds.
    """
    text: list[str] = []
    first = last = None
    for last in chunks:
        first = first or last
        text.append(last.text)
        worked = last.seconds + last.learn_s - first.seconds - first.learn_s
        if last.finish_reason or worked >= slice_s:
            break
    return replace(last, text="".join(text)) if last else None
