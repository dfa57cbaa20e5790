"""Batches of windows of a text."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from minrnn.device import send
from minrnn.errors import CorpusError


class Batches:
    """Windows of a text in an order that depends on the seed alone.

    Each epoch cuts the text into windows that do not overlap, starting at a random offset, and takes
    them in random order; windows that do not fill a batch are left out. A text with fewer windows
    than one batch is read in random windows instead.

    A batch is gathered on the text's own device. An epoch's order is sent there once, and nothing waits for it.

    Args:
        ids: (T,) int64, on any device; the batches are on the same one.
        block_size: characters in a window.
        batch_size: windows in a batch.
        seed: at least 0.

    Raises:
        CorpusError: if the text is shorter than one window and its last target.
    """

    def __init__(self, ids: Tensor, block_size: int, batch_size: int, seed: int) -> None:
        if len(ids) < block_size + 1:
            raise CorpusError(
                f"The split has {len(ids):,} characters and a block_size of {block_size:,} needs "
                f"{block_size + 1:,}; use a longer text or a smaller block_size."
            )
        self.block_size, self.batch_size, self.seed = block_size, batch_size, seed
        self._windows = ids.unfold(0, block_size, 1)  # a view: row t is the window from t on
        # Only windows that fit at every offset, so that all epochs have the same length.
        self.batches_per_epoch = (len(ids) - block_size) // block_size // batch_size
        self._epoch: tuple[int, Tensor] | None = None

    def batch(self, it: int) -> tuple[Tensor, Tensor]:
        """Batch `it` >= 0: idx and targets, each (batch_size, block_size) int64.

        A pure function of the seed and `it`, so a resumed run needs no stored order.
        """
        starts = self._starts(it)
        return self._windows[starts], self._windows[starts + 1]

    def _starts(self, it: int) -> Tensor:
        """(batch_size,) where the windows of batch `it` begin."""
        if self.batches_per_epoch == 0:
            last = len(self._windows) - 1
            return self._sent(torch.randint(0, last, (self.batch_size,), generator=self._generator(it)))
        epoch, number = divmod(it, self.batches_per_epoch)
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, self._sent(self._order(epoch)))
        return self._epoch[1][number * self.batch_size : (number + 1) * self.batch_size]

    def _sent(self, starts: Tensor) -> Tensor:
        """Drawn on the CPU, so that every device reads the same windows, and sent to where the text lies."""
        return send(starts, self._windows.device)

    def _order(self, epoch: int) -> Tensor:
        """Where the windows of an epoch begin, in the order they are read."""
        generator = self._generator(epoch)
        offset = int(torch.randint(0, self.block_size, (), generator=generator))
        count = (len(self._windows) - 1 - offset + self.block_size - 1) // self.block_size
        return offset + self.block_size * torch.randperm(count, generator=generator)

    def _generator(self, index: int) -> torch.Generator:
        mixed = np.random.SeedSequence((self.seed, index)).generate_state(1, np.uint32)[0]
        return torch.Generator().manual_seed(int(mixed))
