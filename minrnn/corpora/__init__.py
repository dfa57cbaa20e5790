"""The texts one can train on: one a file, each a line in the table below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from minrnn.corpora import allplays, own, plays, python, tinyshakespeare
from minrnn.corpora.batches import Batches
from minrnn.corpora.corpus import Corpus, splits
from minrnn.errors import CorpusError

__all__ = ["CORPORA", "OWN", "Batches", "Corpus", "Named", "available", "load", "own", "splits"]

OWN = own.NAME


class Named(NamedTuple):
    """A text that has a name.

    Attributes:
        title: its name for people.
        about: one line about it.
        is_there: whether it can be used here; asks neither the network nor reads the text.
        load: reads it; raises CorpusError where it cannot be had.
        dataset: the Hub's name for the same text; empty where it has none.
    """

    title: str
    about: str
    is_there: Callable[[], bool]
    load: Callable[[], Corpus]
    dataset: str = ""


CORPORA: Mapping[str, Named] = {
    "tinyshakespeare": Named(
        "tiny Shakespeare",
        "Scenes from nine of Shakespeare's plays, 1.1 M characters: the published benchmark text.",
        lambda: True,
        tinyshakespeare.load,
        "karpathy/tiny_shakespeare",
    ),
    "plays": Named(
        "other plays",
        "Shakespeare's other plays, 3.6 M characters: none that tiny Shakespeare draws on.",
        plays.is_there,
        plays.load,
    ),
    "allplays": Named(
        "all plays",
        "Shakespeare's other plays, then tiny Shakespeare, 4.7 M characters; scored on tiny Shakespeare's own split.",
        plays.is_there,
        allplays.load,
    ),
    "python": Named(
        "Python",
        "Source code of Python's standard library, about 1 M characters: far from anything the plays hold.",
        python.is_there,
        python.load,
    ),
}


def available() -> list[str]:
    """The named texts that can be used here, in the order they are shown."""
    return [name for name, corpus in CORPORA.items() if corpus.is_there()]


def load(name: str) -> Corpus:
    """The text of that name.

    Raises:
        CorpusError: if there is no such text, or it cannot be used here.
    """
    if name not in CORPORA:
        raise CorpusError(f"the text {name!r} is not known; choose one of: {', '.join(available())}.")
    return CORPORA[name].load()
