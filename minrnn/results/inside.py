"""What is inside the bundled models, measured on the validation split.

The figures stand in inside.json beside this file, made by `python -m minrnn inside measure`. Those of weights that
are no longer the bundled ones are kept there and shown nowhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from minrnn import checkpoint
from minrnn.corpora import Corpus, splits
from minrnn.errors import MinrnnError
from minrnn.evaluate import streaming_loss
from minrnn.files import write_text
from minrnn.inside.context import SEEN, context_losses, spread
from minrnn.inside.features import correlations, features, followers
from minrnn.inside.layers import half_lives, layers, mean_log_decays
from minrnn.learn import learning_loss
from minrnn.models import MODEL_NAMES, LanguageModel, disk
from minrnn.text import CharVocab

STORED = Path(__file__).with_name("inside.json")
PRESET = "base"
"""The preset whose figures docs/inside.md holds."""
POSITIONS = 2_000
"""Positions of the validation split that the context curve is measured at."""
RATES = (0.025, 0.05, 0.1)
"""Rates of learning that are tried at the end of the training split; the best one reads the validation split."""
SAMPLE = 20_000
"""Characters for the choice of a rate and of units (from the training split), and to measure units on."""


@dataclass(frozen=True)
class LayerFigures:
    """Half-lives of a layer's units over the whole validation split, in characters: two quantiles and the longest."""

    median: float
    upper: float
    longest: float


@dataclass(frozen=True)
class UnitFigures:
    """A unit that was chosen on the training split; its correlation there, and on the validation split."""

    feature: str
    layer: int
    unit: int
    chosen: float
    correlation: float


@dataclass(frozen=True)
class Figures:
    """What was measured of one model.

    Attributes:
        weights: the first digits of the SHA-256 of the weights that were measured.
        exact: whether a half-life is the layer's own, with gates that read the input alone.
        seen: characters seen.
        context: the loss of the same 2,000 characters at each of `seen`, in nats.
        half_lives: a layer each; empty for a model without a recurrence.
        within_one: the share of all units that have forgotten half within one character.
        rate: the rate of learning that was best on the training split.
        rates: the loss there at each of `RATES`.
        streaming: `val_loss_streaming`.
        learning: `val_loss_learning` at `rate`.
        units: those that follow a feature.
    """

    weights: str
    exact: bool
    seen: list[int]
    context: list[float]
    half_lives: list[LayerFigures]
    within_one: float
    rate: float
    rates: list[float]
    streaming: float
    learning: float
    units: list[UnitFigures]


FORM = TypeAdapter(dict[str, dict[str, Figures]])


def weights_digest(model: str, preset: str = PRESET) -> str:
    """The first digits of the SHA-256 of a bundled model's weights; "" where they are not here.

    A file is read once, as long as it stays the same one by size and time.
    """
    path = checkpoint.bundled(preset, model) / disk.WEIGHTS
    try:
        there = path.stat()
    except OSError:
        return ""
    return _digest(path, (there.st_ino, there.st_size, there.st_mtime_ns))


