"""What the app has at hand."""

import shutil
from pathlib import Path

import pytest

from minrnn import checkpoint, library, settings
from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError, HubError
from minrnn.hub import loading
from minrnn.library import COMMITTEE, Entry, Library, open_library
from minrnn.models import MIXERS, MODEL_NAMES, Committee, LanguageModel


def save(folder: Path, mixer: str = "lstm", n_layer: int = 1) -> None:
    LanguageModel(ModelConfig(mixer, "\nabc", n_layer=n_layer, n_embd=16, block_size=8)).save(folder)


@pytest.fixture
def bundled(tmp_path: Path) -> Library:
    for name in MODEL_NAMES:
        save(tmp_path / "base" / name, name)
    return open_library(tmp_path)


def alone(library: Library) -> dict[str, Entry]:
    """The models of `base`, without their committee."""
    return {key: entry for key, entry in library.models("base").items() if key != COMMITTEE}


def test_the_committee_of_all_models_stands_behind_them(bundled: Library) -> None:
    together = bundled.models("base")[COMMITTEE]
    assert list(bundled.models("base"))[-1] == COMMITTEE and isinstance(together.model, Committee)
    assert len(together.model.members) == len(MODEL_NAMES)


def test_models_with_different_characters_have_no_committee(tmp_path: Path) -> None:
    save(tmp_path / "base" / "lstm")
    other = LanguageModel(ModelConfig("gru", "xyz", n_layer=1, n_embd=16, block_size=8))
    other.save(tmp_path / "base" / "gru")
    assert list(open_library(tmp_path).models("base")) == ["lstm", "gru"]


def test_every_model_is_there_in_the_order_they_are_shown(bundled: Library) -> None:
    assert bundled.presets == ["base"]
    assert list(alone(bundled)) == list(MODEL_NAMES)
    assert {entry.origin for entry in alone(bundled).values()} == {"bundled weights"}
    assert [e.title for e in alone(bundled).values()] == [MIXERS[n].title for n in MODEL_NAMES]


@pytest.mark.parametrize("name", MODEL_NAMES)
@pytest.mark.parametrize("left", ["nothing", "an empty folder", "figures"])
def test_a_model_without_weights_is_left_out(tmp_path: Path, name: str, left: str) -> None:
    for other in MODEL_NAMES:
        save(tmp_path / "base" / other, other)
    shutil.rmtree(tmp_path / "base" / name)
    if left != "nothing":
        (tmp_path / "base" / name).mkdir()
    if left == "figures":
        (tmp_path / "base" / name / "metrics.json").write_text("{}")
    assert list(alone(open_library(tmp_path))) == [n for n in MODEL_NAMES if n != name]


def test_a_choice_keeps_that_order(bundled: Library) -> None:
    assert [entry.key for entry in bundled.choose("base", MODEL_NAMES[::-2])] == [
        name for name in MODEL_NAMES if name in MODEL_NAMES[::-2]
    ]


@pytest.mark.parametrize(
    ("preset", "names", "hint"),
    [("huge", ["lstm"], "base"), ("base", ["no_such_model"], "mingru"), ("base", [], "no model is chosen")],
)
def test_what_is_not_loaded_is_refused_with_what_is(
    bundled: Library, preset: str, names: list[str], hint: str
) -> None:
    with pytest.raises(CheckpointError, match=hint):
        bundled.choose(preset, names)


