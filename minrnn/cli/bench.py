"""`python -m minrnn bench`: speed and memory of this machine. `bench decode` measures writing alone."""

from __future__ import annotations

import json

import tyro

from minrnn.bench import decode, speed
from minrnn.cli import terminal


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


PARTS = {"decode": _decode}
