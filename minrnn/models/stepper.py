"""The skeleton's step: `LanguageModel.forward` for one character of one text, without torch.

It follows lm.py line by line: embedding, blocks, norm, head. The mixers' own steps stand in their own files; a
mixer without one goes through its `forward`. A `Stepper` holds the weights and is shared, `Steps` are one text's.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import nn

from minrnn.models.blockstep import BlockStep, PreparedBlock
from minrnn.models.committee import CharModel, Committee
from minrnn.models.lm import Block, LanguageModel
from minrnn.models.mixer import State
from minrnn.models.step import Array, Call, Norm, after_norm, copied, with_1, zeros
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
                skeleton = _Skeleton(model)
            positions = skeleton.positions
            if positions is None:
                self._new = lambda: _ModelSteps(skeleton)
            else:
                self._new = lambda: _WindowSteps(skeleton, positions, model)

    def begin(self, state: State = None) -> Steps:
        """A text's steps, from the state that the model's `forward` has returned for a batch of one."""
        steps = self._new()
        steps.load(state)
        return steps


class _Skeleton:
    """A language model's weights, made ready. Where norms read the residual stream, its mean is zero from the start."""

    def __init__(self, model: LanguageModel) -> None:
        norm, head = model.norm, model.head
        normed = isinstance(norm, nn.LayerNorm)
        self.embedding = _rows(model.embedding, normed)
        self.positions = None if model.positions is None else _rows(model.positions, normed)
        self.norm = Norm(norm, folded=True) if isinstance(norm, nn.LayerNorm) else None
        weight, bias = (model.embedding.weight, None) if head is None else (head.weight, head.bias)
        self.head = after_norm(norm, weight, bias)
        blocks = [block for block in model.blocks if isinstance(block, Block)]
        self.blocks = [PreparedBlock(block, model.config.n_embd) for block in blocks]

    def head_of(self, x_and_1: Array, logits: Array, centred: bool) -> list[Call]:
        """What writes the logits of the residual stream, `centred` or not."""
        if self.norm is None:
            return [self.head.of(x_and_1, logits)]
        normed = with_1(len(x_and_1) - 1)
        calls = self.norm.of(x_and_1[:-1], normed[:-1], centred)
        return [*calls, self.head.of(normed, logits)]


def _rows(embedding: nn.Embedding, normed: bool) -> Array:
    """An embedding's vectors, their own means taken away where norms read them."""
    weight = embedding.weight
    return copied(weight - weight.mean(dim=1, keepdim=True) if normed else weight)


class _ModelSteps:
    """A language model's."""

    def __init__(self, skeleton: _Skeleton) -> None:
        x_and_1 = with_1(skeleton.embedding.shape[1])
        self.x, self.logits = x_and_1[:-1], zeros(skeleton.head.size)
        self.embedding = list(skeleton.embedding)
        self.blocks: list[BlockStep] = []
        centred = True
        for block in skeleton.blocks:
            self.blocks.append(BlockStep(block, self.x, centred))
            centred = self.blocks[-1].centred
        self.carrying = [step for block in self.blocks for step in block.steps]
        self.calls = [call for block in self.blocks for call in block.calls]
        self.calls += skeleton.head_of(x_and_1, self.logits, centred)

    def __call__(self, token: int) -> Array:
        np.positive(self.embedding[token], self.x)
        return self.through_blocks()

    def through_blocks(self) -> Array:
        """The logits, from the embedding in `x`. A gate may overflow to infinity on its way to 0."""
        with np.errstate(over="ignore"):
            for call in self.calls:
                call()
        return self.logits

    @property
    def state_bytes(self) -> int:
        return sum([step.state_bytes for step in self.carrying])

    def load(self, state: State) -> None:
        for block, own in zip(self.blocks, state or (None,) * len(self.blocks), strict=True):
            block.load(own)

    def state(self) -> State:
        return tuple(block.state() for block in self.blocks)


class _WindowSteps(_ModelSteps):
    """Those of a model with a limited number of positions; the rule is `window.py`'s."""

    def __init__(self, skeleton: _Skeleton, positions: Array, model: LanguageModel) -> None:
        super().__init__(skeleton)
        self.model, self.positions = model, list(positions)
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
            return self.model.encode_again(torch.tensor([list(self.recent)]))

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
