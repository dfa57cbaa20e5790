"""What the Inside tab says of a reading is what the figures beside it say."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from minrnn import checkpoint
from minrnn.inside.memory import memory
from minrnn.inside.page import page
from minrnn.inside.reading import Reading
from minrnn.models import MODEL_NAMES, CharModel
from minrnn.results import inside
from minrnn.ui.inside import words
from minrnn.ui.inside.tab import EXAMPLES
from tests.models.small import build
from tests.results.bundled_copy import NAMES, change, copied
from tests.results.test_inside import MADE

TITLES = {"one": "One", "two": "Two"}


def reading(one: float | None, two: float | None) -> Any:
    models = {"one": {"bits_per_char": one}, "two": {"bits_per_char": two}}
    return {"text": "ab", "models": models, "learning": {}, "memory": {}}


def remembered(context: list[tuple[int, float]], lives: list[float | None]) -> Any:
    return {"context": context, "half_lives": [lives], "units": [], "view": {"kind": "exact"}}


def test_the_model_with_the_fewest_bits_is_named_first() -> None:
    assert words.surprise(reading(2.5, 1.25), TITLES)["surprise"].startswith("Two needs 1.25 bits")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The text is empty"),
        ("日本", "No model knows a character of this text"),
        ("🙂🙃", "No model knows a character of this text"),
        ("a", "A text of one character surprises nobody"),
        ("a日", "know one character, and it surprises nobody"),
    ],
)
def test_where_nobody_was_surprised_the_sentence_says_why(text: str, said: str) -> None:
    found = page({name: build(name) for name in ("mingru", "lstm")}, Reading(text))
    assert said in words.surprise(found, {"mingru": "minGRU", "lstm": "LSTM"})["surprise"]


@pytest.mark.parametrize("text", ["", "日本", "a", "ab", "abc"])
def test_a_text_of_too_few_characters_is_too_short_to_say_how_far_back_models_look(text: str) -> None:
    found = {name: memory(build(name), text) for name in ("mingru", "lstm")}
    assert "too short" in words.context(found, {"mingru": "minGRU", "lstm": "LSTM"})


def test_learning_is_praised_only_where_it_helps() -> None:
    found = reading(2.0, 3.0)
    found["learning"] = {"one": {"bits_per_char": 1.5}, "two": {"bits_per_char": 2.9}}
    assert "saves One 0.50 bits" in words.surprise(found, TITLES)["surprise"]
    found["learning"] = {"one": {"bits_per_char": 2.5}, "two": {"bits_per_char": 3.1}}
    assert "None of them gains" in words.surprise(found, TITLES)["surprise"]


@pytest.mark.parametrize(
    ("curve", "said"),
    [
        ([(1, 3.0), (2, 2.0), (4, 1.52), (8, 1.5)], "With 4 characters in sight"),
        ([(1, 3.0), (2, 2.0), (4, 1.8), (8, 1.5)], "One still gained from the last doubling, up to 8"),
        ([(1, 3.0), (2, 1.5), (4, 1.9), (8, 2.5)], "with 2 characters in sight One predict this text best"),
        ([], "too short"),
        ([(1, 3.0)], "too short"),
    ],
)
def test_how_far_back_is_read_off_the_curve(curve: list[tuple[int, float]], said: str) -> None:
    assert said in words.context({"one": remembered(curve, [])}, TITLES)


def test_half_lives_are_the_median_and_the_longest() -> None:
    found = words.half_lives(
        {"one": remembered([], [1.0, 2.0, 30.0]), "two": remembered([], [None, 4.0, 5.0])}, TITLES
    )
    assert "One: a typical unit 2 characters, the slowest 30 characters" in found
    assert "Two: a typical unit 5 characters, the slowest for ever" in found


def test_of_the_bundled_weights_every_sentence_is_true() -> None:
    bundled = [name for name in MODEL_NAMES if checkpoint.bundled("base", name).is_dir()]
    models: dict[str, CharModel] = {n: checkpoint.load(checkpoint.bundled("base", n)).model for n in bundled}
    torch.manual_seed(0)
    found = page(models, Reading(EXAMPLES["Verse"], 0.0, 5), with_memory=False)
    found["memory"] = {name: memory(model, EXAMPLES["Verse"]) for name, model in models.items()}
    said = words.surprise(found, {n: n for n in bundled})["surprise"]
    bits = {n: found["models"][n]["bits_per_char"] or math.inf for n in bundled}
    assert said.startswith(f"{min(bits, key=bits.__getitem__)} needs {min(bits.values()):.2f} bits")
    assert "half" in words.memory(found, {n: n for n in bundled})["half_lives"]


def test_what_was_measured_of_the_release_names_its_preset_and_is_silent_on_others() -> None:
    said = words.of_the_release("base")
    assert set(said) == {"stored:context", "stored:half_lives", "stored:units", "stored:surprise"}
    assert all("validation split, the bundled weights of base: " in sentence for sentence in said.values())
    assert words.of_the_release("not measured") == {}


def test_of_weights_that_were_changed_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied("base", tmp_path, monkeypatch)
    figures = {
        name: dataclasses.replace(MADE, weights=inside.weights_digest(name), within_one=share)
        for name, share in zip(NAMES, (0.25, 0.75), strict=True)
    }
    monkeypatch.setattr(inside, "read", lambda preset, path=None: figures)
    assert (
        "minGRU 25% (" in (said := words.of_the_release("base")["stored:half_lives"]) and "LSTM 75% (" in said
    )
    change("base", "lstm")
    said = words.of_the_release("base")["stored:half_lives"]
    assert "weights of base (LSTM not measured): units" in said and "25%" in said and "75%" not in said
    change("base", "mingru")
    assert words.of_the_release("base") == {}
