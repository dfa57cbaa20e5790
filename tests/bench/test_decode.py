"""Writing is measured and reported; how fast is not asserted, for machines differ."""

import json
from dataclasses import replace

import pytest

from minrnn.bench import decode
from minrnn.cli import bench
from minrnn.config import ModelConfig
from minrnn.models import MODEL_NAMES, LanguageModel, mixer_class

ROW = decode.Row("a model", 100.0, 400.0, 800.0, 0.5, 0.4, 4.0)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    def shaped(preset: str, name: str) -> LanguageModel:
        return LanguageModel(ModelConfig(name, "\nab", block_size=8, n_layer=1, n_embd=16)).eval()

    monkeypatch.setattr(decode, "shaped", shaped)
    monkeypatch.setattr(decode, "CHARS", 4)


def test_every_model_is_measured_and_one_with_a_window_in_it_and_past_it() -> None:
    found = list(decode.rows(decode.Decode(rounds=1)))
    windowed = [name for name in MODEL_NAMES if mixer_class(name).learned_positions]
    assert len(found) == len(MODEL_NAMES) + len(windowed)
    assert min(min(row.forward, row.step, row.bound, row.of_bound) for row in found) > 0


def test_ok_or_short_stands_beside_each_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "rows", lambda flags: iter([ROW, replace(ROW, of_bound=0.3, of_forward=3.0)]))
    first, second = list(decode.lines(decode.Decode()))[-2:]
    assert "0.4: ok" in first and "3.5: ok" in first
    assert "0.4: short" in second and "3.5: short" in second


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(["decode", "--json", "--rounds", "1"])
    found = json.loads(capsys.readouterr().out)
    assert {"cpu", "torch", "dtype", "threads", "rounds"} <= set(found)
    assert all(isinstance(row["ok"], bool) for row in found["models"])


def test_the_bound_multiplies_every_matrix_of_a_block_once() -> None:
    model = decode.shaped("base", MODEL_NAMES[0])
    inside = sum(w.numel() for w in model.blocks.parameters() if w.ndim == 2)
    multiplied = [(call.func.__self__, call.args[0]) for call in decode.products(model)]  # type: ignore[attr-defined]
    sizes = [max(one.size, other.size) for one, other in multiplied]
    assert sum(sizes) == inside + 3 * 16  # and the head


def test_a_table_of_another_part_is_not_taken_for_this_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["no_such_part"])
    assert "no_such_part" in capsys.readouterr().err
