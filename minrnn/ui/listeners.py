"""Who listens to the answers. Gradio runs an event whether or not anybody waits for it.

A visitor asks with one request (a POST) and listens with another (an event stream). The middleware notes which
streams are open, so that what nobody hears can be ended.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from urllib.parse import parse_qs

import gradio as gr
from gradio.context import LocalContext
from starlette.types import ASGIApp, Receive, Scope, Send

from minrnn import settings
from minrnn.serving.line import Visitor

CHECK_S = 0.02


class Listeners:
    """The open event streams, by session and by event."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._noticed = False

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """ASGI middleware that notes the streams."""

        async def noticing(scope: Scope, receive: Receive, send: Send) -> None:
            self._noticed = True
            name = _stream(scope) if scope["type"] == "http" and scope["method"] == "GET" else ""
            if not name:
                await app(scope, receive, send)
                return
            self._open[name] += 1
            try:
                await app(scope, receive, send)
            finally:
                self._open[name] -= 1
                if not self._open[name]:
                    del self._open[name]

        return noticing

    def visit(self, request: gr.Request | None) -> Visit:
        """The visitor behind a request; None stands for a call that came from no page."""
        session = str(getattr(request, "session_hash", None) or "")
        names = [name for name in (session, LocalContext.event_id.get(None)) if name]
        return Visit(self, names, Visitor(_address(request), session))

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


def _stream(scope: Scope) -> str:
    """The session or the event whose answers a request wants to hear; empty for another request."""
    path: str = scope["path"]
    if path.endswith("/queue/data"):
        query: bytes = scope.get("query_string", b"")
        return parse_qs(query.decode("latin-1")).get("session_hash", [""])[0]
    return path.rstrip("/").rsplit("/", 1)[-1] if "/gradio_api/call/" in path else ""


def _address(request: gr.Request | None) -> str:
    """Where a request came from. On a Space all come through its proxy, which says for whom."""
    if request is None:
        return ""
    forwarded = str(request.headers.get("x-forwarded-for", "")) if settings.on_space() else ""
    client = request.client
    return forwarded.split(",")[0].strip() or str(getattr(client, "host", "") or "")
