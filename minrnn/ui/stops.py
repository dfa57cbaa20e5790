"""Ending what a page began before: its texts, its readings."""

from __future__ import annotations

from collections import OrderedDict

import gradio as gr

from minrnn.settings import max_pages


class Stops:
    """When each open page last asked for a stop, in milliseconds of that page's own clock.

    What was begun ends itself once its page has asked after the click that began it, also where that click
    still waits in the queue. Cancelling the event instead would race with what is on its way to the page.
    """

    def __init__(self) -> None:
        self._asked: OrderedDict[str, float] = OrderedDict()

    def ask(self, at_ms: float | None, request: gr.Request) -> None:
        """Remember that a page wants what it began before this moment to end."""
        if at_ms is not None:
            page = str(request.session_hash)
            self._asked[page] = max(at_ms, self._asked.get(page, at_ms))  # they may arrive in another order
            self._asked.move_to_end(page)
        while len(self._asked) > max_pages():  # a client that never opens the page is not seen to close it
            self._asked.popitem(last=False)

    def since(self, at_ms: float | None, request: gr.Request) -> bool:
        """Whether that page has asked for a stop after a moment."""
        return self._asked.get(str(request.session_hash), -1) >= (at_ms or 0)

    def forget(self, request: gr.Request) -> None:
        """Forget a page that was closed; what it began has ended with it."""
        self._asked.pop(str(request.session_hash), None)
