"""What a run trains: one fact in one form.

A spec is made by the page's form, the API, the command line or a study. It stands in the run's config.json;
the worker reads it there, and the command that people are shown is made from it.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minrnn import checkpoint, files, presets
from minrnn.checked import Checked, from_mapping
from minrnn.config import ModelConfig, TrainConfig
from minrnn.corpora import OWN
from minrnn.errors import ConfigError, MinrnnError
from minrnn.models import disk, mixer_class
from minrnn.presets import Preset
from minrnn.settings import MAX_JSON_BYTES
from minrnn.tasks import TASKS

SIGNED_SUFFIX = "-signed"
"""Behind a model's name: the same with decays that may be negative."""
OWN_TEXT = "own.txt"
"""The file in a run's folder that holds a text of the reader's own."""
_FALLBACKS = ("tiny", *presets.PRESETS)
FINE_TUNE_RATE = 0.3
"""A fine-tune's learning rate, as a share of the preset's: the weights are near a good place already."""
CHANGEABLE = frozenset(
    {
        "max_iters",
        "max_seconds",
        "target_val_loss",
        "eval_interval",
        "eval_chars",
        "score_chars",
        "score_train",
        "score_seconds",
    }
    | {"sample_interval", "sample_chars", "save_seconds", "device", "dtype"}
)
"""Fields of the recipe that a run may change when it goes on; with another rate or seed it would be another run."""


@dataclass(frozen=True)
class RunSpec(Checked):
    """What a run trains.

    Attributes:
        corpus: a named text or a task, or "own" for the text in the run's folder.
        model: the shape; its vocabulary is empty until the run has begun, and then the text's (after the
            checkpoint's, with `init`).
        train: recipe and budget.
        preset: where shape and recipe came from.
        init: checkpoint to start from, a folder or a Hub repo; None starts from nothing.
        corpus_sha256: of the text, or of the task's sizes, that the run began with; empty before.
        teachers: checkpoints that teach the model, folders or Hub repos; see `teaching.py`.
        teachers_sha256: of the weights of each teacher that the run began with; empty before.
    """

    corpus: str
    model: ModelConfig
    train: TrainConfig
    preset: str = ""
    init: str | None = None
    corpus_sha256: str = ""
    teachers: tuple[str, ...] = ()
    teachers_sha256: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.init is not None and self.train.init_std:
            raise ConfigError(
                f"init_std is {self.train.init_std:g}, which would draw the weights of {self.init} anew; "
                "leave out one of the two."
            )
        if self.teachers and self.corpus in TASKS:
            raise ConfigError(
                f"{self.corpus} is a task, and what teachers expect can be computed beforehand for a text alone: a "
                f"task's texts are drawn anew for every batch. Train on a text, or {self.without_teachers}."
            )

    @property
    def is_taught(self) -> bool:
        """Whether there are teachers, and they have a share of the target."""
        return bool(self.teachers) and self.train.teacher_share > 0

    @property
    def without_teachers(self) -> str:
        """What to do, in words, so that nobody teaches the run."""
        own = presets.PRESETS.get(self.preset, {}).get(self.model.mixer)
        if own is None or self.teachers != _teachers(own):
            return "leave out --teacher"
        return f"choose another preset than {self.preset}, which names these teachers"

    @property
    def model_key(self) -> str:
        """The model's name; with decays that may be negative it is another model, such as "mingru-signed"."""
        signed = getattr(self.model.options, "decay", "") == "signed"
        return self.model.mixer + SIGNED_SUFFIX * signed

    @property
    def model_title(self) -> str:
        """The model's name for people; decays that may be negative are part of it."""
        signed = self.model_key.endswith(SIGNED_SUFFIX)
        return "signed " * signed + mixer_class(self.model.mixer).title

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as it stands in config.json."""
        return dataclasses.asdict(self)


def from_dict(given: Mapping[str, Any]) -> RunSpec:
    """What `RunSpec.to_dict` gave, back again; further keys of a config.json are left alone.

    Raises:
        ConfigError: if something is missing, unknown or out of range.
    """
    names = {field.name for field in dataclasses.fields(RunSpec)}
    values = {key: value for key, value in given.items() if key in names}
    if lacks := [name for name in ("corpus", "model", "train") if name not in values]:
        raise ConfigError(f"{lacks[0]} is missing; it is not the config of a run.")
    values["model"] = disk.config_from_dict(values["model"])
    values["train"] = from_mapping(TrainConfig, values["train"])
    for name in ("teachers", "teachers_sha256"):
        if isinstance(values.get(name), list):  # JSON knows no tuples
            values[name] = tuple(values[name])
    return from_mapping(RunSpec, values)


def from_preset(preset: str, model: str) -> RunSpec:
    """What is trained where nothing else is said.

    Raises:
        ConfigError: if there is no such preset, or it has no such model.
    """
    found = presets.get(preset, model)
    return RunSpec(found.corpus, found.model, found.train, preset, teachers=_teachers(found))


def _teachers(preset: Preset) -> tuple[str, ...]:
    """A preset's teachers by names that hold in every working folder."""
    return tuple(checkpoint.bundled_name("base", name) for name in preset.teachers)


