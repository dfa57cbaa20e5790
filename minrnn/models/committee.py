"""Several models as one: the mean of their probabilities.

Averaging probabilities is an old way to a better prediction (Hansen & Salamon 1990); on this text the mean of the
base models is ahead of the best alone. Nothing is trained: a committee is its members.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor, nn

from minrnn.config import ModelConfig
from minrnn.errors import ConfigError
from minrnn.models.lm import LanguageModel
from minrnn.models.mixer import State


class Committee(nn.Module):
    """The mean of several models' probabilities, with the interface of one model.

    Args:
        members: at least one, all with the same characters in the same order.

    Raises:
        ConfigError: if there is none, or their vocabularies differ.
    """

    def __init__(self, members: Sequence[LanguageModel]) -> None:
        super().__init__()
        if not members:
            raise ConfigError("a committee needs at least one model; name some.")
        if len({member.config.vocab for member in members}) > 1:
            raise ConfigError(
                "the models of a committee know different characters; take models that were trained on one text."
            )
        self.members = nn.ModuleList(members)
        window = min(member.config.block_size for member in members)
        self.config: ModelConfig = replace(members[0].config, block_size=window)
        """The first member's, with everybody's vocabulary and a window that fits all, in whatever order they come."""

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.parameters()).device

    @property
    def n_params(self) -> int:
        """Number of weights of all members together."""
        return sum(p.numel() for p in self.parameters())

    def forward(self, idx: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Read ids, starting from a state, as `LanguageModel.forward` does.

        Args:
            idx: (B, T) ids, T >= 1.
            state: what the call before returned; None at the start of a text.

        Returns:
            (B, T, vocab_size) logarithms of the mean probabilities, and every member's state.
        """
        read = [m(idx, s) for m, s in zip(self.members, state or (None,) * len(self.members), strict=True)]
        logs = torch.stack([logits.float().log_softmax(dim=-1) for logits, _ in read])
        return logs.logsumexp(dim=0) - math.log(len(read)), tuple(after for _, after in read)


CharModel: TypeAlias = LanguageModel | Committee
"""What can be read, scored and written with."""
