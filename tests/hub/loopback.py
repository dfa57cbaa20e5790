"""Fixtures of every test that publishes: a Hub on loopback, a small checkout, and a client in its own process."""

from __future__ import annotations

import dataclasses
import json
import shutil
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from minrnn.config import ModelConfig
from minrnn.models import LanguageModel
from tests.hub.hub_client import ROOT, Client
from tests.hub.hub_server import TOKEN, Hub, serve

PAIRS = [("base", "lstm"), ("base", "mingru"), ("replica", "mingru")]
REPOS = [f"ann/minrnn-{preset}-{model}" for preset, model in PAIRS]
MODEL_FILES = {"README.md", "config.json", "model.safetensors", "metrics.json", "history.jsonl"}
SAMPLE = "a | table\n````\n{braces} and ```fences``` and \\ ends"
METRICS: dict[str, Any] = {
    "preset": "base",
    "init": None,
    "val_loss": 1.4534,
    "val_loss_streaming": 1.4321,
    "bits_per_char": 2.0968,
    "tokens": 111_539,
    "iters": 1_200,
    "tokens_seen": 9_830_400,
    "seconds": 512.3,
    "device": "Some CPU, 2 thread(s)",
    "dtype": "bfloat16",
    "seed": 1337,
    "corpus": "tinyshakespeare",
    "corpus_sha256": "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    "command": "python -m minrnn train --preset base --model mingru --out runs/x",
    "train": {"learning_rate": 0.003, "init_std": 0.0, "max_iters": 1200},
    "torch": "2.13.0",
    "sample": {"prompt": "ROMEO:\n", "text": SAMPLE, "temperature": 0.8, "seed": 0},
}
SPACE = ("space", "ann/minrnn")
LOSSES = ("val_loss", "val_loss_streaming", "bits_per_char")


def publish(words: str) -> str:
    """Code that publishes, and gives the printed lines."""
    return f"from minrnn.cli import publish; result = list(publish.run(publish.parse({words.split()!r})))"


def write_checkpoint(
    folder: Path, mixer: str, seed: int = 0, shape: ModelConfig | None = None, **metrics: Any
) -> Path:
    """A model, a small one if no shape is given, with metrics and history; a metric given as None is left out."""
    torch.manual_seed(seed)
    small = ModelConfig(mixer, n_layer=1, n_embd=32)
    model = LanguageModel(dataclasses.replace(shape or small, vocab=string.printable))
    model.save(folder)
    whole = METRICS | {"model": mixer, "n_params": model.n_params, "params": model.param_counts()} | metrics
    kept = {name: value for name, value in whole.items() if value is not None}
    (folder / "metrics.json").write_text(json.dumps(kept))
    (folder / "history.jsonl").write_text('{"event": "done", "iter": 1200, "reason": "max_iters"}\n')
    return folder


def finished_run(folder: Path, **metrics: Any) -> Path:
    """The folder of a run whose training has ended."""
    write_checkpoint(folder / "model", "minlstm", **metrics)
    (folder / "config.json").write_text("{}")
    (folder / "resume.pt").write_bytes(b"not to be seen")
    return folder


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with small weights, and with what must never be uploaded."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "minrnn", root / "minrnn", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "README.md", "requirements.txt", "LICENSE"):
        shutil.copy(ROOT / name, root / name)
    for preset, model in PAIRS:
        write_checkpoint(root / "checkpoints" / preset / model, model)
    secrets = (
        ".env",
        ".git/config",
        "runs/x/model/config.json",
        "tests/test_a.py",
        "docs/images/compare.png",
    )
    clutter = ("minrnn/__pycache__/hub.pyc", "minrnn/.hub.py.swp", "checkpoints/base/mingru/resume.pt")
    for name in (*secrets, *clutter):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("not to be seen")
    return root


@pytest.fixture(scope="session")
def server() -> Iterator[Hub]:
    with serve() as hub:
        yield hub


@pytest.fixture(scope="session")
def publisher(server: Hub, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A process in which the checkout's package runs against the loopback Hub."""
    with Client(server.url, tmp_path_factory.mktemp("home"), PYTHONPATH=str(checkout)) as client:
        yield client


@pytest.fixture
def hub(server: Hub) -> Hub:
    """An empty Hub on a good day."""
    server.__init__(url=server.url)  # type: ignore[misc]
    return server


@pytest.fixture
def client(publisher: Client, tmp_path: Path) -> Client:
    """The publisher, logged in, with an empty cache."""
    publisher.use_cache(tmp_path / "cache")
    publisher.run(f"import os; os.environ['HF_TOKEN'] = {TOKEN!r}")
    return publisher
