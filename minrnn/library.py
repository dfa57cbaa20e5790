"""The models an app has at hand: the bundled ones, or the Hub's in their place where a namespace is set."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from minrnn import checkpoint, settings
from minrnn.checked import shown
from minrnn.checkpoint import Checkpoint
from minrnn.errors import CheckpointError, ConfigError, HubError, MinrnnError
from minrnn.hub import loading
from minrnn.models import MODEL_NAMES, CharModel, Committee, disk, mixer_class

PRESETS = ("allplays", "base", "taught", "replica")
"""The presets that are bundled, in the order they are shown."""

COMMITTEE = "committee"
"""The key of all models of a preset together: one text drawn from the mean of their probabilities."""

HUB = "hub:"
"""Marks the key of a model that a person fetched from the Hub."""


@dataclass(frozen=True)
class Entry:
    """One model, ready to write.

    Attributes:
        key: unique among the models shown together: the model's name, or the reference of a further one.
        title: what a person calls it.
        checkpoint: the model and its metrics.
        origin: where the weights came from, for people.
        committee: what writes in the model's place, where this is the committee of a preset.
        members: the entries of a committee.
    """

    key: str
    title: str
    checkpoint: Checkpoint
    origin: str
    committee: Committee | None = None
    members: tuple[Entry, ...] = ()

    @property
    def model(self) -> CharModel:
        """The model itself."""
        return self.committee or self.checkpoint.model


@dataclass(frozen=True)
class Shelf:
    """The models of a preset, which are loaded when somebody first asks for them.

    Attributes:
        count: how many there are, their committee left out.
        load: reads them, in the order they are shown, their committee behind them.
    """

    count: int
    load: Callable[[], dict[str, Entry]]


class Library:
    """The models of every preset, for the life of the process, and the further ones that visitors added.

    Args:
        shelves: the models by preset, in the order they are shown.
    """

    def __init__(self, shelves: Mapping[str, Shelf]) -> None:
        self._shelves = shelves
        self._loaded: dict[str, dict[str, Entry]] = {}
        self._loading = threading.Lock()
        self._further: OrderedDict[tuple[str, int], Entry] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def presets(self) -> list[str]:
        """The presets that have at least one model."""
        return [name for name, shelf in self._shelves.items() if shelf.count]

    @property
    def first(self) -> str:
        """The preset to start with: the first of those with the most models; empty where there are none."""
        return max(self.presets, key=lambda name: self._shelves[name].count, default="")

    def first_models(self) -> list[CharModel]:
        """What a page asks for first: the models of `first`. Committees are left out, for they are their members."""
        entries = self.models(self.first).values() if self.first else ()
        return [entry.model for entry in entries if entry.committee is None]

    def models(self, preset: str) -> dict[str, Entry]:
        """The models of a preset, by name.

        Raises:
            CheckpointError: if there is no such preset here, or a checkpoint is damaged.
        """
        if preset not in self._shelves:
            raise CheckpointError(
                f"preset {shown(preset)} is not loaded; choose one of: {', '.join(self._shelves)}."
            )
        with self._loading:
            if preset not in self._loaded:
                self._loaded[preset] = self._shelves[preset].load()
            return self._loaded[preset]

    def choose(self, preset: str, names: Sequence[str]) -> list[Entry]:
        """Some models of a preset, in the order they are shown.

        Raises:
            CheckpointError: if one of them is not there, or none is named.
        """
        models = self.models(preset)
        if unknown := [name for name in names if name not in models]:
            raise CheckpointError(
                f"model {shown(unknown[0])} is not loaded; choose among: {', '.join(models)}."
            )
        if not names:
            raise CheckpointError(f"no model is chosen; choose at least one of: {', '.join(models)}.")
        return [entry for name, entry in models.items() if name in names]

    def add_from_hub(self, ref: str, keys: Sequence[str]) -> list[str]:
        """Fetch a model named by a person, "user/repo" or "user/repo@revision".

        Where strangers use the app, this machine's token is not used for them: they see public repos alone.

        Args:
            ref: the model.
            keys: the visitor's further models so far. Where there is no room for one more, nothing is fetched.

        Returns:
            The visitor's further models, the new one last: its key for `further`, pinned to the commit that was found.

        Raises:
            ConfigError: if there are as many as a visitor may add.
            CheckpointError: if it is not a model this code knows.
            HubError: if the Hub does not give it. This machine's folders are not looked at.
        """
        _check_room(keys)
        loaded = _from_hub(ref.strip())
        key = f"{HUB}{loaded.source}@{loaded.revision}"
        self._keep((key, 0), _entry(key, loaded, _hub_origin(loaded)))
        return with_added(keys, key)

    def further(self, key: str) -> Entry:
        """A model beyond the bundled ones: the folder of a run's model, or a key that `add_from_hub` returned.

        It is read again where its weights have been written anew.

        Raises:
            CheckpointError: if it is not a model this code knows.
            HubError: if the Hub does not give it.
        """
        from_hub, folder = key.startswith(HUB), Path(key)
        weights = folder / disk.WEIGHTS
        version = 0 if from_hub or not weights.is_file() else weights.stat().st_mtime_ns
        with self._lock:
            if (key, version) in self._further:
                self._further.move_to_end((key, version))
                return self._further[key, version]
        if from_hub:
            loaded = _from_hub(key.removeprefix(HUB))
            return self._keep((key, 0), _entry(key, loaded, _hub_origin(loaded)))
        return self._keep((key, version), _entry(key, checkpoint.load(folder), folder.parent.name))

    def readable(self, keys: Sequence[str]) -> list[Entry]:
        """The further models that can still be read: a run may have been deleted meanwhile."""
        found = []
        for key in keys:
            with suppress(CheckpointError, HubError):
                found.append(self.further(key))
        return found

    def _keep(self, version: tuple[str, int], entry: Entry) -> Entry:
        with self._lock:
            self._further[version] = entry
            held = sum(kept.checkpoint.model.weight_bytes for kept in self._further.values())
            while held > settings.MAX_FURTHER_BYTES and len(self._further) > 1:
                held -= self._further.popitem(last=False)[1].checkpoint.model.weight_bytes
        return entry


def open_library(folder: Path = checkpoint.BUNDLED) -> Library:
    """The bundled models, read when they are asked for, or the Hub's where MINRNN_HUB_NAMESPACE asks for them.

    The Hub is asked for all at once, now; bundled models stand in for those that it does not give.

    Raises:
        CheckpointError: if a bundled checkpoint is damaged, and the Hub does not give another.
    """
    namespace = settings.hub_namespace()
    if not namespace:
        return Library({preset: _shelf(folder, preset) for preset in PRESETS})
    entries = {preset: _bundled(folder, preset) for preset in PRESETS}
    for (preset, name), found in loading.load_all(namespace, PRESETS, MODEL_NAMES).items():
        _replace(entries[preset], name, found)
    return Library({preset: shelf_of(models) for preset, models in entries.items()})


def shelf_of(models: Mapping[str, Entry]) -> Shelf:
    """A shelf of models that are loaded already."""
    return Shelf(len(models), lambda: _in_order(models))


def _shelf(folder: Path, preset: str) -> Shelf:
    return Shelf(len(_names(folder, preset)), lambda: _in_order(_bundled(folder, preset)))


def with_added(keys: Sequence[str], key: str) -> list[str]:
    """A visitor's further models with one more, each once.

    Raises:
        ConfigError: if there would be more than `settings.MAX_FURTHER`.
    """
    others = [other for other in keys if other != key]
    _check_room(others)
    return [*others, key]


def _check_room(keys: Sequence[str]) -> None:
    if len(keys) >= settings.MAX_FURTHER:
        raise ConfigError(
            f"{len(keys)} models were added already and {settings.MAX_FURTHER} is the limit; reload the page."
        )


def _entry(key: str, loaded: Checkpoint, origin: str) -> Entry:
    return Entry(key, mixer_class(loaded.model.config.mixer).title, loaded, origin)


def _names(folder: Path, preset: str) -> list[str]:
    """The models of a preset that have weights."""
    return [name for name in MODEL_NAMES if (folder / preset / name / disk.CONFIG).is_file()]


def _bundled(folder: Path, preset: str) -> dict[str, Entry]:
    found = {name: checkpoint.load(folder / preset / name) for name in _names(folder, preset)}
    return {name: _entry(name, loaded, "bundled weights") for name, loaded in found.items()}


def _replace(models: dict[str, Entry], name: str, found: Checkpoint | MinrnnError) -> None:
    """Put the Hub's model in the bundled one's place, or say why the bundled one stays."""
    if isinstance(found, Checkpoint):
        models[name] = _entry(name, found, _hub_origin(found))
    elif name in models:
        kept = models[name]
        models[name] = Entry(name, kept.title, kept.checkpoint, f"bundled weights, for {found}")


def _in_order(models: Mapping[str, Entry]) -> dict[str, Entry]:
    """The models in the order they are shown, and behind them their committee."""
    ordered = {name: models[name] for name in MODEL_NAMES if name in models}
    members = [entry.checkpoint.model for entry in ordered.values()]
    if len({member.config.vocab for member in members}) != 1 or len(members) < 2:
        return ordered
    first = next(iter(ordered.values())).checkpoint
    origin = f"the mean of {', '.join(entry.title for entry in ordered.values())}"
    together = Entry(
        COMMITTEE,
        "Committee",
        Checkpoint(first.model, {}, COMMITTEE),
        origin,
        Committee(members),
        tuple(ordered.values()),
    )
    return {**ordered, COMMITTEE: together}


def _from_hub(ref: str) -> Checkpoint:
    """A repo that a person has named; training mode "full" is that of one's own machine."""
    return checkpoint.load_repo(ref, public_only=settings.training_mode() != "full")


def _hub_origin(loaded: Checkpoint) -> str:
    return f"{loaded.source} @ {(loaded.revision or '')[:7]}"
