"""Figures that a command has measured for the release: kept in a file, read by the documents and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from minrnn.files import write_text

T = TypeVar("T")


@dataclass(frozen=True)
class Measured(Generic[T]):
    """The figures of a release.

    Attributes:
        machine: the processor, and the versions that the figures were measured with.
        date: the day, as YYYY-MM-DD.
        models: what was measured, in order.
    """

    machine: str
    date: str
    models: list[T]


def save(
    form: TypeAdapter[Measured[T]], about: dict[str, object], date: str, found: Sequence[T], path: Path
) -> None:
    """Keep figures for the documents and the page.

    Args:
        form: how the figures are written.
        about: what they were measured with; processor, torch and NumPy are kept.
        date: the day, as YYYY-MM-DD.
        found: every model's.
        path: where they are kept.
    """
    machine = f"{about['cpu']}, 1 thread, torch {about['torch']}, numpy {about['numpy']}"
    write_text(path, form.dump_json(Measured(machine, date, list(found)), indent=1).decode() + "\n")
