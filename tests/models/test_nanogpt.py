"""nanoGPT against a second transformer, written out plainly here with nanoGPT's own parameter names."""

import math
import string
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.errors import ConfigError
from minrnn.models import MIXERS, LanguageModel

VOCAB = string.ascii_lowercase
NAMES = {
    "embedding.": "transformer.wte.",
    "positions.": "transformer.wpe.",
    "blocks.": "transformer.h.",
    ".mlp_norm.": ".ln_2.",
    ".norm.": ".ln_1.",
    ".mixer.query_key_value.": ".attn.c_attn.",
    ".mixer.projection.": ".attn.c_proj.",
    ".mlp.0.": ".mlp.c_fc.",
    ".mlp.2.": ".mlp.c_proj.",
}


def renamed(model: LanguageModel) -> dict[str, Tensor]:
    """The weights under nanoGPT's names."""
    weights = {}
    for name, weight in model.state_dict().items():
        for ours, theirs in NAMES.items():
            name = name.replace(ours, theirs)
        weights["transformer.ln_f." + name.removeprefix("norm.") if name.startswith("norm.") else name] = (
            weight
        )
    return weights


class PlainGPT:
    """Weights in, logits out: one sequence, one loop over positions for the attention, no cache."""

    def __init__(self, weights: dict[str, Tensor], n_layer: int, n_head: int) -> None:
        self.weights, self.n_layer, self.n_head = weights, n_layer, n_head

    def __call__(self, idx: Tensor) -> Tensor:
        """(T,) ids to (T, vocab) logits."""
        table = self.weights["transformer.wte.weight"]
        x = table[idx] + self.weights["transformer.wpe.weight"][: len(idx)]
        for layer in range(self.n_layer):
            block = f"transformer.h.{layer}."
            x = x + self.attention(block + "attn.", self.norm(block + "ln_1", x))
            x = x + self.mlp(block + "mlp.", self.norm(block + "ln_2", x))
        return self.norm("transformer.ln_f", x) @ table.T

    def attention(self, name: str, x: Tensor) -> Tensor:
        width = x.shape[1] // self.n_head
        q, k, v = self.linear(name + "c_attn", x).chunk(3, dim=1)
        y = torch.zeros_like(x)
        for t in range(len(x)):
            for head in range(self.n_head):
                part = slice(head * width, (head + 1) * width)
                scores = k[: t + 1, part] @ q[t, part] / math.sqrt(width)
                y[t, part] = torch.softmax(scores, 0) @ v[: t + 1, part]
        return self.linear(name + "c_proj", y)

    def mlp(self, name: str, x: Tensor) -> Tensor:
        inner = self.linear(name + "c_fc", x)
        return self.linear(name + "c_proj", inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2))))

    def linear(self, name: str, x: Tensor) -> Tensor:
        return x @ self.weights[name + ".weight"].T + self.weights.get(name + ".bias", torch.zeros(()))

    def norm(self, name: str, x: Tensor) -> Tensor:
        centred = x - x.mean(dim=1, keepdim=True)
        scaled = centred / (centred.square().mean(dim=1, keepdim=True) + 1e-5).sqrt()
        return scaled * self.weights[name + ".weight"] + self.weights.get(name + ".bias", torch.zeros(()))