def fine_tune(init: str, preset: str = "") -> RunSpec:
    """A checkpoint trained on, by its preset's recipe at a lower rate. Only its config.json is read.

    Args:
        init: a folder or a Hub repo.
        preset: whose recipe and teachers; empty takes the recipe that the checkpoint came from, else that of tiny, and
            no teachers: they may not know the text to come.

    Raises:
        MinrnnError: if the checkpoint's config cannot be read, or the preset has no recipe for its model.
    """
    shape = dataclasses.replace(checkpoint.read_config(init), vocab="")
    preset = preset or preset_of(init, shape.mixer)
    found = presets.get(preset, shape.mixer)
    recipe = dataclasses.replace(found.train, learning_rate=found.train.learning_rate * FINE_TUNE_RATE)
    name = checkpoint.lasting_name(init)
    return RunSpec(found.corpus, shape, recipe, preset, name, teachers=_teachers(found))


def preset_of(init: str, mixer: str) -> str:
    """The preset whose recipe tunes a checkpoint: its own where it is known, else the first with such a model. It has
    no teachers: in the place of one with teachers stands the one that is the same without them.

    Args:
        init: a folder or a Hub repo; of a repo its metrics.json is read.
        mixer: of the checkpoint.
    """
    if (folder := checkpoint.folder_of(init)) is None:
        named = [_published_preset(init)]
    else:  # checkpoints/PRESET/MODEL; or a run's model, scored or not yet
        path = folder.resolve()
        run = files.read_object(path.parent / "config.json")
        metrics = files.read_object(path / checkpoint.METRICS)
        named = [run.get("preset"), metrics.get("preset"), path.parent.name]
    known = filter(None, (untaught(str(preset), mixer) for preset in (*named, *_FALLBACKS)))
    return next(known, _FALLBACKS[0])


def untaught(preset: str, mixer: str) -> str | None:
    """The preset with the same shape and recipe and without teachers: itself where it has none; None if there is none,
    or no such preset has that model."""
    found = presets.PRESETS.get(preset, {}).get(mixer)
    if found is None or not found.teachers:
        return preset if found else None
    alone = dataclasses.replace(found, teachers=())
    return next((name for name, models in presets.PRESETS.items() if models.get(mixer) == alone), None)


def _published_preset(repo: str) -> Any:
    name, _, revision = repo.partition("@")
    with suppress(MinrnnError):  # a model without metrics is still a model
        path = disk.fetch(name, checkpoint.METRICS, revision or None, max_bytes=MAX_JSON_BYTES)
        return checkpoint.read_metrics(path).get("preset")
    return None


