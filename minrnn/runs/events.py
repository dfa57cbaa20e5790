"""What a run reports: the lines of metrics.jsonl, and what they add up to. The one reader of such lines."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import statistics
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from minrnn import train
from minrnn.files import read_json
from minrnn.train import Event

METRICS = "metrics.jsonl"
MAX_POINTS = 2_000
"""Most points of one trace that reach a page."""
LARGEST = 1e30
"""Numbers from here on, infinite ones and what is no number stand in a damaged line: no training goes on with them."""
KINDS: dict[str, type[Event]] = {
    "iter": train.Iter,
    "eval": train.Eval,
    "sample": train.Sample,
    "done": train.Done,
}
_READERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in KINDS.items()}
_SMOOTHING = 0.95
_RECENT_ITERS = 20


def to_line(event: Event) -> str:
    """An event as a line of metrics.jsonl, without its newline."""
    kind = next(name for name, cls in KINDS.items() if isinstance(event, cls))
    return json.dumps({"event": kind, **dataclasses.asdict(event)})


def from_line(line: str) -> Event | None:
    """The event of a line; None for one that is damaged, another tool's or a newer version's."""
    try:
        data = read_json(line)
        event: Event = _READERS[data["event"]].validate_python(data)
        if not all(map(_sound, data.values())):
            return None
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, ValidationError):
        return None
    return event


def _sound(value: Any) -> bool:
    """Whether a page can draw this: one number beyond all bounds in one line would blind the whole tab."""
    return not isinstance(value, int | float) or abs(value) < LARGEST


def read_events(path: Path) -> list[Event]:
    """The events in a metrics.jsonl or history.jsonl; none if there is no such file. What is no event is left out."""
    return _events(_whole_lines(path, 0))


def read_evals(path: Path) -> list[train.Eval]:
    """The evaluations among them. Other lines are not parsed: a long run has thousands, and a page waits for this."""
    lines = (line for line in _whole_lines(path, 0).split(b"\n") if b'"eval"' in line)
    found = (from_line(line.decode("utf-8", "replace")) for line in lines)
    return [event for event in found if isinstance(event, train.Eval)]


def last_event(path: Path) -> Event | None:
    """The last event of a file, without reading all of it."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, io.SEEK_END) - 65_536))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return None
    found = (from_line(line.decode("utf-8", "replace")) for line in reversed(lines))
    return next((event for event in found if event is not None), None)


@dataclass
class History:
    """Everything a run has reported, in order.

    Attributes:
        iters: every update.
        smooth: for every update, the moving average of the batch losses up to it, in nats per character.
        evals: every evaluation.
        samples: everything the model wrote on the way.
        done: how the run ended; None while it goes on, and after a kill.
    """

    iters: list[train.Iter] = field(default_factory=list)
    smooth: list[float] = field(default_factory=list)
    evals: list[train.Eval] = field(default_factory=list)
    samples: list[train.Sample] = field(default_factory=list)
    done: train.Done | None = None

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self.done = None
        match event:
            case train.Iter():
                self.smooth.append(self._smoothed(event.loss))  # first, so that no reader finds it missing
                self.iters.append(event)
            case train.Eval():
                self.evals.append(event)
            case train.Sample():
                self.samples.append(event)
            case train.Done():
                self.done = event

    def _smoothed(self, loss: float) -> float:
        """The average so far moved towards a loss; over the first iters it follows more closely."""
        seen = len(self.smooth)
        decay = min(_SMOOTHING, (1 + seen) / (10 + seen))
        return decay * self.smooth[-1] + (1 - decay) * loss if self.smooth else loss

    @property
    def iter_ms(self) -> float:
        """Milliseconds an update takes: the median of the last ones; NaN before the first."""
        recent = [event.iter_seconds for event in self.iters[-_RECENT_ITERS:]]
        return 1_000 * statistics.median(recent) if recent else math.nan

    @property
    def chars_per_s(self) -> float:
        """Characters an update reads, by the time it takes; NaN before the first."""
        if not self.iters or not (seconds := self.iters[-1].iter * self.iter_ms / 1_000):
            return math.nan
        return self.iters[-1].tokens / seconds


class Follower:
    """Reads a run's metrics.jsonl as it grows; a file that was cut back and went on is read anew.

    Args:
        out: the run's folder.
    """

    def __init__(self, out: Path) -> None:
        self._path = out / METRICS
        self._lock = threading.Lock()
        self._offset, self._tail, self._history = 0, b"", History()

    def poll(self) -> History:
        """The history up to now. The same object as long as the file only grows; only read it."""
        with self._lock:
            if not self._goes_on():
                self._offset, self._tail, self._history = 0, b"", History()
            whole = _whole_lines(self._path, self._offset)
            for event in _events(whole):
                self._history.add(event)
            self._offset += len(whole)
            self._tail = (self._tail + whole)[-256:]
            return self._history

    def _goes_on(self) -> bool:
        """Whether the bytes before the offset are still those that were read."""
        if not self._tail:
            return True
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset - len(self._tail))
                return file.read(len(self._tail)) == self._tail
        except OSError:
            return False


def thinned(count: int, limit: int = MAX_POINTS) -> list[int]:
    """Which of `count` points to draw: at most `limit`, evenly spread, the last one included.

    A point once drawn is drawn until the spacing doubles, so a growing curve does not flicker.
    """
    spacing = 1
    while count > (limit - 1) * spacing:
        spacing *= 2
    places = list(range(0, count, spacing))
    if count and places[-1] != count - 1:
        places.append(count - 1)
    return places


def to_csv(history: History) -> str:
    """A history as CSV: a line for every update and for every evaluation, losses in nats per character or answer."""
    names = [
        "iter",
        "tokens",
        "seconds",
        "train_loss",
        "lr",
        "grad_norm",
        "iter_seconds",
        "val_loss",
        "accuracy",
    ]
    rows: list[tuple[float | str, ...]] = [
        (e.iter, e.tokens, e.seconds, e.loss, e.lr, e.grad_norm, e.iter_seconds, "", "")
        for e in history.iters
    ]
    rows += [
        (e.iter, e.tokens, e.seconds, "", "", "", "", e.val_loss, "" if e.accuracy is None else e.accuracy)
        for e in history.evals
    ]
    rows.sort(key=lambda row: float(row[2]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()


def _whole_lines(path: Path, start: int) -> bytes:
    """The bytes from `start` up to the last newline; nothing if there is no such file."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            read = file.read()
    except OSError:
        return b""
    return read[: read.rfind(b"\n") + 1]


def _events(whole: bytes) -> list[Event]:
    found = (from_line(line) for line in whole.decode("utf-8", "replace").split("\n") if line)
    return [event for event in found if event is not None]
