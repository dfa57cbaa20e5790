"""The form of the Train tab: three questions, a budget, and what else one may set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import gradio as gr
import torch

from minrnn import checkpoint, corpora, device, presets, settings
from minrnn.corpora import CORPORA, OWN
from minrnn.errors import CheckpointError, ConfigError, MinrnnError
from minrnn.models import MODEL_NAMES, mixer_class
from minrnn.runs import process
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import TrainRequest, bundled_starts, longest_budget
from minrnn.runs.spec import FINE_TUNE_RATE
from minrnn.ui.components import visible_errors

FRESH, BUNDLED, OTHER = "nothing", "our weights", "a checkpoint"
"""Where a training starts from."""
WEIGHTS_PRESET = "base"
"""Whose weights "our weights" are, unless the chosen recipe has bundled ones, too."""
TO_LOSS = "loss"
BUDGETS = {"30 s": 30.0, "2 min": 120.0, "5 min": 300.0}
BUDGETS_LIMITED = {"30 s": 30.0, "1 min": 60.0}
"""Seconds for each model. All models together may take three minutes on a shared machine."""
MAX_SECONDS_TO_LOSS = 600.0
"""A loss that is never reached would train forever."""
EARLY_EVAL_INTERVAL = 25
"""Iters between evaluations at most: a short run of a large model would show no dot but the first."""
NUMBERS = (
    "max_iters", "learning_rate", "batch_size", "block_size", "dropout", "seed", "eval_interval",
    "sample_interval",
)  # fmt: skip
"""The fields that may stay empty."""
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
"""A number with commas between its thousands: 1,000 is one, 0,001 is not."""
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
Fields = dict[str, Any]
"""The form: a component for every field of `TrainRequest` that it asks for, and "source", "budget" and "loss"."""


def build(queue: TrainingQueue, token: gr.BrowserState, note: str) -> tuple[Fields, gr.Button]:
    """Draw the questions, the budget and the button.

    Args:
        queue: the training runs of this machine.
        token: the visitor's.
        note: a line beside the button.

    Returns:
        The fields, those of `more` not among them, and the button.
    """
    with gr.Row(elem_classes="questions"):
        text, source = _text(), _source()
    with gr.Row(elem_classes="questions further"):
        own = _own_text()
        inits = gr.Dropdown(
            [], value=[], multiselect=True, visible=False, label="Checkpoints",
            info="Each keeps its shape; new characters enlarge its vocabulary.",
            allow_custom_value=settings.training_mode() == "full",
        )  # fmt: skip
    with gr.Row(elem_classes="questions go"):
        budget = _budget()
        go = gr.Button("Train ▸", variant="primary", elem_id="train-start", scale=0, min_width=130)
        gr.Markdown(note, elem_classes="quiet train-note")
    fields = {**text, **own, **source, "inits": inits, **budget}

    def show_source(chosen: str, models: list[str], token: str) -> list[Any]:
        names = _offered(chosen)
        kept = [name for name in models if name in names]
        return [
            gr.update(choices=_titled(names), value=kept, visible=chosen != OTHER),
            gr.update(choices=starts(queue, token), visible=chosen == OTHER),
        ]

    fields["source"].change(
        show_source, [fields["source"], fields["models"], token], [fields["models"], inits], **QUIET
    )
    fields["corpus"].change(
        lambda name: [gr.update(visible=name == OWN)] * 2, fields["corpus"], list(own.values()), **QUIET
    )
    fields["budget"].change(
        lambda chosen: gr.update(visible=chosen == TO_LOSS), fields["budget"], fields["loss"], **QUIET
    )
    return fields, go


def more(fields: Fields) -> Fields:
    """Draw what is folded away: the recipe and its numbers, seed and device.

    Returns:
        The further fields.
    """

    names = [(f"{name}: {presets.ABOUT[name]}", name) for name in presets.OFFERED if _has_text(name)]
    with gr.Row(elem_classes="train-recipe"):
        preset = gr.Radio(names, value=presets.FIRST_PRESET, label="Shape and recipe", elem_classes="chips")
    with gr.Row():
        iters = _number("Iters", "instead of time", _whole_recipe(presets.FIRST_PRESET, presets.FIRST_MODELS))
        rate = _number("Learning rate", f"weights: {FINE_TUNE_RATE:g} of it")
        batch = _number("Batch", "windows an iter")
        window = _number("Window", "in characters")
        dropout = _number("Dropout", "0 to 0.95")
        seed = _number("Seed", "of all chance")
        evals = _number("Evaluate every", "in iters", str(EARLY_EVAL_INTERVAL))
        every = _number("Sample every", "0: at the end")
        where = gr.Dropdown(_devices(), value="auto", label="Device", min_width=120)
        dtype = gr.Dropdown(["auto", "float32", "bfloat16"], value="auto", label="Precision", min_width=120)
    note = gr.Markdown(_why("auto", "auto"), elem_classes="quiet")
    gr.on([where.change, dtype.change], _why, [where, dtype], note, trigger_mode="always_last", **QUIET)
    gr.on(
        [preset.change, fields["models"].change],
        visible_errors(lambda name, models: gr.update(placeholder=_whole_recipe(name, models))),
        [preset, fields["models"]], iters, trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    preset.change(_own_text_of, preset, fields["corpus"], **QUIET)
    return {
        "preset": preset, "max_iters": iters, "learning_rate": rate, "batch_size": batch, "block_size": window,
        "dropout": dropout, "seed": seed, "eval_interval": evals, "sample_interval": every, "device": where,
        "dtype": dtype,
    }  # fmt: skip


def request(fields: Fields, values: dict[Any, Any]) -> TrainRequest:
    """What the form asks for.

    Args:
        fields: as `build` and `more` returned them.
        values: by component, as Gradio hands them to a handler.

    Raises:
        MinrnnError: for a value that cannot be.
    """
    given = {name: values[part] for name, part in fields.items()}
    given |= {name: _value(given[name]) for name in NUMBERS}
    given |= _spent(given.pop("budget"), given.pop("loss"), given["max_iters"])
    if (source := given.pop("source")) == BUNDLED:
        given["inits"] = [_weights(given["preset"], model) for model in given["models"]]
    given["inits" if source == FRESH else "models"] = []
    given["text"] = given["text"] or ""  # Gradio's None of an empty box
    given["eval_interval"] = _early(given["eval_interval"], given["preset"])
    return TrainRequest(**given)


def _spent(budget: str, loss: float | None, iters: float | str | None) -> dict[str, Any]:
    """The three budgets of a request; 0 is off. Iters stand in the place of the time, and beside a loss."""
    if budget == TO_LOSS and not loss:
        raise ConfigError(f"“{TO_LOSS}” needs a loss above 0, such as 1.6; type one, or choose a time.")
    if iters:
        target = loss if budget == TO_LOSS else 0.0
        return {"max_iters": iters, "max_seconds": 0.0, "target_val_loss": target}
    if budget != TO_LOSS:
        return {"max_iters": 0, "max_seconds": BUDGETS.get(budget) or BUDGETS_LIMITED.get(budget)}
    limited = settings.training_mode() == "limited"  # there a budget that is left open is set to its limit
    return {
        "max_iters": 0, "max_seconds": 0.0 if limited else MAX_SECONDS_TO_LOSS, "target_val_loss": loss,
    }  # fmt: skip


def _early(interval: float | str | None, preset: str) -> float | str:
    """Iters between evaluations: as asked, else the recipe's, but early ones."""
    if interval is not None:
        return interval
    usual = presets.get(preset, MODEL_NAMES[0]).train.eval_interval if preset in presets.PRESETS else 0
    return min(usual or EARLY_EVAL_INTERVAL, EARLY_EVAL_INTERVAL)


