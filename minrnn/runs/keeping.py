"""What a machine that visitors share keeps of their runs, how long, and how much.

Time is counted by the app's own steady clock, from the moment it first saw a run as it is now. So a system clock
that is set, or jumps, neither deletes a run nor keeps it for ever; a new app counts anew.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import torch

from minrnn import checkpoint, settings
from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError
from minrnn.models import LanguageModel
from minrnn.models.undrawn import Undrawn
from minrnn.runs import making, process
from minrnn.runs.events import METRICS, last_event
from minrnn.runs.listing import ABOUT, FOLLOWED, Run
from minrnn.runs.process import QUEUED
from minrnn.runs.spec import RunSpec

_LOG = logging.getLogger(__name__)
_COPIES, _LOGS = 5, 500_000
"""A run holds five floats a weight (model, raw weights, their average, two moments), and half a megabyte of lines."""
_USUAL_VOCAB = 256
"""Characters of the vocabulary of a run that has not begun, for the size of its weights."""


class Keeping:
    """How long runs have been as they are. The queue has one; threads may share it.

    Args:
        now: seconds of a clock that never goes back.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._since: dict[Path, tuple[object, float]] = {}
        self._refused: set[Path] = set()

    def tidy(self, runs: Sequence[Run], owner: str = "", coming: Sequence[RunSpec] = ()) -> None:
        """Stop and delete what visitors have left, and what there is no room for. Nobody else may be starting,
        resuming or deleting runs meanwhile.

        Args:
            runs: all runs.
            owner: of the runs to come.
            coming: what is to be trained besides.

        Raises:
            ConfigError: if there is no room for what is to come.
        """
        self.look(runs)
        for run in self.forgotten(runs):
            self._try(run, functools.partial(process.stop, run.path))
        expired = self.expired(runs)
        rest = [run for run in runs if run not in expired]
        for run in [*expired, *self.surplus(rest, owner, coming)]:
            self._try(run, functools.partial(making.delete, run))

    def _try(self, run: Run, act: Callable[[], None]) -> None:
        """Do something to a run. A folder that the disk does not let one change stays as it is, and holds up nobody:
        that is logged once."""
        try:
            act()
        except OSError as error:
            if run.path not in self._refused:
                _LOG.warning("the folder %s cannot be tidied up: %s", run.path, error)
            self._refused.add(run.path)

    def look(self, runs: Sequence[Run]) -> None:
        """Note which of the visitors' runs have changed since the last look. Those not among them are forgotten."""
        with self._lock:
            marks = {run.path: _mark(run) for run in runs if run.owner}
            before, now = self._since, self._now()
            self._refused &= marks.keys()
            self._since = {
                path: before[path] if path in before and before[path][0] == mark else (mark, now)
                for path, mark in marks.items()
            }

    def age(self, run: Run) -> float:
        """Seconds since a run was first seen as it is now: ended, or shown by a page at that moment."""
        found = self._since.get(run.path)
        return self._now() - found[1] if found else 0.0

    def forgotten(self, runs: Sequence[Run]) -> list[Run]:
        """The visitors' runs that go on although no page has shown them lately."""
        going = [run for run in runs if run.owner and run.active and not run.stopping]
        return [run for run in going if self.age(run) > settings.UNFOLLOWED_S]

    def expired(self, runs: Sequence[Run]) -> list[Run]:
        """The visitors' runs that ended and have been kept long enough. Those of the machine's owner stay."""
        return [run for run in self._ended(runs) if self.age(run) > settings.KEPT_S]

    def surplus(self, runs: Sequence[Run], owner: str = "", coming: Sequence[RunSpec] = ()) -> list[Run]:
        """The runs to delete so that the visitors' runs keep to their share of the disk.

        Those that made no iter go first, so whoever starts and stops runs with ever new tokens deletes nobody's
        models; then those of the visitor who holds most, the ones that ended first before the others.

        Args:
            runs: all runs.
            owner: of the runs to come, whose own share is looked at first.
            coming: what is to be trained besides.

        Raises:
            ConfigError: if it would be too much even so.
        """
        kept = [run for run in runs if run.owner]
        sizes = {run.path: _files(run) for run in kept}
        dropped: list[Run] = []
        if coming:
            own = [run for run in kept if run.owner == owner]
            bounds = (settings.MAX_KEPT_RUNS_VISITOR, settings.MAX_KEPT_BYTES_VISITOR)
            dropped = self._over(own, sizes, coming, *bounds, whose="your runs here")
        rest = [run for run in kept if run not in dropped]
        bounds = (settings.MAX_KEPT_RUNS, settings.max_kept_bytes())
        return dropped + self._over(rest, sizes, coming, *bounds, whose="all runs here")

    def _over(
        self,
        runs: Sequence[Run],
        sizes: Mapping[Path, _Files],
        coming: Sequence[RunSpec],
        most_runs: int,
        most_bytes: int,
        *,
        whose: str,
    ) -> list[Run]:
        kept, ended, dropped = list(runs), self._ended(runs), list[Run]()
        expected = sum(map(expected_bytes, coming))
        expected += sum(expected_bytes(run.spec) for run in runs if run.active and not run.begun)

        def held() -> int:
            return _total(sizes[run.path] for run in kept) + expected

        while len(kept) + len(coming) > most_runs or held() > most_bytes:
            if not ended and coming:
                raise ConfigError(
                    f"{whose} would be {len(kept) + len(coming)} with {held() / 1e6:,.0f} MB, and the limit is "
                    f"{most_runs} with {most_bytes / 1e6:,.0f} MB; try again when those that go on have ended."
                )
            if not ended:
                break
            dropped.append(_first_to_go(ended, kept))
            ended.remove(dropped[-1])
            kept.remove(dropped[-1])
        return dropped

    def _ended(self, runs: Sequence[Run]) -> list[Run]:
        """The visitors' runs that have ended and that no other run needs now, the one that ended first first."""
        taken = _needed(runs)
        ended = [run for run in runs if run.owner and not run.active and run.model.resolve() not in taken]
        return sorted(ended, key=lambda run: (-self.age(run), run.asked))


