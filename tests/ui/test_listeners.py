"""Who listens, from where, and what is done for nobody."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import pytest
from starlette.datastructures import Headers

from minrnn import settings
from minrnn.errors import MinrnnError
from minrnn.ui.door.refusal import Refusal
from minrnn.ui.listeners import Listeners, Slots


def asking(*forwarded: str) -> gr.Request:
    headers = Headers(raw=[(b"x-forwarded-for", value.encode()) for value in forwarded])
    client = SimpleNamespace(host="10.0.0.1")
    return cast(gr.Request, SimpleNamespace(session_hash="page", headers=headers, client=client))


def address(*forwarded: str) -> str:
    return Listeners().visit(asking(*forwarded)).visitor.address


def test_on_a_space_the_address_is_what_the_proxy_added_and_not_what_a_visitor_wrote(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPACE_ID", "ada/minrnn")
    assert address("1.1.1.1, 2.2.2.2,3.3.3.3") == address("made up", "1.1.1.1, 3.3.3.3") == "3.3.3.3"
    assert address() == address(" ") == "10.0.0.1"


def test_elsewhere_nothing_that_a_visitor_wrote_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert address("1.1.1.1") == "10.0.0.1"


# Streams


async def _nothing(*_: Any) -> Any:
    await asyncio.sleep(60)


def stream(path: str, client: str = "10.0.0.1") -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": [],
        "client": (client, 1),
    }  # fmt: skip


async def _opened(listeners: Listeners, scopes: list[dict[str, Any]]) -> list[str]:
    """Why streams were refused, all open at once; all are closed at the end."""
    door = listeners.middleware(_nothing)
    tasks = [asyncio.ensure_future(door(scope, _nothing, _nothing)) for scope in scopes]
    await asyncio.sleep(0.01)
    refused = [str(task.exception()) for task in tasks if task.done()]
    assert all(isinstance(task.exception(), Refusal) for task in tasks if task.done())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return refused


@pytest.mark.parametrize("path", ["/gradio_api/heartbeat/one", "/gradio_api/queue/data?session_hash=one"])
def test_a_page_has_only_so_many_streams_and_may_open_others_when_it_closed_some(path: str) -> None:
    listeners, scopes = Listeners(), [stream(path)] * (settings.MAX_STREAMS_PAGE + 2)
    for _ in range(2):
        refused = asyncio.run(_opened(listeners, scopes))
        assert len(refused) == 2 and "8 streams of this page are open and 8 is the limit" in refused[0]


def test_an_address_has_only_so_many_streams_and_others_have_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAX_STREAMS_ADDRESS", 5)
    scopes = [stream(f"/gradio_api/heartbeat/{number}") for number in range(7)]
    refused = asyncio.run(_opened(Listeners(), [*scopes, stream("/gradio_api/heartbeat/x", "10.0.0.2")]))
    assert len(refused) == 2 and "5 streams of this address are open" in refused[0]


def test_a_heartbeat_is_nobody_who_listens() -> None:
    async def both() -> bool:
        opening = asyncio.ensure_future(_opened(listeners, [stream("/gradio_api/heartbeat/page")]))
        await asyncio.sleep(0.005)
        heard = listeners.hears(["page"])
        await opening
        return heard

    listeners = Listeners()
    assert not asyncio.run(both())


# Slots


def test_of_many_calls_that_nobody_hears_none_is_begun_and_all_end_within_two_seconds() -> None:
    begun: list[int] = []

    async def all_of_them() -> list[Any]:
        await listeners.middleware(_at_once)(
            {"type": "lifespan"}, _nothing, _nothing
        )  # it notices from now on
        calls = [slots.call(asking(), lambda n=n: begun.append(n)) for n in range(36)]
        return await asyncio.gather(*calls, return_exceptions=True)

    slots, started = Slots(listeners := Listeners()), time.monotonic()
    found = asyncio.run(all_of_them())
    assert time.monotonic() - started < 2.5 and not begun
    assert all(isinstance(error, MinrnnError) and "nobody listened" in str(error) for error in found)


async def _at_once(*_: Any) -> None: ...


def test_what_nobody_hears_any_more_gives_its_slot_up() -> None:
    steps: list[int] = []

    def work() -> Any:
        for number in range(1_000):
            time.sleep(0.02)
            yield steps.append(number)

    async def leaving() -> str:
        opening = asyncio.ensure_future(_leaves(listeners))
        await asyncio.sleep(0)
        with pytest.raises(MinrnnError, match="nobody listened"):
            async for _ in slots.steps(asking(), work()):
                pass
        await opening
        return await slots.call(None, lambda: "free")

    listeners = Listeners()
    slots = Slots(listeners, 1)
    assert asyncio.run(_with_listener(listeners, leaving)) == "free" and 0 < len(steps) < 200


async def _leaves(listeners: Listeners) -> None:
    await _opened(listeners, [stream("/gradio_api/queue/data?session_hash=page")])


async def _with_listener(listeners: Listeners, what: Any) -> Any:
    """Run it, and let `None`, which is no page, be heard at the end."""
    listeners.hears, hears = lambda names: not names or hears(names), listeners.hears  # type: ignore[method-assign]
    return await what()


def test_no_more_work_than_there_are_slots_is_done_at_once() -> None:
    now, most = 0, 0

    def work() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        time.sleep(0.02)
        now -= 1

    async def many() -> None:
        await asyncio.gather(*[slots.call(asking(), work) for _ in range(8)])

    slots = Slots(at_once=2)
    asyncio.run(many())
    assert most == 2


def test_who_closes_the_connection_of_a_question_takes_no_slot() -> None:
    done: list[str] = []

    async def closed() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def both() -> str:
        busy = asyncio.ensure_future(slots.answer(_nothing, lambda: time.sleep(0.2)))
        await asyncio.sleep(0.05)
        with pytest.raises(MinrnnError, match="nobody listened"):
            await slots.answer(closed, lambda: done.append("for nobody"))
        await busy
        return await slots.answer(_nothing, lambda: "answered")

    slots = Slots(at_once=1)
    assert asyncio.run(both()) == "answered" and not done
