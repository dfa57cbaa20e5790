"""One request to the writers: its texts as they are now."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from minrnn.config import Sampling
from minrnn.generate import Chunk, FinishReason
from minrnn.learn import Learning
from minrnn.models import CharModel
from minrnn.serving.line import Visitor
from minrnn.side_by_side import Snapshot, Written


@dataclass(frozen=True)
class Asked:
    """What a visitor wants written.

    Attributes:
        visitor: who asks.
        models: by key.
        prompts: by the same keys, each in its model's own characters.
        sampling: the same for all.
        learning: lessons before the writing, if any.
    """

    visitor: Visitor
    models: Mapping[str, CharModel]
    prompts: Mapping[str, str]
    sampling: Sampling
    learning: Learning | None = None


class Ticket:
    """A request's texts. Written to by the writers' threads, read by whoever asked.

    Attributes:
        began: moment at which its writing began, by the monotonic clock; None while it waits in line.
        problem: why it cannot be written; empty if nothing is wrong.

    Args:
        asked: the request.
        changed: called whenever there is something new, in any thread.
        end: ends the request, for a reason.
    """

    def __init__(
        self, asked: Asked, changed: Callable[[], None], end: Callable[[Ticket, FinishReason], None]
    ) -> None:
        self.asked, self.problem = asked, ""
        self.began: float | None = None
        self._changed, self._end = changed, end
        self._lock = threading.Lock()
        self._texts = {key: Written(n_params=model.n_params) for key, model in asked.models.items()}
        self._again: dict[str, str] = {}

    def snapshot(self) -> Snapshot:
        """The texts as they are."""
        with self._lock:
            return dict(self._texts)

    @property
    def done(self) -> bool:
        """Whether no more will come."""
        return bool(self.problem) or all(text.finish_reason for text in self.snapshot().values())

    def end(self, reason: FinishReason) -> None:
        """Write no more of it; it may have ended already."""
        self._end(self, reason)

    # What follows is the writers' part.

    def wait_at(self, place: int) -> None:
        """Note the place in line; 0 lets it begin."""
        with self._lock:
            self._texts = {key: dataclasses.replace(text, place=place) for key, text in self._texts.items()}
        if not place:
            self.began = time.monotonic()
        self._changed()

    def take(self, key: str, chunk: Chunk) -> None:
        """Add what was written. A text that is written for the second time grows once it is longer than before."""
        with self._lock:
            before = self._texts[key]
            if before.finish_reason:
                return
            if key in self._again:
                self._again[key] += chunk.text
                if not self._again[key].startswith(before.text):
                    chunk = dataclasses.replace(chunk, text="")
                else:
                    chunk = dataclasses.replace(chunk, text=self._again.pop(key)[len(before.text) :])
            self._texts[key] = before.after(chunk)
        self._changed()

    def rewrite(self, key: str) -> None:
        """A text is written again from its beginning: its seed gives the same characters."""
        with self._lock:
            self._again[key] = ""

    def close(self, reason: FinishReason, problem: str = "") -> None:
        """Give every text that has no end this one."""
        with self._lock:
            self.problem = problem
            self._texts = {key: text.ended(reason) for key, text in self._texts.items()}
        self._changed()
