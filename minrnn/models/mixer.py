"""What a mixer is: the layer that mixes over time, and the registry of all of them.

A mixer declares in its own file what it needs beyond `forward`, and registers itself under its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

from minrnn.checked import shown
from minrnn.config import MixerOptions, ModelConfig
from minrnn.errors import ConfigError
from minrnn.models.step import Step, zeros

State: TypeAlias = Any
"""Whatever a layer carries from one call to the next: tensors in tuples. Passed in and returned."""


@dataclass(frozen=True)
class Recurrence:
    """A state that keeps part of itself and adds something new: value_t = decay_t * value_{t-1} + write_t.

    Attributes:
        decay: (B, T, C) what a unit keeps of its last value, in [-1, 1].
        write: (B, T, C) what a step adds.
        before: (B, C) the values before the first step.
        input_only: whether decay and write depend on the layer's input alone. If they depend on the state, too, as
            the LSTM's do, the sum is exact all the same, but with another past the gates would differ as well.
    """

    decay: Tensor
    write: Tensor
    before: Tensor
    input_only: bool


@dataclass(frozen=True)
class Look:
    """What a mixer shows of itself while it reads.

    Attributes:
        units: (B, T, C) the value of every unit after each step.
        recurrence: how these values come about, where they are a recurrence.
        gates: (B, T, C) each, in (0, 1), by name.
        attention: (B, n_head, T, S) the weights with which each step reads S positions, its own piece's T at the end.
    """

    units: Tensor
    recurrence: Recurrence | None = None
    gates: Mapping[str, Tensor] = field(default_factory=dict)
    attention: Tensor | None = None


class Mixer(nn.Module):
    """Base of the layers that mix over time. Its constructor takes a ModelConfig whose `options` are its own `Options`.

    Attributes:
        Options: its choices, a dataclass.
        title: its name for people.
        year: when it was published; 0 if it was not.
        equation: what it computes, in one line.
        family: what theory counts it among: "nonlinear" or "linear" recurrences, or "attention"; empty if unknown.
        compared: whether the program puts it side by side with others; False for the rungs of the ladder, which
            only studies train.
        chosen_first: whether a visitor who has chosen nothing sees it.
        learned_positions: whether the skeleton adds learned positions to the embedding, which limits the context.
    """

    Options: ClassVar[type[MixerOptions]] = MixerOptions
    title: ClassVar[str]
    year: ClassVar[int] = 0
    equation: ClassVar[str] = ""
    family: ClassVar[str] = ""
    compared: ClassVar[bool] = True
    chosen_first: ClassVar[bool] = True
    learned_positions: ClassVar[bool] = False

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Map x (B, T, C) and a state to y (B, T, C) and the state after the last step."""
        raise NotImplementedError

    def look(self, x: Tensor, state: State = None) -> Look | None:
        """Show what happens inside while `forward` reads the same; None if the mixer has nothing to show.

        Args:
            x: (B, T, C), as for `forward`.
            state: as for `forward`.
        """
        return None

    def prepare(self, channels: int, centre: bool) -> Callable[[], Step]:
        """Make the weights ready for writing one character at a time; each call of the result begins a text.

        A mixer may leave this out: it then writes through `forward`.

        Args:
            channels: the width of x.
            centre: whether the mean of y may be taken away, since norms read it; a step that does so is `centred`.
        """
        return partial(ForwardStep, self, channels)

    @staticmethod
    def initialise(model: nn.Module, options: Any) -> None:
        """Draw the whole model's weights as the mixer's authors do; torch's defaults if not overridden."""


Options = TypeVar("Options", bound=MixerOptions)


def own_options(config: ModelConfig, kind: type[Options]) -> Options:
    """The options of a config, typed.

    Raises:
        TypeError: if they are another mixer's; `LanguageModel` has refused that before.
    """
    if not isinstance(config.options, kind):
        raise TypeError(f"options are {config.options!r}; {config.mixer} needs {kind.__name__}.")
    return config.options


MIXERS: dict[str, type[Mixer]] = {}
M = TypeVar("M", bound=type[Mixer])


def register(name: str) -> Callable[[M], M]:
    """Class decorator that registers a mixer under the name used in configs and on the command line."""

    def enter(mixer: M) -> M:
        MIXERS[name] = mixer
        return mixer

    return enter


def mixer_class(name: str) -> type[Mixer]:
    """The mixer of that name.

    Raises:
        ConfigError: if no mixer has that name.
    """
    if name not in MIXERS:
        raise ConfigError(f"mixer {shown(name)} is not known; choose one of: {', '.join(MIXERS)}.")
    return MIXERS[name]


def tensors(state: State) -> list[Tensor]:
    """Every tensor in a state."""
    if isinstance(state, Tensor):
        return [state]
    if isinstance(state, tuple):
        return [t for part in state for t in tensors(part)]
    return []


def detached(state: State) -> State:
    """The state without the graph that led to it."""
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, tuple):
        parts = [detached(part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state


def state_bytes(state: State) -> int:
    """Size of a state, in bytes."""
    return sum(t.numel() * t.element_size() for t in tensors(state))


class ForwardStep(Step):
    """The step of a mixer that has none of its own: its `forward`, over one position."""

    def __init__(self, mixer: Mixer, channels: int) -> None:
        self.mixer, self.x, self.y = mixer, zeros(channels), zeros(channels)
        self.calls = [self._forward]
        self.load(None)

    def _forward(self) -> None:
        with torch.inference_mode():
            y, carried = self.mixer(torch.from_numpy(self.x).view(1, 1, -1), self.carried)
        self.load(carried)
        self.y[:] = y.view(-1).numpy()

    def load(self, state: State) -> None:
        self.carried = state
        self.state_bytes = state_bytes(state)

    def state(self) -> State:
        return self.carried
