"""What is measured inside the bundled models, and what is said of it."""

import dataclasses
import re
from pathlib import Path

import pytest
from torch import Tensor

from minrnn import checkpoint
from minrnn.corpora import own
from minrnn.evaluate import streaming_loss
from minrnn.learn import learning_loss
from minrnn.models import MODEL_NAMES
from minrnn.results import inside
from minrnn.results.inside import Figures, LayerFigures, UnitFigures
from minrnn.results.tables import section
from minrnn.text import CharVocab
from tests.models.small import build

DOCS = Path(__file__).parents[2] / "docs"
STORED = inside.load()
MADE = Figures(
    weights="0",
    exact=True,
    seen=[1, 2, 4, 256],
    context=[2.5, 1.6, 1.44, 1.4],
    half_lives=[LayerFigures(0.5, 2.0, 30.0), LayerFigures(0.75, 3.0, 12.0)],
    within_one=0.62,
    rate=0.1,
    rates=[1.2, 1.1, 1.3],
    streaming=1.42,
    learning=1.28,
    units=[UnitFigures("capital letters", 1, 7, -0.9, -0.85)],
)


@pytest.mark.parametrize("name", STORED)
def test_the_stored_figures_are_those_of_the_bundled_weights(name: str) -> None:
    assert STORED[name].weights == inside.weights_digest(name)


def test_every_bundled_model_was_measured() -> None:
    folders = [name for name in MODEL_NAMES if checkpoint.bundled(inside.PRESET, name).is_dir()]
    assert list(STORED) == folders


@pytest.mark.parametrize("name", STORED)
def test_the_carried_loss_is_the_one_of_the_metrics(name: str) -> None:
    metrics = checkpoint.load(checkpoint.bundled(inside.PRESET, name)).metrics
    assert STORED[name].streaming == pytest.approx(metrics["val_loss_streaming"], abs=2e-4)


def test_the_page_says_what_was_measured() -> None:
    for name, content in inside.sections(STORED).items():
        assert section(DOCS / inside.PAGE, name) == content


@pytest.mark.parametrize("name", STORED)
def test_learning_while_reading_takes_something_off_every_loss(name: str) -> None:
    assert STORED[name].learning < STORED[name].streaming - 0.05


def test_with_16_characters_in_sight_they_write_nearly_as_well_as_the_first_page_says() -> None:
    for one in STORED.values():
        at = dict(zip(one.seen, one.context, strict=True))
        assert at[16] - one.context[-1] < 0.1 and at[2] - one.context[-1] > 0.5


def test_the_first_page_says_how_near_they_are_and_nothing_where_nothing_was_measured() -> None:
    there = {name: one.context[one.seen.index(16)] - one.context[-1] for name, one in STORED.items()}
    assert f"every model is within {max(there.values()):.2f} nats" in inside.alike(STORED)
    assert "nats" not in inside.alike({}) and "alike because a few words are enough" in inside.alike({})


def test_the_best_that_learns_while_reading_reaches_the_goal() -> None:
    assert min(one.learning for one in STORED.values()) <= 1.285


def test_sentences_are_made_from_the_figures() -> None:
    other = dataclasses.replace(MADE, context=[2.5, 1.44, 1.41, 1.4], half_lives=[], learning=1.3, units=[])
    found = {"mingru": MADE, "nanogpt": other}
    assert inside.context_sentence(found).startswith(
        "With 4 characters seen, every model is within 0.04 nats"
    )
    assert "minGRU 62% (the longest: 30 characters)" in inside.half_life_sentence(found)
    assert "nanoGPT" not in inside.half_life_sentence(found)
    assert "unit 7 in layer 2 of minGRU follows “capital letters”" in inside.unit_sentence(found)
    assert "0.12 to 0.14 nats" in inside.learning_sentence(found)


def test_figures_come_back_as_they_were_stored(tmp_path: Path) -> None:
    inside.save({"mingru": MADE}, tmp_path / "inside.json")
    assert inside.load(tmp_path / "inside.json") == {"mingru": MADE}
    assert inside.load(tmp_path / "none.json") == {}


def test_a_page_before_any_measurement_says_so() -> None:
    assert set(inside.sections({}).values()) == {"*not yet run*"}


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_model_is_measured_on_the_splits_of_a_text(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build(name)
    model.save(tmp_path / inside.PRESET / name)
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path)
    monkeypatch.setattr(inside, "POSITIONS", 3)
    monkeypatch.setattr(inside, "SAMPLE", 300)
    text = own.from_text("the cat sat on the mat.\n\nwhy did it sit.\n" * 100)
    found = inside.measure(name, text)
    assert len(found.context) == len(found.seen) == 9
    assert found.rates.index(min(found.rates)) == inside.RATES.index(found.rate)
    ids = model_ids(model.config.vocab, text.text)[text.split_at :]
    assert found.streaming == pytest.approx(streaming_loss(model, ids), abs=1e-3)
    assert found.learning == pytest.approx(learning_loss(model, ids, found.rate), abs=1e-3)
    assert re.fullmatch("[0-9a-f]{16}", found.weights) and found.units


def model_ids(vocab: str, text: str) -> Tensor:
    return CharVocab(vocab).encode(text)
