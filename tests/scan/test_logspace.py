"""The paper's log-space form against the scan, and what it refuses."""

import pytest
import torch
from torch import Tensor

from minrnn.scan import linear_scan, logspace
from tests.scan.scan_cases import assert_same, draw


@pytest.mark.parametrize("time", [1, 2, 63])
def test_the_log_space_form_gives_the_same_states_and_gradients(time: int) -> None:
    a = draw(3, time, 5, seed=1).detach().sigmoid().requires_grad_()
    b, h0 = (x.detach().exp().requires_grad_() for x in (draw(3, time, 5, seed=2), draw(3, 5, seed=3)))
    assert_same(linear_scan, logspace.linear_scan, [a, b, h0], tolerance=1e-9)
    torch.testing.assert_close(linear_scan(a, b), logspace.linear_scan(a, b))


ONES, START = torch.ones(1, 2, 1), torch.ones(1, 1)


@pytest.mark.parametrize(
    ("a", "b", "h0", "words"),
    [
        (-0.5 * ONES, ONES, START, "a > 0, and a holds -0.5"),
        (0 * ONES, ONES, START, "a > 0, and a holds 0"),
        (ONES, -2 * ONES, START, "b > 0, and b holds -2"),
        (ONES, ONES, -START, "h0 >= 0, and h0 holds -1"),
        (ONES * torch.nan, ONES, None, "a > 0, and a holds nan"),
    ],
)
def test_numbers_without_a_logarithm_are_refused(a: Tensor, b: Tensor, h0: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=f"{words}; use minrnn.scan.linear_scan"):
        logspace.linear_scan(a, b, h0)


def test_a_state_of_zero_is_a_state() -> None:
    a = torch.full((1, 3, 1), 0.5)
    torch.testing.assert_close(logspace.linear_scan(a, a, torch.zeros(1, 1)), linear_scan(a, a))
