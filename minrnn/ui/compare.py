"""The Compare tab: one prompt, every model's continuation side by side."""

from __future__ import annotations

import dataclasses
import html
import random
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr
from gradio.events import api

from minrnn import library
from minrnn.config import Sampling
from minrnn.errors import CheckpointError
from minrnn.library import Entry, Library
from minrnn.settings import MAX_NEW_TOKENS
from minrnn.ui import panels
from minrnn.ui.charts_compare import bars
from minrnn.ui.components import figure_json, live_chart, visible_errors
from minrnn.ui.race import Snapshot, check_prompt, folded_for, race
from minrnn.ui.style import color

EXAMPLES = [
    "ROMEO:\n",
    "To be, or not to be",
    "First Citizen:\nWe are hungry",
    "KING RICHARD III:\nNow is the winter",
    "O gentle Juliet, ",
]
LANE: dict[str, Any] = {"concurrency_id": "generate", "concurrency_limit": 2}
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


def build(shelf: Library, extra: gr.State) -> None:
    """Draw the tab inside the current Blocks.

    Args:
        shelf: the models loaded at the start.
        extra: references of further models that this visitor added.
    """
    first = shelf.presets[0] if shelf.presets else ""
    names = _choices(shelf, first)
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
                [(PRESET_LABELS.get(name, name), name) for name in shelf.presets],
                value=first,
                label="Weights",
            )
            chosen = gr.CheckboxGroup(names, value=[key for _, key in names], label="Models")
            controls = _controls()
            _hub_box(extra)
    note = gr.Markdown(elem_classes="quiet", elem_id="prompt-note")
    view = panels.panels(panels.saved(list(shelf.models(first).values())) if first else [])
    charts = []
    with gr.Row():
        for label in ("Characters per second", "Time to first character", "State carried"):
            with gr.Column(min_width=260):
                charts.append(live_chart(label, 220))

    clicked = gr.Number(visible=False)
    inputs = [prompt, preset, chosen, extra, *controls, clicked]
    stops = Stops()
    run = visible_errors(_generator(shelf, stops))
    outputs = [view, note, *charts]
    gr.on(
        [go.click, prompt.submit],
        run,
        inputs,
        outputs,
        js=f"(...args) => {{ args[{len(inputs) - 1}] = Date.now(); return args.slice(0, {len(inputs)}); }}",
        show_progress="hidden",
        api_name="write",
        api_visibility="private",
        **LANE,
    )
    halt.click(stops.press, clicked, None, js="() => [Date.now()]", api_visibility="private", **AT_ONCE)
    shown: dict[str, Any] = {
        "fn": _redraw(shelf),
        "inputs": [preset, chosen, extra],
        "outputs": [view, note, *charts],
    }
    chosen.input(**shown, api_visibility="private", **QUEUED)
    refill: dict[str, Any] = {"fn": _refill(shelf), "inputs": [preset, extra], "outputs": chosen}
    gr.on([preset.input, extra.change], **refill, api_visibility="private", **QUEUED).then(
        **shown, api_visibility="private", **QUEUED
    )


def _controls() -> list[gr.components.Component]:
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
    return [length, temperature, top_k, top_p, seed]


def _hub_box(extra: gr.State) -> None:
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
        visible_errors(_add_from_hub),
        [ref, extra],
        [ref, extra],
        concurrency_id="hub",
        concurrency_limit=2,
        api_visibility="private",
    )


def _add_from_hub(ref: str, extra: list[str]) -> tuple[str, list[str]]:
    """The box emptied, and the list with one model more."""
    longer = library.added(extra, key := library.from_hub(ref))
    gr.Info(f"Added {html.escape(library.further(key).origin)}.")
    return "", longer


