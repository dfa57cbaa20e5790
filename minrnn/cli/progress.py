"""A training run on the terminal: a bar with loss, rate and time left; plain lines where there is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from minrnn.cli import terminal
from minrnn.config import TrainConfig
from minrnn.events import Teaching
from minrnn.train import Done, Eval, Event, Iter, Sample


def show(events: Iterator[Event], config: TrainConfig, out: Path) -> None:
    """Follow a run to its end, printing as it goes. The run goes on where printing fails."""
    if not sys.stdout.isatty():
        for event in events:
            if line := _line(event, out):
                terminal.mention(line)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=terminal.Patient())
    task = bar.add_task("starting", total=_total(config))
    with suppress(OSError):
        bar.start()
    try:
        for event in events:
            with suppress(OSError):
                _draw(bar, task, event, config, out)
    finally:
        with suppress(OSError):
            bar.stop()


def _draw(bar: Progress, task: TaskID, event: Event, config: TrainConfig, out: Path) -> None:
    if isinstance(event, Iter):
        bar.update(task, completed=_spent(event, config), description=_rate(event))
    else:
        bar.console.print(_line(event, out), markup=False, emoji=False, highlight=False)


def _total(config: TrainConfig) -> float | None:
    """The budget in its own unit: iters where there are any, else seconds."""
    return config.max_iters or config.max_seconds or None


def _spent(event: Iter, config: TrainConfig) -> float:
    return event.iter if config.max_iters else event.seconds


def _rate(event: Iter) -> str:
    per_second = event.tokens / event.seconds if event.seconds else 0.0
    return f"iter {event.iter}  loss {event.loss:.3f}  {per_second:,.0f} chars/s"


def _line(event: Event, out: Path) -> str:
    match event:
        case Teaching():
            return f"the teachers have read {event.chars:,} of {event.total:,} characters"
        case Eval():
            right = "" if event.accuracy is None else f"  accuracy {event.accuracy:.3f}"
            return f"iter {event.iter:>6}  val_loss {event.val_loss:.4f} (estimate){right}  {event.seconds:.0f} s"
        case Sample():
            return f"--- sample at iter {event.iter}\n{event.text}\n---"
        case Done():
            return f"done at iter {event.iter}: {event.reason}. The model is in {out / 'model'}"
    return ""
