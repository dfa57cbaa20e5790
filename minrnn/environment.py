"""Environment variables as folders and numbers, read when asked for."""

from __future__ import annotations

import os
from pathlib import Path

from minrnn.errors import ConfigError


def variable(name: str) -> str | None:
    """The variable without surrounding blanks; None where it is unset or empty."""
    return os.environ.get(name, "").strip() or None


def folder(name: str) -> Path | None:
    """A variable that names a folder; None where it is unset."""
    value = variable(name)
    try:
        return None if value is None else Path(value).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{name} is {value!r} and names no folder ({error}); give a whole path.") from None


def whole(name: str, default: int, least: int, most: int, of: str = "") -> int:
    """A variable that is a whole number from `least` to `most`; `of` says of what, in the error."""
    value = variable(name)
    if value is None:
        return default
    if value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most:
        return int(value)
    raise ConfigError(
        f"{name} is {value[:60]!r}; set it to a whole number{of} from {least} to {most:,}, or unset it."
    )


def megabytes(name: str, default: int) -> int:
    """A variable that counts megabytes, in bytes."""
    return whole(name, default, 100, 999_999_999, " of megabytes") * 10**6
