"""What a repo should hold, and what may be bundled."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from minrnn import checkpoint, presets
from minrnn.errors import CheckpointError
from minrnn.hub import uploads
from minrnn.models import MODEL_NAMES
from minrnn.runs import folder as runs
from minrnn.runs.spec import from_preset
from tests.hub.hub_client import Client, environment
from tests.hub.hub_server import Hub
from tests.hub.loopback import LOSSES, MODEL_FILES, PAIRS, REPOS, SPACE, publish, write_checkpoint


def test_the_space_holds_what_it_needs_and_nothing_else(hub: Hub, client: Client, checkout: Path) -> None:
    client.run(publish("space --namespace ann"))
    files = set(hub.repos[SPACE].files) - {".gitattributes"}
    weights = {f"checkpoints/{preset}/{model}/{name}" for preset, model in PAIRS for name in uploads.FILES}
    modules = {path.relative_to(checkout).as_posix() for path in checkout.glob("minrnn/**/*.py")}
    tops = {"app.py", "LICENSE", "README.md", "requirements.txt"}
    assert files >= weights | modules | tops
    assert all(name.startswith("minrnn/") for name in files - weights - tops)
    assert not any(
        "not to be seen" in content.decode("latin-1") for content in hub.repos[SPACE].files.values()
    )


@pytest.mark.slow
def test_the_uploaded_files_alone_are_the_app(hub: Hub, client: Client, tmp_path: Path) -> None:
    client.run(publish("space --namespace ann"))
    for name, content in hub.repos[SPACE].files.items():
        (tmp_path / "space" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "space" / name).write_bytes(content)
    code = "import sys; sys.path.insert(0, '.'); import app, minrnn.cli.main; print(app.__file__)"
    here = environment(hub.url, tmp_path, PYTHONPATH="", SPACE_ID="ann/minrnn", SPACE_AUTHOR_NAME="ann")
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path / "space", env=here, capture_output=True, text=True)
    assert done.returncode == 0 and str(tmp_path) in done.stdout, done.stderr


# What the app makes of it

ORIGINS = """
import os; os.environ["MINRNN_HUB_NAMESPACE"] = "ann"
from minrnn import library
models = library.open_library().models("base")
result = [entry.origin for key, entry in models.items() if key != library.COMMITTEE]
"""


def test_the_app_shows_repo_and_revision_then_its_cache_then_the_bundled(
    hub: Hub, client: Client, tmp_path: Path
) -> None:
    client.run(publish("models --namespace ann"))
    shown = {
        f"{repo} @ {hub.repos['model', repo].branches['main'][:7]}"
        for repo in REPOS
        if repo.startswith("ann/minrnn-base")
    }
    assert set(client.run(ORIGINS)) == shown
    hub.failing["/"] = 500
    assert set(client.run(ORIGINS)) == shown
    client.use_cache(tmp_path / "another")
    bundled = client.run(ORIGINS)
    assert len(bundled) == 2
    assert all("bundled" in origin and "the Hub answered 500" in origin for origin in bundled)


def test_a_run_that_was_stopped_is_shared_without_a_figure(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "minlstm", **dict.fromkeys(LOSSES))
    upload = uploads.model_upload(folder, "ann/stopped")
    card = upload.text("README.md")
    assert "stopped before its budget was spent, so it was not scored" in card
    assert ModelCard(card).data.eval_results is None and set(upload.files) == MODEL_FILES


@pytest.mark.parametrize("lost", ["sample", "command", "train", "n_params", "corpus_sha256"])
def test_metrics_that_lack_what_a_card_tells_are_named(tmp_path: Path, lost: str) -> None:
    folder = write_checkpoint(tmp_path, "minlstm", **{lost: None})
    with pytest.raises(CheckpointError, match=f"metrics.json lacks '{lost}'; train the model"):
        uploads.model_upload(folder, "ann/x")


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the bundled checkpoints'."""
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_scored_run_is_bundled_whole_with_its_card(model: str, tmp_path: Path, bundled: Path) -> None:
    shape = dataclasses.replace(presets.get("base", model).model, dropout=0.3)  # the dropout leaves no trace
    target = uploads.bundle(write_checkpoint(tmp_path / "model", model, shape=shape))
    assert target == bundled / "base" / model and {path.name for path in target.iterdir()} == MODEL_FILES
    assert checkpoint.load(target).metrics == checkpoint.load(tmp_path / "model").metrics
    assert "1.4534" in (target / "README.md").read_text()


