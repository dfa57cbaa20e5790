"""What a page or a script asks to be written."""

import asyncio
import dataclasses
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import pytest
import torch

from minrnn import text
from minrnn.checkpoint import Checkpoint
from minrnn.config import ModelConfig, Sampling
from minrnn.errors import CheckpointError, ConfigError, MinrnnError
from minrnn.generate import stream
from minrnn.library import Entry, Library, Shelf
from minrnn.models import MODEL_NAMES, LanguageModel, mixer_class
from minrnn.serving.writers import Writers
from minrnn.settings import MAX_PROMPT_CHARS
from minrnn.side_by_side import Snapshot, Written
from minrnn.ui import listeners
from minrnn.ui.compare import panels, writing
from minrnn.ui.listeners import Listeners

VOCAB = "\nabcdefgh"


@pytest.fixture(scope="module")
def library() -> Library:
    torch.manual_seed(0)

    def entry(name: str) -> Entry:
        model = LanguageModel(ModelConfig(name, VOCAB, n_layer=1, n_embd=16, block_size=8)).eval()
        return Entry(name, mixer_class(name).title, Checkpoint(model, {}, "made here"), "made here")

    return Library({"base": Shelf(len(MODEL_NAMES), lambda: {name: entry(name) for name in MODEL_NAMES})})


def page(name: str) -> gr.Request:
    return cast(gr.Request, SimpleNamespace(session_hash=name, headers={}, client=None))


def test_a_request_takes_sampling_and_choice_by_name_and_none_keeps_a_default() -> None:
    asked = writing.request({"prompt": "a", "models": "x, y,x", "temperature": None, "top_k": 3.0})
    assert (asked.models, asked.sampling.top_k, asked.sampling.temperature) == (["x", "y"], 3, 0.8)


@pytest.mark.parametrize(
    "wrong", [{"prompt": 3}, {"prompt": "a", "no_such_field": 1}, {"prompt": "a", "models": [1]}]
)
def test_what_is_no_request_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        writing.request(wrong)


def test_a_request_for_nothing_but_a_model_that_is_gone_is_refused_by_its_name(library: Library) -> None:
    for key, name in (("/runs/my-run/model", "my-run"), ("hub:ada/verse@abc", "ada/verse@abc")):
        asked = writing.request({"prompt": "a", "models": [key], "extra": [key]})
        with pytest.raises(CheckpointError, match=f"model '{name}' is gone.* Tick another"):
            writing.prepare(asked, library)


def test_a_model_that_is_gone_is_named_beside_those_that_write(library: Library) -> None:
    key = "/runs/my-run/model"
    begun = writing.prepare(
        writing.request({"prompt": "a", "models": [key, "lstm"], "extra": [key]}), library
    )
    assert [entry.key for entry in begun.entries] == ["lstm"] and "'my-run' is gone" in begun.note
    begun = writing.prepare(writing.request({"prompt": "a", "models": ["lstm"], "extra": [key]}), library)
    assert begun.note == ""


# The snapshots


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    with Writers() as found:
        yield found


def collected(
    library: Library, writers: Writers, listeners: Listeners | None = None, **options: Any
) -> list[Snapshot]:
    """What a visitor sees. Options: fields of a request, and `should_stop` and `deadline_s`."""
    more = {name: options.pop(name) for name in ("should_stop", "deadline_s") if name in options}
    asked = writing.request({"prompt": "ab", "seed": 7, **options})
    begun = writing.prepare(asked, library)

    async def collect() -> list[Snapshot]:
        visit = (listeners or Listeners()).visit(page("one"))
        return [s async for s in writing.snapshots(asked, begun, writers, visit, **more)]

    return asyncio.run(collect())


def reasons(snapshot: Snapshot) -> set[str | None]:
    return {written.finish_reason for written in snapshot.values()}


def test_the_first_snapshot_comes_at_once_and_the_last_says_why_each_ended(
    library: Library, writers: Writers
) -> None:
    first, *_, last = collected(library, writers, max_new_tokens=20)
    assert reasons(first) == {None} and reasons(last) == {"length"}
    for key, written in last.items():
        model = library.models("base")[key].model
        assert written.text == "".join(
            chunk.text for chunk in stream(model, "ab", Sampling(max_new_tokens=20, seed=7))
        )
        assert written.n_params == model.n_params
        assert written.tokens_per_s > 0 and written.ttft_s > 0 and written.state_bytes > 0


def test_the_deadline_ends_every_text(library: Library, writers: Writers) -> None:
    started = time.monotonic()
    last = collected(library, writers, max_new_tokens=5_000, deadline_s=0.2)[-1]
    assert time.monotonic() - started < 3 and reasons(last) == {"deadline"}


def test_a_stop_that_is_asked_for_ends_every_text(library: Library, writers: Writers) -> None:
    last = collected(library, writers, max_new_tokens=5_000, should_stop=lambda: True)[-1]
    assert reasons(last) == {"stopped"} and writers.visitors == 0


def test_snapshots_come_no_faster_than_a_browser_can_show_them(library: Library, writers: Writers) -> None:
    started = time.monotonic()
    count = len(collected(library, writers, max_new_tokens=500))
    assert count <= (time.monotonic() - started) / writing.YIELD_S + 3


