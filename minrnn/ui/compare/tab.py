"""The Compare tab: one prompt, every model's continuation side by side.

The page's part (typing samples, following a text, the blind test, the link) is `static/texts.js`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component
from gradio.context import Context

from minrnn import presets, settings
from minrnn.library import COMMITTEE, Entry, Library
from minrnn.models import mixer_class
from minrnn.results import inside, inside_page, verdicts, weights
from minrnn.settings import MAX_NEW_TOKENS
from minrnn.ui.compare import panels, writing
from minrnn.ui.compare.writing import FINISH_LINE, Served
from minrnn.ui.components import plain, visible_errors
from minrnn.ui.stops import Stops

LEAD = (
    "# Were RNNs all we needed?\n{count} models of 2.3 M weights, old and new, continue your words. "
    "Press Write, then let them see only 2 characters."
)
PROMPT = "ROMEO:"
EXAMPLES = ("To be, or not to be", "First Citizen:", "JULIET:")
DICE = (
    "KING RICHARD III:\nNow is the winter", "O gentle Juliet, ", "MENENIUS:\n", "Good morrow, ", "The queen",
    "Once more", "My lord, the ", "What is ", "GLOUCESTER:\nWhy, ",
)  # fmt: skip
_ANY = f"() => {{ const all = {json.dumps(DICE)}; return all[Math.floor(Math.random() * all.length)]; }}"
CONTEXTS = (("∞", 0), ("64", 64), ("16", 16), ("8", 8), ("4", 4), ("2", 2), ("1", 1))
WRITING: dict[str, Any] = {"concurrency_id": "generate", "concurrency_limit": None}
"""All generations begin at once: the line is our own (`serving/line.py`), and a waiting one holds no thread."""
AT_ONCE: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
QUEUED: dict[str, Any] = {"concurrency_id": "redraw", "concurrency_limit": 8, "show_progress": "hidden"}
"""For what may fail: without the queue a page does not hear of it."""


@dataclass
class Fields:
    """What a visitor sets, and where it shows.

    Attributes:
        parts: what is set, by the names of `WriteRequest`, and what the page adds to it.
        view: the cards.
    """

    parts: dict[str, Component]
    view: gr.HTML

    @property
    def inputs(self) -> set[Block]:
        """All of them, as Gradio takes them to hand a dictionary to a handler."""
        return set(self.parts.values())

    @property
    def order(self) -> str:
        """The names in the order in which a script of the page gets the values: Gradio sorts a set by id."""
        return json.dumps(sorted(self.parts, key=lambda name: self.parts[name]._id))

    def given(self, values: dict[Component, Any]) -> dict[str, Any]:
        """The values by name."""
        return {name: values[part] for name, part in self.parts.items()}


def build(library: Library, served: Served, extra: gr.State, copy: gr.Button) -> Fields:
    """Draw the tab inside the current Blocks.

    Args:
        library: the models loaded at the start.
        served: what writes, and who listens.
        extra: references of further models that this visitor added.
        copy: the button that copies the page's link.

    Returns:
        What a visitor can set; `address.link` fills it from an address.
    """
    first = library.first
    with gr.Column(elem_id="compare"):
        gr.Markdown(LEAD.format(count=_count(library, first)), elem_classes="lead")
        with gr.Row(elem_id="bar"):
            prompt = gr.Textbox(
                PROMPT, show_label=False, container=False, lines=1, max_lines=4, scale=1, min_width=120,
                elem_id="prompt", html_attributes=gr.InputHTMLAttributes(spellcheck=False),
                placeholder="Type the beginning of a text",
            )  # fmt: skip
            go = gr.Button("Write", variant="primary", elem_id="write", scale=0, min_width=90)
            halt = gr.Button("Stop", variant="stop", elem_id="stop", scale=0, min_width=90)
        context, blind = _chips(prompt)
        view = panels.panels(panels.stored(ticked(library, first)))
        answer = verdicts.headline(weights.stored(), counted=False)
        measured = _measured(first)
        gr.Markdown(f"{inside_page.alike(measured)} {answer}", elem_classes="quiet", elem_id="alike")
        gear = gr.Button("⚙", elem_id="gear", min_width=44, scale=0)
        with gr.Column(elem_id="settings"):
            parts = _settings(library, first, extra)
    clicked = gr.Number(0, visible=False)
    fields = Fields({"prompt": prompt, "context": context, "extra": extra, "clicked": clicked, **parts}, view)
    _wire(library, served, fields, go, halt)
    gear.click(None, None, None, js="() => window.minrnn.settings()")
    blind.change(None, blind, None, js="on => window.minrnn.blind(on)")
    space = json.dumps(settings.space_url())
    copy.click(
        None,
        fields.inputs,
        None,
        js=f"(...args) => window.minrnn.copyLink(args, {fields.order}, {space})",
    )
    return fields


def _measured(preset: str) -> dict[str, inside.Figures]:
    """What was measured of the models that the page shows; {} where one of them was not, as others' weights."""
    if settings.hub_namespace():
        return {}
    found = inside.load(preset)
    return {} if inside.unmeasured(preset, found) else found


