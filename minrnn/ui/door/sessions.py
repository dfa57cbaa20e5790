"""What the app keeps of an open page: little, for a bounded number of pages, and nothing that a stranger has sent.

Gradio keeps a copy of the page's whole description for every session, 0.2 MB, and in it whatever was last sent to any
of its components, whatever its type and size. Only its links to a page's state read that, and those are not offered
here. The results of a call it keeps until somebody fetches them.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import HTTPException
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder

from minrnn import settings
from minrnn.ui.door import uploads
from minrnn.ui.door.calls import check_session
from minrnn.ui.door.refusal import Refusal

CLOSED_S = 3_600
"""Seconds that the state of a closed page is kept, as in Gradio: it may be opened again."""


class Session(SessionState):
    """The state of one page, without Gradio's copy of the page's description and of the values that were sent."""

    def __init__(self, blocks: gr.Blocks) -> None:  # Gradio's own, without the description
        self.blocks_config = copy(blocks.default_config)
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = CLOSED_S

    def __setitem__(self, key: int, value: Any) -> None:
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        pass

    def _update_value_in_config(self, key: int, value: Any) -> None:
        pass


class Sessions(StateHolder):
    """The state of the pages that were used last."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            try:
                check_session(session_id)
            except Refusal as refusal:
                raise HTTPException(refusal.status, str(refusal)) from None
            self.session_data[session_id] = Session(self.blocks)
        return super().__getitem__(session_id)


@asynccontextmanager
async def lifespan(app: App) -> AsyncIterator[None]:
    """Let an app keep its pages' state here, and no folder of a file that is gone."""
    sessions = Sessions()  # type: ignore[no-untyped-call]
    sessions.set_blocks(app.get_blocks())
    app.state_holder = sessions
    sweeping = asyncio.create_task(uploads.sweep(Path(app.uploaded_file_dir)))
    try:
        yield
    finally:
        sweeping.cancel()


class Unfetched:
    """Results that wait for somebody to fetch them. What nobody asks for is dropped before it fills the memory."""

    def __init__(self) -> None:
        self._heard: Counter[str] = Counter()
        self._since: dict[str, float] = {}

    @contextmanager
    def heard(self, session: str) -> Iterator[None]:
        """While a client listens to the results of a session."""
        self._heard[session] += 1
        self._since.pop(session, None)
        try:
            yield
        finally:
            self._heard[session] -= 1
            if not self._heard[session]:
                del self._heard[session]

    def check(self, blocks: gr.Blocks, joining: str) -> None:
        """Refuse a call where too much waits already: each waiting call keeps its request.

        Args:
            blocks: the page.
            joining: the session that is about to begin something.

        Raises:
            Refusal: if there is too much.
        """
        queue = blocks._queue
        waiting = [event for line in queue.event_queue_per_concurrency_id.values() for event in line.queue]
        few = len(waiting) >= settings.MANY_WAITING and joining not in self._heard
        most_calls = settings.MAX_CALLS_UNHEARD if few else settings.MAX_CALLS
        if (count := len(queue.pending_event_ids_session.get(joining, ()))) >= most_calls:
            raise Refusal(
                429, f"{count} calls of this page wait and that is the limit; fetch their results first."
            )
        held = sum(int(event.request.headers.get("content-length", 0)) for event in waiting)
        most = settings.MAX_BODIES_AT_ONCE * settings.max_request_bytes()
        if len(waiting) >= settings.MAX_WAITING or held >= most:
            raise Refusal(
                503, f"{len(waiting)} calls of {held:,} bytes wait here already; try again in a minute."
            )

    async def drop(self, blocks: gr.Blocks, joining: str) -> None:
        """Drop what has waited too long, and the oldest where too many wait.

        Args:
            blocks: the page.
            joining: the session that is about to begin something, and to listen.
        """
        queue, now = blocks._queue, time.monotonic()
        known = {key: self._since.get(key, now) for key in queue.pending_messages_per_session}
        self._since = {key: at for key, at in known.items() if key not in self._heard and key != joining}
        oldest = sorted(self._since, key=self._since.__getitem__)
        late = {key for key in oldest if now - self._since[key] > settings.UNFETCHED_S}
        for session in late.union(oldest[: -settings.MAX_UNFETCHED]):
            await queue.clean_events(session_hash=session)  # what runs for it is told that nobody listens
            queue.pending_messages_per_session.pop(session, None)
            queue.pending_event_ids_session.pop(session, None)
            self._since.pop(session, None)
