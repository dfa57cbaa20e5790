"""`python -m minrnn results`: the table of results, printed or put into the README."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from minrnn.cli import terminal
from minrnn.results import tables


@dataclass(frozen=True)
class ResultsFlags:
    """Print the table of results, or put it into a README.

    Attributes:
        update_readme: write it between the markers `<!-- results -->` and `<!-- /results -->` of `readme`.
        readme: the file to change.
    """

    update_readme: bool = False
    readme: Path = Path("README.md")


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if metrics cannot be read, or the README has no markers.
    """
    flags = tyro.cli(ResultsFlags, args=words, prog="python -m minrnn results")
    if not flags.update_readme:
        terminal.say(tables.readme_table())
        return
    changed = tables.update_readme(flags.readme)
    terminal.say(f"{flags.readme}: {'the table of results was renewed' if changed else 'nothing to change'}")
