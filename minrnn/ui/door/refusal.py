"""A request that is not let in."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from starlette.types import Receive, Send

DRAIN_S = 10.0
"""A client that sends for longer than this is not waiting for an answer."""


class Refusal(Exception):
    """Why a request is not let in.

    Args:
        status: of the answer.
        why: one sentence that names the value, the limit and the remedy.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def answer(receive: Receive, send: Send, refusal: Refusal) -> None:
    """Send a refusal as JSON, and then read on for a while without keeping anything.

    A client that is still sending would find the connection broken, and never see why.
    """
    body = json.dumps({"detail": str(refusal), "error": str(refusal)}).encode()
    headers = [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close"),
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await drain(receive)
    await send({"type": "http.response.body", "body": b""})


async def drain(receive: Receive) -> None:
    """Read what is still on its way, for a while, and keep none of it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                pass
