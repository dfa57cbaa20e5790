"""What a repo on the Hub should hold: a model's, or the Space's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minrnn import checkpoint, files, presets
from minrnn.checkpoint import Checkpoint
from minrnn.errors import CheckpointError
from minrnn.hub import cards
from minrnn.hub.names import checked
from minrnn.hub.publishing import Upload
from minrnn.models import disk, mixer_class
from minrnn.tasks import TASKS

ROOT = checkpoint.BUNDLED.parent
CARD = "README.md"
FILES = (disk.CONFIG, disk.WEIGHTS, checkpoint.METRICS, checkpoint.HISTORY)
"""What a published model consists of, besides its card."""

DROPOUTS = ("dropout", "embedding_dropout", "locked_dropout")
"""Fields of a shape that belong to the recipe: nothing of them is left in the weights."""


def bundled(preset: str = "") -> list[tuple[str, str]]:
    """The (preset, model) pairs that come with the program.

    Raises:
        CheckpointError: if there are none.
    """
    folders = [path.parent for path in sorted(checkpoint.BUNDLED.glob(f"*/*/{disk.CONFIG}"))]
    pairs = [(path.parent.name, path.name) for path in folders if preset in ("", path.parent.name)]
    if not pairs:
        raise CheckpointError(
            f"{checkpoint.BUNDLED} holds no models of preset {preset!r}; train some, or choose another preset."
        )
    return pairs


def bundle(model: Path) -> Path:
    """Make a trained model the bundled one of its preset: weights, metrics, history and card.

    Args:
        model: the model folder of a finished run.

    Returns:
        The folder it lies in now.

    Raises:
        CheckpointError: if the folder does not hold a whole model that was scored on the whole validation split, or
            if text, shape, start or teachers are not those of its preset.
    """
    _check_whole(model)
    loaded = checkpoint.load(model)
    _check_scored(model, loaded.metrics)
    _check_comparable(model, loaded)
    with _complete_metrics(model):
        card = cards.bundled_card(loaded.model.config, loaded.metrics)
    target = checkpoint.bundled(loaded.metrics["preset"], loaded.model.config.mixer)
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        files.write_bytes(target / name, (model / name).read_bytes())
    files.write_text(target / CARD, card)
    return target


def model_upload(folder: Path, repo: str) -> Upload:
    """A model's repo, from a checkpoint folder that is checked by loading it.

    A run that was stopped is shared, too: its card says that it was not scored.

    Raises:
        CheckpointError: if the folder does not hold a whole model.
    """
    _check_whole(folder)
    loaded = checkpoint.load(folder)
    content: dict[str, Path | bytes] = {name: folder / name for name in FILES}
    with _complete_metrics(folder):
        card = cards.model_card(repo, loaded.model.config, loaded.metrics)
    return Upload("model", repo, content | {CARD: card.encode()})


@contextmanager
def _complete_metrics(folder: Path) -> Iterator[None]:
    """Say which figure a metrics.json lacks, where a card needs it."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{folder / checkpoint.METRICS} lacks {error}; train the model with this minRNN."
        ) from None


def _check_scored(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Refuse to bundle what the table of results cannot compare."""
    if metrics.get("preset") not in presets.PRESETS:
        raise CheckpointError(
            f"{folder} is of preset {metrics.get('preset')!r}; bundle a run of one of: {', '.join(presets.PRESETS)}."
        )
    if metrics.get("corpus") in TASKS:
        raise CheckpointError(
            f"{folder} was trained on the task {metrics['corpus']!r}; only models of a text are bundled. Share it with "
            "`python -m minrnn publish run`."
        )
    if metrics.get("val_loss") is None or metrics.get("val_loss_streaming") is None:
        raise CheckpointError(
            f"{folder} was not scored on the whole validation split; go on with its run until its budget is spent, "
            "with --score-chars 0."
        )


def _check_comparable(folder: Path, loaded: Checkpoint) -> None:
    """Refuse to bundle a model that the figures beside it do not compare with."""
    metrics, config = loaded.metrics, loaded.model.config
    preset = presets.get(metrics["preset"], config.mixer)
    plain = mixer_class(config.mixer).Options()
    free = {name: getattr(config, name) for name in ("vocab", *DROPOUTS)}
    shape = dataclasses.replace(preset.model, options=preset.model.options or plain, **free)
    taught = bool(metrics.get("teachers"))
    found = {
        f"text {metrics.get('corpus')!r}, not {preset.corpus!r}": metrics.get("corpus") != preset.corpus,
        "another shape": shape != config,
        f"started from {metrics.get('init')!r}, not from nothing": bool(metrics.get("init")),
        "taught by others" if taught else "not taught": taught != bool(preset.teachers),
    }
    if differs := [what for what, is_so in found.items() if is_so]:
        raise CheckpointError(
            f"{folder} is no model of preset {metrics['preset']}: {'; '.join(differs)}. Share it with "
            "`python -m minrnn publish run`, or train it by the preset."
        )


def _check_whole(folder: Path) -> None:
    """Refuse a folder that lacks a file, before its name could be taken for a repo on the Hub."""
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder} is no folder on this machine; name a run's folder or a checkpoint's."
        )
    for name in FILES:
        if not (folder / name).is_file():
            raise CheckpointError(
                f"{folder} holds no {name}; only a model whose training has ended can be published."
            )


def space_upload(namespace: str, hardware: str, repos: list[str]) -> Upload:
    """The Space's repo: the app, its package, the bundled weights, and what is fitted to the hardware.

    Raises:
        CheckpointError: if this minRNN is not a checkout that holds the app.
    """
    missing = [name for name in ("app.py", CARD, "requirements.txt") if not (ROOT / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{ROOT} holds no {missing[0]}; publish the Space from a checkout of the project."
        )
    names = [*_tree(ROOT / "minrnn"), *_weights(), "app.py", "LICENSE"]
    content: dict[str, Path | bytes] = {name: ROOT / name for name in names}
    content["requirements.txt"] = cards.requirements(_text("requirements.txt"), hardware).encode()
    content[CARD] = cards.space_readme(_text(CARD), f"{namespace}/minrnn", hardware, repos, content).encode()
    return Upload("space", checked(f"{namespace}/minrnn"), content, owned=("minrnn/", "checkpoints/"))


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _tree(folder: Path) -> Iterator[str]:
    """The package's files, without what Python or an editor left there."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(ROOT)
        clutter = any(part.startswith((".", "__pycache__")) for part in name.parts) or path.suffix == ".pyc"
        if path.is_file() and not clutter:
            yield name.as_posix()


def _weights() -> Iterator[str]:
    for preset, model in bundled():
        for name in (*FILES, CARD):
            path = checkpoint.bundled(preset, model) / name
            if path.is_file():
                yield path.relative_to(ROOT).as_posix()
