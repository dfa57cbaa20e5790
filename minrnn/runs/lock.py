"""Who trains in a folder: a lock on a file in it, which the system releases when its holder ends, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from minrnn.errors import CheckpointError

LOCK = "lock"
_PATIENCE_S = 2.0
"""Checking the lock takes it for a moment, so a worker retries briefly before it gives up."""


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold the run's lock. On a file system without locks a file that says whose it is stands in for it.

    Raises:
        CheckpointError: if another process trains in this folder, or it cannot be written.
    """
    lock = FileLock(out / LOCK, timeout=_PATIENCE_S, poll_interval=0.02)
    try:
        lock.acquire()
    except Timeout:
        raise CheckpointError(
            f"another process is training in {out}; stop it first, or choose another folder."
        ) from None
    except OSError as error:
        raise CheckpointError(
            f"{out} cannot be written ({error.strerror or error}); check its permissions, or choose another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_held(out: Path) -> bool:
    """Whether a process trains in this folder now. In a folder that cannot be written nobody does."""
    if not (out / LOCK).exists():
        return False
    with alone(out / LOCK) as ours:
        return not ours


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether no other process holds this lock at the moment; where that is so, none does until the context ends."""
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError:
        yield True
        return
    try:
        yield True
    finally:
        lock.release()
