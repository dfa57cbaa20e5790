"""Reading a call: in few steps, whatever it holds, and beside the others where it is large."""

import asyncio
import json
import sys
import threading
from types import SimpleNamespace
from typing import cast

import gradio as gr
import pytest
from starlette.types import ASGIApp, Message

from minrnn.ui.door import calls
from minrnn.ui.door.refusal import Refusal
from minrnn.ui.door.routes import Door

COUNT = 50_000


def steps(body: bytes) -> int:
    """Python calls, C functions among them, that reading a body takes."""
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        calls.read(body)
    except Refusal:
        pass
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "body",
    [b"]" * COUNT, b"}" * COUNT, b"[]" * COUNT, b'""' * COUNT, b'"' * COUNT]
    + [b'{"data":["' + escape * COUNT + b'"]}' for escape in (rb"\n", rb"\ud800", rb"\ud83d\ude00", rb"\\")],
    ids=lambda body: body[:16].decode(),
)
def test_no_body_is_read_in_a_step_of_python_for_each_byte(body: bytes) -> None:
    assert steps(body) < COUNT // 20


@pytest.mark.parametrize("closing", [b"]", b"}"])
def test_a_body_that_only_closes_is_refused(closing: bytes) -> None:
    with pytest.raises(Refusal, match="more than 1,000 values"):
        calls.read(b"[1" + closing * 2_000)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (r"\ud800", "\ufffd"),
        (r"\uDFFFx\ud83d", "\ufffdx\ufffd"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud800\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\\ud800", r"\ud800"),
    ],
)
def test_halves_of_surrogate_pairs_are_replaced_and_nothing_else(sent: str, read: str) -> None:
    data, body = calls.read(f'{{"data": [["{sent}"]], "{sent}": 1}}'.encode())
    assert data == {"data": [[read]], read: 1} == json.loads(body)


@pytest.mark.parametrize(("size", "aside"), [(100, False), (300_000, True)])
def test_a_large_body_is_read_beside_the_others(
    size: int, aside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def read(body: bytes) -> None:
        seen.append(threading.current_thread())
        raise Refusal(413, f"{len(body)} bytes were read")

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * size}

    async def send(_: Message) -> None:
        pass

    monkeypatch.setattr(calls, "read", read)
    page = SimpleNamespace(get_blocks=gr.Blocks)
    scope = {"type": "http", "method": "POST", "path": "/gradio_api/queue/join", "headers": [], "app": page}
    asyncio.run(Door(cast(ASGIApp, None), {})(scope, receive, send))
    assert (seen[0] is not threading.current_thread()) == aside
