"""Training is measured and reported; how fast is not asserted, for machines differ."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from minrnn import presets
from minrnn.bench import plain, together, train
from minrnn.cli import bench
from minrnn.config import ModelConfig, TrainConfig
from minrnn.errors import MinrnnError
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.models.mixer import mixer_class
from minrnn.presets import Preset

RECIPE = TrainConfig(batch_size=2, device="cpu", dtype="float32")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(preset: str, model: str) -> Preset:
        return Preset(ModelConfig(model, block_size=8, n_layer=1, n_embd=16, conv_kernel=0), RECIPE)

    monkeypatch.setattr(presets, "get", get)
    monkeypatch.setattr(train, "PEAK_SIZE", 16)
    monkeypatch.setattr(plain, "has_peer", lambda: False)


def test_every_model_and_what_it_is_compared_with_is_measured() -> None:
    speeds, goals = train.measure(train.Train(rounds=1, together=False))
    assert [speed.name for speed in speeds] == [*MODEL_NAMES, "plain nanoGPT, float32"]
    assert min(min(speed.chars_per_s, speed.of_peak) for speed in speeds) > 0
    assert [goal.name for goal in goals] == ["mingru / lstm", "nanogpt / plain nanoGPT, float32"]


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(["train", "--json", "--rounds", "1", "--no-together"])
    found = json.loads(capsys.readouterr().out)
    assert {"cpu", "torch", "dtype", "threads", "rounds"} <= set(found)
    assert all(isinstance(goal["ok"], bool) for goal in found["goals"])


def test_ok_or_short_stands_beside_each_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    goals = [train.Goal("first", 2.0, 1.7), train.Goal("second", 1.6, 1.7)]
    monkeypatch.setattr(train, "measure", lambda flags: ([train.Speed("a model", 10, 0.5)], goals))
    *_, first, second = train.lines(train.Train())
    assert first == "| first | 2.00 | 1.7: ok |" and second == "| second | 1.60 | 1.7: short |"


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    times = {"mingru": [1.0, 1.0, 9.0], "lstm": [2.0, 3.0, 9.0]}
    assert [(goal.ratio, goal.ok) for goal in train.goals(times)] == [(2.0, True)]


@pytest.mark.parametrize("measure", [together.processes, together.threads])
def test_two_and_one_are_measured_in_turn(measure: Callable[..., dict[str, list[float]]]) -> None:
    found = measure("tiny", "mingru", 1)
    assert {way: len(taken) for way, taken in found.items()} == {"one": 1, "two": 1}
    assert min(found["one"] + found["two"]) > 0


def _fails_beside_one_that_waits(rank: int, box: Any) -> None:
    if rank == 0:
        raise SystemExit(3)
    time.sleep(120)


def test_a_process_that_fails_ends_those_that_wait_for_it() -> None:
    began = time.monotonic()
    with pytest.raises(MinrnnError, match="a measured process ended with exit status 3"):
        together._measured(_fails_beside_one_that_waits, 2)
    assert time.monotonic() - began < 100


def test_plain_nanogpt_computes_what_ours_does() -> None:
    shape = ModelConfig(
        "nanogpt", "\nab", n_layer=2, n_embd=16, block_size=8, conv_kernel=0, bias=False, tie_head=True
    )
    ours, theirs = LanguageModel(shape).eval(), plain.GPT(shape, 3).eval()
    taken = zip(theirs.parameters(), _in_their_order(ours), strict=True)
    with torch.no_grad():
        for weight, value in taken:
            weight.copy_(value)
    idx = torch.randint(3, (2, 8))
    torch.testing.assert_close(theirs(idx), ours(idx)[0])
    assert mixer_class("nanogpt").learned_positions and replace(shape).n_layer == 2


def _in_their_order(model: Any) -> list[torch.Tensor]:
    """Embedding, the parts of all blocks, all norms, positions."""
    parts = [w for block in model.blocks for part in (block.mixer, block.mlp) for w in part.parameters()]
    norms = [w for block in model.blocks for norm in (block.norm, block.mlp_norm) for w in norm.parameters()]
    last = [*model.norm.parameters(), model.positions.weight]
    return [model.embedding.weight, *parts, *norms, *last]
