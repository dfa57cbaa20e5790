"""What the app has at hand."""

import shutil
from pathlib import Path

import pytest

from minrnn import checkpoint, library
from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError, HubError
from minrnn.library import Library, open_library
from minrnn.models import MODEL_NAMES, LanguageModel


@pytest.fixture
def shelf(tmp_path: Path) -> Library:
    for name in MODEL_NAMES:
        model = LanguageModel(ModelConfig(name, "\nabc", n_layer=1, n_embd=16, block_size=8))
        model.save_pretrained(tmp_path / "base" / name)
    return open_library(tmp_path)


def test_the_four_are_there_in_the_order_they_are_shown(shelf: Library) -> None:
    assert shelf.presets == ["base"]
    assert list(shelf.models("base")) == list(MODEL_NAMES)
    assert {entry.origin for entry in shelf.models("base").values()} == {"bundled weights"}


def test_a_choice_keeps_that_order(shelf: Library) -> None:
    assert [entry.key for entry in shelf.choose("base", ["nanogpt", "mingru"])] == ["mingru", "nanogpt"]


@pytest.mark.parametrize(
    ("preset", "names", "hint"), [("huge", ["lstm"], "base"), ("base", ["gru"], "mingru")]
)
def test_what_is_not_loaded_is_refused_with_what_is(
    shelf: Library, preset: str, names: list[str], hint: str
) -> None:
    with pytest.raises(CheckpointError, match=hint):
        shelf.choose(preset, names)


def test_the_hubs_models_take_the_bundled_ones_place_and_a_failure_is_said(
    shelf: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = shelf.models("base")["mingru"].checkpoint
    found = {
        ("base", "mingru"): checkpoint.Checkpoint(
            bundled.model, {}, "ada/minrnn-base-mingru", "0123456789" * 4
        ),
        ("base", "lstm"): HubError("ada/minrnn-base-lstm: no such repo."),
    }
    monkeypatch.setenv("MINRNN_HUB_NAMESPACE", "ada")
    monkeypatch.setattr("minrnn.hub.load_all", lambda *_: found)
    models = open_library(tmp_path).models("base")
    assert models["mingru"].origin == "ada/minrnn-base-mingru @ 0123456"
    assert "bundled" in models["lstm"].origin and "no such repo" in models["lstm"].origin


def test_a_run_becomes_a_further_model_named_after_its_folder(tmp_path: Path) -> None:
    LanguageModel(ModelConfig("lstm", "\nabc", n_layer=1, n_embd=16)).save_pretrained(
        tmp_path / "mine" / "model"
    )
    entry = library.further(str(tmp_path / "mine" / "model"))
    assert (entry.title, entry.origin) == ("LSTM", "mine")


def test_an_app_without_any_bundled_weights_still_opens(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    assert open_library(tmp_path).presets == []


def test_a_run_that_trained_on_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "model"
    for layers in (1, 2):
        LanguageModel(ModelConfig("lstm", "\nabc", n_layer=layers, n_embd=16)).save_pretrained(folder)
        assert library.further(str(folder)).model.config.n_layer == layers


def test_a_run_that_was_deleted_is_left_out(tmp_path: Path) -> None:
    LanguageModel(ModelConfig("lstm", "\nabc", n_layer=1, n_embd=16)).save_pretrained(
        tmp_path / "mine" / "model"
    )
    keys = [str(tmp_path / "gone" / "model"), str(tmp_path / "mine" / "model")]
    assert [entry.origin for entry in library.there(keys)] == ["mine"]


def test_a_visitor_adds_only_so_many() -> None:
    keys = [f"hub:ada/{place}@0" for place in range(library.MAX_FURTHER)]
    assert library.added(keys, keys[0]) == [*keys[1:], keys[0]]
    with pytest.raises(ConfigError, match=f"{library.MAX_FURTHER} is the limit"):
        library.added(keys, "hub:ada/more@0")
