"""Random text to train on where only the speed matters."""

from __future__ import annotations

import random

from minrnn.corpora import Corpus, own

VOCAB = "\n" + "".join(chr(code) for code in range(32, 96))
"""65 characters, as many as tiny Shakespeare has."""


def random_corpus(chars: int = 200_000) -> Corpus:
    """The same text each time, for the same length."""
    return own.from_text("".join(random.Random(0).choices(VOCAB, k=chars)))
