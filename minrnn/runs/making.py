"""Making the folders of a job, whole or not at all, and deleting the folder of a run.

A folder is made under a hidden name, with everything in it that it takes to start the run, and then renamed. So a
kill at any instant leaves no half of a run; what it leaves under a hidden name is swept away by the next job.
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

_NEW, _DELETED = ".new-", ".deleted-"


def make(specs: Sequence[RunSpec], titles: Sequence[str], owner: str, text: str | None) -> list[str]:
    """Make the folders of a job's runs, which then wait for their turn: all of them, or none. Nobody else may be
    making or deleting runs meanwhile.

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
    made: list[tuple[Path, Path]] = []
    try:
        for order, (spec, title) in enumerate(zip(specs, titles, strict=True)):
            aside = root / f"{_NEW}{secrets.token_hex(8)}"
            made.append((aside, root / _name(spec, owner)))
            aside.mkdir(parents=True)
            if text is not None and order:
                files.link(made[0][0] / OWN_TEXT, aside / OWN_TEXT)
            folder.create(aside, spec, text if not order else None)
            listing.write_about(aside, title, asked, owner, order)
            process.queue(aside)
        for aside, out in made:
            aside.rename(out)
        files.sync_folder(root)
    except BaseException as error:
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


def sweep() -> None:
    """Remove what an app that was killed left half made or half deleted. Nobody may be making or deleting runs now."""
    for mark in (_NEW, _DELETED):
        for path in settings.runs_dir().glob(f"{mark}*"):
            shutil.rmtree(path, ignore_errors=True)


def _name(spec: RunSpec, owner: str) -> str:
    return f"{spec.preset}-{spec.model.mixer}-{spec.corpus}-{secrets.token_hex(8 if owner else 3)}"
