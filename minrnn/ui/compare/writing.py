"""What a page or a script asks to be written, checked once, and the writing itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import gradio as gr
from annotated_types import Interval

from minrnn import side_by_side
from minrnn.checked import Checked, from_mapping
from minrnn.config import Sampling
from minrnn.learn import Learning
from minrnn.library import COMMITTEE, Entry, Library
from minrnn.runs.request import names
from minrnn.side_by_side import Snapshot, check_prompt, folded_for

ALL = "all"
FINISH_LINE = 80
"""Characters beyond its length in which a text on the page may reach the end of a line."""


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
        """The models, in the order they are shown.

        Raises:
            CheckpointError: if one is not here, or none is chosen.
        """
        further = [key for key in self.extra if key in self.models]
        own = [name for name in self.models if name not in self.extra]
        if own == [ALL]:
            own = [name for name in library.models(self.preset) if name != COMMITTEE]
        entries = library.choose(self.preset, own) if own or not further else []
        return entries + library.readable(further)

    @property
    def learning(self) -> Learning | None:
        """The lessons before the writing; None for none."""
        return Learning(self.learn, self.learn_rate) if self.learn else None


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
        note: what had to be changed in the prompt; empty if nothing.
        snapshots: what they have written, again and again.
    """

    entries: list[Entry]
    prompts: dict[str, str]
    note: str
    snapshots: Iterator[Snapshot]


def begin(asked: WriteRequest, library: Library, should_stop: Callable[[], bool] = lambda: False) -> Writing:
    """Let the models that are asked for write. Nothing is written before the first snapshot is taken.

    Raises:
        CheckpointError: if one of the models is not here.
    """
    entries = asked.entries(library)
    folded = {entry.key: folded_for(entry.model, asked.prompt) for entry in entries}
    prompts = {key: text.text for key, text in folded.items()}
    note = " ".join(dict.fromkeys(text.note for text in folded.values() if text.note))
    models = {entry.key: entry.model for entry in entries}
    steppers = {} if asked.learning else {entry.key: entry.stepper for entry in entries}
    snapshots = side_by_side.write(
        models, prompts, asked.sampling, asked.learning, should_stop=should_stop, steppers=steppers
    )
    return Writing(entries, prompts, note, snapshots)


class Stops:
    """When each open page last asked for a stop, in milliseconds of that page's own clock.

    A generation ends itself once its page has asked after the click that began it, also where that click
    still waits in the queue. Cancelling the event instead would race with what is on its way to the page.
    """

    def __init__(self) -> None:
        self._asked: dict[str, float] = {}

    def ask(self, at_ms: float, request: gr.Request) -> None:
        """Remember that a page wants what it began before this moment to end."""
        if isinstance(at_ms, int | float):
            self._asked[str(request.session_hash)] = at_ms

    def since(self, at_ms: float, request: gr.Request) -> bool:
        """Whether that page has asked for a stop after a moment."""
        return self._asked.get(str(request.session_hash), -1) >= at_ms

    def forget(self, request: gr.Request) -> None:
        """Forget a page that was closed; what it began has ended with it."""
        self._asked.pop(str(request.session_hash), None)
