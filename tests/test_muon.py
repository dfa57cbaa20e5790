"""Muon beside torch's, one matrix after another, and shared among processes."""

import copy
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from minrnn.muon import Muon, orthogonal
from minrnn.ranks import Ranks

SHAPES = ((48, 32), (32, 48), (32, 32), (32, 128), (48, 32), (1, 8))


def matrices() -> list[nn.Parameter]:
    torch.manual_seed(0)
    return [nn.Parameter(torch.randn(shape)) for shape in SHAPES]


def with_gradients(weights: list[nn.Parameter], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for weight in weights:
        weight.grad = torch.randn(weight.shape, generator=generator)


def test_it_steps_as_torchs_does_but_for_rounding() -> None:
    ours, theirs = matrices(), matrices()
    mine = Muon(ours, lr=0.01, weight_decay=0.5)
    peer = torch.optim.Muon(theirs, lr=0.01, weight_decay=0.5, adjust_lr_fn="match_rms_adamw")
    for seed in range(5):
        before = copy.deepcopy(ours)
        with_gradients(ours, seed)
        with_gradients(theirs, seed)
        mine.step_together()
        peer.step()
        for one, other, old in zip(ours, theirs, before, strict=True):
            apart, taken = (one - other).detach().norm(), (one - old).detach().norm()
            assert float(apart) < 0.03 * float(taken)
    assert set(mine.state_dict()["state"][0]) == set(peer.state_dict()["state"][0])


def test_it_goes_on_from_what_torchs_has_saved() -> None:
    weights = matrices()
    peer = torch.optim.Muon(weights, lr=0.01, weight_decay=0.5)
    with_gradients(weights, 0)
    peer.step()
    mine = Muon(weights, lr=0.02, weight_decay=0.1)
    mine.load_state_dict(peer.state_dict())
    torch.testing.assert_close(mine.state_dict()["state"], peer.state_dict()["state"])


@pytest.mark.parametrize("shape", [(3, 16, 40), (2, 16, 16), (1, 1, 5)])
def test_singular_values_come_near_one(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    found = orthogonal(torch.randn(shape)).float()
    strengths = torch.linalg.svdvals(found)
    assert float(strengths[:, 0].max()) < 1.3 and float(strengths.median()) > 0.6


def test_no_gradient_is_no_step_and_not_a_number() -> None:
    weights = matrices()
    before = copy.deepcopy(weights)
    for weight in weights[1:]:
        weight.grad = torch.zeros_like(weight)
    Muon(weights, lr=0.01, weight_decay=0).step_together()
    torch.testing.assert_close(weights, before)


class Told(Ranks):
    """One of several processes, played one after another: the others' parts are known from the first round."""

    parts: list[Tensor]

    def hand_round(self, mine: object, shapes: object) -> list[Tensor]:
        made = cast(dict[int, Tensor], mine)
        for place, matrix in made.items():
            self.parts[place] = matrix
        return self.parts


@pytest.mark.parametrize("size", [1, 2, 4])
def test_every_matrix_is_one_processs_work(size: int) -> None:
    alone = matrices()
    with_gradients(alone, 0)
    Muon(alone, lr=0.01, weight_decay=0.1).step_together()
    parts = [torch.zeros(min(shape), max(shape)) for shape in SHAPES]
    for rank in range(size):  # the last one finds all parts
        shared = matrices()
        with_gradients(shared, 0)
        ranks = Told(rank, size)
        object.__setattr__(ranks, "parts", parts)
        Muon(shared, lr=0.01, weight_decay=0.1).step_together(ranks)
    torch.testing.assert_close(shared, alone, rtol=0, atol=1e-4)
