"""Who listens to the answers. Gradio runs an event whether or not anybody waits for it.

A visitor asks with one request (a POST) and listens with another (an event stream). The middleware notes which
streams are open, so that what nobody hears can be ended.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs

import gradio as gr
from gradio.context import LocalContext
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from minrnn import settings
from minrnn.errors import MinrnnError
from minrnn.serving.line import Visitor
from minrnn.ui.door.refusal import Refusal

CHECK_S = 0.02
T = TypeVar("T")


class Listeners:
    """The open event streams, by session and by event."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._of_page: Counter[str] = Counter()
        self._of_address: Counter[str] = Counter()
        self._noticed = False

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """ASGI middleware that notes the streams, and refuses those beyond what a page and an address may have."""

        async def noticing(scope: Scope, receive: Receive, send: Send) -> None:
            self._noticed = True
            asks = scope["type"] == "http" and scope["method"] == "GET"
            heard = _stream(scope) if asks else ""
            page = heard or (_heartbeat(scope) if asks else "")
            if not page:
                await app(scope, receive, send)
                return
            client = scope.get("client")
            address = _address(Headers(scope=scope), client[0] if client else "")
            self._check(page, address)
            with (
                _counted(self._of_page, page),
                _counted(self._of_address, address),
                _counted(self._open, heard),
            ):
                await app(scope, receive, send)

        return noticing

    def _check(self, page: str, address: str) -> None:
        """Refuse a stream too many; each holds a connection open for as long as its client likes."""
        limits = {
            "this page": (self._of_page[page], settings.MAX_STREAMS_PAGE),
            "this address": (self._of_address[address], settings.MAX_STREAMS_ADDRESS),
        }
        for whose, (count, most) in limits.items():
            if count >= most:
                raise Refusal(
                    429, f"{count} streams of {whose} are open and {most} is the limit; close some."
                )

    def visit(self, request: gr.Request | None) -> Visit:
        """The visitor behind a request; None stands for a call that came from no page."""
        session = str(getattr(request, "session_hash", None) or "")
        names = [name for name in (session, LocalContext.event_id.get(None)) if name]
        client = str(getattr(getattr(request, "client", None), "host", "") or "")
        address = "" if request is None else _address(request.headers, client)
        return Visit(self, names, Visitor(address, session))

    def hears(self, names: list[str]) -> bool:
        """Whether one of these streams is open; True where nobody notices streams."""
        return not self._noticed or any(name in self._open for name in names)


class Visit:
    """One request's visitor.

    Args:
        listeners: who listens.
        names: of the streams on which this one would.
        visitor: who it is.
    """

    def __init__(self, listeners: Listeners, names: list[str], visitor: Visitor) -> None:
        self.visitor = visitor
        self._listeners, self._names, self._heard = listeners, names, time.monotonic()

    async def comes(self) -> bool:
        """Wait for the listener, for UNHEARD_S at most. Returns whether there is one."""
        while not self._listeners.hears(self._names):
            if self.is_over():
                return False
            await asyncio.sleep(CHECK_S)
        return True

    def is_over(self) -> bool:
        """Whether nobody has listened for UNHEARD_S. Ask often: it notes when there was somebody."""
        now = time.monotonic()
        if self._listeners.hears(self._names):
            self._heard = now
        return now - self._heard > settings.UNHEARD_S


class Heard(Protocol):
    """A request, and whether somebody still waits for its answer."""

    async def comes(self) -> bool:
        """Whether somebody waits, after waiting for them."""

    def is_over(self) -> bool:
        """Whether nobody waits any more."""


class Caller:
    """One request whose answer goes back on its own connection: whoever has closed it waits no more.

    Args:
        receive: what happens to the connection; the request's body has been read.
    """

    def __init__(self, receive: Receive) -> None:
        self._closing = asyncio.ensure_future(_closed(receive))

    async def comes(self) -> bool:
        """Whether the connection is open."""
        return not self.is_over()

    def is_over(self) -> bool:
        """Whether the connection was closed."""
        return self._closing.done()

    def answered(self) -> None:
        """Look no more."""
        self._closing.cancel()


