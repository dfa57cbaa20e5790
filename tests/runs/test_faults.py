"""Faults from outside, each caused for real: a full disk, a folder that cannot be written, a signal, a second app."""

import ctypes
import errno
import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from minrnn import checkpoint, train
from minrnn.errors import CheckpointError, MinrnnError
from minrnn.runs import folder, process
from minrnn.runs.events import METRICS, last_event
from minrnn.runs.listing import Listing
from minrnn.runs.queue import TrainingQueue, train_in_process
from tests.runs.helpers import (
    SHEEP,
    apart,
    longer,
    losses,
    made,
    request,
    spawned,
    start,
    trained,
    until,
    wait_for_iter,
)

ALL = list(range(1, 13))
END = train.Done(12, "max_iters")
as_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="takes root")


def numbers(out: Path) -> list[int]:
    return [n for n, _ in losses(out)]


def train_to(out: Path, iter: int) -> Any:
    """A run that trains and has made so many iters."""
    running = folder.execute(out)
    while not isinstance(event := next(running), train.Iter) or event.iter < iter:
        pass
    return running


def refusal(running: Any) -> str:
    with pytest.raises(CheckpointError) as refused:
        list(running)
    return str(refused.value)


def mount_own_disk(root: Path) -> bool:
    """Give this process a file system of one megabyte in a folder, which no other process sees."""
    if ctypes.CDLL(None).unshare(0x00020000):  # CLONE_NEWNS
        return False
    words = [["--make-rprivate", "/"], ["-t", "tmpfs", "-o", "size=1m", "none", str(root)]]
    return not any(
        subprocess.run(["mount", *each], capture_output=True, check=False).returncode for each in words
    )


def fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * 4_096) == 4_096:
            pass


def on_a_full_disk(root: Path) -> Any:
    if not mount_own_disk(root):
        return None
    os.environ["MINRNN_RUNS_DIR"] = str(root)
    running = train_to(out := made(root / "run"), 6)
    fill(root / "rest")
    told = [refusal(running)]
    checkpoint.load(out / "model")
    with pytest.raises(CheckpointError) as refused:
        TrainingQueue().start(request(["mingru", "lstm"]))
    told.append(str(refused.value))
    left = sorted(path.name for path in root.iterdir()) + [path.name for path in out.rglob(".*")]
    (root / "rest").unlink()
    return told, left, list(folder.execute(out))[-1], numbers(out)


@as_root
def test_a_full_file_system_keeps_the_last_save_and_makes_no_half_run(tmp_path: Path) -> None:
    if (found := apart(on_a_full_disk, tmp_path)) is None:
        pytest.skip("takes a system that lets it mount")
    (told, refused), left, end, made_iters = found
    assert "No space left on device" in told and "free some space, then resume the run" in told
    assert "No space left on device" in refused and "free some space" in refused
    assert left in (["rest", "run"], [".asking", "rest", "run"])
    assert (end, made_iters) == (END, ALL)


def on_a_read_only_disk(root: Path) -> Any:
    if not mount_own_disk(root):
        return None
    train_to(out := made(root / "run", save_seconds=100), 6).close()
    subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
    told = refusal(folder.execute(out))
    subprocess.run(["mount", "-o", "remount,rw", str(root)], check=True)
    return told, list(folder.execute(out))[-1], numbers(out)


@as_root
def test_a_disk_that_becomes_read_only_loses_nothing_and_names_the_remedy(tmp_path: Path) -> None:
    if (found := apart(on_a_read_only_disk, tmp_path)) is None:
        pytest.skip("takes a system that lets it mount")
    told, *rest = found
    assert "cannot be written (Read-only file system)" in told and rest == [END, ALL]


def as_somebody_else(root: Path) -> str:
    running = train_to(out := made(root / "run"), 6)
    for path in (root, *root.parents):
        os.chmod(path, path.stat().st_mode | 0o5)
    os.chmod(out, 0o555)
    os.setuid(65534)  # from now on somebody who may read the folder and not write to it
    return refusal(running)


@as_root
def test_a_folder_that_may_no_longer_be_written_while_it_trains_is_told_as_that(tmp_path: Path) -> None:
    told = apart(as_somebody_else, tmp_path)
    assert "Permission denied" in told and "let this user write to it, then resume the run" in told
    assert list(folder.execute(tmp_path / "run"))[-1] == END and numbers(tmp_path / "run") == ALL


@pytest.mark.parametrize("how", ["deleted", "moved"])
def test_a_folder_that_is_gone_while_it_trains_ends_the_run_and_is_not_made_anew(
    how: str, tmp_path: Path
) -> None:
    running = train_to(out := made(tmp_path / "run"), 6)
    if how == "moved":
        out.rename(tmp_path / "elsewhere")
    else:
        shutil.rmtree(out)
    assert "was deleted or moved while the run trained there" in refusal(running)
    assert not out.exists()
    if how == "moved":
        assert list(folder.execute(tmp_path / "elsewhere"))[-1] == END
        assert numbers(tmp_path / "elsewhere") == ALL


