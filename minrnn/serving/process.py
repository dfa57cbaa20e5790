"""The app's side of one worker: how it is started, what is sent to it, and what it answers.

Where the system forks safely (Linux, at the app's start, before there are threads), a worker shares the app's memory:
the models, the libraries, and the weights that were made ready. Elsewhere, and in a dead one's place, it starts from
nothing and is sent each model when it is first asked for.
"""

from __future__ import annotations

import logging
import multiprocessing
import pickle
import queue
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeAlias

from minrnn.models import LanguageModel
from minrnn.serving import channel, worker
from minrnn.serving.channel import Channel
from minrnn.serving.store import Numbers, Store
from minrnn.serving.worker import Answer, Load, Message

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
        room: bytes of the models that were sent to it and are kept there, weights and what is made ready of them; the
            one that was not used longest goes first.
        answered: called with each answer, in a thread of this worker's.
        ended: called when it has ended without being closed, in the same thread.
    """

    def __init__(
        self,
        process: Start | None,
        store: Store,
        numbers: Iterable[int],
        room: int,
        answered: Callable[[Worker, Answer], None],
        ended: Callable[[Worker], None],
    ) -> None:
        self.load = 0
        self._own, self._room = frozenset(numbers), room
        self._sent: OrderedDict[int, int] = OrderedDict()
        self._answered, self._ended, self._closed = answered, ended, False
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self.connection: Channel
        self.process: BaseProcess | None = None
        if process is None:
            self.connection, within = channel.pair()
            threading.Thread(target=worker.work, args=(within, store), daemon=True).start()
        else:
            self.connection, theirs = multiprocessing.Pipe()
            self.process = process(self.connection, theirs)
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
            self._sent[number] = held_bytes(model)
            self._sent.move_to_end(number)
            if not known:
                self.tell(Load(number, model, tuple(self._too_many(models))))
        return tuple(models)

    def _too_many(self, needed: dict[int, LanguageModel]) -> list[int]:
        """Numbers of the models that must go, which are no longer counted as sent."""
        gone, held = [], sum(self._sent.values())
        for number in [n for n in self._sent if n not in needed]:
            if held <= self._room:
                break
            held -= self._sent.pop(number)
            gone.append(number)
        return gone

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
                self.connection.send(message if self.process is None else self._packed(message))
            self.connection.send(None)

    def _packed(self, message: Message) -> Message:
        """A message as another process takes it. It is done here, for a large model would hold up whoever asks."""
        if not isinstance(message, Load):
            return message
        try:
            return replace(message, model=pickle.dumps(message.model, pickle.HIGHEST_PROTOCOL))
        except (
            Exception
        ):  # there is no memory for it: the text fails in its worker, and the others are written
            logging.getLogger(__name__).exception(
                "a model could not be sent to the process that writes with it"
            )
            self._sent.pop(message.number, None)
            return replace(message, model=b"")

    def _receive(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                self._answered(self, self.connection.recv())
        if not self._closed:
            if self.process is not None:
                self.process.join(1)
            self._ended(self)


def held_bytes(model: LanguageModel) -> int:
    """Bytes that a worker holds for a model: its weights, and as much again for what is made ready of them."""
    return 2 * model.weight_bytes


def forked(store: Store, others: Sequence[Worker]) -> Start:
    """Makes a worker that shares this process's memory.

    Args:
        store: the models.
        others: the workers there are; the new one closes its copies of the app's connections to them.
    """
    copies: list[Channel] = [other.connection for other in others]
    return lambda ours, theirs: multiprocessing.get_context("fork").Process(
        target=worker.run, args=(theirs, store, [*copies, ours]), daemon=True, name="writer"
    )


def spawned(_: Connection, theirs: Connection) -> BaseProcess:
    """A worker that starts from nothing."""
    return multiprocessing.get_context("spawn").Process(
        target=worker.run, args=(theirs, None), daemon=True, name="writer"
    )
