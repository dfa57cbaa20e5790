"""The processes that train one model together, as torchrun or `train --processes N` starts them.

Each has a rank. Every process draws the whole batch of an iter and reads its own share of it, so the batch does not
depend on N; the gradients of all shares are added up before each update. Rank 0 alone evaluates, samples, writes,
and keeps the clock. Tensors on the CPU travel by gloo, those on a GPU by NCCL.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from minrnn.errors import BackendUnavailable, ConfigError, TrainingError

_LOST = ("connection closed", "connection reset", "broken pipe", "gloo", "nccl", "timed out")
"""How the backends say, in a plain RuntimeError, that another process no longer answers."""


@dataclass(frozen=True)
class Ranks:
    """This process's place among those that train together.

    Attributes:
        rank: its number; rank 0 leads.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process evaluates, samples and writes."""
        return self.rank == 0

    def check(self, batch_size: int, device: torch.device) -> None:
        """Refuse what these processes cannot train together. All processes of a machine refuse the same.

        Raises:
            ConfigError: if their number does not divide `batch_size`.
            BackendUnavailable: if they cannot exchange gradients on that device.
        """
        if batch_size % self.size:
            fitting = ", ".join(str(n) for n in range(1, batch_size + 1) if batch_size % n == 0)
            raise ConfigError(
                f"batch_size {batch_size} cannot be split among {self.size} processes; choose another "
                f"batch_size, or as the number of processes one of: {fitting}."
            )
        if self.size == 1:
            return
        if device.type not in ("cpu", "cuda"):
            raise BackendUnavailable(f"several processes cannot train on {device}; use one, or --device cpu.")
        if device.type == "cuda" and (count := _local_size()) > (gpus := torch.cuda.device_count()):
            raise BackendUnavailable(
                f"{count} processes would train on this machine's {gpus} GPU(s), and each takes one of its own; start "
                "one process a GPU, or train by --device cpu."
            )

    def share(self, batch: Tensor) -> Tensor:
        """Take this process's rows of a batch: (B, T) to (B / size, T)."""
        return batch.chunk(self.size)[self.rank]

    def add(self, weights: Iterable[nn.Parameter], loss: Tensor) -> Tensor:
        """Add up every gradient, and the loss, over all processes: one flat buffer, one exchange.

        torch's DistributedDataParallel sends gradients while others are still computed. Where the processes keep all
        cores busy, that gains nothing. Its process group also outlives `destroy_process_group`; threads left
        behind may abort a process that has ended well.

        Returns:
            The loss of the whole batch.
        """
        if self.size == 1:
            return loss
        used = [w for w in weights if w.grad is not None]
        flat = torch.cat([loss.view(1), *(cast(Tensor, w.grad).flatten() for w in used)])
        with self.together():
            dist.all_reduce(flat)
        sums = torch.split(flat[1:], [w.numel() for w in used])
        for weight, gradient in zip(used, sums, strict=True):
            weight.grad = gradient.view_as(weight)
        return flat[0]

    def hand_round(self, mine: Mapping[int, Tensor], shapes: Sequence[Tensor]) -> list[Tensor]:
        """Give every process what each has made of a list of tensors that they have shared out.

        Args:
            mine: place in the list -> what this process has made: every `size`-th place, from `rank` on; bfloat16.
            shapes: tensors of the shapes of the whole list, on one device.

        Returns:
            The whole list, the same to the last bit in all processes.
        """
        if self.size == 1:
            return [mine[i] for i in range(len(shapes))]
        places = [range(rank, len(shapes), self.size) for rank in range(self.size)]
        sizes = [sum(shapes[i].numel() for i in part) for part in places]
        # An even number: two bfloat16s travel as one integer, which gloo knows.
        longest = -(-max(sizes) // 2) * 2
        flat = torch.zeros(longest, dtype=torch.bfloat16, device=shapes[0].device)
        flat[: sizes[self.rank]] = torch.cat([t.flatten() for t in mine.values()] or [flat[:0]])
        parts = [torch.empty_like(flat) for _ in places]
        with self.together():
            dist.all_gather([part.view(torch.int32) for part in parts], flat.view(torch.int32))
        found: dict[int, Tensor] = {}
        for part, whole, size in zip(places, parts, sizes, strict=True):
            cut = torch.split(whole[:size], [shapes[i].numel() for i in part])
            found |= {i: piece.view(shapes[i].shape) for i, piece in zip(part, cut, strict=True)}
        return [found[i] for i in range(len(shapes))]

    def sum(self, *values: float) -> tuple[float, ...]:
        """Add each value up over all processes."""
        if self.size == 1:
            return values
        total = torch.tensor(values, dtype=torch.float64)
        with self.together():
            dist.all_reduce(total)
        return tuple(total.tolist())

    def of_leader(self, *values: float) -> tuple[float, ...]:
        """Replace each value by rank 0's."""
        return self.sum(*(value if self.leads else 0.0 for value in values))

    def send(self, what: object) -> None:
        """Hand an object from rank 0 to every other process, which `receive`s it."""
        if self.size > 1:
            with self.together():
                dist.broadcast_object_list([what])

    def receive(self) -> Any:
        """Wait for what rank 0 sends. It comes from this program's own processes, so unpickling it is safe.

        Raises:
            TrainingError: if rank 0 ends without sending anything.
        """
        box: list[object] = [None]
        with self.together():
            dist.broadcast_object_list(box)
        return box[0]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Say in one line that another process has ended, where torch says it. Never yield an event inside it.

        Raises:
            TrainingError: in the place of torch's RuntimeError.
        """
        try:
            yield
        except RuntimeError as error:
            if self.size == 1 or not any(word in str(error).lower() for word in _LOST):
                raise
            raise TrainingError(
                f"another of the {self.size} processes of this training has ended. The last checkpoint is kept; "
                "resume the run, with any number of processes. If memory ran out, start a new run from its last model "
                "(--init FOLDER/model) with half the batch_size."
            ) from error


ALONE = Ranks()
"""The only process."""


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the processes that were started with this one; alone where it has not."""
    size = int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1
    if size == 1:
        yield ALONE
        return
    on_gpu = torch.cuda.is_available()
    if on_gpu and _local_rank() < torch.cuda.device_count():
        torch.cuda.set_device(_local_rank())
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
    try:
        yield Ranks(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


def _local_rank() -> int:
    """The process's number on its own machine."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def _local_size() -> int:
    """How many of the processes are on this one's machine: at least as many as its number says."""
    return max(int(os.environ.get("LOCAL_WORLD_SIZE", "1")), _local_rank() + 1)
