"""Loss against characters seen."""

import pytest
import torch
import torch.nn.functional as F

from minrnn.evaluate import character_losses
from minrnn.inside.context import context_losses, reachable, spread
from tests.models.small import BLOCK_SIZE, build, every_mixer, ids


@every_mixer
def test_a_character_is_read_after_so_many_others_and_no_more(mixer: str) -> None:
    model, text = build(mixer), ids(1, 60)[0]
    positions, seen = torch.tensor([20, 33, 59]), (1, 3, BLOCK_SIZE, 2 * BLOCK_SIZE)
    found = context_losses(model, text, positions, seen)
    assert found.shape == (4, 3)
    for row, n in zip(found, seen, strict=True):
        for loss, at in zip(row, positions.tolist(), strict=True):
            with torch.no_grad():
                logits = model(text[None, at - n : at])[0][0, -1]
            assert loss.item() == pytest.approx(F.cross_entropy(logits, text[at]).item(), abs=1e-5)


@every_mixer
def test_who_has_seen_everything_has_the_loss_of_reading(mixer: str) -> None:
    model, text = build(mixer), ids(1, BLOCK_SIZE + 1)[0]
    found = context_losses(model, text, torch.tensor([BLOCK_SIZE]), (BLOCK_SIZE,))
    assert found.item() == pytest.approx(character_losses(model, text)[-1].item(), abs=1e-5)


def test_a_position_too_near_the_beginning_is_refused() -> None:
    with pytest.raises(ValueError, match="position 3 has fewer than 4"):
        context_losses(build("mingru"), ids(1, 9)[0], torch.tensor([5, 3]), (4,))


@pytest.mark.parametrize(
    ("length", "longest", "count"), [(100, 10, 7), (12, 10, 7), (10, 10, 7), (300, 256, 44)]
)
def test_positions_are_spread_over_what_can_be_scored(length: int, longest: int, count: int) -> None:
    found = spread(length, longest, count).tolist()
    assert found == sorted(set(found)) and len(found) == min(count, length - longest)
    assert all(longest <= at < length for at in found)


def test_a_short_text_has_a_short_curve() -> None:
    assert reachable(1) == () and reachable(2) == (1,) and reachable(9) == (1, 2, 4)
    assert reachable(10**6)[-1] == 256
