"""A model on disk or on the Hub: config.json and model.safetensors.

Nothing is trusted. Weights come from safetensors only; the config's keys and sizes are checked, and the
shapes it asks for are compared with the ones the file holds, before anything is downloaded or allocated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from minrnn.checked import from_mapping
from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError
from minrnn.files import write_bytes, write_json
from minrnn.models.download import CONFIG, WEIGHTS, fetch
from minrnn.models.mixer import mixer_class
from minrnn.settings import MAX_JSON_BYTES, MAX_PARAMS, MAX_WEIGHTS_BYTES

__all__ = [
    "CONFIG",
    "WEIGHTS",
    "ModelFiles",
    "config_from_dict",
    "fetch",
    "fetch_model",
    "read_config",
    "read_weights",
    "write",
]

LARGEST_WEIGHT = 1e18
"""Larger weights are damaged, not trained: a product of two of them has no float32."""


class ModelFiles(NamedTuple):
    """A model's two files on this machine."""

    config: Path
    weights: Path


def write(folder: Path, config: ModelConfig, weights: Mapping[str, Tensor]) -> None:
    """Write config.json and model.safetensors, each whole or not at all.

    Raises:
        OSError: if the disk does not take them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = {name: w.detach().cpu().contiguous() for name, w in weights.items()}
    write_bytes(folder / WEIGHTS, save(plain, metadata={"format": "pt"}))
    write_json(folder / CONFIG, config.to_dict())


def fetch_model(source: str, revision: str | None = None, **download: Any) -> ModelFiles:
    """The files of a model, from a folder or from "user/repo" on the Hub. The config is read before the weights come.

    Raises:
        HubError: if the repo cannot be reached, lacks a file or holds one that is too large.
        CheckpointError: if the folder lacks a file, or the config is not one of a model this code knows.
    """
    config = fetch(source, CONFIG, revision, max_bytes=MAX_JSON_BYTES, **download)
    read_config(config)
    return ModelFiles(config, fetch(source, WEIGHTS, revision, max_bytes=MAX_WEIGHTS_BYTES, **download))


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
    options = from_mapping(mixer_class(str(data["mixer"])).Options, data.get("options") or {})
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
    count = sum(w.numel() for w in expected.values())
    if count > MAX_PARAMS:
        raise CheckpointError(f"{CONFIG} asks for {count:,} parameters; at most {MAX_PARAMS:,} are loaded.")
    try:
        with safe_open(path, framework="pt") as file:
            _check_shapes(expected, {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()})
            return {name: _sound(name, file.get_tensor(name)) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{WEIGHTS} is not a whole safetensors file: {error}; download it again."
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
        raise CheckpointError(f"{WEIGHTS} holds {extra[0]}, which a model of this config has not.")
    for name, weight in expected.items():
        if found[name] != tuple(weight.shape):
            raise CheckpointError(
                f"{WEIGHTS}: {name} is {found[name]}; the config asks for {tuple(weight.shape)}."
            )
