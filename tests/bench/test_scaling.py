"""A training step's growth is measured and reported; how fast is not asserted, for machines differ."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from minrnn.bench import scaling
from minrnn.bench.scaling import Scaling, ScalingFlags, StepCost
from minrnn.cli import bench
from minrnn.config import ModelConfig
from minrnn.errors import ConfigError, MinrnnError
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.results import scaling as scaling_results

every_model = pytest.mark.parametrize("name", MODEL_NAMES)


def small(preset: str, name: str, length: int) -> LanguageModel:
    return LanguageModel(ModelConfig(name, "\nab", block_size=length, n_layer=1, n_embd=16)).train()


@every_model
def test_twice_the_length_keeps_at_least_twice_the_bytes(name: str) -> None:
    short, long = (scaling.measure(small("base", name, n), n, rounds=1).saved_bytes for n in (64, 128))
    assert 1.7 * short < long < 4.1 * short


def test_the_weights_do_not_count() -> None:
    model = small("base", MODEL_NAMES[0], 8)
    kept = scaling.saved_bytes(model, torch.zeros(1, 1, dtype=torch.int64))
    assert 0 < kept < sum(w.nbytes for w in model.parameters())


def test_lengths_that_would_take_too_long_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "shaped", small)
    monkeypatch.setattr(scaling, "measure", lambda model, length, rounds: StepCost(length, length / 64, 8))
    found = scaling.measure_all(ScalingFlags(seconds=20.0, rounds=1))
    assert all([cost.length for cost in one.steps] == [64, 128, 256] for one in found)


@pytest.mark.parametrize(
    ("flags", "why"), [({"longest": 10}, "longest is 10"), ({"rounds": 0}, "rounds is 0")]
)
def test_nothing_to_measure_is_refused(flags: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        scaling.measure_all(ScalingFlags(**flags))


def test_the_command_prints_one_object_that_the_page_reads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scaling, "shaped", small)
    bench.main(["scaling", "--json", "--longest", "64", "--rounds", "1"])
    printed = capsys.readouterr().out
    assert set(json.loads(printed)["models"][0]["steps"][0]) == {"length", "seconds", "saved_bytes"}
    monkeypatch.setattr(
        subprocess, "run", lambda *args, **kwargs: subprocess.CompletedProcess(args, 0, printed.encode())
    )
    assert [one.model for one in scaling_results.measured_here()] == list(MODEL_NAMES)


def test_a_measurement_that_takes_too_long_is_ended() -> None:
    with pytest.raises(MinrnnError, match=r"more than 0\.03 s"):
        scaling_results.measured_here(0.01)


def test_the_figures_are_kept_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Scaling("gru", [StepCost(64, 0.5, 1_000)])]
    scaling_results.save(found, ScalingFlags(), "2026-01-02", tmp_path / "scaling.json")
    monkeypatch.setattr(scaling_results, "SHIPPED", tmp_path / "scaling.json")
    scaling_results.stored.cache_clear()
    kept = scaling_results.stored()
    scaling_results.stored.cache_clear()
    assert kept.models == found and kept.date == "2026-01-02" and "torch" in kept.machine


def test_the_release_has_figures_of_every_compared_model() -> None:
    stored = scaling_results.stored()
    assert {one.model for one in stored.models} == set(MODEL_NAMES)
    assert all(one.steps for one in stored.models)