def test_what_nobody_listens_to_is_not_begun(library: Library, writers: Writers) -> None:
    nobody, started = Listeners(), time.monotonic()
    asyncio.run(nobody.middleware(_nothing)({"type": "lifespan"}, _never, _never))
    with pytest.raises(MinrnnError, match="nobody listened"):
        collected(library, writers, nobody)
    assert 1 < time.monotonic() - started < 2.5 and writers.visitors == 0


def test_what_nobody_listens_to_any_more_ends(library: Library, writers: Writers) -> None:
    somebody = Listeners()

    async def listen(*_: Any) -> None:
        await asyncio.sleep(0.5)

    async def both() -> list[Snapshot]:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/gradio_api/queue/data",
            "query_string": b"session_hash=one",
            "headers": [],
        }
        heard = asyncio.create_task(somebody.middleware(listen)(scope, _never, _never))
        await asyncio.sleep(0)
        asked = writing.request({"prompt": "ab", "max_new_tokens": 5_000})
        visit = somebody.visit(page("one"))
        begun = writing.prepare(asked, library)
        found = [s async for s in writing.snapshots(asked, begun, writers, visit, deadline_s=30)]
        await heard
        return found

    started = time.monotonic()
    assert asyncio.run(both()) and time.monotonic() - started < 3.5 and writers.visitors == 0


async def _nothing(*_: Any) -> None:
    return


async def _never(*_: Any) -> Any:
    raise AssertionError("nothing is sent or received here")


@pytest.mark.parametrize(
    ("path", "name"),
    [("/gradio_api/call/v2/generate/e1/", "e1"), ("/gradio_api/call/generate/e1", "e1"), ("/config", "")],
)
def test_a_stream_is_known_by_its_address(path: str, name: str) -> None:
    assert listeners._stream({"path": path, "query_string": b""}) == name


@pytest.mark.parametrize(("place", "word"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (12, "12th"), (21, "21st")])
def test_who_waits_is_told_the_place_in_line(place: int, word: str) -> None:
    assert panels.waiting(place).startswith(f"You are {word} in line")


def test_a_prompt_is_folded_once_a_model_however_many_snapshots(
    library: Library, writers: Writers, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    inside, foreign = text._composed, "日本" * (MAX_PROMPT_CHARS // 2)
    monkeypatch.setattr(
        text, "_composed", lambda folded, known: texts.append(folded) or inside(folded, known)
    )
    monkeypatch.setattr(writing, "YIELD_S", 0.0)
    assert len(collected(library, writers, prompt=foreign, max_new_tokens=1_000)) > 3
    assert texts == [foreign] * len(MODEL_NAMES)


def test_the_cards_of_all_models_have_a_sheet_and_a_colour(library: Library) -> None:
    cards = panels.stored(list(library.models("base").values()))["cards"]
    assert len({card["color"] for card in cards}) == len(MODEL_NAMES)
    assert all(dict(card["sheet"])["equation"] for card in cards)


@pytest.mark.parametrize(
    ("corpus", "said"),
    [("allplays", "3.0 M of all plays"), ("diary", "3.0 M of diary"), (None, "3.0 M of a text")],
)
def test_a_sheet_names_the_text_that_was_read_as_people_call_it(
    library: Library, corpus: str | None, said: str
) -> None:
    entry = library.models("base")[MODEL_NAMES[0]]
    metrics = {"tokens_seen": 3_000_000} | ({"corpus": corpus} if corpus else {})
    read = dataclasses.replace(entry, checkpoint=dataclasses.replace(entry.checkpoint, metrics=metrics))
    assert dict(panels.sheet(read))["characters read"] == said


def test_a_card_knows_the_family_of_its_model_whatever_its_key(library: Library) -> None:
    entries = library.models("base")
    further = [dataclasses.replace(entry, key=f"someone/{name}") for name, entry in entries.items()]
    families = [mixer_class(name).family for name in MODEL_NAMES]
    for shown in (list(entries.values()), further):
        assert [card["family"] for card in panels.stored(shown)["cards"]] == families


@pytest.mark.parametrize(
    ("written", "status", "learnt"),
    [
        (Written(), "starting", ""),
        (Written(learn_s=0.5), "learning", ""),
        (Written("a", learn_s=3.2), "writing", "learnt the prompt in 3.2 s"),
        (Written("a", learn_s=3.2, finish_reason="length"), "done", "learnt the prompt in 3.2 s"),
        (Written(learn_s=0.5, finish_reason="stopped"), "stopped", ""),
        (Written("a"), "writing", ""),
    ],
)
def test_a_card_says_that_a_model_learns_until_it_writes_and_then_how_long_it_learnt(
    library: Library, written: Written, status: str, learnt: str
) -> None:
    begun = writing.prepare(writing.request({"prompt": "a", "models": "lstm"}), library)
    (card,) = panels.at_moment(1.0, begun, {"lstm": written})["cards"]
    assert (card["status"], card["learnt"]) == (status, learnt)
