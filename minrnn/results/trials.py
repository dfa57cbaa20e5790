"""The search for recipes as a table: every trial, named by what its settings change in the preset of today."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from minrnn import presets
from minrnn.models import MODEL_NAMES
from minrnn.results.figures import title
from minrnn.results.records import Record
from minrnn.results.tables import NOT_YET, duration, loss, table
from minrnn.runs import spec as specs
from minrnn.runs.spec import RunSpec

HEAD = ("", "what it changes in the preset", "val loss", "carried", "train loss", "characters read", "time")


def trials_table(rows: Mapping[str, Record]) -> str:
    """Every trial, by preset and model, the best of each first."""
    if not rows:
        return NOT_YET
    trials = [(specs.from_dict(r.settings), r) for r in rows.values()]
    trials.sort(key=lambda trial: (*_position(trial[0]), trial[1].val_loss))
    return table(HEAD, [_cells(spec, r) for spec, r in trials], range(2, len(HEAD)))


def flags(spec: RunSpec) -> str:
    """What must be added to `train --preset P --model M` to train this; the empty string for the preset itself."""
    start = ["--preset", spec.preset, "--model", spec.model.mixer, "--corpus", spec.corpus]
    return shlex.join(specs.flags(spec)[len(start) :])


def _position(spec: RunSpec) -> tuple[int, int]:
    return list(presets.PRESETS).index(spec.preset), MODEL_NAMES.index(spec.model.mixer)


def _cells(spec: RunSpec, r: Record) -> list[str]:
    changed = flags(spec)
    name = f"{spec.preset} {title(spec.model.mixer)}"
    if r.failed:
        return [name, f"`{changed}`", f"failed: {r.failed}", "", "", "", ""]
    losses = [f"**{loss(r.val_loss)}**", loss(r.val_loss_streaming), loss(r.train_loss)]
    read = f"{r.tokens_seen / 1e6:.1f} M"
    return [name, f"`{changed}`" if changed else "nothing", *losses, read, duration(r.seconds)]
