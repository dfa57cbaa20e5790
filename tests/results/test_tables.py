"""Tables as Markdown: what is written, and that nobody types a figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from minrnn import results
from minrnn.errors import MinrnnError
from minrnn.results import tables
from tests.results.run_folders import LOSSES, checkpoint

README = Path(__file__).parents[2] / "README.md"


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


def test_a_page_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.md").write_bytes(b"\xe9")
    for name, why in (
        ("none.md", "No such file"),
        (".", "Is a directory"),
        ("latin.md", "byte 0 is not UTF-8"),
    ):
        for act in (results.update_readme, lambda path: tables.check(path, ["results"])):
            with pytest.raises(
                MinrnnError, match=rf"the page .* cannot be read \({why}.*name one that is there"
            ):
                act(tmp_path / name)


def test_a_page_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "page.md").write_text("<!-- a -->\n<!-- /a -->\n")
    monkeypatch.setattr(tables, "write_text", full)
    with pytest.raises(MinrnnError, match=r"page.md cannot be written \(No space left"):
        tables.fill(tmp_path / "page.md", {"a": "b"})


def test_the_readmes_table_is_the_generated_one() -> None:
    if not README.is_file() or not tables.section(README, "results"):
        pytest.skip("README.md has no table of results yet")
    assert tables.section(README, "results") == results.readme_table(), "run: python -m minrnn results"


@pytest.mark.parametrize(
    ("seconds", "words"), [(9.6, "10 s"), (119, "119 s"), (1500, "25 min"), (36_000, "10.0 h")]
)
def test_a_duration_is_said_in_its_unit(seconds: float, words: str) -> None:
    assert tables.duration(seconds) == words


@pytest.mark.parametrize(
    ("lost", "cells"),
    [
        (["val_loss_streaming"], "**1.5000** (of a sample) |  | 2.164 |"),
        (LOSSES, "not scored |  |  |"),
    ],
)
def test_a_loss_that_was_not_taken_is_missing_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: list[str], cells: str
) -> None:
    checkpoint(tmp_path, "base", "mingru", **dict.fromkeys(lost))
    checkpoint(tmp_path, "base", "lstm")
    monkeypatch.setattr("minrnn.checkpoint.BUNDLED", tmp_path)
    text = results.readme_table()
    assert f"| minGRU | 2.31 M | 10 / 1,100 / 1,190 / 10 | {cells}" in text and "| LSTM | 2.31 M |" in text


def test_without_any_weights_the_table_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minrnn.checkpoint.BUNDLED", tmp_path)
    assert results.readme_table().startswith(tables.NOT_YET)
