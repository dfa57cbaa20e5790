"""`python -m minrnn eval`: score a checkpoint on a text or a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import tyro

from minrnn import checkpoint, corpora, data, files
from minrnn.cli import terminal
from minrnn.corpora import Corpus, splits
from minrnn.data import Source
from minrnn.errors import CheckpointError
from minrnn.learn import Learning, learning_loss
from minrnn.models import CharModel, Committee
from minrnn.text import CharVocab


@dataclass(frozen=True)
class EvalFlags:
    """Score a checkpoint on a text or a task; several are scored together, by the mean of their probabilities, over
    windows of their smallest block_size.

    Attributes:
        checkpoints: folders, user/repo or user/repo@revision.
        corpus: a named text, a task, or a file in UTF-8.
        split: val, or train to score the training split, too.
        learn: a rate at which a copy learns while it reads the validation split, scored before it is learnt, as
            val_loss_learning; 0 is off. 0.05 suits the bundled models.
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
    source = _source(flags.corpus)
    unknown = set(source.vocab) - set(model.config.vocab)
    if unknown:
        raise CheckpointError(
            f"{source.name} has {len(unknown)} characters that the model does not know, such as {min(unknown)!r}; "
            "fine-tune it on that first."
        )
    scores = checkpoint.score(model, source, train_split=flags.split == "train")
    if learning:
        scores |= _learning(model, source, learning.rate)
    terminal.figures(scores, flags.json)


def _learning(model: CharModel, source: Source, rate: float) -> dict[str, float]:
    """The loss of a copy that learns from the validation split while it reads it, and the rate of that."""
    if not isinstance(source, Corpus):
        raise CheckpointError(
            f"{source.name} is a task and has no text to learn while reading; leave out --learn."
        )
    _, val_ids = splits(source, CharVocab(model.config.vocab))
    return {"val_loss_learning": learning_loss(model, val_ids, rate), "learn_rate": rate}


def together(refs: tuple[str, ...]) -> CharModel:
    """The model of one checkpoint, or the committee of several.

    Raises:
        MinrnnError: if none is named, one cannot be read, or their vocabularies differ.
    """
    models = [checkpoint.load(ref).model for ref in refs]
    return models[0] if len(models) == 1 else Committee(models)


def _source(name_or_file: str) -> Source:
    if data.is_named(name_or_file):
        return data.load(name_or_file)
    return corpora.own.from_file(files.expanded(name_or_file))