def ask_eight_times(go: Path) -> list[str]:
    """What becomes of eight requests for two runs each that come at one moment, all with one token."""
    os.environ |= {"MINRNN_TRAINING": "limited", "MINRNN_RUNS_DIR": str(go.parent / "runs")}
    queue, told = TrainingQueue(), list[str]()
    asked = [request(["mingru", "lstm"], seed=seed) for seed in range(8)]
    go.with_name(f"ready {os.getpid()}").touch()

    def ask(number: int) -> None:
        until(go.exists, seconds=60)
        try:
            told.append(" ".join(queue.start(asked[number], "m" * 20)))
        except MinrnnError as error:
            told.append(f"error: {error}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_of_sixteen_requests_to_two_apps_on_one_folder_one_is_taken(runs_dir: Path, tmp_path: Path) -> None:
    told: list[str] = []
    apps = [
        threading.Thread(target=lambda: told.extend(apart(ask_eight_times, tmp_path / "go")))
        for _ in range(2)
    ]
    for app in apps:
        app.start()
    until(lambda: len(list(tmp_path.glob("ready *"))) == 2)
    (tmp_path / "go").touch()
    for app in apps:
        app.join()
    taken = [line for line in told if not line.startswith("error: ")]
    assert len(told) == 16 and len(taken) == 1
    assert sorted(run.name for run in Listing().every()) == sorted(taken[0].split())
    assert sum("a run of yours is still going here" in line for line in told) == 15


def app_on(root: Path) -> None:
    os.environ["MINRNN_RUNS_DIR"] = str(root)
    queue = TrainingQueue()
    queue.start(request(["mingru", "lstm"], max_iters=0, max_seconds=600, eval_interval=0))
    queue.watch(0.05)
    time.sleep(600)


@pytest.mark.slow
def test_an_app_that_is_killed_and_started_again_goes_on_with_its_queue(runs_dir: Path) -> None:
    app, queue = spawned(app_on, runs_dir), TrainingQueue()
    until(lambda: any(numbers(run.path) for run in queue.runs.every()))
    os.kill(app.pid, signal.SIGKILL)
    app.join()
    first, second = queue.runs.every()
    queue.step()  # the worker goes on, so the second run is not started yet
    assert not queue._children and [first.status, second.status] == ["running", "waiting"]
    queue.stop(first.name)
    until(lambda: queue.runs.find(first.name, "").status == "stopped")
    assert queue.waiting() == [second] and queue.claim_next("") == second
    queue.resume(first.name, more_iters=1)
    for event in train_in_process(str(queue.claim_next("").path)):  # type: ignore[union-attr]
        last = event
    assert isinstance(last, train.Done) and numbers(first.path) == list(range(1, last.iter + 1))


@pytest.mark.parametrize("hours", [-9, 9])
def test_a_clock_that_is_set_while_a_run_trains_changes_nothing_about_it(
    hours: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, now = train_to(out := made(tmp_path / "run", max_seconds=600), 6), time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3_600 * hours)
    for path in (path for path in out.rglob("*") if path.is_file()):
        os.utime(path, (time.time(), time.time()))
    assert list(running)[-1] == END
    wanted = [loss for _, loss in losses(trained(tmp_path / "whole"))]
    assert numbers(out) == ALL and [loss for _, loss in losses(out)] == pytest.approx(wanted, abs=1e-4)


def without_locks(out: Path, kill_at: int) -> None:
    import fcntl

    def flock(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    fcntl.flock = flock  # type: ignore[assignment]
    for event in folder.execute(out):
        if isinstance(event, train.Iter) and event.iter == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(os.name != "posix", reason="takes POSIX locks")
def test_a_worker_killed_on_a_file_system_without_locks_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    out = made(tmp_path / "run")
    for kill_at, status in ((6, -signal.SIGKILL), (0, 0)):
        worker = spawned(without_locks, out, kill_at)
        worker.join(60)
        assert worker.exitcode == status
        assert (out / "lock.owner").exists() == bool(kill_at)
    assert last_event(out / METRICS) == END and numbers(out) == ALL


def test_a_power_cut_leaves_a_run_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After it, of metrics.jsonl only those bytes are left that had been synced."""
    out, synced, fsync = made(tmp_path / "run"), dict[int, int](), os.fsync

    def noted(handle: int) -> None:
        fsync(handle)
        synced[os.fstat(handle).st_ino] = os.fstat(handle).st_size

    monkeypatch.setattr(os, "fsync", noted)
    for cut_at in (3, 7, 11):
        train_to(out, cut_at).close()
        os.truncate(out / METRICS, synced[(out / METRICS).stat().st_ino])
    assert list(folder.execute(out))[-1] == END and numbers(out) == ALL
    assert synced[(out / METRICS).stat().st_ino] == (out / METRICS).stat().st_size


def test_a_run_that_is_stopped_while_it_is_scored_ends_at_once_and_is_scored_when_it_goes_on(
    tmp_path: Path,
) -> None:
    out = made(tmp_path / "run", SHEEP * 1_000, score_train=True)
    worker = start(out)
    wait_for_iter(out, 12, worker)
    until(lambda: isinstance(last_event(out / METRICS), train.Sample), seconds=30)
    time.sleep(0.3)
    asked = time.monotonic()
    process.stop(out)
    worker.join(30)
    assert worker.exitcode == 0 and time.monotonic() - asked < 5
    assert last_event(out / METRICS) == train.Done(12, "stopped")
    found = checkpoint.load(out / "model").metrics
    assert found["iters"] == 12 and "train_loss" not in found and "was stopped" in found["note"]
    folder.change(out, longer(out, score_train=False, score_chars=500))
    assert list(folder.execute(out))[-1] == END
    assert "val_loss" in checkpoint.load(out / "model").metrics
