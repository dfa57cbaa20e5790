"""Checkpoints: a model with its metrics, in a folder. tests/hub/test_loading.py has those on the Hub."""

import math
import string
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from minrnn import checkpoint
from minrnn.config import ModelConfig
from minrnn.corpora import own
from minrnn.errors import CheckpointError, HubError
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.settings import MAX_JSON_BYTES

TEXT = own.from_text("the quick brown fox jumps over the lazy dog.\n" * 100)
every_model = pytest.mark.parametrize("name", MODEL_NAMES)


def small(name: str = "mingru") -> LanguageModel:
    torch.manual_seed(0)
    vocab = string.ascii_lowercase + " .\n"
    return LanguageModel(ModelConfig(name, vocab, block_size=32, n_layer=1, n_embd=16)).eval()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small().save(tmp_path / "model")
    return tmp_path / "model"


@every_model
def test_a_checkpoint_is_loaded_as_it_was_saved(name: str, tmp_path: Path) -> None:
    model = small(name)
    model.save(tmp_path)
    (tmp_path / "metrics.json").write_text('{"val_loss": 1.5}')
    found = checkpoint.load(tmp_path)
    assert found.model.config == model.config and found.metrics == {"val_loss": 1.5}
    assert (found.source, found.revision) == (str(tmp_path), None) and not found.model.training
    pairs = zip(found.model.state_dict().values(), model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_the_shape_is_read_without_the_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert checkpoint.read_config(str(folder)) == small().config


def test_a_model_without_metrics_is_still_a_model(folder: Path) -> None:
    assert checkpoint.load(folder).metrics == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "must hold an object, not list"),
        ("{", "metrics.json cannot be read"),
        ("[" * 100_000, "metrics.json cannot be read"),
        ('{"a": "' + "x" * MAX_JSON_BYTES + '"}', "at most 1,000,000 are read"),
    ],
)
def test_metrics_that_are_none_are_named(folder: Path, text: str, message: str) -> None:
    (folder / "metrics.json").write_text(text)
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(folder)


@pytest.mark.parametrize("name", ["{}", "up/{}", "../{}", "/etc/{}"])
def test_a_name_of_a_repo_never_tells_which_paths_exist(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (folder.parent / "up").mkdir()
    folder.rename(folder.parent / "up" / "real")
    said = []
    for last in ("real", "none"):
        with pytest.raises((CheckpointError, HubError)) as refused:
            checkpoint.load_repo(name.format(last), local_files_only=True)
        said.append(str(refused.value).replace(last, "*"))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "ref", ["/tmp/no/such", "./nowhere", "nowhere", "a/b/c", "checkpoints/base/none", "a b/c"]
)
@pytest.mark.parametrize("read", [checkpoint.load, checkpoint.read_config])
def test_a_name_that_is_neither_a_folder_nor_a_repos_is_told_as_both(
    read: Callable[[str], object], ref: str
) -> None:
    with pytest.raises(CheckpointError, match=f"'{ref}' is neither a folder on this machine nor a Hub repo"):
        read(ref)


def test_a_bundled_checkpoint_has_one_name_in_every_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = tmp_path / "program" / "checkpoints"
    small().save(bundled / "base" / "lstm")
    monkeypatch.setattr(checkpoint, "BUNDLED", bundled)
    for place in (tmp_path, tmp_path / "program"):
        monkeypatch.chdir(place)
        assert checkpoint.lasting_name(str(bundled / "base" / "lstm")) == "checkpoints/base/lstm"
        assert checkpoint.lasting_name("checkpoints/base/lstm") == "checkpoints/base/lstm"
        assert checkpoint.load("checkpoints/base/lstm").model.config == small().config
        assert checkpoint.read_config("checkpoints/base/lstm") == small().config
    for other in ("checkpoints/base/gru", "checkpoints/../base", "checkpoints/base/lstm/..", "checkpoints"):
        monkeypatch.chdir(tmp_path)
        assert checkpoint.folder_of(other) is None


def test_a_folders_lasting_name_is_its_whole_path_and_a_repos_its_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for typed in ("model", "./model", "model/../model", str(folder)):
        assert checkpoint.lasting_name(typed) == str(folder)
    for repo in ("ann/model", "ann/model@main", "nowhere"):
        assert checkpoint.lasting_name(repo) == repo


@every_model
def test_the_whole_split_is_scored_both_ways_and_a_sample_one(name: str) -> None:
    whole = checkpoint.score(small(name), TEXT)
    sample = checkpoint.score(small(name), TEXT, chars=128)
    assert set(whole) - set(sample) == {"val_loss_streaming"}
    assert whole["tokens"] == len(TEXT.val) - 1 and 0 < sample["tokens"] < whole["tokens"]
    assert sample["bits_per_char"] == pytest.approx(sample["val_loss"] / math.log(2))


def test_a_sample_as_long_as_the_split_is_the_split() -> None:
    assert checkpoint.score(small(), TEXT, chars=10**6) == checkpoint.score(small(), TEXT)


def test_the_training_split_is_scored_on_demand() -> None:
    assert "train_loss" in checkpoint.score(small(), TEXT, train_split=True)
    assert "train_loss" not in checkpoint.score(small(), TEXT)
