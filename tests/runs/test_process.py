import json
import os
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minrnn import cores
from minrnn.errors import TrainingError
from minrnn.runs import folder, process
from minrnn.runs.lock import held
from tests.runs.helpers import SHEEP, apart, made, micro


def test_a_run_that_waits_is_claimed_once(tmp_path: Path) -> None:
    process.queue(tmp_path)
    assert process.claim(tmp_path)
    assert not process.claim(tmp_path)
    assert process.is_alive(tmp_path)


def test_a_run_that_waits_can_be_taken_out_for_good(tmp_path: Path) -> None:
    process.queue(tmp_path)
    assert process.unqueue(tmp_path)
    assert not process.unqueue(tmp_path)
    assert not process.is_alive(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "null", "{}", "[]", "[[1]]", "NaN", "Infinity", '"soon"', "\0", "[" * 100_000]
)
def test_a_damaged_mark_of_the_queue_says_when_by_its_own_time(content: str, tmp_path: Path) -> None:
    (tmp_path / process.QUEUED).write_text(content)
    os.utime(tmp_path / process.QUEUED, (7, 7))
    assert process.queued_at(tmp_path) == 7 * 10**9


def test_the_queue_is_in_the_order_of_asking_for_old_marks_too(tmp_path: Path) -> None:
    (tmp_path / process.QUEUED).write_text(json.dumps([123, ["train", "--out", "x"]]))
    assert process.queued_at(tmp_path) == 123
    before = time.time_ns()
    process.queue(tmp_path)
    assert before <= process.queued_at(tmp_path) <= time.time_ns()


def test_a_worker_that_never_held_its_lock_is_alive_for_a_while_only(tmp_path: Path) -> None:
    process.queue(tmp_path)
    process.claim(tmp_path)
    for age in (process.STARTING_S + 1, -process.STARTING_S - 1):  # the clock may have been put back
        moment = time.time() - age
        os.utime(tmp_path / folder.STARTING, (moment, moment))
        assert not process.is_alive(tmp_path)
    with held(tmp_path):
        assert process.is_alive(tmp_path)


def test_a_worker_that_ends_before_it_begins_leaves_its_last_words(tmp_path: Path) -> None:
    process.queue(tmp_path)
    process.claim(tmp_path)
    (tmp_path / folder.LOG).write_text("usage: train\nerror: no such flag\n")
    process.reap(tmp_path, 2)
    told = (tmp_path / folder.ERROR).read_text()
    assert "status 2 before it began" in told and "no such flag" in told
    assert not process.is_alive(tmp_path)


def take(count: int, out: Path) -> str:
    """What becomes of batches of so many windows in a process that may hold 500 MB."""
    os.environ["MINRNN_TRAIN_MB"] = "500"
    process._bound_memory(os.getpid(), 1)
    folder.create(out, micro(batch_size=count, max_iters=2), SHEEP)
    try:
        return str(list(folder.execute(out))[-1])
    except TrainingError as error:
        return str(error)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="takes Linux")
def test_a_worker_that_would_take_more_memory_than_it_may_says_what_to_lower(tmp_path: Path) -> None:
    assert apart(take, 4, tmp_path / "small") == "Done(iter=2, reason='max_iters')"
    told = apart(take, 30_000, tmp_path / "large")
    assert (
        "out of memory on cpu at iter 0 with batch_size 30000" in told
        and "new run with half the batch_size" in told
    )


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="takes Linux")
@pytest.mark.parametrize(("mode", "bytes_"), [("limited", 123_000_000), ("full", resource.RLIM_INFINITY)])
def test_a_visitors_worker_may_hold_so_much_memory(
    mode: str, bytes_: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", mode)
    monkeypatch.setenv("MINRNN_TRAIN_MB", "123")
    child = process.spawn(made(tmp_path / "run"))
    try:
        each = bytes_ // process._processes_of(tmp_path / "run") if mode == "limited" else bytes_
        assert resource.prlimit(child.pid, resource.RLIMIT_DATA)[0] == each
    finally:
        child.kill()
        child.wait()


def test_a_worker_that_began_speaks_for_itself(tmp_path: Path) -> None:
    process.reap(tmp_path, 1)
    assert not (tmp_path / folder.ERROR).exists()


def test_the_workers_command_says_no_more_than_its_folder(tmp_path: Path) -> None:
    assert process.words(tmp_path) == shlex.split(f"{sys.executable} -m minrnn train --run {tmp_path}")


def test_a_worker_gives_way_and_finds_this_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is stopped in its start, in a folder from which minrnn cannot be imported."""
    monkeypatch.chdir(tmp_path)
    child = process.spawn(made(tmp_path / "run"))
    try:
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == min(19, os.nice(0) + process.NICENESS)
        assert os.getsid(child.pid) == child.pid
    finally:
        child.kill()
        child.wait()
    done = subprocess.run(
        [sys.executable, "-m", "minrnn", "--help"],
        env=process._environment(1),
        capture_output=True,
        check=True,
    )
    assert b"train" in done.stdout


@pytest.mark.parametrize(("count", "taken"), [(1, 1), (2, 2), (3, 2), (16, 15)])
def test_a_worker_takes_both_of_two_cores_and_leaves_one_of_more(
    count: int, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "usable", lambda: count)
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    environment = process._environment(1)
    assert process.taken() == taken
    assert environment["OMP_NUM_THREADS"] == str(taken) and environment["OMP_WAIT_POLICY"] == "PASSIVE"


@pytest.mark.parametrize(
    ("usable", "batch_size", "count"),
    [(1, 16, 1), (2, 16, 2), (2, 15, 1), (4, 15, 3), (4, 16, 2), (64, 64, 8)],
)
def test_as_many_processes_share_a_batch_as_there_are_cores_and_it_can_be_divided(
    usable: int, batch_size: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "usable", lambda: usable)
    assert process.sharing(batch_size) == count


def test_where_the_config_cannot_be_read_one_process_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    assert process._processes_of(tmp_path) == 1
