"""Who writes now and who waits in line. Bookkeeping alone, without threads."""

from __future__ import annotations

from collections import Counter
from typing import Generic, NamedTuple, TypeVar

from minrnn.errors import BusyError

T = TypeVar("T")


class Visitor(NamedTuple):
    """Who asks.

    Attributes:
        address: where from; many visitors may share one.
        session: the open page, or the request where a script has no page.
    """

    address: str
    session: str


class Line(Generic[T]):
    """Places for visitors who write, and the line of those who wait for one.

    A visitor takes one place, however many requests it has. One address takes half of the places at most.

    Args:
        places: visitors who write at once.
        longest: visitors who may wait.
        each: requests that one visitor may have at once.
    """

    def __init__(self, places: int, longest: int, each: int) -> None:
        self.places, self.longest, self.each = places, longest, each
        self._writing: dict[Visitor, list[T]] = {}
        self._waiting: dict[Visitor, list[T]] = {}

    @property
    def writing(self) -> int:
        """Visitors who write now."""
        return len(self._writing)

    def join(self, visitor: Visitor, request: T) -> bool:
        """Take a request in.

        Returns:
            Whether it may be written now; else it waits.

        Raises:
            BusyError: if the visitor has too many requests already, or the line is too long.
        """
        at = self._writing if visitor in self._writing or not self._full(visitor) else self._waiting
        requests = at.get(visitor, [])
        if len(requests) >= self.each:
            raise BusyError(
                f"{len(requests)} texts are being written for you already and {self.each} is the limit; "
                "wait for one to end, or press Stop."
            )
        if at is self._waiting and visitor not in at and len(at) >= self.longest:
            raise BusyError(
                f"{len(at)} visitors wait in line and {self.longest} is the limit; try again in a minute."
            )
        at.setdefault(visitor, requests).append(request)
        return at is self._writing

    def leave(self, visitor: Visitor, request: T) -> list[T]:
        """Let a request go, whether it wrote or waited.

        Returns:
            The requests that may be written now.
        """
        for at in (self._writing, self._waiting):
            if request in at.get(visitor, []):
                at[visitor].remove(request)
                if not at[visitor]:
                    del at[visitor]
        return self._admitted()

    def position(self, visitor: Visitor) -> int:
        """Position in line, from 1; 0 for who writes."""
        return 0 if visitor in self._writing else 1 + list(self._waiting).index(visitor)

    def requests(self) -> list[T]:
        """Every request, whether it writes or waits."""
        return [request for requests in self._writing.values() for request in requests] + self.waiting()

    def waiting(self) -> list[T]:
        """Every request that waits, in order."""
        return [request for requests in self._waiting.values() for request in requests]

    def _admitted(self) -> list[T]:
        found: list[T] = []
        for visitor in list(self._waiting):
            if not self._full(visitor):
                self._writing[visitor] = self._waiting.pop(visitor)
                found += self._writing[visitor]
        return found

    def _full(self, visitor: Visitor) -> bool:
        of_address = Counter(other.address for other in self._writing)[visitor.address]
        return len(self._writing) >= self.places or of_address >= max(1, self.places // 2)
