"""Taught by all: a model learns from the text and from what trained models, its teachers, expect of the text.

    target = (1 - share) * one-hot + share * mean of the teachers' probabilities

The teachers read the training part once, before the first iter, and what they expect after each of its characters is
kept in a file. A run reads its text many times; this way its teachers read it once.

Source: knowledge distillation, Hinton et al. 2015, arXiv 1503.02531, section 2, at temperature 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from minrnn import files
from minrnn.config import TrainConfig
from minrnn.corpora import Batches
from minrnn.device import send
from minrnn.evaluate import batch_size, read
from minrnn.models import CharModel, LanguageModel, State
from minrnn.ranks import ALONE, Ranks
from minrnn.text import CharVocab

PIECE = 256
"""Characters of a stream that are read at once."""
WARM_UP = 1_024
"""Characters that a stream reads before the first one that counts: more than the models make use of."""
LONGEST_SHARE = 16
"""A stream reads at least so many times its warm-up, so that the warm-ups cost little."""
_PER_CHARACTER = frozenset({"embedding.weight", "head.weight", "head.bias"})
"""Weights with one row for each character of the vocabulary."""


def loss_sum(logits: Tensor, targets: Tensor, expected: Tensor, share: float) -> Tensor:
    """The sum of the cross-entropies against a text and its teachers.

    Args:
        logits: (N, vocab_size) float32.
        targets: (N,) int64, the text's next characters.
        expected: (N, vocab_size) the teachers' probabilities of them.
        share: how much of the target is the teachers'.
    """
    log_probs = logits.log_softmax(dim=-1)
    from_text = F.nll_loss(log_probs, targets, reduction="sum")
    from_teachers = -(expected.float() * log_probs).sum()
    return (1 - share) * from_text + share * from_teachers


class Lesson:
    """What the teachers expect of a text, batch by batch.

    Args:
        expected: (N - 1, vocab_size) float16 on the CPU, for the N characters of the training part; see `write`.
        block_size: of the model that is taught.
        config: its recipe, with the seed that the order of its batches depends on.
    """

    def __init__(self, expected: Tensor, block_size: int, config: TrainConfig) -> None:
        self._expected, self._share = expected, config.teacher_share
        places = torch.arange(len(expected) + 1)  # in the order in which the text's own characters are read
        self._places = Batches(places, block_size, config.batch_size, config.seed)

    def loss_sum(self, it: int, logits: Tensor, targets: Tensor, ranks: Ranks = ALONE) -> Tensor:
        """`loss_sum` of this process's share of batch `it`: logits (N, vocab_size), targets (N,)."""
        places, _ = self._places.batch(it)
        expected = self._expected[ranks.share(places).flatten()]
        return loss_sum(logits, targets, send(expected, logits.device), self._share)


def in_vocab(model: LanguageModel, vocab: str) -> LanguageModel:
    """The model as one that knows these characters alone, in this order: of others it expects nothing.

    Args:
        model: knows all of these characters.
        vocab: the characters.

    Raises:
        ValueError: if the model does not know one of them.
    """
    if model.config.vocab == vocab:
        return model
    ids = CharVocab(model.config.vocab).encode(vocab)
    chosen = LanguageModel(dataclasses.replace(model.config, vocab=vocab))
    weights = model.state_dict()
    chosen.load_state_dict({name: w[ids] if name in _PER_CHARACTER else w for name, w in weights.items()})
    return chosen.eval()


def write(path: Path, teachers: CharModel, ids: Tensor) -> Generator[int, None, None]:
    """Write what the teachers expect after each character of a text, whole or not at all.

    Where this is not followed to its end, there is no file.

    Args:
        path: the file; `expected_in` reads it.
        teachers: one model or a committee, in the vocabulary of the model that is taught.
        ids: (N,) int64, the training part.

    Yields:
        How many characters they have read, before every piece and at the end.

    Raises:
        OSError: if the disk does not take it.
    """
    vocab_size = len(teachers.config.vocab)
    with files.writing(path) as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": (len(ids) - 1, vocab_size)}
        np.lib.format.write_array_header_1_0(file, header)
        begin, done = file.tell(), 0
        yield done
        for pieces in _read_along(teachers, ids):
            for start, probabilities in pieces:
                file.seek(begin + start * vocab_size * 2)
                file.write(probabilities.numpy().tobytes())
                done += len(probabilities)
            yield done


def bytes_of(ids: Tensor, vocab: str) -> int:
    """How large a file `write` makes for a text, in bytes."""
    return 2 * len(vocab) * (len(ids) - 1) + 128


def expected_in(path: Path, ids: Tensor, vocab: str) -> Tensor | None:
    """What `write` has written for such a text, mapped and not read; None where there is no such file, or half of it.

    Returns:
        (N - 1, vocab_size) float16 on the CPU.
    """
    try:
        rows = np.load(path, mmap_mode="c")
    except (OSError, ValueError, EOFError):
        return None
    fits = isinstance(rows, np.ndarray) and (rows.dtype, rows.shape) == (
        np.float16,
        (len(ids) - 1, len(vocab)),
    )
    return torch.from_numpy(rows) if fits else None


def _read_along(teachers: CharModel, ids: Tensor) -> Iterator[list[tuple[int, Tensor]]]:
    """Read a text as several streams at once, each with its state carried on.

    Yields:
        For every stream the place of its first row that counts, and the rows: (T, vocab_size) float16, on the CPU.
    """
    last = len(ids) - 1
    most = batch_size(PIECE, len(teachers.config.vocab))
    streams = max(1, min(most, last // (LONGEST_SHARE * WARM_UP)))
    warm_up = WARM_UP if streams > 1 else 0
    length = -(-(last - warm_up) // streams)
    begins = length * torch.arange(streams)
    state: State = None
    for read_before in range(0, warm_up + length, PIECE):
        places = begins[:, None] + torch.arange(read_before, min(read_before + PIECE, warm_up + length))
        logits, state = read(teachers, ids[places.clamp(max=last - 1)], state)
        probabilities = logits.float().softmax(dim=-1).half().cpu()
        pieces = []
        for stream, (rows, where) in enumerate(zip(probabilities, places, strict=True)):
            first = int(begins[stream]) + (warm_up if stream else 0)
            counts = (where >= first) & (where < last)
            if counts.any():
                pieces.append((int(where[counts][0]), rows[counts]))
        yield pieces
