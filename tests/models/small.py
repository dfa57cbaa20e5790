"""Small models for the tests of this folder, and what they are compared by."""

import math
import string
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.models import MIXERS, LanguageModel

VOCAB = string.ascii_lowercase + " .\n"
BLOCK_SIZE = 8

every_mixer = pytest.mark.parametrize("mixer", list(MIXERS))


def build(mixer: str, seed: int = 0, **shape: Any) -> LanguageModel:
    """A small model in evaluation mode whose every weight, norms and biases too, has been moved."""
    torch.manual_seed(seed)
    small: dict[str, Any] = {"vocab": VOCAB, "block_size": BLOCK_SIZE, "n_layer": 2, "n_embd": 16}
    model = LanguageModel(ModelConfig(mixer, **small | shape)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.1 * torch.randn_like(weight)
    return model


def ids(batch: int, time: int, seed: int = 1) -> Tensor:
    return torch.randint(len(VOCAB), (batch, time), generator=torch.Generator().manual_seed(seed))


def leaves(state: Any) -> Iterator[Any]:
    """Everything in a state that is not a tuple."""
    if isinstance(state, tuple):
        for part in state:
            yield from leaves(part)
    else:
        yield state


def assert_same_state(got: Any, wanted: Any) -> None:
    for g, w in zip(leaves(got), leaves(wanted), strict=True):
        torch.testing.assert_close(g, w, rtol=1e-5, atol=1e-5)


def read_in_pieces(model: LanguageModel, idx: Tensor, sizes: list[int]) -> tuple[Tensor, Any]:
    logits, state = [], None
    for piece in idx.split(sizes, dim=1):
        piece_logits, state = model(piece, state)
        logits.append(piece_logits)
    return torch.cat(logits, dim=1), state


def mixer_of(model: LanguageModel, layer: int = 0) -> nn.Module:
    """The mixer of one block."""
    return model.blocks[layer].get_submodule("mixer")


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def g(x: float) -> float:
    return x + 0.5 if x >= 0 else sigmoid(x)


def logits_at(layer: nn.Module, x: Tensor) -> list[float]:
    """What a linear layer makes of one step, spelt out in Python's own numbers."""
    rows = zip(layer.get_parameter("weight").tolist(), layer.get_parameter("bias").tolist(), strict=True)
    return [bias + sum(w * v for w, v in zip(row, x.tolist(), strict=True)) for row, bias in rows]
