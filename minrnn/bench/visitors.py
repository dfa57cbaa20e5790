"""Visitors of a running app, for measurements: plain HTTP and server-sent events, at the least cost to the machine.

The clients share the machine with the app that is measured, so they read bytes from a socket and no more.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

API = "/gradio_api/call/v2"


@dataclass
class Response:
    """What a visitor got from one request.

    Attributes:
        texts: the last text of every model.
        first_s: seconds until the first character of any model; None if none came.
        places: the places in line that the visitor was told, without repetitions.
        reasons: why each text ended; None where it had not.
        problem: the error that came in the place of an end; empty if none.
    """

    texts: dict[str, str] = field(default_factory=dict)
    first_s: float | None = None
    places: list[int] = field(default_factory=list)
    reasons: dict[str, str | None] = field(default_factory=dict)
    problem: str = ""

    @property
    def chars(self) -> int:
        """Characters of all texts."""
        return sum(len(text) for text in self.texts.values())

    def take(self, snapshot: Mapping[str, Mapping[str, Any]]) -> None:
        """Note a snapshot as /generate sends it."""
        self.texts = {key: written["text"] for key, written in snapshot.items()}
        self.reasons = {key: written["finish_reason"] for key, written in snapshot.items()}
        place = max((written.get("place", 0) for written in snapshot.values()), default=0)
        if place and self.places[-1:] != [place]:
            self.places.append(place)


async def generate(url: str, arguments: Mapping[str, Any], leave_after_s: float | None = None) -> Response:
    """Ask /generate and listen to its end.

    Args:
        url: the app's address.
        arguments: of /generate, by name.
        leave_after_s: close the connection after so many seconds.
    """
    response, began = Response(), time.perf_counter()
    try:
        async with asyncio.timeout(leave_after_s):
            event = await post(url, f"{API}/generate", arguments)
            async for kind, data in events(url, f"{API}/generate/{event['event_id']}"):
                if kind == "error":
                    response.problem = str(data)
                elif kind in ("generating", "complete") and data:
                    response.take(data[0])
                    if response.first_s is None and response.chars:
                        response.first_s = time.perf_counter() - began
    except TimeoutError:
        pass
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        response.problem = f"{type(error).__name__}: {error}"
    return response


async def post(url: str, path: str, body: Mapping[str, Any]) -> Any:
    """The JSON that answers a POST.

    Raises:
        ValueError: if the answer is another than 200.
    """
    return await _asked(url, "POST", path, json.dumps(body).encode())


async def fetch(url: str, path: str) -> Any:
    """The JSON that answers a GET.

    Raises:
        ValueError: if the answer is another than 200.
    """
    return await _asked(url, "GET", path)


async def get(url: str, path: str) -> None:
    """Read a page to its end.

    Raises:
        ValueError: if the answer is another than 200.
    """
    await _asked(url, "GET", path, parse=False)


async def _asked(url: str, method: str, path: str, content: bytes = b"", parse: bool = True) -> Any:
    reader, writer = await _open(url, method, path, content)
    try:
        status, chunked, length = await _head(reader)
        if chunked:
            text = b"".join([piece async for piece in _pieces(reader)])
        else:
            text = await (reader.read() if length is None else reader.readexactly(length))
        if status != 200:
            raise ValueError(f"{method} {path} was answered with {status}: {text[:200]!r}")
        return json.loads(text) if parse else None
    finally:
        await _close(writer)


async def events(url: str, path: str) -> AsyncIterator[tuple[str, Any]]:
    """The server-sent events of an address: kind and data.

    Raises:
        ValueError: if the answer is another than 200.
    """
    reader, writer = await _open(url, "GET", path)
    try:
        status, _, _ = await _head(reader)
        if status != 200:
            raise ValueError(f"GET {path} was answered with {status}")
        text = b""
        async for piece in _pieces(reader):
            *whole, text = (text + piece).split(b"\n\n")
            for event in whole:
                fields = dict(line.split(b": ", 1) for line in event.split(b"\n") if b": " in line)
                yield fields.get(b"event", b"message").decode(), json.loads(fields.get(b"data", b"null"))
    finally:
        await _close(writer)


async def _open(
    url: str, method: str, path: str, content: bytes = b""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the request has been sent."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"{method} {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + content)
    await writer.drain()
    return reader, writer


async def _head(reader: asyncio.StreamReader) -> tuple[int, bool, int | None]:
    """Status, whether the body comes in pieces, and its length where that is known."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    length = headers.get("content-length")
    chunked = headers.get("transfer-encoding") == "chunked"
    return int(lines[0].split()[1]), chunked, None if length is None else int(length)


async def _pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The pieces of a chunked body."""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
