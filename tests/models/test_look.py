"""What mixers show of themselves, compared with what `forward` does."""

from typing import Any

import pytest
import torch
from torch import Tensor

from minrnn.models import MIXERS, LanguageModel
from minrnn.models.mixer import Look, Mixer
from minrnn.models.nanogpt import AttentionOptions
from tests.models.small import BLOCK_SIZE, assert_same_state, build, every_mixer, ids

KINDS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in MIXERS),
    *(
        (name, {"options": mixer.Options(decay="signed")})  # type: ignore[call-arg]
        for name, mixer in MIXERS.items()
        if hasattr(mixer.Options, "decay")
    ),
    ("minlstm", {"options": MIXERS["minlstm"].Options(normalised=False)}),  # type: ignore[call-arg]
    ("minlstm", {"options": MIXERS["minlstm"].Options(normalised=False, decay="signed")}),  # type: ignore[call-arg]
    *((name, {"bias": False}) for name in MIXERS),
]
every_kind = pytest.mark.parametrize(("mixer", "shape"), KINDS, ids=str)


def looked(mixer: str, shape: dict[str, Any]) -> tuple[Mixer, Tensor, Any, Look]:
    """A mixer, its input, a state to start from, and what it shows."""
    layer = build(mixer, **shape).blocks[0].get_submodule("mixer")
    assert isinstance(layer, Mixer)
    before, x = torch.randn(2, 3, 5, 16, generator=torch.Generator().manual_seed(3))
    _, state = layer(before)
    look = layer.look(x, state)
    if look is None:
        pytest.skip(f"{mixer} shows nothing")
    return layer, x, state, look


@every_kind
@torch.no_grad()
def test_a_recurrence_leads_from_unit_to_unit(mixer: str, shape: dict[str, Any]) -> None:
    _, _, _, look = looked(mixer, shape)
    if look.recurrence is None:
        pytest.skip(f"{mixer} is no recurrence")
    decay, write, before = look.recurrence.decay, look.recurrence.write, look.recurrence.before
    earlier = torch.cat([before.unsqueeze(1), look.units[:, :-1]], dim=1)
    torch.testing.assert_close(decay * earlier + write, look.units, rtol=1e-5, atol=1e-5)
    assert decay.abs().max() <= 1


@every_kind
@torch.no_grad()
def test_units_are_the_state_that_forward_carries(mixer: str, shape: dict[str, Any]) -> None:
    layer, x, state, look = looked(mixer, shape)
    if look.recurrence is None:
        pytest.skip(f"{mixer} is no recurrence")
    for time in (1, 2, 5):
        after = layer(x[:, :time], state)[1]
        cell = after[-1] if isinstance(after, tuple) else after
        torch.testing.assert_close(look.units[:, time - 1], cell, rtol=1e-5, atol=1e-5)


@every_kind
@torch.no_grad()
def test_gates_are_open_to_a_share(mixer: str, shape: dict[str, Any]) -> None:
    _, _, _, look = looked(mixer, shape)
    for gate in look.gates.values():
        assert gate.shape == look.units.shape and gate.min() >= 0 and gate.max() <= 1


@every_kind
@torch.no_grad()
def test_attention_is_what_forward_reads_with(mixer: str, shape: dict[str, Any]) -> None:
    layer, x, state, look = looked(mixer, shape)
    if look.attention is None:
        pytest.skip(f"{mixer} does not attend")
    y, (_, values) = layer(x, state)
    torch.testing.assert_close(look.attention.sum(dim=-1), torch.ones(3, 4, 5))
    read = (look.attention @ values).transpose(1, 2).reshape(x.shape)
    torch.testing.assert_close(layer.get_submodule("projection")(read), y, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(look.units, read)


@every_kind
@torch.no_grad()
def test_what_is_shown_does_not_depend_on_the_future(mixer: str, shape: dict[str, Any]) -> None:
    layer, x, state, look = looked(mixer, shape)
    shorter = layer.look(x[:, :3], state)
    assert shorter is not None
    torch.testing.assert_close(shorter.units, look.units[:, :3], rtol=1e-5, atol=1e-5)


@every_mixer
@torch.no_grad()
def test_a_model_that_is_looked_at_reads_as_ever(mixer: str) -> None:
    model, idx = build(mixer), ids(2, 3 * BLOCK_SIZE)
    for state in (None, model(ids(2, 5, seed=4))[1]):
        logits, after, pieces = model.look(idx, state)
        wanted, wanted_after = model(idx, state)
        assert torch.equal(logits, wanted)
        assert_same_state(after, wanted_after)
        assert all(len(piece) == 2 for piece in pieces)


@pytest.mark.parametrize("block_size", [1, 2, 3, 8])
@torch.no_grad()
def test_each_character_is_shown_once_where_a_window_reads_some_again(block_size: int) -> None:
    model = build("nanogpt", block_size=block_size, options=AttentionOptions(2))
    _, _, pieces = model.look(ids(1, 30))
    looks = [piece[0] for piece in pieces]
    assert sum(look.units.shape[1] for look in looks if look is not None) == 30
    assert all(look is not None and look.attention is not None for look in looks)


@torch.no_grad()
def test_a_mixer_without_the_method_shows_nothing() -> None:
    silent = next(name for name, mixer in MIXERS.items() if mixer.look is Mixer.look)
    model: LanguageModel = build(silent)
    _, _, pieces = model.look(ids(1, 6))
    assert pieces == [[None, None]]
