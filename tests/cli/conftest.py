"""What the tests of the command line share: a text, a model trained on it, and the loopback Hub of tests/hub."""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import pytest

from minrnn.cli.main import main
from tests.hub.loopback import checkout, client, hub, publisher, server

__all__ = ["checkout", "client", "hub", "publisher", "server"]

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")


@contextmanager
def stdout_without_room() -> Iterator[None]:
    """Standard output on a full disk. No fixture: pytest would take standard output back before the test."""
    with open("/dev/full", "w", errors="replace") as stream, redirect_stdout(stream):
        yield


FLAGS = ["--max-iters", "3", "--n-embd", "16", "--n-layer", "1", "--batch-size", "2", "--dtype", "float32"]


@pytest.fixture(scope="session")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "own text.txt"
    path.write_text("the quick brown fox jumps over the lazy dog.\n" * 100, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, text_file: Path) -> Path:
    """A finished run; it is only read and copied."""
    out = tmp_path_factory.mktemp("trained") / "run"
    main(["train", "--model", "mingru", "--corpus", str(text_file), "--out", str(out), *FLAGS])
    return out


@pytest.fixture(scope="session")
def trained(run: Path) -> Path:
    """The checkpoint of that run; it is only read."""
    return run / "model"
