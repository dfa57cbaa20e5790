"""What a training tells of itself, and the iters whose figures are still on the device.

Asking a GPU for a number makes the processor wait until all work before it is done, and then the GPU waits for new
work. So loss and gradient norm stay on the device for some iters, and all are read at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

LOG_ITERS = 20
"""Most iters between two readings on a GPU."""
LOG_SECONDS = 0.5
"""Most seconds between two readings, so that the page shows progress of a slow run."""

StopReason = Literal["max_iters", "max_seconds", "target_val_loss", "stopped"]


@dataclass(frozen=True)
class Iter:
    """One optimiser update.

    Attributes:
        iter: updates made so far.
        loss: of the batch, in nats per character or answer, dropout on.
        lr: learning rate of the update.
        grad_norm: norm of the whole gradient before clipping.
        tokens: characters read so far.
        seconds: training time so far, evaluations included.
        iter_seconds: time of this update alone.
    """

    iter: int
    loss: float
    lr: float
    grad_norm: float
    tokens: int
    seconds: float
    iter_seconds: float


@dataclass(frozen=True)
class Eval:
    """An estimate over a fixed part of the validation data.

    Attributes:
        iter: updates made so far.
        val_loss: of the moving average of the weights, in nats per character or answer.
        tokens: characters read so far.
        seconds: training time so far.
        peak_bytes: most memory held so far: the GPU's on CUDA, else the process's.
        accuracy: the share of right answers to a task; None for a text.
    """

    iter: int
    val_loss: float
    tokens: int
    seconds: float
    peak_bytes: int
    accuracy: float | None = None


@dataclass(frozen=True)
class Sample:
    """What the model does at this point: it writes from a newline, or works an example of its task."""

    iter: int
    text: str


@dataclass(frozen=True)
class Done:
    """The end of the run and the reason for it."""

    iter: int
    reason: StopReason


@dataclass(frozen=True)
class Teaching:
    """How far a run's teachers have read its text. They do so before the first iter, or when a run goes on that has
    lost what they expected.

    Attributes:
        iter: updates made so far.
        chars: characters read.
        total: characters that there are to read.
    """

    iter: int
    chars: int
    total: int


Event = Iter | Eval | Sample | Done | Teaching


class PendingIters:
    """The iters since the last reading: their loss and gradient norm are still on the device.

    Args:
        device: on the CPU there is nothing to wait for, and every iter is read at once.
    """

    def __init__(self, device: torch.device) -> None:
        self._most = 1 if device.type == "cpu" else LOG_ITERS
        self._iters: list[Iter] = []
        self._figures: list[Tensor] = []

    def __len__(self) -> int:
        return len(self._iters)

    @property
    def is_due(self) -> bool:
        """Whether it is time to read them."""
        return len(self) >= self._most or sum(it.iter_seconds for it in self._iters) >= LOG_SECONDS

    def add(self, event: Iter, loss: Tensor, grad_norm: Tensor) -> None:
        """Keep an iter whose loss and gradient norm are two numbers on the device."""
        self._iters.append(event)
        self._figures.append(torch.stack([loss.detach().float(), grad_norm.detach().float()]))

    def figures(self) -> list[tuple[float, float]]:
        """Loss and gradient norm of every iter, in order. This waits for the device, once."""
        return [(loss, norm) for loss, norm in torch.stack(self._figures).tolist()]

    def take(self, figures: list[tuple[float, float]], waited: float) -> list[Iter]:
        """The iters with their figures; from now on there are none.

        A device works while the processor goes on, so only the time of all together is known: each has its share.

        Args:
            figures: what `figures` returned.
            waited: seconds that it took.
        """
        iters, self._iters, self._figures = self._iters, [], []
        each = (sum(it.iter_seconds for it in iters) + waited) / max(1, len(iters))
        began = iters[0].seconds - iters[0].iter_seconds if iters else 0.0
        return [
            replace(it, loss=loss, grad_norm=norm, seconds=began + number * each, iter_seconds=each)
            for number, (it, (loss, norm)) in enumerate(zip(iters, figures, strict=True), start=1)
        ]
