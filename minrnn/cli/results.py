"""`python -m minrnn results`: the table of results, printed or put into the README; a preset's models together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from minrnn import corpora
from minrnn.cli import terminal
from minrnn.results import tables, together


@dataclass(frozen=True)
class ResultsFlags:
    """Print the table of results, or put it into a README.

    Attributes:
        together: presets whose models are scored together, minutes for each; nothing else is done then, and
            `study report` puts the figures into the README.
        update_readme: write it between the markers `<!-- results -->` and `<!-- /results -->` of `readme`.
        readme: the file to change.
    """

    together: tuple[str, ...] = ()
    update_readme: bool = False
    readme: Path = Path("README.md")


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if metrics or the README cannot be read, it has no markers, or there is no text or no committee
            to score.
    """
    flags = tyro.cli(ResultsFlags, args=words, prog="python -m minrnn results")
    for preset in flags.together:
        found = together.measure(preset, corpora.load("tinyshakespeare"))
        together.save({**together.read(), preset: found})
        terminal.say(together.sentence(found, together.members_of(preset)))
    if flags.together:
        return
    if not flags.update_readme:
        terminal.say(tables.readme_table())
        return
    changed = tables.update_readme(flags.readme)
    terminal.say(f"{flags.readme}: {'the table of results was renewed' if changed else 'nothing to change'}")