@pytest.mark.parametrize("lost", [LOSSES, ["val_loss_streaming"]])
def test_a_run_that_was_not_scored_whole_is_not_bundled(
    lost: list[str], tmp_path: Path, bundled: Path
) -> None:
    folder = write_checkpoint(tmp_path / "model", "lstm", **dict.fromkeys(lost))
    with pytest.raises(
        CheckpointError, match="was not scored on the whole validation split; go on with its run"
    ):
        uploads.bundle(folder)
    assert not bundled.exists()


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ({"corpus": "poems.txt"}, r"text 'poems.txt', not 'tinyshakespeare'\. Share it"),
        ({"n_embd": 8}, r"another shape\. Share it"),
        ({"conv_kernel": 0}, r"another shape\."),
        ({"init": "runs/a"}, "started from 'runs/a', not from nothing"),
        ({"teachers": [{"name": "runs/a"}]}, "taught by others"),
        ({"preset": "taught", "corpus": "poems.txt"}, "text 'poems.txt', not 'tinyshakespeare'; not taught"),
    ],
)
def test_a_run_that_does_not_compare_with_its_preset_is_not_bundled(
    differs: dict[str, Any], said: str, tmp_path: Path, bundled: Path
) -> None:
    changed = {name: value for name, value in differs.items() if name in ("n_embd", "conv_kernel")}
    shape = dataclasses.replace(presets.get("base", "mingru").model, **changed)
    metrics = {name: value for name, value in differs.items() if name not in changed}
    folder = write_checkpoint(tmp_path / "model", "mingru", shape=shape, **metrics)
    with pytest.raises(CheckpointError, match=said):
        uploads.bundle(folder)
    assert not bundled.exists()


@pytest.mark.parametrize("preset", [None, "", "../elsewhere", "no_such_preset"])
def test_a_run_of_no_known_preset_is_not_bundled(preset: str | None, tmp_path: Path, bundled: Path) -> None:
    folder = write_checkpoint(tmp_path / "model", "lstm", preset=preset)
    with pytest.raises(CheckpointError, match="bundle a run of one of: base, .*replica"):
        uploads.bundle(folder)
    assert not bundled.exists()


@pytest.mark.parametrize("ending", ["stopped", "sampled"])
def test_a_real_run_without_all_figures_is_shared_and_not_bundled(
    ending: str, tmp_path: Path, bundled: Path
) -> None:
    spec = from_preset("tiny", MODEL_NAMES[0])
    shape = dataclasses.replace(spec.model, n_embd=16, n_layer=1, block_size=32)
    recipe = dataclasses.replace(spec.train, max_iters=2, batch_size=2, score_chars=64, dtype="float32")
    text = "the quick brown fox jumps over the lazy dog.\n" * 100
    runs.create(tmp_path / "run", dataclasses.replace(spec, corpus="own", model=shape, train=recipe), text)
    list(runs.execute(tmp_path / "run", should_stop=lambda: ending == "stopped"))
    card = uploads.model_upload(tmp_path / "run" / "model", "ann/x").text("README.md")
    assert ("was not scored" in card, "over a sample of" in card) == (
        ending == "stopped",
        ending == "sampled",
    )
    with pytest.raises(CheckpointError, match="was not scored on the whole validation split"):
        uploads.bundle(tmp_path / "run" / "model")


def test_half_a_run_is_not_bundled(tmp_path: Path, bundled: Path) -> None:
    folder = write_checkpoint(tmp_path / "model", "lstm")
    (folder / "history.jsonl").unlink()
    with pytest.raises(CheckpointError, match=r"holds no history.jsonl"):
        uploads.bundle(folder)
    assert not bundled.exists()
