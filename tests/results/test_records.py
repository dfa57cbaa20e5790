"""Records of studies: read from run folders, and outliving them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minrnn.errors import CheckpointError
from minrnn.results import records
from minrnn.results.records import Record
from tests.results.run_folders import LOSSES, finished_run


def test_a_record_holds_the_figures_of_a_run(tmp_path: Path) -> None:
    found = records.record(finished_run(tmp_path / "run", train_loss=1.4))
    assert found is not None and not found.failed
    assert (found.val_loss, found.train_loss, found.iter_ms, found.max_grad_norm) == (1.5, 1.4, 200.0, 7.0)
    assert (found.curve_tokens, found.curve_val_loss) == ([0, 600], [4.0, 3.0])


def test_a_run_that_was_stopped_is_no_record(tmp_path: Path) -> None:
    assert records.record(finished_run(tmp_path / "run", reason="stopped")) is None
    assert records.record(tmp_path / "none") is None


def test_a_run_that_failed_is_recorded_with_its_reason(tmp_path: Path) -> None:
    out = finished_run(tmp_path / "run", reason="stopped")
    (out / "error.txt").write_text("the loss is no longer a finite number\n")
    found = records.record(out)
    assert found is not None and found.failed == "the loss is no longer a finite number"


def test_a_run_that_fails_does_not_take_the_place_of_a_known_figure(tmp_path: Path) -> None:
    known = {"ladder": {"mingru": Record("", val_loss=1.9)}, "budgets": {"gru-3m": Record("", val_loss=1.5)}}
    for study, row in (("ladder", "mingru"), ("budgets", "gru-3m"), ("ladder", "lstm")):
        (tmp_path / study / row).mkdir(parents=True)
        (tmp_path / study / row / "error.txt").write_text("out of memory\n")
    found = records.collect(tmp_path, known)
    assert (found["ladder"]["mingru"].val_loss, found["budgets"]["gru-3m"].val_loss) == (1.9, 1.5)
    assert found["ladder"]["lstm"].failed == "out of memory"


def test_records_survive_their_folders_and_a_round_trip(tmp_path: Path) -> None:
    finished_run(tmp_path / "runs" / "ladder" / "mingru")
    found = records.collect(tmp_path / "runs", {})
    records.save(found, tmp_path / "studies.json")
    loaded = records.load(tmp_path / "studies.json")
    assert list(loaded["ladder"]) == ["mingru"]
    again = records.collect(tmp_path / "gone", loaded)
    assert {name: rows for name, rows in again.items() if rows} == loaded


def test_a_damaged_file_of_records_is_named(tmp_path: Path) -> None:
    (tmp_path / "studies.json").write_text('{"ladder": {"mingru": {"unknown": 1}}}')
    with pytest.raises(CheckpointError, match=r"studies.json is damaged"):
        records.load(tmp_path / "studies.json")


def test_a_run_without_a_score_is_no_record_and_one_of_a_sample_lacks_the_carried_loss(
    tmp_path: Path,
) -> None:
    assert records.record(finished_run(tmp_path / "none", **dict.fromkeys(LOSSES))) is None
    found = records.record(finished_run(tmp_path / "sample", val_loss_streaming=None))
    assert found is not None and (found.val_loss, found.val_loss_streaming) == (1.5, None)


def test_a_run_whose_updates_are_lost_is_still_a_record(tmp_path: Path) -> None:
    out = finished_run(tmp_path / "run")
    lines = (out / "metrics.jsonl").read_text().splitlines(keepends=True)
    (out / "metrics.jsonl").write_text("".join(line for line in lines if '"iter_seconds"' not in line))
    found = records.record(out)
    assert found is not None and (found.val_loss, found.iter_ms) == (1.5, 0.0)


def test_records_of_earlier_versions_can_be_read(tmp_path: Path) -> None:
    old = {"command": "", "failed": "", "val_loss": 1.5, "val_loss_streaming": 1.4, "train_loss": None}
    (tmp_path / "studies.json").write_text(json.dumps({"ladder": {"lstm": old}}))
    assert records.load(tmp_path / "studies.json")["ladder"]["lstm"].val_loss == 1.5
