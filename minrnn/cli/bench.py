"""`python -m minrnn bench`: speed and memory of this machine.

Without a further word it measures writing, training and the scan with few rounds.

`bench decode` measures writing alone, `bench length` endless text, `bench scaling` a training step against its length,
`bench start` the app's start, `bench serve` many readers at once, `bench load` readers who come and go, `bench train`
training, `bench scan` the recurrence alone, and `bench gpu` a GPU.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import tyro

from minrnn.bench import decode, gpu, length, load, scaling, scan, serve, short, start, train
from minrnn.cli import terminal
from minrnn.results import length as length_results
from minrnn.results import scaling as scaling_results


def main(words: list[str]) -> None:
    """Run the command, or the one of its parts that the first word names.

    Raises:
        MinrnnError: if a checkpoint cannot be read, or a training that is measured fails.
    """
    if words and words[0] in PARTS:
        PARTS[words[0]](words[1:])
        return
    flags = tyro.cli(short.Short, args=words, prog="python -m minrnn bench")
    _say(short.figures(flags) if flags.json else short.lines(flags))


def _decode(words: list[str]) -> None:
    flags = tyro.cli(decode.Decode, args=words, prog="python -m minrnn bench decode")
    _say(decode.figures(flags) if flags.json else decode.lines(flags))


def _serve(words: list[str]) -> None:
    flags = tyro.cli(serve.Serve, args=words, prog="python -m minrnn bench serve")
    _say(serve.figures(flags) if flags.json else serve.lines(flags))


def _load(words: list[str]) -> None:
    flags = tyro.cli(load.Load, args=words, prog="python -m minrnn bench load")
    _say(load.figures(flags) if flags.json else load.lines(flags))


def _say(report: dict[str, object] | Iterable[str]) -> None:
    """Print plain data as JSON, lines as they come."""
    for line in [json.dumps(report)] if isinstance(report, dict) else report:
        terminal.say(line)


def _length(words: list[str]) -> None:
    flags = tyro.cli(length.LengthFlags, args=words, prog="python -m minrnn bench length")
    found = list(length.measure_all(flags))
    if flags.save:
        length_results.save(found, flags, datetime.now(UTC).date().isoformat())
    _say(length.as_json(found, flags) if flags.json else length.table(found))


def _train(words: list[str]) -> None:
    flags = tyro.cli(train.Train, args=words, prog="python -m minrnn bench train")
    _say(train.figures(flags) if flags.json else train.lines(flags))


def _scan(words: list[str]) -> None:
    flags = tyro.cli(scan.Scan, args=words, prog="python -m minrnn bench scan")
    _say(scan.figures(flags) if flags.json else scan.lines(flags))


def _gpu(words: list[str]) -> None:
    flags = tyro.cli(gpu.GpuFlags, args=words, prog="python -m minrnn bench gpu")
    plan = gpu.planned()
    _say(gpu.figures(plan, flags.seconds) if flags.json else gpu.lines(plan, flags.seconds))


def _scaling(words: list[str]) -> None:
    flags = tyro.cli(scaling.ScalingFlags, args=words, prog="python -m minrnn bench scaling")
    found = list(scaling.measure_all(flags))
    if flags.save:
        scaling_results.save(found, flags, datetime.now(UTC).date().isoformat())
    _say(scaling.as_json(found, flags) if flags.json else scaling.table(found))


def _start(words: list[str]) -> None:
    flags = tyro.cli(start.StartFlags, args=words, prog="python -m minrnn bench start")
    _say(start.figures(flags) if flags.json else start.lines(flags))


PARTS = {
    "decode": _decode,
    "gpu": _gpu,
    "length": _length,
    "load": _load,
    "scaling": _scaling,
    "scan": _scan,
    "serve": _serve,
    "start": _start,
    "train": _train,
}
