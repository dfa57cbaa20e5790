"""The passes over time: every length, few of them, little memory."""

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from minrnn.scan import linear_scan, passes, reference
from tests.scan.scan_cases import draw


@pytest.mark.parametrize("time", range(1, 70))
def test_every_length_gives_the_states_of_the_loop(time: int) -> None:
    a, b, h0 = draw(1, time, 2).tanh(), draw(1, time, 2, seed=1), draw(1, 2, seed=2)
    torch.testing.assert_close(linear_scan(a, b, h0, backend="passes"), reference.linear_scan(a, b, h0))


@pytest.mark.parametrize(("time", "most"), [(1, 0), (2, 1), (64, 12), (1000, 20), (65_536, 32)])
def test_there_are_at_most_two_passes_for_each_doubling(time: int, most: int) -> None:
    assert len(list(passes._passes(time))) <= most


@pytest.mark.parametrize("time", [2, 7, 1000])
def test_the_passes_write_fewer_than_two_rows_a_step(time: int) -> None:
    assert sum(len(into) for into, _, _ in passes._passes(time)) < 2 * time


class Allocations(TorchDispatchMode):
    """Counts the elements of every new tensor as large as `least`."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least, self.elements, self.seen = least, 0, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for x in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(x, Tensor) and x.untyped_storage()._cdata not in self.seen:
                self.seen.add(x.untyped_storage()._cdata)
                self.elements += x.numel() if x.numel() >= self.least else 0
        return out


def test_a_scan_needs_one_copy_of_the_decays_beside_its_output() -> None:
    a, b = torch.rand(2, 64, 8), torch.rand(2, 64, 8)
    with Allocations(a.numel()) as allocations:
        allocations.seen.update(x.untyped_storage()._cdata for x in (a, b))
        linear_scan(a, b, backend="passes")
    assert allocations.elements == 2 * a.numel()
