"""What is said of the insides of the bundled models."""

import dataclasses
from pathlib import Path

from minrnn.results import inside, inside_page
from minrnn.results.tables import section
from tests.results.test_inside import MADE

DOCS = Path(__file__).parents[2] / "docs"
STORED = inside.load()


def test_the_page_says_what_was_measured() -> None:
    for name, content in inside_page.sections(STORED).items():
        assert section(DOCS / inside_page.PAGE, name) == content


def test_the_first_page_says_how_near_they_are_and_nothing_where_nothing_was_measured() -> None:
    there = {name: one.context[one.seen.index(16)] - one.context[-1] for name, one in STORED.items()}
    assert f"every model is within {max(there.values()):.2f} nats" in inside_page.alike(STORED)
    assert "nats" not in inside_page.alike(
        {}
    ) and "alike because a few words are enough" in inside_page.alike({})


def test_sentences_are_made_from_the_figures() -> None:
    other = dataclasses.replace(MADE, context=[2.5, 1.44, 1.41, 1.4], half_lives=[], learning=1.3, units=[])
    found = {"mingru": MADE, "nanogpt": other}
    assert inside_page.context_sentence(found).startswith(
        "With 4 characters seen, every model is within 0.04 nats"
    )
    assert "minGRU 62% (the longest: 30 characters)" in inside_page.half_life_sentence(found)
    assert "nanoGPT" not in inside_page.half_life_sentence(found)
    assert "unit 7 in layer 2 of minGRU follows “capital letters”" in inside_page.unit_sentence(found)
    assert "0.12 to 0.14 nats" in inside_page.learning_sentence(found)


def test_models_whose_weights_were_not_measured_are_named_with_what_measures_them() -> None:
    said = "Not measured for these weights: LSTM and GRU. `python -m minrnn inside measure lstm gru` does it."
    for content in inside_page.sections(
        {"nanogpt": dataclasses.replace(MADE, half_lives=[])}, ["lstm", "gru"]
    ).values():
        assert content.endswith(f"\n\n{said}")
    assert set(inside_page.sections({}, ["lstm", "gru"]).values()) == {said}


def test_a_page_before_any_measurement_says_so() -> None:
    assert set(inside_page.sections({}).values()) == {"*not yet run*"}
