"""The config.json of a run's folder: what the run trains, and whether there is one that has begun."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from minrnn import data, files
from minrnn.corpora import OWN
from minrnn.errors import CheckpointError, ConfigError
from minrnn.models import disk
from minrnn.runs.events import METRICS
from minrnn.runs.saving import MODEL, RESUME
from minrnn.runs.spec import OWN_TEXT, RunSpec, from_dict

CONFIG = "config.json"
_OLD_CONFIG = "spec.json"
"""Where earlier versions left the spec of a run that had not begun."""


def read_spec(out: Path) -> RunSpec:
    """What a run trains.

    Raises:
        CheckpointError: if `out` is not a run.
    """
    return spec_in(read_config(out), out)


def read_config(out: Path) -> dict[str, Any]:
    """A run's config.json, unchecked; empty where there is none that can be read."""
    return files.read_object(out / CONFIG if files.is_file(out / CONFIG) else out / _OLD_CONFIG)


def spec_in(config: Mapping[str, Any], out: Path) -> RunSpec:
    """`read_spec` of a config.json that has been read.

    Raises:
        CheckpointError: if it is not that of a run.
    """
    if not config and not parts(out):
        raise CheckpointError(f"{out} holds no run that can be read; start one with --out {out}.")
    if not config:
        raise CheckpointError(
            f"{out / CONFIG} is missing or damaged, and no run goes on without it; put it back, or {_else(out)}."
        )
    try:
        spec = from_dict(config)
    except ConfigError as error:
        way = f" Mend {CONFIG}, or {_else(out)}." if files.is_file(out / RESUME) else ""
        raise CheckpointError(f"{out} is not a run of this minRNN: {error}{way}") from None
    if not data.is_named(spec.corpus) and (out / OWN_TEXT).is_file():  # as earlier versions named it
        return dataclasses.replace(spec, corpus=OWN)
    return spec


def parts(out: Path) -> list[str]:
    """The names of those files of a run that another run would overwrite, as far as they are in a folder."""
    return [name for name in (CONFIG, RESUME, METRICS, MODEL, OWN_TEXT) if os.path.exists(out / name)]


def _else(out: Path) -> str:
    """What to do where a run's config.json is of no use."""
    if files.is_file(out / MODEL / disk.CONFIG) and files.is_file(out / MODEL / disk.WEIGHTS):
        return f"train its last model on with --init {out / MODEL} and another --out"
    return "start a new run with another --out"


def has_begun(out: Path) -> bool:
    """Whether there is a model in this run, and something to resume."""
    return files.is_file(out / RESUME) and files.is_file(out / CONFIG)


def is_unbegun(out: Path) -> bool:
    """Whether there is a run that can be read here and has not begun."""
    with suppress(CheckpointError):
        return not has_begun(out) and bool(read_spec(out))
    return False
