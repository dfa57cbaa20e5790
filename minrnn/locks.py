"""Who trains in a folder: a lock on a file in it, which the system lets go of when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minrnn.errors import CheckpointError

LOCK = "lock"
_PATIENCE_S = 2.0
"""Whoever asks whether a folder is held holds it for an instant; a worker waits that long for it."""


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold the run's lock: the system lets go of it when the process ends, however it ends.

    Raises:
        CheckpointError: if another process trains in this folder.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / LOCK).open("a+b") as file:
        if not lock(file.fileno()):
            raise CheckpointError(
                f"another process is training in {out}; stop it first, or choose another folder."
            )
        yield


def is_held(out: Path, name: str = LOCK) -> bool:
    """Whether a process trains in this folder now: whether it holds the file of that name."""
    try:
        with (out / name).open("rb") as file:
            return not try_lock(file.fileno(), shared=True)
    except OSError:
        return False


def lock(fd: int) -> bool:
    """Lock an open file; False if another process keeps it."""
    deadline = time.monotonic() + _PATIENCE_S
    while not try_lock(fd):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def try_lock(fd: int, *, shared: bool = False) -> bool:
    """Lock an open file without waiting; released when its last descriptor is closed."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
