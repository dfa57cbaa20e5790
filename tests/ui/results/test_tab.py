"""The Results tab is built from whatever is bundled."""

import json
import shutil
from pathlib import Path

import gradio as gr
import pytest

from minrnn import checkpoint, results
from minrnn.ui.results import tab


def built() -> str:
    with gr.Blocks(analytics_enabled=False) as page:
        tab.build()
    return "\n".join(str(part.value) for part in page.blocks.values() if hasattr(part, "value"))


def test_every_bundled_checkpoint_is_on_the_page() -> None:
    page = built()
    for r in results.bundled():
        assert f"{r.val_loss:.4f}" in page


@pytest.mark.parametrize("left_out", ["base/mingru", "base/nanogpt", "replica"])
def test_a_model_or_a_preset_without_weights_leaves_no_gap(
    left_out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(checkpoint.BUNDLED, tmp_path / "c", ignore=ignored)
    shutil.rmtree(tmp_path / "c" / left_out)
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path / "c")
    own = [r for r in results.bundled() if r.preset == "base"]
    page = built()
    assert page.count("<article") == len(own) >= 3 and "None" not in page
    assert all(f"{r.val_loss:.4f}" in page for r in results.bundled())


def test_without_any_checkpoint_the_page_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path)
    page = built()
    assert tab.NOTHING in page and "<article" not in page
    assert all(f"{p.loss:g}" in page for p in results.published())


def test_models_of_another_text_say_so_in_the_table_the_cards_and_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(checkpoint.BUNDLED, tmp_path / "c", ignore=shutil.ignore_patterns("*.safetensors"))
    other = tmp_path / "c" / "allplays" / "mingru"
    shutil.copytree(tmp_path / "c" / "base" / "mingru", other, dirs_exist_ok=True)
    metrics = json.loads((other / "metrics.json").read_text()) | {"corpus": "allplays"}
    (other / "metrics.json").write_text(json.dumps(metrics))
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path / "c")
    page = built()
    assert (
        "Ours, base, trained on tiny Shakespeare" in page and "Ours, allplays, trained on all plays" in page
    )
    assert "<dt>Text</dt><dd>tiny Shakespeare</dd>" in page and tab.OURS["allplays"] in page
    assert "<dd>all plays</dd>" in tab._summary("allplays") and tab.figure_of("allplays", "iters").data
