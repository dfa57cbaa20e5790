import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from minrnn import settings
from minrnn.errors import CheckpointError, ConfigError, CorpusError, MinrnnError
from minrnn.runs import folder, process
from minrnn.runs.listing import Run
from minrnn.runs.lock import is_held
from minrnn.runs.queue import TrainingQueue, train_in_process
from minrnn.runs.request import TrainRequest
from minrnn.runs.spec import RunSpec
from tests.runs.helpers import SHEEP, halved, losses, made, request, trained, until


@pytest.fixture
def queue(runs_dir: Path) -> Iterator[TrainingQueue]:
    """A queue with a runs folder of its own; no worker outlives the test."""
    queue = TrainingQueue()
    yield queue
    queue.close()
    for child in queue._children.values():
        child.kill()
        child.wait()


@pytest.fixture
def see(queue: TrainingQueue) -> Callable[[str], Run]:
    return lambda name: queue.runs.find(name, "")


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


def test_nobody_waits_while_a_request_reads_what_it_starts_from(
    queue: TrainingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = queue.start(request())
    reading, go_on = threading.Event(), threading.Event()
    whole = TrainRequest.specs

    def slow(self: TrainRequest) -> list[RunSpec]:
        reading.set()
        assert go_on.wait(60)
        return whole(self)

    monkeypatch.setattr(TrainRequest, "specs", slow)
    with ThreadPoolExecutor() as pool:
        started = pool.submit(queue.start, request("lstm"))
        assert reading.wait(60)
        try:
            pool.submit(queue.delete, name).result(20)
        finally:
            go_on.set()
        names = started.result(60)
    assert [run.name for run in queue.runs.every()] == names


def test_a_clock_that_is_set_back_lets_nobody_jump_the_line(
    queue: TrainingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = queue.start(request(["mingru", "lstm"]))
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now - 9 * 3_600 * 10**9)
    third, fourth = queue.start(request(["mingru", "lstm"]))
    assert [run.name for run in queue.waiting()] == [first, second, third, fourth]


def test_what_cannot_be_trained_is_refused_before_anything_starts(
    queue: TrainingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CorpusError, match="is empty"):
        queue.start(request(text="  "))
    with pytest.raises(CorpusError, match="500 characters and at least 1,000"):
        queue.start(request(text="a" * 500))
    with pytest.raises(CorpusError, match="use a longer text or a smaller window"):
        queue.start(request(block_size=60_000))
    with pytest.raises(ConfigError, match="5,000 characters and the limit is 4,096"):
        queue.start(request(text="".join(map(chr, range(20_000, 25_000)))))
    monkeypatch.setattr(settings, "MAX_CORPUS_CHARS", 3_000)
    with pytest.raises(CorpusError, match="characters and the limit is 3,000"):
        queue.start(request())
    assert queue.runs.listed("") == []


def test_a_run_can_be_renamed_and_deleted(queue: TrainingQueue, see: Callable[[str], Run]) -> None:
    (name,) = queue.start(request())
    assert see(name).title == "minGRU tiny, own"
    (other,) = queue.start(request())
    assert see(other).title == "minGRU tiny, own 2"
    queue.rename(name, " my\nrun ")
    assert see(name).title == "my run"
    with pytest.raises(ConfigError, match="0 visible characters"):
        queue.rename(name, "\u3164")
    queue.delete(name)
    assert [run.name for run in queue.runs.listed("")] == [other]


def test_a_run_that_waits_can_be_stopped_resumed_and_deleted(
    queue: TrainingQueue, see: Callable[[str], Run]
) -> None:
    (name,) = queue.start(request())
    queue.stop(name)
    assert see(name).status == "stopped"
    with pytest.raises(CheckpointError, match="not running"):
        queue.stop(name)
    queue.resume(name)
    assert see(name).status == "waiting"
    with pytest.raises(CheckpointError, match="waiting already"):
        queue.resume(name)
    queue.delete(name)
    assert queue.runs.listed("") == []


def test_an_extended_run_that_is_stopped_before_its_turn_keeps_the_new_budget(
    queue: TrainingQueue, see: Callable[[str], Run], runs_dir: Path
) -> None:
    trained(runs_dir / "run")
    queue.resume("run", more_iters=8)
    queue.stop("run")
    assert (see("run").status, see("run").spec.train.max_iters) == ("stopped", 20)
    queue.resume("run")
    list(train_in_process(str(queue.claim_next("").path)))  # type: ignore[union-attr]
    assert losses(runs_dir / "run")[-1][0] == 20


def test_a_run_that_is_going_is_neither_deleted_nor_resumed(queue: TrainingQueue, runs_dir: Path) -> None:
    running = folder.execute(made(runs_dir / "run"))
    next(running)
    with pytest.raises(CheckpointError, match="is running; stop it first"):
        queue.delete("run")
    with pytest.raises(CheckpointError, match="running already"):
        queue.resume("run")
    queue.stop("run")
    assert list(running)[-1].reason == "stopped"  # type: ignore[union-attr]


def test_a_run_of_somebodys_own_command_line_does_not_hold_up_the_queue(
    queue: TrainingQueue, runs_dir: Path
) -> None:
    running = folder.execute(made(runs_dir / "by hand"))
    next(running)
    (name,) = queue.start(request())
    assert [run.name for run in queue.waiting()] == [name]
    running.close()


def test_a_damaged_mark_does_not_stop_the_queue(queue: TrainingQueue, runs_dir: Path) -> None:
    first, second = queue.start(request(["mingru", "lstm"]))
    (runs_dir / second / process.QUEUED).write_text("")
    os.utime(runs_dir / second / process.QUEUED, (time.time() + 9, time.time() + 9))
    assert [run.name for run in queue.waiting()] == [first, second]


def test_nothing_can_be_done_where_training_is_off(
    queue: TrainingQueue, monkeypatch: pytest.MonkeyPatch, runs_dir: Path
) -> None:
    halved(runs_dir / "a")
    monkeypatch.setenv("MINRNN_TRAINING", "off")
    acts: list[Callable[[], object]] = [
        lambda: queue.start(request()), lambda: queue.stop("a"), lambda: queue.delete("a"),
        lambda: queue.resume("a"), lambda: queue.rename("a", "b"),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(MinrnnError, match="switched off here"):
            act()


def test_two_queues_in_one_process_keep_nothing_in_common(queue: TrainingQueue) -> None:
    other = TrainingQueue()
    queue.watch(600)
    assert other._thread is None and other.runs is not queue.runs
    queue.close()


def test_the_thread_leaves_another_runs_folder_alone(
    queue: TrainingQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = itertools.count()
    monkeypatch.setattr(queue, "step", lambda: next(steps))
    queue.watch(0.001)
    until(lambda: next(steps) > 5)
    monkeypatch.setenv("MINRNN_RUNS_DIR", str(tmp_path / "of-another-test"))
    time.sleep(0.05)  # a step that had begun ends
    before = next(steps)
    time.sleep(0.05)
    assert next(steps) == before + 1 and queue._thread is not None and queue._thread.is_alive()


READ_ONLY = """
    import logging, os, sys, time
    from minrnn.runs.queue import TrainingQueue
    os.environ["MINRNN_RUNS_DIR"] = sys.argv[1]
    logging.basicConfig(level=logging.WARNING)
    queue = TrainingQueue()
    queue.runs.every()
    os.setuid(65534)
    print([run.status for run in queue.runs.every()])
    queue.watch(0.02)
    time.sleep(0.5)
    queue.close()
    for act in (queue.stop, queue.delete):
        try:
            act("run")
        except Exception as error:
            print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="takes root, to become somebody else")
def test_a_runs_folder_that_cannot_be_written_is_told_once() -> None:
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        process.queue(made(Path(root) / "run"))
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(READ_ONLY), root],
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stderr.count("Traceback") == 1 and done.stderr.count("says so once") == 1
    first, *refused = done.stdout.splitlines()
    assert json.loads(first.replace("'", '"')) == ["waiting"]
    assert all(line.startswith("CheckpointError") and "cannot be written" in line for line in refused)
