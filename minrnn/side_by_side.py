"""Several models continue one prompt: what a page or a script sees of it, without I/O."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from minrnn.checked import shown
from minrnn.config import Sampling
from minrnn.errors import ConfigError
from minrnn.generate import Chunk, FinishReason, written
from minrnn.learn import Learning, lessons
from minrnn.models import CharModel
from minrnn.models.stepper import Stepper
from minrnn.settings import MAX_LEARN_CHARS, MAX_PROMPT_CHARS
from minrnn.text import CharVocab, Folded, fold


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
        place: place in line, from 1; 0 once it is written.
    """

    text: str = ""
    tokens_per_s: float = 0.0
    ttft_s: float = 0.0
    n_params: int = 0
    state_bytes: int = 0
    finish_reason: FinishReason | None = None
    learn_s: float = 0.0
    place: int = 0

    def after(self, chunk: Chunk) -> Written:
        """The text with a chunk more."""
        return dataclasses.replace(
            self,
            text=self.text + chunk.text,
            tokens_per_s=chunk.tokens_per_s,
            ttft_s=chunk.ttft_s,
            state_bytes=chunk.state_bytes,
            finish_reason=chunk.finish_reason,
            learn_s=chunk.learn_s,
        )

    def ended(self, reason: FinishReason) -> Written:
        """The text with a reason for its end, if it has none yet."""
        return self if self.finish_reason else dataclasses.replace(self, finish_reason=reason, place=0)


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


def taught(
    model: CharModel,
    prompt: str,
    sampling: Sampling,
    stepper: Stepper | None = None,
    learning: Learning | None = None,
) -> Iterator[Chunk]:
    """Continue a prompt in short pieces of work, and let a copy of the model learn the prompt first, where asked.

    Args:
        model: in evaluation mode; it stays as it is.
        prompt: in its vocabulary; its end is what is learnt.
        sampling: how characters are drawn, and how many.
        stepper: the model's; a copy that has learnt makes its own.
        learning: the lessons, or None.

    Yields:
        Chunks without text while it learns and reads; then one for each character.

    Raises:
        ValueError: if the prompt holds a character that the model does not know.
    """
    if learning is None:
        yield from written(model, prompt, sampling, stepper)
        return
    ids = CharVocab(model.config.vocab).encode(prompt[-MAX_LEARN_CHARS:])
    seconds, started = 0.0, time.perf_counter()
    pupil = model
    for pupil in lessons(model, ids, learning):  # noqa: B007
        seconds += time.perf_counter() - started
        yield Chunk("", 0, 0.0, 0.0, 0, learn_s=seconds)
        started = time.perf_counter()
    for chunk in written(pupil, prompt, sampling):
        yield dataclasses.replace(chunk, learn_s=seconds)
