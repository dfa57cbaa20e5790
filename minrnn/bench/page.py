"""A page of the app without a browser: it asks and listens by the requests that the page's script sends."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from minrnn.bench.visitors import Response, events, fetch, post

FINISH_LINE = 80
"""Characters beyond its length in which a text on the page may reach the end of a line; the page's own limit."""


class Page:
    """One open page.

    Args:
        url: the app's address.
        config: what /config answers.
    """

    def __init__(self, url: str, config: Mapping[str, Any]) -> None:
        self.url, self.session = url, uuid.uuid4().hex
        self._events = {event["api_name"]: event for event in config["dependencies"]}
        self._parts = {part["id"]: part["props"] for part in config["components"]}
        self._clicked = 0.0

    async def write(self, prompt: str, chars: int, seed: int, leave_after_s: float = 0) -> Response:
        """Press Write and listen to the end.

        Args:
            prompt: the text to continue.
            chars: length.
            seed: of the texts.
            leave_after_s: close the page after so many seconds; 0 does not.
        """
        self._clicked = time.time() * 1000
        given = {"prompt": prompt, "Length": chars, "Seed": seed}
        response = Response()
        asking = asyncio.create_task(self._listen(response, "write", given))
        if leave_after_s:
            await asyncio.wait([asking], timeout=leave_after_s)
            asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        return response

    async def stop(self) -> None:
        """Press Stop."""
        event = self._events["ask"]
        body = {"data": [time.time() * 1000], "fn_index": event["id"], "session_hash": self.session}
        await post(self.url, "/gradio_api/run/predict", body)

    async def redraw(self) -> Response:
        """Tick a model, and wait until the cards are drawn again."""
        response = Response()
        await self._listen(response, "redraw", {})
        return response

    async def _listen(self, response: Response, name: str, given: Mapping[str, Any]) -> None:
        event, began = self._events[name], time.perf_counter()
        body = {
            "data": [self._value(part, given) for part in event["inputs"]], "fn_index": event["id"],
            "session_hash": self.session,
        }  # fmt: skip
        try:
            await post(self.url, "/gradio_api/queue/join", body)
            shown: Any = None
            async for _, data in events(self.url, f"/gradio_api/queue/data?session_hash={self.session}"):
                shown = _after(shown, data)
                if data["msg"] == "process_completed" and not data["success"]:
                    response.problem = str(data["output"].get("error"))
                if name == "write" and isinstance(shown, dict):
                    _note(response, shown, began)
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            response.problem = f"{type(error).__name__}: {error}"

    def _value(self, part: int, given: Mapping[str, Any]) -> Any:
        """What the page would send of a component."""
        props = self._parts[part]
        for name in (props.get("elem_id"), props.get("label")):
            if name in given:
                return given[name]
        if props.get("visible") is False:
            return self._clicked
        return props.get("value")


async def config(url: str) -> Mapping[str, Any]:
    """What the app says of its page."""
    found: Mapping[str, Any] = await fetch(url, "/config")
    return found


def _after(shown: Any, message: Mapping[str, Any]) -> Any:
    """The first output after a message: whole at first, then by differences."""
    from gradio_client.utils import apply_diff  # comes with gradio; slow to import

    output = (message.get("output") or {}).get("data") or [None]
    if message["msg"] not in ("process_generating", "process_completed") or output[0] is None:
        return shown
    if isinstance(output[0], list):
        return apply_diff(shown, output[0])
    return shown if "__type__" in output[0] else output[0]


def _note(response: Response, shown: Mapping[str, Any], began: float) -> None:
    response.texts = {card["key"]: card["text"] for card in shown["cards"]}
    response.reasons = {card["key"]: card["status"] for card in shown["cards"]}
    if "in line" in shown["note"] and not response.chars:
        response.places = [1]
    if response.first_s is None and response.chars:
        response.first_s = time.perf_counter() - began
