"""The save of a run: its model, and all that is needed to go on from there.

A save names the length of metrics.jsonl that belongs to it, so a kill at any instant leaves a run that goes on as
if nothing had happened.
"""

from __future__ import annotations

import errno
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import NoneType
from typing import Any

import torch
from safetensors import SafetensorError

from minrnn import checkpoint, device, files, train
from minrnn.errors import CheckpointError
from minrnn.models import LanguageModel, disk
from minrnn.runs.events import METRICS, from_line
from minrnn.runs.spec import RunSpec
from minrnn.train import TrainState

MODEL, RESUME = "model", "resume.pt"
_FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def model_of(folder: Path) -> Path:
    """The model's folder where a person names a run's folder or a checkpoint's."""
    return folder / MODEL if (folder / MODEL).is_dir() else folder


def after_failure(error: BaseException, out: Path) -> str:
    """What is left of a run after a write has failed, and what to do."""
    forbidden = isinstance(error, OSError) and error.errno in _FORBIDDEN
    first = "let this user write to it" if forbidden else "free some space"
    if not _is_missing(out / RESUME):
        return f"The last checkpoint is intact: {first}, then resume the run."
    return f"Nothing of this run has been saved yet: {first}, then start it again by --run {out}."


def _is_missing(path: Path) -> bool:
    """Whether a file is known not to be there; where this user may not even look, it is not known."""
    try:
        path.stat()
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    return False


def check_there(out: Path) -> None:
    """Raise CheckpointError if the folder of a run that trains has been deleted or moved. Nothing is saved then: a
    save would make half a folder anew."""
    if not (out / METRICS).exists():
        raise CheckpointError(
            f"{out} was deleted or moved while the run trained there, so the run has ended; "
            "if it was moved, resume it at its new place."
        )


def save(state: TrainState, out: Path, metrics_bytes: int) -> None:
    """Write model/ and resume.pt, each file whole or not at all. Figures of an earlier end are removed: they are
    another model's from now on. Where the disk does not take the new model, they stay with the old one.

    Args:
        state: what is saved.
        out: the run's folder.
        metrics_bytes: length of metrics.jsonl up to this moment; these bytes must be on the disk, not only written.

    Raises:
        CheckpointError: if the disk does not take them, or the folder is gone.
    """
    buffer = io.BytesIO()
    torch.save({"state": state.state_dict(), "metrics_bytes": metrics_bytes}, buffer)
    check_there(out)
    try:
        (out / MODEL).mkdir(exist_ok=True)  # not the folder above it, which may be gone by now
        with _figures_aside(out / MODEL):
            state.average.save(out / MODEL)
        files.write_bytes(out / RESUME, buffer.getbuffer())
    except (OSError, SafetensorError) as error:
        need, free = len(buffer.getbuffer()) / 1e6, shutil.disk_usage(out).free / 1e6
        raise CheckpointError(
            f"the run could not be saved at iter {state.iter}: {error}. A save needs about {1.5 * need:.1f} MB, "
            f"and {free:.1f} MB are free. {after_failure(error, out)}"
        ) from error


@contextmanager
def _figures_aside(model: Path) -> Iterator[None]:
    """Take the figures of a model away while another one is written. They come back if it could not be.

    A rename takes no space, so they do so on a full disk, too; and a kill meanwhile leaves no figures beside a model
    that they are not of.
    """
    figures = [(model / name, model / f".{name}.aside") for name in (checkpoint.METRICS, checkpoint.HISTORY)]
    before = _written(model)
    try:
        for path, aside in figures:
            aside.unlink(missing_ok=True)  # left by a kill
            with suppress(FileNotFoundError):
                path.replace(aside)
        yield
    finally:
        for path, aside in figures:
            with suppress(OSError):
                aside.replace(path) if _written(model) == before else aside.unlink(missing_ok=True)


def _written(model: Path) -> tuple[int, int] | None:
    """What tells the weights of a folder from those that are written there later; None where there are none."""
    with suppress(OSError):
        status = (model / disk.WEIGHTS).stat()
        return status.st_ino, status.st_mtime_ns
    return None


def restored(spec: RunSpec, out: Path) -> TrainState:
    """The state of the last save. The events behind it are dropped, and so is the end of a run that goes on.

    Raises:
        CheckpointError: if resume.pt cannot be read, or is damaged or another run's.
    """
    state = train.begin(LanguageModel(spec.model), spec.train)
    saved = _read(out / RESUME)
    try:
        state.load_state_dict(saved["state"])
        length = int(saved["metrics_bytes"])
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        if device.is_out_of_memory(error):
            raise
        raise _damaged(out / RESUME, error) from error
    for path in (out / MODEL / disk.WEIGHTS, out / MODEL / disk.CONFIG, out / RESUME, out / METRICS):
        files.sweep(path)
    _cut_events(out / METRICS, length)
    return state


def _read(path: Path) -> Any:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error.strerror or error}); check its permissions, then resume the run."
        ) from error
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that is empty, cut or another's
        if device.is_out_of_memory(error):
            raise
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path} is damaged ({type(error).__name__}), so the run cannot go on; train its last model on with "
        f"--init {path.parent / MODEL}."
    )


def _cut_events(path: Path, length: int) -> None:
    """Cut metrics.jsonl back to whole lines within a length, without a `done` at their end; it never grows."""
    lines = path.read_bytes()[:length].split(b"\n")[:-1] if path.is_file() else []
    while lines and isinstance(from_line(lines[-1].decode("utf-8", "replace")), train.Done | NoneType):
        lines.pop()
    files.write_bytes(path, b"".join(line + b"\n" for line in lines))
