"""What uploaded files take on the disk: their bytes, their number, and the folders that Gradio leaves behind them."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import gradio as gr

from minrnn import settings
from minrnn.ui.door.refusal import Refusal

_FOLDER = re.compile(r"[0-9a-f]{64}")
"""Gradio names the folder of a file after its content."""
SWEEP_S = 600.0
"""Seconds between two sweeps, and those for which a folder was empty when it is removed: as often as Gradio's own."""


class Uploads:
    """The files that were uploaded and are still there, and those on their way. The app has one."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._coming = 0

    @contextmanager
    def place(self, blocks: gr.Blocks) -> Iterator[None]:
        """Room for one more file of the largest size, held while it comes.

        Args:
            blocks: the page, which knows its files.

        Raises:
            Refusal: if too much is kept already or on its way.
        """
        self._look(blocks)
        largest, kept = settings.max_upload_bytes(), sum(self._sizes.values())
        files = len(self._sizes) + self._coming
        full = kept + (self._coming + 1) * largest > settings.MAX_UPLOADS * largest
        if full or files >= settings.MAX_UPLOADED_FILES:
            raise Refusal(
                503, f"{files:,} files are kept here or on their way, {kept:,} bytes so far; try again in an hour."
            )  # fmt: skip
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1
            self._look(blocks)

    def _look(self, blocks: gr.Blocks) -> None:
        """Take in what came and what Gradio has deleted; each file is looked at once."""
        for path in self._sizes.keys() - blocks.upload_file_set:
            del self._sizes[path]
        for path in blocks.upload_file_set - self._sizes.keys():
            self._sizes[path] = _size(path)


async def sweep(root: Path) -> None:
    """Remove the folders whose files Gradio has deleted, again and again.

    Args:
        root: Gradio's folder of files.
    """
    while True:
        await asyncio.to_thread(remove_empty, root)
        await asyncio.sleep(SWEEP_S)


def remove_empty(root: Path, seconds: float = SWEEP_S) -> None:
    """Remove the folders of files that have been empty for a while; a newer one may be waiting for its file.

    Args:
        root: Gradio's folder of files.
        seconds: for which nothing has changed in a folder.
    """
    with suppress(OSError), os.scandir(root) as found:
        for folder in found:
            with suppress(OSError):  # it has a file again, or another app was faster
                if _FOLDER.fullmatch(folder.name) and time.time() - folder.stat().st_mtime >= seconds:
                    os.rmdir(folder.path)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
