"""A model's surprise as plain data, aligned with the text as it was typed."""

import json

import pytest

from minrnn.errors import ConfigError
from minrnn.evaluate import character_losses
from minrnn.inside.reading import Reading, differences, read
from minrnn.settings import MAX_READ_CHARS
from minrnn.text import CharVocab
from tests.models.small import VOCAB, build, every_mixer

TEXT = "the cat sat.\nthe dog ran."


@every_mixer
def test_every_character_but_the_first_has_bits_and_their_mean_is_the_loss(mixer: str) -> None:
    model = build(mixer)
    found = read(model, Reading(TEXT, top=3))
    assert found["read"] == list(TEXT) and found["bits"][0] is None and None not in found["bits"][1:]
    losses = character_losses(model, CharVocab(VOCAB).encode(TEXT))
    assert found["bits_per_char"] == pytest.approx(losses.mean().item() / 0.693147, rel=1e-4)
    for bits, p, top in zip(found["bits"][1:], found["probability"][1:], found["top"][1:], strict=True):
        assert bits is not None and p == pytest.approx(2**-bits, rel=1e-3)
        assert top is not None and len(top) == 3 and top[0][1] >= top[1][1] >= top[2][1]
    assert json.loads(json.dumps(found))["bits"] == found["bits"]


def test_foreign_characters_keep_their_places_and_are_marked() -> None:
    model = build("mingru")
    found, plain = read(model, Reading("aæ€bé")), read(model, Reading("aaebe"))
    assert found["read"] == ["a", "ae", "", "b", "e"]
    bits = plain["bits"]
    assert bits[1] is not None and bits[2] is not None
    assert found["bits"] == [None, pytest.approx(bits[1] + bits[2], abs=1e-3), None, bits[3], bits[4]]
    assert found["rank"] == [None, plain["rank"][1], None, plain["rank"][3], plain["rank"][4]]


@pytest.mark.parametrize("text", ["", "a", "€", "€a€", "æ"])
def test_a_text_without_anything_to_predict_is_borne(text: str) -> None:
    found = read(build("lstm"), Reading(text, top=2))
    assert found["bits"] == [None] * len(text) and found["bits_per_char"] is None


def test_no_top_is_listed_unasked() -> None:
    assert read(build("lstm"), Reading(TEXT))["top"] == []


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"text": "a" * (MAX_READ_CHARS + 1)}, "5,001 characters; at most 5,000"),
        ({"text": "a", "learn": -0.1}, "learn is -0.1"),
        ({"text": "a", "learn": float("nan")}, "learn is nan"),
        ({"text": "a", "top": 21}, "top is 21"),
        ({"text": None}, "text is None"),
    ],
)
def test_what_is_out_of_range_is_refused(values: dict[str, object], hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        Reading(**values)  # type: ignore[arg-type]


def test_five_thousand_spaces_are_read() -> None:
    found = read(build("mingru"), Reading(" " * MAX_READ_CHARS))
    assert len(found["bits"]) == MAX_READ_CHARS


def test_the_largest_differences_come_first_and_name_both_models() -> None:
    found = {name: read(build(name), Reading(TEXT)) for name in ("mingru", "lstm")}
    listed = differences(found, 4)
    assert len(listed) == 4 and [d["bits"] for d in listed] == sorted(
        (d["bits"] for d in listed), reverse=True
    )
    for d in listed:
        low, high = found[d["low"]]["bits"][d["position"]], found[d["high"]]["bits"][d["position"]]
        assert low is not None and high is not None and high - low == pytest.approx(d["bits"], abs=1e-3)
