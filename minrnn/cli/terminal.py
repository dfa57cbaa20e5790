"""Printing that never fails: a terminal that lacks a character, or a pipe that closed, must not end a training."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from rich.console import Console


def say(text: str, *, style: str | None = None, error: bool = False) -> None:
    """Print a text as it is, on stderr where it is an error. What the terminal cannot show becomes a question mark."""
    stream = sys.stderr if error else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    text = text.encode(encoding, "replace").decode(encoding, "replace")
    try:
        Console(file=stream, soft_wrap=True).print(text, style=style, markup=False, highlight=False)
    except OSError:  # nobody reads the pipe any more
        silence(stream)


def silence(stream: Any) -> None:
    """Send what still comes nowhere, so that Python does not complain about the closed pipe at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def figures(values: Mapping[str, Any], as_json: bool) -> None:
    """Print figures: one JSON object, or a line each."""
    if as_json:
        say(json.dumps(values))
        return
    width = max(map(len, values))
    for name, value in values.items():
        say(f"{name:{width}}  {value:.4f}" if isinstance(value, float) else f"{name:{width}}  {value}")
