"""A text and its two splits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from minrnn import settings
from minrnn.errors import CorpusError
from minrnn.text import CharVocab


@dataclass(frozen=True)
class Corpus:
    """A text and its two splits: the first part to train on, the rest to score on.

    Attributes:
        name: what it is called; "own" for a text of the reader's.
        text: the whole text.
        val_chars: length of the validation split at its end; 0 makes it the last 10 %.

    Raises:
        CorpusError: if the text is shorter than MIN_CORPUS_CHARS.
    """

    name: str
    text: str
    val_chars: int = 0

    def __post_init__(self) -> None:
        if len(self.text) < settings.MIN_CORPUS_CHARS:
            raise CorpusError(
                f"The text {self.name!r} has {len(self.text):,} characters and at least "
                f"{settings.MIN_CORPUS_CHARS:,} are needed; give a longer text."
            )

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal digest of the text in UTF-8."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()

    @cached_property
    def vocab(self) -> str:
        """The distinct characters, sorted. Raises ConfigError if they are too many."""
        return CharVocab.of(self.text).chars

    @property
    def split_at(self) -> int:
        """Index of the first validation character."""
        return len(self.text) - self.val_chars if self.val_chars else int(0.9 * len(self.text))

    @cached_property
    def train(self) -> str:
        """The training split."""
        return self.text[: self.split_at]

    @cached_property
    def val(self) -> str:
        """The validation split."""
        return self.text[self.split_at :]


def splits(corpus: Corpus, vocab: CharVocab) -> tuple[Tensor, Tensor]:
    """The ids of the training split and of the validation split, each (T,) int64."""
    ids = vocab.encode(corpus.text)
    return ids[: corpus.split_at], ids[corpus.split_at :]
