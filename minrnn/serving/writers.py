"""Writing for many visitors at once. The app makes one `Writers` and hands it to whoever writes.

The texts of a request are spread over the workers, each of which shares its time by visitor (`turns.py`). More visitors
than there are places wait in line (`line.py`). A worker that dies is replaced, and its texts are written again: a seed
gives the same text, so a visitor sees nothing but a pause.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from weakref import WeakKeyDictionary

from minrnn import settings
from minrnn.errors import BusyError
from minrnn.generate import FinishReason
from minrnn.models import CharModel, LanguageModel
from minrnn.serving.line import Line
from minrnn.serving.process import Start, Worker, forked, held_bytes, may_fork, spawned
from minrnn.serving.store import Store, parts
from minrnn.serving.ticket import Asked, Ticket
from minrnn.serving.worker import Answer, Begin, Drop, Wrote

MAX_TRIES = 2
"""Times that a text is begun. One that kills its worker twice would do so again."""
MAX_DEATHS, DEATHS_S = 5, 60.0
"""Workers that are replaced within so many seconds."""


@dataclass
class _Text:
    """A text that is being written."""

    ticket: Ticket
    key: str
    worker: Worker
    tries: int = 1


class Writers:
    """Lets models write for many visitors at once.

    Args:
        models: those at hand at the start; further ones reach the workers when they are first asked for.
        processes: workers; 0 writes in a thread of this process.
        places: visitors who write at once.
        fork: let the first workers share this process's memory, where that is safe.
    """

    def __init__(
        self,
        models: Iterable[CharModel] = (),
        processes: int = 0,
        places: int = settings.MAX_VISITORS,
        fork: bool = True,
    ) -> None:
        own = dict.fromkeys(part for model in models for part in parts(model))
        self._count = itertools.count()
        self._numbers: WeakKeyDictionary[LanguageModel, int] = WeakKeyDictionary()
        self._at_start = {self._number(model): model for model in own}
        self._store = Store(self._at_start)
        self._lock = threading.RLock()
        self._closed = False
        self._deaths: list[float] = []
        self._texts: dict[int, _Text] = {}
        self._line = Line[Ticket](places, settings.MAX_IN_LINE, settings.MAX_REQUESTS_EACH)
        self._within: Worker | None = None  # in a thread of this process
        self._room = settings.MAX_SENT_BYTES // max(1, processes)
        self._workers: list[Worker] = []
        if processes and fork and may_fork():
            self._store.prepare()
            for _ in range(processes):
                self._workers.append(self._worker(forked(self._store, self._workers), self._at_start))
        else:
            self._workers += [self._worker(spawned) for _ in range(processes)]
        for worker in self._workers:
            worker.listen()

    def __enter__(self) -> Writers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """Ids of the worker processes."""
        with self._lock:
            return [worker.pid for worker in self._workers if worker.pid is not None]

    @property
    def visitors(self) -> int:
        """Visitors whose texts are being written."""
        with self._lock:
            return self._line.writing

    def begin(self, asked: Asked, changed: Callable[[], None] = lambda: None) -> Ticket:
        """Write what is asked, now or when its turn in line comes. A request without texts takes no place in it.

        Args:
            asked: the request.
            changed: called whenever there is something new, in any thread; it must return soon.

        Raises:
            BusyError: if the visitor asks for too much at once, the line is too long, or too many copies of models
                would learn prompts.
        """
        ticket = Ticket(asked, changed, self._end)
        if ticket.done:  # nothing will ever be written, so nothing would end it
            return ticket
        with self._lock:
            _check_copies(asked, [other.asked for other in self._line.requests()])
            if self._line.join(asked.visitor, ticket):
                self._start(ticket)
            else:
                ticket.wait_at(self._line.position(asked.visitor))
        return ticket

    def close(self) -> None:
        """End all workers, and every text with them."""
        with self._lock:
            self._closed = True
            workers = [*self._workers, *([self._within] if self._within else [])]
            tickets = {id(text.ticket): text.ticket for text in self._texts.values()}
            self._texts.clear()
        for ticket in [*tickets.values(), *self._line.waiting()]:
            ticket.close("stopped")
        for worker in workers:
            worker.close()

    def _number(self, model: LanguageModel) -> int:
        if model not in self._numbers:
            self._numbers[model] = next(self._count)
        return self._numbers[model]

    def _worker(self, process: Start | None, models: Iterable[int] = ()) -> Worker:
        return Worker(process, self._store, models, self._room, self._answered, self._lost)

    def _start(self, ticket: Ticket) -> None:
        ticket.wait_at(0)
        for key in ticket.asked.models:
            self._write(next(self._count), _Text(ticket, key, self._free(ticket.asked.models[key])))

    def _free(self, model: CharModel) -> Worker:
        """The worker with the fewest texts. A model on another device than the CPU stays in this process."""
        if self._workers and model.device.type == "cpu":
            return min(self._workers, key=lambda worker: worker.load)
        if self._within is None:
            self._within = self._worker(None, self._at_start)
            self._within.listen()
        return self._within

    def _write(self, number: int, text: _Text) -> None:
        asked = text.ticket.asked
        self._texts[number] = text
        text.worker.load += 1
        models = text.worker.give({self._number(part): part for part in parts(asked.models[text.key])})
        path = (*asked.visitor, id(text.ticket), text.key)
        prompt = asked.prompts[text.key]
        text.worker.tell(Begin(number, path, models, prompt, asked.sampling, asked.learning))

    def _answered(self, worker: Worker, answer: Answer) -> None:
        """What a worker has sent, in that worker's thread."""
        with self._lock:
            text = self._texts.get(answer.text)
            if text is None or text.worker is not worker:
                return
            if isinstance(answer, Wrote):
                text.ticket.take(text.key, answer.chunk)
                if answer.chunk.finish_reason:
                    self._forget(answer.text)
                    self._leave_if_done(text.ticket)
            else:
                self._end(text.ticket, "stopped", answer.problem)

    def _leave_if_done(self, ticket: Ticket) -> None:
        if ticket.done:
            for admitted in self._line.leave(ticket.asked.visitor, ticket):
                self._start(admitted)
            for waiting in self._line.waiting():
                waiting.wait_at(self._line.position(waiting.asked.visitor))

    def _end(self, ticket: Ticket, reason: FinishReason, problem: str = "") -> None:
        with self._lock:
            if ticket.done:
                return
            ticket.close(reason, problem)
            for number in [number for number, text in self._texts.items() if text.ticket is ticket]:
                self._texts[number].worker.tell(Drop(number))
                self._forget(number)
            self._leave_if_done(ticket)

    def _forget(self, number: int) -> None:
        self._texts.pop(number).worker.load -= 1

    def _lost(self, worker: Worker) -> None:
        """Replace a worker that has died, and write its texts again."""
        with self._lock:
            if self._closed:
                return
            self._replace(worker)
            for number, text in [item for item in self._texts.items() if item[1].worker is worker]:
                if number not in self._texts:  # its request has ended for another of its texts
                    continue
                self._forget(number)
                self._again(text)

    def _replace(self, worker: Worker) -> None:
        """Start another in its place, unless they keep dying: then the rest write on, or this process does."""
        if worker is self._within:
            self._within = None
            return
        self._workers.remove(worker)
        self._deaths = [at for at in self._deaths if at > time.monotonic() - DEATHS_S] + [time.monotonic()]
        another = len(self._deaths) <= MAX_DEATHS
        logging.getLogger(__name__).error(
            "process %s, which wrote texts, has died; %s",
            worker.pid,
            "another begins" if another else "too many have",
        )
        if another:
            self._workers.append(self._worker(spawned))
            self._workers[-1].listen()

    def _again(self, text: _Text) -> None:
        if text.tries >= MAX_TRIES:
            self._end(
                text.ticket,
                "stopped",
                "what writes the texts broke down twice over this one; ask for another.",
            )
            return
        text.ticket.rewrite(text.key)
        other = self._free(text.ticket.asked.models[text.key])
        self._write(next(self._count), _Text(text.ticket, text.key, other, text.tries + 1))


def _check_copies(asked: Asked, others: Iterable[Asked]) -> None:
    """Keep the copies that learn prompts within their bound: each text has its own until it ends.

    Raises:
        BusyError: if all copies together would be too large. One request alone is never refused.
    """
    taken, wanted = sum(_copies(other) for other in others), _copies(asked)
    if taken and wanted and taken + wanted > settings.MAX_LEARNING_BYTES:
        raise BusyError(
            f"models that learn prompts take {taken / 1e6:,.0f} MB already, these would take {wanted / 1e6:,.0f} more, "
            f"and {settings.MAX_LEARNING_BYTES / 1e6:,.0f} is the limit; try again in a minute, or without learning."
        )


def _copies(asked: Asked) -> int:
    """Bytes of the copies that learn, each with its weights made ready."""
    if asked.learning is None:
        return 0
    return sum(held_bytes(part) for model in asked.models.values() for part in parts(model))
