import hashlib

import pytest

from minrnn.corpora import Corpus, splits
from minrnn.errors import CorpusError
from minrnn.text import CharVocab

ALPHABET = "abcdefghijklmnopqrstuvwxyz\n"


def test_the_splits_are_the_first_nine_tenths_and_the_rest() -> None:
    corpus = Corpus("own", ALPHABET * 37 + "end")
    assert len(corpus.text) == 1002
    assert (len(corpus.train), len(corpus.val)) == (901, 101)
    assert corpus.train + corpus.val == corpus.text


def test_the_ids_of_the_splits_decode_to_the_splits(corpus: Corpus) -> None:
    vocab = CharVocab.of(corpus.text)
    train, val = splits(corpus, vocab)
    assert vocab.decode(train) == corpus.train
    assert vocab.decode(val) == corpus.val


def test_a_corpus_may_name_the_length_of_its_validation_split() -> None:
    corpus = Corpus("own", ALPHABET * 40, val_chars=27)
    assert corpus.val == ALPHABET
    train, val = splits(corpus, CharVocab.of(ALPHABET))
    assert (len(train), len(val)) == (len(corpus.train), 27)


def test_the_sha256_is_that_of_the_text_in_utf8() -> None:
    text = "Schöne Verse\n" * 100
    assert Corpus("own", text).sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_text_that_is_too_short_is_refused_by_any_name() -> None:
    with pytest.raises(CorpusError, match="'sheep' has 999 characters and at least 1,000 are needed"):
        Corpus("sheep", "x" * 999)
