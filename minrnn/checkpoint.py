"""A checkpoint: a model with its metrics, in a folder or in a repo on the Hub."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minrnn import data
from minrnn.checked import shown
from minrnn.config import ModelConfig
from minrnn.data import Source
from minrnn.errors import CheckpointError, HubError
from minrnn.files import is_file, read_json
from minrnn.models import CharModel, LanguageModel, disk
from minrnn.models.download import REPO
from minrnn.settings import MAX_JSON_BYTES

BUNDLED = Path(__file__).resolve().parent.parent / "checkpoints"
"""The folder of the weights that come with the program: PRESET/MODEL."""
_BUNDLED = "checkpoints"
"""How the name of a checkpoint that comes with the program begins, wherever the program lies."""
METRICS, HISTORY = "metrics.json", "history.jsonl"


@dataclass(frozen=True)
class Checkpoint:
    """A loaded model.

    Attributes:
        model: on the CPU, in evaluation mode.
        metrics: its metrics.json; empty if it has none.
        source: the folder, or the Hub repo as "user/repo".
        revision: the commit a Hub repo was read at, 40 hexadecimal digits; None for a folder.
    """

    model: LanguageModel
    metrics: dict[str, Any]
    source: str
    revision: str | None = None


def load(ref: str | Path, *, local_files_only: bool = False) -> Checkpoint:
    """Load a checkpoint from a folder, "user/repo" or "user/repo@revision".

    Args:
        ref: where from; "checkpoints/PRESET/MODEL" names one that comes with the program in every working folder.
        local_files_only: read a repo from the local cache, without asking the Hub.

    Raises:
        CheckpointError: if it is not a model this code knows.
        HubError: if the Hub does not give it.
    """
    if (folder := folder_of(ref)) is not None:
        return Checkpoint(LanguageModel.from_pretrained(folder), read_metrics(folder / METRICS), str(folder))
    if not REPO.fullmatch(str(ref).partition("@")[0]):
        raise CheckpointError(
            f"{shown(str(ref))} is neither a folder on this machine nor a Hub repo of the form user/repo."
        )
    return load_repo(str(ref), local_files_only=local_files_only)


def read_config(ref: str) -> ModelConfig:
    """The shape of a checkpoint, without its weights.

    Raises:
        CheckpointError: if it is not that of a model this code knows.
        HubError: if the Hub does not give it.
    """
    if (folder := folder_of(ref)) is not None:
        return disk.read_config(disk.fetch_config(str(folder)))
    repo, _, wanted = ref.partition("@")
    return disk.read_config(disk.fetch_config(repo, wanted or None))


def load_repo(ref: str, *, local_files_only: bool = False, public_only: bool = False) -> Checkpoint:
    """Load a checkpoint from the Hub: "user/repo" or "user/repo@revision", never a folder of this machine.

    Args:
        ref: the repo.
        local_files_only: read it from the local cache, without asking the Hub.
        public_only: ask without this machine's token. Whoever names the repo may be a stranger, to whom the token's
            owner has shown nothing.

    Raises:
        CheckpointError: if it is not a model this code knows.
        HubError: if the Hub does not give it.
    """
    repo, _, wanted = ref.partition("@")
    download: dict[str, Any] = {"local_files_only": local_files_only, "hub_only": True}
    if public_only:
        download["token"] = False
    config = disk.fetch_config(repo, wanted or None, **download)
    revision = disk.pinned(config, wanted or None)
    model = LanguageModel.from_pretrained(repo, revision=revision, **download)
    try:
        metrics = read_metrics(disk.fetch(repo, METRICS, revision, max_bytes=MAX_JSON_BYTES, **download))
    except HubError:  # a model without metrics is still a model
        metrics = {}
    return Checkpoint(model, metrics, repo, revision)


def bundled(preset: str, model: str) -> Path:
    """The folder of a bundled checkpoint. It may not be there."""
    return BUNDLED / preset / model


def bundled_name(preset: str, model: str) -> str:
    """The name of a bundled checkpoint on every machine and in every working folder."""
    return f"{_BUNDLED}/{preset}/{model}"


def folder_of(ref: str | Path) -> Path | None:
    """The folder that a checkpoint's name means here; None where there is none, and it may be a repo's name."""
    if os.path.isdir(ref):  # unlike Path's, it bears what cannot be a path, such as a name that is too long
        return Path(ref)
    parts = Path(ref).parts
    if len(parts) != 3 or parts[0] != _BUNDLED or ".." in parts:
        return None
    folder = bundled(*parts[1:])
    return folder if os.path.isdir(folder) else None


def lasting_name(ref: str) -> str:
    """The name of a checkpoint that means the same in every working folder: a whole path for a folder, and for a
    bundled one `checkpoints/PRESET/MODEL`, wherever the program lies. A repo's name stays as it is."""
    if (folder := folder_of(ref)) is None:
        return ref
    real = folder.resolve()
    if real.parent.parent == BUNDLED.resolve():
        return bundled_name(real.parent.name, real.name)
    return os.path.abspath(folder)


def read_metrics(path: Path) -> dict[str, Any]:
    """A metrics.json as plain data; empty if there is none.

    Raises:
        CheckpointError: if it is there and cannot be read.
    """
    if not is_file(path):
        return {}
    try:
        if (size := path.stat().st_size) > MAX_JSON_BYTES:
            raise CheckpointError(f"{path.name} has {size:,} bytes; at most {MAX_JSON_BYTES:,} are read.")
        data = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}.") from None
    if not isinstance(data, dict):
        raise CheckpointError(f"{path.name} must hold an object, not {type(data).__name__}.")
    return data


def score(model: CharModel, source: Source, *, train_split: bool = False, chars: int = 0) -> dict[str, Any]:
    """A model's figures on a text or a task.

    Args:
        model: scored in float32 with dropout off.
        source: its characters must be in the model's vocabulary.
        train_split: score a text's training split, too (nine times the work).
        chars: score about this many characters of a text's validation split only, from windows spread over it,
            and leave out the carried loss; 0 scores the whole split.

    Returns:
        val_loss; n_params; tokens, the characters or answers that val_loss was taken over. For a text also
        val_loss_streaming and, if asked, train_loss, in nats per character, and bits_per_char. For a task also
        accuracy, from the length of a text to the share of right answers.
    """
    return data.bind(source, model.config).score(model, train_split=train_split, chars=chars)
