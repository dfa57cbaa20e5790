"""What a visitor asks for in the training tab or by its API, and the runs that come of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minrnn import checkpoint, corpora, presets, runlist, settings, worker
from minrnn.errors import ConfigError, MinrnnError
from minrnn.models import MODEL_NAMES, mixer_class
from minrnn.runs import MODEL, RunSpec

OWN = "own"
FRESH, TUNED = "fresh", "tuned"
_RECIPE = ("learning_rate", "batch_size", "seed", "eval_interval", "sample_interval", "device", "dtype")
BUDGET = ("max_iters", "max_seconds", "target_val_loss")


@dataclass(frozen=True)
class Wish:
    """What the form asks for. None in a field keeps what the preset says.

    Attributes:
        source: "fresh" starts from nothing, "tuned" from checkpoints.
        models: what to train from nothing.
        preset: its shape and recipe.
        inits: checkpoints to start from.
        corpus: a text's name, or "own".
        text: one's own text, pasted.
        file: one's own text, uploaded: the path of the file.
        max_iters: budget in updates; 0 is off, as for the other two.
        max_seconds: budget in seconds.
        target_val_loss: in nats per character.
        learning_rate: AdamW's.
        batch_size: windows an iter.
        block_size: the window, in characters.
        dropout: a probability.
        seed: of weights, data order and dropout.
        eval_interval: iters between evaluations.
        sample_interval: iters between samples.
        device: "auto", "cpu", "cuda" or "mps".
        dtype: "auto", "float32" or "bfloat16".
    """

    source: str
    models: list[str]
    preset: str
    inits: list[str]
    corpus: str
    text: str
    file: str | None
    max_iters: int | None
    max_seconds: float | None
    target_val_loss: float | None
    learning_rate: float | None
    batch_size: int | None
    block_size: int | None
    dropout: float | None
    seed: int | None
    eval_interval: int | None
    sample_interval: int | None
    device: str
    dtype: str


def specs(wish: Wish) -> list[RunSpec]:
    """The runs that a wish asks for.

    Raises:
        MinrnnError: for a value out of range, an unknown preset, or a checkpoint that cannot be read.
    """
    if wish.source == TUNED:
        found = [worker.defaults(preset_of(init), "", init) for init in wish.inits]
    else:
        order = {
            name: place for place, name in enumerate(MODEL_NAMES)
        }  # the page lists them as they were ticked
        models = sorted(wish.models, key=lambda model: order.get(model, len(order)))
        found = [worker.defaults(wish.preset, model) for model in models]
    if not found:
        raise ConfigError("nothing is chosen to train; choose at least one model.")
    return [_changed(spec, wish) for spec in found]


def budgets(preset: str, models: Sequence[str]) -> tuple[int, float, float]:
    """Iters, seconds and validation loss that a preset gives its models: the longest of their budgets.

    Raises:
        ConfigError: if there is no such preset, or it has no such model.
    """
    recipes = [
        presets.get(preset, model).train for model in models or presets.PRESETS.get(preset, MODEL_NAMES)
    ]
    longest = max(recipes, key=lambda recipe: recipe.max_iters)
    return longest.max_iters, longest.max_seconds, longest.target_val_loss


def own_text(wish: Wish) -> str | None:
    """The text the visitor gave, the uploaded one first; None where a named one is chosen.

    Raises:
        CorpusError: if the file is not UTF-8, too long or too short.
    """
    if wish.corpus != OWN:
        return None
    return corpora.load(wish.file).text if wish.file else wish.text


def command_lines(wish: Wish) -> str:
    """What one would type in a terminal for the same runs, a line each; or what is wrong with the form."""
    out = settings.runs_dir()
    try:
        lines = [
            worker.shown(worker.command(spec, out / f"{spec.preset}-{spec.model.mixer}"))
            for spec in specs(wish)
        ]
    except MinrnnError as error:
        return f"# {error}"
    return "\n".join(lines)


def preset_of(init: str) -> str:
    """The preset whose recipe tunes a checkpoint: its own where it is known, else tiny."""
    path = Path(init)
    if path.resolve().parent.name in presets.PRESETS:  # checkpoints/PRESET/MODEL
        return path.resolve().parent.name
    metrics = checkpoint.read_metrics(path / checkpoint.METRICS) if path.is_dir() else {}
    return str(metrics.get("preset")) if metrics.get("preset") in presets.PRESETS else "tiny"


def starts(token: str) -> list[tuple[str, str]]:
    """Title and folder of every checkpoint that can be started from: the bundled ones, then the visitor's runs."""
    bundled = [
        (f"{mixer_class(model).title} {preset}", _short(checkpoint.bundled(preset, model)))
        for preset in presets.PRESETS
        for model in MODEL_NAMES
        if checkpoint.bundled(preset, model).is_dir()
    ]
    own = [(run.title, str(run.path / MODEL)) for run in runlist.listed(token) if run.begun]
    return bundled + own


def _short(path: Path) -> str:
    """A path as one types it here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _changed(spec: RunSpec, wish: Wish) -> RunSpec:
    """A preset's spec with the fields that were filled in."""
    recipe: dict[str, Any] = {
        name: getattr(wish, name) for name in _RECIPE if getattr(wish, name) is not None
    }
    budget: dict[str, Any] = {name: getattr(wish, name) or 0 for name in BUDGET}
    shape: dict[str, Any] = {} if wish.dropout is None else {"dropout": wish.dropout}
    if wish.block_size is not None and wish.source == FRESH:
        shape["block_size"] = wish.block_size
    return dataclasses.replace(
        spec,
        corpus=wish.corpus if wish.corpus != OWN else "own.txt",
        model=dataclasses.replace(spec.model, **shape),
        train=dataclasses.replace(spec.train, **recipe, **budget),
    )
