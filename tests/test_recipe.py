"""A change that spoils training is caught: `tiny` reaches what it has always reached.

The text is made here, so it is the same everywhere: words of a small language, drawn by a generator whose
arithmetic is spelt out. The recorded losses are of this very text; compare them with nothing else.
"""

import dataclasses
from collections.abc import Iterator
from functools import cache

import pytest

from minrnn import presets, train
from minrnn.corpora import Corpus, splits
from minrnn.evaluate import windowed_loss
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.text import CharVocab

ITERS = 40
TOLERANCE = 0.01
"""Another number of threads moves these losses by 4e-5 (Muon rounds to bfloat16, which another CPU may do otherwise), a
rate of 8e-3 instead of 1e-2 moves minGRU's by 0.04."""
RECORDED = {"mingru": 1.4243, "minlstm": 1.3832, "lstm": 1.4118, "gru": 1.3516, "nanogpt": 1.4969}
SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "tu",
    "re",
    "sho",
    "da",
    "ne",
    "pi",
    "vu",
    "or",
    "el",
    "an",
    "ith",
    "qua",
    "zem",
]


def draws(seed: int) -> Iterator[int]:
    """A linear congruential generator (Numerical Recipes, section 7.1), its upper 16 bits."""
    while True:
        seed = (1664525 * seed + 1013904223) % 2**32
        yield seed >> 16


@cache
def language() -> Corpus:
    """40,000 characters: words of one to three syllables, the early syllables the likelier ones."""
    draw = draws(7)
    words: list[str] = []
    while sum(map(len, words)) + len(words) < 40_000:
        parts = 1 + next(draw) % 3
        word = "".join(SYLLABLES[next(draw) % (1 + next(draw) % len(SYLLABLES))] for _ in range(parts))
        words.append(word.capitalize() if not words or words[-1].endswith(".") else word)
        if next(draw) % 8 == 0:
            words[-1] += "."
    return Corpus("made up", " ".join(words))


def loss_after(model: str, **changed: float) -> float:
    """Validation loss of the moving average after ITERS iters of the preset's recipe, in float32 on the CPU."""
    preset, corpus = presets.get("tiny", model), language()
    config = dataclasses.replace(
        preset.train,
        max_iters=ITERS,
        eval_interval=0,
        sample_interval=0,
        device="cpu",
        dtype="float32",
        **changed,
    )
    vocab = CharVocab.of(corpus.text)
    shape = dataclasses.replace(preset.model, vocab=vocab.chars)
    state = train.begin(train.new_model(lambda: LanguageModel(shape), config), config)
    for _ in train.train(state, corpus, config):
        pass
    return windowed_loss(state.average, splits(corpus, vocab)[1])


def test_the_text_is_the_recorded_one() -> None:
    assert language().sha256 == "fc880440470dce98ac58841f628de7ba924d386318b73e6950b63be1f2451919"


def test_every_compared_model_has_a_recorded_loss() -> None:
    assert list(RECORDED) == list(MODEL_NAMES)


@pytest.mark.parametrize("model", list(RECORDED))
def test_tiny_reaches_its_recorded_loss(model: str) -> None:
    assert loss_after(model) == pytest.approx(RECORDED[model], abs=TOLERANCE)


def test_a_rate_that_does_not_fall_is_caught() -> None:
    assert abs(loss_after("mingru", min_lr_ratio=1.0) - RECORDED["mingru"]) > 3 * TOLERANCE
