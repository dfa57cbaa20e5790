"""The convolution against torch's own."""

import pytest
import torch

from minrnn.models.conv import causal


@pytest.mark.parametrize(("batch", "time", "kernel"), [(1, 1, 1), (2, 7, 4), (3, 5, 8)])
def test_it_computes_what_torchs_depthwise_convolution_does(batch: int, time: int, kernel: int) -> None:
    torch.manual_seed(0)
    ours, theirs = (
        torch.randn(batch, kernel - 1 + time, 6).requires_grad_(),
        torch.nn.Conv1d(6, 6, kernel, groups=6),
    )
    y = causal(ours, theirs.weight[:, 0].T, theirs.bias)  # type: ignore[arg-type]
    expected = theirs(ours.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(y, expected)
    wanted, leaves = torch.randn_like(y), (ours, theirs.weight, theirs.bias)
    pairs = zip(
        torch.autograd.grad(y, leaves, wanted), torch.autograd.grad(expected, leaves, wanted), strict=True
    )
    for found, other in pairs:
        torch.testing.assert_close(found, other, rtol=1e-4, atol=1e-5)


def test_its_gradients_pass_gradcheck() -> None:
    torch.manual_seed(0)
    leaves = [
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((2, 6, 3), (4, 3), (3,))
    ]
    assert torch.autograd.gradcheck(causal, leaves)
