"""Surprise, against the losses of `evaluate` and calculations spelt out."""

import math

import pytest
import torch

from minrnn.evaluate import character_losses
from minrnn.inside.surprise import PIECE, surprise
from minrnn.models import Committee
from tests.models.small import BLOCK_SIZE, VOCAB, build, every_mixer, ids


@every_mixer
@pytest.mark.parametrize("length", [2, BLOCK_SIZE + 1, 5 * BLOCK_SIZE + 3, PIECE + 5])
def test_surprise_is_the_loss_in_bits(mixer: str, length: int) -> None:
    model, text = build(mixer), ids(1, length)[0]
    wanted = character_losses(model, text) / math.log(2)
    torch.testing.assert_close(surprise(model, text).bits, wanted, rtol=1e-5, atol=1e-5)


@every_mixer
def test_probability_rank_and_likeliest_are_those_of_the_logits(mixer: str) -> None:
    model, text = build(mixer), ids(1, 3 * BLOCK_SIZE)[0]
    found = surprise(model, text, top=len(VOCAB))
    with torch.no_grad():
        probabilities = model(text[None, :-1])[0][0].softmax(dim=-1)
    for at, (row, true) in enumerate(zip(probabilities, text[1:], strict=True)):
        order = row.argsort(descending=True)
        assert order[found.rank[at] - 1] == true
        assert found.probability[at].item() == pytest.approx(row[true].item(), rel=1e-4)
        torch.testing.assert_close(found.likeliest_probability[at], row[order], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(row[found.likeliest[at]], row[order], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("length", [0, 1])
def test_a_text_that_has_nothing_to_predict_has_no_surprise(length: int) -> None:
    found = surprise(build("mingru"), ids(1, 5)[0][:length])
    assert len(found.bits) == len(found.rank) == len(found.likeliest) == 0


@every_mixer
def test_who_learns_is_less_surprised_by_what_comes_again(mixer: str) -> None:
    model, text = build(mixer), ids(1, 40)[0].repeat(20)
    plain, learning = surprise(model, text), surprise(model, text, learn=0.1)
    torch.testing.assert_close(learning.bits[:64], plain.bits[:64], rtol=1e-4, atol=1e-4)
    assert learning.bits[-200:].mean() < plain.bits[-200:].mean() - 0.1
    assert torch.equal(surprise(model, text).bits, plain.bits)


def test_a_committee_is_surprised_by_the_mean_of_its_members_probabilities() -> None:
    members, text = [build("mingru"), build("lstm", seed=1)], ids(1, 30)[0]
    each = torch.stack([surprise(member, text).probability for member in members])
    found = surprise(Committee(members), text)
    torch.testing.assert_close(found.probability, each.mean(dim=0), rtol=1e-4, atol=1e-6)
