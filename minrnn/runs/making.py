"""Making the folders of a job, whole or not at all, and deleting the folder of a run.

A folder is made under a hidden name, with everything in it that it takes to start the run. When the folders of a job
are all made, a hidden file says which names they get, and then they are renamed. So a kill at any instant leaves no
half of a run. What it leaves of a job is swept away, or, where that file is there, finished: when the queue looks at
its runs next, or the next job is made.
"""

from __future__ import annotations

import itertools
import secrets
import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from minrnn import files, settings
from minrnn.errors import CheckpointError
from minrnn.runs import folder, listing, process
from minrnn.runs.listing import Run
from minrnn.runs.spec import OWN_TEXT, RunSpec

_NEW, _DELETED, _MADE = ".new-", ".deleted-", ".made-"
"""Before the hidden names: of a folder that is being made, one that is being deleted, and the file of a job whose
folders are all made and get their names now."""


def make(specs: Sequence[RunSpec], titles: Sequence[str], owner: str, text: str | None) -> list[str]:
    """Make the folders of a job's runs, which then wait for their turn: all of them, or none; after a kill while they
    get their names, all of them once `sweep` is called. Nobody else may be making or deleting runs meanwhile.

    A reader's own text is stored once: the other runs' files are further names of the same bytes, so each folder
    still holds all it needs, also where it is moved or another one is deleted.

    Args:
        specs: what to train, in that order.
        titles: of the runs.
        owner: hash of the visitor's token; empty where the machine is one's own.
        text: the reader's own, where the specs' corpus is "own".

    Returns:
        The runs' names, which cannot be guessed.

    Raises:
        CheckpointError: if a folder cannot be made.
    """
    sweep()
    root, asked = settings.runs_dir(), time.time()
    whole = root / f"{_MADE}{secrets.token_hex(8)}"
    made: list[tuple[Path, Path]] = []
    try:
        for order, (spec, title) in enumerate(zip(specs, titles, strict=True)):
            aside = root / f"{_NEW}{secrets.token_hex(8)}"
            made.append((aside, root / _name(spec, owner)))
            aside.mkdir(parents=True)
            folder.create(aside, spec, text if not order else None)
            if text is not None and order:
                files.link(made[0][0] / OWN_TEXT, aside / OWN_TEXT)
            listing.write_about(aside, title, asked, owner, order)
            process.queue(aside)
        files.write_json(whole, {aside.name: out.name for aside, out in made})
        _finish(whole)
    except BaseException as error:
        with suppress(OSError):  # first of all: what is half deleted must not be finished
            whole.unlink(missing_ok=True)
        for path in (path for pair in made for path in pair):
            shutil.rmtree(path, ignore_errors=True)
        if not isinstance(error, OSError | CheckpointError):
            raise
        raise CheckpointError(
            f"the run's folder in {root} cannot be made ({error}); free some space, then try again."
        ) from error
    return [out.name for _, out in made]


def titles(specs: Sequence[RunSpec], taken: Iterable[str]) -> list[str]:
    """A title for each spec, none of which is taken."""
    known, found = set(taken), list[str]()
    for spec in specs:
        title = f"{spec.model_title} {'tuned' if spec.init else spec.preset}, {spec.corpus}"
        numbered = (f"{title} {n}" if n > 1 else title for n in itertools.count(1))
        found.append(next(title for title in numbered if title not in known))
        known.add(found[-1])
    return found


def delete(run: Run) -> None:
    """Delete a run: out of sight at once, then off the disk.

    Raises:
        OSError: if its folder cannot be renamed.
    """
    aside = settings.runs_dir() / f"{_DELETED}{secrets.token_hex(8)}"
    with suppress(FileNotFoundError):  # somebody else has deleted it
        run.path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def _finish(whole: Path) -> None:
    """Give the folders of a job that are all made the names that this file says, as far as they have not got them.

    Raises:
        OSError: if one of them cannot be renamed.
    """
    for aside, out in files.read_object(whole).items():
        with suppress(FileNotFoundError):  # it has got its name
            (whole.parent / aside).rename(whole.parent / str(out))
    files.sync_folder(whole.parent)
    whole.unlink(missing_ok=True)


def sweep() -> None:
    """Finish or remove what an app that was killed left half made or half deleted. Nobody may be making or deleting
    runs now."""
    for whole in settings.runs_dir().glob(f"{_MADE}*"):
        with suppress(OSError):
            _finish(whole)
    for mark in (_NEW, _DELETED):
        for path in settings.runs_dir().glob(f"{mark}*"):
            shutil.rmtree(path, ignore_errors=True)


def _name(spec: RunSpec, owner: str) -> str:
    return f"{spec.preset}-{spec.model.mixer}-{spec.corpus}-{secrets.token_hex(8 if owner else 3)}"
