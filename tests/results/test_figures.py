"""The results: what is read, what is written, and that nobody types a figure."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from minrnn import results
from minrnn.errors import CheckpointError, MinrnnError
from minrnn.results import figures, tables

README = Path(__file__).parents[1] / "README.md"
METRICS: dict[str, Any] = {
    "val_loss": 1.5,
    "val_loss_streaming": 1.49,
    "bits_per_char": 1.5 / math.log(2),
    "n_params": 2_310_000,
    "params": {"embedding": 10_000, "mixer": 1_100_000, "mlp": 1_190_000, "head": 10_000},
    "iters": 100,
    "tokens_seen": 819_200,
    "seconds": 90.4,
    "device": "a machine | of two parts",
    "seed": 1,
    "command": "python -m minrnn train",
}


def checkpoint(root: Path, preset: str, model: str, **changed: Any) -> Path:
    folder = root / preset / model
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(METRICS | changed))
    return folder


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
    events = [
        {"event": "eval", "iter": 0, "val_loss": 4.0, "tokens": 0, "seconds": 0.5},
        {"event": "iter", "iter": 1, "loss": 3.9},
        {"event": "eval", "iter": 10, "val_loss": 3.0, "tokens": 640, "seconds": 2.5},
    ]
    (tmp_path / "history.jsonl").write_text("\n".join(map(json.dumps, events)) + "\n")
    assert results.curve(tmp_path) == results.Curve([0, 10], [0, 640], [0.5, 2.5], [4.0, 3.0])


def test_without_a_history_there_is_no_curve_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    assert results.curve(tmp_path).iters == []
    (tmp_path / "history.jsonl").write_text('{"event": "eval", "iter": 0}\n')
    with pytest.raises(CheckpointError, match=r"history.jsonl is damaged: 'tokens'"):
        results.curve(tmp_path)


def test_every_published_figure_has_its_source() -> None:
    assert len(results.published()) >= 11
    for entry in results.published():
        assert entry.source and entry.note and 1 < entry.loss < 3 and entry.split in ("val", "train")


def test_the_table_holds_every_checkpoint_and_every_published_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint(tmp_path, "base", "mingru")
    monkeypatch.setattr("minrnn.checkpoint.BUNDLED", tmp_path)
    table = results.readme_table()
    own = "| minGRU | 2.31 M | 10 / 1,100 / 1,190 / 10 | **1.5000** | 1.4900 | 2.164 | 0.8 M | 90 s |"
    assert own in table.splitlines()
    for entry in results.published():
        assert f"| {entry.system} | {entry.loss:g} |" in table
    assert "a machine | of" in table


def test_a_bar_within_a_cell_does_not_cut_it() -> None:
    assert tables.table(["a"], [["x | y"]]).splitlines()[-1] == r"| x \| y |"


def test_an_update_changes_what_stands_between_the_markers_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- results -->\nOUTDATED\n<!-- /results -->\nafter\n")
    assert results.update_readme(page) and not results.update_readme(page)
    text = page.read_text()
    assert text.startswith("before\n<!-- results -->") and text.endswith("<!-- /results -->\nafter\n")
    assert tables.section(page, "results") == results.readme_table() and "OUTDATED" not in text


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("<!-- /results --> <!-- results -->")
    with pytest.raises(MinrnnError, match="has no <!-- results -->"):
        results.update_readme(page)


def test_the_readmes_table_is_the_generated_one() -> None:
    if not README.is_file() or not tables.section(README, "results"):
        pytest.skip("README.md has no table of results yet")
    assert tables.section(README, "results") == results.readme_table(), "run: python -m minrnn results"


@pytest.mark.parametrize(
    ("seconds", "words"), [(9.6, "10 s"), (119, "119 s"), (1500, "25 min"), (36_000, "10.0 h")]
)
def test_a_duration_is_said_in_its_unit(seconds: float, words: str) -> None:
    assert tables.duration(seconds) == words