def _choices(shelf: Library, preset: str, extra: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Title and key of every model on offer."""
    loaded = [(entry.title, key) for key, entry in shelf.models(preset).items()] if preset else []
    return loaded + [(_further_title(entry), entry.key) for entry in library.there(extra)]


def _further_title(entry: Entry) -> str:
    return f"{entry.title} ({entry.origin})"


def _entries(shelf: Library, preset: str, chosen: Sequence[str], extra: Sequence[str]) -> list[Entry]:
    """The chosen models, the preset's first.

    Raises:
        CheckpointError: if none is chosen, or one that is not on offer.
    """
    own = [key for key in chosen if key not in extra]
    entries = shelf.choose(preset, own) if own else []
    entries += [entry for entry in library.there(extra) if entry.key in chosen]
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


def _generator(shelf: Library, stops: Stops) -> Any:
    def generate(
        prompt: str, preset: str, chosen: list[str], extra: list[str],
        length: int, temperature: float, top_k: int, top_p: float, seed: int,
        clicked: float, request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:  # fmt: skip
        entries = _entries(shelf, preset, chosen, extra)
        sampling = sampling_from(length, temperature, top_k, top_p, seed)
        check_prompt(prompt)
        note = _note(entries, prompt)
        for snapshot in race(entries, prompt, sampling, should_stop=lambda: stops.since(clicked, request)):
            yield panels.written(entries, prompt, snapshot), note, gr.skip(), gr.skip(), gr.skip()
        yield gr.skip(), note, *_charts(entries, snapshot)

    return generate


def sampling_from(length: Any, temperature: Any, top_k: Any, top_p: Any, seed: Any) -> Sampling:
    """Sampling from a page's numbers, some of which may be missing.

    Raises:
        ConfigError: if one is out of range.
    """
    return Sampling(
        int(length or 0), float(temperature or 0), int(top_k or 0), float(top_p or 0), int(seed or 0)
    )


def _note(entries: Sequence[Entry], prompt: str) -> str:
    """What had to be changed in the prompt, each remark once."""
    return "  \n".join(dict.fromkeys(n for e in entries if (n := folded_for(e.model, prompt).note)))


def _charts(entries: Sequence[Entry], snapshot: Snapshot) -> list[dict[str, Any]]:
    names = [entry.title for entry in entries]
    colors = [color(entry.key, place) for place, entry in enumerate(entries)]
    lanes = [snapshot[entry.key] for entry in entries]
    figures = [
        bars("Characters per second", names, colors, [lane.tokens_per_s for lane in lanes]),
        bars("Time to first character, ms", names, colors, [lane.ttft_s * 1000 for lane in lanes], digits=1),
        bars("State carried, bytes (log)", names, colors, [lane.state_bytes for lane in lanes], log=True),
    ]
    return [figure_json(figure) for figure in figures]


def _redraw(shelf: Library) -> Any:
    """The saved samples of the models that are ticked."""

    def redraw(preset: str, chosen: list[str], extra: list[str]) -> tuple[Any, ...]:
        entries = _entries(shelf, preset, chosen, extra) if chosen else []
        return panels.saved(entries), "", None, None, None

    return visible_errors(redraw)


def _refill(shelf: Library) -> Any:
    """Every model of another preset, all of them ticked."""

    def refill(preset: str, extra: list[str]) -> Any:
        choices = _choices(shelf, preset, extra)
        return gr.CheckboxGroup(choices, value=[key for _, key in choices])

    return visible_errors(refill)


def endpoints(shelf: Library) -> None:
    """Add /generate and /models to the current Blocks' API."""

    def generate(
        prompt: str,
        models: str = "all",
        preset: str = "base",
        max_new_tokens: int = 300,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Let models continue a prompt, side by side; streams a snapshot about every 50 ms. One token is one character.

        Args:
            prompt: the text to continue; characters a model does not know are folded or dropped;
                an empty one starts from a newline.
            models: "all", or names separated by commas: mingru, minlstm, lstm, nanogpt.
            preset: which weights, "base" or "replica".
            max_new_tokens: characters to write, 1 to 5000.
            temperature: divides the logits; 0 always takes the likeliest character.
            top_k: keep the k likeliest characters only; 0 is off.
            top_p: keep the likeliest characters that together reach this probability; 1 is off.
            seed: the same seed gives the same text.

        Returns:
            For every model {text, tokens_per_s, ttft_s, n_params, state_bytes, finish_reason}: the continuation alone,
            its rate, seconds to the first token, its weights, its state's size, and null, "length", "stopped" or
            "deadline".
        """
        names = (
            list(shelf.models(preset)) if models == "all" else [name.strip() for name in models.split(",")]
        )
        entries = shelf.choose(preset, names)
        sampling = Sampling(max_new_tokens, temperature, top_k, top_p, seed)
        for snapshot in race(entries, check_prompt(prompt), sampling):
            yield {key: dataclasses.asdict(lane) for key, lane in snapshot.items()}

    def models() -> dict[str, Any]:
        """The models that are loaded: for every preset and model its origin, shape and metrics."""
        return {
            preset: {key: _described(e) for key, e in shelf.models(preset).items()}
            for preset in shelf.presets
        }

    api(visible_errors(generate), api_name="generate", **LANE)
    api(models, api_name="models", queue=False)


def _described(entry: Entry) -> dict[str, Any]:
    config = {**entry.model.config.to_dict(), "vocab_size": len(entry.model.config.vocab)}
    return {
        "title": entry.title,
        "origin": entry.origin,
        "config": config,
        "metrics": entry.checkpoint.metrics,
    }
