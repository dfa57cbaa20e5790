import time

import pytest
import torch

from minrnn import text as text_module
from minrnn.errors import ConfigError
from minrnn.settings import MAX_VOCAB
from minrnn.text import CharVocab, fold

ENGLISH = CharVocab.of("\n !'\"-,.:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize("text", ["", "a", "hello\nworld", "naïve 😀 e\u0301"])
def test_decoding_undoes_encoding(text: str) -> None:
    vocab = CharVocab.of(text + "xyz")
    ids = vocab.encode(text)
    assert (ids.dtype, ids.shape) == (torch.int64, (len(text),))
    assert vocab.decode(ids) == text
    assert vocab.decode(iter(ids.tolist())) == text


def test_ids_follow_the_order_of_the_characters() -> None:
    assert CharVocab.of("banana").chars == "abn"
    assert CharVocab("nab").encode("ban").tolist() == [2, 1, 0]


@pytest.mark.parametrize("foreign", ["z", "\u0001", "\U0010ffff"])
def test_encoding_names_the_first_foreign_character_and_its_position(foreign: str) -> None:
    with pytest.raises(ValueError, match=r"at position 2 .* 3 characters"):
        CharVocab("abc").encode(f"ab{foreign}c{foreign}")


@pytest.mark.parametrize("wrong", [-1, 3, 2**40])
def test_decoding_refuses_an_id_that_is_not_in_use(wrong: int) -> None:
    with pytest.raises(ValueError, match=f"Id {wrong} is not in 0 .. 2"):
        CharVocab("abc").decode([0, wrong])


@pytest.mark.parametrize(
    ("chars", "message"),
    [
        ("", "empty"),
        ("abca", "'a' 2 times"),
        ("ab\ud800", r"'\\ud800', half a surrogate pair"),
        ("".join(map(chr, range(MAX_VOCAB + 1))), "4,097 characters and the limit is 4,096"),
    ],
)
def test_a_vocabulary_that_cannot_be_used_says_why(chars: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CharVocab(chars)


def test_growing_keeps_the_old_ids_and_appends_the_new_characters_sorted() -> None:
    old = CharVocab("nab")
    assert old.grow("zebra").chars == "nab" + "erz"
    assert old.grow("ban") == old
    assert len({old, old.grow(""), CharVocab("abn")}) == 2


def test_a_text_of_five_million_characters_is_encoded_within_two_seconds() -> None:
    text = "To be, or not to be: that is the question" * 125_000
    start = time.perf_counter()
    ids = ENGLISH.encode(text)
    assert time.perf_counter() - start < 2.0
    assert ENGLISH.decode(ids[:41]) == text[:41]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("café", "cafe"),
        ("cafe\u0301", "cafe"),
        ("“Ay”, ‘no’", "\"Ay\", 'no'"),
        ("a – b — c", "a - b - c"),
        ("wait…", "wait..."),
        ("a\tb\u00a0c", "a b c"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("Straße, Æsop, cœur", "Strasse, AEsop, coeur"),
    ],
)
def test_foreign_characters_are_folded_to_similar_ones(text: str, expected: str) -> None:
    folded = fold(text, ENGLISH)
    assert folded.text == expected
    assert folded.folded > 0
    assert folded.dropped == 0


def test_double_quotes_become_single_where_a_vocabulary_has_no_double_ones() -> None:
    assert fold("“Ay”", CharVocab("'Ay")).text == "'Ay'"


@pytest.mark.parametrize(
    ("typed", "known", "expected"),
    [
        ("cafe\u0301", "cafeé", "café"),
        ("cafe\u0301", "cafe\u0301", "cafe\u0301"),
        ("caf\u00e9", "cafe\u0301", "cafe\u0301"),
        ("a\u0323\u0302", "aậ", "ậ"),
        ("a\u0302\u0323", "aậ", "ậ"),
        ("e\u0301\u0323", "eé", "é"),
        ("\u0301e", "eé", "e"),
    ],
)
def test_an_accented_letter_stays_however_it_was_typed_where_it_is_known(
    typed: str, known: str, expected: str
) -> None:
    assert fold(typed, CharVocab(known)).text == expected


def test_a_composed_letter_that_is_known_is_no_change_to_report() -> None:
    assert fold("cafe\u0301", CharVocab("cafeé")).note == ""


@pytest.mark.parametrize(
    "text", ["日本" * 10_000, "a" + "\u0301" * 20_000, "".join(map(chr, range(0x4E00, 0x9C20)))]
)
def test_folding_looks_at_each_character_of_a_text_once(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    similar = text_module._similar
    monkeypatch.setattr(text_module, "_similar", lambda c, known: looked_at.append(c) or similar(c, known))
    fold(text, ENGLISH)
    assert sorted(looked_at) == sorted(set(text) - set(ENGLISH.chars))


@pytest.mark.parametrize("mark", ["\ufeff", "\ud800", "\0"])
def test_what_is_no_text_is_dropped_and_counted(mark: str) -> None:
    folded = fold(f"{mark}ab{mark}", ENGLISH)
    assert (folded.text, folded.dropped) == ("ab", 2)


def test_what_has_no_likeness_is_dropped_and_counted() -> None:
    folded = fold("日本 a😀b", ENGLISH)
    assert (folded.text, folded.folded, folded.dropped) == (" ab", 0, 3)


def test_a_text_within_the_vocabulary_is_left_alone() -> None:
    text = "é\r\n\t“"
    folded = fold(text, CharVocab.of(text))
    assert (folded.text, folded.note) == (text, "")


def test_the_note_counts_what_was_changed() -> None:
    assert "2 replaced" in fold("éé", ENGLISH).note
    assert "1 left out" in fold("日", ENGLISH).note
    assert fold("é日", ENGLISH).note.count("1 ") == 2


def test_a_folded_text_can_always_be_encoded() -> None:
    everything = "".join(map(chr, range(0x3000))) + "\ud800\ufeff"
    for vocab in (ENGLISH, CharVocab("\n"), CharVocab("e"), CharVocab("eé\u0301")):
        folded = fold(everything + "\r\n", vocab)
        assert len(vocab.encode(folded.text)) == len(folded.text)
