"""Dropout by bytes: rate, mean, gradient, independence."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from minrnn.models.dropout import Dropout, dropout, locked_dropout, noise_of


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


def test_dropped_positions_are_independent_of_each_other() -> None:
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


def test_dropout_follows_the_seed_and_the_mode() -> None:
    layer, x = Dropout(0.5), torch.randn(3, 5)
    torch.manual_seed(1)
    first = layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert torch.equal(layer.eval()(x), x) and torch.equal(dropout(x, 0.0, training=True), x)


@pytest.mark.parametrize("shape", [(6, 16, 8), (6, 5, 3)])
@pytest.mark.parametrize("drop", [dropout, locked_dropout])
def test_the_shares_of_a_batch_draw_the_whole_batchs_noise(
    shape: tuple[int, int, int], drop: Callable[..., Tensor]
) -> None:
    x = torch.ones(shape)
    torch.manual_seed(0)
    whole = drop(x, 0.4, True)
    shares = []
    for number, share in enumerate(x.chunk(3)):
        torch.manual_seed(0)
        with noise_of(number):
            shares.append(drop(share, 0.4, True))
    assert torch.equal(torch.cat(shares), whole)


def test_a_weight_is_dropped_alike_in_every_share() -> None:
    torch.manual_seed(0)
    first = dropout(torch.ones(9, 9), 0.4, True, batched=False)
    torch.manual_seed(0)
    with noise_of(1):
        assert torch.equal(dropout(torch.ones(9, 9), 0.4, True, batched=False), first)
