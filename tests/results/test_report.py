"""From records to documents: pages that nobody types."""

from __future__ import annotations

from pathlib import Path

import pytest

from minrnn.errors import MinrnnError
from minrnn.models import MIXERS, MODEL_NAMES
from minrnn.results import records, report, studies, tables, task_results
from minrnn.results.records import Record
from tests.results.run_folders import finished_run

PAGES = ("replication.md", "recipes.md", "tasks.md", "performance.md")
DOCS = Path(__file__).parents[2] / "docs"


def test_rows_not_run_and_runs_that_failed_say_so() -> None:
    failed = Record("", failed="out of memory")
    text = report.section(studies.get("layers"), {"lstm-1": failed})
    assert (
        "| LSTM, 1 layer | failed: out of memory |" in text
        and f"| LSTM, 2 layers | {tables.NOT_YET} |" in text
    )
    assert "python -m minrnn train --preset ladder --model lstm --n-layer 3" in text


def test_the_mean_over_seeds_begins_with_the_bundled_one() -> None:
    rows = {f"mingru-{seed}": Record("", val_loss=value) for seed, value in ((1338, 1.45), (1339, 1.47))}
    assert "| minGRU | *not yet run* | 2 | 1.4600 | 0.0141 |" in report.seeds_table([], rows)


def test_charts_are_drawn_of_what_has_been_run(tmp_path: Path) -> None:
    for place in ("ladder/mingru", "ladder/lstm", "ladder-width/lstm", "ablation/lstm", "ablation/minlstm"):
        finished_run(tmp_path / place)
    drawn = report.charts(records.collect(tmp_path, {}))
    assert set(drawn) == {"ladder.svg", "ablation.svg"}
    assert drawn["ladder.svg"].count("<circle") == 3
    assert drawn["ablation.svg"].count("<polyline") == 2


def test_the_pages_hold_what_the_records_give() -> None:
    found = records.load(DOCS / report.RECORDS)
    for page, sections in report.pages(found).items():
        for name, content in sections.items():
            assert tables.section(DOCS / page, name) == content, f"{page}: run python -m minrnn study report"
    for name, picture in report.charts(found).items():
        assert (DOCS / report.CHARTS / name).read_text(encoding="utf-8") == picture
    assert task_results.stored() == task_results.gather(found["tasks"])


def test_a_report_renews_the_pages(tmp_path: Path) -> None:
    for page in PAGES:
        (tmp_path / page).write_text((DOCS / page).read_text(encoding="utf-8"), encoding="utf-8")
    finished_run(tmp_path / "runs" / "layers" / "lstm-2")
    said = report.renew(tmp_path, tmp_path / "runs", tmp_path / "tasks.json")
    assert "layers: 1 of 4 rows run" in said
    assert "**1.5000**" in tables.section(tmp_path / "replication.md", "layers")
    assert (tmp_path / "charts" / "layers.svg").is_file()


def test_a_page_that_lacks_a_table_is_named(tmp_path: Path) -> None:
    for page in PAGES:
        (tmp_path / page).write_text("")
    with pytest.raises(MinrnnError, match=r"replication.md has no <!-- ablation -->"):
        report.renew(tmp_path, tmp_path / "runs", tmp_path / "tasks.json")


def test_a_seed_that_failed_does_not_enter_the_mean() -> None:
    rows = {"lstm-1": Record("", val_loss=1.45), "lstm-2": Record("", failed="killed")}
    assert "| LSTM | *not yet run* | 1 |  |  |" in report.seeds_table([], rows)


def test_every_model_has_its_row_of_seeds_with_weights_or_without() -> None:
    text = report.seeds_table([], {})
    assert all(f"| {MIXERS[name].title} | {tables.NOT_YET} | 0 |  |  |" in text for name in MODEL_NAMES)


def test_a_loss_of_a_sample_is_told_from_one_of_the_whole_split() -> None:
    sampled = Record("", val_loss=1.5, n_params=1_000, seconds=1)
    text = report.section(studies.get("layers"), {"lstm-1": sampled})
    assert "| LSTM, 1 layer | **1.5000** (of a sample) |  |" in text
