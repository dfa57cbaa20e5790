"""What is measured inside the bundled models, and what is said of it."""

import dataclasses
import hashlib
import re
from pathlib import Path

import pytest
from torch import Tensor

from minrnn import checkpoint
from minrnn.corpora import own
from minrnn.errors import MinrnnError
from minrnn.evaluate import streaming_loss
from minrnn.learn import learning_loss
from minrnn.library import PRESETS
from minrnn.models import MODEL_NAMES
from minrnn.results import inside
from minrnn.results.inside import Figures, LayerFigures, UnitFigures
from minrnn.text import CharVocab
from tests.models.small import build
from tests.results.bundled_copy import NAMES, change, copied

STORED = {f"{preset}/{name}": one for preset in PRESETS for name, one in inside.read(preset).items()}
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
    preset, model = name.split("/")
    assert STORED[name].weights == inside.weights_digest(model, preset)


@pytest.mark.parametrize("preset", [p for p in PRESETS if p == inside.PRESET or inside.load(p)])
def test_every_bundled_model_of_a_preset_was_measured(preset: str) -> None:
    folders = [name for name in MODEL_NAMES if checkpoint.bundled(preset, name).is_dir()]
    assert list(inside.load(preset)) == folders


@pytest.mark.parametrize("name", STORED)
def test_the_carried_loss_is_the_one_of_the_metrics(name: str) -> None:
    metrics = checkpoint.load(checkpoint.bundled(*name.split("/"))).metrics
    assert STORED[name].streaming == pytest.approx(metrics["val_loss_streaming"], abs=2e-4)


@pytest.mark.parametrize("name", STORED)
def test_learning_while_reading_takes_something_off_every_loss(name: str) -> None:
    assert STORED[name].learning < STORED[name].streaming - 0.05


def test_with_16_characters_in_sight_they_write_nearly_as_well_as_the_first_page_says() -> None:
    for one in STORED.values():
        at = dict(zip(one.seen, one.context, strict=True))
        assert at[16] - one.context[-1] < 0.1 and at[2] - one.context[-1] > 0.5


def test_the_best_that_learns_while_reading_reaches_the_goal() -> None:
    assert min(one.learning for one in STORED.values()) <= 1.285


def test_figures_come_back_as_they_were_stored(tmp_path: Path) -> None:
    path, other = tmp_path / "inside.json", dataclasses.replace(MADE, weights="1")
    inside.save("base", "gru", MADE, path)
    inside.save("base", "mingru", MADE, path)
    inside.save("allplays", "mingru", other, path)
    inside.save("base", "gru", other, path)
    assert list(inside.read("base", path).items()) == [("mingru", MADE), ("gru", other)]
    assert inside.read("allplays", path) == {"mingru": other}
    assert inside.read("taught", path) == inside.read("base", tmp_path / "none.json") == {}


def test_figures_are_given_as_long_as_their_weights_are_the_bundled_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied("base", tmp_path / "weights", monkeypatch)
    path = tmp_path / "inside.json"
    for name in NAMES:
        inside.save("base", name, dataclasses.replace(MADE, weights=inside.weights_digest(name)), path)
    assert tuple(inside.load("base", path)) == NAMES and inside.unmeasured("base", NAMES) == []
    change("base", "lstm")
    assert list(found := inside.load("base", path)) == ["mingru"]
    assert inside.unmeasured("base", found) == ["lstm"]
    assert tuple(inside.read("base", path)) == NAMES


def test_weights_are_read_once_however_often_their_digest_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied("base", tmp_path, monkeypatch)
    read, digest = list[object](), hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, kind: (read.append(file), digest(file, kind))[1])
    assert len({inside.weights_digest(name) for name in NAMES * 3}) == len(read) == 2
    change("base", "lstm")
    assert inside.weights_digest("lstm") != inside.weights_digest("mingru") and len(read) == 3
    assert inside.weights_digest("gru") == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"base": {"gru": {}}}', '{"gru": 1}'])
def test_a_damaged_file_of_figures_is_named_and_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "inside.json"
    path.write_text(text, encoding="utf-8")
    for act in (lambda: inside.load(path=path), lambda: inside.save("base", "gru", MADE, path)):
        with pytest.raises(MinrnnError, match="inside.json does not hold figures"):
            act()
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_model_is_measured_on_the_splits_of_a_text(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build(name)
    model.save(tmp_path / "allplays" / name)
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path)
    monkeypatch.setattr(inside, "POSITIONS", 3)
    monkeypatch.setattr(inside, "SAMPLE", 300)
    text = own.from_text("the cat sat on the mat.\n\nwhy did it sit.\n" * 100)
    found = inside.measure(name, text, "allplays")
    assert len(found.context) == len(found.seen) == 9
    assert found.rates.index(min(found.rates)) == inside.RATES.index(found.rate)
    ids = model_ids(model.config.vocab, text.text)[text.split_at :]
    assert found.streaming == pytest.approx(streaming_loss(model, ids), abs=1e-3)
    assert found.learning == pytest.approx(learning_loss(model, ids, found.rate), abs=1e-3)
    assert re.fullmatch("[0-9a-f]{16}", found.weights) and found.units


def model_ids(vocab: str, text: str) -> Tensor:
    return CharVocab(vocab).encode(text)
