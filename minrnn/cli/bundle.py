"""`python -m minrnn bundle`: make a finished run's model the bundled one of its preset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from minrnn.cli import terminal
from minrnn.hub import uploads
from minrnn.runs.saving import model_of


@dataclass(frozen=True)
class BundleFlags:
    """Make a finished run's model the bundled one of its preset.

    Attributes:
        run: the run's folder, or a checkpoint's.
    """

    run: tyro.conf.Positional[Path]


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        CheckpointError: if the folder does not hold a whole, scored model.
    """
    flags = tyro.cli(BundleFlags, args=words, prog="python -m minrnn bundle")
    terminal.say(str(uploads.bundle(model_of(flags.run))))
