"""Endless text: the release's figures of `python -m minrnn bench length`, and the table made of them.

The figures stand in length.json beside this file; `python -m minrnn bench length --save` makes it anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from minrnn.bench import length
from minrnn.bench.length import Length, LengthFlags
from minrnn.results import measured
from minrnn.results.measured import Measured

SHIPPED = Path(__file__).with_name("length.json")


StoredLength = Measured[Length]
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
    measured.save(_FORM, length.as_json(found, flags), date, found, path)


def section(found: StoredLength) -> str:
    """The table and where its figures come from, as Markdown."""
    table = "\n".join(length.table(found.models))
    return f"{table}\n\nMeasured on {found.date}: {found.machine}; `python -m minrnn bench length --save`."
