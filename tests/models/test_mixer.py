"""The registry of mixers and what is said about each."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from minrnn.config import MixerOptions
from minrnn.errors import ConfigError
from minrnn.models import MIXERS, MODEL_NAMES, Mixer, mixer_class, register, state_bytes
from minrnn.models.mixer import own_options, tensors
from tests.models.small import build, every_mixer, ids, leaves


def test_models_are_compared_in_the_order_in_which_they_are_registered() -> None:
    assert [name for name in MIXERS if mixer_class(name).compared] == list(MODEL_NAMES)
    assert len(MODEL_NAMES) > 1


def test_every_mixer_has_a_title_of_its_own() -> None:
    titles = [mixer.title for mixer in MIXERS.values()]
    assert all(titles) and len(set(titles)) == len(titles)


def test_an_unknown_mixer_is_named_with_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match=f"'no_such_model' is not known; choose one of: {', '.join(MIXERS)}"
    ):
        mixer_class("no_such_model")


@every_mixer
def test_options_of_another_mixer_are_refused(mixer: str) -> None:
    with pytest.raises(ConfigError, match=f"options of {mixer} must be"):
        build(mixer, options=Foreign())


@every_mixer
def test_options_reach_a_mixer_typed(mixer: str) -> None:
    config = build(mixer).config
    assert own_options(config, MIXERS[mixer].Options) == MIXERS[mixer].Options()
    with pytest.raises(TypeError, match=f"{mixer} needs Foreign"):
        own_options(config, Foreign)


@dataclasses.dataclass(frozen=True)
class Foreign(MixerOptions):
    pass


def test_a_mixer_registers_itself_by_a_decorator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minrnn.models.mixer.MIXERS", registry := {})

    @register("no_such_model")
    class Nothing(Mixer):
        title = "nothing"

    assert registry == {"no_such_model": Nothing}


@every_mixer
def test_the_size_of_a_state_is_that_of_its_tensors(mixer: str) -> None:
    _, state = build(mixer)(ids(3, 20))
    tensors = [leaf for leaf in leaves(state) if isinstance(leaf, Tensor)]
    assert state_bytes(state) == sum(t.numel() * t.element_size() for t in tensors) > 0


def test_the_tensors_of_a_state_are_found_at_any_depth() -> None:
    a, b = torch.zeros(2), torch.zeros(3)
    state: Any = ((None, (a, 7)), b)
    assert all(found is wanted for found, wanted in zip(tensors(state), (a, b), strict=True))
    assert state_bytes(state) == 20
