"""`python -m minrnn bench`: speed and memory of this machine, and its parts: `bench decode` measures writing alone,
`bench length` endless text, `bench scaling` a training step against its length, `bench start` the app."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import tyro

from minrnn.bench import decode, length, scaling, speed, start
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
    for line in speed.run(tyro.cli(speed.Bench, args=words, prog="python -m minrnn bench")):
        terminal.say(line)


def _decode(words: list[str]) -> None:
    flags = tyro.cli(decode.Decode, args=words, prog="python -m minrnn bench decode")
    if flags.json:
        terminal.say(json.dumps(decode.figures(flags)))
        return
    for line in decode.lines(flags):
        terminal.say(line)


def _length(words: list[str]) -> None:
    flags = tyro.cli(length.LengthFlags, args=words, prog="python -m minrnn bench length")
    found = list(length.measure_all(flags))
    if flags.save:
        length_results.save(found, flags, datetime.now(UTC).date().isoformat())
    terminal.say(json.dumps(length.as_json(found, flags)) if flags.json else "\n".join(length.table(found)))


def _scaling(words: list[str]) -> None:
    flags = tyro.cli(scaling.ScalingFlags, args=words, prog="python -m minrnn bench scaling")
    found = list(scaling.measure_all(flags))
    if flags.save:
        scaling_results.save(found, flags, datetime.now(UTC).date().isoformat())
    terminal.say(json.dumps(scaling.as_json(found, flags)) if flags.json else "\n".join(scaling.table(found)))


def _start(words: list[str]) -> None:
    flags = tyro.cli(start.StartFlags, args=words, prog="python -m minrnn bench start")
    if flags.json:
        terminal.say(json.dumps(start.figures(flags)))
        return
    for line in start.lines(flags):
        terminal.say(line)


PARTS = {"decode": _decode, "length": _length, "scaling": _scaling, "start": _start}
