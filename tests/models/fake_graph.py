"""A CUDA graph on the CPU: what was computed at the capture is computed again, on the same memory.

Like the real one it knows nothing of Python: a number that Python changes between two replays has no effect. Where
the real one would refuse to be captured, because the processor asks for a number of the device's, so does this one.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class FakeGraph(TorchDispatchMode):
    def __init__(self, warm_ups: int = 2) -> None:
        super().__init__()
        self.warm_ups, self.calls = warm_ups, []

    def capture(self, run: Callable[[], None]) -> None:
        for _ in range(self.warm_ups):
            run()
        with self:
            run()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.__name__.startswith(("_local_scalar_dense", "item")):
            raise RuntimeError("a number was read while a graph was captured")
        out = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, out))
        return out

    @torch.inference_mode()
    def replay(self) -> None:
        for func, args, kwargs, out in self.calls:
            again = func(*args, **kwargs)
            for old, new in zip(tensors(out), tensors(again), strict=True):
                if not shares_memory(
                    old, tensors((args, kwargs))
                ):  # else it is a view, or was written in place
                    old.copy_(new)


def tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def shares_memory(x: Tensor, others: list[Tensor]) -> bool:
    return any(x.untyped_storage().data_ptr() == other.untyped_storage().data_ptr() for other in others)


def on_a_fake_graph(run: Callable[[], None]) -> FakeGraph:
    graph = FakeGraph()
    with torch.inference_mode():
        graph.capture(run)
    return graph
