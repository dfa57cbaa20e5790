"""The checkpoints' figures, and the published ones: what is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from minrnn import results
from minrnn.errors import CheckpointError
from minrnn.results import figures
from tests.results.run_folders import LOSSES, METRICS, checkpoint, finished_run


def test_checkpoints_come_in_the_order_they_are_shown(tmp_path: Path) -> None:
    for place in ("replica/lstm", "base/nanogpt", "other/mingru", "base/mingru", "replica/minlstm"):
        checkpoint(tmp_path, *place.split("/"))
    order = [f"{r.preset}/{r.model}" for r in results.bundled(tmp_path)]
    assert order == ["base/mingru", "base/nanogpt", "replica/minlstm", "replica/lstm", "other/mingru"]


def test_a_folder_without_metrics_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "base" / "mingru").mkdir(parents=True)
    assert results.bundled(tmp_path) == ()


def test_the_training_loss_is_there_only_where_it_was_scored(tmp_path: Path) -> None:
    assert figures.read(checkpoint(tmp_path, "base", "mingru")).train_loss is None
    assert figures.read(checkpoint(tmp_path, "replica", "mingru", train_loss=1.4)).train_loss == 1.4


def test_metrics_that_lack_a_figure_are_named(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, "base", "mingru", params={"embedding": 1})
    with pytest.raises(CheckpointError, match="metrics.json is not what a training run writes"):
        figures.read(folder)


def test_a_curve_holds_the_evaluations_of_the_history(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_bytes((finished_run(tmp_path / "run") / "metrics.jsonl").read_bytes())
    assert results.curve(tmp_path) == results.Curve([0, 3], [0, 600], [0.1, 0.9], [4.0, 3.0])


def test_without_a_history_there_is_no_curve_and_what_is_no_event_is_left_out(tmp_path: Path) -> None:
    assert results.curve(tmp_path).iters == []
    good = (finished_run(tmp_path / "run") / "metrics.jsonl").read_text()
    (tmp_path / "history.jsonl").write_text('null\n{"event": "eval", "iter": 0}\n' + good)
    assert results.curve(tmp_path).iters == [0, 3]


@pytest.mark.parametrize("result", results.bundled(), ids=lambda r: f"{r.preset}/{r.model}")
def test_every_bundled_checkpoint_has_losses_and_a_curve(result: results.Result) -> None:
    assert None not in (result.val_loss, result.val_loss_streaming, result.bits_per_char)
    assert len(results.curve(result.folder).iters) > 10


@pytest.mark.parametrize("lost", [["val_loss_streaming"], LOSSES])
def test_a_loss_that_was_not_taken_is_none(tmp_path: Path, lost: list[str]) -> None:
    found = figures.read(checkpoint(tmp_path, "tiny", "mingru", **dict.fromkeys(lost)))
    assert [name for name in LOSSES if getattr(found, name) is None] == list(lost)
    assert found.n_params == METRICS["n_params"]


def test_every_published_figure_has_its_source() -> None:
    assert len(results.published()) >= 11
    for entry in results.published():
        assert entry.source and entry.note and 1 < entry.loss < 3 and entry.split in ("val", "train")
