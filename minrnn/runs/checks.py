"""Whether a spec can be trained here, before anything is made for it: everything that is known without training."""

from __future__ import annotations

import dataclasses

import torch

from minrnn import checkpoint, data, device
from minrnn.config import ModelConfig, TrainConfig
from minrnn.data import Source
from minrnn.errors import ConfigError
from minrnn.models import LanguageModel
from minrnn.models.undrawn import Undrawn
from minrnn.ranks import ALONE, Ranks
from minrnn.runs.spec import RunSpec, as_typed
from minrnn.settings import MAX_PARAMS, MAX_VOCAB
from minrnn.text import CharVocab


def check_trainable(spec: RunSpec, source: Source, ranks: Ranks = ALONE) -> None:
    """Whether a spec that has not begun can be trained on a text or a task, on this machine.

    Args:
        spec: what to train. Of the checkpoints that it names the config.json is read.
        source: the text or the task.
        ranks: the processes that would train together.

    Raises:
        CorpusError: for a text that is shorter than a window.
        ConfigError: for a vocabulary or a model that is too large, positions that do not reach over a task's text, a
            shape that cannot be, or a batch that cannot be split.
        BackendUnavailable: for a device or a dtype that this machine has not.
        MinrnnError: if a checkpoint cannot be read.
    """
    data.check(source, spec.model)
    _check_shape(dataclasses.replace(spec.model, vocab=vocab_of(spec, source)))
    check_machine(spec.train, ranks)


def vocab_of(spec: RunSpec, source: Source) -> str:
    """The characters of the model that a spec begins with: the text's, or the checkpoint's and behind them those of the
    text that it lacks. Of a checkpoint the config.json is read.

    Raises:
        ConfigError: if they are too many.
        MinrnnError: if the checkpoint cannot be read.
    """
    if spec.init is None:
        return source.vocab
    known = checkpoint.read_config(spec.init).vocab
    if (count := len(set(known) | set(source.vocab))) > MAX_VOCAB:
        raise ConfigError(
            f"{as_typed(spec.init)} knows {len(known):,} characters and the text adds {count - len(known):,}, which "
            f"makes {count:,}; the limit is {MAX_VOCAB:,}. Use a text with fewer new ones, or train from nothing."
        )
    return CharVocab(known).grow(source.vocab).chars


def check_machine(recipe: TrainConfig, ranks: Ranks = ALONE) -> None:
    """Whether a recipe's device is here, and its batch can be split among the processes.

    Raises:
        BackendUnavailable: for a device or a dtype that this machine has not.
        ConfigError: for a batch that cannot be split.
    """
    ranks.check(recipe.batch_size, device.choose(recipe.device, recipe.dtype).device)


def _check_shape(shape: ModelConfig) -> None:
    """Refuse a shape that no model can have, and one whose checkpoint could not be loaded. Nothing is allocated."""
    with torch.device("meta"), Undrawn():
        count = LanguageModel(shape).n_params
    if count > MAX_PARAMS:
        raise ConfigError(
            f"the model would have {count:,} parameters, and no checkpoint of more than {MAX_PARAMS:,} is loaded; "
            "lower n_embd or n_layer."
        )
