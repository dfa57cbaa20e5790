"""The config.json of a run's folder: what the run trains, and whether there is one that has begun."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from minrnn import data, files
from minrnn.corpora import OWN
from minrnn.errors import CheckpointError, ConfigError
from minrnn.runs.saving import RESUME
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
    if not config:
        raise CheckpointError(f"{out} holds no run that can be read; start one with --out {out}.")
    try:
        spec = from_dict(config)
    except ConfigError as error:
        raise CheckpointError(f"{out} is not a run of this minRNN: {error}") from None
    if not data.is_named(spec.corpus) and (out / OWN_TEXT).is_file():  # as earlier versions named it
        return dataclasses.replace(spec, corpus=OWN)
    return spec


def has_begun(out: Path) -> bool:
    """Whether there is a model in this run, and something to resume."""
    return files.is_file(out / RESUME) and files.is_file(out / CONFIG)


def is_unbegun(out: Path) -> bool:
    """Whether there is a run that can be read here and has not begun."""
    with suppress(CheckpointError):
        return not has_begun(out) and bool(read_spec(out))
    return False
