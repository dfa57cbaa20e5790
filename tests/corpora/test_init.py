"""The table of the named texts."""

import pytest

from minrnn import corpora
from minrnn.corpora import OWN, Corpus
from minrnn.errors import CorpusError


@pytest.mark.parametrize("name", ["no-such-text", OWN, "", "tinyshakespeare.txt"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(CorpusError, match="is not known; choose one of: tinyshakespeare.*python"):
        corpora.load(name)


def test_every_text_that_is_listed_can_be_loaded_and_bears_its_name(corpus: Corpus) -> None:
    for name in {corpus.name, *corpora.available()} - {"tinyshakespeare", "allplays"}:
        assert corpora.load(name).name == name


def test_every_text_has_a_title_and_a_line_about_it() -> None:
    assert all(text.title and text.about.endswith(".") for text in corpora.CORPORA.values())
