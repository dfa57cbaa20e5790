"""The skeleton's step: `LanguageModel.forward` for one character of one text, without torch.

It follows lm.py line by line: embedding, blocks, norm, head. The mixers' own steps stand in their own files; a
mixer without one goes through its `forward`. A `Stepper` holds the weights and is shared, `Steps` are one text's.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from minrnn.models.blockstep import BlockStep, block_step
from minrnn.models.committee import CharModel, Committee
from minrnn.models.lm import Block, LanguageModel
from minrnn.models.mixer import State
from minrnn.models.step import Array, Linear, Norm, NormStep, after_norm, copied, zeros
from minrnn.models.window import WindowState, hop_of, position_in_window, starts_again

ID_BYTES = 8
"""Size of an id in a state: int64."""


def can_step(model: CharModel) -> bool:
    """Whether a model's weights are as its step reads them, float32 on the CPU, and its dropout is off."""
    if isinstance(model, Committee):  # which has no dropout itself
        return all(isinstance(member, LanguageModel) and can_step(member) for member in model.members)
    weights = list(model.parameters())
    return not model.training and all(w.dtype == torch.float32 and w.device.type == "cpu" for w in weights)


class Steps(Protocol):
    """The steps of one text.

    Attributes:
        state_bytes: size of the state they carry, in bytes.
    """

    @property
    def state_bytes(self) -> int: ...

    def __call__(self, token: int) -> Array:
        """Read an id; the logits (vocab_size,) of the next, in a buffer that the next call overwrites."""

    def load(self, state: State) -> None:
        """Take the state that the model's `forward` has returned for a batch of one; None is a text's start."""

    def state(self) -> State:
        """A copy of the state, as the model's `forward` takes it."""


class Stepper:
    """A model's weights, made ready for stepping. Read-only: any number of texts may be written with it at once.

    It holds a copy: what the model learns later does not reach it.

    Args:
        model: `can_step` must be true of it.
        members: a committee's own steppers, in order; made here if there are none.
    """

    def __init__(self, model: CharModel, members: Sequence[Stepper] = ()) -> None:
        self._new: Callable[[], Steps]
        if isinstance(model, Committee):
            own = members or [Stepper(m) for m in model.members if isinstance(m, LanguageModel)]
            self._new = lambda: _CommitteeSteps([member._new() for member in own])
        else:
            with torch.no_grad():
                self._new = _skeleton(model)

    def begin(self, state: State = None) -> Steps:
        """A text's steps, from the state that the model's `forward` has returned for a batch of one."""
        steps = self._new()
        steps.load(state)
        return steps


def _skeleton(model: LanguageModel) -> Callable[[], Steps]:
    """The language model's weights, made ready."""
    embedding = copied(model.embedding.weight)
    norm = Norm(model.norm, folded=True) if isinstance(model.norm, nn.LayerNorm) else None
    weight, bias = (
        (model.embedding.weight, None) if model.head is None else (model.head.weight, model.head.bias)
    )
    head = after_norm(model.norm, weight, bias)
    blocks = [block_step(block) for block in model.blocks if isinstance(block, Block)]
    if model.positions is None:
        return lambda: _ModelSteps(embedding, [new() for new in blocks], norm, head)
    positions = copied(model.positions.weight)
    return lambda: _WindowSteps(model, positions, embedding, [new() for new in blocks], norm, head)


class _ModelSteps:
    """A language model's."""

    def __init__(self, embedding: Array, blocks: list[BlockStep], norm: Norm | None, head: Linear) -> None:
        self.embedding, self.blocks, self.head = embedding, blocks, head
        self.norm = None if norm is None else NormStep(norm)
        self.x, self.logits = zeros(embedding.shape[1]), zeros(head.size)

    def __call__(self, token: int) -> Array:
        self.x[:] = self.embedding[token]
        return self.through_blocks()

    def through_blocks(self) -> Array:
        """The logits, from the embedding in `x`."""
        x = self.x
        for block in self.blocks:
            block(x)
        self.head(x if self.norm is None else self.norm(x), self.logits)
        return self.logits

    @property
    def state_bytes(self) -> int:
        return sum([block.state_bytes for block in self.blocks])

    def load(self, state: State) -> None:
        for block, own in zip(self.blocks, state or (None,) * len(self.blocks), strict=True):
            block.load(own)

    def state(self) -> State:
        return tuple(block.state() for block in self.blocks)


class _WindowSteps(_ModelSteps):
    """Those of a model with a limited number of positions; the rule is `window.py`'s."""

    def __init__(self, model: LanguageModel, positions: Array, *parts: Any) -> None:
        super().__init__(*parts)
        self.model, self.positions = model, positions
        self.block_size = model.config.block_size
        self.position = 0
        self.recent = deque[int](maxlen=self.block_size - hop_of(self.block_size))

    def __call__(self, token: int) -> Array:
        if starts_again(self.position, self.block_size):
            super().load(self._encoded_again())
        at = position_in_window(self.position, self.block_size)
        np.add(self.embedding[token], self.positions[at], self.x)
        self.position += 1
        self.recent.append(token)
        return self.through_blocks()

    def _encoded_again(self) -> State:
        """The blocks' state after the newest ids alone; reading many at once is `forward`'s."""
        if not self.recent:
            return None
        with torch.inference_mode():
            blocks: State = self.model(torch.tensor([list(self.recent)]))[1].blocks
        return blocks

    @property
    def state_bytes(self) -> int:
        return super().state_bytes + ID_BYTES * len(self.recent)

    def load(self, state: WindowState | None) -> None:
        self.position, blocks, recent = state or WindowState(0, None, torch.zeros(1, 0, dtype=torch.int64))
        self.recent.clear()
        self.recent.extend(recent[0].tolist())
        super().load(blocks)

    def state(self) -> WindowState:
        recent = torch.tensor([list(self.recent)], dtype=torch.int64)
        return WindowState(self.position, super().state(), recent)


class _CommitteeSteps:
    """A committee's: every member's, and the mean of their probabilities."""

    def __init__(self, members: list[Steps]) -> None:
        self.members = members

    def __call__(self, token: int) -> Array:
        logits = np.stack([member(token) for member in self.members])
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        top = logits.max(axis=0)
        mean: Array = top + np.log(np.exp(logits - top).sum(axis=0)) - np.float32(math.log(len(self.members)))
        return mean

    @property
    def state_bytes(self) -> int:
        return sum(member.state_bytes for member in self.members)

    def load(self, state: State) -> None:
        for member, own in zip(self.members, state or (None,) * len(self.members), strict=True):
            member.load(own)

    def state(self) -> State:
        return tuple(member.state() for member in self.members)
