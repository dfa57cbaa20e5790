"""Several models continue one prompt: a generator of snapshots, without I/O."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from minrnn.checked import shown
from minrnn.config import Sampling
from minrnn.errors import ConfigError
from minrnn.generate import Chunk, FinishReason, interleave, stream
from minrnn.learn import Learning, learnt
from minrnn.models import CharModel
from minrnn.models.stepper import Stepper
from minrnn.settings import MAX_LEARN_CHARS, MAX_PROMPT_CHARS
from minrnn.text import CharVocab, Folded, fold

YIELD_S = 0.05
"""Seconds between two snapshots: a browser shows no more than that."""

DEADLINE_S = 60.0
"""Seconds that one generation may take. The models need about ten for 5,000 characters each."""


@dataclass(frozen=True)
class Written:
    """One model's text in a snapshot. One token is one character.

    Attributes:
        text: the continuation so far, without the prompt.
        tokens_per_s: its decoding rate, in its own working time.
        ttft_s: seconds of its own work until the first character.
        n_params: weights of the model.
        state_bytes: size of the state it carries.
        finish_reason: None while it writes.
        learn_s: seconds in which it learnt the prompt first; 0 where it did not.
    """

    text: str = ""
    tokens_per_s: float = 0.0
    ttft_s: float = 0.0
    n_params: int = 0
    state_bytes: int = 0
    finish_reason: FinishReason | None = None
    learn_s: float = 0.0


Snapshot = dict[str, Written]


def check_prompt(prompt: Any) -> str:
    """The prompt, if it is a text and short enough.

    Raises:
        ConfigError: if it is not.
    """
    if not isinstance(prompt, str):
        raise ConfigError(f"the prompt is {shown(prompt)}; it must be a text.")
    if len(prompt) > MAX_PROMPT_CHARS:
        raise ConfigError(
            f"the prompt has {len(prompt):,} characters; at most {MAX_PROMPT_CHARS:,} are read. Shorten it."
        )
    return prompt


def folded_for(model: CharModel, prompt: str) -> Folded:
    """The prompt in a model's own characters, and what was changed. Call it once a prompt: a long one takes a while."""
    return fold(prompt, CharVocab(model.config.vocab))


def write(
    models: Mapping[str, CharModel],
    prompts: Mapping[str, str],
    sampling: Sampling,
    learning: Learning | None = None,
    deadline_s: float = DEADLINE_S,
    should_stop: Callable[[], bool] = lambda: False,
    steppers: Mapping[str, Stepper | None] = MappingProxyType({}),
) -> Iterator[Snapshot]:
    """Let every model continue its prompt, in turn.

    Args:
        models: by key.
        prompts: by the same keys, each in its model's own characters.
        sampling: the same for all.
        learning: let a copy of each model learn its prompt before it writes.
        deadline_s: seconds after which all texts end.
        should_stop: called after every slice; all texts end once it returns True.
        steppers: of the models whose owner keeps one, by key; a copy that has learnt has its own.

    Yields:
        A snapshot at once, then one every YIELD_S, then a last one in which every text has a finish_reason.
    """
    texts = {key: Written(n_params=model.n_params) for key, model in models.items()}
    yield texts
    ends = time.monotonic() + deadline_s
    writers = dict(models)
    for key in models:
        if learning is None or should_stop():
            break
        writers[key], seconds = _taught(models[key], prompts[key], learning)
        texts = {**texts, key: dataclasses.replace(texts[key], learn_s=seconds)}
        yield texts
    kept = steppers if learning is None else {}
    streams = {key: stream(model, prompts[key], sampling, kept.get(key)) for key, model in writers.items()}
    yield from _continued(texts, streams, ends, should_stop)


def _continued(
    texts: Snapshot, streams: Mapping[str, Iterator[Chunk]], ends: float, should_stop: Callable[[], bool]
) -> Iterator[Snapshot]:
    """The snapshots while the streams write, until `ends` by the monotonic clock."""
    reason: FinishReason = "stopped"
    seen = time.monotonic()
    for key, chunk in interleave(streams):
        texts = {**texts, key: _after(texts[key], chunk)}
        if should_stop():
            break
        if (now := time.monotonic()) >= ends:
            reason = "deadline"
            break
        if now >= seen + YIELD_S:
            yield texts
            seen = time.monotonic()
    yield {key: _ended(text, reason) for key, text in texts.items()}


def _ended(written: Written, reason: FinishReason) -> Written:
    """The text with a reason for its end, if it has none yet."""
    return written if written.finish_reason else dataclasses.replace(written, finish_reason=reason)


def _taught(model: CharModel, prompt: str, learning: Learning) -> tuple[CharModel, float]:
    """A copy that has learnt the end of its prompt, and the seconds that took."""
    started = time.perf_counter()
    ids = CharVocab(model.config.vocab).encode(prompt[-MAX_LEARN_CHARS:])
    return learnt(model, ids, learning), time.perf_counter() - started


def _after(written: Written, chunk: Chunk) -> Written:
    """The text with a chunk more."""
    return dataclasses.replace(
        written,
        text=written.text + chunk.text,
        tokens_per_s=chunk.tokens_per_s,
        ttft_s=chunk.ttft_s,
        state_bytes=chunk.state_bytes,
        finish_reason=chunk.finish_reason,
    )
