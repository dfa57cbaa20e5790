"""The commands `results`, `study` and `repetition`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from minrnn.results import tables

PROG = "python -m minrnn"


@dataclass(frozen=True)
class ResultsFlags:
    """Print the table of results, or put it into a README.

    Attributes:
        update_readme: write it between the markers `<!-- results -->` and `<!-- /results -->` of `readme`.
        readme: the file to change.
    """

    update_readme: bool = False
    readme: Path = Path("README.md")


def results_command(words: list[str]) -> None:
    """`python -m minrnn results`.

    Raises:
        MinrnnError: if metrics cannot be read, or the README has no markers.
    """
    flags = tyro.cli(ResultsFlags, args=words, prog=f"{PROG} results")
    if not flags.update_readme:
        print(tables.readme_table())
        return
    changed = tables.update_readme(flags.readme)
    print(f"{flags.readme}: {'the table of results was renewed' if changed else 'nothing to change'}")
