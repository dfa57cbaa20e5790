"""The form of the training tab."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch

from minrnn import corpora, device, presets, settings
from minrnn.corpora import CORPORA, OWN
from minrnn.errors import MinrnnError
from minrnn.models import MODEL_NAMES, mixer_class
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import TrainRequest, bundled_starts, longest_budget
from minrnn.runs.spec import FINE_TUNE_RATE
from minrnn.ui.components import visible_errors

FRESH, TUNED = "fresh", "tuned"
_ABOUT_OWN = "Paste it, or upload a file in UTF-8. An uploaded file comes first."
_EMPTY = "the preset's"
Fields = dict[str, Any]
"""The form: a component for every field of `TrainRequest` that it asks for, and "source"."""


def build(queue: TrainingQueue, token: gr.BrowserState) -> Fields:
    """Draw the fields."""
    fields = {**_what(), **_text(), **_budget()}
    with gr.Accordion("More settings", open=False, elem_id="train-more"):
        fields |= _more()
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    source, corpus, preset, models = (fields[name] for name in ("source", "corpus", "preset", "models"))

    def show_source(chosen: str, token: str) -> list[Any]:
        fresh = gr.update(visible=chosen == FRESH)
        return [fresh, fresh, gr.Dropdown(visible=chosen != FRESH, choices=starts(queue, token))]

    source.change(show_source, [source, token], [models, preset, fields["inits"]], **quiet)
    corpus.change(_show_corpus, corpus, [corpus, fields["text"], fields["file"]], **quiet)
    gr.on(
        [preset.change, models.change],
        visible_errors(_show_budget),
        [preset, models],
        fields["max_iters"],
        **quiet,
    )
    return fields


def request(fields: Fields, values: dict[Any, Any]) -> TrainRequest:
    """What the form asks for.

    Args:
        fields: as `build` returned them.
        values: by component, as Gradio hands them to a handler.

    Raises:
        MinrnnError: for a value that cannot be.
    """
    given = {name: values[part] for name, part in fields.items()}
    fresh = given.pop("source") == FRESH
    given["models" if not fresh else "inits"] = []
    return TrainRequest(**given)


def starts(queue: TrainingQueue, token: str) -> list[tuple[str, str]]:
    """Title and folder of every checkpoint that can be started from: the bundled ones, then the visitor's runs."""
    bundled = [(f"{mixer_class(model).title} {preset}", path) for preset, model, path in bundled_starts()]
    return bundled + [(run.title, str(run.model)) for run in queue.runs.listed(token) if run.begun]


def _show_budget(preset: str, models: list[str]) -> Any:
    return gr.Number(placeholder=f"{longest_budget(preset, models):,}")


def _show_corpus(name: str) -> list[Any]:
    own = gr.update(visible=name == OWN)
    return [gr.update(info=CORPORA[name].about if name in CORPORA else _ABOUT_OWN), own, own]


def _what() -> Fields:
    source = gr.Radio([("Nothing", FRESH), ("A trained model", TUNED)], value=FRESH, label="Start from")
    titles = [(mixer_class(name).title, name) for name in MODEL_NAMES]
    models = gr.CheckboxGroup(
        titles, value=list(presets.FIRST_MODELS), label="Models", info="One after another."
    )
    names = [(f"{name}: {presets.ABOUT[name]}", name) for name in presets.OFFERED]
    preset = gr.Radio(names, value="tiny", label="Shape and recipe")
    inits = gr.Dropdown(
        [], value=[], multiselect=True, visible=False, label="Models to tune",
        info="Each keeps its shape; new characters enlarge its vocabulary.",
        allow_custom_value=settings.training_mode() == "full",
    )  # fmt: skip
    return {"source": source, "models": models, "preset": preset, "inits": inits}


def _text() -> Fields:
    known = corpora.available()
    first = "plays" if "plays" in known else known[0]
    choices = [(CORPORA[name].title, name) for name in known] + [("your own", OWN)]
    corpus = gr.Radio(choices, value=first, label="Text", info=CORPORA[first].about)
    text = gr.Textbox(label="Your text", lines=5, max_lines=10, visible=False)
    file = gr.File(label="or a UTF-8 file", file_types=["text", ".txt", ".md"], visible=False, height=110)
    return {"corpus": corpus, "text": text, "file": file}


def _budget() -> Fields:
    limited = settings.training_mode() == "limited"
    top: dict[str, Any] = {"maximum": settings.MAX_ITERS_LIMITED} if limited else {}
    first = f"{longest_budget('tiny', []):,}"
    with gr.Row():
        iters = gr.Number(
            None, label="Iters", info="0: off", placeholder=first, precision=0, minimum=0, min_width=90, **top
        )
        seconds = gr.Number(None, label="Seconds", info="0: off", placeholder="off", minimum=0, min_width=90)
        target = gr.Number(
            None,
            label="Stop at loss",
            info="validation, 0: off",
            placeholder="off",
            minimum=0,
            min_width=90,
            step=0.1,
        )
    return {"max_iters": iters, "max_seconds": seconds, "target_val_loss": target}


def _more() -> Fields:
    def number(label: str, info: str, precision: int | None = None, value: float | None = None) -> gr.Number:
        return gr.Number(
            value, label=label, info=info, precision=precision, placeholder=_EMPTY, min_width=120, minimum=0
        )

    with gr.Row():
        rate = number("Learning rate", f"tuning: {FINE_TUNE_RATE:g} of the preset's")
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
    return {
        "learning_rate": rate, "batch_size": batch, "block_size": window, "dropout": dropout, "seed": seed,
        "eval_interval": evals, "sample_interval": written, "device": where, "dtype": dtype,
    }  # fmt: skip


def _devices() -> list[str]:
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ["auto", "cpu", *(name for name, found_here in found.items() if found_here)]


def _why(where: str, dtype: str) -> str:
    """The device and dtype that a run will use, and why."""
    try:
        return f"Will train on {device.choose(where, dtype).reason}."
    except MinrnnError as error:
        return str(error)
