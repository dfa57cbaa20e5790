"""`python -m minrnn repetition`: how much of what models write they have written before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from minrnn import checkpoint
from minrnn.cli import terminal
from minrnn.results import figures, repetition, tables

PAGE, SECTION = "replication.md", "repetition"
"""Where the table stands in the documents."""


@dataclass(frozen=True)
class RepetitionFlags:
    """Measure how much of what checkpoints write they have written before.

    Attributes:
        checkpoints: folders, or user/repo; the bundled ones if none is named.
        chars: characters that each writes.
        seed: of the draws.
        docs: renew the table in the documents of this folder, too.
    """

    checkpoints: tyro.conf.Positional[tuple[str, ...]] = ()
    chars: int = repetition.CHARS
    seed: int = 0
    docs: Path | None = None


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if a checkpoint cannot be loaded, a value is out of range, or the document is not there or lacks
            its markers.
    """
    torch.set_num_threads(1)  # a step is too small to share
    flags = tyro.cli(RepetitionFlags, args=words, prog="python -m minrnn repetition")
    if flags.docs is not None:
        tables.check(flags.docs / PAGE, [SECTION])
    refs = flags.checkpoints or tuple(str(result.folder) for result in figures.bundled())
    rows = []
    for ref in refs:
        model = checkpoint.load(ref).model
        rows.append((ref, repetition.measure(model, chars=flags.chars, seed=flags.seed)))
    shown = repetition.shares_table([(_short(ref), measured) for ref, measured in rows])
    terminal.say(shown)
    if flags.docs is not None:
        tables.fill(flags.docs / PAGE, {SECTION: shown})


def _short(ref: str) -> str:
    """A bundled checkpoint as it is named on the command line."""
    path = Path(ref)
    return f"checkpoints/{path.parent.name}/{path.name}" if checkpoint.BUNDLED in path.parents else ref
