"""Who trains in a folder: a lock on a file in it, which the system releases when its holder ends, however it ends."""

from __future__ import annotations

import errno
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from minrnn.errors import CheckpointError

LOCK = "lock"
_PATIENCE_S = 2.0
"""Checking the lock takes it for a moment, so a worker retries briefly before it gives up."""
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})
"""What a file system without locks answers, such as some network disks."""

_NATIVE: dict[str, Any] = (
    {"fallback_to_soft": False} if "fallback_to_soft" in inspect.signature(FileLock).parameters else {}
)
"""filelock's own way out takes the empty file of an earlier lock for one that is held; older versions have none."""


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold the run's lock. On a file system without locks a file that names its holder stands in for it.

    Raises:
        CheckpointError: if another process trains in this folder, or it cannot be written.
    """
    try:
        lock = _acquired(out / LOCK, _PATIENCE_S)
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


@contextmanager
def turn(path: Path, patience_s: float = 20.0) -> Iterator[None]:
    """Wait for one's turn: at most one thread of one process is inside at a time.

    Args:
        path: the lock's file; its folder is made where it is not there.
        patience_s: how long to wait.

    Raises:
        CheckpointError: if somebody else has the turn all that time, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _acquired(path, patience_s)
    except Timeout:
        raise CheckpointError(
            f"another app works on {path.parent} and has not finished in {patience_s:g} seconds; try again."
        ) from None
    except OSError as error:
        raise CheckpointError(
            f"{path.parent} cannot be written ({error.strerror or error}); check its permissions and free some space."
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
    lock = None
    try:
        lock = _acquired(path, 0)
    except Timeout:
        yield False
        return
    except OSError:
        pass
    try:
        yield True
    finally:
        if lock is not None:
            lock.release()


def _acquired(path: Path, timeout: float) -> BaseFileLock:
    """The lock, acquired. A generator that holds it may be continued by another thread, so it belongs to none.

    Raises:
        Timeout: if somebody else holds it all that time.
        OSError: if the folder cannot be written.
    """
    lock: BaseFileLock = FileLock(path, timeout, thread_local=False, **_NATIVE)
    try:
        lock.acquire(poll_interval=0.02)
    except Timeout:
        raise
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
            raise
        lock = SoftFileLock(path.with_name(f"{path.name}.owner"), timeout, thread_local=False)
        lock.acquire(poll_interval=0.02)
    return lock
