"""`python -m minrnn eval`: score a checkpoint on a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import tyro

from minrnn import checkpoint, corpora, files
from minrnn.cli import terminal
from minrnn.corpora import Corpus, splits
from minrnn.errors import CheckpointError
from minrnn.learn import Learning, learning_loss
from minrnn.models import CharModel, Committee
from minrnn.text import CharVocab


@dataclass(frozen=True)
class EvalFlags:
    """Score a checkpoint on a text; several are scored together, by the mean of their probabilities.

    Attributes:
        checkpoints: folders, user/repo or user/repo@revision.
        corpus: a named text, or a file in UTF-8.
        split: val, or train to score the training split, too.
        learn: a rate at which a copy learns while it reads the validation split, scored before it is learnt, as
            val_loss_learning; 0 is off. 0.1 suits the bundled models.
        json: print one JSON object.
    """

    checkpoints: tyro.conf.Positional[tuple[str, ...]]
    corpus: str = "tinyshakespeare"
    split: Literal["val", "train"] = "val"
    learn: float = 0.0
    json: bool = False


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if checkpoint or text cannot be read, the text has characters that the model does not know, or
            a value is out of range.
    """
    flags = tyro.cli(EvalFlags, args=words, prog="python -m minrnn eval")
    learning = Learning(passes=1, rate=flags.learn) if flags.learn else None
    model = together(flags.checkpoints)
    corpus = _corpus(flags.corpus)
    unknown = set(corpus.text) - set(model.config.vocab)
    if unknown:
        raise CheckpointError(
            f"{corpus.name} has {len(unknown)} characters that the model does not know, such as {min(unknown)!r}; "
            "fine-tune it on that text first."
        )
    scores = checkpoint.score(model, corpus, train_split=flags.split == "train")
    if learning:
        scores |= _learning(model, corpus, learning.rate)
    terminal.figures(scores, flags.json)


def _learning(model: CharModel, corpus: Corpus, rate: float) -> dict[str, float]:
    """The loss of a copy that learns from the validation split while it reads it, and the rate of that."""
    _, val_ids = splits(corpus, CharVocab(model.config.vocab))
    return {"val_loss_learning": learning_loss(model, val_ids, rate), "learn_rate": rate}


def together(refs: tuple[str, ...]) -> CharModel:
    """The model of one checkpoint, or the committee of several.

    Raises:
        MinrnnError: if none is named, one cannot be read, or their vocabularies differ.
    """
    models = [checkpoint.load(ref).model for ref in refs]
    return models[0] if len(models) == 1 else Committee(models)


def _corpus(name_or_file: str) -> Corpus:
    if name_or_file in corpora.CORPORA:
        return corpora.load(name_or_file)
    return corpora.own.from_file(files.expanded(name_or_file))
