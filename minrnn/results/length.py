"""Endless text: the release's figures of `python -m minrnn bench length`, and the table made of them.

The figures stand in length.json beside this file; `python -m minrnn bench length --save` makes it anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from minrnn.bench import length
from minrnn.bench.length import Length, LengthFlags
from minrnn.files import write_text

SHIPPED = Path(__file__).with_name("length.json")


@dataclass(frozen=True)
class StoredLength:
    """The figures of a release.

    Attributes:
        machine: the processor, and the versions that the figures were measured with.
        date: the day, as YYYY-MM-DD.
        models: what was measured, in order.
    """

    machine: str
    date: str
    models: list[Length]


_FORM = TypeAdapter(StoredLength)


@cache
def stored() -> StoredLength:
    """The figures that are shipped with the package."""
    return _FORM.validate_json(SHIPPED.read_bytes())


def save(found: Sequence[Length], flags: LengthFlags, date: str, path: Path = SHIPPED) -> None:
    """Keep figures for the documents and the page.

    Args:
        found: every model's.
        flags: how they were asked for.
        date: the day, as YYYY-MM-DD.
        path: where they are kept.
    """
    about = length.as_json(found, flags)
    machine = f"{about['cpu']}, 1 thread, torch {about['torch']}, numpy {about['numpy']}"
    text = _FORM.dump_json(StoredLength(machine, date, list(found)), indent=1).decode()
    write_text(path, text + "\n")


def section(found: StoredLength) -> str:
    """The table and where its figures come from, as Markdown."""
    table = "\n".join(length.table(found.models))
    return f"{table}\n\nMeasured on {found.date}: {found.machine}; `python -m minrnn bench length --save`."