def check_resumable(old: RunSpec, new: RunSpec) -> None:
    """Refuse to go on with a run as another one.

    Raises:
        ConfigError: if anything but the budget and what is reported has changed.
    """
    pairs = [
        ("corpus", old.corpus, new.corpus),
        ("preset", old.preset, new.preset),
        ("init", old.init and checkpoint.lasting_name(old.init), new.init),
        ("teacher", " ".join(map(checkpoint.lasting_name, old.teachers)), " ".join(new.teachers)),
    ]
    pairs += _differences(old.model, new.model) + _differences(old.model.options, new.model.options)
    pairs += [pair for pair in _differences(old.train, new.train) if pair[0] not in CHANGEABLE]
    for name, before, now in pairs:
        if before != now and name != "options":
            raise ConfigError(
                f"{name} is {before!r} in this run and cannot become {now!r} while it goes on; leave it out, or "
                "start a new run. What can change are the budget, the intervals, device and dtype."
            )


def command(spec: RunSpec, out: str | Path) -> str:
    """The command that trains a spec in a folder, as one types it. Where no preset has its model, the folder says."""
    try:
        words = [*flags(spec, out), "--out", str(out)]
    except ConfigError:
        words = ["--run", str(out)]
    return shlex.join(["python", "-m", "minrnn", "train", *words])


def flags(spec: RunSpec, out: str | Path = "") -> list[str]:
    """The flags of `train` that say a spec: what its preset does not say already.

    Args:
        spec: what to train.
        out: the run's folder, where a text of the reader's own lies.
    """
    corpus = str(Path(out) / OWN_TEXT) if spec.corpus == OWN else spec.corpus
    name = spec.preset if spec.model.mixer in presets.PRESETS.get(spec.preset, ()) else _any_preset(spec)
    if not spec.teachers:  # as earlier versions trained a checkpoint on by a preset with teachers
        name = untaught(name, spec.model.mixer) or name
    words = ["--preset", name, "--model", spec.model.mixer, "--corpus", corpus]
    if spec.teachers:
        words += ["--teacher", *map(as_typed, spec.teachers)]
    preset = presets.get(name, spec.model.mixer)
    if spec.init is not None:
        words += ["--init", as_typed(spec.init), "--learning-rate", str(spec.train.learning_rate)]
        words += ["--dropout", str(spec.model.dropout)]
        return words + _flags(spec.train, preset.train, {"learning_rate"})
    plain = mixer_class(spec.model.mixer).Options()
    words += _flags(spec.model, preset.model, {"mixer", "vocab", "options"})
    words += _flags(spec.model.options or plain, preset.model.options or plain)
    return words + _flags(spec.train, preset.train)


def as_typed(name: str) -> str:
    """The name of a checkpoint as one types it here: a folder's is shorter within the working folder, and never looks
    like a repo's."""
    if not os.path.isabs(name):
        return name
    typed = files.typed(Path(name))
    return f"./{typed}" if typed.count("/") == 1 and not os.path.isabs(typed) else typed


def _any_preset(spec: RunSpec) -> str:
    """A preset that has the spec's model, for a run whose own preset is no more."""
    return next((name for name in _FALLBACKS if spec.model.mixer in presets.PRESETS[name]), spec.preset)


def _flags(values: Any, defaults: Any, left_out: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """The fields of a dataclass that differ from the defaults, as flags."""
    words: list[str] = []
    for name, _, value in _differences(defaults, values):
        flag = name.replace("_", "-")
        if name in left_out:
            continue
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", str(value)]
    return words


def _differences(old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """Name, old and new value of every field in which two dataclasses of one kind differ."""
    names = [field.name for field in dataclasses.fields(new)] if new is not None else []
    pairs = [(name, getattr(old, name, None), getattr(new, name)) for name in names]
    return [pair for pair in pairs if pair[1] != pair[2]]
