"""A typed text and what is read of it stay aligned."""

import pytest

from minrnn.inside.typed import typed
from minrnn.text import CharVocab, fold

VOCAB = CharVocab("\n '-abcdefgéo")
TEXTS = [
    "",
    "abc",
    "a\r\nb\r",
    "æ",
    "cafe\u0301 e\u0302\u0323x",
    "\u0301a",
    "a™b€c",
    "“a” — b…",
    "\r\n\u0301a",
    "éxé",
    " " * 50,
]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
@pytest.mark.parametrize("vocab", [VOCAB, CharVocab("ab\r\n"), CharVocab("z"), CharVocab("ae\u0301\n")])
def test_what_is_read_is_what_folding_the_whole_gives(text: str, vocab: CharVocab) -> None:
    found = typed(text, vocab)
    assert found.folded == fold(text, vocab).text
    assert len(found.read) == len(text)


def test_each_typed_character_keeps_what_is_read_in_its_place() -> None:
    assert typed("aæ€b\r\ne\u0301", VOCAB).read == ("a", "ae", "", "b", "\n", "", "é", "")


def test_both_texts_can_be_counted_through() -> None:
    found = typed("€aæb", VOCAB)
    assert found.ends == [0, 1, 3, 4] and found.owners == [1, 2, 2, 3]
