"""What writes: a loop that gives every text a slice of time in turn and sends what was written.

It runs in a process of its own, or in a thread where there is none. It reads messages from a connection, answers with
`Wrote` or `Failed`, and ends when the connection does, so nothing outlives the app.
"""

from __future__ import annotations

import gc
import logging
import pickle
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from minrnn.config import Sampling
from minrnn.generate import Chunk, one_slice
from minrnn.learn import Learning
from minrnn.models import LanguageModel
from minrnn.serving.channel import Channel
from minrnn.serving.store import Numbers, Store
from minrnn.serving.turns import Path, Turns
from minrnn.side_by_side import taught

SLICE_S = 0.02
"""Length of a turn; the first one ends with the first character."""


@dataclass(frozen=True)
class Begin:
    """Write a text.

    Attributes:
        text: its number, in the answers.
        path: whose it is, for its share of time.
        models: which model, or which committee.
        prompt: in the model's own characters.
        sampling: how characters are drawn, and how many.
        learning: the lessons before the writing, if any.
    """

    text: int
    path: Path
    models: Numbers
    prompt: str
    sampling: Sampling
    learning: Learning | None = None


@dataclass(frozen=True)
class Drop:
    """Write no more of a text; one that has ended is no mistake."""

    text: int


@dataclass(frozen=True)
class Load:
    """Take a model in, and let others go for it.

    Attributes:
        number: its number.
        model: the model, pickled where another process takes it, or torch would share the weights' memory. No bytes at
            all say that it could not be sent.
        forget: numbers of those that go.
    """

    number: int
    model: LanguageModel | bytes
    forget: tuple[int, ...] = ()


Message = Begin | Drop | Load


@dataclass(frozen=True)
class Wrote:
    """What a text has got in a turn."""

    text: int
    chunk: Chunk


@dataclass(frozen=True)
class Failed:
    """A text cannot be written."""

    text: int
    problem: str


Answer = Wrote | Failed


def run(connection: Channel, store: Store | None, inherited: Sequence[Channel] = ()) -> None:
    """The process's whole life.

    Args:
        connection: to the app.
        store: the models that a forked process shares; None where it starts with none.
        inherited: what a fork has copied of the app's connections, which would keep other processes from noticing
            that the app has ended.
    """
    for copy in inherited:
        copy.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the app's; this process ends with its connection
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # a collection would copy the pages that the processes share
    torch.set_num_threads(1)
    work(connection, store or Store({}))


def work(connection: Channel, store: Store) -> None:
    """Write what is asked until the connection ends."""
    loop = _Loop(connection, store)
    try:
        while True:
            loop.turn()
    except (EOFError, OSError):  # the app has closed it, or is gone
        pass
    finally:
        connection.close()


class _Loop:
    def __init__(self, connection: Channel, store: Store) -> None:
        self.connection, self.store = connection, store
        self.turns = Turns[tuple[int, Iterator[Chunk]]]()
        self.paths: dict[int, Path] = {}
        self.begun: set[int] = set()

    def turn(self) -> None:
        """Read what has come, waiting if there is nothing else to do, and give one text its slice."""
        while not self.turns or self.connection.poll():
            self.take(self.connection.recv())
        path, (text, chunks) = self.turns.next()
        started = time.perf_counter()
        chunk, problem = self.slice(text, chunks)
        self.turns.charge(path, time.perf_counter() - started)
        if chunk is None or chunk.finish_reason:
            self.drop(text)
        if chunk is None:
            self.connection.send(Failed(text, problem))
        elif chunk.text or chunk.learn_s:
            self.connection.send(Wrote(text, chunk))

    def slice(self, text: int, chunks: Iterator[Chunk]) -> tuple[Chunk | None, str]:
        """A turn's text, or why there is none. Whatever is wrong with one text, the others are written."""
        try:
            chunk = one_slice(chunks, SLICE_S if text in self.begun else 0.0)
            if chunk is not None and chunk.text:
                self.begun.add(text)
            return chunk, "it ended without a last character"
        except Exception as error:
            logging.getLogger(__name__).exception("a text could not be written")
            return None, f"{type(error).__name__}: {error}"

    def take(self, message: Message | None) -> None:
        """Do what a message says; None says that there is no more to do."""
        if message is None:
            raise EOFError
        if isinstance(message, Load):
            self.load(message)
        elif isinstance(message, Drop):
            self.drop(message.text)
        else:
            self.begin(message)

    def load(self, message: Load) -> None:
        """Take a model in."""
        self.store.forget(message.forget)
        if message.model != b"":
            model = pickle.loads(message.model) if isinstance(message.model, bytes) else message.model
            self.store.put(message.number, model)

    def begin(self, asked: Begin) -> None:
        """Let a text take turns. Its model is found now: before its first turn it may have to go for another."""
        try:
            model, stepper = self.store.get(asked.models)
        except Exception:  # it could not be sent, or there is no memory to make its weights ready
            logging.getLogger(__name__).exception("a text could not be begun")
            self.connection.send(Failed(asked.text, "its model could not be loaded; try again in a minute."))
            return
        self.paths[asked.text] = asked.path
        chunks = taught(model, asked.prompt, asked.sampling, stepper, asked.learning)
        self.turns.add(asked.path, (asked.text, chunks))

    def drop(self, text: int) -> None:
        self.begun.discard(text)
        if path := self.paths.pop(text, None):
            self.turns.remove(path)
