"""Two small bundled models in a folder of their own, whose weights a test may change."""

import shutil
from pathlib import Path

import pytest

from minrnn import checkpoint
from minrnn.models import disk

NAMES = ("mingru", "lstm")


def copied(preset: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let them be all that is bundled, as models of this preset."""
    for name in NAMES:
        shutil.copytree(checkpoint.bundled("replica", name), root / preset / name)
    monkeypatch.setattr(checkpoint, "BUNDLED", root)


def change(preset: str, name: str) -> None:
    """Put other weights in a model's place, as `minrnn bundle` does, of the same size."""
    path = checkpoint.bundled(preset, name) / disk.WEIGHTS
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