def starts(queue: TrainingQueue, token: str) -> list[tuple[str, str]]:
    """Title and folder of every checkpoint that can be started from: the visitor's runs, then the bundled ones."""
    runs = [(run.title, str(run.model)) for run in queue.runs.listed(token) if run.begun]
    return runs + [(f"{mixer_class(model).title} {preset}", path) for preset, model, path in bundled_starts()]


def _weights(preset: str, model: str) -> str:
    """The folder of our weights of a model: the recipe's, else the base ones."""
    found = {(recipe, name): path for recipe, name, path in bundled_starts()}
    path = found.get((preset, model)) or found.get((WEIGHTS_PRESET, model))
    if path is None:
        raise CheckpointError(f"there are no weights of {model} here yet; start it from nothing.")
    return path


def _offered(source: str) -> list[str]:
    """The models that can start from there."""
    if source != BUNDLED:
        return list(MODEL_NAMES)
    return [name for name in MODEL_NAMES if checkpoint.bundled(WEIGHTS_PRESET, name).is_dir()]


def _has_text(preset: str) -> bool:
    """Whether this machine has the text that a preset trains on."""
    return all(found.corpus in corpora.available() for found in presets.PRESETS[preset].values())


def _own_text_of(preset: str) -> Any:
    """The text that comes with a preset; with most of them the chosen one stays."""
    own = {found.corpus for found in presets.PRESETS[preset].values()} - {presets.DEFAULT_CORPUS}
    return gr.update(value=own.pop()) if own else gr.skip()


