"""The Inside tab: what surprises each model in the reader's own text, and what it remembers of it.

All numbers of a reading are sent once; pointing at a character is answered by the page's own script
(`static/inside.js`, `static/memory.js`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any, TypedDict

import gradio as gr
from gradio.context import Context

from minrnn.errors import MinrnnError
from minrnn.inside.memory import Memory, memory, view
from minrnn.inside.page import Page, page
from minrnn.inside.reading import Reading
from minrnn.library import COMMITTEE, Entry, Library
from minrnn.models import mixer_class
from minrnn.results.inside import load
from minrnn.settings import MAX_READ_CHARS
from minrnn.ui.components import visible_errors
from minrnn.ui.inside import words
from minrnn.ui.listeners import Slots
from minrnn.ui.stops import Stops
from minrnn.ui.theme import color, dash, static

LEAD = (
    "# Press Read, then point at a letter.\n"
    "Dark letters surprised the model. Each row is one model, reading the same text from left to right."
)
LIKELIEST = 5
LEARN_RATE = 0.05
"""The rate of learning while reading; docs/inside.md says how it was chosen."""
EXAMPLES = {
    "A tale": (
        "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
        "it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of "
        "Darkness, it was the spring of hope, it was the winter of despair."
    ),
    "A name twice": (
        "ZUMBARDO:\nGood morrow, cousin.\n\nROMEO:\nIs the day so young?\n\nZUMBARDO:\nBut new struck nine.\n\n"
        "ROMEO:\nAy me! sad hours seem long.\n\nZUMBARDO:\nIt was. What sadness lengthens Romeo's hours?\n"
    ),
    "A bracket": (
        "The king (who had not slept, since the storm of the night before had broken over the sea and had thrown the "
        "ships of his brother upon the rocks) was silent.\nThe queen (his wife) spoke.\n"
    ),
    "Code": "def total(prices):\n    sum = 0\n    for price in prices:\n        sum = sum + price\n    return sum\n",
    "Verse": (
        "JULIET:\nO Romeo, Romeo! wherefore art thou Romeo?\nDeny thy father and refuse thy name;\n"
        "Or, if thou wilt not, be but sworn my love,\nAnd I'll no longer be a Capulet.\n"
    ),
}
QUEUED: dict[str, Any] = {
    "concurrency_id": "read", "concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private",
}  # fmt: skip


class Shown(TypedDict):
    """Data for the page's script.

    Attributes:
        run: the moment of the click that began this reading, in the page's milliseconds.
        page: what the models made of the text.
        names: title, colour and dash of each model, by key.
        sentences: what the figures say, by view.
        ready: whether memory is there as well.
        stored: of the bundled weights, pairs of characters seen and loss on the validation split.
    """

    run: float
    page: Page
    names: dict[str, dict[str, str]]
    sentences: dict[str, str]
    ready: bool
    stored: dict[str, list[tuple[int, float]]]


def build(library: Library, slots: Slots) -> None:
    """Draw the tab inside the current Blocks.

    Args:
        library: the models loaded at the start.
        slots: for readings.
    """
    first = library.first
    choices = _models(library, first)
    with gr.Column(elem_id="inside"):
        gr.Markdown(LEAD, elem_classes="lead")
        with gr.Row(elem_id="inside-bar"):
            text = gr.Textbox(
                EXAMPLES["A tale"], show_label=False, container=False, lines=3, max_lines=8, scale=1, min_width=200,
                placeholder=f"Type or paste up to {MAX_READ_CHARS:,} characters", elem_id="inside-text",
            )  # fmt: skip
            go = gr.Button("Read", variant="primary", elem_id="read", scale=0, min_width=90)
        with gr.Row(elem_id="inside-chips"):
            for name, example in EXAMPLES.items():
                chip = gr.Button(name, elem_classes="chip", size="sm")
                chip.click(lambda example=example: example, None, text, queue=False, api_visibility="private")
            models = gr.CheckboxGroup(
                [(entry.title, entry.key) for entry in choices],
                value=[e.key for e in choices if mixer_class(e.model.config.mixer).chosen_first],
                show_label=False, container=False, elem_classes="chips",
            )  # fmt: skip
            learn = gr.Checkbox(False, label="Learn while reading", container=False, min_width=160, scale=0)

        async def look(asked: Any, request: gr.Request) -> dict[str, Any]:
            try:
                return await slots.answer(request.receive, lambda: _look(library, first, asked))
            except MinrnnError as error:
                return {"error": str(error)}

        panel = gr.HTML(
            value=None,
            html_template='<p class="busy" role="status"></p><div class="inside"></div>',
            css_template=static("inside.css"),
            js_on_load=static("make.js", "inside.js", "memory.js"),
            apply_default_css=False,
            elem_id="inside-view",
            server_functions=[look],
        )
    clicked = gr.Number(0, visible=False)
    stops = Stops()

    async def read(
        text: str, keys: list[str], learning: bool, clicked: float | None, request: gr.Request
    ) -> AsyncIterator[Shown]:
        at = clicked or 0.0
        stops.ask(at - 1, request)  # a visitor has one reading: it ends those that were begun before
        entries = _chosen(library, first, keys)
        reading = Reading(text, LEARN_RATE if learning else 0.0, LIKELIEST)
        work = shown(entries, first, reading, at, lambda: stops.since(at, request))
        async with aclosing(slots.steps(request, work)) as steps:
            async for found in steps:
                yield found

    done = gr.on(
        [go.click, text.submit], visible_errors(read), [text, models, learn, clicked], panel,
        js="(...args) => window.minrnnInside.begin(args)", api_name="inside", trigger_mode="multiple", **QUEUED,
    )  # fmt: skip
    over: dict[str, Any] = {"fn": None, "js": "() => window.minrnnInside.over()"}
    done.success(**over)
    done.failure(**over)
    root = Context.root_block
    assert root is not None
    root.unload(stops.forget)


def _look(library: Library, preset: str, asked: Any) -> dict[str, Any]:
    """One model's memory at another layer or head, for the page's script.

    Raises:
        MinrnnError: for a model, a text, a layer or a head that is not there.
    """
    wanted = asked if isinstance(asked, dict) else {}
    (entry,) = _chosen(library, preset, [wanted.get("model")])
    text = Reading(wanted.get("text", "")).text
    layer, head = (n if isinstance(n := wanted.get(name), int) else None for name in ("layer", "head"))
    return {"view": view(entry.model, text, layer or 0, head)}


def shown(
    entries: list[Entry],
    preset: str,
    reading: Reading,
    run: float = 0,
    replaced: Callable[[], bool] = lambda: False,
) -> Iterator[Shown]:
    """What the page shows of a reading: surprise at once, memory as soon as it is known.

    Args:
        entries: the models.
        preset: theirs; what was measured of its bundled weights stands beside what is measured here.
        reading: what is read.
        run: the moment of the click that began it.
        replaced: once it returns True, no further model's memory is measured and nothing more is shown.
    """
    if replaced():
        return
    models = {entry.key: entry.model for entry in entries}
    names = {e.key: {"title": e.title, "color": color(e.key), "dash": dash(e.key)} for e in entries}
    found = page(models, reading, with_memory=False)
    said = words.surprise(found, _titles(entries)) | words.of_the_release(preset)
    begun: Shown = {
        "run": run, "page": found, "names": names, "sentences": said, "ready": False, "stored": {}
    }  # fmt: skip
    if replaced():
        return
    yield begun
    remembered: dict[str, Memory] = {}
    for key, model in models.items():
        if replaced():
            return
        remembered[key] = memory(model, reading.text)
    whole: Page = {**found, "memory": remembered}
    stored = {key: list(zip(one.seen, one.context, strict=True)) for key, one in load(preset).items()}
    said |= words.memory(whole, _titles(entries))
    yield {**begun, "page": whole, "sentences": said, "ready": True, "stored": stored}


def _titles(entries: list[Entry]) -> dict[str, str]:
    return {entry.key: entry.title for entry in entries}


def _models(library: Library, preset: str) -> list[Entry]:
    loaded = library.models(preset) if preset else {}
    return [entry for key, entry in loaded.items() if key != COMMITTEE]


def _chosen(library: Library, preset: str, keys: Any) -> list[Entry]:
    """The models that are ticked, in the order they are shown.

    Raises:
        CheckpointError: if none is, or one is not here.
    """
    return library.choose(preset, [key for key in keys or [] if isinstance(key, str)])
