"""What a model remembers of a text that a person typed, as plain data, ready for JSON.

Lists "for each character" have one entry for each character of the text as it was typed, a code point each; null
where the model has read nothing yet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict

import torch
from torch import Tensor

from minrnn.errors import ConfigError
from minrnn.inside import context, features, layers
from minrnn.inside.layers import Layer, Shares
from minrnn.inside.typed import Typed, short, typed
from minrnn.models import CharModel
from minrnn.text import CharVocab

POSITIONS = 32
"""Positions of a reader's text that its context curve is measured at: about a second a model on one core."""
WHOLE = 1_000
"""Shares are sent as thousandths of a whole: finer than a shade shows, and half the bytes of a fraction."""


class Followed(TypedDict):
    """A unit that follows something a reader can name. `values` has its value after each character."""

    feature: str
    layer: int
    unit: int
    correlation: float
    values: list[float | None]


class View(TypedDict):
    """One layer.

    Attributes:
        layer: from 0.
        n_head: its heads of attention; 0 where there is none.
        head: the head that `shares` show; null for the mean of all.
        kind: what shares are: "exact" (the state is a sum that depends on the input alone), "gated" (the sum is exact,
            but its gates have read the state), "attention", or "" where there are none.
        shares: for each character the shares of this one, the one before, and so on, in thousandths, up to 64 back and
            without zeros at the end.
        gates: by name, for each character the mean over the units.
    """

    layer: int
    n_head: int
    head: int | None
    kind: str
    shares: list[list[int]]
    gates: dict[str, list[float | None]]


class Memory(TypedDict):
    """What one model remembers of the text.

    Attributes:
        n_layer: layers; 0 for a model that shows none, such as a committee.
        view: one layer; another one is had by `view`.
        half_lives: for each layer the units' half-lives in characters, in ascending order; null for one that forgets
            nothing. [] for a layer without a recurrence.
        context: pairs of characters seen and loss in nats; [] for a text that is too short.
        units: those that follow a feature, the closest first.
    """

    n_layer: int
    view: View
    half_lives: list[list[float | None]]
    context: list[tuple[int, float]]
    units: list[Followed]


def memory(model: CharModel, text: str, layer: int = 0, head: int | None = None, each: int = 1) -> Memory:
    """What a model remembers of a text.

    Args:
        model: in evaluation mode.
        text: as it was typed.
        layer: the one to view.
        head: whose attention to view; None takes the mean of all.
        each: units for each feature.

    Raises:
        ConfigError: if there is no such layer or head.
    """
    seen, ids, found = _look(model, text)
    return {
        "n_layer": len(found),
        "view": _view(found, seen, layer, head),
        "half_lives": [_half_lives(one) for one in found],
        "context": _context(model, ids),
        "units": _units(found, seen, each),
    }


def view(model: CharModel, text: str, layer: int = 0, head: int | None = None) -> View:
    """Another layer or head, where a page has the rest already.

    Raises:
        ConfigError: if there is no such layer or head.
    """
    seen, _, found = _look(model, text)
    return _view(found, seen, layer, head)


def _look(model: CharModel, text: str) -> tuple[Typed, Tensor, list[Layer | None]]:
    vocab = CharVocab(model.config.vocab)
    seen = typed(text, vocab)
    ids = vocab.encode(seen.folded)
    return seen, ids, layers.layers(model, ids) if len(ids) else []


def _view(found: Sequence[Layer | None], seen: Typed, layer: int, head: int | None) -> View:
    if not 0 <= layer < max(len(found), 1):
        raise ConfigError(f"layer is {layer}; this model shows the layers 0 to {len(found) - 1}.")
    shown = found[layer] if found else None
    heads = shown.attention[0].weights.shape[0] if shown and shown.attention else 0
    if head is not None and not 0 <= head < heads:
        raise ConfigError(f"head is {head}; this layer has {heads} heads of attention, counted from 0.")
    gates = shown.gates if shown else {}
    return {
        "layer": layer,
        "n_head": heads,
        "head": head,
        "kind": _kind(shown),
        "shares": _shares(shown, seen, head),
        "gates": {name: _at_typed(gate.mean(dim=1), seen) for name, gate in gates.items()},
    }


def _kind(shown: Layer | None) -> str:
    if shown is None or not (shown.recurrence or shown.attention):
        return ""
    if shown.recurrence is None:
        return "attention"
    return "exact" if shown.recurrence.input_only else "gated"


def _at_typed(values: Tensor, seen: Typed) -> list[float | None]:
    """(T,) values after each character that was read, as a list for each that was typed."""
    listed = [short(value) for value in values.tolist()]
    return [listed[end - 1] if end else None for end in seen.ends]


def _shares(shown: Layer | None, seen: Typed, head: int | None) -> list[list[int]]:
    found = layers.shares(shown, head=head) if shown else None
    if found is None:
        return []
    return [_visible(row) for row in _of_typed(found, seen).tolist()]


def _of_typed(found: Shares, seen: Typed) -> Tensor:
    """Shares by typed characters: a row for each, by how many typed characters lie between."""
    ends, owners = torch.tensor(seen.ends), torch.tensor(seen.owners)
    back = torch.arange(found.by_lag.shape[1])
    key = ends.unsqueeze(1) - 1 - back
    lag = torch.arange(len(ends)).unsqueeze(1) - owners[key.clamp_min(0)]
    counted = (key >= 0) & (lag < layers.BACK)
    weights = found.by_lag[(ends - 1).clamp_min(0)] * counted
    return torch.zeros(len(ends), layers.BACK).scatter_add_(1, lag * counted, weights)


def _visible(row: list[float]) -> list[int]:
    """A row of shares in thousandths, without the zeros at its end."""
    found = [round(WHOLE * share) for share in row]
    return found[: next((n for n in range(len(found), 0, -1) if found[n - 1]), 0)]


def _half_lives(layer: Layer | None) -> list[float | None]:
    if layer is None or layer.recurrence is None:
        return []
    found = layers.half_lives(layers.log_decay(layer.recurrence).mean(dim=0)).sort().values
    return [short(value) if math.isfinite(value) else None for value in found.tolist()]


def _context(model: CharModel, ids: Tensor) -> list[tuple[int, float]]:
    seen = context.reachable(len(ids))
    if not seen:
        return []
    positions = context.spread(len(ids), max(seen), POSITIONS)
    losses = context.context_losses(model, ids, positions, seen).mean(dim=1)
    return [(n, short(loss)) for n, loss in zip(seen, losses.tolist(), strict=True)]


def _units(found: Sequence[Layer | None], seen: Typed, each: int) -> list[Followed]:
    listed: list[Followed] = []
    for follower in features.followers(found, seen.folded, each):
        shown = found[follower.layer]
        assert shown is not None
        listed.append(
            {
                "feature": follower.feature,
                "layer": follower.layer,
                "unit": follower.unit,
                "correlation": short(follower.correlation),
                "values": _at_typed(shown.units[:, follower.unit], seen),
            }
        )
    return listed
