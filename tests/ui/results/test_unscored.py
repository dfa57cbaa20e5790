"""The Results tab with checkpoints that lack a loss, and with none at all."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from minrnn import results
from minrnn.ui.results import charts, tab
from tests.results.run_folders import LOSSES, checkpoint


@pytest.mark.parametrize(
    ("lost", "words"),
    [([], "<b>1.5000</b>"), (LOSSES[1:2], "1.5000</b> (of a sample)"), (LOSSES, "not scored")],
)
def test_the_page_bears_a_checkpoint_that_lacks_a_loss(
    lost: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint(tmp_path, "base", "mingru", **dict.fromkeys(lost))
    monkeypatch.setattr("minrnn.checkpoint.BUNDLED", tmp_path)
    own = results.bundled()
    with gr.Blocks():
        tab.build()
    assert words in tab.table(own, ())
    assert len(charts.scatter(own, ()).data) == 1 + (lost != LOSSES)


def test_the_page_opens_without_any_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minrnn.checkpoint.BUNDLED", tmp_path)
    with gr.Blocks():
        tab.build()
    assert "This repository" not in tab.table((), results.published())
