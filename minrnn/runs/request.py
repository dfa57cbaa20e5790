"""What a form or a script asks to train, checked once, and the specs that come of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Interval

from minrnn import checkpoint, corpora, data, files, presets, settings
from minrnn.checked import Checked, shown
from minrnn.config import Count, DeviceName, DtypeName, Probability, Seed
from minrnn.corpora import OWN, Corpus
from minrnn.errors import ConfigError, CorpusError
from minrnn.models import MODEL_NAMES, mixer_class
from minrnn.runs import folder, limits
from minrnn.runs.checks import check_trainable
from minrnn.runs.spec import (
    OWN_TEXT,
    SIGNED_SUFFIX,
    RunSpec,
    command,
    fine_tune,
    from_preset,
)

MAX_RUNS = 8
"""Runs of one request: more than the models there are is a mistake."""
_RECIPE = (
    "max_iters", "max_seconds", "target_val_loss", "learning_rate", "batch_size", "seed", "eval_interval",
    "sample_interval", "device", "dtype",
)  # fmt: skip


@dataclass(frozen=True)
class TrainRequest(Checked):
    """What to train. None keeps what the preset says.

    Attributes:
        models: what to train from nothing; a list, or names separated by commas. "mingru-signed" is minGRU with
            decays that may be negative.
        preset: shape and recipe.
        inits: checkpoints to train on, in place of models from nothing; a list, or one checkpoint.
        corpus: a text's or a task's name, or "own".
        text: the text where corpus is "own".
        file: path of an uploaded file, which comes before `text`.
        max_iters: budget in updates; 0 is off, as for the other two.
        max_seconds: budget in seconds.
        target_val_loss: stop at this validation loss, in nats per character.
        learning_rate: the optimisers' rate after the warm-up.
        batch_size: windows an iter.
        block_size: the window, in characters; a checkpoint keeps its own.
        dropout: probability of dropping an activation.
        decay: "signed" lets decays be negative, where all models of the request have that choice.
        seed: of weights, data order and dropout.
        eval_interval: iters between evaluations.
        sample_interval: iters between samples.
        device: "auto", "cpu", "cuda" or "mps".
        dtype: "auto", "float32" or "bfloat16".
    """

    models: list[str] = field(default_factory=list)
    preset: str = "tiny"
    inits: list[str] = field(default_factory=list)
    corpus: str | None = None
    text: str = ""
    file: str | None = None
    max_iters: Count | None = None
    max_seconds: Annotated[float, Interval(ge=0, le=1e9)] | None = None
    target_val_loss: Annotated[float, Interval(ge=0, le=100)] | None = None
    learning_rate: Annotated[float, Interval(ge=1e-9, le=10)] | None = None
    batch_size: Annotated[int, Interval(ge=1, le=65_536)] | None = None
    block_size: Annotated[int, Interval(ge=1, le=65_536)] | None = None
    dropout: Probability | None = None
    decay: Literal["sigmoid", "signed"] | None = None
    seed: Seed | None = None
    eval_interval: Count | None = None
    sample_interval: Count | None = None
    device: DeviceName = "auto"
    dtype: DtypeName = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", names(self.models))
        object.__setattr__(self, "inits", [self.inits] if isinstance(self.inits, str) else self.inits)
        super().__post_init__()
        if not self.models and not self.inits:
            raise ConfigError("nothing is chosen to train; choose at least one model.")
        if (count := len(self.models) + len(self.inits)) > MAX_RUNS:
            raise ConfigError(f"{count} runs are asked for and {MAX_RUNS} is the limit; choose fewer models.")
        if self.preset not in presets.TRAINED:
            raise ConfigError(f"preset is {shown(self.preset)}; choose one of: {', '.join(presets.TRAINED)}.")
        for model in self.models:
            presets.get(self.preset, _mixer(model))
        if self.corpus not in (None, OWN, *data.names()):
            known = ", ".join([*data.names(), OWN])
            raise CorpusError(f"the text or task {shown(self.corpus)} is not known; choose one of: {known}.")

    def specs(self) -> list[RunSpec]:
        """The runs, in the order they train. A checkpoint's config.json is read; nothing else.

        Raises:
            MinrnnError: for a checkpoint that cannot be read, or values that do not go together.
        """
        found = [fine_tune(init) for init in self.inits]
        order = sorted(self.models, key=_place)  # a page lists them as ticked
        found += [self._fresh(model) for model in order]
        return [self._changed(spec) for spec in found]

    def own_text(self) -> Corpus | None:
        """The reader's own text, the uploaded one first; None where a named text is chosen.

        Raises:
            CorpusError: if it is not UTF-8, too long or too short.
        """
        if self.corpus != OWN:
            return None
        return corpora.own.from_file(Path(self.file)) if self.file else corpora.own.from_text(self.text)

    def _fresh(self, model: str) -> RunSpec:
        spec = from_preset(self.preset, _mixer(model))
        return spec if model == spec.model.mixer else _decaying(spec, "signed")

    def _changed(self, spec: RunSpec) -> RunSpec:
        """A preset's spec with the fields that were filled in."""
        recipe = {name: value for name in _RECIPE if (value := getattr(self, name)) is not None}
        shape: dict[str, Any] = {} if self.dropout is None else {"dropout": self.dropout}
        if self.block_size not in (None, spec.model.block_size):
            if spec.init is not None:
                raise ConfigError(
                    f"block_size (the window) is {self.block_size} and {spec.init} keeps its own, "
                    f"{spec.model.block_size}; leave it out."
                )
            shape["block_size"] = self.block_size
        if self.decay is not None:
            spec = _decaying(spec, self.decay)
        return dataclasses.replace(
            spec,
            corpus=spec.corpus if self.corpus is None else self.corpus,
            model=dataclasses.replace(spec.model, **shape),
            train=dataclasses.replace(spec.train, **recipe),
        )


