import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minrnn.runs import folder, process
from minrnn.runs.lock import held
from tests.runs.helpers import made


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
        env=process._environment(),
        capture_output=True,
        check=True,
    )
    assert b"train" in done.stdout
