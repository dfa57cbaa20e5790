"""All of Shakespeare's plays that we have, scored where tiny Shakespeare is scored.

The other plays come first and tiny Shakespeare last, so that the validation split at the end is tiny
Shakespeare's own, and its figures stand beside those of the benchmark. No play is in both parts.
"""

from __future__ import annotations

from functools import cache

from minrnn.corpora import plays, tinyshakespeare
from minrnn.corpora.corpus import Corpus


@cache
def load() -> Corpus:
    """The text.

    Raises:
        CorpusError: if one of the two parts cannot be had.
    """
    tiny = tinyshakespeare.load()
    return Corpus("allplays", plays.load().text + "\n" + tiny.text, len(tiny.val))
