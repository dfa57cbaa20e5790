"""What every model in the registry promises, whatever its mixer."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from minrnn.config import ModelConfig
from minrnn.errors import ConfigError
from minrnn.models import MODEL_NAMES, LanguageModel, state_bytes
from minrnn.models.lm import CausalConv
from tests.models.small import (
    BLOCK_SIZE,
    VOCAB,
    assert_same_state,
    build,
    every_mixer,
    ids,
    leaves,
    read_in_pieces,
)


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
    model.save(tmp_path / "own")
    for loaded in (LanguageModel.from_pretrained(tmp_path / name) for name in ("mixin", "own")):
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


@pytest.mark.parametrize("locked", [False, True])
def test_blocks_lock_their_dropout_where_the_config_says_so(locked: bool) -> None:
    block = build(MODEL_NAMES[0], dropout=0.5, locked_dropout=locked).blocks[0].train()
    dropped = block.get_submodule("dropout")(torch.ones(2, 9, 16))
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped)) == locked
