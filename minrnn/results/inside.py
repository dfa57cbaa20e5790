"""What is inside the bundled models, measured on the validation split: figures, tables and sentences.

The figures stand in inside.json beside this file, made by `python -m minrnn inside measure`. The page's sentences are
made from them, so they stay true when the weights change and the figures are measured anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from minrnn import checkpoint
from minrnn.corpora import Corpus, splits
from minrnn.evaluate import streaming_loss
from minrnn.files import write_text
from minrnn.inside.context import SEEN, context_losses, spread
from minrnn.inside.features import correlations, features, followers
from minrnn.inside.layers import half_lives, layers, mean_log_decays
from minrnn.learn import learning_loss
from minrnn.models import MODEL_NAMES, LanguageModel, disk
from minrnn.results.figures import title
from minrnn.results.tables import NOT_YET, fill, loss, table
from minrnn.text import CharVocab

STORED = Path(__file__).with_name("inside.json")
PAGE = "inside.md"
PRESET = "base"
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


def weights_digest(model: str, preset: str = PRESET) -> str:
    """The first digits of the SHA-256 of a bundled model's weights."""
    data = (checkpoint.bundled(preset, model) / disk.WEIGHTS).read_bytes()
    return hashlib.sha256(data).hexdigest()[:16]


def measure(name: str, corpus: Corpus) -> Figures:
    """Measure a bundled model; takes several minutes.

    Raises:
        CheckpointError: if there is no such model.
    """
    model = checkpoint.load(checkpoint.bundled(PRESET, name)).model
    train, val = splits(corpus, CharVocab(model.config.vocab))
    positions = spread(len(val), max(SEEN), POSITIONS)
    rates = [learning_loss(model, train[-SAMPLE:], rate) for rate in RATES]
    rate = RATES[rates.index(min(rates))]
    exact, lives = _half_lives(model, val)
    everything = torch.cat(lives) if lives else torch.zeros(0)
    return Figures(
        weights=weights_digest(name),
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


def load(path: Path = STORED) -> dict[str, Figures]:
    """The stored figures, by model, in the order in which models are shown; {} where none were measured."""
    if not path.is_file():
        return {}
    data = json.loads(path.read_text(encoding="utf-8"))
    return {name: _figures(data[name]) for name in MODEL_NAMES if name in data}


def _figures(data: Mapping[str, object]) -> Figures:
    lives = [LayerFigures(**one) for one in data["half_lives"]]  # type: ignore[attr-defined]
    units = [UnitFigures(**one) for one in data["units"]]  # type: ignore[attr-defined]
    return Figures(**{**data, "half_lives": lives, "units": units})  # type: ignore[arg-type]


def save(found: Mapping[str, Figures], path: Path = STORED) -> None:
    """Write the figures, one model a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(dataclasses.asdict(one))}" for name, one in found.items()]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def renew(docs: Path, found: Mapping[str, Figures]) -> bool:
    """Put the tables and sentences into the page; whether it changed.

    Raises:
        MinrnnError: if the page lacks its markers.
    """
    return fill(docs / PAGE, sections(found))


def sections(found: Mapping[str, Figures]) -> dict[str, str]:
    """What stands between the markers of the page."""
    if not found:
        return dict.fromkeys(("context", "half-lives", "units", "learning"), NOT_YET)
    return {
        "context": f"{context_sentence(found)}\n\n{_context_table(found)}",
        "half-lives": f"{half_life_sentence(found)}\n\n{_half_life_table(found)}",
        "units": f"{unit_sentence(found)}\n\n{_unit_table(found)}",
        "learning": f"{learning_sentence(found)}\n\n{_learning_table(found)}",
    }


def context_sentence(found: Mapping[str, Figures]) -> str:
    """How far back the models look, in a sentence."""
    enough = max(enough_characters(one) for one in found.values())
    losses = [one.context[one.seen.index(enough)] - one.context[-1] for one in found.values()]
    return (
        f"With {enough} characters seen, every model is within {max(losses):.2f} nats of its loss with "
        f"{max(SEEN)} characters seen."
    )


def alike(found: Mapping[str, Figures], seen: int = 16) -> str:
    """Why the models' texts look alike, for somebody who has just read them.

    Args:
        found: the stored figures.
        seen: the few characters that are said to be enough, one of `SEEN`.
    """
    worst = max((one.context[one.seen.index(seen)] - one.context[-1] for one in found.values()), default=0.0)
    measured = (
        f": with {seen} characters in sight every model is within {worst:.2f} nats a character of what it reaches with "
        f"{max(SEEN)}"
    )
    return (
        f"They sound alike because a few words are enough here{measured if found else ''}. "
        "Let them see 2 characters, and all of them babble."
    )


def enough_characters(one: Figures) -> int:
    """The fewest characters seen that bring a model within a twentieth of a nat of its loss with the most."""
    return next(n for n, value in zip(one.seen, one.context, strict=True) if value <= one.context[-1] + 0.05)


def half_life_sentence(found: Mapping[str, Figures]) -> str:
    """How long units remember, in a sentence."""
    parts = [
        f"{title(name)} {one.within_one:.0%} (the longest: {max(x.longest for x in one.half_lives):.0f} characters)"
        for name, one in found.items()
        if one.half_lives
    ]
    return f"Units that have forgotten half of a write within one character: {_listed(parts)}."


def unit_sentence(found: Mapping[str, Figures]) -> str:
    """The unit that follows a feature most closely, in a sentence."""
    name, best = max(
        ((name, unit) for name, one in found.items() for unit in one.units),
        key=lambda pair: abs(pair[1].correlation),
    )
    return (
        f"The closest: unit {best.unit} in layer {best.layer + 1} of {title(name)} follows “{best.feature}” with "
        f"a correlation of {best.correlation:.2f}."
    )


def learning_sentence(found: Mapping[str, Figures]) -> str:
    """What learning while reading takes off, in a sentence."""
    gains = [one.streaming - one.learning for one in found.values()]
    least, most = f"{min(gains):.2f}", f"{max(gains):.2f}"
    gain = least if least == most else f"{least} to {most}"
    return f"Learning while reading takes {gain} nats a character off the loss."


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _context_table(found: Mapping[str, Figures]) -> str:
    rows = [[title(name), *(f"{value:.2f}" for value in one.context)] for name, one in found.items()]
    return table(["characters seen", *map(str, SEEN)], rows, range(1, len(SEEN) + 1))


def _half_life_table(found: Mapping[str, Figures]) -> str:
    rows = []
    for name, one in found.items():
        for number, layer in enumerate(one.half_lives, 1):
            how = "exact" if one.exact else "along its own gates"
            figures = [f"{value:.2f}" for value in (layer.median, layer.upper, layer.longest)]
            rows.append([title(name), str(number), how, *figures])
    return table(["", "layer", "", "median", "90 % are below", "longest"], rows, (1, 3, 4, 5))


def _unit_table(found: Mapping[str, Figures]) -> str:
    head = ["", "feature", "layer", "unit", "where it was chosen", "validation"]
    rows = [
        [title(name), u.feature, str(u.layer + 1), str(u.unit), f"{u.chosen:.2f}", f"{u.correlation:.2f}"]
        for name, one in found.items()
        for u in one.units[:4]
    ]
    return table(head, rows, range(2, 6))


def _learning_table(found: Mapping[str, Figures]) -> str:
    tried = [f"rate {rate:g}, training split" for rate in RATES]
    rows = [
        [title(name), *map(loss, one.rates), f"{one.rate:g}", loss(one.streaming), loss(one.learning)]
        for name, one in found.items()
    ]
    return table(
        ["", *tried, "chosen", "val_loss_streaming", "val_loss_learning"], rows, range(1, len(tried) + 4)
    )
