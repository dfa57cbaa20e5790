"""What is kept of a page and of results, over a real socket."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import gradio as gr
import pytest
import torch

from minrnn import settings
from minrnn.config import ModelConfig
from minrnn.library import open_library
from minrnn.models import LanguageModel
from minrnn.runs.queue import TrainingQueue
from minrnn.ui import app
from minrnn.ui.door.refusal import Refusal
from minrnn.ui.door.sessions import Session, Unfetched
from minrnn.ui.listeners import Listeners


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    LanguageModel(ModelConfig("lstm", "\nab", n_layer=1, n_embd=8)).save_pretrained(folder / "base" / "lstm")
    demo = app.build(open_library(folder), queue := TrainingQueue(), None, listeners := Listeners())
    demo.queue().launch(prevent_thread_lock=True, quiet=True, **app.launch_options(listeners))
    yield demo
    demo.close()
    queue.close()


def ask(page: gr.Blocks) -> str:
    """Begin a text that nobody has listened to yet."""
    body = json.dumps({"data": ["ab", "all", "base", 5, 0, 0, 1, 0, 0, 0, 0, 0.05]}).encode()
    with urllib.request.urlopen(f"{page.local_url}gradio_api/call/generate", body, timeout=20) as answer:
        event: str = json.load(answer)["event_id"]
    return event


def listen(page: gr.Blocks, event: str) -> str:
    with urllib.request.urlopen(f"{page.local_url}gradio_api/call/generate/{event}", timeout=20) as answer:
        text: str = answer.read().decode()
    return text


def test_results_that_nobody_fetches_are_dropped(page: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "UNFETCHED_S", 0.2)
    for _ in range(12):
        ask(page)
    time.sleep(0.4)
    for _ in range(2):  # the first sees that they wait, or the last of the twelve did
        last = ask(page)
        time.sleep(0.3)
    assert len(page._queue.pending_messages_per_session) <= 3
    assert len(page._queue.pending_event_ids_session) <= 3
    assert "complete" in listen(page, last)


def test_of_many_that_wait_the_oldest_are_dropped(page: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAX_UNFETCHED", 4)
    events = [ask(page) for _ in range(9)]
    assert len(page._queue.pending_messages_per_session) <= 6
    assert "not known here" in listen(page, events[0])
    assert "complete" in listen(page, events[-1])


def test_a_page_keeps_no_value_that_was_sent_and_no_copy_of_the_page(page: gr.Blocks) -> None:
    session = Session(page)
    part = next(at for at, block in page.blocks.items() if isinstance(block, gr.Textbox))
    session[part] = page.blocks[part]
    session._update_value_in_config(part, "x" * 1_000_000)
    assert list(session.components) == []


def test_the_state_that_a_page_needs_is_kept(page: gr.Blocks) -> None:
    session = Session(page)
    state = next(at for at, block in page.blocks.items() if isinstance(block, gr.State))
    session[state] = ["mine"]
    assert session[state] == ["mine"] and Session(page)[state] != ["mine"]


class Line(NamedTuple):
    """As much of Gradio's queue as is looked at: pages that begin one call after another."""

    queue: list[Any]
    calls: dict[str, set[int]]

    def join(self, unfetched: Unfetched, page: str) -> None:
        line = SimpleNamespace(
            event_queue_per_concurrency_id={"": self}, pending_event_ids_session=self.calls
        )
        unfetched.check(cast(gr.Blocks, SimpleNamespace(_queue=line)), page)
        self.calls.setdefault(page, set()).add(len(self.queue))
        self.queue.append(SimpleNamespace(request=SimpleNamespace(headers={"content-length": "100"})))

    def fill(self, unfetched: Unfetched, page: str) -> int:
        """As many calls as a page may begin."""
        with suppress(Refusal):
            while True:
                self.join(unfetched, page)
        return len(self.calls.get(page, ()))


def test_pages_to_which_nobody_listens_leave_room_for_the_others() -> None:
    line, unfetched = Line([], {}), Unfetched()
    begun = [line.fill(unfetched, f"silent-{number}") for number in range(settings.MAX_UNFETCHED)]
    assert begun[0] == settings.MAX_CALLS and begun[10] == begun[-1] == settings.MAX_CALLS_UNHEARD
    assert len(line.queue) < settings.MAX_WAITING * 0.6
    line.join(unfetched, "visitor")


def test_a_script_that_listens_may_begin_many_calls_where_many_wait() -> None:
    line, unfetched = Line([], {}), Unfetched()
    for number in range(10):
        line.fill(unfetched, f"silent-{number}")
    with unfetched.heard("script"):
        assert line.fill(unfetched, "script") == settings.MAX_CALLS
