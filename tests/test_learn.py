"""Learning while reading: what is scored before it is learnt, and what stays as it was."""

import copy

import pytest
import torch
from torch import Tensor

from minrnn.evaluate import character_losses
from minrnn.learn import SEGMENT, Learning, learning_loss, learnt, read_and_learn
from minrnn.models import CharModel
from tests.models.small import build, every_mixer, ids

RATE = 0.1


def losses(model: CharModel, text: Tensor, rate: float = RATE) -> Tensor:
    pupil = copy.deepcopy(model).requires_grad_(True)
    return torch.cat([segment.losses for segment in read_and_learn(pupil, text, rate)])


@every_mixer
def test_nothing_is_learnt_before_it_is_scored(mixer: str) -> None:
    model, text = build(mixer), ids(1, 4 * SEGMENT)[0]
    for change in (SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 30):
        other = text.clone()
        other[change:] = (other[change:] + 1) % len(model.config.vocab)
        before, after = losses(model, text), losses(model, other)
        assert torch.equal(before[: change - 1], after[: change - 1])
        assert not torch.equal(before[change - 1 :], after[change - 1 :])


@every_mixer
def test_a_rate_of_zero_only_reads(mixer: str) -> None:
    model, text = build(mixer), ids(1, 3 * SEGMENT)[0]
    torch.testing.assert_close(losses(model, text, 0.0), character_losses(model, text), rtol=1e-5, atol=1e-5)


@every_mixer
def test_what_is_read_again_and_again_is_learnt(mixer: str) -> None:
    model, text = build(mixer), ids(1, SEGMENT)[0].repeat(20)
    assert losses(model, text)[-SEGMENT:].mean() < losses(model, text, 0.0)[-SEGMENT:].mean() - 0.1


@every_mixer
def test_a_copy_learns_and_the_model_stays_as_it_is(mixer: str) -> None:
    model, text = build(mixer), ids(1, 3 * SEGMENT)[0]
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    pupil = learnt(model, text, Learning(1, RATE))
    learning_loss(model, text, RATE)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert any(not torch.equal(weight, before[name]) for name, weight in pupil.state_dict().items())
    assert not any(p.requires_grad for p in pupil.parameters())


def test_the_learning_loss_is_the_mean_over_every_character_but_the_first() -> None:
    model, text = build("mingru"), ids(1, 3 * SEGMENT + 5)[0]
    found = losses(model, text)
    assert len(found) == len(text) - 1
    assert learning_loss(model, text, RATE) == pytest.approx(found.double().mean().item())


def test_learning_drops_nothing() -> None:
    model, text = build("lstm", dropout=0.5), ids(1, 2 * SEGMENT)[0]
    assert learning_loss(model.train(), text, RATE) == learning_loss(model, text, RATE)
    assert model.training


def test_a_step_is_plain_descent_with_a_clipped_gradient() -> None:
    model, text = build("mingru"), ids(1, SEGMENT + 1)[0]
    wanted = copy.deepcopy(model).requires_grad_(True)
    logits, _ = wanted(text[None, :-1])
    torch.nn.functional.cross_entropy(logits[0], text[1:]).backward()
    norm = torch.nn.utils.clip_grad_norm_(wanted.parameters(), 1.0)
    pupil = learnt(model, text, Learning(1, RATE))
    assert norm > 0
    for got, weight in zip(pupil.parameters(), wanted.parameters(), strict=True):
        assert weight.grad is not None
        torch.testing.assert_close(got, weight.detach() - RATE * weight.grad, rtol=1e-4, atol=1e-6)
