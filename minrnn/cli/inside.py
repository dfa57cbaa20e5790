"""`python -m minrnn inside`: measure what is inside the bundled models, and renew docs/inside.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from minrnn import checkpoint, corpora
from minrnn.checked import shown
from minrnn.cli import terminal
from minrnn.errors import MinrnnError
from minrnn.library import PRESETS
from minrnn.models import MODEL_NAMES, disk
from minrnn.presets import DEFAULT_CORPUS
from minrnn.results import inside, inside_page, tables


@dataclass(frozen=True)
class InsideFlags:
    """Measure the bundled models on the validation split (minutes for each), or renew docs/inside.md only.

    Attributes:
        action: measure, then report; or report: renew the tables from the stored figures.
        models: those to measure; all bundled ones if none is named.
        preset: of those models; docs/inside.md holds the figures of `base`, the page those of what it starts with.
        docs: folder of the documents.
        figures: file of the stored figures.
    """

    action: tyro.conf.Positional[Literal["measure", "report"]]
    models: tyro.conf.Positional[tuple[str, ...]] = ()
    preset: str = inside.PRESET
    docs: Path = Path("docs")
    figures: Path = inside.STORED


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if a model is not bundled, the text cannot be had, the page is not there or lacks its markers, or
            the file of figures is damaged.
    """
    flags = tyro.cli(InsideFlags, args=words, prog="python -m minrnn inside")
    tables.check(flags.docs / inside_page.PAGE, inside_page.sections({}))
    inside.load(path=flags.figures)  # what cannot be read is found before minutes of measuring
    for name in _chosen(flags.preset, flags.models) if flags.action == "measure" else ():
        figures = inside.measure(name, corpora.load(DEFAULT_CORPUS), flags.preset)
        inside.save(flags.preset, name, figures, flags.figures)
        terminal.say(
            f"{name}: {figures.streaming} carried, {figures.learning} while learning at {figures.rate}"
        )
    found = inside.load(path=flags.figures)
    changed = inside_page.renew(flags.docs, found, inside.unmeasured(inside.PRESET, found))
    terminal.say(f"{flags.docs / inside_page.PAGE}: {'renewed' if changed else 'nothing to change'}")


def _chosen(preset: str, names: tuple[str, ...]) -> list[str]:
    """The models to measure.

    Raises:
        MinrnnError: if one is not bundled, or none of the preset is.
    """
    there = [name for name in MODEL_NAMES if (checkpoint.bundled(preset, name) / disk.WEIGHTS).is_file()]
    if not there:
        raise MinrnnError(f"no model of {shown(preset)} is bundled; choose one of: {', '.join(PRESETS)}.")
    if unknown := [name for name in names if name not in there]:
        raise MinrnnError(
            f"{shown(unknown[0])} of {preset} is not bundled; choose among: {', '.join(there)}."
        )
    return [name for name in there if name in names] if names else there
