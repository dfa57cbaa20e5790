"""`python -m minrnn train` as a process: signals, streams, and what it needs of the system."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from minrnn import train
from minrnn.runs.events import METRICS, last_event, read_events
from minrnn.runs.listing import Listing
from tests.cli.conftest import FLAGS
from tests.runs.helpers import losses, until


def worker(
    out: Path, *flags: str, python: tuple[str, ...] = ("-m", "minrnn"), **more: Any
) -> "subprocess.Popen[str]":
    words = [sys.executable, *python, "train", "--out", str(out), "--dtype", "float32", *flags]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, **pipes | more)


def started(process: "subprocess.Popen[str]", out: Path, iter: int) -> None:
    """Wait until the worker has made so many iters."""
    until(lambda: process.poll() is not None or (losses(out) or [(-1, 0)])[-1][0] >= iter)
    assert process.poll() is None, process.communicate()


SMALL = ("--n-embd", "16", "--n-layer", "1", "--batch-size", "2", "--max-iters", "1000000")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_run_with_everything_saved(name: str, text_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with worker(out, "--corpus", str(text_file), *SMALL) as process:
        started(process, out, 5)
        process.send_signal(getattr(signal, name))
        printed, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, "")
    end = last_event(out / METRICS)
    assert isinstance(end, train.Done) and end.reason == "stopped" and "stopped" in printed
    assert torch.load(out / "resume.pt")["state"]["iter"] == end.iter
    assert not list(out.rglob(".*"))


@pytest.mark.slow
def test_a_second_signal_ends_a_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it makes an iter of many seconds."""
    out = tmp_path / "run"
    flags = ("--corpus", "python", "--n-embd", "384", "--batch-size", "512", "--sample-interval", "0")
    with worker(out, *flags, "--eval-chars", "500") as process:
        until(lambda: process.poll() is not None or read_events(out / METRICS))
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (130, "")
    assert not list(out.rglob(".*"))
    monkeypatch.setenv("MINRNN_RUNS_DIR", str(tmp_path))
    (run,) = Listing().every()
    assert (run.status, run.scores) == ("killed", {})


@pytest.mark.slow
def test_a_reader_who_leaves_does_not_end_a_run(text_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    flags = ["--corpus", str(text_file), *FLAGS, "--max-iters", "40", "--eval-interval", "2"]
    with worker(out, *flags) as process:
        assert process.stdout and process.stdout.readline()
        process.stdout.close()
        assert process.wait(120) == 0
        assert process.stderr and process.stderr.read() == ""
    assert last_event(out / METRICS) == train.Done(40, "max_iters")


WITHOUT_UNIX = """
    import runpy, sys
    for name in ("fcntl", "resource", "pwd", "grp", "termios"):
        sys.modules[name] = None  # importing it raises ImportError, as on Windows
    import warnings
    warnings.simplefilter("ignore")  # filelock says that it makes do with a file
    sys.argv[0] = "minrnn"
    runpy.run_module("minrnn", run_name="__main__")
"""


@pytest.mark.slow
def test_a_run_needs_none_of_unixs_own_modules(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    flags = ["--corpus", str(text_file), *FLAGS]
    with worker(out, *flags, python=("-c", textwrap.dedent(WITHOUT_UNIX))) as process:
        printed, error = process.communicate(timeout=120)
    assert (process.returncode, error) == (0, "")
    assert "done at iter 3" in printed
    evals = [event for event in read_events(out / METRICS) if isinstance(event, train.Eval)]
    assert {event.peak_bytes for event in evals} == {0}
    monkeypatch.setenv("MINRNN_RUNS_DIR", str(tmp_path))
    assert [run.status for run in Listing().every()] == ["finished"]


@pytest.mark.slow
def test_a_run_needs_no_home_and_no_streams(text_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    env = {name: value for name, value in os.environ.items() if name not in ("HOME", "USER", "LOGNAME")}
    words = [sys.executable, "-m", "minrnn", "train", "--out", str(out), "--corpus", str(text_file), *FLAGS]
    code = "import os, sys; os.close(0); os.close(1); os.close(2); os.execv(sys.argv[1], sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", code, *words], env=env, check=False)
    assert done.returncode == 0
    assert last_event(out / METRICS) == train.Done(3, "max_iters")