def read(request: TrainRequest) -> tuple[list[RunSpec], Corpus | None]:
    """The runs that are asked for and the reader's own text, checked, within the limits of this machine. Checkpoints
    and texts are read, or downloaded.

    Raises:
        MinrnnError: if they cannot be trained, or not here.
    """
    specs, text = request.specs(), request.own_text()
    limited = settings.training_mode() == "limited"
    if limited:
        specs = limits.limited(specs)
    for spec in specs:
        source = folder.read_corpus(spec, Path()) if text is None else text
        check_trainable(spec, source)
        if limited:
            limits.check_vocab(spec, source)
    return specs, text


def _mixer(model: str) -> str:
    return model.removesuffix(SIGNED_SUFFIX)


def _place(model: str) -> int:
    """A model's place among those of a request."""
    return MODEL_NAMES.index(_mixer(model))


def _decaying(spec: RunSpec, decay: str) -> RunSpec:
    """The spec with that decay."""
    options = spec.model.options or mixer_class(spec.model.mixer).Options()
    if spec.init is not None or not hasattr(options, "decay"):
        whose = spec.init or spec.model.mixer
        raise ConfigError(f"decay is {decay!r} and {whose} has no such choice; leave it out for this model.")
    options = dataclasses.replace(options, decay=decay)  # type: ignore[call-arg]
    return dataclasses.replace(spec, model=dataclasses.replace(spec.model, options=options))


def names(value: Any) -> Any:
    """A list of names out of a list or a text with commas, each once and in order; other values unchanged."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return list(dict.fromkeys(value)) if isinstance(value, list) and all(map(_is_str, value)) else value


def command_lines(request: TrainRequest, runs_dir: Path) -> str:
    """What one would type in a terminal for the same runs, a line each. A repo on the Hub is not asked for this.

    Raises:
        MinrnnError: as `TrainRequest.specs`.
    """
    local = [init for init in request.inits if checkpoint.folder_of(init)]
    lines = [
        f"# {init} is read from the Hub when the training starts"
        for init in request.inits
        if init not in local
    ]
    specs = dataclasses.replace(request, inits=local).specs() if local or request.models else []
    for number, spec in enumerate(specs):
        name = f"{spec.preset}-{spec.model.mixer}"
        taken = sum(
            (other.preset, other.model.mixer) == (spec.preset, spec.model.mixer) for other in specs[:number]
        )
        out = runs_dir / (f"{name}-{taken + 1}" if taken else name)
        if spec.corpus == OWN:
            lines.append(f"# with your text as {out / OWN_TEXT}")
        lines.append(command(spec, out))
    return "\n".join(lines)


def longest_budget(preset: str, models: Sequence[str]) -> int:
    """The most iters that a preset gives one of these models."""
    chosen = [model for model in models if model in presets.PRESETS[preset]] or list(presets.PRESETS[preset])
    return max(presets.get(preset, model).train.max_iters for model in chosen)


def bundled_starts() -> list[tuple[str, str, str]]:
    """Preset, model and folder of every bundled checkpoint that can be trained on, the folder as one types it here."""
    return [
        (preset, model, files.typed(folder))
        for preset in presets.PRESETS
        for model in MODEL_NAMES
        if (folder := checkpoint.bundled(preset, model)).is_dir()
    ]


def _is_str(value: Any) -> bool:
    return isinstance(value, str)
