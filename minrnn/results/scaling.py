"""Scaling: the release's figures of `python -m minrnn bench scaling`, what this machine gives, and their table.

The figures stand in scaling.json beside this file; `python -m minrnn bench scaling --save` makes it anew.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from minrnn.bench import scaling
from minrnn.bench.scaling import Scaling, ScalingFlags
from minrnn.errors import MinrnnError
from minrnn.results import measured
from minrnn.results.measured import Measured
from minrnn.results.tables import table

SHIPPED = Path(__file__).with_name("scaling.json")
SECONDS = 20.0
"""How long a measurement from the page takes, about; one that takes PATIENCE times as long is ended."""
PATIENCE = 3
EIGHTFOLD = 3
"""The lengths are doubled from each to the next, so every third is shown."""


StoredScaling = Measured[Scaling]


@dataclass(frozen=True)
class _Printed:
    """What `bench scaling --json` prints, as far as it is read here."""

    models: list[Scaling]


_FORM = TypeAdapter(StoredScaling)
_PRINTED = TypeAdapter(_Printed)


@cache
def stored() -> StoredScaling:
    """The figures that are shipped with the package."""
    return _FORM.validate_json(SHIPPED.read_bytes())


def save(found: Sequence[Scaling], flags: ScalingFlags, date: str, path: Path = SHIPPED) -> None:
    """Keep figures for the documents and the page.

    Args:
        found: every model's.
        flags: how they were asked for.
        date: the day, as YYYY-MM-DD.
        path: where they are kept.
    """
    measured.save(_FORM, scaling.as_json(found, flags), date, found, path)


def measured_here(seconds: float = SECONDS) -> list[Scaling]:
    """Measure this machine in a process of its own, as far as the time reaches.

    Raises:
        MinrnnError: if the process fails, or takes far longer than it should.
    """
    words = ["bench", "scaling", "--json", "--rounds", "1", "--seconds", str(seconds)]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "minrnn", *words],
            capture_output=True,
            timeout=PATIENCE * seconds,
            check=True,
            cwd=Path(__file__).parents[2],
        )
        return _PRINTED.validate_json(done.stdout).models
    except subprocess.TimeoutExpired:
        raise MinrnnError(
            f"measuring took more than {PATIENCE * seconds:g} s; this machine is busy, so try again later."
        ) from None
    except (subprocess.CalledProcessError, ValidationError) as error:
        raise MinrnnError(
            f"measuring failed ({error}); run `python -m minrnn {' '.join(words)}` to see why."
        ) from None


def section(found: StoredScaling) -> str:
    """The figures of every eightfold length and where they come from, as Markdown."""
    lengths = [cost.length for cost in found.models[0].steps][::EIGHTFOLD]
    head = ["model", *(f"{length:,} characters" for length in lengths)]
    rows = [[one.model, *_cells(one, lengths)] for one in found.models]
    where = f"Measured on {found.date}: {found.machine}; `python -m minrnn bench scaling --save`."
    return f"{table(head, rows, range(1, len(head)))}\n\n{where}"


def _cells(one: Scaling, lengths: Sequence[int]) -> list[str]:
    """Time and memory at each length; empty where a length was left out."""
    costs = {cost.length: cost for cost in one.steps}
    return [
        f"{cost.seconds * 1e3:,.0f} ms, {cost.saved_bytes / 1e6:,.0f} MB" if cost else ""
        for cost in map(costs.get, lengths)
    ]