def _titled(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(mixer_class(name).title, name) for name in names]


def _text() -> Fields:
    known = corpora.available()
    first = "plays" if "plays" in known else known[0]
    choices = [(CORPORA[name].title, name) for name in known] + [("your own", OWN)]
    return {
        "corpus": gr.Radio(choices, value=first, label="Text", elem_classes="chips", elem_id="train-text")
    }


def _source() -> Fields:
    models = gr.CheckboxGroup(
        _titled(MODEL_NAMES), value=list(presets.FIRST_MODELS), label="Models",
        elem_classes="chips", elem_id="train-models",
    )  # fmt: skip
    sources = [FRESH, BUNDLED, OTHER] if _offered(BUNDLED) else [FRESH, OTHER]
    source = gr.Radio(sources, value=FRESH, label="Start from", elem_classes="chips", elem_id="train-source")
    return {"models": models, "source": source}


def _own_text() -> Fields:
    text = gr.Textbox(
        label="Your text", placeholder="Paste at least 1,000 characters, or give a file in UTF-8.", lines=4,
        max_lines=8, visible=False, scale=2,
    )  # fmt: skip
    file = gr.File(
        label="or a UTF-8 file; it comes first", file_types=["text", ".txt", ".md"], visible=False, height=110
    )
    return {"text": text, "file": file}


def _budget() -> Fields:
    limited = settings.training_mode() == "limited"
    choices = [(name, name) for name in (BUDGETS_LIMITED if limited else BUDGETS)]
    budget = gr.Radio(
        [*choices, ("until loss …", TO_LOSS)], value=choices[0][1], label="How long, each",
        elem_classes="chips", elem_id="train-budget",
    )  # fmt: skip
    loss = gr.Number(
        2.0, label="Validation loss", minimum=0, step=0.1, visible=False, scale=0, min_width=150,
        elem_id="train-loss",
    )  # fmt: skip
    return {"budget": budget, "loss": loss}


def _number(label: str, info: str, placeholder: str = "recipe's") -> gr.Textbox:
    """A box for a number that may stay empty. Not `gr.Number`: that shows, and sends, 0 where it is empty."""
    return gr.Textbox(
        "", label=label, info=info, placeholder=placeholder, max_lines=1, min_width=120,
        elem_id="train-" + label.lower().replace(" ", "-"),
    )  # fmt: skip


def _value(text: str | None) -> float | str | None:
    """The number in a box; None for an empty one. What is no number is left to the request to refuse, and so is a comma
    that may stand for a decimal point: 0,001 is not 1."""
    plain = (text or "").strip()
    plain = plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain
    try:
        return float(plain) if plain else None
    except ValueError:
        return text


def _whole_recipe(preset: str, models: Sequence[str]) -> str:
    return f"recipe: {longest_budget(preset, models):,}"


def _devices() -> list[str]:
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ["auto", "cpu", *(name for name, found_here in found.items() if found_here)]


def _processes() -> str:
    """How many processes a worker takes on the CPU."""
    count = process.sharing(presets.get(presets.FIRST_PRESET, presets.FIRST_MODELS[0]).train.batch_size)
    return f"; {count} processes share each batch" if count > 1 else "; one process"


def _why(where: str, dtype: str) -> str:
    """The device and dtype that a run will use, and why."""
    try:
        chosen = device.choose(where, dtype)
        return f"Will train on {chosen.reason}{_processes() if chosen.device.type == 'cpu' else ''}."
    except MinrnnError as error:
        return str(error)
