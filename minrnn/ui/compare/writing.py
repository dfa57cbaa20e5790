"""What a page or a script asks to be written, checked once, and the writing itself."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Interval

from minrnn.checked import Checked, from_mapping, shown
from minrnn.config import Sampling
from minrnn.errors import CheckpointError, MinrnnError
from minrnn.learn import Learning
from minrnn.library import COMMITTEE, HUB, Entry, Library
from minrnn.runs.request import names
from minrnn.serving.ticket import Asked
from minrnn.serving.writers import Writers
from minrnn.settings import MAX_SNAPSHOTS_PER_S, MAX_WRITING_S
from minrnn.side_by_side import Snapshot, check_prompt, folded_for
from minrnn.ui.listeners import Listeners, Visit, unheard

ALL = "all"
YIELD_S = 0.05
"""Seconds between two snapshots: a browser shows no more than that."""
LOOK_UP_S = 0.25
"""Seconds without news after which a request looks whether it is still wanted."""
FINISH_LINE = 80
"""Characters beyond its length in which a text on the page may reach the end of a line."""


@dataclass(frozen=True)
class Served:
    """What the app hands to every handler that writes.

    Attributes:
        writers: what writes.
        listeners: who listens.
    """

    writers: Writers
    listeners: Listeners


@dataclass(frozen=True)
class WriteRequest(Checked):
    """What to write. The fields of `Sampling` are here by the same names.

    Attributes:
        prompt: the text to continue.
        models: "all", or names: a list, or a text with commas between them; "committee" is all of them together.
        preset: which weights.
        sampling: how characters are drawn, and how many.
        learn: times that a copy of each model learns the prompt before it writes; 0 is off.
        learn_rate: the rate of these lessons.
        extra: further models that may be among the chosen ones, by key.
    """

    prompt: str
    sampling: Sampling
    models: list[str] = field(default_factory=lambda: [ALL])
    preset: str = "base"
    learn: Annotated[int, Interval(ge=0, le=5)] = 0
    learn_rate: Annotated[float, Interval(ge=1e-6, le=1)] = 0.05
    extra: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", names(self.models))
        check_prompt(self.prompt)
        super().__post_init__()

    def entries(self, library: Library) -> list[Entry]:
        """The models, in the order they are shown. A further one that can be read no more is left out, see `gone`.

        Raises:
            CheckpointError: if one is not here, none is chosen, or none of those that are can be read any more.
        """
        further = [key for key in self.extra if key in self.models]
        own = [name for name in self.models if name not in self.extra]
        if own == [ALL]:
            own = [name for name in library.models(self.preset) if name != COMMITTEE]
        entries = library.choose(self.preset, own) if own or not further else []
        entries = entries + library.readable(further)
        if not entries:
            raise CheckpointError(f"{self.gone(entries)} Tick another model.")
        return entries

    def gone(self, entries: Sequence[Entry]) -> str:
        """Which of the chosen further models are not among the entries, in a sentence; empty where all are."""
        found = {entry.key for entry in entries}
        lost = [shown(_name(key)) for key in self.extra if key in self.models and key not in found]
        if not lost:
            return ""
        be = "model {} is" if len(lost) == 1 else "models {} are"
        return f"{be.format(', '.join(lost))} gone: deleted, or not to be had from the Hub now."

    @property
    def learning(self) -> Learning | None:
        """The lessons before the writing; None for none."""
        return Learning(self.learn, self.learn_rate) if self.learn else None


def _name(key: str) -> str:
    """What a person calls a further model: its repository, or the run that its folder belongs to."""
    return key.removeprefix(HUB) if key.startswith(HUB) else Path(key).parent.name


def request(values: dict[str, Any]) -> WriteRequest:
    """A request from values by name; None keeps a default.

    Raises:
        ConfigError: for a value that cannot be.
    """
    given = {name: value for name, value in values.items() if value is not None}
    drawn = {f.name for f in dataclasses.fields(Sampling)}
    sampling = from_mapping(Sampling, {name: value for name, value in given.items() if name in drawn})
    return from_mapping(
        WriteRequest,
        {name: value for name, value in given.items() if name not in drawn} | {"sampling": sampling},
    )


@dataclass(frozen=True)
class Writing:
    """A request that is being written.

    Attributes:
        entries: the models.
        prompts: for every key the prompt in the model's own characters.
        note: which models are gone, and what had to be changed in the prompt; empty if nothing.
    """

    entries: list[Entry]
    prompts: dict[str, str]
    note: str


def prepare(asked: WriteRequest, library: Library) -> Writing:
    """Find the models and fold the prompt for each. It may read from disk or the Hub.

    Raises:
        CheckpointError: if one of the models is not here.
    """
    entries = asked.entries(library)
    folded = {entry.key: folded_for(entry.model, asked.prompt) for entry in entries}
    notes = dict.fromkeys([asked.gone(entries), *(text.note for text in folded.values())])
    note = " ".join(one for one in notes if one)
    return Writing(entries, {key: text.text for key, text in folded.items()}, note)


async def snapshots(
    asked: WriteRequest,
    begun: Writing,
    writers: Writers,
    visit: Visit,
    should_stop: Callable[[], bool] = lambda: False,
    deadline_s: float = MAX_WRITING_S,
) -> AsyncIterator[Snapshot]:
    """Let the models write, for as long as the visitor listens.

    Args:
        asked: the request.
        begun: the request, prepared.
        writers: what writes.
        visit: who asks.
        should_stop: all texts end once it returns True.
        deadline_s: seconds of writing after which all texts end.

    Yields:
        A snapshot at once, then one every YIELD_S, or less often where many visitors write, then a last one in which
        every text has a finish_reason.

    Raises:
        BusyError: if the visitor asks for too much at once, or the line is too long.
        MinrnnError: if a text cannot be written, or nobody listens.
    """
    if not await visit.comes():
        raise unheard()
    models = {entry.key: entry.model for entry in begun.entries}
    loop, news = asyncio.get_running_loop(), asyncio.Event()

    def changed() -> None:
        with suppress(RuntimeError):  # the loop has ended with the app
            loop.call_soon_threadsafe(news.set)

    ticket = writers.begin(
        Asked(visit.visitor, models, begun.prompts, asked.sampling, asked.learning), changed
    )
    try:
        yield ticket.snapshot()
        while not ticket.done:
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), LOOK_UP_S)
            if should_stop():
                ticket.end("stopped")
            elif visit.is_over():
                return
            elif ticket.began is not None and time.monotonic() >= ticket.began + deadline_s:
                ticket.end("deadline")
            if news.is_set() and not ticket.done:
                news.clear()
                yield ticket.snapshot()
                await asyncio.sleep(max(YIELD_S, writers.visitors / MAX_SNAPSHOTS_PER_S))
        if ticket.problem:
            raise MinrnnError(f"a text could not be written: {ticket.problem}")
        yield ticket.snapshot()
    finally:
        ticket.end("stopped")
