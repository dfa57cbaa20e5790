"""The app's side of one worker: how it is started, what is sent to it, and what it answers.

Where the system forks safely (Linux, at the app's start, before there are threads), a worker shares the app's memory:
the models, the libraries, and the weights that were made ready. Elsewhere, and in a dead one's place, it starts from
nothing and is sent each model when it is first asked for.
"""

from __future__ import annotations

import multiprocessing
import pickle
import queue
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeAlias

from minrnn.models import LanguageModel
from minrnn.serving import worker
from minrnn.serving.store import Numbers, Store
from minrnn.serving.worker import Answer, Load, Message

SENT_KEPT = 16
"""Models that were sent to a worker and are kept there; the one that was not used longest goes first."""


Start: TypeAlias = Callable[[Connection, Connection], BaseProcess]
"""Makes a process, not yet started, from both ends of its connection."""


def may_fork() -> bool:
    """Whether a fork is safe now: on Linux, and while no other thread could hold a lock."""
    return sys.platform == "linux" and threading.active_count() == 1


class Worker:
    """One worker and its connection.

    Attributes:
        load: texts that it writes now, counted by its owner.

    Args:
        process: makes the process from the app's and the worker's end of their connection; None for a thread of this
            process.
        store: the models it has from the start.
        numbers: their numbers.
        answered: called with each answer, in a thread of this worker's.
        ended: called when it has ended without being closed, in the same thread.
    """

    def __init__(
        self,
        process: Start | None,
        store: Store,
        numbers: Iterable[int],
        answered: Callable[[Worker, Answer], None],
        ended: Callable[[Worker], None],
    ) -> None:
        self.load = 0
        self._store, self._own = store, frozenset(numbers)
        self._sent: OrderedDict[int, None] = OrderedDict()
        self._answered, self._ended, self._closed = answered, ended, False
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self.connection, theirs = multiprocessing.Pipe()
        self.process = None if process is None else process(self.connection, theirs)
        if self.process is None:
            threading.Thread(target=worker.work, args=(theirs, store), daemon=True).start()
        else:
            self.process.start()
            theirs.close()

    def listen(self) -> None:
        """Start the threads that send and receive. A fork must come before them."""
        for loop in (self._send, self._receive):
            threading.Thread(target=loop, daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The process's id; None for a thread."""
        return None if self.process is None else self.process.pid

    def tell(self, message: Message) -> None:
        """Send a message, without waiting."""
        self._queue.put(message)

    def give(self, models: dict[int, LanguageModel]) -> Numbers:
        """Send the models that the worker does not have. Returns their numbers."""
        for number, model in models.items():
            if number in self._own:
                continue
            known = number in self._sent
            self._sent[number] = None
            self._sent.move_to_end(number)
            if not known:
                self._load(number, model, tuple(self._too_many(models)))
        return tuple(models)

    def _too_many(self, needed: dict[int, LanguageModel]) -> list[int]:
        gone = [n for n in list(self._sent)[: max(0, len(self._sent) - SENT_KEPT)] if n not in needed]
        for number in gone:
            del self._sent[number]
        return gone

    def _load(self, number: int, model: LanguageModel, forget: tuple[int, ...]) -> None:
        if self.process is None:
            self._store.forget(forget)
            self._store.put(number, model)
        else:
            self.tell(Load(number, pickle.dumps(model, pickle.HIGHEST_PROTOCOL), forget))

    def close(self) -> None:
        """End it."""
        self._closed = True
        self._queue.put(None)
        if self.process is not None:
            self.process.join(1)
            self.process.kill()
            self.process.join()

    def _send(self) -> None:
        with suppress(OSError):  # it has ended; the other thread hears of it
            while message := self._queue.get():
                self.connection.send(message)
            self.connection.send(None)

    def _receive(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                self._answered(self, self.connection.recv())
        if not self._closed:
            if self.process is not None:
                self.process.join(1)
            self._ended(self)


def forked(store: Store, others: Sequence[Worker]) -> Start:
    """Makes a worker that shares this process's memory.

    Args:
        store: the models.
        others: the workers there are; the new one closes its copies of the app's connections to them.
    """
    copies = [other.connection for other in others]
    return lambda ours, theirs: multiprocessing.get_context("fork").Process(
        target=worker.run, args=(theirs, store, [*copies, ours]), daemon=True, name="writer"
    )


def spawned(_: Connection, theirs: Connection) -> BaseProcess:
    """A worker that starts from nothing."""
    return multiprocessing.get_context("spawn").Process(
        target=worker.run, args=(theirs, None), daemon=True, name="writer"
    )