@lru_cache(maxsize=100)
def _digest(path: Path, _version: tuple[int, int, int]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def measure(name: str, corpus: Corpus, preset: str = PRESET) -> Figures:
    """Measure a bundled model; takes several minutes.

    Args:
        name: of the model.
        corpus: the text whose splits are read, whatever the model was trained on.
        preset: of the model.

    Raises:
        CheckpointError: if there is no such model.
    """
    weights = weights_digest(name, preset)  # first: what is written there meanwhile is not measured
    model = checkpoint.load(checkpoint.bundled(preset, name)).model
    train, val = splits(corpus, CharVocab(model.config.vocab))
    positions = spread(len(val), max(SEEN), POSITIONS)
    rates = [learning_loss(model, train[-SAMPLE:], rate) for rate in RATES]
    rate = RATES[rates.index(min(rates))]
    exact, lives = _half_lives(model, val)
    everything = torch.cat(lives) if lives else torch.zeros(0)
    return Figures(
        weights=weights,
        exact=exact,
        seen=list(SEEN),
        context=[round(x, 4) for x in context_losses(model, val, positions).double().mean(dim=1).tolist()],
        half_lives=[_layer(layer) for layer in lives],
        within_one=round((everything <= 1).double().mean().item(), 4) if lives else 0.0,
        rate=rate,
        rates=[round(x, 4) for x in rates],
        streaming=round(streaming_loss(model, val), 4),
        learning=round(learning_loss(model, val, rate), 4),
        units=_units(model, train[-SAMPLE:], val[:SAMPLE]),
    )


def _half_lives(model: LanguageModel, ids: Tensor) -> tuple[bool, list[Tensor]]:
    """Whether they are exact, and each recurrent layer's half-lives."""
    first = [layer for layer in layers(model, ids[:2]) if layer is not None and layer.recurrence is not None]
    exact = all(layer.recurrence.input_only for layer in first if layer.recurrence is not None)
    return bool(first) and exact, [
        half_lives(mean) for mean in mean_log_decays(model, ids) if mean is not None
    ]


def _layer(lives: Tensor) -> LayerFigures:
    quantiles = lives.double().quantile(torch.tensor([0.5, 0.9, 1.0], dtype=torch.float64))
    return LayerFigures(*(round(x, 3) for x in quantiles.tolist()))


def _units(model: LanguageModel, train: Tensor, val: Tensor) -> list[UnitFigures]:
    vocab = CharVocab(model.config.vocab)
    chosen = followers(layers(model, train), vocab.decode(train))
    there, features_there = layers(model, val), features(vocab.decode(val))
    found = []
    for one in chosen:
        layer = there[one.layer]
        if layer is not None and one.feature in features_there:
            again = correlations(layer.units[:, one.unit : one.unit + 1], features_there[one.feature]).item()
            found.append(
                UnitFigures(one.feature, one.layer, one.unit, round(one.correlation, 3), round(again, 3))
            )
    return sorted(found, key=lambda unit: -abs(unit.correlation))


def load(preset: str = PRESET, path: Path = STORED) -> dict[str, Figures]:
    """The stored figures of the weights that are bundled, in the order they are shown; {} where none were measured.

    Raises:
        MinrnnError: if the file is damaged.
    """
    return {
        name: one for name, one in read(preset, path).items() if one.weights == weights_digest(name, preset)
    }


def unmeasured(preset: str, found: Container[str]) -> list[str]:
    """The bundled models of a preset that have no figures, in the order they are shown."""
    there = [name for name in MODEL_NAMES if (checkpoint.bundled(preset, name) / disk.WEIGHTS).is_file()]
    return [name for name in there if name not in found]


def read(preset: str = PRESET, path: Path = STORED) -> dict[str, Figures]:
    """As `load`, with those of other weights than the bundled ones.

    Raises:
        MinrnnError: if the file is damaged.
    """
    found = _all(path).get(preset, {})
    return {name: found[name] for name in MODEL_NAMES if name in found}


def save(preset: str, name: str, figures: Figures, path: Path = STORED) -> None:
    """Write a model's figures beside those that are stored, one model a line.

    Raises:
        MinrnnError: if the file is there and damaged.
    """
    found = _all(path)
    found.setdefault(preset, {})[name] = figures
    presets = []
    for key, models in FORM.dump_python(found, mode="json").items():
        lines = (f"{json.dumps(model)}: {json.dumps(one)}" for model, one in models.items())
        presets.append(f"{json.dumps(key)}: {{\n" + ",\n".join(lines) + "\n}")
    write_text(path, "{\n" + ",\n".join(presets) + "\n}\n")


def _all(path: Path) -> dict[str, dict[str, Figures]]:
    try:
        return FORM.validate_json(path.read_bytes()) if path.is_file() else {}
    except ValidationError:
        raise MinrnnError(
            f"{path} does not hold figures of the insides; delete it and run `python -m minrnn inside measure`."
        ) from None
