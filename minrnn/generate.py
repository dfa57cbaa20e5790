"""Writing: one model character by character, or several models in turn. Generators without I/O.

A model reads the prompt in one call (prefill). After that, every character is one step from the carried state.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import torch
from torch import Tensor

from minrnn.config import Sampling
from minrnn.models import CharModel, State, state_bytes
from minrnn.text import CharVocab

FinishReason = Literal["length", "stopped", "deadline"]
K = TypeVar("K")


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
    """

    text: str
    tokens: int
    seconds: float
    ttft_s: float
    state_bytes: int
    finish_reason: FinishReason | None = None

    @property
    def tokens_per_s(self) -> float:
        """Decoding rate, without the prefill and the first token."""
        decode = self.seconds - self.ttft_s
        return (self.tokens - 1) / decode if decode > 0 else 0.0


def stream(model: CharModel, prompt: str, sampling: Sampling) -> Iterator[Chunk]:
    """Continue a prompt, one character a chunk; the same seed gives the same text.

    Args:
        model: in evaluation mode.
        prompt: in the model's vocabulary (fold it first); an empty one stands for a newline.
        sampling: how characters are drawn, and how many.

    Raises:
        ValueError: if the prompt holds a character that the model does not know.
    """
    vocab = CharVocab(model.config.vocab)
    idx = vocab.encode(prompt or _start(vocab)).unsqueeze(0).to(model.device)
    draw = torch.Generator().manual_seed(sampling.seed)
    reader = _Reader(model, sampling.context)
    seconds = ttft = 0.0
    for written in range(1, sampling.max_new_tokens + sampling.finish_line + 1):
        started = time.perf_counter()
        token = pick(reader.read(idx), sampling, draw)
        char, idx = vocab.chars[int(token)], token.view(1, 1).to(model.device)
        seconds += time.perf_counter() - started
        ttft = ttft or seconds
        ended = _has_ended(written, char, sampling)
        yield Chunk(char, written, seconds, ttft, state_bytes(reader.state), "length" if ended else None)
        if ended:
            return


class _Reader:
    """Reads a text a piece at a time: with the state carried on, or the last characters alone, from an empty state."""

    def __init__(self, model: CharModel, context: int) -> None:
        self.model, self.context = model, context
        self.state: State = None
        self.seen: Tensor | None = None

    def read(self, idx: Tensor) -> Tensor:
        """Return the logits (vocab_size,) after (1, T) further ids. Inference mode ends before a caller can yield."""
        with torch.inference_mode():
            if self.context:
                seen = idx if self.seen is None else torch.cat([self.seen, idx], dim=1)
                self.seen = idx = seen[:, -self.context :]
                logits, _ = self.model(idx)
            else:
                logits, self.state = self.model(idx, self.state)
            last: Tensor = logits[0, -1]
            return last


def _has_ended(written: int, char: str, sampling: Sampling) -> bool:
    """Whether a text is long enough, and at the end of a line where that can be reached."""
    beyond = written - sampling.max_new_tokens
    return beyond >= 0 and (char == "\n" or beyond >= sampling.finish_line)


def interleave(streams: Mapping[K, Iterator[Chunk]], slice_s: float = 0.01) -> Iterator[tuple[K, Chunk]]:
    """Run every stream for a slice of time in turn, until all have ended.

    Args:
        streams: by name.
        slice_s: length of a slice, in seconds of the stream's own work.

    Yields:
        A stream's name, and what it wrote in its slice as one chunk.
    """
    running = dict(streams)
    while running:
        for name in list(running):
            chunk = _slice(running[name], slice_s)
            if chunk is None or chunk.finish_reason:
                del running[name]
            if chunk is not None:
                yield name, chunk


def pick(logits: Tensor, sampling: Sampling, draw: torch.Generator) -> Tensor:
    """Draw the next id.

    Args:
        logits: (vocab_size,).
        sampling: temperature 0 takes the likeliest.
        draw: source of randomness, on the CPU.

    Returns:
        () int64, on the CPU.
    """
    logits = logits.float().cpu()
    if sampling.temperature == 0:
        return logits.argmax()
    logits = (
        (logits - logits.max()).double().div_(sampling.temperature).float()
    )  # in float64 no temperature is too low
    if 0 < sampling.top_k < len(logits):
        logits = logits.masked_fill(logits < logits.topk(sampling.top_k).values[-1], -torch.inf)
    probabilities = logits.softmax(dim=-1)
    if sampling.top_p < 1:
        probabilities = _nucleus(probabilities, sampling.top_p)
    return torch.multinomial(probabilities, 1, generator=draw).squeeze()


def _nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """Keep the likeliest ids that together reach top_p. Source: Holtzman et al. 2020, arXiv 1904.09751, section 3.1."""
    ordered, order = probabilities.sort(descending=True)
    kept = ordered.cumsum(dim=-1) - ordered < top_p
    kept[0] = True  # however small top_p is
    return torch.zeros_like(probabilities).scatter_(0, order, ordered * kept)


def _start(vocab: CharVocab) -> str:
    """What an empty prompt stands for: a newline, or the first character if the vocabulary has no newline."""
    return "\n" if "\n" in vocab.chars else vocab.chars[0]


def _slice(chunks: Iterator[Chunk], slice_s: float) -> Chunk | None:
    """As many chunks as fit the slice, joined; None if the stream had ended."""
    text: list[str] = []
    first = last = None
    for last in chunks:
        first = first or last
        text.append(last.text)
        if last.finish_reason or last.seconds - first.seconds >= slice_s:
            break
    return replace(last, text="".join(text)) if last else None
