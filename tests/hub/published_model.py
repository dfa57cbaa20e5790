"""Fixtures of every test that loads from the Hub: one model on the loopback Hub, and a client in its own process."""

from __future__ import annotations

import json
import socket
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from minrnn.config import ModelConfig
from minrnn.models import LanguageModel
from tests.hub.hub_client import Client
from tests.hub.hub_server import Hub

REPO = "ann/minrnn-base-mingru"
NO_SUCH_REPO = "no such repo, or it is private; check the name, or log in with `hf auth login`."


def published(folder: Path, mixer: str = "mingru", seed: int = 0) -> dict[str, bytes]:
    """The files of a small model."""
    torch.manual_seed(seed)
    model = LanguageModel(ModelConfig(mixer, string.printable, n_layer=2, n_embd=64))
    model.save(folder)
    (folder / "metrics.json").write_text(json.dumps({"val_loss": 1.5, "seed": seed}))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The model's files."""
    return published(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same files with other weights and metrics."""
    return published(tmp_path_factory.mktemp("newer"), seed=1)


@pytest.fixture(scope="session")
def reading(server: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A process that loads, and does not wait between its tries."""
    with Client(server.url, tmp_path_factory.mktemp("home")) as client:
        client.run("import time; time.sleep = lambda seconds: None  # between the client's own tries")
        yield client


@pytest.fixture
def model_hub(server: Hub, files: dict[str, bytes]) -> Hub:
    """The Hub on a good day, with one model."""
    url = server.url
    server.__init__(url=url)  # type: ignore[misc]
    server.add("model", REPO, files)
    return server


@pytest.fixture
def reader(reading: Client, tmp_path: Path) -> Client:
    """The client with an empty cache and no token."""
    reading.use_cache(tmp_path / "cache")
    reading.run("import os; os.environ.pop('HF_TOKEN', None)")
    return reading


def load(ref: str = REPO, **flags: bool) -> str:
    """Code that loads a checkpoint and tells what came."""
    return f"""
import hashlib
from minrnn import checkpoint
got = checkpoint.load({ref!r}, **{flags})
digest = hashlib.sha256(b"".join(w.numpy().tobytes() for w in got.model.state_dict().values())).hexdigest()
result = {{"weights": digest, "source": got.source, "revision": got.revision, "metrics": got.metrics}}
"""


def load_all(models: list[str], deadline_s: float = 60.0) -> str:
    """Code that loads models of the preset base and tells, for each, its revision or what was wrong."""
    return f"""
from minrnn.hub import loading
found = loading.load_all("ann", ["base"], {models!r}, {deadline_s})
result = {{key[1]: getattr(got, "revision", None) or f"{{type(got).__name__}}: {{got}}" for key, got in found.items()}}
"""


def cached_files(folder: Path, revision: str) -> dict[str, bytes]:
    (snapshot,) = folder.glob(f"cache/*/snapshots/{revision}")
    return {path.name: path.read_bytes() for path in snapshot.iterdir()}


@pytest.fixture
def no_network(model_hub: Hub, reader: Client, tmp_path: Path) -> Iterator[Client]:
    """A second client with the same cache, whose Hub is a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with Client(address, tmp_path) as offline:
        offline.use_cache(tmp_path / "cache")
        yield offline
