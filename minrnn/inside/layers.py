"""What the layers of a model show while it reads: units, shares of earlier characters, half-lives, attention.

A recurrence h_t = a_t h_{t-1} + w_t is a sum over all earlier characters, and this is the sum:

    h_t = w_t + a_t w_{t-1} + a_t a_{t-1} w_{t-2} + ... + (a_t ... a_1) h_0

For minGRU and minLSTM, w_s = i_s g(v_s). The LSTM's cell is such a sum, too, and so is the GRU's state, but their
gates have read the state.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from minrnn.inside.surprise import PIECE
from minrnn.models import CharModel, LanguageModel, State
from minrnn.models.mixer import Look, Recurrence
from minrnn.scan import linear_scan

BACK = 64
"""Characters back that shares are listed for; what lies further back is summed."""


@dataclass(frozen=True)
class Attention:
    """The weights of a piece of text, which was read in one window.

    Attributes:
        weights: (n_head, T, S); the keys end with the piece's last character.
        start: position in the text of the piece's first character.
    """

    weights: Tensor
    start: int


@dataclass(frozen=True)
class Layer:
    """What one layer shows of a text of T characters.

    Attributes:
        units: (T, C) the value of every unit after each character.
        recurrence: how they come about, where they are one recurrence over the whole text; B is 1.
        gates: (T, C) each, by name.
        attention: where the layer attends, in pieces.
    """

    units: Tensor
    recurrence: Recurrence | None = None
    gates: Mapping[str, Tensor] = field(default_factory=dict)
    attention: Sequence[Attention] = ()


@dataclass(frozen=True)
class Shares:
    """What earlier characters make up of something, for each of T characters.

    Attributes:
        by_lag: (T, K) the share of the character k before, from 0, the character itself.
        rest: (T,) the share of all that lies further back, the state at the start included. A row of `by_lag` and
            `rest` sum to 1.
    """

    by_lag: Tensor
    rest: Tensor


def layers(model: CharModel, ids: Tensor) -> list[Layer | None]:
    """Everything that a model's layers show of a text; None for a layer that shows nothing, [] for a committee.

    Args:
        model: in evaluation mode.
        ids: (N,) int64, N >= 1.
    """
    found, _ = _look(model, ids, None)
    return found


def _look(model: CharModel, ids: Tensor, state: State) -> tuple[list[Layer | None], State]:
    if not isinstance(model, LanguageModel):
        return [], None
    with torch.inference_mode():
        _, state, pieces = model.look(ids.unsqueeze(0).to(model.device), state)
    return [_joined(looks) for looks in zip(*pieces, strict=True)], state


def _joined(looks: Sequence[Look | None]) -> Layer | None:
    """One layer's pieces as one. A recurrence that was cut into windows is not one over the whole text."""
    shown = [look for look in looks if look is not None]
    if not shown:
        return None
    units = torch.cat([look.units[0] for look in shown])
    gates = {name: torch.cat([look.gates[name][0] for look in shown]) for name in shown[0].gates}
    attention, start = [], 0
    for look in shown:
        if look.attention is not None:
            attention.append(Attention(look.attention[0], start))
        start += look.units.shape[1]
    return Layer(units, shown[0].recurrence if len(shown) == 1 else None, gates, attention)


def shares(layer: Layer, back: int = BACK, head: int | None = None) -> Shares | None:
    """What is left of each earlier character after every character.

    For a recurrence the share of a character is the sum, over the units, of the size of its contribution, divided
    by the same sum over all characters. (In minGRU and minLSTM everything is positive, so it is its share of the
    sum of the state.) For attention it is its weight in a head.

    Args:
        layer: what a layer shows.
        back: characters to list separately, at least 1.
        head: which head of attention; None takes the mean of all.

    Returns:
        The shares; None if the layer has neither a recurrence nor attention.
    """
    if layer.recurrence is not None:
        return _recurrence_shares(layer.recurrence, back)
    if layer.attention:
        return _attention_shares(layer.attention, back, head)
    return None


def _recurrence_shares(recurrence: Recurrence, back: int) -> Shares:
    decay, kept = recurrence.decay[0].abs(), recurrence.write[0].abs()
    total = linear_scan(decay.unsqueeze(0), kept.unsqueeze(0), recurrence.before.abs())[0].sum(dim=1)
    total = total.clamp_min(torch.finfo(total.dtype).tiny)
    by_lag = torch.zeros(len(kept), min(back, len(kept)), device=kept.device)
    by_lag[:, 0] = kept.sum(dim=1)
    for lag in range(1, by_lag.shape[1]):
        kept = kept[:-1] * decay[lag:]
        by_lag[lag:, lag] = kept.sum(dim=1)
    return _with_rest(by_lag / total.unsqueeze(1))


def _attention_shares(pieces: Sequence[Attention], back: int, head: int | None) -> Shares:
    length = pieces[-1].start + pieces[-1].weights.shape[1]
    by_lag = torch.zeros(length, min(back, length))
    for piece in pieces:
        weights = piece.weights.mean(dim=0) if head is None else piece.weights[head]
        time, seen = weights.shape
        key = torch.arange(seen - time, seen).unsqueeze(1) - torch.arange(by_lag.shape[1])
        of_lag = weights.cpu().gather(1, key.clamp_min(0)) * (key >= 0)
        by_lag[piece.start : piece.start + time] = of_lag
    return _with_rest(by_lag)


def _with_rest(by_lag: Tensor) -> Shares:
    return Shares(by_lag.cpu(), (1 - by_lag.sum(dim=1)).clamp_min(0).cpu())


def half_lives(mean_log_decay: Tensor) -> Tensor:
    """After how many characters half of a write is left, for each unit: log 2 / -(mean of log |a|).

    Args:
        mean_log_decay: (C,) mean over a text of the logarithm of the size of the decay.

    Returns:
        (C,) characters; infinite for a unit that forgets nothing.
    """
    return math.log(2) / mean_log_decay.clamp_max(0).abs()


def mean_log_decays(model: CharModel, ids: Tensor) -> list[Tensor | None]:
    """For each layer (C,) the mean of log |a| over a text of any length; None for a layer without a recurrence."""
    sums: list[Tensor | None] = []
    for found in _in_pieces(model, ids):
        logs = [None if x is None or x.recurrence is None else log_decay(x.recurrence) for x in found]
        sums = [
            None if new is None else new.sum(dim=0) + (0 if old is None else old)
            for new, old in zip(logs, sums or [None] * len(logs), strict=True)
        ]
    return [None if total is None else total / len(ids) for total in sums]


def log_decay(recurrence: Recurrence) -> Tensor:
    """(T, C) logarithm of the size of the decay, float64."""
    size = recurrence.decay[0].double().abs()
    return size.clamp_min(torch.finfo(torch.float32).tiny).log()


def _in_pieces(model: CharModel, ids: Tensor) -> Iterator[list[Layer | None]]:
    """What the layers show, a piece of the text at a time, the state carried."""
    state: State = None
    for piece in ids.split(PIECE):
        found, state = _look(model, piece, state)
        yield found
