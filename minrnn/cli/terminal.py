"""Printing. A terminal that lacks a character and a pipe that closed are no errors; figures that cannot be written are
one. A training, which reports by `mention`, ends for none of them."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import TextIOWrapper
from typing import Any

from rich.console import Console

from minrnn.errors import MinrnnError


def prepare() -> None:
    """Let the standard streams take every text: what a terminal cannot show becomes a question mark, and a stream
    that was closed before the start takes everything and shows nothing."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


class Patient(Console):
    """A console that goes on where nobody reads the pipe any more; rich's own ends the process."""

    def on_broken_pipe(self) -> None:
        silence(self.file)


def say(text: str, *, style: str | None = None, error: bool = False) -> None:
    """Print a text as it is, on stderr where it is an error.

    Raises:
        MinrnnError: if stdout cannot be written, but by a pipe that closed. Of stderr nobody could be told.
    """
    stream = sys.stderr if error else sys.stdout
    try:
        Patient(file=stream, soft_wrap=True).print(
            text, style=style, markup=False, emoji=False, highlight=False
        )
    except OSError as failure:
        silence(stream)
        if not error:
            _check_closed(failure)


def mention(text: str) -> None:
    """Print a line about work that takes hours, which goes on where the line cannot be written."""
    with suppress(MinrnnError):
        say(text)


def put(text: str) -> bool:
    """Print some characters at once, without a newline; False if nobody reads them any more.

    Raises:
        MinrnnError: as `say`.
    """
    try:
        print(text, end="", flush=True)
    except OSError as failure:
        silence(sys.stdout)
        _check_closed(failure)
        return False
    return True


def _check_closed(failure: OSError) -> None:
    """Refuse whatever kept a text from being written but a pipe that nobody reads any more."""
    if not _is_closed_pipe(failure):
        raise MinrnnError(
            f"the output cannot be written ({failure.strerror or failure}); free some space, or send it elsewhere."
        )


def _is_closed_pipe(failure: OSError) -> bool:
    """Whether nobody reads a pipe any more; Windows calls that an invalid argument."""
    return isinstance(failure, BrokenPipeError) or (os.name == "nt" and failure.errno == errno.EINVAL)


def is_closed(stream: Any) -> bool:
    """Whether nobody reads a stream any more, tried with a newline; what still comes then goes nowhere."""
    try:
        stream.write("\n")
        stream.flush()
    except OSError as failure:
        silence(stream)
        return _is_closed_pipe(failure)
    return False


def silence(stream: Any) -> None:
    """Send what still comes nowhere, so that Python does not complain at its end about what it could not write."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def figures(values: Mapping[str, Any], as_json: bool) -> None:
    """Print figures: one JSON object, or a line each; of several in one, such as accuracies, a line each, too."""
    if as_json:
        say(json.dumps(values))
        return
    flat = dict(_flat(values))
    width = max(map(len, flat))
    for name, value in flat.items():
        say(f"{name:{width}}  {value:.4f}" if isinstance(value, float) else f"{name:{width}}  {value}")


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every single figure with its name; "accuracy at 512" for one within "accuracy"."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name} at {key}", part) for key, part in value.items())
        else:
            yield name, value


def leave() -> None:
    """End a process that has ended well, without tidying up further."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
