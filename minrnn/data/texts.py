"""Texts as data: windows to train on, the last part to score on, and samples that go on from a prompt."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

from minrnn.config import ModelConfig, Sampling, TrainConfig
from minrnn.corpora import Batches as Windows
from minrnn.corpora import Corpus, splits
from minrnn.data.base import CPU, Batches, Data, Estimate
from minrnn.errors import CorpusError
from minrnn.evaluate import Check, no_check, scored_chars, streaming_loss, windowed_loss
from minrnn.generate import stream
from minrnn.models import CharModel, LanguageModel
from minrnn.text import CharVocab, fold

SAMPLE_PROMPT, SAVED_PROMPT = "\n", "ROMEO:\n"
"""Where the samples on the way and the saved one begin."""
SAVED_CHARS = 400


class TextData(Data):
    """A text in windows of `block_size`."""

    remedy = "half the batch_size; where it is 1 already, start one from nothing with half the block_size"

    def __init__(self, corpus: Corpus, model: ModelConfig) -> None:
        self._block_size = model.block_size
        self._train, self._val = splits(corpus, CharVocab(model.vocab))

    @staticmethod
    def check(corpus: Corpus, model: ModelConfig) -> None:
        """Raise CorpusError for a text that is shorter than a window."""
        if len(corpus.train) <= model.block_size:
            raise CorpusError(
                f"the text has {len(corpus.train):,} characters to train on and a window (block_size) of "
                f"{model.block_size:,} needs {model.block_size + 1:,}; use a longer text or a smaller window."
            )

    @property
    def window(self) -> int:
        """The model's block_size."""
        return self._block_size

    def batches(self, config: TrainConfig, device: torch.device = CPU) -> Batches:
        """Windows of the training split, each epoch in another order. The split lies on the device."""
        return Windows(self._train.to(device), self._block_size, config.batch_size, config.seed).batch

    def estimate(self, model: CharModel, chars: int) -> Estimate:
        """The loss over windows spread evenly over the validation split."""
        return Estimate(windowed_loss(model, self._val, chars))

    def scores(
        self, model: CharModel, *, train_split: bool = False, chars: int = 0, check: Check = no_check
    ) -> Iterator[dict[str, Any]]:
        """Losses in nats per character."""
        val_loss = windowed_loss(model, self._val, chars, check)
        yield {
            "val_loss": val_loss,
            "bits_per_char": val_loss / math.log(2),
            "n_params": model.n_params,
            "tokens": scored_chars(self._val, self._block_size, chars),
        }
        if not 0 < chars < len(self._val):
            yield {"val_loss_streaming": streaming_loss(model, self._val, check)}
        if train_split:
            yield {"train_loss": windowed_loss(model, self._train, check=check)}

    def sample(self, model: LanguageModel, config: TrainConfig) -> str:
        """What the model writes from a newline, at temperature 0.8 and with the run's seed."""
        sampling = Sampling(max_new_tokens=config.sample_chars, seed=config.seed)
        return "".join(chunk.text for chunk in stream(model, _folded(SAMPLE_PROMPT, model), sampling))

    def saved_sample(self, model: LanguageModel) -> dict[str, Any]:
        """What the model writes under a speaker's name."""
        return write_sample(model, _folded(SAVED_PROMPT, model), Sampling(max_new_tokens=SAVED_CHARS))


def write_sample(model: CharModel, prompt: str, sampling: Sampling) -> dict[str, Any]:
    """A saved sample, with all it takes to write it again."""
    text = "".join(chunk.text for chunk in stream(model, prompt, sampling))
    return {"prompt": prompt, "text": text, "temperature": sampling.temperature, "seed": sampling.seed}


def _folded(prompt: str, model: LanguageModel) -> str:
    return fold(prompt, CharVocab(model.config.vocab)).text
