"""The one way to write a file: whole or not at all. Also reading files that somebody else may have written."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

MAX_OBJECT_CHARS = 4_000_000
"""The JSON objects of a run's folder hold a few kilobytes; a larger file is none of ours."""


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write a file aside, sync it and rename it into place, so that nobody ever reads half of it.

    The file gets the usual permissions (the umask's), also where a library would have made it private.

    Raises:
        OSError: if it cannot be written; the old file, if any, is untouched and nothing is left aside.
    """
    with writing(path) as file:
        file.write(data)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """`write_bytes` in pieces: what is written within the block is the file once the block has ended without an error.

    Raises:
        OSError: as `write_bytes`.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with aside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder survive a power cut, where the system lets one open a folder."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def link(source: Path, path: Path) -> None:
    """Give a file a second name, so that its bytes are stored once; a copy where the file system has no such links.

    Raises:
        OSError: if neither can be done.
    """
    try:
        os.link(source, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EEXIST, errno.ENOENT):
            raise
        write_bytes(path, source.read_bytes())


def sweep(path: Path) -> None:
    """Remove what writers of this file left aside when they were killed. Nobody may be writing it now."""
    for aside in path.parent.glob(f".{path.name}.{'[0-9a-f]' * 12}"):
        with contextlib.suppress(OSError):
            aside.unlink()


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of a text in UTF-8; half a surrogate pair, which UTF-8 has no form for, becomes a question mark."""
    write_bytes(path, text.encode("utf-8", "replace"))


def write_json(path: Path, data: Any) -> None:
    """`write_text` of plain data as indented JSON."""
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def read_text(path: Path) -> str:
    """A file's text without surrounding blanks; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def read_json(text: str) -> Any:
    """The data of a JSON text that somebody else may have written, such that a page can be sent them.

    Whole numbers of more than 64 bits become floats, infinite ones no number, halves of surrogate pairs question
    marks.

    Raises:
        ValueError: if it is not JSON.
        RecursionError: if it is nested too deeply.
    """
    return _sendable(
        json.loads(text, parse_int=_number, parse_float=_number, parse_constant=lambda _: math.nan)
    )


def _number(digits: str) -> float:
    """A whole number where it is written as one and fits into 64 bits."""
    if len(digits) < 19 and digits.lstrip("-").isdigit():
        return int(digits)
    value = float(digits)
    return value if math.isfinite(value) else math.nan


def _sendable(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-8", "replace").decode()
    if isinstance(data, dict):
        return {_sendable(name): _sendable(value) for name, value in data.items()}
    return [_sendable(value) for value in data] if isinstance(data, list) else data


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; empty if the file is missing, damaged, too large or holds something else."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_OBJECT_CHARS + 1)
        data = read_json(text) if len(text) <= MAX_OBJECT_CHARS else None
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def is_file(path: Path) -> bool:
    """Whether this is a file; False for what cannot be a path (too long, or with a null character)."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def expanded(path: str) -> Path:
    """A path as it was typed, with `~` replaced by the home folder where there is one."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user, or no home
        return Path(path)


def typed(path: Path) -> str:
    """A path as one types it here: relative to the working folder where it lies within."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
