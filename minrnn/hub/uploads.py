"""What a repo on the Hub should hold: a model's, or the Space's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from minrnn import checkpoint
from minrnn.errors import CheckpointError
from minrnn.hub import cards
from minrnn.hub.names import checked
from minrnn.hub.publishing import Upload
from minrnn.models import disk

ROOT = checkpoint.BUNDLED.parent
FILES = (disk.CONFIG, disk.WEIGHTS, checkpoint.METRICS, checkpoint.HISTORY)
"""What a published model consists of, besides its card."""


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
        CheckpointError: if the folder does not hold a whole, scored model.
    """
    loaded = checkpoint.load(model)
    metrics = loaded.metrics
    _check_whole(model)
    target = checkpoint.bundled(metrics["preset"], metrics["model"])
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (target / name).write_bytes((model / name).read_bytes())
    (target / "README.md").write_text(cards.bundled_card(loaded.model.config, metrics), encoding="utf-8")
    return target


def model_upload(folder: Path, repo: str) -> Upload:
    """A model's repo, from a checkpoint folder that is checked by loading it.

    Raises:
        CheckpointError: if the folder does not hold a whole, scored model.
    """
    loaded = checkpoint.load(folder)
    _check_whole(folder)
    files: dict[str, Path | bytes] = {name: folder / name for name in FILES}
    try:
        card = cards.model_card(repo, loaded.model.config, loaded.metrics)
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder / checkpoint.METRICS} lacks {error}; train the model with this minRNN."
        ) from None
    return Upload("model", repo, files | {"README.md": card.encode()})


def _check_whole(folder: Path) -> None:
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
    missing = [name for name in ("app.py", "README.md", "requirements.txt") if not (ROOT / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{ROOT} holds no {missing[0]}; publish the Space from a checkout of the project."
        )
    names = [*_tree(ROOT / "minrnn"), *_weights(), "app.py", "LICENSE"]
    files: dict[str, Path | bytes] = {name: ROOT / name for name in names}
    files["requirements.txt"] = cards.requirements(_text("requirements.txt"), hardware).encode()
    files["README.md"] = cards.space_readme(_text("README.md"), hardware, repos, files).encode()
    return Upload("space", checked(f"{namespace}/minrnn"), files, owned=("minrnn/", "checkpoints/"))


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
        for name in (*FILES, "README.md"):
            path = checkpoint.bundled(preset, model) / name
            if path.is_file():
                yield path.relative_to(ROOT).as_posix()
