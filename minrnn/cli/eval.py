"""`python -m minrnn eval`: score a checkpoint on a text or a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import tyro

from minrnn import checkpoint, corpora, data, files
from minrnn.cli import terminal
from minrnn.data import Source
from minrnn.errors import CheckpointError
from minrnn.models import CharModel, Committee


@dataclass(frozen=True)
class EvalFlags:
    """Score a checkpoint on a text or a task; several are scored together, by the mean of their probabilities.

    Attributes:
        checkpoints: folders, user/repo or user/repo@revision.
        corpus: a named text, a task, or a file in UTF-8.
        split: val, or train to score the training split, too.
        json: print one JSON object.
    """

    checkpoints: tyro.conf.Positional[tuple[str, ...]]
    corpus: str = "tinyshakespeare"
    split: Literal["val", "train"] = "val"
    json: bool = False


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if checkpoint or text cannot be read, or the text has characters that the model does not know.
    """
    flags = tyro.cli(EvalFlags, args=words, prog="python -m minrnn eval")
    source = _source(flags.corpus)
    model = together(flags.checkpoints)
    unknown = set(source.vocab) - set(model.config.vocab)
    if unknown:
        raise CheckpointError(
            f"{source.name} has {len(unknown)} characters that the model does not know, such as {min(unknown)!r}; "
            "fine-tune it on that first."
        )
    terminal.figures(checkpoint.score(model, source, train_split=flags.split == "train"), flags.json)


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
