"""The form of the training tab."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch

from minrnn import corpora, device, settings, worker
from minrnn.errors import MinrnnError
from minrnn.models import MODEL_NAMES, mixer_class
from minrnn.ui.components import visible_errors
from minrnn.ui.training_wish import FRESH, OWN, TUNED, budgets, starts

PRESET_NOTES = {
    "tiny": "tiny: words within half a minute",
    "base": "base: 2.3 M parameters, our best recipe",
    "replica": "replica: the student replication's shapes",
}
_CORPORA = {"tinyshakespeare": "tiny Shakespeare", "plays": "other plays", "python": "Python"}
_ABOUT = {
    "tinyshakespeare": "Scenes from nine of Shakespeare's plays, 1.1 M characters: what the bundled models read.",
    "plays": "Shakespeare's other plays, 3.6 M characters: none that tiny Shakespeare draws on.",
    "python": "Source of Python's standard library, about 1 M characters: far from anything they have read.",
    OWN: "Paste it, or upload a file in UTF-8. An uploaded file comes first.",
}
_EMPTY = "the preset's"


def build(token: gr.BrowserState) -> list[gr.components.Component]:
    """Draw the fields; they come back in the order of `training_wish.Wish`."""
    source, models, preset, inits = _what()
    corpus, text, file = _text()
    budget = _budget()
    with gr.Accordion("More settings", open=False, elem_id="train-more"):
        more = _more()
    visible: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    source.change(_show_source, [source, token], [models, preset, inits], **visible)
    corpus.change(_show_corpus, corpus, [corpus, text, file], **visible)
    preset.change(visible_errors(lambda *said: budgets(*said)[0]), [preset, models], budget[0], **visible)
    return [source, models, preset, inits, corpus, text, file, *budget, *more]


def _show_source(source: str, token: str) -> list[Any]:
    fresh = source == FRESH
    return [
        gr.update(visible=fresh),
        gr.update(visible=fresh),
        gr.Dropdown(visible=not fresh, choices=starts(token)),
    ]


def _show_corpus(name: str) -> list[Any]:
    own = gr.update(visible=name == OWN)
    return [gr.update(info=_ABOUT.get(name, "")), own, own]


def _what() -> tuple[gr.Radio, gr.CheckboxGroup, gr.Radio, gr.Dropdown]:
    source = gr.Radio([("Nothing", FRESH), ("A trained model", TUNED)], value=FRESH, label="Start from")
    titles = [(mixer_class(name).title, name) for name in MODEL_NAMES]
    models = gr.CheckboxGroup(titles, value=["mingru", "nanogpt"], label="Models", info="One after another.")
    names = [(PRESET_NOTES[name], name) for name in PRESET_NOTES]
    preset = gr.Radio(names, value="tiny", label="Shape and recipe")
    inits = gr.Dropdown(
        [], value=[], multiselect=True, visible=False, label="Models to tune",
        info="Each keeps its shape; new characters enlarge its vocabulary.",
        allow_custom_value=settings.training_mode() == "full",
    )  # fmt: skip
    return source, models, preset, inits


def _text() -> tuple[gr.Radio, gr.Textbox, gr.File]:
    known = corpora.available()
    first = "plays" if "plays" in known else next(iter(known))
    choices = [(_CORPORA.get(name, name), name) for name in known] + [("your own", OWN)]
    corpus = gr.Radio(choices, value=first, label="Text", info=_ABOUT.get(first, ""))
    text = gr.Textbox(label="Your text", lines=5, max_lines=10, visible=False)
    file = gr.File(label="or a UTF-8 file", file_types=["text", ".txt", ".md"], visible=False, height=110)
    return corpus, text, file


def _budget() -> list[gr.Number]:
    limited = settings.training_mode() == "limited"
    top: dict[str, Any] = {"maximum": settings.MAX_ITERS_LIMITED} if limited else {}
    with gr.Row():
        iters = gr.Number(400, label="Iters", info="0: off", precision=0, minimum=0, min_width=90, **top)
        seconds = gr.Number(0, label="Seconds", info="0: off", minimum=0, min_width=90)
        target = gr.Number(
            0, label="Stop at loss", info="validation, 0: off", minimum=0, min_width=90, step=0.1
        )
    return [iters, seconds, target]


def _more() -> list[gr.components.Component]:
    def number(label: str, info: str, precision: int | None = None, value: float | None = None) -> gr.Number:
        return gr.Number(
            value, label=label, info=info, precision=precision, placeholder=_EMPTY, min_width=120, minimum=0
        )

    with gr.Row():
        rate = number("Learning rate", f"tuning: {worker.FINE_TUNE_RATE:g} of the preset's")
        batch = number("Batch", "windows an iter", 0)
        window = number("Window", "characters; fixed when tuning", 0)
        dropout = number("Dropout", "0 to 0.95")
        seed = number("Seed", "weights and data order", 0, 1337)
        evals = number("Evaluate every", "iters", 0)
        written = number("Sample every", "iters; 0: at the end", 0)
        where = gr.Dropdown(_devices(), value="auto", label="Device", min_width=120)
        dtype = gr.Dropdown(["auto", "float32", "bfloat16"], value="auto", label="Precision", min_width=120)
    note = gr.Markdown(_why("auto", "auto"), elem_classes="quiet")
    gr.on(
        [where.change, dtype.change], _why, [where, dtype], note, queue=False, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    return [rate, batch, window, dropout, seed, evals, written, where, dtype]


def _devices() -> list[str]:
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ["auto", "cpu", *(name for name, there in found.items() if there)]


def _why(where: str, dtype: str) -> str:
    """The device and dtype that a run will use, and why."""
    try:
        return f"Will train on {device.choose(where, dtype).reason}."
    except MinrnnError as error:
        return str(error)
