"""What a worker and the app talk over: a connection between two processes, or its like within one."""

from __future__ import annotations

import queue
from typing import Any, Protocol


class Channel(Protocol):
    """One end. `multiprocessing`'s connections are channels."""

    def poll(self) -> bool:
        """Whether there is something to receive."""

    def recv(self) -> Any:
        """What the other end has sent, waiting for it. Raises EOFError once that end is closed."""

    def send(self, obj: Any, /) -> None:
        """Send something, without waiting for the other end to take it."""

    def close(self) -> None:
        """Let the other end know that no more will come."""


class _Closed:
    """Sent last."""


class _End:
    def __init__(self, sent: queue.SimpleQueue[Any], received: queue.SimpleQueue[Any]) -> None:
        self._sent, self._received = sent, received

    def poll(self) -> bool:
        return not self._received.empty()

    def recv(self) -> Any:
        if isinstance(message := self._received.get(), _Closed):
            raise EOFError
        return message

    def send(self, obj: Any, /) -> None:
        self._sent.put(obj)

    def close(self) -> None:
        self._sent.put(_Closed())


def pair() -> tuple[Channel, Channel]:
    """Both ends of a channel between two threads. What is sent arrives as it is, not as a copy."""
    one: queue.SimpleQueue[Any] = queue.SimpleQueue()
    other: queue.SimpleQueue[Any] = queue.SimpleQueue()
    return _End(one, other), _End(other, one)
