"""Texts of the reader's own: pasted, or a file in UTF-8."""

from __future__ import annotations

import re
from pathlib import Path

from minrnn import files, settings
from minrnn.corpora.corpus import Corpus
from minrnn.errors import CorpusError

NAME = "own"
"""The name of every such text."""
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def from_text(text: str) -> Corpus:
    """Make a corpus of a text: without byte order marks before it, and with `\\n` as the line end.

    Raises:
        CorpusError: if it is empty, too short, too long, or holds NULs or half surrogate pairs.
    """
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise CorpusError("The text is empty; give some text to train on.")
    if (nul := text.find("\0")) >= 0:
        raise CorpusError(
            f"The text holds a NUL at position {nul:,}, so it is probably UTF-16; save it as plain text in UTF-8."
        )
    if half := _HALF_PAIR.search(text):
        raise CorpusError(f"The text holds half a surrogate pair at position {half.start():,}; remove it.")
    limit = settings.max_corpus_chars()
    if len(text) > limit:
        raise CorpusError(
            f"The text has {len(text):,} characters and the limit is {limit:,}; train on a part of it."
        )
    return Corpus(NAME, text)


def from_file(path: Path) -> Corpus:
    """The text of a file in UTF-8.

    Raises:
        CorpusError: if the file does not exist or cannot be read, or `from_text` refuses its text.
    """
    if not files.is_file(path):
        raise CorpusError(f"{str(path)!r} is neither a file nor the name of a text; check the path.")
    limit = settings.max_corpus_chars()
    try:
        if (size := path.stat().st_size) > 4 * limit:  # no UTF-8 character takes more than four bytes
            raise CorpusError(
                f"{path} has {size:,} bytes and the limit is {limit:,} characters; train on a part of it."
            )
        return from_text(path.read_bytes().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path} is not UTF-8 (byte {error.start:,}); save it as plain text in UTF-8."
        ) from error
    except OSError as error:
        raise CorpusError(f"{path} cannot be read ({error}); check its permissions.") from error
