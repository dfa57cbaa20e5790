"""nanoGPT's transformer: causal self-attention over learned positions.

In the residual block with `conv_kernel=0, tie_head=True` it computes what nanoGPT's model.py computes
(LayerNorm, exact GELU, learned positions, tied head, optional biases), within `block_size`. Past it,
nanoGPT recomputes a cropped window for every character. This one encodes the second half of the window
again every block_size / 2 characters (see `window.py`), so that decoding stays cheap and a text in pieces
still gives the same logits as the whole text.

Source: Karpathy, nanoGPT, model.py; initialisation of the residual projections: Radford et al. 2019.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Interval
from torch import Tensor, nn

from minrnn.config import MixerOptions, ModelConfig
from minrnn.errors import ConfigError
from minrnn.models.dropout import dropout
from minrnn.models.mixer import Look, Mixer, own_options, register
from minrnn.models.step import Array, Linear, Step, linear, scaled_parts, with_1, zeros


@dataclass(frozen=True)
class AttentionOptions(MixerOptions):
    """Choices of nanoGPT.

    Attributes:
        n_head: attention heads; must divide `n_embd`.
    """

    n_head: Annotated[int, Interval(ge=1, le=256)] = 4


@register("nanogpt")
class Attention(Mixer):
    """Causal multi-head self-attention. State: (keys, values), each (B, n_head, t, C / n_head)."""

    Options = AttentionOptions
    title = "nanoGPT"
    family = "attention"
    equation = (
        "y = softmax(q kᵀ / √d, over the characters before) v, in several heads, with learned positions"
    )
    learned_positions = True

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.n_head, self.p = own_options(config, AttentionOptions).n_head, config.dropout
        if config.n_embd % self.n_head:
            raise ConfigError(
                f"n_head {self.n_head} does not divide n_embd {config.n_embd}; choose one that does."
            )
        self.block_size = config.block_size
        self.query_key_value = nn.Linear(config.n_embd, 3 * config.n_embd, config.bias)
        self.projection = nn.Linear(config.n_embd, config.n_embd, config.bias)

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map x (B, T, C) and a cache to y (B, T, C) and the longer cache."""
        query, key, value = self._heads(x, state)
        y = self._attend(query, key, value)
        return self.projection(y.transpose(1, 2).reshape(x.shape)), (key, value)

    def look(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> Look:
        """Show the weights of every head, and as units what the heads read, one head's channels after another's."""
        query, key, value = self._heads(x, state)
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
        hidden = ~_causal_mask(query.shape[2], key.shape[2], query.device)
        weights = scores.masked_fill(hidden, -math.inf).softmax(dim=-1)
        return Look((weights @ value).transpose(1, 2).reshape(x.shape), attention=weights)

    def _heads(self, x: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, n_head, T, D) of x, and keys and values of the cache and x, each (B, n_head, S, D)."""
        batch, time, channels = x.shape
        heads = self.query_key_value(x).view(batch, time, 3, self.n_head, channels // self.n_head)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        if state is not None:
            key, value = torch.cat([state[0], key], dim=2), torch.cat([state[1], value], dim=2)
        return query, key, value

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Softmax attention of (B, n_head, T, D) queries over T or more keys, each query up to its own position."""
        time, seen = query.shape[2], key.shape[2]
        if self.training and query.device.type == "cpu":
            return _attend_spelt_out(query, key, value, self.p)
        p = self.p if self.training else 0.0
        if time == seen:
            return F.scaled_dot_product_attention(query, key, value, dropout_p=p, is_causal=True)
        mask = None if time == 1 else _causal_mask(time, seen, query.device)
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=p)

    def prepare(self, channels: int, centre: bool) -> Callable[[], Step]:
        """See `Mixer.prepare`. The queries are divided by the root of a head's width beforehand."""
        layer, heads = self.query_key_value, self.n_head
        scale = 1 / math.sqrt(layer.in_features // heads)
        query_key_value = scaled_parts(layer.weight, layer.bias, [scale, 1.0, 1.0])
        project = linear(self.projection, centre)
        return lambda: _Step(query_key_value, project, heads, self.block_size, centre)

    @staticmethod
    def initialise(model: nn.Module, options: AttentionOptions) -> None:
        """Weights from N(0, 0.02), biases zero, projections into the residual stream scaled by 1/sqrt(2 n_layer)."""
        layers = sum(isinstance(module, Attention) for module in model.modules())
        scaled = 0.02 / math.sqrt(2 * layers)
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear):
                into_stream = name.endswith(("projection", "mlp.2"))
                nn.init.normal_(module.weight, std=scaled if into_stream else 0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)


