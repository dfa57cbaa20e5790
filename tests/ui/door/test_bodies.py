"""How much may be on its way at one time, and what it keeps out."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.datastructures import Headers
from starlette.types import Message

from minrnn import settings
from minrnn.ui.door.bodies import Bodies
from minrnn.ui.door.refusal import Refusal

LIMIT = 1_000_000


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_MAX_REQUEST_BYTES", str(LIMIT))


def sender(size: int, *, ends: bool) -> Callable[[], Awaitable[Message]]:
    """A client that sends so many bytes, and then ends its body or holds it open."""
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": b"x" * size, "more_body": not ends}

    return receive


async def while_many_send_slowly(size: int) -> tuple[int, int]:
    """The length that is read of another body, while as many large ones as may be are held open; and afterwards."""
    bodies, headers = Bodies(), Headers({})
    slow = [
        asyncio.create_task(bodies.read(headers, sender(LIMIT - 1, ends=False)))
        for _ in range(settings.MAX_BODIES_AT_ONCE)
    ]
    await asyncio.sleep(0.05)
    try:
        read = len(await bodies.read(headers, sender(size, ends=True)))
    finally:
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    return read, len(await bodies.read(headers, sender(LIMIT, ends=True)))


@pytest.mark.parametrize("size", [1, 9, 60_000])
def test_slow_senders_of_large_bodies_keep_no_small_one_out(size: int) -> None:
    assert asyncio.run(while_many_send_slowly(size)) == (size, LIMIT)


def test_one_large_body_too_many_is_refused() -> None:
    with pytest.raises(Refusal, match="too many large requests") as caught:
        asyncio.run(while_many_send_slowly(100_000))
    assert caught.value.status == 503


def test_bodies_that_ended_are_no_longer_counted() -> None:
    async def one_after_another() -> int:
        bodies = Bodies()
        return sum([len(await bodies.read(Headers({}), sender(LIMIT, ends=True))) for _ in range(20)])

    assert asyncio.run(one_after_another()) == 20 * LIMIT
