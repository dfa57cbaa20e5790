"""The addresses that exist here. Gradio has some more, which this page does not need and strangers should not have.

Among those are its monitoring, its links to a page's state (each writes a file), recordings, the editing of the page
and its proxy.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from gradio.routes import App, file_upload_statuses
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from minrnn.ui.door import bodies, calls
from minrnn.ui.door.bodies import Bodies
from minrnn.ui.door.refusal import Refusal, answer
from minrnn.ui.door.sessions import Unfetched
from minrnn.ui.door.uploads import Uploads

_READ = re.compile(
    r"/|/config/?|/favicon\.ico|/manifest\.json|/pwa_icon|/robots\.txt|/theme\.css|/(?:assets|static|svelte)/.*"
    r"|/login_check/?|/gradio_api/(?:info/?|openapi\.json|app_id/?|user/?|login_check/?|startup-events|theme\.css"
    r"|file=(?!https?:).*|queue/status)",
    re.DOTALL,
)
"""What may be read. A file by the address of another host would be fetched from there."""
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/(.*)", re.DOTALL)
_RESULTS = re.compile(r"/gradio_api/(?:queue/data|call/(?:v2/)?[^/]*/(.*))", re.DOTALL)
_CALL = re.compile(r"/gradio_api/(run|api|call/v2|call)/([^/]*)/?", re.DOTALL)
_MCP = re.compile(r"/gradio_api/mcp(?:/.*)?", re.DOTALL)
_GONE = (
    b'data: {"msg":"unexpected_error","message":"This session is not known here; reload the page.",'
    b'"session_not_found":true,"success":false}\n\n'
)
Check = Callable[[gr.Blocks, dict[str, Any]], None]
_POSTS: dict[str, Check] = {
    "/gradio_api/queue/join": partial(calls.check_call, name="", queued=True),
    "/gradio_api/component_server": calls.check_component,
    "/gradio_api/cancel": calls.check_cancel,
    "/gradio_api/reset": calls.check_event,
}


class Door:
    """ASGI middleware that lets in what the page needs.

    Args:
        app: what it wraps.
        files: further files that the page needs, by address.
    """

    def __init__(self, app: ASGIApp, files: dict[str, Path]) -> None:
        self.app = app
        self.files = files
        self._bodies = Bodies()
        self._unfetched = Unfetched()
        self._uploads = Uploads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            try:
                await self._enter(scope, receive, send)
            except Refusal as refusal:
                await answer(receive, send, refusal)
        else:  # Gradio has no websockets any more
            await send({"type": "websocket.close", "code": 1008})

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, page = _path(scope), scope["app"]
        if scope["method"] in ("GET", "HEAD"):
            if path in self.files:
                headers = {"cache-control": "public, max-age=86400"}
                await FileResponse(self.files[path], headers=headers)(scope, receive, send)
                return
            await self._read(path, page, scope, receive, send)
        elif scope["method"] == "POST":
            await self._post(path, page, scope, receive, send)
        else:
            raise Refusal(405, f"{scope['method'][:20]} is not answered here; use GET or POST.")

    async def _read(self, path: str, page: App, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _query(scope)
        if found := _HEARTBEAT.fullmatch(path):
            calls.check_session(found[1])
        elif found := _RESULTS.fullmatch(path):
            await self._results(
                found[1] or "".join(asked.get("session_hash", [])), page, scope, receive, send
            )
            return
        elif path == "/gradio_api/upload_progress":
            calls.check_session("".join(asked.get("upload_id", [])))
        elif not (_READ.fullmatch(path) or _is_mcp(page, path)) or "deep_link" in asked or _is_long(path):
            raise Refusal(404, "there is no such address here.")
        await self.app(scope, receive, send)

    async def _results(self, name: str, page: App, scope: Scope, receive: Receive, send: Send) -> None:
        """The results of a session, or of one event, as they come."""
        calls.check_session(name)
        queue = page.get_blocks()._queue
        event = queue.event_ids_to_events.get(name)
        holders = (key for key, ids in queue.pending_event_ids_session.items() if name in ids)
        session = name if name in queue.pending_messages_per_session else None
        session = session or (event.session_hash if event else next(holders, None))
        if session is None or session not in queue.pending_messages_per_session:
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": _GONE})
            return
        with self._unfetched.heard(session):
            await self.app(scope, receive, send)

    async def _post(self, path: str, page: App, scope: Scope, receive: Receive, send: Send) -> None:
        headers, blocks = Headers(scope=scope), page.get_blocks()
        if path == "/gradio_api/upload":
            await self._upload(blocks, scope, receive, send)
            return
        named = _CALL.fullmatch(path)
        data: dict[str, Any] = {}
        if _is_mcp(page, path):
            body = await self._bodies.read(headers, receive)
        elif named or path.removesuffix("/") in _POSTS:
            data, body = await calls.read_aside(await self._bodies.read(headers, receive))
            if named and named[1] == "call/v2":
                calls.check_named(blocks, data, named[2])
            elif named and named[1] == "call":
                calls.check_call(blocks, data, named[2], queued=True)
            elif named:
                calls.check_call(blocks, data, "" if "fn_index" in data else named[2], queued=False)
            else:
                _POSTS[path.removesuffix("/")](blocks, data)
            scope = _as_json(scope, len(body))
        else:
            raise Refusal(404, "there is no such address here.")
        if (named and named[1].startswith("call")) or path.startswith("/gradio_api/queue"):
            joining = str(data.get("session_hash"))
            await self._unfetched.drop(blocks, joining)
            self._unfetched.check(blocks, joining)
        await self.app(scope, bodies.replayed(body, receive), send)

    async def _upload(self, blocks: gr.Blocks, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _query(scope).get("upload_id", [])
        for name in asked:
            calls.check_session(name)
        try:
            body = bodies.upload(Headers(scope=scope), receive)
            with self._uploads.place(blocks):
                await self.app(scope, body, send)
        finally:
            for name in asked:
                file_upload_statuses.set_done(name)
                file_upload_statuses.stop_tracking(name)
                file_upload_statuses._signals.pop(name, None)


def _path(scope: Scope) -> str:
    """The address below the place where the app is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root else path


def _is_long(path: str) -> bool:
    """Whether no file system takes this as a path; Gradio would end in a traceback."""
    return len(path) > 2_000 or any(len(name.encode()) > 255 for name in path.split("/"))


def _query(scope: Scope) -> dict[str, list[str]]:
    try:
        return parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=100)
    except ValueError:
        raise Refusal(400, "the address has more than 100 fields; leave some out.") from None


def _is_mcp(page: App, path: str) -> bool:
    return bool(getattr(page.get_blocks(), "mcp_server", False) and _MCP.fullmatch(path))


def _as_json(scope: Scope, length: int) -> Scope:
    """The request with the type and the length that its body has now."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    for name in ("content-encoding", "transfer-encoding"):
        if name in headers:
            del headers[name]
    headers["content-type"] = "application/json"
    headers["content-length"] = str(length)
    return {**scope, "headers": headers.raw}
