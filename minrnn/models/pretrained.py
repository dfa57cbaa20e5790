"""Reading and writing a model: config.json and model.safetensors in a folder, or in a repo on the Hub.

Nothing is trusted. Weights come from safetensors only; the config's keys and sizes are checked, and the
shapes it asks for are compared with the ones the file holds, before anything is allocated.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError
from minrnn.models.download import CONFIG, WEIGHTS, fetch
from minrnn.models.lm import LanguageModel, mixer_class
from minrnn.settings import MAX_PARAMS

__all__ = ["CONFIG", "WEIGHTS", "config_from_dict", "fetch", "read", "read_config", "write", "write_text"]

MAX_CONFIG_BYTES = 1_000_000


def write(model: LanguageModel, folder: Path) -> None:
    """Write config.json and model.safetensors, each aside first and then renamed into place."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: w.detach().cpu().contiguous() for name, w in model.state_dict().items()}
    aside = folder / f".{WEIGHTS}.{os.getpid()}"
    save_file(weights, aside, metadata={"format": "pt"})
    aside.replace(folder / WEIGHTS)
    write_text(folder / CONFIG, json.dumps(model.config.to_dict(), indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file aside and rename it, so that nobody ever reads half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def read(source: str, revision: str | None = None, **download: Any) -> LanguageModel:
    """Load a model from a folder, or from "user/repo" on the Hub.

    Returns:
        The model on the CPU, in evaluation mode.

    Raises:
        HubError: if the repo cannot be reached or lacks a file.
        CheckpointError: if config or weights are not those of a model this code knows.
    """
    config_file = fetch(source, CONFIG, revision, **download)
    config = read_config(config_file)
    weights_file = fetch(source, WEIGHTS, revision, **download)
    return _load(config, weights_file)


def read_config(path: Path) -> ModelConfig:
    """Read and check a config.json.

    Raises:
        CheckpointError: if it is not JSON, too large, or not the config of a model this code knows.
    """
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise CheckpointError(
            f"{path.name} has {path.stat().st_size} bytes; at most {MAX_CONFIG_BYTES} are read."
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or JSON meant to exhaust a reader
        raise CheckpointError(f"{path.name} is not JSON: {error}.") from None
    try:
        return config_from_dict(data)
    except ConfigError as error:
        raise CheckpointError(f"{path.name}: {error}") from None


def config_from_dict(data: Any) -> ModelConfig:
    """Build a config from plain data, such as `ModelConfig.to_dict` gives.

    Raises:
        ConfigError: for unknown keys, wrong types, sizes out of range or an unknown mixer.
    """
    if not isinstance(data, Mapping) or "mixer" not in data:
        raise ConfigError("it names no mixer, so it is not a minRNN model; load one that minRNN has saved.")
    mixer = mixer_class(str(data["mixer"]))
    options = data.get("options")
    values = {**data, "options": _dataclass(mixer.Options, {} if options is None else options)}
    config: ModelConfig = _dataclass(ModelConfig, values)
    return config


def _dataclass(kind: type[Any], data: Any) -> Any:
    """Make a dataclass of numbers, strings and flags from a mapping, refusing what does not belong."""
    if not isinstance(data, Mapping):
        raise ConfigError(f"{kind.__name__} must be an object, not {type(data).__name__}.")
    defaults = {f.name: f.default for f in dataclasses.fields(kind)}
    unknown = sorted(set(data) - set(defaults))
    if unknown:
        raise ConfigError(
            f"unknown keys {', '.join(map(str, unknown))}; was it saved by a newer minRNN? Update this one."
        )
    for key, value in data.items():
        _check_type(key, value, defaults[key])
    return kind(**data)


def _check_type(key: str, value: Any, default: Any) -> None:
    if default is None:  # the options, built above
        return
    expected = str if default is dataclasses.MISSING else type(default)
    allowed = (int, float) if expected is float else (expected,)
    if not isinstance(value, allowed) or (isinstance(value, bool) and expected is not bool):
        raise ConfigError(f"{key} is {value!r}; expected {expected.__name__}.")


def _load(config: ModelConfig, weights_file: Path) -> LanguageModel:
    try:
        with torch.device("meta"):  # shapes only: nothing is allocated
            model = LanguageModel(config)
    except ConfigError as error:
        raise CheckpointError(f"{CONFIG}: {error}") from None
    if model.n_params > MAX_PARAMS:
        raise CheckpointError(
            f"{CONFIG} asks for {model.n_params:,} parameters; at most {MAX_PARAMS:,} are loaded."
        )
    try:
        with safe_open(weights_file, framework="pt") as file:
            _check_shapes(model, {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()})
            weights = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise CheckpointError(
            f"{WEIGHTS} is not a whole safetensors file: {error}; download it again."
        ) from None
    model.load_state_dict({name: _finite(name, w) for name, w in weights.items()}, strict=True, assign=True)
    return model.eval()


def _finite(name: str, weight: Tensor) -> Tensor:
    """The weight in float32."""
    single = weight.float() if weight.is_floating_point() else None
    if single is None or not single.isfinite().all():
        raise CheckpointError(
            f"{WEIGHTS}: {name} holds values that are not finite numbers; the file is damaged."
        )
    return single


def _check_shapes(model: LanguageModel, found: dict[str, tuple[int, ...]]) -> None:
    expected = {name: tuple(w.shape) for name, w in model.state_dict().items()}
    if missing := sorted(set(expected) - set(found)):
        raise CheckpointError(
            f"{WEIGHTS} lacks {missing[0]} ({len(missing)} in all); is it another architecture's?"
        )
    if extra := sorted(set(found) - set(expected)):
        raise CheckpointError(
            f"{WEIGHTS} holds {extra[0]}, which a {model.config.mixer} of this config has not."
        )
    for name, shape in expected.items():
        if found[name] != shape:
            raise CheckpointError(f"{WEIGHTS}: {name} is {found[name]}; the config asks for {shape}.")
