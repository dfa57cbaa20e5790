import dataclasses
import itertools
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from minrnn import settings
from minrnn.errors import CheckpointError, ConfigError, CorpusError, MinrnnError
from minrnn.runs import folder, process
from minrnn.runs.listing import Run
from minrnn.runs.queue import TrainingQueue, train_in_process
from minrnn.runs.request import TrainRequest
from minrnn.runs.spec import RunSpec
from tests.runs.helpers import SHEEP, halved, losses, made, micro, request, trained, until


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


def test_a_run_whose_model_another_one_needs_is_not_deleted_until_that_one_has_begun(
    queue: TrainingQueue, see: Callable[[str], Run], runs_dir: Path
) -> None:
    trained(runs_dir / "start", max_iters=1)
    (name,) = queue.start(request([], inits=[str(runs_dir / "start" / "model")], block_size=None))
    told = f"start cannot be deleted now: {see(name).title} is waiting and needs its model; .* stop it first"
    with pytest.raises(CheckpointError, match=told):
        queue.delete("start")
    queue.stop(name)
    queue.resume(name)
    assert process.claim(see(name).path)
    events = train_in_process(str(see(name).path))
    next(events)
    queue.delete("start")
    assert [run.name for run in queue.runs.every()] == [name] and list(events)


def test_a_run_that_teaches_another_one_is_not_deleted_and_a_stopped_one_needs_nobody(
    queue: TrainingQueue, runs_dir: Path
) -> None:
    model = trained(runs_dir / "teacher", max_iters=1) / "model"
    folder.create(runs_dir / "run", dataclasses.replace(micro(), teachers=(str(model),)), SHEEP)
    process.queue(runs_dir / "run")
    with pytest.raises(CheckpointError, match="teacher cannot be deleted now: run is waiting and needs its"):
        queue.delete("teacher")
    queue.stop("run")
    queue.delete("teacher")
    assert [run.name for run in queue.runs.every()] == ["run"]


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
