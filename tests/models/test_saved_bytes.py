"""What a layer keeps for the backward pass, in bytes a number of its input: a guard against copies that creep in."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from minrnn import presets
from minrnn.config import ModelConfig
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.scan import mingru_scan, minlstm_scan

MOST_OF_A_LAYER = {"mingru": 19.5, "minlstm": 22.5, "gru": 20.5, "nanogpt": 36.5}
"""Numbers a channel and character that one layer of a base model keeps, in float32, its convolution's input among them;
of torch's own LSTM 27.5."""
MOST_OF_ANOTHER = 30


def saved_bytes(compute: Callable[[], object], weights: Iterable[Tensor] = ()) -> int:
    """Bytes of the distinct tensors that a computation keeps for the backward pass, weights apart."""
    kept: dict[int, torch.UntypedStorage] = {}  # held, so that no address is used twice

    def keep(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage()
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        compute()
    own = {weight.untyped_storage().data_ptr() for weight in weights}
    return sum(storage.nbytes() for place, storage in kept.items() if place not in own)


def test_the_scan_keeps_its_inputs_and_its_output_only() -> None:
    gate, candidate = (torch.randn(2, 64, 8, requires_grad=True) for _ in range(2))
    one = gate.numel() * 4
    assert saved_bytes(lambda: mingru_scan(gate, candidate)) <= 3 * one + 2 * 8 * 4


def test_minlstms_scan_keeps_twice_as_much_at_most() -> None:
    forget, input, candidate = (torch.randn(2, 64, 8, requires_grad=True) for _ in range(3))
    one = forget.numel() * 4
    assert saved_bytes(lambda: minlstm_scan(forget, input, candidate)) <= 7 * one + 2 * 8 * 4


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_layer_of_every_base_model_keeps_no_more_than_it_did(name: str) -> None:
    shape = presets.get("base", name).model
    per_layer = _kept(replace(shape, n_layer=2)) - _kept(replace(shape, n_layer=1))
    assert per_layer <= MOST_OF_A_LAYER.get(name, MOST_OF_ANOTHER) * shape.n_embd * shape.block_size * 4


def _kept(shape: ModelConfig) -> int:
    model = LanguageModel(replace(shape, vocab="ab")).train()
    idx = torch.zeros(1, model.config.block_size, dtype=torch.long)
    return saved_bytes(lambda: model(idx), model.parameters())
