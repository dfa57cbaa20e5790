"""The Compare tab: one prompt, every model's continuation side by side."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from minrnn import side_by_side
from minrnn.config import Sampling
from minrnn.errors import CheckpointError
from minrnn.library import Entry, Library, with_added
from minrnn.settings import MAX_NEW_TOKENS
from minrnn.side_by_side import check_prompt, folded_for
from minrnn.ui.compare import panels
from minrnn.ui.components import plain, visible_errors

EXAMPLES = [
    "ROMEO:\n",
    "To be, or not to be",
    "First Citizen:\nWe are hungry",
    "KING RICHARD III:\nNow is the winter",
    "O gentle Juliet, ",
]
WRITING: dict[str, Any] = {"concurrency_id": "generate", "concurrency_limit": 2}
"""Generations at once: one a core of a free Space."""
MAX_PAGES = 10_000
"""Pages whose last Stop is remembered."""
AT_ONCE: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
QUEUED: dict[str, Any] = {"concurrency_id": "redraw", "concurrency_limit": 8, "show_progress": "hidden"}
"""For what may fail: without the queue a page does not hear of it."""
PRESET_LABELS = {
    "base": "base: 2.3 M parameters, our best recipe",
    "replica": "replica: the student replication's shapes",
}


def build(library: Library, extra: gr.State) -> None:
    """Draw the tab inside the current Blocks.

    Args:
        library: the models loaded at the start.
        extra: references of further models that this visitor added.
    """
    first = library.presets[0] if library.presets else ""
    names = _choices(library, first)
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            prompt = gr.Textbox(
                EXAMPLES[0], label="Prompt", lines=3, max_lines=8, info="Shift+Enter generates."
            )
            gr.Examples(EXAMPLES, prompt, label="Try one of these")
            with gr.Row():
                go = gr.Button("Generate", variant="primary", elem_id="generate")
                halt = gr.Button("Stop", elem_id="stop")
        with gr.Column(scale=2, min_width=300):
            preset = gr.Radio(
                [(PRESET_LABELS.get(name, name), name) for name in library.presets],
                value=first,
                label="Weights",
            )
            chosen = gr.CheckboxGroup(names, value=[key for _, key in names], label="Models")
            controls = _controls()
            _hub_box(library, extra)
    note = gr.Markdown(elem_classes="quiet", elem_id="prompt-note")
    view = panels.panels(panels.saved(list(library.models(first).values())) if first else [])

    clicked = gr.Number(visible=False, elem_id="clicked")
    fields = {
        "prompt": prompt, "preset": preset, "chosen": chosen, "extra": extra, "clicked": clicked, **controls
    }  # fmt: skip
    stops = Stops()
    run = visible_errors(_generator(library, stops, fields))
    outputs = [view, note]
    gr.on(
        [go.click, prompt.submit],
        run,
        set(fields.values()),
        outputs,
        js=_CLICKED.replace("COUNT", str(len(fields))).replace("PLACE", str(_place(clicked, fields))),
        show_progress="hidden",
        api_name="write",
        api_visibility="private",
        **WRITING,
    )
    halt.click(stops.press, clicked, None, js="() => [Date.now()]", api_visibility="private", **AT_ONCE)
    shown: dict[str, Any] = {
        "fn": _redraw(library),
        "inputs": [preset, chosen, extra],
        "outputs": [view, note],
    }
    chosen.input(**shown, api_visibility="private", **QUEUED)
    refill: dict[str, Any] = {"fn": _refill(library), "inputs": [preset, extra], "outputs": chosen}
    gr.on([preset.input, extra.change], **refill, api_visibility="private", **QUEUED).then(
        **shown, api_visibility="private", **QUEUED
    )


_CLICKED = "(...args) => { args[PLACE] = Date.now(); return args.slice(0, COUNT); }"
"""Puts the time of the click, by the page's own clock, where the server expects it."""


def _place(part: gr.components.Component, fields: dict[str, Any]) -> int:
    """Where Gradio puts a component of a set of inputs: it sorts them by id."""
    return sorted(other._id for other in fields.values()).index(part._id)


def _controls() -> dict[str, gr.components.Component]:
    """Length, temperature, top-k, top-p and seed: one set for all models."""
    with gr.Row():
        length = gr.Slider(1, MAX_NEW_TOKENS, 500, step=1, label="Length", info="characters", min_width=140)
        temperature = gr.Slider(
            0, 2, 0.8, step=0.05, label="Temperature", info="0: always the likeliest", min_width=140
        )
    with gr.Accordion("More settings", open=False), gr.Row():
        top_k = gr.Slider(0, 100, 0, step=1, label="Top-k", info="0: off", min_width=120)
        top_p = gr.Slider(0.05, 1, 1, step=0.05, label="Top-p", info="1: off", min_width=120)
        seed = gr.Number(0, label="Seed", info="same seed, same text", precision=0, minimum=0, min_width=120)
        dice = gr.Button("🎲 New seed", size="sm", min_width=60)
    dice.click(lambda: random.randrange(2**31), None, seed, api_visibility="private", **AT_ONCE)
    return {
        "max_new_tokens": length, "temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed
    }  # fmt: skip