def build(**shape: Any) -> tuple[LanguageModel, PlainGPT]:
    """nanoGPT of two layers and four heads with moved weights, and its second implementation."""
    torch.manual_seed(0)
    small: dict[str, Any] = {"block_size": 12, "n_layer": 2, "n_embd": 16, "conv_kernel": 0, "tie_head": True}
    model = LanguageModel(ModelConfig("nanogpt", VOCAB, **small | shape)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.15 * torch.randn_like(weight)
    return model, PlainGPT(renamed(model), n_layer=2, n_head=4)


def ids(time: int) -> Tensor:
    return torch.randint(len(VOCAB), (time,), generator=torch.Generator().manual_seed(3))


def test_the_weights_carry_nanogpts_names_and_no_others() -> None:
    block = ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")
    layers = [f"transformer.h.{layer}.{part}" for layer in range(2) for part in block]
    modules = [*layers, "transformer.ln_f"]
    expected = {f"{name}.{kind}" for name in modules for kind in ("weight", "bias")}
    assert set(renamed(build()[0])) == expected | {"transformer.wte.weight", "transformer.wpe.weight"}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("time", [1, 2, 11, 12])
def test_the_renamed_weights_give_nanogpts_logits(bias: bool, time: int) -> None:
    model, plain = build(bias=bias)
    idx = ids(time)
    torch.testing.assert_close(model(idx[None])[0][0], plain(idx), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("block_size", [1, 2, 5, 7, 12])
def test_past_the_window_the_context_starts_at_a_fixed_function_of_the_position(block_size: int) -> None:
    model, plain = build(block_size=block_size)
    idx, hop = ids(40), max(1, block_size // 2)
    logits = model(idx[None])[0][0]
    for position in range(block_size, 40):
        start = ((position - block_size) // hop + 1) * hop
        wanted = plain(idx[start : position + 1])[-1]
        torch.testing.assert_close(logits[position], wanted, rtol=1e-5, atol=1e-5)


def test_a_context_always_holds_the_newest_half_of_a_window() -> None:
    model, _ = build(block_size=7)
    idx = ids(30)
    for position in range(7, 30):
        other = idx.clone()
        other[position - 4] = (idx[position - 4] + 1) % len(VOCAB)
        change = model(other[None])[0][0, position] - model(idx[None])[0][0, position]
        assert change.abs().max() > 1e-4


def test_attention_with_dropout_computes_the_same_where_nothing_is_dropped() -> None:
    model, _ = build(dropout=0.001)  # rounds to no mask at all, yet takes the path that can drop
    idx = ids(12)[None]
    evaluated, first_half = model(idx)[0], model(idx[:, :5])
    model.train()
    torch.testing.assert_close(model(idx)[0], evaluated, rtol=1e-5, atol=1e-5)
    rest = model(idx[:, 5:], first_half[1])[0]
    torch.testing.assert_close(rest, evaluated[:, 5:], rtol=1e-5, atol=1e-5)


def test_a_new_model_has_nanogpts_initialisation() -> None:
    torch.manual_seed(0)
    shape = ModelConfig("nanogpt", VOCAB, n_layer=8, n_embd=128, conv_kernel=0, tie_head=True)
    scaled = 0.02 / math.sqrt(16)
    for name, weight in LanguageModel(shape).named_parameters():
        if weight.ndim == 2:
            wanted = scaled if name.endswith(("projection.weight", "mlp.2.weight")) else 0.02
            assert weight.std().item() == pytest.approx(wanted, rel=0.05), name
        else:
            assert torch.equal(weight, torch.full_like(weight, float("norm.weight" in name))), name


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ConfigError, match="n_head 3 does not divide n_embd 16"):
        build(options=MIXERS["nanogpt"].Options(n_head=3))


def test_torchs_own_layers_agree() -> None:
    model, _ = build()
    block = model.blocks[0]
    norm, mixer = block.get_submodule("norm"), block.get_submodule("mixer")
    theirs = nn.MultiheadAttention(16, 4, batch_first=True)
    weights = {
        "in_proj_" + kind: mixer.get_parameter(f"query_key_value.{kind}") for kind in ("weight", "bias")
    }
    weights |= {"out_proj." + kind: mixer.get_parameter(f"projection.{kind}") for kind in ("weight", "bias")}
    theirs.load_state_dict(weights)
    x = norm(torch.randn(2, 9, 16))
    hidden = nn.Transformer.generate_square_subsequent_mask(9)
    wanted = theirs(x, x, x, attn_mask=hidden, is_causal=True)[0]
    torch.testing.assert_close(mixer(x)[0], wanted, rtol=1e-5, atol=1e-5)
