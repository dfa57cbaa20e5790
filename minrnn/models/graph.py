"""A model's step as one CUDA graph. At one character a step a GPU computes for some microseconds, while Python takes
milliseconds to ask for a hundred small kernels; a graph asks for all of them at once.

A graph always reads and writes the same memory. So id, state and logits lie in buffers that stay; a step fills in
the id, and the graph's last kernels copy the new state over the old one. Whatever Python decides on the way is
decided once, at the capture. So a model can be captured only if its state has one shape for ever: the recurrent
ones can, and a cache that grows with every character cannot.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from minrnn.models.committee import CharModel
from minrnn.models.mixer import State, state_bytes
from minrnn.models.step import Array

WARM_UPS = 3
"""Steps before the capture: libraries allocate and Triton compiles at their first calls, which a graph must not."""


class Graph(Protocol):
    """What is captured once and then replayed."""

    def capture(self, run: Callable[[], None]) -> None:
        """Keep every kernel that `run` launches; it reads and writes buffers that stay."""

    def replay(self) -> None:
        """Launch them again."""


class CudaGraph:
    """torch's own, captured on a stream of its own."""

    def __init__(self) -> None:
        self.graph = torch.cuda.CUDAGraph()

    def capture(self, run: Callable[[], None]) -> None:
        """See `Graph.capture`."""
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(WARM_UPS):
                run()
        torch.cuda.current_stream().wait_stream(beside)
        with torch.cuda.graph(self.graph):
            run()

    def replay(self) -> None:
        """See `Graph.replay`."""
        self.graph.replay()


def can_capture(state: State) -> bool:
    """Whether a state, as a model's `forward` returned it, is made of tensors in tuples and nothing else.

    A position is a number in Python, which a graph would never see change. Whether the tensors grow shows at the
    first step only, in `captured`.
    """
    if isinstance(state, tuple):
        return all(can_capture(part) for part in state)
    return state is None or isinstance(state, Tensor)


def captured(model: CharModel, state: State, new: Callable[[], Graph] = CudaGraph) -> GraphSteps | None:
    """The steps of one text as a graph, from the state after its beginning; None for a model that has none.

    If the capture fails, there is a warning with the reason, and None: the model then writes through `forward`.

    Args:
        model: in evaluation mode.
        state: what `forward` returned for a batch of one.
        new: makes an empty graph.
    """
    if state is None or not can_capture(state):
        return None
    with torch.inference_mode():
        idx = torch.zeros(1, 1, dtype=torch.int64, device=model.device)
        _, after = model(idx, state)
        if _shapes(after) != _shapes(state):
            return None
        try:
            return GraphSteps(model, state, new())
        except RuntimeError as error:
            warnings.warn(f"{model.config.mixer} writes without a CUDA graph: {error}", stacklevel=2)
            return None


class GraphSteps:
    """A text's steps. The state that it was made from stays as it is.

    Args:
        model: in evaluation mode.
        state: what `forward` returned for a batch of one; it keeps its shape from step to step.
        graph: an empty one.
    """

    def __init__(self, model: CharModel, state: State, graph: Graph) -> None:
        self._model, self._graph = model, graph
        with torch.inference_mode():
            self._idx = torch.zeros(1, 1, dtype=torch.int64, device=model.device)
            self._state = _mapped(state, Tensor.clone)
            self._logits = torch.zeros(len(model.config.vocab), device=model.device)
            graph.capture(self._run)
            self.load(state)  # the warm-up has moved it

    def _run(self) -> None:
        """One step, from buffers to buffers."""
        logits, after = self._model(self._idx, self._state)
        self._logits.copy_(logits[0, -1])
        _copy(self._state, after)

    @property
    def state_bytes(self) -> int:
        """Size of the state, in bytes."""
        return state_bytes(self._state)

    def __call__(self, token: int) -> Array:
        """Read an id; the logits (vocab_size,) of the next, on the CPU."""
        with torch.inference_mode():
            self._idx.fill_(token)
            self._graph.replay()
            logits: Array = self._logits.cpu().numpy().copy()
        return logits

    def load(self, state: State) -> None:
        """Take another state of the same shape."""
        with torch.inference_mode():
            _copy(self._state, state)

    def state(self) -> State:
        """A copy of the state, as the model's `forward` takes it."""
        return _mapped(self._state, Tensor.clone)


def _copy(into: State, source: State) -> None:
    """Copy all tensors of one state over those of another."""
    if isinstance(into, Tensor):
        into.copy_(source)
    elif into is not None:
        for one, other in zip(into, source, strict=True):
            _copy(one, other)


def _mapped(state: State, function: Callable[[Tensor], Tensor]) -> State:
    """A state with a function applied to each of its tensors."""
    if isinstance(state, tuple):
        return tuple(_mapped(part, function) for part in state)
    return None if state is None else function(state)


def _shapes(state: State) -> State:
    """What of a state must not change from step to step."""
    if isinstance(state, tuple):
        return tuple(_shapes(part) for part in state)
    return None if state is None else (state.shape, state.dtype)
