"""The app's start is measured and reported; how fast is not asserted, for machines differ."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from minrnn.bench import start
from minrnn.bench.running import App
from minrnn.cli import bench
from minrnn.errors import ConfigError, MinrnnError

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


class Job(Future[None]):
    """A request with the snapshots that came of it so far, as `gradio_client` has it."""

    def __init__(self, *snapshots: dict[str, str]) -> None:
        super().__init__()
        self.snapshots = snapshots

    def outputs(self) -> list[dict[str, dict[str, str]]]:
        return [{name: {"text": text} for name, text in shot.items()} for shot in self.snapshots]


@pytest.mark.parametrize("status", ["failed", "killed", "stopped", "finished"])
def test_a_training_that_ends_is_not_waited_for(status: str) -> None:
    told: dict[str, Any] = {"iter": 0, "status": status, "problem": "the disk is full"}
    with pytest.raises(MinrnnError, match=f"is {status}: the disk is full"):
        start.until(lambda: start.trains(told), "its first iters", 60)


def test_a_training_is_measured_from_its_second_iter_on() -> None:
    told = [
        {"iter": n, "status": s, "problem": ""} for n, s in ((0, "waiting"), (1, "running"), (2, "running"))
    ]
    assert [start.trains(status) for status in told] == [False, False, True]


def test_what_never_comes_is_waited_for_only_so_long() -> None:
    with pytest.raises(MinrnnError, match=r"a miracle did not come within 0.05 s"):
        start.until(lambda: False, "a miracle", 0.05)


def test_a_request_that_fails_is_not_waited_for() -> None:
    job = Job({"a": "x", "b": ""})
    assert not start.all_wrote(job)
    job.set_exception(ValueError("no such model"))
    with pytest.raises(MinrnnError, match="the request ended before every model had written.*no such model"):
        start.all_wrote(job)


def test_a_request_that_has_ended_well_counts() -> None:
    job = Job({"a": "", "b": ""}, {"a": "x", "b": "y"})
    job.set_result(None)
    assert start.all_wrote(job)


@contextmanager
def _quick_app(folder: Path) -> Iterator[App]:
    """An app that took 5 s to start: a process without memory worth a word, and its child, which holds 30 MB."""
    child = "held = b'x' * 30_000_000; print(flush=True); input()"
    mother = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", mother], **pipes) as process:
        assert process.stdout is not None and process.stdout.readline()  # the child holds its memory
        yield App("http://127.0.0.1:9", process, 5.0)
        process.communicate(b"\n")


@linux
def test_the_start_is_printed_as_one_object_with_ok_or_short(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "running", _quick_app)
    monkeypatch.setattr(start, "IDLE_MB", 1e9)
    bench.main(["start", "--json", "--no-writing"])
    seconds, memory = json.loads(capsys.readouterr().out)["figures"]
    assert (seconds["value"], seconds["verdict"]) == (5.0, "short")
    assert memory["value"] > 10 and memory["verdict"] == "ok"


@linux
def test_memory_of_the_processes_below_the_app_counts_against_the_goal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start, "running", _quick_app)
    monkeypatch.setattr(start, "IDLE_MB", 25)  # the mother alone takes less
    _, memory = start.measure(start.StartFlags(rounds=1, writing=False))
    assert memory.value > 30 and memory.verdict == "short"


def test_no_round_is_refused() -> None:
    with pytest.raises(ConfigError, match="rounds is 0"):
        list(start.measure(start.StartFlags(rounds=0)))
