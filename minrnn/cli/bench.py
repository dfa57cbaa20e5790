"""`python -m minrnn bench`: speed and memory of this machine.

Without a further word it measures writing, training and the scan with few rounds.

`bench decode` measures writing alone, `bench length` endless text, `bench scaling` a training step against its length,
`bench start` the app's start, `bench serve` many readers at once, `bench load` readers who come and go, `bench train`
training, `bench sprint` a whole training in three minutes, `bench scan` the recurrence alone, and `bench gpu` a GPU.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import tyro

from minrnn.bench import decode, gpu, length, load, scaling, scan, serve, short, sprint, start, train
from minrnn.cli import terminal
from minrnn.results import length as length_results
from minrnn.results import scaling as scaling_results

Report = dict[str, object] | Iterable[str]
"""Plain data, or lines."""


def main(words: list[str]) -> None:
    """Run the command, or the one of its parts that the first word names.

    Raises:
        MinrnnError: if a checkpoint cannot be read, or a training that is measured fails.
    """
    name, *rest = words or [""]
    named = name in PARTS
    flags_class, report = PARTS[name] if named else (short.Short, _of(short))
    prog = "python -m minrnn bench" + f" {name}" * named
    flags = tyro.cli(flags_class, args=rest if named else words, prog=prog)
    said = report(flags)
    for line in [json.dumps(said)] if isinstance(said, dict) else said:
        terminal.say(line)


def _of(part: Any) -> Callable[[Any], Report]:
    """The report of a module that has `figures` and `lines`."""
    return lambda flags: part.figures(flags) if flags.json else part.lines(flags)


def _saving(part: Any, kept: Any) -> Callable[[Any], Report]:
    """The report of a module whose figures can be kept for the documents by `kept`."""

    def report(flags: Any) -> Report:
        found = list(part.measure_all(flags))
        if flags.save:
            kept.save(found, flags, datetime.now(UTC).date().isoformat())
        said: Report = part.as_json(found, flags) if flags.json else part.table(found)
        return said

    return report


def _gpu(flags: gpu.GpuFlags) -> Report:
    plan = gpu.planned()
    return gpu.figures(plan, flags.seconds) if flags.json else gpu.lines(plan, flags.seconds)


PARTS: dict[str, tuple[type[Any], Callable[[Any], Report]]] = {
    "decode": (decode.Decode, _of(decode)),
    "gpu": (gpu.GpuFlags, _gpu),
    "length": (length.LengthFlags, _saving(length, length_results)),
    "load": (load.Load, _of(load)),
    "scaling": (scaling.ScalingFlags, _saving(scaling, scaling_results)),
    "scan": (scan.Scan, _of(scan)),
    "serve": (serve.Serve, _of(serve)),
    "sprint": (sprint.SprintFlags, _of(sprint)),
    "start": (start.StartFlags, _of(start)),
    "train": (train.Train, _of(train)),
}
