"""Everything about one text, as plain data."""

import json
from collections.abc import Mapping

import pytest

from minrnn.errors import ConfigError
from minrnn.inside.memory import memory, view
from minrnn.inside.page import page
from minrnn.inside.reading import Reading
from minrnn.models import MIXERS, CharModel, Committee
from tests.models.small import build, every_mixer

TEXT = "the cat sat.\nthe dog ran.\n" * 3


@pytest.fixture(scope="module")
def models() -> Mapping[str, CharModel]:
    return {name: build(name) for name in MIXERS}


def test_the_page_holds_everything_as_json(models: Mapping[str, CharModel]) -> None:
    found = page(models, Reading(TEXT, learn=0.1, top=5))
    assert json.loads(json.dumps(found, allow_nan=False))["text"] == TEXT
    assert list(found["models"]) == list(found["learning"]) == list(found["memory"]) == list(MIXERS)
    assert {found["learning"][name]["learn"] for name in MIXERS} == {0.1}
    assert {found["models"][name]["learn"] for name in MIXERS} == {0.0}
    assert len(found["differences"]) == 10


def test_what_was_not_asked_for_is_not_worked_out(models: Mapping[str, CharModel]) -> None:
    found = page(models, Reading(TEXT), with_memory=False)
    assert not found["memory"] and not found["learning"]


@every_mixer
def test_memory_has_an_entry_for_each_character(mixer: str) -> None:
    found = memory(build(mixer), TEXT)
    for gate in found["view"]["gates"].values():
        assert len(gate) == len(TEXT)
    for unit in found["units"]:
        assert len(unit["values"]) == len(TEXT)
    shares = found["view"]["shares"]
    assert bool(shares) == bool(found["view"]["kind"])
    assert all(900 < sum(row) < 1_050 and len(row) <= at + 1 for at, row in enumerate(shares))
    assert [n for n, _ in found["context"]] == [1, 2, 4, 8, 16, 32]


def test_shares_stand_at_the_characters_that_were_typed() -> None:
    model = build("mingru")
    plain, foreign = memory(model, "abaecd")["view"]["shares"], memory(model, "€abæ€cd")["view"]["shares"]
    assert foreign[0] == []
    assert foreign[1] == plain[0]
    own, *earlier = plain[3]
    assert foreign[3] == pytest.approx([own + earlier[0], *earlier[1:]], abs=1)
    assert foreign[4] == pytest.approx([0.0, *foreign[3]], abs=1)


def test_another_layer_or_head_is_viewed_by_number() -> None:
    model = build("nanogpt")
    first, second, one = view(model, TEXT), view(model, TEXT, 1), view(model, TEXT, 1, head=2)
    assert first["shares"] != second["shares"] != one["shares"]
    assert (one["n_head"], one["kind"], one["head"]) == (4, "attention", 2)
    for layer, head in ((2, None), (-1, None), (0, 4), (0, -1)):
        with pytest.raises(ConfigError, match="layer is|head is"):
            view(model, TEXT, layer, head)


@pytest.mark.parametrize("text", ["", "€", "a", "\n\n"])
def test_a_short_text_is_borne(text: str, models: Mapping[str, CharModel]) -> None:
    found = page(models, Reading(text, learn=0.1, top=5))
    json.dumps(found, allow_nan=False)
    assert found["differences"] == [] or len(text) > 1


def test_a_committee_has_surprise_and_context_only() -> None:
    committee = Committee([build("mingru"), build("lstm")])
    found = page({"together": committee}, Reading(TEXT, top=5))
    remembered = found["memory"]["together"]
    assert found["models"]["together"]["bits_per_char"] and remembered["context"]
    assert not remembered["n_layer"] and not remembered["units"] and not remembered["view"]["shares"]
