"""Several models continue one prompt, as a stream of snapshots. No Gradio here."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from minrnn.config import Sampling
from minrnn.errors import ConfigError
from minrnn.generate import Chunk, FinishReason, interleave, stream
from minrnn.library import Entry
from minrnn.models import LanguageModel
from minrnn.settings import MAX_PROMPT_CHARS
from minrnn.text import CharVocab, Folded, fold

YIELD_S = 0.05
"""Seconds between two snapshots: what a browser can show, and no more."""

DEADLINE_S = 60.0
"""Seconds one generation may take; four models write 5,000 characters each in about ten."""


@dataclass(frozen=True)
class Lane:
    """One model's part of a snapshot. One token is one character.

    Attributes:
        text: the continuation so far, without the prompt.
        tokens_per_s: its decoding rate, in its own working time.
        ttft_s: seconds of its own work until the first character.
        n_params: weights of the model.
        state_bytes: size of the state it carries.
        finish_reason: null while it writes.
    """

    text: str = ""
    tokens_per_s: float = 0.0
    ttft_s: float = 0.0
    n_params: int = 0
    state_bytes: int = 0
    finish_reason: FinishReason | None = None


Snapshot = dict[str, Lane]


def check_prompt(prompt: str) -> str:
    """The prompt, if it is short enough.

    Raises:
        ConfigError: if it is longer than MAX_PROMPT_CHARS.
    """
    if len(prompt) > MAX_PROMPT_CHARS:
        raise ConfigError(
            f"the prompt has {len(prompt):,} characters; at most {MAX_PROMPT_CHARS:,} are read. Shorten it."
        )
    return prompt


def folded_for(model: LanguageModel, prompt: str) -> Folded:
    """The prompt in a model's own characters, and what had to be changed."""
    return fold(prompt, CharVocab(model.config.vocab))


def race(
    entries: Sequence[Entry],
    prompt: str,
    sampling: Sampling,
    deadline_s: float = DEADLINE_S,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Snapshot]:
    """Let every model continue the prompt, in turn.

    Args:
        entries: the models.
        prompt: characters a model does not know are folded or dropped for it.
        sampling: the same for all.
        deadline_s: seconds after which all of them end.
        should_stop: asked after every slice; all of them end once it says so.

    Yields:
        A snapshot at once, then one every YIELD_S, then a last one in which every lane has a finish_reason.
    """
    lanes = {entry.key: Lane(n_params=entry.model.n_params) for entry in entries}
    yield lanes
    ends = time.monotonic() + deadline_s
    shown = time.monotonic()
    streams = {e.key: stream(e.model, folded_for(e.model, prompt).text, sampling) for e in entries}
    reason: FinishReason = "stopped"
    for key, chunk in interleave(streams):
        lanes = {**lanes, key: _after(lanes[key], chunk)}
        if should_stop():
            break
        if time.monotonic() >= ends:
            reason = "deadline"
            break
        if time.monotonic() - shown >= YIELD_S:
            yield lanes
            shown = time.monotonic()
    yield {key: ended(lane, reason) for key, lane in lanes.items()}


def ended(lane: Lane, reason: FinishReason) -> Lane:
    """The lane with a reason for its end, if it has none yet."""
    return lane if lane.finish_reason else dataclasses.replace(lane, finish_reason=reason)


def _after(lane: Lane, chunk: Chunk) -> Lane:
    return Lane(
        text=lane.text + chunk.text,
        tokens_per_s=chunk.tokens_per_s,
        ttft_s=chunk.ttft_s,
        n_params=lane.n_params,
        state_bytes=chunk.state_bytes,
        finish_reason=chunk.finish_reason,
    )
