"""Starting training runs one after another, stopping, resuming, renaming and deleting them.

A run that is asked for waits in its own folder (see `process.py`) until the machine is free, so the queue
survives whatever happens to the app. `step` starts the next one; `watch` calls it again and again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from minrnn import settings
from minrnn.corpora import Corpus
from minrnn.errors import CheckpointError, ConfigError
from minrnn.runs import folder, limits, listing, making, process
from minrnn.runs.keeping import Keeping, check_unneeded
from minrnn.runs.listing import Listing, Run
from minrnn.runs.lock import alone, turn
from minrnn.runs.request import TrainRequest, read
from minrnn.runs.spec import RunSpec
from minrnn.train import Event

_LOG = logging.getLogger(__name__)
_LOCK, _ASKING = ".jobs", ".asking"
"""In the runs folder: held by the process that looks after the queue at the moment, and by the one that starts,
resumes or deletes a run."""


class TrainingQueue:
    """The queue of training runs, and the worker that the app has started. The app makes one and hands it down.

    Attributes:
        runs: the runs of this machine.
    """

    def __init__(self) -> None:
        self.runs = Listing()
        self._children: dict[Path, subprocess.Popen[bytes]] = {}
        self._spawned: dict[Path, float] = {}
        self._keeping = Keeping()
        self._asking = threading.Lock()
        self._stepping = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, request: TrainRequest, token: str = "") -> list[str]:
        """Ask for runs, to be trained one after another on the same text.

        Args:
            request: what to train.
            token: of whoever asks.

        Returns:
            The runs' names, which cannot be guessed.

        Raises:
            MinrnnError: if they cannot be trained, or not here, or not now.
        """
        listing.check_on()
        self._check_may_start(request, token)
        specs, text = read(request)  # may download, and so nobody waits for it
        with self._turn():
            self._check_may_start(request, token)
            return self._ask(specs, token, text)

    def resume(self, name: str, token: str = "", more_iters: int = 0) -> None:
        """Let a run that ended go on, once the machine is free.

        Args:
            name: the run's.
            token: of whoever asks.
            more_iters: updates beyond those it has made, which become its whole budget; 0 keeps its budget.

        Raises:
            MinrnnError: if it is still going, or has nothing left to do.
        """
        with self._turn():
            run = self.runs.find(name, token)
            if run.active:
                raise CheckpointError(f"{run.title} is {run.status} already; stop it first.")
            if settings.training_mode() == "limited":
                limits.check_free(self.runs, token)
            spec = self._resumed(run, more_iters)
            with _writing(run):
                if spec != run.spec:
                    folder.change(run.path, spec)
                process.queue(run.path)

    def stop(self, name: str, token: str = "") -> None:
        """Ask a run to save and end; one that waits is taken out of the queue.

        Raises:
            CheckpointError: if it does neither.
        """
        run = self.runs.find(name, token)
        if not run.active:
            raise CheckpointError(f"{run.title} is not running (it is {run.status}).")
        with _writing(run):
            process.stop(run.path)

    def delete(self, name: str, token: str = "") -> None:
        """Delete a run and all it holds.

        Raises:
            CheckpointError: if it is running, or another run that is active needs its model.
        """
        with self._turn():  # or it might be resumed meanwhile
            run = self.runs.find(name, token)
            check_unneeded(run, self.runs.every())
            with _writing(run):
                if run.status == "running" or (run.status == "waiting" and not process.unqueue(run.path)):
                    raise CheckpointError(f"{run.title} is running; stop it first.")
                making.delete(run)

    def rename(self, name: str, title: str, token: str = "") -> None:
        """Give a run another title; its folder keeps its name.

        Raises:
            ConfigError: if the title is empty or too long.
        """
        run = self.runs.find(name, token)
        with _writing(run):
            listing.write_about(run.path, listing.clean_title(title), run.asked, run.owner, run.order)

    def step(self) -> None:
        """Tidy up, then start the run whose turn it is, if the machine is free."""
        with self._stepping, self._alone() as ours:
            self._reap()
            if not ours:
                return
            if settings.training_mode() == "limited":
                self._end_overdue()
            self._tidy_now()
            if not settings.on_zero_gpu() and (first := self._claimed()):
                self._spawn(first.path)

    def _tidy_now(self) -> None:
        """Tidy up what a kill has left, and what visitors have, unless somebody asks for runs at this moment."""
        if not self._asking.acquire(blocking=False):
            return
        try:
            with alone(settings.runs_dir() / _ASKING) as ours:
                if ours:
                    making.sweep()
                if ours and settings.training_mode() == "limited":
                    self._keeping.tidy(self.runs.every())
        finally:
            self._asking.release()

    def _end_overdue(self) -> None:
        """Kill a worker that has hung, also one of an earlier app: nobody else's run starts before it ends."""
        allowed = settings.MAX_TRAIN_SECONDS_LIMITED + settings.MAX_SCORE_SECONDS_LIMITED
        allowed += settings.WORKER_GRACE_S
        why = f"the worker had not ended after {allowed:g} seconds, so it was killed."
        for out, child in self._children.items():
            if time.monotonic() - self._spawned[out] > allowed:
                child.kill()
                process.give_up(out, why)
        for run in self.runs.every():
            if run.owner and run.status == "running" and run.path not in self._children:
                process.kill_overdue(run.path, allowed, why)

    def waiting(self) -> list[Run]:
        """The runs whose turn it is, the next one first; none while another one of the queue trains."""
        found = self.runs.every()
        if any(run.path in self._children or (run.status == "running" and _is_queued(run)) for run in found):
            return []
        return _in_turn(found)

    def _claimed(self) -> Run | None:
        """The run whose turn it is, claimed. One whose folder cannot be written does not hold up the others."""
        failure = None
        for run in self.waiting():
            try:
                if process.claim(run.path):
                    return run
            except OSError as error:
                failure = error
        if failure is not None:
            raise failure
        return None

    def claim_next(self, token: str) -> Run | None:
        """Take the visitor's next run out of the queue, to train it in this process; None if there is none."""
        return next((run for run in _in_turn(self.runs.listed(token)) if process.claim(run.path)), None)

    def watch(self, every_s: float = 1.0) -> None:
        """Call `step` again and again in a thread of this process, until `close`, for the runs folder that is set now
        and for no other that is set later; a second call does nothing."""
        if self._thread is None:
            words = every_s, settings.runs_dir()
            self._thread = threading.Thread(target=self._watch, args=words, name="minrnn-queue", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread. Workers go on: they are processes of their own."""
        self._ended.set()

    def _watch(self, every_s: float, root: Path) -> None:
        said = ""
        while not self._ended.wait(every_s):
            if settings.runs_dir() != root:
                continue
            try:
                self.step()
                said = ""
            except Exception as error:  # whatever it was, the next runs still want to be started
                if str(error) != said:
                    _LOG.exception("the training queue stumbled; it goes on, and says so once")
                said = str(error)

    def _spawn(self, out: Path) -> None:
        try:
            child = process.spawn(out)
            self._children[out], self._spawned[out] = child, time.monotonic()
        except OSError as error:
            process.give_up(out, f"the worker could not be started ({error}); free some space, then resume.")

    def _reap(self) -> None:
        """Forget the workers that have ended."""
        for out, child in list(self._children.items()):
            if (status := child.poll()) is not None:
                del self._children[out], self._spawned[out]
                process.reap(out, status)

    def _alone(self) -> contextlib.AbstractContextManager[bool]:
        """Whether no other process looks after these runs at this moment; none does until the context ends."""
        root = settings.runs_dir()
        return alone(root / _LOCK) if root.is_dir() else contextlib.nullcontext(False)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Check and act as one: no other thread, and no other app, starts, resumes or deletes runs here meanwhile."""
        listing.check_on()
        with self._asking, turn(settings.runs_dir() / _ASKING):
            yield

    def _check_may_start(self, request: TrainRequest, token: str) -> None:
        if settings.training_mode() == "limited":
            limits.check_may_start(self.runs, token, request.inits)

    def _ask(self, specs: Sequence[RunSpec], token: str, text: Corpus | None) -> list[str]:
        limited = settings.training_mode() == "limited"
        owner = listing.owner_of(token) if limited else ""
        if limited:
            self._keeping.tidy(self.runs.every(), owner, specs)
        titles = making.titles(specs, {run.title for run in self.runs.listed(token)})
        return making.make(specs, titles, owner, None if text is None else text.text)

    def _resumed(self, run: Run, more_iters: int) -> RunSpec:
        """What a run that goes on trains: what it did, or so many further iters and nothing else."""
        if more_iters <= 0 and run.status == "finished":
            raise CheckpointError(f"{run.title} has spent its budget; say how many more iters it may train.")
        if more_iters <= 0:
            return run.spec
        if settings.training_mode() == "limited":
            raise ConfigError("a budget cannot be extended here; run minRNN on your own machine.")
        iters = self.runs.history(run).iters
        budget = (iters[-1].iter if iters else 0) + more_iters
        recipe = dataclasses.replace(run.spec.train, max_iters=budget, max_seconds=0.0, target_val_loss=0.0)
        return dataclasses.replace(run.spec, train=recipe)


def train_in_process(path: str) -> Iterator[Event]:
    """Train a run in this process: where only the app itself is lent a GPU (ZeroGPU).

    Raises:
        MinrnnError: whatever the training raises; the folder says so, too.
    """
    yield from folder.execute(Path(path))


def _in_turn(runs: Sequence[Run]) -> list[Run]:
    """Those of the runs that wait, in the order they were asked for."""
    waiting = [run for run in runs if run.status == "waiting"]
    return sorted(waiting, key=lambda run: process.queued_at(run.path))


def _is_queued(run: Run) -> bool:
    """Whether a run was started by a queue, not by somebody's own command line."""
    return (run.path / listing.ABOUT).is_file()


@contextlib.contextmanager
def _writing(run: Run) -> Iterator[None]:
    """Say so where a run's folder cannot be written."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            f"{run.title}: {run.path} cannot be written ({error.strerror or error}); check its permissions."
        ) from error
