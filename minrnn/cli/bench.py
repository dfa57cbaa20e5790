"""`python -m minrnn bench`: speed and memory of this machine."""

from __future__ import annotations

import tyro

from minrnn.bench import speed
from minrnn.cli import terminal


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if a checkpoint cannot be read, or a training that is measured fails.
    """
    for line in speed.run(tyro.cli(speed.Bench, args=words, prog="python -m minrnn bench")):
        terminal.say(line)
