"""From records to documents: pages that nobody types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minrnn.errors import MinrnnError
from minrnn.results import records, report, studies, tables, task_results, weights
from minrnn.results.records import Record
from tests.results.run_folders import finished_run

PAGES = ("replication.md", "recipes.md", "tasks.md", "performance.md")
DOCS = Path(__file__).parents[2] / "docs"
README = DOCS.parent / report.README


def renew(folder: Path) -> list[str]:
    return report.renew(folder, folder / "runs", folder / report.README, folder)


def test_rows_not_run_and_runs_that_failed_say_so() -> None:
    failed = Record("", failed="out of memory")
    text = report.section(studies.get("layers"), {"lstm-1": failed})
    assert (
        "| LSTM, 1 layer | failed: out of memory |" in text
        and f"| LSTM, 2 layers | {tables.NOT_YET} |" in text
    )
    assert "python -m minrnn train --preset ladder --model lstm --n-layer 3" in text


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
            file = README if page == report.README else DOCS / page
            assert tables.section(file, name) == content, f"{page}: run python -m minrnn study report"
    for name, picture in report.charts(found).items():
        assert (DOCS / report.CHARTS / name).read_text(encoding="utf-8") == picture
    assert task_results.stored() == task_results.gather(found["tasks"])
    assert weights.stored() == weights.gather(found)


def test_a_report_without_its_pages_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(MinrnnError, match="the page .* cannot be read"):
        renew(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_report_renews_the_pages(tmp_path: Path) -> None:
    for page in PAGES:
        (tmp_path / page).write_text((DOCS / page).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / report.README).write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    finished_run(tmp_path / "runs" / "layers" / "lstm-2")
    said = renew(tmp_path)
    assert "layers: 1 of 4 rows run" in said
    assert "**1.5000**" in tables.section(tmp_path / "replication.md", "layers")
    assert (tmp_path / "charts" / "layers.svg").is_file()
    assert "no budget has rows" in tables.section(tmp_path / report.README, "answer")
    assert json.loads((tmp_path / "weights.json").read_text()) == {"spread": 0.0, "runs": []}


def test_a_page_that_lacks_a_table_is_named(tmp_path: Path) -> None:
    for page in PAGES:
        (tmp_path / page).write_text("")
    with pytest.raises(MinrnnError, match=r"replication.md has no <!-- ablation -->"):
        renew(tmp_path)


def test_a_loss_of_a_sample_is_told_from_one_of_the_whole_split() -> None:
    sampled = Record("", val_loss=1.5, n_params=1_000, seconds=1)
    text = report.section(studies.get("layers"), {"lstm-1": sampled})
    assert "| LSTM, 1 layer | **1.5000** (of a sample) |  |" in text
