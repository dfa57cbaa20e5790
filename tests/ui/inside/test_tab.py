"""What the Inside tab does on the server: readings that replace each other, and questions that take slots."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from urllib.request import Request, urlopen

import gradio as gr
import pytest

from minrnn.inside.reading import Reading
from minrnn.library import Library, open_library
from minrnn.ui.inside import tab
from minrnn.ui.listeners import Slots
from tests.models.small import build

NAMES = ("mingru", "lstm")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("weights")
    for name in NAMES:
        build(name).save(folder / "base" / name)
    return open_library(folder)


def drawn(library: Library, slots: Slots) -> gr.Blocks:
    with gr.Blocks(analytics_enabled=False) as demo:
        tab.build(library, slots)
    return demo


def looking(demo: gr.Blocks) -> tuple[int, Any]:
    """Number of the panel, and its function on the server."""
    (found,) = (block for block in demo.blocks.values() if hasattr(block, "look"))
    return found._id, found.look


async def _open() -> dict[str, str]:
    await asyncio.sleep(60)
    return {"type": "http.disconnect"}


# Readings


def test_a_reading_that_is_replaced_measures_no_further_model(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[int] = []
    memory = tab.memory
    monkeypatch.setattr(tab, "memory", lambda *given: measured.append(1) or memory(*given))
    entries = library.choose("base", NAMES)
    found = list(tab.shown(entries, "base", Reading("abc"), 5.0, lambda: len(measured) > 0))
    assert [(one["run"], one["ready"]) for one in found] == [(5.0, False)] and len(measured) == 1
    assert list(tab.shown(entries, "base", Reading("abc"), 5.0, lambda: True)) == []
    assert [one["ready"] for one in tab.shown(entries, "base", Reading("abc"))] == [False, True]


def test_a_second_reading_of_a_page_replaces_the_first_and_nobody_elses(library: Library) -> None:
    (read,) = (fn for fn in drawn(library, Slots()).fns.values() if fn.api_name == "inside")
    assert read.trigger_mode == "multiple"

    def reading(page: str, at: float) -> Any:
        request = SimpleNamespace(session_hash=page, headers={}, client=None)
        return read.fn("abcdefgh", list(NAMES), False, at, request)

    async def both(first: Any, second: Any) -> tuple[list[bool], list[bool]]:
        begun = await anext(first)
        later = [one["ready"] async for one in second]
        return [begun["ready"], *[one["ready"] async for one in first]], later

    assert asyncio.run(both(reading("one", 5), reading("one", 6))) == ([False], [False, True])
    assert asyncio.run(both(reading("one", 7), reading("two", 8))) == ([False, True], [False, True])


# Another layer or head


def test_another_layer_is_answered_and_one_that_is_not_there_is_an_error(library: Library) -> None:
    _, look = looking(drawn(library, Slots()))

    def ask(**wanted: Any) -> Any:
        return asyncio.run(look({"model": "lstm", "text": "abc", **wanted}, SimpleNamespace(receive=_open)))

    assert ask(layer=1)["view"]["layer"] == 1
    assert "layer is 9" in ask(layer=9)["error"] and "'gone' is not loaded" in ask(model="gone")["error"]
    assert "at most 5,000" in ask(text="a" * 5_001)["error"] and "text is 7" in ask(text=7)["error"]


def test_no_more_questions_than_there_are_slots_are_worked_on_at_once(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, most = 0, 0

    def view(*_: Any) -> dict[str, Any]:
        nonlocal now, most
        now += 1
        most = max(most, now)
        time.sleep(0.05)
        now -= 1
        return {"layer": 0}

    def ask(url: str, at: int) -> Any:
        body = {
            "component_id": at,
            "fn_name": "look",
            "session_hash": "page",
            "data": {"model": "lstm", "text": "a"},
        }
        headers = {"content-type": "application/json"}
        asked = Request(f"{url}gradio_api/component_server", json.dumps(body).encode(), headers)
        with urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    monkeypatch.setattr(tab, "view", view)
    demo = drawn(library, Slots(at_once=2))
    _, url, _ = demo.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        with ThreadPoolExecutor(8) as visitors:
            answers = [visitors.submit(ask, url, looking(demo)[0]) for _ in range(8)]
        assert [answer.result() for answer in answers] == [{"view": {"layer": 0}}] * 8
    finally:
        demo.close()
    assert 0 < most <= 2
