"""What every model in the registry promises, and what each recurrence computes."""

import dataclasses
import math
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minrnn.config import MixerOptions, ModelConfig
from minrnn.errors import ConfigError
from minrnn.models import MIXERS, MODEL_NAMES, LanguageModel, mixer_class, pretrained, state_bytes
from minrnn.models.dropout import Dropout, dropout, locked_dropout
from minrnn.models.lm import CausalConv

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


def test_the_four_that_are_compared_are_registered() -> None:
    assert set(MODEL_NAMES) <= set(MIXERS)
    assert all(MIXERS[name].title for name in MIXERS)


def test_an_unknown_mixer_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'gru4' is not known; choose one of: .*mingru"):
        mixer_class("gru4")


@every_mixer
def test_options_of_another_mixer_are_refused(mixer: str) -> None:
    @dataclasses.dataclass(frozen=True)
    class Foreign(MixerOptions):
        pass

    with pytest.raises(ConfigError, match=f"options of {mixer} must be"):
        build(mixer, options=Foreign())


@every_mixer
def test_a_model_without_vocabulary_is_refused(mixer: str) -> None:
    with pytest.raises(ConfigError, match="vocabulary is empty"):
        build(mixer, vocab="")


@every_mixer
@pytest.mark.parametrize("shape", [(3,), (1, 0), (1, 2, 3)])
def test_ids_of_a_wrong_shape_are_refused(mixer: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(B, T\) with T >= 1"):
        build(mixer)(torch.zeros(shape, dtype=torch.long))


@every_mixer
@pytest.mark.parametrize("at", [0, 5, BLOCK_SIZE, 17])
def test_no_logit_depends_on_a_later_character(mixer: str, at: int) -> None:
    model, idx = build(mixer), ids(2, 20)
    other = idx.clone()
    other[:, at:] = (idx[:, at:] + 1) % len(VOCAB)
    before, after = model(idx)[0], model(other)[0]
    torch.testing.assert_close(before[:, :at], after[:, :at], rtol=1e-6, atol=1e-6)
    assert not torch.allclose(before[:, at], after[:, at], atol=1e-3)


@every_mixer
def test_every_earlier_character_of_the_window_matters(mixer: str) -> None:
    model, idx = build(mixer), ids(1, BLOCK_SIZE)
    last = model(idx)[0][:, -1]
    for at in range(BLOCK_SIZE):
        other = idx.clone()
        other[:, at] = (idx[:, at] + 1) % len(VOCAB)
        assert (model(other)[0][:, -1] - last).abs().max() > 1e-6


@every_mixer
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("conv_kernel", [0, 1, 4])
@pytest.mark.parametrize("sizes", [[1] * 30, [1, 2, 27], [29, 1], [7, 1, 9, 13], [2, 2, 1, 3, 8, 14]])
def test_text_in_pieces_gives_the_same_logits_and_state(
    mixer: str, batch: int, conv_kernel: int, sizes: list[int]
) -> None:
    model, idx = build(mixer, conv_kernel=conv_kernel), ids(batch, 30)
    whole, wanted = model(idx)
    logits, state = read_in_pieces(model, idx, sizes)
    torch.testing.assert_close(logits, whole, rtol=1e-5, atol=1e-5)
    assert_same_state(state, wanted)


@every_mixer
@pytest.mark.parametrize("block_size", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("sizes", [[1] * 23, [4, 1, 11, 7]])
def test_pieces_agree_at_odd_block_sizes(mixer: str, block_size: int, sizes: list[int]) -> None:
    model, idx = build(mixer, block_size=block_size), ids(2, 23)
    whole, wanted = model(idx)
    logits, state = read_in_pieces(model, idx, sizes)
    torch.testing.assert_close(logits, whole, rtol=1e-5, atol=1e-5)
    assert_same_state(state, wanted)


@every_mixer
def test_pieces_agree_in_plain_blocks(mixer: str) -> None:
    model, idx = build(mixer, block="plain"), ids(3, 30)
    logits, state = read_in_pieces(model, idx, [1, 9, 1, 19])
    torch.testing.assert_close(logits, model(idx)[0], rtol=1e-5, atol=1e-5)
    assert_same_state(state, model(idx)[1])


@every_mixer
def test_the_streams_of_a_batch_do_not_touch(mixer: str) -> None:
    model, idx = build(mixer), ids(3, 20)
    together = model(idx)[0]
    for row in range(3):
        torch.testing.assert_close(
            together[row : row + 1], model(idx[row : row + 1])[0], rtol=1e-5, atol=1e-5
        )


@every_mixer
def test_a_model_keeps_no_state_and_changes_none_that_it_is_given(mixer: str) -> None:
    model, idx = build(mixer), ids(1, 20)
    first, state = model(idx)
    kept = [leaf.clone() if isinstance(leaf, Tensor) else leaf for leaf in leaves(state)]
    model(idx[:, :7], state)
    assert_same_state(tuple(kept), tuple(leaves(state)))
    torch.testing.assert_close(model(idx)[0], first, rtol=0, atol=0)


@every_mixer
def test_the_size_of_a_state_is_that_of_its_tensors(mixer: str) -> None:
    _, state = build(mixer)(ids(3, 20))
    tensors = [leaf for leaf in leaves(state) if isinstance(leaf, Tensor)]
    assert state_bytes(state) == sum(t.numel() * t.element_size() for t in tensors) > 0


@every_mixer
def test_a_state_does_not_grow_for_ever(mixer: str) -> None:
    model = build(mixer)
    sizes = {state_bytes(model(ids(1, time))[1]) for time in range(BLOCK_SIZE + 1, 4 * BLOCK_SIZE)}
    assert max(sizes) <= 2 * state_bytes(model(ids(1, BLOCK_SIZE))[1])


@every_mixer
@pytest.mark.parametrize(
    "shape", [{}, {"block": "plain"}, {"conv_kernel": 0, "tie_head": True, "bias": False, "mlp_ratio": 0.0}]
)
def test_a_checkpoint_round_trip_changes_nothing(mixer: str, shape: dict[str, Any], tmp_path: Path) -> None:
    model = build(mixer, **shape)
    model.save_pretrained(tmp_path / "mixin")
    pretrained.write(model, tmp_path / "own")
    for loaded in (LanguageModel.from_pretrained(tmp_path / "mixin"), pretrained.read(str(tmp_path / "own"))):
        assert loaded.config == model.config and not loaded.training
        for name, weight in model.state_dict().items():
            assert torch.equal(loaded.state_dict()[name], weight), name
        torch.testing.assert_close(loaded(ids(1, 20))[0], model(ids(1, 20))[0], rtol=0, atol=0)


@every_mixer
def test_one_batch_can_be_memorised(mixer: str) -> None:
    torch.manual_seed(0)
    model = LanguageModel(ModelConfig(mixer, VOCAB, block_size=16, n_layer=2, n_embd=32))
    text = ids(4, 17)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(120):
        loss = F.cross_entropy(model(text[:, :-1])[0].flatten(0, 1), text[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1, f"after 120 iters the loss is still {loss:.3f}"


@every_mixer
@pytest.mark.parametrize("block", ["residual", "plain"])
def test_gradients_are_finite_under_bfloat16_autocast(mixer: str, block: str) -> None:
    model, text = build(mixer, block=block, dropout=0.2).train(), ids(2, BLOCK_SIZE + 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, state = model(text[:, :-1])
        logits, _ = model(text[:, :-1], state)
    F.cross_entropy(logits.float().flatten(0, 1), text[:, 1:].flatten()).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and weight.grad.dtype == torch.float32, name
        assert weight.grad.isfinite().all(), name


@every_mixer
def test_the_parameter_counts_add_up(mixer: str) -> None:
    for shape in ({}, {"tie_head": True, "conv_kernel": 0}, {"block": "plain"}):
        model = build(mixer, **shape)
        assert (
            sum(model.param_counts().values()) == model.n_params == sum(p.numel() for p in model.parameters())
        )
    assert model.param_counts()["mlp"] == 0


@every_mixer
@pytest.mark.parametrize("tie_head", [False, True])
def test_a_grown_vocabulary_keeps_the_logits_of_the_old_characters(mixer: str, tie_head: bool) -> None:
    model, idx = build(mixer, tie_head=tie_head), ids(2, 20)
    grown = model.with_vocab(VOCAB + "éß").eval()
    logits = grown(idx)[0]
    torch.testing.assert_close(logits[..., : len(VOCAB)], model(idx)[0], rtol=1e-5, atol=1e-5)
    assert logits.shape[-1] == len(VOCAB) + 2 == len(grown.config.vocab)
    assert grown(torch.full((1, 3), len(VOCAB) + 1))[0].isfinite().all()


@every_mixer
def test_a_vocabulary_cannot_lose_or_move_characters(mixer: str) -> None:
    with pytest.raises(ConfigError, match="can only grow"):
        build(mixer).with_vocab(VOCAB[1:] + "é")


@every_mixer
def test_a_plain_block_is_its_mixer_and_nothing_else(mixer: str) -> None:
    model, idx = build(mixer, block="plain", conv_kernel=0), ids(2, BLOCK_SIZE)
    parts = {name.split(".")[2] for name, _ in model.named_parameters() if name.startswith("blocks")}
    assert parts == {"mixer"}
    x = model.embedding(idx)
    if model.positions is not None:
        x = x + model.positions(torch.arange(BLOCK_SIZE))
    for block in model.blocks:
        x = block.get_submodule("mixer")(x)[0]
    assert model.head is not None
    torch.testing.assert_close(model(idx)[0], model.head(x), rtol=1e-5, atol=1e-5)


@every_mixer
@pytest.mark.parametrize("where", ["dropout", "embedding_dropout"])
def test_dropout_acts_while_training_only(mixer: str, where: str) -> None:
    model, idx = build(mixer, **{where: 0.5}), ids(2, 20)
    assert torch.equal(model(idx)[0], model(idx)[0])
    model.train()
    assert not torch.allclose(model(idx)[0], model(idx)[0], atol=1e-3)


def test_the_convolution_is_a_causal_sum_over_each_channel() -> None:
    torch.manual_seed(0)
    layer, x = CausalConv(3, 4), torch.randn(2, 9, 3)
    weight, bias = layer.conv.weight[:, 0], layer.conv.bias
    assert bias is not None
    y = layer(x)[0]
    for t in range(9):
        wanted = bias + sum(weight[:, 3 - back] * x[:, t - back] for back in range(min(4, t + 1)))
        torch.testing.assert_close(y[:, t], wanted, rtol=1e-5, atol=1e-5)


def test_lstm_gives_the_numbers_of_torch_with_the_same_weights() -> None:
    model, idx = build("lstm", block="plain", conv_kernel=0, n_layer=3), ids(3, 30)
    theirs = nn.LSTM(16, 16, num_layers=3, batch_first=True)
    weights = {
        f"{name[:-1]}{layer}": weight for layer in range(3) for name, weight in lstm_weights(model, layer)
    }
    theirs.load_state_dict(weights)
    hidden, (h, c) = theirs(model.embedding(idx))
    logits, state = model(idx)
    assert model.head is not None
    torch.testing.assert_close(logits, model.head(hidden), rtol=1e-5, atol=1e-5)
    for layer, (_, (h_own, c_own)) in enumerate(state):
        torch.testing.assert_close((h_own, c_own), (h[layer], c[layer]), rtol=1e-5, atol=1e-5)


def lstm_weights(model: LanguageModel, layer: int) -> list[tuple[str, Tensor]]:
    return list(model.blocks[layer].get_submodule("mixer.lstm").state_dict().items())


def test_lstm_computes_the_textbook_equations() -> None:
    mixer = build("lstm").blocks[0].get_submodule("mixer")
    w = {name: p.detach() for name, p in mixer.named_parameters()}
    x, h, c = torch.randn(2, 9, 16), torch.zeros(2, 16), torch.zeros(2, 16)
    y, state = mixer(x)
    for t in range(9):
        inner = x[:, t] @ w["lstm.weight_ih_l0"].T + h @ w["lstm.weight_hh_l0"].T
        i, f, g, o = (inner + w["lstm.bias_ih_l0"] + w["lstm.bias_hh_l0"]).split(16, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        torch.testing.assert_close(y[:, t], h, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state, (h, c), rtol=1e-5, atol=1e-5)


def test_a_new_lstm_opens_its_forget_gate() -> None:
    model = LanguageModel(ModelConfig("lstm", VOCAB, n_layer=2, n_embd=16))
    for layer in range(2):
        weights = dict(lstm_weights(model, layer))
        forget = (weights["bias_ih_l0"] + weights["bias_hh_l0"])[16:32]
        torch.testing.assert_close(forget, torch.ones(16))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def g(x: float) -> float:
    return x + 0.5 if x >= 0 else sigmoid(x)


def logits_at(layer: nn.Module, x: Tensor) -> list[float]:
    """What a linear layer makes of one step, spelt out in Python's own numbers."""
    rows = zip(layer.get_parameter("weight").tolist(), layer.get_parameter("bias").tolist(), strict=True)
    return [bias + sum(w * v for w, v in zip(row, x.tolist(), strict=True)) for row, bias in rows]


def test_mingru_computes_the_papers_equations() -> None:
    mixer = build("mingru", options=MIXERS["mingru"].Options(expansion=2.0)).blocks[0].get_submodule("mixer")
    x, h = torch.randn(1, 9, 16), [0.0] * 32
    y, state = mixer(x)
    for t in range(9):
        both = logits_at(mixer.get_submodule("gate_and_candidate"), x[0, t])
        gates = zip(both[:32], both[32:], h, strict=True)
        h = [(1 - sigmoid(k)) * past + sigmoid(k) * g(v) for k, v, past in gates]
        wanted = logits_at(mixer.get_submodule("projection"), torch.tensor(h))
        torch.testing.assert_close(y[0, t], torch.tensor(wanted), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state[0], torch.tensor(h), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("normalised", [True, False])
def test_minlstm_computes_the_papers_equations(normalised: bool) -> None:
    options = MIXERS["minlstm"].Options(expansion=1.5, normalised=normalised)
    mixer = build("minlstm", options=options).blocks[0].get_submodule("mixer")
    x, h = torch.randn(1, 9, 16), [0.0] * 24
    y, _ = mixer(x)
    for t in range(9):
        three = logits_at(mixer.get_submodule("gates_and_candidate"), x[0, t])
        f, i = [sigmoid(v) for v in three[:24]], [sigmoid(v) for v in three[24:48]]
        total = [a + b if normalised else 1.0 for a, b in zip(f, i, strict=True)]
        steps = zip(f, i, total, three[48:], h, strict=True)
        h = [a / both * past + b / both * g(v) for a, b, both, v, past in steps]
        wanted = logits_at(mixer.get_submodule("projection"), torch.tensor(h))
        torch.testing.assert_close(y[0, t], torch.tensor(wanted), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mixer", ["mingru", "minlstm"])
def test_a_plain_block_refuses_an_expansion(mixer: str) -> None:
    with pytest.raises(ConfigError, match="expansion must be 1, not 2"):
        build(mixer, block="plain", options=MIXERS[mixer].Options(expansion=2.0))


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5, 0.95])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_drops_at_its_rate_and_keeps_the_mean(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x = torch.ones(1000, 401, dtype=dtype)
    y = dropout(x, p, training=True)
    rate = round(p * 256) / 256
    assert y.dtype == dtype and abs((y == 0).float().mean() - rate) < 0.003
    assert abs(y.float().mean() - 1) < 0.02
    torch.testing.assert_close(y[y != 0].float().unique(), torch.tensor([1 / (1 - rate)]), rtol=4e-3, atol=0)


def test_dropout_zeroes_the_gradient_of_what_it_dropped() -> None:
    x = torch.randn(64, 33, requires_grad=True)
    y = dropout(x, 0.25, training=True)
    y.sum().backward()
    torch.testing.assert_close(x.grad, (y != 0) / 0.75)


def test_dropped_places_are_independent_of_each_other() -> None:
    torch.manual_seed(0)
    kept = (dropout(torch.ones(4096, 64), 0.5, training=True) != 0).float()
    spread = torch.corrcoef(kept.T).fill_diagonal_(0).abs().max()
    assert spread < 0.1, f"two columns of the mask have a correlation of {spread:.3f}"


def test_locked_dropout_drops_whole_channels_at_its_rate_and_keeps_the_mean() -> None:
    x = torch.ones(64, 7, 512, requires_grad=True)
    y = locked_dropout(x, 0.25, training=True)
    assert torch.equal(y, y[:, :1].expand_as(y))
    assert (y[:, 0] == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert y.mean().item() == pytest.approx(1, abs=0.02)
    y.sum().backward()
    assert x.grad is not None and torch.equal(x.grad, y.detach())


@pytest.mark.parametrize("locked", [False, True])
def test_blocks_lock_their_dropout_where_the_config_says_so(locked: bool) -> None:
    block = build("mingru", dropout=0.5, locked_dropout=locked).blocks[0].train()
    dropped = block.get_submodule("dropout")(torch.ones(2, 9, 16))
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped)) == locked


def test_dropout_follows_the_seed_and_the_mode() -> None:
    layer, x = Dropout(0.5), torch.randn(3, 5)
    torch.manual_seed(1)
    first = layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert torch.equal(layer.eval()(x), x) and torch.equal(dropout(x, 0.0, training=True), x)
