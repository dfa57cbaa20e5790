"""The search for recipes as a table: every trial, named by what its settings change in today's preset."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from minrnn import presets
from minrnn.errors import ConfigError
from minrnn.models import MIXERS
from minrnn.results.figures import title
from minrnn.results.records import Record
from minrnn.results.tables import NOT_YET, duration, loss, table, val_loss
from minrnn.runs import spec as specs
from minrnn.runs.spec import RunSpec

HEAD = ("", "what it changes in the preset", "val loss", "carried", "train loss", "characters read", "time")


def trials_table(rows: Mapping[str, Record]) -> str:
    """Every trial, by preset and model, the best of each first."""
    if not rows:
        return NOT_YET
    trials = [(_spec(r), r) for r in rows.values()]
    trials.sort(key=lambda trial: (_position(trial[0]), bool(trial[1].failed), trial[1].val_loss))
    return table(HEAD, [_cells(spec, r) for spec, r in trials], range(2, len(HEAD)))


def flags(spec: RunSpec) -> str:
    """What must be added to `train --preset P --model M` to train this; the empty string for the preset itself."""
    start = ["--preset", spec.preset, "--model", spec.model.mixer, "--corpus", spec.corpus]
    usual = presets.get(spec.preset, spec.model.mixer).corpus
    text = ["--corpus", spec.corpus] if spec.corpus != usual else []
    return shlex.join(text + specs.flags(spec)[len(start) :])


def _spec(trial: Record) -> RunSpec | None:
    """What a trial trained; None where today's presets and models no longer have it."""
    try:
        spec = specs.from_dict(trial.settings)
        presets.get(spec.preset, spec.model.mixer)
    except ConfigError:
        return None
    return spec


def _position(spec: RunSpec | None) -> tuple[int, int]:
    if spec is None:
        return len(presets.PRESETS), 0
    return list(presets.PRESETS).index(spec.preset), list(MIXERS).index(spec.model.mixer)


def _cells(spec: RunSpec | None, r: Record) -> list[str]:
    changed = flags(spec) if spec else r.command
    name = f"{spec.preset} {title(spec.model.mixer)}" if spec else "another preset"
    if r.failed:
        return [name, f"`{changed}`", f"failed: {r.failed}", "", "", "", ""]
    losses = [val_loss(r.val_loss, r.val_loss_streaming), loss(r.val_loss_streaming), loss(r.train_loss)]
    read = f"{r.tokens_seen / 1e6:.1f} M"
    return [name, f"`{changed}`" if changed else "nothing", *losses, read, duration(r.seconds)]