class Slots:
    """Slots for work that takes a core for seconds. What nobody listens to is not begun, or is given up.

    Args:
        listeners: who listens.
        at_once: how many slots there are.
    """

    def __init__(self, listeners: Listeners | None = None, at_once: int = settings.MAX_READINGS) -> None:
        self._listeners, self._free = listeners or Listeners(), asyncio.Semaphore(at_once)

    async def call(self, request: gr.Request | None, work: Callable[[], T]) -> T:
        """What a function returns, in a thread.

        Raises:
            MinrnnError: if nobody listens.
        """
        async with self._slot(self._listeners.visit(request)):
            return await asyncio.to_thread(work)

    async def answer(self, receive: Receive, work: Callable[[], T]) -> T:
        """As `call`, for a request that is answered on its own connection.

        Args:
            receive: of that request.
            work: what is done in a thread.

        Raises:
            MinrnnError: if the connection was closed before there was a slot.
        """
        caller = Caller(receive)
        try:
            async with self._slot(caller):
                return await asyncio.to_thread(work)
        finally:
            caller.answered()

    async def steps(self, request: gr.Request | None, work: Iterator[T]) -> AsyncGenerator[T, None]:
        """What an iterator gives, each in a thread.

        Raises:
            MinrnnError: if nobody listens, looked at before each step.
        """
        over: Any = object()
        visit = self._listeners.visit(request)
        async with self._slot(visit):
            while not visit.is_over() and (found := await asyncio.to_thread(next, work, over)) is not over:
                yield found
            if visit.is_over():
                raise unheard()

    @asynccontextmanager
    async def _slot(self, visit: Heard) -> AsyncIterator[None]:
        if not await visit.comes():
            raise unheard()
        taking = asyncio.ensure_future(self._free.acquire())
        try:
            while not taking.done():
                await asyncio.wait([taking], timeout=settings.UNHEARD_S / 4)
                if visit.is_over():
                    raise unheard()
            yield
        finally:
            if taking.done() and not taking.cancelled():
                self._free.release()
            else:
                taking.cancel()


def unheard() -> MinrnnError:
    """The error of a request to which nobody listens."""
    return MinrnnError(
        f"nobody listened to the answer within {settings.UNHEARD_S:g} s, so it was given up; ask again."
    )


async def _closed(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@contextmanager
def _counted(counter: Counter[str], name: str) -> Iterator[None]:
    if not name:
        yield
        return
    counter[name] += 1
    try:
        yield
    finally:
        counter[name] -= 1
        if not counter[name]:
            del counter[name]


def _heartbeat(scope: Scope) -> str:
    """The page whose heartbeat a request is; empty for another request."""
    path: str = scope["path"]
    return path.rsplit("/", 1)[-1] if "/gradio_api/heartbeat/" in path else ""


def _stream(scope: Scope) -> str:
    """The session or the event whose answers a request wants to hear; empty for another request."""
    path: str = scope["path"]
    if path.endswith("/queue/data"):
        query: bytes = scope.get("query_string", b"")
        return parse_qs(query.decode("latin-1")).get("session_hash", [""])[0]
    return path.rstrip("/").rsplit("/", 1)[-1] if "/gradio_api/call/" in path else ""


def _address(headers: Mapping[str, str], client: str) -> str:
    """Where a request came from.

    On a Space all come through its proxy, which adds for whom to what a visitor may have written there already.
    """
    forwarded = ""
    if settings.on_space():
        several = headers.getlist("x-forwarded-for") if isinstance(headers, Headers) else []
        forwarded = several[-1] if several else str(headers.get("x-forwarded-for", ""))
    return forwarded.rsplit(",", 1)[-1].strip() or client
