"""The app as a process of its own: what does not start is told, not waited for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minrnn.bench import running
from minrnn.errors import MinrnnError

linux = pytest.mark.skipif(sys.platform != "linux", reason="what the app takes is read from /proc")


def test_a_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MinrnnError, match=r"has no app\.py|/proc"), running.running(tmp_path):
        raise AssertionError("it runs")


@linux
def test_an_app_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise SystemExit(3)")
    began = time.monotonic()
    with (
        pytest.raises(MinrnnError, match="the app ended with exit status 3"),
        running.running(tmp_path),
    ):
        raise AssertionError("it runs")
    assert time.monotonic() - began < running.START_S / 2


SLEEPER = "import time; print(1, flush=True); time.sleep(60)"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', '{SLEEPER}', {{}}]); time.sleep(60)"


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks at processes through /proc")
@pytest.mark.parametrize(("words", "others"), [("'train', '--run', 'x'", 1), ("'x'", 2)])
def test_a_training_worker_counts_apart_by_the_words_it_is_started_with(words: str, others: int) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT.format(words)], stdout=subprocess.PIPE) as app:
        assert app.stdout is not None and app.stdout.readline()
        found = running.App("", app, 0)
        use, pids = found.use(), found.pids()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    assert use.processes == others and (use.training_mb > 0) == (others == 1) and use.memory_mb > 0
