"""Whose turn it is, when many texts are written by one core.

Shares of time are equal at every level: between addresses, between the visitors of an address, between the requests
of a visitor, between the texts of a request. Who asks for more texts gets no more time. Pure bookkeeping without a
clock: the caller says how long each turn took (stride scheduling, Waldspurger & Weihl 1995).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
Path: TypeAlias = tuple[Hashable, ...]
"""Where something hangs: address, visitor, request, text, or as many levels as the caller has."""


class Turns(Generic[T]):
    """Items that take turns. As a condition it is true while it has items."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node(0.0)
        self._turn = 0

    def __bool__(self) -> bool:
        return bool(self._root.children)

    def add(self, path: Path, item: T) -> None:
        """Let an item take part. It counts as having had as much time as the neighbour that has had the least."""
        node = self._root
        for name in path:
            node = node.children.setdefault(name, _Node(node.least_used()))
        node.item = item

    def remove(self, path: Path) -> None:
        """Take an item out, and every level above it that is left empty."""
        nodes = [self._root]
        for name in path:
            nodes.append(nodes[-1].children[name])
        for node, name in reversed(list(zip(nodes, path, strict=False))):
            if node.children[name].children:
                return
            del node.children[name]

    def next(self) -> tuple[Path, T]:
        """Whose turn it is: at every level the one that has had the least time, and of those the longest unseen."""
        self._turn += 1
        path, node = [], self._root
        while node.children:
            name, node = min(node.children.items(), key=lambda child: (child[1].used, child[1].seen))
            node.seen = self._turn
            path.append(name)
        assert node.item is not None
        return tuple(path), node.item

    def charge(self, path: Path, seconds: float) -> None:
        """Note how long a turn took."""
        node = self._root
        for name in path:
            node = node.children[name]
            node.used += seconds


class _Node(Generic[T]):
    def __init__(self, used: float) -> None:
        self.used, self.seen = used, 0
        self.children: dict[Hashable, _Node[T]] = {}
        self.item: T | None = None

    def least_used(self) -> float:
        return min((child.used for child in self.children.values()), default=0.0)
