"""The body of a request, read only as far as it may be large; it need not say its length beforehand."""

from __future__ import annotations

import asyncio
import re

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

from minrnn import settings
from minrnn.ui.door.refusal import Refusal, drain

_SMALL = 65_536
"""A body of no more bytes is always let in: what eight slow senders hold open must not keep a Stop out."""
_PIECE = 65_536
"""Bytes that are handed on together: a stranger may send single ones, and each piece costs something."""
_MULTIPART_BYTES, _MOST_PARTS = 4_096, 2
"""Room for what stands around a file, and for one field beside it: the page's box takes one file."""


class Bodies:
    """The large bodies that are being received at this moment. The app has one."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, headers: Headers, receive: Receive) -> bytes:
        """A whole body.

        Raises:
            Refusal: if it is too large, comes too slowly, or too many others are on their way.
        """
        limit = settings.max_request_bytes()
        check_length(headers, limit)
        body, counted = bytearray(), 0
        try:
            async with asyncio.timeout(settings.BODY_TIMEOUT_S):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Refusal(
                            400, "the connection ended before the request was whole; send it again."
                        )
                    body += message.get("body", b"")
                    if len(body) > limit:
                        raise too_large(limit)
                    if len(body) > _SMALL:
                        self._held += len(body) - counted
                        counted = len(body)
                    if counted and self._held > settings.MAX_BODIES_AT_ONCE * limit:
                        raise Refusal(
                            503, "too many large requests come in at once; try again in a few seconds."
                        )
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            seconds = f"{settings.BODY_TIMEOUT_S:g}"
            raise Refusal(408, f"the request was not whole after {seconds} seconds; send it again.") from None
        finally:
            self._held -= counted


def check_length(headers: Headers, limit: int) -> None:
    """Refuse a body that says itself that it is too large, before any of it is read."""
    length = headers.get("content-length", "")
    if length.isdigit() and (len(length) > 15 or int(length) > limit):
        raise too_large(limit, length)


def too_large(limit: int, length: str = "") -> Refusal:
    """The refusal of a body that is too large."""
    has = f"has {int(length):,}" if length and len(length) < 16 else f"has more than {limit:,}"
    return Refusal(413, f"the request {has} bytes and the limit here is {limit:,}; send less.")


def replayed(body: bytes, receive: Receive) -> Receive:
    """A body that has been read, to be read again; after it, what happens to the connection."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def upload(headers: Headers, receive: Receive) -> Receive:
    """The body of an upload, which Gradio writes to disk as it comes, up to its limit.

    What ends it is raised as the error after which Gradio removes the part that it has written.

    Args:
        headers: of the request.
        receive: what it comes from.

    Raises:
        Refusal: if no file is taken here, or it says that it is too large, or is no form.
    """
    largest = settings.max_upload_bytes()
    if not largest:
        raise Refusal(403, "nothing on this page takes a file; training is switched off here.")
    limit = largest + _MULTIPART_BYTES
    check_length(headers, limit)
    boundary = re.search(r'boundary="?([^";,]{1,70})', headers.get("content-type", ""))
    if not headers.get("content-type", "").startswith("multipart/form-data") or boundary is None:
        raise Refusal(
            400, "an upload must be multipart/form-data with a boundary; send the file as a form does."
        )
    return _bounded(receive, largest, limit, boundary[1].encode("latin-1", "replace"))


def _bounded(receive: Receive, largest: int, limit: int, boundary: bytes) -> Receive:
    size, parts, tail = 0, 0, b""
    ends = asyncio.get_running_loop().time() + settings.BODY_TIMEOUT_S

    async def bounded() -> Message:
        nonlocal size, parts, tail
        pieces: list[bytes] = []
        more = True
        while more and sum(map(len, pieces)) < _PIECE:
            try:
                async with asyncio.timeout_at(ends):
                    message = await receive()
            except TimeoutError:
                raise MultiPartException(
                    f"the file was not whole after {settings.BODY_TIMEOUT_S:g} seconds; send it again."
                ) from None
            if message["type"] != "http.request":
                raise MultiPartException("the connection ended before the file was whole; send it again.")
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = b"".join(pieces)
        size += len(body)
        parts += (tail + body).count(boundary)
        tail = (tail + body)[-len(boundary) + 1 :] if len(boundary) > 1 else b""
        if size > limit:
            if more:
                await drain(receive)
            raise MultiPartException(
                f"the file is over the maximum allowed size of {largest:,} bytes; send a shorter one."
            )
        if parts > _MOST_PARTS + 1:  # the last one ends the form
            raise MultiPartException("one file is taken at a time; send them one after another.")
        return {"type": "http.request", "body": body, "more_body": more}

    return bounded
