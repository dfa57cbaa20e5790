"""Endless text is measured and reported; how fast is not asserted, for machines differ."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from minrnn.bench import length
from minrnn.bench.length import Length, LengthFlags, Stretch
from minrnn.cli import bench
from minrnn.config import ModelConfig
from minrnn.errors import ConfigError
from minrnn.evaluate import character_losses, windowed_loss
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.results import length as length_results

every_model = pytest.mark.parametrize("name", MODEL_NAMES)


def small(preset: str, name: str) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(ModelConfig(name, "\nab", block_size=8, n_layer=1, n_embd=16)).eval()


@pytest.fixture
def ids() -> torch.Tensor:
    return torch.randint(3, (301,), generator=torch.Generator().manual_seed(1))


@every_model
def test_the_losses_are_those_of_evaluation(name: str, ids: torch.Tensor) -> None:
    model = small("base", name)
    found = length.measure(name, model, ids, scored=True).stretches
    carried = sum(s.loss * n for s, n in zip(found, (100, 200), strict=True) if s.loss is not None) / 300
    windows = (
        sum(s.windows * n for s, n in zip(found, (100, 200), strict=True) if s.windows is not None) / 300
    )
    assert carried == pytest.approx(character_losses(model, ids).mean().item(), abs=2e-4)
    assert windows == pytest.approx(windowed_loss(model, ids), abs=2e-4)


@every_model
def test_a_state_of_fixed_size_does_not_grow_and_a_window_s_is_bounded(name: str, ids: torch.Tensor) -> None:
    model = small("base", name)
    first, last = length.measure(name, model, ids, scored=False).stretches
    if model.positions is None:
        assert first.state_bytes == last.state_bytes
    keys_values, convolution, newest = 2 * 8 * 16 * 4, 3 * 16 * 4, 8 * 8
    assert 0 < last.state_bytes <= keys_values + convolution + newest


def test_a_text_without_meaning_has_no_loss(ids: torch.Tensor) -> None:
    found = length.measure("gru", small("base", "gru"), ids, scored=False)
    assert all(s.loss is None and s.windows is None for s in found.stretches)
    assert "|  |  |" in "\n".join(length.table([found]))


@pytest.mark.parametrize(("last", "verdict"), [(109.0, "+9%: ok"), (111.0, "+11%: short")])
def test_time_is_flat_within_a_tenth(last: float, verdict: str) -> None:
    times = zip((100, 1_000, 10_000), (500.0, 100.0, last), strict=True)
    found = Length("a model", [Stretch(end, None, None, us, 8) for end, us in times])
    assert verdict in list(length.table([found]))[-1]


def test_the_figures_are_kept_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ids: torch.Tensor
) -> None:
    found = [length.measure("gru", small("base", "gru"), ids, scored=True)]
    length_results.save(found, LengthFlags(), "2026-01-02", tmp_path / "length.json")
    monkeypatch.setattr(length_results, "SHIPPED", tmp_path / "length.json")
    length_results.stored.cache_clear()
    kept = length_results.stored()
    length_results.stored.cache_clear()
    assert kept.models == found and kept.date == "2026-01-02" and "torch" in kept.machine


def test_the_command_prints_one_object(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(length, "shaped", small)
    bench.main(["length", "--chars", "150", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [one["model"] for one in found["models"]] == list(MODEL_NAMES)
    assert {"cpu", "torch", "threads", "chars"} <= set(found)


def test_one_character_is_too_few() -> None:
    with pytest.raises(ConfigError, match="chars is 1; read at least 2"):
        list(length.measure_all(LengthFlags(chars=1)))
