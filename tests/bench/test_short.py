"""The short form runs the three parts with its own flags."""

import json

import pytest

from minrnn import presets
from minrnn.bench import decode, plain, scan, short, train
from minrnn.cli import bench
from minrnn.config import ModelConfig, TrainConfig
from minrnn.models import LanguageModel
from minrnn.presets import Preset


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    def shape(model: str) -> ModelConfig:
        return ModelConfig(model, "\nab", block_size=8, n_layer=1, n_embd=16, conv_kernel=0)

    recipe = TrainConfig(batch_size=2, device="cpu", dtype="float32")
    monkeypatch.setattr(presets, "get", lambda preset, model: Preset(shape(model), recipe))
    monkeypatch.setattr(decode, "shaped", lambda preset, name: LanguageModel(shape(name)).eval())
    monkeypatch.setattr(decode, "CHARS", 4)
    monkeypatch.setattr(train, "PEAK_SIZE", 16)
    monkeypatch.setattr(plain, "has_peer", lambda: False)
    monkeypatch.setattr(scan, "SHAPES", ((2, 5, 3),))


def test_json_holds_what_the_three_parts_give(capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(["--json", "--rounds", "1"])
    found = json.loads(capsys.readouterr().out)
    assert [part["rounds"] for part in found.values()] == [1, 1, 1]
    assert found["decode"]["models"] and found["train"]["speeds"] and found["scan"]["shapes"]
    assert not any("processes" in goal["name"] for goal in found["train"]["goals"])


def test_the_tables_of_the_three_parts_follow_each_other() -> None:
    tables = [line.split(" | ")[0] for line in short.lines(short.Short(rounds=1)) if "goal |" in line]
    assert tables == ["| model", "| ratio", "| (B, T, C)"]