def _hub_box(library: Library, extra: gr.State) -> None:
    """Lets a visitor add a model of their own."""
    with gr.Accordion("Add a model from the Hub", open=False):
        ref = gr.Textbox(
            label="Repo",
            placeholder="user/repo, or user/repo@revision",
            scale=4,
            info="any model that minRNN saved",
        )
        add = gr.Button("Add", scale=1, elem_id="add-model")
    gr.on(
        [add.click, ref.submit],
        visible_errors(_adder(library)),
        [ref, extra],
        [ref, extra],
        concurrency_id="hub",
        concurrency_limit=2,
        api_visibility="private",
    )


def _adder(library: Library) -> Any:
    def add(ref: str, extra: list[str]) -> tuple[str, list[str]]:
        """The box emptied, and the list with one model more."""
        longer = with_added(extra, key := library.add_from_hub(ref))
        gr.Info(f"Added {plain(library.further(key).origin)}.")
        return "", longer

    return add


def _choices(library: Library, preset: str, extra: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Title and key of every model on offer."""
    loaded = [(entry.title, key) for key, entry in library.models(preset).items()] if preset else []
    return loaded + [(_further_title(entry), entry.key) for entry in library.readable(extra)]


def _further_title(entry: Entry) -> str:
    return f"{entry.title} ({entry.origin})"


def _entries(library: Library, preset: str, chosen: Sequence[str], extra: Sequence[str]) -> list[Entry]:
    """The chosen models, the preset's first.

    Raises:
        CheckpointError: if none is chosen, or one that is not on offer.
    """
    own = [key for key in chosen if key not in extra]
    entries = library.choose(preset, own) if own else []
    entries += [entry for entry in library.readable(extra) if entry.key in chosen]
    if not entries:
        raise CheckpointError("no model is chosen; tick at least one.")
    return entries


class Stops:
    """When each page last pressed Stop, in milliseconds of that page's own clock.

    A generation ends itself once its page has pressed Stop after the click that began it, also where that click
    still waits in the queue. Cancelling the event instead would race with what is on its way to the page.
    """

    def __init__(self) -> None:
        self._pressed: dict[str, float] = {}

    def press(self, at_ms: float, request: gr.Request) -> None:
        """Remember a click on Stop."""
        if len(self._pressed) >= MAX_PAGES:
            self._pressed.clear()
        self._pressed[str(request.session_hash)] = at_ms

    def since(self, at_ms: float, request: gr.Request) -> bool:
        """Whether that page has pressed Stop after a moment."""
        return self._pressed.get(str(request.session_hash), -1) >= at_ms


def _generator(library: Library, stops: Stops, fields: dict[str, Any]) -> Any:
    def generate(
        values: dict[gr.components.Component, Any], request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        given = {name: values[part] for name, part in fields.items()}
        entries = _entries(library, given.pop("preset"), given.pop("chosen"), given.pop("extra"))
        prompt, clicked = check_prompt(given.pop("prompt")), given.pop("clicked")
        sampling = Sampling(**{name: value for name, value in given.items() if value is not None})
        folded = {entry.key: folded_for(entry.model, prompt) for entry in entries}
        prompts = {key: text.text for key, text in folded.items()}
        note = "  \n".join(dict.fromkeys(text.note for text in folded.values() if text.note))
        models = {entry.key: entry.model for entry in entries}
        for snapshot in side_by_side.write(
            models, prompts, sampling, should_stop=lambda: stops.since(clicked, request)
        ):
            yield panels.at_moment(entries, prompts, snapshot), note

    return generate


def _redraw(library: Library) -> Any:
    """The saved samples of the models that are ticked."""

    def redraw(preset: str, chosen: list[str], extra: list[str]) -> tuple[Any, ...]:
        entries = _entries(library, preset, chosen, extra) if chosen else []
        return panels.saved(entries), ""

    return visible_errors(redraw)


def _refill(library: Library) -> Any:
    """Every model of another preset, all of them ticked."""

    def refill(preset: str, extra: list[str]) -> Any:
        choices = _choices(library, preset, extra)
        return gr.CheckboxGroup(choices, value=[key for _, key in choices])

    return visible_errors(refill)
