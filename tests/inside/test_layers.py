"""Shares, half-lives and attention, each against a calculation spelt out."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from minrnn.inside.layers import (
    BACK,
    Attention,
    Layer,
    half_lives,
    layers,
    log_decay,
    mean_log_decays,
    shares,
)
from minrnn.inside.surprise import PIECE
from minrnn.models import MIXERS, Committee
from minrnn.models.mixer import Mixer, Recurrence
from tests.models.small import BLOCK_SIZE, build, every_mixer, ids

SIGNED = [name for name, mixer in MIXERS.items() if hasattr(mixer.Options, "decay")]


def shown(mixer: str, text: Tensor, **shape: Any) -> list[Layer]:
    """The layers that show something; the test is skipped where none does."""
    found = [layer for layer in layers(build(mixer, **shape), text) if layer is not None]
    if not found:
        pytest.skip(f"{mixer} shows nothing")
    return found


def contributions(recurrence: Recurrence, at: int) -> torch.Tensor:
    """(at + 2, C): what the state before the text, then each character up to `at`, gives to the state after `at`."""
    decays = recurrence.decay[0, : at + 1].flip(0)
    kept = torch.cat([torch.ones_like(decays[:1]), decays]).cumprod(dim=0).flip(0)
    return torch.cat([recurrence.before, recurrence.write[0, : at + 1]]) * kept


def sums(layer: Layer) -> None:
    """Assert that the contributions to a state are the state."""
    if layer.recurrence is None:
        pytest.skip("no recurrence")
    for at in (0, 1, len(layer.units) // 2, len(layer.units) - 1):
        parts = contributions(layer.recurrence, at)
        assert len(parts) == at + 2
        torch.testing.assert_close(parts.sum(dim=0), layer.units[at], rtol=1e-5, atol=1e-5)


@every_mixer
def test_what_is_left_of_all_earlier_characters_sums_to_the_state(mixer: str) -> None:
    for layer in shown(mixer, ids(1, 70)[0]):
        sums(layer)


@pytest.mark.parametrize("mixer", SIGNED)
def test_it_does_so_with_signed_decays_too(mixer: str) -> None:
    options = MIXERS[mixer].Options(decay="signed")  # type: ignore[call-arg]
    for layer in shown(mixer, ids(1, 70)[0], options=options):
        assert layer.recurrence is not None and layer.recurrence.decay.min() < 0
        sums(layer)


def recurrence(decays: list[float], writes: list[float], before: float = 0.0) -> Recurrence:
    return Recurrence(
        torch.tensor(decays).view(1, -1, 1),
        torch.tensor(writes).view(1, -1, 1),
        torch.tensor([[before]]),
        input_only=True,
    )


def test_contributions_of_a_recurrence_made_by_hand() -> None:
    found = contributions(recurrence([0.5, 0.25, 0.5], [1.0, 2.0, 4.0], before=16.0), 2)
    assert found.flatten().tolist() == [1.0, 0.125, 1.0, 4.0]


def test_shares_of_a_recurrence_made_by_hand() -> None:
    layer = Layer(torch.zeros(3, 1), recurrence([0.5, -0.5, 0.5], [1.0, -2.0, 4.0]))
    found = shares(layer, back=2)
    assert found is not None
    torch.testing.assert_close(found.by_lag, torch.tensor([[1, 0], [0.8, 0.2], [4 / 5.25, 1 / 5.25]]))
    torch.testing.assert_close(found.rest, torch.tensor([0, 0, 0.25 / 5.25]), rtol=1e-4, atol=1e-6)


@every_mixer
def test_shares_are_the_size_of_contributions(mixer: str) -> None:
    for layer in shown(mixer, ids(1, 30)[0]):
        if layer.recurrence is None:
            pytest.skip("no recurrence")
        found = shares(layer, back=BACK)
        sizes = contributions(layer.recurrence, 20).abs().sum(dim=1)
        assert found is not None
        torch.testing.assert_close(
            found.by_lag[20, :21], (sizes[1:] / sizes.sum()).flip(0), rtol=1e-4, atol=1e-6
        )


@every_mixer
def test_the_shares_of_every_character_sum_to_one(mixer: str) -> None:
    for layer in shown(mixer, ids(1, 5 * BLOCK_SIZE)[0]):
        for back in (1, 3, 500):
            if (found := shares(layer, back)) is not None:
                total = found.by_lag.sum(dim=1) + found.rest
                torch.testing.assert_close(total, torch.ones(5 * BLOCK_SIZE), rtol=1e-4, atol=1e-4)
                assert found.by_lag.min() >= 0


def test_attention_is_listed_by_how_far_back_it_looks() -> None:
    weights = torch.tensor([[[0.25, 0.75, 0.0], [0.5, 0.2, 0.3]]])  # two queries, three keys, one head
    pieces = [Attention(torch.ones(1, 1, 1), 0), Attention(weights, 1)]
    found = shares(Layer(torch.zeros(3, 1), attention=pieces), back=2, head=0)
    assert found is not None
    torch.testing.assert_close(found.by_lag, torch.tensor([[1, 0], [0.75, 0.25], [0.3, 0.2]]))
    torch.testing.assert_close(found.rest, torch.tensor([0, 0, 0.5]))


def test_a_head_is_one_of_those_whose_mean_is_shown() -> None:
    (layer, _) = shown("nanogpt", ids(1, BLOCK_SIZE)[0])
    heads = [shares(layer, head=head) for head in range(4)]
    mean = shares(layer)
    assert mean is not None
    torch.testing.assert_close(
        torch.stack([h.by_lag for h in heads if h is not None]).mean(dim=0), mean.by_lag
    )


def test_half_lives_of_a_recurrence_made_by_hand() -> None:
    decays = torch.tensor([[0.5, 0.25, 1.0, 0.25, -0.5, 0.0], [0.5, 0.25, 1.0, 1.0, 0.5, 0.5]])
    made = Recurrence(decays.unsqueeze(0), torch.zeros(1, 2, 6), torch.zeros(1, 6), input_only=True)
    found = half_lives(log_decay(made).mean(dim=0)).tolist()
    assert found[:5] == pytest.approx([1.0, 0.5, math.inf, 1.0, 1.0])
    assert found[5] < 0.02


@every_mixer
def test_a_long_text_has_the_same_mean_decay_in_pieces(mixer: str) -> None:
    text = ids(1, PIECE + 30)[0]
    found = mean_log_decays(build(mixer), text)
    for layer, mean in zip(layers(build(mixer), text), found, strict=True):
        if layer is None or layer.recurrence is None:
            assert mean is None
        else:
            assert mean is not None
            torch.testing.assert_close(mean, log_decay(layer.recurrence).mean(dim=0), rtol=1e-4, atol=1e-5)


def test_a_mixer_without_the_method_is_borne() -> None:
    silent = next(name for name, mixer in MIXERS.items() if mixer.look is Mixer.look)
    assert layers(build(silent), ids(1, 9)[0]) == [None, None]


def test_a_committee_shows_no_layers() -> None:
    assert layers(Committee([build("mingru"), build("lstm")]), ids(1, 9)[0]) == []
