"""A model's surprise at a text that a person typed, as plain data: numbers, texts and lists, ready for JSON.

Every list has one entry for each character of the text as it was typed, a code point each. Where a model has read
two characters for a typed one, their bits are summed; where it has read none, the entry is null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

from annotated_types import Interval
from torch import Tensor

from minrnn.checked import Checked
from minrnn.errors import ConfigError
from minrnn.inside.surprise import Surprise, surprise
from minrnn.inside.typed import short, typed
from minrnn.models import CharModel
from minrnn.settings import MAX_READ_CHARS
from minrnn.text import CharVocab

DIFFERENCES = 10
"""Characters that are listed as those on which two models differ most."""


@dataclass(frozen=True)
class Reading(Checked):
    """What to read, and how.

    Attributes:
        text: as it was typed.
        learn: the rate at which a copy of each model learns while it reads; 0 only reads.
        top: how many of the likeliest characters to list.
    """

    text: str
    learn: Annotated[float, Interval(ge=0, le=1)] = 0.0
    top: Annotated[int, Interval(ge=0, le=20)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.text) > MAX_READ_CHARS:
            raise ConfigError(
                f"the text has {len(self.text):,} characters; at most {MAX_READ_CHARS:,} are read. Shorten it."
            )


class Read(TypedDict):
    """One model's surprise. The first character that a model reads is given, so it has no bits.

    Attributes:
        read: for each character what the model read in its place: the same, one or two like it, or "" for nothing.
        bits: for each character its surprise.
        bits_per_char: the mean of `bits`; null where there are none.
        probability: for each character, 2 to the power of minus its bits.
        rank: for each character, 1 for the likeliest. Of two characters read for one, the first counts.
        top: for each character the likeliest ones in its place, as [character, probability]; [] if none were asked for.
        learn: the rate at which the model learnt while it read; 0 where it did not.
    """

    read: list[str]
    bits: list[float | None]
    bits_per_char: float | None
    probability: list[float | None]
    rank: list[int | None]
    top: list[list[tuple[str, float]] | None]
    learn: float


class Difference(TypedDict):
    """A character on which two models differ: `low` found it likelier than `high`, by `bits`."""

    position: int
    bits: float
    low: str
    high: str


def read(model: CharModel, reading: Reading) -> Read:
    """One model's surprise at each character of a text."""
    vocab = CharVocab(model.config.vocab)
    text = typed(reading.text, vocab)
    found = surprise(model, vocab.encode(text.folded), reading.top, reading.learn)
    spans = list(zip([0, *text.ends[:-1]], text.ends, strict=True)) if text.read else []
    predicted = [(start - 1, end - 1) if 0 < start < end else None for start, end in spans]
    bits = _summed(found.bits, predicted)
    scored = [value for value in bits if value is not None]
    return {
        "read": list(text.read),
        "bits": [None if value is None else round(value, 4) for value in bits],
        "bits_per_char": math.fsum(scored) / len(scored) if scored else None,
        "probability": [None if value is None else short(2**-value) for value in bits],
        "rank": [None if span is None else int(found.rank[span[0]]) for span in predicted],
        "top": _likeliest(found, vocab, predicted) if reading.top else [],
        "learn": reading.learn,
    }


def _summed(bits: Tensor, spans: Sequence[tuple[int, int] | None]) -> list[float | None]:
    """The bits of each typed character; null where nothing was predicted."""
    listed = bits.tolist()
    return [None if span is None else math.fsum(listed[slice(*span)]) for span in spans]


def _likeliest(
    found: Surprise, vocab: CharVocab, spans: Sequence[tuple[int, int] | None]
) -> list[list[tuple[str, float]] | None]:
    ids, probabilities = found.likeliest.tolist(), found.likeliest_probability.tolist()
    return [
        None
        if span is None
        else [(vocab.chars[i], short(p)) for i, p in zip(ids[span[0]], probabilities[span[0]], strict=True)]
        for span in spans
    ]


def differences(found: Mapping[str, Read], count: int = DIFFERENCES) -> list[Difference]:
    """The characters on which two models differ most, the largest difference first."""
    listed: list[Difference] = []
    for position, column in enumerate(zip(*(model["bits"] for model in found.values()), strict=True)):
        bits = {key: value for key, value in zip(found, column, strict=True) if value is not None}
        if len(bits) > 1:
            low, high = min(bits, key=bits.__getitem__), max(bits, key=bits.__getitem__)
            gap = round(bits[high] - bits[low], 4)
            listed.append({"position": position, "bits": gap, "low": low, "high": high})
    return sorted(listed, key=lambda difference: -difference["bits"])[:count]
