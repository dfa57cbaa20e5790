"""A text as a person typed it, beside the same text as a model reads it: what belongs to which character.

A model knows few characters. `fold` makes a text fit, and may write two characters for one (æ) or none. Figures on
a character are shown where it was typed, so each typed character keeps what was read in its place.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import accumulate

from minrnn.text import CharVocab, fold


@dataclass(frozen=True)
class Typed:
    """A text as it was typed and as a model reads it.

    Attributes:
        text: as it was typed.
        read: for every typed character what the model reads in its place; "" for nothing.
    """

    text: str
    read: tuple[str, ...]

    @property
    def folded(self) -> str:
        """The text as the model reads it."""
        return "".join(self.read)

    @property
    def ends(self) -> list[int]:
        """For every typed character, how many characters the model has read after it."""
        return list(accumulate(map(len, self.read)))

    @property
    def owners(self) -> list[int]:
        """For every character that the model reads, the index of the typed one it stands for."""
        return [at for at, piece in enumerate(self.read) for _ in piece]


def typed(text: str, vocab: CharVocab) -> Typed:
    """Fold a text to a vocabulary, and keep track of every character. `folded` is what `fold` gives for the whole."""
    known = set(vocab.chars)
    if known.issuperset(text):
        return Typed(text, tuple(text))
    read: list[str] = []
    for cluster in _clusters(text):
        piece = cluster if known.issuperset(cluster) else fold(cluster, vocab).text
        whole = len(piece) == len(cluster)
        read += list(piece) if whole else [piece, *[""] * (len(cluster) - 1)]
    return Typed(text, tuple(read))


def _clusters(text: str) -> list[str]:
    """The text cut where folding one part cannot depend on another: accents stay with their letter, CR with its LF."""
    accents = "".join(sorted({char for char in text if unicodedata.combining(char)}))
    accented = f"[{re.escape(accents)}]*" if accents else ""
    return re.findall(rf"(?:\r\n|.){accented}", text, flags=re.DOTALL)


def short(value: float) -> float:
    """A figure with four significant digits: a page shows no more, and the data stay small."""
    return float(f"{value:.4g}")
