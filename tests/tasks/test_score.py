import pytest
import torch
import torch.nn.functional as F

from minrnn.tasks import NOT_ASKED, accuracy, chance
from minrnn.tasks.parity import Parity


def test_accuracy_counts_the_asked_places_only() -> None:
    logits = F.one_hot(torch.tensor([[0, 1, 2, 0]]), 3).float()
    targets = torch.tensor([[0, 2, NOT_ASKED, NOT_ASKED]])
    assert accuracy(logits, targets) == 0.5


def test_accuracy_of_the_right_answers_is_one() -> None:
    _, targets = Parity().batch(torch.Generator().manual_seed(0), 4, 32)
    assert accuracy(F.one_hot(targets, 2).float(), targets) == 1.0


def test_accuracy_refuses_targets_that_ask_nothing() -> None:
    with pytest.raises(ValueError, match="ask nothing"):
        accuracy(torch.zeros(1, 2, 3), torch.full((1, 2), NOT_ASKED))


def test_chance_is_what_one_constant_answer_reaches() -> None:
    _, targets = Parity().batch(torch.Generator().manual_seed(3), 256, 8)
    ones = targets.float().mean().item()
    assert chance(Parity(), T=8, seed=3) == pytest.approx(max(ones, 1 - ones))
