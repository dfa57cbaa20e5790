"""The texts that a model can be trained on: one file each, and one entry each in the table below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from minrnn.checked import shown
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
        available: whether this machine has it or can fetch it; reads neither the text nor the network.
        load: reads it; raises CorpusError if that fails.
        dataset: the Hub's name for the same text; empty where it has none.
    """

    title: str
    about: str
    available: Callable[[], bool]
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
        plays.available,
        plays.load,
    ),
    "allplays": Named(
        "all plays",
        "Shakespeare's other plays, then tiny Shakespeare, 4.7 M characters; scored on tiny Shakespeare's own split.",
        plays.available,
        allplays.load,
    ),
    "python": Named(
        "Python",
        "Source code of Python's standard library, about 1 M characters: far from anything the plays hold.",
        python.available,
        python.load,
    ),
}


def available() -> list[str]:
    """The names of the texts that this machine has or can fetch, in the order they are shown."""
    return [name for name, corpus in CORPORA.items() if corpus.available()]


def load(name: str) -> Corpus:
    """The text of that name.

    Raises:
        CorpusError: if no text has that name, or it cannot be had on this machine.
    """
    if name not in CORPORA:
        raise CorpusError(f"the text {shown(name)} is not known; choose one of: {', '.join(available())}.")
    return CORPORA[name].load()