def check_unneeded(run: Run, runs: Sequence[Run]) -> None:
    """Whether a run can be deleted without taking away what another one needs.

    Raises:
        CheckpointError: if one of the runs, which goes on or waits, starts from this one's model or is taught by it.
    """
    other = _needed(runs).get(run.model.resolve())
    if other is not None and other.path != run.path:
        raise CheckpointError(
            f"{run.title} cannot be deleted now: {other.title} is {other.status} and needs its model; wait until that "
            "run has ended, or stop it first."
        )


def _needed(runs: Sequence[Run]) -> dict[Path, Run]:
    """The folders of the models that runs need which go on or wait, each with one of these runs: where one that has
    not begun starts from, and who teaches one."""
    found: dict[Path, Run] = {}
    for run in runs:
        names = [run.spec.init] if run.spec.init and not run.begun else []
        names += run.spec.teachers if run.spec.is_taught else ()
        folders = (checkpoint.folder_of(name) for name in names if run.active)
        found |= {folder.resolve(): run for folder in folders if folder is not None}
    return found


def _first_to_go(ended: Sequence[Run], kept: Sequence[Run]) -> Run:
    """The ended run to delete next: one that made no iter; else, or of several, one of whoever holds most of the
    runs that are kept; else the first."""
    counts = collections.Counter(run.owner for run in kept)
    empty = [run for run in ended if not _made_iters(run)]
    return max(empty or ended, key=lambda run: counts[run.owner])


def _made_iters(run: Run) -> bool:
    last = last_event(run.path / METRICS) if run.begun else None
    return last is not None and last.iter > 0


def held_bytes(runs: Iterable[Run]) -> int:
    """What runs hold on the disk. A file of several names counts once."""
    return _total(map(_files, runs))


_Files = Mapping[tuple[int, int], int]


def _total(files: Iterable[_Files]) -> int:
    found: dict[tuple[int, int], int] = {}
    for some in files:
        found.update(some)
    return sum(found.values())


def _files(run: Run) -> _Files:
    """The size of every file of a run, by what the file system knows it by."""
    found: dict[tuple[int, int], int] = {}
    for path in run.path.rglob("*"):
        try:
            status = path.lstat()
        except OSError:  # just deleted
            continue
        found[status.st_dev, status.st_ino] = status.st_size
    return found


def expected_bytes(spec: RunSpec) -> int:
    """About what a run will hold once it has begun, its text left out."""
    shape = dataclasses.replace(spec.model, vocab=spec.model.vocab or "".join(map(chr, range(_USUAL_VOCAB))))
    return 4 * _COPIES * _weights(shape) + _LOGS


@functools.lru_cache(maxsize=256)
def _weights(shape: ModelConfig) -> int:
    """The weights of a model of that shape. Nothing of it is allocated or drawn."""
    with torch.device("meta"), Undrawn():
        return LanguageModel(shape).n_params


def _mark(run: Run) -> object:
    """What changes when a page shows a run that goes on, and when one ends or goes on again."""
    if not run.active:
        return "ended"
    return [_changed(run.path / name) for name in (FOLLOWED, QUEUED, ABOUT)]


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
