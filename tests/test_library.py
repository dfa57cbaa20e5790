"""What the app has at hand."""

import shutil
from pathlib import Path

import pytest
import torch

from minrnn import checkpoint, library
from minrnn.checkpoint import Checkpoint
from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError, HubError
from minrnn.hub import loading
from minrnn.library import Entry, Library, open_library
from minrnn.models import MIXERS, MODEL_NAMES, Committee, LanguageModel


def save(folder: Path, mixer: str = "lstm", n_layer: int = 1) -> None:
    LanguageModel(ModelConfig(mixer, "\nabc", n_layer=n_layer, n_embd=16, block_size=8)).save(folder)


@pytest.fixture
def bundled(tmp_path: Path) -> Library:
    for name in MODEL_NAMES:
        save(tmp_path / "base" / name, name)
    return open_library(tmp_path)


def test_every_model_is_there_in_the_order_they_are_shown(bundled: Library) -> None:
    assert bundled.presets == ["base"]
    assert list(bundled.models("base")) == list(MODEL_NAMES)
    assert {entry.origin for entry in bundled.models("base").values()} == {"bundled weights"}
    assert [e.title for e in bundled.models("base").values()] == [MIXERS[n].title for n in MODEL_NAMES]


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
    assert list(open_library(tmp_path).models("base")) == [n for n in MODEL_NAMES if n != name]


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
    assert opened.presets == ["base"] and list(models) == list(MODEL_NAMES)


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


def test_only_so_many_further_models_are_kept(tmp_path: Path) -> None:
    opened = Library({})
    keys = [str(tmp_path / f"run-{number}" / "model") for number in range(library.FURTHER_KEPT + 1)]
    for key in keys:
        save(Path(key))
    entries = [opened.further(key) for key in keys]
    assert opened.further(keys[-1]) is entries[-1] and opened.further(keys[0]) is not entries[0]


def test_two_libraries_share_nothing(tmp_path: Path) -> None:
    save(tmp_path / "mine" / "model")
    key = str(tmp_path / "mine" / "model")
    assert Library({}).further(key) is not Library({}).further(key)


def test_a_run_that_was_deleted_is_left_out(tmp_path: Path) -> None:
    save(tmp_path / "mine" / "model")
    keys = [str(tmp_path / "gone" / "model"), str(tmp_path / "mine" / "model")]
    assert [entry.origin for entry in Library({}).readable(keys)] == ["mine"]


def test_a_visitor_adds_only_so_many() -> None:
    keys = [f"hub:ada/{number}@0" for number in range(library.MAX_FURTHER)]
    assert library.with_added(keys, keys[0]) == [*keys[1:], keys[0]]
    with pytest.raises(ConfigError, match=f"{library.MAX_FURTHER} is the limit"):
        library.with_added(keys, "hub:ada/more@0")


def test_an_entry_makes_its_weights_ready_once_and_a_committee_takes_its_members() -> None:
    torch.manual_seed(0)
    models = [LanguageModel(ModelConfig(name, "\nab", n_layer=1, n_embd=16)).eval() for name in MODEL_NAMES]
    entries = [Entry(m.config.mixer, "", Checkpoint(m, {}, ""), "") for m in models]
    together = Entry("all", "", Checkpoint(models[0], {}, ""), "", Committee(models), tuple(entries))
    before = [entry.stepper for entry in entries]
    with torch.inference_mode():
        wanted = together.model(torch.tensor([[1]]))[0][0, 0]
    assert together.stepper is not None and together.stepper is together.stepper
    assert torch.from_numpy(together.stepper.begin()(1)).allclose(wanted, atol=1e-5)
    assert [entry.stepper for entry in entries] == before
