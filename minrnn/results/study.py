"""What a study is: a question, its rows, and the command of each."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One run of a study.

    Attributes:
        name: its folder, within the study's.
        label: what stands in the table.
        flags: of `python -m minrnn train`, without --out.
    """

    name: str
    label: str
    flags: str

    @property
    def words(self) -> list[str]:
        """The flags as a shell would split them."""
        return shlex.split(self.flags)


@dataclass(frozen=True)
class Study:
    """Runs that answer one question.

    Attributes:
        name: its folder under runs/.
        question: what it asks.
        rows: its runs, in the order of the table.
    """

    name: str
    question: str
    rows: tuple[Row, ...]

    def command(self, row: Row) -> str:
        """The whole command of a row, as it stands in the document."""
        return f"python -m minrnn train {row.flags} --out runs/{self.name}/{row.name}"
