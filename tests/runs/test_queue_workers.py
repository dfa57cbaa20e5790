import os
import signal
import subprocess
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from minrnn import settings
from minrnn.errors import CheckpointError
from minrnn.runs import folder, process
from minrnn.runs.listing import Run
from minrnn.runs.lock import is_held
from minrnn.runs.queue import TrainingQueue
from tests.runs.helpers import SHEEP, losses, made, request, trained, until


@pytest.mark.slow
def test_runs_that_are_asked_for_train_one_after_another(
    queue: TrainingQueue, see: Callable[[str], Run]
) -> None:
    first, second = queue.start(request(["mingru", "lstm"]))
    assert [see(first).status, see(second).status] == ["waiting", "waiting"]
    queue.step()
    assert [see(first).status, see(second).status] == ["running", "waiting"]
    until(lambda: see(second).status == "finished", queue.step)
    assert see(first).status == "finished"
    assert queue.runs.history(see(second)).done == queue.runs.history(see(first)).done
    assert see(first).scores["corpus"] == "own"
    assert see(first).asked == see(second).asked


@pytest.mark.slow
def test_a_run_stops_when_asked_and_goes_on_to_its_end(
    queue: TrainingQueue, see: Callable[[str], Run]
) -> None:
    (name,) = queue.start(request(max_iters=0, max_seconds=600))
    until(lambda: queue.runs.history(see(name)).iters, queue.step)
    queue.stop(name)
    until(lambda: see(name).status == "stopped", queue.step)
    stopped_at = losses(see(name).path)[-1][0]
    queue.resume(name, more_iters=3)
    assert see(name).spec.train.max_iters == stopped_at + 3
    until(lambda: see(name).status == "finished", queue.step)
    assert losses(see(name).path)[-1][0] == stopped_at + 3
    with pytest.raises(CheckpointError, match="spent its budget.*how many more"):
        queue.resume(name)


@pytest.mark.slow
def test_an_extended_run_that_is_killed_is_resumed_to_its_new_budget(
    queue: TrainingQueue, see: Callable[[str], Run], runs_dir: Path
) -> None:
    trained(runs_dir / "run")
    queue.resume("run", more_iters=300_000)
    until(lambda: losses(runs_dir / "run")[-1][0] > 20, queue.step)
    os.kill(queue._children[runs_dir / "run"].pid, signal.SIGKILL)
    until(lambda: see("run").status == "killed", queue.step)
    assert "Resume it" in see("run").problem
    assert see("run").spec.train.max_iters == 300_012
    queue.resume("run")
    until(lambda: see("run").status == "running", queue.step)
    queue.stop("run")
    until(lambda: see("run").status == "stopped", queue.step)


@pytest.mark.slow
def test_a_worker_that_fails_says_why_and_the_next_one_starts(
    queue: TrainingQueue, see: Callable[[str], Run], runs_dir: Path
) -> None:
    first, second = queue.start(request(["mingru", "lstm"]))
    (runs_dir / first / folder.CONFIG).write_text("{}")
    (runs_dir / first / "own.txt").unlink()  # the runs of a job share the text
    (runs_dir / first / "own.txt").write_bytes(b"\xff" * 2_000)
    made(runs_dir / "aside", SHEEP)
    (runs_dir / first / folder.CONFIG).write_bytes((runs_dir / "aside" / folder.CONFIG).read_bytes())
    until(lambda: see(second).status == "finished", queue.step)
    assert see(first).status == "failed"
    assert "not UTF-8" in see(first).problem


@pytest.mark.slow
def test_a_resume_that_fails_is_shown_as_failed(
    queue: TrainingQueue, see: Callable[[str], Run], runs_dir: Path
) -> None:
    out = trained(runs_dir / "run")
    (out / "own.txt").write_text(SHEEP + "One more sheep.\n")
    queue.resume("run", more_iters=10)
    until(lambda: see("run").status == "failed", queue.step)
    assert "no longer the one that this run began with" in see("run").problem


def test_a_worker_that_cannot_be_started_does_not_hold_up_the_next(
    queue: TrainingQueue, see: Callable[[str], Run], runs_dir: Path
) -> None:
    made(runs_dir / "run")
    (runs_dir / "run" / folder.LOG).mkdir()  # its log cannot be written
    process.queue(runs_dir / "run")
    queue.step()
    assert see("run").status == "failed" and "could not be started" in see("run").problem
    assert queue.waiting() == []


def test_a_visitors_worker_that_hangs_is_killed_and_does_not_hold_up_the_next(
    queue: TrainingQueue, see: Callable[[str], Run], runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.queue(out := made(runs_dir / "run"))
    process.claim(out)
    queue._children[out] = hung = subprocess.Popen(["sleep", "600"])
    queue._spawned[out] = time.monotonic() - 310
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    queue.step()
    assert hung.poll() is None and queue.waiting() == []
    queue._spawned[out] -= 20
    queue.step()
    assert hung.wait(10) == -signal.SIGKILL
    queue.step()
    assert (
        queue._children == {} == queue._spawned
        and "had not ended after 320 seconds" in (out / folder.ERROR).read_text()
    )


HUNG = """
    import sys, time
    from pathlib import Path
    from filelock import FileLock
    lock = FileLock(Path(sys.argv[-1]) / "lock")
    lock.acquire()
    time.sleep(600)
"""


def test_a_visitors_worker_that_hangs_is_killed_by_the_next_app_too(
    queue: TrainingQueue, see: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    (name,) = queue.start(request(), token := "m" * 20)
    out = queue.runs.find(name, token).path
    process.claim(out)
    (tmp_path / "minrnn").mkdir()
    (tmp_path / "minrnn" / "__init__.py").touch()
    (tmp_path / "minrnn" / "__main__.py").write_text(textwrap.dedent(HUNG))
    hung = subprocess.Popen(process.words(out), cwd=tmp_path)  # a worker's command line, and nothing of ours
    until(lambda: is_held(out))
    queue.step()
    assert hung.poll() is None and queue.waiting() == []
    monkeypatch.setattr(settings, "WORKER_GRACE_S", -settings.MAX_TRAIN_SECONDS_LIMITED - 20)
    queue.step()
    assert hung.wait(10) == -signal.SIGKILL
    assert "so it was killed" in queue.runs.find(name, token).problem


def test_only_the_worker_of_a_folder_is_taken_for_it(runs_dir: Path) -> None:
    assert process.worker(runs_dir / "run") is None
    assert 0 < process.age_s(os.getpid()) < 86_400 and process.age_s(2**30) == 0