def _wire(library: Library, served: Served, fields: Fields, go: gr.Button, halt: gr.Button) -> None:
    """Tie Write, Stop and the choice of models to what they do."""
    stops, prompt, clicked = Stops(), fields.parts["prompt"], fields.parts["clicked"]
    page = Context.root_block
    assert page is not None and isinstance(prompt, gr.Textbox)

    async def write(values: dict[Component, Any], request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        given = fields.given(values)
        at = given.pop("clicked") or 0
        stops.ask(at - 1, request)  # a new text replaces what its page began before
        given.pop("locked")
        seed = given["seed"]
        asked = writing.request({**given, "finish_line": FINISH_LINE})
        begun = await asyncio.to_thread(writing.prepare, asked, library)
        visit = served.listeners.visit(request)
        async for snapshot in writing.snapshots(
            asked, begun, served.writers, visit, lambda: stops.since(at, request)
        ):
            yield panels.at_moment(at, begun, snapshot), seed

    begin = f"(...args) => window.minrnn.begin(args, {fields.order})"
    starts = [go.click, prompt.submit]
    over: dict[str, Any] = {"fn": None, "js": "() => window.minrnn.over()"}
    text = gr.on(
        starts, visible_errors(write), fields.inputs, [fields.view, fields.parts["seed"]], js=begin,
        show_progress="hidden", api_name="write", api_visibility="private", trigger_mode="multiple", **WRITING,
    )  # fmt: skip
    text.success(**over)
    text.failure(**over)
    halt.click(stops.ask, clicked, None, js="() => [window.minrnn.moment()]", **AT_ONCE)
    page.unload(stops.forget)
    chosen, preset = fields.parts["models"], fields.parts["preset"]
    assert isinstance(chosen, gr.CheckboxGroup) and isinstance(preset, gr.Radio)

    def redraw(preset: str, models: list[str], extra: list[str]) -> panels.Cards:
        own = [entry for key, entry in library.models(preset).items() if key in models]
        return panels.stored([*own, *(e for e in library.readable(extra) if e.key in models)])

    def offered(preset: str, models: list[str], extra: list[str]) -> Any:
        on_offer = choices(library, preset, extra)  # without a run that was deleted meanwhile
        return gr.CheckboxGroup(on_offer, value=[key for _, key in on_offer if key in models])

    def change_preset(preset: str, models: list[str], extra: list[str]) -> Any:
        own = [entry.key for entry in ticked(library, preset)]
        return offered(preset, own + [key for key in extra if key in models], extra)

    def add(preset: str, models: list[str], extra: list[str]) -> Any:
        return offered(preset, [*models, *extra[-1:]], extra)

    options: dict[str, Any] = {
        "inputs": [preset, chosen, fields.parts["extra"]],
        "api_visibility": "private",
        **QUEUED,
    }
    chosen.input(visible_errors(redraw), outputs=fields.view, **options)
    added = fields.parts["extra"].change  # type: ignore[attr-defined]
    for event, fill in ((preset.input, change_preset), (added, add)):
        event(visible_errors(fill), outputs=chosen, **options).then(
            visible_errors(redraw), outputs=fields.view, **options
        )


def _chips(prompt: gr.Textbox) -> tuple[gr.Radio, gr.Checkbox]:
    """Examples, how much the models may see, and the blind test."""
    with gr.Row(elem_id="chips"):
        for text in EXAMPLES:
            chip = gr.Button(text.split("\n")[0], elem_classes="chip", size="sm")
            chip.click(None, None, prompt, js=f"() => {json.dumps(text)}")
        dice = gr.Button("⚄ any", elem_classes="chip", elem_id="dice", size="sm")
        dice.click(None, None, prompt, js=_ANY)
        context = gr.Radio(
            list(CONTEXTS),
            value=0,
            label="they may see",
            elem_classes="chips",
            elem_id="context",
            container=True,
        )
        blind = gr.Checkbox(False, label="Blind", elem_id="blind", container=False, min_width=80, scale=0)
    return context, blind


def _settings(library: Library, preset: str, extra: gr.State) -> dict[str, Component]:
    """What is set once: models, weights, length, drawing, learning, seed, and a model from the Hub."""
    gr.Markdown("### Settings", elem_id="settings-head")
    names = choices(library, preset)
    parts: dict[str, Component] = {
        "models": gr.CheckboxGroup(names, value=[e.key for e in ticked(library, preset)], label="Models"),
        "preset": gr.Radio(
            [(f"{name}: {presets.ABOUT[name]}", name) for name in library.presets], value=preset, label="Weights"
        ),
        "max_new_tokens": gr.Slider(1, MAX_NEW_TOKENS, 500, step=1, label="Length", info="characters"),
        "temperature": gr.Slider(0, 2, 0.8, step=0.05, label="Temperature", info="0: always the likeliest"),
        "top_k": gr.Slider(0, 100, 0, step=1, label="Top-k", info="0: off"),
        "top_p": gr.Slider(0.05, 1, 1, step=0.05, label="Top-p", info="1: off"),
        "seed": gr.Number(0, label="Seed", info="the same seed gives the same text", precision=0, minimum=0),
        "locked": gr.Checkbox(False, label="🔒 Keep this seed", elem_id="lock"),
        "learn": gr.Slider(
            0, 5, 0, step=1, label="Learn the prompt first",
            info="times that a copy of each model learns the prompt before it writes; try it with a page of prose",
        ),
        "learn_rate": gr.Slider(0.01, 0.2, 0.05, step=0.01, label="Rate of learning"),
    }  # fmt: skip
    _hub_box(library, extra)
    done = gr.Button("Done", elem_id="settings-done", size="sm")
    done.click(None, None, None, js="() => window.minrnn.settings(false)")
    return parts


def _hub_box(library: Library, extra: gr.State) -> None:
    """Lets a visitor add a model of their own."""
    ref = gr.Textbox(
        label="Add a model from the Hub", placeholder="user/repo, or user/repo@revision",
        info="any model that minRNN saved",
    )  # fmt: skip
    add = gr.Button("Add", elem_id="add-model", size="sm")

    def add_model(ref: str, extra: list[str]) -> tuple[str, list[str]]:
        """The box emptied, and the list with one model more."""
        longer = library.add_from_hub(ref, extra)
        gr.Info(f"Added {plain(library.further(longer[-1]).origin)}. It writes beside the others now.")
        return "", longer

    gr.on(
        [add.click, ref.submit], visible_errors(add_model), [ref, extra], [ref, extra],
        concurrency_id="hub", concurrency_limit=2, api_visibility="private",
    )  # fmt: skip


def ticked(library: Library, preset: str) -> Sequence[Entry]:
    """The models that write at first."""
    loaded = library.models(preset) if preset else {}
    return [entry for key, entry in loaded.items() if key != COMMITTEE and mixer_class(key).chosen_first]


def choices(library: Library, preset: str, extra: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Title and key of every model on offer."""
    loaded = [(entry.title, key) for key, entry in library.models(preset).items()] if preset else []
    return loaded + [(f"{entry.title} ({entry.origin})", entry.key) for entry in library.readable(extra)]


def _count(library: Library, preset: str) -> str:
    count = len(ticked(library, preset))
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six")
    return words[count] if count < len(words) else str(count)
