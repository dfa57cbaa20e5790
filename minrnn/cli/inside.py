"""`python -m minrnn inside`: measure what is inside the bundled models, and renew docs/inside.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from minrnn import checkpoint, corpora
from minrnn.cli import terminal
from minrnn.errors import MinrnnError
from minrnn.models import MODEL_NAMES, disk
from minrnn.results import inside, tables


@dataclass(frozen=True)
class InsideFlags:
    """Measure the bundled models on the validation split (minutes for each), or renew docs/inside.md only.

    Attributes:
        action: measure, then report; or report: renew the tables from the stored figures.
        models: those to measure; all bundled ones if none is named.
        docs: folder of the documents.
        figures: file of the stored figures.
    """

    action: tyro.conf.Positional[Literal["measure", "report"]]
    models: tyro.conf.Positional[tuple[str, ...]] = ()
    docs: Path = Path("docs")
    figures: Path = inside.STORED


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if a model is not bundled, the text cannot be had, or the page is not there or lacks its markers.
    """
    flags = tyro.cli(InsideFlags, args=words, prog="python -m minrnn inside")
    tables.check(flags.docs / inside.PAGE, inside.sections({}))
    for name in _chosen(flags.models) if flags.action == "measure" else ():
        figures = inside.measure(name, corpora.load("tinyshakespeare"))
        stored = {**inside.load(flags.figures), name: figures}
        inside.save({key: stored[key] for key in MODEL_NAMES if key in stored}, flags.figures)
        terminal.say(
            f"{name}: {figures.streaming} carried, {figures.learning} while learning at {figures.rate}"
        )
    changed = inside.renew(flags.docs, inside.load(flags.figures))
    terminal.say(f"{flags.docs / inside.PAGE}: {'renewed' if changed else 'nothing to change'}")


def _chosen(names: tuple[str, ...]) -> list[str]:
    """The models to measure.

    Raises:
        MinrnnError: if one is not bundled.
    """
    there = [
        name for name in MODEL_NAMES if (checkpoint.bundled(inside.PRESET, name) / disk.WEIGHTS).is_file()
    ]
    if unknown := [name for name in names if name not in there]:
        raise MinrnnError(f"{unknown[0]!r} is not bundled; choose among: {', '.join(there)}.")
    return [name for name in there if name in names] if names else there
