"""A model on disk or on the Hub: config.json and model.safetensors.

Nothing is trusted. Weights come from safetensors only; the config's keys and sizes are checked, and the
shapes it asks for are compared with the ones the file holds, before anything is downloaded or allocated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from minrnn.checked import from_mapping, shown
from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError
from minrnn.files import write_bytes, write_json
from minrnn.models.download import CONFIG, WEIGHTS, fetch
from minrnn.models.mixer import mixer_class
from minrnn.settings import MAX_JSON_BYTES, MAX_PARAMS, MAX_WEIGHTS_BYTES

__all__ = [
    "CONFIG",
    "WEIGHTS",
    "check_size",
    "config_from_dict",
    "fetch",
    "fetch_config",
    "fetch_weights",
    "pinned",
    "read_config",
    "read_weights",
    "write",
]

LARGEST_WEIGHT = 1e18
"""Larger weights are damaged, not trained: products of two of them, summed over a layer, leave float32."""
BYTES_PER_WEIGHT, HEADER_BYTES = 8, 1_000_000
"""A weight takes at most a float64, and the names and shapes before the weights take a few kilobytes."""
MOST_REASON = 200
"""Characters of a library's own reason in a message: it may quote the file."""


def write(folder: Path, config: ModelConfig, weights: Mapping[str, Tensor]) -> None:
    """Write config.json and model.safetensors, each whole or not at all.

    Raises:
        OSError: if the disk does not take them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = {name: w.detach().cpu().contiguous() for name, w in weights.items()}
    write_bytes(folder / WEIGHTS, save(plain, metadata={"format": "pt"}))
    write_json(folder / CONFIG, config.to_dict())


def fetch_config(source: str, revision: str | None = None, **download: Any) -> Path:
    """The config.json of a folder or a repo, as a path on this machine. It has not been read yet.

    Raises:
        HubError: if the repo cannot be reached, lacks the file, or it is too large.
        CheckpointError: if the folder lacks the file.
    """
    return fetch(source, CONFIG, revision, max_bytes=MAX_JSON_BYTES, **download)


def pinned(config: Path, revision: str | None) -> str | None:
    """The commit that a repo's config came from, so that a branch that moves does not mix two models.

    Args:
        config: where `fetch` put the config.json; the cache keeps each commit's files in a folder of its name.
        revision: what was asked for; returned where the folder is not named by a commit.
    """
    return config.parent.name if re.fullmatch("[0-9a-f]{40}", config.parent.name) else revision


def fetch_weights(source: str, revision: str | None, expected: Mapping[str, Tensor], **download: Any) -> Path:
    """The weights of a model whose config has been read. A repo's larger file is not downloaded.

    Raises:
        CheckpointError: if the config asks for too many weights, or the folder lacks the file.
        HubError: if the repo cannot be reached, lacks the file, or it is larger than such weights can be.
    """
    largest = min(MAX_WEIGHTS_BYTES, BYTES_PER_WEIGHT * check_size(expected) + HEADER_BYTES)
    return fetch(source, WEIGHTS, revision, max_bytes=largest, **download)


def check_size(expected: Mapping[str, Tensor]) -> int:
    """How many weights a model has.

    Raises:
        CheckpointError: if there are more than may be loaded.
    """
    count = sum(w.numel() for w in expected.values())
    if count > MAX_PARAMS:
        raise CheckpointError(f"{CONFIG} asks for {count:,} parameters; at most {MAX_PARAMS:,} are loaded.")
    return count


def read_config(path: Path) -> ModelConfig:
    """Read and check a config.json.

    Raises:
        CheckpointError: if it is not JSON, too large, or not the config of a model this code knows.
    """
    try:
        if (size := path.stat().st_size) > MAX_JSON_BYTES:
            raise CheckpointError(f"{path.name} has {size:,} bytes; at most {MAX_JSON_BYTES:,} are read.")
        return config_from_dict(json.loads(path.read_text(encoding="utf-8")))
    except ConfigError as error:
        raise CheckpointError(f"{path.name}: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{path.name} cannot be read ({error}); check its permissions.") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or JSON meant to exhaust a reader
        raise CheckpointError(f"{path.name} is not JSON: {error}.") from None


def config_from_dict(data: Any) -> ModelConfig:
    """Build a config from plain data, such as `ModelConfig.to_dict` gives.

    Raises:
        ConfigError: for unknown keys, wrong types, sizes out of range or an unknown mixer.
    """
    if not isinstance(data, Mapping) or "mixer" not in data:
        raise ConfigError("it names no mixer, so it is not a minRNN model; load one that minRNN has saved.")
    given = data.get("options")
    options = from_mapping(mixer_class(str(data["mixer"])).Options, {} if given is None else given)
    return from_mapping(ModelConfig, {**data, "options": options})


def read_weights(path: Path, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read a model.safetensors, if it holds exactly the expected names and shapes.

    Args:
        path: the file.
        expected: tensors of the wanted shapes, which may be on the meta device.

    Returns:
        Tensors in float32, each in memory of its own (a mapped file's may be misaligned, which slows a step).

    Raises:
        CheckpointError: if the file is damaged, another architecture's, or too large.
    """
    check_size(expected)
    try:
        with safe_open(path, framework="pt") as file:
            _check_shapes(expected, {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()})
            return {name: _sound(name, file.get_tensor(name)) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())[:MOST_REASON]
        raise CheckpointError(
            f"{WEIGHTS} is not a whole safetensors file: {reason}; download it again."
        ) from None


def _sound(name: str, weight: Tensor) -> Tensor:
    """The weight in float32."""
    single = weight.float().clone() if weight.is_floating_point() else None
    if single is None or not (single.abs() <= LARGEST_WEIGHT).all():
        raise CheckpointError(
            f"{WEIGHTS}: {name} holds values that are not finite numbers of a trained model; the file is damaged."
        )
    return single


def _check_shapes(expected: Mapping[str, Tensor], found: Mapping[str, tuple[int, ...]]) -> None:
    if missing := sorted(set(expected) - set(found)):
        raise CheckpointError(
            f"{WEIGHTS} lacks {missing[0]} ({len(missing)} in all); is it another architecture's?"
        )
    if extra := sorted(set(found) - set(expected)):
        raise CheckpointError(
            f"{WEIGHTS} holds {shown(extra[0])}, which a model of this config has not; is it another version's?"
        )
    for name, weight in expected.items():
        if found[name] != tuple(weight.shape):
            raise CheckpointError(
                f"{WEIGHTS}: {name} is {found[name]}; the config asks for {tuple(weight.shape)}."
            )