def _causal_mask(time: int, seen: int, device: torch.device) -> Tensor:
    """(T, seen) True for the keys that a query may read: up to its own position. The queries come last."""
    return torch.ones(time, seen, dtype=torch.bool, device=device).tril(seen - time)


def _attend_spelt_out(query: Tensor, key: Tensor, value: Tensor, p: float) -> Tensor:
    """Attention for training on the CPU, where torch's fused kernel has no dropout and a slow backward pass."""
    time, seen = query.shape[2], key.shape[2]
    hidden = torch.zeros(time, seen, dtype=query.dtype)
    hidden.masked_fill_(~_causal_mask(time, seen, query.device), -math.inf)
    query = query / math.sqrt(query.shape[-1])
    scores = torch.baddbmm(hidden, query.flatten(0, 1), key.flatten(0, 1).transpose(1, 2))
    with torch.autocast(
        "cpu", enabled=False
    ):  # which would widen the weights; the sum inside is float32 anyway
        weights = scores.softmax(dim=-1)
    return torch.bmm(dropout(weights, p, True), value.flatten(0, 1)).view_as(query)


LEAST, MOST = 1e-18, 1e18
"""Between these sums of exponentials, float32 loses no digits: its range ends at 1e-38 and 3e38."""


class _Step(Step):
    """Attention of one query over the keys so far. The cache has room for a whole window from the start."""

    def __init__(
        self, query_key_value: Linear, project: Linear, heads: int, block_size: int, centred: bool
    ) -> None:
        channels = project.size
        x_and_1, mixed_and_1, parts = with_1(channels), with_1(channels), zeros(3 * channels)
        self.x, self.y = x_and_1[:-1], zeros(channels)
        new = parts.reshape(3, heads, channels // heads)
        self.queries, self.new = new[0][:, :, None], new[1:]
        self.cache = zeros(2, heads, block_size, channels // heads)
        self.keys, self.values = self.cache
        self.scores, self.weights = zeros(heads * block_size), zeros(heads * block_size)
        self.mixed = mixed_and_1[:-1].reshape(heads, 1, channels // heads)
        self.by_head, self.total = self.mixed[:, 0], zeros(heads, 1)
        self.seen, self.heads, self.centred = 0, heads, centred
        self.calls = [query_key_value.of(x_and_1, parts), self._attend, project.of(mixed_and_1, self.y)]

    def _attend(self) -> None:
        """What the query reads, from the parts into `mixed`."""
        heads, seen, total = self.heads, self.seen + 1, self.total
        self.cache[:, :, self.seen] = self.new
        self.seen, self.state_bytes = seen, 2 * seen * self.y.nbytes
        scores, weights = self.scores[: heads * seen], self.weights[: heads * seen].reshape(heads, 1, seen)
        np.matmul(self.keys[:, :seen], self.queries, scores.reshape(heads, seen, 1))
        np.exp(scores, self.weights[: heads * seen])
        np.add.reduce(weights, axis=2, out=total)
        totals = total.ravel().tolist()
        if min(totals) < LEAST or max(totals) > MOST:
            self._far_exponentials(scores.reshape(heads, 1, seen), weights)
        np.matmul(weights, self.values[:, :seen], self.mixed)
        np.divide(self.by_head, total, self.by_head)

    def _far_exponentials(self, scores: Array, weights: Array) -> None:
        """The exponentials and their sums again, of scores whose own would leave float32: less each head's greatest."""
        np.subtract(scores, scores.max(axis=2, keepdims=True), weights)
        np.exp(weights, weights)
        np.add.reduce(weights, axis=2, out=self.total)

    def load(self, state: tuple[Tensor, Tensor] | None) -> None:
        self.seen = 0 if state is None else state[0].shape[2]
        self.state_bytes = 2 * self.seen * self.y.nbytes
        if state is not None:
            self.keys[:, : self.seen], self.values[:, : self.seen] = state[0][0].numpy(), state[1][0].numpy()

    def state(self) -> tuple[Tensor, Tensor]:
        keys, values = (torch.from_numpy(kept[:, : self.seen].copy()) for kept in (self.keys, self.values))
        return keys.unsqueeze(0), values.unsqueeze(0)
