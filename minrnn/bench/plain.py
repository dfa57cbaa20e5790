"""What training is compared with: nanoGPT by its own operations, and a language model of the package minGRU-pytorch.

Both are trained by torch's fused AdamW with the batch, dropout and clipping of ours.

Source: Karpathy, nanoGPT, model.py; https://pypi.org/project/minGRU-pytorch, version 0.2.1.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.presets import Preset

PEER = "minGRU_pytorch"


class _Attention(nn.Module):
    def __init__(self, shape: ModelConfig) -> None:
        super().__init__()
        self.heads, self.p = 4, shape.dropout
        self.query_key_value = nn.Linear(shape.n_embd, 3 * shape.n_embd, bias=shape.bias)
        self.projection = nn.Linear(shape.n_embd, shape.n_embd, bias=shape.bias)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.query_key_value(x).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        y = F.scaled_dot_product_attention(query, key, value, dropout_p=self.p, is_causal=True)
        out: Tensor = self.projection(y.transpose(1, 2).flatten(2))
        return out


def _mlp(width: int, ratio: float, bias: bool) -> nn.Sequential:
    hidden = round(width * ratio)
    return nn.Sequential(nn.Linear(width, hidden, bias), nn.GELU(), nn.Linear(hidden, width, bias))


class _Skeleton(nn.Module):
    """norm -> part -> dropout -> add, for each part; the head shares the embedding's weights if tied."""

    def __init__(
        self, parts: list[nn.Module], norms: list[nn.Module], shape: ModelConfig, vocab: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab, shape.n_embd)
        self.parts, self.norms = nn.ModuleList(parts), nn.ModuleList(norms)
        self.dropout = nn.Dropout(shape.dropout)
        self.head = nn.Linear(shape.n_embd, vocab, bias=False)

    def forward(self, idx: Tensor) -> Tensor:
        x = self._embedded(idx)
        for part, norm in zip(self.parts, self.norms, strict=False):
            x = x + self.dropout(part(norm(x)))
        out: Tensor = self.head(self.norms[-1](x))
        return out

    def _embedded(self, idx: Tensor) -> Tensor:
        out: Tensor = self.embedding(idx)
        return out


class GPT(_Skeleton):
    """nanoGPT: learned positions, LayerNorm, fused attention, torch's dropout, a tied head."""

    def __init__(self, shape: ModelConfig, vocab: int) -> None:
        parts: list[nn.Module] = [
            part
            for _ in range(shape.n_layer)
            for part in (_Attention(shape), _mlp(shape.n_embd, shape.mlp_ratio, shape.bias))
        ]
        norms: list[nn.Module] = [nn.LayerNorm(shape.n_embd, bias=shape.bias) for _ in range(len(parts) + 1)]
        super().__init__(parts, norms, shape, vocab)
        self.positions = nn.Embedding(shape.block_size, shape.n_embd)
        self.head.weight = self.embedding.weight

    def _embedded(self, idx: Tensor) -> Tensor:
        x = self.embedding(idx) + self.positions(torch.arange(idx.shape[1]))
        out: Tensor = self.dropout(x)
        return out


class _Conv(nn.Module):
    """A depthwise convolution of three taps and a pointwise one, as the package's author puts before the layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise, self.pointwise = nn.Conv1d(width, width, 3, groups=width), nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.pointwise(self.depthwise(F.pad(x.transpose(1, 2), (2, 0))))
        return out.transpose(1, 2)


class PeerLM(_Skeleton):
    """The package's minGRU, with an expansion of 1.5 and MLPs of 4: 2.5 M weights where ours has 2.3 M."""

    def __init__(self, shape: ModelConfig, vocab: int) -> None:
        layer: Any = importlib.import_module(f"{PEER}.minGRU").minGRU
        width = shape.n_embd
        kinds: tuple[Callable[[], nn.Module], ...] = (
            lambda: _Conv(width),
            lambda: layer(width, 1.5),
            lambda: _mlp(width, 4, True),
        )
        parts = [kind() for _ in range(shape.n_layer) for kind in kinds]
        norms: list[nn.Module] = [nn.RMSNorm(width) for _ in range(len(parts) + 1)]
        super().__init__(parts, norms, shape, vocab)


def has_peer() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec(PEER) is not None


def updates(model: nn.Module, preset: Preset, vocab: int, dtype: torch.dtype) -> Callable[[], None]:
    """Updates of a model on random characters, by AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    size = (preset.train.batch_size, preset.model.block_size + 1)

    def update() -> None:
        ids = torch.randint(vocab, size)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            logits = model(ids[:, :-1])
        F.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return update