def test_the_hubs_models_take_the_bundled_ones_place_and_a_failure_is_said(
    bundled: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = bundled.models("base")["mingru"].model
    found = {
        ("base", "mingru"): checkpoint.Checkpoint(model, {}, "ada/minrnn-base-mingru", "0123456789" * 4),
        ("base", "lstm"): HubError("ada/minrnn-base-lstm: no such repo."),
        ("replica", "lstm"): HubError("ada/minrnn-replica-lstm: no such repo."),
    }
    monkeypatch.setenv("MINRNN_HUB_NAMESPACE", "ada")
    monkeypatch.setattr(loading, "load_all", lambda *_: found)
    opened = open_library(tmp_path)
    models = opened.models("base")
    assert models["mingru"].origin == "ada/minrnn-base-mingru @ 0123456"
    assert "bundled" in models["lstm"].origin and "no such repo" in models["lstm"].origin
    assert opened.presets == ["base"] and list(alone(opened)) == list(MODEL_NAMES)


def test_a_run_becomes_a_further_model_named_after_its_folder(tmp_path: Path) -> None:
    save(tmp_path / "mine" / "model")
    entry = Library({}).further(str(tmp_path / "mine" / "model"))
    assert (entry.title, entry.origin) == ("LSTM", "mine")


def test_an_app_without_any_bundled_weights_still_opens(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    assert open_library(tmp_path).presets == []


def test_a_run_that_trained_on_is_read_again_and_else_not(tmp_path: Path) -> None:
    folder, opened = tmp_path / "mine" / "model", Library({})
    for layers in (1, 2):
        save(folder, n_layer=layers)
        first = opened.further(str(folder))
        assert first.model.config.n_layer == layers and opened.further(str(folder)) is first


@pytest.mark.parametrize("kept", [0, 2])
def test_only_so_many_bytes_of_further_models_are_kept_and_always_the_last(
    kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Library({})
    keys = [str(tmp_path / f"run-{number}" / "model") for number in range(3)]
    for key in keys:
        save(Path(key))
    size = 4 * opened.further(keys[0]).checkpoint.model.n_params
    monkeypatch.setattr(settings, "MAX_FURTHER_BYTES", kept * size)
    entries = [opened.further(key) for key in keys]
    assert opened.further(keys[2]) is entries[2] and (opened.further(keys[1]) is entries[1]) == (kept == 2)
    assert opened.further(keys[0]) is not entries[0]


def test_two_libraries_share_nothing(tmp_path: Path) -> None:
    save(tmp_path / "mine" / "model")
    key = str(tmp_path / "mine" / "model")
    assert Library({}).further(key) is not Library({}).further(key)


def test_a_run_that_was_deleted_is_left_out(tmp_path: Path) -> None:
    save(tmp_path / "mine" / "model")
    keys = [str(tmp_path / "gone" / "model"), str(tmp_path / "mine" / "model")]
    assert [entry.origin for entry in Library({}).readable(keys)] == ["mine"]


def test_the_first_models_are_those_of_the_first_preset_without_their_committee(bundled: Library) -> None:
    assert bundled.first_models() == [entry.model for entry in alone(bundled).values()]


def test_a_preset_is_read_when_it_is_asked_for_and_only_once(bundled: Library, tmp_path: Path) -> None:
    """A damaged checkpoint is an error where somebody wants it, and not the end of the app."""
    save(tmp_path / "replica" / "lstm")
    (tmp_path / "replica" / "lstm" / "model.safetensors").write_bytes(b"nothing")
    opened = open_library(tmp_path)
    assert opened.presets == ["base", "replica"] and opened.models("base") is opened.models("base")
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        opened.models("replica")
    save(tmp_path / "replica" / "lstm")
    assert list(opened.models("replica")) == ["lstm"]


def test_a_visitor_adds_only_so_many() -> None:
    keys = [f"hub:ada/{number}@0" for number in range(settings.MAX_FURTHER)]
    assert library.with_added(keys, keys[0]) == [*keys[1:], keys[0]]
    with pytest.raises(ConfigError, match=f"{settings.MAX_FURTHER} is the limit"):
        library.with_added(keys, "hub:ada/more@0")


@pytest.mark.parametrize(
    ("counts", "first"),
    [
        ({"allplays": 2, "base": 2}, "allplays"),
        ({"allplays": 1, "base": 2}, "base"),
        ({"replica": 1}, "replica"),
        ({}, ""),
    ],
)
def test_the_page_starts_with_the_preset_that_has_the_most_models(
    counts: dict[str, int], first: str, tmp_path: Path
) -> None:
    for preset, count in counts.items():
        for name in MODEL_NAMES[:count]:
            save(tmp_path / preset / name, name)
    assert open_library(tmp_path).first == first
