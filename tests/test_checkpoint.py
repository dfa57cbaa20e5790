"""Checkpoints: a model with its metrics, in a folder. tests/hub/test_loading.py has those on the Hub."""

import math
import string
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
